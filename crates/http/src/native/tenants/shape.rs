//! A tenant as the native API shows it.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;
use tillgate_domain::{Instant, SessionLimits, Tenant, TenantId};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::instants::instant;

/// A tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct Shape<'t> {
    #[schema(value_type = uuid::Uuid)]
    id: TenantId,
    /// The short name in configuration and logins; it stays for good.
    slug: &'t str,
    /// The name that people read.
    name: &'t str,
    /// The time zone in which its days begin.
    zone: &'t str,
    /// The language of its people.
    locale: &'t str,
    limits: Limits,
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// How long the tenant's sessions live at most, in seconds. What is null is as the server's configuration says, and so is what was
/// kept since that said more. A change holds for sessions that are made from then on.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionLimits)]
pub(super) struct Limits {
    /// How long an access token is good.
    access: Option<u64>,
    /// How long after its last refresh a session lives.
    idle: Option<u64>,
    /// How long after its login a session lives.
    absolute: Option<u64>,
    /// How long a refresh token is answered again after it was followed by another.
    overlap: Option<u64>,
}

impl<'t> Shape<'t> {
    pub(super) fn of(tenant: &'t Tenant) -> Self {
        let seconds = |span: Option<Duration>| span.map(|span| span.as_secs());
        let SessionLimits { access, idle, absolute, overlap } = tenant.limits;
        Self {
            id: tenant.id,
            slug: tenant.slug.as_str(),
            name: &tenant.name,
            zone: tenant.zone.name(),
            locale: tenant.locale.as_str(),
            limits: Limits {
                access: seconds(access),
                idle: seconds(idle),
                absolute: seconds(absolute),
                overlap: seconds(overlap),
            },
            created_at: tenant.created_at,
        }
    }
}

/// The schema of a change of limits: each span a number of seconds, or null.
pub(super) fn limits_change() -> Schema {
    let span = |bounds: &RangeInclusive<Duration>| {
        ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::Integer, Type::Null]))
            .minimum(Some(bounds.start().as_secs()))
            .maximum(Some(bounds.end().as_secs()))
    };
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Object, Type::Null]))
        .property("access", span(&SessionLimits::ACCESS))
        .property("idle", span(&SessionLimits::IDLE))
        .property("absolute", span(&SessionLimits::ABSOLUTE))
        .property("overlap", span(&SessionLimits::OVERLAP))
        .into()
}
