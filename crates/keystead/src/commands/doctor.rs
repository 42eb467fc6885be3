//! `keystead doctor`: what an operator should look at.

use clap::Args;
use serde_json::json;

use super::{output, with_app};
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
            if self.json {
                output::json(&json!({
                    "database": status.database,
                    "schema": status.schema,
                    "sequence": status.head,
                    "serviceMs": status.service_now.0,
                    "paused": status.paused,
                    "nodes": status.nodes.len(),
                    "warnings": warnings,
                }));
                return Ok(());
            }
            println!("Database {}, schema {}, last change no. {}.", status.database, status.schema, status.head);
            println!("{} server(s) were heard of in the last minutes.", status.nodes.len());
            match warnings.as_slice() {
                [] => println!("Nothing to worry about."),
                warnings => warnings.iter().for_each(|warning| println!("! {warning}")),
            }
            Ok(())
        })
        .await
    }
}
