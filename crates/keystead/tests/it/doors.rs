//! Doors that strangers try to hold open: slow bodies on every face, readers who do not read, too many connections.

use std::time::Duration;

use keystead_http::Pace;
use keystead_testkit::TestApp;
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
