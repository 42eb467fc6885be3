//! Every address that must not be called is called here, with a listener that would see it.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    net::runtime::TokioRuntimeProvider,
    proto::{
        op::{Message, MessageType, OpCode, ResponseCode},
        rr::{RData, Record, RecordType},
    },
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
};

use super::*;
use crate::address::Allowed;

#[path = "cost_tests.rs"]
mod cost;

/// A name server that says what it is told to say, or is silent.
#[expect(clippy::disallowed_methods, reason = "it ends with the test")]
async fn name_server(mut answers: impl FnMut() -> Option<Vec<IpAddr>> + Send + 'static) -> Resolver {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        // Both families are asked for at once: one set of answers serves a pair of questions.
        let (mut asked, mut told) = (0, None);
        while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
            let question = Message::from_vec(&bytes[..length]).unwrap();
            if asked % 2 == 0 {
                told = answers();
            }
            asked += 1;
            let Some(told) = &told else { continue };
            let query = question.queries[0].clone();
            let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
            answer.metadata.recursion_available = true;
            answer.metadata.response_code = ResponseCode::NoError;
            answer.add_query(query.clone());
            for address in told {
                let rdata = match (address, query.query_type()) {
                    (IpAddr::V4(address), RecordType::A) => RData::A((*address).into()),
                    (IpAddr::V6(address), RecordType::AAAA) => RData::AAAA((*address).into()),
                    _ => continue,
                };
                answer.add_answer(Record::from_rdata(query.name().clone(), 0, rdata));
            }
            let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
        }
    });
    let mut connection = ConnectionConfig::udp();
    connection.port = port;
    let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    Resolver::new(builder.with_options(ResolverOpts::default())).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Says `answer` to every connection, and counts them.
struct Receiver {
    port: u16,
    seen: Arc<AtomicUsize>,
    /// How many of those were our own.
    asked: AtomicUsize,
    sent: Arc<AtomicUsize>,
}

impl Receiver {
    /// On every address of this machine.
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    async fn start(answer: Vec<Vec<u8>>, then: Then) -> Self {
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, sent) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let asked = AtomicUsize::new(0);
        let receiver = Self { port, seen: Arc::clone(&seen), asked, sent: Arc::clone(&sent) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                seen.fetch_add(1, Relaxed);
                let (answer, sent) = (answer.clone(), Arc::clone(&sent));
                tokio::spawn(async move {
                    let mut request = [0; 8192];
                    let _ = stream.read(&mut request).await;
                    for part in &answer {
                        let _ = stream.write_all(part).await;
                    }
                    match then {
                        Then::Close => {}
                        Then::Hold => std::future::pending().await,
                        Then::Repeat(pause) => {
                            while let Ok(()) = stream.write_all(answer.last().unwrap()).await {
                                sent.fetch_add(answer.last().unwrap().len(), Relaxed);
                                tokio::time::sleep(pause).await;
                            }
                        }
                    }
                });
            }
        });
        receiver
    }

    /// How many have come. Connections are taken in order: when our own was, all before it were.
    async fn seen(&self) -> usize {
        let before = self.asked.fetch_add(1, Relaxed);
        let mut own = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        own.write_all(b"seen?").await.unwrap();
        let _ = own.read(&mut [0]).await;
        self.seen.load(Relaxed) - before - 1
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?a=1", self.port)
    }
}

#[derive(Clone, Copy)]
enum Then {
    Close,
    Hold,
    Repeat(Duration),
}

/// Short enough for a test, where nothing is waited for that comes.
const SHORT: Limits = Limits {
    dns: Duration::from_millis(500),
    connect: Duration::from_millis(500),
    total: Duration::from_millis(1000),
    answer: 1024,
};

fn client(guard: Guard, resolver: Resolver, limits: Limits) -> Client {
    Client::new(guard, resolver, RootCertStore::empty(), limits).unwrap()
}

/// One that may call this machine.
async fn client_of_loopback(limits: Limits) -> Client {
    let guard = Guard::new(Allowed::parse("127.0.0.1/32").unwrap());
    client(guard, name_server(|| Some(vec![LOOPBACK])).await, limits)
}

fn post(url: &str) -> Call<'_> {
    Call { method: Method::POST, url, headers: HeaderMap::new(), body: Bytes::from_static(b"{}") }
}

fn vectors(part: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("ssrf.json")).unwrap();
    vectors[part].as_array().unwrap().clone()
}

