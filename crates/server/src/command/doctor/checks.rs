//! The checks, in the order in which one stands on another: what cannot be looked at because an earlier one failed is left out.

mod audit;
mod database;
mod machine;
mod names;

use super::finding::Finding;
use crate::command::Context;
use crate::compose;
use crate::draw::Draw;

/// Looks at everything.
pub(super) fn all(context: &Context) -> Vec<Finding> {
    let settings = match context.settings(|_| ()) {
        Ok(settings) => settings,
        Err(stop) => {
            return vec![Finding::bad(
                "configuration",
                stop.to_string(),
                "correct it; config/tillgate.toml shows every key",
            )];
        }
    };
    let mut findings = vec![machine::configuration(&settings)];
    findings.extend(machine::certificate(&settings, Draw::default().now()));
    findings.push(machine::folder(&settings));
    findings.extend(machine::disk(&settings));
    findings.push(machine::master_key(&settings));
    match database::open(&settings) {
        Err(finding) => findings.push(finding),
        Ok(database) => {
            findings.push(Finding::good(
                "database",
                compose::address(&settings).map(|address| address.to_string()).unwrap_or_default(),
            ));
            findings.push(database::durability(&database));
            let writes = database::writes(&database);
            let writable = writes.as_ref().is_none_or(Finding::well);
            findings.extend(writes);
            if !writable {
                return findings;
            }
            match database::migrations(&settings, &database) {
                finding if !finding.well() => findings.push(finding),
                finding => {
                    findings.push(finding);
                    findings.push(database::clock(&settings, &database));
                    findings.push(database::keys(&settings, &database));
                    findings.push(audit::history(&settings, &database));
                    findings.push(audit::seals(&settings, &database));
                    findings.push(database::users(&settings, &database));
                    findings.push(database::tenants(&settings, &database));
                    findings.push(names::alike(&database));
                }
            }
        }
    }
    findings
}
