//! Members and invitations.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use keystead_core::{Error, error::Noun};
use keystead_model::{
    Invalid, KeyId, LocationId,
    api_key::KeyState,
    scope::Scope,
    text::EmailAddress,
    user::{Invitation, NewUser, PersonName, Role, User},
};

use crate::{
    Web, api_keys,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind, new_password},
    location_choice::{LocationChoices, chosen_in},
    page::{Frame, render},
    place::{Guest, Here, facts},
    sessions::begun,
    show,
};

struct MemberRow {
    name: String,
    email: String,
    role: &'static str,
    /// Names of the locations that they are bound to; one sentence where they are not.
    where_: Vec<String>,
    disabled: bool,
    is_self: bool,
    url: String,
}

struct InvitationRow {
    email: String,
    role: &'static str,
    expires: String,
    withdraw_url: String,
}

#[derive(Template)]
#[template(path = "users/list.html")]
struct List {
    frame: Frame,
    members: Vec<MemberRow>,
    invitations: Vec<InvitationRow>,
    invite_url: String,
    /// The link of an invitation that was just made.
    link: Option<(String, String)>,
}

/// Members of the place: of a location only those who belong to it.
fn belongs(here: &Here, role: Role, ids: &BTreeSet<LocationId>) -> bool {
    here.location.as_ref().is_none_or(|location| role.is_account() && ids.contains(&location.id))
}

async fn list_page(web: &Web, here: &Here, link: Option<(String, String)>) -> Result<List, Error> {
    let now = web.app.now();
    let users = web.app.list_users(here.authority()).await?;
    let invitations = web.app.list_invitations(here.authority()).await?;
    let names = here.names_of(web, users.iter().flat_map(|user| user.locations.iter().copied())).await?;
    let location_names = |ids: &BTreeSet<LocationId>| ids.iter().filter_map(|id| names.get(id)).cloned().collect();
    let member = |user: &User| MemberRow {
        name: user.display_name(),
        email: user.email.as_str().to_owned(),
        role: user.role.title(),
        where_: if user.role.is_account() { location_names(&user.locations) } else { vec!["All locations".to_owned()] },
        disabled: user.disabled,
        is_self: user.id == here.visitor.signed_in.user.id,
        url: here.url(&format!("/members/{}", user.id)),
    };
    Ok(List {
        frame: Frame::of(here, "Members", "members"),
        members: users.iter().filter(|user| belongs(here, user.role, &user.locations)).map(member).collect(),
        invitations: invitations
            .iter()
            .filter(|invitation| belongs(here, invitation.user.role, &invitation.user.locations))
            .map(|invitation| InvitationRow {
                email: invitation.user.email.as_str().to_owned(),
                role: invitation.user.role.title(),
                expires: show::until(invitation.expires_at, now),
                withdraw_url: here.url(&format!("/members/invitations/{}/withdraw", invitation.id)),
            })
            .collect(),
        invite_url: here.url("/members/invite"),
        link,
    })
}

pub(crate) async fn list(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    Ok(render(&list_page(&web, &here, None).await?))
}

#[derive(Template)]
#[template(path = "users/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    /// Of a member who exists: their address, whether they are disabled, and the addresses of the actions.
    existing: Option<Existing>,
    form: Form,
    /// That of the button which enables a member.
    button: Form,
    locations: LocationChoices,
    list_url: String,
}

struct Existing {
    name: String,
    email: String,
    disabled: bool,
    is_self: bool,
    disable_url: String,
    enable_url: String,
    /// Keys that they made.
    keys: Vec<api_keys::Row>,
}

/// The page of a member who exists.
async fn member_page(web: &Web, here: &Here, user: &User, form: Form, button: Form) -> Result<Editor, Error> {
    let keys = web.app.keys_made_by(here.authority(), user.id).await?;
    let existing = Existing {
        name: user.display_name(),
        email: user.email.as_str().to_owned(),
        disabled: user.disabled,
        is_self: user.id == here.visitor.signed_in.user.id,
        disable_url: here.url(&format!("/members/{}/disable", user.id)),
        enable_url: here.url(&format!("/members/{}/enable", user.id)),
        keys: api_keys::rows(web, here, &keys).await?,
    };
    Ok(Editor { button, ..editor(web, here, Some(existing), form).await? })
}

async fn editor(web: &Web, here: &Here, existing: Option<Existing>, form: Form) -> Result<Editor, Error> {
    let heading = existing.as_ref().map_or_else(|| "Invite a member".to_owned(), |member| member.name.clone());
    Ok(Editor {
        frame: Frame::of(here, &heading, "members"),
        heading,
        existing,
        locations: LocationChoices::of(web, here, &form.sent, "locationIds").await?,
        form,
        button: Form::of_buttons(here),
        list_url: here.url("/members"),
    })
}

