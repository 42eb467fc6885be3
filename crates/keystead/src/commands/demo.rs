//! `keystead demo`: a believable agency on a throwaway directory. It shows what exists, by the same operations.

mod crm;
mod forms;
mod links;
mod webhooks;

use std::{fs::DirBuilder, io::Cursor, ops::Range, os::unix::fs::DirBuilderExt, time::Duration};

use keystead_api::v2::imports::ImportOptions;
use keystead_core::{
    AgencyContext, App, Authority, Clock, CreatedKey, Credentials, Entropy, NewFile, NewImport, OldKeyEnds,
    RequestFacts, RequestId, Setup, SignedIn, TestClock,
};
use keystead_model::{
    Invalid, LocationId, UserId, UtcMs,
    agency::TenantName,
    api_key::{KeyAbout, KeyAboutPatch, KeyDescription, KeyLabels, KeyName, KeyPatch, NewKey},
    contact::{ContactFilter, ContactPatch},
    grant::{Grant, Reach},
    ip_range::IpRanges,
    key_kind::KeyKind,
    location::LocationProfile,
    note::{Note, NoteContent},
    page::Window,
    phone::PhoneNumber,
    scope::{Preset, Scope},
    tag::TagName,
    text::{Country, EmailAddress, Line, Prose, TimeZoneName},
    time::{DAY_MS, HOUR_MS},
    user::PersonName,
};
use keystead_store::{Options, Store, service_clock};

use super::{output::announce, serve};
use crate::{config::Config, failure::Failure, instance};

const EMAIL: &str = "maria@northwind.example";
const PASSWORD: &str = "welcome to northwind";

/// Name, country, time zone, contacts.
const LOCATIONS: &[(&str, &str, &str, usize)] = &[
    ("Harbour Dental", "US", "America/New_York", 1800),
    ("Northside Gym", "DE", "Europe/Berlin", 900),
    ("Pine Street Clinic", "GB", "Europe/London", 300),
];
const FIRST: &[&str] =
    &["Ada", "Grace", "Edsger", "Barbara", "Ken", "Radia", "Tim", "Hedy", "Alan", "Joan", "Linus", "Margaret"];
const LAST: &[&str] =
    &["Okafor", "Ito", "Lindqvist", "Moreau", "Schmidt", "Novak", "Silva", "Haddad", "Murphy", "Kowalski", "Rossi"];
const TAGS: &[&str] = &["newsletter", "vip", "web-lead", "returning", "no-show"];

pub(super) async fn run(mut config: Config) -> Result<(), Failure> {
    let now = Clock::System.now();
    let name = format!("keystead-demo-{}", Entropy::System.id::<NewKey>(now));
    let folder = std::env::temp_dir().join(name);
    // Made here and for us alone: the temporary folder may be everybody's.
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Failure::new(format!("{} cannot be made: {error}", folder.display())))?;
    config.data_dir.clone_from(&folder);
    config.database = keystead_store::Database::Sqlite(folder.join("keystead.db"));
    config.secret_file = folder.join("instance-secret");
    announce(&format!("Making a demo in {} …", folder.display()));
    let clock = TestClock::at(UtcMs(now.0 - STORY_DAYS * DAY_MS));
    let app = instance::make(&config, Clock::Test(clock.clone()), Entropy::System, None).await?;
    let store = Store::open(&config.database, &Options::default()).map_err(|error| Failure::new(error.to_string()))?;
    let filled = Box::pin(fill(&app, &Story { clock, store })).await;
    app.close().await?;
    filled?;
    announce(&format!("Sign in as {EMAIL} with the password “{PASSWORD}”."));
    let served = serve::run(&config).await;
    // The folder is this process's own, named above.
    let _ = std::fs::remove_dir_all(&folder);
    served
}

/// The demo begins so long ago that a key has had the time to live and die.
const STORY_DAYS: i64 = 92;

/// The demo's past passes in such steps.
const SIX_HOURS_MS: i64 = 6 * HOUR_MS;

/// How the demo's past passes.
struct Story {
    clock: TestClock,
    store: Store,
}

