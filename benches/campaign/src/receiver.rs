//! A receiver of webhooks: it checks every try that comes, and answers as it is told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::Outcome;

#[path = "../../../crates/keystead-web/guides/samples/webhook.rs"]
#[expect(unreachable_pub, reason = "it stands for itself")]
mod sample;

/// How it answers.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// Every `0`th of ten tries fails, never two in a row.
    Fails(u64),
    /// It takes what comes and says nothing for so long.
    Silent(Duration),
}

/// What is known of a message.
struct Message {
    digest: u64,
    tries: u32,
    is_taken: bool,
    /// Whether a try of it is being answered.
    is_open: bool,
}

/// What it saw.
#[derive(Default)]
pub(crate) struct Seen {
    messages: HashMap<String, Message>,
    /// Things in bodies of messages that it took, by their ids, and when each was first taken.
    taken: HashMap<String, Instant>,
    /// What must not be.
    pub(crate) wrong: Vec<String>,
    pub(crate) taken_again: usize,
    pub(crate) at_once: usize,
}

/// A receiver at an address of its own.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    manner: Manner,
    /// The secret of the endpoint that leads to each path.
    secrets: Mutex<HashMap<String, String>>,
    seen: Mutex<Seen>,
    pub(crate) tries: AtomicU64,
    pub(crate) open: AtomicUsize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "it ends with the campaign")]
    pub(crate) async fn start(manner: Manner) -> Outcome<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (tries, open) = (AtomicU64::new(0), AtomicUsize::new(0));
        let receiver =
            Arc::new(Self { address, manner, secrets: Mutex::default(), seen: Mutex::default(), tries, open });
        let accepting = Arc::clone(&receiver);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = Arc::clone(&accepting);
                tokio::spawn(async move { receiver.serve(stream).await });
            }
        });
        Ok(receiver)
    }

    /// Knows the secret of an endpoint that leads to a path here.
    pub(crate) fn knows(&self, path: &str, secret: &str) {
        locked(&self.secrets).insert(path.to_owned(), secret.to_owned());
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        locked(&self.seen)
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut buffer = Vec::new();
        loop {
            let (head, body) = read(&mut stream, &mut buffer).await?;
            self.open.fetch_add(1, Relaxed);
            let status = self.answer(&head, &body).await;
            self.open.fetch_sub(1, Relaxed);
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }

    async fn answer(&self, head: &str, body: &str) -> &'static str {
        let number = self.tries.fetch_add(1, Relaxed);
        let fails = match self.manner {
            Manner::Fails(of_ten) => (number % 10).is_multiple_of(3) && number % 10 / 3 < of_ten,
            Manner::Silent(_) => false,
        };
        let id = self.note(head, body, !fails);
        if let Manner::Silent(time) = self.manner {
            tokio::time::sleep(time).await;
        }
        if let Some(message) = id.and_then(|id| self.seen().messages.remove(&id).map(|message| (id, message))) {
            let (id, message) = message;
            self.seen().messages.insert(id, Message { is_open: false, ..message });
        }
        if fails { "503 Service Unavailable" } else { "204 No Content" }
    }

    /// Looks at a try; answers which message it was of.
    #[expect(clippy::disallowed_methods, reason = "a receiver has a clock of its own")]
    fn note(&self, head: &str, body: &str, is_taken: bool) -> Option<String> {
        let header = |name: &str| {
            let line = head.lines().find(|line| line.get(..name.len()).is_some_and(|l| l.eq_ignore_ascii_case(name)));
            line.map(|line| line[name.len()..].trim_start_matches(':').trim())
        };
        let mut seen = self.seen();
        let Some(id) = header("webhook-id").map(str::to_owned) else {
            seen.wrong.push("a try without an id".to_owned());
            return None;
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()) as i64;
        // Signed for this try: with a little for the way, and for the clock's seconds.
        let stamp: i64 = header("webhook-timestamp").and_then(|stamp| stamp.parse().ok()).unwrap_or(0);
        if (now - stamp).abs() > 20 {
            seen.wrong.push(format!("{id} was signed {} s ago", now - stamp));
        }
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let is_signed = |secret: &String| sample::is_from_keystead(header, body.as_bytes(), secret, now);
        if !locked(&self.secrets).get(path).is_some_and(is_signed) {
            seen.wrong.push(format!("{id} is not signed"));
        }
        let digest = digest(body);
        let thing = serde_json::from_str::<serde_json::Value>(body).ok();
        let thing = thing.and_then(|body| body["id"].as_str().map(str::to_owned)).unwrap_or_default();
        if let Some(message) = seen.messages.get(&id) {
            let (is_another, is_open, was_taken) = (message.digest != digest, message.is_open, message.is_taken);
            if is_another {
                seen.wrong.push(format!("{id} has two bodies"));
            }
            seen.at_once += usize::from(is_open);
            seen.taken_again += usize::from(was_taken);
        }
        let message = seen.messages.entry(id.clone());
        let message = message.or_insert(Message { digest, tries: 0, is_taken: false, is_open: true });
        message.tries += 1;
        message.is_open = true;
        message.is_taken |= is_taken;
        if is_taken {
            seen.taken.entry(thing).or_insert_with(Instant::now);
        }
        Some(id)
    }
}

impl Seen {
    /// When a message about a thing was first taken.
    pub(crate) fn taken_at(&self, thing: &str) -> Option<Instant> {
        self.taken.get(thing).copied()
    }

    pub(crate) fn most_tries(&self) -> u32 {
        self.messages.values().map(|message| message.tries).max().unwrap_or(0)
    }
}

/// Bodies are compared by it, not kept.
fn digest(body: &str) -> u64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    body.bytes().fold(0xcbf2_9ce4_8422_2325, hash)
}

/// The head and the body of a request.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let whole = end + length.unwrap_or(0);
            if buffer.len() >= whole {
                let body = String::from_utf8_lossy(&buffer[end..whole]).into_owned();
                buffer.drain(..whole);
                return Some((head, body));
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}
