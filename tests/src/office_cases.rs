//! The databases on which the cases of the back office run.

use tillgate_testkit::{DatabaseEngine, is_thorough};

/// Runs a case on SQLite, and in a thorough run on PostgreSQL too.
pub fn run_on_engines(case: fn(DatabaseEngine)) {
    case(DatabaseEngine::Sqlite);
    if is_thorough() {
        println!("SQLite passed; now on PostgreSQL");
        case(DatabaseEngine::Postgres);
    }
}

/// Makes a test of each of these functions, which take a [`DatabaseEngine`] and open pages in
/// Chromium. It runs on SQLite, and in a thorough run on PostgreSQL too.
#[macro_export]
macro_rules! in_chromium {
    ($($test:ident),+ $(,)?) => {
        mod in_chromium {
            $(
                #[test]
                #[ignore = "requires Chromium, and PostgreSQL in a thorough run"]
                fn $test() {
                    $crate::run_on_engines(super::$test);
                }
            )+
        }
    };
}

/// Makes two tests of each of these functions, as [`in_chromium!`] does, but in every run on both
/// databases.
#[macro_export]
macro_rules! in_chromium_on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod in_chromium_on_sqlite {
            $(
                #[test]
                #[ignore = "requires Chromium"]
                fn $test() {
                    super::$test($crate::DatabaseEngine::Sqlite);
                }
            )+
        }
        mod in_chromium_on_postgres {
            $(
                #[test]
                #[ignore = "requires Chromium and PostgreSQL"]
                fn $test() {
                    super::$test($crate::DatabaseEngine::Postgres);
                }
            )+
        }
    };
}
