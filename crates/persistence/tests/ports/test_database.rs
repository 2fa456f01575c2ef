//! New databases with the records of a small shop.

mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tillgate_auth_core::{
    AuthPorts, AuthTx, AuthenticationInfo, DialectName, Epochs, RefreshTerms, Session, SessionKind, Terms,
};
use tillgate_domain::office::{OfficePorts, OfficeTx};
use tillgate_domain::{
    AccentColor, Assignment, BranchId, Device, DeviceId, Email, Instant, KeyId, Locale, Rank, Role, RoleId, SessionId,
    Store, StoreExt, StoreResult, Tenant, TenantId, User, UserId, Zone,
};
use tillgate_persistence::{Address, Database, Limits};
use tillgate_testkit::postgres::Server;
use tillgate_testkit::records::{new_device, new_tenant, new_user};
use tillgate_testkit::{DatabaseEngine, TestFolder};
use uuid::Uuid;

pub(crate) use raw::{EventRow, PlanStepRow, RawConnection};

pub(crate) const START: Instant = Instant::from_millis(1_790_000_000_000);

/// The instant `seconds` after the start.
pub(crate) fn at(seconds: u64) -> Instant {
    START.saturating_add(Duration::from_secs(seconds))
}

/// The id with this number; ids sort in the order of their numbers.
pub(crate) fn uuid(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0199_0000_0000_7000 + number, 0x8000_0000_0000_0000 + number)
}

/// A SQLite file in the folder.
const SQLITE_ADDRESS: &str = "sqlite:till.db";

/// An open, migrated database.
pub(crate) struct TestDatabase {
    pub(crate) database: Arc<Database>,
    raw: RawConnection,
    server: Option<Server>,
    _folder: TestFolder,
}

impl TestDatabase {
    /// A new database of this engine.
    pub(crate) fn on(engine: DatabaseEngine) -> Self {
        match engine {
            DatabaseEngine::Sqlite => Self::sqlite(),
            DatabaseEngine::Postgres => Self::postgres(),
        }
    }

    /// A SQLite file in its own folder: a copy of one that was migrated once.
    pub(crate) fn sqlite() -> Self {
        static MIGRATED: OnceLock<Vec<u8>> = OnceLock::new();
        let open = |folder: TestFolder| {
            let raw = RawConnection::Sqlite(folder.join("till.db"));
            Self::open(SQLITE_ADDRESS, None, folder, raw)
        };
        let migrated = MIGRATED.get_or_init(|| {
            let Self { database, _folder: folder, .. } = open(TestFolder::new());
            // the write-ahead log goes with the last connection
            drop(Arc::into_inner(database).unwrap());
            std::fs::read(folder.join("till.db")).unwrap()
        });
        let folder = TestFolder::new();
        std::fs::write(folder.join("till.db"), migrated).unwrap();
        open(folder)
    }

    /// A database on the PostgreSQL server of this test run: a copy of one that was migrated once.
    pub(crate) fn postgres() -> Self {
        static MIGRATED: OnceLock<String> = OnceLock::new();
        let migrated = MIGRATED.get_or_init(|| {
            let url = tillgate_testkit::postgres::create_database();
            drop(Self::open(&url, None, TestFolder::new(), RawConnection::Postgres(url.clone())));
            url
        });
        let url = tillgate_testkit::postgres::copy_database(migrated);
        Self::open(&url, None, TestFolder::new(), RawConnection::Postgres(url.clone()))
    }

    /// A database on its own PostgreSQL server, for tests without transactions in other databases
    /// of the server.
    pub(crate) fn postgres_on_own_server() -> Self {
        let server = Server::start(&["autovacuum=off"]).unwrap();
        let url = server.create_database();
        Self::open(&url, Some(server), TestFolder::new(), RawConnection::Postgres(url.clone()))
    }

    fn open(address: &str, server: Option<Server>, folder: TestFolder, raw: RawConnection) -> Self {
        let address = Address::parse(address, &folder).unwrap();
        let database = Database::create(&address, &Limits::default()).unwrap();
        database.migrate(&mut |_| ()).unwrap();
        database.set_instance_id(uuid(1)).unwrap();
        Self { database: Arc::new(database), raw, server, _folder: folder }
    }

    /// Closes the database and opens it again.
    pub(crate) fn reopen(self) -> Self {
        let Self { database, raw, server, _folder: folder } = self;
        // no other owner has it open
        drop(Arc::into_inner(database).unwrap());
        let address = match &raw {
            RawConnection::Sqlite(_) => SQLITE_ADDRESS.to_owned(),
            RawConnection::Postgres(url) => url.clone(),
        };
        Self::open(&address, server, folder, raw)
    }

