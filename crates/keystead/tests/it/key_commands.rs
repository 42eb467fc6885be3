//! How keys are listed and changed by the command line.

use serde_json::{Value, json};

use crate::instance::Instance;

/// The names of the keys that a command lists.
fn listed(instance: &Instance, arguments: &[&str]) -> Vec<String> {
    let output = instance.run(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn keys_are_listed_by_every_state_that_a_list_shows() {
    let instance = Instance::new("list-states");
    let ids = instance.init();
    let other = String::from_utf8(instance.run(&["locations", "create", "--name", "Second"]).stdout).unwrap();
    for (location, name) in [(ids["locationId"].as_str().unwrap(), "works"), (other.trim(), "rests")] {
        #[rustfmt::skip]
        instance.json(&["keys", "create", "--kind", "location", "--location-id", location, "--name", name, "--preset", "read-only", "--json"]);
    }
    assert_eq!(listed(&instance, &["keys", "list", "--state", "suspended"]), [""; 0]);
    assert!(instance.run(&["locations", "suspend", other.trim()]).status.success());
    assert_eq!(listed(&instance, &["keys", "list", "--state", "suspended"]), ["rests"]);
    assert_eq!(listed(&instance, &["keys", "list"]), ["rests", "works"]);
    let shown = String::from_utf8(instance.run(&["keys", "list", "--state", "suspended"]).stdout).unwrap();
    assert!(shown.lines().any(|line| line.starts_with("rests") && line.contains(" suspended ")), "{shown}");
}

#[test]
fn a_length_of_time_and_a_number_are_what_they_can_mean() {
    let instance = Instance::new("list-numbers");
    let ids = instance.init();
    #[rustfmt::skip]
    instance.json(&["keys", "create", "--kind", "location", "--location-id", ids["locationId"].as_str().unwrap(), "--name", "a key", "--preset", "read-only", "--json"]);
    for within in ["91", "P13W", "P91D", "PT2184H"] {
        assert_eq!(listed(&instance, &["keys", "idle", "--within", within]), ["a key"], "{within}");
    }
    for within in ["0", "P2W", "PT36H", "15"] {
        assert_eq!(listed(&instance, &["keys", "idle", "--within", within]), [""; 0], "{within}");
    }
    for (arguments, why) in [
        (["keys", "idle", "--within", "92"], "P15D"),
        (["keys", "idle", "--within", "P92D"], "P15D"),
        (["keys", "idle", "--within", "-1"], "P15D"),
        (["keys", "idle", "--within", "soon"], "P15D"),
        (["keys", "list", "--limit", "0"], "from 1 on"),
        (["keys", "list", "--limit", "many"], "from 1 on"),
    ] {
        let output = instance.run(&arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(why) && text.contains(arguments[2]), "{arguments:?}: {text}");
    }
    assert_eq!(listed(&instance, &["keys", "list", "--limit", "1"]), ["a key"]);
}

#[test]
fn what_is_said_of_a_key_and_what_the_agency_asks_is_set_by_commands() {
    let instance = Instance::new("key-about");
    let ids = instance.init();
    let (location, agency) = (ids["locationId"].as_str().unwrap(), ids["agencyId"].as_str().unwrap());
    #[rustfmt::skip]
    let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", location, "--name", "a key", "--preset", "forms-intake",
        "--labels", "website, leads", "--contact-email", "web@x.example", "--json"]);
    let key = &made["apiKey"];
    assert_eq!((&key["labels"], &key["contactEmail"]), (&json!(["website", "leads"]), &json!("web@x.example")));
    assert_eq!(listed(&instance, &["keys", "list", "--query", "leads"]), ["a key"]);
    let id = key["id"].as_str().unwrap();
    let changed = instance.json(&["keys", "update", id, "--labels", "", "--contact-email", "", "--json"]);
    assert_eq!((&changed["apiKey"]["labels"], &changed["apiKey"]["contactEmail"]), (&json!([]), &json!(null)));
    let refused = instance.run(&["keys", "update", id, "--contact-email", "nobody"]);
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
    #[rustfmt::skip]
    let policy = instance.json(&["agencies", "update", agency, "--key-longest-days", "90", "--key-default-days", "30", "--agency-keys-by", "operators",
        "--keys-contact", "security@x.example", "--json"]);
    assert_eq!((&policy["keyLongestDays"], &policy["keyDefaultDays"]), (&json!(90), &json!(30)));
    assert_eq!((&policy["agencyKeysBy"], &policy["keysContact"]), (&json!("operators"), &json!("security@x.example")));
    let refused = instance.run(&["keys", "update", id, "--expires-at", "2099-01-01"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("within 90 days"), "{refused:?}");
    let kept = instance.json(&["agencies", "update", agency, "--key-longest-days", "none", "--json"]);
    assert_eq!((&kept["keyLongestDays"], &kept["keyDefaultDays"]), (&json!(null), &json!(30)));
    for wrong in [["--key-longest-days", "0"], ["--agency-keys-by", "nobody"], ["--keys-contact", "x"]] {
        let refused = instance.run(&[&["agencies", "update", agency], &wrong[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}: {refused:?}");
    }
}
