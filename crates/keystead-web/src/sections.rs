//! The parts of the app, each said once: the navigation and the search among pages follow from this table.

use keystead_model::scope::Scope;

use crate::{
    page::{NavGroup, NavLink},
    place::Here,
};

/// Where a part is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// In Agency View.
    Agency,
    /// In locations.
    Location,
    /// In both, each its own.
    Both,
    /// The same everywhere.
    Everywhere,
}

/// A part of the app.
pub(crate) struct Section {
    /// What its pages call it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Its address, within its place unless it is everywhere the same.
    path: &'static str,
    at: At,
    /// What somebody must be allowed to read; `None` is open to whoever sees the place.
    scope: Option<Scope>,
    is_operators: bool,
    /// Under which heading it stands.
    heading: &'static str,
    icon: &'static str,
    /// Words by which it is found besides its title.
    words: &'static str,
}

const fn section(name: &'static str, title: &'static str, path: &'static str, at: At) -> Section {
    Section { name, title, path, at, scope: None, is_operators: false, heading: "", icon: "list", words: "" }
}

/// All of them, in the order in which they stand.
pub(crate) const SECTIONS: &[Section] = &[
    Section { icon: "home", words: "dashboard start", ..section("overview", "Overview", "", At::Both) },
    Section {
        scope: Some(Scope::ContactsRead),
        icon: "user",
        words: "people customers leads",
        ..section("contacts", "Contacts", "/contacts", At::Location)
    },
    Section {
        scope: Some(Scope::OpportunitiesRead),
        icon: "board",
        words: "deals sales pipeline board",
        ..section("opportunities", "Opportunities", "/opportunities", At::Location)
    },
    Section {
        scope: Some(Scope::TasksRead),
        icon: "task",
        words: "to do due late reminders",
        ..section("tasks", "Tasks", "/tasks", At::Location)
    },
    Section {
        scope: Some(Scope::FormsRead),
        icon: "edit",
        words: "questions fields publish embed",
        ..section("forms", "Forms", "/forms", At::Location)
    },
    Section {
        scope: Some(Scope::FormsRead),
        icon: "list",
        words: "answers inbox leads quarantine spam",
        ..section("submissions", "Submissions", "/submissions", At::Location)
    },
    Section {
        icon: "pin",
        words: "sub-accounts clients branches",
        ..section("locations", "Locations", "/locations", At::Agency)
    },
    Section {
        scope: Some(Scope::KeysRead),
        words: "history events changes",
        ..section("audit", "Audit log", "/audit", At::Agency)
    },
    Section {
        scope: Some(Scope::UsersRead),
        icon: "users",
        words: "users team invite roles",
        ..section("members", "Members", "/members", At::Both)
    },
    Section {
        scope: Some(Scope::LinksRead),
        heading: "Automation",
        icon: "link",
        words: "short urls clicks qr tracking redirect",
        ..section("links", "Trigger links", "/links", At::Location)
    },
    Section {
        scope: Some(Scope::LocationsWrite),
        heading: "Settings",
        icon: "gear",
        words: "agency name policy expiry",
        ..section("general", "General", "/settings/general", At::Agency)
    },
    Section {
        scope: Some(Scope::OpportunitiesRead),
        heading: "Settings",
        icon: "flow",
        words: "stages sales",
        ..section("pipelines", "Pipelines", "/settings/pipelines", At::Location)
    },
    Section {
        scope: Some(Scope::TagsRead),
        heading: "Settings",
        icon: "tag",
        words: "labels",
        ..section("tags", "Tags", "/settings/tags", At::Location)
    },
    Section {
        scope: Some(Scope::CustomFieldsRead),
        heading: "Settings",
        icon: "cols",
        words: "attributes columns",
        ..section("custom-fields", "Custom fields", "/settings/custom-fields", At::Location)
    },
    Section {
        scope: Some(Scope::CustomValuesRead),
        heading: "Settings",
        icon: "quote",
        words: "texts variables merge",
        ..section("custom-values", "Custom values", "/settings/custom-values", At::Location)
    },
    Section {
        scope: Some(Scope::KeysRead),
        heading: "Settings",
        icon: "key",
        words: "private integrations tokens secrets",
        ..section("keys", "API keys", "/settings/keys", At::Both)
    },
    Section {
        scope: Some(Scope::WebhooksRead),
        heading: "Settings",
        icon: "hook",
        words: "endpoints deliveries incoming inbound hooks payloads integrations zapier make n8n callbacks",
        ..section("webhooks", "Webhooks", "/settings/webhooks", At::Both)
    },
    Section {
        is_operators: true,
        heading: "Settings",
        icon: "screen",
        words: "servers nodes mail outbox backup",
        ..section("system", "System", "/settings/system", At::Agency)
    },
    Section {
        heading: "Developers",
        icon: "doc",
        words: "docs guides reference api help",
        ..section("docs", "Documentation", "/docs", At::Everywhere)
    },
];

