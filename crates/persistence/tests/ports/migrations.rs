//! The schema goes up, down and up again, and is the same in both databases.

use crate::stores::{Fresh, Raw};

fn columns(raw: &Raw) -> Vec<String> {
    let query = match raw {
        Raw::Sqlite(_) => {
            "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN '' ELSE '?' END AS text \
             FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        }
        Raw::Postgres(_) => {
            "SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN '' ELSE '?' END AS text \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        }
    };
    let mut columns = raw.texts(query);
    columns.sort();
    columns
}

fn goes_up_down_and_up(fresh: &Fresh) {
    let before = columns(fresh.raw());
    assert!(before.len() > 100, "{before:?}");
    fresh.database.unmigrate().unwrap();
    assert_eq!(columns(fresh.raw()), [""; 0]);
    fresh.database.migrate(&mut |_| ()).unwrap();
    assert_eq!(columns(fresh.raw()), before);
    assert_eq!(fresh.database.pending().unwrap(), [""; 0]);
}

#[test]
fn sqlite_goes_up_down_and_up() {
    goes_up_down_and_up(&Fresh::sqlite().with_shop());
}

#[test]
fn postgres_goes_up_down_and_up() {
    goes_up_down_and_up(&Fresh::postgres().with_shop());
}

#[test]
fn both_databases_have_the_same_columns() {
    let mut postgres = columns(Fresh::postgres().raw());
    // the order within a transaction, which SQLite's position says already
    postgres.retain(|column| column != "changes.number");
    assert_eq!(columns(Fresh::sqlite().raw()), postgres);
}
