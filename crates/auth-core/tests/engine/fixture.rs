//! The fixture of the tests: an engine over the testkit's records, and helpers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::{
    Auth, AuthBuilder, AuthDenied, AuthPorts, AuthRequest, AuthSettings, AuthStore, Caller, DialectName, Error,
    IssuedTokens, LoginDenied, LoginIdentity, LoginRequest, LoginSecret, MasterKey, QueueLimits, RefreshRequest,
    RefreshTerms, RequestCredentials, Session, Tenancy, Terms, TokenDenied,
};
use tillgate_domain::office::{AuditContext, DeviceRolesChange, Office, OfficeError, OfficePorts};
use tillgate_domain::{
    Action, Actor, Authority, DeviceId, DeviceStatus, Email, Environment, Event, EventId, Instant, PrincipalId, Rank,
    Secret, SessionId, Store, StoreExt, StoreResult, User, UserId, UserStatus, Zone,
};
use tillgate_test_store::TestStore;
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::{Fixture, FixtureBuilder, ManualClock, PlainHasher, SeededEntropy};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const OVERLAP: Duration = Duration::from_mins(2);

/// The password of every principal with this name.
pub(crate) fn password_of(name: &str) -> String {
    format!("the password of {name}")
}

/// Terms with a rotating refresh token.
pub(crate) fn terms() -> Terms {
    Terms {
        access: 15 * MINUTE,
        refresh: Some(RefreshTerms { idle: Some(12 * HOUR), overlap: Some(OVERLAP), first_reusable: false }),
        absolute: None,
        midnight: false,
        exchange_overlap: None,
        office: None,
    }
}

pub(crate) fn native() -> DialectName {
    DialectName::new("native")
}

pub(crate) fn address(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

/// Random bytes that no other engine of this test uses.
pub(crate) fn next_entropy() -> Arc<dyn Entropy> {
    static SEEDS: AtomicU64 = AtomicU64::new(1);
    Arc::new(SeededEntropy::from_seed(SEEDS.fetch_add(1, Ordering::Relaxed)))
}

/// An engine over the demo's shop, with additional users: `trainee` is pending, `robot` is virtual,
/// `driver` may use P02 only. The tenant `market` in Kuala Lumpur also has a `cashier` and a `P01`.
pub(crate) struct EngineFixture {
    pub(crate) store: Arc<TestStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hasher: Arc<PlainHasher>,
    /// The records of the tenant `default`.
    pub(crate) records: Fixture,
    /// The records of the tenant `market`.
    pub(crate) market: Fixture,
    pub(crate) master: MasterKey,
    pub(crate) auth: Arc<Auth>,
}

impl EngineFixture {
    pub(crate) fn open() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: AuthSettings) -> Self {
        Self::over(TestStore::new(), settings)
    }

    /// An engine over a store with a clock of its own, which is the engine's clock until the test
    /// sets another one.
    pub(crate) fn with_store_clock() -> Self {
        let fixture = Self::over(TestStore::new_with_clock(), settings());
        fixture.store.set_clock(fixture.clock.clone());
        fixture
    }

    fn over(store: TestStore, settings: AuthSettings) -> Self {
        let store = Arc::new(store);
        let (records, market) = insert_records(&store);
        let (clock, hasher) = (Arc::new(ManualClock::default()), Arc::new(PlainHasher::default()));
        store.follow_clock(clock.clone());
        let master = MasterKey::generate(&*next_entropy()).unwrap();
        let auth = builder(store.clone(), &clock, &hasher).master(master.clone()).settings(settings).build().unwrap();
        Self { store, clock, hasher, records, market, master, auth }
    }

    /// An engine of another process over the same data.
    pub(crate) fn process(&self) -> Arc<Auth> {
        self.process_over(Arc::new(self.store.share_with_process()))
    }

    pub(crate) fn process_over(&self, store: Arc<dyn AuthStore>) -> Arc<Auth> {
        builder(store, &self.clock, &self.hasher).master(self.master.clone()).build().unwrap()
    }

    pub(crate) fn auth_store(&self) -> &dyn Store<AuthPorts> {
        &*self.store
    }

    pub(crate) fn office_store(&self) -> &dyn Store<OfficePorts> {
        &*self.store
    }

    /// Logs in the user with this name, on a device or without one.
    pub(crate) fn user(&self, name: &str, device: Option<&str>) -> IssuedTokens {
        self.auth.login(&by_user(name, device)).unwrap()
    }

    /// Logs in the device with this name as itself.
    pub(crate) fn device(&self, name: &str) -> IssuedTokens {
        self.auth.login(&by_device(name)).unwrap()
    }

    pub(crate) fn suspend(&self, user: UserId) {
        status(self.office_store(), &self.records, user, UserStatus::Suspended);
    }

    pub(crate) fn lock(&self, device: DeviceId) {
        let stamp = stamp(CLOCK_START);
        done(
            Office::new(self.office_store(), self.records.tenant.id, stamp.clone())
                .set_device_status(device, DeviceStatus::Locked),
        );
    }

    pub(crate) fn set_password(&self, principal: PrincipalId, password: &str) {
        let (stamp, verifier) = (stamp(CLOCK_START), PlainHasher::verifier(password));
        done(
            Office::new(self.office_store(), self.records.tenant.id, stamp.clone()).set_password(principal, &verifier),
        );
    }

    /// Assigns other roles without a device to a user.
    pub(crate) fn assign(&self, user: UserId, roles: &[&str]) {
        assign(self.office_store(), &self.records, user, roles);
    }

    pub(crate) fn session(&self, id: SessionId) -> Session {
        self.auth_store().read("test", |tx| tx.sessions().find(id)).unwrap().unwrap().session
    }

    /// The number of sessions in the store.
    pub(crate) fn sessions(&self) -> usize {
        self.auth.list_all_sessions(&tillgate_auth_core::ports::SessionFilter::default(), None, 200).unwrap().len()
    }

    /// The audit events with this action.
    pub(crate) fn audit_events(&self, action: Action) -> Vec<Event> {
        self.store.audit_events().into_iter().filter(|event| event.action == action).collect()
    }
}

