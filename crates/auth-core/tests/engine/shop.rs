//! The world that the cases are about, with an engine over it, and the words that they are told in.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::{
    Auth, AuthStore, AuthView, Builder, Caller, Dialect, Error, Evidence, Granted, Login, LoginRefusal, MasterKey,
    Memory, Presented, Proof, QueueLimits, Refresh, Refreshing, Refusal, Session, Settings, Tenancy, Terms,
    TokenRefusal, Who,
};
use tillgate_domain::office::{self, Authority, DeviceRoles, OfficeView, Refused, Stamp};
use tillgate_domain::{
    Action, Actor, Device, DeviceId, DeviceStatus, Event, EventId, Instant, PrincipalId, Secret, SessionId, Store,
    StoreExt, Stored, Tenant, User, UserId, UserName, UserStatus, Zone,
};
use tillgate_testkit::clock::MORNING;
use tillgate_testkit::world::Verifiers;
use tillgate_testkit::{CountedEntropy, ManualClock, Roster, World, enroll};

use crate::hasher::Plain;

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const OVERLAP: Duration = Duration::from_mins(2);

/// The password of everybody of this name.
pub(crate) fn password_of(name: &str) -> String {
    format!("the password of {name}")
}

/// Terms with a rotating refresh token.
pub(crate) fn terms() -> Terms {
    Terms {
        access: 15 * MINUTE,
        refresh: Some(Refresh { idle: Some(12 * HOUR), overlap: Some(OVERLAP), first_reusable: false }),
        absolute: None,
        midnight: false,
        exchange_overlap: None,
    }
}

pub(crate) fn native() -> Dialect {
    Dialect::new("native")
}

pub(crate) fn address(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

/// Chance that no other engine of this test has drawn.
pub(crate) fn chance() -> Arc<dyn Entropy> {
    static SEEDS: AtomicU64 = AtomicU64::new(1);
    Arc::new(CountedEntropy::of(SEEDS.fetch_add(1, Ordering::Relaxed)))
}

/// A shop with more people than its own: `trainee` is pending, `robot` virtual, `driver` may use P02 alone; tenant `market` in
/// Kuala Lumpur has a `cashier` and a `P01` too.
pub(crate) struct Shop {
    pub(crate) memory: Arc<Memory>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hasher: Arc<Plain>,
    pub(crate) world: World,
    pub(crate) market: Tenant,
    pub(crate) master: MasterKey,
    pub(crate) auth: Arc<Auth>,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let memory = Arc::new(Memory::new());
        let (world, market) = populate(&memory);
        let (clock, hasher) = (Arc::new(ManualClock::default()), Arc::new(Plain::default()));
        let master = MasterKey::draw(&*chance()).unwrap();
        let auth = builder(memory.clone(), &clock, &hasher).master(master.clone()).settings(settings).build().unwrap();
        Self { memory, clock, hasher, world, market, master, auth }
    }

    /// An engine over a store of the same data, as another process has it.
    pub(crate) fn process(&self) -> Arc<Auth> {
        self.process_over(Arc::new(self.memory.process()))
    }

    pub(crate) fn process_over(&self, store: Arc<dyn AuthStore>) -> Arc<Auth> {
        builder(store, &self.clock, &self.hasher).master(self.master.clone()).build().unwrap()
    }

    pub(crate) fn auth_store(&self) -> &dyn Store<AuthView> {
        &*self.memory
    }

    pub(crate) fn office(&self) -> &dyn Store<OfficeView> {
        &*self.memory
    }

    /// Logs a user of that name in, on a device or in the office.
    pub(crate) fn user(&self, name: &str, device: Option<&str>) -> Granted {
        self.auth.login(&by_user(name, device)).unwrap()
    }

    /// Logs the device of that name in as itself.
    pub(crate) fn device(&self, name: &str) -> Granted {
        self.auth.login(&by_device(name)).unwrap()
    }

    pub(crate) fn suspend(&self, user: UserId) {
        status(self.office(), &self.world, user, UserStatus::Suspended);
    }

    pub(crate) fn lock(&self, device: DeviceId) {
        let stamp = stamp(MORNING);
        done(office::set_device_status(self.office(), self.world.tenant.id, &stamp, device, DeviceStatus::Locked));
    }

    pub(crate) fn set_password(&self, principal: PrincipalId, password: &str) {
        let (stamp, verifier) = (stamp(MORNING), Plain::verifier(password));
        done(office::set_password(self.office(), self.world.tenant.id, &stamp, principal, &verifier));
    }

    /// Gives a user other roles in the office.
    pub(crate) fn assign(&self, user: UserId, roles: &[&str]) {
        assign(self.office(), &self.world, user, roles);
    }

    pub(crate) fn session(&self, id: SessionId) -> Session {
        self.auth_store().read(|tx| tx.sessions().find(id)).unwrap().unwrap().session
    }

    /// How many sessions the store has.
    pub(crate) fn sessions(&self) -> usize {
        self.auth.all_sessions(&tillgate_auth_core::ports::SessionFilter::default(), None, 200).unwrap().len()
    }

    /// The lines of the audit that tell of this.
    pub(crate) fn told(&self, action: Action) -> Vec<Event> {
        self.memory.audit().into_iter().filter(|event| event.action == action).collect()
    }
}

