//! Fresh databases with one shop in them, and a way to say what no port says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
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
    _server: Option<Server>,
    _folder: Folder,
}

/// The same database by its own library.
#[derive(Clone)]
pub(crate) enum Raw {
    Sqlite(PathBuf),
    Postgres(String),
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// A line of the audit as it stands in its table.
#[derive(QueryableByName)]
#[diesel(table_name = audit)]
pub(crate) struct Line {
    pub(crate) id: Vec<u8>,
    pub(crate) at: i64,
    pub(crate) tenant_id: Option<Vec<u8>>,
    pub(crate) user_id: Option<Vec<u8>>,
    pub(crate) device_id: Option<Vec<u8>>,
    pub(crate) session_id: Option<Vec<u8>>,
    pub(crate) address: Option<String>,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) subject_id: Option<Vec<u8>>,
    pub(crate) outcome: String,
    pub(crate) details: String,
    pub(crate) approver_id: Option<Vec<u8>>,
}

diesel::table! {
    audit (id) {
        id -> Binary,
        at -> BigInt,
        tenant_id -> Nullable<Binary>,
        user_id -> Nullable<Binary>,
        device_id -> Nullable<Binary>,
        session_id -> Nullable<Binary>,
        address -> Nullable<Text>,
        action -> Text,
        subject -> Text,
        subject_id -> Nullable<Binary>,
        outcome -> Text,
        details -> Text,
        approver_id -> Nullable<Binary>,
    }
}

/// A step of a plan of SQLite's, below another or below none (0).
#[derive(Debug, QueryableByName)]
pub(crate) struct Step {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub(crate) parent: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub(crate) detail: String,
}

impl Raw {
    /// Runs statements.
    pub(crate) fn sql(&self, statements: &str) {
        self.try_sql(statements).unwrap();
    }

    pub(crate) fn try_sql(&self, statements: &str) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite(path) => sqlite(path).batch_execute(statements),
            Self::Postgres(url) => PgConnection::establish(url).unwrap().batch_execute(statements),
        }
    }

    /// The lines of the audit, oldest first, read without any port.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let query = "SELECT * FROM audit ORDER BY at, id";
        match self {
            Self::Sqlite(path) => diesel::sql_query(query).load(&mut sqlite(path)),
            Self::Postgres(url) => diesel::sql_query(query).load(&mut PgConnection::establish(url).unwrap()),
        }
        .unwrap()
    }

    /// How SQLite goes about a statement, step by step.
    pub(crate) fn plan(&self, statement: &str) -> Vec<Step> {
        let Self::Sqlite(path) = self else { return Vec::new() };
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut sqlite(path)).unwrap()
    }

    /// The column `text` of what a query answers.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        let rows: Vec<Text> = match self {
            Self::Sqlite(path) => diesel::sql_query(query).load(&mut sqlite(path)),
            Self::Postgres(url) => diesel::sql_query(query).load(&mut PgConnection::establish(url).unwrap()),
        }
        .unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }
}

fn sqlite(path: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON").unwrap();
    connection
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
        let database = Database::open(&address, &Limits::default()).unwrap();
        database.migrate(&mut |_| ()).unwrap();
        database.establish(uuid(1)).unwrap();
        Self { database: Arc::new(database), raw, _server: server, _folder: folder }
    }

    /// The same database, opened anew once this process has let it go.
    pub(crate) fn reopened(self) -> Self {
        let Self { database, raw, _server: server, _folder: folder } = self;
        drop(Arc::into_inner(database).expect("nobody else has it open"));
        let address = match &raw {
            Raw::Sqlite(_) => SQLITE.to_owned(),
            Raw::Postgres(url) => url.clone(),
        };
        Self::open(&address, server, folder, raw)
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
            preferences: [("sound".to_owned(), serde_json::json!({"beep": true}))].into_iter().collect(),
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
                refresh: Some(Refresh { idle: None, overlap: Some(Duration::from_mins(2)) }),
                absolute: Some(Duration::from_hours(24 * 90)),
                midnight: false,
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
