//! What the server knows of itself at each scrape: how busy the database and the hash queue are, how old the view of what has ended
//! is, and how full the caches are.

use std::sync::{Arc, Weak};

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::auth::Auth;
use tillgate_domain::Store;
use tillgate_http::{Gauge, Mounts};
use tillgate_persistence::Database;

use crate::configuration::Settings;
use crate::disk;
use crate::tls::Certificate;

/// The commit that this program was built from and its date, with a comma between them; empty if the build does not know it.
const SOURCE_COMMIT: &str = env!("SOURCE_COMMIT");

/// Reads the gauges from memory. It keeps neither the database nor the engine alive.
pub(super) fn read_gauges(
    settings: &Settings,
    database: &Arc<Database>,
    auth: &Arc<Auth>,
    mounts: &Mounts,
    certificate: Option<&Arc<Certificate>>,
) -> impl Fn() -> Vec<Gauge> + Send + Sync + 'static {
    let (database, auth, mounts) = (Arc::downgrade(database), Arc::downgrade(auth), mounts.clone());
    let (certificate, folder) = (certificate.cloned(), disk::data_folder(settings));
    let caches = &settings.caches;
    let (pages, addresses, terminals) = (caches.pages.0, caches.addresses.0, caches.terminals.0);
    move || {
        let mut gauges = vec![Gauge {
            labels: vec![
                ("version", env!("CARGO_PKG_VERSION")),
                ("commit", SOURCE_COMMIT.split(',').next().unwrap_or_default()),
            ],
            ..new_gauge(
                "tillgate_build_info",
                "The version and the commit that this program was built from: always 1.",
                1.0,
            )
        }];
        gauges.extend(database_gauges(&database, pages));
        gauges.extend(engine_gauges(&auth));
        gauges.extend(dialect_cache_gauges("addresses", mounts.rate_limiter_usage(), addresses));
        gauges.extend(dialect_cache_gauges("terminals", mounts.list_cache_usage(), terminals));
        gauges.extend(disk::free_bytes(&folder).ok().map(|free| {
            new_gauge(
                "tillgate_disk_free_bytes",
                "Bytes that are free on the disk of the database (SQLite) or of the data folder.",
                bytes_as_f64(free),
            )
        }));
        gauges.extend(certificate.as_ref().map(|certificate| {
            new_gauge(
                "tillgate_tls_certificate_expires_seconds",
                "When the certificate of server.tls_cert expires, in seconds since 1970.",
                bytes_as_f64(u64::try_from(certificate.expires().seconds()).unwrap_or_default()),
            )
        }));
        gauges
    }
}

fn database_gauges(database: &Weak<Database>, pages: u64) -> Vec<Gauge> {
    let Some(database) = database.upgrade() else { return Vec::new() };
    let load = database.load();
    let mut gauges = vec![
        new_gauge(
            "tillgate_database_connections_busy",
            "Connections to the database that units of work hold.",
            f64::from(load.busy),
        ),
        new_gauge(
            "tillgate_database_connections_idle",
            "Connections to the database that nobody holds.",
            f64::from(load.idle),
        ),
        new_gauge("tillgate_database_waiting", "Units of work that wait for the database.", count_as_f64(load.waiting)),
        new_gauge(
            "tillgate_database_writable",
            "Whether the newest write succeeded: 1; 0 after one failed, since the disk is full or the database read-only.",
            f64::from(u8::from(Store::<AuthPorts>::write_failure(&*database).is_none())),
        ),
    ];
    if let Some(held) = load.page_cache_bytes {
        gauges.extend(cache_gauges("pages", held, pages));
    }
    gauges
}

fn engine_gauges(auth: &Weak<Auth>) -> Vec<Gauge> {
    let Some(auth) = auth.upgrade() else { return Vec::new() };
    let facts = auth.hash_queue().stats();
    let mut gauges = vec![
        new_gauge(
            "tillgate_hash_queue_known",
            "Logins from known networks that wait for a hash.",
            count_as_f64(facts.known),
        ),
        new_gauge(
            "tillgate_hash_queue_strangers",
            "Logins from other networks that wait for a hash.",
            count_as_f64(facts.strangers),
        ),
        new_gauge(
            "tillgate_hash_queue_setting",
            "Registrations and resets of passwords that wait for a hash.",
            count_as_f64(facts.new_passwords),
        ),
        new_gauge(
            "tillgate_clock_in_doubt",
            "Whether the clock is in doubt: 1, else 0.",
            f64::from(u8::from(auth.time().in_doubt)),
        ),
    ];
    gauges.push(new_gauge(
        "tillgate_feed_open_seconds",
        "How long the oldest transaction of the database server that has written has been open.",
        auth.oldest_open_age().as_secs_f64(),
    ));
    if let Some(age) = auth.feed_age() {
        gauges.push(new_gauge(
            "tillgate_view_age_seconds",
            "How old the view of what has ended is.",
            age.as_secs_f64(),
        ));
    }
    gauges.extend(auth.cache_usage().into_iter().flat_map(|usage| cache_gauges(usage.name, usage.bytes, usage.limit)));
    gauges
}

fn new_gauge(name: &'static str, help: &'static str, value: f64) -> Gauge {
    Gauge { name: name.into(), help: help.into(), labels: Vec::new(), value }
}

/// How full a cache is that each of some contracts has, of `limit` bytes.
fn dialect_cache_gauges(name: &'static str, (contracts, held): (usize, usize), limit: u64) -> [Gauge; 2] {
    let contracts = u64::try_from(contracts).unwrap_or(u64::MAX);
    cache_gauges(name, u64::try_from(held).unwrap_or(u64::MAX), limit.saturating_mul(contracts))
}

/// How full a cache is.
fn cache_gauges(name: &'static str, held: u64, limit: u64) -> [Gauge; 2] {
    let of = |gauge: Gauge| Gauge { labels: vec![("cache", name)], ..gauge };
    [
        of(new_gauge("tillgate_cache_bytes", "Bytes that a cache holds, estimated from above.", bytes_as_f64(held))),
        of(new_gauge("tillgate_cache_limit_bytes", "Bytes that a cache may hold.", bytes_as_f64(limit))),
    ]
}

/// Bytes or seconds as Prometheus takes them; past 2^53 it rounds.
#[expect(clippy::cast_precision_loss, reason = "no memory is that large, and no clock goes that far")]
fn bytes_as_f64(count: u64) -> f64 {
    count as f64
}

/// A count as Prometheus takes it: exact up to four thousand million, which no queue here reaches.
fn count_as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
