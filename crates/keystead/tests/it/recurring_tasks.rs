//! Recurring tasks: rules, and the tasks that they make by the clock, each once on any number of servers.

use std::time::Duration;

use keystead_model::{agency::TenantState, grant::Reach, scope::Preset};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

struct Place {
    app: TestApp,
    key: TestKey,
    contact: String,
    path: String,
}

impl Place {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let key = app.location_key().await;
        let made = app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
        let contact = made["contact"]["id"].as_str().unwrap().to_owned();
        let path = format!("/locations/{}/recurring-tasks", app.ids.location);
        Self { app, key, contact, path }
    }

    /// A rule that begins in so many hours.
    fn new_rule(&self, hours: i64, options: Value) -> Value {
        let start = keystead_model::UtcMs(self.app.app.now().0 + hours * 3_600_000).to_iso();
        let mut rule = json!({"intervalType": "daily", "interval": 1, "startDate": start, "dueAfterSeconds": 3600});
        rule.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        json!({"title": "Water the plants", "contactIds": [self.contact], "rruleOptions": rule})
    }

    async fn create(&self, new: &Value) -> Value {
        self.app.post(&self.path).key(&self.key).json(new).send().await.expect(201)["recurringTask"].clone()
    }

    async fn get(&self, rule: &Value) -> Value {
        let one = format!("{}/{}", self.path, rule["id"].as_str().unwrap());
        self.app.get(&one).key(&self.key).send().await.expect(200)["recurringTask"].clone()
    }

    /// Lets hours pass, each with a look at what has come.
    async fn pass(&self, hours: u64) {
        for _ in 0..hours {
            self.app.clock.advance(Duration::from_secs(3600));
            while self.app.app.make_recurring_tasks().await.unwrap() > 0 {}
        }
    }

    async fn tasks(&self) -> Vec<Value> {
        let path = format!("/contacts/{}/tasks", self.contact);
        let mut tasks =
            self.app.get(&path).key(&self.key).send().await.expect(200)["tasks"].as_array().unwrap().clone();
        tasks.reverse();
        tasks
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_made_changed_listed_and_deleted() {
    let place = Place::new().await;
    let Place { app, key, contact, path } = &place;
    let user = "0aQ7cXkJTm9Rb4Vw6Yz3";
    let options = json!({
        "intervalType": "yearly", "interval": 2, "startDate": "2027-01-01T09:00:00.000Z", "endDate": "2040-12-31",
        "dayOfMonth": 31, "monthOfYear": 4, "count": 5, "createTaskIfOverDue": true, "dueAfterSeconds": 600,
    });
    let new = json!({
        "title": "Check-up", "description": "Teeth.\nAll of them.", "contactIds": [contact], "owners": [user],
        "rruleOptions": options, "ignoreTaskCreation": false,
    });
    let made = place.create(&new).await;
    let mut expected = options.clone();
    expected["endDate"] = json!("2040-12-31T23:59:59.999Z");
    assert_eq!(made["rruleOptions"], expected);
    assert_eq!((&made["title"], &made["description"]), (&new["title"], &new["description"]));
    assert_eq!((&made["contactId"], &made["assignedTo"]), (&json!(contact), &json!(user)));
    assert_eq!((&made["totalOccurrence"], &made["deleted"]), (&json!(0), &json!(false)));
    assert_eq!(made["nextOccurrenceAt"], "2027-04-30T09:00:00.000Z");
    assert_eq!(place.get(&made).await, made);
    assert_eq!(app.get(path).key(key).send().await.expect(200)["recurringTasks"], json!([made]));
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let change = json!({"title": "Cleaning", "owners": [], "clear": ["description"]});
    let changed = app.put(&one).key(key).json(&change).send().await.expect(200)["recurringTask"].clone();
    assert_eq!((&changed["title"], &changed["description"]), (&json!("Cleaning"), &json!("")));
    assert_eq!((&changed["assignedTo"], &changed["rruleOptions"]), (&Value::Null, &expected));
    let weekly = json!({"intervalType": "weekly", "interval": 1, "startDate": "2027-01-01T09:00:00Z", "dayOfWeek": "MO", "dueAfterSeconds": 0});
    let changed = app.put(&one).key(key).json(&json!({"rruleOptions": weekly})).send().await.expect(200);
    assert_eq!(changed["recurringTask"]["nextOccurrenceAt"], "2027-01-04T09:00:00.000Z");
    assert_eq!(changed["recurringTask"]["rruleOptions"]["count"], Value::Null, "a rule is changed as a whole");
    let gone = app.delete(&one).key(key).send().await.expect(200);
    assert_eq!((&gone["id"], &gone["success"]), (&made["id"], &json!(true)));
    assert_eq!(app.get(&one).key(key).send().await.status, 404);
    assert_eq!(app.get(path).key(key).send().await.expect(200)["recurringTasks"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_come_when_they_are_due_and_never_early() {
    let place = Place::new().await;
    let rule = place.create(&place.new_rule(2, json!({"count": 3, "createTaskIfOverDue": true}))).await;
    place.pass(1).await;
    assert_eq!(place.tasks().await.len(), 0);
    place.pass(1).await;
    let first = place.tasks().await.pop().unwrap();
    assert_eq!((&first["title"], &first["completed"]), (&json!("Water the plants"), &json!(false)));
    let start = keystead_model::UtcMs::read_iso(rule["rruleOptions"]["startDate"].as_str().unwrap()).unwrap();
    assert_eq!(first["dueDate"], keystead_model::UtcMs(start.0 + 3_600_000).to_iso());
    place.pass(23).await;
    assert_eq!(place.tasks().await.len(), 1);
    place.pass(1).await;
    assert_eq!(place.tasks().await.len(), 2);
    assert_eq!(place.get(&rule).await["totalOccurrence"], 2);
    // Three, and no more.
    place.pass(72).await;
    assert_eq!(place.tasks().await.len(), 3);
    let ended = place.get(&rule).await;
    assert_eq!((&ended["totalOccurrence"], &ended["nextOccurrenceAt"]), (&json!(3), &Value::Null));
    // Who follows what happens sees that nobody did it.
    let told = place.app.get("/events?kinds=task.created").key(&place.key).send().await.expect(200);
    assert_eq!(told["events"].as_array().unwrap().len(), 3);
    assert_eq!(told["events"][0]["actor"]["type"], "system", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_becomes_one_task() {
    let place = Place::new().await;
    let rule = place.create(&place.new_rule(1, json!({}))).await;
    place.app.clock.advance(Duration::from_secs(10 * 86_400));
    place.pass(1).await;
    let tasks = place.tasks().await;
    assert_eq!(tasks.len(), 1);
    let start = keystead_model::UtcMs::read_iso(rule["rruleOptions"]["startDate"].as_str().unwrap()).unwrap();
    assert_eq!(tasks[0]["dueDate"], keystead_model::UtcMs(start.0 + 10 * 86_400_000 + 3_600_000).to_iso());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_is_overdue_no_other_comes_unless_it_is_said() {
    let place = Place::new().await;
    place.create(&place.new_rule(1, json!({}))).await;
    place.pass(1 + 48).await;
    let tasks = place.tasks().await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    let one = format!("/contacts/{}/tasks/{}", place.contact, tasks[0]["id"].as_str().unwrap());
    place.app.put(&one).key(&place.key).json(&json!({"completed": true})).send().await.expect(200);
    place.pass(24).await;
    assert_eq!(place.tasks().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_is_passed_over_where_there_is_one_already() {
    let place = Place::new().await;
    let mut new = place.new_rule(1, json!({}));
    new["ignoreTaskCreation"] = json!(true);
    place.create(&new).await;
    place.pass(24).await;
    assert_eq!(place.tasks().await.len(), 0);
    place.pass(1).await;
    assert_eq!(place.tasks().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_make_each_task_once() {
    let place = Place::new().await;
    for _ in 0..120 {
        place.create(&place.new_rule(1, json!({}))).await;
    }
    let second = place.app.second_node().await;
    place.app.clock.advance(Duration::from_secs(3600));
    let mut servers = tokio::task::JoinSet::new();
    for app in [place.app.app.clone(), second.clone(), place.app.app.clone(), second] {
        servers.spawn(async move { while app.make_recurring_tasks().await.unwrap() > 0 {} });
    }
    servers.join_all().await;
    assert_eq!(place.tasks().await.len(), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_where_a_location_is_suspended_or_its_contact_is_gone() {
    let place = Place::new().await;
    let rule = place.create(&place.new_rule(1, json!({}))).await;
    let operator = place.app.operator().await;
    let set = async |state| place.app.app.set_location_state(&operator, place.app.ids.location, state).await.unwrap();
    set(TenantState::Suspended).await;
    place.pass(50).await;
    set(TenantState::Active).await;
    assert_eq!(place.tasks().await.len(), 0);
    place.pass(1).await;
    assert_eq!(place.tasks().await.len(), 1, "what was missed becomes one");
    place.app.delete(&format!("/contacts/{}", place.contact)).key(&place.key).send().await.expect(200);
    place.pass(48).await;
    assert_eq!(place.get(&rule).await["totalOccurrence"], 1);
    // With the contact its rule goes, too.
    place.app.clock.advance(Duration::from_secs(31 * 86_400));
    while place.app.app.purge_contacts().await.unwrap() > 0 {}
    assert_eq!(place.app.get(&place.path).key(&place.key).send().await.expect(200)["recurringTasks"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rules_are_refused_and_store_nothing() {
    let place = Place::new().await;
    let Place { app, key, path, .. } = &place;
    for (options, about) in [
        (json!({"intervalType": "minutely"}), "intervalType"),
        (json!({"intervalType": null}), "intervalType"),
        (json!({"interval": 0}), "interval"),
        (json!({"interval": 1.5}), "interval"),
        (json!({"interval": 1e9}), "interval"),
        (json!({"startDate": "soon"}), "startDate"),
        (json!({"startDate": null}), "startDate"),
        (json!({"startDate": "2025-02-29"}), "startDate"),
        (json!({"endDate": "2001-01-01"}), "endDate"),
        (json!({"intervalType": "monthly", "dayOfMonth": 32}), "dayOfMonth"),
        (json!({"dayOfMonth": 1}), "dayOfMonth"),
        (json!({"dayOfWeek": "MO"}), "dayOfWeek"),
        (json!({"intervalType": "weekly", "dayOfWeek": "XX"}), "dayOfWeek"),
        (json!({"intervalType": "monthly", "monthOfYear": 1}), "monthOfYear"),
        (json!({"intervalType": "yearly", "monthOfYear": 13}), "monthOfYear"),
        (json!({"count": 0}), "count"),
        (json!({"dueAfterSeconds": -1}), "dueAfterSeconds"),
        (json!({"dueAfterSeconds": 1_000_000_000_000_i64}), "dueAfterSeconds"),
        (json!({"createTaskIfOverDue": "yes"}), "createTaskIfOverDue"),
        (json!({"byDay": "MO"}), "byDay"),
    ] {
        let refused = app.post(path).key(key).json(&place.new_rule(1, options.clone())).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{options}: {}", refused.text);
    }
    let with = |name: &str, value: Value| {
        let mut new = place.new_rule(1, json!({}));
        new[name] = value;
        new
    };
    for (new, about) in [
        (with("title", json!("")), "title"),
        (with("contactIds", json!([])), "contactIds"),
        (with("contactIds", json!(["x"])), "contactIds"),
        (with("contactIds", json!([place.contact, place.contact])), "contactIds"),
        (with("owners", json!(["x"])), "owners"),
        (with("rruleOptions", json!([])), "rruleOptions"),
        (with("rruleOptions", Value::Null), "rruleOptions"),
        (with("totalOccurrence", json!(7)), "totalOccurrence"),
    ] {
        let refused = app.post(path).key(key).json(&new).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{new}: {}", refused.text);
    }
    // A contact of another location is like none.
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let theirs = app.post("/contacts/").key(&theirs).json(&json!({"name": "Eve"})).send().await.expect(201);
    for contact in [theirs["contact"]["id"].as_str().unwrap(), "0000000000000000000A"] {
        let refused = app.post(path).key(key).json(&with("contactIds", json!([contact]))).send().await.expect(400);
        assert_eq!(refused["message"], format!("Contact with id {contact} not found"));
    }
    assert_eq!(app.get(path).key(key).send().await.expect(200)["recurringTasks"], json!([]));
}
