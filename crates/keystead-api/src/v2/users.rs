//! Users of API 2.0.

use keystead_core::{AgencyContext, Authority, Error, LocationContext, NewAccount};
use keystead_model::{
    Invalid, LocationId, UserId,
    page::Window,
    text::{EmailAddress, Line, normalized_email},
    user::{PERMISSION_NAMES, PersonName, Role, User, UserFilter, UserOrder, UserPatch, UserProfile},
};
use serde_json::{Map, Value, json};

use super::{
    Version,
    locations::{company, without_company},
    samples,
};
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{
        Bare, Fields, Ground, Input, Tagged, Word, Written,
        word::{self, one_of},
    },
};

/// A user, whole.
pub(crate) struct Account(pub(crate) User);

impl Written for Account {
    const NAME: &'static str = "User";

    fn sample() -> Self {
        Self(samples::user())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(user) = self;
        fields.put("id", &user.id);
        fields.put("email", &user.email);
        write_rest(fields, user, true);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.0))
    }
}

/// All but id and address, where it `is_whole`.
fn write_rest(fields: &mut Fields<'_>, user: &User, is_whole: bool) {
    let UserProfile {
        phone,
        extension,
        platform_language,
        photo_url,
        permissions,
        scopes,
        scopes_of_assigned,
        location_phones,
    } = &user.profile;
    let phones: Map<String, Value> =
        location_phones.iter().map(|(location, phone)| (location.clone(), json!(phone))).collect();
    fields.opt("name", is_whole.then(|| user.display_name()).as_ref());
    fields.opt("firstName", user.first_name.as_ref().filter(|_| is_whole));
    fields.opt("lastName", user.last_name.as_ref().filter(|_| is_whole));
    fields.opt("phone", phone.as_ref().filter(|_| is_whole));
    fields.opt("extension", extension.as_ref().filter(|_| is_whole));
    fields.opt("permissions", is_whole.then(|| Permissions(permissions.clone())).as_ref());
    fields.opt("scopes", Some(scopes).filter(|_| is_whole));
    fields.opt("scopesAssignedToOnly", Some(scopes_of_assigned).filter(|_| is_whole));
    fields.opt("roles", is_whole.then(|| Roles(user.clone())).as_ref());
    fields.opt("lcPhone", is_whole.then_some(Value::Object(phones)).as_ref());
    fields.opt("platformLanguage", platform_language.as_ref().filter(|_| is_whole));
    fields.opt("profilePhoto", photo_url.as_ref().filter(|_| is_whole));
    fields.opt("deleted", is_whole.then_some(user.deleted_at.is_some()).as_ref());
}

/// Switches by name. They are kept, and have no effect here.
pub(crate) struct Permissions(pub(crate) Vec<(String, bool)>);

impl Written for Permissions {
    const NAME: &'static str = "Permissions";

    fn sample() -> Self {
        Self(vec![("contactsEnabled".to_owned(), true)])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        for name in PERMISSION_NAMES {
            let known = self.0.iter().find(|(known, _)| known == name);
            fields.opt(name, known.map(|(_, is_on)| is_on));
        }
    }
}

/// What a user may do, and where.
pub(crate) struct Roles(pub(crate) User);

impl Written for Roles {
    const NAME: &'static str = "Roles";

    fn sample() -> Self {
        Self(samples::user())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let User { role, locations, .. } = &self.0;
        fields.one_of("type", role.user_type(), TYPES);
        fields.one_of("role", role.role(), ROLES);
        fields.put("locationIds", &locations.iter().copied().collect::<Vec<LocationId>>());
        fields.put("restrictSubAccount", &false);
    }
}

const TYPES: &[&str] = &["account", "agency"];
const ROLES: &[&str] = &["admin", "user"];

/// `account` or `agency`.
pub(crate) struct IsAccount(pub(crate) bool);
/// `admin` or `user`.
pub(crate) struct IsAdmin(pub(crate) bool);

impl Word for IsAccount {
    const EXAMPLE: &'static str = "account";

    fn schema() -> Value {
        one_of(TYPES.iter().copied())
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match text {
            "account" => Ok(Self(true)),
            "agency" => Ok(Self(false)),
            _ => Err(Invalid::new("must be one of account, agency")),
        }
    }
}

