//! The checks of `doctor`, in order of their dependencies: a check that depends on a failed one is
//! omitted.

mod audit;
mod database;
mod machine;
mod mails;
mod names;

use super::finding::Finding;
use crate::command::Context;
use crate::composition;
use crate::configuration::ConfigError;
use crate::ids::IdSource;

fn configuration_remedy(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::File { .. } => "correct the file or its path, or run the command as a user who can read it",
        _ => {
            "correct the setting; config/tillgate.toml in the source, or /usr/share/doc/tillgate/tillgate.toml of the \
             Debian package, lists all of them"
        }
    }
}

/// Runs all checks.
pub(super) fn run_checks(context: &Context) -> Vec<Finding> {
    let settings = match context.load_settings() {
        Ok(settings) => settings,
        Err(error) => return vec![Finding::problem("configuration", error.to_string(), configuration_remedy(&error))],
    };
    let mut findings = vec![machine::check_configuration(&settings)];
    findings.extend(machine::check_certificate(&settings, IdSource::default().now()));
    findings.extend(machine::check_public_url(&settings));
    findings.push(machine::check_data_folder(&settings));
    findings.extend(machine::check_disk(&settings));
    findings.push(machine::check_master_key(&settings));
    findings.extend(machine::check_secret_files(&settings));
    match database::open_database(&settings) {
        Err(finding) => findings.push(finding),
        Ok(database) => {
            findings.push(Finding::ok(
                "database",
                composition::database_address(&settings).map(|address| address.to_string()).unwrap_or_default(),
            ));
            findings.push(database::check_durability(&database));
            let writes = database::check_writes(&database);
            let writable = writes.as_ref().is_none_or(Finding::is_ok);
            findings.extend(writes);
            if !writable {
                return findings;
            }
            match database::check_migrations(&settings, &database) {
                finding if !finding.is_ok() => findings.push(finding),
                finding => {
                    findings.push(finding);
                    findings.push(database::check_clock(&settings, &database));
                    findings.push(database::check_keys(&settings, &database));
                    findings.push(audit::check_history(&settings, &database));
                    findings.push(audit::check_seals(&settings, &database));
                    findings.push(database::check_users(&settings, &database));
                    findings.push(database::check_tenants(&settings, &database));
                    findings.extend(database::check_access_rights(&settings, &database));
                    findings.push(names::check_similar_names(&database));
                    findings.push(mails::check_mails(&settings, &database));
                    findings.push(database::list_processes(&database));
                }
            }
        }
    }
    findings
}
