//! The authorization matrix of the pages: every page of the table × everybody who might open it.
//!
//! As with the routes of the APIs, whoever a page is for gets in with the very ids that strangers are turned away with.

use std::{collections::BTreeSet, time::Duration};

use keystead_core::{NewAgency, NoticeFilter};
use keystead_model::{
    KeyId, LocationId, UserId,
    agency::{TenantName, TenantState},
    contact::ContactPatch,
    page::Window,
    saved_view::{SavedViewContent, ViewedList},
    text::{EmailAddress, Line},
    user::{NewUser, Role},
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};
use serde_json::{Value, json};

use crate::{
    app::{contact_with_parts, from_here, join, member, sign_in},
    callers::{rows_of_one, saved_view},
    imports::import,
    things::{brought, clicked, received},
};

/// Pages that need no sign-in, and why.
const PUBLIC: &[(&str, &str)] = &[
    ("/", "leads to the app"),
    ("/app/setup", "asks for its own token"),
    ("/app/sign-in", "is the way in"),
    ("/app/invite/{token}", "asks for its own token"),
    ("/app/choices/{list}", "names of countries and time zones"),
    ("/docs", "documentation"),
    ("/docs/{page}", "documentation"),
    ("/docs/errors/{code}", "documentation"),
    ("/docs/reference", "documentation"),
    ("/docs/reference/{api}", "documentation"),
    ("/docs/reference/{api}/{noun}", "documentation"),
    ("/assets/{version}/{file}", "style and script"),
    ("/favicon.ico", "icon"),
    ("/robots.txt", "for crawlers"),
];

/// One thing of each noun that pages are about.
struct Things {
    location: LocationId,
    key: String,
    contact: String,
    note: String,
    task: String,
    notice: String,
    member: String,
    invitation: String,
    import: String,
    import_file: String,
    trashed: String,
    opportunity: String,
    pipeline: String,
    tag: String,
    field: String,
    value: String,
    reason: String,
    view: String,
    link: String,
    token: String,
    click: String,
    webhook: String,
    delivery: String,
    form: String,
    submission: String,
    file: String,
    inbound: String,
    payload: String,
}

impl Things {
    async fn of(app: &TestApp) -> Self {
        let location = app.ids.location;
        let key = app.location_key().await;
        member(app, "member@x.example", Role::AccountUser, &[location]).await;
        app.let_days_pass(75.05).await;
        app.app.sweep().await.unwrap();
        let operator = app.operator().await;
        let authority = operator.authority();
        let members = app.app.list_users(authority).await.unwrap();
        let member = members.iter().find(|user| user.email.as_str() == "member@x.example").unwrap().id.to_string();
        let told = app.app.list_notices(authority, NoticeFilter::default(), Window::first(1)).await.unwrap().rows;
        let things = Self {
            location,
            key: key.id.to_string(),
            contact: String::new(),
            note: String::new(),
            task: String::new(),
            notice: told[0].id.to_string(),
            member,
            invitation: String::new(),
            import: import(app, &app.location_key().await, "a.csv").await["id"].as_str().unwrap().to_owned(),
            import_file: String::new(),
            trashed: String::new(),
            opportunity: String::new(),
            pipeline: String::new(),
            tag: String::new(),
            field: String::new(),
            value: String::new(),
            reason: String::new(),
            view: String::new(),
            link: String::new(),
            token: String::new(),
            click: String::new(),
            webhook: String::new(),
            inbound: String::new(),
            payload: String::new(),
            delivery: String::new(),
            form: String::new(),
            submission: String::new(),
            file: String::new(),
        };
        things.renewed(app).await.made_anew(app).await
    }

