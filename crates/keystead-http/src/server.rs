//! The accept loop: bare `axum::serve` has no timers, so slow clients could hold it for ever.

use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, sync::Semaphore};

use crate::Metrics;

/// Limits of the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// Open connections; more wait in the listen queue.
    pub max: usize,
    /// A request's line and headers must arrive within this, and an idle connection is closed after it.
    pub header_time: Duration,
    /// Bytes of a request's line and headers.
    pub header_bytes: usize,
    /// Requests that are under way get this long at the end.
    pub grace: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            max: 10_000,
            header_time: Duration::from_secs(30),
            header_bytes: 16 * 1024,
            grace: Duration::from_secs(10),
        }
    }
}

/// Serves connections until `stop` is done, then lets the requests under way finish.
pub async fn serve<S, F, B>(
    listener: TcpListener,
    limits: Connections,
    metrics: Arc<Metrics>,
    service: S,
    stop: impl Future<Output = ()>,
) where
    S: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = http1::Builder::new();
    // Answers are small: one copy into the buffer of the head costs less than a vectored write.
    builder
        .writev(false)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(limits.header_bytes);
    let room = Arc::new(Semaphore::new(limits.max));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&room).acquire_owned() => {
                let Ok(permit) = permit else { break };
                tokio::select! {
                    () = &mut stop => break,
                    accepted = listener.accept() => accepted.map(|(stream, peer)| (stream, peer, permit)),
                }
            }
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: closing connections frees some.
                tracing::error!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = service.clone();
        let connection = builder.serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                let answer = service(request, peer);
                async move { Ok::<_, Infallible>(answer.await) }
            }),
        );
        let connection = graceful.watch(connection);
        let metrics = Arc::clone(&metrics);
        #[expect(clippy::disallowed_methods, reason = "one task a connection, counted by the semaphore")]
        tokio::spawn(async move {
            metrics.connections.inc();
            // What breaks here is the client's connection; there is nobody to tell.
            let _ = connection.await;
            metrics.connections.dec();
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that did not finish in time were cut off");
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
