//! Fresh databases with one shop in them.

mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tillgate_auth_core::{AuthTx, AuthView, Dialect, Epochs, Proved, Refresh, Session, SessionKind, Terms};
use tillgate_domain::office::{OfficeTx, OfficeView};
use tillgate_domain::{
    Assignment, Branch, BranchId, Device, DeviceId, DeviceName, DeviceStatus, Email, Environment, Epoch, Instant,
    KeyId, Locale, Rank, Role, RoleId, SessionId, SessionLimits, Slug, Store, StoreExt, Stored, Tenant, TenantId, User,
    UserId, UserName, UserStatus, Zone,
};
use tillgate_persistence::{Address, Database, Limits};
use tillgate_testkit::postgres::Server;
use uuid::Uuid;

pub(crate) use raw::{Line, Raw, Step};

pub(crate) const START: Instant = Instant::from_millis(1_790_000_000_000);

/// So many seconds after the start.
pub(crate) fn at(seconds: u64) -> Instant {
    START.after(Duration::from_secs(seconds))
}

/// The id of that number; ids are in the order of their numbers.
pub(crate) fn uuid(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0199_0000_0000_7000 + number, 0x8000_0000_0000_0000 + number)
}

/// A file of SQLite in the folder.
const SQLITE: &str = "sqlite:till.db";

/// A folder that goes with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tillgate-ports-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A database of its own, open and migrated.
pub(crate) struct Fresh {
    pub(crate) database: Arc<Database>,
    raw: Raw,
    server: Option<Server>,
    _folder: Folder,
}

impl Fresh {
    /// A file of SQLite in a folder of its own.
    pub(crate) fn sqlite() -> Self {
        let folder = Folder::new();
        let raw = Raw::Sqlite(folder.0.join("till.db"));
        Self::open(SQLITE, None, folder, raw)
    }

    /// A database of its own on the PostgreSQL of this test run.
    pub(crate) fn postgres() -> Self {
        let url = tillgate_testkit::postgres::create_database();
        Self::open(&url, None, Folder::new(), Raw::Postgres(url.clone()))
    }

    /// A database on a PostgreSQL of its own: where transactions in other databases of the server are to be none.
    pub(crate) fn postgres_alone() -> Self {
        let server = Server::start(&["autovacuum=off"]).unwrap();
        let url = server.create_database();
        Self::open(&url, Some(server), Folder::new(), Raw::Postgres(url.clone()))
    }

    fn open(address: &str, server: Option<Server>, folder: Folder, raw: Raw) -> Self {
        let address = Address::parse(address, &folder.0).unwrap();
        let database = Database::create(&address, &Limits::default()).unwrap();
        database.migrate(&mut |_| ()).unwrap();
        database.establish(uuid(1)).unwrap();
        Self { database: Arc::new(database), raw, server, _folder: folder }
    }

    /// The same database, opened anew once this process has let it go.
    pub(crate) fn reopened(self) -> Self {
        let Self { database, raw, server, _folder: folder } = self;
        // nobody else has it open
        drop(Arc::into_inner(database).unwrap());
        let address = match &raw {
            Raw::Sqlite(_) => SQLITE.to_owned(),
            Raw::Postgres(url) => url.clone(),
        };
        Self::open(&address, server, folder, raw)
    }

    /// Crashes the PostgreSQL of its own and starts it again.
    pub(crate) fn crash_server(&self) {
        let server = self.server.as_ref().unwrap();
        server.crash().unwrap();
        server.resume().unwrap();
    }

    pub(crate) fn raw(&self) -> &Raw {
        &self.raw
    }

    /// The shop of these tests is in it.
    pub(crate) fn with_shop(self) -> Self {
        let shop = Shop::default();
        self.office(|tx| {
            assert!(tx.tenants().insert(&shop.tenant)?);
            assert!(tx.roles().insert(&shop.role)?);
            assert!(tx.devices().insert(&shop.till)?);
            assert!(tx.users().insert(&shop.anna)?);
            Ok(())
        });
        self
    }

