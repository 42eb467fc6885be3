//! Doors that strangers try to hold open: slow bodies on every face, readers who do not read, too many connections.

use std::time::Duration;

use keystead_http::Pace;
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, raw};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An instance with little patience.
async fn impatient() -> TestApp {
    TestApp::start_with(|config| {
        config.connections.pace =
            Pace { head: SHORT, transfer: SHORT, idle: Duration::from_secs(5), ..Pace::default() };
    })
    .await
}

const SHORT: Duration = Duration::from_millis(500);

async fn send(app: &TestApp, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// What comes until the server closes, which it must.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "it was held open");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_holds_no_door_open() {
    let app = impatient().await;
    let key = app.location_key().await.secret;
    let pages =
        ["/app/sign-in", "/app/setup", "/app/invite/x", "/app/agency/locations/new", "/nothing", "/app/nothing"];
    let page = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
    };
    let api = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Type: application/json\r\n")
    };
    let mut heads: Vec<String> = pages.map(page).to_vec();
    heads.extend(["/contacts/", "/v1/contacts/", "/api-keys/revoke-exposed"].map(api));
    heads.extend(["/healthz", "/readyz", "/metrics"].map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n")));
    let mut slow = Vec::new();
    for head in &heads {
        for framing in ["Content-Length: 100\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n5\r\nx"] {
            slow.push((head, send(&app, format!("{head}{framing}").as_bytes()).await));
        }
    }
    for (head, connection) in slow {
        let answer = until_closed(connection).await;
        // Whoever can be told is told; nobody gets a failure of ours.
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(!status.starts_with('5'), "{head}: {answer}");
    }
    assert_eq!(app.get("/healthz").send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_so_before_it_does() {
    let mut app = TestApp::start_with(|config| config.drain = Duration::from_secs(2)).await;
    let key = app.location_key().await;
    let before = app.get("/contacts/").key(&key).send().await;
    assert_eq!((before.status, before.header("connection")), (200, ""));
    app.begin_stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Balancers send nothing new, and what comes all the same is served.
    let ready = app.get("/readyz").send().await;
    assert_eq!((ready.status, ready.text.as_str()), (503, "the server is about to stop\n"));
    assert_eq!(app.get("/healthz").send().await.status, 200);
    for path in ["/contacts/", "/app/sign-in"] {
        let during = app.get(path).key(&key).send().await;
        assert_eq!((during.status, during.header("connection")), (200, "close"), "{path}");
    }
    app.stop().await;
    assert!(TcpStream::connect(app.address).await.is_err());
}

/// A stream of events that was answered, and its status.
async fn stream(app: &TestApp, cookie: &str) -> (TcpStream, String) {
    let path = "/app/agency/notices/stream";
    let mut stream = send(app, format!("GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n").as_bytes()).await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    (stream, String::from_utf8_lossy(&head[9..]).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_has_ten_streams_of_events() {
    let app = TestApp::start().await;
    let sign_in = async || {
        let form = [("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD)];
        let answer = app.post("/app/sign-in").header("Sec-Fetch-Site", "same-origin").form(&form).send().await;
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    };
    // However many sessions they have.
    let cookies = [sign_in().await, sign_in().await];
    let mut open = Vec::new();
    for number in 0..10 {
        let (connection, status) = stream(&app, &cookies[number % 2]).await;
        assert_eq!(status, "200");
        open.push(connection);
    }
    for cookie in &cookies {
        assert_eq!(stream(&app, cookie).await.1, "503");
    }
    // Whoever goes from page to page leaves streams behind, faster than any of them has something to say.
    drop(open);
    let begun = std::time::Instant::now();
    for number in 0..100 {
        while stream(&app, &cookies[number % 2]).await.1 != "200" {
            assert!(begun.elapsed() < Duration::from_secs(15), "after {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_violations_make_no_large_answer() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let unknown: Map<String, Value> = (0..9_000).map(|number| (format!("field{number}"), json!(1))).collect();
    for route in ["/contacts/", "/api-keys"] {
        let answer = app.post(route).key(&key).json(&json!(unknown)).send().await;
        assert_eq!(answer.expect(422)["message"].as_array().unwrap().len(), 51, "{route}");
        assert!(answer.text.contains("more violations are not listed") && answer.text.len() < 10_000);
    }
    let without_key = app.post("/api-keys/revoke-exposed").json(&json!(unknown)).send().await;
    assert_eq!(without_key.expect(413)["code"], "body_too_large", "strangers may send less");
    let form: Vec<(&str, &str)> = vec![("field", "value"); 10_000];
    for page in ["/app/sign-in", "/app/setup", "/app/invite/x", "/app/account", "/app/nothing"] {
        let call = app.post(page).header("Sec-Fetch-Site", "same-origin").form(&form);
        assert_eq!(call.send().await.status, 413, "{page}");
    }
}

/// A request whose body never comes: whoever waits for it before counting does not answer.
fn announced(path: &str) -> Vec<u8> {
    let head = "Host: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    format!("POST {path} HTTP/1.1\r\n{head}").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_send_is_counted_before_it_is_read() {
    let app = TestApp::start().await;
    for _ in 0..600 {
        let report = json!({"keys": ["ks_location_nonsense"]});
        assert_eq!(app.post("/api-keys/revoke-exposed").json(&report).send().await.status, 202);
    }
    assert_eq!(raw(&app, &announced("/api-keys/revoke-exposed")).await, 429);
    // Each open route by itself: whoever sends reports keeps nobody at the same address from their files.
    assert_eq!(app.get("/documents/download/nothing").send().await.status, 404);
    for number in 0..600 {
        let page = ["/app/setup", "/app/invite/x", "/app/nothing"][number % 3];
        let form = [("token", "x"), ("password", "short")];
        let answer = app.post(page).header("Sec-Fetch-Site", "same-origin").form(&form).send().await;
        assert!([403, 404, 422].contains(&answer.status), "{page}: {}", answer.status);
    }
    for page in ["/app/setup", "/app/invite/x", "/app/sign-in"] {
        assert_eq!(raw(&app, &announced(page)).await, 429, "{page}");
        let form = [("email", "a@example.com"), ("password", "wrong")];
        let answer = app.post(page).header("Sec-Fetch-Site", "same-origin").form(&form).send().await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, "60"), "{page}");
    }
    // Pages can still be read, and programs have limits of their own.
    assert_eq!(app.get("/app/sign-in").send().await.status, 200);
    let key = app.location_key().await;
    assert_eq!(app.get("/contacts/").key(&key).send().await.status, 200);
}
