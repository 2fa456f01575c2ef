//! A store with a shop: tills, each with a clerk who has logged in there, and a given number of
//! further sessions. It is filled by the server if that is fast, otherwise by SQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use tillgate_testkit::postgres;

use crate::fill;
use crate::http_client;
use crate::server::{self, BenchServer};
use crate::till::{PASSWORD, Tokens, login_body, write_post};

/// The database engine.
#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite,
    /// A database on this server, by name.
    Postgres(Rc<postgres::Server>, String),
}

/// A data folder and its database. The folder is removed when this is dropped.
pub(crate) struct BenchStore {
    pub(crate) folder: PathBuf,
    pub(crate) engine: Engine,
    /// The session of each till; till 1 is at index 0.
    pub(crate) tokens: Vec<Tokens>,
}

/// The cheapest password hash that the server accepts, so that logins before a measurement are
/// fast.
pub(crate) const CHEAP_PASSWORD_SETTINGS: [(&str, &str); 2] =
    [("PASSWORDS__MEMORY", "8MiB"), ("PASSWORDS__PASSES", "1")];
/// Sessions that rotate at every refresh, and access tokens that outlive the measurement. A session
/// keeps its terms, so later servers on the same store need no settings for them.
pub(crate) const TERM_SETTINGS: [(&str, &str); 2] = [("SESSIONS__OVERLAP", "0s"), ("SESSIONS__ACCESS", "24h")];

impl BenchStore {
    /// An empty store.
    pub(crate) fn empty(engine: Engine) -> Self {
        Self { folder: create_folder(), engine, tokens: Vec::new() }
    }

    /// A store with this many tills and a session on each.
    pub(crate) fn with_tills(engine: Engine, tills: usize) -> Self {
        let mut store = Self::empty(engine);
        drop(store.start_server(&["demo", "--small", "--password", PASSWORD, "--yes"], &CHEAP_PASSWORD_SETTINGS));
        store.execute_sql(&fill::insert_tills_sql(&store.engine, tills));
        let server = store.serve(&[CHEAP_PASSWORD_SETTINGS, TERM_SETTINGS].concat());
        store.tokens = log_in(&server.address, tills);
        drop(server);
        store
    }

    /// A store with the demo's shop only, and no sessions.
    pub(crate) fn with_demo(engine: Engine) -> Self {
        let store = Self::empty(engine);
        drop(store.start_server(&["demo", "--small", "--password", PASSWORD, "--yes"], &[]));
        // PosStar is served only if a mount names it
        let mounts = ["portos", "kasir", "fiuu", "posstar", "krmpesan"].map(|dialect| {
            let tenant = if dialect == "posstar" { "" } else { "tenant = \"default\"\n" };
            format!("[[mounts]]\ndialect = \"{dialect}\"\nprefix = \"/{dialect}\"\n{tenant}")
        });
        fs::write(store.folder.join("tillgate.toml"), mounts.concat()).unwrap();
        store
    }