#[tokio::test]
async fn no_url_of_the_list_reaches_this_machine() {
    let receiver = Receiver::start(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()], Then::Close).await;
    let usual = Guard::new(Allowed::default());
    // Receivers listen where this one does: otherwise the port alone would keep everybody away.
    let guard = Guard::at_port(Allowed::default(), receiver.port);
    let client = client(guard, name_server(|| Some(vec![LOOPBACK])).await, SHORT);
    for line in vectors("urls") {
        let text = line["url"].as_str().unwrap();
        let target = usual.target(text);
        match line["verdict"].as_str().unwrap() {
            "refuse" => assert!(target.is_err(), "{line}"),
            "resolve" => assert!(matches!(target.unwrap().place, Place::Name(_)), "{line}"),
            "connect" => {
                // The world outside is not called by a test.
                assert!(matches!(target.unwrap().place, Place::Address(_)), "{line}");
                continue;
            }
            other => panic!("{other}"),
        }
        let mut moved = text.to_owned();
        if let Ok(mut url) = url::Url::parse(text)
            && url.port().is_none()
            && url.set_port(Some(receiver.port)).is_ok()
        {
            moved = url.to_string();
        }
        let failure = client.call(post(&moved)).await.unwrap_err();
        assert!(matches!(failure, Failure::Refused(_) | Failure::Unknown(_)), "{line}: {failure:?}");
        assert_eq!(receiver.seen().await, 0, "{line} came through");
    }
    let allowed = client_of_loopback(SHORT).await;
    assert_eq!(allowed.call(post(&receiver.url())).await.unwrap().status, 204);
    assert_eq!(receiver.seen().await, 1, "whoever comes is seen");
}

#[tokio::test]
async fn all_addresses_of_a_name_or_none() {
    let receiver = Receiver::start(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()], Then::Close).await;
    for line in vectors("answers") {
        let told = line["answers"]
            .as_array()
            .map(|texts| texts.iter().map(|text| address(text.as_str().unwrap())).collect::<Vec<_>>());
        let answers = told.clone().unwrap_or_default();
        let resolver = name_server(move || told.clone()).await;
        let client = client(Guard::at_port(Allowed::default(), receiver.port), resolver, SHORT);
        let url = format!("https://hooks.example.com:{}/", receiver.port);
        if line["verdict"] == "connect" {
            let mut found = client.addresses(&client.guard.target(&url).unwrap()).await.unwrap();
            found.sort_unstable();
            let mut answers = answers;
            answers.sort_unstable();
            assert_eq!(found, answers, "{line}");
        } else {
            let failure = client.call(post(&url)).await.unwrap_err();
            match line["verdict"].as_str().unwrap() {
                "refuse" => {
                    assert_eq!(failure, Refusal::NotPublic.into(), "{line}");
                    let found = client.addresses(&client.guard.target(&url).unwrap()).await;
                    assert_eq!(found, Err(Refusal::NotPublic.into()), "not even the good ones: {line}");
                }
                _ => assert!(matches!(failure, Failure::Unknown(_) | Failure::TooSlow), "{line}: {failure:?}"),
            }
            assert_eq!(receiver.seen().await, 0, "{line} came through");
        }
    }
}

#[tokio::test]
async fn a_name_that_is_public_first_and_private_next_leads_nowhere() {
    let receiver = Receiver::start(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()], Then::Close).await;
    let mut questions = 0;
    let resolver = name_server(move || {
        questions += 1;
        Some(vec![if questions == 1 { address("203.0.114.7") } else { LOOPBACK }])
    });
    let client = client(Guard::at_port(Allowed::default(), receiver.port), resolver.await, SHORT);
    let url = format!("https://rebind.example.com:{}/", receiver.port);
    let target = client.guard.target(&url).unwrap();
    assert_eq!(client.addresses(&target).await.unwrap(), [address("203.0.114.7")]);
    assert_eq!(client.call(post(&url)).await.unwrap_err(), Refusal::NotPublic.into());
    // Whatever was judged before, whoever connects judges again.
    assert_eq!(client.connect(&target, &[LOOPBACK]).await.unwrap_err(), Refusal::NotPublic.into());
    assert_eq!(receiver.seen().await, 0);
}

