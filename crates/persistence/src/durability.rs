//! Whether what was committed survives a crash of the machine, as far as the database server is configured for it.

use diesel::sql_types::Text;
use diesel::{RunQueryDsl, sql_query};
use tillgate_domain::{StoreError, Stored};

use crate::database::{Address, Database};
use crate::failure::classify;
use crate::postgres;

/// Settings of PostgreSQL without which a crash of its machine loses or damages what was committed.
const NEEDED: &str =
    "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name";

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Database {
    /// The names of PostgreSQL's settings that are off and must not be (`fsync`, `full_page_writes`). SQLite has none: its
    /// connections are opened with `synchronous = FULL`. `synchronous_commit` is set on by each connection.
    pub fn unsafe_settings(&self) -> Stored<Vec<String>> {
        let Address::Postgres(url) = &self.address else { return Ok(Vec::new()) };
        let mut connection =
            postgres::connect_plainly(url, &self.limits).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let off: Vec<Setting> = sql_query(NEEDED).load(&mut connection).map_err(classify)?;
        Ok(off.into_iter().map(|setting| setting.name).collect())
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use tillgate_testkit::postgres::Server;

    use super::*;
    use crate::database::Limits;
    use crate::trial::{self, Folder};

    #[test]
    fn settings_that_lose_data_are_named() {
        assert_eq!(Folder::new().database(&Limits::default()).unsafe_settings(), Ok(Vec::new()));
        let server = Server::start(&["fsync = off", "full_page_writes = off"]).unwrap();
        let address = Address::parse(&server.create_database(), std::path::Path::new("/")).unwrap();
        let database = Database::open(&address, &Limits::default()).unwrap();
        assert_eq!(database.unsafe_settings(), Ok(vec!["fsync".to_owned(), "full_page_writes".to_owned()]));
    }

    #[test]
    fn every_connection_commits_to_disk_whatever_the_role_is_set_to() {
        let (url, database) = trial::postgres(&Limits::default());
        let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        trial::write(&database, |tx| {
            tx.connection
                .batch_execute(&format!("ALTER DATABASE \"{name}\" SET synchronous_commit = off"))
                .map_err(classify)
        })
        .unwrap();
        let address = Address::parse(&url, std::path::Path::new("/")).unwrap();
        let database = Database::open(&address, &Limits::default()).unwrap();
        let on = "SELECT COUNT(*) FROM pg_settings WHERE name = 'synchronous_commit' AND setting = 'on'";
        assert_eq!(trial::committed(&database, on), 1);
    }
}
