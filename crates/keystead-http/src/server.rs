//! The accept loop: bare `axum::serve` has no timers, so slow clients could hold it for ever.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use keystead_core::{Source, tally::Happening};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    Metrics, Pace, RequestBody, TrustedProxies,
    body::drain,
    pace::{AnswerBody, Left, SeatedStream},
    room::{Guest, NoSeat, Room, SentAway, Stage},
};

/// Limits of the accept loop.
#[derive(Clone, Debug)]
pub struct Connections {
    /// Open connections. One more takes the place of a client that keeps us waiting, or waits in the listen queue.
    pub max: usize,
    /// Open connections of one source, unless it is a proxy, or may be one that nobody told us of.
    pub per_source: usize,
    /// How long clients may take.
    pub pace: Pace,
    /// Bytes of a request's line and headers.
    pub header_bytes: usize,
    /// When no more connections are accepted, those that are open are heard for so long before they are closed between
    /// two requests: what a balancer has just sent on one would be lost.
    pub last_words: Duration,
    /// Requests that are under way get this long at the end.
    pub grace: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            max: 10_000,
            per_source: 1_000,
            pace: Pace::default(),
            header_bytes: 16 * 1024,
            last_words: Duration::ZERO,
            grace: Duration::from_secs(10),
        }
    }
}

/// Serves connections until `stop` is done, then lets the requests under way finish, and ends those that do not. Nothing
/// holds on to `service` afterwards.
pub async fn serve<S, F, B>(
    listener: TcpListener,
    limits: Connections,
    proxies: TrustedProxies,
    metrics: Arc<Metrics>,
    service: S,
    stop: impl Future<Output = ()>,
) where
    S: Fn(Request<RequestBody>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = http1::Builder::new();
    // Answers are small: one copy into the buffer of the head costs less than a vectored write.
    builder.writev(false).max_buf_size(limits.header_bytes);
    let room = Arc::new(Room::new(limits.max, limits.per_source));
    let graceful = GracefulShutdown::new();
    let open = |stream: TcpStream, peer: SocketAddr, guest: Guest| {
        let _ = stream.set_nodelay(true);
        let (service, pace, seat) = (service.clone(), limits.pace, Arc::clone(&guest.seat));
        let connection = builder.serve_connection(
            TokioIo::new(SeatedStream::new(stream, Arc::clone(&guest.seat))),
            service_fn(move |request: Request<Incoming>| {
                seat.enter(Stage::Answer);
                let (seat, left) = (Arc::clone(&seat), Left::default());
                let waits = request.headers().contains_key(header::EXPECT);
                let body = |body| RequestBody::new(body, Arc::clone(&seat), pace, left.clone());
                let answer = service(request.map(body), peer);
                async move {
                    let mut answer = answer.await.map(|body| AnswerBody::new(body, seat));
                    if let Some(body) = left.take()
                        && (waits || !finishes(body).await)
                    {
                        // Nothing more can be read on this connection, and whoever uses it must know.
                        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok::<_, Infallible>(answer)
                }
            }),
        );
        let connection = graceful.watch(connection);
        let metrics = Arc::clone(&metrics);
        #[expect(clippy::disallowed_methods, reason = "one task a connection, counted by its seat")]
        tokio::spawn(async move {
            metrics.connections.open.fetch_add(1, Relaxed);
            tokio::select! {
                // What breaks here is the client's connection; there is nobody to tell.
                _ = connection => {}
                why = guest.seat.sent_away() => {
                    match why {
                        SentAway::Late => metrics.connections.late.fetch_add(1, Relaxed),
                        SentAway::Displaced => metrics.connections.displaced.fetch_add(1, Relaxed),
                        SentAway::Closed => 0,
                    };
                }
            }
            metrics.connections.open.fetch_sub(1, Relaxed);
        });
    };
    let serving = async {
        loop {
            if let Some((stream, peer, guest)) = accept(&listener, &room, &proxies, &metrics).await {
                open(stream, peer, guest);
            }
        }
    };
    let looking = async {
        loop {
            tokio::time::sleep(limits.pace.look_every()).await;
            room.send_away_who_is_late(&limits.pace);
        }
    };
    tokio::select! {
        () = stop => {}
        () = serving => {}
        () = looking => {}
    }
    // Whoever has connected already may have sent a request: those who wait to be accepted are, and all are heard.
    while let Some(accepted) = at_once(accept(&listener, &room, &proxies, &metrics)) {
        if let Some((stream, peer, guest)) = accepted {
            open(stream, peer, guest);
        }
    }
    drop(listener);
    tokio::time::sleep(limits.last_words).await;
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that did not finish in time were cut off");
        room.close();
    }
    // What they used is free then, for whoever ends after us.
    let _ = tokio::time::timeout(CLEARED_WITHIN, room.emptied()).await;
}

/// Connections that were ended are gone at once, but for one whose thread is busy.
const CLEARED_WITHIN: Duration = Duration::from_secs(1);

/// Bytes of a body that nobody reads, and how long they may take to come, for its connection to be used again.
const UNREAD: u64 = 64 * 1024;
const UNREAD_WITHIN: Duration = Duration::from_secs(1);

/// Passes over a body that was answered unread: many clients send it right after the head, and read the answer after that. Whether
/// that was all of it.
async fn finishes(body: Incoming) -> bool {
    let is_short = body.size_hint().upper().is_some_and(|bytes| bytes <= UNREAD);
    is_short && tokio::time::timeout(UNREAD_WITHIN, drain(body)).await.unwrap_or(false)
}

/// The next connection that may stay.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Room>,
    proxies: &TrustedProxies,
    metrics: &Metrics,
) -> Option<(TcpStream, SocketAddr, Guest)> {
    let (stream, peer) = match listener.accept().await {
        Ok(accepted) => accepted,
        Err(error) => {
            // Out of file descriptors, mostly: closing connections frees some.
            const WHAT: &str = "a connection cannot be accepted";
            if Happening::new(WHAT, "accept").is_told() {
                tracing::error!(%error, "{WHAT}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            return None;
        }
    };
    let source = (!proxies.may_stand_for_many(peer.ip())).then(|| Source::of(peer.ip()));
    loop {
        match room.take(source) {
            Ok(guest) => return Some((stream, peer, guest)),
            Err(NoSeat::Full) => room.freed().await,
            Err(NoSeat::TooManyFromSource) => {
                metrics.connections.refused.fetch_add(1, Relaxed);
                const WHAT: &str = "a source has as many connections as it may have";
                if (Happening { source, ..Happening::new(WHAT, "connections") }).is_told() {
                    tracing::warn!(address = %peer.ip(), "{WHAT}");
                }
                // Written without waiting: whoever has a thousand connections is not worth one more task.
                let _ = stream.try_write(TOO_MANY);
                return None;
            }
        }
    }
}

/// What a future has already.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    // Not the runtime's to hold back: what is there is to be taken now.
    let future = std::pin::pin!(tokio::task::unconstrained(future));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// What a connection too many is told.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 44\r\n\r\nToo many connections come from your address\n";

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
