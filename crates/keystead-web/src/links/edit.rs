//! The forms by which trigger links are made, changed and deleted.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_model::{
    Invalid, UtcMs,
    calendar_date::CalendarDate,
    link::{Destination, FirePolicy, Link, LinkPatch, LinkStatus, Slug},
    scope::Scope,
    text::Line,
};

use super::{PATH, SECTION, url, wanted};
use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind},
    page::{Frame, render},
    place::Here,
    show::{Zone, grouped},
};

fn fields() -> Vec<Field> {
    let fire = [
        Choice::new(FirePolicy::FirstPerContact.as_str(), "The first click of each contact"),
        Choice::new(FirePolicy::Daily.as_str(), "One click of a contact a day"),
        Choice::new(FirePolicy::Every.as_str(), "Every click"),
    ];
    let status =
        [Choice::new(LinkStatus::Active.as_str(), "Active"), Choice::new(LinkStatus::Disabled.as_str(), "Off")];
    vec![
        Field::line("name", "Name").needed("Enter a name").with("maxlength=200"),
        Field::line("redirectTo", "Leads to")
            .needed("Enter the address that it leads to")
            .hint("Begins with https://. After its host, fields may stand for what a contact has: {{contact.first_name}}.")
            .with("maxlength=2000 inputmode=url autocomplete=off"),
        Field::line("slug", "Short address")
            .hint("What stands after /l/ in its address. Leave it empty for one that we make.")
            .with("maxlength=60 autocomplete=off")
            .half(),
        Field::new(Kind::Select, "status", "Status").of(status).half(),
        Field::new(Kind::Select, "fire", "What starts something").of(fire),
        Field::typed("date", "expiresAt", "Last day").called("The last day").hint("Leads there until that day ends.").half(),
        Field::line("maxClicks", "Most clicks")
            .hint("Counts only people.")
            .with("inputmode=numeric maxlength=10")
            .half(),
        Field::line("fallbackUrl", "Leads to afterwards")
            .hint("When it has ended or is off. Without it, people read that it has ended.")
            .with("maxlength=2000 inputmode=url autocomplete=off"),
        Field::new(Kind::Check, "confirm", "Show a button first")
            .hint("For links that decide something. Mail scanners open links, but they press no button."),
    ]
}

/// The end of a day by the clock of whoever writes it.
fn end_of_day(zone: &Zone) -> impl Fn(&str) -> Result<UtcMs, Invalid> + use<> {
    let zone = zone.to_name();
    move |text| CalendarDate::parse(text).map(|day| day.to_moment().end(&zone))
}

fn most_clicks(text: &str) -> Result<i64, Invalid> {
    let number = text.replace(',', "").parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.ok_or_else(|| Invalid::new("must be a whole number from 1 on"))
}

fn read(form: &mut Form, zone: &Zone) -> Option<LinkPatch> {
    let (name, to) = (form.read("name", Line::parse), form.read("redirectTo", Destination::parse));
    let (slug, status, fire) =
        (form.read("slug", Slug::parse), form.read("status", LinkStatus::parse), form.read("fire", FirePolicy::parse));
    let (expires_at, max_clicks) = (form.read("expiresAt", end_of_day(zone)), form.read("maxClicks", most_clicks));
    let fallback = form.read("fallbackUrl", Destination::parse);
    let confirm = Some(form.is_checked("confirm"));
    let patch = LinkPatch::new(name?, to?);
    let (expires_at, max_clicks, fallback) = (Some(expires_at), Some(max_clicks), Some(fallback));
    Some(LinkPatch { slug, status, fire, expires_at, max_clicks, fallback, confirm, ..patch })
}

