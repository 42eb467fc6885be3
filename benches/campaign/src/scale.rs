//! One location of a hundred thousand contacts, or a million: how long requests take then, one after another.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Instant,
};

use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    Outcome,
    client::{Connection, form, page, request},
    figures::{Times, head, row},
    people::{Dice, FIELDS, PLANS, Person, TAGS, columns, person},
    server::{ADMIN, Place, Server},
};

#[derive(Args)]
pub(crate) struct Scale {
    /// Contacts, each with five values of custom fields
    #[arg(long, default_value_t = 100_000)]
    contacts: usize,
    /// Opportunities
    #[arg(long, default_value_t = 20_000)]
    opportunities: usize,
    /// Requests of each kind
    #[arg(long, default_value_t = 200)]
    requests: usize,
}

/// Somebody who asks one thing after another.
struct Client<'s> {
    server: &'s Server,
    connection: Connection,
}

impl<'s> Client<'s> {
    async fn new(server: &'s Server, number: usize) -> Outcome<Self> {
        let connection = server.connect(number).await?;
        Ok(Self { server, connection })
    }

    /// What is answered, and how long it took.
    async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Outcome<(Value, std::time::Duration)> {
        let (answer, took) = self.search(method, path, body).await?;
        Ok((answer.ok_or_else(|| format!("{method} {path} {body}: refused"))?, took))
    }

    /// The same of what may be refused as too much to find in time: then `None`.
    async fn search(
        &mut self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Outcome<(Option<Value>, std::time::Duration)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = request(method, path, &self.server.key, &body);
        let begun = Instant::now();
        let answer = self.connection.ask(&request).await.map_err(|error| format!("{method} {path}: {error}"))?;
        let took = begun.elapsed();
        let text = answer.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        if answer.status == 422 && text.contains("take too long here") {
            return Ok((None, took));
        }
        if !(200..300).contains(&answer.status) {
            return Err(format!("{method} {path} {body}: {} {text}", answer.status));
        }
        Ok((Some(serde_json::from_str(text).map_err(|error| error.to_string())?), took))
    }
}

