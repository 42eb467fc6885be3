//! What is in a location, at a terminal: `keystead contacts list`, `keystead fields create …`. Verbs, options and answers are those
//! of the routes of API 2.0, read from their table; only which nouns there are, and what people see of each, is said here.

mod answer;
mod arguments;
mod export;
mod import;

use std::{io, sync::LazyLock};

use clap::{Arg, ArgAction, ArgMatches, Command};
use keystead_api::{Face, Route, Words, routes, v2::api_keys::parse_location};
use keystead_core::{AgencyContext, App, Authority};
use keystead_model::{LocationId, location::LocationFilter, page::Window};
use serde_json::{Value, json};

use self::answer::{Pages, items};
pub(super) use self::{
    answer::one,
    arguments::{BodyOf, Taken, kebab},
};
use super::{
    init::valid,
    operator,
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure};

/// Things that people at a terminal want to see and change.
struct Noun {
    name: &'static str,
    about: &'static str,
    /// Where the routes of all of them are; of one it is a step deeper.
    path: &'static str,
    /// Members of an answer that a list shows.
    columns: &'static [&'static str],
}

const NOUNS: &[Noun] = &[
    Noun {
        name: "contacts",
        about: "List, make, change and delete contacts",
        path: "/contacts",
        columns: &["id", "contactName", "email", "phone"],
    },
    Noun {
        name: "notes",
        about: "List, make, change and delete the notes of a contact",
        path: "/contacts/{contactId}/notes",
        columns: &["id", "dateAdded", "body"],
    },
    Noun {
        name: "tasks",
        about: "List, make, change and delete the tasks of a contact",
        path: "/contacts/{contactId}/tasks",
        columns: &["id", "dueDate", "completed", "title"],
    },
    Noun {
        name: "tags",
        about: "List, make, rename and delete the tags of a location",
        path: "/locations/{locationId}/tags",
        columns: &["id", "name"],
    },
    Noun {
        name: "values",
        about: "List, make, change and delete the custom values of a location",
        path: "/locations/{locationId}/customValues",
        columns: &["id", "fieldKey", "value"],
    },
    Noun {
        name: "fields",
        about: "List, make, change and delete the custom fields of a location",
        path: "/locations/{locationId}/customFields",
        columns: &["id", "fieldKey", "dataType", "name"],
    },
    Noun {
        name: "businesses",
        about: "List, make, change and delete businesses",
        path: "/businesses",
        columns: &["id", "name", "email", "phone"],
    },
    Noun {
        name: "pipelines",
        about: "List, make, change and delete pipelines",
        path: "/opportunities/pipelines",
        columns: &["id", "name", "stages"],
    },
    Noun {
        name: "opportunities",
        about: "List, make, change and delete opportunities",
        path: "/opportunities",
        columns: &["id", "status", "monetaryValue", "name"],
    },
    Noun {
        name: "workflows",
        about: "List, make, change and delete workflows",
        path: "/workflows",
        columns: &["id", "status", "name"],
    },
    Noun {
        name: "campaigns",
        about: "List, make, change and delete campaigns",
        path: "/campaigns",
        columns: &["id", "status", "name"],
    },
    Noun { name: "forms", about: "List, make, change and delete forms", path: "/forms", columns: &["id", "name"] },
    Noun {
        name: "surveys",
        about: "List, make, change and delete surveys",
        path: "/surveys",
        columns: &["id", "name"],
    },
    Noun {
        name: "links",
        about: "List, make, change and delete trigger links",
        path: "/links",
        columns: &["id", "name", "redirectTo"],
    },
    Noun {
        name: "webhooks",
        about: "List, make, change and delete webhooks",
        path: "/webhooks",
        columns: &["id", "state", "events", "url"],
    },
];

/// What is done with a noun, and by which method, at the noun's path or at one of them.
const VERBS: &[(&str, &str, bool)] = &[
    ("list", "GET", false),
    ("get", "GET", true),
    ("create", "POST", false),
    ("update", "PUT", true),
    ("delete", "DELETE", true),
];

