//! `keystead sweep …`: whether idle keys are deleted.

use clap::Subcommand;

use super::{operator_of_any, output::say, with_app};
use crate::{config::Config, failure::Failure};

#[derive(Subcommand)]
pub(super) enum Sweep {
    /// Take no step towards the deletion of any key, and let no key's 90 days run
    Pause,
    /// Go on with it
    Resume,
}

impl Sweep {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let pause = matches!(self, Self::Pause);
        with_app(config, async |app| {
            let changed = app.set_sweep_paused(operator_of_any(app).await?.authority(), pause).await?;
            let already = if changed { "" } else { " already" };
            let state = if pause { "paused: no key is deleted for inactivity, and no 90 days run" } else { "running" };
            say!("The sweep is{already} {state}.");
            Ok(())
        })
        .await
    }
}