    pub(crate) fn read<T>(&self, mut work: impl FnMut(&mut (dyn AuthTx + '_)) -> Stored<T>) -> T {
        let store: &dyn Store<AuthView> = &*self.database;
        store.read(|tx| work(tx)).unwrap()
    }

    pub(crate) fn write<T>(&self, work: impl FnMut(&mut (dyn AuthTx + '_)) -> Stored<T>) -> T {
        self.try_write(work).unwrap()
    }

    pub(crate) fn try_write<T>(&self, mut work: impl FnMut(&mut (dyn AuthTx + '_)) -> Stored<T>) -> Stored<T> {
        let store: &dyn Store<AuthView> = &*self.database;
        store.write(|tx| work(tx))
    }

    pub(crate) fn office<T>(&self, mut work: impl FnMut(&mut (dyn OfficeTx + '_)) -> Stored<T>) -> T {
        let store: &dyn Store<OfficeView> = &*self.database;
        store.write(|tx| work(tx)).unwrap()
    }
}

/// A vendor with a till and a person who works on it.
pub(crate) struct Shop {
    pub(crate) tenant: Tenant,
    pub(crate) role: Role,
    pub(crate) till: Device,
    pub(crate) anna: User,
}

impl Default for Shop {
    fn default() -> Self {
        let tenant = TenantId(uuid(10));
        let role = Rank::Cashier.role(RoleId(uuid(20)), tenant).unwrap();
        let till = Device {
            id: DeviceId(uuid(30)),
            tenant,
            name: DeviceName::parse("P01").unwrap(),
            environment: Environment::CashRegister,
            status: DeviceStatus::Active,
            description: "by the door".into(),
            preferences: serde_json::Map::from_iter([("sound".to_owned(), serde_json::json!({"beep": true}))]).into(),
            settings: BTreeMap::from([("MaxQuantity".into(), "200".into())]),
            roles: BTreeSet::from([role.id]),
            epoch: Epoch(0),
            seat: None,
            pairing: None,
            last_seen_at: None,
            created_at: START,
            updated_at: START,
            version: 1,
        };
        let anna = User {
            id: UserId(uuid(40)),
            tenant,
            name: UserName::parse("Anna").unwrap(),
            email: Some(Email::parse("Anna@Example.com").unwrap()),
            display_name: "Anna Malá".into(),
            status: UserStatus::Active,
            feature: None,
            assignment: Assignment {
                office: BTreeSet::from([role.id]),
                devices: BTreeMap::from([(till.id, BTreeSet::from([role.id]))]),
            },
            password_change_required: false,
            epoch: Epoch(0),
            created_at: START,
            updated_at: START,
            version: 1,
        };
        let tenant = Tenant {
            id: tenant,
            slug: Slug::parse("corner").unwrap(),
            name: "Corner shop".into(),
            zone: Zone::parse("Europe/Bratislava").unwrap(),
            locale: Locale::parse("sk-SK").unwrap(),
            limits: SessionLimits::default(),
            branches: vec![Branch { id: BranchId(uuid(11)), name: "Main street".into() }],
            epoch: Epoch(0),
            created_at: START,
            version: 1,
        };
        Self { tenant, role, till, anna }
    }
}

impl Shop {
    /// A session of Anna's on the till.
    pub(crate) fn session(&self, number: u64) -> Session {
        Session {
            id: SessionId(uuid(1000 + number)),
            tenant: self.tenant.id,
            kind: SessionKind::Person,
            user: Some(self.anna.id),
            device: Some(self.till.id),
            parent: None,
            dialect: Dialect::new("native"),
            terms: Terms {
                access: Duration::from_mins(15),
                refresh: Some(Refresh { idle: None, overlap: Some(Duration::from_mins(2)), first_reusable: false }),
                absolute: Some(Duration::from_hours(24 * 90)),
                midnight: false,
                exchange_overlap: None,
            },
            generation: 1,
            key: KeyId(uuid(50)),
            previous_key: KeyId(uuid(50)),
            used: 0,
            epochs: Epochs::default(),
            proved: Proved { methods: "pwd".into(), at: START },
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

/// A test on both databases.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* fn $name:ident($fresh:ident) $body:block)*) => {
        $(fn $name($fresh: &$crate::stores::Fresh) $body)*
        mod sqlite {
            $($(#[$meta])* #[test] fn $name() { super::$name(&$crate::stores::Fresh::sqlite().with_shop()); })*
        }
        mod postgres {
            $($(#[$meta])* #[test] fn $name() { super::$name(&$crate::stores::Fresh::postgres().with_shop()); })*
        }
    };
}
