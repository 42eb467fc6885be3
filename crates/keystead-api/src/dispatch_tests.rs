//! What no route of ours takes or answers yet, over a real server: forms, headers that an input asks for, answers that are made
//! while they are sent.

use std::{io::Read, net::Ipv4Addr, path::PathBuf, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use keystead_core::{Clock, Entropy, InstanceSecret, Limits, RateLimits, Setup};
use keystead_http::{Admission, Arrivals, Connections, Places, TrustedProxies, Upload, serve};
use keystead_model::{
    agency::TenantName,
    api_key::{KeyAbout, KeyName, NewKey},
    contact::ContactPatch,
    grant::{Grant, Reach},
    ip_range::IpRanges,
    key_kind::KeyKind,
    location::LocationProfile,
    scope::Preset,
    text::{EmailAddress, Line},
};
use keystead_store::{Database, Options, Store};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::*;
use crate::{
    call::Call,
    reader::Reader,
    reply::Content,
    route::Table,
    shape::{
        EmptyText, Fields, Input, Output, Written,
        output::{Answer, Definitions},
    },
};

/// Bytes that the files of a form may have here.
const FILES: u64 = 1024 * 1024;

struct NewFile {
    title: Line<100>,
    copies: Option<i64>,
    file: Upload,
}

impl Input for NewFile {
    const FILE_BYTES: Option<u64> = Some(FILES);

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let title = reader.required("title", |reader| reader.word("title"));
        let copies = reader.integer("copies", 1..=9);
        let file = reader.required("file", |reader| reader.file("file", "The bytes of a file"));
        Some(Self { title: title?, copies, file: file? })
    }
}

struct FromWhom(Option<Line<20>>);

impl Input for FromWhom {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(reader.header("X-Sent-By")))
    }
}

struct Stored {
    contact: String,
    name: String,
    kind: String,
    length: i64,
    sum: i64,
    copies: i64,
    by: String,
}

impl Written for Stored {
    fn sample() -> Self {
        let text = || "x".to_owned();
        Self { contact: text(), name: text(), kind: text(), length: 1, sum: 1, copies: 1, by: text() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("contact", &self.contact);
        fields.put("name", &self.name);
        fields.put("kind", &self.kind);
        fields.put("length", &self.length);
        fields.put("sum", &self.sum);
        fields.put("copies", &self.copies);
        fields.put("by", &self.by);
    }
}

/// Has an effect, too: a contact of that title.
async fn store(context: LocationContext, call: Call<(), FromWhom, NewFile>) -> Result<Stored, Error> {
    let NewFile { title, copies, mut file } = call.body;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
    let new =
        ContactPatch { company_name: Some(Some(Line::parse(title.as_str()).unwrap())), ..ContactPatch::default() };
    let new = ContactPatch { first_name: Some(Some(title)), ..new };
    let contact = call.app.create_contact(&context, new).await?;
    Ok(Stored {
        contact: contact.id.to_string(),
        name: file.name.unwrap_or_default(),
        kind: file.kind.unwrap_or_default(),
        length: file.length as i64,
        sum: bytes.iter().map(|byte| i64::from(*byte)).sum(),
        copies: copies.unwrap_or_default(),
        by: call.query.0.map(|by| by.to_string()).unwrap_or_default(),
    })
}

/// So many rows, and whether the last of them fails.
struct Rows(usize, bool);

impl Output for Rows {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        let Self(count, fails) = self;
        let row = move |number| match number == count {
            true => Err("no more rows".into()),
            false => Ok(Frame::data(Bytes::from(format!("{number},{}\r\n", "x".repeat(1000))))),
        };
        let rows = futures_util::stream::iter((0..count + usize::from(fails)).map(row));
        let stream = Some(BodyExt::boxed_unsync(StreamBody::new(rows)));
        Reply { status, stream, ..Reply::of(Vec::new(), Content::Other("text/csv; charset=utf-8")) }
    }

    fn describe(_: &mut Definitions) -> Answer {
        Answer::Other("text/csv", serde_json::json!({"type": "string"}))
    }
}

async fn rows(_: LocationContext, _: Call) -> Result<Rows, Error> {
    Ok(Rows(3000, false))
}

