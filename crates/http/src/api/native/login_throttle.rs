//! Failed logins of a user or device in responses.

use serde::Serialize;
use tillgate_auth_core::throttle::LoginThrottle;
use tillgate_domain::Instant;
use utoipa::ToSchema;

use crate::timestamps::serialize_instant;

/// Why logins are denied after failed logins.
#[derive(Serialize, ToSchema)]
#[schema(as = LoginThrottle)]
pub(super) struct LoginThrottleBody {
    /// When the next login is admitted from a network in which the user or device has never logged
    /// in. Other networks are counted separately.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
    /// Failed logins that are counted.
    failures: u32,
}

impl LoginThrottleBody {
    pub(super) fn from_throttle(throttle: LoginThrottle) -> Self {
        Self { until: throttle.until, failures: throttle.failures }
    }
}
