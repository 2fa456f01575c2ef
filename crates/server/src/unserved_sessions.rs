//! Says at a start which contracts have live sessions and no mount, since their clients are answered 404 from now on.

use std::sync::Arc;
use std::thread;

use tillgate_auth_core::Auth;

use crate::command::CommandError;
use crate::configuration::Settings;

/// What is served without a row among the mounts.
const NATIVE_DIALECT: &str = "native";

/// Looks on a thread of its own: it reads every session.
pub(crate) fn warn_unserved_sessions(settings: &Settings, auth: &Arc<Auth>) -> Result<(), CommandError> {
    let served: Vec<String> = settings.mounts.iter().map(|mount| mount.dialect.clone()).collect();
    let auth = Arc::clone(auth);
    let look = move || match auth.list_live_dialects() {
        Ok(dialects) => {
            let unserved = |label: &&str| *label != NATIVE_DIALECT && !served.iter().any(|served| served == label);
            for dialect in dialects.iter().map(tillgate_auth_core::DialectName::as_str).filter(unserved) {
                tracing::warn!(
                    dialect,
                    "there are live sessions of a contract that no mount serves: add a [[mounts]] with dialect = \"{dialect}\" to the \
                     configuration, or end them (tillgate session list)"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "whether every contract with live sessions is served cannot be told"),
    };
    thread::Builder::new().name("tillgate-unserved".to_owned()).spawn(look).map(drop).map_err(CommandError::failed)
}
