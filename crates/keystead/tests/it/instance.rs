//! The binary on a folder of its own: commands, and a server that ends with the test.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::JoinHandle,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A folder that goes with the test, and commands on it.
pub(crate) struct Instance {
    pub(crate) folder: PathBuf,
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A server that ends with the test.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// Where its operator goes first: the wizard with its token, or the app.
    pub(crate) first_page: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// One that was started, as soon as it says where it is.
    fn of(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let mut address = || lines.next().unwrap().unwrap().rsplit(' ').next().unwrap().to_owned();
        let (address, first_page) = (address(), address());
        Self { child, address: address.trim_start_matches("http://").to_owned(), first_page }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Instance {
    pub(crate) fn new(name: &str) -> Self {
        // Two tests may think of the same name.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("keystead-startup-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("password"), "a long password\n").unwrap();
        Self { folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command.args(arguments).arg("--data-dir").arg(self.data()).current_dir(&self.folder);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn init(&self) -> Value {
        self.json(&[
            "init",
            "--agency",
            "Northwind Agency",
            "--location",
            "Harbour Dental",
            "--admin-email",
            "a@example.com",
            "--admin-password-file",
            "password",
            "--json",
        ])
    }

    pub(crate) fn serve(&self, arguments: &[&str]) -> Running {
        Running::of(self.start(arguments))
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        self.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A server that says much: its log, all of which is there when it has ended. A pipe may hold little, and a server whose log
    /// nobody takes waits for it.
    pub(crate) fn serve_and_log(&self, arguments: &[&str]) -> (Running, JoinHandle<String>) {
        let mut child = self.start(arguments);
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        (Running::of(child), log)
    }

    /// What a command says that must fail, its log included.
    pub(crate) fn refused_text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// A command that must fail, with one line on standard error.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text.trim().lines().count(), 1, "{text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    }
}

/// The permissions of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
