//! The targets of the server's own log lines, which directives of `log.level` select. A directive
//! for a target that no line has would silently have no effect.

use crate::command::CommandError;
use crate::suggestions::did_you_mean;

/// The beginning of the server's own targets. Others are those of libraries.
const OWN_PREFIX: &str = "tillgate";

/// The targets of the server's own lines: those that a line names itself, and the crates, whose
/// modules are the targets of all other lines.
const OWN_TARGETS: [&str; 6] = [
    "tillgate::access",
    "tillgate::trace",
    "tillgate_auth_core",
    "tillgate_http",
    "tillgate_persistence",
    "tillgate_server",
];

/// Checks the targets of directives that begin with `tillgate`. Each selects the lines whose target
/// begins with it.
pub(super) fn check_targets(level: &str) -> Result<(), CommandError> {
    let targets = level.split(',').filter_map(|word| word.split(['=', '[']).next()).map(str::trim);
    match targets.filter(|target| target.starts_with(OWN_PREFIX)).find(|target| !selects_own_lines(target)) {
        None => Ok(()),
        Some(target) => Err(CommandError::usage(format!(
            "log.level: nothing is logged as \"{target}\"{}",
            did_you_mean(target, OWN_TARGETS)
        ))),
    }
}

fn selects_own_lines(target: &str) -> bool {
    OWN_TARGETS.iter().any(|own| {
        let in_crate = || target.strip_prefix(own).is_some_and(|module| module.starts_with("::"));
        own.starts_with(target) || (!own.contains("::") && in_crate())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn target_that_no_line_has_is_refused() {
        for level in [
            "info",
            "tillgate=debug",
            "warn,tillgate::access=info",
            "tillgate_http::serving::request_layer=trace",
            "tillgate_persistence[unit_of_work{name=login}]=debug",
            "actix_server=info,rustls=warn",
        ] {
            assert!(check_targets(level).is_ok(), "{level}");
        }
        for (level, target, near) in [
            ("tillgate::acess=info", "tillgate::acess", "; did you mean \"tillgate::access\"?"),
            ("info,tillgate_htp=debug", "tillgate_htp", "; did you mean \"tillgate_http\"?"),
            ("tillgate_http2::serving=debug", "tillgate_http2::serving", ""),
            ("tillgate::access::x=debug", "tillgate::access::x", ""),
            ("tillgate_servers[x]=debug", "tillgate_servers", "; did you mean \"tillgate_server\"?"),
        ] {
            let error = check_targets(level).unwrap_err().to_string();
            assert!(error.contains(&format!("\"{target}\"")) && error.ends_with(near), "{error}");
        }
    }

    /// The targets in the sources of the crates that the server links and that log.
    #[test]
    fn targets_are_those_of_the_sources() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = BTreeSet::new();
        for name in ["auth-core", "domain", "http", "persistence", "server", "web"] {
            let text = read_sources(&crates.join(name).join("src"));
            let logs = ["tracing::", "#[instrument"].iter().any(|word| text.contains(word));
            if logs {
                found.insert(format!("tillgate_{}", name.replace('-', "_")));
            }
            let explicit = text.split("target: \"tillgate::").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(explicit.map(|rest| format!("tillgate::{rest}")));
        }
        assert_eq!(found, OWN_TARGETS.map(str::to_owned).into());
    }

    /// The text of all sources in a folder.
    fn read_sources(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let texts = entries.map(|path| {
            if path.is_dir() { read_sources(&path) } else { std::fs::read_to_string(&path).unwrap_or_default() }
        });
        texts.collect()
    }
}
