//! `keystead deliveries …`: whether anything is sent to webhooks.

use clap::Subcommand;
use keystead_core::Overdue;

use super::{operator_of_any, output::say, with_app};
use crate::{config::Config, failure::Failure};

#[derive(Subcommand)]
pub(super) enum Deliveries {
    /// Send nothing to any webhook; what they would be told waits
    Pause,
    /// Go on
    Resume {
        /// What becomes of messages that waited when the pause began, which another server may have sent: send them, or skip them.
        /// What is skipped is held, and the owner of a webhook can recover it
        #[arg(long, value_name = "send|skip", value_parser = parse)]
        overdue: Overdue,
    },
}

fn parse(text: &str) -> Result<Overdue, &'static str> {
    Overdue::parse(text).ok_or("must be send or skip")
}

impl Deliveries {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| {
            let operator = operator_of_any(app).await?;
            match self {
                Self::Pause => {
                    let already = if app.pause_deliveries(operator.authority()).await? { "" } else { " already" };
                    say!("Deliveries are{already} paused: nothing is sent to webhooks, and messages wait.");
                }
                Self::Resume { overdue } => match app.resume_deliveries(operator.authority(), overdue).await? {
                    None => say!("Deliveries were not paused."),
                    Some(0) => say!("Deliveries go on."),
                    Some(skipped) => {
                        say!("Deliveries go on; {skipped} that were overdue are held, and can be recovered.");
                    }
                },
            }
            Ok(())
        })
        .await
    }
}
