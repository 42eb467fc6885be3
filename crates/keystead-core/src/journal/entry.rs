//! Lines of the journal, and what else may stand in a file that somebody hands over as one.

use std::collections::BTreeSet;

use keystead_model::{
    KeyId, LocationId, UtcMs,
    agency::TenantState,
    api_key::DeleteReason,
    grant::Reach,
    ip_range::IpRanges,
    scope::ScopeSet,
    standing::{KeyLife, KeyStanding, MemberStanding, PreviousStanding, SecretMark},
    user::Role,
};
use keystead_store::changes::{Change, Poll};
use serde_json::{Map, Value as Json, json};

/// Names the form of a line.
const FORM: &str = "revocations/1";
/// How the names of all forms begin.
const FORMS: &str = "revocations/";

/// A place in the history of a database: which one, and its last change.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    pub(crate) incarnation: String,
    /// The number of that change.
    pub(crate) through: i64,
    /// Which change it is: a database that was set back gives the number once more. Lines of older releases do not tell.
    pub(crate) mark: Option<String>,
}

impl Position {
    /// Where a database is now.
    pub(crate) fn of(poll: Poll) -> Self {
        Self { incarnation: poll.incarnation, through: poll.head, mark: poll.mark }
    }

    /// Whether it is the same place as another, as far as both say.
    pub(super) fn is(&self, other: &Self) -> bool {
        (&self.incarnation, self.through) == (&other.incarnation, other.through)
            && !self.is_other_than(other.mark.as_deref())
    }

    /// Whether the change of this number in a database, of which it has this mark, is another one.
    pub(crate) fn is_other_than(&self, mark: Option<&str>) -> bool {
        matches!((&self.mark, mark), (Some(ours), Some(theirs)) if ours != theirs)
    }
}

/// How far somebody's authority went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Key(KeyStanding),
    Tenant(TenantState),
    Member(MemberStanding),
}

/// What one line tells: how some subjects stood at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) position: Position,
    pub(super) at: UtcMs,
    pub(super) extent: Extent,
    pub(super) standings: Vec<(Change, Standing)>,
}

/// Which changes a line tells, of those up to its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All after this one.
    After(i64),
    /// It is one of several lines of the same state, of which only the last says that everything is told.
    Part,
    /// With so many parts before it, all that there ever were.
    Whole { parts: u64 },
    /// A line of an older release does not say; it follows the one before it.
    Unsaid,
}

/// A line of a file.
pub(super) enum Line {
    Entry(Entry),
    /// The server's log tells that a key's authority was ended, by the number of the change.
    Ended(KeyId, i64),
    /// A line of a journal that was cut off or changed, or that a newer release wrote; the keys that it names.
    Unreadable(Vec<KeyId>),
    Blank,
    NotOurs,
}

impl Line {
    /// Reads a line of a journal, of the server's log, or of a system's journal that holds such lines: after its own
    /// columns, or as the text of a `MESSAGE`.
    pub(super) fn read(line: &str) -> Self {
        if line.trim().is_empty() {
            return Self::Blank;
        }
        let Some(begin) = line.find('{') else { return Self::NotOurs };
        let Ok(Json::Object(fields)) = serde_json::from_str(line[begin..].trim_end()) else {
            return Self::unread(line);
        };
        if let Some(Json::String(message)) = fields.get("MESSAGE") {
            return if message.contains("\"MESSAGE\"") { Self::NotOurs } else { Self::read(message) };
        }
        let text = |name: &str| fields.get(name).and_then(Json::as_str);
        if text("keystead").is_some_and(|form| form.starts_with(FORMS)) {
            let entry = Entry::read(&fields).filter(|_| text("keystead") == Some(FORM));
            return entry.map_or_else(|| Self::unread(line), Self::Entry);
        }
        let key = text("key").and_then(KeyId::parse);
        match (text("message"), key, fields.get("sequence").and_then(Json::as_i64)) {
            (Some("authority was ended"), Some(key), Some(sequence)) => Self::Ended(key, sequence),
            _ => Self::NotOurs,
        }
    }
}

impl Line {
    /// What is left of a line that cannot be read: whether it is ours, and whom it names.
    fn unread(line: &str) -> Self {
        // It may stand in another text, where every quote has a backslash.
        let text = line.replace('\\', "");
        if !text.contains(&format!("\"keystead\":\"{FORMS}")) {
            return Self::NotOurs;
        }
        let named = text.split("\"key\":\"").skip(1);
        Self::Unreadable(named.filter_map(|rest| KeyId::parse(rest.split('"').next()?)).collect())
    }
}

impl Entry {
    /// Up to where everything is told, if this line says so.
    pub(super) fn end(&self) -> Option<Position> {
        (self.extent != Extent::Part).then(|| self.position.clone())
    }

    /// The line, with its end.
    pub(super) fn write(&self) -> String {
        let Self { position: Position { incarnation, through, mark }, at, extent, standings } = self;
        let standings: Vec<Json> =
            standings.iter().map(|(subject, standing)| write_standing(subject, standing)).collect();
        let mut line = json!({"keystead": FORM, "incarnation": incarnation, "through": through, "at": at});
        if let Some(mark) = mark {
            line["mark"] = json!(mark);
        }
        match extent {
            Extent::After(after) => line["after"] = json!(after),
            Extent::Part => line["more"] = json!(true),
            Extent::Whole { parts } => line["parts"] = json!(parts),
            Extent::Unsaid => {}
        }
        line["standings"] = Json::Array(standings);
        format!("{line}\n")
    }

