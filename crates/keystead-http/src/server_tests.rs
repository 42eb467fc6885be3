use std::{convert::Infallible, net::Ipv4Addr, time::Duration};

use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    sync::oneshot,
    task::JoinSet,
    time::Instant,
};

use super::*;
use crate::{BodyError, read_body};

/// What the service under test does with a request.
#[derive(Clone, Copy)]
enum Service {
    /// Answers after a time, whatever was sent.
    Works(Duration),
    /// Reads the body and answers its length, or why it has none.
    Reads,
    /// Answers this many bytes.
    Answers(usize),
}

async fn answer(service: Service, request: Request<RequestBody>) -> Response<Full<Bytes>> {
    let body = match service {
        Service::Works(time) => {
            tokio::time::sleep(time).await;
            Bytes::from_static(b"done")
        }
        Service::Reads => match read_body(request.into_body(), 1 << 20).await {
            Ok(body) => format!("{} bytes", body.len()).into(),
            Err(BodyError::TooSlow) => Bytes::from_static(b"too slow"),
            Err(error) => panic!("{error:?}"),
        },
        Service::Answers(length) => vec![b'x'; length].into(),
    };
    Response::new(Full::new(body))
}

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<Infallible>>,
    tasks: JoinSet<()>,
}

/// A server that ends when its sender is dropped.
async fn server(limits: Connections, service: Service) -> Running {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<Infallible>();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let call = move |request: Request<RequestBody>, _: SocketAddr| answer(service, request);
        let proxies = TrustedProxies::default();
        serve(listener, limits, proxies, Arc::default(), call, async { drop(stopped.await) }).await;
    });
    Running { address, stop: Some(stop), tasks }
}

fn paced(change: impl FnOnce(&mut Pace)) -> Connections {
    let mut limits = Connections::default();
    change(&mut limits.pace);
    limits
}

const SHORT: Duration = Duration::from_millis(300);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What comes until the server closes, which it must.
async fn until_closed(mut stream: TcpStream) -> String {
    let answer = tokio::time::timeout(Duration::from_secs(10), read_to_end(&mut stream)).await;
    answer.expect("the connection was held open")
}

/// Sends a byte now and then for as long as the server takes them.
async fn drip(stream: &mut TcpStream) {
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn connections_that_never_finish_their_headers_are_closed() {
    let server = server(paced(|pace| pace.head = SHORT), Service::Works(Duration::ZERO)).await;
    for slow in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let begun = Instant::now();
        until_closed(send(server.address, slow).await).await;
        assert!(begun.elapsed() >= Duration::from_millis(250));
    }
    // One whose bytes keep coming, too, and one that has had an answer before.
    for first in [&b""[..], GET] {
        let mut dripping = send(server.address, &[first, b"GET /"].concat()).await;
        tokio::time::timeout(Duration::from_secs(10), drip(&mut dripping)).await.expect("it was held open");
    }
}

