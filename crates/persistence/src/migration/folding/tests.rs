//! A database from before this migration, in which names were compared differently.

use tillgate_auth_core::AuthPorts;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{FoldedText, RoleName, Store, StoreExt, TenantId, User, UserId};
use tillgate_testkit::DatabaseEngine;
use uuid::Uuid;

use crate::database::{Address, Database};
use crate::similar_names::SimilarNames;
use crate::test_support::{DatabaseFolder, execute_sql, query_committed, run_write};

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

/// Restores the tables as an earlier version has written them, by reverting this migration.
fn revert_migration(database: &Database) {
    let down = match &database.address {
        Address::Sqlite(_) => include_str!("../../../../../migrations/sqlite/2026-11-28-000011_folding/down.sql"),
        Address::Postgres(_) => include_str!("../../../../../migrations/postgres/2026-11-28-000011_folding/down.sql"),
    };
    database.migrate(&mut |_| ()).unwrap();
    run_write(database, |tx| {
        execute_sql(tx, down)?;
        execute_sql(tx, "DELETE FROM __diesel_schema_migrations WHERE version = '20261128000011'")
    })
    .unwrap();
}

/// The SQL literal of an id.
fn id_literal(database: &Database, number: u128) -> String {
    let hex = Uuid::from_u128(number).simple();
    match &database.address {
        Address::Sqlite(_) => format!("x'{hex}'"),
        Address::Postgres(_) => format!("'\\x{hex}'"),
    }
}

fn fill(database: &Database) {
    let id = |number| id_literal(database, number);
    let (tenant, device) = (id(1), id(20));
    let mut all = vec![format!(
        "INSERT INTO tenants (id, slug, name, zone, locale, epoch, created_at, version) \
         VALUES ({tenant}, 'shop', 'Shop', 'UTC', 'sk', 0, 0, 1)"
    )];
    for (number, name, key, email) in [
        (10, "Strauß", "strauß", "'Größe@Example.com'"),
        (11, "strauss", "strauss", "NULL"),
        (12, "Groß", "groß", "'plain@example.com'"),
        (13, "ßs", "ßs", "NULL"),
        (14, "sß", "sß", "NULL"),
        (15, "admin", "admin", "NULL"),
        (16, "\u{430}dmin", "\u{430}dmin", "NULL"),
        (17, "cashier\u{200b}", "cashier\u{200b}", "NULL"),
        (18, "anna", "anna", "'u@münchen.example'"),
        (19, "hans", "hans", "'u@xn--mnchen-3ya.example'"),
        (22, "otto", "otto", "'o@xn--mnchen-3ya.example'"),
    ] {
        all.push(format!(
            "INSERT INTO users (id, tenant_id, name, folded, email, email_folded, display_name, status, epoch, created_at, \
             updated_at, version) VALUES ({}, {tenant}, '{name}', '{key}', {email}, lower({email}), 'Ňuňák', 'active', 0, 0, 0, 1)",
            id(number)
        ));
    }
    for (number, status) in [(20, "active"), (21, "retired")] {
        all.push(format!(
            "INSERT INTO devices (id, tenant_id, name, folded, environment, status, description, preferences, settings, epoch, \
             created_at, updated_at, version) VALUES ({}, {tenant}, 'Straße', 'straße', 'CashRegister', '{status}', \
             'Pri ÚČTE', '{{}}', '{{}}', 0, 0, 0, 1)",
            id(number)
        ));
    }
    for (number, name) in [(30, "maß"), (31, "mass")] {
        all.push(format!(
            "INSERT INTO roles (id, tenant_id, name, folded, label, description, rights, environments, built_in, version) \
             VALUES ({}, {tenant}, '{name}', '{name}', '', '', '[]', '[]', {}, 1)",
            id(number),
            if matches!(database.address, Address::Sqlite(_)) { "0" } else { "FALSE" }
        ));
    }
    all.push(format!(
        "INSERT INTO tickets (tenant_id, id, state, currency, owner_id, device_id, opened_at, updated_at, ended_at, external_id, name, \
         customer, payable, version, sheet, ending) VALUES ({tenant}, {}, 'closed', 'EUR', {}, {device}, 0, 0, 1, 'x', \
         'Stôl Číslo', 'Ján Ňuňák', 0, 1, '{{}}', '{{}}')",
        id(40),
        id(10)
    ));
    for (number, details) in [(50, "{\"name\":\"Žofia \\\"\\\\\"}"), (51, "{\"name\":\"Anna\"}")] {
        all.push(format!(
            "INSERT INTO audit (id, at, action, subject, outcome, details, sequence, previous, hash) \
             VALUES ({}, 0, 'user.add', 'user', 'done', '{details}', {number}, {tenant}, {tenant})",
            id(number)
        ));
    }
    run_write(database, |tx| all.iter().try_for_each(|text| execute_sql(tx, text))).unwrap();
}