    /// A copy with the same keys and sessions.
    pub(crate) fn copy(&self) -> Self {
        let folder = create_folder();
        for entry in fs::read_dir(&self.folder).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        let engine = match &self.engine {
            Engine::Sqlite => Engine::Sqlite,
            Engine::Postgres(server, name) => {
                let copy = Path::new(&server.create_database()).file_name().unwrap().to_str().unwrap().to_owned();
                server.sql("postgres", &format!("DROP DATABASE {copy}")).unwrap();
                server.sql("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {name}")).unwrap();
                Engine::Postgres(Rc::clone(server), copy)
            }
        };
        Self { folder, engine, tokens: self.tokens.clone() }
    }

    /// Adds sessions until there are this many; the existing ones lie scattered among the new ones.
    pub(crate) fn insert_sessions(&self, sessions: usize) {
        self.execute_sql(&fill::insert_sessions_sql(&self.engine, self.tokens.len(), sessions));
        match self.engine {
            Engine::Sqlite => self.execute_sql("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;"),
            // a statement of its own: it must not run in a transaction
            Engine::Postgres(..) => {
                self.execute_sql("VACUUM ANALYZE");
                self.execute_sql("CHECKPOINT");
            }
        }
        let count = self.query_number("SELECT count(*) FROM sessions");
        assert_eq!(count, sessions as i64, "the store is not as full as it should be");
    }

    /// Starts a server on the store and waits until it is ready.
    pub(crate) fn serve(&self, settings: &[(&str, &str)]) -> BenchServer {
        self.start_server(&["serve"], settings)
    }

    fn start_server(&self, arguments: &[&str], settings: &[(&str, &str)]) -> BenchServer {
        BenchServer::start(self.command(arguments, settings), self.folder.join("log")).wait_until_ready()
    }

    /// The command that runs the server on the store.
    pub(crate) fn command(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        server::tillgate_command(arguments, &self.folder, &self.database_address(), settings)
    }

    /// The address of the database.
    pub(crate) fn database_address(&self) -> String {
        match &self.engine {
            Engine::Sqlite => "sqlite:tillgate.db".to_owned(),
            Engine::Postgres(server, name) => server.address(name),
        }
    }

    /// The file of the SQLite database.
    pub(crate) fn database_file(&self) -> PathBuf {
        self.folder.join("tillgate.db")
    }

    /// Runs SQL statements, with or without a running server.
    pub(crate) fn execute_sql(&self, statements: &str) {
        match &self.engine {
            Engine::Sqlite => {
                let connection = rusqlite::Connection::open(self.database_file()).unwrap();
                connection.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA cache_size = -400000;").unwrap();
                connection.execute_batch(statements).unwrap();
            }
            Engine::Postgres(server, name) => drop(server.sql(name, statements).unwrap()),
        }
    }

    /// Runs a query that returns one number.
    pub(crate) fn query_number(&self, query: &str) -> i64 {
        match &self.engine {
            Engine::Sqlite => {
                let connection = rusqlite::Connection::open(self.database_file()).unwrap();
                connection.query_row(query, (), |row| row.get(0)).unwrap()
            }
            Engine::Postgres(server, name) => server.sql(name, query).unwrap().parse().unwrap(),
        }
    }
}

impl Drop for BenchStore {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        if let Engine::Postgres(server, name) = &self.engine {
            let _ = server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// Logs in on every till, eight at a time: the number of unknown clients at one address that the
/// server lets wait.
pub(crate) fn log_in(address: &str, tills: usize) -> Vec<Tokens> {
    const CONCURRENT_LOGINS: usize = 8;
    let one = |number| {
        let mut stream = http_client::connect(address);
        let mut mine = Vec::new();
        for till in (number..=tills).step_by(CONCURRENT_LOGINS) {
            let body = login_body(till);
            let length = body.len();
            let request = format!(
                "POST /api/v1/sessions HTTP/1.1\r\nhost: till.example\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{body}"
            );
            let (status, _, body) = http_client::send_request(&mut stream, request.as_bytes());
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
            mine.push((till, Tokens::parse(&body).unwrap()));
        }
        mine
    };
    let mut all = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=CONCURRENT_LOGINS).map(|number| scope.spawn(move || one(number))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    all.sort_by_key(|(till, _)| *till);
    all.into_iter().map(|(_, tokens)| tokens).collect()
}

/// Logs in as the administrator of the shop, without a device.
pub(crate) fn log_in_admin(address: &str) -> Tokens {
    let mut request = Vec::new();
    write_post(&mut request, "/api/v1/sessions", &format!("{{\"login\":\"admin\",\"password\":\"{PASSWORD}\"}}"));
    let (status, _, body) = http_client::send_request(&mut http_client::connect(address), &request);
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    Tokens::parse(&body).unwrap()
}

pub(crate) fn create_folder() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tillgate-bench-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
