//! `keystead doctor`: what an operator should look at.

use std::os::unix::fs::PermissionsExt;

use clap::Args;
use keystead_core::App;
use serde_json::json;

use super::{output, with_app};
use crate::{config::Config, instance::Failure};

#[derive(Args)]
pub(super) struct Doctor {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| {
            let warnings = warnings(app, config).await?;
            let status = app.system_status().await?;
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

async fn warnings(app: &App, config: &Config) -> Result<Vec<String>, Failure> {
    let status = app.system_status().await?;
    let mut warnings = Vec::new();
    let mode = std::fs::metadata(&config.secret_file).map(|secret| secret.permissions().mode() & 0o777);
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        warnings.push(format!("{} can be read by others; make it 0600", config.secret_file.display()));
    }
    if config.smtp.is_none() {
        warnings.push("no mail server is set (KEYSTEAD_SMTP_URL): notices are in the app only".to_owned());
    }
    match config.public_url.as_deref() {
        None => warnings
            .push("no public URL is set (KEYSTEAD_PUBLIC_URL): links lead to the address it listens on".to_owned()),
        Some(url) if url.starts_with("http://") => {
            warnings.push("the public URL is not https: sign-ins and keys travel in the clear".to_owned());
        }
        Some(_) => {}
    }
    if config.public_url.is_some() && config.proxies.is_empty() {
        warnings.push(
            "no proxy is trusted (KEYSTEAD_TRUSTED_PROXIES): behind one, every client has its address".to_owned(),
        );
    }
    if status.held > 0 {
        warnings.push(format!("{} keys are held, since their owners have no admin who could be told", status.held));
    }
    if status.paused {
        warnings.push("deletions of unused keys are paused (keystead sweep resume)".to_owned());
    }
    Ok(warnings)
}