impl Word for IsAdmin {
    const EXAMPLE: &'static str = "user";

    fn schema() -> Value {
        one_of(ROLES.iter().copied())
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match text {
            "admin" => Ok(Self(true)),
            "user" => Ok(Self(false)),
            _ => Err(Invalid::new("must be one of admin, user")),
        }
    }
}

/// The languages that the contract has.
const LANGUAGES: &[&str] =
    &["en_US", "es", "fr_CA", "fr_FR", "nl", "de", "pt_PT", "pt_BR", "it", "sv", "da", "fi", "no"];

/// One of them.
struct Language(Line<20>);

impl Word for Language {
    const EXAMPLE: &'static str = "en_US";

    fn schema() -> Value {
        one_of(LANGUAGES.iter().copied())
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        if !LANGUAGES.contains(&text) {
            return Err(Invalid::new(format!("must be one of {}", LANGUAGES.join(", "))));
        }
        Line::parse(text).map(Self)
    }
}

/// More is no list of scopes, or of locations.
const MANY: usize = 500;

/// What create and update have in common, but for what somebody signs in with.
pub(crate) fn patch(reader: &mut Reader<'_>) -> UserPatch {
    let texts = |lines: Vec<Line<100>>| lines.into_iter().map(Line::into_string).collect();
    UserPatch {
        first_name: reader.clearable("firstName"),
        last_name: reader.clearable("lastName"),
        is_account: reader.word("type").map(|IsAccount(is_account)| is_account),
        is_admin: reader.word("role").map(|IsAdmin(is_admin)| is_admin),
        locations: reader.words::<LocationId>("locationIds", MANY).map(|locations| locations.into_iter().collect()),
        email: None,
        has_password: false,
        phone: reader.clearable("phone"),
        extension: reader.clearable("extension"),
        platform_language: reader
            .clearable("platformLanguage")
            .map(|language| language.map(|Language(language)| language)),
        photo_url: reader.clearable("profilePhoto"),
        permissions: reader.object("permissions", permissions),
        scopes: reader.words("scopes", MANY).map(texts),
        scopes_of_assigned: reader.words("scopesAssignedToOnly", MANY).map(texts),
        location_phones: {
            let (one, other) = (reader.texts_by_name("twilioPhone", MANY), reader.texts_by_name("lcPhone", MANY));
            one.or(other)
        },
    }
}

fn permissions(reader: &mut Reader<'_>) -> Vec<(String, bool)> {
    let mut switches = Vec::new();
    for name in PERMISSION_NAMES {
        if let Some(is_on) = reader.truth(name) {
            switches.push(((*name).to_owned(), is_on));
        }
    }
    switches
}

/// A user who is about to be made: what API 1.0 leaves away, a password, API 2.0 asks for.
pub(crate) fn new_account(reader: &mut Reader<'_>, needs_password: bool) -> Option<NewAccount> {
    let first: Option<PersonName> = reader.required("firstName", |reader| reader.word("firstName"));
    let last: Option<PersonName> = reader.required("lastName", |reader| reader.word("lastName"));
    let email: Option<EmailAddress> = reader.required("email", |reader| reader.word("email"));
    let password: Option<Password> = match needs_password {
        true => reader.required("password", |reader| reader.word("password")),
        false => reader.word("password"),
    };
    let is_account = reader.required("type", |reader| reader.word("type")).map(|IsAccount(is_account)| is_account);
    let is_admin = reader.required("role", |reader| reader.word("role")).map(|IsAdmin(is_admin)| is_admin);
    let patch = patch(reader);
    let mut user = User { role: Role::of(is_account?, is_admin?), ..samples::nobody(email.clone()?) };
    let locations = patch.locations.clone().unwrap_or_default();
    UserPatch { is_account: None, is_admin: None, ..patch }.apply(&mut user);
    Some(NewAccount {
        email: email?,
        first_name: Some(first?),
        last_name: Some(last?),
        role: user.role,
        locations,
        profile: user.profile,
        password: password.map(|Password(password)| password),
    })
}

/// A password, as it was sent: its rules are the operation's.
pub(crate) struct Password(pub(crate) String);

