//! Contacts in the order of what they hold, by the door: pages, places and what is missing.

use std::time::Duration;

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

async fn search(app: &TestApp, key: &TestKey, body: Value) -> Value {
    app.post("/contacts/search").key(key).json(&body).send().await.expect(200)
}

/// Ids in the order that is answered, by the numbers that contacts were made with.
fn numbers(found: &Value, ids: &[String]) -> Vec<usize> {
    let rows = found["contacts"].as_array().unwrap().iter();
    rows.map(|row| ids.iter().position(|id| row["id"] == id.as_str()).unwrap()).collect()
}

/// Six people, and the ids of two custom fields.
async fn people(app: &TestApp, key: &TestKey) -> (Vec<String>, [String; 2]) {
    let mut fields = Vec::new();
    for (name, data_type) in [("Colour", "LARGE_TEXT"), ("Size", "NUMERICAL")] {
        let body = json!({"name": name, "dataType": data_type});
        let at = format!("/locations/{}/customFields", app.ids.location);
        let made = app.post(&at).key(key).json(&body).send().await.expect(201);
        fields.push(made["customField"]["id"].as_str().unwrap().to_owned());
    }
    let held = |colour: &str, size: f64| json!([{"id": fields[0], "field_value": colour}, {"id": fields[1], "field_value": size}]);
    let new = [
        json!({"firstName": "Zoë", "lastName": "Ångström", "email": "zoe@example.com", "city": "Bern",
               "customFields": held("blue", 10.0)}),
        json!({"firstName": "ada", "lastName": "Lovelace", "email": "b@example.com", "additionalEmails": ["x@example.com"],
               "dnd": true, "customFields": held("Red", 9.5)}),
        json!({"firstName": "Ada", "email": "c@example.com", "dateOfBirth": "1990-09-25"}),
        json!({"firstName": "Bob", "lastName": "lovelace", "phone": "+14155550101", "source": "fair"}),
        json!({"lastName": "Zed", "email": "a@example.com", "customFields": held(&"é".repeat(900), -1.0)}),
        json!({"firstName": "Ádá", "lastName": "Byron", "city": "bern", "source": "Ad"}),
    ];
    let mut ids = Vec::new();
    for body in new {
        app.clock.advance(Duration::from_secs(1));
        let made = app.post("/contacts/").key(key).json(&body).send().await.expect(201);
        ids.push(made["contact"]["id"].as_str().unwrap().to_owned());
    }
    (ids, fields.try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_order_is_read_by_number_and_by_place() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (ids, [colour, size]) = people(&app, &key).await;
    let (colour, size) = (format!("customFields.{colour}"), format!("customFields.{size}"));
    for (sort, expected) in [
        (json!([["firstNameLowerCase", "asc"]]), [1, 2, 5, 3, 0, 4]),
        (json!([["first_name_lower_case", "desc"]]), [0, 3, 5, 2, 1, 4]),
        (json!([["lastNameLowerCase", "asc"], ["firstNameLowerCase", "desc"]]), [0, 5, 3, 1, 4, 2]),
        (json!([["firstNameLowerCase", "asc"], ["dateAdded", "desc"]]), [5, 2, 1, 3, 0, 4]),
        (json!([["firstNameLowerCase", "asc"], ["lastName", "asc"]]), [5, 1, 2, 3, 0, 4]),
        (json!([["email", "asc"]]), [4, 1, 2, 0, 3, 5]),
        // Of several addresses the one that comes first: descending it is the greatest.
        (json!([["email", "desc"]]), [0, 1, 2, 4, 5, 3]),
        (json!([["phone", "asc"]]), [3, 0, 1, 2, 4, 5]),
        (json!([["city", "asc"], ["dateUpdated", "desc"]]), [5, 0, 4, 3, 2, 1]),
        (json!([["source", "desc"]]), [3, 5, 4, 2, 1, 0]),
        (json!([["dnd", "desc"]]), [1, 5, 4, 3, 2, 0]),
        (json!([["dateOfBirth", "asc"], ["dateAdded", "asc"]]), [2, 0, 1, 3, 4, 5]),
        (json!([[colour, "asc"]]), [0, 4, 1, 2, 3, 5]),
        (json!([[size, "asc"]]), [4, 1, 0, 2, 3, 5]),
        (json!([[size, "desc"], ["lastName", "asc"]]), [0, 1, 4, 5, 3, 2]),
        (json!([["dateAdded", "asc"], ["city", "asc"]]), [0, 1, 2, 3, 4, 5]),
    ] {
        let sort: Vec<Value> =
            sort.as_array().unwrap().iter().map(|key| json!({"field": key[0], "direction": key[1]})).collect();
        let mut by_number = Vec::new();
        for page in 1..=3 {
            let found = search(&app, &key, json!({"sort": sort, "pageLimit": 2, "page": page})).await;
            assert_eq!(found["total"], 6);
            by_number.extend(numbers(&found, &ids));
        }
        assert_eq!(by_number, expected, "{sort:?}");
        for limit in [1, 4] {
            let (mut by_place, mut body) = (Vec::new(), json!({"sort": sort, "pageLimit": limit}));
            loop {
                let found = search(&app, &key, body.clone()).await;
                let Some(last) = found["contacts"].as_array().unwrap().last() else { break };
                by_place.extend(numbers(&found, &ids));
                // The order is in the place, so that it need not be said again, but may be.
                body = json!({"pageLimit": limit, "searchAfter": last["searchAfter"]});
                if by_place.len() % 2 == 0 {
                    body["sort"] = json!(sort);
                }
            }
            assert_eq!(by_place, expected, "{sort:?}");
        }
        // The same among those that filters let through.
        let filters = json!([{"field": "firstName", "operator": "exists"}, {"field": "dateAdded", "operator": "range", "value": {"gt": 0}}]);
        let found = search(&app, &key, json!({"sort": sort, "filters": filters})).await;
        let expected: Vec<usize> = expected.into_iter().filter(|number| *number != 4).collect();
        assert_eq!(numbers(&found, &ids), expected, "{sort:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_says_what_the_contact_holds_and_stays_when_it_changes() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (ids, [colour, _]) = people(&app, &key).await;
    let by =
        |fields: &[&str]| -> Value { fields.iter().map(|field| json!({"field": field, "direction": "asc"})).collect() };
    let sort = by(&["lastNameLowerCase", "dnd"]);
    let found = search(&app, &key, json!({"sort": sort, "pageLimit": 2})).await;
    let places: Vec<Value> =
        found["contacts"].as_array().unwrap().iter().map(|row| row["searchAfter"].clone()).collect();
    let suffix = "+lastNameLowerCase+dnd";
    assert_eq!(
        places,
        [
            json!(["angstrom", false, format!("{}{suffix}", ids[0])]),
            json!(["byron", false, format!("{}{suffix}", ids[5])])
        ]
    );
    // The last of a page goes to another place, or away: the next page begins where it was.
    app.put(&format!("/contacts/{}", ids[5])).key(&key).json(&json!({"lastName": "Young"})).send().await.expect(200);
    let next = search(&app, &key, json!({"pageLimit": 2, "searchAfter": places[1]})).await;
    assert_eq!(numbers(&next, &ids), [3, 1]);
    app.delete(&format!("/contacts/{}", ids[5])).key(&key).send().await.expect(200);
    let next = search(&app, &key, json!({"pageLimit": 9, "searchAfter": places[1]})).await;
    assert_eq!((numbers(&next, &ids), &next["total"]), (vec![3, 1, 4, 2], &json!(5)));
    // A long text counts by its beginning, so that a place stays short.
    let found = search(&app, &key, json!({"sort": by(&[&format!("customFields.{colour}")])})).await;
    assert_eq!(found["contacts"][1]["searchAfter"][0], "e".repeat(64));
    assert_eq!(found["contacts"][4]["searchAfter"][0], Value::Null);
}
