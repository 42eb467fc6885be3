//! Scopes: what a key or a member may do. The names are the wire contract's, then ours.
//!
//! A scope that a key can hold stands here only if some route asks for it. A preset is expanded when a key is made, so that a
//! new release never widens a key that exists; and neither a preset nor the role of a plain member chooses the class
//! [`Class::Administration`], so that a new scope of that class reaches nobody but the admins of an agency unless it is named
//! where it is to reach somebody else.

use std::fmt;

use crate::{Invalid, key_kind::KeyKind, text::echo};

macro_rules! scopes {
    ($($(#[$attribute:meta])* $variant:ident = $name:literal, $title:literal, $class:expr, $kinds:expr;)*) => {
        /// One right, named as on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Scope {
            $($(#[$attribute])* #[doc = $title] $variant,)*
        }

        impl Scope {
            /// All scopes, in the order in which pages list them.
            pub const ALL: &[Scope] = &[$($(#[$attribute])* Scope::$variant),*];

            /// The wire name, `contacts.readonly`.
            pub const fn as_str(self) -> &'static str {
                match self { $($(#[$attribute])* Scope::$variant => $name,)* }
            }

            /// What it allows, for people.
            pub const fn title(self) -> &'static str {
                match self { $($(#[$attribute])* Scope::$variant => $title,)* }
            }

            /// What it is about.
            pub const fn class(self) -> Class {
                match self { $($(#[$attribute])* Scope::$variant => $class,)* }
            }

            const fn kinds(self) -> Kinds {
                match self { $($(#[$attribute])* Scope::$variant => $kinds,)* }
            }
        }
    };
}

/// What a scope is about. Roles and presets choose classes, and name what they have besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What people work with: contacts and all that belongs to a location.
    Data,
    /// What an agency is made of: its locations and its members.
    Administration,
    /// API keys.
    Keys,
}

/// Which keys can hold a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Both,
    AgencyOnly,
}

scopes! {
    ContactsRead = "contacts.readonly", "Read contacts, their notes and tasks", Class::Data, Kinds::Both;
    ContactsWrite =
        "contacts.write", "Create, change and delete contacts, their tags, notes and tasks", Class::Data, Kinds::Both;
    ContactsIntake =
        "contacts.intake", "Create and update contacts, and be told only what was sent", Class::Data, Kinds::Both;
    LocationsRead = "locations.readonly", "Read locations", Class::Data, Kinds::Both;
    LocationsWrite =
        "locations.write", "Create, change and delete locations", Class::Administration, Kinds::AgencyOnly;
    TagsRead = "locations/tags.readonly", "Read the tags of a location", Class::Data, Kinds::Both;
    TagsWrite =
        "locations/tags.write", "Create, rename and delete the tags of a location", Class::Data, Kinds::Both;
    CustomValuesRead =
        "locations/customValues.readonly", "Read the custom values of a location", Class::Data, Kinds::Both;
    CustomValuesWrite =
        "locations/customValues.write", "Create, change and delete custom values", Class::Data, Kinds::Both;
    CustomFieldsRead =
        "locations/customFields.readonly", "Read the custom fields of a location", Class::Data, Kinds::Both;
    CustomFieldsWrite =
        "locations/customFields.write", "Create, change and delete custom fields", Class::Data, Kinds::Both;
    OpportunitiesRead = "opportunities.readonly", "Read opportunities and their pipelines", Class::Data, Kinds::Both;
    OpportunitiesWrite =
        "opportunities.write", "Create, change and delete opportunities and their pipelines", Class::Data, Kinds::Both;
    BusinessesRead = "businesses.readonly", "Read businesses", Class::Data, Kinds::Both;
    BusinessesWrite = "businesses.write", "Create, change and delete businesses", Class::Data, Kinds::Both;
    TasksRead = "locations/tasks.readonly", "Search the tasks of a location, and read recurring ones", Class::Data, Kinds::Both;
    TasksWrite = "locations/tasks.write", "Create, change and delete recurring tasks", Class::Data, Kinds::Both;
    WorkflowsRead = "workflows.readonly", "Read workflows", Class::Data, Kinds::Both;
    WorkflowsWrite = "workflows.write", "Create, change and delete workflows", Class::Data, Kinds::Both;
    CampaignsRead = "campaigns.readonly", "Read campaigns", Class::Data, Kinds::Both;
    CampaignsWrite = "campaigns.write", "Create, change and delete campaigns", Class::Data, Kinds::Both;
    LinksRead = "links.readonly", "Read trigger links", Class::Data, Kinds::Both;
    LinksWrite = "links.write", "Create, change and delete trigger links", Class::Data, Kinds::Both;
    FormsRead = "forms.readonly", "Read forms and what was submitted to them", Class::Data, Kinds::Both;
    FormsWrite =
        "forms.write", "Create, change and delete forms, submit to them, and upload files", Class::Data, Kinds::Both;
    SurveysRead = "surveys.readonly", "Read surveys and what was submitted to them", Class::Data, Kinds::Both;
    SurveysWrite = "surveys.write", "Create, change and delete surveys, and submit to them", Class::Data, Kinds::Both;
    TemplatesRead = "locations/templates.readonly", "Read the templates of a location", Class::Data, Kinds::Both;
    TemplatesWrite =
        "locations/templates.write", "Create, change and delete templates", Class::Data, Kinds::Both;
    CompaniesRead = "companies.readonly", "Read the agency's own profile", Class::Data, Kinds::AgencyOnly;
    KeysRead = "api-keys.readonly", "List API keys and their use", Class::Keys, Kinds::Both;
    KeysWrite = "api-keys.write", "Create, change, rotate and end API keys", Class::Keys, Kinds::Both;
    UsersRead = "users.readonly", "List members", Class::Administration, Kinds::Both;
    UsersWrite = "users.write", "Make, change and delete members, within what the key itself may do",
        Class::Administration, Kinds::Both;
    // Where data goes, once and for all: not for everybody who works with it.
    WebhooksRead = "webhooks.readonly", "Read webhook endpoints and what was sent to them", Class::Administration, Kinds::Both;
    WebhooksWrite =
        "webhooks.write", "Create, change and delete webhook endpoints, which are told what their maker may read",
        Class::Administration, Kinds::Both;
    // The next release's, as it were: for the tests of who would get it by itself.
    #[cfg(test)]
    NewRead = "novelties.readonly", "Read what is new in the administration", Class::Administration, Kinds::Both;
    #[cfg(test)]
    NewWrite = "novelties.write", "Change what is new in the administration", Class::Administration, Kinds::Both;
}

impl Scope {
    /// Reads a wire name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == name)
    }

    /// Whether a key of `kind` can hold it.
    pub fn suits(self, kind: KeyKind) -> bool {
        match self.kinds() {
            Kinds::Both => true,
            Kinds::AgencyOnly => kind == KeyKind::Agency,
        }
    }

    /// The resource of the scope matrix, `contacts` of `contacts.write`.
    pub fn resource(self) -> &'static str {
        self.as_str().rsplit_once('.').map_or(self.as_str(), |(resource, _)| resource)
    }

    /// The scope that has all of this one, and more.
    pub const fn whole(self) -> Option<Self> {
        match self {
            Self::ContactsIntake => Some(Self::ContactsWrite),
            _ => None,
        }
    }

    /// Whether it only reads.
    pub fn is_read(self) -> bool {
        self.as_str().ends_with(".readonly")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSet(u64);

impl ScopeSet {
    /// No scope.
    pub const EMPTY: Self = Self(0);

    /// Every scope of these classes; what is a part of one of them is not named beside it.
    pub fn of(classes: &[Class]) -> Self {
        let is_chosen = |scope: &Scope| classes.contains(&scope.class()) && scope.whole().is_none();
        Scope::ALL.iter().copied().filter(is_chosen).collect()
    }

    /// Every scope that a key of `kind` can hold.
    pub fn all(kind: KeyKind) -> Self {
        Scope::ALL.iter().copied().collect::<Self>().suiting(kind)
    }

    /// Those of it that a key of `kind` can hold.
    pub fn suiting(self, kind: KeyKind) -> Self {
        self.iter().filter(|scope| scope.suits(kind)).collect()
    }

    /// Those of it that only read.
    pub fn reading(self) -> Self {
        self.iter().filter(|scope| scope.is_read()).collect()
    }

    /// Whether `scope` is in it.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Whether it allows what `scope` does: by itself, or as a part of another.
    pub fn allows(self, scope: Scope) -> bool {
        self.contains(self.by_which(scope))
    }

    /// The one of it that allows what `scope` does; `scope` itself where none does.
    pub fn by_which(self, scope: Scope) -> Scope {
        scope.whole().filter(|whole| self.contains(*whole)).unwrap_or(scope)
    }

    /// Whether `other` allows everything in it.
    pub fn is_within(self, other: Self) -> bool {
        self.iter().all(|scope| other.allows(scope))
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// With `scope`.
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | 1 << scope as u8)
    }

    /// What does not allow `scope`: without it, and without what it is a part of.
    pub fn without(self, scope: Scope) -> Self {
        [Some(scope), scope.whole()].into_iter().flatten().fold(self, |set, gone| Self(set.0 & !(1 << gone as u8)))
    }

    /// In the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }

    /// How many.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The stored form: names, separated by spaces.
    pub fn to_names(self) -> String {
        self.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Reads the stored form. A name that this release does not know grants nothing: an older release may run on a
    /// newer database's copy, and must not guess.
    pub fn from_names(names: &str) -> Self {
        names.split(' ').filter_map(Scope::parse).collect()
    }

    /// Reads names from a request, for a key of `kind`.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>, kind: KeyKind) -> Result<Self, Invalid> {
        let mut set = Self::EMPTY;
        for name in names {
            let scope =
                Scope::parse(name).ok_or_else(|| Invalid::new(format!("has the unknown scope {}", echo(name))))?;
            set = set.with(scope);
        }
        set.require_suiting(kind)?;
        Ok(set)
    }

    /// That a key of `kind` can hold all of it.
    pub fn require_suiting(self, kind: KeyKind) -> Result<(), Invalid> {
        let Some(scope) = self.iter().find(|scope| !scope.suits(kind)) else { return Ok(()) };
        Err(Invalid::new(format!("has {scope}, which only an agency key can hold")))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_names())
    }
}

/// A named choice of scopes, expanded once when a key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Everything, and the only one that may make other keys.
    FullAccess,
    /// Everything that only reads.
    ReadOnly,
    /// For web forms that create leads.
    FormsIntake,
    /// For workflows in other programs that keep contacts up to date.
    WorkflowAutomation,
    /// For third-party integrations: read and write all data, no keys.
    Integration,
}

impl Preset {
    /// All presets, in the order in which pages list them.
    pub const ALL: &[Preset] =
        &[Self::FullAccess, Self::ReadOnly, Self::FormsIntake, Self::WorkflowAutomation, Self::Integration];

    /// The name in API and CLI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullAccess => "full-access",
            Self::ReadOnly => "read-only",
            Self::FormsIntake => "forms-intake",
            Self::WorkflowAutomation => "workflow-automation",
            Self::Integration => "integration",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::FullAccess => "Full access",
            Self::ReadOnly => "Read only",
            Self::FormsIntake => "Forms intake",
            Self::WorkflowAutomation => "Workflow automation",
            Self::Integration => "Integration",
        }
    }

    /// When to choose it, in one sentence.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::FullAccess => "Everything, including other keys. For your own scripts and administration.",
            Self::ReadOnly => "Reads everything, changes nothing. For reports and backups.",
            Self::FormsIntake => {
                "Creates and updates contacts, and is told only what it sent. For forms and landing pages on your own site."
            }
            Self::WorkflowAutomation => {
                "Keeps contacts, opportunities, tags, notes and tasks up to date. For Zapier, n8n, Make."
            }
            Self::Integration => "Reads and writes all data, but no keys. For programs by other companies.",
        }
    }

    /// Reads the name of API and CLI.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.as_str() == name)
    }

    /// What it grants to a key of `kind` in this release.
    pub fn scopes(self, kind: KeyKind) -> ScopeSet {
        let chosen: ScopeSet = match self {
            Self::FullAccess => ScopeSet::of(&[Class::Data, Class::Keys])
                .with(Scope::LocationsWrite)
                .with(Scope::WebhooksRead)
                .with(Scope::WebhooksWrite),
            Self::ReadOnly => ScopeSet::of(&[Class::Data, Class::Keys]).reading(),
            Self::FormsIntake => [Scope::ContactsIntake, Scope::FormsWrite].into_iter().collect(),
            // What such programs work with, and what they offer in their menus: fields, tags, workflows.
            Self::WorkflowAutomation => [
                Scope::ContactsRead,
                Scope::ContactsWrite,
                Scope::LocationsRead,
                Scope::TagsRead,
                Scope::TagsWrite,
                Scope::CustomFieldsRead,
                Scope::OpportunitiesRead,
                Scope::OpportunitiesWrite,
                Scope::TasksRead,
                Scope::TasksWrite,
                Scope::WorkflowsRead,
            ]
            .into_iter()
            .collect(),
            Self::Integration => ScopeSet::of(&[Class::Data])
                .with(Scope::LocationsWrite)
                .with(Scope::WebhooksRead)
                .with(Scope::WebhooksWrite),
        };
        chosen.suiting(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By class: what a release adds to data, its presets grant from then on.
    #[test]
    fn presets_grant_their_classes() {
        let data = "contacts.readonly contacts.write locations.readonly";
        let tags = "locations/tags.readonly locations/tags.write locations/customValues.readonly \
                    locations/customValues.write locations/customFields.readonly locations/customFields.write \
                    opportunities.readonly opportunities.write businesses.readonly businesses.write \
                    locations/tasks.readonly locations/tasks.write workflows.readonly workflows.write \
                    campaigns.readonly campaigns.write links.readonly links.write \
                    forms.readonly forms.write surveys.readonly surveys.write locations/templates.readonly \
                    locations/templates.write";
        let reads = "contacts.readonly locations.readonly locations/tags.readonly locations/customValues.readonly \
                     locations/customFields.readonly opportunities.readonly businesses.readonly locations/tasks.readonly \
                     workflows.readonly campaigns.readonly links.readonly \
                     forms.readonly surveys.readonly locations/templates.readonly \
                     api-keys.readonly";
        let keys = "api-keys.readonly api-keys.write";
        let company = "companies.readonly";
        let hooks = "webhooks.readonly webhooks.write";
        let reads_company = reads.replace("api-keys", "companies.readonly api-keys");
        let full = format!("{data} locations.write {tags} {company} {keys} {hooks}");
        for (preset, agency, location) in [
            (Preset::FullAccess, full, format!("{data} {tags} {keys} {hooks}")),
            (Preset::ReadOnly, reads_company, reads.to_owned()),
            (
                Preset::Integration,
                format!("{data} locations.write {tags} {company} {hooks}"),
                format!("{data} {tags} {hooks}"),
            ),
        ] {
            assert_eq!(preset.scopes(KeyKind::Agency).to_names(), agency, "{preset:?}");
            assert_eq!(preset.scopes(KeyKind::Location).to_names(), location, "{preset:?}");
        }
    }

    #[test]
    fn a_new_scope_of_administration_reaches_no_preset_by_itself() {
        for preset in Preset::ALL {
            let scopes = preset.scopes(KeyKind::Agency);
            assert!(!scopes.contains(Scope::NewRead) && !scopes.contains(Scope::NewWrite), "{preset:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
        }
        let all: ScopeSet = Scope::ALL.iter().copied().collect();
        assert_eq!(ScopeSet::from_names(&all.to_names()), all);
        assert_eq!(all.len(), Scope::ALL.len());
    }

    #[test]
    fn only_full_access_makes_keys() {
        for kind in [KeyKind::Agency, KeyKind::Location] {
            for preset in Preset::ALL {
                let scopes = preset.scopes(kind);
                assert_eq!(scopes.contains(Scope::KeysWrite), *preset == Preset::FullAccess, "{preset:?}");
                assert!(scopes.iter().all(|scope| scope.suits(kind)), "{preset:?} of {kind:?}");
                assert!(!scopes.is_empty());
            }
        }
    }

    #[test]
    fn a_location_key_cannot_write_locations() {
        assert!(ScopeSet::parse(["locations.write"], KeyKind::Location).is_err());
        assert!(ScopeSet::parse(["locations.write"], KeyKind::Agency).is_ok());
        assert!(ScopeSet::parse(["everything"], KeyKind::Agency).is_err());
    }

    #[test]
    fn no_two_presets_are_equal_for_a_kind() {
        for kind in [KeyKind::Agency, KeyKind::Location] {
            for (place, preset) in Preset::ALL.iter().enumerate() {
                for other in &Preset::ALL[..place] {
                    let (own, others) = (preset.scopes(kind), other.scopes(kind));
                    assert_ne!(own, others, "{preset:?} and {other:?} of {kind:?}");
                    // Nearly the same is a choice that nobody can make.
                    let differs =
                        own.iter().chain(others.iter()).filter(|scope| own.contains(*scope) != others.contains(*scope));
                    assert!(differs.count() > 1, "{preset:?} and {other:?} of {kind:?}");
                }
            }
        }
    }

    #[test]
    fn an_intake_is_a_part_of_writing_and_reads_nothing() {
        for kind in [KeyKind::Agency, KeyKind::Location] {
            let intake = Preset::FormsIntake.scopes(kind);
            assert!(!intake.allows(Scope::ContactsRead) && !intake.allows(Scope::ContactsWrite));
            assert!(intake.reading().is_empty() && intake.allows(Scope::ContactsIntake));
            assert!(intake.is_within(Preset::FullAccess.scopes(kind)), "whoever writes contacts gives this away");
            assert!(!Preset::FullAccess.scopes(kind).contains(Scope::ContactsIntake), "it has the whole");
        }
        let writing = ScopeSet::EMPTY.with(Scope::ContactsWrite);
        let intake = ScopeSet::EMPTY.with(Scope::ContactsIntake);
        assert!(writing.allows(Scope::ContactsIntake) && !writing.is_within(intake));
        assert_eq!(writing.by_which(Scope::ContactsIntake), Scope::ContactsWrite);
        assert_eq!(intake.by_which(Scope::ContactsIntake), Scope::ContactsIntake);
        let all = ScopeSet::all(KeyKind::Location);
        assert!(!all.without(Scope::ContactsIntake).allows(Scope::ContactsIntake));
        assert!(all.without(Scope::ContactsWrite).allows(Scope::ContactsIntake));
    }

    /// Whoever makes a key that manages members names that: no preset has it, and what such a key may do with it is bounded by
    /// what else the key holds.
    #[test]
    fn a_key_manages_members_only_where_that_is_named() {
        for kind in [KeyKind::Agency, KeyKind::Location] {
            for scope in [Scope::UsersRead, Scope::UsersWrite] {
                assert!(ScopeSet::parse([scope.as_str()], kind).is_ok());
                assert!(Preset::ALL.iter().all(|preset| !preset.scopes(kind).contains(scope)), "{scope}");
            }
        }
    }
}
