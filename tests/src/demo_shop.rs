//! Demo shops that are created once per test process and copied for each test, which takes less
//! time than creating them.

use std::sync::OnceLock;

use tillgate_testkit::{DatabaseEngine, FolderSnapshot};

use crate::{Installation, Secrets};

/// The data folder and the database of an installation whose servers have stopped.
pub struct InstallationSnapshot {
    engine: DatabaseEngine,
    database: String,
    folder: FolderSnapshot,
    secrets: Secrets,
}

impl InstallationSnapshot {
    /// Keeps the state of an installation. On PostgreSQL its database must not be used any more.
    pub fn take_of(installation: &Installation) -> Self {
        Self {
            engine: installation.engine(),
            database: installation.database().to_owned(),
            folder: FolderSnapshot::read_from(installation.folder()),
            secrets: installation.secrets().clone(),
        }
    }

    /// Creates an installation with default settings in this state.
    pub fn new_installation(&self) -> Installation {
        let database = match self.engine {
            // it is a file in the folder
            DatabaseEngine::Sqlite => self.database.clone(),
            DatabaseEngine::Postgres => tillgate_testkit::postgres::copy_database(&self.database),
        };
        let installation = Installation::with_database(self.engine, database);
        self.folder.write_to(installation.folder());
        self.secrets.copy_into(installation.secrets());
        installation
    }
}

/// The small demo shop on this engine, created at the first call.
pub(crate) fn small_demo_shop(engine: DatabaseEngine) -> &'static InstallationSnapshot {
    static ON_SQLITE: OnceLock<InstallationSnapshot> = OnceLock::new();
    static ON_POSTGRES: OnceLock<InstallationSnapshot> = OnceLock::new();
    let shop = match engine {
        DatabaseEngine::Sqlite => &ON_SQLITE,
        DatabaseEngine::Postgres => &ON_POSTGRES,
    };
    shop.get_or_init(|| {
        let original = Installation::new(engine);
        original.create_demo_shop();
        InstallationSnapshot::take_of(&original)
    })
}
