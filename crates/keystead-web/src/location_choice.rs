//! Choosing locations in a form.

use std::collections::BTreeSet;

use keystead_core::Error;
use keystead_model::{
    LocationId,
    location::{Location, LocationFilter},
    page::{Page, Window},
    text::echo,
};

use crate::{
    Web,
    form::{Fields, Form},
    place::Here,
};

/// A location to choose.
pub(crate) struct LocationChoice {
    pub(crate) id: LocationId,
    pub(crate) name: String,
    pub(crate) chosen: bool,
}

/// What a form offers.
pub(crate) struct LocationChoices {
    pub(crate) known: Vec<LocationChoice>,
    /// Whether there are more, which can be named by their ids.
    pub(crate) more: bool,
    /// The ids that were written, to show them again.
    pub(crate) written: String,
}

/// Most locations that a form lists, beside those that are chosen.
const LISTED: i64 = 500;

impl LocationChoices {
    /// For the field `name` as it was sent.
    pub(crate) async fn of(web: &Web, here: &Here, fields: &Fields, name: &str) -> Result<Self, Error> {
        let (chosen, _) = split(fields, name);
        Ok(Self { written: fields.shown(&written_of(name)), ..Self::load(web, here, &chosen).await? })
    }

    /// The first locations by name, and all that are chosen already: what a form does not show must not be lost by it.
    pub(crate) async fn load(web: &Web, here: &Here, chosen: &BTreeSet<LocationId>) -> Result<Self, Error> {
        let first = Window::first(LISTED);
        let Page { rows: mut found, has_more: more } =
            web.app.list_locations(here.authority(), LocationFilter::default(), first).await?;
        let listed: BTreeSet<LocationId> = found.iter().map(|location| location.id).collect();
        let others: BTreeSet<LocationId> = chosen.difference(&listed).copied().collect();
        if !others.is_empty() {
            found.splice(0..0, here.find(web, others).await?);
        }
        let choice = |location: Location| LocationChoice {
            id: location.id,
            name: location.profile.name.to_string(),
            chosen: chosen.contains(&location.id),
        };
        Ok(Self { known: found.into_iter().map(choice).collect(), more, written: String::new() })
    }
}

/// The field for ids beside the boxes of `name`.
fn written_of(name: &str) -> String {
    format!("{name}-written")
}

/// The locations that a form names: ticked ones, and ids that were written, one a line. What is no id is said in it.
pub(crate) fn chosen_in(form: &mut Form, name: &str) -> BTreeSet<LocationId> {
    let (chosen, others) = split(&form.sent, name);
    if let Some(other) = others.first() {
        form.say(name, format!("“{}” is no location’s id", echo(other)));
    }
    chosen
}

/// Ids, and texts that are none.
fn split(fields: &Fields, name: &str) -> (BTreeSet<LocationId>, Vec<String>) {
    let mut chosen: BTreeSet<LocationId> = fields.all(name).into_iter().filter_map(LocationId::parse).collect();
    let written = fields.raw(&written_of(name)).unwrap_or_default();
    let mut others = Vec::new();
    for text in written.split([',', ' ', '\n', '\r', '\t']).filter(|text| !text.is_empty()) {
        match LocationId::parse(text) {
            Some(id) => _ = chosen.insert(id),
            None => others.push(text.to_owned()),
        }
    }
    (chosen, others)
}