/// Pages that stand in no navigation and are found by a search.
const MORE: &[Section] = &[
    Section { icon: "bell", words: "bell warnings", ..section("notices", "Notifications", "/notices", At::Both) },
    Section {
        icon: "bell",
        words: "mails mute settings",
        ..section("notices", "Notification preferences", "/notices/preferences", At::Both)
    },
    Section {
        scope: Some(Scope::KeysWrite),
        icon: "key",
        words: "new key add",
        ..section("keys", "Create key", "/settings/keys/new", At::Both)
    },
    Section {
        scope: Some(Scope::ContactsRead),
        icon: "user",
        words: "deleted contacts restore bin",
        ..section("contacts", "Trash of contacts", "/contacts/trash", At::Location)
    },
    Section {
        scope: Some(Scope::ContactsWrite),
        icon: "upload",
        words: "csv upload spreadsheet file",
        ..section("contacts", "Import contacts", "/contacts/imports/new", At::Location)
    },
    Section {
        scope: Some(Scope::ContactsRead),
        icon: "upload",
        words: "csv dry run rows refused",
        ..section("contacts", "Imports of contacts", "/contacts/imports", At::Location)
    },
    Section {
        icon: "user",
        words: "password sign-in profile",
        ..section("account", "Your account", "/app/account", At::Everywhere)
    },
];

impl Section {
    /// Whether it is there for a visitor.
    fn is_open(&self, here: &Here) -> bool {
        let is_here = match self.at {
            At::Agency => here.location.is_none(),
            At::Location => here.location.is_some(),
            At::Both | At::Everywhere => true,
        };
        let may_see = self.scope.is_none_or(|scope| here.authority().grant().allows(scope));
        is_here && may_see && (!self.is_operators || here.visitor.signed_in.user.is_operator)
    }

    fn url(&self, here: &Here) -> String {
        if self.at == At::Everywhere { self.path.to_owned() } else { here.url(self.path) }
    }

    fn link(&self, here: &Here, current: &str) -> NavLink {
        NavLink { title: self.title, url: self.url(here), icon: self.icon, is_here: self.name == current }
    }
}

/// The navigation of a place; `current` is the part that a page belongs to.
pub(crate) fn navigation(here: &Here, current: &str) -> Vec<NavGroup> {
    let mut groups: Vec<NavGroup> = Vec::new();
    for section in SECTIONS.iter().filter(|section| section.is_open(here)) {
        let link = section.link(here, current);
        match groups.last_mut().filter(|group| group.heading == section.heading) {
            Some(group) => group.links.push(link),
            None => groups.push(NavGroup { heading: section.heading, links: vec![link] }),
        }
    }
    groups
}

/// Where the part that a page belongs to is in another place: within that place, or its first page if it is not there.
pub(crate) fn elsewhere(here: &Here, current: &str, to_location: bool) -> &'static str {
    let is_there = |section: &&Section| {
        let has_it = match section.at {
            At::Both => true,
            At::Location => to_location,
            At::Agency => !to_location,
            At::Everywhere => false,
        };
        section.name == current && has_it && section.scope.is_none_or(|scope| here.authority().grant().allows(scope))
    };
    SECTIONS.iter().chain(MORE).find(is_there).map_or("", |section| section.path)
}

/// Pages whose title, or a word of what else they are called, begins with each word of a search.
pub(crate) fn pages(here: &Here, query: &str) -> Vec<NavLink> {
    let query = query.to_lowercase();
    let wanted: Vec<&str> = query.split_whitespace().collect();
    let is_meant = |section: &&Section| {
        let names = format!("{} {}", section.title, section.words).to_lowercase();
        !wanted.is_empty() && wanted.iter().all(|word| names.split(' ').any(|name| name.starts_with(word)))
    };
    let open = SECTIONS.iter().chain(MORE).filter(|section| section.is_open(here));
    open.filter(is_meant).map(|section| section.link(here, "")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_part_has_a_page_and_an_icon() {
        let paths: BTreeSet<String> = crate::paths().into_iter().collect();
        let icons = crate::assets::text("icons.svg");
        for Section { title, path, at, icon, .. } in SECTIONS.iter().chain(MORE) {
            let places: &[&str] = match at {
                At::Agency => &["/app/agency"],
                At::Location => &["/app/locations/{location}"],
                At::Both => &["/app/agency", "/app/locations/{location}"],
                At::Everywhere => &[""],
            };
            for place in places {
                assert!(paths.contains(&format!("{place}{path}")), "{title}: {place}{path}");
            }
            assert!(icons.contains(&format!("id=\"i-{icon}\"")), "{icon}");
        }
    }

    #[test]
    fn parts_under_one_heading_stand_together() {
        let mut headings: Vec<&str> = SECTIONS.iter().map(|section| section.heading).collect();
        headings.dedup();
        let unique: BTreeSet<&str> = headings.iter().copied().collect();
        assert_eq!(unique.len(), headings.len(), "{headings:?}");
    }
}
