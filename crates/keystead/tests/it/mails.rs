//! The mails of the 90-day rule, taken by a real mail server.

use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use keystead_core::{Mailer, NoticeFilter};
use keystead_jobs::mail_worker;
use keystead_model::{
    UtcMs,
    agency::AgencyPatch,
    api_key::KeyName,
    grant::Reach,
    key_kind::KeyKind,
    key_policy::KeyPolicy,
    mail::MailState,
    notice::{Channel, Muted, Topic},
    page::Window,
    scope::Preset,
    text::EmailAddress,
    time::DAY_MS,
};
use keystead_testkit::{ADMIN_EMAIL, TestApp, TestDatabase};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

/// A mail server that keeps what it is given, or refuses it.
pub(crate) struct Sink {
    pub(crate) url: String,
    pub(crate) mails: Arc<Mutex<Vec<String>>>,
    pub(crate) refuses: Arc<AtomicBool>,
    /// Whether it keeps to itself that it has taken a mail.
    pub(crate) is_mute: Arc<AtomicBool>,
}

#[expect(clippy::disallowed_methods, reason = "it ends with the test")]
pub(crate) async fn sink() -> Sink {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (mails, refuses) = (Arc::new(Mutex::new(Vec::new())), Arc::<AtomicBool>::default());
    let is_mute = Arc::<AtomicBool>::default();
    let sink = Sink { url, mails: Arc::clone(&mails), refuses: Arc::clone(&refuses), is_mute: Arc::clone(&is_mute) };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            if write.write_all(b"220 sink\r\n").await.is_err() {
                continue;
            }
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match line.split(' ').next().unwrap_or_default() {
                    "DATA" => {
                        write.write_all(b"354 go on\r\n").await.unwrap();
                        let mut text = String::new();
                        while let Ok(Some(line)) = lines.next_line().await {
                            if line == "." {
                                break;
                            }
                            text.push_str(&line);
                            text.push('\n');
                        }
                        mails.lock().unwrap().push(text);
                        if is_mute.load(std::sync::atomic::Ordering::Relaxed) {
                            continue;
                        }
                        "250 taken"
                    }
                    "MAIL" if refuses.load(std::sync::atomic::Ordering::Relaxed) => "451 not now",
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    sink
}

pub(crate) const BASE: &str = "https://crm.example";

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_gets_one_summary_a_day_that_is_true_when_it_is_sent() {
    let app = TestApp::start().await;
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "Keystead <keys@crm.example>").unwrap();
    let (first, second) = (app.location_key().await, app.location_key().await);
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 1, "two keys, one mail");
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0, "one a day");
    // One is used before the mail goes out: it is not named any more.
    app.get("/api-keys/self").key(&first).send().await.expect(200);
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let mails = sink.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert!(mail.contains(&format!("To: {ADMIN_EMAIL}")) && mail.contains("Subject: 1 API key unused"), "{mail}");
    assert!(mail.contains("https://crm.example/app/agency/notices") && mail.contains("A test"), "{mail}");
    assert!(!mail.contains("ks_location"), "no key in a mail");
    assert_eq!(app.app.list_mails().await.unwrap()[0].state, MailState::Sent);
    drop(second);
    // The seven-day notice brings no mail.
    app.let_days_pass(8.0).await;
    app.app.sweep().await.unwrap();
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_down_for_days_delays_no_deletion_and_gets_no_stale_mail() {
    let app = TestApp::start().await;
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "keys@crm.example").unwrap();
    sink.refuses.store(true, std::sync::atomic::Ordering::Relaxed);
    let key = app.location_key().await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    app.app.queue_mails(BASE).await.unwrap();
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let waiting = app.app.list_mails().await.unwrap();
    assert_eq!((waiting[0].state, waiting[0].attempts), (MailState::Waiting, 1));
    assert!(waiting[0].problem.as_ref().unwrap().contains("not now"), "{waiting:?}");
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    assert_eq!(app.app.list_mails().await.unwrap()[0].attempts, 1, "not at once again");
    app.let_days_pass(2.0).await;
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    assert_eq!(app.app.list_mails().await.unwrap()[0].attempts, 2);
    // The key is used: what the mail was about is over.
    app.get("/api-keys/self").key(&key).send().await.expect(200);
    app.let_days_pass(1.0).await;
    sink.refuses.store(false, std::sync::atomic::Ordering::Relaxed);
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    assert!(sink.mails.lock().unwrap().is_empty());
    assert_eq!(app.app.list_mails().await.unwrap()[0].state, MailState::Dropped);
    // And no mail was ever needed for a deletion.
    for days in [75.05, 8.0, 6.0, 1.1] {
        app.let_days_pass(days).await;
        app.app.sweep().await.unwrap();
    }
    assert_eq!(app.get("/api-keys/self").key(&key).send().await.json()["code"], "key_deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_nobody_takes_for_five_days_is_given_up_and_kept() {
    let app = TestApp::start().await;
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "keys@crm.example").unwrap();
    sink.refuses.store(true, std::sync::atomic::Ordering::Relaxed);
    app.location_key().await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    app.app.queue_mails(BASE).await.unwrap();
    // No mail server was configured meanwhile: what nobody tries is not given up.
    app.let_days_pass(6.0).await;
    for (days, state) in [(0.0, MailState::Waiting), (4.9, MailState::Waiting), (0.5, MailState::Failed)] {
        app.let_days_pass(days).await;
        mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
        let mail = app.app.list_mails().await.unwrap().remove(0);
        assert_eq!(mail.state, state, "{mail:?}");
        assert!(mail.problem.unwrap().contains("not now"));
    }
    sink.refuses.store(false, std::sync::atomic::Ordering::Relaxed);
    app.let_days_pass(1.0).await;
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let mail = app.app.list_mails().await.unwrap().remove(0);
    assert_eq!((mail.state, mail.attempts), (MailState::Failed, 3), "it is not tried any more");
    assert!(sink.mails.lock().unwrap().is_empty());
}