async fn broken_rows(_: LocationContext, _: Call) -> Result<Rows, Error> {
    Ok(Rows(3000, true))
}

async fn nothing(_: LocationContext, _: Call) -> Result<EmptyText, Error> {
    Ok(EmptyText)
}

fn table() -> Vec<Route> {
    Table::new(Face::V2)
        .location("POST /files", "Stores a file", Scope::ContactsWrite, 201, store)
        .location("GET /rows", "Rows", Scope::ContactsRead, 200, rows)
        .location("GET /broken-rows", "Rows", Scope::ContactsRead, 200, broken_rows)
        .location("POST /rows", "Rows", Scope::ContactsRead, 200, rows)
        .location("POST /nothing", "Nothing", Scope::ContactsRead, 200, nothing)
        .location("GET /contacts", "Contacts", Scope::ContactsRead, 200, v2::contacts::list)
        .rows()
}

struct Server {
    address: std::net::SocketAddr,
    key: String,
    folder: PathBuf,
    _tasks: JoinSet<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn server(name: &str) -> Server {
    let folder = std::env::temp_dir().join(format!("keystead-api-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let database = Store::open(&Database::Sqlite(folder.join("test.db")), &Options::default()).unwrap();
    database.migrations().apply(Clock::System.now()).await.unwrap();
    let secret = InstanceSecret::parse(&InstanceSecret::line(1, &[7; 32])).unwrap();
    let limits = Limits { rate: RateLimits::OFF, ..Limits::default() };
    let app = App::open(database, secret, Clock::System, Entropy::System, limits, None).await.unwrap();
    let named = |name| TenantName::parse(name).unwrap();
    let ids = app
        .set_up(Setup {
            agency: named("Agency"),
            location: LocationProfile::named(named("Location")),
            admin_email: EmailAddress::parse("admin@example.com").unwrap(),
            admin_names: (None, None),
            admin_password: "correct horse battery".to_owned(),
        })
        .await
        .unwrap();
    let grant = Grant {
        agency: ids.agency,
        reach: Reach::location(ids.location),
        scopes: Preset::FullAccess.scopes(KeyKind::Location),
        allowed_ips: IpRanges::default(),
        expires_at: None,
    };
    let new = NewKey {
        name: KeyName::parse("Test").unwrap(),
        about: KeyAbout::default(),
        grant,
        rate_limit: None,
        allowed_origins: keystead_model::origin::Origins::default(),
    };
    let operator = app.operator_in(ids.agency).await.unwrap();
    let made = app.create_key(operator.authority(), new).await.unwrap();
    let key = made.secret.as_ref().unwrap().expose().to_owned();

    let requests = || Admission::new(Places::of(8));
    let requests = Arc::new(Requests { reads: requests(), writes: requests() });
    let api = Api::over(table(), app, "http://127.0.0.1".to_owned(), requests);
    let arrivals = Arc::new(Arrivals::new(TrustedProxies::default(), &Entropy::System));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut limits = Connections::default();
    limits.pace.transfer = Duration::from_millis(500);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let call = move |request: Request<RequestBody>, peer: std::net::SocketAddr| {
            let (api, arrival) = (Arc::clone(&api), arrivals.arrive(peer.ip(), request.headers()));
            async move { api.call(request, arrival).await.0 }
        };
        let proxies = TrustedProxies::default();
        serve(listener, limits, proxies, Arc::default(), call, std::future::pending()).await;
    });
    Server { address, key, folder, _tasks: tasks }
}

impl Server {
    /// Sends a request with one more header or several, and answers status and body; `None` where it broke off.
    async fn send(&self, line: &str, headers: &str, body: &[u8], length: usize) -> (u16, Option<String>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n{headers}Content-Length: {length}\r\n\r\n",
            self.key
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever is refused may not be heard to the end.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        (status, (!is_chunked || body.ends_with("0\r\n\r\n")).then(|| body.to_owned()))
    }

    async fn post(&self, headers: &str, body: &[u8]) -> (u16, Value) {
        let (status, body) = self.send("POST /files", headers, body, body.len()).await;
        (status, serde_json::from_str(&body.unwrap()).unwrap())
    }