impl Word for Password {
    const EXAMPLE: &'static str = "correct horse battery";

    fn schema() -> Value {
        json!({"type": "string", "format": "password", "description": "With which they sign in"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(Self(text.to_owned()))
    }
}

/// A new user.
pub(crate) struct NewUser(NewAccount);

impl Input for NewUser {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        company(reader);
        new_account(reader, true).map(Self)
    }

    fn settle(example: &mut Map<String, Value>) {
        without_company(example);
    }
}

/// A change of a user, with what they would sign in with, which is refused unless it is what it was.
pub(crate) fn change(reader: &mut Reader<'_>) -> UserPatch {
    let email = reader.word("email");
    let has_password = reader.word::<Password>("password").is_some();
    UserPatch { email, has_password, ..patch(reader) }
}

/// A change of one.
pub(crate) struct UserChange(UserPatch);

impl Input for UserChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        company(reader);
        Some(Self(change(reader)))
    }

    fn settle(example: &mut Map<String, Value>) {
        without_company(example);
        without_sign_in(example);
    }
}

/// What somebody signs in with does not change.
pub(crate) fn without_sign_in(example: &mut Map<String, Value>) {
    example.remove("email");
    example.remove("password");
}

/// Users, and how many match.
pub(crate) struct Found {
    users: Vec<User>,
    count: i64,
    is_whole: bool,
}

/// One of them: whole, or id and address.
struct Match(User, bool);

impl Written for Match {
    const NAME: &'static str = "FoundUser";

    fn sample() -> Self {
        Self(samples::user(), true)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("id", &self.0.id);
        fields.put("email", &self.0.email);
        write_rest(fields, &self.0, self.1);
    }
}

impl Written for Found {
    fn sample() -> Self {
        Self { users: vec![samples::user()], count: 1, is_whole: true }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let users: Vec<Match> = self.users.iter().map(|user| Match(user.clone(), self.is_whole)).collect();
        fields.put("users", &users);
        fields.put("count", &self.count);
    }
}

/// `dateAdded`, `name`, …; what is no order of users is passed over.
struct By(UserOrder);

impl Word for By {
    const EXAMPLE: &'static str = "dateAdded";