#[tokio::test]
async fn what_the_operator_allows_is_called_and_nothing_else() {
    let receiver = Receiver::start(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()], Then::Close).await;
    let client = client_of_loopback(SHORT).await;
    let by_name = format!("http://hooks.example.com:{}/", receiver.port);
    assert_eq!(client.call(post(&by_name)).await.unwrap().status, 204);
    let elsewhere = |host: &str| format!("http://{host}:{}/", receiver.port);
    for (url, refusal) in [
        (elsewhere("127.0.0.2"), Refusal::NotPublic),
        (elsewhere("[::1]"), Refusal::NotPublic),
        // Odd ports and plain http are for what is allowed.
        (elsewhere("8.8.8.8"), Refusal::Scheme),
        (format!("https://8.8.8.8:{}/", receiver.port), Refusal::Port),
        (elsewhere("localhost"), Refusal::NotFull),
        (format!("http://a:b@127.0.0.1:{}/", receiver.port), Refusal::UserInfo),
        ("http://127.0.0.1:0/".to_owned(), Refusal::NoPort),
        ("example.com/a".to_owned(), Refusal::Scheme),
        (format!("https://example.com/{}", "a".repeat(2048)), Refusal::TooLong),
    ] {
        assert_eq!(client.call(post(&url)).await.unwrap_err(), refusal.into(), "{url}");
    }
    assert_eq!(receiver.seen().await, 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let inside = Receiver::start(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()], Then::Close).await;
    let text = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", inside.url());
    let receiver = Receiver::start(vec![text.into_bytes()], Then::Close).await;
    let answer = client_of_loopback(SHORT).await.call(post(&receiver.url())).await.unwrap();
    assert_eq!(answer.status, 307);
    assert_eq!(inside.seen().await, 0);
}

/// Whoever said that they have it has it.
#[tokio::test]
async fn an_answer_that_breaks_off_has_its_status() {
    for (head, body) in [
        ("200 OK\r\ncontent-length: 100", "ok"),
        ("202 Accepted\r\ntransfer-encoding: chunked", "2\r\nok\r\n5\r\nno"),
        ("500 Oops\r\ncontent-length: 100", "ok"),
    ] {
        let text = format!("HTTP/1.1 {head}\r\n\r\n{body}");
        let receiver = Receiver::start(vec![text.into_bytes()], Then::Close).await;
        let answer = client_of_loopback(SHORT).await.call(post(&receiver.url())).await.unwrap();
        assert_eq!(answer.status.as_str(), &head[..3]);
        assert!(answer.body.starts_with(b"ok"), "{head} {:?}", answer.body);
    }
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    if std::env::args().any(|argument| argument == "--ignored") {
        return;
    }
    let proxy = Receiver::start(vec![b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec()], Then::Close).await;
    let receiver = Receiver::start(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()], Then::Close).await;
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["client::tests::calls_once", "--exact", "--ignored"]).env("TO_CALL", receiver.url());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        again.env(name, &url);
    }
    let done = tokio::task::spawn_blocking(move || again.output().unwrap()).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    assert_eq!((receiver.seen().await, proxy.seen().await), (1, 0));
}

#[tokio::test]
#[ignore = "run by the test above, in an environment of its own"]
#[expect(clippy::disallowed_methods, reason = "the test above says it so")]
async fn calls_once() {
    let url = std::env::var("TO_CALL").unwrap();
    assert_eq!(client_of_loopback(SHORT).await.call(post(&url)).await.unwrap().status, 204);
}

/// A receiver that has a certificate for a name, and keeps what it is sent; with what it is known by.
#[expect(clippy::disallowed_methods, reason = "it ends with the test")]
async fn secure_receiver(name: &str) -> (u16, RootCertStore, Arc<std::sync::Mutex<String>>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::<std::sync::Mutex<String>>::default();
    let keeps = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap_or(0);
            *keeps.lock().unwrap() = String::from_utf8_lossy(&request[..length]).into_owned();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
        }
    });
    (port, roots, kept)
}

#[tokio::test]
async fn a_certificate_must_be_for_the_name() {
    let (port, roots, kept) = secure_receiver("hooks.example.com").await;
    let guard = Guard::new(Allowed::parse("127.0.0.1").unwrap());
    let client = Client::new(guard, name_server(|| Some(vec![LOOPBACK])).await, roots, SHORT).unwrap();
    let url = format!("https://hooks.example.com.:{port}/hook?a=1#b");
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
    headers.insert("host", HeaderValue::from_static("elsewhere"));
    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    let answer = client.call(Call { headers, ..post(&url) }).await.unwrap();
    assert_eq!(answer.body, b"ok");
    let sent = kept.lock().unwrap().clone();
    assert!(sent.starts_with("POST /hook?a=1 HTTP/1.1\r\n") && sent.contains("webhook-id: msg_1\r\n"), "{sent}");
    assert!(
        sent.contains(&format!("host: hooks.example.com.:{port}\r\n")) && sent.contains("content-length: 2"),
        "{sent}"
    );
    for absent in ["elsewhere", "chunked", "gzip"] {
        assert!(!sent.contains(absent), "{sent}");
    }
    let other = format!("https://other.example.com:{port}/");
    assert!(matches!(client.call(post(&other)).await.unwrap_err(), Failure::Insecure(_)));
}
