//! The arguments of a verb, made from what its route takes, and read into what the route is told.

use std::{marker::PhantomData, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource, value_parser};
use keystead_api::{Access, Route, Words};
use serde_json::{Map, Value};

use super::super::keys::at_least_one;

/// A field that an option can set.
struct Field {
    /// As the route has it.
    name: String,
    kind: Kind,
    about: String,
    /// Whether the route does nothing without it.
    is_required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Truth,
    /// Several, each by an option of its own.
    Texts,
    /// Several that have no commas, which part them.
    Names,
}

/// Fields of a query that lists are turned by, not people.
const PLACES: &[&str] =
    &["limit", "skip", "page", "cursor", "startAfter", "startAfterId", "locationId", "location_id", "searchAfter"];
/// Fields of a body that the location is named by.
const LOCATION: &[&str] = &["locationId"];
/// The body as JSON, for what is no text.
const BODY: &str = "fields";

/// The file that an answer is written to.
pub(super) const FILE: &str = "file";

/// A verb with its arguments.
pub(super) fn command(verb: &'static str, route: &Route, is_list: bool) -> Command {
    let mut command = super::common(Command::new(verb).about(route.summary));
    for (name, place) in route.path_names().zip(1..) {
        let title = kebab(name).replace('-', "_").to_uppercase();
        command =
            command.arg(Arg::new(format!("path {name}")).index(place).required(true).value_name(title).help("Its id"));
    }
    if route.answers_file() {
        let place = route.path_names().count() + 1;
        let file = Arg::new(FILE).index(place).value_name("FILE").value_parser(value_parser!(PathBuf));
        command = command.arg(file.help("File to write, which must not be there yet; standard output without it"));
        command = command.mut_arg("json", |option| option.hide(true));
    }
    if is_list {
        let limit = Arg::new("limit").long("limit").value_name("N").value_parser(at_least_one);
        command = command.arg(limit.allow_negative_numbers(true).help("At most so many; all by default"));
    }
    for field in fields(&route.query_schema(), PLACES) {
        command = command.arg(option("query", &field));
    }
    if let Some(schema) = route.body_schema() {
        // What `--fields` may have as well is not asked for by its option.
        command = body(command, &fields(&schema, LOCATION));
    }
    command
}

fn body(command: Command, fields: &[Field]) -> Command {
    let command = fields.iter().fold(command, |command, field| command.arg(option("body", field).required(false)));
    let body = Arg::new(BODY).long(BODY).value_name("JSON").value_parser(object);
    command.arg(body.help("Fields as a JSON object; options win over it"))
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("must be a JSON object: {error}"))
}

/// What was given for a body.
fn said_in_body(fields: &[Field], matches: &ArgMatches) -> Map<String, Value> {
    let mut said = matches.get_one::<Map<String, Value>>(BODY).cloned().unwrap_or_default();
    take(fields, "body", matches, &mut said);
    said
}

/// A route whose body a command takes that is not made from a route as a whole.
pub(in crate::commands) trait Taken: 'static {
    /// The route.
    const ENDPOINT: &'static str;
    /// Fields that the command has options of its own for, or that are not for people.
    const BESIDE: &'static [&'static str];
}

/// What else a route's body may have, as options of such a command.
pub(in crate::commands) struct BodyOf<R>(
    pub(in crate::commands) Map<String, Value>,
    pub(in crate::commands) PhantomData<R>,
);

impl<R: Taken> BodyOf<R> {
    fn fields() -> Vec<Field> {
        fields(&super::route(R::ENDPOINT).body_schema().unwrap_or_default(), R::BESIDE)
    }
}