    fn read(fields: &Map<String, Json>) -> Option<Self> {
        let position = Position {
            incarnation: fields.get("incarnation")?.as_str()?.to_owned(),
            through: fields.get("through")?.as_i64()?,
            mark: fields.get("mark").and_then(Json::as_str).map(str::to_owned),
        };
        let standings = fields.get("standings")?.as_array()?;
        Some(Self {
            position,
            at: fields.get("at").and_then(Json::as_str).and_then(UtcMs::read_iso)?,
            extent: Extent::read(fields),
            standings: standings
                .iter()
                .map(|standing| standing.as_object())
                // A subject of a kind that only a newer release knows is passed over.
                .filter(|standing| standing.is_none_or(|fields| KINDS.iter().any(|kind| fields.contains_key(*kind))))
                .map(|standing| read_standing(standing?))
                .collect::<Option<_>>()?,
        })
    }
}

impl Extent {
    fn read(fields: &Map<String, Json>) -> Self {
        let number = |name: &str| fields.get(name).and_then(Json::as_i64);
        match (fields.get("more").and_then(Json::as_bool), number("after"), number("parts")) {
            (Some(true), ..) => Self::Part,
            (_, Some(after), _) => Self::After(after),
            (_, None, Some(parts)) => Self::Whole { parts: parts.unsigned_abs() },
            (_, None, None) => Self::Unsaid,
        }
    }
}

/// What a standing may be of.
const KINDS: [&str; 4] = ["key", "location", "agency", "member"];

fn write_standing(subject: &Change, standing: &Standing) -> Json {
    let mut fields = Map::new();
    fields.insert(subject.kind().to_owned(), json!(subject.subject()));
    let mut put = |name: &str, value: Json| fields.insert(name.to_owned(), value);
    match standing {
        Standing::Tenant(state) => drop(put("state", json!(state.as_str()))),
        Standing::Member(MemberStanding { disabled, is_operator, role, locations, password }) => {
            put("disabled", json!(disabled));
            put("operator", json!(is_operator));
            put("role", json!(role.as_str()));
            put("locations", json!(locations));
            put("password", json!(password));
        }
        Standing::Key(key) => {
            let KeyStanding { life, is_exposed, current, previous, scopes, reach, allowed_ips, expires_at } = key;
            let (state, reason) = match life {
                KeyLife::Active => ("active", None),
                KeyLife::Deactivated => ("deactivated", None),
                KeyLife::Deleted(reason) => ("deleted", Some(reason.as_str())),
            };
            put("state", json!(state));
            let mut put_some = |name: &str, value: Option<Json>| value.map(|value| put(name, value));
            put_some("reason", reason.map(|reason| json!(reason)));
            put_some("exposed", is_exposed.then(|| json!(true)));
            put_some("secret", current.map(|mark| json!(mark.to_string())));
            put_some("previous", previous.map(|PreviousStanding { secret, until, ended }| {
                json!({"secret": secret.to_string(), "until": until, "ended": ended})
            }));
            put("scopes", json!(scopes.to_names()));
            match reach {
                Reach::Agency => {}
                Reach::Chosen(set) => drop(put("chosen", json!(set))),
                Reach::Locations(set) => drop(put("locations", json!(set))),
            }
            if !allowed_ips.is_open() {
                put("addresses", json!(allowed_ips.to_stored()));
            }
            expires_at.map(|at| put("expiresAt", json!(at)));
        }
    }
    Json::Object(fields)
}

fn read_standing(fields: &Map<String, Json>) -> Option<(Change, Standing)> {
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let flag = |name: &str| fields.get(name).and_then(Json::as_bool).unwrap_or(false);
    let (kind, subject) = KINDS.into_iter().find_map(|kind| Some((kind, text(kind)?)))?;
    let subject = Change::parse(kind, subject)?;
    let standing = match subject {
        Change::Location(_) | Change::Agency(_) => Standing::Tenant(TenantState::from_stored(text("state")?)),
        Change::Member(_) => Standing::Member(MemberStanding {
            disabled: flag("disabled"),
            is_operator: flag("operator"),
            role: Role::from_name(text("role")?)?,
            locations: read_locations(fields.get("locations")?)?,
            password: text("password").map(str::to_owned),
        }),
        Change::Key(_) => Standing::Key(KeyStanding {
            life: match text("state")? {
                "active" => KeyLife::Active,
                "deleted" => {
                    KeyLife::Deleted(text("reason").and_then(DeleteReason::parse).unwrap_or(DeleteReason::Requested))
                }
                // Also what only a newer release knows: guessing must not open a door.
                _ => KeyLife::Deactivated,
            },
            is_exposed: flag("exposed"),
            current: text("secret").and_then(SecretMark::parse),
            previous: fields.get("previous").and_then(|previous| {
                let secret = SecretMark::parse(previous["secret"].as_str()?)?;
                let until = UtcMs::read_iso(previous["until"].as_str()?)?;
                Some(PreviousStanding { secret, until, ended: previous["ended"].as_bool().unwrap_or(false) })
            }),
            scopes: ScopeSet::from_names(text("scopes")?),
            reach: match (fields.get("chosen"), fields.get("locations")) {
                (None, None) => Reach::Agency,
                (Some(chosen), None) => Reach::Chosen(read_locations(chosen)?),
                (_, Some(locations)) => Reach::Locations(read_locations(locations)?),
            },
            allowed_ips: IpRanges::from_stored(text("addresses").unwrap_or_default()).ok()?,
            expires_at: match fields.get("expiresAt") {
                None => None,
                Some(at) => Some(UtcMs::read_iso(at.as_str()?)?),
            },
        }),
    };
    Some((subject, standing))
}

fn read_locations(list: &Json) -> Option<BTreeSet<LocationId>> {
    list.as_array()?.iter().map(|id| LocationId::parse(id.as_str()?)).collect()
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
