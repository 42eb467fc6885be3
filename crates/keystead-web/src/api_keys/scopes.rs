//! Scopes as people read them: resource by resource, and in a sentence.

use std::collections::BTreeMap;

use keystead_model::{
    key_kind::KeyKind,
    scope::{Class, Preset, Scope, ScopeSet},
};

/// What resources are called, and what belongs to each besides.
const RESOURCES: &[(&str, &str, &str)] = &[
    ("contacts", "Contacts", "with notes and tasks"),
    ("locations", "Locations", ""),
    ("locations/tags", "Tags", "of a location"),
    ("locations/customValues", "Custom values", ""),
    ("locations/customFields", "Custom fields", ""),
    ("opportunities", "Opportunities", "and pipelines"),
    ("businesses", "Businesses", ""),
    ("locations/tasks", "Tasks", "of all contacts, and recurring ones"),
    ("workflows", "Workflows", ""),
    ("campaigns", "Campaigns", ""),
    ("links", "Trigger links", ""),
    ("forms", "Forms", "and submissions"),
    ("surveys", "Surveys", "and submissions"),
    ("locations/templates", "Templates", ""),
    ("companies", "Agency profile", ""),
    ("api-keys", "API keys", "and their use"),
    ("users", "Members", ""),
    ("webhooks", "Webhooks", "which hear what their maker may read"),
];

fn named(scope: Scope) -> (&'static str, &'static str) {
    if scope.whole().is_some() {
        return ("New contacts", "create and update; told only what was sent");
    }
    let known = RESOURCES.iter().find(|(resource, ..)| *resource == scope.resource());
    known.map_or((scope.as_str(), ""), |(_, title, about)| (*title, *about))
}

/// A scope to tick, or that was ticked.
#[derive(Clone, Copy)]
pub(super) struct ScopeBox {
    pub(super) scope: Scope,
    pub(super) chosen: bool,
    /// Whether no location key can hold it.
    pub(super) agency_only: bool,
    /// How often it was needed in 30 days.
    pub(super) used: i64,
}

/// A resource, by reading and writing.
pub(super) struct Line {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) boxes: [Option<ScopeBox>; 2],
}

