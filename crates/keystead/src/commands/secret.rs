//! `keystead secret …`: the versions of the instance secret.

use clap::Subcommand;
use keystead_core::Entropy;
use serde_json::json;

use super::{
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure, secret_file};

#[derive(Subcommand)]
pub(super) enum Secret {
    /// Add a version, which new keys and seals use; what was made with the older ones goes on
    Add {
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
}

impl Secret {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let Self::Add { json } = self;
        // Opening it proves that the file belongs to the database.
        with_app(config, async |_| Ok(())).await?;
        let version = secret_file::add_version(&config.secret_file, &Entropy::System)?;
        if json {
            output::json(&json!({"version": version}));
        } else {
            say!("{} has version {version}. Now, before anything else:", config.secret_file.display());
            say!("1. Keep a copy of the file with your backups, and put it on every server of this database.");
            say!("2. Restart every server.");
        }
        Ok(())
    }
}
