//! The mounts: the native API, the OAuth endpoints, and the dialects with their settings from the
//! configuration.

use std::sync::Arc;

use tillgate_auth_core::session_terms::{RefreshTerms, Terms};
use tillgate_domain::Slug;
use tillgate_http::{
    BrowserSettings, DialectEntry, DialectSettings, Fiuu, Kasir, Mount, Mounts, Native, OAuth, OfficePages, Portos,
    PosStar, TillTerms,
};

use crate::command::CommandError;
use crate::configuration::Settings;

/// The mounts of the web server: the native API, the OAuth endpoints, and the mounts of the
/// configuration.
pub(crate) fn build_mounts(settings: &Settings) -> Result<Mounts, CommandError> {
    let native = Native::new(native_terms(settings)).with_till_terms(till_terms(settings));
    let mut mounts = vec![
        Mount::at_prefix(&settings.native.prefix, Arc::new(native)).map_err(CommandError::usage)?,
        Mount::at_prefix(&settings.oauth.prefix, Arc::new(OAuth::new())).map_err(CommandError::usage)?,
    ];
    for each in &settings.mounts {
        let entry = DialectEntry::find(&each.dialect)
            .ok_or_else(|| CommandError::usage(format!("mounts: the dialect \"{}\" does not exist", each.dialect)))?;
        let outer = ("", entry.build);
        let nested = entry.nested.as_ref().map(|nested| (nested.path, nested.build));
        for (path, build) in std::iter::once(outer).chain(nested) {
            let dialect = build(dialect_settings(entry, settings));
            let prefix = format!("{}{path}", each.prefix);
            let mut mount = Mount::at_prefix(&prefix, dialect).map_err(CommandError::usage)?;
            if let Some(host) = &each.host {
                mount = mount.with_host(host);
            }
            if let Some(tenant) = &each.tenant {
                mount = mount.with_tenant(tenant.clone());
            }
            mounts.push(mount);
        }
    }
    Mounts::check(mounts).map_err(CommandError::usage)
}

/// The prefix of the back office for browsers that serves this tenant on every host.
pub(crate) fn office_prefix<'s>(settings: &'s Settings, tenant: &Slug) -> Option<&'s str> {
    let mounts = settings.mounts.iter().filter(|mount| mount.dialect == OfficePages::NAME && mount.host.is_none());
    let mut serving = mounts.filter(|mount| mount.tenant.as_ref().is_none_or(|only| only == tenant));
    serving.next().map(|mount| mount.prefix.trim_end_matches('/'))
}

/// The terms of sessions that are created through this dialect; those of the native API for a name
/// that is not the name of a dialect.
pub(crate) fn session_terms(settings: &Settings, dialect: &str) -> Terms {
    DialectEntry::find(dialect).map_or_else(|| native_terms(settings), |entry| dialect_settings(entry, settings).terms)
}

fn native_terms(settings: &Settings) -> Terms {
    let sessions = &settings.sessions;
    let refresh = RefreshTerms { idle: Some(sessions.idle), overlap: Some(sessions.overlap), first_reusable: false };
    Terms {
        access: sessions.access,
        refresh: Some(refresh),
        absolute: Some(sessions.absolute),
        midnight: false,
        exchange_overlap: None,
        office: None,
    }
}

fn till_terms(settings: &Settings) -> TillTerms {
    let till = &settings.till;
    TillTerms::new(till.access, till.idle, till.overlap, till.software_absolute)
        .trust_hardware_claim(till.trust_hardware_claim)
        .with_operator(till.operator_access, till.operator_idle, till.operator_absolute)
}

/// Reads the settings of one dialect.
type ReadDialectSettings = fn(&Settings) -> DialectSettings;

/// The dialects that have a table of their own in the configuration.
const CONFIGURED_DIALECTS: [(&str, ReadDialectSettings); 5] = [
    (Portos::NAME, portos_settings),
    (Kasir::NAME, kasir_settings),
    (Fiuu::NAME, fiuu_settings),
    (PosStar::NAME, posstar_settings),
    (OfficePages::NAME, office_settings),
];

