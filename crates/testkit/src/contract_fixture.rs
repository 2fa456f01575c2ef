//! The records on which the contract's cases work: two tenants with users, devices, roles and
//! sessions.

use std::time::Duration;

use tillgate_auth_core::ports::{KeyKind, KeyState, Rotation, StoredKey};
use tillgate_auth_core::{AuthTx, AuthenticationInfo, DialectName, Epochs, RefreshTerms, Session, SessionKind, Terms};
use tillgate_domain::office::{AuditContext, OfficeTx};
use tillgate_domain::{
    Action, Actor, Assignment, Authority, BranchId, Device, DeviceId, DeviceStatus, Email, Environment, Event, EventId,
    EventOutcome, Instant, KeyId, Locale, NodeId, PrincipalId, Rank, Role, RoleId, Secret, SessionId, StoreExt,
    StoreResult, Subject, Tenant, TenantId, User, UserId, UserStatus, Zone,
};

use crate::{AuthStoreHarness, Roster, StoreHarness, records};

/// The instant at which every record of the fixture was created.
pub(crate) const FIXTURE_START: Instant = Instant::from_millis(1_790_000_000_000);

/// The instant `seconds` after [`FIXTURE_START`].
pub(crate) fn after_start(seconds: u64) -> Instant {
    FIXTURE_START.saturating_add(Duration::from_secs(seconds))
}

/// The random bytes of the id with this number. Each kind of record uses its own range of numbers,
/// so no two ids are equal.
fn id_bytes(number: u8) -> [u8; 10] {
    [number; 10]
}

pub(crate) fn session_id(number: u8) -> SessionId {
    SessionId::new(after_start(u64::from(number)), id_bytes(number))
}

pub(crate) fn key_id(number: u8) -> KeyId {
    KeyId::new(FIXTURE_START, id_bytes(number))
}

pub(crate) fn node_id(number: u8) -> NodeId {
    NodeId::new(FIXTURE_START, id_bytes(number))
}

pub(crate) fn user_id(number: u8) -> UserId {
    UserId::new(FIXTURE_START, id_bytes(number))
}

pub(crate) fn device_id(number: u8) -> DeviceId {
    DeviceId::new(FIXTURE_START, id_bytes(number + 100))
}

pub(crate) fn tenant_id(number: u8) -> TenantId {
    TenantId::new(FIXTURE_START, id_bytes(number + 150))
}

pub(crate) fn role_id(number: u8) -> RoleId {
    RoleId::new(FIXTURE_START, id_bytes(number + 200))
}

