//! The dialects: published wire contracts, each of which stands alone. What two of them share is a
//! function of this crate, never of another dialect. The back office for browsers is mounted like
//! one of them.
//!
//! [`DIALECTS`] is the only list of them. Configuration and composition look up there, so that a
//! new dialect is one entry more and no dialect is ever served in the place of another. A dialect
//! with settings also has a table in the server's configuration (`configuration/table.rs`), which
//! `composition/mount_building.rs` reads.

pub(crate) mod fiuu;
pub(crate) mod kasir;
pub(crate) mod krmpesan;
pub(crate) mod portos;
pub(crate) mod posstar;

use std::sync::Arc;

use tillgate_auth_core::Terms;

use crate::api::office::{OfficeApi, OfficePages};
use crate::serving::dialect::Dialect;
use fiuu::Fiuu;
use kasir::{BrowserSettings, Kasir};
use krmpesan::Krmpesan;
use portos::Portos;
use posstar::PosStar;

/// Every dialect that a configuration can mount, in the order in which they are served by default.
pub const DIALECTS: &[DialectEntry] = &[
    DialectEntry {
        name: Portos::NAME,
        registers_tenants: false,
        default_terms: Portos::default_terms,
        nested: None,
        build: |settings| Arc::new(Portos::new(settings.terms)),
    },
    DialectEntry {
        name: Kasir::NAME,
        registers_tenants: false,
        default_terms: Kasir::default_terms,
        nested: None,
        build: |settings| {
            let per_minute = settings.requests_per_minute.unwrap_or(Kasir::DEFAULT_REQUESTS_PER_MINUTE);
            Arc::new(Kasir::new(settings.terms, settings.browser, per_minute))
        },
    },
    DialectEntry {
        name: Fiuu::NAME,
        registers_tenants: false,
        default_terms: Fiuu::default_terms,
        nested: None,
        build: |settings| {
            let per_minute = settings.requests_per_minute.unwrap_or(Fiuu::DEFAULT_REQUESTS_PER_MINUTE);
            Arc::new(Fiuu::new(settings.terms, per_minute))
        },
    },
    DialectEntry {
        name: PosStar::NAME,
        registers_tenants: true,
        default_terms: PosStar::default_terms,
        nested: None,
        build: |settings| {
            let per_minute = settings.requests_per_minute.unwrap_or(PosStar::DEFAULT_REQUESTS_PER_MINUTE);
            Arc::new(PosStar::new(settings.terms, per_minute))
        },
    },
    DialectEntry {
        name: Krmpesan::NAME,
        registers_tenants: false,
        default_terms: Krmpesan::default_terms,
        nested: None,
        build: |settings| Arc::new(Krmpesan::new(settings.terms)),
    },
    DialectEntry {
        name: OfficePages::NAME,
        registers_tenants: false,
        default_terms: OfficePages::default_terms,
        nested: Some(NestedDialect {
            path: OfficeApi::PATH,
            build: |settings| Arc::new(OfficeApi::new(settings.terms)),
        }),
        build: |settings| Arc::new(OfficePages::new(settings.terms)),
    },
];

/// A dialect as configuration and composition see it.
#[derive(Debug)]
pub struct DialectEntry {
    /// The name in configuration, tokens, logs and metrics.
    pub name: &'static str,
    /// Whether anybody can register a tenant through it. Such a dialect finds the tenant of each
    /// request itself, and is served only if a configuration mounts it or in a demo.
    pub registers_tenants: bool,
    /// The terms of its sessions if the configuration has none.
    pub default_terms: fn() -> Terms,
    /// What is mounted below the prefix of the dialect, under the same name, for the same host and
    /// tenant.
    pub nested: Option<NestedDialect>,
    /// Makes the dialect with these settings.
    pub build: fn(DialectSettings) -> Arc<dyn Dialect>,
}

/// A second dialect below the prefix of one.
#[derive(Debug)]
pub struct NestedDialect {
    /// The path below the prefix.
    pub path: &'static str,
    /// Makes the dialect with the settings of the outer one.
    pub build: fn(DialectSettings) -> Arc<dyn Dialect>,
}

/// What a configuration can set for a dialect. A dialect ignores the settings that it has no use
/// for.
#[derive(Clone, Debug)]
pub struct DialectSettings {
    /// The terms of the sessions that are created through it.
    pub terms: Terms,
    /// The requests that one address may send in a minute; `None` for the dialect's own default.
    pub requests_per_minute: Option<u32>,
    /// The rules for web front ends and their cookies.
    pub browser: BrowserSettings,
}

impl DialectEntry {
    /// The dialect of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        DIALECTS.iter().find(|entry| entry.name == name)
    }

    /// The settings of a dialect for which the configuration has none.
    pub fn default_settings(&self) -> DialectSettings {
        DialectSettings {
            terms: (self.default_terms)(),
            requests_per_minute: None,
            browser: BrowserSettings::default(),
        }
    }
}
