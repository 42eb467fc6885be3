//! `keystead audit …`.

use clap::{Args, Subcommand};
use keystead_core::{
    App,
    audit::{head_text, parse_head},
};
use keystead_model::UserId;
use serde_json::json;

use super::{
    operator,
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure};

#[derive(Subcommand)]
pub(super) enum Audit {
    /// Look for edited, deleted, swapped and cut-off rows in an agency's audit log
    Verify(Verify),
    /// Erase what the log holds of a member: addresses, and what changed about them; who did what stays
    Erase(Erase),
}

#[derive(Args)]
pub(super) struct Erase {
    /// The member, as keystead users list --json shows them
    #[arg(long, value_name = "ID")]
    user_id: String,
    /// Agency, where there are several
    #[arg(long)]
    agency_id: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
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
        with_app(config, async |app| match self {
            Self::Verify(verify) => verify.run(app).await,
            Self::Erase(erase) => erase.run(app).await,
        })
        .await
    }
}

impl Verify {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let expect = match self.expect.as_deref() {
            Some(text) => Some(parse_head(text).ok_or_else(|| {
                Failure::usage("--expect must be a head, as this command prints it: a number, a dot and 64 digits")
            })?),
            None => None,
        };
        let context = operator(app, self.agency_id.as_deref()).await?;
        let verified = app.verify_audit(&context, expect).await?;
        let head = head_text(&verified.head);
        if self.json {
            output::json(
                &json!({"ok": verified.problems.is_empty(), "rows": verified.rows, "head": head, "problems": verified.problems}),
            );
        } else {
            say!("{} rows. Head, to be kept outside this machine: {head}", verified.rows);
        }
        match verified.problems.as_slice() {
            [] => Ok(()),
            problems => Err(Failure::found(format!("the audit log was changed: {}", problems.join("; ")))),
        }
    }
}

impl Erase {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let user = UserId::parse(&self.user_id).ok_or_else(|| Failure::usage("--user-id is no member's id"))?;
        let context = operator(app, self.agency_id.as_deref()).await?;
        let rows = app.erase_audit(&context, user).await?;
        if self.json {
            output::json(&json!({"rows": rows}));
        } else {
            let (noun, hold) = if rows == 1 { ("row", "holds") } else { ("rows", "hold") };
            say!("{rows} {noun} {hold} nothing personal any more. Backups made before still do.");
        }
        Ok(())
    }
}
