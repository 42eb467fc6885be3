//! Files that strangers give as answers: taken within limits, read by whoever may see the submission, and gone with it.

use std::time::Duration;

use keystead_model::{form::AsForm, form::Form, grant::Reach, id::Id, scope::Preset, scope::Scope, user::Role};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Part, TestApp, TestKey, raw};
use serde_json::{Value, json};

use crate::{
    app::{member, sign_in},
    form_versions::{act, published},
};

const DAY: Duration = Duration::from_secs(86_400);
const CV: Option<(&str, &str)> = Some(("cv.pdf", "application/pdf"));

/// A form that asks for files, published.
struct Ground {
    app: TestApp,
    key: TestKey,
    path: String,
    form: Id<Form<AsForm>>,
}

fn asking() -> Value {
    json!({"pages": [{"fields": [
        {"key": "email", "type": "email", "label": "E-mail", "required": true, "mapsTo": "contact.email"},
        {"key": "job", "type": "radio", "label": "A job?", "options": ["Yes", "No"]},
        {"key": "cv", "type": "file", "label": "CV", "accept": ["pdf", ".TXT"], "required": true, "hint": "In English.",
            "visibleIf": {"field": "job", "op": "eq", "value": "Yes"}},
        {"key": "photos", "type": "file", "label": "Photos", "multiple": true},
    ]}], "spam": {"minSeconds": 0}, "after": {"message": "We have {{answer.cv}}"}})
}

impl Ground {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let key = app.location_key().await;
        let (path, form) = published(&app, &key, &asking()).await;
        Self { app, key, path, form }
    }

    /// Sends a form, a second after whatever came before it.
    async fn send(&self, parts: &[Part<'_>]) -> Answer {
        self.app.clock.advance(Duration::from_secs(1));
        self.app.post(&format!("/f/{}", self.form)).multipart(parts).send().await
    }

    async fn listed(&self) -> Vec<Value> {
        let found = self.app.get("/forms/submissions?limit=100").key(&self.key).send().await.expect(200);
        found["submissions"].as_array().unwrap().clone()
    }

    /// What the newest submission tells of files.
    async fn answered(&self, key: &str) -> Vec<Value> {
        self.listed().await[0]["others"][key].as_array().cloned().unwrap_or_default()
    }

    async fn read(&self, file: &Value) -> Answer {
        self.app.get(path_of(file)).key(&self.key).send().await
    }

    /// Files, and pieces of files.
    async fn rows(&self) -> (i64, i64) {
        let count = |table: &str| format!("SELECT CAST(count(*) AS BIGINT) FROM {table}");
        (self.app.number(&count("files")).await, self.app.number(&count("file_pieces")).await)
    }
}

fn path_of(file: &Value) -> &str {
    let url = file["url"].as_str().unwrap_or_else(|| panic!("{file}"));
    url.find("/forms/").map(|start| &url[start..]).unwrap()
}

