//! The hint that a server and `init` print while there is no user.

use crate::configuration::Settings;

/// How to create the first administrator of this installation.
pub(crate) fn first_admin_hint(settings: &Settings) -> String {
    format!(
        "There is no user yet. Create the first admin (you are asked for a password of at least 8 characters):\n  {}",
        settings.command("user add admin --role admin")
    )
}
