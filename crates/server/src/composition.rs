//! Composition: builds the database, the engine, the mounts and the web server's settings from the
//! configuration. Each command builds only the parts that it needs.

mod database;
mod engine;
mod mount_building;

use std::num::NonZeroUsize;

pub(crate) use database::{
    create_database, database_address, database_location, find_tenant, has_database, master_key_location,
    open_database, open_database_before_upgrade, open_database_without_master_key, open_existing_database,
    prepare_database,
};
pub(crate) use engine::{
    build_command_engine, build_engine, build_engine_with_clock, build_engine_with_first_keys, build_password_policy,
    has_keys, password_cost,
};
pub(crate) use mount_building::{build_mounts, office_prefix, session_terms};

use crate::configuration::{ForwardingHeaders, Settings};
use crate::exposure;

/// The settings of the web server that do not depend on a dialect.
pub(crate) fn build_http_settings(settings: &Settings) -> tillgate_http::HttpSettings {
    tillgate_http::HttpSettings {
        proxies: settings.server.proxies.clone(),
        proxy_headers: match settings.server.proxy_headers {
            ForwardingHeaders::XForwarded => tillgate_http::ProxyHeaders::XForwarded,
            ForwardingHeaders::Forwarded => tillgate_http::ProxyHeaders::Forwarded,
        },
        body_limit: usize::try_from(settings.limits.body.0).unwrap_or(usize::MAX),
        rate_limiter_bytes: usize::try_from(settings.caches.addresses.0).unwrap_or(usize::MAX),
        terminal_list_bytes: usize::try_from(settings.caches.terminals.0).unwrap_or(usize::MAX),
        deadline: settings.limits.request,
        threads: to_usize(settings.limits.threads),
        blocking_limit: blocking_thread_count(settings, worker_count(settings))
            .saturating_add(to_usize(settings.limits.waiting)),
        serve_metrics: exposure::operations_address(settings).is_none(),
        serve_docs: settings.operations.docs,
        public_url: settings.server.public_url.as_ref().map(|url| url.as_str().to_owned()),
        access_rules: settings.access.clone(),
    }
}

/// The number of threads that serve requests: as configured, or one per core.
pub(crate) fn worker_count(settings: &Settings) -> usize {
    match to_usize(settings.server.workers) {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        workers => workers,
    }
}

/// The share of one worker in the threads that wait for the database or for a hash.
fn blocking_thread_count(settings: &Settings, workers: usize) -> usize {
    (to_usize(settings.limits.threads) / workers).max(1)
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