    fn schema() -> Value {
        json!({"type": "string", "description": "dateAdded, name or email"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(Self(match text {
            "dateAdded" | "createdAt" => UserOrder::Created,
            "name" | "firstName" => UserOrder::Name,
            _ => UserOrder::Email,
        }))
    }
}

/// `desc`, or anything else.
struct IsDescending(bool);

impl Word for IsDescending {
    const EXAMPLE: &'static str = "asc";

    fn schema() -> Value {
        json!({"type": "string", "description": "asc or desc"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(Self(text.eq_ignore_ascii_case("desc")))
    }
}

/// Ids in one text, by commas.
struct Ids(Vec<UserId>);

impl Word for Ids {
    const EXAMPLE: &'static str = word::USER;

    fn schema() -> Value {
        json!({"type": "string", "description": "Ids, separated by commas"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        // What is no id is nobody's.
        Ok(Self(text.split(',').filter_map(|id| UserId::parse(id.trim())).collect()))
    }
}

/// Which users, and which part of them.
pub(crate) struct Search {
    filter: UserFilter,
    window: Window<UserId>,
}

impl Input for Search {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        company(query);
        let location = query.word("locationId");
        let limit = query.integer("limit", 1..=1000).unwrap_or(25);
        let page = query.integer("page", 1..=1_000_000).unwrap_or(1);
        let skip = query.integer("skip", 0..=1_000_000).unwrap_or((page - 1) * limit);
        let _: Option<bool> = query.truth("enabled2waySync");
        let filter = UserFilter {
            location,
            is_account: query.word("type").map(|IsAccount(is_account)| is_account),
            is_admin: query.word("role").map(|IsAdmin(is_admin)| is_admin),
            ids: query.word("ids").map(|Ids(ids)| ids),
            emails: None,
            query: query.word::<Line<200>>("query").map(Line::into_string),
            deleted: false,
            order: query.word("sort").map(|By(order)| order).unwrap_or_default(),
            descending: query.word("sortDirection").is_some_and(|IsDescending(is_descending)| is_descending),
        };
        Some(Self { filter, window: Window::skip(skip, limit) })
    }

    fn settle(example: &mut Map<String, Value>) {
        without_company(example);
        example.remove("locationId");
    }
}

pub(crate) async fn search(authority: Authority, call: Call<(), Search>) -> Result<Found, Error> {
    let Search { filter, window } = call.query;
    let (users, count) = call.app.search_users(&authority, filter, window).await?;
    Ok(Found { users, count, is_whole: true })
}

/// Users by their addresses.
pub(crate) struct ByEmail {
    filter: UserFilter,
    window: Window<UserId>,
    is_whole: bool,
}

impl Input for ByEmail {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        company(reader);
        let emails: Option<Vec<String>> = reader.required("emails", |reader| reader.words("emails", MANY));
        let deleted = reader.truth("deleted").unwrap_or(false);
        let limit = reader.integer_or_text("limit", 1..=1000).unwrap_or(25);
        let skip = reader.integer_or_text("skip", 0..=1_000_000).unwrap_or(0);
        let projection: Option<String> = reader.word("projection");
        let split = |text: &String| text.split(',').map(|email| normalized_email(email.trim())).collect::<Vec<_>>();
        let emails: Vec<String> = emails?.iter().flat_map(split).collect();
        if emails.len() > MANY {
            reader.violate("emails", format!("must contain no more than {MANY} elements"));
        }
        let emails = Some(emails);
        let filter = UserFilter { emails, deleted, ..UserFilter::default() };
        let is_whole = projection.is_some_and(|projection| projection.trim() == "all");
        Some(Self { filter, window: Window::skip(skip, limit), is_whole })
    }

    fn settle(example: &mut Map<String, Value>) {
        without_company(example);
    }
}

pub(crate) async fn filter_by_email(context: AgencyContext, call: Call<(), Bare, ByEmail>) -> Result<Found, Error> {
    let ByEmail { filter, window, is_whole } = call.body;
    let (users, count) = call.app.search_users(context.authority(), filter, window).await?;
    Ok(Found { users, count, is_whole })
}

/// The users of a location.
pub(crate) struct Members(Vec<User>);

impl Written for Members {
    fn sample() -> Self {
        Self(vec![samples::user()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let users: Vec<Account> = self.0.iter().map(|user| Account(user.clone())).collect();
        fields.put("users", &users);
    }
}

/// As many as one answer has; `skip` leads further.
pub(crate) const LIST_LIMIT: i64 = 1000;

pub(crate) async fn list(context: LocationContext, call: Call<(), Slice>) -> Result<Members, Error> {
    let filter = UserFilter { location: Some(context.location()), ..UserFilter::default() };
    let window = call.query.at_most(LIST_LIMIT).window();
    Ok(Members(call.app.search_users(context.authority(), filter, window).await?.0))
}

pub(crate) async fn create(authority: Authority, call: Call<(), Bare, NewUser>) -> Result<Account, Error> {
    call.app.create_user(&authority, call.body.0).await.map(Account)
}

pub(crate) async fn get(authority: Authority, call: Call<UserId>) -> Result<Account, Error> {
    call.app.get_user(&authority, call.path).await.map(Account)
}

pub(crate) async fn update(authority: Authority, call: Call<UserId, Bare, UserChange>) -> Result<Account, Error> {
    call.app.update_user(&authority, call.path, call.body.0).await.map(Account)
}

/// That they are deleted, in the contract's spelling of each version.
pub(crate) struct Deleted(User);

impl Written for Deleted {
    const NAME: &'static str = "DeletedUser";

    fn sample() -> Self {
        Self(samples::user())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let name = if fields.version() == Version::V3 { "succeeded" } else { "succeded" };
        fields.put(name, &true);
        let (email, user) = (self.0.email.as_str(), self.0.display_name());
        fields.put("message", &format!("Deleted the user with e-mail {email} and name {user}."));
    }
}

pub(crate) async fn delete(authority: Authority, call: Call<UserId>) -> Result<Deleted, Error> {
    call.app.delete_user(&authority, call.path).await.map(Deleted)
}