pub(crate) fn settings() -> AuthSettings {
    AuthSettings {
        queue: QueueLimits { workers: NonZeroUsize::new(1), ..QueueLimits::default() },
        ..AuthSettings::default()
    }
}

pub(crate) fn builder(store: Arc<dyn AuthStore>, clock: &Arc<ManualClock>, hasher: &Arc<PlainHasher>) -> AuthBuilder {
    Auth::builder(store)
        .settings(settings())
        .clock(clock.clone())
        .entropy(next_entropy())
        .hasher(hasher.clone())
        .without_maintenance()
}

/// The demo's shop with further users, and the tenant `market`.
fn insert_records(store: &TestStore) -> (Fixture, Fixture) {
    let verifier = |name: &str| Some(PlainHasher::verifier(&password_of(name)));
    let mut demo = Fixture::demo(CLOCK_START);
    for (name, change) in [
        ("trainee", (|user| user.status = UserStatus::Pending) as fn(&mut User)),
        ("robot", |user| user.feature = Some("kiosk".to_owned())),
        ("driver", |user| user.assignment.office.clear()),
    ] {
        demo = demo.user_with(name, Rank::Cashier, |user| {
            user.email = None;
            change(user);
        });
    }
    let mut fixture = demo.user_passwords(verifier).device_passwords(verifier).build();
    let p02 = fixture.device("P02").id;
    let driver = fixture.users.last_mut().unwrap();
    driver.assignment.devices.retain(|device, _| *device == p02);
    fixture.insert_into(store).unwrap();
    let market = FixtureBuilder::other_tenant(CLOCK_START, 1, "market")
        .tenant_with(|tenant| tenant.zone = Zone::parse("Asia/Kuala_Lumpur").unwrap())
        .device("P01", Environment::CashRegister)
        .user_with("cashier", Rank::Cashier, |user| {
            user.email = Email::parse("cashier@market.example").ok();
            user.assignment.office.clear();
            user.assignment.devices.values_mut().for_each(BTreeSet::clear);
        })
        .user_passwords(|_| Some(PlainHasher::verifier("the market's password")))
        .build();
    market.insert_into(store).unwrap();
    (fixture, market)
}