    /// With what pages delete, so that each visitor finds it there.
    async fn made_anew(self, app: &TestApp) -> Self {
        let key = app.location_key().await;
        let make = async |path: &str, body: Value, noun: &str| {
            let made = app.post(path).key(&key).json(&body).send().await.json();
            let made = if noun.is_empty() { &made } else { &made[noun] };
            made["id"].as_str().unwrap_or_else(|| panic!("{path}: {made}")).to_owned()
        };
        let location = format!("/locations/{}", self.location);
        let contact = make("/contacts/", json!({"firstName": "Ada"}), "contact").await;
        let pipelines = app.get("/opportunities/pipelines").key(&key).send().await.expect(200);
        let deal = json!({"name": "A deal", "pipelineId": pipelines["pipelines"][0]["id"], "contactId": contact, "status": "open"});
        let opportunity = make("/opportunities/", deal, "opportunity").await;
        let pipeline = json!({"name": "Another", "stages": [{"name": "One"}]});
        let pipeline = make("/opportunities/pipelines", pipeline, "pipeline").await;
        let tag = make(&format!("{location}/tags"), json!({"name": format!("tag {contact}")}), "tag").await;
        let field = json!({"name": format!("Field {contact}"), "dataType": "TEXT", "model": "contact"});
        let field = make(&format!("{location}/customFields"), field, "customField").await;
        let value = json!({"name": format!("Value {contact}"), "value": "x"});
        let value = make(&format!("{location}/customValues"), value, "customValue").await;
        let reason = json!({"name": format!("Reason {contact}"), "locationId": self.location.as_str()});
        let reason = make("/opportunities/lost-reason", reason, "lostReason").await;
        let hook = json!({"url": format!("https://hooks.example.com/{contact}"), "events": ["*"]});
        let webhook = make("/webhooks", hook, "webhook").await;
        let example = json!({"event": "contact.created"});
        let delivery = make(&format!("/webhooks/{webhook}/test"), example, "delivery").await;
        let (inbound, payload) = received(app, &key, json!({"name": "A shop"}), json!({})).await;
        let view = self.shared_view(app).await;
        let link = make("/links/", json!({"name": "A link", "redirectTo": "https://example.com"}), "link").await;
        let (token, click) = clicked(app, &key, &link, &contact).await;
        Self {
            opportunity,
            pipeline,
            tag,
            field,
            value,
            reason,
            view,
            link,
            token,
            click,
            webhook,
            delivery,
            inbound,
            payload,
            ..self
        }
    }

    /// A view that a member shares.
    async fn shared_view(&self, app: &TestApp) -> String {
        let admin = app.admin().await;
        let context = app.app.enter_location(admin, Some(self.location)).await.unwrap();
        for view in app.app.list_saved_views(&context, ViewedList::Contacts).await.unwrap() {
            app.app.delete_saved_view(&context, ViewedList::Contacts, view.id).await.unwrap();
        }
        let view = SavedViewContent { is_shared: true, ..saved_view("A view") };
        app.app.create_saved_view(&context, ViewedList::Contacts, view).await.unwrap().id.to_string()
    }

    /// With an invitation that nobody has taken back, a contact that nobody has put away, one in the trash, a file that nobody has
    /// imported, and a form with what was submitted to it, and a file.
    async fn renewed(self, app: &TestApp) -> Self {
        let new = NewUser {
            email: EmailAddress::parse("invited@x.example").unwrap(),
            first_name: None,
            last_name: None,
            role: Role::AccountUser,
            locations: [self.location].into(),
        };
        let operator = app.operator().await;
        let (_, made) = app.app.invite_user(operator.authority(), new).await.unwrap();
        let (contact, note, task) = contact_with_parts(app).await;
        let context = app.app.enter_location(operator.authority().clone(), Some(self.location)).await.unwrap();
        let file = app.app.upload_import_file(&context, rows_of_one()).await.unwrap();
        let name = ContactPatch { first_name: Some(Some(Line::parse("Gone").unwrap())), ..ContactPatch::default() };
        let trashed = app.app.create_contact(&context, name).await.unwrap().id;
        app.app.delete_contact(&context, trashed).await.unwrap();
        let [form, submission, file_of_form] = brought(app, "cv.pdf", &Value::Null).await;
        Self {
            form,
            submission,
            file: file_of_form,
            invitation: made.id.to_string(),
            contact,
            note,
            task,
            import_file: file.id.to_string(),
            trashed: trashed.to_string(),
            ..self
        }
    }

    /// The address of a page with these things in it, each of the noun that the page is about.
    fn address(&self, path: &str) -> String {
        let nouns = [
            ("/settings/keys/{id}", self.key.as_str()),
            ("/contacts/{id}", &self.contact),
            ("/contacts/trash/{id}", &self.trashed),
            ("/contacts/imports/files/{id}", &self.import_file),
            ("/contacts/imports/{id}", &self.import),
            ("/notices/{id}", &self.notice),
            ("/members/invitations/{id}", &self.invitation),
            ("/members/{id}", &self.member),
            ("/agency/locations/{id}", self.location.as_str()),
            ("/opportunities/{id}", &self.opportunity),
            ("/lost-reasons/{id}", &self.reason),
            ("/settings/pipelines/{id}", &self.pipeline),
            ("/settings/tags/{id}", &self.tag),
            ("/settings/custom-fields/{id}", &self.field),
            ("/settings/custom-values/{id}", &self.value),
            ("/views/{viewed}/{id}", &self.view),
            ("/links/{id}", &self.link),
            ("/settings/webhooks/{id}", &self.webhook),
            ("/forms/{id}", &self.form),
            ("/settings/webhooks/incoming/{id}", &self.inbound),
        ];
        let id = nouns.iter().find(|(noun, _)| path.contains(noun)).map_or("", |(_, id)| *id);
        let parts = [
            ("{location}", self.location.as_str()),
            ("{id}", id),
            ("{note}", &self.note),
            ("{task}", &self.task),
            ("{to}", "won"),
            ("{viewed}", "contacts"),
            ("{token}", &self.token),
            ("{click}", &self.click),
            ("{delivery}", &self.delivery),
            ("{field}", "email"),
            ("{version}", "1"),
            ("{submission}", &self.submission),
            ("{page}", "1"),
            ("{file}", &self.file),
            ("{kind}", "email"),
            ("{payload}", &self.payload),
        ];
        let url = parts.iter().fold(path.to_owned(), |url, (part, id)| url.replace(part, id));
        assert!(!url.contains(['{', '}']) && !url.contains("//"), "{url} has a parameter that nothing fills");
        url
    }
}

