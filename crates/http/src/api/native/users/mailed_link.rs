//! Links that are mailed to a user.

use serde::Serialize;
use tillgate_domain::{Email, Instant};
use utoipa::ToSchema;

use crate::timestamps::serialize_instant;

/// A link that is mailed to a user.
#[derive(Serialize, ToSchema)]
#[schema(as = MailedLink)]
pub struct MailedLinkBody<'l> {
    /// The address to which the link is mailed.
    #[schema(value_type = String, format = Email)]
    email: &'l str,
    /// When the link expires.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl<'l> MailedLinkBody<'l> {
    /// A link that expires at this instant.
    pub fn new(email: &'l Email, expires_at: Instant) -> Self {
        Self { email: email.as_str(), expires_at }
    }
}
