//! Keys that wait to be accepted. A machine without a code shows one itself; somebody who may
//! enroll devices chooses the device and types what the machine shows, while the machine polls (RFC
//! 8628). A machine whose enrollment must be confirmed waits in the same way.

use std::net::IpAddr;
use std::time::Duration;

use crate::device_key::Thumbprint;
use crate::words::words;
use crate::{DeviceId, EnrollmentDigest, Instant, KeyStorage, TenantId};

/// How long a key waits to be accepted, and then for the machine to poll.
pub const PENDING_KEY_LIFETIME: Duration = Duration::from_mins(10);

/// How long a machine waits between two polls (RFC 8628, section 3.2).
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How much earlier a poll may come, because the network delays some more than others.
const POLL_TOLERANCE: Duration = Duration::from_secs(1);

/// The number of digits of a fingerprint.
pub const FINGERPRINT_DIGITS: usize = 4;

/// How often wrong digits can be typed for a key before it is denied.
pub const MAX_WRONG_FINGERPRINTS: u32 = 5;

/// The number of keys of a tenant that have not expired. No machine starts to wait beyond it.
pub const MAX_TENANT_PENDING_KEYS: u32 = 5_000;

/// The number of keys in a store that have not expired. Beyond it, machines start only in tenants
/// that have fewer than [`RESERVED_PENDING_KEYS`].
pub const MAX_PENDING_KEYS: u32 = 10_000;

/// The number of keys that each tenant can have however many wait in others.
pub const RESERVED_PENDING_KEYS: u32 = 500;

/// Whether a machine can start to wait if its tenant has `of_tenant` keys that have not expired,
/// and the store has `of_all`.
pub const fn has_room(of_tenant: u32, of_all: u32) -> bool {
    of_tenant < RESERVED_PENDING_KEYS || (of_tenant < MAX_TENANT_PENDING_KEYS && of_all < MAX_PENDING_KEYS)
}

words! {
    /// What was decided about a key.
    PendingKeyState {
        /// Nobody has decided.
        Waiting = "waiting",
        /// It was accepted for a device, whose enrollment waits for the machine.
        Accepted = "accepted",
        /// It was denied.
        Denied = "denied",
    }
}

words! {
    /// What has become of a key, for the person who has typed its code.
    PendingKeyStatus {
        /// Somebody can accept or deny it.
        Waiting = "waiting",
        /// Nobody has decided in time.
        Expired = "expired",
        /// It was accepted.
        Accepted = "accepted",
        /// It was denied.
        Denied = "denied",
    }
}

/// A key of a machine that somebody accepts or denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingKey {
    /// The digest of the code that a person types: the one that the machine shows, or the one that
    /// it has presented.
    pub code_digest: EnrollmentDigest,
    /// The digest of the code with which the machine polls. An enrollment of the device has it once
    /// the key is accepted.
    pub device_code_digest: EnrollmentDigest,
    /// The tenant to which the machine wants to belong. Only there is the key known.
    pub tenant: TenantId,
    /// The device, if it is chosen.
    pub device: Option<DeviceId>,
    /// The thumbprint of the key.
    pub thumbprint: Thumbprint,
    /// The public key as a JWK (RFC 7517).
    pub jwk: String,
    /// The algorithm of its signatures.
    pub algorithm: String,
    /// Where the machine claims to keep the private key.
    pub storage: KeyStorage,
    /// A name for the machine, as its program gave it.
    pub label: String,
    /// The program and its version.
    pub app: String,
    /// The network address of the machine.
    pub address: Option<IpAddr>,
    /// The digits that the machine shows, and a person compares.
    pub fingerprint: String,
    /// How often digits were typed for it.
    pub fingerprint_attempts: u32,
    /// What was decided.
    pub state: PendingKeyState,
    /// The instant of its start.
    pub created_at: Instant,
    /// The instant until which it waits, and can be polled.
    pub expires_at: Instant,
    /// The instant of the newest poll that was not too early.
    pub polled_at: Option<Instant>,
}

/// The response to a poll (RFC 8628, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// The key was accepted.
    Accepted,
    /// The key was denied.
    Denied,
    /// The key has waited too long.
    Expired,
    /// Nobody has decided yet.
    Pending,
    /// Nobody has decided yet, and the machine polls too often.
    TooEarly,
}

