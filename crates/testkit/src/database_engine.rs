//! Tests that run on both databases.

/// The database on which a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseEngine {
    /// SQLite, which is part of the executable.
    Sqlite,
    /// A PostgreSQL server, which a test starts; see [`postgres`](crate::postgres).
    Postgres,
}

/// Makes two tests of each of these functions, which take a [`DatabaseEngine`]: one on SQLite, and
/// one on PostgreSQL, which runs only with `--include-ignored`.
///
/// ```
/// use tillgate_testkit::DatabaseEngine;
///
/// tillgate_testkit::on_both_databases!(user_is_found_by_name);
///
/// fn user_is_found_by_name(engine: DatabaseEngine) {
///     // opens a new database of this engine
/// }
/// ```
#[macro_export]
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::DatabaseEngine::Sqlite);
                }
            )+
        }
        mod on_postgres {
            $(
                #[test]
                #[ignore = "requires PostgreSQL"]
                fn $test() {
                    super::$test($crate::DatabaseEngine::Postgres);
                }
            )+
        }
    };
}