/// The form as it stands for a link that is there.
fn form_of(link: &Link, zone: &Zone) -> Form {
    let content = &link.content;
    let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut pairs = vec![
        ("name", content.name.as_str().to_owned()),
        ("redirectTo", content.redirect_to.as_str().to_owned()),
        ("slug", link.slug.as_str().to_owned()),
        ("status", content.status.as_str().to_owned()),
        ("fire", content.fire.as_str().to_owned()),
        // The last instant of its last day.
        ("expiresAt", content.expires_at.map(|end| zone.iso_day(UtcMs(end.0 - 1))).unwrap_or_default()),
        ("maxClicks", text(content.max_clicks)),
        ("fallbackUrl", content.fallback.as_ref().map(|to| to.as_str().to_owned()).unwrap_or_default()),
    ];
    pairs.extend(content.confirm.then(|| ("confirm", "1".to_owned())));
    Form::filled(fields(), pairs).opened_on(link)
}

#[derive(Template)]
#[template(path = "links/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    form: Form,
    back: (String, String),
    delete_url: Option<String>,
}

fn editor(here: &Here, existing: Option<&Link>, form: Form) -> Editor {
    let heading = existing.map_or("Add a trigger link", |link| link.content.name.as_str());
    let list = ("Trigger links".to_owned(), here.url(PATH));
    Editor {
        frame: Frame::of(here, heading, SECTION),
        heading: heading.to_owned(),
        form,
        back: existing.map_or(list, |link| (link.content.name.as_str().to_owned(), url(here, link.id))),
        delete_url: existing.map(|link| format!("{}/delete", url(here, link.id))),
    }
}

pub(crate) async fn new(here: Here) -> Result<Response, Failure> {
    here.place()?;
    here.authority().require(Scope::LinksWrite)?;
    Ok(render(&editor(&here, None, Form::new(fields(), Vec::new()))))
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::LinksWrite)?;
    let context = here.enter(&web).await?;
    let mut form = Form::new(fields(), sent);
    let new = read(&mut form, &here.zone());
    match form.run_with(new, async |new| web.app.create::<Link>(&context, (), new).await).await? {
        Some(made) => Ok(lead(&web, &url(&here, made.id), Done::LinkAdded, made.content.name.as_str())),
        None => {
            let page = editor(&here, None, form);
            Ok(page.form.again(&page))
        }
    }
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::LinksWrite)?;
    let (_, link) = wanted(&web, &here).await?;
    Ok(render(&editor(&here, Some(&link), form_of(&link, &here.zone()))))
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::LinksWrite)?;
    let (context, link) = wanted(&web, &here).await?;
    let zone = here.zone();
    let mut form = Form::new(fields(), sent);
    let patch = read(&mut form, &zone);
    let careful = context.with_seen(form.seen::<Link>());
    let update = async |patch| web.app.update::<Link>(&careful, (), link.id, patch).await;
    match form.edit_with(patch, update).await? {
        Edit::Saved(saved) => {
            return Ok(lead(&web, &url(&here, link.id), Done::LinkSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("trigger link", &link, &form_of(&link, &zone)),
        Edit::Wrong => {}
    }
    let page = editor(&here, Some(&link), form);
    Ok(page.form.again(&page))
}

fn question(here: &Here, link: &Link) -> Ask {
    let sentences = vec![
        format!("Whoever opens /l/{} finds nothing there, also by a personal link.", link.slug.as_str()),
        match link.humans {
            0 => "Nobody has clicked on it.".to_owned(),
            1 => "What is known of its one click is deleted with it.".to_owned(),
            clicks => format!("What is known of its {} clicks is deleted with it.", grouped(clicks)),
        },
    ];
    Ask::to_delete(here, SECTION, (link.content.name.as_str(), "Delete trigger link"), sentences, url(here, link.id))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::LinksWrite)?;
    let (_, link) = wanted(&web, &here).await?;
    Ok(question(&here, &link).shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::LinksWrite)?;
    let (context, link) = wanted(&web, &here).await?;
    let done = |()| lead(&web, &here.url(PATH), Done::LinkDeleted, link.content.name.as_str());
    question(&here, &link).answered(web.app.delete::<Link>(&context, (), link.id), done).await
}
