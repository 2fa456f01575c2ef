//! A tenant with a given number of tickets, users, devices and audit events, inserted with SQL for
//! both databases: one record of each kind is created through the ports and then copied.

use tillgate_domain::office::OfficePorts;
use tillgate_domain::ticket::{
    Article, Currency, Draft, Item, ItemDraft, ItemKind, Label, Note, Opening, Rate, Ticket, TicketActor, open,
};
use tillgate_domain::{
    Authority, Device, Environment, KnownRight, Rights, Slug, Store, StoreExt, Tenant, TicketId, User,
};
use tillgate_persistence::{Address, Database, Limits};

use crate::store::{BenchStore as Shop, Engine};

/// The number of records of each kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowCounts {
    pub(crate) tickets: usize,
    pub(crate) users: usize,
    pub(crate) devices: usize,
    pub(crate) events: usize,
}

/// An open store that contains these records.
pub(crate) struct LargeDataset {
    pub(crate) database: Database,
    pub(crate) tenant: Tenant,
    pub(crate) user: User,
    pub(crate) device: Device,
    /// dropped last
    _shop: Shop,
}

impl LargeDataset {
    pub(crate) fn fill(engine: Engine, counts: RowCounts) -> Self {
        let shop = Shop::with_demo(engine);
        let address = Address::parse(&shop.database_address(), &shop.folder).unwrap();
        let database = Database::open(&address, &Limits::default()).unwrap();
        // the database may come from an earlier build of this program
        database.migrate(&mut |_| ()).unwrap();
        let store: &dyn Store<OfficePorts> = &database;
        let (tenant, user, device) = store
            .write("bench", |tx| {
                let tenant = tx.tenants().find_by_slug(&Slug::parse("default").unwrap())?.unwrap();
                let user = tx.users().find_by_name(tenant.id, &tillgate_domain::FoldedText::of("admin"))?.unwrap();
                let device = tx.devices().find_by_name(tenant.id, &tillgate_domain::FoldedText::of("P01"))?.unwrap();
                tx.tickets().insert(&new_ticket(&tenant, &user, &device))?;
                Ok((tenant, user, device))
            })
            .unwrap();
        shop.execute_sql(&copy_rows_sql(&shop.engine, counts));
        match shop.engine {
            Engine::Sqlite => shop.execute_sql("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;"),
            Engine::Postgres(..) => {
                shop.execute_sql("VACUUM ANALYZE");
                shop.execute_sql("CHECKPOINT");
            }
        }
        for (table, count) in [
            ("tickets", counts.tickets),
            ("users", counts.users),
            ("devices", counts.devices),
            ("audit", counts.events),
        ] {
            let found = shop.query_number(&format!("SELECT count(*) FROM {table}"));
            assert!(found >= count as i64, "{table} holds {found}");
        }
        Self { database, tenant, user, device, _shop: shop }
    }
}

fn new_ticket(tenant: &Tenant, user: &User, device: &Device) -> Ticket {
    let item = |id: u32| {
        let line = ItemDraft {
            id,
            external_id: Label::default(),
            kind: ItemKind::Positive,
            article: Article::default(),
            comment: Note::default(),
            unit_price: "2.5".parse().unwrap(),
            quantity: "2".parse().unwrap(),
            unit: Label::default(),
            discount: Rate::ZERO,
        };
        Item::new(line).unwrap()
    };
    let euro = Currency::parse("EUR").unwrap();
    let draft = Draft { items: vec![item(1), item(2), item(3)], ..Draft::of(user.id, euro) };
    let at = tenant.created_at;
    let id = TicketId::new(at, [0; 10]);
    let opening = Opening { id, tenant: tenant.id, at };
    let hand = TicketActor {
        user: Some(user.id),
        device: Some((device.id, Environment::CashRegister)),
        authority: Authority::Rights(Rights::of(&[KnownRight::Admin])),
    };
    open(opening, draft.check().unwrap(), &hand).unwrap()
}

/// Copies the records. Each copy has its own id, in increasing order, and its own name and instant.
/// The amounts are in no order.
fn copy_rows_sql(engine: &Engine, counts: RowCounts) -> String {
    let series = |count: usize| {
        format!("WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < {count})")
    };
    let (users, devices, tickets, lines) =
        (series(counts.users), series(counts.devices), series(counts.tickets), series(counts.events));
    let [user, device, ticket, line] = [1, 2, 3, 4].map(|kind| engine.id_sql(kind, "i"));
    let mut text = format!(
        "BEGIN;
        {users} INSERT INTO users (id, tenant_id, name, folded, email, email_folded, display_name, status, feature, epoch,
            last_login_at, created_at, updated_at, version)
        SELECT {user}, tenant_id, 'Clerk-' || i, 'clerk-' || i, NULL, NULL, 'Clerk ' || i, status, feature, epoch,
            last_login_at, created_at + i, updated_at, version FROM users, series WHERE folded = 'cashier';
        {users} INSERT INTO user_roles (user_id, role_id)
        SELECT {user}, roles.id FROM series, roles WHERE roles.folded = 'cashier';
        {devices} INSERT INTO devices (id, tenant_id, name, folded, environment, status, description, preferences, settings, epoch,
            seat_id, pairing_id, thumbprint, last_seen_at, last_login_at, created_at, updated_at, version)
        SELECT {device}, tenant_id, 'T' || i, 't' || i, environment, status, description, preferences, settings, epoch,
            NULL, NULL, NULL, NULL, NULL, created_at, updated_at, version FROM devices, series WHERE folded = 'p01';
        {tickets} INSERT INTO tickets (tenant_id, id, state, currency, owner_id, device_id, opened_at, updated_at, ended_at, refund_of,
            external_id, name, customer, number, payable, version, sheet, ending)
        SELECT tenant_id, {ticket}, state, currency, owner_id, device_id, opened_at + i, updated_at + i, ended_at, refund_of,
            external_id, 'Table ' || i, customer, number, i % 100003 * 7919 % 100003, version, sheet, ending FROM tickets, series
            WHERE tickets.version = 1;
        {lines} INSERT INTO audit (id, at, tenant_id, user_id, device_id, session_id, address, action, subject, subject_id, outcome,
            details, approver_id, operation)
        SELECT {line}, audit.at + i, users.tenant_id, users.id, NULL, NULL, '192.0.2.7', 'login', 'user', users.id,
            CASE WHEN i % 100 = 0 THEN 'refused' ELSE 'done' END, '{{\"dialect\":\"native\"}}', NULL, NULL
        FROM series, (SELECT at FROM audit ORDER BY id LIMIT 1) audit, users WHERE users.folded = 'admin';
        COMMIT;"
    );
    if matches!(engine, Engine::Sqlite) {
        // a large transaction is faster if SQLite does not wait for the disk at each page
        text = format!("PRAGMA synchronous = OFF; {text}");
    }
    text
}
