//! Where dialects are served, and the check that no two mounts claim the same route.

mod checked_mounts;

use std::fmt;
use std::sync::Arc;

use tillgate_domain::Slug;

pub use checked_mounts::{MountClash, Mounts};

use crate::percent::is_unreserved;
use crate::serving::dialect::Dialect;

/// A dialect at a prefix, for one tenant or all.
#[derive(Clone)]
pub struct Mount {
    /// The dialect that is served.
    pub dialect: Arc<dyn Dialect>,
    /// Prefix of all paths, such as `/portos`; empty at the root.
    pub prefix: String,
    /// The host name under which the mount is served, without a port; `None` for every host.
    pub host: Option<String>,
    /// The only tenant that the mount serves; `None` if requests name their tenant.
    pub tenant: Option<Slug>,
}

/// A prefix that a mount cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the prefix {0:?} of a mount must be empty or \"/\" for the root, or like /portos: segments of letters, \
     digits, \"-\", \"_\", \".\" and \"~\""
)]
pub struct InvalidMountPrefix(String);

impl Mount {
    /// Creates a mount at this prefix, for every host and tenant.
    pub fn at_prefix(prefix: &str, dialect: Arc<dyn Dialect>) -> Result<Self, InvalidMountPrefix> {
        let trimmed = prefix.strip_suffix('/').unwrap_or(prefix);
        if Self::is_prefix(trimmed) {
            Ok(Self { dialect, prefix: trimmed.to_owned(), host: None, tenant: None })
        } else {
            Err(InvalidMountPrefix(prefix.to_owned()))
        }
    }

    /// Whether a text is a valid prefix: empty, or segments of unreserved characters, each after a
    /// slash.
    pub fn is_prefix(text: &str) -> bool {
        let segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(is_unreserved);
        text.is_empty() || text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment))
    }

    /// Restricts the mount to one host name.
    pub fn with_host(self, host: &str) -> Self {
        Self { host: Some(host.trim_end_matches('.').to_ascii_lowercase()), ..self }
    }

    /// Restricts the mount to one tenant.
    pub fn with_tenant(self, tenant: Slug) -> Self {
        Self { tenant: Some(tenant), ..self }
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.prefix.is_empty() { "/" } else { &self.prefix };
        write!(f, "{} at {}{prefix}", self.dialect.name(), self.host.as_deref().unwrap_or_default())?;
        match &self.tenant {
            Some(tenant) => write!(f, " for the tenant {tenant}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
