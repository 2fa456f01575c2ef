//! A tenant as the native API shows it.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;
use tillgate_domain::{Instant, SessionLimits, Tenant, TenantId};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::timestamps::serialize_instant;

/// A tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantBody<'t> {
    /// It stays for good.
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
    /// How long its sessions live at most.
    limits: LimitsBody,
    /// When it was made.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// How long the tenant's sessions live at most, in seconds. What is null is as the server's configuration says, and so is what was
/// kept since that said more. A change holds for sessions that are made from then on.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionLimits)]
pub(super) struct LimitsBody {
    /// How long an access token is good.
    access: Option<u64>,
    /// How long after its last refresh a session lives.
    idle: Option<u64>,
    /// How long after its login a session lives.
    absolute: Option<u64>,
    /// How long a refresh token is answered again after it was followed by another.
    overlap: Option<u64>,
}

impl<'t> TenantBody<'t> {
    pub(super) fn from_tenant(tenant: &'t Tenant) -> Self {
        let seconds = |span: Option<Duration>| span.map(|span| span.as_secs());
        let SessionLimits { access, idle, absolute, overlap } = tenant.limits;
        Self {
            id: tenant.id,
            slug: tenant.slug.as_str(),
            name: &tenant.name,
            zone: tenant.zone.name(),
            locale: tenant.locale.as_str(),
            limits: LimitsBody {
                access: seconds(access),
                idle: seconds(idle),
                absolute: seconds(absolute),
                overlap: seconds(overlap),
            },
            created_at: tenant.created_at,
        }
    }
}

/// What becomes of the limits: each span a number of seconds, or null.
pub(super) enum LimitsChangeSchema {}

impl PartialSchema for LimitsChangeSchema {
    fn schema() -> RefOr<Schema> {
        let span = |about: &str, bounds: &RangeInclusive<Duration>| {
            ObjectBuilder::new()
                .description(Some(about))
                .schema_type(SchemaType::Array(vec![Type::Integer, Type::Null]))
                .minimum(Some(bounds.start().as_secs()))
                .maximum(Some(bounds.end().as_secs()))
        };
        let overlap = "How long a refresh token is answered again after it was followed by another.";
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("access", span("How long an access token is good.", &SessionLimits::ACCESS_RANGE))
            .property("idle", span("How long after its last refresh a session lives.", &SessionLimits::IDLE_RANGE))
            .property("absolute", span("How long after its login a session lives.", &SessionLimits::ABSOLUTE_RANGE))
            .property("overlap", span(overlap, &SessionLimits::OVERLAP_RANGE))
            .into()
    }
}

impl ToSchema for LimitsChangeSchema {
    fn name() -> Cow<'static, str> {
        "SessionLimitsChange".into()
    }
}
