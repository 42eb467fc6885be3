//! How others come to a form: its address, and what is put into the pages of other sites.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{SECTION, Strip, seen};
use crate::{
    Web,
    failure::Failure,
    page::{Frame, render},
    place::Here,
    public,
};

#[derive(Template)]
#[template(path = "forms/share.html")]
struct Share {
    frame: Frame,
    strip: Strip,
    address: String,
    /// The address by its name, where it has one.
    named: Option<String>,
    script: String,
    /// As HTML that needs nothing of ours; empty while it is a draft.
    plain: String,
    /// Where scripts send answers.
    endpoint: String,
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, form) = seen(&web, &here).await?;
    let open = web.app.preview_form(&context, form.id).await?;
    let base = &web.base_url;
    let address = format!("{base}/f/{}", form.id);
    Ok(render(&Share {
        frame: Frame::of(&here, form.content.name.as_str(), SECTION),
        strip: Strip::of(&web, &here, &context, &form, "Share").await?,
        named: form.slug.as_ref().map(|slug| format!("{base}/f/{}/{slug}", form.location)),
        script: format!("<script src=\"{base}/f/embed.js\" data-form=\"{}\" async></script>", form.id),
        plain: public::forms::plain_html(&open, base),
        endpoint: format!("{address}/submissions"),
        address,
    }))
}
