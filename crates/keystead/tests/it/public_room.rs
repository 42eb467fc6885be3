//! What is there for strangers: the same for everybody, whoever they are elsewhere.

use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};

use crate::app::sign_in;

/// Addresses at which strangers find nothing.
const NOTHING: &[&str] =
    &["/l", "/l/", "/l/nothing", "/l/nothing/token", "/l/a/b/c", "/l/a/b/c/d", "/l/%00", "/l/x?a=%00"];

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signed_in_is_a_stranger_there_too() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let nobodys = app.get("/l/nothing").send().await;
    assert!(nobodys.text.contains("There is nothing here") && !nobodys.text.contains("<script"), "{}", nobodys.text);
    for path in NOTHING {
        for cookie in ["", &cookie] {
            let answer = app.get(path).header("Cookie", cookie).send().await;
            assert_eq!((answer.status, &answer.text), (404, &nobodys.text), "{path}");
            for (name, value) in [
                ("set-cookie", ""),
                ("cache-control", "no-store"),
                ("referrer-policy", "no-referrer"),
                ("x-robots-tag", "noindex"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
            ] {
                assert_eq!(answer.header(name), value, "{path}: {name}");
            }
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("script-src"), "nothing runs there: {policy}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_may_come_from_anywhere_but_not_without_end() {
    let app = TestApp::start().await;
    for (name, value) in [("Origin", "https://shop.example"), ("Sec-Fetch-Site", "cross-site"), ("Origin", "null")] {
        let answer = app.post("/l/nothing").header(name, value).form(&[("a", "b")]).send().await;
        assert_eq!(answer.status, 404, "{name}: {value}: {}", answer.text);
    }
    let long = app.post("/l/nothing").body("application/x-www-form-urlencoded", "x".repeat(65 * 1024)).send().await;
    assert!(long.status == 413 && long.text.contains("is longer than this takes"), "{}: {}", long.status, long.text);
    let nul = app.post("/l/nothing").form(&[("a", "\0")]).send().await;
    assert!(nul.status == 400 && nul.text.contains("did not arrive whole"), "{}: {}", nul.status, nul.text);
    let mut refused = None;
    for _ in 0..600 {
        let answer = app.post("/l/nothing").form(&[("a", "b")]).send().await;
        if answer.status != 404 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("one too many");
    assert!(refused.status == 429 && refused.text.contains("try again in a moment"), "{}", refused.text);
    assert_eq!(refused.header("retry-after"), "60");
    // Looking is not sending.
    assert_eq!(app.get("/l/nothing").send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_open_is_counted_by_its_route() {
    let app = TestApp::start_with(|config| config.metrics_token = Some("m".repeat(40))).await;
    app.get("/l/nothing").send().await;
    let metrics = app.get("/metrics").header("Authorization", &format!("Bearer {}", "m".repeat(40))).send().await;
    let parts = ["face=\"web\"", "route=\"GET /l/{slug}\"", "class=\"4xx\""];
    let found = metrics.text.lines().any(|line| {
        line.starts_with("keystead_requests_total{")
            && parts.iter().all(|part| line.contains(part))
            && line.ends_with(" 1.0")
    });
    assert!(found, "{}", metrics.text);
}