impl Story {
    /// Hours pass on all clocks, with a sweep in each six.
    async fn pass(&self, app: &App, hours: i64) -> Result<(), Failure> {
        for _ in 0..hours / 6 {
            self.clock.advance(Duration::from_millis(SIX_HOURS_MS.unsigned_abs()));
            self.store
                .write_serial(|tx| service_clock::pass(tx, SIX_HOURS_MS, 1))
                .await
                .map_err(|error| Failure::new(error.to_string()))?;
            app.poll_changes().await?;
            app.sweep().await?;
        }
        Ok(())
    }
}

/// Who makes what is in the demo.
struct Maria(SignedIn);

impl Maria {
    /// Signs in, as people do now and then.
    async fn comes(app: &App) -> Result<Self, Failure> {
        let credentials = Credentials { email: EMAIL, password: PASSWORD, agency: None, browser: None };
        Ok(Self(app.sign_in(credentials, &at_her_desk("POST /app/sign-in")).await?))
    }

    /// What she may do at this moment.
    fn now(&self, app: &App) -> Result<AgencyContext, Failure> {
        Ok(app.authority_of(&self.0, &at_her_desk("POST /app")).in_agency()?)
    }
}

fn at_her_desk(endpoint: &'static str) -> RequestFacts<'static> {
    const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    RequestFacts {
        id: RequestId::from_bits(1),
        address: [203, 0, 113, 20].into(),
        address_is_own: true,
        user_agent: Some(BROWSER),
        endpoint,
        origin: None,
    }
}

/// Texts of the demo are right by construction.
fn known<T>(value: Result<T, Invalid>) -> Result<T, Failure> {
    value.map_err(|problem| Failure::new(format!("the demo has a wrong text: {problem}")))
}

fn profile(name: &str, country: &str, timezone: &str) -> Result<LocationProfile, Failure> {
    Ok(LocationProfile {
        country: known(Country::parse(country))?,
        timezone: known(TimeZoneName::parse(timezone))?,
        ..LocationProfile::named(known(TenantName::parse(name))?)
    })
}

async fn fill(app: &App, story: &Story) -> Result<(), Failure> {
    let mut locations = Vec::new();
    let (first, country, zone, _) = LOCATIONS[0];
    let made = app
        .set_up(Setup {
            agency: known(TenantName::parse("Northwind Agency"))?,
            location: profile(first, country, zone)?,
            admin_email: known(EmailAddress::parse(EMAIL))?,
            admin_names: (Some(known(PersonName::parse("Maria"))?), Some(known(PersonName::parse("Okafor"))?)),
            admin_password: PASSWORD.to_owned(),
        })
        .await?;
    locations.push(made.location);
    let maria = Maria::comes(app).await?;
    let at_first = maria.now(app)?;
    for (name, country, zone, _) in &LOCATIONS[1..] {
        locations.push(app.create_location(&at_first, profile(name, country, zone)?).await?.id);
    }
    for (location, trade) in locations.iter().zip(&crm::TRADES) {
        trade.set_up(app, &at_first, *location).await?;
    }
    let selling = Selling { maria, owner: made.user, locations: &locations };
    old_keys(app, (story, &selling)).await?;
    let working = Working::made(app, &locations).await?;
    month(app, (story, &selling)).await?;
    let maria = Maria::comes(app).await?.now(app)?;
    files(app, &maria, locations[0]).await?;
    trash(app, &maria, &locations).await?;
    for location in &locations {
        crm::tasks(app, &maria, (*location, made.user)).await?;
        forms::made(app, &maria, *location).await?;
    }
    keys(app, &maria, (&locations, working)).await
}

/// Days in which contacts come in, before now; half of them were there before.
const MONTH_DAYS: usize = 30;

/// Days in which a webhook is told of things.
const TOLD_DAYS: usize = 5;

/// Contacts come in, fewer at weekends, and some of them ask for something.
async fn month(app: &App, (story, selling): (&Story, &Selling<'_>)) -> Result<(), Failure> {
    let weight = |day: usize| if day % 7 > 4 { 1 } else { 3 + day * 7 % 5 };
    let all: usize = (0..MONTH_DAYS).map(weight).sum();
    let (mut offer, mut told) = (None, None);
    for day in 0..=MONTH_DAYS {
        let maria = selling.maria.now(app)?;
        let until =
            |day: usize, count: usize| count / 2 + (count - count / 2) * (0..day).map(weight).sum::<usize>() / all;
        for (location, (_, country, _, count)) in selling.locations.iter().zip(LOCATIONS) {
            let from = if day == 0 { 0 } else { until(day - 1, *count) };
            contacts(app, &maria, *location, country, from..until(day, *count)).await?;
        }
        selling.on(app, (MONTH_DAYS - day) as i64).await?;
        if offer.is_none() {
            offer = Some(links::made(app, &maria, selling.locations[0]).await?);
        }
        if let Some(offer) = &offer
            && day < MONTH_DAYS
        {
            offer.opened(app, story, day).await?;
        }
        if day + TOLD_DAYS == MONTH_DAYS {
            let maria = Maria::comes(app).await?.now(app)?;
            told = Some(webhooks::made(app, &maria, selling.locations[0]).await?);
        }
        if let Some(told) = told {
            webhooks::answered(app, &story.store, &maria, told).await?;
        }
        if day < MONTH_DAYS {
            story.pass(app, 24).await?;
        }
    }
    let maria = Maria::comes(app).await?.now(app)?;
    if let Some(told) = told {
        webhooks::off(app, &maria, told).await?;
    }
    webhooks::incoming(app, &maria, selling.locations[0]).await
}

/// Rows of a file that somebody brought, two of them wrong.
fn rows() -> String {
    let mut rows = "First name,Last name,E-mail,Phone,Tags,Notes\n".to_owned();
    for (number, first) in FIRST.iter().enumerate() {
        let last = LAST[(number * 5) % LAST.len()];
        let email = format!("{first}.{last}@fair.example").to_lowercase();
        rows.push_str(&format!("{first},{last},{email},+1415555{:04},fair,Stand {number}\n", 7_000 + number));
    }
    rows.push_str("Walter,Nowak,walter at fair.example,,fair,\nNobody,Known,,,fair,left no address\n");
    rows
}

/// An import that was tried, and then made: the server works on both when it begins.
async fn files(app: &App, maria: &AgencyContext, location: LocationId) -> Result<(), Failure> {
    let context = app.enter_location(maria.authority().clone(), Some(location)).await?;
    for is_trial in [true, false] {
        let mapping = [("Notes".to_owned(), String::new())].into();
        let asked = ImportOptions { mapping, is_trial, ..ImportOptions::default() };
        let plan = asked.plan(rows().as_bytes(), &[]).map_err(|wrong| Failure::new(format!("{wrong:?}")))?;
        let (part, name, size) = ("file".to_owned(), Some("trade-fair.csv".to_owned()), rows().len() as u64);
        let file = NewFile { part, name, kind: None, size, bytes: Box::new(Cursor::new(rows())) };
        app.start_import(&context, NewImport { file, plan }).await?;
    }
    Ok(())
}

/// Contacts that somebody deleted.
async fn trash(app: &App, maria: &AgencyContext, locations: &[LocationId]) -> Result<(), Failure> {
    for location in locations {
        let context = app.enter_location(maria.authority().clone(), Some(*location)).await?;
        let oldest = ContactFilter { ascending: true, ..ContactFilter::default() };
        for contact in app.list_contacts(&context, oldest, Window::skip(20, 3)).await?.page.rows {
            app.delete_contact(&context, contact.id).await?;
        }
    }
    Ok(())
}

async fn contacts(
    app: &App,
    maria: &AgencyContext,
    location: LocationId,
    country: &str,
    numbers: Range<usize>,
) -> Result<(), Failure> {
    let context = app.enter_location(maria.authority().clone(), Some(location)).await?;
    let country = known(Country::parse(country))?;
    for number in numbers {
        let (first, last) = (FIRST[number % FIRST.len()], LAST[number / FIRST.len() % LAST.len()]);
        let tag = TAGS[number % TAGS.len()];
        let phone = format!("+1415555{:04}", number % 10_000);
        let new = ContactPatch {
            first_name: Some(Some(known(Line::parse(first))?)),
            last_name: Some(Some(known(Line::parse(last))?)),
            email: Some(Some(known(EmailAddress::parse(
                &format!("{first}.{last}{number}@example.com").to_lowercase(),
            ))?)),
            phone: if number % 3 == 0 { PhoneNumber::parse(&phone, country).ok().map(Some) } else { None },
            country: Some(Some(country)),
            source: Some(Some(known(Line::parse(if number % 2 == 0 { "web form" } else { "import" }))?)),
            tags: (number % 4 == 0).then(|| TagName::parse(tag).map(|tag| vec![tag])).transpose().unwrap_or_default(),
            ..ContactPatch::default()
        };
        let contact = app.create_contact(&context, new).await?;
        if number % 100 == 0 {
            let body = known(Prose::parse("Called; wants to be reminded before the next visit."))?;
            let content = NoteContent { body, title: None, color: None, pinned: false, user: None };
            app.create::<Note>(&context, contact.id, content).await?;
        }
    }
    Ok(())
}

async fn make(
    app: &App,
    authority: &Authority,
    (name, about): (&str, &str),
    reach: Reach,
    preset: Preset,
) -> Result<CreatedKey, Failure> {
    let kind = if reach.has_agency() { KeyKind::Agency } else { KeyKind::Location };
    let new = NewKey {
        name: known(KeyName::parse(name))?,
        about: KeyAbout { description: Some(known(KeyDescription::parse(about))?), ..KeyAbout::default() },
        grant: Grant {
            agency: authority.agency(),
            reach,
            scopes: preset.scopes(kind),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        },
        rate_limit: None,
        allowed_origins: keystead_model::origin::Origins::default(),
    };
    Ok(app.create_key(authority, new).await?)
}

/// Who sells, and where.
struct Selling<'l> {
    maria: Maria,
    owner: UserId,
    locations: &'l [LocationId],
}

/// How many days ago people asked for something.
const SOLD: [i64; 6] = [60, 33, 16, 8, 3, 1];

impl Selling<'_> {
    /// What people ask for so many days ago.
    async fn on(&self, app: &App, days_ago: i64) -> Result<(), Failure> {
        let Some(day) = SOLD.iter().position(|sold| *sold == days_ago) else { return Ok(()) };
        let maria = self.maria.now(app)?;
        for (location, trade) in self.locations.iter().zip(&crm::TRADES) {
            trade.sell(app, &maria, (*location, self.owner), day).await?;
        }
        Ok(())
    }
}

