//! Checks whether committed data survives a crash of the machine, as far as the configuration of
//! the database server can tell.

use diesel::sql_types::Text;
use diesel::{RunQueryDsl, sql_query};
use tillgate_domain::{StoreError, StoreResult};

use crate::database::{Address, Database};
use crate::error_class::classify;
use crate::postgres;

/// The settings of PostgreSQL that must not be off: a crash of its machine would lose or damage
/// committed data.
const SELECT_UNSAFE_SETTINGS: &str =
    "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name";

#[derive(diesel::QueryableByName)]
struct SettingRow {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Database {
    /// Returns the names of PostgreSQL's settings that are off and must not be (`fsync`,
    /// `full_page_writes`).
    ///
    /// SQLite has no such settings: its connections are opened with `synchronous = FULL`. Each
    /// connection to PostgreSQL turns `synchronous_commit` on itself.
    pub fn unsafe_settings(&self) -> StoreResult<Vec<String>> {
        let Address::Postgres(url) = &self.address else { return Ok(Vec::new()) };
        let mut connection =
            postgres::connect_plain(url, &self.limits).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let off: Vec<SettingRow> = sql_query(SELECT_UNSAFE_SETTINGS).load(&mut connection).map_err(classify)?;
        Ok(off.into_iter().map(|setting| setting.name).collect())
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use tillgate_testkit::postgres::Server;

    use super::*;
    use crate::database::Limits;
    use crate::test_support::{self, DatabaseFolder};

    #[test]
    #[ignore = "requires PostgreSQL"]
    fn unsafe_settings_are_named() {
        assert_eq!(DatabaseFolder::new().database(&Limits::default()).unsafe_settings(), Ok(Vec::new()));
        let server = Server::start(&["fsync = off", "full_page_writes = off"]).unwrap();
        let address = Address::parse(&server.create_database(), std::path::Path::new("/")).unwrap();
        let database = Database::open(&address, &Limits::default()).unwrap();
        assert_eq!(database.unsafe_settings(), Ok(vec!["fsync".to_owned(), "full_page_writes".to_owned()]));
    }

    #[test]
    #[ignore = "requires PostgreSQL"]
    fn connections_commit_to_disk_whatever_the_role_default() {
        let (url, database) = test_support::create_postgres(&Limits::default());
        let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        test_support::run_write(&database, |tx| {
            tx.connection
                .batch_execute(&format!("ALTER DATABASE \"{name}\" SET synchronous_commit = off"))
                .map_err(classify)
        })
        .unwrap();
        let address = Address::parse(&url, std::path::Path::new("/")).unwrap();
        let database = Database::open(&address, &Limits::default()).unwrap();
        let on = "SELECT COUNT(*) FROM pg_settings WHERE name = 'synchronous_commit' AND setting = 'on'";
        assert_eq!(test_support::query_committed(&database, on), 1);
    }
}
