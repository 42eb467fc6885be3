//! Contacts from and to files of rows, by the command line.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::instance::Instance;

/// A file beside an instance's data.
fn file(instance: &Instance, name: &str, text: &str) -> PathBuf {
    let path = instance.folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The last line of what an import says to programs, after the rows that it refused.
fn import(instance: &Instance, path: &Path, options: &[&str]) -> (Vec<Value>, Value) {
    let path = path.to_str().unwrap();
    let output = instance.run(&[&["contacts", "import", path, "--json"], options].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let expected = i32::from(!lines.is_empty());
    assert_eq!(output.status.code(), Some(expected), "{text}");
    (lines, summary)
}

fn contacts(instance: &Instance) -> Vec<Value> {
    let output = instance.run(&["contacts", "list", "--order", "asc", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn counts(summary: &Value) -> [i64; 4] {
    ["rows", "created", "updated", "refused"].map(|name| summary[name].as_i64().unwrap())
}

const PEOPLE: &str = "\
First name;E-Mail;Mobile phone;Tags;Plan;Notes
Ada;ada@example.com;(415) 555-0123;vip, lead;Gold;x
José;jose@example.com;;lead;Silver;
Bob;no address;;;Gold;
;;;;;
Nobody;;;;;
Ada again;ADA@example.com;;;;
Eve;eve@example.com;;;Platinum;
";

#[test]
fn good_rows_are_kept_and_bad_ones_told_however_often_a_file_is_run() {
    let instance = Instance::new("import");
    instance.init();
    let plan = r#"{"options": ["Gold", "Silver"]}"#;
    instance.run(&["fields", "create", "--name", "Plan", "--data-type", "SINGLE_OPTIONS", "--fields", plan]);
    let path = file(&instance, "people.csv", PEOPLE);
    // A column that is no field is asked about before anything happens.
    let asked = instance.run(&["contacts", "import", path.to_str().unwrap()]);
    let said = String::from_utf8(asked.stderr).unwrap();
    assert!(asked.status.code() == Some(2) && said.contains("“Notes”") && said.contains("--map"), "{said}");
    let map = ["--map", "Notes="];
    let (_, tried) = import(&instance, &path, &[&map[..], &["--dry-run"]].concat());
    assert_eq!((counts(&tried), &tried["dryRun"]), ([6, 2, 1, 3], &json!(true)));
    assert_eq!(contacts(&instance), [json!(null); 0], "a dry run changes nothing");
    let refused_rows = instance.folder.join("refused.csv");
    let errors = [&map[..], &["--errors", refused_rows.to_str().unwrap()]].concat();
    let (refused, done) = import(&instance, &path, &errors);
    assert_eq!(counts(&done), [6, 2, 1, 3]);
    let lines: Vec<i64> = refused.iter().map(|row| row["line"].as_i64().unwrap()).collect();
    assert_eq!(lines, [4, 6, 8]);
    assert!(refused[0]["problem"].as_str().unwrap().contains("must be an e-mail address"), "{refused:?}");
    assert!(refused[1]["problem"].as_str().unwrap().contains("where that is asked for"), "{refused:?}");
    assert!(refused[2]["problem"].as_str().unwrap().contains("Gold, Silver"), "{refused:?}");
    // Nothing that is there is written over, least of all the file itself.
    for taken in [&refused_rows, &path] {
        let options =
            ["contacts", "import", path.to_str().unwrap(), "--errors", taken.to_str().unwrap(), "--map", "Notes="];
        let before = fs::read(taken).unwrap();
        assert_eq!((instance.run(&options).status.code(), fs::read(taken).unwrap()), (Some(2), before));
    }
    let mut seen = contacts(&instance);
    // Those of one millisecond are in any order.
    seen.sort_by_key(|one| one["email"].as_str().map(str::to_lowercase));
    assert_eq!(seen.iter().map(|one| one["firstName"].as_str().unwrap()).collect::<Vec<_>>(), ["Ada again", "José"]);
    assert_eq!((&seen[0]["phone"], &seen[0]["tags"]), (&json!("+14155550123"), &json!(["vip", "lead"])));
    assert_eq!(seen[1]["customFields"][0]["value"], "Silver");
    // The same file once more changes what it changes, and makes nobody twice.
    instance.run(&["contacts", "update", seen[0]["id"].as_str().unwrap(), "--tags", "met", "--tags", "vip"]);
    let (_, again) = import(&instance, &path, &map);
    assert_eq!(counts(&again), [6, 0, 3, 3]);
    let tags = contacts(&instance).iter().find(|one| one["phone"].is_string()).unwrap()["tags"].clone();
    assert_eq!(tags, json!(["vip", "met", "lead"]), "tags are added to those that are there");
    assert_eq!(contacts(&instance).len(), 2);
    // The rows that were refused are a file that can be mended and run.
    let mended =
        fs::read_to_string(&refused_rows).unwrap().replace("no address", "bob@example.com").replace("Platinum", "Gold");
    let mended = file(&instance, "mended.csv", &mended);
    let (left, done) = import(&instance, &mended, &map);
    assert_eq!((counts(&done), left.len()), ([3, 2, 0, 1], 1));
}

#[test]
fn rows_of_any_shape_are_told_of_and_their_file_can_be_run_again() {
    let instance = Instance::new("shapes");
    instance.init();
    let rows = "E-mail,First name\na@example.com,a,b\nb@example.com\nnone,\"open\nlast@example.com,x\nno,Ada\n";
    let path = file(&instance, "shapes.csv", rows);
    let errors = instance.folder.join("1.csv");
    let (problems, done) = import(&instance, &path, &["--errors", errors.to_str().unwrap()]);
    assert_eq!((counts(&done), problems.len()), ([5, 2, 0, 3], 3), "{problems:?}");
    let told = fs::read_to_string(&errors).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "E-mail,First name,Import problem");
    assert_eq!(lines[1], "a@example.com,a,\"has 3 cells, and the first row 2 names\",b");
    assert!(lines[2].starts_with("\"none,\"\"open\",,has a quote"), "{told}");
    // Its last column is its own, and is not doubled.
    let again = instance.folder.join("2.csv");
    let (problems, _) = import(&instance, &errors, &["--errors", again.to_str().unwrap()]);
    assert_eq!(problems.len(), 3);
    assert_eq!(fs::read_to_string(&again).unwrap().lines().next(), Some(lines[0]));
}

#[test]
fn what_is_exported_is_imported_elsewhere() {
    let instance = Instance::new("export");
    instance.init();
    let days = r#"{"options": ["Monday", "Tuesday"]}"#;
    instance.run(&["fields", "create", "--name", "Days", "--data-type", "MULTIPLE_OPTIONS", "--fields", days]);
    let path = file(
        &instance,
        "people.csv",
        "name,email,phone,days,city\n=1+1,a@example.com,+14155550123,Monday; Tuesday,\"New\nYork\"\nO'Neil,b@example.com,,,\n",
    );
    let (refused, _) = import(&instance, &path, &[]);
    assert_eq!(refused.len(), 1, "a city has one line: {refused:?}");
    let path = file(
        &instance,
        "people.csv",
        "name,email,phone,days,city\n=1+1,a@example.com,+14155550123,Monday; Tuesday,\"New, York\"\n'quoted',c@example.com,,,\n",
    );
    import(&instance, &path, &[]);
    let boxes = r#"{"textBoxListOptions": [{"label": "One"}, {"label": "Two"}]}"#;
    instance.run(&["fields", "create", "--name", "Boxes", "--data-type", "TEXTBOX_LIST", "--fields", boxes]);
    let odd = r#"{"tags": ["a;b", "c,d", "[e"], "customFields": [{"key": "contact.boxes", "value": {"One": "x; y", "Two": "z"}}],
        "dateOfBirth": "1990-09-25", "city": "'=A"}"#;
    let id = contacts(&instance)[0]["id"].as_str().unwrap().to_owned();
    let changed = instance.run(&["contacts", "update", &id, "--fields", odd]);
    assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
    let out = instance.folder.join("out.csv");
    assert!(instance.run(&["contacts", "export", out.to_str().unwrap()]).status.success());
    let text = fs::read_to_string(&out).unwrap();
    assert!(
        text.contains("'=1+1") && text.contains(",+14155550123,"),
        "a formula is guarded, a number is none: {text}"
    );
    let again = instance.run(&["contacts", "export", out.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(3), "no file is overwritten");
    let before = contacts(&instance);
    let (_, same) = import(&instance, &out, &[]);
    assert_eq!(counts(&same), [3, 0, 3, 0]);
    assert_eq!(contacts(&instance), before, "an export brings back what was there");
    let piped = instance.run(&["contacts", "export"]);
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), text);
}

#[test]
fn all_that_is_kept_of_one_is_written_and_nothing_is_kept_any_more() {
    let instance = Instance::new("erasure");
    instance.init();
    let path = file(&instance, "people.csv", "name,email\nAda,a@example.com\nBob,b@example.com\n");
    import(&instance, &path, &[]);
    let lines = instance.run(&["contacts", "export", "--json"]);
    let lines: Vec<Value> =
        String::from_utf8(lines.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let ada = lines.iter().find(|one| one["firstName"] == "Ada").unwrap()["id"].as_str().unwrap().to_owned();
    let everything = instance.run(&["contacts", "everything", &ada]);
    let everything: Value = serde_json::from_slice(&everything.stdout).unwrap();
    assert_eq!(
        (&everything["contact"]["email"], everything["events"].as_array().unwrap().len()),
        (&json!("a@example.com"), 1)
    );
    let out = instance.folder.join("ada.json");
    assert!(instance.run(&["contacts", "everything", &ada, out.to_str().unwrap()]).status.success());
    assert_eq!(serde_json::from_slice::<Value>(&fs::read(&out).unwrap()).unwrap(), everything);
    let erased = instance.run(&["contacts", "erase", &ada]);
    assert!(erased.status.success() && String::from_utf8(erased.stdout).unwrap().contains("is erased"));
    assert_eq!(contacts(&instance).len(), 1);
    let again = instance.run(&["contacts", "erase", &ada]);
    assert!(!again.status.success() && String::from_utf8(again.stderr).unwrap().contains("contact"));
    assert_eq!(instance.run(&["contacts", "erase", "nobody"]).status.code(), Some(2));
    assert!(instance.run(&["audit", "verify"]).status.success());
}

#[test]
fn a_file_that_is_none_is_refused_before_anything_happens() {
    let instance = Instance::new("import-refusals");
    instance.init();
    for (text, options, about) in [
        ("", &[][..], "names of its columns"),
        ("email,colour,size\n", &[], "“colour”, “size”"),
        ("email,E-Mail\n", &[], "the same field"),
        ("email\n", &["--map", "mail=email"], "no column mail"),
        ("email\n", &["--map", "email=colour"], "no field colour"),
        ("email\n", &["--map", "email"], "Column=field"),
        ("email\n", &["--encoding", "klingon"], "--encoding klingon"),
    ] {
        let path = file(&instance, "x.csv", text);
        let output = instance.run(&[&["contacts", "import", path.to_str().unwrap()], options].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(about), "{text:?}: {said}");
    }
    assert_eq!(instance.run(&["contacts", "import", "/nowhere/at/all.csv"]).status.code(), Some(2));
}
