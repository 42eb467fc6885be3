//! Starting the binary: what a newcomer does, and what goes wrong with one line that names the remedy.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::instance::{Instance, Running, mode};

#[test]
fn an_instance_is_set_up_and_keys_are_managed_without_a_browser() {
    let instance = Instance::new("cli");
    let ids = instance.init();
    assert_eq!(mode(&instance.data().join("instance-secret")), 0o600);
    assert_eq!(mode(&instance.data()), 0o700);
    let location = ids["locationId"].as_str().unwrap();
    #[rustfmt::skip]
    let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", location, "--name", "CLI", "--preset", "full-access", "--json"]);
    let id = made["apiKey"]["id"].as_str().unwrap();
    assert!(made["key"].as_str().unwrap().starts_with("ks_location_"));
    let changed = instance.json(&["keys", "update", id, "--name", "Renamed", "--allowed-ips", "127.0.0.1", "--json"]);
    assert_eq!(changed["apiKey"]["name"], "Renamed");
    #[rustfmt::skip]
    let namesake = instance.run(&["keys", "create", "--kind", "location", "--location-id", location, "--name", "renamed", "--preset", "read-only"]);
    let told = String::from_utf8_lossy(&namesake.stderr).into_owned();
    assert!(told.contains("Warning: Another key of this owner has the same name."), "{told}");
    let namesake = String::from_utf8_lossy(&namesake.stdout)[12..24].to_owned();
    let described = instance.json(&["keys", "update", id, "--description", "Nightly export", "--json"]);
    assert_eq!(described["apiKey"]["description"], "Nightly export", "{described}");
    let taken = instance.json(&["keys", "update", id, "--description", "", "--json"]);
    assert_eq!(taken["apiKey"]["description"], serde_json::Value::Null, "{taken}");
    let warned = instance.json(&["keys", "update", &namesake, "--name", "Renamed", "--json"]);
    assert_eq!(warned["warnings"][0], "Another key of this owner has the same name.");
    instance.json(&["keys", "delete", &namesake, "--json"]);
    let rotated = instance.json(&["keys", "rotate", id, "--overlap", "PT24H", "--json"]);
    assert_ne!(rotated["key"], made["key"]);
    instance.json(&["keys", "rotate", id, "--cancel", "--json"]);
    assert_eq!(instance.json(&["keys", "deactivate", id, "--json"])["apiKey"]["state"], "deactivated");
    assert_eq!(instance.json(&["keys", "reactivate", id, "--json"])["apiKey"]["state"], "active");
    let listed = instance.run(&["keys", "list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("Renamed"));
    #[rustfmt::skip]
    let other = instance.json(&["keys", "create", "--kind", "agency", "--name", "Another", "--preset", "read-only", "--json"]);
    let other = other["apiKey"]["id"].as_str().unwrap();
    let names = |arguments: &[&str]| {
        let listed = instance.run(arguments);
        let text = String::from_utf8(listed.stdout).unwrap();
        let name = |line: &str| serde_json::from_str::<Value>(line).unwrap()["name"].as_str().unwrap().to_owned();
        text.lines().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&["keys", "list", "--json"]), ["Another", "Renamed"], "newest first");
    assert_eq!(names(&["keys", "list", "--json", "--limit", "1"]), ["Another"]);
    assert_eq!(names(&["keys", "list", "--json", "--query", "rena"]), ["Renamed"]);
    instance.json(&["keys", "deactivate", other, "--json"]);
    assert_eq!(names(&["keys", "list", "--json", "--state", "deactivated"]), ["Another"]);
    assert_eq!(names(&["keys", "list", "--json", "--state", "active"]), ["Renamed"]);
    assert!(instance.refused(&["keys", "list", "--state", "asleep"]).contains("deactivated"));
    instance.json(&["keys", "delete", other, "--json"]);
    instance.json(&["keys", "delete", id, "--json"]);
    assert!(instance.run(&["keys", "list", "--json"]).stdout.is_empty());
    assert_eq!(names(&["keys", "list", "--json", "--state", "deleted"]).len(), 3);
    let empty = String::from_utf8(instance.run(&["keys", "list"]).stdout).unwrap();
    assert_eq!(empty.lines().count(), 1, "the head alone: {empty}");
    #[rustfmt::skip]
    let again = instance.refused(&["init", "--agency", "x", "--location", "x", "--admin-email", "b@example.com", "--admin-password-file", "password"]);
    assert!(again.contains("already"), "{again}");
    assert!(instance.refused(&["keys", "deactivate", id]).contains("deleted"));
    #[rustfmt::skip]
    let limited = ["keys", "create", "--kind", "location", "--location-id", location, "--name", "Slow", "--preset", "read-only", "--json", "--key-rate-limit"];
    let slow = instance.json(&[&limited[..], &["20"]].concat())["apiKey"].clone();
    assert_eq!(slow["rateLimit"], 20);
    let slow = slow["id"].as_str().unwrap();
    for limit in ["0", "1000001", "many"] {
        let refused = [
            instance.refused(&[&limited[..], &[limit]].concat()),
            instance.refused(&["keys", "update", slow, "--key-rate-limit", limit]),
        ];
        assert!(
            refused.iter().all(|text| text.contains("--key-rate-limit must be a number from 1 to 1000000")),
            "{refused:?}"
        );
    }
    assert!(instance.refused(&["keys", "update", slow, "--name", "x", "--version", "9"]).contains("version"));
    assert!(instance.refused(&["keys", "get", "nonsense"]).contains("12 letters"));
}

#[test]
fn a_backup_is_restored_by_the_command_line_with_the_log_of_revocations() {
    let instance = Instance::new("restore");
    let ids = instance.init();
    let location = ids["locationId"].as_str().unwrap();
    let create = |name: &str| {
        #[rustfmt::skip]
        let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", location, "--name", name, "--preset", "full-access", "--json"]);
        made["apiKey"]["id"].as_str().unwrap().to_owned()
    };
    let (ended, alive) = (create("ended"), create("alive"));
    let folder = instance.data().parent().unwrap().to_owned();
    let file = folder.join("backup.db").display().to_string();
    let mut server = instance.serve(&[]);
    assert!(instance.json(&["db", "backup", &file, "--json"])["rows"].as_i64().unwrap() > 5, "while the server runs");
    assert_eq!(mode(Path::new(&file)), 0o600);
    assert!(instance.refused(&["db", "backup", &file]).contains("exists"));
    assert!(instance.refused(&["db", "restore", &file, "--replace"]).contains("another server is running"));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    // By the command line, whose own log says what it ended.
    let done = instance.run(&["keys", "deactivate", &ended]);
    let log = folder.join("log");
    fs::write(&log, &done.stderr).unwrap();
    assert!(instance.refused(&["db", "restore", &file]).contains("--replace"));
    let log = log.display().to_string();
    let restored = instance.json(&["db", "restore", &file, "--replace", "--revocations", &log, "--json"]);
    assert_eq!(restored["ended"], serde_json::json!([ended]));
    assert_eq!(instance.json(&["keys", "get", &ended, "--json"])["apiKey"]["state"], "deactivated");
    assert_eq!(instance.json(&["keys", "get", &alive, "--json"])["apiKey"]["state"], "active");
    // On a machine that has nothing else: the journal beside the data would know.
    for name in ["revocations.jsonl", "keystead.db"] {
        fs::remove_file(instance.data().join(name)).unwrap();
    }
    let without = instance.run(&["db", "restore", &file, "--json"]);
    assert_eq!(without.status.code(), Some(1), "there is something to review");
    let without: Value = serde_json::from_slice(&without.stdout).unwrap();
    assert_eq!(without["toReview"].as_array().unwrap().len(), 2, "without the log they are listed for review");
    // A truncated backup restores nothing, and says so.
    let bytes = fs::read(&file).unwrap();
    let broken = folder.join("broken.db").display().to_string();
    fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    assert!(!instance.refused(&["db", "restore", &broken, "--replace"]).is_empty());
}

#[test]
fn keys_in_files_are_found_without_a_server() {
    let instance = Instance::new("scan");
    let ids = instance.init();
    #[rustfmt::skip]
    let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", ids["locationId"].as_str().unwrap(), "--name", "x", "--preset", "full-access", "--json"]);
    let secret = made["key"].as_str().unwrap();
    let folder = instance.data().parent().unwrap().join("sources/deep");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("clean.txt"), "ks_location_ is how keys begin").unwrap();
    let path = folder.parent().unwrap().display().to_string();
    assert!(instance.run(&["keys", "scan", &path]).status.success());
    fs::write(folder.join(".env"), format!("A=1\nKEY={secret}\n")).unwrap();
    let found = instance.run(&["keys", "scan", &path, "--json"]);
    assert!(!found.status.success());
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    let line: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((&line["line"], &line["column"], &line["id"]), (&2.into(), &5.into(), &made["apiKey"]["id"]));
    assert!(!text.contains(secret) && !String::from_utf8_lossy(&found.stderr).contains(secret));
    assert!(instance.refused(&["keys", "scan", "nowhere"]).contains("does not exist"));
}

