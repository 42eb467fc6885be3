//! `keystead doctor`: what an operator should look at.

use clap::Args;
use serde_json::json;

use super::{
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure};

#[derive(Args)]
pub(super) struct Doctor {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| {
            let status = app.system_status().await?;
            let mut warnings = config.warnings();
            warnings.extend(status.warnings());
            warnings.extend(app.journal_warning().await?);
            if self.json {
                output::json(&json!({
                    "database": status.database,
                    "schema": status.schema,
                    "sequence": status.head,
                    "serviceMs": status.service_now.0,
                    "paused": status.paused,
                    "deliveriesPausedSince": status.deliveries_paused.map(|pause| pause.since),
                    "nodes": status.nodes.len(),
                    "disk": status.disk.map(|disk| json!({"free": disk.free, "total": disk.total})),
                    "warnings": warnings,
                }));
                return judge(&warnings);
            }
            say!("Database {}, schema {}, last change no. {}.", status.database, status.schema, status.head);
            match status.nodes.len() {
                0 => say!("No server was heard of in the last minutes."),
                1 => say!("One server was heard of in the last minutes."),
                several => say!("{several} servers were heard of in the last minutes."),
            }
            if let Some(disk) = status.disk {
                let (free, total) = (disk.free as f64 / 1e9, disk.total as f64 / 1e9);
                say!("The disk of the data directory has {free:.1} GB free of {total:.1}.");
            }
            match warnings.as_slice() {
                [] => say!("Nothing to worry about."),
                warnings => warnings.iter().for_each(|warning| say!("! {warning}")),
            }
            judge(&warnings)
        })
        .await
    }
}

/// Programs learn from the exit code whether there is anything to look at.
fn judge(warnings: &[String]) -> Result<(), Failure> {
    match warnings.len() {
        0 => Ok(()),
        1 => Err(Failure::found("one thing should be looked at")),
        count => Err(Failure::found(format!("{count} things should be looked at"))),
    }
}
