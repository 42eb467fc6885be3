//! What the machine tells of this process and of its disk.

use std::{fs, path::PathBuf};

use keystead_core::{DiskSpace, Figure};
use keystead_model::UtcMs;
use keystead_store::Database;
use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

/// The process and its disk.
pub(crate) struct Machine {
    data_dir: PathBuf,
    /// The file beside the database that holds what was written last, on SQLite.
    wal: Option<PathBuf>,
    started_at: UtcMs,
}

impl Machine {
    pub(crate) fn new(data_dir: PathBuf, database: &Database, started_at: UtcMs) -> Self {
        let wal = match database {
            Database::Sqlite(path) => Some(PathBuf::from(format!("{}-wal", path.display()))),
            Database::Postgres(_) => None,
        };
        Self { data_dir, wal, started_at }
    }

    /// What can be read of it. What a system does not tell is left out.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        let started = self.started_at.0 as f64 / 1000.0;
        let mut figures = vec![Figure::gauge("process_start_time_seconds", "When the process was started", started)];
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
        figures.push(Figure::counter("process_cpu_seconds", "CPU time, in user mode and in the kernel", seconds));
        if let Some(files) = getrlimit(Resource::Nofile).current {
            figures.push(Figure::gauge("process_max_fds", "Files that may be open", files as f64));
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            figures.push(Figure::gauge("process_open_fds", "Files that are open", open.count() as f64));
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| -> Option<f64> {
            status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
        };
        let mut bytes = |name, help, kilobytes: Option<f64>| {
            figures.extend(kilobytes.map(|kilobytes| Figure::gauge(name, help, kilobytes * 1024.0)));
        };
        bytes("process_resident_memory_bytes", "Memory that is in use", field("VmRSS:"));
        bytes("process_virtual_memory_bytes", "Memory that has addresses", field("VmSize:"));
        figures.extend(field("Threads:").map(|count| Figure::gauge("process_threads", "Threads", count)));
        if let Some(DiskSpace { free, total }) = DiskSpace::of(&self.data_dir) {
            let help = "Free space for us on the disk of the data directory";
            figures.push(Figure::gauge("keystead_disk_free_bytes", help, free as f64));
            figures.push(Figure::gauge("keystead_disk_size_bytes", "Size of that disk", total as f64));
        }
        if let Some(Ok(wal)) = self.wal.as_ref().map(fs::metadata) {
            let help = "Size of the write-ahead log of the embedded database";
            figures.push(Figure::gauge("keystead_wal_bytes", help, wal.len() as f64));
        }
        figures
    }
}