#[test]
fn locations_and_members_are_managed_without_a_browser() {
    let instance = Instance::new("members");
    let ids = instance.init();
    let location = ids["locationId"].as_str().unwrap();
    #[rustfmt::skip]
    let changed = instance.json(&["locations", "update", location, "--name", "Harbour", "--timezone", "Europe/Berlin", "--json"]);
    assert_eq!((&changed["name"], &changed["timezone"]), (&"Harbour".into(), &"Europe/Berlin".into()));
    assert!(instance.refused(&["locations", "update", location, "--country", "Atlantis"]).contains("--country"));
    assert!(instance.refused(&["locations", "update", location]).contains("nothing to change"));
    // Whatever else the API takes, read from its route.
    #[rustfmt::skip]
    let made = instance.json(&["locations", "create", "--name", "Second", "--phone", "+14155550123", "--postal-code", "94103", "--fields", "{\"settings\": {\"allowDuplicateContact\": true}}", "--json"]);
    let second = made["id"].as_str().unwrap();
    assert!(instance.refused(&["locations", "update", second, "--email", "nobody"]).contains("email"));
    assert!(
        instance.refused(&["locations", "update", second, "--fields", "[]"]).contains("--fields must be a JSON object")
    );
    instance.json(&["locations", "update", second, "--email", "second@example.com", "--json"]);
    for email in ["one@example.com", "one@example.com"] {
        instance.json(&["contacts", "create", "--location-id", second, "--email", email, "--json"]);
    }

    #[rustfmt::skip]
    let invited = instance.json(&["users", "invite", "--email", "new@example.com", "--first-name", "Nia", "--role", "account-admin", "--location-ids", location, "--json"]);
    assert!(invited["link"].as_str().unwrap().contains("/app/invite/"));
    let whole = ["users", "invite", "--email", "x@example.com", "--role", "account-user"];
    assert!(instance.refused(&whole).contains("--location-ids"));
    assert!(
        instance.refused(&["users", "invite", "--email", "x@example.com", "--role", "king"]).contains("agency-admin")
    );

    let listed = instance.json(&["users", "list", "--json"]);
    let admin = listed["email"].as_str().unwrap();
    assert_eq!((&listed["type"], &listed["role"]), (&"agency".into(), &"admin".into()));
    // Somebody must be left to run the agency.
    assert!(instance.refused(&["users", "disable", "--email", admin]).contains("admin"));
    assert!(instance.refused(&["users", "disable", "--email", admin, "--keys", "burn"]).contains("keep or deactivate"));
    let less = ["users", "update", "--email", admin, "--role", "agency-user"];
    assert!(instance.refused(&less).contains("admin"));
    assert!(instance.refused(&["users", "enable", "--email", "nobody@example.com"]).contains("users list"));
    assert_eq!(instance.json(&["users", "enable", "--email", admin, "--json"])["disabled"], false);
}

