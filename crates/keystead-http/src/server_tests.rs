use std::{convert::Infallible, time::Duration};

use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinSet,
    time::Instant,
};

use super::*;

/// A server whose answers take `work`; ends when the sender is dropped.
async fn server(limits: Connections, work: Duration) -> (SocketAddr, oneshot::Sender<Infallible>, JoinSet<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<Infallible>();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let service = move |_: Request<Incoming>, _: SocketAddr| async move {
            tokio::time::sleep(work).await;
            Response::new(Full::new(Bytes::from_static(b"done")))
        };
        serve(listener, limits, Arc::default(), service, async { drop(stopped.await) }).await;
    });
    (address, stop, tasks)
}

async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

async fn read_to_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn connections_that_never_finish_their_headers_are_closed() {
    let limits = Connections { header_time: Duration::from_millis(300), ..Connections::default() };
    let (address, _stop, _tasks) = server(limits, Duration::ZERO).await;
    for slow in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let begun = Instant::now();
        let answer = tokio::time::timeout(Duration::from_secs(5), read_to_end(send(address, slow).await)).await;
        assert!(answer.is_ok(), "{:?} was held open", String::from_utf8_lossy(slow));
        assert!(begun.elapsed() >= Duration::from_millis(250));
    }
    // One that has answered a request and then says nothing, too.
    let idle = send(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let answer = tokio::time::timeout(Duration::from_secs(5), read_to_end(idle)).await.expect("closed");
    assert!(answer.ends_with("done"), "{answer}");
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_takes_no_new_ones() {
    let (address, stop, mut tasks) = server(Connections::default(), Duration::from_millis(500)).await;
    let under_way = send(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stop);
    assert!(read_to_end(under_way).await.ends_with("done"));
    tasks.join_next().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn no_more_connections_are_served_at_once_than_allowed() {
    let limits = Connections { max: 1, header_time: Duration::from_millis(400), ..Connections::default() };
    let (address, _stop, _tasks) = server(limits, Duration::ZERO).await;
    let first = TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = Instant::now();
    let second = send(address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(read_to_end(second).await.ends_with("done"));
    assert!(begun.elapsed() >= Duration::from_millis(250), "it waited for the first to end");
    drop(first);
}
