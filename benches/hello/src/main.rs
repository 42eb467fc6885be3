//! The baseline of the benches: a bare axum server that answers a constant, with the same allocator and runtime.

use std::net::SocketAddr;

use axum::{Router, routing::get};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8081);
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await.expect("a free port");
    let router = Router::new().route("/", get(|| async { "hello" }));
    axum::serve(listener, router).await.expect("a server");
}
