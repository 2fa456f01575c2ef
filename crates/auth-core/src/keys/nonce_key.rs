//! The key of the nonces that proofs must contain (RFC 9449, section 8): an HMAC-SHA256 key,
//! derived from the master key.
//!
//! A nonce is the HMAC of the number of a window of two minutes. It needs no memory, and every
//! process over the store issues and accepts the same ones. The key is derived from the master key
//! and not from a key in the store, because those are rotated: each rotation would invalidate the
//! nonces of all clients at once, in one process after another.
//!
//! The window is that of the machine's clock, as for all times except the ages of rotations. If the
//! clocks of two processes differ by more than the windows that are accepted, a client that reaches
//! them in turn is denied by one with each nonce of the other.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac::{HMAC_SHA256, Key, sign};
use subtle::ConstantTimeEq;
use tillgate_domain::Instant;

use super::MasterKey;

/// The length of a window in milliseconds.
const WINDOW_MILLIS: i64 = 120_000;

/// The number of earlier windows whose nonces are accepted besides those of the current one.
const EARLIER_WINDOWS: i64 = 2;

/// The length of a nonce in bytes, before it is encoded.
const NONCE_BYTES: usize = 16;

/// The key of the nonces of an installation.
#[derive(Clone, Debug)]
pub(crate) struct NonceKey(Key);

impl NonceKey {
    pub(crate) fn of(master: &MasterKey) -> Option<Self> {
        Some(Self(Key::new(HMAC_SHA256, &master.derive(b"nonces of proofs")?)))
    }

    /// The nonce of the current window.
    pub(crate) fn issue(&self, now: Instant) -> String {
        self.nonce_of(window_of(now))
    }

    /// Whether the nonce is of the current window or of one of the two before it.
    pub(crate) fn accepts(&self, nonce: &str, now: Instant) -> bool {
        let current = window_of(now);
        let is_of = |window| bool::from(self.nonce_of(window).as_bytes().ct_eq(nonce.as_bytes()));
        (0..=EARLIER_WINDOWS).any(|earlier| is_of(current.saturating_sub(earlier)))
    }

    fn nonce_of(&self, window: i64) -> String {
        let mac = sign(&self.0, &window.to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(mac.as_ref().get(..NONCE_BYTES).unwrap_or_default())
    }
}

fn window_of(now: Instant) -> i64 {
    now.millis().div_euclid(WINDOW_MILLIS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::system::SystemEntropy;

    const NOW: Instant = Instant::from_millis(1_800_000_000_000);

    #[test]
    fn nonce_is_accepted_in_its_window_and_the_next_two() {
        let master = MasterKey::generate(&SystemEntropy::default()).unwrap();
        let key = NonceKey::of(&master).unwrap();
        let nonce = key.issue(NOW);
        assert_eq!(nonce, NonceKey::of(&master).unwrap().issue(NOW), "another process");
        for (seconds, accepted) in [(0, true), (119, true), (120, true), (359, true), (360, false)] {
            assert_eq!(key.accepts(&nonce, NOW.saturating_add(Duration::from_secs(seconds))), accepted, "{seconds}");
        }
        assert!(!key.accepts(&nonce, NOW.saturating_sub(Duration::from_secs(1))), "before it was issued");
    }

    #[test]
    fn nonce_of_another_key_is_not_accepted() {
        let [one, other] =
            [(); 2].map(|()| NonceKey::of(&MasterKey::generate(&SystemEntropy::default()).unwrap()).unwrap());
        assert!(!one.accepts(&other.issue(NOW), NOW));
        assert!(!one.accepts("", NOW) && !one.accepts(&one.issue(NOW)[1..], NOW));
    }
}
