//! `keystead users …`: the members of an agency.

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, Subcommand};
use keystead_api::v2::api_keys::parse_location;
use keystead_core::{AgencyContext, App};
use keystead_model::{
    KeyId, LocationId,
    api_key::KeyState,
    text::{EmailAddress, Line},
    user::{NewUser, Role, User},
};
use serde_json::{Value, json};

use super::{
    Reached,
    init::{read_secret, valid},
    named_agency, operator,
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure};

#[derive(Subcommand)]
pub(super) enum Users {
    /// List the members of an agency
    List(Common),
    /// Invite somebody; prints the link that they accept within seven days
    Invite(Invite),
    /// Change a member's role and locations; their sessions end
    Update(Membership),
    /// Keep a member from signing in; their sessions end at once
    Disable {
        #[command(flatten)]
        one: One,
        /// What becomes of the keys that they made and whose secrets they may have: keep or deactivate
        #[arg(long, default_value = "keep", value_name = "WHAT")]
        keys: String,
    },
    /// Let a disabled member sign in again
    Enable(One),
    /// Delete a member: their sessions end at once, their keys stay, and their address is free again
    Delete(One),
    /// Set somebody's password; all their sessions end
    SetPassword {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// File with the new password; - for standard input
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// Agency, where several have a member with this address
        #[arg(long)]
        agency_id: Option<String>,
    },
    /// Make somebody an operator of the instance, or take it from them
    Operator {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// Take it from them
        #[arg(long)]
        withdraw: bool,
        /// Agency, where several have a member with this address
        #[arg(long)]
        agency_id: Option<String>,
    },
}

#[derive(Args)]
pub(super) struct Common {
    /// Agency, where there are several
    #[arg(long)]
    agency_id: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Membership {
    /// Their e-mail address
    #[arg(long)]
    email: String,
    /// agency-admin, agency-user, account-admin or account-user
    #[arg(long)]
    role: String,
    /// Locations of an account role
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    location_ids: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Invite {
    #[command(flatten)]
    membership: Membership,
    /// First name, which they may change
    #[arg(long)]
    first_name: Option<String>,
    /// Last name, likewise
    #[arg(long)]
    last_name: Option<String>,
}

#[derive(Args)]
pub(super) struct One {
    /// Their e-mail address
    #[arg(long)]
    email: String,
    #[command(flatten)]
    common: Common,
}

impl Users {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| match self {
            Self::List(common) => list(app, &common).await,
            Self::Invite(invite) => invite.run(app, config).await,
            Self::Update(membership) => membership.update(app).await,
            Self::Disable { one, keys } => one.disable(app, &keys).await,
            Self::Enable(one) => one.enable(app).await,
            Self::Delete(one) => one.delete(app).await,
            Self::SetPassword { email, password_file, agency_id } => {
                let (password, agency) = (read_secret(&password_file)?, named_agency(agency_id.as_deref())?);
                app.reset_password(&email, agency, &password).await?;
                say!("The password of {email} is set; their sessions have ended.");
                Ok(())
            }
            Self::Operator { email, withdraw, agency_id } => {
                app.set_operator(&email, named_agency(agency_id.as_deref())?, !withdraw).await?;
                say!("{email} is {} an operator.", if withdraw { "no longer" } else { "now" });
                Ok(())
            }
        })
        .await
    }
}

/// As the wire contract shows users.
fn shape(user: &User) -> Value {
    json!({
        "id": user.id,
        "companyId": user.agency,
        "name": user.display_name(),
        "email": user.email.as_str(),
        "type": user.role.user_type(),
        "role": user.role.role(),
        "locationIds": user.locations,
        "disabled": user.disabled,
    })
}

async fn list(app: &App, common: &Common) -> Result<(), Failure> {
    let context = operator(app, common.agency_id.as_deref()).await?;
    let users = app.list_users(context.authority()).await?;
    if common.json {
        for user in &users {
            output::json(&shape(user));
        }
        return Ok(());
    }
    let state = |user: &User| if user.disabled { "disabled" } else { "active" }.to_owned();
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            vec![user.email.as_str().to_owned(), user.display_name(), user.role.as_str().to_owned(), state(user)]
        })
        .collect();
    output::table(&["EMAIL", "NAME", "ROLE", "STATE"], &rows);
    Ok(())
}

