//! A server of its own for each campaign, with two agencies.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{Outcome, client::Connection};

/// Which server, and where its data goes.
pub(crate) struct Place {
    pub(crate) binary: String,
    pub(crate) database_url: Option<String>,
    pub(crate) server_cores: Option<String>,
    pub(crate) serve: Vec<String>,
}

/// A process of a server.
struct Node {
    child: Child,
    address: SocketAddr,
    /// Its own data.
    data: PathBuf,
}

/// A running server; it goes with the campaign, as does its folder.
pub(crate) struct Server {
    /// One, or several on one database.
    nodes: Vec<Node>,
    pub(crate) address: SocketAddr,
    folder: PathBuf,
    /// The first agency.
    pub(crate) agency: String,
    /// A key with full access to a location of it.
    pub(crate) key: String,
    /// The same of another agency.
    pub(crate) neighbour: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            let _ = node.child.kill();
            let _ = node.child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The admin of the first agency.
pub(crate) const ADMIN: (&str, &str) = ("admin@example.com", "correct horse battery");

impl Place {
    /// The command line on the campaign's data.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--data-dir").arg(folder.join("data")).stderr(Stdio::null());
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command
    }

    /// What a command answers.
    pub(crate) fn json(&self, folder: &Path, arguments: &[&str]) -> Outcome<Value> {
        let output = self.command(folder, arguments).output().map_err(|error| format!("{}: {error}", self.binary))?;
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{arguments:?}: {error}"))
    }

    /// Sets up an instance and starts its server.
    pub(crate) fn start(&self, more: &[&str]) -> Outcome<Server> {
        let folder = std::env::temp_dir().join(format!("keystead-campaign-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        self.empty()?;
        let password = folder.join("password");
        fs::write(&password, ADMIN.1).map_err(|error| error.to_string())?;
        let password = password.display().to_string();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        #[rustfmt::skip]
        let first = self.json(&folder, &["init", "--agency", "First", "--location", "L", "--admin-email", ADMIN.0, "--admin-password-file", &password, "--json"])?;
        let second = text(&self.json(&folder, &["agencies", "create", "--name", "Second", "--json"])?["id"]);
        #[rustfmt::skip]
        let location = self.json(&folder, &["locations", "create", "--agency-id", &second, "--name", "M", "--json"])?;
        let key = |agency: &str, location: &Value| -> Outcome<String> {
            #[rustfmt::skip]
            let made = self.json(&folder, &["keys", "create", "--agency-id", agency, "--kind", "location", "--location-id", &text(location), "--name", "Campaign", "--preset", "full-access", "--json"])?;
            Ok(text(&made["key"]))
        };
        let (mine, neighbour) = (key(&text(&first["agencyId"]), &first["locationId"])?, key(&second, &location["id"])?);
        let node = self.launch(&folder, folder.join("data"), "127.0.0.1:0", more)?;
        Ok(Server {
            address: node.address,
            nodes: vec![node],
            folder,
            agency: text(&first["agencyId"]),
            key: mine,
            neighbour,
        })
    }

    /// What an earlier campaign left in the database goes: each begins with nothing.
    fn empty(&self) -> Outcome {
        let Some(url) = &self.database_url else { return Ok(()) };
        let again = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
        let output = Command::new("psql").args(["--quiet", "--dbname", url, "--command", again]).output();
        let output = output.map_err(|error| format!("psql: {error}"))?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    /// Starts a second server on the same database, where it is one that several can share.
    pub(crate) fn join(&self, server: &mut Server, more: &[&str]) -> Outcome {
        if self.database_url.is_none() {
            return Ok(());
        }
        let data = server.folder.join("data-2");
        let copy = || {
            fs::create_dir_all(&data)?;
            fs::copy(server.folder.join("data/instance-secret"), data.join("instance-secret"))
        };
        copy().map_err(|error| format!("the second server's secret: {error}"))?;
        server.nodes.push(self.launch(&server.folder, data, "127.0.0.1:0", more)?);
        Ok(())
    }

    /// Kills a server at once, the next in turn where there are several, and starts another one on what it leaves, at the same
    /// address.
    pub(crate) fn kill_and_start(&self, server: &mut Server, more: &[&str]) -> Outcome {
        let Node { mut child, address, data } = server.nodes.remove(0);
        child.kill().map_err(|error| error.to_string())?;
        child.wait().map_err(|error| error.to_string())?;
        server.nodes.push(self.launch(&server.folder, data, &address.to_string(), more)?);
        Ok(())
    }

    /// Starts a server on data of its own.
    fn launch(&self, folder: &Path, data: PathBuf, listen: &str, more: &[&str]) -> Outcome<Node> {
        let mut command = match &self.server_cores {
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["-c", cores]).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command
            .args(["serve", "--listen", listen, "--rate-limit", "off", "--daily-rate-limit", "off", "--data-dir"])
            .arg(&data);
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command.args(more).args(&self.serve).stdout(Stdio::piped());
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .map_err(|error| error.to_string())?;
        let mut child = command.stderr(log).spawn().map_err(|error| format!("the server: {error}"))?;
        let mut line = String::new();
        let output = child.stdout.as_mut().ok_or("the server says nothing")?;
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        let address = line.trim().rsplit("http://").next().and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| format!("the server said {line:?}"))?;
        Ok(Node { child, address, data })
    }
}

impl Server {
    /// Its data.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Megabytes that it has in memory of its own: files that are mapped are the system's to take back.
    pub(crate) fn megabytes(&self) -> u64 {
        self.nodes.iter().map(Node::megabytes).sum()
    }

    /// Connects from one of many loopback addresses.
    pub(crate) async fn connect(&self, number: usize) -> Outcome<Connection> {
        Connection::open(self.address, number).await.map_err(|error| error.to_string())
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> Duration {
        self.nodes.iter().map(Node::cpu).sum()
    }

    /// Lines of its log.
    pub(crate) fn log_lines(&self) -> usize {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default().lines().count()
    }
}

impl Node {
    fn megabytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
    }

    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // Behind the name in parentheses: the 14th and 15th are ticks of a hundredth of a second.
        let fields: Vec<i64> =
            stat.rsplit(')').next().unwrap_or_default().split(' ').filter_map(|f| f.parse().ok()).collect();
        let after_state = |index: usize| fields.get(index).copied().unwrap_or(0);
        Duration::from_millis((after_state(10) + after_state(11)).unsigned_abs() * 10)
    }
}
