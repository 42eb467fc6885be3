//! Several real servers on one real PostgreSQL: what one of them ends, all of them refuse within a second.
//!
//! On the SQLite suite there is nothing to do: one directory has one server.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use keystead_testkit::TestDatabase;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// A server process with its own data directory, and the instance secret that all of them share.
struct Node {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Nodes {
    database: TestDatabase,
    servers: Vec<Node>,
    location: String,
    admin: String,
}

fn command(folder: &PathBuf, database_url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
    command.args(arguments).arg("--data-dir").arg(folder).args(["--database-url", database_url]).stderr(Stdio::null());
    command
}

impl Node {
    fn start(folder: &PathBuf, database_url: &str) -> Self {
        // What is too much for them is not the matter here.
        #[rustfmt::skip]
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off", "--keys-per-owner", "100000", "--metrics-token", "x", "--requests-at-once", "400"];
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        let mut command = command(folder, database_url, &arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("a server");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("its output")).read_line(&mut line).expect("a line");
        let url = format!("http://{}", line.trim().rsplit("http://").next().unwrap_or_default());
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { child, url, client }
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let call = self.client.post(format!("{}{path}", self.url)).bearer_auth(key).json(body);
        let answer = call.send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn use_key(&self, key: &str) -> u16 {
        let call = self.client.get(format!("{}/api-keys/self", self.url)).bearer_auth(key);
        call.send().await.expect("an answer").status().as_u16()
    }
}

impl Nodes {
    fn start(count: usize) -> Self {
        let database = TestDatabase::create();
        let url = database.url().to_owned();
        let folder = |number: usize| database.folder.join(format!("node-{number}"));
        std::fs::write(database.folder.join("password"), "correct horse battery").unwrap();
        let password = database.folder.join("password").display().to_string();
        let answer = |arguments: &[&str]| -> Value {
            let output = command(&folder(0), &url, arguments).output().unwrap();
            serde_json::from_slice(&output.stdout).unwrap()
        };
        #[rustfmt::skip]
        let ids = answer(&["init", "--agency", "A", "--location", "L", "--admin-email", "a@example.com", "--admin-password-file", &password, "--json"]);
        #[rustfmt::skip]
        let admin = answer(&["keys", "create", "--kind", "agency", "--name", "Admin", "--preset", "full-access", "--json"]);
        let secret = folder(0).join("instance-secret");
        let servers = (0..count)
            .map(|number| {
                std::fs::create_dir_all(folder(number)).unwrap();
                if number > 0 {
                    std::fs::copy(&secret, folder(number).join("instance-secret")).unwrap();
                }
                Node::start(&folder(number), &url)
            })
            .collect();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self { servers, location: text(&ids["locationId"]), admin: text(&admin["key"]), database }
    }

