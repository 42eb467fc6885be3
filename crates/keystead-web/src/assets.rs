//! Style, script and icon, in the binary, under an address that changes with their content.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use http::{HeaderValue, StatusCode, header};
use rust_embed::Embed;
use tower_http::compression::CompressionLayer;

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// One version for all: they are few, and change together.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort_unstable();
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in names.iter().filter_map(|name| Assets::get(name)).flat_map(|file| file.metadata.sha256_hash()) {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // As short as does: every drawing of a page names it.
    format!("{:010x}", sum >> 24)
});

/// A drawing of the sprite, as wide as a line of text is high.
pub(crate) fn icon(name: &str) -> String {
    format!("<svg class=\"i\" aria-hidden=\"true\"><use href=\"{}#i-{name}\"/></svg>", url("icons.svg"))
}

#[cfg(test)]
pub(crate) fn text(file: &str) -> String {
    String::from_utf8(Assets::get(file).expect("an asset").data.into_owned()).expect("text")
}

/// `/assets/<version>/app.css`.
pub(crate) fn url(file: &str) -> String {
    format!("/assets/{}/{file}", *VERSION)
}

/// Their route. They are sent packed, which pages are not: what is packed with a secret tells of it by its length.
pub(crate) fn route<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    get(serve).layer(CompressionLayer::new())
}

async fn serve(Path((_, file)): Path<(String, String)>) -> Response {
    match Assets::get(&file) {
        Some(asset) => {
            let kind = match file.rsplit_once('.').map(|(_, ending)| ending) {
                Some("css") => "text/css; charset=utf-8",
                Some("js") => "text/javascript; charset=utf-8",
                Some("svg") => "image/svg+xml",
                _ => "application/octet-stream",
            };
            let mut response = asset.data.into_owned().into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
            response.headers_mut().insert(header::CACHE_CONTROL, forever);
            response
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file under an address of its own, which stays when the file changes.
pub(crate) async fn stable(file: &str) -> Response {
    let mut response = serve(Path((VERSION.clone(), file.to_owned()))).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

pub(crate) async fn favicon() -> Response {
    serve(Path((VERSION.clone(), "icon.svg".to_owned()))).await
}

pub(crate) async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /app\n"
}
