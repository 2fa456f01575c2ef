//! What the server knows of itself at each scrape: how busy the database and the hash queue are, and how old the view of what has
//! ended is.

use std::sync::{Arc, Weak};

use tillgate_auth_core::auth::Auth;
use tillgate_http::Gauge;
use tillgate_persistence::Database;

/// Reads the gauges from memory. It keeps neither the database nor the engine alive.
pub(super) fn gauges(database: &Arc<Database>, auth: &Arc<Auth>) -> impl Fn() -> Vec<Gauge> + Send + Sync + 'static {
    let (database, auth) = (Arc::downgrade(database), Arc::downgrade(auth));
    move || of_database(&database).into_iter().chain(of_engine(&auth)).collect()
}

fn of_database(database: &Weak<Database>) -> Vec<Gauge> {
    let Some(database) = database.upgrade() else { return Vec::new() };
    let load = database.load();
    vec![
        gauge(
            "tillgate_database_connections_busy",
            "Connections to the database that units of work hold.",
            f64::from(load.busy),
        ),
        gauge(
            "tillgate_database_connections_idle",
            "Connections to the database that nobody holds.",
            f64::from(load.idle),
        ),
        gauge("tillgate_database_waiting", "Units of work that wait for the database.", number(load.waiting)),
    ]
}

fn of_engine(auth: &Weak<Auth>) -> Vec<Gauge> {
    let Some(auth) = auth.upgrade() else { return Vec::new() };
    let facts = auth.passwords().facts();
    let mut gauges = vec![
        gauge("tillgate_hash_queue_known", "Logins from known networks that wait for a hash.", number(facts.known)),
        gauge(
            "tillgate_hash_queue_strangers",
            "Logins from other networks that wait for a hash.",
            number(facts.strangers),
        ),
        gauge(
            "tillgate_hash_queue_setting",
            "Registrations and resets of passwords that wait for a hash.",
            number(facts.setting),
        ),
        gauge(
            "tillgate_clock_in_doubt",
            "Whether the clock is in doubt: 1, else 0.",
            f64::from(u8::from(auth.time().in_doubt)),
        ),
    ];
    gauges.push(gauge(
        "tillgate_feed_open_seconds",
        "How long the oldest transaction of the database server that has written has been open.",
        auth.oldest_open().as_secs_f64(),
    ));
    if let Some(age) = auth.view_age() {
        gauges.push(gauge("tillgate_view_age_seconds", "How old the view of what has ended is.", age.as_secs_f64()));
    }
    gauges
}

fn gauge(name: &'static str, help: &'static str, value: f64) -> Gauge {
    Gauge { name: name.into(), help: help.into(), value }
}

/// A count as Prometheus takes it: exact up to four thousand million, which no queue here reaches.
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
