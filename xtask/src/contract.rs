//! `cargo xtask contract --from DIR`: distils the published contract into the facts that our tests need.
//!
//! Paths, parameters, types, required members, enums and statuses are facts; summaries, descriptions and example
//! texts are somebody's words and stay where they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::run::{Outcome, root};

#[derive(Args)]
pub(crate) struct Contract {
    /// Folder with the published files: 1.0/, 2.0/, operations.tsv
    #[arg(long)]
    from: PathBuf,
}

/// What of a schema is structure.
const STRUCTURE: &[&str] =
    &["type", "properties", "items", "required", "enum", "nullable", "$ref", "allOf", "oneOf", "anyOf"];

impl Contract {
    pub(crate) fn run(self) -> Outcome {
        let table = read(&self.from.join("operations.tsv"))?;
        let surface = surface(&table);
        let target = root().join("contract");
        fs::create_dir_all(&target).map_err(|error| error.to_string())?;
        for (api, folder) in [("2.0", "2.0/apps"), ("v3", "2.0/v3")] {
            let distilled = distil(&self.from.join(folder), &surface[api])?;
            write(&target.join(format!("{api}.json")), &distilled)?;
        }
        let recorded = recorded(&parse(&self.from.join("1.0/openapi.json"))?, &surface["1.0"]);
        write(&target.join("1.0.json"), &recorded)?;
        let lines: String = operations(&table).iter().map(|(path, method)| format!("{method} {path}\n")).collect();
        let file = target.join("operations.txt");
        fs::write(&file, lines).map_err(|error| format!("{}: {error}", file.display()))
    }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn parse(path: &Path) -> Outcome<Value> {
    serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, value: &Value) -> Outcome {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// Method and path of every operation that we serve or will, by API.
fn surface(table: &str) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut surface: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        if let [api, method, path, .., "yes"] = cells.as_slice() {
            surface.entry((*api).to_owned()).or_default().insert(((*method).to_owned(), (*path).to_owned()));
        }
    }
    surface
}

/// Path and method of every operation that was published: the server knows by them what it does not serve.
fn operations(table: &str) -> BTreeSet<(String, String)> {
    let rows = table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter_map(|cells| Some(((*cells.get(2)?).to_owned(), (*cells.get(1)?).to_owned()))).collect()
}

fn distil(folder: &Path, surface: &BTreeSet<(String, String)>) -> Outcome<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let mut operations = Vec::new();
    let mut schemas = Map::new();
    for file in files {
        let app = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let document = parse(&file)?;
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let method = method.to_uppercase();
                if !surface.contains(&(method.clone(), path.clone())) {
                    continue;
                }
                let mut wanted = BTreeSet::new();
                let mut plain = |schema: &Value| structure(schema, &app, &mut wanted);
                let json_of = |part: &Value| part["content"]["application/json"]["schema"].clone();
                let parameters: Vec<Value> = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|parameter| {
                        json!({
                            "name": parameter["name"], "in": parameter["in"],
                            "required": parameter["required"].as_bool().unwrap_or(false),
                            "schema": plain(&parameter["schema"]),
                        })
                    })
                    .collect();
                let mut entry = json!({"method": method, "path": path, "parameters": parameters});
                let body = json_of(&operation["requestBody"]);
                if !body.is_null() {
                    entry["body"] = plain(&body);
                }
                let mut responses = Map::new();
                for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                    if status.starts_with('2') {
                        responses.insert(status.clone(), plain(&json_of(response)));
                    }
                }
                entry["responses"] = Value::Object(responses);
                operations.push(entry);
                collect(&document, &app, wanted, &mut schemas);
            }
        }
    }
    schemas.sort_keys();
    Ok(json!({"operations": operations, "schemas": schemas}))
}

/// Follows references until nothing new is named.
fn collect(document: &Value, app: &str, mut wanted: BTreeSet<String>, schemas: &mut Map<String, Value>) {
    while let Some(name) = wanted.pop_first() {
        let key = format!("{app}/{name}");
        if !schemas.contains_key(&key) {
            let mut more = BTreeSet::new();
            let schema = structure(&document["components"]["schemas"][&name], app, &mut more);
            schemas.insert(key, schema);
            wanted.extend(more);
        }
    }
}

/// A schema without words; the names that it refers to go to `wanted`.
fn structure(schema: &Value, app: &str, wanted: &mut BTreeSet<String>) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, value) in fields.iter().filter(|(name, _)| STRUCTURE.contains(&name.as_str())) {
                let value = match name.as_str() {
                    "$ref" => {
                        let target = value.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
                        wanted.insert(target.to_owned());
                        json!(format!("{app}/{target}"))
                    }
                    "properties" => {
                        let members = value.as_object().into_iter().flatten();
                        members.map(|(name, schema)| (name.clone(), structure(schema, app, wanted))).collect()
                    }
                    "items" => structure(value, app, wanted),
                    "allOf" | "oneOf" | "anyOf" => {
                        value.as_array().into_iter().flatten().map(|schema| structure(schema, app, wanted)).collect()
                    }
                    _ => value.clone(),
                };
                kept.insert(name.clone(), value);
            }
            Value::Object(kept)
        }
        _ => json!({}),
    }
}

/// The shapes of recorded answers of API 1.0: members and their types, no values.
fn recorded(document: &Value, surface: &BTreeSet<(String, String)>) -> Value {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let method = method.to_uppercase();
            if !surface.contains(&(method.clone(), path.clone())) {
                continue;
            }
            let mut responses = Map::new();
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                let content = &response["content"]["application/json"];
                let named = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
                let examples: Vec<&Value> = named.chain(content.get("example")).collect();
                if !examples.is_empty() {
                    responses.insert(status.clone(), examples.into_iter().map(shape).collect());
                }
            }
            operations.push(json!({"method": method, "path": path, "responses": responses}));
        }
    }
    json!({"operations": operations})
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("boolean"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(list) => Value::Array(list.first().map(shape).into_iter().collect()),
        Value::Object(fields) => {
            // The recorder marked places where more members stood.
            let named = fields.iter().filter(|(name, _)| !name.starts_with("__"));
            named.map(|(name, value)| (name.clone(), shape(value))).collect()
        }
    }
}
