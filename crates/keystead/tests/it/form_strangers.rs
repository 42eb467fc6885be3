//! What strangers can do by answering a form, and what they cannot.

use std::{collections::BTreeSet, time::Duration};

use keystead_core::{Error, FormAddress, StrangersAnswers};
use keystead_model::{
    UtcMs,
    contact::IdentityKind,
    form::{AsForm, Form, Submission, SubmissionFilter, SubmissionState, Visit, WhyHeld},
    form_answers::WhyRefused,
    id::Id,
    location::LocationPatch,
    page::Window,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::sign_in,
    callers::{Caller, strangers_answers},
    form_versions::{act, published},
};

/// A form that asks for all that tells people apart, and where they live.
pub(crate) fn asking(more: Value) -> Value {
    let mut definition = json!({"pages": [{"fields": [
        {"key": "email", "type": "email", "mapsTo": "contact.email"},
        {"key": "phone", "type": "phone", "mapsTo": "contact.phone"},
        {"key": "name", "mapsTo": "contact.full_name"},
        {"key": "city", "mapsTo": "contact.city"},
    ]}]});
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    definition
}

/// A form with somebody who looks after it.
pub(crate) struct Ground {
    pub(crate) app: TestApp,
    pub(crate) key: TestKey,
    pub(crate) by: Caller,
    pub(crate) path: String,
    pub(crate) id: Id<Form<AsForm>>,
}

impl Ground {
    pub(crate) async fn new(definition: Value) -> Self {
        let app = TestApp::start().await;
        let key = app.location_key().await;
        let by = Caller::new(&app, app.admin().await).await;
        let (path, id) = published(&app, &key, &definition).await;
        Self { app, key, by, path, id }
    }

    pub(crate) async fn contact(&self, new: Value) -> String {
        let made = self.app.post("/contacts/").key(&self.key).json(&new).send().await.expect(201);
        made["contact"]["id"].as_str().unwrap().to_owned()
    }

    async fn known(&self, id: &str) -> Value {
        self.app.get(&format!("/contacts/{id}")).key(&self.key).send().await.expect(200)["contact"].clone()
    }

    pub(crate) fn answers(&self, answers: Value) -> StrangersAnswers {
        let sent = answers.as_object().unwrap().clone();
        StrangersAnswers { answers: sent, address_is_own: true, ..strangers_answers(&self.app.app, self.id, false) }
    }

    pub(crate) async fn send(&self, answers: StrangersAnswers) -> Result<(), Error> {
        let open = self.app.app.open_form(FormAddress::Id(self.id)).await.unwrap();
        self.app.app.answer_form(&open, answers).await
    }

    async fn answer(&self, answers: Value) -> Submission<AsForm> {
        self.app.clock.advance(Duration::from_secs(1));
        self.send(self.answers(answers)).await.unwrap();
        self.app.clock.advance(Duration::from_secs(61));
        self.submissions(SubmissionState::Taken).await.remove(0)
    }

    pub(crate) async fn submissions(&self, state: SubmissionState) -> Vec<Submission<AsForm>> {
        let filter =
            SubmissionFilter { state, form: Some(self.id), part: None, from: UtcMs(0), until: UtcMs(i64::MAX) };
        let found = self.app.app.list_submissions(&self.by.location, filter, Window::first(1_000)).await.unwrap();
        found.page.rows
    }