pub(crate) fn hash_requested_password(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// A tenant with this number and slug.
pub(crate) fn new_tenant(number: u8, slug: &str, zone: &str) -> Tenant {
    let branch = BranchId::new(FIXTURE_START, id_bytes(number));
    Tenant {
        name: format!("The {slug} shop"),
        zone: Zone::parse(zone).unwrap(),
        locale: Locale::parse("sk-SK").unwrap(),
        ..records::new_tenant(tenant_id(number), branch, slug, FIXTURE_START)
    }
}

/// An active user without roles.
pub(crate) fn new_user(number: u8, tenant: TenantId, name: &str, email: Option<&str>) -> User {
    User {
        email: email.map(|email| Email::parse(email).unwrap()),
        display_name: format!("{name} of the shop"),
        ..records::new_user(user_id(number), tenant, name, FIXTURE_START)
    }
}

/// An active device of the environment `CashRegister`.
pub(crate) fn new_device(number: u8, tenant: TenantId, name: &str) -> Device {
    records::new_device(device_id(number), tenant, name, FIXTURE_START)
}

pub(crate) fn new_role(number: u8, tenant: TenantId, rank: Rank) -> Role {
    rank.to_role(role_id(number), tenant).unwrap()
}

/// A key of the server.
pub(crate) fn new_key(number: u8, kind: KeyKind, state: KeyState) -> StoredKey {
    StoredKey {
        id: key_id(number),
        kind,
        algorithm: "EdDSA".into(),
        state,
        wrapped_secret: vec![0, 255, number],
        public: (kind == KeyKind::Signing).then(|| vec![number; 32]),
        created_at: after_start(u64::from(number)),
        state_since: after_start(u64::from(number)),
    }
}

/// An audit event: a login of Anna on the till.
pub(crate) fn new_event(number: u8, when: Instant) -> Event {
    Event {
        id: EventId::new(when, id_bytes(number)),
        at: when,
        tenant: Some(tenant_id(1)),
        actor: Actor {
            user: Some(user_id(1)),
            device: Some(device_id(1)),
            session: None,
            address: "10.0.0.7".parse().ok(),
        },
        action: Action::Login,
        subject: Subject::User(user_id(1)),
        outcome: EventOutcome::Done,
        details: serde_json::Map::from_iter([("attempt".to_owned(), serde_json::json!(2))]),
        approver: None,
    }
}

/// The records that [`insert_into`](Self::insert_into) stores. All other numbers are free.
pub(crate) struct ContractFixture {
    /// `corner`, in the zone `Europe/Bratislava`.
    pub(crate) tenant: Tenant,
    /// `market`, in the zone UTC.
    pub(crate) other_tenant: Tenant,
    /// Anna and Ben: active users of `corner` with passwords. Anna has an e-mail address, and roles
    /// both in general and on the till.
    pub(crate) anna: User,
    pub(crate) ben: User,
    /// A user of `market` who is also called `anna`.
    pub(crate) namesake: User,
    /// A deleted user of `corner` with an e-mail address.
    pub(crate) deleted_user: User,
    /// Active sale devices of `corner`. The till has a password, and every optional field is set.
    pub(crate) till: Device,
    pub(crate) handheld: Device,
    /// A retired device of `corner`.
    pub(crate) retired_device: Device,
    /// A device of `market` with the same name as the till.
    pub(crate) foreign_device: Device,
    /// The built-in roles of `corner`.
    pub(crate) roles: Vec<Role>,
    /// A role of `market`.
    pub(crate) foreign_role: Role,
}

impl ContractFixture {
    /// Builds the records without inserting them.
    pub(crate) fn build() -> Self {
        let tenant = new_tenant(1, "corner", "Europe/Bratislava");
        let other = self::new_tenant(2, "market", "UTC");
        let roles: Vec<Role> =
            Rank::ALL.into_iter().zip(1..).map(|(rank, number)| new_role(number, tenant.id, rank)).collect();
        let foreign = new_role(9, other.id, Rank::Cashier);
        let till = Device {
            description: "By the door".into(),
            preferences: serde_json::Map::from_iter([(
                "sound".to_owned(),
                serde_json::json!({"on": true, "level": 3}),
            )])
            .into(),
            settings: [("MaxQuantity".to_owned(), "200".to_owned()), ("Empty".to_owned(), String::new())].into(),
            roles: [role_id(1), role_id(2)].into(),
            ..new_device(1, tenant.id, "P01")
        };
        let handheld = Device { environment: Environment::Pda, ..new_device(2, tenant.id, "PDA1") };
        let retired = Device { status: DeviceStatus::Retired, ..new_device(3, tenant.id, "P03") };
        let far = new_device(4, other.id, "P01");
        let assignment = Assignment {
            office: [role_id(1), role_id(3)].into(),
            devices: [(till.id, [role_id(1), role_id(2)].into()), (handheld.id, [].into())].into(),
        };
        let anna = User { assignment, ..new_user(1, tenant.id, "Anna", Some("Anna@example.com")) };
        let ben = new_user(2, tenant.id, "Ben", None);
        let namesake = new_user(3, other.id, "anna", Some("other.anna@example.com"));
        let deleted = User { status: UserStatus::Deleted, ..new_user(4, tenant.id, "Gone", Some("gone@example.com")) };
        Self {
            tenant,
            other_tenant: other,
            anna,
            ben,
            namesake,
            deleted_user: deleted,
            till,
            handheld,
            retired_device: retired,
            foreign_device: far,
            roles,
            foreign_role: foreign,
        }
    }

    pub(crate) fn to_roster(&self) -> Roster {
        let mut roles = self.roles.clone();
        roles.push(self.foreign_role.clone());
        Roster {
            tenants: vec![self.tenant.clone(), self.other_tenant.clone()],
            roles,
            devices: vec![
                self.till.clone(),
                self.handheld.clone(),
                self.retired_device.clone(),
                self.foreign_device.clone(),
            ],
            users: vec![self.anna.clone(), self.ben.clone(), self.namesake.clone(), self.deleted_user.clone()],
            passwords: vec![
                (PrincipalId::User(self.anna.id), hash_requested_password("hash of Anna's"), FIXTURE_START),
                (PrincipalId::User(self.ben.id), hash_requested_password("hash of Ben's"), FIXTURE_START),
                (PrincipalId::Device(self.till.id), hash_requested_password("hash of the till's"), FIXTURE_START),
            ],
        }
    }

    /// Inserts the records into the store.
    pub(crate) fn insert_into(harness: &AuthStoreHarness) -> Self {
        let fixture = Self::build();
        harness.insert_roster(&fixture.to_roster());
        fixture
    }

    /// Moves a device to the store of the tenant, and returns that.
    pub(crate) fn move_to_store(&self, harness: &StoreHarness, device: &Device) -> BranchId {
        let store = self.tenant.branches[0].id;
        let moved = Device { branch: Some(store), ..device.clone() };
        assert!(run_office_write(harness, |tx| tx.devices().update(&moved)));
        store
    }

    /// A session of Anna without a device. It is created `number` seconds after the start and
    /// expires a day later.
    pub(crate) fn new_session(&self, number: u8) -> Session {
        let made = after_start(u64::from(number));
        Session {
            id: session_id(number),
            tenant: self.tenant.id,
            kind: SessionKind::Person,
            user: Some(self.anna.id),
            device: None,
            parent: None,
            dialect: DialectName::new("native"),
            terms: Terms {
                access: Duration::from_mins(15),
                refresh: Some(RefreshTerms {
                    idle: Some(Duration::from_hours(24)),
                    overlap: Some(Duration::from_millis(120_001)),
                    first_reusable: false,
                }),
                absolute: None,
                midnight: false,
                exchange_overlap: None,
                office: None,
            },
            generation: 1,
            key: key_id(1),
            previous_key: key_id(1),
            used_generation: 0,
            epochs: Epochs::default(),
            authentication: AuthenticationInfo { methods: "pwd".into(), at: made },
            address: "192.0.2.7".parse().ok(),
            rotated_from: "192.0.2.7".parse().ok(),
            thumbprint: None,
            created_at: made,
            rotated_at: None,
            last_used_at: None,
            expires_at: Some(made.saturating_add(Duration::from_hours(24))),
            ended: None,
        }
    }

    /// The same session, on the till.
    pub(crate) fn new_till_session(&self, number: u8) -> Session {
        Session { device: Some(self.till.id), ..self.new_session(number) }
    }
}

/// Inserts sessions in one unit of work.
pub(crate) fn insert_sessions(harness: &AuthStoreHarness, sessions: &[Session]) {
    harness.store.write("test", |tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session))).unwrap();
}

