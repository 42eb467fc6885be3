//! An instance in this process, with an agency, a location and an admin.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use keystead_core::{
    AgencyContext, App, Authority, Clock, Credentials, Entropy, InstanceSecret, KeyCaller, Limits, RequestFacts,
    RequestId, Setup, SetupOutcome, TestClock,
};
use keystead_model::{
    KeyId, LocationId, UtcMs,
    agency::TenantName,
    api_key::{KeyAbout, KeyName, NewKey},
    grant::{Grant, Reach},
    ip_range::IpRanges,
    key_kind::KeyKind,
    location::LocationProfile,
    scope::{Preset, ScopeSet},
    text::EmailAddress,
};
use keystead_server::{config::Config, serve::Server};
use keystead_store::{Database, Options, Store, Tx, service_clock};
use reqwest::Method;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{Call, TestDatabase};

/// The admin of every test instance.
pub const ADMIN_EMAIL: &str = "admin@northwind.example";
/// The admin's password.
pub const ADMIN_PASSWORD: &str = "correct horse battery";

/// Wednesday, 25 November 2026, noon in UTC.
pub(crate) const START: UtcMs = UtcMs(1_795_608_000_000);

/// A running instance that ends with its test.
pub struct TestApp {
    /// Where it listens.
    pub address: SocketAddr,
    /// The application behind the doors.
    pub app: App,
    /// The clock; nothing else moves it.
    pub clock: TestClock,
    /// Agency, location and admin.
    pub ids: SetupOutcome,
    pub(crate) client: reqwest::Client,
    /// The database and the data directory.
    pub database: TestDatabase,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// A key and its secret.
#[derive(Clone, Debug)]
pub struct TestKey {
    /// Public id.
    pub id: KeyId,
    /// The whole text.
    pub secret: String,
}

impl TestApp {
    /// An instance that is set up.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same with another configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = TestClock::at(START);
        let database = TestDatabase::with_schema().await;
        let mut config = config_of(&database);
        change(&mut config);
        let server = Server::bind(&config, Clock::Test(clock.clone()), Entropy::System).await.expect("an instance");
        let app = server.app().clone();
        let ids = app
            .set_up(Setup {
                agency: TenantName::parse("Northwind Agency").expect("a name"),
                location: LocationProfile::named(TenantName::parse("Harbour Dental").expect("a name")),
                admin_email: EmailAddress::parse(ADMIN_EMAIL).expect("an address"),
                admin_names: (None, None),
                admin_password: ADMIN_PASSWORD.to_owned(),
            })
            .await
            .expect("set up");
        Self::run(server, app, clock, ids, database)
    }

    fn run(server: Server, app: App, clock: TestClock, ids: SetupOutcome, database: TestDatabase) -> Self {
        let address = server.address().expect("an address");
        let (stop, stopped) = oneshot::channel();
        #[expect(clippy::disallowed_methods, reason = "the server under test")]
        let server = tokio::spawn(async move {
            server.run(async { drop(stopped.await) }).await.expect("a clean end");
        });
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self { address, app, clock, ids, client, database, stop: Some(stop), server: Some(server) }
    }

    /// Stops the server as SIGTERM does; it may go on for a while.
    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops the server as SIGTERM does, and waits for its end.
    pub async fn stop(&mut self) {
        self.begin_stop();
        if let Some(server) = self.server.take() {
            // The test's own handle would keep the database open.
            server.await.expect("a clean end");
        }
    }

    /// The operator, as on the command line.
    pub async fn operator(&self) -> AgencyContext {
        self.app.operator_in(self.ids.agency).await.expect("the agency")
    }

    /// The agency's admin, who has just signed in.
    pub async fn admin(&self) -> Authority {
        self.member(ADMIN_EMAIL, ADMIN_PASSWORD).await
    }

    /// A member, who has just signed in.
    pub async fn member(&self, email: &str, password: &str) -> Authority {
        let signed_in = self
            .app
            .sign_in(Credentials { email, password, agency: None, browser: None }, &facts())
            .await
            .expect("a sign-in");
        self.app.authority_of(&signed_in, &facts())
    }

    /// A key with full access to the location.
    pub async fn location_key(&self) -> TestKey {
        self.key(Reach::location(self.ids.location), Preset::FullAccess).await
    }

    /// A key with full access to the agency.
    pub async fn agency_key(&self) -> TestKey {
        self.key(Reach::Agency, Preset::FullAccess).await
    }

    /// A key with a preset.
    pub async fn key(&self, reach: Reach, preset: Preset) -> TestKey {
        let kind = if reach.has_agency() { KeyKind::Agency } else { KeyKind::Location };
        self.key_with(reach, preset.scopes(kind), |_| {}).await
    }