impl<R: Taken> Args for BodyOf<R> {
    fn augment_args(command: Command) -> Command {
        // Read from the routes when somebody asks for this command.
        command.defer(|command| body(command, &Self::fields()))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<R: Taken> FromArgMatches for BodyOf<R> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(said_in_body(&Self::fields(), matches), PhantomData))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn option(source: &str, field: &Field) -> Arg {
    let option = Arg::new(format!("{source} {}", field.name))
        .long(kebab(&field.name))
        .help(field.about.clone())
        .required(field.is_required);
    match field.kind {
        Kind::Text => option.value_name("TEXT").allow_hyphen_values(true),
        Kind::Number => option.value_name("N").allow_negative_numbers(true),
        Kind::Truth => option.value_name("true|false"),
        Kind::Texts => option.value_name("TEXT").action(ArgAction::Append),
        Kind::Names => option.value_name("NAMES").value_delimiter(',').action(ArgAction::Append),
    }
}

/// What was given, as the route is told it.
pub(super) fn words(route: &Route, matches: &ArgMatches) -> Words {
    let path = route.path_names().filter_map(|name| matches.get_one::<String>(&format!("path {name}")).cloned());
    let mut words = Words { path: path.collect(), ..Words::default() };
    take(&fields(&route.query_schema(), PLACES), "query", matches, &mut words.query);
    let body = route.body_schema();
    if let Some(schema) = &body {
        words.body = said_in_body(&fields(schema, LOCATION), matches);
    }
    // Where something is an agency's or a location's, the request itself says whose.
    if route.access() != Access::Location
        && let Some(location) = matches.get_one::<String>("location-id")
    {
        let takes = |schema: &Value| LOCATION.iter().any(|name| schema["properties"].get(name).is_some());
        if takes(&route.query_schema()) {
            words.query.insert(LOCATION[0].to_owned(), Value::from(location.as_str()));
        }
        if body.as_ref().is_some_and(takes) {
            words.body.insert(LOCATION[0].to_owned(), Value::from(location.as_str()));
        }
    }
    words
}

fn take(fields: &[Field], source: &str, matches: &ArgMatches, into: &mut Map<String, Value>) {
    for Field { name, kind, .. } in fields {
        let id = format!("{source} {name}");
        if matches.value_source(&id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let texts: Vec<&String> = matches.get_many(&id).into_iter().flatten().collect();
        let value = match (kind, &texts[..]) {
            (Kind::Texts | Kind::Names, texts) => texts.iter().map(|text| Value::from(text.as_str())).collect(),
            (_, [text, ..]) => said(text, *kind),
            (_, []) => continue,
        };
        into.insert(name.clone(), value);
    }
}

/// A text as JSON. What is none of its kind stays a text, which the route refuses in words of its own.
fn said(text: &str, kind: Kind) -> Value {
    let parsed = match kind {
        // A number of JSON keeps some fifteen digits, and the text all of them.
        Kind::Number if text.chars().filter(char::is_ascii_digit).count() > 15 => None,
        Kind::Number => serde_json::from_str::<Value>(text).ok().filter(Value::is_number),
        Kind::Truth => text.parse::<bool>().ok().map(Value::Bool),
        Kind::Text | Kind::Texts | Kind::Names => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

fn fields(schema: &Value, without: &[&str]) -> Vec<Field> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields: Vec<Field> = Vec::new();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let is_passed_over = schema["deprecated"].as_bool().unwrap_or(false) || without.contains(&name.as_str());
        let Some(kind) = kind(schema).filter(|_| !is_passed_over) else { continue };
        // Two spellings of one field are one option.
        if fields.iter().any(|known| kebab(&known.name) == kebab(name)) {
            continue;
        }
        let choices = schema["enum"].as_array().map(|choices| {
            let names: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
            format!("One of {}", names.join(", "))
        });
        let several = match kind {
            Kind::Texts => Some("One; again for each of several, a comma does not part them".to_owned()),
            Kind::Names => {
                let about = schema["items"]["description"].as_str().map(|about| format!("{about}; "));
                Some(format!("{}one, or several parted by commas", about.unwrap_or_default()))
            }
            Kind::Text | Kind::Number | Kind::Truth => None,
        };
        let about = schema["description"].as_str().map(str::to_owned).or(choices).or(several).unwrap_or_default();
        fields.push(Field { name: name.clone(), kind, about, is_required: required.contains(&name.as_str()) });
    }
    fields
}

/// `None` for what no option can say: objects, and lists of them.
fn kind(schema: &Value) -> Option<Kind> {
    // Of what may be said in several ways, as an instant may, one is a text.
    if let Some(ways) = schema["anyOf"].as_array() {
        return ways.iter().any(|way| way["type"] == "string").then_some(Kind::Text);
    }
    match schema["type"].as_str()? {
        "string" => Some(Kind::Text),
        "integer" | "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Truth),
        // What has a pattern or is one of a few has no commas.
        "array" if schema["items"]["type"] == "string" => {
            let is_name = ["pattern", "enum"].iter().any(|rule| schema["items"].get(rule).is_some());
            Some(if is_name { Kind::Names } else { Kind::Texts })
        }
        _ => None,
    }
}

/// `postalCode` and `postal_code` as an option has it.
pub(in crate::commands) fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        match letter {
            '_' => text.push('-'),
            letter if letter.is_ascii_uppercase() => {
                if at > 0 {
                    text.push('-');
                }
                text.push(letter.to_ascii_lowercase());
            }
            letter => text.push(letter),
        }
    }
    text
}
