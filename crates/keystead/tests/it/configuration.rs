//! How an instance is configured, and what is said of what cannot be meant.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use keystead_server::{config, serve::Server};
use keystead_store::{Database, Options, Store};
use rustix::process::Signal;
use serde_json::Value;

use crate::instance::Instance;

impl Instance {
    /// A command with variables, in the instance's folder.
    fn with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command.args(arguments).current_dir(&self.folder).envs(variables.iter().copied()).output().unwrap()
    }

    fn file(&self, text: &str) {
        fs::write(self.folder.join("keystead.toml"), text).unwrap();
    }

    fn shown(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
        let mut all = vec!["config", "show", "--json"];
        all.extend(arguments);
        let output = self.with(variables, &all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What is wrong with a configuration, by any command.
    fn wrong(&self, variables: &[(&str, &str)], arguments: &[&str]) -> String {
        let output = self.with(variables, arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{variables:?} {arguments:?}: {text}");
        assert!(!self.folder.join("keystead-data").exists(), "nothing was done");
        text
    }
}

const CHECK: &[&str] = &["config", "check"];

#[test]
fn every_value_has_its_source_and_no_secret_is_shown() {
    let instance = Instance::new("config-show");
    instance
        .file("rate_limit = 500\nkeys-per-owner = 7\ntrusted_proxies = [\"10.0.0.0/8\"]\nlisten = \"10.0.0.1:1\"\n");
    let variables = [
        ("KEYSTEAD_LISTEN", "0.0.0.0"),
        ("KEYSTEAD_LOG_REQUESTS", "1"),
        ("KEYSTEAD_DATABASE_URL", "postgres://me:hunter2@db.example/x?sslmode=verify-full&password=hunter3"),
        ("KEYSTEAD_METRICS_TOKEN", "hunter4"),
        ("KEYSTEAD_SMTP_URL", "smtp://me:hunter5@mail.example:587"),
        ("KEYSTEAD_MAIL_FROM", "crm@example.com"),
        // As a file for containers writes what is not set.
        ("KEYSTEAD_PUBLIC_URL", ""),
    ];
    let shown = instance.shown(&variables, &["--daily-rate-limit", "9"]);
    let told = |name: &str| (shown[name]["value"].as_str().unwrap_or("none"), shown[name]["source"].as_str().unwrap());
    assert_eq!(told("rate_limit"), ("500", "keystead.toml, line 1"));
    assert_eq!(told("keys_per_owner"), ("7", "keystead.toml, line 2"));
    assert_eq!(told("trusted_proxies"), ("10.0.0.0/8", "keystead.toml, line 3"));
    assert_eq!(told("listen"), ("0.0.0.0:8080", "KEYSTEAD_LISTEN"), "a variable wins over the file");
    assert_eq!(told("log_requests"), ("true", "KEYSTEAD_LOG_REQUESTS"));
    assert_eq!(told("daily_rate_limit"), ("9", "command line"));
    let shown = instance.shown(&[], &["--daily-rate-limit", "off", "--rate-limit", "off"]);
    assert_eq!((&shown["daily_rate_limit"]["value"], &shown["rate_limit"]["value"]), (&"off".into(), &"off".into()));
    let shown = instance.shown(&[], &["--daily-rate-limit", "9", "--rate-limit", "off"]);
    assert_eq!(shown["daily_rate_limit"]["value"], "9", "each is switched off by itself");
    assert_eq!(told("public_url"), ("none", "default"));
    assert_eq!(told("metrics_token"), ("(set)", "KEYSTEAD_METRICS_TOKEN"));
    assert!(told("database_url").0.contains("me:***@db.example/x?sslmode=verify-full"));
    let people = String::from_utf8(instance.with(&variables, &["config", "show"]).stdout).unwrap();
    for secret in ["hunter2", "hunter3", "hunter4", "hunter5"] {
        assert!(!shown.to_string().contains(secret) && !people.contains(secret), "{secret}");
    }
    // Every setting that there is has a line, and a row in the documentation.
    let documented = include_str!("../../../../docs/operating.md");
    for (name, _) in shown.as_object().unwrap() {
        let flag = format!("`--{}`", name.replace('_', "-"));
        assert!(documented.contains(&flag), "{flag}");
    }
    let rows = documented.lines().filter_map(|line| line.strip_prefix("| `--")?.split('`').next());
    for name in rows.filter(|name| *name != "config").map(|name| name.replace('-', "_")) {
        assert!(shown.get(&name).is_some(), "{name} is documented and not shown");
    }
}

#[test]
fn what_is_no_setting_is_an_error_with_a_suggestion_and_a_line() {
    let instance = Instance::new("config-unknown");
    let text = instance.wrong(&[("KEYSTEAD_RATE_LIMITS", "5")], &["keys", "list"]);
    assert!(text.contains("KEYSTEAD_RATE_LIMITS is no setting; did you mean KEYSTEAD_RATE_LIMIT?"), "{text}");
    assert!(instance.wrong(&[("KEYSTEAD_COLOUR", "red")], CHECK).contains("KEYSTEAD_COLOUR is no setting"));
    let text = instance.wrong(&[], &["serve", "--rate-limt", "5"]);
    assert!(text.contains("--rate-limit"), "{text}");
    instance.file("# mine\n\nrate_limits = 500\n[server]\nport = 1\n");
    let text = instance.wrong(&[], &["serve"]);
    assert!(text.contains("keystead.toml, line 3: rate_limits is no setting; did you mean rate_limit?"), "{text}");
    assert!(text.contains("line 4: server is no setting"), "all of them at once: {text}");
    instance.file("rate_limit = 500\nlisten = \n");
    assert!(instance.wrong(&[], CHECK).contains("keystead.toml, line 2:"));
    instance.file("config = \"other.toml\"\n");
    assert!(instance.wrong(&[], CHECK).contains("config is no setting"));
    fs::remove_file(instance.folder.join("keystead.toml")).unwrap();
    assert!(instance.wrong(&[], &["config", "check", "--config", "nowhere.toml"]).contains("nowhere.toml"));
    assert!(instance.wrong(&[("KEYSTEAD_CONFIG", "nowhere.toml")], CHECK).contains("nowhere.toml"));
}

#[test]
fn nonsense_is_refused_wherever_it_stands() {
    let instance = Instance::new("config-nonsense");
    for (name, values) in [
        ("rate-limit", &["0", "-5", "many", "1e3"][..]),
        ("daily-rate-limit", &["0", "-5", "never", "99999999999"]),
        ("keys-per-owner", &["0", "-5", "x"]),
        ("listen", &["8080", "crm.example.com:80", "127.0.0.1:70000"]),
        ("public-url", &["crm.example.com", "https://a/b"]),
        ("trusted-proxies", &["proxy.local", "10.0.0.0/99"]),
        ("log-requests", &["2", "maybe"]),
        ("webhook-retries", &["5", "5s,,1m", "5 days", "-5s", "1d", "200h", "5s,x", "99999999999999999999s"]),
        ("webhook-allow", &["hooks.local", "10.0.0.0/99", "127.0.0.1;10.0.0.1"]),
        ("log-level", &["loud", "3"]),
        ("database-url", &["mysql://x", "postgres://h/d?sslmode=verify-ca", "postgres://h/d?gssencmode=disable"]),
    ] {
        let variable = format!("KEYSTEAD_{}", name.replace('-', "_").to_uppercase());
        for value in values {
            let text = instance.wrong(&[], &["config", "check", &format!("--{name}={value}")]);
            assert!(text.contains(&format!("--{name}")), "{text}");
            let text = instance.wrong(&[(&variable, value)], CHECK);
            assert!(text.contains(&variable), "{text}");
            instance.file(&format!("\n{name} = \"{value}\"\n"));
            let text = instance.wrong(&[], CHECK);
            assert!(text.contains("keystead.toml, line 2"), "{text}");
            fs::remove_file(instance.folder.join("keystead.toml")).unwrap();
        }
    }
    // A negative number is a value, not another option.
    assert!(instance.wrong(&[], &["keys", "list", "--rate-limit", "-5"]).contains("from 1 on"));
}

#[test]
fn a_check_says_what_should_be_looked_at_by_its_exit_code() {
    let instance = Instance::new("config-check");
    let right = [
        ("KEYSTEAD_SMTP_URL", "smtp://mail.example:587"),
        ("KEYSTEAD_MAIL_FROM", "crm@example.com"),
        ("KEYSTEAD_PUBLIC_URL", "https://crm.example.com"),
        ("KEYSTEAD_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    assert_eq!(instance.with(&right, CHECK).status.code(), Some(0));
    assert_eq!(instance.with(&[], CHECK).status.code(), Some(1), "no mail server");
    for url in [
        "http://mail.example",
        "smtp://mail.example?tls=foo",
        "smtp://mail.example?tls=required&x=1",
        "smtps://mail.example?tls=required",
        "smtp://me:hunter2@",
    ] {
        let broken = [("KEYSTEAD_SMTP_URL", url), ("KEYSTEAD_MAIL_FROM", "crm@example.com")];
        let text = instance.wrong(&broken, CHECK);
        assert!(text.contains("the SMTP URL"), "{text}");
        assert!(!text.contains("Some(") && !text.contains("features") && !text.contains("hunter2"), "{text}");
    }
    assert!(!instance.folder.join("keystead-data").exists());
}

/// What the server would refuse at its start, a check refuses.
#[test]
fn a_check_looks_at_the_files_as_the_server_does() {
    let instance = Instance::new("config-files");
    instance.init();
    let both = |arguments: &[&str], why: &str| {
        for command in [&["config", "check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            let output = instance.run(&[command, arguments].concat());
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(3), "{command:?} {arguments:?}: {text}");
            assert!(text.contains(why), "{command:?} {arguments:?}: {text}");
        }
    };
    both(&["--secret-file", "nowhere"], "is missing");
    fs::write(instance.folder.join("broken"), "no secret").unwrap();
    both(&["--secret-file", "broken"], "broken");
    assert_eq!(instance.run(CHECK).status.code(), Some(1), "no mail server");
    // A name that is spelled in two ways is one setting.
    instance.file("rate_limit = 500\n\nrate-limit = 600\n");
    let output = instance.run(CHECK);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("rate_limit is set already") && text.contains("line 1") && text.contains("line 3"), "{text}");
}

#[test]
fn the_demo_refuses_what_it_would_not_use() {
    let instance = Instance::new("demo");
    for (option, value) in
        [("--data-dir", "mine"), ("--database-url", "postgres://me@db.example/x"), ("--secret-file", "secret")]
    {
        let output = instance.with(&[], &["demo", option, value]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{option}: {text}");
        assert!(text.contains(option) && text.contains("directory of its own"), "{text}");
    }
}

#[test]
fn exit_codes_tell_found_from_wrong_from_impossible() {
    let instance = Instance::new("exit-codes");
    instance.init();
    let code = |arguments: &[&str]| instance.run(arguments).status.code();
    assert_eq!(code(&["keys", "list"]), Some(0));
    assert_eq!(code(&["doctor"]), Some(1), "something should be looked at");
    let said = instance.run(&["doctor"]).stdout;
    assert!(String::from_utf8_lossy(&said).contains("No server was heard of in the last minutes."));
    fs::write(instance.folder.join("leak"), "ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe4UoKpBi7WdJh3Qdrl0").unwrap();
    assert_eq!(code(&["keys", "scan", "leak"]), Some(1));
    assert_eq!(code(&["keys", "get", "nonsense"]), Some(2));
    assert_eq!(code(&["keys", "list", "--kind", "house"]), Some(2));
    assert_eq!(code(&["keys", "lits"]), Some(2));
    assert_eq!(code(&["users", "update", "--email", "a@example.com", "--role", "king"]), Some(2));
    assert_eq!(code(&["keys", "get", "Hq3vT0bZk9Wd"]), Some(3), "there is none");
    assert_eq!(code(&["db", "restore", "nowhere.db"]), Some(3));
    assert_eq!(code(&["serve", "--listen", "192.0.2.1:1"]), Some(3));
}

/// `keystead keys list | head -1`.
#[test]
fn whoever_reads_may_stop_at_any_line() {
    let instance = Instance::new("pipe");
    let ids = instance.init();
    for number in 0..50 {
        #[rustfmt::skip]
        instance.json(&["keys", "create", "--kind", "location", "--location-id", ids["locationId"].as_str().unwrap(), "--name", &format!("key {number}"), "--preset", "full-access", "--json"]);
    }
    for arguments in
        [&["keys", "list", "--json"][..], &["keys", "list"], &["keys", "idle", "--within", "91"], &["--help"]]
    {
        let mut child = instance.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody has read a byte when the reader goes.
        drop(child.stdout.take());
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(!text.contains("panicked"), "{arguments:?}: {text}");
        assert_ne!(child.wait().unwrap().code(), Some(101), "{arguments:?}");
    }
}

#[test]
fn the_log_has_a_first_and_a_last_line_and_sighup_ends_nothing() {
    let instance = Instance::new("signals");
    instance.init();
    let mut server = instance.serve(&[]);
    let mut log = BufReader::new(server.child.stderr.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        serde_json::from_str::<Value>(&line).unwrap_or_else(|_| panic!("{line:?}"))
    };
    let first = line();
    assert_eq!(first["message"], "the server has started");
    assert!(first["release"].is_string() && first["address"].as_str().unwrap().contains(':'), "{first}");
    assert_eq!(first["database"], "sqlite");
    server.signal(Signal::HUP);
    assert!(line()["message"].as_str().unwrap().contains("SIGHUP is ignored"));
    for (signal, name) in [(Signal::USR1, "SIGUSR1"), (Signal::USR2, "SIGUSR2")] {
        server.signal(signal);
        let told = line()["message"].as_str().unwrap().to_owned();
        assert!(told.contains(&format!("{name} is ignored")), "{told}");
    }
    assert!(server.child.try_wait().unwrap().is_none(), "it goes on");
    server.signal(Signal::TERM);
    assert_eq!(line()["signal"], "SIGTERM");
    // And nothing between: whatever were still to be waited for is a line.
    assert_eq!(line()["message"], "the server has stopped");
    let begun = Instant::now();
    while server.child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    // What is not worth a line is not written.
    let mut quiet = instance.serve(&["--log-level", "error"]);
    quiet.signal(Signal::TERM);
    let mut text = String::new();
    quiet.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
}

/// A stop that takes longer than the service manager waits for loses the last uses of keys.
#[test]
fn the_unit_waits_for_the_longest_stop() {
    let unit = include_str!("../../../../docs/keystead.service");
    let waits = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    let waits = Duration::from_secs(waits.parse().unwrap());
    assert!(include_str!("../../../../docs/operating.md").contains("within 15 s and its `--drain`"));
    for drain in [None, Some(8)] {
        let config = config::Options { drain, ..config::Options::default() }.resolve().unwrap();
        // And a second for what hangs in the operating system.
        let longest = Server::longest_end(&config.connections) + Duration::from_secs(1);
        assert!(longest <= Duration::from_secs(15) && longest < waits, "{longest:?}");
    }
}

/// Another process has the database for a while, so whoever writes waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_request_says_what_it_was_and_where_its_time_went() {
    let instance = Instance::new("slow");
    let ids = instance.init();
    #[rustfmt::skip]
    let made = instance.json(&["keys", "create", "--kind", "location", "--location-id", ids["locationId"].as_str().unwrap(), "--name", "x", "--preset", "full-access", "--json"]);
    let mut server = instance.serve(&[]);
    let database = Database::Sqlite(instance.data().join("keystead.db"));
    let store = Store::open(&database, &Options::default()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://{}{path}", server.address);
    let key = made["key"].as_str().unwrap();
    client.get(url("/contacts/")).bearer_auth(key).send().await.unwrap();
    let hold = || {
        let store = store.clone();
        async move {
            let held = store.write(|tx| {
                tx.execute("UPDATE instance SET created_at = created_at", &[])?;
                std::thread::sleep(Duration::from_millis(1500));
                Ok::<_, keystead_store::Error>(())
            });
            held.await.unwrap();
        }
    };
    let contact = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let body = serde_json::json!({"email": "slow@example.com"});
        client.post(url("/contacts/")).bearer_auth(key).json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(tokio::join!(contact, hold()).0, 201);
    let page = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let form = [("email", "a@example.com"), ("password", "a long password")];
        let call = client.post(url("/app/sign-in")).header("Sec-Fetch-Site", "same-origin").form(&form);
        call.send().await.unwrap();
    };
    tokio::join!(page, hold());
    server.child.kill().unwrap();
    let mut log = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let slow: Vec<Value> = lines.filter(|line| line["message"] == "a slow request").collect();
    assert_eq!(slow.len(), 2, "{log}");
    assert_eq!((&slow[0]["route"], &slow[0]["key"]), (&"POST /contacts".into(), &made["apiKey"]["id"]));
    assert_eq!(slow[1]["route"], "POST /app/sign-in");
    for line in slow {
        let [took, queued, worked] =
            ["millis", "queue_millis", "database_millis"].map(|name| line[name].as_u64().unwrap());
        assert!(queued > 0 && queued + worked <= took, "{line}");
        assert!(queued >= took / 2, "it waited for its turn: {line}");
    }
}

#[test]
fn an_invitation_says_where_its_link_comes_from() {
    let instance = Instance::new("invite-link");
    instance.init();
    let invite = |email: &str, more: &[&str]| {
        let mut all = vec!["users", "invite", "--email", email, "--role", "agency-user"];
        all.extend(more);
        instance.run(&all)
    };
    let guessed = invite("a1@example.com", &[]);
    let said = String::from_utf8_lossy(&guessed.stderr).into_owned();
    assert!(said.contains("is a guess") && said.contains("KEYSTEAD_PUBLIC_URL"), "{said}");
    assert!(String::from_utf8_lossy(&guessed.stdout).starts_with("http://127.0.0.1:8080/app/invite/"));
    let known = invite("a2@example.com", &["--public-url", "https://crm.example.com/", "--json"]);
    let known: Value = serde_json::from_slice(&known.stdout).unwrap();
    assert!(known["link"].as_str().unwrap().starts_with("https://crm.example.com/app/invite/"), "{known}");
    assert_eq!(known["linkIsGuessed"], false);
    // A server that runs somewhere else than by default is a better guess.
    let server = instance.serve(&[]);
    let begun = Instant::now();
    loop {
        let email = format!("a{}@example.com", begun.elapsed().as_millis() + 3);
        let told: Value = serde_json::from_slice(&invite(&email, &["--json"]).stdout).unwrap();
        if told["link"].as_str().unwrap().contains(&server.address) {
            assert_eq!(told["linkIsGuessed"], true);
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it says every ten seconds that it lives: {told}");
        std::thread::sleep(Duration::from_millis(500));
    }
}
