//! What a start says while there is nobody who could log in.

use crate::configuration::Settings;

/// How to make the first admin of this server.
pub(crate) fn first_admin_hint(settings: &Settings) -> String {
    format!(
        "There is no user yet. Make the first admin (it asks for a password of 8 characters at least):\n  {}",
        settings.command("user add admin --role admin")
    )
}
