//! What is in a location, by the command line: its verbs are the routes.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::instance::Instance;

fn run(instance: &Instance, arguments: &[&str]) -> String {
    let output = instance.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(instance: &Instance, arguments: &[&str]) -> String {
    let output = instance.run(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_contact_is_made_seen_changed_and_deleted() {
    let instance = Instance::new("noun-contacts");
    instance.init();
    #[rustfmt::skip]
    let id = run(&instance, &["contacts", "create", "--first-name", "Ada", "--email", "ada@example.com", "--tags", "vip", "--tags", "New York", "--dnd", "true"]);
    let id = id.trim();
    let seen = &lines(&run(&instance, &["contacts", "get", id, "--json"]))[0];
    assert_eq!((&seen["id"], &seen["firstName"], &seen["dnd"]), (&json!(id), &json!("Ada"), &json!(true)));
    assert_eq!(seen["tags"], json!(["vip", "new york"]));
    let shown = run(&instance, &["contacts", "get", id]);
    assert!(shown.lines().any(|line| line.starts_with("tags ") && line.ends_with(" vip, new york")), "{shown}");
    assert!(!shown.contains("null"), "{shown}");
    // What no option can say is said as JSON; an option wins over it.
    let settings = r#"{"dndSettings": {"SMS": {"status": "active"}}, "firstName": "Not this"}"#;
    run(&instance, &["contacts", "update", id, "--first-name", "Ada M.", "--fields", settings]);
    let seen = &lines(&run(&instance, &["contacts", "get", id, "--json"]))[0];
    assert_eq!((&seen["firstName"], &seen["dndSettings"]["sms"]["status"]), (&json!("Ada M."), &json!("active")));
    run(&instance, &["contacts", "update", id, "--clear", "phone", "--clear", "city"]);
    assert_eq!(lines(&run(&instance, &["contacts", "delete", id, "--json"])), [json!({"id": id, "deleted": true})]);
    assert_eq!(run(&instance, &["contacts", "list", "--json"]), "");
}

#[test]
fn a_list_goes_on_to_its_end() {
    let instance = Instance::new("noun-lists");
    instance.init();
    let mut ids = Vec::new();
    // More than a page of businesses, and of contacts by the smallest page.
    for number in 0..4 {
        let name = format!("Person {number}");
        ids.push(run(&instance, &["contacts", "create", "--name", &name]).trim().to_owned());
    }
    let listed = |arguments: &[&str]| -> Vec<String> {
        let found = lines(&run(&instance, &[&["contacts", "list", "--json"], arguments].concat()));
        found.iter().map(|contact| contact["id"].as_str().unwrap().to_owned()).collect()
    };
    ids.reverse();
    assert_eq!(listed(&[]), ids);
    assert_eq!(listed(&["--limit", "3"]), ids[..3]);
    assert_eq!(listed(&["--query", "person 2"]), ids[1..2]);
    let shown = run(&instance, &["contacts", "list"]);
    assert!(shown.starts_with("ID ") && shown.contains("CONTACT NAME") && shown.lines().count() == 5, "{shown}");
    run(&instance, &["notes", "create", &ids[0], "--body", "- a note that begins with a dash"]);
    let notes = run(&instance, &["notes", "list", &ids[0]]);
    assert!(notes.contains("- a note that begins with a dash"), "{notes}");
}

#[test]
fn what_is_needed_next_is_shown() {
    let instance = Instance::new("noun-stages");
    instance.init();
    let pipeline = &lines(&run(&instance, &["pipelines", "list", "--json"]))[0];
    let shown = run(&instance, &["pipelines", "list"]);
    let got = run(&instance, &["pipelines", "get", pipeline["id"].as_str().unwrap()]);
    for stage in pipeline["stages"].as_array().unwrap() {
        let id = stage["id"].as_str().unwrap();
        let named = format!("{} ({id})", stage["name"].as_str().unwrap());
        assert!(shown.contains(&named) && got.contains(id), "{named}: {shown} {got}");
    }
    let help = run(&instance, &["fields", "create", "--help"]);
    assert!(help.contains("One; again for each of several, a comma does not part them"), "{help}");
    let new = ["fields", "create", "--name", "Size", "--data-type", "RADIO", "--options", "S, or M", "--options", "L"];
    let id = run(&instance, &new);
    let field = &lines(&run(&instance, &["fields", "get", id.trim(), "--json"]))[0];
    assert_eq!(field["picklistOptions"], json!(["S, or M", "L"]), "{field}");
}

#[test]
fn a_webhook_is_made_tried_and_rotated_and_its_secrets_are_not_lost() {
    let instance = Instance::new("noun-webhooks");
    let location = instance.init()["locationId"].as_str().unwrap().to_owned();
    let url = "https://hooks.example.com/a";
    let made = run(
        &instance,
        &["webhooks", "create", "--url", url, "--events", "contact.created,tag.*", "--events", "note.*"],
    );
    let (id, secret) = made.trim().split_once('\n').unwrap();
    assert!(secret.starts_with("secret  whsec_"), "{made}");
    // Without a location it is the agency's.
    let of_agency = &lines(&run(&instance, &["webhooks", "get", id, "--json"]))[0];
    assert!(of_agency["locationId"].is_null(), "{of_agency}");
    assert_eq!(of_agency["events"], json!(["contact.created", "note.*", "tag.*"]));
    assert!(run(&instance, &["webhooks", "list"]).contains("  contact.created, note.*, tag.*  "));
    let got = run(&instance, &["webhooks", "get", id]);
    assert!(got.lines().any(|line| line.starts_with("listens as ") && line.ends_with("  operator")), "{got}");
    let own = ["webhooks", "create", "--url", url, "--events", "note.*", "--location-id", &location, "--json"];
    let own = &lines(&run(&instance, &own))[0];
    assert_eq!(own["webhook"]["locationId"], json!(location));
    assert!(own["secret"].as_str().unwrap().starts_with("whsec_"), "{own}");
    assert_eq!(lines(&run(&instance, &["webhooks", "list", "--json", "--location-id", &location])).len(), 1);
    let rotated = run(&instance, &["webhooks", "rotate", id, "--overlap", "PT0S"]);
    assert!(rotated.contains("secret  whsec_") && !rotated.contains(secret), "{rotated}");
    // More than a page of them.
    for _ in 0..25 {
        run(&instance, &["webhooks", "test", id, "--event", "contact.created"]);
    }
    let sent = lines(&run(&instance, &["webhooks", "deliveries", id, "--json"]));
    assert_eq!(sent.len(), 25);
    let shown = run(&instance, &["webhooks", "deliveries", id]);
    assert!(shown.contains("ContactCreate") && shown.contains("NEXT ATTEMPT AT"), "{shown}");
    // Nobody sends while no server runs: it is due since it was made.
    assert!(shown.contains(sent[0]["nextAttemptAt"].as_str().unwrap()), "{shown}");
    let csv = run(&instance, &["webhooks", "deliveries-csv", id]);
    assert!(csv.starts_with("id,created_at,message,event,") && csv.lines().count() == 26, "{csv}");
    assert_eq!(run(&instance, &["webhooks", "deliveries-csv", id, "all.csv", "--state", "waiting"]), "");
    assert_eq!(std::fs::read_to_string(instance.folder.join("all.csv")).unwrap(), csv);
    let delivery = sent[0]["id"].as_str().unwrap();
    let one = &lines(&run(&instance, &["webhooks", "delivery", id, delivery, "--json"]))[0];
    assert_eq!(one["attempts"], json!([]));
    run(&instance, &["webhooks", "resend", id, delivery]);
    assert!(run(&instance, &["webhooks", "recover", id, "--since", "2000-01-01"]).contains("recovered"));
    assert!(run(&instance, &["webhooks", "sample", "--event", "contact.created"]).contains("ContactCreate"));
    for verb in ["public-key", "new-key"] {
        let key = run(&instance, &["webhooks", verb]);
        assert!(key.lines().any(|line| line == "-----BEGIN PUBLIC KEY-----") && !key.contains(['{', '\\']), "{key}");
        assert!(key.lines().any(|line| line.starts_with("base64 ")), "{key}");
    }
    run(&instance, &["webhooks", "update", id, "--signing-key-version", "2"]);
    let keys = lines(&run(&instance, &["webhooks", "public-keys", "--json"]));
    assert_eq!(keys.iter().map(|key| key["version"].as_i64().unwrap()).collect::<Vec<_>>(), [2, 1]);
    let at = ["--public-url", "https://crm.example.com"];
    let inbound = run(&instance, &[&["inbound-webhooks", "create", "--name", "Shop"][..], &at].concat());
    assert!(inbound.contains("\nurl  https://crm.example.com/hooks/"), "{inbound}");
    let id = inbound.lines().next().unwrap();
    let rotated = run(&instance, &[&["inbound-webhooks", "rotate", id, "--overlap", "PT0S"][..], &at].concat());
    assert!(rotated.contains("\nurl  https://crm.example.com/hooks/"), "{rotated}");
    let guessed = instance.run(&["inbound-webhooks", "rotate", id, "--overlap", "PT0S"]);
    let (shown, noted) = (String::from_utf8(guessed.stdout).unwrap(), String::from_utf8(guessed.stderr).unwrap());
    assert!(shown.contains("\nurl  http://127.0.0.1:") && noted.contains("is a guess"), "{shown} {noted}");
    assert_eq!(run(&instance, &["inbound-webhooks", "payloads", id, "--json"]), "");
}

#[test]
fn help_says_of_a_noun_what_is_about_it() {
    let instance = Instance::new("noun-help");
    for arguments in [&["contacts", "--help"][..], &["pipelines", "list", "--help"], &["keys", "create", "--help"]] {
        let help = run(&instance, arguments);
        for said in ["--data-dir", "--database-url", "--config"] {
            assert!(help.contains(said), "{arguments:?}: {said}: {help}");
        }
        for unsaid in ["--listen", "--smtp-url", "--trusted-proxies", "--daily-rate-limit"] {
            assert!(!help.contains(unsaid), "{arguments:?}: {unsaid}: {help}");
        }
    }
    assert!(run(&instance, &["contacts", "--help"]).contains("keystead --help has the settings of the server"));
    for arguments in [&["--help"][..], &["serve", "--help"]] {
        let help = run(&instance, arguments);
        assert!(help.contains("--listen") && help.contains("--smtp-url"), "{arguments:?}: {help}");
    }
    // They are taken all the same, wherever they stand.
    instance.init();
    run(&instance, &["contacts", "list", "--listen", "127.0.0.1:0"]);
    run(&instance, &["--listen", "127.0.0.1:0", "contacts", "list"]);
    assert!(refused(&instance, &["contacts", "list", "--listen", "nowhere at all"]).contains("--listen"));
}

#[test]
fn what_is_wrong_is_told_as_by_the_api() {
    let instance = Instance::new("noun-refusals");
    instance.init();
    let told = refused(&instance, &["contacts", "create", "--email", "nobody", "--dnd", "perhaps"]);
    assert!(told.contains("email") && told.contains("dnd"), "all at once: {told}");
    assert!(refused(&instance, &["contacts", "create", "--fields", "[1]"]).contains("--fields must be a JSON object"));
    assert!(refused(&instance, &["contacts", "create", "--location-id", "x", "--name", "A"]).contains("--location-id"));
    assert!(refused(&instance, &["contacts", "update"]).contains("CONTACT_ID"));
    for limit in ["0", "-1", "all"] {
        let told = refused(&instance, &["contacts", "list", "--limit", limit]);
        assert!(told.contains("--limit must be a number, from 1 on"), "{limit}: {told}");
    }
    let unknown = instance.run(&["contacts", "get", "0aQ7cXkPTm9Rb4Vw6Yz4"]);
    assert_eq!(unknown.status.code(), Some(3));
    run(&instance, &["locations", "create", "--name", "Second"]);
    assert!(refused(&instance, &["contacts", "list"]).contains("choose one with --location-id"));
}

/// A file of a submission, sent by a key.
fn submit_file(instance: &Instance, path: &str, key: &str, content: &str) -> Value {
    let server = instance.serve(&[]);
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n{content}\r\n--b--\r\n"
    );
    let head = format!(
        "POST {path}/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, json) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn a_file_of_a_submission_is_written() {
    let instance = Instance::new("noun-files");
    let location = instance.init()["locationId"].as_str().unwrap().to_owned();
    let named = ["--location-id", &location, "--name", "Jobs", "--preset", "full-access", "--json"];
    let key = instance.json(&[&["keys", "create", "--kind", "location"], &named[..]].concat());
    let key = key["key"].as_str().unwrap_or_else(|| panic!("{key}"));
    let definition = r#"{"definition": {"pages": [{"fields": [{"key": "cv", "type": "file", "label": "CV"}]}]}}"#;
    for noun in ["forms", "surveys"] {
        let form = run(&instance, &[noun, "create", "--name", "Jobs", "--fields", definition]).trim().to_owned();
        let content = "a CV\n".repeat(30_000);
        let sent = submit_file(&instance, &format!("/{noun}/{form}"), key, &content);
        let (submission, file) = (&sent["submission"]["id"], &sent["submission"]["others"]["cv"][0]["id"]);
        let ids = [form.as_str(), submission.as_str().unwrap(), file.as_str().unwrap_or_else(|| panic!("{sent}"))];
        let to = |more: &[&'static str]| [&[noun, "file"], &ids[..], more].concat();
        assert!(run(&instance, &to(&[])) == content);
        let name = if noun == "forms" { "form.pdf" } else { "survey.pdf" };
        assert_eq!(run(&instance, &to(&[name])), "");
        assert!(std::fs::read_to_string(instance.folder.join(name)).unwrap() == content);
        // What is there already stays.
        let again = instance.run(&to(&[name]));
        assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("File exists"));
        let lost = instance.run(&[noun, "file", &form, submission.as_str().unwrap(), &form, "lost.pdf"]);
        assert!(!lost.status.success() && !instance.folder.join("lost.pdf").exists());
    }
}
