//! A client without comfort: it counts what comes back, and hides nothing.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::Outcome;

/// What came back.
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// Seconds of its `Retry-After`.
    pub(crate) retry_after: Option<u64>,
    /// Body, and the head before it.
    pub(crate) text: String,
}

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(30);

impl Connection {
    /// Connects from one of many loopback addresses, so that there are ports for all.
    pub(crate) async fn open(server: SocketAddr, number: usize) -> io::Result<Self> {
        Ok(Self { stream: connect(server, number, None).await?, buffer: Vec::new() })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        tokio::time::timeout(PATIENCE, async {
            self.stream.write_all(request).await?;
            self.read_answer().await
        })
        .await
        .unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Sends a JSON body with a key, and reads the one of an answer that says it was done.
    pub(crate) async fn post(&mut self, path: &str, key: &str, body: &Value) -> Outcome<Value> {
        let answer = self.ask(&request("POST", path, key, &body.to_string())).await;
        let answer = answer.map_err(|error| format!("{path}: {error}"))?;
        if !(200..300).contains(&answer.status) {
            return Err(format!("{path}: {}", answer.text));
        }
        let text = answer.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))
    }

    async fn read_answer(&mut self) -> io::Result<Answer> {
        let mut head_end = None;
        loop {
            if head_end.is_none() {
                head_end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
            }
            if let Some(end) = head_end {
                let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                let header = |name: &str| {
                    let line =
                        head.lines().find(|line| line.get(..name.len()).is_some_and(|l| l.eq_ignore_ascii_case(name)));
                    line.and_then(|line| line[name.len()..].trim_start_matches(':').trim().parse::<u64>().ok())
                };
                let length = header("content-length").unwrap_or(0) as usize;
                if self.buffer.len() >= end + length {
                    let text = String::from_utf8_lossy(&self.buffer[..end + length]).into_owned();
                    self.buffer.drain(..end + length);
                    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
                    return Ok(Answer { status, retry_after: header("retry-after"), text });
                }
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// A connection from loopback address `number`, whose side takes only `window` bytes at a time.
pub(crate) async fn connect(server: SocketAddr, number: usize, window: Option<u32>) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(window) = window {
        socket.set_recv_buffer_size(window)?;
    }
    let from = Ipv4Addr::new(127, 1, (number / 10_000) as u8, (1 + number / 100 % 100) as u8);
    socket.bind((from, 0).into())?;
    let stream = tokio::time::timeout(PATIENCE, socket.connect(server)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A request with a key, and a body where there is one.
pub(crate) fn request(method: &str, path: &str, key: &str, body: &str) -> Vec<u8> {
    let body_head = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{body_head}\r\n{body}").into_bytes()
}

/// What a form sends, as a browser does.
pub(crate) fn form(path: &str, fields: &str) -> Vec<u8> {
    let length = fields.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{fields}"
    )
    .into_bytes()
}

/// A page, as somebody who is signed in asks for it.
pub(crate) fn page(path: &str, cookies: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\n\r\n").into_bytes()
}