    async fn create(&self, node: usize) -> (String, String) {
        let new = json!({"name": "x", "kind": "location", "locationId": self.location, "preset": "full-access"});
        let made = self.servers[node].post("/api-keys", &self.admin, &new).await;
        (made["apiKey"]["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    }
}

/// The first run goes through whatever stands before the servers, so any of them may be asked.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_the_wizard_works_on_every_node_and_after_a_restart() {
    let database = TestDatabase::create();
    let start = |folder: &PathBuf| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder);
        if TestDatabase::is_postgres() {
            command.args(["--database-url", database.url()]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("its output")).lines();
        let last_word = |line: String| line.rsplit(' ').next().unwrap().to_owned();
        let (url, wizard) = (last_word(lines.next().unwrap().unwrap()), last_word(lines.next().unwrap().unwrap()));
        drop(lines);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        (Node { child, url: url.clone(), client }, wizard.strip_prefix(&url).unwrap().to_owned())
    };
    let asked = async |node: &Node, wizard: &str| {
        node.client.get(format!("{}{wizard}", node.url)).send().await.unwrap().status().as_u16()
    };
    let folder = |name: &str| database.folder.join(name);
    let (first, wizard) = start(&folder("first"));
    assert_eq!(asked(&first, &wizard).await, 200);
    assert_eq!(asked(&first, "/app/setup?token=guess").await, 403);
    if TestDatabase::is_postgres() {
        std::fs::create_dir(folder("second")).unwrap();
        std::fs::copy(folder("first").join("instance-secret"), folder("second").join("instance-secret")).unwrap();
        let (second, own) = start(&folder("second"));
        assert_eq!((asked(&second, &wizard).await, asked(&first, &own).await), (200, 200));
    }
    drop(first);
    let (again, _) = start(&folder("first"));
    assert_eq!(asked(&again, &wizard).await, 200, "the address that was written down still works");
}

const MANY: usize = 1000;
const AT_ONCE: usize = 24;

/// Runs `work` for each number, some at a time.
async fn many(count: usize, work: impl AsyncFn(usize)) {
    let room = Semaphore::new(AT_ONCE);
    let all: Vec<_> = (0..count)
        .map(|number| {
            let (room, work) = (&room, &work);
            async move {
                let _permit = room.acquire().await.unwrap();
                work(number).await;
            }
        })
        .collect();
    let mut all = all.into_iter().map(Box::pin).collect::<Vec<_>>();
    std::future::poll_fn(move |context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_revocations_hold_everywhere_after_a_second() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let cluster = Nodes::start(3);
    let late = AtomicU64::new(0);
    let within = AtomicU64::new(0);
    many(MANY, async |number| {
        let home = number % 3;
        let (id, secret) = cluster.create(home).await;
        for node in &cluster.servers {
            assert_eq!(node.use_key(&secret).await, 200, "a new key works everywhere at once");
        }
        let end = if number % 2 == 0 { "deactivate" } else { "rotate" };
        let body = if number % 2 == 0 { json!({}) } else { json!({"overlap": "PT0S"}) };
        cluster.servers[home].post(&format!("/api-keys/{id}/{end}"), &cluster.admin, &body).await;
        let answered = Instant::now();
        assert_eq!(cluster.servers[home].use_key(&secret).await, 401, "at once where it was done");
        while answered.elapsed() < Duration::from_millis(1300) {
            for node in &cluster.servers {
                let sent = answered.elapsed();
                if node.use_key(&secret).await == 200 {
                    let count = if sent > Duration::from_secs(1) { &late } else { &within };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            tokio::time::sleep(Duration::from_millis(90)).await;
        }
    })
    .await;
    println!("{} uses passed within the second", within.load(Ordering::Relaxed));
    assert_eq!(late.load(Ordering::Relaxed), 0, "none after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_works_on_every_node_at_once() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let cluster = Nodes::start(2);
    let keys: Vec<(String, String)> = {
        let mut keys = Vec::new();
        for _ in 0..20 {
            keys.push(cluster.create(0).await);
        }
        keys
    };
    let wrong = AtomicU64::new(0);
    many(keys.len(), async |number| {
        let (id, secret) = &keys[number];
        assert_eq!(cluster.servers[1].use_key(secret).await, 200);
        for _ in 0..MANY / keys.len() {
            let path = format!("/api-keys/{id}/rotate");
            let made = cluster.servers[0].post(&path, &cluster.admin, &json!({"overlap": "PT0S"})).await;
            let new = made["key"].as_str().unwrap();
            if cluster.servers[1].use_key(new).await != 200 {
                wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await;
    assert_eq!(wrong.load(Ordering::Relaxed), 0, "no refusal was decided on what was remembered");
}

/// A way to the database that can be cut.
#[expect(clippy::disallowed_methods, reason = "they end with the test")]
async fn proxy(target: String) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let cut = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&cut);
    tokio::spawn(async move {
        loop {
            let Ok((mut client, _)) = listener.accept().await else { return };
            let (target, cut) = (target.clone(), Arc::clone(&shared));
            tokio::spawn(async move {
                if cut.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(mut server) = TcpStream::connect(target).await else { return };
                let ended = async {
                    while !cut.load(Ordering::Relaxed) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    () = ended => {}
                }
            });
        }
    });
    (address, cut)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_answers_503_and_never_a_stale_200_or_a_wrong_401() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let cluster = Nodes::start(1);
    let url = cluster.database.url().to_owned();
    let host = url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    let (address, cut) = proxy(host.clone()).await;
    let folder = cluster.database.folder.join("cut-off");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(cluster.database.folder.join("node-0/instance-secret"), folder.join("instance-secret")).unwrap();
    let node = Node::start(&folder, &url.replace(&host, &address));
    let (id, secret) = cluster.create(0).await;
    let (_, other) = cluster.create(0).await;
    for _ in 0..3 {
        assert_eq!((node.use_key(&secret).await, node.use_key(&other).await), (200, 200));
    }
    cut.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    cluster.servers[0].post(&format!("/api-keys/{id}/deactivate"), &cluster.admin, &json!({})).await;
    let answered = Instant::now();
    let mut statuses = Vec::new();
    while begun.elapsed() < Duration::from_secs(4) {
        let sent = answered.elapsed();
        for key in [&secret, &other] {
            let status = node.use_key(key).await;
            assert!([200, 503].contains(&status), "{status}: a node that knows nothing refuses nobody");
            assert!(status != 200 || sent < Duration::from_secs(1), "a stale 200 after {sent:?}");
            statuses.push(status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(statuses.last(), Some(&503));
    cut.store(false, Ordering::Relaxed);
    let begun = Instant::now();
    for (key, right) in [(&other, 200), (&secret, 401)] {
        loop {
            let status = node.use_key(key).await;
            if status == right {
                break;
            }
            assert_eq!(status, 503, "until it is back it decides nothing");
            assert!(begun.elapsed() < Duration::from_secs(10), "it comes back by itself");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_takes_no_use_with_it_that_counts() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let mut cluster = Nodes::start(2);
    let (id, secret) = cluster.create(0).await;
    let started = cluster.servers[1].use_key(&secret).await;
    assert_eq!(started, 200);
    for _ in 0..50 {
        assert_eq!(cluster.servers[1].use_key(&secret).await, 200);
    }
    cluster.servers[1].child.kill().unwrap();
    let call =
        cluster.servers[0].client.get(format!("{}/api-keys/{id}", cluster.servers[0].url)).bearer_auth(&cluster.admin);
    let key: Value = call.send().await.unwrap().json().await.unwrap();
    assert!(key["apiKey"]["lastUsedAt"].is_string(), "the first use was stored before its answer");
    assert_eq!(cluster.servers[0].use_key(&secret).await, 200);
    cluster.servers.pop();
}
