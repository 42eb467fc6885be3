//! Views of lists that members save, and the columns that they choose.

use std::time::Duration;

use keystead_model::user::Role;
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp};
use serde_json::{Value, json};

use crate::{
    aftermath::settled,
    app::{flash, from_here, member, sign_in},
};

/// What no page shows as it is.
const MARKUP: &str = "<img src=x onerror=alert(1)>\"'&{{7*7}}";

/// Somebody who is signed in, in a location.
struct Visitor<'a> {
    app: &'a TestApp,
    cookie: String,
    base: String,
}

impl<'a> Visitor<'a> {
    async fn admin(app: &'a TestApp) -> Self {
        Self::with(app, sign_in(app, ADMIN_EMAIL, ADMIN_PASSWORD).await)
    }

    async fn user(app: &'a TestApp, email: &str) -> Self {
        Self::with(app, member(app, email, Role::AccountUser, &[app.ids.location]).await)
    }

    fn with(app: &'a TestApp, cookie: String) -> Self {
        Self { app, cookie, base: format!("/app/locations/{}", app.ids.location) }
    }

    async fn get(&self, url: &str) -> Answer {
        self.app.get(&self.at(url)).header("Cookie", &self.cookie).send().await
    }

    fn at(&self, url: &str) -> String {
        if url.starts_with("/app/") { url.to_owned() } else { format!("{}{url}", self.base) }
    }

    async fn page(&self, url: &str) -> String {
        let answer = self.get(url).await;
        assert_eq!(answer.status, 200, "{url}: {}", answer.text);
        answer.text
    }

    async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        from_here(self.app.post(&self.at(url))).header("Cookie", &self.cookie).form(fields).send().await
    }

    /// What is done: where it leads, and what is said there.
    async fn done(&self, url: &str, fields: &[(&str, &str)]) -> (String, String) {
        let answer = self.post(url, fields).await;
        assert_eq!(answer.status, 303, "{url}: {}", answer.text);
        let cookies = format!("{}; {}", self.cookie, answer.header("set-cookie").split(';').next().unwrap());
        let to = answer.header("location").to_owned();
        let page = self.app.get(&to).header("Cookie", &cookies).send().await;
        assert_eq!(page.status, 200, "{to}: {}", page.text);
        (to, flash(&page).unwrap_or_default())
    }

    async fn refused(&self, url: &str, fields: &[(&str, &str)], wanted: &str) {
        let answer = self.post(url, fields).await;
        assert_eq!(answer.status, 422, "{url}: {}", answer.text);
        assert!(answer.text.contains(wanted), "{wanted}: {}", answer.text);
    }

    /// Saves a view of contacts: its id, and its address.
    async fn save(&self, name: &str, query: &str, shared: bool) -> (String, String) {
        let mut fields = vec![("name", name), ("query", query)];
        if shared {
            fields.push(("isShared", "on"));
        }
        let (url, said) = self.done("/views/contacts/new", &fields).await;
        assert!(said.contains("is saved"), "{said}");
        (opened(&url), url)
    }

    /// The names of tabs above a list, the open one marked.
    async fn tabs(&self, url: &str) -> Vec<String> {
        tabs(&self.page(url).await)
    }
}

/// The view that an address names.
fn opened(url: &str) -> String {
    url.split_once("saved=").unwrap().1.split('&').next().unwrap().to_owned()
}

fn tabs(page: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once("<nav aria-label=\"Views\">") else { return Vec::new() };
    let tabs = rest.split("</nav>").next().unwrap().split("</a>").filter(|tab| tab.contains("<a "));
    tabs.map(|tab| {
        let is_here = if tab.contains("aria-current") { "*" } else { "" };
        let name = tab.split_once("<bdi>").map_or_else(|| tab.rsplit('>').next(), |(_, name)| name.split('<').next());
        format!("{is_here}{}", name.unwrap())
    })
    .collect()
}

