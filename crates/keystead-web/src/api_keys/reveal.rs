//! Showing a secret, once.

use askama::Template;
use axum::response::Response;
use keystead_core::{Authority, CreatedKey, Error, warning_of_namesakes};
use keystead_model::{KeyId, key_kind::KeyKind, text::isolated};
use serde_json::json;

use super::access;
use crate::{
    Web,
    once::{Once, once},
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "api_keys/reveal.html")]
struct Reveal {
    frame: Frame,
    name: String,
    about: String,
    secret: String,
    env: String,
    snippets: Vec<Snippet>,
    poll_url: String,
    key_url: String,
    rotated: bool,
    /// What became of what it took the place of, if it did.
    old: String,
    warning: Option<String>,
}

struct Snippet {
    id: &'static str,
    title: &'static str,
    code: String,
}

#[derive(Template)]
#[template(path = "api_keys/shown.html")]
struct AlreadyShown {
    frame: Frame,
    key_url: String,
    rotate_url: String,
}

/// The first call in several languages: the same one, which every key may make, whatever its scopes. Each is whole.
fn snippets(base: &str, id: KeyId, key: &str) -> Vec<Snippet> {
    let snippet = |id, title, code: String| Snippet { id, title, code };
    vec![
        snippet("curl", "curl", format!("curl {base}/api-keys/self \\\n  -H \"Authorization: Bearer {key}\"")),
        snippet(
            "javascript",
            "JavaScript",
            format!(
                "const answer = await fetch('{base}/api-keys/self', {{\n  headers: {{ Authorization: 'Bearer {key}' }},\n}});\nconsole.log(await answer.json());"
            ),
        ),
        snippet(
            "python",
            "Python",
            format!(
                "import urllib.request\n\nrequest = urllib.request.Request(\"{base}/api-keys/self\",\n    headers={{\"Authorization\": \"Bearer {key}\"}})\nprint(urllib.request.urlopen(request).read().decode())"
            ),
        ),
        snippet(
            "rust",
            "Rust",
            format!(
                "// reqwest with its feature \"blocking\"\nfn main() -> Result<(), reqwest::Error> {{\n    let answer = reqwest::blocking::Client::new()\n        .get(\"{base}/api-keys/self\")\n        .bearer_auth(\"{key}\")\n        .send()?;\n    println!(\"{{}}\", answer.text()?);\n    Ok(())\n}}"
            ),
        ),
        snippet("n8n", "n8n", n8n(base, key)),
        snippet("cli", "Server’s terminal", format!("keystead keys get {id}")),
    ]
}

/// A node that is pasted onto the canvas of a workflow.
fn n8n(base: &str, key: &str) -> String {
    let node = json!({
        "nodes": [{
            "parameters": {
                "url": format!("{base}/api-keys/self"),
                "sendHeaders": true,
                "headerParameters": {"parameters": [{"name": "Authorization", "value": format!("Bearer {key}")}]},
                "options": {},
            },
            "name": "Keystead",
            "type": "n8n-nodes-base.httpRequest",
            "typeVersion": 4.2,
            "position": [0, 0],
        }],
        "connections": {},
    });
    serde_json::to_string_pretty(&node).unwrap_or_default()
}

fn reveal(web: &Web, here: &Here, made: &CreatedKey, rotated: bool, old: String) -> Response {
    let Some(secret) = made.secret.as_ref().map(|secret| secret.expose()) else {
        return already_shown(here, made.key.id.as_str());
    };
    let id = made.key.id;
    let variable: String = made
        .key
        .name
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    let kind = match made.key.kind() {
        KeyKind::Agency => "Agency key".to_owned(),
        KeyKind::Location => "Location key".to_owned(),
    };
    let page = Reveal {
        frame: Frame::of(here, "Store your key", "keys"),
        name: made.key.name.to_string(),
        about: format!("{kind} · {}", access(&made.key)),
        secret: secret.to_owned(),
        env: format!(
            "# {}\nKEYSTEAD_URL={}\n{}_KEY={secret}\n",
            isolated(made.key.name.as_str()),
            web.base_url,
            variable.trim_matches('_')
        ),
        snippets: snippets(&web.base_url, id, secret),
        poll_url: here.url(&format!("/settings/keys/{id}/first-call")),
        key_url: here.url(&format!("/settings/keys/{id}")),
        rotated,
        old,
        warning: warning_of_namesakes(made.namesakes),
    };
    render(&page)
}

/// Makes a secret once for each form that was sent, and shows it beside what became of the old one. A form that is
/// sent again shows none.
pub(super) async fn make_once(
    web: &Web,
    here: &Here,
    form_id: &str,
    made: Made,
    make: impl AsyncFnOnce(Authority) -> Result<(CreatedKey, String), Error>,
) -> Result<Response, Error> {
    let (route, rotated) = match made {
        Made::Created => ("app create key", false),
        Made::Rotated => ("app rotate key", true),
        Made::Replaced => ("app replace key", false),
    };
    let id = |(made, _): &(CreatedKey, String)| made.key.id.to_string();
    Ok(match once(web, here, (route, form_id), make, id).await? {
        Once::Made((made, old)) => reveal(web, here, &made, rotated, old),
        Once::Before(id) => already_shown(here, &id),
    })
}

fn already_shown(here: &Here, id: &str) -> Response {
    let key_url = here.url(&format!("/settings/keys/{id}"));
    let page = AlreadyShown {
        frame: Frame::of(here, "Already shown", "keys"),
        rotate_url: format!("{key_url}/rotate"),
        key_url,
    };
    render(&page)
}

/// How a secret comes about.
#[derive(Clone, Copy)]
pub(super) enum Made {
    Created,
    Rotated,
    Replaced,
}