fn find_user_number(database: &Database, name: &str) -> Option<u128> {
    let store: &dyn Store<AuthPorts> = database;
    store
        .read("test", |tx| tx.users().find_by_name(TENANT, &FoldedText::of(name)))
        .unwrap()
        .map(|user| user.id.0.as_u128())
}

fn load_user(database: &Database, number: u128) -> User {
    let store: &dyn Store<OfficePorts> = database;
    store.read("test", |tx| tx.users().find(UserId(Uuid::from_u128(number)))).unwrap().unwrap()
}

fn update_user(database: &Database, user: &User) -> bool {
    let store: &dyn Store<OfficePorts> = database;
    store.write("test", |tx| tx.users().update(user)).unwrap()
}

tillgate_testkit::on_both_databases!(colliding_keys_are_kept_and_others_folded);

fn colliding_keys_are_kept_and_others_folded(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.create(engine);
    revert_migration(&database);
    fill(&database);
    database.migrate(&mut |_| ()).unwrap();
    let count = |query: &str| query_committed(&database, &format!("SELECT COUNT(*) FROM {query}"));

    // users who could log in before still can, as the same user
    for (name, number) in [
        ("Strauß", Some(10)),
        ("STRAUSS", Some(11)),
        ("GROSS", Some(12)),
        ("groß", Some(12)),
        ("ßs", Some(13)),
        ("sß", Some(14)),
        ("SSS", None),
        ("cashier\u{200b}", Some(17)),
    ] {
        assert_eq!(find_user_number(&database, name), number, "{name}");
    }
    assert_eq!(count("users WHERE email_folded = 'grösse@example.com'"), 1);
    assert_eq!(count("users WHERE email_folded = 'o@münchen.example'"), 1, "a domain and its punycode form are one");
    assert_eq!(count("users WHERE email_folded = 'u@xn--mnchen-3ya.example'"), 1, "another has the newer form");
    assert_eq!(count("devices WHERE folded = 'strasse'"), 2, "a retired one shares its name");
    let store: &dyn Store<OfficePorts> = &database;
    let role =
        |name: &str| store.read("test", |tx| tx.roles().find_by_name(TENANT, &RoleName::parse(name).unwrap())).unwrap();
    assert_eq!(role("MASS").unwrap().name.as_str(), "mass");
    assert_eq!(role("Maß").unwrap().name.as_str(), "maß");

    // search texts are filled for closed tickets and sealed events too, and both stay unchanged
    assert_eq!(count("users WHERE searched LIKE '%\u{1f}ňuňák'"), 6);
    assert_eq!(count("users WHERE searched LIKE '%\u{1f}ňuňák\u{1f}\u{1e}_%@%'"), 5);
    assert_eq!(count("devices WHERE searched LIKE '%pri účte'"), 2);
    assert_eq!(count("tickets WHERE searched LIKE 'stôl číslo%ján ňuňák'"), 1);
    assert_eq!(count("audit WHERE searched LIKE '%žofia \"%'"), 1);
    assert_eq!(count("audit WHERE searched IS NULL"), 1);
    for change in ["UPDATE tickets SET name = 'x'", "UPDATE audit SET searched = 'x'", "DELETE FROM audit"] {
        assert!(run_write(&database, |tx| execute_sql(tx, change)).is_err(), "{change}");
    }

    // the operator is informed
    let similar = database.similar_names().unwrap();
    let group = |kind, names: [&str; 2]| SimilarNames {
        kind,
        tenant: "shop".to_owned(),
        names: names.map(str::to_owned).to_vec(),
    };
    assert_eq!(
        similar.equal,
        [
            group("user", ["ßs", "sß"]),
            group("user", ["Strauß", "strauss"]),
            group("e-mail address", ["u@münchen.example", "u@xn--mnchen-3ya.example"]),
            group("role", ["maß", "mass"])
        ]
    );
    assert_eq!(similar.lookalike, [group("user", ["admin", "\u{430}dmin"])]);

    // an unchanged name is not checked again, and takes the newer key as soon as no other row
    // has it
    let kept = User { display_name: "Another".to_owned(), ..load_user(&database, 10) };
    assert!(update_user(&database, &kept));
    assert_eq!((find_user_number(&database, "Strauß"), find_user_number(&database, "strauss")), (Some(10), Some(11)));
    let hidden = User { display_name: "Another".to_owned(), ..load_user(&database, 17) };
    assert!(update_user(&database, &hidden));
    let renamed = User { name: tillgate_domain::UserName::parse("hana").unwrap(), ..load_user(&database, 11) };
    assert!(update_user(&database, &renamed));
    let taken = User { name: tillgate_domain::UserName::parse("STRAUẞ").unwrap(), ..load_user(&database, 15) };
    assert!(!update_user(&database, &taken), "it would never be found: another is, by the former form");
    assert!(update_user(&database, &load_user(&database, 10)));
    assert_eq!((find_user_number(&database, "Strauß"), find_user_number(&database, "strauss")), (Some(10), Some(10)));
}