async fn member(app: &App, context: &AgencyContext, email: &str) -> Result<User, Failure> {
    let wanted = valid("--email", EmailAddress::parse(email))?.normalized();
    let users = app.list_users(context.authority()).await?;
    let found = users.into_iter().find(|user| user.email.normalized() == wanted);
    found.ok_or_else(|| Failure::new(format!("{email} is no member of this agency (see keystead users list)")))
}

impl Membership {
    fn parts(&self) -> Result<(Role, BTreeSet<LocationId>), Failure> {
        let role = Role::from_name(&self.role).ok_or_else(|| {
            let names: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
            Failure::usage(format!("--role must be one of {}", names.join(", ")))
        })?;
        let locations: BTreeSet<LocationId> =
            self.location_ids.iter().map(|id| valid("--location-ids", parse_location(id))).collect::<Result<_, _>>()?;
        if role.is_account() == locations.is_empty() {
            let rule = if locations.is_empty() { "needs --location-ids" } else { "takes no --location-ids" };
            return Err(Failure::usage(format!("the role {} {rule}", role.as_str())));
        }
        Ok((role, locations))
    }

    async fn update(self, app: &App) -> Result<(), Failure> {
        let (role, locations) = self.parts()?;
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let user = member(app, &context, &self.email).await?;
        app.set_user_role(context.authority(), user.id, role, locations).await?;
        show(app, &context, &self.email, self.common.json).await
    }
}

impl Invite {
    async fn run(self, app: &App, config: &Config) -> Result<(), Failure> {
        let Self { membership, first_name, last_name } = self;
        let (role, locations) = membership.parts()?;
        let email = valid("--email", EmailAddress::parse(&membership.email))?;
        let name = |option, text: Option<&str>| text.map(|text| valid(option, Line::parse(text))).transpose();
        let first_name = name("--first-name", first_name.as_deref())?;
        let last_name = name("--last-name", last_name.as_deref())?;
        let context = operator(app, membership.common.agency_id.as_deref()).await?;
        let new = NewUser { email, first_name, last_name, role, locations };
        let (token, invitation) = app.invite_user(context.authority(), new).await?;
        let reached = Reached::of(app, config).await?;
        let link = format!("{}/app/invite/{token}", reached.base_url);
        if membership.common.json {
            output::json(&json!({
                "id": invitation.id,
                "link": link,
                "linkIsGuessed": reached.is_guess,
                "expiresAt": invitation.expires_at.to_iso(),
            }));
        } else {
            say!("{link}");
            reached.note();
        }
        Ok(())
    }
}

impl One {
    async fn disable(self, app: &App, keys: &str) -> Result<(), Failure> {
        let deactivates = match keys {
            "keep" => false,
            "deactivate" => true,
            _ => return Err(Failure::usage("--keys must be keep or deactivate")),
        };
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let user = member(app, &context, &self.email).await?;
        let mut made = app.keys_made_by(context.authority(), user.id).await?;
        made.retain(|key| key.state == KeyState::Active);
        let ended: Vec<KeyId> = if deactivates { made.iter().map(|key| key.id).collect() } else { Vec::new() };
        app.disable_user(context.authority(), user.id, &ended).await?;
        show(app, &context, &self.email, self.common.json).await?;
        if !self.common.json && !made.is_empty() {
            let what = if deactivates { "are deactivated" } else { "still work; rotate those that must go on" };
            say!("Keys that they made {what}:");
            for key in made {
                say!("  {}  {}", key.id, key.name);
            }
        }
        Ok(())
    }

    async fn delete(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let user = member(app, &context, &self.email).await?;
        app.delete_user(context.authority(), user.id).await?;
        if self.common.json {
            output::json(&json!({"id": user.id, "deleted": true}));
        } else {
            say!("{} is deleted.", user.email.as_str());
        }
        Ok(())
    }

    async fn enable(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let user = member(app, &context, &self.email).await?;
        app.set_user_disabled(context.authority(), user.id, false).await?;
        show(app, &context, &self.email, self.common.json).await
    }
}

/// What became of a member.
async fn show(app: &App, context: &AgencyContext, email: &str, json: bool) -> Result<(), Failure> {
    let user = member(app, context, email).await?;
    if json {
        output::json(&shape(&user));
    } else {
        let state = if user.disabled { "disabled" } else { "active" };
        say!("{} is {state}: {}", user.email.as_str(), user.role.title());
    }
    Ok(())
}
