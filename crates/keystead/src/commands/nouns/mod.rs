//! What is in a location, at a terminal: `keystead contacts list`, `keystead fields create …`. Verbs, options and answers are those
//! of the routes of API 2.0, read from their table; only which nouns there are, and what people see of each, is said here.

mod answer;
mod arguments;
mod export;
mod import;

use std::{io, sync::LazyLock};

use clap::{Arg, ArgAction, ArgMatches, Command};
use keystead_api::{Access, Face, Route, Words, routes, v2::api_keys::parse_location};
use keystead_core::{AgencyContext, App, Authority};
use keystead_model::{LocationId, location::LocationFilter, page::Window};
use serde_json::{Value, json};

use self::answer::{Pages, items, shown_once};
pub(super) use self::{
    answer::one,
    arguments::{BodyOf, Taken, kebab},
};
use super::{
    Reached,
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
    /// What else is done with them.
    more: &'static [More],
}

/// A verb of a noun's own.
struct More {
    verb: &'static str,
    endpoint: &'static str,
    /// Of what answers a list: members that it shows.
    columns: &'static [&'static str],
}

const fn call(verb: &'static str, endpoint: &'static str) -> More {
    More { verb, endpoint, columns: &[] }
}

const fn list(verb: &'static str, endpoint: &'static str, columns: &'static [&'static str]) -> More {
    More { verb, endpoint, columns }
}

const SUBMISSIONS: &[&str] = &["id", "createdAt", "name", "email"];