    /// A key with these scopes, changed as wanted.
    pub async fn key_with(&self, reach: Reach, scopes: ScopeSet, change: impl FnOnce(&mut NewKey)) -> TestKey {
        self.key_by(self.operator().await.authority(), reach, scopes, change).await
    }

    /// A key that somebody makes, changed as wanted.
    pub async fn key_by(
        &self,
        authority: &Authority,
        reach: Reach,
        scopes: ScopeSet,
        change: impl FnOnce(&mut NewKey),
    ) -> TestKey {
        let mut new = NewKey {
            name: KeyName::parse("A test").expect("a name"),
            about: KeyAbout::default(),
            grant: Grant { agency: self.ids.agency, reach, scopes, allowed_ips: IpRanges::default(), expires_at: None },
            rate_limit: None,
            allowed_origins: keystead_model::origin::Origins::default(),
        };
        change(&mut new);
        let made = self.app.create_key(authority, new).await.expect("a key");
        TestKey { id: made.key.id, secret: made.secret.as_ref().unwrap().expose().to_owned() }
    }

    /// Another location of the agency.
    pub async fn location(&self, name: &str) -> LocationId {
        let profile = LocationProfile::named(TenantName::parse(name).expect("a name"));
        self.app.create_location(&self.operator().await, profile).await.expect("a location").id
    }

    /// `http://127.0.0.1:…/path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A PUT.
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// A PATCH.
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Any request.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call(self.client.request(method, self.url(path)))
    }

    /// Days pass on all clocks, without the minute-by-minute ticks between: service time is set as they would set it.
    pub async fn let_days_pass(&self, days: f64) {
        let milliseconds = (days * 86_400_000.0) as i64;
        self.clock.advance(Duration::from_millis(milliseconds.unsigned_abs()));
        let store = self.second_store();
        store.write_serial(move |tx| service_clock::pass(tx, milliseconds, 1)).await.expect("time passes");
        self.app.poll_changes().await.expect("a poll");
    }

    /// Connections of their own to the same database, as another process has them.
    pub fn second_store(&self) -> Store {
        Store::open(&self.database.database, &Options::default()).expect("the database")
    }

    /// A second node on the same database.
    pub async fn second_node(&self) -> App {
        self.node_on(&self.database.database).await
    }

    /// A node on a database that has this instance's secret, a copy for example.
    pub async fn node_on(&self, database: &Database) -> App {
        self.node_over(Store::open(database, &Options::default()).expect("the database")).await
    }

    /// A node that shares its connections with the test.
    pub async fn node_over(&self, store: Store) -> App {
        let secret = std::fs::read_to_string(self.database.folder.join("instance-secret")).expect("the secret");
        let secret = InstanceSecret::parse(&secret).expect("the secret");
        let clock = Clock::Test(self.clock.clone());
        App::open(store, secret, clock, Entropy::System, Limits::default(), None).await.expect("a node")
    }

    /// Runs a statement past all rules, as a test's damage or the passing of time.
    pub async fn sql(&self, statement: &str) {
        let store = self.second_store();
        let statement = statement.to_owned();
        store
            .write_serial::<_, keystead_store::Error, _>(move |tx| tx.execute(&statement, &[]))
            .await
            .expect("a statement");
    }

    /// The one number that a query answers.
    pub async fn number(&self, query: &str) -> i64 {
        let query = query.to_owned();
        let read = move |tx: &mut Tx<'_>| tx.query_one(&query, &[], |row| row.column());
        self.second_store().read::<_, keystead_store::Error, _>(read).await.expect("a number")
    }

    /// Service time passes: the clocks move, and the service clock ticks every minute of it.
    pub async fn let_service_time_pass(&self, length: Duration) {
        let mut left = length;
        while !left.is_zero() {
            let step = left.min(Duration::from_secs(61));
            self.clock.advance(step);
            self.app.tick_service_clock().await.expect("a tick");
            self.app.poll_changes().await.expect("a poll");
            left -= step;
        }
    }
}

/// Verifies a key at a node, without a request.
pub async fn authenticate(node: &App, key: &TestKey) -> keystead_core::Result<KeyCaller> {
    node.authenticate(&key.secret, &facts()).await
}

/// A request from this machine.
fn facts() -> RequestFacts<'static> {
    RequestFacts {
        id: RequestId::from_bits(1),
        address: IpAddr::from([127, 0, 0, 1]),
        address_is_own: true,
        user_agent: Some("test/1.0"),
        endpoint: "GET /api-keys/self",
        origin: None,
    }
}

/// The configuration of a test instance.
fn config_of(database: &TestDatabase) -> Config {
    Config {
        data_dir: database.folder.clone(),
        database: database.database.clone(),
        secret_file: database.folder.join("instance-secret"),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..keystead_server::config::Options::default().resolve().expect("the defaults")
    }
}