#[test]
fn a_version_is_added_to_the_instance_secret() {
    let instance = Instance::new("secret-add");
    let ids = instance.init();
    let location = ids["locationId"].as_str().unwrap();
    #[rustfmt::skip]
    let make = || instance.json(&["keys", "create", "--kind", "location", "--location-id", location, "--name", "CLI", "--preset", "full-access", "--json"]);
    let status = |server: &Running, key: &Value| {
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        let key = key["key"].as_str().unwrap();
        write!(stream, "GET /api-keys/self HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let old = make();
    let server = instance.serve(&[]);
    assert_eq!(status(&server, &old), "200");
    let file = instance.data().join("instance-secret");
    // As an editor may leave it.
    fs::write(&file, fs::read_to_string(&file).unwrap().trim_end()).unwrap();
    assert_eq!(instance.json(&["secret", "add", "--json"])["version"], 2);
    assert_eq!((fs::read_to_string(&file).unwrap().lines().count(), mode(&file)), (2, 0o600));
    let new = make();
    assert_eq!(status(&server, &new), "503", "a server that cannot tell refuses nobody");
    assert_eq!(status(&server, &old), "200");
    drop(server);
    let server = instance.serve(&[]);
    assert_eq!((status(&server, &old), status(&server, &new)), ("200".to_owned(), "200".to_owned()));
    drop(server);
    assert!(instance.run(&["audit", "verify"]).status.success());
    // The older version is still needed, and the newer one is bound to the database.
    let both = fs::read_to_string(&file).unwrap();
    for line in both.lines() {
        fs::write(&file, line).unwrap();
        assert!(instance.refused(&["keys", "list"]).contains("is missing"), "{line}");
    }
}

#[test]
fn what_prevents_a_start_is_told_in_one_line() {
    let instance = Instance::new("refusals");
    instance.init();
    // A file, where a folder should be: what cannot be looked at is not missing.
    let below_a_file = ["keys", "list", "--secret-file", "password/instance-secret"];
    assert!(instance.refused(&below_a_file).contains("cannot be read"));
    let server = instance.serve(&[]);
    let second = instance.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(second.contains("another server is running"), "{second}");
    let elsewhere = Instance::new("port");
    let taken = elsewhere.refused(&["serve", "--listen", &server.address]);
    assert!(taken.contains("--listen"), "{taken}");
    drop(server);

    let secret = instance.data().join("instance-secret");
    let right = fs::read_to_string(&secret).unwrap();
    fs::remove_file(&secret).unwrap();
    let missing = instance.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(missing.contains("instance-secret") && missing.contains("copy"), "{missing}");
    assert!(!secret.exists(), "no new one is made for a database that has one");
    fs::write(&secret, format!("1 {}\n", "A".repeat(43))).unwrap();
    let wrong = instance.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(wrong.contains("not the one"), "{wrong}");
    fs::write(&secret, "garbage").unwrap();
    assert!(instance.refused(&["keys", "list"]).contains("line 1"));
    fs::write(&secret, right).unwrap();
    assert!(instance.run(&["keys", "list"]).status.success());

    let blocked = Instance::new("unwritable");
    fs::write(blocked.data(), "a file where the folder should be").unwrap();
    let unwritable = blocked.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(unwritable.contains("--data-dir"), "{unwritable}");
    assert!(blocked.refused(&["serve", "--database-url", "mysql://x"]).contains("postgres://"));
    assert!(instance.refused(&["serve", "--rate-limit", "many"]).contains("--rate-limit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let instance = Instance::new("newer");
    instance.init();
    let database = keystead_store::Database::Sqlite(instance.data().join("keystead.db"));
    let store = keystead_store::Store::open(&database, &keystead_store::Options::default()).unwrap();
    store
        .write::<_, keystead_store::Error, _>(|tx| {
            let sql = "INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, 'future', 0)";
            tx.execute(sql, &[]).map(drop)
        })
        .await
        .unwrap();
    drop(store);
    let newer = instance.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(newer.contains("9999") && newer.contains("newer release"), "{newer}");
}

/// Plants secrets wherever a request can carry one, and reads every line of the log.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_requests_and_keys_and_never_a_secret() {
    let instance = Instance::new("log");
    let ids = instance.init();
    #[rustfmt::skip]
    let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", ids["locationId"].as_str().unwrap(), "--name", "x", "--preset", "full-access", "--json"]);
    let secret = made["key"].as_str().unwrap().to_owned();
    let id = made["apiKey"]["id"].as_str().unwrap().to_owned();
    let mut server = instance.serve(&["--log-requests"]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://{}{path}", server.address);
    for path in
        ["/contacts/", &format!("/{secret}"), &format!("/contacts/?key={secret}"), "/app", &format!("/app/{secret}")]
    {
        let call = client.get(url(path)).bearer_auth(&secret).header("User-Agent", &secret).header("Referer", &secret);
        call.send().await.unwrap();
    }
    instance.json(&["keys", "deactivate", &id, "--json"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(client.get(url("/contacts/")).bearer_auth(&secret).send().await.unwrap().status(), 401);
    server.child.kill().unwrap();
    let mut log = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.lines().count() >= 6, "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        assert!(line["level"].is_string());
    }
    assert!(log.contains(&id) && log.contains("key_deactivated"), "the security event names the key: {log}");
    assert!(!log.contains(&secret[secret.len() - 38..]), "{log}");
}

/// Every byte of it as `%XX`, as often as asked.
fn encoded(text: &str, times: usize) -> String {
    let hex = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    (1..times).fold(hex(text), |text, _| text.replace('%', "%25"))
}

/// Whatever stands in an address, and however it is written there, is in no answer and in no line of the log.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_in_addresses_are_neither_echoed_nor_logged() {
    let instance = Instance::new("tokens");
    let (mut server, log) = instance.serve_and_log(&["--log-requests", "--log-level", "trace"]);
    let setup = server.first_page.rsplit_once("token=").unwrap().1.to_owned();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = |path: &str| format!("http://{}{path}", server.address);
    let shown = client.get(url(&format!("/app/setup?token={setup}"))).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    let form = [
        ("token", setup.as_str()),
        ("email", "a@example.com"),
        ("password", "a long password"),
        ("agency", "Northwind"),
        ("location", "Harbour"),
        ("country", "US"),
        ("timezone", "UTC"),
    ];
    let made = client.post(url("/app/setup")).header("Sec-Fetch-Site", "same-origin").form(&form).send().await.unwrap();
    assert_eq!(made.status(), 303);
    let location = instance.json(&["locations", "list", "--json"])["id"].as_str().unwrap().to_owned();
    #[rustfmt::skip]
    let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", &location, "--name", "x", "--preset", "full-access", "--json"]);
    #[rustfmt::skip]
    let invited = instance.json(&["users", "invite", "--email", "b@example.com", "--role", "agency-user", "--json"]);
    let invitation = invited["link"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    let accept = format!("/app/invite/{}", encoded(&invitation, 1));
    assert_eq!(client.get(url(&accept)).send().await.unwrap().status(), 200, "it is read as it is meant");
    let secret = made["key"].as_str().unwrap();
    let tokens = [setup.as_str(), &invitation, secret, &secret.replace('_', "%5F"), &secret.replace('_', "%255f")];
    for token in tokens.into_iter().map(str::to_owned).chain([encoded(secret, 1), encoded(secret, 2)]) {
        for path in [
            format!("/{token}"),
            format!("/contacts/{token}"),
            format!("/v1/{token}/x"),
            format!("/contacts/?query={token}"),
            format!("/contacts/?{token}=1"),
            format!("/app/{token}"),
            format!("/app/invite/x{token}"),
            format!("/app/invite/x?{token}"),
            format!("/app/setup?token=x{token}"),
            format!("/app/sign-in?next=/app/{token}&agency={token}"),
            format!("/docs/{token}"),
            format!("/assets/{token}"),
            format!("/healthz?{token}"),
        ] {
            for method in [reqwest::Method::GET, reqwest::Method::POST] {
                let call = client.request(method, url(&path)).header("Referer", format!("http://x/{token}"));
                let call = call.header("User-Agent", &token).header("Sec-Fetch-Site", "same-origin");
                let answer = call.header("Idempotency-Key", &token).send().await.unwrap();
                let text = answer.text().await.unwrap();
                let tail = &secret[secret.len() - 20..];
                // The form of the sign-in leads back to where somebody wanted to go, and is asked by nobody else.
                assert!(!text.contains(tail) || path.contains("next="), "{path}: {text}");
            }
        }
    }
    server.signal(Signal::TERM);
    assert!(server.child.wait().unwrap().success());
    let log = log.join().unwrap();
    assert!(log.contains("\"route\":\"GET /app/invite/{token}\""), "{log}");
    for token in [setup.as_str(), &invitation, &secret[secret.len() - 20..]] {
        for written in [token.to_owned(), encoded(token, 1), encoded(token, 2)] {
            assert!(
                !log.contains(&written),
                "{written} in {}",
                log.lines().find(|line| line.contains(&written)).unwrap()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_anybody_can_repeat_is_logged_by_count() {
    let instance = Instance::new("count");
    let ids = instance.init();
    #[rustfmt::skip]
    let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", ids["locationId"].as_str().unwrap(), "--name", "x", "--preset", "full-access", "--json"]);
    let (secret, id) = (made["key"].as_str().unwrap(), made["apiKey"]["id"].as_str().unwrap());
    instance.json(&["keys", "deactivate", id, "--json"]);
    let mut server = instance.serve(&[]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let hammer = async |path: String, key: &str| {
        for _ in 0..30 {
            let call = client.get(format!("http://{}{path}", server.address)).bearer_auth(key);
            assert_eq!(call.send().await.unwrap().status(), 401);
        }
    };
    hammer(format!("/contacts/?key={secret}"), "x").await;
    hammer("/contacts/".to_owned(), secret).await;
    server.signal(Signal::TERM);
    assert!(server.child.wait().unwrap().success());
    let mut log = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (code, key) in [("key_in_url", Value::Null), ("key_deactivated", id.into())] {
        let told: Vec<&Value> = lines.iter().filter(|line| line["code"] == code).collect();
        assert_eq!(told.len(), 2, "once when it began, and once by count: {log}");
        assert_eq!((&told[0]["key"], &told[0]["address"]), (&key, &"127.0.0.1".into()), "{log}");
        assert_eq!((&told[1]["key"], &told[1]["source"]), (&key, &"127.0.0.1".into()), "{log}");
        assert_eq!(told[1]["count"], 29);
    }
}
