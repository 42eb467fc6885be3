//! Tests of the OpenAPI documents against a real server: a public validator, and requests made of nothing but them.

use std::{fs, path::Path, process::Command};

use crate::{
    clients::{Server, server_program, start_set_up},
    packages::python_programs,
    run::{Outcome, root, run as process},
};

/// What requests are made of, and how many: for each operation, and sequences that follow the links of a document.
const PHASES: &[(&str, &str)] = &[("examples,coverage,fuzzing", "10"), ("stateful", "200")];

/// What an answer is held against: no failure of the server, and no status, type, header or field that its document lacks.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";

/// The part `documents`.
pub(crate) fn run() -> Outcome {
    let programs = python_programs()?;
    let binary = server_program()?;
    // Each on a server of its own: what was answered to an Idempotency-Key is answered again, in the shape that it had.
    for (document, key) in
        [("2.0", "KEYSTEAD_AGENCY_KEY"), ("v3", "KEYSTEAD_AGENCY_KEY"), ("1.0", "KEYSTEAD_LOCATION_KEY")]
    {
        let (server, environment) = start_set_up(&binary)?;
        try_all(&programs, &server, &environment, document, key)?;
    }
    Ok(())
}

fn try_all(programs: &Path, server: &Server, environment: &[(&str, String)], document: &str, key: &str) -> Outcome {
    let of = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).ok_or_else(|| format!("{name} is missing"))
    };
    let address = format!("{}/openapi/{document}.json", server.url);
    let validate = root().join("clients/python/validate.py");
    process(Command::new(programs.join("python")).arg(validate).arg(&address))?;
    let settings = server.folder.join("schemathesis.toml");
    let text = settings_of(&of("KEYSTEAD_LOCATION_ID")?, &of("KEYSTEAD_SPARE_KEY_ID")?);
    fs::write(&settings, text).map_err(|error| error.to_string())?;
    let key = of(key)?;
    for (phases, examples) in PHASES {
        let mut command = Command::new(programs.join("schemathesis"));
        command.arg("--config-file").arg(&settings).args(["run", "--seed", "1", "--no-color", "--warnings", "off"]);
        command.args(["--phases", phases, "--max-examples", examples, "--checks", CHECKS]);
        command.args(["--header", &format!("Authorization: Bearer {key}")]).arg(&address).current_dir(&server.folder);
        command.env("SCHEMATHESIS_HOOKS", root().join("clients/python/hooks.py"));
        if document == "v3" {
            command.env("KEYSTEAD_VERSION", "v3");
        }
        process(&mut command)?;
    }
    process(Command::new(programs.join("python")).args(["-c", STILL_ALIVE, &server.url, &key]))
        .map_err(|problem| format!("the key did not outlive the requests of {document}.json: {problem}"))
}

/// What was asked with a key that ended was not asked.
const STILL_ALIVE: &str = "import sys, urllib.request as r; \
     r.urlopen(r.Request(sys.argv[1] + '/api-keys/self', headers={'Authorization': 'Bearer ' + sys.argv[2]}))";

/// Where the requests go. Chance would not find the location, and would find the key that asks, and end it.
fn settings_of(location: &str, key: &str) -> String {
    format!(
        r#"# Our own links say what leads where; guessed ones lead everywhere.
[phases.stateful]
max-steps = 6
inference.algorithms = []

[parameters]
"path.locationId" = "{location}"
"query.locationId" = "{location}"

[[operations]]
include-path-regex = "^/api-keys/.id"
parameters = {{ "path.id" = "{key}" }}
"#
    )
}