/// Returns the stored session and panics if it does not exist.
pub(crate) fn load_session(harness: &AuthStoreHarness, id: SessionId) -> Session {
    find_session(harness, id).expect("the session is in the store")
}

pub(crate) fn find_session(harness: &AuthStoreHarness, id: SessionId) -> Option<Session> {
    harness.store.read("test", |tx| Ok(tx.sessions().find(id)?.map(|record| record.session))).unwrap()
}

/// Runs a unit of work that reads.
pub(crate) fn run_read<T>(harness: &AuthStoreHarness, work: impl FnMut(&mut (dyn AuthTx + '_)) -> StoreResult<T>) -> T {
    harness.store.read("test", work).unwrap()
}

/// Runs a unit of work that writes.
pub(crate) fn run_write<T>(
    harness: &AuthStoreHarness,
    work: impl FnMut(&mut (dyn AuthTx + '_)) -> StoreResult<T>,
) -> T {
    harness.store.write("test", work).unwrap()
}

/// Runs a unit of work of the back office that reads.
pub(crate) fn run_office_read<T>(
    harness: &StoreHarness,
    work: impl FnMut(&mut (dyn OfficeTx + '_)) -> StoreResult<T>,
) -> T {
    harness.office.read("test", work).unwrap()
}

/// Runs a unit of work of the back office that writes.
pub(crate) fn run_office_write<T>(
    harness: &StoreHarness,
    work: impl FnMut(&mut (dyn OfficeTx + '_)) -> StoreResult<T>,
) -> T {
    harness.office.write("test", work).unwrap()
}

/// A rotation to this generation. The session expires a day after `when`.
pub(crate) fn new_rotation(generation: i64, when: Instant) -> Rotation {
    Rotation {
        generation,
        key: key_id(2),
        previous_key: key_id(1),
        at: when,
        expires_at: Some(when.saturating_add(Duration::from_hours(24))),
        from: "2001:db8::5".parse().ok(),
        proved_at: None,
    }
}

/// The context of a change that the host makes at this second, with an audit event of this number.
pub(crate) fn host_context(seconds: u64, event: u8) -> AuditContext {
    AuditContext {
        at: after_start(seconds),
        event_id: EventId::new(FIXTURE_START, [event; 10]),
        actor: Actor::default(),
        authority: Authority::Host,
        os_user: None,
    }
}
