//! `keystead db reapply`, and what a restore says of authority that was ended after the backup.

use std::path::PathBuf;

use clap::Args;
use keystead_core::{App, Gap, Reapplied, Revocations, UndecidedKey};
use keystead_model::KeyId;
use serde_json::{Value, json};

use super::super::{
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure, instance::JOURNAL};

#[derive(Args)]
pub(in super::super) struct Reapply {
    /// Journals of revocations (revocations.jsonl), the server's logs, or a system's journal with such lines in it; - for
    /// standard input
    #[arg(required = true, value_name = "FILE")]
    revocations: Vec<PathBuf>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

impl Reapply {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        readable(&self.revocations)?;
        let report = with_app(config, async |app| {
            let told = app.read_revocations(self.revocations).await?;
            let mut done = app.brought_back().cloned().unwrap_or_default();
            done.add(app.reapply(&told).await?);
            app.keep_journal().await?;
            let undecided = if told.are_whole() { Vec::new() } else { app.undecided_keys(&told).await? };
            Ok(Report { told, done, undecided, made_safe: false })
        })
        .await?;
        if self.json {
            output::json(&report.json());
        } else {
            report.print();
        }
        report.judged()
    }
}

/// Whether every file is there, before anything is done.
pub(super) fn readable(files: &[PathBuf]) -> Result<(), Failure> {
    for file in files.iter().filter(|file| file.as_os_str() != "-") {
        let opened = std::fs::File::open(file).and_then(|file| file.metadata());
        let is_file = opened.map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))?;
        if is_file.is_dir() {
            return Err(Failure::new(format!("{} is a folder, not a file", file.display())));
        }
    }
    Ok(())
}

/// What became of the authority in a database of an older state.
pub(super) struct Report {
    told: Revocations,
    done: Reapplied,
    undecided: Vec<UndecidedKey>,
    made_safe: bool,
}

impl Report {
    /// Brings a restored database back within all journals: the one of the data directory, and those that were handed
    /// over. What nobody knows is for review, or ended where the operator wants to be safe.
    pub(super) async fn of_restore(
        app: &App,
        config: &Config,
        files: Vec<PathBuf>,
        made_safe: bool,
    ) -> Result<Self, Failure> {
        let own = config.data_dir.join(JOURNAL);
        let files = own.exists().then_some(own).into_iter().chain(files).collect();
        let told = app.read_revocations(files).await?;
        let done = app.reapply(&told).await?;
        app.end_invitations().await?;
        let undecided = app.undecided_keys(&told).await?;
        if made_safe {
            let keys: Vec<KeyId> = undecided.iter().map(|key| key.id).collect();
            app.end_keys(&keys).await?;
        }
        Ok(Self { told, done, undecided, made_safe })
    }

    pub(super) fn json(&self) -> Value {
        let Self { told, done: Reapplied { ended, narrowed, suspended, members }, undecided, made_safe } = self;
        let masked: Vec<&String> = undecided.iter().map(|key| &key.masked).collect();
        let (to_review, deactivated) = if *made_safe { (Vec::new(), masked) } else { (masked, Vec::new()) };
        json!({
            "ended": ended,
            "narrowed": narrowed,
            "suspended": suspended,
            "members": members,
            "toReview": to_review,
            "deactivated": deactivated,
            "revocations": {
                "lines": told.entries,
                "logLines": told.log_lines,
                "passedOver": told.passed_over,
                "unreadable": told.unreadable,
                "missing": told.gaps.iter().map(|Gap { incarnation, after, through }| {
                    json!({"incarnation": incarnation, "after": after, "through": through})
                }).collect::<Vec<_>>(),
                "latest": told.latest,
            },
        })
    }

    pub(super) fn print(&self) {
        let Self { told, done: Reapplied { ended, narrowed, suspended, members }, undecided, made_safe } = self;
        if told.entries + told.log_lines > 0 {
            let reach = told.latest.map_or_else(String::new, |at| format!(", the last of {}", at.to_iso()));
            say!("{} lines of journals and {} of logs were read{reach}.", told.entries, told.log_lines);
        }
        if told.passed_over > 0 {
            say!("{} lines of others were passed over.", told.passed_over);
        }
        for gap in &told.gaps {
            let begin = gap.after.map_or_else(|| "up to".to_owned(), |after| format!("{} to", after + 1));
            say!("! No line tells of the changes no. {begin} {} of {}.", gap.through, gap.incarnation);
        }
        if told.unreadable > 0 {
            say!(
                "! {} lines of journals cannot be read. What they tell is not known; copy them again.",
                told.unreadable
            );
        }
        say!("{} keys that were ended after the backup are ended again, {} narrowed.", ended.len(), narrowed.len());
        if !suspended.is_empty() {
            say!("Suspended again: {}", suspended.join(", "));
        }
        if !members.is_empty() {
            say!("Members who may do less now, or need a new password (keystead users set-password):");
            for member in members {
                say!("  {member}");
            }
        }
        if !undecided.is_empty() {
            let what = if *made_safe { "they are deactivated" } else { "they are active; review them" };
            say!("Nobody knows what became of these keys after the backup, so {what}:");
            for key in undecided {
                say!("  {}  {}", key.masked, key.name);
            }
        }
    }

    /// Whether somebody has to look at something.
    pub(super) fn judged(&self) -> Result<(), Failure> {
        let to_review = if self.made_safe { 0 } else { self.undecided.len() };
        match (to_review, self.told.are_whole()) {
            (0, true) => Ok(()),
            (0, false) => Err(Failure::found("lines of the journals are missing or cannot be read")),
            (keys, _) => Err(Failure::found(format!("{keys} keys are for review"))),
        }
    }
}