impl Line {
    /// What stands in which column, with its name.
    pub(super) fn columns(&self) -> [(&'static str, Option<ScopeBox>); 2] {
        [("read", self.boxes[0]), ("write", self.boxes[1])]
    }

    /// Whether no location key can hold anything of it.
    pub(super) fn is_agency_only(&self) -> bool {
        self.boxes.iter().flatten().all(|held| held.agency_only)
    }

    /// Whether anything of it is chosen.
    pub(super) fn is_chosen(&self) -> bool {
        self.boxes.iter().flatten().any(|held| held.chosen)
    }
}

/// Every resource that a key of `kind` can have scopes of, with those that are `chosen` and how often each was `used`.
pub(super) fn matrix(kind: KeyKind, chosen: ScopeSet, used: &BTreeMap<Scope, i64>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for scope in ScopeSet::all(kind).iter() {
        let (title, about) = named(scope);
        let held = ScopeBox {
            scope,
            chosen: chosen.contains(scope),
            agency_only: !scope.suits(KeyKind::Location),
            used: used.get(&scope).copied().unwrap_or(0),
        };
        let place = lines.iter().position(|line| line.title == title).unwrap_or_else(|| {
            lines.push(Line { title, about, boxes: [None, None] });
            lines.len() - 1
        });
        lines[place].boxes[usize::from(!scope.is_read())] = Some(held);
    }
    lines
}

/// What somebody with `scopes` may read, and what they may write, which may be `the same`.
pub(super) fn reads_and_writes(scopes: ScopeSet, kind: KeyKind) -> (String, String) {
    let (reads, writes) = (what(scopes, kind, true), what(scopes, kind, false));
    let is_same = reads == writes && reads != NOTHING;
    (reads, if is_same { "the same".to_owned() } else { writes })
}

const NOTHING: &str = "nothing";

/// What somebody with `scopes` may read, or may write: `all data`, `nothing`, or what it is.
fn what(scopes: ScopeSet, kind: KeyKind, is_read: bool) -> String {
    let of_it = |set: ScopeSet| set.iter().filter(|scope| scope.is_read() == is_read).collect::<ScopeSet>();
    let everything = of_it(ScopeSet::of(&[Class::Data]).suiting(kind));
    let had = of_it(scopes);
    let mut names = Vec::new();
    let mut rest = had;
    if everything.is_within(had) {
        names.push("all data".to_owned());
        rest = had.iter().filter(|scope| !everything.contains(*scope)).collect();
    }
    names.extend(rest.iter().map(|scope| match named(scope).0 {
        title @ "API keys" => title.to_owned(),
        title => title.to_lowercase(),
    }));
    match names.as_slice() {
        [] => NOTHING.to_owned(),
        [one] => one.clone(),
        [several @ .., last] => format!("{} and {last}", several.join(", ")),
    }
}

/// What a preset does for a kind of key: `Reads all data; writes nothing`.
fn may(preset: Preset, kind: KeyKind) -> String {
    let (reads, writes) = reads_and_writes(preset.scopes(kind), kind);
    format!("Reads {reads}; writes {writes}")
}

/// A preset to choose.
pub(super) struct PresetCard {
    pub(super) preset: Preset,
    pub(super) chosen: bool,
    /// What it does for the kind of key that is chosen.
    pub(super) may: String,
    /// The same for each kind, since the kind may be chosen after it.
    pub(super) of_location: String,
    pub(super) of_agency: String,
    /// Its scopes by name, for the boxes that show them.
    pub(super) scopes: String,
}

/// All presets, in a form that makes keys up to `widest`, of which `kind` is chosen.
pub(super) fn preset_cards(widest: KeyKind, kind: KeyKind, chosen: &str) -> Vec<PresetCard> {
    let card = |preset: &Preset| PresetCard {
        preset: *preset,
        chosen: preset.as_str() == chosen,
        may: may(*preset, kind),
        of_location: may(*preset, KeyKind::Location),
        of_agency: may(*preset, KeyKind::Agency),
        scopes: preset.scopes(widest).to_names(),
    };
    Preset::ALL.iter().map(card).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scope_has_a_place_of_its_own_in_the_matrix() {
        for kind in [KeyKind::Agency, KeyKind::Location] {
            let lines = matrix(kind, ScopeSet::EMPTY, &BTreeMap::new());
            let placed: BTreeSet<Scope> =
                lines.iter().flat_map(|line| &line.boxes).flatten().map(|held| held.scope).collect();
            assert_eq!(placed, ScopeSet::all(kind).iter().collect(), "{kind:?}");
            for scope in &placed {
                assert!(RESOURCES.iter().any(|(resource, ..)| *resource == scope.resource()), "{scope} has no title");
            }
        }
    }

    #[test]
    fn presets_say_what_they_do() {
        let said = |kind| Preset::ALL.iter().map(|preset| may(*preset, kind)).collect::<Vec<_>>();
        for kind in [KeyKind::Agency, KeyKind::Location] {
            let texts = said(kind);
            assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), texts.len(), "{texts:?}");
        }
        assert_eq!(
            said(KeyKind::Location),
            [
                "Reads all data, API keys and webhooks; writes the same",
                "Reads all data and API keys; writes nothing",
                "Reads nothing; writes new contacts and forms",
                "Reads contacts, locations, tags, custom fields, opportunities, tasks and workflows; writes contacts, tags, \
                 opportunities and tasks",
                "Reads all data and webhooks; writes the same",
            ]
        );
        assert_eq!(
            what(ScopeSet::all(KeyKind::Agency), KeyKind::Agency, false),
            "all data, new contacts, locations, API keys, members and webhooks"
        );
    }
}