    async fn events(&self, kind: &str) -> Vec<Value> {
        let path = format!("/events?kinds={kind}&limit=100");
        self.app.get(&path).key(&self.key).send().await.expect(200)["events"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_an_address_adds_none_of_their_own() {
    let ground = Ground::new(asking(json!({"contact": {"tags": ["web-lead"]}}))).await;
    let ada = ground.contact(json!({"email": "ada@example.com", "firstName": "Ada", "dnd": true})).await;
    let sent = json!({"email": "ADA@example.com", "phone": "+14155550199", "name": "Eve", "city": "Rome"});
    let submission = ground.answer(sent).await;
    assert_eq!(submission.contact.unwrap().as_str(), ada);
    let outcome = &submission.handling.outcome;
    assert_eq!(outcome.written, ["city"]);
    assert_eq!(
        outcome.refused.iter().map(|one| (one.field.as_str(), one.why)).collect::<Vec<_>>(),
        [("firstName", WhyRefused::Filled)]
    );
    assert_eq!(
        outcome.offered.iter().map(|one| (one.kind, one.value.as_str())).collect::<Vec<_>>(),
        [(IdentityKind::Phone, "+14155550199")]
    );
    let now = ground.known(&ada).await;
    assert_eq!(
        (&now["phone"], &now["city"], &now["firstName"], &now["dnd"], &now["tags"]),
        (&Value::Null, &json!("Rome"), &json!("Ada"), &json!(true), &json!(["web-lead"]))
    );
    // Somebody of the location may add it.
    let offer = ground.app.app.accept_offer(&ground.by.location, ground.id, submission.id, IdentityKind::Phone).await;
    assert_eq!(offer.unwrap().profile.phone.unwrap().as_str(), "+14155550199");
    let none = ground.app.app.accept_offer(&ground.by.location, ground.id, submission.id, IdentityKind::Email).await;
    assert!(matches!(none, Err(Error::Invalid(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_match_the_first_is_meant_and_the_other_is_offered() {
    for (by, first) in [(json!(["email", "phone"]), 0), (json!(["phone", "email"]), 1), (json!(["phone"]), 1)] {
        let ground = Ground::new(asking(json!({"contact": {"matchBy": by, "onMatch": "update"}}))).await;
        let both = [
            ground.contact(json!({"email": "ada@example.com", "city": "London"})).await,
            ground.contact(json!({"phone": "+14155550123"})).await,
        ];
        let sent = json!({"email": "ada@example.com", "phone": "+14155550123", "city": "Rome"});
        let submission = ground.answer(sent).await;
        assert_eq!(submission.contact.unwrap().as_str(), both[first], "{by}");
        let offered = &submission.handling.outcome.offered;
        assert_eq!(
            offered.iter().map(|one| one.contact.unwrap().to_string()).collect::<Vec<_>>(),
            [both[1 - first].clone()]
        );
        let now = ground.known(&both[first]).await;
        assert_eq!(now["city"], "Rome", "{by}: {now}");
        assert_ne!(ground.known(&both[1 - first]).await["city"], "Rome");
    }
    // Who is not looked for by an address keeps it all the same.
    let ground = Ground::new(asking(json!({"contact": {"matchBy": ["phone"], "onMatch": "never"}}))).await;
    let ada = ground.contact(json!({"email": "ada@example.com"})).await;
    let submission = ground.answer(json!({"email": "ada@example.com", "name": "Eve Else"})).await;
    let made = submission.contact.unwrap().to_string();
    let now = ground.known(&made).await;
    assert_eq!((made != ada, &now["email"], &now["firstName"]), (true, &Value::Null, &json!("Eve")));
    assert_eq!(submission.handling.outcome.offered[0].contact.unwrap().as_str(), ada);
    // Nor does a form that changes nobody.
    let ben = ground.contact(json!({"phone": "+14155550123"})).await;
    let submission = ground.answer(json!({"phone": "+14155550123", "city": "Rome"})).await;
    assert_eq!((submission.contact.unwrap().as_str(), &ground.known(&ben).await["city"]), (ben.as_str(), &Value::Null));
    assert_eq!(submission.handling.outcome.refused[0].why, WhyRefused::Never);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_contact_does_not_take_is_kept_and_tells_nobody() {
    let ground = Ground::new(asking(json!({"contact": {"onMatch": "update"}}))).await;
    let ada = ground.contact(json!({"email": "ada@example.com"})).await;
    // Two calls of the same people are answered alike, whoever is known.
    for sent in
        [json!({"email": "ada@example.com", "city": "Rome"}), json!({"email": "new@example.com", "city": "Rome"})]
    {
        assert!(ground.send(ground.answers(sent)).await.is_ok());
    }
    assert_eq!(ground.known(&ada).await["city"], "Rome");
    // Where duplicates are allowed everyone is somebody new.
    let patch = LocationPatch { allow_duplicate_contact: Some(true), ..LocationPatch::default() };
    ground.app.app.update_location(&ground.app.operator().await, ground.app.ids.location, patch).await.unwrap();
    let submission = ground.answer(json!({"email": "ada@example.com", "city": "Paris"})).await;
    assert_ne!(submission.contact.unwrap().as_str(), ada);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_is_one_submission() {
    let ground = Ground::new(asking(json!({}))).await;
    let with_key = |key: Option<&str>, email: &str, from: &str| StrangersAnswers {
        key: key.map(|key| keystead_model::text::Line::parse(key).unwrap()),
        address: from.parse().unwrap(),
        ..ground.answers(json!({"email": email}))
    };
    let count = async || ground.submissions(SubmissionState::Taken).await.len();
    let here = "192.0.2.1";
    for (key, email, from, then) in [
        (Some("a"), "a@example.com", here, 1),
        (Some("a"), "a@example.com", here, 1),
        // Another browser sends what was sent from here: it is the page's name for it that counts.
        (Some("a"), "a@example.com", "198.51.100.1", 1),
        // Back, edited and sent again, it carries the old id.
        (Some("a"), "b@example.com", here, 2),
        (Some("b"), "a@example.com", here, 3),
        // Without an id the place says whether it is the same.
        (None, "c@example.com", here, 4),
        (None, "c@example.com", here, 4),
        (None, "c@example.com", "198.51.100.1", 5),
        (None, "d@example.com", here, 6),
    ] {
        ground.send(with_key(key, email, from)).await.unwrap();
        assert_eq!(count().await, then, "{key:?} {email} {from}");
    }
    ground.app.clock.advance(Duration::from_secs(11));
    ground.send(with_key(None, "c@example.com", here)).await.unwrap();
    assert_eq!(count().await, 7, "ten seconds are over");
    ground.send(with_key(Some("a"), "a@example.com", here)).await.unwrap();
    assert_eq!(count().await, 7);
    ground.app.clock.advance(Duration::from_secs(24 * 60 * 60));
    ground.send(with_key(Some("a"), "a@example.com", here)).await.unwrap();
    assert_eq!(count().await, 8, "a day is over");
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (app, answers, id) = (ground.app.app.clone(), with_key(Some("race"), "eve@example.com", here), ground.id);
        racing.spawn(async move {
            let open = app.open_form(FormAddress::Id(id)).await.unwrap();
            app.answer_form(&open, answers).await.unwrap();
        });
    }
    racing.join_all().await;
    assert_eq!(count().await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_like_spam_waits_and_counts_when_somebody_says_so() {
    let ground = Ground::new(asking(json!({"spam": {"minSeconds": 2}}))).await;
    let page = |token, is_trapped| Some((token, is_trapped));
    let old = ground.app.app.page_token(ground.id);
    ground.app.clock.advance(Duration::from_secs(1));
    let slow =
        StrangersAnswers { page: page(old.clone(), false), ..ground.answers(json!({"email": "fast@example.com"})) };
    ground.send(slow).await.unwrap();
    ground.app.clock.advance(Duration::from_secs(1));
    let trapped =
        StrangersAnswers { page: page(old.clone(), true), ..ground.answers(json!({"email": "bot@example.com"})) };
    ground.send(trapped).await.unwrap();
    let good =
        StrangersAnswers { page: page(old.clone(), false), ..ground.answers(json!({"email": "ada@example.com"})) };
    ground.send(good).await.unwrap();
    // What the page says is believed for a day, and only if it is ours.
    let app = &ground.app.app;
    assert_eq!(app.read_page_token(ground.id, &old.text).unwrap().trap, old.trap);
    assert!(app.read_page_token(Id::parse("0000000000000000000A").unwrap(), &old.text).is_none());
    for text in ["", "x", "1.x", &old.text[1..], &format!("{}x", old.text)] {
        assert!(app.read_page_token(ground.id, text).is_none(), "{text}");
    }
    let held = ground.submissions(SubmissionState::Held).await;
    let why: BTreeSet<String> = held.iter().map(|one| format!("{:?}", one.handling.held)).collect();
    assert_eq!(why, BTreeSet::from(["[Honeypot]".to_owned(), "[TooFast]".to_owned()]));
    assert!(held.iter().all(|one| one.contact.is_none()));
    assert_eq!(ground.submissions(SubmissionState::Taken).await.len(), 1);
    let listed = ground.app.get("/forms/submissions").key(&ground.key).send().await.expect(200);
    assert_eq!(listed["meta"]["total"], 1, "what waits is in no list of those that count");
    assert_eq!((ground.events("form.submitted").await.len(), ground.events("form.held").await.len()), (1, 2));
    assert_eq!(ground.app.get("/contacts/").key(&ground.key).send().await.expect(200)["meta"]["total"], 1);
    // Accepted, it counts, and starts what it would have started.
    let [fast, bot] = ["fast@example.com", "bot@example.com"]
        .map(|email| held.iter().find(|one| one.email.as_deref() == Some(email)).unwrap().id.to_string());
    let at = |id: &str, what: &str| format!("{}/submissions/{id}/{what}", ground.path);
    let accepted = act(&ground.app, &ground.key, &at(&fast, "accept"), 200).await;
    let contact = accepted["submission"]["contactId"].as_str().unwrap();
    assert_eq!(ground.known(contact).await["email"], "fast@example.com");
    let told = ground.events("form.submitted").await;
    assert_eq!(told.len(), 2);
    assert!(
        told.iter().any(|event| event["subject"]["id"] == fast.as_str() && event["contactId"] == contact),
        "{told:?}"
    );
    let found = ground.app.get("/forms/submissions?q=fast@example.com").key(&ground.key).send().await.expect(200);
    assert_eq!(found["meta"]["total"], 1);
    act(&ground.app, &ground.key, &at(&fast, "accept"), 409).await;
    act(&ground.app, &ground.key, &at(&fast, "discard"), 409).await;
    act(&ground.app, &ground.key, &at(&bot, "discard"), 200).await;
    act(&ground.app, &ground.key, &at(&bot, "accept"), 409).await;
    assert_eq!(ground.submissions(SubmissionState::Discarded).await.len(), 1);
    assert_eq!(ground.app.get("/contacts/").key(&ground.key).send().await.expect(200)["meta"]["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_from_one_place_wait_and_far_too_many_are_refused() {
    let ground = Ground::new(asking(json!({"spam": {"rate": "3/min/ip", "formRate": "50/min"}}))).await;
    let from = |address: &str, number: usize| StrangersAnswers {
        address: address.parse().unwrap(),
        ..ground.answers(json!({"email": format!("n{number}@example.com")}))
    };
    for number in 0..30 {
        let last = if number % 2 == 0 { "2001:db8::1" } else { "2001:db8::2" };
        ground.send(from(last, number)).await.unwrap();
    }
    let refused = ground.send(from("2001:db8::3", 31)).await;
    assert!(matches!(refused, Err(Error::TooManyRequests(_))), "{refused:?}");
    assert_eq!(ground.submissions(SubmissionState::Taken).await.len(), 3);
    let held = ground.submissions(SubmissionState::Held).await;
    assert_eq!((held.len(), &held[0].handling.held), (27, &vec![WhyHeld::ManyFromThere]));
    // Others are not meant, until there are many of them; nor are those whom a proxy hides behind one address.
    ground.send(from("2001:db8:0:1::1", 40)).await.unwrap();
    for number in 50..68 {
        ground.send(StrangersAnswers { address_is_own: false, ..from("10.0.0.1", number) }).await.unwrap();
    }
    assert_eq!(ground.submissions(SubmissionState::Taken).await.len(), 3 + 1 + 18);
    ground.send(from("192.0.2.9", 70)).await.unwrap();
    ground.send(from("192.0.2.9", 71)).await.unwrap();
    let held = ground.submissions(SubmissionState::Held).await;
    assert_eq!(held.iter().filter(|one| one.handling.held == [WhyHeld::ManyToForm]).count(), 1);
    ground.app.clock.advance(Duration::from_secs(60));
    ground.send(from("2001:db8::1", 80)).await.unwrap();
    assert_eq!(ground.submissions(SubmissionState::Held).await.len(), held.len(), "the minute is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_starts_something_three_times_a_day() {
    let ground = Ground::new(asking(json!({}))).await;
    for (number, is_quiet) in [false, false, false, true, true].into_iter().enumerate() {
        let submission = ground.answer(json!({"email": "ada@example.com", "city": format!("{number}")})).await;
        assert_eq!(submission.handling.is_quiet, is_quiet, "{number}");
    }
    assert!(!ground.answer(json!({"email": "bob@example.com"})).await.handling.is_quiet);
    let told = ground.events("form.submitted").await;
    assert_eq!(told.iter().filter(|event| event["after"]["quiet"] == true).count(), 2, "{told:?}");
    assert_eq!(told[0]["after"]["answers"]["email"], "ada@example.com");
    assert_eq!(told[0]["after"]["formName"], "Contact us");
    ground.app.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert!(!ground.answer(json!({"email": "ada@example.com"})).await.handling.is_quiet);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_agreed_to_and_where_is_kept() {
    let definition = json!({"pages": [{"fields": [
        {"key": "email", "type": "email", "mapsTo": "contact.email"},
        {"key": "news", "type": "consent", "textVersion": 2, "label": "You may send me news."},
        {"key": "more", "type": "consent", "label": "And more."},
    ]}]});
    let ground = Ground::new(definition).await;
    let visit = Visit::new(Some("https://example.com/contact?a=1"), Some("https://search.example/"), Some("de-CH"));
    let answers = StrangersAnswers {
        visit: visit.clone(),
        ..ground.answers(json!({"email": "a@example.com", "news": "on", "else": "x"}))
    };
    ground.send(answers).await.unwrap();
    let kept = ground.submissions(SubmissionState::Taken).await.remove(0);
    let consents: Vec<_> =
        kept.handling.consents.iter().map(|one| (one.key.as_str(), one.text.as_str(), one.version)).collect();
    assert_eq!(
        (consents, kept.handling.visit.as_ref(), kept.version),
        (vec![("news", "You may send me news.", 2)], Some(&visit), Some(1))
    );
    assert_eq!(
        kept.answers.as_str(),
        r#"{"email":"a@example.com","news":true}"#,
        "nothing else is taken from strangers"
    );
    let seen =
        ground.app.get(&format!("{}/submissions/{}", ground.path, kept.id)).key(&ground.key).send().await.expect(200);
    let told = &seen["submission"]["others"]["eventData"];
    assert_eq!((&told["page"]["url"], &told["source"]), (&json!("https://example.com/contact?a=1"), &json!("form")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_its_field_takes_no_more_is_kept_and_told_to_its_owner_alone() {
    let mut ground = Ground::new(asking(json!({}))).await;
    let fields = format!("/locations/{}/customFields", ground.app.ids.location);
    let new = json!({"name": "Level", "dataType": "SINGLE_OPTIONS", "options": ["Gold", "Silver"]});
    let made = ground.app.post(&fields).key(&ground.key).json(&new).send().await.expect(201)["customField"].clone();
    let asks = |options: Value, kind: &str| {
        json!({"pages": [{"fields": [
            {"key": "email", "type": "email", "mapsTo": "contact.email"},
            {"key": "level", "type": kind, "options": options, "required": true, "mapsTo": made["fieldKey"]},
            {"key": "source", "type": "hidden", "from": "query:city", "mapsTo": "contact.city"},
        ]}], "spam": {"minSeconds": 0}})
    };
    // What can never suit is no question.
    for (definition, said) in [
        (
            asks(json!(["Gold", "Bronze"]), "select"),
            "mapsTo cannot be filled by the answer Bronze, which is none of the options",
        ),
        (asks(json!(["Gold", "Silver"]), "multi"), "mapsTo cannot be filled by several answers at once"),
    ] {
        let body = json!({"name": "x", "definition": definition});
        let refused = ground.app.post("/forms/").key(&ground.key).json(&body).send().await.expect(422);
        assert!(refused["message"].to_string().contains(said), "{refused}");
    }
    (ground.path, ground.id) = published(&ground.app, &ground.key, &asks(json!(["Gold", "Silver"]), "select")).await;
    let one = format!("{fields}/{}", made["id"].as_str().unwrap());
    let other = json!({"name": "Level", "options": ["Gold"]});
    ground.app.put(&one).key(&ground.key).json(&other).send().await.expect(200);
    // What is published stays, and is not published again.
    let refused = act(&ground.app, &ground.key, &format!("{}/publish", ground.path), 422).await;
    assert!(refused["message"].to_string().contains("the answer Silver"), "{refused}");
    let long = "x".repeat(400);
    let path = format!("/f/{}/submissions", ground.id);
    let sent = json!({"answers": {"email": "ada@example.com", "level": "Silver", "source": long}});
    let sent = ground.app.post(&path).json(&sent).send().await;
    assert_eq!((sent.status, sent.text.contains("Silver")), (200, false), "{}", sent.text);
    let submission = ground.submissions(SubmissionState::Taken).await.remove(0);
    assert_eq!(submission.answers.fields()["level"], "Silver");
    let refused = &submission.handling.outcome.refused;
    let refused: Vec<_> = refused.iter().map(|one| (one.field.as_str(), one.why)).collect();
    let field = format!("customFields.{}", made["id"].as_str().unwrap());
    assert_eq!(refused, [(field.as_str(), WhyRefused::Unsuited), ("city", WhyRefused::Unsuited)]);
    let cookie = sign_in(&ground.app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let at = format!("/app/locations/{}/forms/{}/submissions/{}", ground.app.ids.location, ground.id, submission.id);
    let page = ground.app.get(&at).header("Cookie", &cookie).send().await;
    assert!(page.text.contains("The field does not take this answer, which is kept here"), "{}", page.text);
    // A program is told: whoever wrote it can mend it.
    let sent = json!({"answers": {"email": "bea@example.com", "level": "Silver"}});
    let path = format!("{}/submissions", ground.path);
    let refused = ground.app.post(&path).key(&ground.key).json(&sent).send().await.expect(422);
    assert!(
        refused["message"].to_string().contains("answers.level has Silver, which is none of its options"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_found_by_programs_and_nothing_else_lists_it() {
    let ground = Ground::new(asking(json!({"spam": {"rate": "1/min/ip"}}))).await;
    for number in 0..3 {
        let mail = format!("a{number}@example.com");
        ground.send(ground.answers(json!({"email": mail}))).await.unwrap();
    }
    let list = async |query: &str| {
        let path = format!("/forms/submissions?{query}");
        ground.app.get(&path).key(&ground.key).send().await.expect(200)["submissions"].as_array().unwrap().clone()
    };
    let (taken, held) = (list("").await, list("state=held").await);
    assert_eq!((taken.len(), held.len(), list("state=taken").await), (1, 2, taken.clone()));
    assert_eq!((taken[0].get("state"), &held[0]["state"]), (None, &json!("held")));
    let id = held[0]["id"].as_str().unwrap();
    act(&ground.app, &ground.key, &format!("{}/submissions/{id}/discard", ground.path), 200).await;
    let away = list(&format!("state=discarded&formId={}", ground.id)).await;
    assert_eq!((away.len(), &away[0]["id"], &away[0]["state"]), (1, &json!(id), &json!("discarded")));
    let wrong = ground.app.get("/forms/submissions?state=spam").key(&ground.key).send().await.expect(422);
    assert!(wrong["message"].to_string().contains("state"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_contact_names_the_form_and_leads_to_what_they_answered() {
    let ground = Ground::new(asking(json!({}))).await;
    let submission = ground.answer(json!({"email": "ada@example.com"})).await;
    let cookie = sign_in(&ground.app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let at = format!("/app/locations/{}", ground.app.ids.location);
    let of_contact = format!("{at}/contacts/{}", submission.contact.unwrap());
    let page = ground.app.get(&of_contact).header("Cookie", &cookie).send().await.text;
    let link = format!("href=\"{at}/forms/{}/submissions/{}\"", ground.id, submission.id);
    let (_, after) = page.split_once("sent in the form").unwrap_or_else(|| panic!("{page}"));
    let sentence: String = after.chars().take(300).collect();
    assert!(sentence.contains(&link) && sentence.contains("Contact us"), "{sentence}");
}
