//! What was ended after a backup stays dead when the backup is restored, whoever ended it and however it is restored.

use std::{
    fs,
    path::PathBuf,
    process::Output,
    time::{Duration, Instant},
};

use keystead_core::OldKeyEnds;
use keystead_testkit::{TestApp, TestDatabase, TestKey, authenticate};
use reqwest::Method;
use serde_json::{Value, json};

use crate::instance::{Instance, Running, mode};

/// An instance by its command line, on either database, and the location in it.
pub(crate) struct World {
    pub(crate) instance: Instance,
    /// On PostgreSQL; a restore makes another one.
    pub(crate) database: Option<TestDatabase>,
    pub(crate) location: String,
    client: reqwest::Client,
}

/// A key by its id and its whole text.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    secret: String,
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let mut world = Self {
            instance: Instance::new(name),
            database: TestDatabase::is_postgres().then(TestDatabase::create),
            location: String::new(),
            client: reqwest::Client::builder()
                .no_proxy()
                .cookie_store(true)
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        };
        #[rustfmt::skip]
        let ids = world.json(&["init", "--agency", "Northwind", "--location", "Harbour", "--admin-email", "a@example.com", "--admin-password-file", "password", "--json"]);
        ids["locationId"].as_str().unwrap().clone_into(&mut world.location);
        world
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut all = arguments.to_vec();
        if let Some(database) = &self.database {
            all.extend(["--database-url", database.url()]);
        }
        self.instance.run(&all)
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn serve(&self) -> Running {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Running {
        let mut all = arguments.to_vec();
        if let Some(database) = &self.database {
            all.extend(["--database-url", database.url()]);
        }
        self.instance.serve(&all)
    }

    fn key_in(&self, name: &str, location: &str) -> Key {
        #[rustfmt::skip]
        let made = self.json(&["keys", "create", "--kind", "location", "--location-id", location, "--name", name, "--preset", "full-access", "--json"]);
        Key { id: made["apiKey"]["id"].as_str().unwrap().to_owned(), secret: made["key"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn key(&self, name: &str) -> Key {
        self.key_in(name, &self.location)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.instance.data().join("revocations.jsonl")
    }

    /// Nothing is left but the secret: a backup comes to another machine.
    pub(crate) fn lose_everything(&self) {
        for name in ["revocations.jsonl", "keystead.db", "keystead.db-wal", "keystead.db-shm"] {
            let _ = fs::remove_file(self.instance.data().join(name));
        }
    }

    /// Whether the journal tells of the end of a key.
    fn has_told(&self, key: &Key) -> bool {
        let told = fs::read_to_string(self.journal()).unwrap_or_default();
        told.lines().any(|line| line.contains(&key.id) && line.contains("deactivated"))
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.instance.folder.join(name).display().to_string()
    }

    pub(crate) fn backup(&self, name: &str) -> String {
        let file = self.file(name);
        self.json(&["db", "backup", &file, "--json"]);
        file
    }

    /// Restores a backup: in the place of what is there, or into a new PostgreSQL database.
    pub(crate) fn restore(&mut self, file: &str, more: &[&str]) -> Output {
        self.database = self.database.take().map(|_| TestDatabase::create());
        let mut all = vec!["db", "restore", file, "--json"];
        all.extend(more);
        if self.database.is_none() {
            all.push("--replace");
        }
        self.run(&all)
    }

    pub(crate) async fn call(
        &self,
        server: &Running,
        method: Method,
        path: &str,
        key: &Key,
        body: Value,
    ) -> (u16, Value) {
        let call = self.client.request(method, format!("http://{}{path}", server.address)).bearer_auth(&key.secret);
        let call = if body.is_null() { call } else { call.json(&body) };
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// What a key is answered: 200, or the reason of its refusal.
    pub(crate) async fn asked(&self, server: &Running, key: &Key) -> String {
        let (status, body) = self.call(server, Method::GET, "/api-keys/self", key, Value::Null).await;
        if status == 200 { "200".to_owned() } else { body["code"].as_str().unwrap_or_default().to_owned() }
    }

    /// Fills in a form of the app, as a browser does.
    async fn post(&self, server: &Running, path: &str, form: &[(&str, &str)]) {
        let call = self.client.post(format!("http://{}{path}", server.address)).header("Sec-Fetch-Site", "same-origin");
        let answer = call.form(form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}: {}", answer.text().await.unwrap());
    }
}

pub(crate) fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Keys that are about to be ended or narrowed, in every way there is, and two that are not.
struct Keys {
    by_cli: Key,
    by_api: Key,
    by_app: Key,
    deleted: Key,
    exposed: Key,
    rotated: Key,
    overlapping: Key,
    replaced: Key,
    narrowed: Key,
    moved: Key,
    shortened: Key,
    in_suspended: Key,
    alive: Key,
    back_again: Key,
}

impl Keys {
    fn make(world: &World) -> (Self, String) {
        let second = world.run(&["locations", "create", "--name", "Second"]);
        let second = String::from_utf8(second.stdout).unwrap().trim().to_owned();
        let keys = Self {
            by_cli: world.key("by cli"),
            by_api: world.key("by api"),
            by_app: world.key("by app"),
            deleted: world.key("deleted"),
            exposed: world.key("exposed"),
            rotated: world.key("rotated"),
            overlapping: world.key("overlapping"),
            replaced: world.key("replaced"),
            narrowed: world.key("narrowed"),
            moved: world.key("moved"),
            shortened: world.key("shortened"),
            in_suspended: world.key_in("suspended", &second),
            alive: world.key("alive"),
            back_again: world.key("back again"),
        };
        (keys, second)
    }

    async fn end(&self, world: &World, server: &Running, second: &str) {
        let cli = |arguments: &[&str]| {
            let output = world.run(arguments);
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        cli(&["keys", "deactivate", &self.by_cli.id]);
        cli(&["keys", "update", &self.narrowed.id, "--scopes", "contacts.readonly"]);
        cli(&["keys", "update", &self.moved.id, "--allowed-ips", "192.0.2.1"]);
        cli(&["keys", "update", &self.shortened.id, "--expires-at", "2099-01-01T00:00:00Z"]);
        cli(&["keys", "deactivate", &self.back_again.id]);
        cli(&["keys", "reactivate", &self.back_again.id]);
        cli(&["locations", "suspend", second]);

        let api = |path: String, body: Value| async move {
            let (status, answer) = world.call(server, Method::POST, &path, &self.alive, body).await;
            assert!(status < 300, "{path}: {answer}");
            answer
        };
        let done = api(format!("/api-keys/{}/deactivate", self.by_api.id), Value::Null).await;
        assert_eq!(done["receipt"]["journaled"], true);
        api(format!("/api-keys/{}/rotate", self.rotated.id), json!({"overlap": "PT0S"})).await;
        api(format!("/api-keys/{}/rotate", self.overlapping.id), json!({"overlap": "P1D"})).await;
        api(format!("/api-keys/{}/replace", self.replaced.id), json!({})).await;
        let path = format!("/api-keys/{}", self.deleted.id);
        assert_eq!(world.call(server, Method::DELETE, &path, &self.alive, Value::Null).await.0, 200);
        api("/api-keys/revoke-exposed".to_owned(), json!({"keys": [self.exposed.secret]})).await;

        world.post(server, "/app/sign-in", &[("email", "a@example.com"), ("password", "a long password")]).await;
        let page = format!("/app/locations/{}/settings/keys/{}/deactivate", world.location, self.by_app.id);
        world.post(server, &page, &[]).await;

        let begun = Instant::now();
        while world.asked(server, &self.exposed).await == "200" || !world.has_told(&self.exposed) {
            assert!(begun.elapsed() < Duration::from_secs(20), "the job ends what was reported");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Everything that was taken is gone, and everything else is there.
    async fn are_as_they_were_left(&self, world: &World, server: &Running) {
        let refused = [
            (&self.by_cli, "key_deactivated"),
            (&self.by_api, "key_deactivated"),
            (&self.by_app, "key_deactivated"),
            (&self.replaced, "key_deactivated"),
            (&self.deleted, "key_deleted"),
            (&self.exposed, "key_deactivated"),
            (&self.moved, "address_not_allowed"),
            (&self.in_suspended, "tenant_suspended"),
        ];
        for (key, reason) in refused {
            assert_eq!(world.asked(server, key).await, reason, "{}", key.id);
        }
        // After a restore nothing is left of the key, since its new secret is not in the backup.
        let rotated = world.asked(server, &self.rotated).await;
        assert!(["key_secret_retired", "key_deactivated"].contains(&rotated.as_str()), "{rotated}");
        for key in [&self.alive, &self.back_again, &self.overlapping, &self.shortened] {
            assert_eq!(world.asked(server, key).await, "200", "{}", key.id);
        }
        let scopes = world.call(server, Method::GET, "/api-keys/self", &self.narrowed, Value::Null).await.1;
        assert_eq!(scopes["apiKey"]["scopes"], json!(["contacts.readonly"]));
        let contact = json!({"email": "a@example.com"});
        let wider = world.call(server, Method::POST, "/contacts/", &self.narrowed, contact).await;
        assert_eq!((wider.0, &wider.1["code"]), (401, &json!("scope_missing")));
        let expiring = world.call(server, Method::GET, "/api-keys/self", &self.shortened, Value::Null).await.1;
        assert_eq!(expiring["apiKey"]["expiresAt"], "2099-01-01T00:00:00.000Z");
        let old = world.call(server, Method::GET, "/api-keys/self", &self.overlapping, Value::Null).await.1;
        assert!(
            old["apiKey"]["rotation"]["retiresAt"].is_string(),
            "the old secret keeps its time, and no more: {old}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_ended_after_a_backup_stay_dead_whoever_ended_them() {
    let mut world = World::new("stay-dead");
    let (keys, second) = Keys::make(&world);
    let server = world.serve();
    let file = world.backup("backup.db");
    keys.end(&world, &server, &second).await;
    keys.are_as_they_were_left(&world, &server).await;
    drop(server);
    assert_eq!(mode(&world.journal()), 0o600);

    let restored = parsed(&world.restore(&file, &[]));
    assert_eq!(restored["ended"].as_array().unwrap().len(), 7, "{restored}");
    assert_eq!(restored["narrowed"].as_array().unwrap().len(), 4, "{restored}");
    assert_eq!((&restored["suspended"], &restored["toReview"]), (&json!([second]), &json!([])));
    let server = world.serve();
    keys.are_as_they_were_left(&world, &server).await;

    // What is given anew after a restore stays, also through the next one.
    world.json(&["keys", "reactivate", &keys.by_cli.id, "--json"]);
    let later = world.backup("later.db");
    world.json(&["keys", "deactivate", &keys.back_again.id, "--json"]);
    drop(server);
    let restored = parsed(&world.restore(&later, &[]));
    assert_eq!(restored["ended"], json!([keys.back_again.id]));
    let server = world.serve();
    assert_eq!(world.asked(&server, &keys.by_cli).await, "200");
    assert_eq!(world.asked(&server, &keys.back_again).await, "key_deactivated");
    assert_eq!(world.asked(&server, &keys.by_api).await, "key_deactivated");
    drop(server);
    // The first backup once more: the last word on each key counts, across both restores.
    let restored = parsed(&world.restore(&file, &[]));
    assert_eq!(restored["toReview"], json!([]));
    let server = world.serve();
    assert_eq!(world.asked(&server, &keys.by_cli).await, "200");
    assert_eq!(world.asked(&server, &keys.back_again).await, "key_deactivated");
    assert_eq!(world.asked(&server, &keys.in_suspended).await, "tenant_suspended");
}

/// The most common restore of all: the file of yesterday is copied over that of today.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_file_that_is_put_back_by_hand_is_brought_back_within_the_journal() {
    if TestDatabase::is_postgres() {
        return;
    }
    let world = World::new("put-back");
    let (keys, second) = Keys::make(&world);
    let database = world.instance.data().join("keystead.db");
    let yesterday = world.file("yesterday.db");
    fs::copy(&database, &yesterday).unwrap();
    let server = world.serve();
    keys.end(&world, &server, &second).await;
    drop(server);
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{ending}", database.display()));
    }
    fs::copy(&yesterday, &database).unwrap();
    let server = world.serve();
    keys.are_as_they_were_left(&world, &server).await;
    let first = world.call(&server, Method::GET, "/api-keys/self", &keys.alive, Value::Null).await.1;
    assert_eq!(first["apiKey"]["inactivity"]["stage"], 0);
    drop(server);
    // And by a command, where no server is started in between.
    fs::copy(&yesterday, &database).unwrap();
    world.json(&["keys", "keep", &keys.alive.id, "--json"]);
    let server = world.serve();
    keys.are_as_they_were_left(&world, &server).await;
}

/// The same on PostgreSQL, whose own recovery knows nothing of us: under two servers that go on running.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_recovers_to_an_earlier_time_is_brought_back_within_the_journals() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let world = World::new("set-back");
    let database = world.database.as_ref().unwrap();
    let (keys, second) = Keys::make(&world);
    let disconnect = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'";
    database.on_server("CREATE DATABASE {}_yesterday TEMPLATE {}");
    let other = Instance::new("set-back-other");
    fs::create_dir(other.data()).unwrap();
    fs::copy(world.instance.data().join("instance-secret"), other.data().join("instance-secret")).unwrap();
    let servers = [world.serve(), other.serve(&["--database-url", database.url()])];
    keys.end(&world, &servers[0], &second).await;
    for server in &servers {
        assert_eq!(world.asked(server, &keys.alive).await, "200", "it has read the feed");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    // What no journal says was given, was not: the feed of the earlier time goes its own way.
    database.on_server("ALTER DATABASE {} ALLOW_CONNECTIONS false");
    database.on_server(disconnect);
    database.on_server("ALTER DATABASE {} RENAME TO {}_today");
    database.on_server("ALTER DATABASE {}_yesterday RENAME TO {}");
    let begun = Instant::now();
    while world.asked(&servers[1], &keys.by_cli).await != "key_deactivated" {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for server in &servers {
        keys.are_as_they_were_left(&world, server).await;
    }
    // Whoever is given something again keeps it, although another server's journal still tells of its end.
    world.json(&["keys", "reactivate", &keys.by_cli.id, "--json"]);
    drop(servers);
    let server = other.serve(&["--database-url", database.url()]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.asked(&server, &keys.by_cli).await, "200");
    assert_eq!(world.asked(&server, &keys.by_api).await, "key_deactivated");
    drop(server);
    database.on_server("DROP DATABASE {}_today WITH (FORCE)");
}

/// Nobody asks for these ends, so nobody is answered; they are told all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_sweep_deletes_and_what_is_replaced_at_first_use_is_journaled() {
    let app = TestApp::start().await;
    let (idle, lost) = (app.location_key().await, app.location_key().await);
    let operator = app.operator().await;
    let replaced = app.app.replace_key(operator.authority(), lost.id, OldKeyEnds::FirstUse).await.unwrap();
    let journal = app.database.folder.join("revocations.jsonl");
    let last_word = |id: &str| {
        let text = fs::read_to_string(&journal).unwrap();
        let mut words = text.lines().flat_map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["standings"].as_array().unwrap().clone()
        });
        words.rfind(|word| word["key"] == id).unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(last_word(lost.id.as_str()), "active");
    let new = TestKey { id: replaced.made.key.id, secret: replaced.made.secret.unwrap().expose().to_owned() };
    authenticate(&app.app, &new).await.unwrap();
    assert_eq!(last_word(lost.id.as_str()), "deactivated");
    for days in [75.05, 8.0, 6.0, 1.1] {
        app.let_days_pass(days).await;
        app.app.sweep().await.unwrap();
    }
    assert_eq!(last_word(idle.id.as_str()), "deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn journals_and_logs_are_read_in_any_number_order_and_mixture() {
    let mut world = World::new("mixture");
    let keys: Vec<Key> = ["one", "two", "three", "alive"].iter().map(|name| world.key(name)).collect();
    let file = world.backup("backup.db");
    let told = fs::read_to_string(world.journal()).unwrap();
    for key in &keys[..2] {
        world.json(&["keys", "deactivate", &key.id, "--json"]);
    }
    let log = world.run(&["keys", "deactivate", &keys[2].id]).stderr;
    let whole = fs::read_to_string(world.journal()).unwrap();
    let news: Vec<&str> = whole[told.len()..].lines().collect();
    assert_eq!(news.len(), 3, "{whole}");
    // As systemd prints it, cut in two, with lines of others, and one that was torn.
    let prefix = "Nov 26 03:09:35 crm keystead[123]:";
    let mixed = format!(
        "-- Boot 1234 --\nNov 26 03:09:34 crm systemd[1]: Started keystead.service.\n{prefix} {}\n{prefix} not JSON\n\
         {prefix} {{\"level\":\"INFO\",\"message\":\"the sweep took its steps\"}}\n{}\n",
        news[1],
        &news[2][..40]
    );
    fs::write(world.file("mixed.log"), mixed).unwrap();
    let exported = json!({"MESSAGE": news[0], "_SYSTEMD_UNIT": "keystead.service"}).to_string();
    fs::write(world.file("exported.json"), exported).unwrap();
    fs::write(world.file("command.log"), &log).unwrap();
    world.lose_everything();
    let [mixed, exported, command] = ["mixed.log", "exported.json", "command.log"].map(|name| world.file(name));
    let given = ["--revocations", &mixed, "--revocations", &exported, "--revocations", &command];
    let output = world.restore(&file, &given);
    assert_eq!(output.status.code(), Some(1), "something is left for review");
    let restored = parsed(&output);
    let mut ended: Vec<&str> = restored["ended"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    ended.sort_unstable();
    let mut expected: Vec<&str> = keys[..3].iter().map(|key| key.id.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(ended, expected, "{restored}");
    assert_eq!(restored["revocations"]["lines"], 2);
    assert!(restored["revocations"]["passedOver"].as_i64().unwrap() >= 4, "{restored}");
    assert_eq!(restored["revocations"]["unreadable"], 1, "{restored}");
    let to_review = restored["toReview"].as_array().unwrap();
    assert_eq!(to_review.len(), 1, "of this one nobody has said anything");
    assert!(to_review[0].as_str().unwrap().contains(&keys[3].id));

    let missing = world.file("nowhere.log");
    let output = world.restore(&file, &["--revocations", &missing]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.log"));
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_is_listed_whole_or_deactivated() {
    let mut world = World::new("undecided");
    let keys: Vec<Key> = (0..4).map(|number| world.key(&format!("key {number}"))).collect();
    world.json(&["keys", "deactivate", &keys[0].id, "--json"]);
    let file = world.backup("backup.db");
    world.lose_everything();
    let output = world.restore(&file, &[]);
    assert_eq!((output.status.code(), parsed(&output)["toReview"].as_array().unwrap().len()), (Some(1), 3));
    world.lose_everything();
    let output = world.restore(&file, &["--safe"]);
    let restored = parsed(&output);
    assert!(output.status.success());
    assert_eq!(
        (restored["toReview"].as_array().unwrap().len(), restored["deactivated"].as_array().unwrap().len()),
        (0, 3)
    );
    let server = world.serve();
    for key in &keys {
        assert_eq!(world.asked(&server, key).await, "key_deactivated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_back_with_no_more_than_they_had() {
    let mut world = World::new("members");
    let server = world.serve();
    for (email, role) in [("disabled@example.com", "agency-admin"), ("demoted@example.com", "agency-admin")] {
        let invited = world.json(&["users", "invite", "--email", email, "--role", role, "--json"]);
        let link = invited["link"].as_str().unwrap();
        let path = &link[link.find("/app/").unwrap()..];
        world.post(&server, path, &[("password", "a long password")]).await;
    }
    let open = world.json(&["users", "invite", "--email", "open@example.com", "--role", "agency-admin", "--json"]);
    let file = world.backup("backup.db");
    assert!(world.run(&["users", "disable", "--email", "disabled@example.com"]).status.success());
    assert!(
        world.run(&["users", "update", "--email", "demoted@example.com", "--role", "agency-user"]).status.success()
    );
    fs::write(world.file("new"), "another long password").unwrap();
    #[rustfmt::skip]
    assert!(world.run(&["users", "set-password", "--email", "a@example.com", "--password-file", "new"]).status.success());
    drop(server);
    let restored = parsed(&world.restore(&file, &[]));
    assert_eq!(restored["members"].as_array().unwrap().len(), 3, "{restored}");
    let listed = String::from_utf8(world.run(&["users", "list"]).stdout).unwrap();
    let line = |email: &str| listed.lines().find(|line| line.contains(email)).unwrap().to_owned();
    assert!(line("disabled@example.com").contains("disabled"));
    assert!(line("demoted@example.com").contains("agency-user"));
    let server = world.serve();
    let sign_in = |email: &'static str, password: &'static str| {
        let call = world.client.post(format!("http://{}/app/sign-in", server.address));
        let call = call.header("Sec-Fetch-Site", "same-origin").form(&[("email", email), ("password", password)]);
        async move { call.send().await.unwrap().status().as_u16() }
    };
    assert_ne!(sign_in("a@example.com", "a long password").await, 303, "it was changed, so it is not theirs any more");
    assert_eq!(sign_in("demoted@example.com", "a long password").await, 303);
    let link = open["link"].as_str().unwrap();
    let invitation = world.client.get(format!("http://{}{}", server.address, &link[link.find("/app/").unwrap()..]));
    assert_ne!(invitation.send().await.unwrap().status(), 200, "it may have been withdrawn meanwhile");
}

/// As in a container whose file system cannot be written.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_place_for_its_journal_works_and_says_so() {
    let world = World::new("no-place");
    let key = world.key("a key");
    fs::remove_file(world.journal()).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", world.journal()).unwrap();
    let server = world.serve();
    assert_eq!(world.asked(&server, &key).await, "200");
    let ready = world.client.get(format!("http://{}/readyz", server.address)).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let text = ready.text().await.unwrap();
    assert!(text.starts_with("degraded") && text.contains("journal of revocations"), "{text}");
}

/// The end itself holds; but who asked for it learns that a restore would undo it, and so does the operator.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_cannot_be_journaled_is_told_and_noted_later() {
    let mut world = World::new("unwritable");
    let (ended, again, alive) = (world.key("ended"), world.key("again"), world.key("alive"));
    let file = world.backup("backup.db");
    let server = world.serve();
    let kept = world.file("kept.jsonl");
    fs::rename(world.journal(), &kept).unwrap();
    fs::create_dir(world.journal()).unwrap();
    let path = format!("/api-keys/{}/deactivate", ended.id);
    let (status, done) = world.call(&server, Method::POST, &path, &alive, Value::Null).await;
    assert_eq!((status, &done["receipt"]["journaled"]), (200, &json!(false)));
    assert_eq!(world.asked(&server, &ended).await, "key_deactivated", "it holds nevertheless");
    let told = world.run(&["keys", "deactivate", &again.id, "--json"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stderr).contains("journal of revocations"));
    let doctor = parsed(&world.run(&["doctor", "--json"]));
    assert!(doctor["warnings"].to_string().contains("journal of revocations"), "{doctor}");
    // When it can be written again, everything is told without anybody's doing.
    fs::remove_dir(world.journal()).unwrap();
    fs::rename(&kept, world.journal()).unwrap();
    let begun = Instant::now();
    while !world.has_told(&ended) || !world.has_told(&again) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(server);
    assert_eq!(parsed(&world.restore(&file, &[]))["ended"].as_array().unwrap().len(), 2);
    // A start must not trust a journal that it cannot read.
    let _ = fs::remove_file(world.journal());
    fs::create_dir(world.journal()).unwrap();
    if world.database.is_none() {
        let refused = world.instance.refused_text(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(refused.contains("revocations.jsonl"), "{refused}");
    }
}
