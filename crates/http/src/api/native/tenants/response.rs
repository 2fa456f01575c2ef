//! The tenant in responses of the native API.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;
use tillgate_domain::{Instant, SessionLimits, Tenant, TenantId};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::timestamps::serialize_instant;

/// A tenant with its own users, devices, roles and audit events.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantBody<'t> {
    /// Id of the tenant; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: TenantId,
    /// Short name of the tenant in the configuration and in logins; it never changes.
    slug: &'t str,
    /// Display name of the tenant.
    name: &'t str,
    /// Time zone in which the tenant's days begin.
    zone: &'t str,
    /// Language of the tenant's users, as a BCP 47 tag.
    locale: &'t str,
    /// Color of the tenant's pages in sRGB, such as `#0b6b5e`; null for the default.
    accent_color: Option<String>,
    /// Whether machines that show a code themselves can be accepted (RFC 8628).
    machine_codes: bool,
    /// Upper limits of session lifetimes.
    limits: LimitsBody,
    /// When the tenant was created.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// Upper limits of the tenant's session lifetimes, in seconds. The server's configuration applies
/// if a limit is null, or longer than the configured lifetime. A change applies to sessions that
/// are created after it.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionLimits)]
pub(super) struct LimitsBody {
    /// Lifetime of an access token.
    access: Option<u64>,
    /// Idle timeout: how long after its last refresh a session ends.
    idle: Option<u64>,
    /// Absolute timeout: how long after its login a session ends.
    absolute: Option<u64>,
    /// Grace period after a rotation during which the previous refresh token still returns its
    /// successor.
    overlap: Option<u64>,
}

impl<'t> TenantBody<'t> {
    /// Converts a tenant.
    pub fn from_tenant(tenant: &'t Tenant) -> Self {
        let seconds = |span: Option<Duration>| span.map(|span| span.as_secs());
        let SessionLimits { access, idle, absolute, overlap } = tenant.limits;
        Self {
            id: tenant.id,
            slug: tenant.slug.as_str(),
            name: &tenant.name,
            zone: tenant.zone.name(),
            locale: tenant.locale.as_str(),
            accent_color: tenant.accent_color.map(|color| color.to_string()),
            machine_codes: tenant.machine_codes,
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

/// Schema of a change of the limits: each member is a number of seconds or null.
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
        let overlap = "Grace period after a rotation during which the previous refresh token still returns its \
             successor.";
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("access", span("Lifetime of an access token.", &SessionLimits::ACCESS_RANGE))
            .property(
                "idle",
                span("Idle timeout: how long after its last refresh a session ends.", &SessionLimits::IDLE_RANGE),
            )
            .property(
                "absolute",
                span("Absolute timeout: how long after its login a session ends.", &SessionLimits::ABSOLUTE_RANGE),
            )
            .property("overlap", span(overlap, &SessionLimits::OVERLAP_RANGE))
            .into()
    }
}

impl ToSchema for LimitsChangeSchema {
    fn name() -> Cow<'static, str> {
        "SessionLimitsChange".into()
    }
}
