//! Opportunities listed and found, in all three forms.

use std::time::Duration;

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::opportunities::{contact, first_pipeline, opportunity};

const USER: &str = "0aQ7cXkJTm9Rb4Vw6Yz3";

fn names(answer: &Value) -> Vec<String> {
    let rows = answer["opportunities"].as_array().expect("opportunities");
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// Opportunities `0` to `count - 1` of as many contacts, each made a second later, in all stages and statuses by turns.
async fn many(app: &TestApp, key: &TestKey, count: usize) -> Value {
    let pipeline = first_pipeline(app, key).await;
    for number in 0..count {
        let of = contact(app, key, &format!("Person{number}")).await;
        let status = ["open", "won", "lost", "abandoned", "open"][number % 5];
        let mut more = json!({
            "name": format!("{number}"), "status": status, "monetaryValue": number,
            "pipelineStageId": pipeline["stages"][number % 4]["id"],
        });
        if number % 3 == 0 {
            more["assignedTo"] = json!(USER);
        }
        opportunity(app, key, &pipeline, &of, more).await;
        app.clock.advance(Duration::from_secs(1));
    }
    pipeline
}

fn expected(count: usize, such: impl Fn(usize) -> bool, ascending: bool) -> Vec<String> {
    let mut numbers: Vec<usize> = (0..count).filter(|number| such(*number)).collect();
    if !ascending {
        numbers.reverse();
    }
    numbers.into_iter().map(|number| number.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_one_once_whatever_is_asked() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    const COUNT: usize = 23;
    let pipeline = many(&app, &key, COUNT).await;
    let (id, stage) = (pipeline["id"].as_str().unwrap(), pipeline["stages"][1]["id"].as_str().unwrap());
    let open = |number: usize| number.is_multiple_of(5) || number % 5 == 4;
    let cases: [(String, &dyn Fn(usize) -> bool); 10] = [
        (String::new(), &|_| true),
        ("status=all".to_owned(), &|_| true),
        ("status=open".to_owned(), &open),
        (format!("pipeline_id={id}"), &|_| true),
        (format!("pipelineId={id}&status=open"), &open),
        (format!("pipeline_stage_id={stage}"), &|number| number % 4 == 1),
        (format!("pipelineStageId={stage}&status=won"), &|number| number % 4 == 1 && number % 5 == 1),
        (format!("assigned_to={USER}"), &|number| number.is_multiple_of(3)),
        (format!("assignedTo={USER}&status=open&pipeline_id={id}"), &|number| number.is_multiple_of(3) && open(number)),
        ("q=person".to_owned(), &|_| true),
    ];
    for (query, such) in &cases {
        for (order, ascending) in
            [("", false), ("&order=added_asc", true), ("&order=updated_desc", false), ("&order=updated_asc", true)]
        {
            let expected = expected(COUNT, such, ascending);
            // By the addresses of the next pages, then by their numbers.
            let (mut seen, mut at) = (Vec::new(), format!("/opportunities/search?limit=4&{query}{order}"));
            loop {
                let page = app.get(&at).key(&key).send().await.expect(200);
                assert!(!names(&page).is_empty(), "{at}");
                assert_eq!(page["meta"]["total"], expected.len(), "{at}");
                seen.extend(names(&page));
                let Some(next) = page["meta"]["nextPageUrl"].as_str() else { break };
                at = next[next.find("/opportunities").unwrap()..].to_owned();
            }
            assert_eq!(seen, expected, "{query}{order}");
            let mut seen = Vec::new();
            for page in 1.. {
                let at = format!("/opportunities/search?limit=4&{query}{order}&page={page}");
                let page = app.get(&at).key(&key).send().await.expect(200);
                seen.extend(names(&page));
                if page["meta"]["nextPage"].is_null() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{query}{order} by pages");
        }
    }
    // By the cursor alone it goes on in its order.
    let first = app.get("/opportunities/search?limit=4&order=added_asc").key(&key).send().await.expect(200);
    let at = format!(
        "startAfterId={}&startAfter={}",
        first["meta"]["startAfterId"].as_str().unwrap(),
        first["meta"]["startAfter"]
    );
    let second = app.get(&format!("/opportunities/search?{at}&limit=4")).key(&key).send().await.expect(200);
    assert_eq!(names(&second), ["4", "5", "6", "7"]);
    let at = format!("startAfterId={}", first["meta"]["startAfterId"].as_str().unwrap());
    assert_eq!(
        names(&app.get(&format!("/opportunities/search?{at}&limit=2")).key(&key).send().await.expect(200)),
        ["4", "5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_by_body_goes_on_after_its_last_row() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = many(&app, &key, 11).await;
    let (mut seen, mut after) = (Vec::new(), json!([]));
    loop {
        let body = json!({
            "locationId": app.ids.location.as_str(), "query": "", "limit": 4, "page": 0, "searchAfter": after,
            "additionalDetails": {"notes": false, "tasks": false, "calendarEvents": false, "unReadConversations": false},
        });
        let page = app.post("/opportunities/search").key(&key).json(&body).send().await.expect(200);
        assert_eq!(page["total"], 11);
        let Some(last) = page["opportunities"].as_array().unwrap().last() else { break };
        seen.extend(names(&page));
        // As texts, too, which is how the contract has them.
        after = json!([last["searchAfter"][0].to_string(), last["searchAfter"][1]]);
    }
    assert_eq!(seen, expected(11, |_| true, false));
    let page = |page: i64| json!({"limit": 4, "page": page});
    for (number, count) in [(0, 4), (1, 4), (2, 3), (3, 0)] {
        let found = app.post("/opportunities/search").key(&key).json(&page(number)).send().await.expect(200);
        assert_eq!(names(&found).len(), count, "page {number}");
    }
    let narrow = json!({"query": "person3", "pipelineId": pipeline["id"]});
    let found = app.post("/opportunities/search").key(&key).json(&narrow).send().await.expect(200);
    assert_eq!((names(&found), found["total"].as_i64()), (vec!["3".to_owned()], Some(1)));
    for (bad, about) in [
        (json!({"limit": 0}), "limit"),
        (json!({"limit": 101}), "limit"),
        (json!({"page": -1}), "page"),
        (json!({"page": 1_000_000, "limit": 100}), "page"),
        (json!({"searchAfter": ["x", "y"]}), "searchAfter"),
        (json!({"searchAfter": "x"}), "searchAfter"),
        (json!({"query": "x".repeat(201)}), "query"),
        (json!({"sort": "x"}), "sort"),
        (json!({"additionalDetails": {"x": true}}), "additionalDetails.x"),
    ] {
        let refused = app.post("/opportunities/search").key(&key).json(&bad).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{bad}: {}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_found_by_their_words_and_by_those_of_their_contact() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let person = json!({"name": "María Ñandú", "email": "maria@example.com", "phone": "+14155550123"});
    let maria = app.post("/contacts/").key(&key).json(&person).send().await.expect(201)["contact"]["id"].clone();
    opportunity(&app, &key, &pipeline, maria.as_str().unwrap(), json!({"name": "Große Küche"})).await;
    let bob = contact(&app, &key, "Bob Kitchener").await;
    let bobs = opportunity(&app, &key, &pipeline, &bob, json!({"name": "Bath"})).await;
    let find = async |query: &str| {
        let at = format!("/opportunities/search?q={}", query.replace('+', "%2B").replace(' ', "%20"));
        names(&app.get(&at).key(&key).send().await.expect(200))
    };
    for (query, found) in [
        ("grosse", &["Große Küche"][..]),
        ("KÜCHE", &["Große Küche"]),
        ("kuche", &["Große Küche"]),
        ("maria", &["Große Küche"]),
        ("maria kuche", &["Große Küche"]),
        ("maria bath", &[]),
        ("0123", &["Große Küche"]),
        ("(415) 555-0123", &["Große Küche"]),
        ("maria@example.com", &["Große Küche"]),
        ("kitch", &["Bath"]),
        ("bath bob", &["Bath"]),
        ("nobody", &[]),
        ("?!", &[]),
    ] {
        assert_eq!(find(query).await, found, "{query}");
    }
    // What is renamed is found by its new words, and what the contact is called by its own.
    let path = format!("/opportunities/{}", bobs["id"].as_str().unwrap());
    app.put(&path).key(&key).json(&json!({"name": "Garden"})).send().await.expect(200);
    app.put(&format!("/contacts/{bob}")).key(&key).json(&json!({"name": "Rob Gardener"})).send().await.expect(200);
    assert_eq!(
        (find("bath").await.len(), find("garden").await, find("bob").await.len()),
        (0, vec!["Garden".to_owned()], 1)
    );
    assert_eq!(find("rob").await, ["Garden"]);
    app.delete(&path).key(&key).send().await.expect(200);
    assert_eq!(find("garden").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_take_what_is_asked_for_and_nothing_else() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let agency = app.agency_key().await;
    let zone = json!({"timezone": "Pacific/Tongatapu"});
    app.put(&format!("/locations/{}", app.ids.location)).key(&agency).json(&zone).send().await.expect(200);
    let pipeline = many(&app, &key, 6).await;
    let all = app.get("/opportunities/search").key(&key).send().await.expect(200);
    let newest = &all["opportunities"][0];
    let (id, contact) = (newest["id"].as_str().unwrap(), newest["contactId"].as_str().unwrap());
    // It is the 26th there, and the 25th in UTC.
    let (before, today, after) = ("11-25-2026", "11-26-2026", "11-27-2026");
    for (query, count) in [
        (format!("id={id}"), 1),
        (format!("contact_id={contact}"), 1),
        (format!("contactId={contact}"), 1),
        ("contact_id=0000000000000000000A".to_owned(), 0),
        ("pipeline_id=0000000000000000000A".to_owned(), 0),
        ("pipeline_stage_id=7915dedc-8f18-84d5-8bc3-77c04e994a10".to_owned(), 0),
        ("campaignId=x".to_owned(), 0),
        ("country=US".to_owned(), 0),
        (format!("date={today}"), 6),
        (format!("endDate={today}"), 6),
        (format!("date={today}&endDate={today}"), 6),
        (format!("date={after}"), 0),
        (format!("endDate={before}"), 0),
        (format!("endDate={before}&order=updated_desc"), 0),
        (format!("location_id={}", app.ids.location), 6),
        ("order=sideways&sort=x&sortBy=y".to_owned(), 6),
        ("pipeline_id=&status=&assigned_to=&q=".to_owned(), 6),
    ] {
        let found = app.get(&format!("/opportunities/search?{query}")).key(&key).send().await.expect(200);
        assert_eq!(names(&found).len(), count, "{query}");
        assert_eq!(found["meta"]["total"], count, "{query}");
    }
    app.put(&format!("/contacts/{contact}")).key(&key).json(&json!({"country": "US"})).send().await.expect(200);
    let found = app.get("/opportunities/search?country=us").key(&key).send().await.expect(200);
    assert_eq!(found["meta"]["total"], 1);
    for bad in
        ["status=x", "pipeline_id=x", "date=soon", "limit=0", "page=600&limit=20", "startAfterId=x", "color=x", "id=x"]
    {
        app.get(&format!("/opportunities/search?{bad}")).key(&key).send().await.expect(422);
    }
    // An agency key names the location in either way, and not two of them.
    let at = app.ids.location.as_str();
    let found = app.get(&format!("/opportunities/search?location_id={at}")).key(&agency).send().await.expect(200);
    assert_eq!(found["meta"]["total"], 6);
    let sibling = app.location("Sibling").await;
    let both = format!("/opportunities/search?location_id={at}&locationId={sibling}");
    app.get(&both).key(&agency).send().await.expect(422);
    app.get(&format!("/opportunities/search?location_id={sibling}")).key(&key).send().await.expect(403);
    // API 1.0 filters in its own words, in its own pipeline.
    let older = format!("/v1/pipelines/{}/opportunities", pipeline["id"].as_str().unwrap());
    let (start, end) = (app.app.now().0 - 3_500, app.app.now().0);
    for (query, count) in [
        ("status=won".to_owned(), 1),
        ("monetaryValue=3".to_owned(), 1),
        ("monetaryValue=3.5".to_owned(), 0),
        (format!("assignedTo={USER}"), 2),
        (format!("stageId={}", pipeline["stages"][0]["id"].as_str().unwrap()), 2),
        ("query=person4".to_owned(), 1),
        ("campaignId=x".to_owned(), 0),
        (format!("startDate={start}"), 3),
        (format!("endDate={start}"), 3),
        (format!("startDate={start}&endDate={end}"), 3),
    ] {
        let found = app.get(&format!("{older}?{query}")).key(&key).send().await.expect(200);
        assert_eq!((names(&found).len(), found["meta"]["total"].as_u64()), (count, Some(count as u64)), "{query}");
    }
    app.get("/v1/pipelines/0000000000000000000A/opportunities").key(&key).send().await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_and_tasks_of_the_contact_stand_beside_if_they_are_asked_for() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let (ada, bob) = (contact(&app, &key, "Ada").await, contact(&app, &key, "Bob").await);
    for of in [&ada, &bob] {
        opportunity(&app, &key, &pipeline, of, json!({"name": of})).await;
        app.clock.advance(Duration::from_millis(5));
    }
    for number in 0..22 {
        let note = json!({"body": format!("note {number}")});
        app.post(&format!("/contacts/{ada}/notes")).key(&key).json(&note).send().await.expect(201);
        app.clock.advance(Duration::from_millis(5));
    }
    let task = json!({"title": "Call", "dueDate": "2027-01-01", "completed": false});
    app.post(&format!("/contacts/{ada}/tasks")).key(&key).json(&task).send().await.expect(201);
    let both = "/opportunities/search?getNotes=true&getTasks=true&getCalendarEvents=true&order=added_asc";
    let listed = app.get(both).key(&key).send().await.expect(200)["opportunities"].clone();
    assert_eq!(listed[0]["notes"].as_array().unwrap().len(), 20, "the newest");
    assert_eq!(listed[0]["notes"][0]["body"], "note 21");
    assert_eq!(listed[0]["tasks"][0]["title"], "Call");
    assert_eq!((&listed[1]["notes"], &listed[1]["tasks"]), (&json!([]), &json!([])));
    let body = json!({"additionalDetails": {"notes": true, "tasks": false}, "contactId": ada});
    let found =
        app.post("/opportunities/search").key(&key).json(&body).send().await.expect(200)["opportunities"].clone();
    assert_eq!(found[0]["notes"].as_array().unwrap().len(), 20);
    assert_eq!(found[0]["tasks"], json!([]));
    assert_eq!(
        app.get("/opportunities/search").key(&key).send().await.expect(200)["opportunities"][1]["notes"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_are_summed_exactly() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let own = json!({"useOpportunityProbability": true});
    app.put(&format!("/opportunities/pipelines/{}", pipeline["id"].as_str().unwrap()))
        .key(&key)
        .json(&own)
        .send()
        .await
        .expect(200);
    let stages = pipeline["stages"].as_array().unwrap();
    let mut made = Vec::new();
    for (number, stage, status, value, probability) in [
        (0, 1, "open", "0.10", None),
        (1, 1, "open", "0.20", Some(50)),
        (2, 1, "won", "999999999999999.999999999", None),
        (3, 1, "won", "999999999999999.999999999", None),
        (4, 2, "lost", "5", None),
        (5, 2, "open", "7", None),
    ] {
        let of = contact(&app, &key, &format!("Person{number}")).await;
        let mut more = json!({"monetaryValue": value, "pipelineStageId": stages[stage]["id"], "status": status});
        if let Some(probability) = probability {
            more["forecastProbability"] = json!(probability);
        }
        made.push(opportunity(&app, &key, &pipeline, &of, more).await);
    }
    let sums = async |body: Value| {
        app.post("/opportunities/search").key(&key).header("Version", "v3").json(&body).send().await
    };
    let whole = sums(json!({"pipelineId": pipeline["id"]})).await;
    let of = |stage: usize, rest: &str| format!("{{\"pipelineStageId\":{},{rest}}}", stages[stage]["id"]);
    let second = "\"totalCount\":4,\"totalValue\":2000000000000000.299999998,\"weightedValue\":2000000000000000.124999998,\
                  \"openValue\":0.3,\"openWeightedValue\":0.125,\"wonValue\":1999999999999999.999999998";
    let third = "\"totalCount\":2,\"totalValue\":12,\"weightedValue\":3.5,\"openValue\":7,\"openWeightedValue\":3.5,\"wonValue\":0";
    for (stage, sum) in [(1, second), (2, third)] {
        assert!(whole.text.contains(&of(stage, sum)), "{}", whole.text);
    }
    assert_eq!(whole.json()["stageAggregations"][0]["totalCount"], 0);
    // Without a pipeline there are none; of a search only what is found.
    assert_eq!(sums(json!({})).await.expect(200)["stageAggregations"], json!([]));
    let found =
        sums(json!({"pipelineId": pipeline["id"], "query": "person5"})).await.expect(200)["stageAggregations"].clone();
    assert_eq!(
        (&found[1]["totalCount"], &found[2]["totalValue"], &found[2]["openWeightedValue"]),
        (&json!(0), &json!(7), &json!(3.5))
    );
    let won =
        sums(json!({"pipelineId": pipeline["id"], "status": "won"})).await.expect(200)["stageAggregations"].clone();
    assert_eq!((&won[1]["totalCount"], &won[2]["totalCount"]), (&json!(2), &json!(0)));
    // They follow every change.
    for opportunity in &made[2..4] {
        app.delete(&format!("/opportunities/{}", opportunity["id"].as_str().unwrap()))
            .key(&key)
            .send()
            .await
            .expect(200);
    }
    let moved = json!({"pipelineStageId": stages[0]["id"], "clear": ["forecastProbability"]});
    app.put(&format!("/opportunities/{}", made[1]["id"].as_str().unwrap()))
        .key(&key)
        .json(&moved)
        .send()
        .await
        .expect(200);
    let sums = sums(json!({"pipelineId": pipeline["id"]})).await.expect(200)["stageAggregations"].clone();
    let seen: Vec<(&Value, &Value)> =
        (0..3).map(|stage| (&sums[stage]["totalCount"], &sums[stage]["totalValue"])).collect();
    assert_eq!(seen, [(&json!(1), &json!(0.2)), (&json!(1), &json!(0.1)), (&json!(2), &json!(12))]);
    assert_eq!(sums[0]["weightedValue"], json!(0.02));
    let listed = app.get("/opportunities/search").key(&key).send().await.expect(200);
    assert_eq!(listed["meta"]["total"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_takes_too_long_says_what_to_add() {
    let app = TestApp::start_with(|config| config.limits.search = Duration::ZERO).await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    opportunity(&app, &key, &pipeline, &ada, json!({})).await;
    let at = pipeline["id"].as_str().unwrap();
    let lists = [
        "/opportunities/search?q=kitchen".to_owned(),
        format!("/opportunities/search?assigned_to=0aQ7cXkJTm9Rb4Vw6Yz3&pipeline_id={at}"),
        format!("/v1/pipelines/{at}/opportunities?query=kitchen"),
    ];
    let body = json!({"query": "kitchen", "pipelineId": at});
    let posted = app.post("/opportunities/search").key(&key).json(&body).header("Version", "v3").send().await;
    assert!(posted.status == 422 && posted.text.contains("take too long"), "{}", posted.text);
    for path in lists {
        let refused = app.get(&path).key(&key).send().await;
        assert!(refused.status == 422 && refused.text.contains("take too long"), "{path}: {}", refused.text);
        assert!(refused.text.contains("add what few opportunities have"), "{path}: {}", refused.text);
    }
    // Where opportunities stand is counted already.
    for query in ["", "?status=open", &format!("?pipeline_id={at}")] {
        let listed = app.get(&format!("/opportunities/search{query}")).key(&key).send().await.expect(200);
        assert_eq!(listed["meta"]["total"], 1, "{query}");
    }
}