    /// Crashes its own PostgreSQL server and starts it again.
    pub(crate) fn crash_server(&self) {
        let server = self.server.as_ref().unwrap();
        server.crash().unwrap();
        server.resume().unwrap();
    }

    pub(crate) fn raw(&self) -> &RawConnection {
        &self.raw
    }

    /// Inserts the records of the shop.
    pub(crate) fn with_fixture(self) -> Self {
        let fixture = StoreFixture::default();
        self.write_office(|tx| {
            assert!(tx.tenants().insert(&fixture.tenant)?);
            assert!(tx.roles().insert(&fixture.role)?);
            assert!(tx.devices().insert(&fixture.till)?);
            assert!(tx.users().insert(&fixture.anna)?);
            Ok(())
        });
        self
    }

    pub(crate) fn read<T>(&self, mut work: impl FnMut(&mut (dyn AuthTx + '_)) -> StoreResult<T>) -> T {
        let store: &dyn Store<AuthPorts> = &*self.database;
        store.read("test", |tx| work(tx)).unwrap()
    }

    pub(crate) fn write<T>(&self, work: impl FnMut(&mut (dyn AuthTx + '_)) -> StoreResult<T>) -> T {
        self.try_write(work).unwrap()
    }

    pub(crate) fn try_write<T>(
        &self,
        mut work: impl FnMut(&mut (dyn AuthTx + '_)) -> StoreResult<T>,
    ) -> StoreResult<T> {
        let store: &dyn Store<AuthPorts> = &*self.database;
        store.write("test", |tx| work(tx))
    }

    pub(crate) fn write_office<T>(&self, mut work: impl FnMut(&mut (dyn OfficeTx + '_)) -> StoreResult<T>) -> T {
        let store: &dyn Store<OfficePorts> = &*self.database;
        store.write("test", |tx| work(tx)).unwrap()
    }
}

/// A tenant with a till and a user who works on it.
pub(crate) struct StoreFixture {
    pub(crate) tenant: Tenant,
    pub(crate) role: Role,
    pub(crate) till: Device,
    pub(crate) anna: User,
}

impl Default for StoreFixture {
    fn default() -> Self {
        let tenant = TenantId(uuid(10));
        let role = Rank::Cashier.to_role(RoleId(uuid(20)), tenant).unwrap();
        let till = Device {
            description: "by the door".into(),
            preferences: serde_json::Map::from_iter([("sound".to_owned(), serde_json::json!({"beep": true}))]).into(),
            settings: BTreeMap::from([("MaxQuantity".into(), "200".into())]),
            roles: BTreeSet::from([role.id]),
            ..new_device(DeviceId(uuid(30)), tenant, "P01", START)
        };
        let anna = User {
            email: Some(Email::parse("Anna@Example.com").unwrap()),
            display_name: "Anna Malá".into(),
            assignment: Assignment {
                office: BTreeSet::from([role.id]),
                devices: BTreeMap::from([(till.id, BTreeSet::from([role.id]))]),
            },
            ..new_user(UserId(uuid(40)), tenant, "Anna", START)
        };
        let tenant = Tenant {
            name: "Corner shop".into(),
            zone: Zone::parse("Europe/Bratislava").unwrap(),
            locale: Locale::parse("sk-SK").unwrap(),
            accent_color: AccentColor::parse("#0b6b5e").ok(),
            machine_codes: true,
            ..new_tenant(tenant, BranchId(uuid(11)), "corner", START)
        };
        Self { tenant, role, till, anna }
    }
}

impl StoreFixture {
    /// A session of Anna on the till.
    pub(crate) fn new_session(&self, number: u64) -> Session {
        Session {
            id: SessionId(uuid(1000 + number)),
            tenant: self.tenant.id,
            kind: SessionKind::Person,
            user: Some(self.anna.id),
            device: Some(self.till.id),
            parent: None,
            dialect: DialectName::new("native"),
            terms: Terms {
                access: Duration::from_mins(15),
                refresh: Some(RefreshTerms {
                    idle: None,
                    overlap: Some(Duration::from_mins(2)),
                    first_reusable: false,
                }),
                absolute: Some(Duration::from_hours(24 * 90)),
                midnight: false,
                exchange_overlap: None,
                office: None,
            },
            generation: 1,
            key: KeyId(uuid(50)),
            previous_key: KeyId(uuid(50)),
            used_generation: 0,
            epochs: Epochs::default(),
            authentication: AuthenticationInfo { methods: "pwd".into(), at: START },
            address: Some("192.0.2.7".parse().unwrap()),
            rotated_from: Some("2001:db8::7".parse().unwrap()),
            thumbprint: None,
            created_at: START,
            rotated_at: None,
            last_used_at: None,
            expires_at: Some(at(3600)),
            ended: None,
        }
    }
}