/// Keys that nobody uses any more, one at each step to its end, and one beyond.
async fn old_keys(app: &App, (story, selling): (&Story, &Selling<'_>)) -> Result<(), Failure> {
    let keys = [
        ("Trial of a calendar", "Nobody remembers", 0, 60),
        ("Spring campaign", "Landing page of the spring", 0, 120),
        ("Partner import", "Until the contract ended", 1, 180),
        ("Intern's script", "Counts contacts", 2, 0),
    ];
    let mut passed = 0;
    for (name, about, location, hours) in keys {
        let maria = Maria::comes(app).await?.now(app)?;
        let reach = Reach::location(selling.locations[location]);
        make(app, maria.authority(), (name, about), reach, Preset::Integration).await?;
        story.pass(app, hours).await?;
        passed += hours;
    }
    // Some ask for something before contacts come in day by day.
    for days_ago in (MONTH_DAYS as i64..STORY_DAYS - passed / 24).rev() {
        story.pass(app, 24).await?;
        selling.on(app, days_ago).await?;
    }
    Ok(())
}

/// Keys that programs have used for a month: they are older than that.
struct Working {
    marketing: CreatedKey,
    export: CreatedKey,
    widget: CreatedKey,
    reports: CreatedKey,
}

impl Working {
    async fn made(app: &App, locations: &[LocationId]) -> Result<Self, Failure> {
        let maria = Maria::comes(app).await?.now(app)?;
        let make = async |names: (&str, &str), reach: Reach, preset: Preset| -> Result<_, Failure> {
            make(app, maria.authority(), names, reach, preset).await
        };
        let at = |index: usize| Reach::location(locations[index]);
        Ok(Self {
            marketing: make(("Marketing Automation", "Keeps tags up to date"), at(0), Preset::WorkflowAutomation)
                .await?,
            export: make(("Nightly export", "Copies contacts to the warehouse"), at(1), Preset::ReadOnly).await?,
            widget: make(("Booking widget", "On the clinic's home page"), at(2), Preset::FormsIntake).await?,
            reports: make(("Agency reports", "Reads all locations"), Reach::Agency, Preset::ReadOnly).await?,
        })
    }
}

/// Keys in the stages of their lives.
async fn keys(app: &App, maria: &AgencyContext, (locations, working): (&[LocationId], Working)) -> Result<(), Failure> {
    let authority = maria.authority();
    let Working { marketing, export, widget, reports } = working;
    let make = async |name: &str, about: &str, reach: Reach, preset: Preset| -> Result<_, Failure> {
        make(app, authority, (name, about), reach, preset).await
    };
    let used = async |made: &CreatedKey,
                      (endpoint, scope): (&'static str, Scope),
                      agent: &str,
                      address: [u8; 4]|
           -> Result<(), Failure> {
        let facts = RequestFacts {
            id: RequestId::from_bits(1),
            address: address.into(),
            address_is_own: true,
            user_agent: Some(agent),
            endpoint,
            origin: None,
        };
        // A month of calls, more on some days, and in some hours, than on others.
        let secret = made.secret.as_ref().map_or("", |secret| secret.expose());
        let usage = app.authenticate(secret, &facts).await?.usage();
        let now = app.now();
        for day in 0..30i64 {
            for call in 0..20 + (day * 37 + secret.len() as i64 * 11) % 60 {
                let status = if (call + day) % 17 == 0 { 404 } else { 200 };
                let before = day * DAY_MS + (call * 7 + day) % 24 * HOUR_MS;
                usage.count(endpoint, Some(scope), status, UtcMs(now.0 - before));
            }
            // Now and then somebody tries an old secret, which is refused before it counts as a use.
            for _ in 0..(day * 5 + 2) % 3 {
                usage.count("refused", None, 0, UtcMs(now.0 - day * DAY_MS));
            }
        }
        Ok(())
    };
    let at = |index: usize| Reach::location(locations[index]);
    used(&marketing, ("POST /contacts", Scope::ContactsWrite), "n8n", [203, 0, 113, 7]).await?;
    used(&export, ("GET /contacts", Scope::ContactsRead), "export/2.1", [192, 0, 2, 44]).await?;
    let rotated = app.rotate_key(authority, export.key.id, None, Duration::from_secs(2 * 86_400)).await?;
    used(&rotated, ("GET /contacts", Scope::ContactsRead), "export/2.2", [192, 0, 2, 44]).await?;
    used(&widget, ("POST /contacts/upsert", Scope::ContactsIntake), "clinic-site/3", [198, 51, 100, 71]).await?;
    let about = KeyAboutPatch {
        labels: Some(known(KeyLabels::parse(["website", "leads"]))?),
        contact: Some(Some(known(EmailAddress::parse("web@pinestreet.example"))?)),
        ..KeyAboutPatch::default()
    };
    app.update_key(authority, widget.key.id, None, KeyPatch { about, ..KeyPatch::default() }).await?;
    let lost = make("Call centre", "Its laptop was lost", at(1), Preset::WorkflowAutomation).await?;
    app.replace_key(authority, lost.key.id, OldKeyEnds::FirstUse).await?;
    let old = make("Old website form", "Before the relaunch", at(2), Preset::FormsIntake).await?;
    app.deactivate_key(authority, old.key.id).await?;
    let gone = make("Zapier trial", "Was only tried out", at(0), Preset::Integration).await?;
    app.delete_key(authority, gone.key.id).await?;
    used(&reports, ("GET /locations/search", Scope::LocationsRead), "reports/1.0", [198, 51, 100, 20]).await?;
    Ok(())
}