const WHO: Part<'static> = ("email", None, "ada@example.com");
const JOB: Part<'static> = ("job", None, "Yes");

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_given_without_a_script_and_read_by_whoever_may() {
    let ground = Ground::new().await;
    let page = ground.app.get(&format!("/f/{}", ground.form)).send().await;
    for part in [
        "enctype=\"multipart/form-data\"",
        "name=\"cv\" type=\"file\" accept=\".pdf,.txt\" aria-describedby=\"f-cv-hint\" required>",
        "In English. .pdf, .txt; up to 10 MB.",
        "name=\"photos\" type=\"file\" multiple",
        "Up to 5 files of 10 MB each.",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    // A browser sends a part for what was not chosen, too.
    let nothing = ("cv", Some(("", "application/octet-stream")), "");
    let missing = ground.send(&[WHO, JOB, nothing]).await;
    assert_eq!(missing.status, 422);
    assert!(missing.text.contains("<a href=\"#f-cv\">CV: choose a file</a>"), "{}", missing.text);
    let again = ground.send(&[("email", None, "ada@"), JOB, ("cv", CV, "x")]).await;
    for part in ["2 answers need a look", "CV: choose cv.pdf again", "value=\"Yes\" checked"] {
        assert!(again.status == 422 && again.text.contains(part), "{part}: {}", again.text);
    }
    assert_eq!(ground.rows().await, (0, 0), "nothing is kept of what was not taken");
    let text = "the life of Ada ".repeat(10_000);
    for _ in 0..2 {
        let thanks = ground.send(&[("_id", None, "one"), WHO, JOB, ("cv", CV, &text), nothing]).await;
        assert!(thanks.status == 200 && thanks.text.contains("We have cv.pdf"), "{}", thanks.text);
    }
    assert_eq!((ground.listed().await.len(), ground.rows().await), (1, (1, 3)), "one click is one submission");
    let file = ground.answered("cv").await.remove(0);
    assert_eq!((&file["name"], &file["size"]), (&json!("cv.pdf"), &json!(text.len())));
    assert!(file["url"].as_str().unwrap().starts_with("http"), "{file}");
    let read = ground.read(&file).await;
    assert_eq!((read.status, read.text == text), (200, true));
    for (name, expected) in [
        ("content-type", "application/octet-stream"),
        ("content-length", &*text.len().to_string()),
        ("content-disposition", "attachment; filename=\"cv.pdf\"; filename*=UTF-8''cv%2Epdf"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", ""),
    ] {
        assert_eq!(read.header(name), expected, "{name}");
    }
    // The same answers with another file are other answers.
    ground.send(&[("_id", None, "one"), WHO, JOB, ("cv", CV, "another")]).await.expect_text();
    assert_eq!((ground.listed().await.len(), ground.rows().await), (2, (2, 4)));
    // Nobody else reads it, by whichever address.
    let sibling = ground.app.location("Sibling").await;
    let stranger = ground.app.key(Reach::location(sibling), Preset::FullAccess).await;
    assert_eq!(ground.app.get(path_of(&file)).send().await.status, 401);
    let foreign = ground.app.get(path_of(&file)).key(&stranger).send().await.status;
    assert_eq!(foreign, 404);
    let (start, _) = path_of(&file).rsplit_once('/').unwrap();
    let other = format!("{start}/{}", ground.answered("cv").await[0]["id"].as_str().unwrap());
    assert_eq!(ground.app.get(&other).key(&ground.key).send().await.status, 404, "it is of another submission");
    // Of the length that such an address has.
    let secret = "g".repeat(23);
    ground.app.sql(&format!("UPDATE files SET secret = '{secret}' || id")).await;
    let guessed = format!("/documents/download/{secret}{}", file["id"].as_str().unwrap());
    assert_eq!(ground.app.get(&guessed).send().await.status, 404);
    let events = ground.app.get("/events?kinds=form.submitted").key(&ground.key).send().await.expect(200);
    let told = &events["events"].as_array().unwrap().last().unwrap()["after"]["answers"]["cv"][0];
    // Where the API says that it is.
    let files = ground.app.url(&format!("/forms/{}/submissions/", ground.form));
    assert!(told["url"].as_str().unwrap_or_default().starts_with(&files), "{events}");
    assert!(file["url"].as_str().unwrap().starts_with(&files), "{file}");
    // What depends on an answer that was not given is not asked, and its file not kept.
    ground.send(&[("email", None, "eve@example.com"), ("cv", CV, "unasked")]).await.expect_text();
    assert_eq!((ground.answered("cv").await.len(), ground.rows().await.0), (0, 2));
}

trait Thanks {
    fn expect_text(&self);
}

impl Thanks for Answer {
    fn expect_text(&self) {
        assert_eq!(self.status, 200, "{}", self.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_served_as_what_their_bytes_are() {
    let ground = Ground::new().await;
    let files = [
        ("a.gif", "text/html", "GIF89a, and so on", "image/gif"),
        ("b.png", "image/png", "<html><script>alert(1)</script>", "application/octet-stream"),
        ("c.svg", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", "application/octet-stream"),
        ("d.html", "text/html", "<h1>x</h1>", "application/octet-stream"),
    ];
    let mut parts = vec![WHO];
    parts.extend(files.iter().map(|(name, kind, content, _)| ("photos", Some((*name, *kind)), *content)));
    // A name that would be a path, turns its text, or is longer than file systems take, is mended: nobody who fills in a form can.
    let long = format!("{}.jpeg", "x".repeat(300));
    parts.push(("photos", Some(("../../\u{202e}gnp.exe", "image/png")), "x"));
    ground.send(&parts).await.expect_text();
    let answered = ground.answered("photos").await;
    for (file, (name, _, content, kind)) in answered.iter().zip(files) {
        let read = ground.read(file).await;
        assert_eq!((file["name"].as_str(), read.text.as_str()), (Some(name), content));
        assert_eq!((read.header("content-type"), read.header("x-content-type-options")), (kind, "nosniff"), "{name}");
        assert!(read.header("content-disposition").starts_with("attachment;"));
    }
    assert_eq!(answered[4]["name"], "gnp.exe");
    ground
        .send(&[WHO, ("photos", Some((&long, "image/jpeg")), "x"), ("photos", Some(("..", "a/b")), "y")])
        .await
        .expect_text();
    let names: Vec<String> =
        ground.answered("photos").await.iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect();
    assert!(names[0].len() == 255 && names[0].ends_with("x.jpeg") && names[1] == "file", "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_taken_within_limits() {
    let ground = Ground::new().await;
    let large = "x".repeat(10 * 1024 * 1024 + 1);
    let photo = |name: &'static str| ("photos", Some((name, "image/png")), "x");
    for (parts, about) in [
        (
            vec![WHO, JOB, ("cv", Some(("cv.exe", "application/pdf")), "x")],
            "CV: this takes files whose names end with .pdf, .txt",
        ),
        (vec![WHO, JOB, ("cv", CV, "x"), ("cv", CV, "y")], "CV: this must be one file"),
        (vec![WHO, JOB, ("cv", CV, "")], "CV: this must not be empty, as cv.pdf is"),
        (vec![WHO, ("photos", CV, &large)], "Photos: this must not be larger than 10 MB, as cv.pdf is"),
        (vec![WHO, JOB, ("cv", None, "cv.pdf")], "CV: this must be a file"),
        (
            vec![WHO, JOB, ("cv", CV, "x"), photo("1"), photo("2"), photo("3"), photo("4"), photo("5")],
            "Photos: this must not bring more than 5 files with the rest of the form",
        ),
    ] {
        let refused = ground.send(&parts).await;
        assert!(refused.status == 422 && refused.text.contains(about), "{about}: {}", refused.text);
    }
    // Without parts nothing but a name came.
    let named = [("email", "ada@example.com"), ("job", "Yes"), ("cv", "cv.pdf")];
    let refused = ground.app.post(&format!("/f/{}", ground.form)).form(&named).send().await;
    assert!(
        refused.status == 422 && refused.text.contains("CV: this must be a file, in a part with a filename"),
        "{}",
        refused.text
    );
    // What is far too long is refused before any of it comes.
    let head = |length: u64| {
        format!(
            "POST /f/{} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n",
            ground.form
        )
    };
    assert_eq!(raw(&ground.app, head(60 * 1024 * 1024).as_bytes()).await, 413);
    assert_eq!((ground.rows().await, ground.listed().await.len()), ((0, 0), 0));
    // Those of a day have a limit, for the whole location and no other.
    ground.send(&[WHO, JOB, ("cv", CV, "x")]).await.expect_text();
    let (_, other) = published(&ground.app, &ground.key, &asking()).await;
    ground.app.sql("UPDATE files SET size = 209715200 - 1000").await;
    let many = "y".repeat(1_500);
    for form in [ground.form, other] {
        let full = ground.app.post(&format!("/f/{form}")).multipart(&[WHO, JOB, ("cv", CV, &many)]).send().await;
        assert!(full.status == 413 && full.text.contains("No more files are taken today"), "{}", full.text);
    }
    ground.send(&[WHO, JOB, ("cv", CV, "small")]).await.expect_text();
    ground.app.post(&format!("/f/{}", ground.form)).form(&[("email", "eve@example.com")]).send().await.expect_text();
    ground.app.clock.advance(DAY);
    ground.send(&[WHO, JOB, ("cv", CV, &many)]).await.expect_text();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_form_is_refused() {
    let ground = Ground::new().await;
    let path = format!("/f/{}", ground.form);
    let parts = |count: usize| {
        let part = |number: usize| format!("--b\r\nContent-Disposition: form-data; name=\"f{number}\"\r\n\r\nx\r\n");
        (0..count).map(part).collect::<String>() + "--b--\r\n"
    };
    let good = "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\neve@example.com\r\n";
    const KIND: &str = "multipart/form-data; boundary=b";
    for (kind, body) in [
        ("multipart/form-data", parts(1)),
        ("multipart/form-data; boundary=other", parts(1)),
        (KIND, parts(1_000)),
        (KIND, "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n".to_owned()),
        (KIND, "--b\r\n\r\nx\r\n--b--\r\n".to_owned()),
        (KIND, good.to_owned()),
        (KIND, format!("{good}--b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"a\"\r\n\r\ntrunc")),
        (KIND, good.replace("eve", "e\0ve") + "--b--\r\n"),
        (KIND, String::new()),
        (KIND, "x".repeat(100_000)),
    ] {
        for path in [path.clone(), format!("{path}/embed"), format!("{path}/submissions")] {
            let refused = ground.app.post(&path).body(kind, body.clone()).send().await;
            let start: String = body.chars().take(80).collect();
            assert!(
                refused.status == 400 && refused.text.contains("did not arrive"),
                "{path} {kind} {start}: {}",
                refused.text
            );
        }
    }
    let nowhere = ground.app.post("/f/0000000000000000000A").body(KIND, format!("{good}--b--\r\n")).send().await;
    assert_eq!(nowhere.status, 404);
    assert_eq!((ground.listed().await.len(), ground.rows().await), (0, (0, 0)));
    ground.app.post(&path).body(KIND, format!("{good}--b--\r\n")).send().await.expect_text();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_twice_at_once_is_one_submission_with_its_files() {
    let ground = Ground::new().await;
    let text = "z".repeat(200_000);
    let parts = [("_id", None, "same"), WHO, JOB, ("cv", CV, text.as_str())];
    let (one, two, three) = tokio::join!(ground.send(&parts), ground.send(&parts), ground.send(&parts));
    assert_eq!([one.status, two.status, three.status], [200; 3]);
    assert_eq!((ground.listed().await.len(), ground.rows().await.0), (1, 1));
    assert_eq!(ground.read(&ground.answered("cv").await[0]).await.text, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_accepts_goes_after_a_month() {
    let ground = Ground::new().await;
    let at = format!("/app/locations/{}/forms/{}/submissions", ground.app.ids.location, ground.form);
    let trapped = async |email: &'static str| {
        let page = ground.app.get(&format!("/f/{}", ground.form)).send().await;
        let value = |from: &str| page.text.split_once(from).unwrap().1.split('"').next().unwrap().to_owned();
        let (token, trap) = (value("name=\"_token\" value=\""), value("<input id=\"_"));
        let trap = format!("_{trap}");
        let who = ("email", None, email);
        ground.send(&[("_token", None, &token), (&trap, None, "x"), who, JOB, ("cv", CV, email)]).await.expect_text();
    };
    trapped("one@example.com").await;
    trapped("two@example.com").await;
    let held = ground.app.get("/events?kinds=form.held").key(&ground.key).send().await.expect(200);
    let held: Vec<&str> =
        held["events"].as_array().unwrap().iter().map(|event| event["subject"]["id"].as_str().unwrap()).collect();
    assert_eq!((held.len(), ground.rows().await), (2, (2, 2)));
    act(&ground.app, &ground.key, &format!("{}/submissions/{}/accept", ground.path, held[0]), 200).await;
    act(&ground.app, &ground.key, &format!("{}/submissions/{}/discard", ground.path, held[1]), 200).await;
    ground.app.clock.advance(29 * DAY);
    assert_eq!((ground.app.app.purge_files().await.unwrap(), ground.rows().await), (0, (2, 2)));
    let show = async |id: &str| {
        let cookie = sign_in(&ground.app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
        ground.app.get(&format!("{at}/{id}")).header("Cookie", &cookie).send().await
    };
    assert!(show(held[1]).await.text.contains("download><bdi>cv.pdf"));
    ground.app.clock.advance(2 * DAY);
    assert_eq!((ground.app.app.purge_files().await.unwrap(), ground.rows().await), (1, (1, 1)));
    let gone = show(held[1]).await;
    assert!(
        gone.text.contains("<bdi>cv.pdf</bdi>") && gone.text.contains("deleted, since nobody accepted it"),
        "{}",
        gone.text
    );
    assert!(!gone.text.contains("download><bdi>cv.pdf"), "{}", gone.text);
    assert!(show(held[0]).await.text.contains("download><bdi>cv.pdf"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_follow_the_contact_and_go_with_it() {
    let ground = Ground::new().await;
    ground.send(&[WHO, JOB, ("cv", CV, "x")]).await.expect_text();
    let file = ground.answered("cv").await.remove(0);
    let contact = ground.listed().await[0]["contactId"].as_str().unwrap().to_owned();
    let path = format!("/contacts/{contact}");
    let everything = ground.app.get(&format!("{path}/everything")).key(&ground.key).send().await.expect(200);
    let named = &everything["formSubmissions"][0]["others"]["cv"][0];
    assert_eq!((&named["name"], &named["url"]), (&json!("cv.pdf"), &file["url"]), "{everything}");
    ground.app.delete(&path).key(&ground.key).send().await.expect(200);
    assert_eq!((ground.read(&file).await.status, ground.rows().await), (404, (1, 1)), "in the trash nobody reads it");
    ground.app.clock.advance(31 * DAY);
    assert_eq!(ground.app.app.purge_contacts().await.unwrap(), 1);
    assert_eq!(ground.rows().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_send_files_in_parts_and_are_told_so() {
    let ground = Ground::new().await;
    let path = format!("/f/{}/submissions", ground.form);
    let parts = [("submissionId", None, "a"), ("page", None, "https://shop.example/x"), WHO, JOB, ("cv", CV, "x")];
    for _ in 0..2 {
        let sent = ground.app.post(&path).multipart(&parts).send().await;
        assert_eq!((sent.status, sent.json()["message"].clone()), (200, json!("We have cv.pdf")));
    }
    let listed = ground.listed().await;
    assert_eq!((listed.len(), &listed[0]["others"]["eventData"]["page"]["url"]), (1, &json!("https://shop.example/x")));
    assert_eq!(ground.read(&listed[0]["others"]["cv"][0]).await.text, "x");
    let refused = ground.app.post(&path).multipart(&[("email", None, "x"), JOB]).send().await;
    let named: Vec<Value> =
        refused.json()["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!((refused.status, named), (422, vec![json!("email"), json!("cv")]));
    // Neither door takes what only tells of a file.
    let file = json!([{"id": listed[0]["others"]["cv"][0]["id"], "name": "cv.pdf", "size": 1, "sha256": "x"}]);
    for cv in [json!("cv.pdf"), file] {
        let answers = json!({"answers": {"email": "eve@example.com", "job": "Yes", "cv": cv}});
        let call = ground.app.post(&format!("{}/submissions", ground.path)).key(&ground.key);
        for refused in [ground.app.post(&path).json(&answers).send().await, call.json(&answers).send().await] {
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert!(
                refused.text.contains("multipart/form-data") || refused.text.contains("must be a text"),
                "{}",
                refused.text
            );
        }
    }
    assert_eq!((ground.listed().await.len(), ground.rows().await), (1, (1, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_list_files_for_members() {
    let ground = Ground::new().await;
    ground.send(&[WHO, JOB, ("cv", CV, "x"), ("photos", Some(("a <b>.png", "image/png")), "y")]).await.expect_text();
    let submission = ground.listed().await[0]["id"].as_str().unwrap().to_owned();
    let location = ground.app.ids.location;
    let cookie = member(&ground.app, "member@x.example", Role::AccountUser, &[location]).await;
    let sibling = ground.app.location("Sibling").await;
    let other = member(&ground.app, "other@x.example", Role::AccountUser, &[sibling]).await;
    let get = async |url: &str, cookie: &str| ground.app.get(url).header("Cookie", cookie).send().await;
    let at = format!("/app/locations/{location}");
    let page = get(&format!("{at}/forms/{}/submissions/{submission}", ground.form), &cookie).await;
    assert!(page.text.contains("<bdi>a &#60;b&#62;.png</bdi>") && page.text.contains("1 byte"), "{}", page.text);
    let (before, _) = page.text.split_once("\" download><bdi>cv.pdf").expect("a link");
    let link = before.rsplit('"').next().unwrap();
    let read = get(link, &cookie).await;
    assert_eq!((read.status, read.text.as_str(), read.header("content-type")), (200, "x", "application/octet-stream"));
    assert_eq!(read.header("content-security-policy"), "sandbox; default-src 'none'");
    assert!(read.header("content-disposition").starts_with("attachment; filename=\"cv.pdf\""));
    assert_eq!((get(link, &other).await.status, ground.app.get(link).send().await.status), (404, 303));
    for path in [format!("{at}/submissions.csv?form={}", ground.form), format!("{at}/submissions.csv")] {
        let table = get(&path, &cookie).await;
        assert!(
            table.text.contains(&format!("http://{}{link}", ground.app.address)) || table.text.contains(link),
            "{}",
            table.text
        );
    }
}

/// What a survey asks, and how it answers.
async fn survey(ground: &Ground) -> String {
    let new = json!({"locationId": ground.app.ids.location, "name": "Survey", "definition": asking()});
    let made = ground.app.post("/surveys").key(&ground.key).json(&new).send().await.expect(201);
    format!("/surveys/{}", made["survey"]["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_submits_files_to_forms_and_surveys() {
    let ground = Ground::new().await;
    let photo = |name: &'static str, content: &'static str| ("photos", Some((name, "image/png")), content);
    for path in [ground.path.clone(), survey(&ground).await] {
        let at = format!("{path}/submissions");
        let parts = [
            ("submissionId", None, "order-1"),
            ("shoe", None, "42"),
            ("seen", None, "a"),
            ("seen", None, "b"),
            WHO,
            JOB,
            ("cv", CV, "x"),
            photo("1.png", "\u{89}y"),
            photo("2.png", "z"),
        ];
        let send = || ground.app.post(&at).key(&ground.key).multipart(&parts).send();
        let made = send().await.expect(201)["submission"].clone();
        let others = &made["others"];
        assert_eq!(
            (&others["shoe"], &others["seen"], &others["job"]),
            (&json!("42"), &json!(["a", "b"]), &json!("Yes"))
        );
        assert!(others.get("submissionId").is_none(), "{others}");
        assert_eq!((others["cv"][0]["name"].as_str(), others["cv"][0]["size"].as_i64()), (Some("cv.pdf"), Some(1)));
        let start = format!("{path}/submissions/{}/files/", made["id"].as_str().unwrap());
        for (file, content) in [(&others["cv"][0], "x"), (&others["photos"][0], "\u{89}y"), (&others["photos"][1], "z")]
        {
            let url = file["url"].as_str().unwrap();
            let read = &url[url.find(&start).unwrap_or_else(|| panic!("{url}"))..];
            let read = ground.app.get(read).key(&ground.key).send().await;
            assert_eq!((read.status, read.text.as_str()), (200, content), "{url}");
        }
        // The same once more is the same, and takes no room.
        let rows = ground.rows().await;
        assert_eq!(
            (send().await.expect(201)["submission"]["id"].clone(), ground.rows().await),
            (made["id"].clone(), rows)
        );
    }
    let again = [WHO, JOB, ("cv", CV, "again")];
    let at = format!("{}/submissions", ground.path);
    let send = || ground.app.post(&at).key(&ground.key).header("Idempotency-Key", "one").multipart(&again).send();
    let (first, second) = (send().await.expect(201), send().await);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(first["submission"]["id"], second.expect(201)["submission"]["id"]);
    // Others do not read them, and what a key sends takes nothing of what strangers may.
    let only_sends = ground
        .app
        .key_with(Reach::location(ground.app.ids.location), [Scope::FormsWrite].into_iter().collect(), |_| {})
        .await;
    let sent = ground.app.post(&at).key(&only_sends).multipart(&again).send().await.expect(201);
    let url = path_of(&sent["submission"]["others"]["cv"][0]).to_owned();
    assert_eq!(ground.app.get(&url).key(&only_sends).send().await.status, 401);
    ground.app.sql("UPDATE files SET size = 209715200").await;
    ground.send(&[WHO, JOB, ("cv", CV, "of a stranger")]).await.expect_text();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_key_are_taken_within_limits() {
    let ground = Ground::new().await;
    let paths = [ground.path.clone(), survey(&ground).await];
    let large = "x".repeat(10 * 1024 * 1024 + 1);
    let photo = |name: &'static str| ("photos", Some((name, "image/png")), "x");
    const WRONG: Option<(&str, &str)> = Some(("cv.exe", "application/pdf"));
    let unasked = "answers.email names no field of the form that asks for files";
    for (parts, about) in [
        (vec![WHO, JOB], vec!["answers.cv should not be empty"]),
        (vec![WHO, JOB, ("cv", WRONG, "x")], vec!["answers.cv takes files whose names end with .pdf, .txt"]),
        (vec![WHO, JOB, ("cv", CV, "x"), ("cv", CV, "y")], vec!["answers.cv must be one file"]),
        (vec![WHO, JOB, ("cv", CV, "")], vec!["answers.cv must not be empty, as cv.pdf is"]),
        (vec![WHO, ("photos", CV, &large)], vec!["answers.photos must not be larger than 10 MB, as cv.pdf is"]),
        (
            vec![WHO, JOB, ("cv", CV, "x"), photo("1"), photo("2"), photo("3"), photo("4"), photo("5")],
            vec!["answers.photos must not bring more than 5 files with the rest of the form"],
        ),
        (vec![WHO, JOB, ("cv", None, "cv.pdf")], vec!["answers.cv must be a file, in a part with a filename"]),
        (
            vec![WHO, JOB, ("cv", None, "cv.pdf"), ("cv", CV, "x")],
            vec!["answers.cv must not be both a text and a file"],
        ),
        // Whatever else is wrong is said with it.
        (
            vec![JOB, ("cv", WRONG, "x"), ("email", CV, "x"), ("cover", CV, "x")],
            vec![
                unasked,
                "answers.cover names no field",
                "answers.email should not be empty",
                "answers.cv takes files whose names end with",
            ],
        ),
        (vec![("email", None, "e\0"), JOB, ("cv", CV, "x")], vec!["answers must not contain NUL characters"]),
    ] {
        for path in &paths {
            let call = ground.app.post(&format!("{path}/submissions")).key(&ground.key);
            let refused = call.multipart(&parts).send().await;
            let text = refused.expect(422).to_string();
            assert!(about.iter().all(|about| text.contains(about)), "{about:?}: {text}");
        }
    }
    // What only tells of a file is none, whoever sends it and however.
    let file = json!([{"id": "0000000000000000000A", "name": "cv.pdf", "size": 1, "sha256": "x"}]);
    let forged = [("cv", None, file.to_string()), ("cv", None, file[0].to_string())];
    for path in &paths {
        let at = format!("{path}/submissions");
        for (key, none, text) in &forged {
            let refused = ground.app.post(&at).key(&ground.key).multipart(&[WHO, JOB, (key, *none, text)]).send().await;
            assert!(refused.expect(422).to_string().contains("answers.cv must be a file"));
        }
        let answers = json!({"answers": {"email": "eve@example.com", "job": "Yes", "cv": file}});
        let refused = ground.app.post(&at).key(&ground.key).json(&answers).send().await.expect(422);
        assert!(refused.to_string().contains("answers.cv must be a text, a number"), "{refused}");
        // Far too much is not read to its end.
        let much = "x".repeat(52 * 1024 * 1024);
        let refused = ground.app.post(&at).key(&ground.key).multipart(&[WHO, ("photos", CV, &much)]).send().await;
        assert_eq!(refused.expect(413)["code"], "body_too_large");
        let refused = ground.app.post(&at).key(&ground.key).body("text/csv", "a".to_owned()).send().await.expect(415);
        assert_eq!(refused["message"], "The body must be application/json or, with files, multipart/form-data");
    }
    assert_eq!((ground.rows().await, ground.listed().await.len()), ((0, 0), 0));
    let lost = ground.app.post("/forms/0000000000000000000A/submissions").key(&ground.key);
    assert_eq!(lost.multipart(&[("cv", CV, "x")]).send().await.status, 404);
    // What depends on an answer that was not given is not asked, and its file not kept.
    let call = ground.app.post(&format!("{}/submissions", ground.path)).key(&ground.key);
    let made = call.multipart(&[WHO, ("cv", CV, "unasked")]).send().await.expect(201);
    assert!(made["submission"]["others"].get("cv").is_none(), "{made}");
    assert_eq!(ground.rows().await, (0, 0));
}