/// Killed between the mail server's taking of a mail and ours of its word, a server cannot know: the mail goes out again, under
/// the same name.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_it_sends_loses_no_mail() {
    use std::sync::atomic::Ordering::Relaxed;
    let mut app = TestApp::start().await;
    let sink = sink().await;
    app.location_key().await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 1);
    // Whatever the clock of this machine says, it is due.
    let due = "UPDATE jobs SET due_at = 0";
    app.sql(due).await;
    app.stop().await;
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--smtp-url", &sink.url, "--mail-from", "keys@crm.example"]);
        command.arg("--data-dir").arg(&app.database.folder).stdout(Stdio::null()).stderr(Stdio::null());
        if TestDatabase::is_postgres() {
            command.args(["--database-url", app.database.url()]);
        }
        Killed(command.spawn().unwrap())
    };
    sink.is_mute.store(true, Relaxed);
    let first = start();
    let taken = async |count: usize| {
        while sink.mails.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    taken(1).await;
    drop(first);
    assert_eq!(app.app.list_mails().await.unwrap()[0].state, MailState::Waiting);
    sink.is_mute.store(false, Relaxed);
    let _second = start();
    // Its lease ends.
    app.sql(due).await;
    taken(2).await;
    while app.app.list_mails().await.unwrap()[0].state != MailState::Sent {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mail = app.app.list_mails().await.unwrap().remove(0);
    let mails = sink.mails.lock().unwrap().clone();
    let id = format!("Message-ID: <{}@keystead>", mail.id);
    assert!(mails.len() == 2 && mails.iter().all(|mail| mail.contains(&id)), "{mails:?}");
    assert_eq!(mail.attempts, 2);
}

/// A process that ends as by kill -9.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exposed_key_is_mailed_at_once_and_once() {
    let app = TestApp::start().await;
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "keys@crm.example").unwrap();
    let (first, second) = (app.location_key().await, app.location_key().await);
    let report = |key: &str| json!({"keys": [key]});
    app.post("/api-keys/revoke-exposed").json(&report(&first.secret)).send().await.expect(202);
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 1);
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0, "once");
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    app.post("/api-keys/revoke-exposed").json(&report(&second.secret)).send().await.expect(202);
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 1, "the next one waits for no day to pass");
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let mails = sink.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    for mail in mails {
        // Long lines are folded on their way.
        let mail = mail.replace("=\n", "");
        assert!(mail.contains("Subject: An API key was found in public"), "each tells of one key: {mail}");
        assert!(mail.contains("/app/agency/notices/preferences") && !mail.contains("ks_location"), "{mail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_has_muted_is_not_mailed_and_expiries_are_part_of_the_summary() {
    let app = TestApp::start().await;
    let idle = app.location_key().await;
    let expires_at = UtcMs(app.app.now().0 + 80 * DAY_MS);
    let scopes = Preset::FullAccess.scopes(KeyKind::Location);
    app.key_with(Reach::location(app.ids.location), scopes, |new| {
        new.name = KeyName::parse("Ends").unwrap();
        new.grant.expires_at = Some(expires_at);
    })
    .await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    let (admin, muted) = (app.admin().await, |topic| Muted::new([(topic, Channel::Email)]));
    app.app.mute_notices(&admin, muted(Topic::Inactivity)).await.unwrap();
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 1);
    let mail = app.app.list_mails().await.unwrap().remove(0);
    assert!(mail.subject == "1 API key about to expire" && mail.body.contains("Ends (20"), "{mail:?}");
    // What is chosen later counts for what is sent later.
    app.app.mute_notices(&admin, muted(Topic::Expiry)).await.unwrap();
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "keys@crm.example").unwrap();
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let mail = app.app.list_mails().await.unwrap().remove(0);
    assert!(mail.subject.starts_with("1 API key unused") && !mail.body.contains("Ends ("), "{mail:?}");
    // In the app both are there, and the admin may hide only the one that costs no key.
    let kinds = async || {
        let found = app.app.list_notices(&admin, NoticeFilter::default(), Window::first(10)).await.unwrap().rows;
        found.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(kinds().await.len(), 2);
    let everything = Topic::ALL.map(|topic| (topic, Channel::InApp));
    app.app.mute_notices(&admin, Muted::new(everything)).await.unwrap();
    assert_eq!(kinds().await, ["inactivity"]);
    assert_eq!(app.app.count_unseen_notices(&admin).await.unwrap(), 1);
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_hears_of_its_keys_and_of_nothing_else() {
    let app = TestApp::start().await;
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "keys@crm.example").unwrap();
    let named = async |name: &str, contact: Option<&str>| {
        let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
        app.key_with(Reach::location(app.ids.location), scopes, |new| {
            new.name = KeyName::parse(name).unwrap();
            new.about.contact = contact.map(|address| EmailAddress::parse(address).unwrap());
        })
        .await
    };
    let (partner, other) = (named("Of a partner", Some("partner@x.example")).await, named("Other", None).await);
    // Somebody who is told anyway is not told twice.
    let own = named("Own", Some(ADMIN_EMAIL)).await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 2);
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0, "once");
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let to = |address: &str| {
        let wanted = format!("To: {address}");
        sink.mails.lock().unwrap().iter().filter(|mail| mail.contains(&wanted)).cloned().collect::<Vec<_>>()
    };
    let (told, admin) = (to("partner@x.example"), to(ADMIN_EMAIL));
    assert_eq!((told.len(), admin.len()), (1, 1));
    assert!(told[0].contains("Of a partner") && !told[0].contains("Other") && !told[0].contains("Own"), "{}", told[0]);
    assert!(!told[0].contains("/app/") && told[0].contains("is the contact of these keys"), "{}", told[0]);
    assert!(["Of a partner", "Other", "Own"].iter().all(|name| admin[0].contains(name)), "{}", admin[0]);
    // An alert, and the agency's own contact, who hears of all keys.
    let contact = Some(EmailAddress::parse("security@x.example").unwrap());
    let patch = AgencyPatch { keys: Some(KeyPolicy { contact, ..KeyPolicy::default() }), ..AgencyPatch::default() };
    app.app.update_agency(&app.operator().await, app.ids.agency, patch).await.unwrap();
    for key in [&partner, &other] {
        app.post("/api-keys/revoke-exposed").json(&json!({"keys": [key.secret]})).send().await.expect(202);
    }
    app.app.queue_mails(BASE).await.unwrap();
    // Settled before it goes out: nobody is told of it any more.
    let operator = app.operator().await;
    let patch = keystead_model::api_key::KeyPatch {
        about: keystead_model::api_key::KeyAboutPatch { contact: Some(None), ..Default::default() },
        ..Default::default()
    };
    app.app.update_key(operator.authority(), partner.id, None, patch).await.unwrap();
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let security = to("security@x.example").join("\n");
    assert!(["Of a partner", "Other", "Own"].iter().all(|name| security.contains(name)), "{security}");
    assert_eq!(to("partner@x.example").len(), 1, "it is not their key any more");
    drop(own);
}
