//! Importing contacts in the app: a file that is sent once, what its columns become, a try, and what became of each row.

use std::time::{Duration, Instant};

use keystead_testkit::{Answer, TestApp};

use crate::app::{Browser, flash};

const PEOPLE: &str = "\
First name;E-Mail;Mobile;Notes;Colour
Ada;ada@example.com;(415) 555-0123;=1+1;red
Bob;no address;;;blue
Nobody;;;+49;
";

/// The page of an import when the server has come to its end.
async fn over(browser: &mut Browser<'_>, url: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let page = browser.get(url).await;
        if !page.text.contains("data-refresh") {
            return page;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody ends {}", page.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a page counts, in its order.
fn figures(page: &Answer) -> Vec<String> {
    let figures = page.text.split("card stat\"><span>").skip(1);
    figures.map(|figure| figure.split(['<', '>']).nth(4).unwrap().to_owned()).collect()
}

async fn contacts(app: &TestApp) -> i64 {
    app.number("SELECT CAST(count(*) AS BIGINT) FROM contacts").await
}

/// The option of a column that is chosen.
fn chosen(page: &Answer, column: usize) -> &str {
    let (_, select) = page.text.split_once(&format!("<select id=\"column-{column}\"")).unwrap();
    let select = select.split("</select>").next().unwrap();
    let Some((before, _)) = select.split_once("\" selected>") else { return "" };
    before.rsplit('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_once_mapped_tried_and_imported() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app).await;
    let imports = format!("/app/locations/{}/contacts/imports", app.ids.location);
    let (mapping, page) = browser.send_file(&format!("{imports}/new"), ("people.csv", PEOPLE)).await;
    assert!(mapping.starts_with(&format!("{imports}/files/")) && page.status == 200, "{mapping} {}", page.text);
    let known: Vec<&str> = (0..5).map(|column| chosen(&page, column)).collect();
    assert_eq!(known, ["firstName", "email", "phone", "", ""]);
    assert!(page.text.contains("red · blue") && page.text.contains("=1+1 · +49"), "{}", page.text);
    let fields = |doing| {
        let columns = [("column-0", "firstName"), ("column-1", "email"), ("column-2", "phone")];
        [&columns[..], &[("column-3", ""), ("column-4", "source"), ("encoding", "utf-8"), ("do", doing)]].concat()
    };
    let (tried, page) = browser.post(&mapping, &fields("try")).await;
    assert_eq!(flash(&page).as_deref(), Some("“people.csv” is being tried: nothing changes by that."));
    let page = over(&mut browser, &tried).await;
    assert_eq!((figures(&page), contacts(&app).await), (["3", "1", "0", "0", "0", "2"].map(str::to_owned).to_vec(), 0));
    assert!(page.text.contains("nothing was changed") && page.text.contains("Line 3"), "{}", page.text);
    assert!(page.text.contains("<bdi>Has neither e-mail address nor phone number, by which"), "{}", page.text);
    // The file waits again: what was chosen can be changed, or imported as it is.
    let like = format!("{mapping}?like={}", tried.rsplit('/').next().unwrap());
    assert!(page.text.contains(&like.replace('&', "&#38;")), "{}", page.text);
    assert_eq!(chosen(&browser.get(&like).await, 4), "source");
    let (imported, page) = browser.post(&format!("{tried}/run"), &[]).await;
    assert_eq!(flash(&page).as_deref(), Some("The import of “people.csv” has begun."));
    let page = over(&mut browser, &imported).await;
    assert_eq!((figures(&page), contacts(&app).await), (["3", "1", "0", "0", "0", "2"].map(str::to_owned).to_vec(), 1));
    // Its badge follows it, also while its page stays open.
    assert!(page.text.contains("\">Done, rows refused</span>"), "{}", page.text);
    app.sql("UPDATE imports SET state = 'running', ended_at = NULL").await;
    let progress = browser.get(&format!("{imported}/progress")).await;
    assert!(progress.text.contains("\">Running</span>"), "{}", progress.text);
    app.sql("UPDATE imports SET state = 'completed', ended_at = created_at").await;
    // Rows with problems are a file that can be mended, and no formula.
    let csv = browser.get(&format!("{imported}/problems.csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("First name,E-Mail,Mobile,Notes,Colour,Import problem", 3));
    assert!(
        lines[1].starts_with("Bob,no address,,,blue,") && lines[1].contains("must be an e-mail address"),
        "{}",
        csv.text
    );
    assert!(lines[2].starts_with("Nobody,,,+49,,"), "{}", csv.text);
    // It is imported once.
    let (_, page) = browser.post(&format!("{tried}/run"), &[]).await;
    assert!(flash(&page).unwrap().starts_with("That file is not kept any more"), "{}", page.text);
    assert_eq!(contacts(&app).await, 1);
    let list = browser.get(&imports).await;
    assert!(list.text.contains("1 new, 2 refused") && list.text.contains("Dry run"), "{}", list.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_where_it_is_and_what_was_chosen_is_kept() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app).await;
    let new = format!("/app/locations/{}/contacts/imports/new", app.ids.location);
    let (_, page) = browser.send_file(&new, ("empty.csv", "")).await;
    assert!(page.status == 422 && page.text.contains("id=\"file-problem\">Choose a CSV file"), "{}", page.text);
    let (_, page) = browser.send_file(&new, ("book.xlsx", "PK\u{3}\u{4}rest")).await;
    assert!(page.text.contains("save its sheet as CSV"), "{}", page.text);
    let (mapping, _) = browser.send_file(&new, ("<b>.csv", "E-Mail,Mail,x\na@example.com,,\n")).await;
    let post = async |browser: &mut Browser<'_>, columns: [&str; 3], more: &[(&str, &str)]| {
        let columns = [("column-0", columns[0]), ("column-1", columns[1]), ("column-2", columns[2])];
        browser.post(&mapping, &[&columns[..], &[("do", "import"), ("encoding", "utf-8")], more].concat()).await.1
    };
    for (columns, about) in [
        (["", "", ""], "Choose what at least one column becomes"),
        (["firstName", "", ""], "by which contacts are told apart"),
        (["email", "email", ""], "id=\"column-1-problem\">Another column becomes “E-mail address” already"),
        (["email", "", "customFields.0000000000000000000A"], "id=\"column-2-problem\">That field is not there"),
    ] {
        let page = post(&mut browser, columns, &[]).await;
        assert!(page.status == 422 && page.text.contains(about), "{columns:?}: {}", page.text);
        assert_eq!((chosen(&page, 0), chosen(&page, 1)), (columns[0], columns[1]));
        assert!(page.text.contains("&#60;b&#62;.csv"));
    }
    let page = post(&mut browser, ["firstName", "", ""], &[("unidentified", "on")]).await;
    assert_eq!(flash(&page).as_deref(), Some("The import of “&#60;b&#62;.csv” has begun."));
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_read_as_they_were_written() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app).await;
    let new = format!("/app/locations/{}/contacts/imports/new", app.ids.location);
    let (mapping, page) = browser.send_file(&new, ("a.csv", "Name,E-Mail\nJosé,jose@example.com\n")).await;
    assert!(page.text.contains("value=\"utf-8\" selected") && page.text.contains("José"), "{}", page.text);
    let wrong = browser.get(&format!("{mapping}?encoding=windows-1252")).await;
    assert!(wrong.text.contains("value=\"windows-1252\" selected") && wrong.text.contains("JosÃ©"), "{}", wrong.text);
    let unknown = browser.get(&format!("{mapping}?encoding=klingon")).await;
    assert!(unknown.status == 200 && unknown.text.contains("not known"), "{}", unknown.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_waits_for_a_day() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app).await;
    let new = format!("/app/locations/{}/contacts/imports/new", app.ids.location);
    let (mapping, _) = browser.send_file(&new, ("a.csv", "email\na@example.com\n")).await;
    app.clock.advance(Duration::from_secs(23 * 3600));
    app.app.purge_files().await.unwrap();
    assert!(browser.get(&mapping).await.text.contains("What each column becomes"));
    app.clock.advance(Duration::from_secs(2 * 3600));
    app.app.purge_files().await.unwrap();
    let page = browser.get(&mapping).await;
    assert!(flash(&page).unwrap().starts_with("That file is not kept any more"), "{}", page.text);
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM file_pieces").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_stopped_and_looked_at_while_it_runs() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app).await;
    let new = format!("/app/locations/{}/contacts/imports/new", app.ids.location);
    let rows: String = (0..20_000).map(|number| format!("p{number}@example.com\n")).collect();
    let (mapping, _) = browser.send_file(&new, ("many.csv", &format!("email\n{rows}"))).await;
    let (import, page) = browser.post(&mapping, &[("column-0", "email"), ("do", "import")]).await;
    assert!(page.text.contains("data-refresh") && page.text.contains(">Stop<"), "{}", page.text);
    let progress = browser.get(&format!("{import}/progress")).await;
    assert!(progress.text.starts_with("<div class=\"stats\">") && !progress.text.contains("data-over"));
    let (_, page) = browser.post(&format!("{import}/stop"), &[]).await;
    assert!(flash(&page).unwrap().contains("is stopped. What was imported stays."), "{}", page.text);
    assert!(!page.text.contains("data-refresh") && contacts(&app).await < 20_000);
    assert!(browser.get(&format!("{import}/progress")).await.text.contains("data-over"));
}