/// The settings of a dialect by the configuration; the dialect's defaults if the configuration has
/// no table for it.
fn dialect_settings(entry: &DialectEntry, settings: &Settings) -> DialectSettings {
    let configured = CONFIGURED_DIALECTS.iter().find(|(name, _)| *name == entry.name);
    configured.map_or_else(|| entry.default_settings(), |(_, read)| read(settings))
}

fn portos_settings(settings: &Settings) -> DialectSettings {
    let portos = &settings.portos;
    let refresh = RefreshTerms {
        idle: Some(portos.idle),
        overlap: portos.rotation.then_some(portos.overlap),
        first_reusable: false,
    };
    DialectSettings {
        terms: Terms {
            access: portos.access,
            refresh: Some(refresh),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        },
        requests_per_minute: None,
        browser: BrowserSettings::default(),
    }
}

fn kasir_settings(settings: &Settings) -> DialectSettings {
    let kasir = &settings.kasir;
    let refresh = RefreshTerms { idle: Some(kasir.idle), overlap: Some(kasir.overlap), first_reusable: true };
    DialectSettings {
        terms: Terms {
            access: kasir.access,
            refresh: Some(refresh),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        },
        requests_per_minute: Some(kasir.per_minute),
        browser: BrowserSettings { origins: kasir.origins.clone(), secure: kasir.secure, same_site: kasir.same_site },
    }
}

fn fiuu_settings(settings: &Settings) -> DialectSettings {
    let fiuu = &settings.fiuu;
    let refresh = RefreshTerms { idle: None, overlap: fiuu.rotation.then_some(fiuu.overlap), first_reusable: false };
    DialectSettings {
        terms: Terms {
            access: fiuu.access,
            refresh: Some(refresh),
            absolute: None,
            midnight: true,
            exchange_overlap: None,
            office: None,
        },
        requests_per_minute: Some(fiuu.per_minute),
        browser: BrowserSettings::default(),
    }
}

fn posstar_settings(settings: &Settings) -> DialectSettings {
    let posstar = &settings.posstar;
    DialectSettings {
        terms: Terms {
            access: posstar.access,
            refresh: None,
            absolute: posstar.absolute,
            midnight: false,
            exchange_overlap: Some(posstar.overlap),
            office: None,
        },
        requests_per_minute: Some(posstar.per_minute),
        browser: BrowserSettings::default(),
    }
}

fn office_settings(settings: &Settings) -> DialectSettings {
    let office = &settings.office;
    DialectSettings {
        terms: OfficePages::terms_of(office.idle, office.read_only_idle, office.absolute, office.max_proof_age),
        requests_per_minute: None,
        browser: BrowserSettings::default(),
    }
}

#[cfg(test)]
mod tests {
    use tillgate_http::DIALECTS;

    use super::*;
    use crate::configuration::{Flags, load_settings};

    #[test]
    fn default_configuration_has_the_default_terms_of_each_dialect() {
        let settings = load_settings(&Flags::default(), &[]).unwrap();
        for entry in DIALECTS {
            assert_eq!(dialect_settings(entry, &settings).terms, (entry.default_terms)(), "{}", entry.name);
        }
        assert_eq!(till_terms(&settings), TillTerms::default());
    }

    #[test]
    fn table_of_a_dialect_in_the_configuration_is_read() {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/tillgate.toml");
        let tables: toml::Table = std::fs::read_to_string(example).unwrap().parse().unwrap();
        for entry in DIALECTS {
            let is_read = CONFIGURED_DIALECTS.iter().any(|(name, _)| *name == entry.name);
            assert_eq!(is_read, tables.contains_key(entry.name), "{}", entry.name);
        }
    }

    #[test]
    fn configured_dialects_are_registered() {
        for (name, _) in CONFIGURED_DIALECTS {
            assert!(DialectEntry::find(name).is_some(), "{name}");
        }
    }
}
