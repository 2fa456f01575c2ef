//! Tenants: vendors, to whom users, devices, roles and tickets belong. Tenants share nothing.

mod accent_color;
mod limits;

pub use accent_color::{AccentColor, InvalidAccentColor};
pub use limits::SessionLimits;

use crate::{BranchId, Epoch, Instant, Slug, TenantId, Zone};

/// A vendor with its settings and stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The identifier of the tenant.
    pub id: TenantId,
    /// The short name in configuration and requests.
    pub slug: Slug,
    /// The name for people.
    pub name: String,
    /// The time zone in which its days begin.
    pub zone: Zone,
    /// The language of its users.
    pub locale: Locale,
    /// The color of its pages; `None` for the default.
    pub accent_color: Option<AccentColor>,
    /// Whether the key of a machine that shows a code itself can be accepted (RFC 8628).
    pub machine_codes: bool,
    /// The limits of its sessions, which shorten what the server's configuration allows.
    pub limits: SessionLimits,
    /// Its stores, at least one, in the order of their ids.
    pub branches: Vec<Branch>,
    /// Raised to end all sessions of the tenant, except permanent ones.
    pub epoch: Epoch,
    /// The instant at which it was created.
    pub created_at: Instant,
    /// Increased by every change of its own fields and of its stores.
    pub version: i64,
}

/// A store of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The identifier of the store.
    pub id: BranchId,
    /// The name for people.
    pub name: String,
    /// The time zone in which its times are shown; `None` for that of the tenant.
    pub zone: Option<Zone>,
}

/// A language, and a country if it matters, as in `Accept-Language`: `sk-SK`, `en`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

/// The text is not a language tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a locale must be a language tag such as en or sk-SK")]
pub struct InvalidLocale;

impl Locale {
    /// Parses a language tag of letters, digits and hyphens (RFC 5646), at most 35 characters.
    pub fn parse(tag: &str) -> Result<Self, InvalidLocale> {
        let part = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
        if tag.len() <= 35 && tag.split('-').all(part) { Ok(Self(tag.to_owned())) } else { Err(InvalidLocale) }
    }

    /// The tag as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
