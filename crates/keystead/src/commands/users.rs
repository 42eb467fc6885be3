//! `keystead users …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{init::read_secret, with_app};
use crate::{config::Config, instance::Failure};

#[derive(Subcommand)]
pub(super) enum Users {
    /// Set somebody's password; all their sessions end
    SetPassword {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// File with the new password; - for standard input
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// Make somebody an operator of the instance, or take it from them
    Operator {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// Take it from them
        #[arg(long)]
        withdraw: bool,
    },
}

impl Users {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| match self {
            Self::SetPassword { email, password_file } => {
                let password = read_secret(&password_file)?;
                app.reset_password(&email, &password).await?;
                println!("The password of {email} is set; their sessions have ended.");
                Ok(())
            }
            Self::Operator { email, withdraw } => {
                app.set_operator(&email, !withdraw).await?;
                println!("{email} is {} an operator.", if withdraw { "no longer" } else { "now" });
                Ok(())
            }
        })
        .await
    }
}