pub(crate) fn settings() -> Settings {
    Settings { queue: QueueLimits { workers: NonZeroUsize::new(1), ..QueueLimits::default() }, ..Settings::default() }
}

pub(crate) fn builder(store: Arc<dyn AuthStore>, clock: &Arc<ManualClock>, hasher: &Arc<Plain>) -> Builder {
    Auth::builder(store)
        .settings(settings())
        .clock(clock.clone())
        .entropy(chance())
        .hasher(hasher.clone())
        .without_chores()
}

fn populate(memory: &Memory) -> (World, Tenant) {
    let verifier = |name: &str| Some(Plain::verifier(&password_of(name)));
    let world = World::populate(memory, MORNING, &Verifiers { user: &verifier, device: &verifier }).unwrap();
    let user = |number, name: &str| User {
        id: UserId::new(MORNING, [number; 10]),
        name: UserName::parse(name).unwrap(),
        email: None,
        ..world.cashier.clone()
    };
    let mut trainee = user(50, "trainee");
    trainee.status = UserStatus::Pending;
    let mut robot = user(51, "robot");
    robot.feature = Some("kiosk".to_owned());
    let mut driver = user(52, "driver");
    driver.assignment.office.clear();
    driver.assignment.devices.retain(|device, _| *device == world.p02.id);
    let market = Tenant {
        id: tillgate_domain::TenantId::new(MORNING, [60; 10]),
        slug: tillgate_domain::Slug::parse("market").unwrap(),
        zone: Zone::parse("Asia/Kuala_Lumpur").unwrap(),
        ..world.tenant.clone()
    };
    let far = Device { id: DeviceId::new(MORNING, [61; 10]), tenant: market.id, ..world.p01.clone() };
    let mut namesake = user(62, "cashier");
    namesake.tenant = market.id;
    namesake.email = tillgate_domain::Email::parse("cashier@market.example").ok();
    namesake.assignment.office.clear();
    namesake.assignment.devices = [(far.id, [].into())].into();
    let passwords = |user: &User, password: &str| (PrincipalId::User(user.id), Plain::verifier(password), MORNING);
    let roster = Roster {
        tenants: vec![market.clone()],
        roles: Vec::new(),
        devices: vec![far],
        passwords: vec![
            passwords(&trainee, &password_of("trainee")),
            passwords(&robot, &password_of("robot")),
            passwords(&driver, &password_of("driver")),
            passwords(&namesake, "the market's password"),
        ],
        users: vec![trainee, robot, driver, namesake],
    };
    enroll(memory, &roster).unwrap();
    (world, market)
}

