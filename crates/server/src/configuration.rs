//! Configuration: all settings, their defaults and where their values come from.
//!
//! Values are taken from the defaults, then from one file (`--config`, otherwise `tillgate.toml` in
//! the data folder, otherwise `/etc/tillgate/tillgate.toml`), then from environment variables such
//! as `TILLGATE_SERVER__LISTEN`, then from flags; later sources override earlier ones. An unknown
//! key is an error. This module opens no database and no socket.

mod access_rows;
mod database_address;
mod layers;
mod loading;
mod mount_rows;
mod table;
mod validation;
mod value;

pub(crate) use database_address::libpq_error_text;
pub(crate) use layers::SecretFile;
pub use layers::Source;
pub use loading::read_settings;
pub(crate) use loading::{Flags, find_log_format, load_settings};
#[cfg(test)]
pub(crate) use table::KEYS;
pub use table::{Settings, keys};
pub use value::parse_span;
pub(crate) use value::{Algorithm, ForwardingHeaders, LogFormat, MailTls};

/// An error in the configuration. Its text names the key, the source of the value and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key that is not a setting.
    #[error("{source}: there is no setting \"{key}\"{}", suggestion_text(near.as_deref()))]
    Unknown {
        /// The file, variable or flag that contains the key.
        #[source]
        source: Source,
        /// The unknown key, as `section.key`.
        key: String,
        /// The most similar setting, if one is similar enough.
        near: Option<String>,
    },
    /// An environment variable that begins with `TILLGATE_` but is not a setting.
    #[error("there is no setting for the variable \"{name}\"{}", suggestion_text(near.as_deref()))]
    UnknownVariable {
        /// The name of the variable.
        name: String,
        /// The most similar variable, if one is similar enough.
        near: Option<String>,
    },
    /// An invalid value of a setting.
    #[error("{source}: {key} {why}")]
    Value {
        /// The file, variable or flag that contains the value.
        #[source]
        source: Source,
        /// The setting, as `section.key`.
        key: String,
        /// The reason, such as "must be true or false".
        why: String,
    },
    /// Settings that are valid on their own but not together, or a value out of bounds.
    #[error("{0}")]
    Contradiction(String),
    /// A file that cannot be read or is not TOML.
    #[error("{path}: {why}")]
    File {
        /// The path of the file.
        path: String,
        /// The reason, from the system or the TOML parser.
        why: String,
    },
}

/// The end of an error text about an unknown name, or nothing.
fn suggestion_text(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default()
}
