//! `keystead audit …`.

use clap::{Args, Subcommand};
use keystead_core::audit::{head_text, parse_head};
use serde_json::json;

use super::{operator, output, with_app};
use crate::{config::Config, instance::Failure};

#[derive(Subcommand)]
pub(super) enum Audit {
    /// Look for edited, deleted, swapped and cut-off rows in an agency's audit log
    Verify(Verify),
}

#[derive(Args)]
pub(super) struct Verify {
    /// A head that was written down earlier, from this command or the server's log: finds a log whose end was cut off
    #[arg(long, value_name = "HEAD")]
    expect: Option<String>,
    /// Agency, where there are several
    #[arg(long)]
    agency_id: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let Self::Verify(verify) = self;
        with_app(config, async |app| {
            let expect = match verify.expect.as_deref() {
                Some(text) => Some(parse_head(text).ok_or_else(|| {
                    Failure::new("--expect must be a head, as this command prints it: a number, a dot and 64 digits")
                })?),
                None => None,
            };
            let context = operator(app, verify.agency_id.as_deref()).await?;
            let verified = app.verify_audit(&context, expect).await?;
            let head = head_text(&verified.head);
            if verify.json {
                output::json(&json!({"ok": verified.problems.is_empty(), "rows": verified.rows, "head": head, "problems": verified.problems}));
            } else {
                println!("{} rows. Head, to be kept outside this machine: {head}", verified.rows);
            }
            match verified.problems.as_slice() {
                [] => Ok(()),
                problems => Err(Failure::new(format!("the audit log was changed: {}", problems.join("; ")))),
            }
        })
        .await
    }
}
