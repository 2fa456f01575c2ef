//! Enrollments: a one-time code with which a device registers its key. Somebody who may do so
//! starts the enrollment for a device of the back office and hands the code to the person at the
//! device.

use std::time::Duration;

use crate::device_key::Thumbprint;
use crate::words::words;
use crate::{ApiKeyId, DeviceId, Instant, SessionId, TenantId, UserId};

/// The digest of a code, under which it is stored: the HMAC of a code that a person types, or the
/// SHA-256 of the code with which a machine polls.
pub type EnrollmentDigest = [u8; 32];

/// How long the code of an enrollment is valid unless its request says otherwise.
pub const DEFAULT_ENROLLMENT_LIFETIME: Duration = Duration::from_mins(10);

/// How long the code of an enrollment is valid at least.
pub const MIN_ENROLLMENT_LIFETIME: Duration = Duration::from_mins(1);

/// How long the code of an enrollment is valid at most.
pub const MAX_ENROLLMENT_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// How long after a completed enrollment the same key with the same code gets the same session
/// again, because the response may have been lost.
pub const REPEATED_ENROLLMENT_LIMIT: Duration = Duration::from_mins(10);

words! {
    /// What has become of the code of an enrollment.
    EnrollmentState {
        /// The code can be used.
        Waiting = "waiting",
        /// The code has expired before anybody used it.
        Expired = "expired",
        /// The code was used.
        Completed = "completed",
    }
}

/// The enrollment of a device. A device has one at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// The device to enroll.
    pub device: DeviceId,
    /// The tenant of the device.
    pub tenant: TenantId,
    /// The digest of the code.
    pub digest: EnrollmentDigest,
    /// Whether it replaces the current key of the device. Otherwise it fails if there is one.
    pub replaces_key: bool,
    /// Whether the machine that presents the code waits until somebody confirms it.
    pub confirms: bool,
    /// The user who started it; `None` if it was started on the server's own machine.
    pub started_by: Option<UserId>,
    /// The API key with which it was started; `None` if it was started in another way.
    pub started_with: Option<ApiKeyId>,
    /// The instant of its start.
    pub created_at: Instant,
    /// The instant at which the code expires.
    pub expires_at: Instant,
    /// How the code was used; `None` until then.
    pub completion: Option<EnrollmentCompletion>,
}

/// How a code was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrollmentCompletion {
    /// The instant of the enrollment.
    pub at: Instant,
    /// The thumbprint of the enrolled key.
    pub thumbprint: Thumbprint,
    /// The session that the device got.
    pub session: SessionId,
}

impl Enrollment {
    /// The state at this instant.
    pub fn state(&self, now: Instant) -> EnrollmentState {
        match self.completion {
            Some(_) => EnrollmentState::Completed,
            None if self.expires_at > now => EnrollmentState::Waiting,
            None => EnrollmentState::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn default_lifetime_is_in_the_range() {
        assert!((MIN_ENROLLMENT_LIFETIME..=MAX_ENROLLMENT_LIFETIME).contains(&DEFAULT_ENROLLMENT_LIFETIME));
    }

    #[test]
    fn enrollment_waits_until_it_is_completed_or_expires() {
        let at = Instant::from_millis;
        let waiting = Enrollment {
            device: DeviceId(Uuid::from_u128(1)),
            tenant: TenantId(Uuid::from_u128(2)),
            digest: [3; 32],
            replaces_key: false,
            confirms: false,
            started_by: None,
            started_with: None,
            created_at: at(0),
            expires_at: at(10),
            completion: None,
        };
        assert_eq!([9, 10].map(|now| waiting.state(at(now))), [EnrollmentState::Waiting, EnrollmentState::Expired]);
        let completion =
            EnrollmentCompletion { at: at(5), thumbprint: [4; 32], session: SessionId(Uuid::from_u128(5)) };
        let completed = Enrollment { completion: Some(completion), ..waiting };
        assert_eq!([6, 10].map(|now| completed.state(at(now))), [EnrollmentState::Completed; 2]);
    }
}
