//! The rows of a shop as SQL for both databases, which differ in how they decode hexadecimal digits
//! and generate random ones.

use crate::store::Engine;

/// The kind of a record, stored in the third group of digits of its id.
const CLERK_ID_KIND: u16 = 1;
const TILL_ID_KIND: u16 = 2;
const AUDIT: u16 = 0xfff;

impl Engine {
    /// An SQL expression for the bytes that hexadecimal digits encode.
    fn decode_hex(&self, digits: &str) -> String {
        match self {
            Self::Sqlite => format!("unhex({digits})"),
            Self::Postgres(..) => format!("decode({digits}, 'hex')"),
        }
    }

    /// An SQL expression for a number as 12 hexadecimal digits.
    fn twelve_hex_digits(&self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("printf('%012x', {number})"),
            Self::Postgres(..) => format!("lpad(to_hex({number}), 12, '0')"),
        }
    }

    /// An SQL expression for 19 random hexadecimal digits.
    fn random_hex_digits(&self) -> &'static str {
        match self {
            Self::Sqlite => "substr(hex(randomblob(10)), 2)",
            Self::Postgres(..) => "substr(md5(random()::text), 1, 19)",
        }
    }

    /// An SQL expression for the hexadecimal digits of an id.
    fn id_hex_digits(&self, id: &str) -> String {
        match self {
            Self::Sqlite => format!("lower(hex({id}))"),
            Self::Postgres(..) => format!("encode({id}, 'hex')"),
        }
    }

    /// An SQL expression for the id of the record with this kind and number.
    pub(crate) fn id_sql(&self, kind: u16, number: &str) -> String {
        self.decode_hex(&format!("'01900000000070008{kind:03x}' || {}", self.twelve_hex_digits(number)))
    }
}

fn series_sql(count: usize) -> String {
    format!("WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < {count})")
}

/// Inserts clerks and tills like the demo's `cashier` and `P01`. Each clerk may log in as a cashier
/// on the till with the same number.
pub(crate) fn insert_tills_sql(engine: &Engine, count: usize) -> String {
    let series = series_sql(count);
    let (clerk, till) = (engine.id_sql(CLERK_ID_KIND, "i"), engine.id_sql(TILL_ID_KIND, "i"));
    format!(
        "BEGIN;
        {series} INSERT INTO users (id, tenant_id, name, folded, email, email_folded, display_name, status, feature, epoch,
            last_login_at, created_at, updated_at, version)
        SELECT {clerk}, tenant_id, 'clerk-' || i, 'clerk-' || i, NULL, NULL, 'Clerk ' || i, status, feature, epoch,
            last_login_at, created_at, updated_at, version FROM users, series WHERE folded = 'cashier';
        {series} INSERT INTO devices (id, tenant_id, name, folded, environment, status, description, preferences, settings, epoch,
            seat_id, pairing_id, thumbprint, last_seen_at, last_login_at, created_at, updated_at, version)
        SELECT {till}, tenant_id, 'T' || i, 't' || i, environment, status, description, preferences, settings, epoch,
            NULL, NULL, NULL, NULL, NULL, created_at, updated_at, version FROM devices, series WHERE folded = 'p01';
        {series} INSERT INTO user_devices (user_id, device_id) SELECT {clerk}, {till} FROM series;
        {series} INSERT INTO user_device_roles (user_id, device_id, role_id)
        SELECT {clerk}, {till}, roles.id FROM roles, series WHERE roles.folded = 'cashier';
        {series} INSERT INTO credentials (principal_id, principal_kind, kind, device_id, version, verifier, set_at, used_at)
        SELECT {clerk}, principal_kind, kind, NULL, credentials.version, verifier, set_at, used_at FROM series, credentials
            JOIN users ON users.id = credentials.principal_id WHERE users.folded = 'cashier';
        COMMIT;"
    )
}

/// Inserts sessions of these clerks on these tills that begin between the first and the last
/// existing one. All rows are then rewritten in the order of their ids, so that existing sessions
/// lie between the new ones, as if all had been created by logins.
pub(crate) fn insert_sessions_sql(engine: &Engine, tills: usize, sessions: usize) -> String {
    let more = sessions - tills;
    let series = series_sql(more);
    let (clerk, till) =
        (engine.id_sql(CLERK_ID_KIND, "(i % TILLS + 1)"), engine.id_sql(TILL_ID_KIND, "(i % TILLS + 1)"));
    let (clerk, till) = (clerk.replace("TILLS", &tills.to_string()), till.replace("TILLS", &tills.to_string()));
    // an id begins with 12 digits of milliseconds; random digits in place of the last three mix new
    // ids with existing ones
    let id = engine.decode_hex(&format!(
        "substr({}, 1, 9) || substr({chance}, 1, 3) || '7' || {chance}",
        engine.id_hex_digits("old.id"),
        chance = engine.random_hex_digits()
    ));
    format!(
        "BEGIN;
        CREATE TEMP TABLE old AS SELECT sessions.*, row_number() OVER (ORDER BY id) - 1 AS number FROM sessions;
        CREATE TEMP TABLE every AS SELECT * FROM sessions;
        {series} INSERT INTO every (id, tenant_id, kind, user_id, device_id, parent_id, dialect, terms, generation, key_id,
            previous_key_id, used, user_epoch, device_epoch, tenant_epoch, methods, proved_at, address, rotated_from, thumbprint,
            created_at, rotated_at, last_used_at, expires_at, expires_day, ended_at, ended_why)
        SELECT {id}, old.tenant_id, old.kind, {clerk}, {till}, NULL, old.dialect, old.terms, 1 + i % 40, old.key_id,
            old.previous_key_id, 1, old.user_epoch, old.device_epoch, old.tenant_epoch, old.methods, old.proved_at, old.address,
            old.rotated_from, NULL, old.created_at, old.created_at, old.created_at, old.expires_at, old.expires_day, NULL, NULL
        FROM series JOIN old ON old.number = i % {tills};
        DELETE FROM sessions;
        INSERT INTO sessions SELECT * FROM every ORDER BY id;
        DROP TABLE old; DROP TABLE every;
        COMMIT;"
    )
}

/// Inserts audit events without seals, as after an import: copies of the oldest event.
pub(crate) fn unsealed_lines(engine: &Engine, count: usize) -> String {
    let (series, id) = (series_sql(count), engine.id_sql(AUDIT, "i"));
    let columns = "tenant_id, user_id, device_id, session_id, address, action, subject, subject_id, outcome, details";
    format!(
        "{series} INSERT INTO audit (id, at, {columns})
        SELECT {id}, at, {columns} FROM series, (SELECT * FROM audit ORDER BY id LIMIT 1) AS old;"
    )
}