/// Unwraps the result of a use case of the back office.
pub(crate) fn done<T>(decided: StoreResult<Result<T, OfficeError>>) -> T {
    decided.unwrap().unwrap()
}

pub(crate) fn stamp(at: Instant) -> AuditContext {
    AuditContext {
        at,
        event_id: EventId::new(at, next_entropy().random_bytes().unwrap()),
        actor: Actor::default(),
        authority: Authority::Host,
        os_user: None,
    }
}

pub(crate) fn status(office: &dyn Store<OfficePorts>, records: &Fixture, user: UserId, status: UserStatus) {
    done(Office::new(office, records.tenant.id, stamp(CLOCK_START)).set_user_status(user, status));
}

pub(crate) fn assign(office: &dyn Store<OfficePorts>, records: &Fixture, user: UserId, roles: &[&str]) {
    let roles = roles.iter().map(|role| tillgate_domain::RoleName::parse(role).unwrap()).collect();
    done(Office::new(office, records.tenant.id, stamp(CLOCK_START)).assign_roles(
        user,
        Some(roles),
        DeviceRolesChange::Keep,
    ));
}

pub(crate) fn by_user(name: &str, device: Option<&str>) -> LoginRequest {
    let person = name.split('@').next().unwrap_or_default();
    LoginRequest {
        dialect: native(),
        terms: terms(),
        tenancy: Tenancy::default(),
        identity: LoginIdentity::User { login: name.to_owned(), device: device.map(str::to_owned) },
        secret: LoginSecret::Password(Secret::new(password_of(person))),
        proven_key: None,
        min_rank: None,
        requires_office_right: false,
        previous_refresh_tokens: Vec::new(),
        reports_password_change: false,
        address: address(1),
    }
}

pub(crate) fn by_device(name: &str) -> LoginRequest {
    let who = LoginIdentity::Device { device: name.to_owned() };
    LoginRequest {
        identity: who,
        secret: LoginSecret::Password(Secret::new(password_of(name))),
        ..by_user("nobody", None)
    }
}

pub(crate) fn with_password(login: LoginRequest, password: &str) -> LoginRequest {
    LoginRequest { secret: LoginSecret::Password(Secret::new(password.to_owned())), ..login }
}

pub(crate) fn presented<'a>(token: &'a str, dialect: &'a DialectName) -> AuthRequest<'a> {
    AuthRequest { credentials: RequestCredentials::Bearer(token), dialect, tenant: None, address: address(1) }
}

/// Authenticates a request with this access token.
pub(crate) fn call(auth: &Auth, token: &str) -> Result<Caller, Error> {
    auth.authenticate(&presented(token, &native()))
}

/// Authenticates a request with the access token of these tokens.
pub(crate) fn authenticate(auth: &Auth, granted: &IssuedTokens) -> Result<Caller, Error> {
    call(auth, granted.access_token.expose())
}

pub(crate) fn refreshing<'a>(token: &'a str, dialect: &'a DialectName) -> RefreshRequest<'a> {
    RefreshRequest { address: address(1), ..RefreshRequest::new(dialect, token) }
}

/// The refresh token of these tokens.
pub(crate) fn token(granted: &IssuedTokens) -> &str {
    granted.refresh_token.as_ref().unwrap().expose()
}

/// Refreshes with the refresh token of these tokens.
pub(crate) fn refresh(auth: &Auth, granted: &IssuedTokens) -> Result<IssuedTokens, Error> {
    refresh_from(auth, granted, address(1))
}

pub(crate) fn refresh_from(auth: &Auth, granted: &IssuedTokens, from: Option<IpAddr>) -> Result<IssuedTokens, Error> {
    auth.refresh(&RefreshRequest { address: from, ..refreshing(token(granted), &native()) })
}

/// Asserts that a token was denied, and returns why.
pub(crate) fn login_refused<T: std::fmt::Debug>(result: Result<T, Error>) -> LoginDenied {
    match result.unwrap_err() {
        Error::Denied(AuthDenied::Login(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn token_refused<T: std::fmt::Debug>(result: Result<T, Error>) -> TokenDenied {
    match result.unwrap_err() {
        Error::Denied(AuthDenied::Token(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn unavailable<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result.unwrap_err(), Error::Unavailable { .. })
}
