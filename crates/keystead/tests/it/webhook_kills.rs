//! Webhooks whose receiver fails and whose senders are killed: everything arrives all the same. `campaign webhooks` does the same
//! to whole servers, at length.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use keystead_core::{App, Guard, LocationContext, OutboundClient};
use keystead_jobs::delivery_worker;
use keystead_model::{contact::ContactPatch, text::Line};
use keystead_testkit::TestApp;
use tokio::task::JoinHandle;

use crate::webhooks::{Receiver, Sent, allowed, endpoint, instance};

const EVENTS: usize = 300;
const KILLS: usize = 25;

/// A server that only sends. Nothing of it is left when it is killed.
struct Sender(JoinHandle<()>);

impl Sender {
    async fn start(app: &TestApp) -> Self {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let client = OutboundClient::of_this_machine(Guard::new(allowed())).unwrap();
        let worker = delivery_worker(&app.second_node().await, &client);
        #[expect(clippy::disallowed_methods, reason = "it is killed, or ends with the test")]
        let running = tokio::spawn(async move {
            worker.run(stopped, Duration::from_secs(1)).await;
            drop(stop);
        });
        Self(running)
    }

    async fn kill(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

async fn contact(node: &App, context: &LocationContext) -> String {
    let new = ContactPatch { first_name: Some(Some(Line::parse("Zoë").unwrap())), ..ContactPatch::default() };
    node.create_contact(context, new).await.unwrap().id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_though_receivers_fail_and_senders_are_killed() {
    let mut app = instance().await;
    // Three of ten tries fail, never two in a row; an answer takes a moment, in which its sender may be killed.
    let fails = |number: usize| (number % 10).is_multiple_of(3) && number % 10 < 9;
    let receiver =
        Receiver::answering(move |number, _| (if fails(number) { 500 } else { 200 }, Duration::from_millis(5))).await;
    let key = app.location_key().await;
    let (_, secret) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    let node = app.second_node().await;
    let authority = keystead_testkit::authenticate(&node, &key).await.unwrap().authority();
    // The server that would send ends with its own.
    app.stop().await;
    let context = node.enter_location(authority, None).await.unwrap();

    let mut made = HashSet::new();
    let (mut first, mut second) = (Sender::start(&app).await, Sender::start(&app).await);
    for number in 0..EVENTS {
        made.insert(contact(&node, &context).await);
        if number % (EVENTS / KILLS) == 0 {
            std::mem::replace(&mut first, second).kill().await;
            second = Sender::start(&app).await;
        }
    }
    let missing = |sent: &[Sent]| {
        let taken = sent.iter().filter(|sent| sent.status == 200);
        let taken: HashSet<String> = taken.map(|sent| sent.json()["id"].as_str().unwrap().to_owned()).collect();
        made.iter().filter(|id| !taken.contains(*id)).count()
    };
    // What was under way comes after its lease, and what failed when its turn comes.
    for _ in 0..60 {
        if missing(&receiver.sent()) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        app.clock.advance(Duration::from_secs(3 * 3600));
    }
    let sent = receiver.sent();
    assert_eq!(missing(&sent), 0, "of {EVENTS}");
    let mut bodies: HashMap<&str, &Sent> = HashMap::new();
    for sent in &sent {
        assert!(sent.is_signed_with(&secret));
        let first = bodies.entry(sent.id()).or_insert(sent);
        assert_eq!(first.body, sent.body, "one message has one body");
    }
    assert_eq!(bodies.len(), EVENTS, "each event is one message");
    assert!(sent.len() > EVENTS * 13 / 10, "{} tries", sent.len());
    first.kill().await;
    second.kill().await;
}
