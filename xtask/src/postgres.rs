//! A throwaway PostgreSQL cluster on a free port, under a user who is not root.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::run::{Outcome, install, output, run};

/// A running cluster; it is stopped and removed in the end.
pub(crate) struct Cluster {
    binaries: PathBuf,
    folder: PathBuf,
    user: Option<String>,
    port: u16,
}

impl Cluster {
    /// Finds PostgreSQL, or installs it, and starts a new cluster. Nothing in it outlives the test, so nothing reaches the disk:
    /// a database for each test is some 700 files, which are made ten times faster in memory.
    pub(crate) fn start() -> Outcome<Self> {
        let folder = if has_room(MEMORY) { PathBuf::from(MEMORY) } else { std::env::temp_dir() };
        Self::start_in(&folder, "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=256MB")
    }

    /// One that keeps its promises, for benches.
    pub(crate) fn durable() -> Outcome<Self> {
        Self::start_in(&std::env::temp_dir(), "")
    }

    /// Ids of its processes.
    pub(crate) fn processes(&self) -> impl Iterator<Item = u32> {
        let text = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let first = text(self.folder.join("data/postmaster.pid")).lines().next().and_then(|id| id.parse().ok());
        let children = first.map(|id: u32| text(PathBuf::from(format!("/proc/{id}/task/{id}/children"))));
        let children: Vec<u32> =
            children.unwrap_or_default().split_whitespace().filter_map(|id| id.parse().ok()).collect();
        first.into_iter().chain(children)
    }

    fn start_in(folder: &Path, settings: &str) -> Outcome<Self> {
        let binaries = match find() {
            Some(binaries) => binaries,
            None => {
                install(&["postgresql"])?;
                find().ok_or("PostgreSQL was installed, but its initdb is not to be found")?
            }
        };
        let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
        // PostgreSQL refuses to run as root.
        let user = is_root.then(|| {
            let exists = |name: &str| Command::new("id").arg(name).output().is_ok_and(|output| output.status.success());
            if exists("postgres") { "postgres" } else { "nobody" }.to_owned()
        });
        let folder = folder.join(format!("keystead-postgres-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|error| format!("no folder for PostgreSQL: {error}"))?;
        let cluster = Self { binaries, folder, user, port: free_port()? };
        if let Some(user) = &cluster.user {
            run(Command::new("chown").arg(user).arg(&cluster.folder))?;
        }
        let data = cluster.data();
        output(&mut cluster.command("initdb", &["--no-sync", "-A", "trust", "-U", "keystead", "-D", &data]))?;
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=500 \
             -c shared_buffers=128MB {settings}",
            cluster.port,
            cluster.folder.display()
        );
        let log = cluster.folder.join("log").display().to_string();
        output(&mut cluster.command("pg_ctl", &["-w", "-D", &data, "-l", &log, "-o", &options, "start"]))?;
        Ok(cluster)
    }

    /// The URL of its `postgres` database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://keystead@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let program = self.binaries.join(program);
        let mut command = match &self.user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", user_group(user), "--clear-groups", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(arguments).current_dir(std::env::temp_dir());
        command
    }
}

/// Where files are memory, on Linux.
const MEMORY: &str = "/dev/shm";

/// Whether a folder takes what the suite writes, several times over.
fn has_room(folder: &str) -> bool {
    let free = output(Command::new("df").args(["--block-size=1M", "--output=avail", folder]));
    let megabytes = free.ok().and_then(|text| text.lines().last()?.trim().parse::<u64>().ok());
    Path::new(folder).is_dir() && megabytes.is_some_and(|free| free > 3000)
}

fn user_group(user: &str) -> &str {
    if user == "nobody" { "nogroup" } else { user }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let _ = output(&mut self.command("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The newest installed version, else whatever is on the path.
fn find() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|binaries| binaries.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| Path::new(folder).join("initdb").exists())
    })
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