/// The pages of an agency and of a location. A stream of events lasts for a minute; it has a test of its own.
fn pages_of_tenants() -> impl Iterator<Item = String> {
    let is_tenants = |path: &String| path.contains("/agency") || path.contains("{location}");
    keystead_web::paths().into_iter().filter(move |path| is_tenants(path) && !path.ends_with("/stream"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_a_page_is_for_gets_in() {
    let app = TestApp::start().await;
    let mut things = Things::of(&app).await;
    let place_admin = member(&app, "la@x.example", Role::AccountAdmin, &[app.ids.location]).await;
    let agency_admin = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    for path in pages_of_tenants() {
        for (name, cookie) in [("agency admin", &agency_admin), ("location admin", &place_admin)] {
            if name == "location admin" && path.contains("/agency") {
                continue;
            }
            things = things.renewed(&app).await;
            if path.ends_with("/delete") {
                things = things.made_anew(&app).await;
            }
            let url = things.address(&path);
            let page = app.get(&url).header("Cookie", cookie).send().await;
            // An address where something is done leads to its page.
            let is_led_on = page.status == 303 && url.starts_with(page.header("location"));
            assert!(page.status == 200 || is_led_on, "{path} as {name}: {} {}", page.status, page.text);
            assert_eq!(repeated_ids(&page.text), [""; 0], "{path} as {name}");
            let zones = page.text.matches("class=\"zone\"").count();
            assert!(zones <= 1, "{path} names its zone {zones} times");
            // What is done may need more than a name, or another state; it is not refused for who does it.
            let name = if path.ends_with("/locations/{id}/delete") { "Harbour Dental" } else { "A test" };
            let done = from_here(app.post(&url)).header("Cookie", cookie).form(&[("name", name)]).send().await;
            let is_heard = [200, 303, 405, 409, 422].contains(&done.status);
            assert!(is_heard && !done.header("location").contains("sign-in"), "POST {path} as {name}: {}", done.status);
            if path.ends_with("/locations/{id}/delete") {
                app.app.restore_location(&app.operator().await, app.ids.location).await.unwrap();
            }
        }
    }
}

/// Ids that come twice on a page: what leads to one of the two, a label or a link, leads to the wrong one.
fn repeated_ids(page: &str) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let ids = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    ids.filter(|id| !seen.insert(*id)).collect()
}

/// Pages have most forms for whoever signed in a while ago, and of things that were switched off.
#[tokio::test(flavor = "multi_thread")]
async fn no_id_comes_twice_on_a_page() {
    let app = TestApp::start().await;
    let gone = [app.location("One").await, app.location("Two").await];
    let things = Things::of(&app).await.renewed(&app).await;
    let operator = app.operator().await;
    let (authority, key) = (operator.authority(), KeyId::parse(&things.key).unwrap());
    app.app.rotate_key(authority, key, None, Duration::from_secs(3_600)).await.unwrap();
    app.app.deactivate_key(authority, key).await.unwrap();
    app.app.set_user_disabled(authority, UserId::parse(&things.member).unwrap(), true).await.unwrap();
    for location in gone {
        app.app.set_location_state(&operator, location, TenantState::Deleted).await.unwrap();
    }
    app.app.set_location_state(&operator, things.location, TenantState::Suspended).await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    app.clock.advance(Duration::from_secs(16 * 60));
    let own = ["/app/account", "/app/sign-in"].map(str::to_owned);
    let (mut asked, mut refused) = (0, 0);
    for path in pages_of_tenants().chain(own) {
        let url = things.address(&path);
        let page = app.get(&url).header("Cookie", &cookie).send().await;
        assert_eq!(repeated_ids(&page.text), [""; 0], "{path}");
        asked += page.text.matches("name=\"confirm_password\"").count();
        // With all that is missing or wrong.
        let sent =
            from_here(app.post(&url)).header("Cookie", &cookie).form(&[("name", ""), ("role", "x")]).send().await;
        assert_eq!(repeated_ids(&sent.text), [""; 0], "POST {path}");
        refused += usize::from(sent.status == 422);
    }
    assert!(asked > 20 && refused > 20, "{asked} fields ask for the password, {refused} forms are refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_open_to_strangers() {
    let app = TestApp::start().await;
    let (key, things) = (app.location_key().await, Things::of(&app).await);
    for path in keystead_web::paths() {
        if PUBLIC.iter().any(|(public, _)| *public == path) {
            continue;
        }
        let url = things.address(&path);
        for (name, answer) in [
            ("nobody", app.get(&url).send().await),
            ("a made-up session", app.get(&url).header("Cookie", "keystead=made-up").send().await),
            ("a key", app.get(&url).key(&key).send().await),
        ] {
            let turned_away = answer.status == 303 && answer.header("location").starts_with("/app/sign-in");
            assert!(turned_away, "{path} as {name}: {}", answer.status);
        }
        let post = from_here(app.post(&url)).form(&[("name", "x")]).send().await;
        assert!([303, 401, 405].contains(&post.status), "POST {path}: {}", post.status);
        // What they sent waits in the page of the sign-in, which says nothing else.
        assert!(post.status != 401 || post.text.contains("What you typed is kept"), "POST {path}: {}", post.text);
        if post.status == 303 {
            assert!(post.header("location").starts_with("/app/sign-in"), "POST {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_see_only_what_is_theirs() {
    let app = TestApp::start().await;
    let sibling = app.location("Sibling").await;
    let things = Things::of(&app).await;
    let foreign = app.app.create_agency(NewAgency { name: TenantName::parse("Other").unwrap() }).await.unwrap();
    let foreign = app.app.operator_in(foreign.id).await.unwrap();
    let users = [
        ("location admin of a sibling", member(&app, "la@example.com", Role::AccountAdmin, &[sibling]).await),
        ("location user of a sibling", member(&app, "lu@example.com", Role::AccountUser, &[sibling]).await),
        ("admin of another agency", join(&app, &foreign, "fa@example.com", Role::AgencyAdmin, &[]).await),
    ];
    let before = seen(&app, &things).await;
    for (name, cookie) in &users {
        for path in pages_of_tenants() {
            // Of Agency View everybody has their own.
            let is_own = *name == "admin of another agency" && !path.contains('{');
            let url = things.address(&path);
            let answer = app.get(&url).header("Cookie", cookie).send().await;
            let is_led_on = answer.status == 303 && path.contains("/agency") && name.starts_with("admin");
            assert!(is_own || is_led_on || answer.status == 404, "{path} as {name}: {}", answer.status);
            assert!(!answer.text.contains("Harbour Dental"), "{path} as {name}");
            if !is_own {
                let post = from_here(app.post(&url)).header("Cookie", cookie).form(&[("name", "A test")]).send().await;
                assert!([404, 405].contains(&post.status), "POST {path} as {name}: {} {}", post.status, post.text);
            }
        }
    }
    assert_eq!(seen(&app, &things).await, before, "something was changed by one of them");
    // Roles without keys and members do not get these pages in their own place either.
    let agency_user = member(&app, "au@example.com", Role::AgencyUser, &[]).await;
    for (cookie, base) in [(&users[1].1, format!("/app/locations/{sibling}")), (&agency_user, "/app/agency".to_owned())]
    {
        assert_eq!(app.get(&base).header("Cookie", cookie).send().await.status, 200);
        for page in ["/settings/keys", "/settings/keys/new", "/members", "/members/invite"] {
            let answer = app.get(&format!("{base}{page}")).header("Cookie", cookie).send().await;
            assert!([403, 404].contains(&answer.status), "{base}{page}: {}", answer.status);
        }
    }
    let own = app.get(&format!("/app/locations/{sibling}/settings/keys")).header("Cookie", &users[0].1).send().await;
    assert_eq!(own.status, 200);
}

/// The things as they are stored.
async fn seen(app: &TestApp, things: &Things) -> Vec<String> {
    let operator = app.operator().await;
    let authority = operator.authority();
    let key = app.app.get_key(authority, KeyId::parse(&things.key).unwrap()).await.unwrap();
    let location = app.app.get_location(authority, things.location).await.unwrap();
    let notices = app.app.list_notices(authority, NoticeFilter::default(), Window::first(10)).await.unwrap().rows;
    let members = app.app.list_users(authority).await.unwrap();
    let invitations = app.app.list_invitations(authority).await.unwrap();
    vec![
        format!("{key:?}"),
        format!("{location:?}"),
        format!("{notices:?}"),
        format!("{members:?}"),
        format!("{invitations:?}"),
    ]
}