#[tokio::test]
async fn a_connection_that_does_nothing_is_closed_after_its_answer() {
    let server = server(paced(|pace| pace.idle = SHORT), Service::Works(Duration::ZERO)).await;
    let mut idle = send(server.address, GET).await;
    for _ in 0..4 {
        // In use it stays open beyond the time for doing nothing.
        tokio::time::sleep(Duration::from_millis(150)).await;
        idle.write_all(GET).await.unwrap();
    }
    let answers = until_closed(idle).await;
    assert_eq!(answers.matches("done").count(), 5, "{answers}");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_given_up() {
    let limits = paced(|pace| (pace.transfer, pace.least_rate) = (SHORT, 1000));
    let server = server(limits, Service::Reads).await;
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    assert!(until_closed(send(server.address, head).await).await.ends_with("too slow"));
    let mut dripping = send(server.address, head).await;
    let (mut reading, mut writing) = dripping.split();
    let mut answer = String::new();
    tokio::select! {
        _ = reading.read_to_string(&mut answer) => {}
        _ = async { while writing.write_all(b"x").await.is_ok() { tokio::time::sleep(Duration::from_millis(20)).await } } => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("it was held open"),
    }
    // Bytes buy time: one as slow as allowed is heard to its end.
    let mut steady = send(server.address, head).await;
    for _ in 0..10 {
        steady.write_all(&[b'x'; 100]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let mut answer = [0; 400];
    let length = steady.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).ends_with("1000 bytes"));
}

/// A client whose side takes little at a time.
async fn small_window(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(GET).await.unwrap();
    stream
}

#[tokio::test]
async fn an_answer_that_is_not_read_in_time_is_given_up() {
    const LENGTH: usize = 32 << 20;
    let limits = paced(|pace| (pace.transfer, pace.least_rate) = (SHORT, 1 << 30));
    let server = server(limits, Service::Answers(LENGTH)).await;
    let mut stalled = small_window(server.address).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let read =
        tokio::time::timeout(Duration::from_secs(10), read_to_end(&mut stalled)).await.expect("it was held open");
    assert!(read.len() < LENGTH, "the rest was not kept for it");
    // One who reads gets everything, however long it is.
    let mut reading = send(server.address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(read_to_end(&mut reading).await.len() > LENGTH);
}

#[tokio::test]
async fn work_is_not_taken_for_a_slow_client() {
    let limits = paced(|pace| (pace.head, pace.transfer, pace.idle) = (SHORT, SHORT, SHORT));
    let server = server(limits, Service::Works(Duration::from_secs(1))).await;
    let mut waiting = send(server.address, GET).await;
    waiting.write_all(GET).await.unwrap();
    assert_eq!(until_closed(waiting).await.matches("done").count(), 2);
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_takes_no_new_ones() {
    let mut server = server(Connections::default(), Service::Works(Duration::from_millis(500))).await;
    let under_way = send(server.address, GET).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(server.stop.take());
    assert!(until_closed(under_way).await.ends_with("done"));
    server.tasks.join_next().await;
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// Whoever ends after the server closes what its requests have used, so it must be the last to have it.
#[tokio::test]
async fn nothing_is_held_after_a_stop_by_clients_that_do_not_finish() {
    let limits = Connections { grace: SHORT, ..Connections::default() };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<Infallible>();
    let used = Arc::new(());
    let service = Arc::clone(&used);
    let call = move |request: Request<RequestBody>, _: SocketAddr| {
        let service = Arc::clone(&service);
        async move {
            let response = answer(Service::Reads, request).await;
            drop(service);
            response
        }
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, limits, TrustedProxies::default(), Arc::default(), call, async {
        drop(stopped.await);
    }));
    let heads = [&b""[..], b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"];
    let mut slow = Vec::new();
    for head in heads.into_iter().cycle().take(30) {
        slow.push(send(address, head).await);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stop);
    tasks.join_next().await.unwrap().unwrap();
    assert_eq!(Arc::strong_count(&used), 1);
}

#[tokio::test]
async fn what_was_sent_before_the_end_is_heard() {
    let limits = Connections { last_words: Duration::from_millis(500), ..Connections::default() };
    let mut server = server(limits, Service::Works(Duration::ZERO)).await;
    let mut idle = send(server.address, GET).await;
    let mut answer = [0; 400];
    assert!(idle.read(&mut answer).await.unwrap() > 0);
    let mut fresh = TcpStream::connect(server.address).await.unwrap();
    drop(server.stop.take());
    tokio::time::sleep(Duration::from_millis(100)).await;
    for connection in [&mut idle, &mut fresh] {
        connection.write_all(GET).await.unwrap();
        let length = connection.read(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..length]).ends_with("done"));
    }
    server.tasks.join_next().await;
}

#[tokio::test]
async fn no_more_connections_are_served_at_once_than_allowed() {
    let limits = Connections { max: 1, ..paced(|pace| pace.head = Duration::from_millis(400)) };
    let server = server(limits, Service::Works(Duration::ZERO)).await;
    let first = TcpStream::connect(server.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = Instant::now();
    let second = send(server.address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(until_closed(second).await.ends_with("done"));
    assert!(begun.elapsed() >= Duration::from_millis(250), "it waited for the first to end");
    drop(first);
}

#[tokio::test]
async fn those_who_keep_us_waiting_make_room_for_others() {
    let limits = Connections { max: 20, ..Connections::default() };
    let server = server(limits, Service::Reads).await;
    let mut slow = Vec::new();
    for number in 0..20 {
        let heads = [&b"GET / HT"[..], GET, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"];
        slow.push(send(server.address, heads[number % 3]).await);
    }
    // Their own timers would keep them for 30 and 75 seconds.
    for _ in 0..20 {
        let next = send(server.address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(until_closed(next).await.ends_with("0 bytes"));
    }
}

#[tokio::test]
async fn whoever_works_with_us_is_not_sent_away() {
    let limits = Connections { max: 2, ..Connections::default() };
    let server = server(limits, Service::Works(Duration::from_secs(3))).await;
    let working = [send(server.address, GET).await, send(server.address, GET).await];
    let third = send(server.address, GET).await;
    for connection in working.into_iter().chain([third]) {
        let mut answer = [0; 400];
        let mut connection = connection;
        let length = connection.read(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..length]).ends_with("done"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_reads_does_not_end_the_connection_in_silence() {
    let server = server(Connections::default(), Service::Works(Duration::ZERO)).await;
    let head = |length: usize| format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    // Head and body apart, as some clients send them: the connection goes on.
    let mut stream = send(server.address, &head(4)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(&[b"body", GET].concat()).await.unwrap();
    let mut answers = String::new();
    while answers.matches("done").count() < 2 {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "closed after {answers}");
        answers.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert!(!answers.to_ascii_lowercase().contains("connection: close"), "{answers}");
    // What is too long, or does not come, is answered, and the client is told that the connection is over.
    let expecting = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n".to_vec();
    for request in [head(1 << 20), head(4), expecting] {
        let mut stream = send(server.address, &request).await;
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    }
}
