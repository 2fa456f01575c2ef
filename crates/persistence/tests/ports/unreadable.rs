//! A stored value that is none says where it stands, and never shows itself.

use tillgate_auth_core::{AuthTx, AuthView};
use tillgate_domain::office::{self, EventFilter, Part};
use tillgate_domain::{Event, EventId, Store, StoreError, StoreExt, Stored};

use crate::on_both;
use crate::stores::{Fresh, Raw, Shop, uuid};

type Look = fn(&mut (dyn AuthTx + '_), &Shop) -> Stored<()>;

fn spoilt(fresh: &Fresh, table: &str, column: &str, value: &str, look: Look) {
    let shop = Shop::default();
    let store: &dyn Store<AuthView> = &*fresh.database;
    assert_eq!(store.read(|tx| look(tx, &shop)), Ok(()), "{table}.{column}");
    let old = fresh.raw().texts(&format!("SELECT {column} AS text FROM {table}")).pop().unwrap();
    fresh.raw().sql(&format!("UPDATE {table} SET {column} = '{value}'"));
    match store.read(|tx| look(tx, &shop)) {
        Err(StoreError::Corrupt { table: told_table, column: told_column, detail }) => {
            assert_eq!((told_table, told_column), (table, column));
            assert!(!detail.contains("secret"), "{detail}");
        }
        other => panic!("{table}.{column} read as {other:?}"),
    }
    fresh.raw().sql(&format!("UPDATE {table} SET {column} = '{}'", old.replace('\'', "''")));
    assert_eq!(store.read(|tx| look(tx, &shop)), Ok(()), "{table}.{column} again");
}

on_both! {
    fn every_value_that_is_parsed_names_its_column(fresh) {
        fresh.write(|tx| tx.sessions().insert(&Shop::default().session(1)));
        let session: Look = |tx, shop| tx.sessions().find(shop.session(1).id).map(drop);
        for (column, value) in [("kind", "secret"), ("terms", "\"secret\""), ("terms", "{"), ("address", "secret")] {
            spoilt(fresh, "sessions", column, value, session);
        }
        spoilt(fresh, "users", "status", "secret", session);
        spoilt(fresh, "devices", "status", "secret", session);
        spoilt(fresh, "tenants", "zone", "secret", session);
        let user: Look = |tx, shop| tx.users().find(shop.anna.id).map(drop);
        // names and addresses were valid when they were given, and are not judged again
        spoilt(fresh, "users", "status", "secret", user);
        let device: Look = |tx, shop| tx.devices().find(shop.till.id).map(drop);
        for column in ["environment", "status", "preferences", "settings"] {
            spoilt(fresh, "devices", column, "secret", device);
        }
        let role: Look = |tx, shop| tx.roles().among(shop.tenant.id, &[shop.role.id]).map(drop);
        for (column, value) in [("rights", "[\"Secret secret\"]"), ("environments", "[\"secret\"]")] {
            spoilt(fresh, "roles", column, value, role);
        }
        let tenant: Look = |tx, shop| tx.tenants().find(shop.tenant.id).map(drop);
        for column in ["slug", "zone", "locale"] {
            spoilt(fresh, "tenants", column, "SECRET secret", tenant);
        }
    }

    fn line_with_unreadable_details_is_shown(fresh) {
        fresh.write(|tx| tx.audit().tell(&crate::store::event(1)));
        // written by a program that had no bound for the depth of what it wrote
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        fresh.write(|tx| {
            let details = serde_json::Map::from_iter([("a".to_owned(), serde_json::json!("PLACE"))]);
            tx.audit().tell(&Event { id: EventId(uuid(9_999)), details, ..crate::store::event(2) })
        });
        match fresh.raw() {
            Raw::Sqlite(_) => fresh.raw().sql("DROP TRIGGER audit_unchanged"),
            Raw::Postgres(_) => fresh.raw().sql("ALTER TABLE audit DISABLE TRIGGER ALL"),
        }
        fresh.raw().sql(&format!("UPDATE audit SET details = '{{\"a\":{deep}}}' WHERE details LIKE '%PLACE%'"));
        let shown = office::read_audit(&*fresh.database, &EventFilter::default(), &Part::first(10)).unwrap();
        assert_eq!(shown.len(), 2, "the line beside it is shown too");
        let details = &shown.iter().find(|told| told.event.id == EventId(uuid(9_999))).unwrap().event.details;
        assert!(details["unreadable"].as_str().is_some_and(|text| text.contains(&deep)), "{details:?}");
    }

    fn half_an_end_is_no_end(fresh) {
        let shop = Shop::default();
        fresh.write(|tx| tx.sessions().insert(&shop.session(1)));
        fresh.raw().sql("UPDATE sessions SET ended_at = 5");
        let store: &dyn Store<AuthView> = &*fresh.database;
        let read = store.read(|tx| tx.sessions().find(shop.session(1).id).map(drop));
        assert!(matches!(read, Err(StoreError::Corrupt { table: "sessions", column: "ended_why", .. })), "{read:?}");
    }
}
