//! A journal that came whole decides; one that did not is told, and what it leaves open is for review.

use std::fs;

use serde_json::{Value, json};

use crate::revocations::{Key, World, parsed};

/// What a restore of the backup says with this journal, or with the one that is there; and its exit code.
fn restored(world: &mut World, file: &str, journal: &str) -> (Value, Option<i32>) {
    world.lose_everything();
    let name = world.file("handed-over.jsonl");
    fs::write(&name, journal).unwrap();
    let output = world.restore(file, &["--revocations", &name]);
    (parsed(&output), output.status.code())
}

fn to_review(told: &Value) -> Vec<String> {
    let mut keys: Vec<String> =
        told["toReview"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

/// Whether these keys, and no others, are for review.
fn are_for_review(told: &Value, keys: &[&Key]) -> bool {
    let listed = to_review(told);
    listed.len() == keys.len() && keys.iter().all(|key| listed.iter().any(|masked| masked.contains(&key.id)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_with_a_hole_or_a_torn_line_leaves_open_what_it_does_not_tell() {
    let mut world = World::new("holes");
    let keys: Vec<Key> = ["deleted", "kept", "late", "narrowed"].iter().map(|name| world.key(name)).collect();
    let [deleted, kept, late, narrowed] = &keys[..] else { panic!() };
    let file = world.backup("backup.db");
    world.json(&["keys", "delete", &deleted.id, "--json"]);
    world.json(&["keys", "deactivate", &late.id, "--json"]);
    world.json(&["keys", "reactivate", &late.id, "--json"]);
    world.json(&["keys", "update", &narrowed.id, "--scopes", "contacts.readonly", "--json"]);
    let whole = fs::read_to_string(world.journal()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();

    let (told, code) = restored(&mut world, &file, &whole);
    assert_eq!((code, &told["ended"], to_review(&told).len()), (Some(0), &json!([deleted.id]), 0), "{told}");

    // As grep, a limit of rsyslog or of journald leaves it: a line is missing in between.
    let without = lines.iter().filter(|line| !line.contains("\"deleted\"")).map(|line| format!("{line}\n"));
    let (told, code) = restored(&mut world, &file, &without.collect::<String>());
    assert_eq!((code, told["revocations"]["missing"].as_array().unwrap().len()), (Some(1), 1), "{told}");
    assert!(are_for_review(&told, &[deleted, kept]), "of the others something is said after the gap: {told}");

    // A copy that was taken while the last line was written: of it, whom it names.
    let (told, code) = restored(&mut world, &file, &whole[..whole.len() - 60]);
    assert_eq!((code, &told["revocations"]["unreadable"]), (Some(1), &json!(1)), "{told}");
    assert!(are_for_review(&told, &[narrowed]), "{told}");

    // A line that a crash tore was told again.
    let (last, before) = lines.split_last().unwrap();
    let again = format!("{}\n{}\n{last}\n", before.join("\n"), &last[..last.len() - 60]);
    let (told, code) = restored(&mut world, &file, &again);
    assert_eq!((code, to_review(&told).len()), (Some(0), 0), "{told}");

    // Of the state of everything, with which a journal begins, a part is missing.
    let first = lines.iter().position(|line| line.contains(&kept.id)).unwrap();
    let headless: String = lines[..first].iter().chain(&lines[first + 1..]).map(|line| format!("{line}\n")).collect();
    let (told, code) = restored(&mut world, &file, &headless);
    assert_eq!(code, Some(1), "{told}");
    assert!(are_for_review(&told, &[kept]), "{told}");

    // The same by hand: what is missing is told, and what it leaves open.
    let name = world.file("headless.jsonl");
    fs::write(&name, &whole[..whole.len() - 60]).unwrap();
    let output = world.run(&["db", "reapply", &name, "--json"]);
    assert_eq!((output.status.code(), &parsed(&output)["revocations"]["unreadable"]), (Some(1), &json!(1)));
}