/// What is asked of a member; their address of one who is invited.
fn fields(here: &Here, is_new: bool) -> Vec<Field> {
    let in_location = here.location.is_some();
    let is_offered =
        |role: &&Role| role.is_within(&here.authority().grant().reach) && (!in_location || role.is_account());
    let role = |role: &Role| Choice::new(role.as_str(), role.title()).when(role.purpose());
    let roles = Role::ALL.iter().filter(is_offered).map(role);
    let email = Field::typed("email", "email", "E-mail address").needed("Enter their e-mail address");
    let again = Field::new(Kind::Check, AGAIN, "Make a new link").hint("The old one does nothing then.");
    let role = Field::new(Kind::Radios, "role", "Role").needed("Choose a role").of(roles);
    let locations = Field::new(Kind::Boxes, "locationIds", "Locations");
    let of_new = is_new.then_some([email, again]).into_iter().flatten();
    let fields = of_new.chain([role, locations]);
    fields.chain(Field::confirmation(here)).collect()
}

/// Whether somebody who was invited gets another link. It is asked for, so that a form that is sent once more, as by reloading its
/// page, does not end the link that is on its way.
pub(crate) const AGAIN: &str = "again";

/// To everybody else there is no such page.
fn for_managers(here: &Here) -> Result<(), Failure> {
    if here.authority().grant().allows(Scope::UsersWrite) {
        Ok(())
    } else {
        Err(Error::NotFound(Noun::User, String::new()).into())
    }
}

pub(crate) async fn invite_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    for_managers(&here)?;
    let role = if here.location.is_some() { Role::AccountUser } else { Role::AgencyUser };
    let mut pairs = vec![("role".to_owned(), role.as_str().to_owned())];
    pairs.extend(here.location.as_ref().map(|location| ("locationIds".to_owned(), location.id.to_string())));
    Ok(render(&editor(&web, &here, None, Form::new(fields(&here, true), pairs)).await?))
}

fn read_role(form: &mut Form) -> Option<(Role, BTreeSet<LocationId>)> {
    let role =
        form.read("role", |name| Role::from_name(name).ok_or_else(|| Invalid::new("must be one of the list")))?;
    let chosen = chosen_in(form, "locationIds");
    if role.is_account() && chosen.is_empty() {
        form.say("locationIds", "Choose at least one location");
        return None;
    }
    Some((role, if role.is_account() { chosen } else { BTreeSet::new() }))
}

pub(crate) async fn invite(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    for_managers(&here)?;
    let mut form = Form::new(fields(&here, true), sent);
    let (email, role) = (form.read("email", EmailAddress::parse), read_role(&mut form));
    if let Some(email) = &email
        && !form.is_checked(AGAIN)
    {
        let open = web.app.list_invitations(here.authority()).await?;
        if open.iter().any(|invitation| invitation.user.email.normalized() == email.normalized()) {
            form.say(AGAIN, "They are invited already, and their link works. Is it lost? Then make a new one");
        }
    }
    form.confirm(&web, &mut here).await?;
    let new = email.zip(role).map(|(email, (role, locations))| NewUser {
        email,
        first_name: None,
        last_name: None,
        role,
        locations,
    });
    match form.run_with(new, async |new| web.app.invite_user(here.authority(), new).await).await? {
        Some((token, invitation)) => {
            let link = format!("{}/app/invite/{token}", web.base_url);
            let email = invitation.user.email.as_str().to_owned();
            Ok(render(&list_page(&web, &here, Some((email, link))).await?))
        }
        None => {
            let page = editor(&web, &here, None, form).await?;
            Ok(page.form.again(&page))
        }
    }
}

pub(crate) async fn withdraw(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let id = here.id(Noun::Invitation)?;
    let open = web.app.list_invitations(here.authority()).await?;
    let whose = open.into_iter().find(|invitation| invitation.id == id).map(|invitation| invitation.user.email);
    web.app.withdraw_invitation(here.authority(), id).await?;
    let whose = whose.as_ref().map(EmailAddress::as_str).unwrap_or_default();
    Ok(lead(&web, &here.url("/members"), Done::InvitationWithdrawn, whose))
}

async fn wanted(web: &Web, here: &Here) -> Result<User, Failure> {
    let id = here.id(Noun::User)?;
    let users = web.app.list_users(here.authority()).await?;
    let user = users.into_iter().find(|user| user.id == id && belongs(here, user.role, &user.locations));
    user.ok_or_else(|| Error::NotFound(Noun::User, id.to_string()).into())
}

/// The form as it stands for a member who exists.
fn form_of(here: &Here, user: &User) -> Form {
    let mut pairs = vec![("role", user.role.as_str().to_owned())];
    pairs.extend(user.locations.iter().map(|id| ("locationIds", id.to_string())));
    Form::filled(fields(here, false), pairs).opened_on(user)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let user = wanted(&web, &here).await?;
    let (form, button) = (form_of(&here, &user), Form::of_buttons(&here));
    Ok(render(&member_page(&web, &here, &user, form, button).await?))
}

