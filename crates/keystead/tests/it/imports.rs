//! Imports: files that are sent, worked on by the queue, gone on with after whatever happened, and told of to the row.

use std::{
    io::Cursor,
    sync::Arc,
    time::{Duration, Instant},
};

use keystead_api::v2::imports::Spreadsheets;
use keystead_core::{App, LocationContext, NewFile, NewImport, RowReader, queue::Outcome};
use keystead_jobs::import_worker;
use keystead_model::{
    custom_field::{CustomFieldContent, FieldName, NewCustomField, OwnerKind},
    data_type::DataType,
    grant::Reach,
    import::{ImportColumn, ImportPlan, ImportState, ImportTally},
    job::JobKind,
    page::Window,
    scope::Preset,
    text::Line,
};
use keystead_testkit::{Answer, Part, TestApp, TestKey};
use serde_json::{Value, json};
use tokio::time::Instant as Until;

use crate::callers::new_import;

/// A file of one row.
pub(crate) const PERSON: &str = "email\r\nimported@example.com\r\n";

async fn send(app: &TestApp, key: &TestKey, (name, rows): (&str, &str), options: &[Part<'_>]) -> Answer {
    let parts = [&[("file", Some((name, "text/csv")), rows)], options].concat();
    app.post(&format!("/imports?locationId={}", app.ids.location)).key(key).multipart(&parts).send().await
}

/// An import of a file with one row, which is over.
pub(crate) async fn import(app: &TestApp, key: &TestKey, name: &str) -> Value {
    let import = send(app, key, (name, PERSON), &[]).await.expect(201)["import"].clone();
    over(app, key, &import).await
}

/// An import when the server has come to its end.
async fn over(app: &TestApp, key: &TestKey, import: &Value) -> Value {
    let begun = Instant::now();
    loop {
        let now = get(app, key, import).await;
        if now["endedAt"].is_string() {
            return now;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody ends {now}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn reader() -> Arc<dyn RowReader> {
    Arc::new(Spreadsheets)
}

/// A server that does nothing by itself, and somebody in its location.
async fn idle(app: &mut TestApp) -> (App, LocationContext) {
    let (node, admin) = (app.second_node().await, app.admin().await);
    app.stop().await;
    let context = node.enter_location(admin, Some(app.ids.location)).await.unwrap();
    (node, context)
}

async fn work(node: &App) {
    import_worker(node, &reader()).drain().await.unwrap();
}

/// So many people without addresses: whoever takes a row twice makes two of them.
fn crowd(count: usize) -> NewImport {
    let mut rows = "name\n".to_owned();
    (0..count).for_each(|number| rows.push_str(&format!("Person {number}\n")));
    let columns = vec![ImportColumn { name: "name".to_owned(), field: Some("name".to_owned()) }];
    let plan = ImportPlan { columns, takes_unidentified: true, ..ImportPlan::default() };
    let (part, size, bytes) = ("file".to_owned(), rows.len() as u64, Box::new(Cursor::new(rows)));
    NewImport { file: NewFile { part, name: None, kind: None, size, bytes }, plan }
}

async fn get(app: &TestApp, key: &TestKey, import: &Value) -> Value {
    let path = format!("/imports/{}?locationId={}", import["id"].as_str().unwrap(), app.ids.location);
    app.get(&path).key(key).send().await.expect(200)["import"].clone()
}

fn counts(import: &Value) -> [i64; 4] {
    ["rows", "created", "updated", "refused"].map(|name| import[name].as_i64().unwrap())
}

async fn total(app: &TestApp, key: &TestKey) -> i64 {
    let at = format!("/contacts/?locationId={}&limit=1", app.ids.location);
    app.get(&at).key(key).send().await.expect(200)["meta"]["total"].as_i64().unwrap()
}

async fn events(app: &TestApp, key: &TestKey, kind: &str) -> Vec<Value> {
    let path = format!("/events?locationId={}&kinds={kind}", app.ids.location);
    app.get(&path).key(key).send().await.expect(200)["events"].as_array().unwrap().clone()
}

const PEOPLE: &str = "\
First name;E-Mail;Mobile;Tags;Notes
Ada;ada@example.com;(415) 555-0123;vip, lead;x
Bob;no address;;;
;;;;
Nobody;;;;
Ada again;ADA@example.com;;met;
José;jose@example.com;;;
";

#[tokio::test(flavor = "multi_thread")]
async fn rows_become_contacts_and_what_was_refused_is_told_with_its_cells() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let options = [("mapping", None, r#"{"Notes": ""}"#)];
    let started = send(&app, &key, ("people.csv", PEOPLE), &options).await.expect(201)["import"].clone();
    assert_eq!((&started["state"], &started["fileName"]), (&json!("waiting"), &json!("people.csv")));
    let columns = json!([
        {"name": "First name", "field": "firstName"}, {"name": "E-Mail", "field": "email"},
        {"name": "Mobile", "field": "phone"}, {"name": "Tags", "field": "tags"}, {"name": "Notes", "field": null},
    ]);
    assert_eq!(started["columns"], columns);
    let done = over(&app, &key, &started).await;
    assert_eq!((&done["state"], counts(&done)), (&json!("completed"), [5, 2, 1, 2]));
    let path = format!("/imports/{}/problems", done["id"].as_str().unwrap());
    let first = app.get(&format!("{path}?limit=1")).key(&key).send().await.expect(200);
    assert_eq!(first["rows"][0]["line"], 3);
    assert_eq!(first["rows"][0]["cells"], json!(["Bob", "no address", "", "", ""]));
    assert_eq!(first["rows"][0]["problem"], "E-mail address must be an e-mail address");
    let next = first["meta"]["nextCursor"].as_str().unwrap();
    let second = app.get(&format!("{path}?limit=1&cursor={next}")).key(&key).send().await.expect(200);
    assert!(second["rows"][0]["problem"].as_str().unwrap().contains("where that is asked for"), "{second}");
    assert_eq!((&second["rows"][0]["line"], &second["meta"]["nextCursor"]), (&json!(5), &json!(null)));
    let found = app.get("/contacts/search/duplicate?email=ada@example.com").key(&key).send().await.expect(200);
    let ada = &found["contact"];
    assert_eq!((&ada["firstName"], &ada["phone"]), (&json!("Ada again"), &json!("+14155550123")));
    assert_eq!(ada["tags"], json!(["vip", "lead", "met"]), "tags are added to those that are there");
    // Each change says why it was made, and by whom.
    let [started_event, ended] = [events(&app, &key, "import.started").await, events(&app, &key, "import.ended").await];
    assert_eq!((started_event.len(), ended.len(), &ended[0]["after"]["created"]), (1, 1, &json!(2)));
    let made = events(&app, &key, "contact.created").await;
    assert_eq!(made.len(), 2);
    for event in made {
        assert_eq!(
            (&event["cause"]["rootEventId"], &event["actor"]["id"]),
            (&started_event[0]["id"], &json!(key.id)),
            "{event}"
        );
    }
    let list = app.get("/imports").key(&key).send().await.expect(200);
    assert_eq!((&list["imports"][0], &list["meta"]["total"]), (&done, &json!(1)));
    // Its bytes are not kept longer than they are needed.
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM files").await, 1);
    app.app.purge_files().await.unwrap();
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM file_pieces").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_of_a_row_is_told_of_and_the_rest_is_taken() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let bob = json!({"locationId": app.ids.location, "firstName": "Bob", "phone": "+14155550123"});
    let bob = app.post("/contacts/").key(&key).json(&bob).send().await.expect(201)["contact"]["id"].clone();
    let ada = json!({"locationId": app.ids.location, "firstName": "Ada", "email": "ada@example.com"});
    app.post("/contacts/").key(&key).json(&ada).send().await.expect(201);
    let people = "email,phone\nada@example.com,(415) 555-0123\neve@example.com,\n";
    for (dry_run, count) in [("true", 2), ("false", 3)] {
        let import =
            send(&app, &key, ("a.csv", people), &[("dryRun", None, dry_run)]).await.expect(201)["import"].clone();
        let import = over(&app, &key, &import).await;
        let tally =
            ["rows", "created", "unchanged", "incomplete", "refused"].map(|name| import[name].as_i64().unwrap());
        assert_eq!((tally, total(&app, &key).await), ([2, 1, 1, 1, 0], count), "{import}");
        let path = format!("/imports/{}/problems", import["id"].as_str().unwrap());
        let told = app.get(&path).key(&key).send().await.expect(200)["rows"].clone();
        let problem = format!("left out: phone (contact {} has it)", bob.as_str().unwrap());
        let cells = ["ada@example.com", "(415) 555-0123"];
        assert_eq!(told, json!([{"line": 2, "refused": false, "problem": problem, "cells": cells}]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_row_says_of_a_field_that_is_deleted_meanwhile_is_told_of() {
    let mut app = TestApp::start().await;
    let (node, context) = idle(&mut app).await;
    let NewImport { file, mut plan } = crowd(2);
    let column = ImportColumn { name: "Plan".to_owned(), field: Some("customFields.2uB9GbVk6aXmPq3RnT8w".to_owned()) };
    plan.columns.push(column);
    let rows = "name,Plan\nAda,Gold\nBob,\n";
    let file = NewFile { size: rows.len() as u64, bytes: Box::new(Cursor::new(rows)), ..file };
    let import = node.start_import(&context, NewImport { file, plan }).await.unwrap();
    work(&node).await;
    let tally = node.get_import(&context, import.id).await.unwrap().tally;
    assert_eq!((tally.rows, tally.created, tally.incomplete), (2, 2, 1));
    let told = node.list_problem_rows(&context, import.id, Window::first(9)).await.unwrap().rows;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].line, told[0].problem.as_str()), (2, "left out: Plan (its custom field was deleted)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_deleted_while_rows_are_taken_takes_no_value_with_it_untold() {
    let mut app = TestApp::start().await;
    let (node, context) = idle(&mut app).await;
    let new = NewCustomField {
        model: OwnerKind::Contact,
        data_type: DataType::Text,
        content: CustomFieldContent::named(Line::parse("Plan").unwrap()),
    };
    let field = node.create_custom_field(&context, new).await.unwrap().id;
    let NewImport { file, mut plan } = crowd(2_000);
    let mapped = ImportColumn { name: "Plan".to_owned(), field: Some(format!("customFields.{field}")) };
    plan.columns.push(mapped);
    let mut rows = "name,Plan\n".to_owned();
    (0..2_000).for_each(|number| rows.push_str(&format!("Person {number},Gold\n")));
    let file = NewFile { size: rows.len() as u64, bytes: Box::new(Cursor::new(rows)), ..file };
    let import = node.start_import(&context, NewImport { file, plan }).await.unwrap();
    let deleting = async {
        while app.number("SELECT CAST(count(*) AS BIGINT) FROM contacts").await == 0 {}
        node.delete_custom_field(&context, FieldName::Id(field)).await.unwrap();
        node.get_import(&context, import.id).await.unwrap().tally.rows
    };
    let (taken, ()) = tokio::join!(deleting, work(&node));
    work(&node).await;
    let done = node.get_import(&context, import.id).await.unwrap();
    assert_eq!((done.state, done.tally.created), (ImportState::Completed, 2_000));
    assert!(taken < 2_000 && done.tally.incomplete >= 2_000 - taken, "{taken} of {:?}", done.tally);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_what_would_become_of_the_rows() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let options = [("mapping", None, r#"{"Notes": ""}"#), ("dryRun", None, "true")];
    let tried = send(&app, &key, ("people.csv", PEOPLE), &options).await.expect(201)["import"].clone();
    let tried = over(&app, &key, &tried).await;
    assert_eq!((total(&app, &key).await, events(&app, &key, "contact.created").await.len()), (0, 0));
    assert_eq!((&tried["state"], counts(&tried)), (&json!("completed"), [5, 2, 1, 2]));
}

/// Rows of which later ones are about whom earlier ones are, by one address or the other, and far from them in the file.
fn repeats(people: usize) -> String {
    let row = |round: usize, who: usize| match round {
        0 => format!("Ada,a{who}@example.com,+14155550{who:03}"),
        1 => format!("Ada,A{who}@example.com,"),
        2 => format!(",b{who}@example.com,+14155550{who:03}"),
        3 => format!("Eve {who},b{who}@example.com,"),
        // The number is somebody else's.
        4 => format!("Mia,a{who}@example.com,+14155550{:03}", who ^ 1),
        5 => format!("Mia,,+14155550{who:03}"),
        _ => "Nobody,,".to_owned(),
    };
    let rows = (0..7).flat_map(|round| (0..people).map(move |who| row(round, who) + "\n"));
    "first name,email,phone\n".to_owned() + &rows.collect::<String>()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_gives_what_the_import_gives_however_far_apart_rows_about_somebody_are() {
    let mut app = TestApp::start().await;
    let (node, context) = idle(&mut app).await;
    let people = 200;
    let mut tallies = Vec::new();
    for is_trial in [true, false] {
        let rows = repeats(people);
        let columns = ["firstName", "email", "phone"]
            .map(|field| ImportColumn { name: field.to_owned(), field: Some(field.to_owned()) });
        let NewImport { file, plan } = crowd(0);
        let plan = ImportPlan { columns: columns.to_vec(), is_trial, ..plan };
        let file = NewFile { size: rows.len() as u64, bytes: Box::new(Cursor::new(rows)), ..file };
        let import = node.start_import(&context, NewImport { file, plan }).await.unwrap();
        let job = node.take_turn(JobKind::Import, &[], 1).await.unwrap().jobs.remove(0);
        // However often another goes on with it.
        while !node.get_import(&context, import.id).await.unwrap().state.is_over() {
            let until = Until::now() + Duration::from_millis(100);
            node.work_on_import(reader(), job.clone(), until).await.unwrap();
        }
        tallies.push(node.get_import(&context, import.id).await.unwrap().tally);
    }
    let people = i64::try_from(people).unwrap();
    let wanted = ImportTally {
        rows: 7 * people,
        created: 2 * people,
        updated: 5 * people,
        // A spelling with capitals is a change.
        unchanged: people,
        incomplete: people,
        refused: 0,
    };
    assert_eq!(tallies, [wanted, wanted]);
    // What it kept for that is gone when it is over.
    while node.trim_imports().await.unwrap() > 0 {}
    for table in ["tried_rows", "tried_identities"] {
        assert_eq!(app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_none_is_refused_before_anything_happens() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let mapping = |text| vec![("mapping", None, text)];
    for (rows, options, about) in [
        ("", vec![], "names of its columns"),
        ("email,colour,size\n", vec![], "“colour”, “size”"),
        ("email,E-Mail\n", vec![], "the same field"),
        ("email\n", mapping(r#"{"mail": "email"}"#), "mapping.mail"),
        ("email\n", mapping(r#"{"email": "colour"}"#), "mapping.email"),
        ("email\n", mapping(r#"["email"]"#), "JSON object"),
        ("email\n", vec![("encoding", None, "klingon")], "encoding is not known"),
        ("email\n", vec![("dryRun", None, "perhaps")], "dryRun must be a boolean value"),
        ("email\n", vec![("colour", None, "red")], "property colour should not exist"),
    ] {
        let refused = send(&app, &key, ("x.csv", rows), &options).await;
        assert!(refused.status == 422 && refused.text.contains(about), "{rows:?}: {}", refused.text);
    }
    let at = format!("/imports?locationId={}", app.ids.location);
    let refused = app.post(&at).key(&key).multipart(&[("dryRun", None, "true")]).send().await;
    assert!(refused.status == 422 && refused.text.contains("file should not be empty"), "{}", refused.text);
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM files").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_wait_and_one_that_is_stopped_makes_room() {
    let mut app = TestApp::start().await;
    let (node, context) = idle(&mut app).await;
    let start = async || node.start_import(&context, new_import()).await;
    let mut last = start().await.unwrap().id;
    for _ in 1..20 {
        last = start().await.unwrap().id;
    }
    let refused = start().await.unwrap_err();
    assert!(refused.to_string().contains("more than 20"), "{refused}");
    let stopped = node.stop_import(&context, last).await.unwrap();
    assert_eq!(stopped.state, ImportState::Stopped);
    assert_eq!(node.stop_import(&context, last).await.unwrap(), stopped, "what is over stays as it is");
    start().await.unwrap();
    work(&node).await;
    let all = node.list_imports(&context, Window::first(100)).await.unwrap().page.rows;
    let in_state = |state| all.iter().filter(|import| import.state == state).count();
    assert_eq!((in_state(ImportState::Completed), in_state(ImportState::Stopped)), (20, 1));
    assert_eq!(node.get_import(&context, last).await.unwrap().tally, ImportTally::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_is_lost_or_taken_twice_however_often_the_work_ends_in_the_middle() {
    let mut app = TestApp::start().await;
    let other = app.second_node().await;
    let (node, context) = idle(&mut app).await;
    let import = node.start_import(&context, crowd(3_000)).await.unwrap();
    let job = node.take_turn(JobKind::Import, &[], 1).await.unwrap().jobs.remove(0);
    let (mut slices, begun) = (0, Instant::now());
    let done = loop {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not come to its end");
        slices += 1;
        // One works for a moment only; another one, whose lease has ended, still believes that it is theirs; and one is aborted
        // somewhere.
        let until = Until::now() + Duration::from_millis(40);
        let working = node.work_on_import(reader(), job.clone(), until);
        let late = other.work_on_import(reader(), job.clone(), until);
        let cut_off = Duration::from_millis(slices % 30);
        let aborted = tokio::time::timeout(cut_off, other.work_on_import(reader(), job.clone(), until));
        let (worked, late, _) = tokio::join!(working, late, aborted);
        worked.unwrap();
        late.unwrap();
        let now = node.get_import(&context, import.id).await.unwrap();
        if now.state.is_over() {
            break now;
        }
    };
    assert!(slices > 1, "it was not interrupted");
    assert_eq!((done.state, done.tally.created, done.tally.refused), (ImportState::Completed, 3_000, 0));
    for count in ["count(*)", "count(DISTINCT last_name)"] {
        assert_eq!(app.number(&format!("SELECT CAST({count} AS BIGINT) FROM contacts")).await, 3_000, "{count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_of_a_suspended_location_wait_wherever_they_are() {
    let mut app = TestApp::start().await;
    let (node, context) = idle(&mut app).await;
    let import = node.start_import(&context, crowd(2_000)).await.unwrap();
    let job = node.take_turn(JobKind::Import, &[], 1).await.unwrap().jobs.remove(0);
    let work = async || {
        let until = Until::now() + Duration::from_secs(60);
        node.work_on_import(reader(), job.clone(), until).await.unwrap().outcome().clone()
    };
    let suspend = async {
        while app.number("SELECT CAST(count(*) AS BIGINT) FROM contacts").await == 0 {}
        app.sql("UPDATE locations SET state = 'suspended'").await;
    };
    let (interrupted, ()) = tokio::join!(work(), suspend);
    assert!(matches!(interrupted, Outcome::Again(..)), "{interrupted:?}");
    let rows = async || node.get_import(&context, import.id).await.unwrap().tally.rows;
    let before = rows().await;
    assert!(0 < before && before < 2_000, "{before}");
    assert!(matches!(work().await, Outcome::Again(after, _) if after > Duration::ZERO), "it is looked at again later");
    assert_eq!(rows().await, before);
    app.sql("UPDATE locations SET state = 'active'").await;
    assert!(matches!(work().await, Outcome::Done));
    assert_eq!(node.get_import(&context, import.id).await.unwrap().state, ImportState::Completed);
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM contacts").await, 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_its_servers_fails_and_says_so() {
    let mut app = TestApp::start().await;
    let (node, context) = idle(&mut app).await;
    let import = node.start_import(&context, new_import()).await.unwrap();
    app.sql("UPDATE jobs SET unsettled = 5").await;
    work(&node).await;
    let failed = node.get_import(&context, import.id).await.unwrap();
    assert_eq!(failed.state, ImportState::Failed);
    assert!(failed.problem.unwrap().contains("servers"));
    let told = "SELECT CAST(count(*) AS BIGINT) FROM events WHERE action = 'import.ended'";
    assert_eq!(app.number(told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_starts_one_import() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let parts = [("file", Some(("a.csv", "text/csv")), PERSON)];
    let call = || app.post("/imports").key(&key).header("Idempotency-Key", "once").multipart(&parts).send();
    let (first, second) = (call().await.expect(201), call().await.expect(201));
    assert_eq!(first["import"]["id"], second["import"]["id"]);
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM imports").await, 1);
    // A key that may only read sees it, and may not start one.
    let reading = app.key(Reach::location(app.ids.location), Preset::ReadOnly).await;
    get(&app, &reading, &first["import"]).await;
    send(&app, &reading, ("a.csv", PERSON), &[]).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_is_forgotten() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let import = send(&app, &key, ("a.csv", "email\nnone\n"), &[]).await.expect(201)["import"].clone();
    over(&app, &key, &import).await;
    assert_eq!((app.app.trim_imports().await.unwrap(), counts(&get(&app, &key, &import).await)), (0, [1, 0, 0, 1]));
    app.sql("UPDATE imports SET ended_at = 1").await;
    while app.app.trim_imports().await.unwrap() > 0 {}
    for table in ["imports", "problem_rows"] {
        assert_eq!(app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM {table}")).await, 0, "{table}");
    }
}