impl PendingKey {
    /// Whether somebody may still decide.
    pub fn is_waiting(&self, now: Instant) -> bool {
        self.status(now) == PendingKeyStatus::Waiting
    }

    /// What has become of it at this instant.
    pub fn status(&self, now: Instant) -> PendingKeyStatus {
        match self.state {
            PendingKeyState::Waiting if self.expires_at > now => PendingKeyStatus::Waiting,
            PendingKeyState::Waiting => PendingKeyStatus::Expired,
            PendingKeyState::Accepted => PendingKeyStatus::Accepted,
            PendingKeyState::Denied => PendingKeyStatus::Denied,
        }
    }

    /// The response to a poll at this instant. A decision is reported however early the poll comes.
    /// A poll that comes too early counts for nothing: the next one is early or not by the last one
    /// that was in time, so a client that polls in a fixed rhythm is never locked out.
    pub fn poll_outcome(&self, now: Instant) -> PollOutcome {
        match self.state {
            PendingKeyState::Denied => PollOutcome::Denied,
            _ if self.expires_at <= now => PollOutcome::Expired,
            PendingKeyState::Accepted => PollOutcome::Accepted,
            PendingKeyState::Waiting => {
                let least = POLL_INTERVAL.saturating_sub(POLL_TOLERANCE);
                let is_early = self.polled_at.is_some_and(|last| now.duration_since(last) < least);
                if is_early { PollOutcome::TooEarly } else { PollOutcome::Pending }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_millis(1_800_000_000_000);

    fn at(seconds: u64) -> Instant {
        START.saturating_add(Duration::from_secs(seconds))
    }

    fn waiting() -> PendingKey {
        PendingKey {
            code_digest: [1; 32],
            device_code_digest: [2; 32],
            tenant: TenantId(uuid::Uuid::from_u128(1)),
            device: None,
            thumbprint: [3; 32],
            jwk: "{}".to_owned(),
            algorithm: "ES256".to_owned(),
            storage: KeyStorage::Software,
            label: String::new(),
            app: String::new(),
            address: None,
            fingerprint: "4712".to_owned(),
            fingerprint_attempts: 0,
            state: PendingKeyState::Waiting,
            created_at: START,
            expires_at: START.saturating_add(PENDING_KEY_LIFETIME),
            polled_at: None,
        }
    }

    #[test]
    fn full_store_keeps_room_for_each_tenant() {
        let (reserved, most, of_all) = (RESERVED_PENDING_KEYS, MAX_TENANT_PENDING_KEYS, MAX_PENDING_KEYS);
        for (of_tenant, of_all, expected) in [
            (0, 0, true),
            (most - 1, of_all - 1, true),
            (most, most, false),
            (reserved, of_all, false),
            (reserved - 1, of_all, true),
            (0, u32::MAX, true),
        ] {
            assert_eq!(has_room(of_tenant, of_all), expected, "{of_tenant} of {of_all}");
        }
    }

    #[test]
    fn poll_in_the_interval_is_never_too_early() {
        let mut key = waiting();
        for poll in 0..120 {
            let now = at(poll * POLL_INTERVAL.as_secs());
            assert_eq!(key.poll_outcome(now), PollOutcome::Pending, "{poll}");
            key.polled_at = Some(now);
        }
        assert_eq!(key.poll_outcome(at(600)), PollOutcome::Expired);
    }

    #[test]
    fn poll_that_is_too_early_moves_nothing() {
        let key = PendingKey { polled_at: Some(at(10)), ..waiting() };
        for (seconds, outcome) in [(10, PollOutcome::TooEarly), (13, PollOutcome::TooEarly), (14, PollOutcome::Pending)]
        {
            assert_eq!(key.poll_outcome(at(seconds)), outcome, "{seconds}");
        }
    }

    #[test]
    fn decision_is_reported_however_early_the_poll_comes() {
        let accepted = PendingKey { state: PendingKeyState::Accepted, polled_at: Some(at(10)), ..waiting() };
        assert_eq!(
            [10, 599, 600].map(|second| accepted.poll_outcome(at(second))),
            [PollOutcome::Accepted, PollOutcome::Accepted, PollOutcome::Expired]
        );
        let denied = PendingKey { state: PendingKeyState::Denied, ..accepted };
        assert_eq!([10, 9_999].map(|second| denied.poll_outcome(at(second))), [PollOutcome::Denied; 2]);
    }
}