/// The nouns as commands.
pub(super) fn augment(line: Command) -> Command {
    NOUNS.iter().fold(line, |line, noun| {
        // Their verbs are read from the routes when somebody asks for them.
        let command = Command::new(noun.name).about(noun.about).subcommand_required(true).arg_required_else_help(true);
        line.subcommand(command.defer(verbs))
    })
}

/// The routes, which are described once.
static TABLE: LazyLock<Vec<Route>> = LazyLock::new(routes);

/// A route of API 2.0 that there is.
pub(super) fn route(endpoint: &str) -> &'static Route {
    let found = TABLE.iter().find(|route| route.face == Face::V2 && route.endpoint == endpoint);
    found.expect("the command line is made of the routes of the same build")
}

/// Why a file of rows could not be written.
fn unwritten(error: io::Error) -> Failure {
    // Whoever reads may stop at any line.
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(141);
    }
    Failure::new(format!("the file cannot be written: {error}"))
}

fn verbs(command: Command) -> Command {
    let Some(noun) = NOUNS.iter().find(|noun| noun.name == command.get_name()) else { return command };
    let command = match noun.name {
        "contacts" => command
            .subcommand(import::command())
            .subcommand(export::command())
            .subcommand(export::everything_command())
            .subcommand(export::erase_command()),
        _ => command,
    };
    VERBS.iter().fold(command, |command, (verb, method, is_of_one)| match noun.route(method, *is_of_one) {
        Some(route) => command.subcommand(arguments::command(verb, route)),
        None => command,
    })
}

impl Noun {
    /// The route of a verb; a list may be a search.
    fn route(&self, method: &str, is_of_one: bool) -> Option<&'static Route> {
        let is_at = |route: &Route, is_it: &dyn Fn(&str) -> bool| {
            // What is ours is changed by PATCH.
            let is_method = route.method == method || method == "PUT" && route.method == "PATCH";
            route.face == Face::V2 && is_method && route.path.strip_prefix(self.path).is_some_and(is_it)
        };
        let find = |is_it: &dyn Fn(&str) -> bool| TABLE.iter().find(|route| is_at(route, is_it));
        if is_of_one {
            return find(&|rest| rest.starts_with("/{") && rest.ends_with('}') && !rest[1..].contains('/'));
        }
        find(&|rest| rest.is_empty()).or_else(|| find(&|rest| method == "GET" && rest == "/search"))
    }
}

/// A noun and what is to be done with it, if it was not another command.
pub(super) struct Chosen {
    noun: &'static Noun,
    what: What,
    matches: ArgMatches,
}

enum What {
    /// A verb, and its route.
    Call(&'static str, &'static Route),
    Import,
    Export,
    Everything,
    Erase,
}

