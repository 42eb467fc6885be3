//! Guesses at passwords: few are heard, and nobody's guesses lock out who has signed in before.

use std::time::{Duration, Instant};

use keystead_http::TrustedProxies;
use keystead_model::user::Role;
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Call, TestApp};
use tokio::task::JoinSet;

use crate::app::{from_here, member, sign_in};

const TOO_MANY: &str = "Too many attempts";
const NOT_RIGHT: &str = "not right";

/// An instance behind a balancer, so that a test can come from wherever it likes.
async fn behind_a_balancer() -> TestApp {
    TestApp::start_with(|config| config.proxies = TrustedProxies::parse("127.0.0.1").expect("an address")).await
}

/// A sign-in from an address, with the cookies of a browser.
fn sign_in_from(app: &TestApp, from: &str, browser: &str, email: &str, password: &str) -> Call {
    let call = from_here(app.post("/app/sign-in")).header("X-Forwarded-For", from).header("Cookie", browser);
    call.form(&[("email", email), ("password", password)])
}

async fn attempt(app: &TestApp, from: &str, browser: &str, email: &str, password: &str) -> Answer {
    sign_in_from(app, from, browser, email, password).send().await
}

async fn at_once(calls: impl Iterator<Item = Call>) -> Vec<Answer> {
    calls.map(Call::send).collect::<JoinSet<_>>().join_all().await
}

/// What a browser keeps after it has signed in, and after it has signed out.
fn known_browser(answer: &Answer) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    pairs.find(|pair| pair.starts_with("keystead-browser=")).expect("a browser's cookie").to_owned()
}

