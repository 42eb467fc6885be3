//! How long what every request passes takes, in one thread: the whole of `App::authenticate` on a cache hit, use noted,
//! and a place to work where there is room.

use std::{net::IpAddr, time::Instant};

use keystead_core::{RequestFacts, RequestId};
use keystead_http::{Admission, Party, Places};
use keystead_testkit::TestApp;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: u32 = 9;
const CALLS: u32 = 200_000;

#[tokio::main]
async fn main() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let facts = RequestFacts {
        id: RequestId::from_bits(1),
        address: IpAddr::from([127, 0, 0, 1]),
        address_is_own: true,
        user_agent: Some("bench/1.0"),
        endpoint: "GET /api-keys/self",
        origin: None,
    };
    app.app.authenticate(&key.secret, &facts).await.expect("a key");
    app.app.poll_changes().await.expect("a poll");
    measure("authenticate, cache hit", async || {
        app.app.authenticate(&key.secret, &facts).await.expect("a key");
    })
    .await;
    let admission = Admission::new(Places::of(128));
    let party = Party::Agency(app.ids.agency);
    measure("a place to work, where there is room", async || {
        admission.enter(party).await.expect("a place");
    })
    .await;
}

async fn measure(what: &str, call: impl AsyncFn()) {
    let mut rounds: Vec<u128> = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..CALLS {
            call().await;
        }
        rounds.push(begun.elapsed().as_nanos() / u128::from(CALLS));
    }
    rounds.sort_unstable();
    println!("{what}: {} ns (min {}, max {})", rounds[rounds.len() / 2], rounds[0], rounds[rounds.len() - 1]);
}
