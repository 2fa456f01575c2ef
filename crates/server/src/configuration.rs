//! Configuration: every setting with its meaning and default, and where a value may come from.
//!
//! Built-in defaults, then one file (`--config`, else `tillgate.toml` in the data folder), then variables such as
//! `TILLGATE_SERVER__LISTEN`, then flags; the later one counts. A key that is not in the table is an error that names
//! it. Nothing here opens a database or a socket.

mod access;
mod layers;
mod loading;
mod mounts;
mod table;
mod validation;
mod value;

pub use layers::Source;
pub use loading::read_settings;
pub(crate) use loading::{Flags, load_settings};
#[cfg(test)]
pub(crate) use table::KEYS;
pub use table::{Settings, keys};
pub use value::parse_span;
pub(crate) use value::{Algorithm, ForwardingHeaders, LogFormat, MailTls};

/// A fault in the configuration: which key, where it stands, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key that no table has.
    #[error("{source}: there is no setting \"{key}\"{}", near.as_ref().map(|near| format!("; is it \"{near}\"?")).unwrap_or_default())]
    Unknown {
        /// Where it stands.
        #[source]
        source: Source,
        /// What it says.
        key: String,
        /// The right key, where one is near.
        near: Option<String>,
    },
    /// A variable of ours that is none of a setting.
    #[error("there is no setting for the variable {name}{}", near.as_ref().map(|near| format!("; is it {near}?")).unwrap_or_default())]
    UnknownVariable {
        /// Its name.
        name: String,
        /// The right name, where one is near.
        near: Option<String>,
    },
    /// A value that its key cannot take.
    #[error("{source}: {key} {why}")]
    Value {
        /// Where it stands.
        #[source]
        source: Source,
        /// The key.
        key: String,
        /// What it must be.
        why: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Contradiction(String),
    /// A file that cannot be read.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: String,
        /// Why not.
        why: String,
    },
}
