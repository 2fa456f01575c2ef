//! The gauges that the server reads at each scrape: load of the database and the hash queue, age of
//! the revocation data, and sizes of the caches.

use std::sync::{Arc, Weak};

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::auth::Auth;
use tillgate_domain::Store;
use tillgate_http::{Gauge, Mounts};
use tillgate_persistence::Database;

use crate::configuration::Settings;
use crate::disk;
use crate::tls::Certificate;

/// The commit and its date from which this program was built, separated by a comma; empty if
/// unknown.
const SOURCE_COMMIT: &str = env!("SOURCE_COMMIT");

/// Returns a function that reads the gauges. It keeps neither the database nor the engine alive.
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
                "Always 1; the labels are the version and the commit of this build.",
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
                "Free bytes on the disk of the database (SQLite) or of the data folder.",
                bytes_as_f64(free),
            )
        }));
        gauges.extend(certificate.as_ref().map(|certificate| {
            new_gauge(
                "tillgate_tls_certificate_expires_seconds",
                "Expiry of the certificate in server.tls_cert, in seconds since 1970.",
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
        new_gauge("tillgate_database_connections_busy", "Database connections in use.", f64::from(load.busy)),
        new_gauge("tillgate_database_connections_idle", "Idle database connections.", f64::from(load.idle)),
        new_gauge("tillgate_database_waiting", "Units of work waiting for the database.", count_as_f64(load.waiting)),
        new_gauge(
            "tillgate_database_writable",
            "1 if the latest write succeeded; 0 if it failed because the disk is full or the database is read-only.",
            f64::from(u8::from(Store::<AuthPorts>::write_failure(&*database).is_none())),
        ),
    ];
    if let Some(bytes) = load.page_cache_bytes {
        gauges.extend(cache_gauges("pages", bytes, pages));
    }
    gauges
}

fn engine_gauges(auth: &Weak<Auth>) -> Vec<Gauge> {
    let Some(auth) = auth.upgrade() else { return Vec::new() };
    let stats = auth.hash_queue().stats();
    let mut gauges = vec![
        new_gauge(
            "tillgate_hash_queue_known",
            "Logins from known networks waiting for a hash.",
            count_as_f64(stats.known),
        ),
        new_gauge(
            "tillgate_hash_queue_strangers",
            "Logins from unknown networks waiting for a hash.",
            count_as_f64(stats.strangers),
        ),
        new_gauge(
            "tillgate_hash_queue_setting",
            "Registrations and password resets waiting for a hash.",
            count_as_f64(stats.new_passwords),
        ),
        new_gauge(
            "tillgate_clock_in_doubt",
            "1 if the clock is in doubt, otherwise 0.",
            f64::from(u8::from(auth.time().in_doubt)),
        ),
    ];
    gauges.push(new_gauge(
        "tillgate_feed_open_seconds",
        "Age of the oldest open transaction on the database server that has written data, in seconds.",
        auth.oldest_open_age().as_secs_f64(),
    ));
    if let Some(age) = auth.feed_age() {
        gauges.push(new_gauge(
            "tillgate_view_age_seconds",
            "Age of the revocation data, in seconds.",
            age.as_secs_f64(),
        ));
    }
    gauges.extend(auth.cache_usage().into_iter().flat_map(|usage| cache_gauges(usage.name, usage.bytes, usage.limit)));
    gauges
}

fn new_gauge(name: &'static str, help: &'static str, value: f64) -> Gauge {
    Gauge { name: name.into(), help: help.into(), labels: Vec::new(), value }
}

/// The usage of a cache that each of several mounts has, with `limit` bytes for each.
fn dialect_cache_gauges(name: &'static str, (contracts, bytes): (usize, usize), limit: u64) -> [Gauge; 2] {
    let contracts = u64::try_from(contracts).unwrap_or(u64::MAX);
    cache_gauges(name, u64::try_from(bytes).unwrap_or(u64::MAX), limit.saturating_mul(contracts))
}

/// The usage of a cache.
fn cache_gauges(name: &'static str, bytes: u64, limit: u64) -> [Gauge; 2] {
    let of = |gauge: Gauge| Gauge { labels: vec![("cache", name)], ..gauge };
    [
        of(new_gauge("tillgate_cache_bytes", "Estimated upper bound of the bytes in a cache.", bytes_as_f64(bytes))),
        of(new_gauge("tillgate_cache_limit_bytes", "Maximum size of a cache in bytes.", bytes_as_f64(limit))),
    ]
}

/// Converts bytes or seconds for Prometheus; rounds above 2^53.
#[expect(clippy::cast_precision_loss, reason = "no memory is that large, and no clock goes that far")]
fn bytes_as_f64(count: u64) -> f64 {
    count as f64
}

/// Converts a count for Prometheus; exact up to 4,294,967,295, which no queue here reaches.
fn count_as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
