//! What a name and whoever answers may cost.

use tokio::net::TcpSocket;

use super::*;

#[tokio::test]
async fn whoever_answers_costs_little() {
    let ok = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let client = client_of_loopback(SHORT).await;

    let endless = Receiver::start(vec![ok.clone(), vec![b'x'; 64 * 1024]], Then::Repeat(Duration::ZERO)).await;
    let answer = client.call(post(&endless.url())).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body), (200, vec![b'x'; 1024]));
    let most = 64 * 1024 * 1024;
    assert!(endless.sent.load(Relaxed) < most, "what was not read fills the network's buffers only");

    // A bomb is what its first bytes are: nothing is unpacked.
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 100000\r\n\r\n".to_vec();
    let bomb = Receiver::start(vec![head, [&[0x1f, 0x8b, 8][..], &[0; 4096]].concat()], Then::Hold).await;
    let answer = client.call(post(&bomb.url())).await.unwrap();
    assert_eq!((answer.body.len(), &answer.body[..3]), (1024, &[0x1f, 0x8b, 8][..]));

    let silent = Receiver::start(vec![vec![]], Then::Hold).await;
    assert_eq!(client.call(post(&silent.url())).await.unwrap_err(), Failure::TooSlow);

    let drop_by_drop = Receiver::start(vec![ok, vec![b'x']], Then::Repeat(Duration::from_millis(50))).await;
    let answer = client.call(post(&drop_by_drop.url())).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.body.is_empty()),
        (200, false),
        "it was taken, whatever it says of that"
    );
    assert!(answer.body.len() < 1024, "{}", answer.body.len());

    let head = b"HTTP/1.1 200 OK\r\n".to_vec();
    let headers = Receiver::start(vec![head, b"x-more: and more\r\n".repeat(64)], Then::Repeat(Duration::ZERO)).await;
    assert_eq!(client.call(post(&headers.url())).await.unwrap_err(), Failure::Unreadable);

    for endless in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"] {
        let receiver = Receiver::start(vec![endless.repeat(64).into_bytes()], Then::Repeat(Duration::ZERO)).await;
        assert_eq!(client.call(post(&receiver.url())).await.unwrap_err(), Failure::Unreadable, "{endless}");
    }
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunks = Receiver::start(vec![head, b"0000000000000000".repeat(64)], Then::Repeat(Duration::ZERO)).await;
    let answer = client.call(post(&chunks.url())).await.unwrap();
    assert!(answer.status == 200 && answer.body.is_empty() && chunks.sent.load(Relaxed) < 10_000_000);

    let nonsense = Receiver::start(vec![b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()], Then::Close).await;
    assert_eq!(client.call(post(&nonsense.url())).await.unwrap_err(), Failure::Unreadable);
}

#[tokio::test]
async fn a_name_server_that_is_silent_costs_the_time_of_dns() {
    let client = client(Guard::new(Allowed::default()), name_server(|| None).await, SHORT);
    assert_eq!(client.call(post("https://hooks.example.com/")).await.unwrap_err(), Failure::TooSlow);
}

/// An address of this machine on which a connection is neither taken nor refused.
struct Dead {
    address: SocketAddr,
    _queue: (TcpListener, Vec<TcpStream>),
}

impl Dead {
    async fn start() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        // Nobody takes these; whoever comes when the queue is full is not answered.
        while let Ok(stream) = timeout(SHORT.connect, TcpStream::connect(address)).await {
            queue.push(stream.unwrap());
        }
        Self { address, _queue: (listener, queue) }
    }
}

#[tokio::test]
async fn a_dead_address_hides_no_living_one() {
    let dead = Dead::start().await;
    let living = TcpListener::bind(("127.0.0.2", dead.address.port())).await.unwrap();
    let guard = Guard::new(Allowed::parse("127.0.0.0/8").unwrap());
    let client = client(guard, name_server(|| None).await, SHORT);
    let target = client.guard.target(&format!("http://127.0.0.1:{}/", dead.address.port())).unwrap();
    let living = living.local_addr().unwrap().ip();
    let dead = dead.address.ip();
    assert!(client.connect(&target, &[dead, living]).await.is_ok());
    assert!(client.connect(&target, &[living, dead]).await.is_ok());
    // However many there are, together they have the time of one.
    assert_eq!(client.connect(&target, &[dead; 3]).await.unwrap_err(), Failure::TooSlow);
    assert!(client.connect(&target, &[&[dead; 100][..], &[living]].concat()).await.is_err());
    assert_eq!(client.connect(&target, &[]).await.unwrap_err(), Failure::Unreachable);
}

/// Whoever chose a URL does not learn from it which names there are inside.
#[tokio::test]
async fn a_name_that_leads_inside_looks_like_one_that_leads_nowhere() {
    let mut said = Vec::new();
    for told in [vec![address("10.1.2.3")], vec![]] {
        let guard = Guard::new(Allowed::default());
        let client = client(guard, name_server(move || Some(told.clone())).await, SHORT);
        said.push(client.call(post("https://wiki.example.com/")).await.unwrap_err());
    }
    assert!(matches!(said[..], [Failure::Refused(Refusal::NotPublic), Failure::Unknown(_)]), "{said:?}");
    assert_eq!(said[0].to_string(), said[1].to_string());
}