pub(crate) async fn set_role(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let user = wanted(&web, &here).await?;
    let mut form = Form::new(fields(&here, false), sent);
    let role = read_role(&mut form);
    form.confirm(&web, &mut here).await?;
    let careful = here.authority().clone().with_seen(form.seen::<User>());
    let set = async |(role, locations)| web.app.set_user_role(&careful, user.id, role, locations).await;
    match form.edit_with(role, set).await? {
        Edit::Saved(()) => return Ok(lead(&web, &here.url("/members"), Done::RoleSaved, &user.display_name())),
        Edit::Overtaken => form.overtaken("member", &user, &form_of(&here, &user)),
        Edit::Wrong => {}
    }
    let page = member_page(&web, &here, &user, form, Form::of_buttons(&here)).await?;
    Ok(page.form.again(&page))
}

#[derive(Template)]
#[template(path = "users/disable.html")]
struct DisableForm {
    frame: Frame,
    name: String,
    /// Keys that they made and that work.
    keys: Vec<(KeyId, api_keys::Row)>,
    /// Whom their open invitations are for.
    invited: Vec<String>,
    form: Form,
    member_url: String,
}

async fn disable_page(web: &Web, here: &Here, user: &User, form: Form) -> Result<DisableForm, Error> {
    let mut keys = web.app.keys_made_by(here.authority(), user.id).await?;
    keys.retain(|key| key.state == KeyState::Active);
    let ids = keys.iter().map(|key| key.id).collect::<Vec<_>>();
    let invitations = web.app.invitations_of(here.authority(), user.id).await?;
    Ok(DisableForm {
        frame: Frame::of(here, "Disable a member", "members"),
        name: user.display_name(),
        keys: ids.into_iter().zip(api_keys::rows(web, here, &keys).await?).collect(),
        invited: invitations.into_iter().map(|invitation| invitation.user.email.as_str().to_owned()).collect(),
        form,
        member_url: here.url(&format!("/members/{}", user.id)),
    })
}

pub(crate) async fn disable_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let user = wanted(&web, &here).await?;
    Ok(render(&disable_page(&web, &here, &user, Form::default()).await?))
}

pub(crate) async fn disable(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let user = wanted(&web, &here).await?;
    let keys: Vec<KeyId> = sent.all("deactivate").into_iter().filter_map(KeyId::parse).collect();
    let mut form = Form::new(Vec::new(), sent);
    if form.run(web.app.disable_user(here.authority(), user.id, &keys)).await?.is_some() {
        let url = here.url(&format!("/members/{}", user.id));
        return Ok(lead(&web, &url, Done::MemberDisabled, &user.display_name()));
    }
    let page = disable_page(&web, &here, &user, form).await?;
    Ok(page.form.again(&page))
}

pub(crate) async fn enable(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let user = wanted(&web, &here).await?;
    let mut button = Form::of_button(&here, "enable", sent);
    button.confirm(&web, &mut here).await?;
    if button.run(web.app.set_user_disabled(here.authority(), user.id, false)).await?.is_some() {
        return Ok(lead(&web, &here.url("/members"), Done::MemberEnabled, &user.display_name()));
    }
    let page = member_page(&web, &here, &user, form_of(&here, &user), button).await?;
    Ok(page.button.again(&page))
}

#[derive(Template)]
#[template(path = "users/accept.html")]
struct Accept {
    frame: Frame,
    email: String,
    role: &'static str,
    form: Form,
}

fn acceptance(invited: &NewUser, sent: Fields) -> Accept {
    let fields = vec![
        Field::line("firstName", "First name").with("autocomplete=given-name"),
        Field::line("lastName", "Last name").with("autocomplete=family-name"),
        new_password(),
    ];
    Accept {
        frame: Frame::bare("Accept your invitation"),
        email: invited.email.as_str().to_owned(),
        role: invited.role.title(),
        form: Form::new(fields, sent),
    }
}

/// The invitation of a link; of one that has none whoever follows it is told what may have become of it.
async fn invited(web: &Web, token: &str) -> Result<Invitation, Failure> {
    match web.app.get_invitation(token).await {
        Err(Error::NotFound(Noun::Invitation, _)) => Err(Failure::NoInvitation),
        outcome => Ok(outcome?),
    }
}

pub(crate) async fn invitation(State(web): State<Web>, Path(token): Path<String>) -> Result<Response, Failure> {
    let invitation = invited(&web, &token).await?;
    Ok(render(&acceptance(&invitation.user, Fields::default())))
}

pub(crate) async fn accept(
    State(web): State<Web>,
    Path(token): Path<String>,
    guest: Guest,
    sent: Fields,
) -> Result<Response, Failure> {
    let invitation = invited(&web, &token).await?;
    let mut page = acceptance(&invitation.user, sent);
    let names = (page.form.read("firstName", PersonName::parse), page.form.read("lastName", PersonName::parse));
    let password = page.form.sent.raw("password").unwrap_or_default().to_owned();
    let facts = facts(&guest.arrival, &guest.headers);
    match page.form.run(web.app.accept_invitation(&token, names, &password, &facts)).await? {
        Some(signed_in) => {
            let welcome = lead(&web, "/app", Done::Joined, &signed_in.user.display_name());
            Ok(begun(&web, &guest.headers, &signed_in, welcome))
        }
        None => Ok(page.form.again(&page)),
    }
}