const NOUNS: &[Noun] = &[
    Noun {
        name: "contacts",
        about: "List, make, change and delete contacts",
        path: "/contacts",
        columns: &["id", "contactName", "email", "phone"],
        more: &[],
    },
    Noun {
        name: "notes",
        about: "List, make, change and delete the notes of a contact",
        path: "/contacts/{contactId}/notes",
        columns: &["id", "dateAdded", "body"],
        more: &[],
    },
    Noun {
        name: "tasks",
        about: "List, make, change and delete the tasks of a contact",
        path: "/contacts/{contactId}/tasks",
        columns: &["id", "dueDate", "completed", "title"],
        more: &[],
    },
    Noun {
        name: "tags",
        about: "List, make, rename and delete the tags of a location",
        path: "/locations/{locationId}/tags",
        columns: &["id", "name"],
        more: &[],
    },
    Noun {
        name: "values",
        about: "List, make, change and delete the custom values of a location",
        path: "/locations/{locationId}/customValues",
        columns: &["id", "fieldKey", "value"],
        more: &[],
    },
    Noun {
        name: "fields",
        about: "List, make, change and delete the custom fields of a location",
        path: "/locations/{locationId}/customFields",
        columns: &["id", "fieldKey", "dataType", "name"],
        more: &[],
    },
    Noun {
        name: "businesses",
        about: "List, make, change and delete businesses",
        path: "/businesses",
        columns: &["id", "name", "email", "phone"],
        more: &[],
    },
    Noun {
        name: "pipelines",
        about: "List, make, change and delete pipelines",
        path: "/opportunities/pipelines",
        columns: &["id", "name", "stages"],
        more: &[],
    },
    Noun {
        name: "opportunities",
        about: "List, make, change and delete opportunities",
        path: "/opportunities",
        columns: &["id", "status", "monetaryValue", "name"],
        more: &[],
    },
    Noun {
        name: "workflows",
        about: "List, make, change and delete workflows",
        path: "/workflows",
        columns: &["id", "status", "name"],
        more: &[],
    },
    Noun {
        name: "campaigns",
        about: "List, make, change and delete campaigns",
        path: "/campaigns",
        columns: &["id", "status", "name"],
        more: &[],
    },
    Noun {
        name: "forms",
        about: "List, make, change, publish and delete forms, and what was sent in",
        path: "/forms",
        columns: &["id", "name"],
        more: &[
            list("submissions", "GET /forms/submissions", SUBMISSIONS),
            call("submission", "GET /forms/{formId}/submissions/{submissionId}"),
            call("file", "GET /forms/{formId}/submissions/{submissionId}/files/{fileId}"),
            call("submit", "POST /forms/{formId}/submissions"),
            call("accept", "POST /forms/{formId}/submissions/{submissionId}/accept"),
            call("discard", "POST /forms/{formId}/submissions/{submissionId}/discard"),
            call("publish", "POST /forms/{formId}/publish"),
            call("unpublish", "POST /forms/{formId}/unpublish"),
            list("versions", "GET /forms/{formId}/versions", &["version", "publishedAt"]),
            call("restore", "POST /forms/{formId}/versions/{version}/restore"),
        ],
    },
    Noun {
        name: "surveys",
        about: "List, make, change and delete surveys",
        path: "/surveys",
        columns: &["id", "name"],
        more: &[
            list("submissions", "GET /surveys/submissions", SUBMISSIONS),
            call("submission", "GET /surveys/{surveyId}/submissions/{submissionId}"),
            call("file", "GET /surveys/{surveyId}/submissions/{submissionId}/files/{fileId}"),
            call("submit", "POST /surveys/{surveyId}/submissions"),
        ],
    },
    Noun {
        name: "links",
        about: "List, make, change and delete trigger links, and who clicked",
        path: "/links",
        columns: &["id", "name", "redirectTo"],
        more: &[
            call("get", "GET /links/id/{linkId}"),
            list("search", "GET /links/search", &["id", "name", "redirectTo"]),
            list("clicks", "GET /links/{linkId}/clicks", &["id", "at", "verdict", "contactId"]),
            call("clicks-csv", "GET /links/{linkId}/clicks/csv"),
            call("classify", "POST /links/{linkId}/clicks/{clickId}/classify"),
            call("stats", "GET /links/{linkId}/stats"),
            list("tokens", "GET /links/{linkId}/tokens", &["id", "contactId", "source"]),
            call("mint", "POST /links/{linkId}/tokens"),
            call("revoke", "DELETE /links/{linkId}/tokens/{tokenId}"),
        ],
    },
    Noun {
        name: "webhooks",
        about: "List, make, change, try and delete webhooks, and what was sent to them",
        path: "/webhooks",
        columns: &["id", "state", "hears", "events", "url"],
        more: &[
            call("rotate", "POST /webhooks/{webhookId}/rotate-secret"),
            call("test", "POST /webhooks/{webhookId}/test"),
            list(
                "deliveries",
                "GET /webhooks/{webhookId}/deliveries",
                &["id", "createdAt", "state", "tries", "nextAttemptAt", "type"],
            ),
            call("deliveries-csv", "GET /webhooks/{webhookId}/deliveries/csv"),
            call("delivery", "GET /webhooks/{webhookId}/deliveries/{deliveryId}"),
            call("resend", "POST /webhooks/{webhookId}/deliveries/{deliveryId}/resend"),
            call("recover", "POST /webhooks/{webhookId}/recover"),
            call("sample", "GET /webhooks/samples"),
            list("public-keys", "GET /webhooks/public-keys", &["version", "webhooks", "createdAt", "base64"]),
            call("public-key", "GET /webhooks/public-key"),
            call("new-key", "POST /webhooks/public-keys"),
        ],
    },
    Noun {
        name: "inbound-webhooks",
        about: "List, make, change and delete addresses to which other programs send, and what came in",
        path: "/inbound-webhooks",
        columns: &["id", "name"],
        more: &[
            call("rotate", "POST /inbound-webhooks/{inboundWebhookId}/rotate-token"),
            list(
                "payloads",
                "GET /inbound-webhooks/{inboundWebhookId}/payloads",
                &["id", "receivedAt", "outcome", "contactId"],
            ),
            call("replay", "POST /inbound-webhooks/{inboundWebhookId}/payloads/{payloadId}/replay"),
        ],
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
    let command =
        VERBS.iter().fold(command, |command, (verb, method, is_of_one)| match noun.route(method, *is_of_one) {
            Some(found) => command.subcommand(arguments::command(verb, found, *verb == "list")),
            None => command,
        });
    noun.more.iter().fold(command, |command, More { verb, endpoint, columns }| {
        command.subcommand(arguments::command(verb, route(endpoint), !columns.is_empty()))
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

/// What is to be done with a noun, if it was not another command.
pub(super) struct Chosen {
    what: What,
    matches: ArgMatches,
}

enum What {
    /// A verb, and its route.
    Call(&'static str, &'static Route),
    /// A route that answers a list, and what is shown of each thing in it.
    List(&'static Route, &'static [&'static str]),
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
            _ => match noun.more.iter().find(|more| more.verb == name) {
                Some(More { verb, endpoint, columns: [] }) => What::Call(verb, route(endpoint)),
                Some(More { endpoint, columns, .. }) => What::List(route(endpoint), columns),
                None => {
                    let (verb, method, is_of_one) = VERBS.iter().find(|(verb, ..)| *verb == name)?;
                    let found = noun.route(method, *is_of_one)?;
                    if *verb == "list" { What::List(found, noun.columns) } else { What::Call(verb, found) }
                }
            },
        };
        Some(Self { what, matches: matches.clone() })
    }

    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| {
            let context = operator(app, self.matches.get_one::<String>("agency-id").map(String::as_str)).await?;
            let authority = context.authority().clone();
            match &self.what {
                What::Call(_, route) | What::List(route, _) => {
                    let reached = Reached::of(app, config).await?;
                    let base_url = Some(reached.base_url.as_str().into());
                    let words = Words { base_url, ..arguments::words(route, &self.matches) };
                    // What is an agency's or a location's is the agency's where no location is named.
                    let location = match route.access() {
                        Access::Location => Some(self.location(app, &context).await?),
                        _ => None,
                    };
                    match &self.what {
                        _ if route.answers_file() => self.file(route, (app, authority, location), words).await,
                        What::List(_, columns) => self.list(route, columns, (app, authority, location), words).await,
                        _ => self.once(route, (app, authority, location), words, &reached).await,
                    }
                }
                What::Import | What::Export | What::Everything | What::Erase => {
                    let location = self.location(app, &context).await?;
                    match &self.what {
                        What::Import => import::run(app, authority, location, &self.matches).await,
                        What::Export => export::run(app, authority, location, &self.matches).await,
                        What::Everything => export::everything(app, authority, location, &self.matches).await,
                        _ => export::erase(app, authority, location, &self.matches).await,
                    }
                }
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
        columns: &[&str],
        (app, authority, location): (&App, Authority, Option<LocationId>),
        words: Words,
    ) -> Result<(), Failure> {
        let as_json = self.matches.get_flag("json");
        let mut left = self.matches.get_one::<usize>("limit").copied().unwrap_or(usize::MAX);
        let mut pages = Pages::of(route, words.query.clone());
        let mut table = output::Table::new(&columns.iter().map(|name| title(name)).collect::<Vec<_>>());
        while let Some(query) = pages.next(left) {
            let words = Words { query, ..words.clone() };
            let answer = route.call(app, authority.clone(), location, words).await?;
            let found = items(&answer);
            left = left.saturating_sub(found.len());
            if as_json {
                found.iter().for_each(output::json);
            } else {
                let row = |item: &Value| columns.iter().map(|name| output::cell(item, name)).collect();
                table.add(&found.iter().map(row).collect::<Vec<Vec<String>>>());
            }
            pages.turn(&answer, found.len());
        }
        Ok(())
    }

    /// Writes what it answers into a file that is not there yet, or to standard output.
    async fn file(
        &self,
        route: &Route,
        (app, authority, location): (&App, Authority, Option<LocationId>),
        words: Words,
    ) -> Result<(), Failure> {
        let mut answer = route.file(app, authority, location, words).await?;
        export::write_to(self.matches.get_one(arguments::FILE), &mut answer).await
    }

    async fn once(
        &self,
        route: &Route,
        (app, authority, location): (&App, Authority, Option<LocationId>),
        words: Words,
        reached: &Reached,
    ) -> Result<(), Failure> {
        let id = words.path.last().cloned();
        let answer = route.call(app, authority, location, words).await?;
        let (thing, once) = (one(&answer), shown_once(&answer));
        let as_json = self.matches.get_flag("json");
        let is_deleted = matches!(self.what, What::Call("delete", _));
        match (id.filter(|_| is_deleted), &self.what) {
            (Some(id), _) if as_json => output::json(&json!({"id": id, "deleted": true})),
            (Some(id), _) => say!("{id} is deleted"),
            // A list of a few, as programs that ask for one get it.
            (None, _) if answer.is_array() => items(&answer).iter().for_each(output::json),
            // Whatever is shown once must not be lost.
            (None, _) if as_json => output::json(if once.is_empty() { thing } else { &answer }),
            (None, What::Call("create", _)) => say!("{}", output::cell(thing, "id")),
            (None, _) => answer::show(thing),
        }
        if !as_json {
            for (name, text) in &once {
                say!("{}  {text}", kebab(name).replace('-', " "));
            }
            if once.iter().any(|(_, text)| text.starts_with(&reached.base_url)) {
                reached.note();
            }
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

    /// What is reached otherwise, or is for programs.
    const ELSEWHERE: &[&str] = &["POST /forms/upload-custom-files"];

    /// Webhooks, links and forms have more to them than other nouns.
    #[test]
    fn all_that_the_api_does_with_them_can_be_done_at_a_terminal() {
        for name in ["webhooks", "inbound-webhooks", "links", "forms", "surveys"] {
            let noun = NOUNS.iter().find(|noun| noun.name == name).unwrap();
            let is_its = |route: &&Route| {
                let rest = route.path.strip_prefix(noun.path);
                route.face == Face::V2 && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let verbs: Vec<&str> = VERBS
                .iter()
                .filter_map(|(_, method, is_of_one)| noun.route(method, *is_of_one))
                .chain(noun.more.iter().map(|more| route(more.endpoint)))
                .map(|route| route.endpoint)
                .collect();
            for route in TABLE.iter().filter(is_its) {
                assert!(verbs.contains(&route.endpoint) || ELSEWHERE.contains(&route.endpoint), "{}", route.endpoint);
            }
        }
    }

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
