//! The developer documentation: guides from Markdown, and a page for every error code from the codes' own table.

pub(crate) mod reference;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use keystead_core::ErrorCode;
use pulldown_cmark::{Options, Parser, html};

use crate::{
    Web,
    failure::{Failure, not_found},
    page::{Frame, render},
};

/// Name in the address, title, text.
const GUIDES: &[(&str, &str, &str)] = &[
    ("quickstart", "Quickstart", include_str!("../guides/quickstart.md")),
    ("api-keys", "API keys", include_str!("../guides/api-keys.md")),
    ("events", "Following changes", include_str!("../guides/events.md")),
    ("forms", "Forms", include_str!("../guides/forms.md")),
    ("trigger-links", "Trigger links", include_str!("../guides/trigger-links.md")),
    ("webhooks", "Webhooks", include_str!("../guides/webhooks.md")),
    ("integrations", "Connecting programs", include_str!("../guides/integrations.md")),
];

/// Programs that guides and pages show, by the names of their files: tests run these very files.
macro_rules! samples {
    ($($file:literal),*) => { &[$(($file, include_str!(concat!("../guides/samples/", $file)))),*] };
}

const SAMPLES: &[(&str, &str)] = samples![
    "webhook.mjs",
    "webhook.py",
    "webhook.rs",
    "webhook.sh",
    "signing-key.mjs",
    "signing-key.py",
    "signing-key.rs",
    "signing-key.sh",
    "connection.sh",
    "upsert.sh",
    "sample.sh",
    "subscribe.sh",
    "unsubscribe.sh",
    "form-create.sh",
    "form-publish.sh",
    "form-submit.sh",
    "form-file.sh",
    "form-submit-file.sh",
    "form-answer.mjs",
    "link-create.sh",
    "link-token.sh",
    "link-clicks.sh"
];

/// A program that pages show in several languages: the ending of its file, the language, and its text.
pub(crate) fn samples_of(name: &str) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SAMPLES.iter().filter_map(move |(file, text)| {
        let ending = file.strip_prefix(name)?.strip_prefix('.')?;
        let language = match ending {
            "mjs" => "JavaScript",
            "py" => "Python",
            "rs" => "Rust",
            _ => "Shell",
        };
        Some((ending, language, *text))
    })
}

#[derive(Template)]
#[template(path = "docs/guide.html")]
struct Guide {
    frame: Frame,
    html: String,
    pages: Vec<(&'static str, &'static str)>,
    here: String,
}

#[derive(Template)]
#[template(path = "docs/errors.html")]
struct Errors {
    frame: Frame,
    pages: Vec<(&'static str, &'static str)>,
    codes: &'static [ErrorCode],
    here: String,
}

#[derive(Template)]
#[template(path = "docs/error.html")]
struct ErrorPage {
    frame: Frame,
    pages: Vec<(&'static str, &'static str)>,
    code: ErrorCode,
    cause: String,
    fix: String,
    example: String,
    here: String,
}

fn pages() -> Vec<(&'static str, &'static str)> {
    GUIDES
        .iter()
        .map(|(name, title, _)| (*name, *title))
        .chain([("reference", "Reference"), ("errors", "Error codes")])
        .collect()
}

fn to_html(markdown: &str) -> String {
    let mut out = String::new();
    html::push_html(&mut out, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    // Code that is wider than the screen must be reachable by keyboard.
    out.replace("<pre>", "<pre tabindex=\"0\">")
}

fn guide(web: &Web, name: &str) -> Option<Response> {
    let (name, title, text) = GUIDES.iter().find(|(known, ..)| *known == name)?;
    let text = text.replace("{{base_url}}", &web.base_url);
    let filled = SAMPLES.iter().fold(text, |text, (file, sample)| text.replace(&format!("{{{{{file}}}}}"), sample));
    let html = to_html(&filled);
    Some(render(&Guide { frame: Frame::bare(title), html, pages: pages(), here: (*name).to_owned() }))
}

pub(crate) async fn index(State(web): State<Web>) -> Result<Response, Failure> {
    Ok(match guide(&web, "quickstart") {
        Some(page) => page,
        None => not_found().await,
    })
}

pub(crate) async fn page(State(web): State<Web>, Path(name): Path<String>) -> Result<Response, Failure> {
    if name == "errors" {
        let frame = Frame::bare("Error codes");
        return Ok(render(&Errors { frame, pages: pages(), codes: ErrorCode::ALL, here: name }));
    }
    Ok(match guide(&web, &name) {
        Some(page) => page,
        None => not_found().await,
    })
}

pub(crate) async fn error(Path(name): Path<String>) -> Result<Response, Failure> {
    let Some(code) = ErrorCode::parse(&name) else { return Ok(not_found().await) };
    let example = format!(
        "{{\n  \"statusCode\": {},\n  \"message\": \"…\",\n  \"code\": \"{}\",\n  \"traceId\": \"4924de3a-48ad-8210-916c-6815fdffcbbf\"\n}}",
        code.status(),
        code.as_str()
    );
    let page = ErrorPage {
        frame: Frame::bare(code.title()),
        pages: pages(),
        code,
        cause: to_html(code.cause()),
        fix: to_html(code.fix()),
        example,
        here: "errors".to_owned(),
    };
    Ok(render(&page))
}
