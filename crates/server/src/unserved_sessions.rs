//! Warns at start about dialects that have live sessions but no mount: their clients are answered
//! 404.

use std::sync::Arc;
use std::thread;

use tillgate_auth_core::Auth;

use crate::command::CommandError;
use crate::configuration::Settings;

/// The dialect that is served without an entry in `mounts`.
const NATIVE_DIALECT: &str = "native";

/// Checks on a thread of its own, because it reads every session.
pub(crate) fn warn_unserved_sessions(settings: &Settings, auth: &Arc<Auth>) -> Result<(), CommandError> {
    let served: Vec<String> = settings.mounts.iter().map(|mount| mount.dialect.clone()).collect();
    let auth = Arc::clone(auth);
    let check = move || match auth.list_live_dialects() {
        Ok(dialects) => {
            let unserved = |label: &&str| *label != NATIVE_DIALECT && !served.iter().any(|served| served == label);
            for dialect in dialects.iter().map(tillgate_auth_core::DialectName::as_str).filter(unserved) {
                tracing::warn!(
                    dialect,
                    "there are live sessions of a dialect that is not mounted: add a [[mounts]] table with dialect = \
                     \"{dialect}\" to the configuration, or end the sessions (tillgate session list)"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "cannot check whether every dialect with live sessions is mounted"),
    };
    thread::Builder::new().name("tillgate-unserved".to_owned()).spawn(check).map(drop).map_err(CommandError::failed)
}