/// The headings of the list's table.
fn headings(page: &str) -> Vec<&str> {
    let head = page.split_once("<thead>").unwrap().1.split("</thead>").next().unwrap();
    head.split("<bdi>").skip(1).map(|rest| rest.split("</bdi>").next().unwrap()).collect()
}

fn hidden<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split('"').next().unwrap()
}

async fn contact(app: &TestApp, contact: Value) {
    app.post("/contacts/").key(&app.location_key().await).json(&contact).send().await.expect(201);
}

async fn custom_field(app: &TestApp, name: &str) -> String {
    let url = format!("/locations/{}/customFields", app.ids.location);
    let field = json!({"name": name, "dataType": "TEXT", "model": "contact"});
    let made = app.post(&url).key(&app.location_key().await).json(&field).send().await.expect(201);
    made["customField"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_chosen_by_the_address() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    let plan = custom_field(&app, "Plan <b>").await;
    let ada = json!({
        "firstName": "Ada", "email": "ada@example.com", "phone": "+14155550123", "city": "Bristol", "country": "GB",
        "assignedTo": app.ids.user.as_str(), "customFields": [{"id": plan, "value": "Gold & more"}],
    });
    contact(&app, ada).await;
    assert_eq!(headings(&visitor.page("/contacts").await), ["Company", "Tags", "Changed"]);
    let page = visitor.page(&format!("/contacts?columns=city,email,cf_{plan},owner")).await;
    assert_eq!(headings(&page), ["City", "E-mail", "Plan &#60;b&#62;", "Owner"]);
    for cell in ["<bdi>Bristol</bdi>", "<bdi>ada@example.com</bdi>", "<bdi>Gold &#38; more</bdi>"] {
        assert!(page.contains(cell), "{cell}: {page}");
    }
    // Boxes of a form are the same, and what follows says them at once; nothing besides the name can be meant, too.
    let page = visitor.page("/contacts?columns=name&columns=phone&columns=city&tag=x").await;
    assert!(page.contains("columns=name,phone,city"), "{page}");
    contact(&app, json!({"firstName": "Bob", "tags": ["x"]})).await;
    assert_eq!(
        headings(&visitor.page("/contacts?columns=name&columns=phone&columns=city&tag=x").await),
        ["Phone", "City"]
    );
    assert_eq!(headings(&visitor.page("/contacts?columns=name").await), Vec::<&str>::new());
    // What is not there is passed over, what stands twice stands once, and what has no room is told.
    let page = visitor.page("/contacts?columns=made-up,city,cf_,cf_00000000000000000000,city,%3Cb%3E").await;
    assert_eq!(headings(&page), ["City"]);
    let ten = "email,phone,company,tags,owner,added,updated,street,city,state";
    let page = visitor.page(&format!("/contacts?columns={ten}")).await;
    assert_eq!(headings(&page).len(), 8);
    assert!(page.contains("the last 2 that you chose are not shown"), "{page}");
    // A file has all of it, whatever the list shows.
    let csv = visitor.get("/contacts/export.csv?columns=city").await;
    assert!(csv.text.contains("ada@example.com") && csv.text.contains("Gold & more"), "{}", csv.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_saved_changed_and_brought_back() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    assert_eq!(visitor.tabs("/contacts").await, Vec::<String>::new());
    let page = visitor.page("/contacts?tag=vip&page=3&sort=newest&made-up=1").await;
    assert_eq!(tabs(&page), ["*All contacts"]);
    // Only what the list knows is kept, and never a page.
    assert!(page.contains("/views/contacts/new?tag=vip\""), "{page}");
    let form = visitor.page("/views/contacts/new?page=2&made-up=1&tag=vip&sort=oldest").await;
    assert_eq!(hidden(&form, "query"), "tag=vip&#38;sort=oldest");
    let (id, url) = visitor.save("Our VIPs", "page=2&made-up=1&tag=vip&sort=oldest", false).await;
    assert_eq!(url, format!("{}/contacts?tag=vip&sort=oldest&saved={id}", visitor.base));
    let page = visitor.page(&url).await;
    assert_eq!(tabs(&page), ["All contacts", "*Our VIPs"]);
    assert!(!page.contains("Save changes"), "{page}");
    // A filter more, and it is another list than the view keeps.
    let changed = format!("/contacts?tag=vip&dnd=on&sort=oldest&saved={id}");
    let page = visitor.page(&changed).await;
    assert!(page.contains("Save changes") && page.contains("Save as a new view"), "{page}");
    let seen = hidden(&page, "seen");
    app.clock.advance(Duration::from_secs(1));
    let (url, said) = visitor
        .done(&format!("/views/contacts/{id}/query"), &[("query", "tag=vip&dnd=on&page=9"), ("seen", seen)])
        .await;
    assert_eq!(
        (url, said.as_str()),
        (format!("{}/contacts?tag=vip&dnd=on&saved={id}", visitor.base), "The view “Our VIPs” is saved.")
    );
    let (url, _) = visitor.done(&format!("/views/contacts/{id}"), &[("name", "Quiet VIPs")]).await;
    assert_eq!(visitor.tabs(&url).await, ["All contacts", "*Quiet VIPs"]);
    // Deleted, it can be brought back at once; its address stays a list.
    let (_, said) = visitor.done(&format!("/views/contacts/{id}/delete"), &[]).await;
    assert!(said.contains("is deleted"), "{said}");
    assert_eq!(visitor.tabs(&url).await, ["*All contacts"]);
    assert_eq!(visitor.get(&format!("/views/contacts/{id}")).await.status, 404);
    let restore = format!("/views/contacts/{id}/restore");
    let (back, said) = visitor.done(&restore, &[]).await;
    assert_eq!((&back, said.as_str()), (&url, "The view “Quiet VIPs” is back."));
    // Twice does no harm, and a name that was taken meanwhile is said.
    assert_eq!(visitor.post(&restore, &[]).await.status, 303);
    visitor.done(&format!("/views/contacts/{id}/delete"), &[]).await;
    visitor.save("quiet  vips", "", false).await;
    let (_, said) = visitor.done(&restore, &[]).await;
    assert!(said.contains("did not come back"), "{said}");
    assert_eq!(visitor.tabs("/contacts").await, ["*All contacts", "quiet  vips"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_view_is_kept_for_a_day() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    let (first, _) = visitor.save("First", "tag=a", false).await;
    let (second, _) = visitor.save("Second", "tag=b", false).await;
    visitor.done(&format!("/views/contacts/{first}/delete"), &[]).await;
    app.clock.advance(Duration::from_secs(25 * 3600));
    let visitor = Visitor::admin(&app).await;
    visitor.done(&format!("/views/contacts/{second}/delete"), &[]).await;
    assert_eq!(visitor.post(&format!("/views/contacts/{first}/restore"), &[]).await.status, 404);
    assert_eq!(visitor.post(&format!("/views/contacts/{second}/restore"), &[]).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_its_members_until_it_is_shared() {
    let app = TestApp::start().await;
    let (admin, ada, bob) = (
        Visitor::admin(&app).await,
        Visitor::user(&app, "ada@x.example").await,
        Visitor::user(&app, "bob@x.example").await,
    );
    let (own, url) = ada.save("Ada’s", "tag=a", false).await;
    // Nobody else has it, not an admin either: it is as if it were not there.
    for other in [&admin, &bob] {
        assert_eq!(
            other.tabs(&url).await,
            Vec::<String>::new().into_iter().chain(["*All contacts".to_owned()]).collect::<Vec<_>>()
        );
        for path in ["", "/query", "/delete", "/restore"] {
            let refused = other.post(&format!("/views/contacts/{own}{path}"), &[("name", "Mine"), ("query", "")]).await;
            assert_eq!(refused.status, 404, "{path}: {}", refused.text);
        }
        assert_eq!(other.get(&format!("/views/contacts/{own}")).await.status, 404);
    }
    // Nor is it a view of another list.
    assert_eq!(ada.get(&format!("/views/tasks/{own}")).await.status, 404);
    assert_eq!(ada.get(&format!("/views/made-up/{own}")).await.status, 404);
    ada.done(&format!("/views/contacts/{own}"), &[("name", "Ada’s"), ("isShared", "on")]).await;
    let page = bob.page(&url).await;
    assert_eq!(tabs(&page), ["All contacts", "*Ada’s"]);
    assert!(!page.contains("Rename or share"), "{page}");
    // It is seen, and changed by whoever saved it and by admins.
    let changed = bob.page(&format!("/contacts?tag=b&saved={own}")).await;
    assert!(changed.contains("Save as a new view") && !changed.contains("Save changes"), "{changed}");
    for path in ["/query", "/delete"] {
        let refused = bob.post(&format!("/views/contacts/{own}{path}"), &[("query", "tag=b")]).await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.text);
    }
    bob.refused(&format!("/views/contacts/{own}"), &[("name", "Bob’s")], "Only whoever saved this view, or an admin")
        .await;
    // By its address, too, no form is offered that would be refused.
    let form = bob.get(&format!("/views/contacts/{own}")).await;
    assert_eq!(form.status, 403, "{}", form.text);
    assert!(form.text.contains("<h1>Not allowed</h1>"), "{}", form.text);
    assert!(!form.text.contains("name=\"isShared\""), "{}", form.text);
    admin.done(&format!("/views/contacts/{own}"), &[("name", "Everybody’s"), ("isShared", "on")]).await;
    assert_eq!(bob.tabs("/contacts").await, ["*All contacts", "Everybody’s"]);
    // Kept for oneself again, it is gone for the others.
    ada.done(&format!("/views/contacts/{own}"), &[("name", "Ada’s")]).await;
    assert_eq!(bob.tabs("/contacts").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_locations_view_is_not_there() {
    let app = TestApp::start().await;
    let admin = Visitor::admin(&app).await;
    let (id, _) = admin.save("Here", "tag=a", true).await;
    let sibling = app.location("Sibling").await;
    let there = Visitor { base: format!("/app/locations/{sibling}"), cookie: admin.cookie.clone(), app: &app };
    assert_eq!(there.tabs(&format!("/contacts?tag=b&saved={id}")).await, ["*All contacts"]);
    assert_eq!(there.get(&format!("/views/contacts/{id}")).await.status, 404);
    for path in ["", "/query", "/delete", "/restore"] {
        let refused = there.post(&format!("/views/contacts/{id}{path}"), &[("name", "There"), ("query", "")]).await;
        assert_eq!(refused.status, 404, "{path}");
    }
    assert_eq!(admin.tabs("/contacts").await, ["*All contacts", "Here"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_names_are_told_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    let new = "/views/contacts/new";
    let (long, longest) = ("n".repeat(65), "ü".repeat(64));
    for (name, problem) in [
        ("", "Enter a name."),
        ("   ", "Enter a name."),
        ("\u{200b}", "must have characters that can be seen"),
        ("a\u{7}b", "must not contain control characters"),
        (long.as_str(), "must be shorter than or equal to 64 characters"),
    ] {
        let refused = visitor.post(new, &[("name", name), ("query", "tag=vip"), ("isShared", "on")]).await;
        assert_eq!(refused.status, 422, "{name:?}: {}", refused.text);
        assert!(refused.text.contains(problem), "{name:?}: {}", refused.text);
        // What was to be saved, and for whom, stays in the form.
        assert_eq!(hidden(&refused.text, "query"), "tag=vip");
        assert!(refused.text.contains("name=\"isShared\" value=\"on\" checked"), "{}", refused.text);
    }
    visitor.save(&longest, "tag=vip", false).await;
    visitor.save(MARKUP, "q=%3Cscript%3E&tag=%22%3E%3Cb%3E", true).await;
    let page = visitor.page("/contacts").await;
    assert!(!page.contains("<img") && !page.contains("<script>") && !page.contains("\"><b>"), "{page}");
    assert_eq!(tabs(&page).len(), 3);
    visitor.refused(new, &[("name", &longest.to_uppercase()), ("query", "")], "is that of another view").await;
    // A search is no place for a key, nor is a view of it; and no address is longer than this.
    let secret = format!("q={}", app.location_key().await.secret);
    visitor.refused(new, &[("name", "Key"), ("query", &secret)], "must not contain an API key").await;
    let endless = format!("q={}", "x".repeat(2_000));
    visitor
        .refused(new, &[("name", "Long"), ("query", &endless)], "must be shorter than or equal to 2000 characters")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_views_are_enough_for_a_member_and_for_all() {
    let app = TestApp::start().await;
    let (admin, ada) = (Visitor::admin(&app).await, Visitor::user(&app, "ada@x.example").await);
    for number in 0..50 {
        ada.save(&format!("View {number}"), "tag=a", false).await;
    }
    ada.refused(
        "/views/contacts/new",
        &[("name", "One more"), ("query", "")],
        "Name cannot be given: there are 50 views already; delete one that is not used.",
    )
    .await;
    // Others are not in her way, nor is she in theirs; nor are views of other lists.
    let (shared, _) = admin.save("For all", "tag=b", true).await;
    ada.done("/views/tasks/new", &[("name", "Calls"), ("query", "q=call")]).await;
    ada.save("Ours", "tag=c", true).await;
    assert_eq!(ada.tabs("/contacts").await.len(), 53);
    // What is there is changed still; what would be one too many by being kept for oneself is not.
    let mine = opened(
        &ada.page("/contacts")
            .await
            .split("title=\"View 1\"")
            .next()
            .unwrap()
            .rsplit("href=")
            .next()
            .unwrap()
            .replace('"', "&"),
    );
    ada.done(&format!("/views/contacts/{mine}"), &[("name", "View 1 again")]).await;
    let ours = ada.page("/contacts").await;
    let ours = opened(&ours.split("title=\"Ours\"").next().unwrap().rsplit("href=").next().unwrap().replace('"', "&"));
    ada.refused(
        &format!("/views/contacts/{ours}"),
        &[("name", "Ours")],
        "Name cannot be given: there are 50 views already; delete one that is not used.",
    )
    .await;
    admin.done(&format!("/views/contacts/{shared}"), &[("name", "For all of us"), ("isShared", "on")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_a_view_see_each_others_version() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    let (id, url) = visitor.save("Ours", "tag=a", true).await;
    let (form, list) =
        (visitor.page(&format!("/views/contacts/{id}")).await, visitor.page(&format!("{url}&dnd=on")).await);
    app.clock.advance(Duration::from_secs(1));
    visitor.done(&format!("/views/contacts/{id}"), &[("name", "Theirs"), ("isShared", "on")]).await;
    let mine = [("seen", hidden(&form, "seen")), ("name", "Mine"), ("isShared", "on")];
    let refused = visitor.post(&format!("/views/contacts/{id}"), &mine).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    for said in ["Somebody changed this view while you edited it", "Name: meanwhile it is “Theirs”.", "value=\"Mine\""]
    {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    // What the list is asked for is not written over the other's either, and stays in view to be saved again.
    let (to, said) = visitor
        .done(&format!("/views/contacts/{id}/query"), &[("query", "tag=a&dnd=on"), ("seen", hidden(&list, "seen"))])
        .await;
    assert!(said.starts_with("Nothing was saved: somebody else has changed the view"), "{said}");
    assert!(to.contains("dnd=on") && to.contains(&id), "{to}");
    let page = visitor.page(&to).await;
    let again = [("query", "tag=a&dnd=on"), ("seen", hidden(&page, "seen"))];
    app.clock.advance(Duration::from_secs(1));
    assert!(visitor.done(&format!("/views/contacts/{id}/query"), &again).await.1.contains("is saved"));
    let again = [("seen", hidden(&refused.text, "seen")), ("name", "Mine"), ("isShared", "on")];
    assert_eq!(visitor.post(&format!("/views/contacts/{id}"), &again).await.status, 422, "it has changed once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_stays_where_what_it_names_is_gone() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    contact(&app, json!({"firstName": "Ada"})).await;
    let plan = custom_field(&app, "Plan").await;
    let (_, url) = visitor.save("Plans", &format!("columns=name,city,cf_{plan}"), false).await;
    assert_eq!(headings(&visitor.page(&url).await), ["City", "Plan"]);
    let field = format!("/locations/{}/customFields/{plan}", app.ids.location);
    app.delete(&field).key(&app.location_key().await).send().await.expect(200);
    let page = visitor.page(&url).await;
    assert_eq!(headings(&page), ["City"]);
    assert!(tabs(&page).contains(&"*Plans".to_owned()) && !page.contains("Save changes"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opportunities_and_tasks_have_views_too() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    for (list, name, query, path) in [
        ("opportunities", "Won ones", "status=won&view=board&q=x", "/opportunities?q=x&status=won&view=list&saved="),
        ("tasks", "Calls", "q=call&sort=made-up", "/tasks?q=call&saved="),
    ] {
        let (url, _) = visitor.done(&format!("/views/{list}/new"), &[("name", name), ("query", query)]).await;
        let id = opened(&url);
        let said = |url: &str| {
            let (path, query) = url.split_once('?').unwrap();
            let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
            pairs.sort();
            format!("{path}?{}", pairs.join("&"))
        };
        assert_eq!(said(&url), said(&format!("{}{path}{id}", visitor.base)));
        let tabs = visitor.tabs(&url).await;
        assert_eq!(tabs[1..], [format!("*{name}")], "{tabs:?}");
    }
    assert_eq!(visitor.tabs("/contacts").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_views_is_told_in_the_log() {
    let app = TestApp::start().await;
    let visitor = Visitor::admin(&app).await;
    let (id, _) = visitor.save("Our VIPs", "tag=vip", true).await;
    visitor.done(&format!("/views/contacts/{id}/delete"), &[]).await;
    let log = visitor.page("/app/agency/audit?data=1").await;
    for said in ["saved the view", "deleted the view"] {
        assert!(log.contains(said), "{said}: {log}");
    }
    // That it happened is told, and not what: a view may be one member's alone.
    assert!(!log.contains("Our VIPs") && !log.contains("tag=vip"), "{log}");
    // No key reads of them: they are of members.
    let events = app.get("/events").key(&app.agency_key().await).send().await;
    assert!(!events.text.contains("saved_view"), "{}", events.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_member_shared_stays_and_what_was_theirs_alone_goes() {
    let app = TestApp::start().await;
    let (admin, ada) = (Visitor::admin(&app).await, Visitor::user(&app, "ada@x.example").await);
    ada.save("Hers", "tag=a", false).await;
    let (ours, _) = ada.save("Ours", "tag=b", true).await;
    let operator = app.operator().await;
    let users = app.app.list_users(operator.authority()).await.unwrap();
    let id = users.iter().find(|user| user.email.as_str() == "ada@x.example").unwrap().id;
    app.app.delete_user(operator.authority(), id).await.unwrap();
    settled(&app).await;
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM saved_views").await, 1);
    let told =
        "SELECT CAST(count(*) AS BIGINT) FROM events WHERE action = 'saved_view.deleted' AND actor_kind = 'system'";
    assert_eq!(app.number(told).await, 1);
    assert_eq!(admin.tabs("/contacts").await, ["*All contacts", "Ours"]);
    admin.done(&format!("/views/contacts/{ours}"), &[("name", "Everybody’s"), ("isShared", "on")]).await;
}
