//! Settings > API keys: the pages that the product is named for.

mod change;
mod create;
mod edit;
mod key;
mod life;
mod list;
mod reveal;
mod scopes;
mod status;

pub(crate) use change::{
    cancel_rotation, deactivate, deactivate_form, delete, delete_form, finish_rotation, is_in_use, keep, reactivate,
    reduce, replace, replace_form, restore, rotate, rotate_form,
};
pub(crate) use create::{create, new};
pub(crate) use edit::{edit, update};
pub(crate) use key::{first_call, show};
pub(crate) use list::{at_risk, at_risk_url, find, list};
pub(crate) use status::Status;

use std::collections::{BTreeSet, HashMap};

use keystead_core::{ActorNames, Error, error::Noun};
use keystead_model::{
    Invalid, KeyId, LocationId, UtcMs,
    actor::Actor,
    api_key::{ApiKey, KeyAbout, KeyDescription, KeyLabels},
    grant::Reach,
    ip_range::IpRanges,
    key_kind::KeyKind,
    key_policy::{KeyPolicy, in_future},
    origin::Origins,
    scope::{Preset, ScopeSet},
    text::{EmailAddress, echo},
    time::Moment,
};

use status::{End, status_of};

use crate::{
    Web,
    failure::Failure,
    form::{Field, Form, Kind},
    location_choice::chosen_in,
    place::Here,
    show as words,
};

/// A key in a list.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) place: String,
    pub(crate) access: String,
    pub(crate) masked: String,
    pub(crate) used: String,
    pub(crate) used_exactly: String,
    pub(crate) used_for: String,
    pub(crate) status: Status,
    pub(crate) creator: String,
    pub(crate) created: String,
}

/// The preset that has exactly these scopes, else their number.
fn access(key: &ApiKey) -> String {
    let scopes = key.grant.scopes;
    match Preset::ALL.iter().find(|preset| preset.scopes(key.kind()) == scopes) {
        Some(preset) => preset.title().to_owned(),
        None => format!("{} scope{}", scopes.len(), if scopes.len() == 1 { "" } else { "s" }),
    }
}

/// Who did something, by name.
pub(crate) fn creator(actor: Actor, names: &ActorNames) -> String {
    match (actor, names.of(actor)) {
        (Actor::User(_), Some(name)) => name.to_owned(),
        (Actor::User(_), None) => "A former member".to_owned(),
        (Actor::Key(_), Some(name)) => format!("{name} (key)"),
        // One of elsewhere.
        (Actor::Key(id), None) => format!("Key {id}"),
        (Actor::Operator, _) => "Operator".to_owned(),
        (Actor::System, _) => "Keystead".to_owned(),
    }
}

/// Keys as rows of a list.
pub(crate) async fn rows(web: &Web, here: &Here, keys: &[ApiKey]) -> Result<Vec<Row>, Error> {
    let names = web.app.actor_names(here.authority(), keys.iter().map(|key| key.created_by)).await?;
    let locations = here.names_of(web, keys.iter().filter_map(|key| key.grant.reach.only_location())).await?;
    Ok(keys.iter().map(|key| row(web, here, key, &names, &locations)).collect())
}

/// One key as a row, by the names of those who may have made it and of its location.
fn row(web: &Web, here: &Here, key: &ApiKey, names: &ActorNames, locations: &HashMap<LocationId, String>) -> Row {
    let (now, zone) = (web.app.now(), here.zone());
    let place = match &key.grant.reach {
        Reach::Agency => "All locations".to_owned(),
        Reach::Chosen(set) => format!("{} chosen location{}", set.len(), if set.len() == 1 { "" } else { "s" }),
        Reach::Locations(set) => {
            set.first().map(|id| locations.get(id).cloned().unwrap_or_else(|| id.to_string())).unwrap_or_default()
        }
    };
    let last = key.last_use.as_ref();
    Row {
        name: key.name.to_string(),
        url: here.url(&format!("/settings/keys/{}", key.id)),
        place,
        access: access(key),
        masked: key.masked(),
        used: last.map_or_else(|| "Never used".to_owned(), |last| words::ago(last.at, now)),
        used_exactly: last.map(|last| zone.exactly(last.at)).unwrap_or_default(),
        used_for: last.map(|last| format!("{} · {}", last.ip, last.endpoint)).unwrap_or_default(),
        status: status_of(key, End::of(web, key, now), now, &zone),
        creator: creator(key.created_by, names),
        created: zone.day(key.created_at),
    }
}

/// What both forms of a key have in common: what is said of it, and within what it works.
const ABOUT: &[&str] = &["name", "description", "labels", "contactEmail"];
const LIMITS: &[&str] = &["allowedIps", "allowedOrigins", "expiresAt"];

/// The fields of a key that both its forms have, behind that of its name.
fn fields(here: &Here, name: Field, addresses: String, expiry: String) -> Vec<Field> {
    const SITES: &str =
        "For a location key that may do little: whoever opens such a page can read the key. One a line.";
    const FOUND: &str = "What it is for; found by a search.";
    let fields = [
        name.needed("Enter a name"),
        Field::line("description", "For").called("What it is for").with("maxlength=1000").hint(FOUND),
        Field::line("labels", "Labels")
            .with("maxlength=440 placeholder=\"report, monthly\"")
            .hint("Separated by commas; found by a search.")
            .half(),
        contact_field("contactEmail", "Gets the mails about this key, besides the admins.")
            .with("maxlength=254 placeholder=\"team@example.com\"")
            .half(),
        Field::new(Kind::Boxes, "allowedLocations", "Where it acts").called("The choice of locations"),
        Field::new(Kind::Boxes, "scopes", "What it may do").called("The key"),
        Field::new(Kind::Lines(3), "allowedIps", "Allowed addresses")
            .with("class=mono placeholder=\"203.0.113.0/24\"")
            .hint(addresses),
        Field::new(Kind::Lines(2), "allowedOrigins", "Sites whose pages may use it")
            .called("The list of sites")
            .with("class=mono placeholder=\"https://shop.example.com\"")
            .hint(SITES),
        Field::typed("date", "expiresAt", "Expires on").called("The expiry").hint(expiry),
    ];
    fields.into_iter().chain(Field::confirmation(here)).collect()
}

