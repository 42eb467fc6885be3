//! What went wrong has a page in the shell, where somebody is signed in.

use keystead_model::user::Role;
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};

use crate::app::{from_here, member, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_pages_of_the_place() {
    let app = TestApp::start().await;
    let gym = app.location("Northside Gym").await;
    let admin = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let of_location = member(&app, "lu@example.com", Role::AccountUser, &[app.ids.location]).await;
    let here = format!("/app/locations/{}", app.ids.location);
    let in_shell = |text: &str, place: &str| {
        text.contains("<nav class=\"side\"")
            && text.contains(&format!("<bdi>{place}</bdi></b>"))
            && text.contains("/app/sign-out")
    };
    for (cookie, path, status, place) in [
        (&admin, "/app/agency/nothing/here".to_owned(), 404, "Test Agency"),
        (&admin, format!("{here}/contacts/0000000000000000000A"), 404, "Harbour Dental"),
        (&admin, "/app/locations/0000000000000000000A".to_owned(), 404, "Test Agency"),
        (&of_location, "/app/agency".to_owned(), 404, "Harbour Dental"),
        (&of_location, format!("/app/locations/{gym}"), 404, "Harbour Dental"),
        (&of_location, format!("{here}/settings/keys"), 403, "Harbour Dental"),
        (&of_location, "/app/nowhere".to_owned(), 404, "Harbour Dental"),
    ] {
        let answer = app.get(&path).header("Cookie", cookie).send().await;
        let agency = app.operator().await;
        let name = app.app.get_agency(&agency).await.map(|agency| agency.profile.name.to_string());
        let place = if place == "Test Agency" { name.unwrap() } else { place.to_owned() };
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(in_shell(&answer.text, &place), "{path}: {}", answer.text);
        assert!(!answer.text.contains("Northside Gym") || cookie == &admin, "{path}");
    }
    // What a page does not take is said on a page, too, with what it does take.
    let sent = from_here(app.post("/app/agency")).header("Cookie", &admin).form(&[("x", "y")]).send().await;
    assert_eq!((sent.status, sent.header("allow")), (405, "GET,HEAD"));
    assert!(sent.text.contains("Nothing was done") && sent.text.contains("<nav class=\"side\""), "{}", sent.text);
    let policy = sent.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && sent.header("cache-control") == "no-store");
    // To nobody in particular the same, without a shell.
    let stranger = app.get("/app/nowhere").send().await;
    assert!(stranger.status == 404 && !stranger.text.contains("<nav class=\"side\""), "{}", stranger.text);
    assert!(stranger.text.contains("There is no such page."));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_inside_is_a_page_that_says_nothing_of_it() {
    let app = TestApp::start().await;
    let admin = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    app.sql("DROP TABLE muted_topics").await;
    let answer = app.get("/app/agency/notices/preferences").header("Cookie", &admin).send().await;
    assert!(answer.status >= 500, "{}", answer.status);
    assert!(!answer.text.contains("muted_topics") && answer.text.contains("To the start"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switcher_stays_in_the_part_where_the_other_place_has_it() {
    let app = TestApp::start().await;
    let gym = app.location("Northside Gym").await;
    let admin = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let here = format!("/app/locations/{}", app.ids.location);
    for (path, agency, other) in [
        (here.clone(), "/app/agency\"", format!("/app/locations/{gym}\"")),
        (format!("{here}/contacts"), "/app/agency\"", format!("/app/locations/{gym}/contacts\"")),
        (
            format!("{here}/settings/keys"),
            "/app/agency/settings/keys\"",
            format!("/app/locations/{gym}/settings/keys\""),
        ),
        ("/app/agency/audit".to_owned(), "/app/agency/audit\"", format!("/app/locations/{gym}\"")),
        ("/app/agency/members".to_owned(), "/app/agency/members\"", format!("/app/locations/{gym}/members\"")),
        ("/app/agency/notices".to_owned(), "/app/agency/notices\"", format!("/app/locations/{gym}/notices\"")),
    ] {
        let page = app.get(&path).header("Cookie", &admin).send().await.text;
        let places = page.split("id=\"switch-places\"").nth(1).unwrap().split("</ul>").next().unwrap();
        assert!(places.contains(agency) && places.contains(&other), "{path}: {places}");
    }
}