/// What is looked for, and the words of it that somebody has.
type Words = (&'static str, fn(&Person) -> String);
/// A request of a kind, the n-th.
type Ask = Box<dyn Fn(usize) -> (&'static str, String, Value)>;

impl Scale {
    pub(crate) async fn run(self, place: &Place) -> Outcome {
        let begun = Instant::now();
        let server = place.start(&[])?;
        println!("An empty server started within {:.2} s.", begun.elapsed().as_secs_f64());
        let mut client = Client::new(&server, 1).await?;
        let location = location_of(place, &server)?;
        let mut fields = Vec::new();
        for (name, kind, options) in FIELDS {
            let field = json!({"name": name, "dataType": kind, "options": options, "model": "contact"});
            let field =
                if options.is_empty() { json!({"name": name, "dataType": kind, "model": "contact"}) } else { field };
            let made = client.ask("POST", &format!("/locations/{location}/customFields"), &field).await?.0;
            fields.push(made["customField"]["id"].as_str().unwrap_or_default().to_owned());
        }
        self.import(place, &server).await?;
        let pipeline = self.opportunities(&server, &location).await?;
        println!("\nMemory of the server: {} MB.\n", server.megabytes());
        // The one of before was idle for longer than the server keeps it.
        let mut client = Client::new(&server, 4).await?;
        head(&["request", "rows", "p50, ms", "p99, ms", "longest, ms", "refused"]);
        for (name, ask) in self.kinds(&location, &fields, &pipeline) {
            let times = Times::default();
            let (mut rows, mut refused) = (0, 0);
            // The first answers read pages of the database that nobody has asked for yet.
            for number in 0..self.requests + 5 {
                let (method, path, body) = ask(number);
                let (answer, took) = client.search(method, &path, &body).await?;
                let Some(answer) = answer else {
                    refused += 1;
                    continue;
                };
                if number >= 5 {
                    times.add(took);
                }
                rows = [&answer["meta"]["total"], &answer["total"]].into_iter().find_map(Value::as_i64).unwrap_or(rows);
            }
            row(&figures(&name, rows, &times, refused));
        }
        self.pages(&location, &mut client).await?;
        self.changes(&server, &location, &mut client).await?;
        println!("\nMemory of the server at the end: {} MB.", server.megabytes());
        Ok(())
    }

    /// Imports the contacts while somebody else reads and writes.
    async fn import(&self, place: &Place, server: &Server) -> Outcome {
        let path = server.folder().join("contacts.csv");
        let mut file = BufWriter::new(File::create(&path).map_err(|error| error.to_string())?);
        let mut lines = std::iter::once(columns()).chain((0..self.contacts).map(|number| person(number).line()));
        lines
            .try_for_each(|line| writeln!(file, "{line}"))
            .and_then(|()| file.flush())
            .map_err(|error| error.to_string())?;
        let idle = Times::default();
        watch(server, &idle, &AtomicBool::new(false), 200).await?;
        let (busy, stop) = (Times::default(), AtomicBool::new(false));
        let mut command =
            place.command(server.folder(), &["contacts", "import", "--agency-id", &server.agency, "--json"]);
        command.arg(&path);
        let begun = Instant::now();
        let importing = async {
            let output = tokio::task::spawn_blocking(move || command.output()).await;
            stop.store(true, Relaxed);
            output.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
        };
        let (output, watched) = tokio::join!(importing, watch(server, &busy, &stop, usize::MAX));
        let (output, ()) = (output?, watched?);
        let took = begun.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(format!("the import failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        println!(
            "{} contacts imported in {took:.1} s, {:.0}/s. Others meanwhile p50 {:.1}, p99 {:.1} ms; before p50 {:.1}, p99 {:.1} ms.",
            self.contacts,
            self.contacts as f64 / took,
            busy.at(0.5),
            busy.at(0.99),
            idle.at(0.5),
            idle.at(0.99),
        );
        Ok(())
    }

    /// A pipeline, and opportunities in it.
    async fn opportunities(&self, server: &Server, location: &str) -> Outcome<Value> {
        let mut client = Client::new(server, 2).await?;
        let path = format!("/opportunities/pipelines?locationId={location}");
        let pipeline = client.ask("GET", &path, &Value::Null).await?.0["pipelines"][0].clone();
        let stages = pipeline["stages"].as_array().cloned().unwrap_or_default();
        let mut contacts = Vec::new();
        let mut path = format!("/contacts/?locationId={location}&limit=100");
        while contacts.len() < self.opportunities.min(self.contacts) {
            let page = client.ask("GET", &path, &Value::Null).await?.0;
            contacts.extend(
                page["contacts"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|contact| contact["id"].as_str().map(str::to_owned)),
            );
            let meta = &page["meta"];
            let Some(id) = meta["startAfterId"].as_str() else { break };
            path = format!(
                "/contacts/?locationId={location}&limit=100&startAfter={}&startAfterId={id}",
                meta["startAfter"]
            );
        }
        let begun = Instant::now();
        let clients = 16;
        let makers = (0..clients).map(|maker| {
            let (pipeline, stages, contacts) = (&pipeline, &stages, &contacts);
            async move {
                let mut client = Client::new(server, 100 + maker).await?;
                let mut dice = Dice(maker as u64);
                for number in (maker..self.opportunities).step_by(clients) {
                    let person = person(number);
                    let status = ["open", "open", "open", "won", "lost", "abandoned"][dice.below(6)];
                    let body = json!({
                        "locationId": location,
                        "pipelineId": pipeline["id"],
                        "pipelineStageId": stages[dice.below(stages.len())]["id"],
                        "name": format!("{} for {}", person.values[4], person.company),
                        "status": status,
                        "contactId": contacts[number % contacts.len()],
                        "monetaryValue": dice.below(5_000_000) as f64 / 100.0,
                    });
                    client.ask("POST", "/opportunities/", &body).await?;
                }
                Ok::<_, String>(())
            }
        });
        for made in join_all(makers).await {
            made?;
        }
        println!(
            "{} opportunities made, {:.0}/s.",
            self.opportunities,
            self.opportunities as f64 / begun.elapsed().as_secs_f64()
        );
        Ok(pipeline)
    }

    /// What is read.
    fn kinds(&self, location: &str, fields: &[String], pipeline: &Value) -> Vec<(String, Ask)> {
        let count = self.contacts;
        let somebody = move |number: usize| person(Dice(number as u64).below(count));
        let list = |query: String| ("GET", format!("/contacts/?locationId={location}&{query}"), Value::Null);
        let query = {
            let at = location.to_owned();
            move |words: &str| ("GET", format!("/contacts/?locationId={at}&query={}", encode(words)), Value::Null)
        };
        let search = {
            let at = location.to_owned();
            move |filters: Value, sort: Value| {
                let mut body = json!({"locationId": at, "pageLimit": 20, "filters": filters});
                if !sort.is_null() {
                    body["sort"] = sort;
                }
                ("POST", "/contacts/search".to_owned(), body)
            }
        };
        let find = {
            let at = location.to_owned();
            move |query: String| ("GET", format!("/opportunities/search?location_id={at}&{query}"), Value::Null)
        };
        let test =
            |field: &str, operator: &str, value: Value| json!([{"field": field, "operator": operator, "value": value}]);
        let by_update = json!([{"field": "dateUpdated", "direction": "desc"}]);
        let [plan, budget, seats, renewal, interest] = fields else { return Vec::new() };
        let field = |id: &str| format!("customFields.{id}");
        let (plan, budget, seats) = (field(plan), field(budget), field(seats));
        let (renewal, interest) = (field(renewal), field(interest));
        let first_page = list("limit=20".to_owned());
        let deep = list(format!("limit=20&skip={}", (count / 2).min(10_000)));
        let mut kinds: Vec<(String, Ask)> = Vec::new();
        let mut add = |name: &str, ask: Ask| kinds.push((name.to_owned(), ask));
        add("list page", Box::new(move |_| first_page.clone()));
        add("list page, 10,000 skipped", Box::new(move |_| deep.clone()));
        let by_words: [Words; 10] = [
            ("query: last name", |person| person.last.clone()),
            ("query: beginning of a last name", |person| person.last.chars().take(4).collect()),
            ("query: first name", |person| person.first.to_owned()),
            ("query: first and last name", |person| format!("{} {}", person.first, person.last)),
            ("query: e-mail", |person| person.email.clone()),
            ("query: after the @", |person| person.email.split('@').nth(1).unwrap_or_default().to_owned()),
            ("query: phone as written", |person| person.phone.clone()),
            ("query: its last four digits", |person| person.phone[person.phone.len() - 4..].to_owned()),
            ("query: area code", |person| format!("+1{}", &person.phone[1..4])),
            ("query: word of a company", |person| person.company.rsplit(' ').next().unwrap_or_default().to_owned()),
        ];
        for (name, words) in by_words {
            let query = query.clone();
            add(name, Box::new(move |number| query(&words(&somebody(number)))));
        }
        for words in ["zzyzx", "vip", "example", "Maria García", "Rui press"] {
            let query = query.clone();
            add(&format!("query: {words}"), Box::new(move |_| query(words)));
        }
        for tag in TAGS {
            let search = search.clone();
            add(&format!("tag {tag}"), Box::new(move |_| search(test("tags", "contains", json!([tag])), Value::Null)));
        }
        for (name, at, operator, values) in [
            ("plan", plan, "eq", PLANS.iter().map(|plan| json!(plan)).collect::<Vec<_>>()),
            ("seats", seats, "eq", (1..40).map(|seats| json!(seats)).collect()),
            (
                "budget, a range",
                budget,
                "range",
                (0..40).map(|at| json!({"gte": at * 400, "lt": at * 400 + 100})).collect(),
            ),
            (
                "renewal, a month",
                renewal,
                "range",
                (1..12)
                    .map(|month| json!({"gte": format!("2026-{month:02}-01"), "lt": format!("2026-{month:02}-28")}))
                    .collect(),
            ),
            ("interest", interest, "eq", (0..40).map(|number| json!(person(number).values[4])).collect()),
        ] {
            let (search, by_update) = (search.clone(), by_update.clone());
            add(
                &format!("custom field {name}, by update"),
                Box::new(move |number| {
                    search(test(&at, operator, values[number % values.len()].clone()), by_update.clone())
                }),
            );
        }
        let (by_city, city_update) = (search.clone(), by_update.clone());
        add(
            "city and tag, by update",
            Box::new(move |number| {
                let both = json!([{"group": "AND", "filters": [
                    {"field": "city", "operator": "eq", "value": somebody(number).city},
                    {"field": "tags", "operator": "contains", "value": ["vip"]},
                ]}]);
                by_city(both, city_update.clone())
            }),
        );
        add("everything, by update", Box::new(move |_| search(json!([]), by_update.clone())));
        let stage = pipeline["stages"][0]["id"].as_str().unwrap_or_default().to_owned();
        for (name, query) in [
            ("opportunities", String::new()),
            ("opportunities that are open", "status=open".to_owned()),
            ("opportunities of a stage", format!("pipeline_stage_id={stage}")),
            ("opportunities: a word", "q=Dental".to_owned()),
        ] {
            let (find, query) = (find.clone(), query.clone());
            add(name, Box::new(move |_| find(query.clone())));
        }
        kinds
    }

    /// Pages of the app, whole, as an admin sees them.
    async fn pages(&self, location: &str, client: &mut Client<'_>) -> Outcome {
        let fields = format!("email={}&password={}", encode(ADMIN.0), encode(ADMIN.1));
        let signed_in =
            client.connection.ask(&form("/app/sign-in", &fields)).await.map_err(|error| format!("sign-in: {error}"))?;
        let cookies = signed_in.text.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next().unwrap_or_default())
        });
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let newest = client.ask("GET", "/contacts/?limit=1", &Value::Null).await?.0;
        let contact = newest["contacts"][0]["id"].as_str().unwrap_or_default().to_owned();
        let somebody = |number: usize| person(Dice(number as u64).below(self.contacts));
        for (name, path) in [
            ("dashboard", String::new()),
            ("contacts", "/contacts".to_owned()),
            ("contacts, 9,950 skipped", "/contacts?page=200".to_owned()),
            ("contacts, a last name", "/contacts?q=*".to_owned()),
            ("contacts with a tag of 6 %", format!("/contacts?tag={}", encode(TAGS[2]))),
            ("a contact", format!("/contacts/{contact}")),
            ("opportunities, as a board", "/opportunities".to_owned()),
            ("opportunities, as a list", "/opportunities?view=list".to_owned()),
            ("tasks", "/tasks".to_owned()),
            ("tags, with how many have each", "/settings/tags".to_owned()),
            ("everything, a last name", "/search?q=*".to_owned()),
        ] {
            let times = Times::default();
            for number in 0..self.requests + 5 {
                let path = path.replace('*', &encode(&somebody(number).last));
                let request = page(&format!("/app/locations/{location}{path}"), &cookies);
                let begun = Instant::now();
                let answer = client.connection.ask(&request).await.map_err(|error| format!("{path}: {error}"))?;
                if answer.status != 200 {
                    return Err(format!("the page {path}: {}", answer.status));
                }
                if number >= 5 {
                    times.add(begun.elapsed());
                }
            }
            row(&figures(&format!("page: {name}"), 0, &times, 0));
        }
        Ok(())
    }

    /// What is written.
    async fn changes(&self, server: &Server, location: &str, client: &mut Client<'_>) -> Outcome {
        let creates = Times::default();
        let begun = Instant::now();
        let makers = (0..64).map(|maker| {
            let creates = &creates;
            async move {
                let mut client = Client::new(server, 1000 + maker).await?;
                for number in 0..40 {
                    let Person { first, last, .. } = person(maker * 40 + number);
                    let email = format!("{maker}.{number}@created.example");
                    let body = json!({"locationId": location, "firstName": first, "lastName": last, "email": email, "tags": ["new"]});
                    creates.add(client.ask("POST", "/contacts/", &body).await?.1);
                }
                Ok::<_, String>(())
            }
        });
        for made in join_all(makers).await {
            made?;
        }
        row(&figures(
            &format!("create, 64 connections, {:.0}/s", 2560.0 / begun.elapsed().as_secs_f64()),
            2560,
            &creates,
            0,
        ));
        let page = client.ask("POST", "/contacts/search", &json!({"locationId": location, "pageLimit": 500})).await?.0;
        let ids: Vec<&Value> =
            page["contacts"].as_array().into_iter().flatten().map(|contact| &contact["id"]).collect();
        let bulk = Times::default();
        for number in 0..10 {
            let body = json!({"locationId": location, "contacts": ids, "tags": [format!("bulk {number}")]});
            bulk.add(client.ask("POST", "/contacts/bulk/tags/update/add", &body).await?.1);
        }
        row(&figures("tag 500 contacts", 500, &bulk, 0));
        Ok(())
    }
}

/// The only location of the first agency.
fn location_of(place: &Place, server: &Server) -> Outcome<String> {
    let list = ["locations", "list", "--agency-id", &server.agency, "--json"];
    let answer = place.json(server.folder(), &list)?;
    Ok(answer["id"].as_str().unwrap_or_default().to_owned())
}

fn figures(name: &str, rows: i64, times: &Times, refused: usize) -> [String; 6] {
    let ms = |share: f64| format!("{:.1}", times.at(share));
    [name.to_owned(), rows.to_string(), ms(0.5), ms(0.99), ms(1.0), refused.to_string()]
}

/// Reads and writes, one after another, until it is told to stop.
async fn watch(server: &Server, times: &Times, stop: &AtomicBool, most: usize) -> Outcome {
    let mut client = Client::new(server, 3).await?;
    for number in 0..most {
        if stop.load(Relaxed) {
            break;
        }
        let (_, read) = client.ask("GET", "/contacts/?limit=20", &Value::Null).await?;
        let body = json!({"name": format!("Meanwhile {number}")});
        let (_, write) = client.ask("POST", "/contacts/", &body).await?;
        times.add(read);
        times.add(write);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    Ok(())
}

/// A text in an address.
fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
