//! Merges the number series of fiscal memories whose names are equal after folding, which SQL
//! cannot do. If two series contain the same receipt number, one of the receipts keeps it in the
//! merged series, so that no later receipt gets that number.

use diesel::sql_types::{Binary, Text};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tillgate_domain::ticket::NumberSeries;

/// A stored series of a tenant.
#[derive(QueryableByName)]
struct SeriesRow {
    #[diesel(sql_type = Binary)]
    tenant_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    series: String,
}

const SELECT_FISCAL_SERIES: &str = "SELECT tenant_id, series FROM receipt_numbers WHERE series LIKE 'fiscal:%' UNION \
     SELECT tenant_id, series FROM receipt_series WHERE series LIKE 'fiscal:%' ORDER BY 1, 2";

/// Merges the series `$2` of the tenant `$3` into `$1`.
const MERGE_SERIES: [&str; 2] = [
    "INSERT INTO receipt_numbers (tenant_id, series, number, ticket_id) \
     SELECT tenant_id, $1, number, ticket_id FROM receipt_numbers WHERE series = $2 AND tenant_id = $3 \
     ON CONFLICT DO NOTHING",
    "INSERT INTO receipt_series (tenant_id, series, number) \
     SELECT tenant_id, $1, number FROM receipt_series WHERE series = $2 AND tenant_id = $3 \
     ON CONFLICT (tenant_id, series) DO UPDATE SET number = \
     CASE WHEN excluded.number > receipt_series.number THEN excluded.number ELSE receipt_series.number END",
];

const DELETE_SERIES: [&str; 2] = [
    "DELETE FROM receipt_numbers WHERE series = $1 AND tenant_id = $2",
    "DELETE FROM receipt_series WHERE series = $1 AND tenant_id = $2",
];

macro_rules! steps {
    ($module:ident, $connection:ty) => {
        pub(super) mod $module {
            use super::*;

            /// Merges all of them.
            pub(in crate::migration) fn merge(connection: &mut $connection) -> QueryResult<()> {
                let kept: Vec<SeriesRow> = sql_query(SELECT_FISCAL_SERIES).load(connection)?;
                for SeriesRow { tenant_id, series } in kept {
                    let Some(folded) = NumberSeries::from_stored(&series).filter(|folded| folded.as_str() != series)
                    else {
                        continue;
                    };
                    for statement in MERGE_SERIES {
                        let statement = sql_query(statement).bind::<Text, _>(folded.as_str());
                        statement.bind::<Text, _>(&series).bind::<Binary, _>(&tenant_id).execute(connection)?;
                    }
                    for statement in DELETE_SERIES {
                        let statement = sql_query(statement).bind::<Text, _>(&series);
                        statement.bind::<Binary, _>(&tenant_id).execute(connection)?;
                    }
                }
                Ok(())
            }
        }
    };
}

steps!(sqlite, SqliteConnection);
steps!(postgres, PgConnection);

#[cfg(test)]
mod tests {
    use tillgate_testkit::DatabaseEngine;

    use crate::database::{Address, Database};
    use crate::test_support::{DatabaseFolder, execute_sql, query_committed, run_write};

    /// Restores the tables as an earlier version has written them, in which names of fiscal
    /// memories are compared exactly.
    fn revert_migration(database: &Database) {
        let down = match &database.address {
            Address::Sqlite(_) => {
                include_str!("../../../../migrations/sqlite/2026-11-28-000018_fiscal_series/down.sql")
            }
            Address::Postgres(_) => {
                include_str!("../../../../migrations/postgres/2026-11-28-000018_fiscal_series/down.sql")
            }
        };
        let blob = |number: u8| match &database.address {
            Address::Sqlite(_) => format!("x'{number:032x}'"),
            Address::Postgres(_) => format!("'\\x{number:032x}'"),
        };
        let (tenant, other) = (blob(1), blob(2));
        let mut all = vec![down.to_owned()];
        for (tenant, slug) in [(&tenant, "one"), (&other, "two")] {
            all.push(format!(
                "INSERT INTO tenants (id, slug, name, zone, locale, epoch, created_at, version) \
                 VALUES ({tenant}, '{slug}', '{slug}', 'UTC', 'sk', 0, 0, 1)"
            ));
            all.push(format!(
                "INSERT INTO users (id, tenant_id, name, folded, display_name, status, epoch, created_at, updated_at, version) \
                 VALUES ({tenant}, {tenant}, 'anna', 'anna', 'Anna', 'active', 0, 0, 0, 1)"
            ));
            all.push(format!(
                "INSERT INTO devices (id, tenant_id, name, folded, environment, status, description, preferences, settings, epoch, \
                 created_at, updated_at, version) VALUES ({tenant}, {tenant}, 'P01', 'p01', 'CashRegister', 'active', '', '{{}}', \
                 '{{}}', 0, 0, 0, 1)"
            ));
            all.push(format!(
                "INSERT INTO tickets (tenant_id, id, state, currency, owner_id, device_id, opened_at, updated_at, external_id, name, \
                 customer, payable, version, sheet) VALUES ({tenant}, {tenant}, 'open', 'EUR', {tenant}, {tenant}, 0, 1, '', '', '', 0, \
                 1, '{{}}')"
            ));
        }
        for (tenant, series, numbers, last) in [
            (&tenant, "fiscal:eKasa", &[1, 2, 7][..], 2),
            (&tenant, "fiscal:EKASA", &[1, 2, 3, 4], 4),
            (&tenant, "fiscal:eKasa ", &[9], 0),
            (&tenant, "fiscal:fm", &[5], 5),
            (&tenant, "device:00", &[1], 1),
            (&other, "fiscal:eKasa", &[1], 1),
        ] {
            for number in numbers {
                all.push(format!(
                    "INSERT INTO receipt_numbers (tenant_id, series, number, ticket_id) VALUES ({tenant}, '{series}', {number}, {tenant})"
                ));
            }
            if last > 0 {
                all.push(format!(
                    "INSERT INTO receipt_series (tenant_id, series, number) VALUES ({tenant}, '{series}', {last})"
                ));
            }
        }
        all.push("DELETE FROM __diesel_schema_migrations WHERE version = '20261128000018'".to_owned());
        run_write(database, |tx| all.iter().try_for_each(|text| execute_sql(tx, text))).unwrap();
    }

    tillgate_testkit::on_both_databases!(spellings_of_one_fiscal_series_are_merged);

    fn spellings_of_one_fiscal_series_are_merged(engine: DatabaseEngine) {
        let folder = DatabaseFolder::new();
        let database = folder.create(engine);
        database.migrate(&mut |_| ()).unwrap();
        revert_migration(&database);
        database.migrate(&mut |_| ()).unwrap();
        let count = |query: &str| query_committed(&database, &format!("SELECT COUNT(*) FROM {query}"));
        assert_eq!(count("receipt_numbers WHERE series = 'fiscal:ekasa'"), 7);
        assert_eq!(count("receipt_numbers WHERE series = 'fiscal:ekasa' AND number IN (1, 2, 3, 4, 7, 9)"), 7);
        assert_eq!(count("receipt_series WHERE series = 'fiscal:ekasa' AND number IN (4, 1)"), 2);
        assert_eq!(count("receipt_numbers WHERE series IN ('fiscal:fm', 'device:00')"), 2);
        assert_eq!((count("receipt_numbers"), count("receipt_series")), (9, 4));
    }
}