/// A use case of the back office went well.
pub(crate) fn done<T>(decided: Stored<Result<T, Refused>>) -> T {
    decided.unwrap().unwrap()
}

pub(crate) fn stamp(at: Instant) -> Stamp {
    Stamp {
        at,
        event: EventId::new(at, chance().draw().unwrap()),
        actor: Actor::default(),
        authority: Authority::Host,
        shell: None,
    }
}

pub(crate) fn status(office: &dyn Store<OfficeView>, world: &World, user: UserId, status: UserStatus) {
    done(office::set_user_status(office, world.tenant.id, &stamp(MORNING), user, status));
}

pub(crate) fn assign(office: &dyn Store<OfficeView>, world: &World, user: UserId, roles: &[&str]) {
    let roles = roles.iter().map(|role| tillgate_domain::RoleName::parse(role).unwrap()).collect();
    done(office::assign_roles(office, world.tenant.id, &stamp(MORNING), user, Some(roles), DeviceRoles::Keep));
}

pub(crate) fn by_user(name: &str, device: Option<&str>) -> Login {
    let person = name.split('@').next().unwrap_or_default();
    Login {
        dialect: native(),
        terms: terms(),
        tenancy: Tenancy::default(),
        who: Who::User { login: name.to_owned(), device: device.map(str::to_owned) },
        proof: Proof::Password(Secret::new(password_of(person))),
        least: None,
        previous: Vec::new(),
        reports_password_change: false,
        address: address(1),
    }
}

pub(crate) fn by_device(name: &str) -> Login {
    let who = Who::Device { device: name.to_owned() };
    Login { who, proof: Proof::Password(Secret::new(password_of(name))), ..by_user("nobody", None) }
}

pub(crate) fn with_password(login: Login, password: &str) -> Login {
    Login { proof: Proof::Password(Secret::new(password.to_owned())), ..login }
}

pub(crate) fn presented<'a>(token: &'a str, dialect: &'a Dialect) -> Presented<'a> {
    Presented {
        evidence: Evidence::Bearer(token),
        dialect,
        tenant: None,
        method: "GET",
        target: "/",
        body: None,
        address: address(1),
    }
}

/// Authenticates a request with this access token.
pub(crate) fn call(auth: &Auth, token: &str) -> Result<Caller, Error> {
    auth.authenticate(&presented(token, &native()))
}

/// Authenticates a request with the access token of what was granted.
pub(crate) fn used(auth: &Auth, granted: &Granted) -> Result<Caller, Error> {
    call(auth, granted.access_token.expose())
}

pub(crate) fn refreshing<'a>(token: &'a str, dialect: &'a Dialect) -> Refreshing<'a> {
    Refreshing { address: address(1), ..Refreshing::new(dialect, token) }
}

/// The refresh token of what was granted.
pub(crate) fn token(granted: &Granted) -> &str {
    granted.refresh_token.as_ref().unwrap().expose()
}

/// Refreshes with the refresh token of what was granted.
pub(crate) fn refreshed(auth: &Auth, granted: &Granted) -> Result<Granted, Error> {
    refreshed_from(auth, granted, address(1))
}

pub(crate) fn refreshed_from(auth: &Auth, granted: &Granted, from: Option<IpAddr>) -> Result<Granted, Error> {
    auth.refresh(&Refreshing { address: from, ..refreshing(token(granted), &native()) })
}

/// What was refused, and nothing else is told apart from it.
pub(crate) fn login_refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> LoginRefusal {
    match answer.unwrap_err() {
        Error::Refused(Refusal::Login(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn token_refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> TokenRefusal {
    match answer.unwrap_err() {
        Error::Refused(Refusal::Token(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn unavailable<T: std::fmt::Debug>(answer: Result<T, Error>) -> bool {
    matches!(answer.unwrap_err(), Error::Unavailable { .. })
}