    async fn contacts(&self) -> Value {
        let (_, body) = self.send("GET /contacts", "", b"", 0).await;
        serde_json::from_str::<Value>(&body.unwrap()).unwrap()["meta"]["total"].clone()
    }
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=b\r\n";

/// One part, with what stands in its head besides its name.
fn part(name: &str, more: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n").as_bytes(), bytes, b"\r\n"]
        .concat()
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), b"--b--\r\n".to_vec()].concat()
}

const CSV: &str = "; filename=\"list.csv\"\r\nContent-Type: text/csv; charset=utf-8";

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_an_input_like_others() {
    let server = server("form").await;
    let long: Vec<u8> = (0..900_000u32).map(|number| (number % 251) as u8).collect();
    for bytes in [&b"a,b"[..], &long, b""] {
        let parts = [part("title", "", "Ada \u{e9}".as_bytes()), part("copies", "", b"3"), part("file", CSV, bytes)];
        let (status, stored) = server.post(&format!("{FORM}X-Sent-By: me\r\n"), &form(&parts)).await;
        let sum: i64 = bytes.iter().map(|byte| i64::from(*byte)).sum();
        assert_eq!((status, &stored["sum"], &stored["length"]), (201, &sum.into(), &bytes.len().into()), "{stored}");
        assert_eq!((&stored["name"], &stored["kind"]), (&"list.csv".into(), &"text/csv".into()));
        assert_eq!((&stored["copies"], &stored["by"]), (&3.into(), &"me".into()));
    }
    assert_eq!(server.contacts().await, 3);
    // Its texts are read by the rules of their words, and all that is wrong is told at once.
    let parts = [part("copies", "", b"many"), part("more", "", b"x"), part("../../x", CSV, b"x"), part("f", CSV, b"")];
    let (status, refused) = server.post(&format!("{FORM}X-Sent-By: a\r\nX-Sent-By: b\r\n"), &form(&parts)).await;
    let message = [
        "X-Sent-By must be sent once",
        "title should not be empty",
        "copies must be an integer number",
        "file should not be empty",
        "property more should not exist",
        "property ../../x should not exist",
        "property f should not exist",
    ];
    assert_eq!((status, &refused["message"]), (422, &serde_json::json!(message)));
    let twice = form(&[part("title", "", b"x"), part("file", CSV, b"1"), part("file", CSV, b"2")]);
    assert_eq!(server.post(FORM, &twice).await.1["message"][0], "file must be sent once");
    assert_eq!(server.contacts().await, 3, "nothing of it happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_may_say_that_it_is_one() {
    let server = server("texts").await;
    let titled = |kind: &str, title: &[u8]| {
        form(&[part("title", &format!("\r\nContent-Type: text/plain{kind}"), title), part("file", CSV, b"x")])
    };
    for (kind, title, read) in [
        ("", "No\u{eb}l".as_bytes(), "No\u{eb}l"),
        ("; charset=utf-8", "Zo\u{eb}".as_bytes(), "Zo\u{eb}"),
        ("; charset=ISO-8859-1", b"Chlo\xeb", "Chlo\u{eb}"),
    ] {
        let (status, stored) = server.post(FORM, &titled(kind, title)).await;
        assert_eq!(status, 201, "{kind}: {stored}");
        let (_, contacts) = server.send("GET /contacts", "", b"", 0).await;
        assert!(contacts.unwrap().contains(read), "{kind}");
    }
    for (kind, problem) in [("; charset=utf-8", "a text is not UTF-8"), ("; charset=x", "no charset that is known")] {
        let (status, refused) = server.post(FORM, &titled(kind, b"Zo\xeb")).await;
        assert_eq!((status, &refused["code"]), (400, &"malformed_body".into()), "{kind}");
        assert!(refused["message"].as_str().unwrap().contains(problem), "{refused}");
    }
    let unnamed = form(&[part("title", "", b"x"), part("file", "\r\nContent-Type: text/plain", b"x")]);
    let (status, refused) = server.post(FORM, &unnamed).await;
    let message = serde_json::json!(["file must be a file, in a part with a filename"]);
    assert_eq!((status, &refused["message"]), (422, &message));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_none_is_refused_and_has_no_effect() {
    let server = server("bad-form").await;
    let title = || part("title", "", b"x");
    let good = form(&[title(), part("file", CSV, b"x")]);
    let many: Vec<_> = (0..1000).map(|number| part(&format!("f{number}"), "", b"1")).collect();
    let named = |name: &str| form(&[title(), part("file", &format!("; filename=\"{name}\""), b"x")]);
    let latin_name =
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\xfc\"\r\nContent-Type: a/b\r\n\r\nx\r\n"
            .to_vec();
    let path = "; filename=\"../../etc/passwd\"";
    let backslash = "; filename=\"..\\\\..\\\\boot.ini\"";
    let long_head = |length| format!("\r\nX-More: {}", "x".repeat(length));
    let too_long = vec![b'x'; FILES as usize + 1];
    let far_too_long = vec![b'x'; 4 * FILES as usize];
    for (headers, body, status, code) in [
        ("Content-Type: application/json\r\n", b"{\"title\":\"x\"}".to_vec(), 415, "media_type"),
        ("", good.clone(), 415, "media_type"),
        ("Content-Type: multipart/mixed; boundary=b\r\n", good.clone(), 415, "media_type"),
        (&format!("{FORM}Content-Encoding: gzip\r\n"), good.clone(), 415, "media_type"),
        ("Content-Type: multipart/form-data\r\n", good.clone(), 400, "malformed_body"),
        ("Content-Type: multipart/form-data; boundary=other\r\n", good.clone(), 400, "malformed_body"),
        (FORM, form(&many), 400, "malformed_body"),
        (FORM, form(&[title(), part("file", path, b"x")]), 400, "malformed_body"),
        (FORM, form(&[title(), latin_name]), 400, "malformed_body"),
        (FORM, named(".."), 400, "malformed_body"),
        (FORM, named("."), 400, "malformed_body"),
        (FORM, named("list\u{202e}vsc.exe"), 400, "malformed_body"),
        (FORM, named(&"x".repeat(256)), 400, "malformed_body"),
        (FORM, form(&[title(), part("file", backslash, b"x")]), 400, "malformed_body"),
        (FORM, form(&[part("title", "", b"\xff"), part("file", CSV, b"x")]), 400, "malformed_body"),
        (FORM, good[..good.len() - 8].to_vec(), 400, "malformed_body"),
        (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n".to_vec(), 400, "malformed_body"),
        (FORM, b"--b\r\n\r\nx\r\n--b--\r\n".to_vec(), 400, "malformed_body"),
        (FORM, b"--b\r\n\xff\xfe: \0\r\n\r\nx\r\n--b--\r\n".to_vec(), 400, "malformed_body"),
        (FORM, Vec::new(), 400, "malformed_body"),
        (FORM, form(&[part("title", &long_head(40_000), b"x"), part("file", CSV, b"x")]), 400, "malformed_body"),
        (FORM, form(&[title(), part("file", &format!("{CSV}{}", long_head(40_000)), b"x")]), 400, "malformed_body"),
        (FORM, [vec![b'x'; 40_000], b"\r\n".to_vec(), good.clone()].concat(), 400, "malformed_body"),
        (FORM, form(&[title(), part("file", CSV, &too_long)]), 413, "body_too_large"),
        (FORM, form(&[title(), part("file", CSV, &far_too_long)]), 413, "body_too_large"),
        (FORM, form(&[part("title", "", &too_long), part("file", CSV, b"x")]), 413, "body_too_large"),
    ] {
        let (found, refused) = server.post(headers, &body).await;
        if status != 413 {
            assert!(refused["hint"].as_str().unwrap().starts_with("Send one form with"), "{refused}");
        }
        let start = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
        assert_eq!((found, &refused["code"]), (status, &code.into()), "{headers} {start}: {refused}");
        assert_eq!(refused["statusCode"], status);
    }
    assert_eq!(server.post(FORM, &named(&"\u{fc}".repeat(127))).await.0, 201);
    // A head may have some KB, and the parts behind it follow.
    let heads = [part("title", &long_head(7000), b"x"), part("file", &format!("{CSV}{}", long_head(7000)), b"x")];
    assert_eq!(server.post(FORM, &form(&heads)).await.0, 201);
    // A query that is not readable is no body either.
    let (_, refused) = server.send("GET /contacts?query=%ff", "", b"", 0).await;
    assert!(refused.as_ref().unwrap().contains("Percent-encode the query"), "{refused:?}");
    // A part that never ends.
    let (status, refused) = server.send("POST /files", FORM, &good[..good.len() - 8], good.len()).await;
    assert_eq!(status, 408, "{refused:?}");
    assert_eq!(server.contacts().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_repeated_has_its_effect_once() {
    let server = server("repeated-form").await;
    let headers = format!("{FORM}Idempotency-Key: one\r\n");
    let parts = |bytes: &[u8]| form(&[part("title", "", b"x"), part("file", CSV, bytes)]);
    let (status, first) = server.post(&headers, &parts(b"1")).await;
    assert_eq!(status, 201, "{first}");
    // Whatever boundary the client comes up with the second time.
    let again = String::from_utf8(parts(b"1")).unwrap().replace("--b", "--c");
    let (status, again) = server.post(&headers.replace("=b", "=c"), again.as_bytes()).await;
    assert_eq!((status, &again), (201, &first));
    // Another file: by its bytes, its name or its kind alone, or a text of the same bytes.
    let with = |head: &str, bytes: &[u8]| form(&[part("title", "", b"x"), part("file", head, bytes)]);
    for other in [
        with(CSV, b"2"),
        with(&CSV.replace("list", "tsil"), b"1"),
        with(&CSV.replace("text/csv", "text/html"), b"1"),
        with("; filename=\"list.csv\"", b"1"),
        with("", b"1"),
    ] {
        let (status, refused) = server.post(&headers, &other).await;
        let said = String::from_utf8_lossy(&other);
        assert_eq!((status, &refused["code"]), (422, &"idempotency_mismatch".into()), "{said}");
    }
    assert_eq!(server.contacts().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_sent_while_it_is_made() {
    let server = server("rows").await;
    let (status, rows) = server.send("GET /rows", "", b"", 0).await;
    let rows = rows.unwrap();
    assert_eq!((status, rows.matches(",xxx").count()), (200, 3000));
    assert!(rows.contains("2999,xxx"));
    let (status, rows) = server.send("GET /broken-rows", "", b"", 0).await;
    assert_eq!((status, rows), (200, None), "what failed in its middle does not look whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_kept_is_not_promised_again() {
    let server = server("unkept").await;
    for line in ["POST /rows", "POST /nothing"] {
        let (status, refused) = server.send(line, "Idempotency-Key: one\r\n", b"", 0).await;
        let refused: Value = serde_json::from_str(&refused.unwrap()).unwrap();
        let message = "Idempotency-Key is taken only where the answer is JSON, which alone is kept for a repeat";
        assert_eq!((status, &refused["message"]), (422, &serde_json::json!([message])), "{line}");
        assert_eq!(server.send(line, "", b"", 0).await.0, 200, "{line}");
    }
    let document = crate::openapi::describe(&table());
    let takes_key = |path: &str| document["paths"][path]["post"].to_string().contains("Idempotency-Key");
    assert_eq!(["/files", "/rows", "/nothing"].map(takes_key), [true, false, false]);
}

#[test]
fn documents_tell_forms_and_headers() {
    let table = table();
    let [store, ..] = &table[..] else { panic!("a route") };
    assert_eq!((store.file_bytes(), store.headers().collect::<Vec<_>>()), (Some(FILES), vec!["X-Sent-By"]));
    let mut document = crate::openapi::describe(&table);
    let operation = document["paths"]["/files"]["post"].take();
    let form = &operation["requestBody"]["content"]["multipart/form-data"]["schema"];
    assert_eq!(form["required"], serde_json::json!(["title", "file"]));
    assert_eq!(form["properties"]["file"]["contentMediaType"], "application/octet-stream");
    let header = operation["parameters"].as_array().unwrap().iter().find(|parameter| parameter["name"] == "X-Sent-By");
    assert_eq!(header.unwrap()["in"], "header");
    let rows = &document["paths"]["/rows"]["get"]["responses"]["200"]["content"]["text/csv"]["schema"]["type"];
    assert_eq!(rows, "string");
}
