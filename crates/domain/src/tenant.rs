//! Tenants: vendors. Users, devices, roles and tickets belong to exactly one.

mod limits;

pub use limits::SessionLimits;

use crate::{BranchId, Epoch, Instant, Slug, TenantId, Zone};

/// A vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its short name in configuration and requests.
    pub slug: Slug,
    /// The name that people read.
    pub name: String,
    /// The time zone in which its days begin.
    pub zone: Zone,
    /// The language of its people.
    pub locale: Locale,
    /// How far its sessions stay behind what the server's configuration allows.
    pub limits: SessionLimits,
    /// Its stores, one at least.
    pub branches: Vec<Branch>,
    /// Raised by what ends every session of the tenant.
    pub epoch: Epoch,
    /// When it was made.
    pub created_at: Instant,
    /// Raised by every change of its own fields and of its stores.
    pub version: i64,
}

/// A store of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its id.
    pub id: BranchId,
    /// The name that people read.
    pub name: String,
}

/// A language, and where it matters a country, as `Accept-Language` names them: `sk-SK`, `en`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

/// A text that is no language tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a locale is a language tag such as en or sk-SK")]
pub struct InvalidLocale;

impl Locale {
    /// Takes a language tag of letters, digits and hyphens (RFC 5646), 35 characters at most.
    pub fn parse(tag: &str) -> Result<Self, InvalidLocale> {
        let part = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
        if tag.len() <= 35 && tag.split('-').all(part) { Ok(Self(tag.to_owned())) } else { Err(InvalidLocale) }
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