fn heard(answers: &[Answer]) -> usize {
    answers
        .iter()
        .filter(|answer| {
            assert!(answer.text.contains(NOT_RIGHT) || answer.text.contains(TOO_MANY), "{}", answer.text);
            answer.text.contains(NOT_RIGHT)
        })
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_before_they_are_heard_and_for_a_whole_prefix() {
    let app = behind_a_balancer().await;
    let many = (0..300).map(|_| sign_in_from(&app, "192.0.2.1", "", ADMIN_EMAIL, "wrong wrong"));
    assert_eq!(heard(&at_once(many).await), 8);
    // A house has a /64: its addresses count as one.
    let from = |number: usize| format!("2001:db8::{number:x}");
    let house = (0..60).map(|number| sign_in_from(&app, &from(number), "", "b@x.example", "wrong"));
    assert_eq!(heard(&at_once(house).await), 8);
    // From everywhere, an account has few guesses an hour, whether it exists or not.
    for email in [ADMIN_EMAIL, "b@x.example"] {
        let from = |number: usize| format!("198.51.100.{number}");
        let everywhere = (0..120).map(|number| sign_in_from(&app, &from(number), "", email, "wrong"));
        let heard = heard(&at_once(everywhere).await);
        assert!((25..=42).contains(&heard), "{email}: {heard}, and the queue of hashes refuses some");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_has_signed_in_before_is_not_locked_out_by_others() {
    let app = behind_a_balancer().await;
    let browser = known_browser(&attempt(&app, "192.0.2.1", "", ADMIN_EMAIL, ADMIN_PASSWORD).await);
    // In its own office, and in its own name.
    let others = (0..8).map(|_| sign_in_from(&app, "192.0.2.1", "", ADMIN_EMAIL, "wrong"));
    assert_eq!(heard(&at_once(others).await), 8);
    let stranger = attempt(&app, "192.0.2.1", "", ADMIN_EMAIL, ADMIN_PASSWORD).await;
    assert!(stranger.text.contains(TOO_MANY));
    let made_up = browser.replace('.', "x.");
    assert!(attempt(&app, "192.0.2.1", &made_up, ADMIN_EMAIL, ADMIN_PASSWORD).await.text.contains(TOO_MANY));
    assert_eq!(attempt(&app, "192.0.2.1", &browser, ADMIN_EMAIL, ADMIN_PASSWORD).await.status, 303);
    // It has guesses of its own, and they are few as well.
    let mut own = 0;
    for _ in 0..4 {
        let guesses = (0..10).map(|_| sign_in_from(&app, "192.0.2.1", &browser, ADMIN_EMAIL, "wrong"));
        own += heard(&at_once(guesses).await);
    }
    assert_eq!(own, 20);
    // The same browser is nobody special for another account.
    member(&app, "other@x.example", Role::AgencyUser, &[]).await;
    at_once((0..8).map(|_| sign_in_from(&app, "192.0.2.1", &browser, "other@x.example", "wrong"))).await;
    let other = attempt(&app, "192.0.2.1", &browser, "other@x.example", "a long password").await;
    assert!(other.text.contains(TOO_MANY));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_that_mistypes_can_still_sign_in() {
    let app = behind_a_balancer().await;
    for round in 0..2 {
        for desk in 0..4 {
            let email = |number: usize| format!("colleague{desk}{number}@x.example");
            let mistyped = (0..10).map(|number| sign_in_from(&app, "192.0.2.1", "", &email(number), "mistyped"));
            assert_eq!(heard(&at_once(mistyped).await), 10, "{round} {desk}");
        }
    }
    assert_eq!(attempt(&app, "192.0.2.1", "", ADMIN_EMAIL, ADMIN_PASSWORD).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_sign_in_waits_for_no_flood() {
    let app = behind_a_balancer().await;
    let flood = (0..1_000).map(|number| {
        let from = format!("198.51.{}.{}", number / 250, number % 250);
        sign_in_from(&app, &from, "", &format!("nobody{number}@x.example"), "wrong")
    });
    let honest = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = attempt(&app, "192.0.2.1", "", ADMIN_EMAIL, ADMIN_PASSWORD).await;
            if answer.status == 303 || tried == 100 {
                return (answer.status, tried);
            }
        }
    };
    let (_, (status, tried)) = tokio::join!(at_once(flood), honest);
    assert_eq!(status, 303, "after {tried} tries");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signed_in_cannot_guess_either() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let change = |current: &str| {
        let fields = [("current", current), ("password", "another long password")];
        from_here(app.post("/app/account")).header("Cookie", &cookie).form(&fields)
    };
    let refused = |answers: Vec<Answer>| {
        answers.iter().filter(|answer| answer.text.contains("s not your password") && answer.status == 422).count()
    };
    assert_eq!(refused(at_once((0..100).map(|_| change("a wrong password"))).await), 10);
    assert!(change(ADMIN_PASSWORD).send().await.text.contains(TOO_MANY));
    // What asks for the password again asks the same guard.
    app.clock.advance(Duration::from_secs(15 * 60 + 1));
    let form = format!("/app/locations/{}/settings/keys/new", app.ids.location);
    let create = |number: usize| {
        let id = number.to_string();
        let fields = [("form_id", &*id), ("name", "x"), ("preset", "read-only"), ("confirm_password", "wrong")];
        from_here(app.post(&form)).header("Cookie", &cookie).form(&fields)
    };
    // The queue of hashes takes only so many of one source at a time, and whom it turns away is not heard.
    assert_eq!(refused(at_once((0..100).map(create)).await), 10);
    assert!(change(ADMIN_PASSWORD).send().await.text.contains(TOO_MANY));
}

#[tokio::test(flavor = "multi_thread")]
async fn known_and_unknown_accounts_are_refused_alike() {
    let app = behind_a_balancer().await;
    let mut taken: [Vec<Duration>; 2] = Default::default();
    for number in 0..5 {
        for (email, taken) in [ADMIN_EMAIL, "nobody@x.example"].into_iter().zip(&mut taken) {
            let begun = Instant::now();
            let answer = attempt(&app, &format!("192.0.2.{number}"), "", email, "wrong wrong").await;
            taken.push(begun.elapsed());
            assert_eq!((answer.status, answer.text.contains(NOT_RIGHT)), (422, true));
        }
    }
    // Timed in a test only so far: both wait for the same moment, which is late enough for the row of the known one.
    assert!(taken.iter().flatten().all(|taken| *taken >= Duration::from_millis(500)), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_of_each_field_and_what_was_typed_stays() {
    let app = TestApp::start().await;
    let refused = from_here(app.post("/app/sign-in")).form(&[("email", "ada@"), ("next", "/app/account")]).send().await;
    assert_eq!(refused.status, 422);
    for said in ["id=\"password-problem\">Enter your password.", "value=\"ada@\"", "value=\"/app/account\""] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    let empty = from_here(app.post("/app/sign-in")).form(&[("email", "")]).send().await;
    assert!(empty.text.contains("2 things need a look") && empty.text.contains("Enter your e-mail address."));
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let empty = from_here(app.post("/app/account")).header("Cookie", &cookie).form(&[("current", "")]).send().await;
    for said in ["Enter your current password.", "Choose a password."] {
        assert!(empty.status == 422 && empty.text.contains(said), "{said}: {}", empty.text);
    }
}