/// An address that hears of keys by mail.
pub(crate) fn contact_field(name: &'static str, hint: &'static str) -> Field {
    Field::typed("email", name, "Also tell").called("The address to tell").hint(hint)
}

/// The locations that are chosen for an agency key; none where it is to reach all.
fn read_chosen(form: &mut Form) -> Option<BTreeSet<LocationId>> {
    if form.text("reach") != Some("chosen") {
        return None;
    }
    let chosen = chosen_in(form, "allowedLocations");
    if chosen.is_empty() {
        form.say("allowedLocations", "Choose at least one location");
    }
    Some(chosen)
}

/// The scopes that are ticked for a key of a kind, which needs one at least.
fn read_scopes(form: &mut Form, kind: KeyKind) -> ScopeSet {
    let scopes = ScopeSet::parse(form.sent.all("scopes"), kind).unwrap_or_else(|Invalid(problem)| {
        form.violate("scopes", &problem);
        ScopeSet::EMPTY
    });
    if scopes.is_empty() {
        form.say("scopes", "Choose what the key may do");
    }
    scopes
}

/// The addresses that a key may be used from; each that is none is named.
fn read_ips(form: &mut Form) -> IpRanges {
    let texts = || form.text("allowedIps").unwrap_or_default().split([',', ' ', '\n', '\r', '\t']);
    let is_wrong = |text: &&str| IpRanges::parse([*text]).is_err();
    let wrong: Vec<String> = texts().filter(is_wrong).map(|text| format!("“{}”", echo(text))).collect();
    let sentence = match (wrong.as_slice(), IpRanges::parse(texts())) {
        ([], Ok(ranges)) => return ranges,
        ([], Err(Invalid(problem))) => {
            form.violate("allowedIps", &problem);
            return IpRanges::default();
        }
        ([one], _) => format!("{one} is not an address, nor a range such as 203.0.113.0/24"),
        ([some @ .., last], _) => {
            format!("{} and {last} are not addresses, nor ranges such as 203.0.113.0/24", some.join(", "))
        }
    };
    form.say("allowedIps", sentence);
    IpRanges::default()
}

/// The sites whose pages may use a key.
fn read_origins(form: &mut Form) -> Origins {
    form.read("allowedOrigins", |text| Origins::parse(text.split([',', ' ', '\n', '\r', '\t']))).unwrap_or_default()
}

/// What is said of a key besides its name.
fn read_about(form: &mut Form) -> KeyAbout {
    KeyAbout {
        description: form.read("description", KeyDescription::parse),
        labels: form.read("labels", |text| KeyLabels::parse(text.split([',', '\n']))).unwrap_or_default(),
        contact: form.read("contactEmail", EmailAddress::parse),
    }
}

/// The same as a form has it.
fn fields_of_about(about: &KeyAbout) -> [(&'static str, String); 3] {
    [
        ("description", about.description.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()),
        ("labels", about.labels.to_text()),
        ("contactEmail", about.contact.as_ref().map(|contact| contact.as_str().to_owned()).unwrap_or_default()),
    ]
}

fn read_day(text: &str) -> Result<Moment, Invalid> {
    Moment::parse(text).map_err(|_| Invalid::new("must be a day, such as 2027-01-31"))
}

/// Says in the form what speaks against an expiry, together with all else that is wrong.
fn admit(form: &mut Form, web: &Web, here: &Here, expires_at: Option<UtcMs>) {
    let (policy, now) = (&here.visitor.signed_in.agency.keys, web.app.now());
    let admitted = expires_at.map_or(Ok(()), |at| in_future(at, now)).and_then(|()| policy.admit(expires_at, now));
    if let Err(Invalid(problem)) = admitted {
        form.violate("expiresAt", &problem);
    }
}

/// What a day means on which a key expires, in the agency's policy, and what none means for a new one.
fn expiry_hint(zone: &str, policy: &KeyPolicy, is_new: bool) -> String {
    let days = |days: u32| if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let without = match (policy.default_days.or(policy.longest_days), policy.longest_days) {
        (Some(usual), _) if is_new => format!("Without a day it expires after {}, as your agency has it.", days(usual)),
        (_, Some(_)) => String::new(),
        _ => "Without a day it expires only when it is unused.".to_owned(),
    };
    let most = policy.longest_days.map(|longest| format!(" Your agency allows at most {} from today.", days(longest)));
    format!("The key works to the end of that day, 23:59 in {zone}. {without}{}", most.unwrap_or_default())
}

async fn wanted(web: &Web, here: &Here) -> Result<ApiKey, Failure> {
    let text = here.visitor.param("id");
    let missing = || Error::NotFound(Noun::Key, text.to_owned());
    let key = web.app.get_key(here.authority(), KeyId::parse(text).ok_or_else(missing)?).await?;
    let is_here = match (&here.location, &key.grant.reach) {
        (None, _) => true,
        (Some(location), Reach::Locations(set)) => set.contains(&location.id),
        (Some(_), Reach::Agency | Reach::Chosen(_)) => false,
    };
    if is_here { Ok(key) } else { Err(missing().into()) }
}