impl Chosen {
    pub(super) fn of(matches: &ArgMatches) -> Option<Self> {
        let (name, matches) = matches.subcommand()?;
        let noun = NOUNS.iter().find(|noun| noun.name == name)?;
        let (name, matches) = matches.subcommand()?;
        let what = match name {
            "import" => What::Import,
            "export" => What::Export,
            "everything" => What::Everything,
            "erase" => What::Erase,
            _ => {
                let (verb, method, is_of_one) = VERBS.iter().find(|(verb, ..)| *verb == name)?;
                What::Call(verb, noun.route(method, *is_of_one)?)
            }
        };
        Some(Self { noun, what, matches: matches.clone() })
    }

    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let words = match &self.what {
            What::Call(_, route) => arguments::words(route, &self.matches),
            What::Import | What::Export | What::Everything | What::Erase => Words::default(),
        };
        with_app(config, async |app| {
            let context = operator(app, self.matches.get_one::<String>("agency-id").map(String::as_str)).await?;
            let location = self.location(app, &context).await?;
            let authority = context.authority().clone();
            match &self.what {
                What::Call("list", route) => self.list(route, (app, authority, location), words).await,
                What::Call(verb, route) => self.once(verb, route, (app, authority, location), words).await,
                What::Import => import::run(app, authority, location, &self.matches).await,
                What::Export => export::run(app, authority, location, &self.matches).await,
                What::Everything => export::everything(app, authority, location, &self.matches).await,
                What::Erase => export::erase(app, authority, location, &self.matches).await,
            }
        })
        .await
    }

    /// The location that is named, or the only one.
    async fn location(&self, app: &App, context: &AgencyContext) -> Result<LocationId, Failure> {
        if let Some(text) = self.matches.get_one::<String>("location-id") {
            return valid("--location-id", parse_location(text));
        }
        let page = app.list_locations(context.authority(), LocationFilter::default(), Window::first(2)).await?;
        match &page.rows[..] {
            [only] => Ok(only.id),
            [] => Err(Failure::usage("there is no location yet; make one with keystead locations create")),
            _ => {
                let problem =
                    "there are several locations; choose one with --location-id (see keystead locations list)";
                Err(Failure::usage(problem))
            }
        }
    }

    async fn list(
        &self,
        route: &Route,
        (app, authority, location): (&App, Authority, LocationId),
        words: Words,
    ) -> Result<(), Failure> {
        let as_json = self.matches.get_flag("json");
        let mut left = self.matches.get_one::<usize>("limit").copied().unwrap_or(usize::MAX);
        let mut pages = Pages::of(route, words.query.clone());
        let mut table = output::Table::new(&self.noun.columns.iter().map(|name| title(name)).collect::<Vec<_>>());
        while let Some(query) = pages.next(left) {
            let words = Words { query, ..words.clone() };
            let answer = route.call(app, authority.clone(), Some(location), words).await?;
            let found = items(&answer);
            left = left.saturating_sub(found.len());
            if as_json {
                found.iter().for_each(output::json);
            } else {
                let row = |item: &Value| self.noun.columns.iter().map(|name| output::cell(item, name)).collect();
                table.add(&found.iter().map(row).collect::<Vec<Vec<String>>>());
            }
            pages.turn(&answer, found.len());
        }
        Ok(())
    }

    async fn once(
        &self,
        verb: &str,
        route: &Route,
        (app, authority, location): (&App, Authority, LocationId),
        words: Words,
    ) -> Result<(), Failure> {
        let id = words.path.last().cloned();
        let answer = route.call(app, authority, Some(location), words).await?;
        let thing = one(&answer);
        match (verb, id) {
            ("delete", Some(id)) if self.matches.get_flag("json") => output::json(&json!({"id": id, "deleted": true})),
            ("delete", Some(id)) => say!("{id} is deleted"),
            _ if self.matches.get_flag("json") => output::json(thing),
            ("create", _) => say!("{}", output::cell(thing, "id")),
            _ => answer::show(thing),
        }
        Ok(())
    }
}

/// `contactName` as the head of a column.
fn title(name: &str) -> String {
    kebab(name).replace('-', " ").to_uppercase()
}

/// What every verb takes.
fn common(command: Command) -> Command {
    command
        .arg(Arg::new("location-id").long("location-id").value_name("ID").help("Location, where there are several"))
        .arg(Arg::new("agency-id").long("agency-id").value_name("ID").help("Agency, where there are several"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Answer as JSON, one thing a line"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_noun_can_be_listed_and_no_two_arguments_of_a_verb_have_one_name() {
        let mut command = augment(Command::new("keystead"));
        // Panics where two arguments are one.
        command.build();
        for noun in NOUNS {
            let command = command.find_subcommand(noun.name).unwrap();
            let verbs: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            assert!(["list", "create", "update", "delete"].iter().all(|verb| verbs.contains(verb)), "{}", noun.name);
        }
    }
}
