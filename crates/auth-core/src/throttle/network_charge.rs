//! Guesses of a secret that belongs to no account.

use tillgate_domain::{Instant, StoreResult};

use super::{Admission, BucketClass, LoginAttempt, Throttle};
use crate::AuthTx;

impl Throttle {
    /// Decides about a guess of a secret that belongs to no account. It takes a token of its
    /// network only, so that no network can lock out another. Without an address, it takes none.
    pub fn open_network_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        attempt: &LoginAttempt,
        now: Instant,
    ) -> StoreResult<Admission> {
        let mut charge = self.classify(tx, attempt, now)?;
        charge.class = BucketClass::Unknown;
        charge.tokens = self.select_buckets(&charge).into_iter().filter(|taken| !taken.is_own).collect();
        // only an attempt with a proof gets no decision
        let decided = self.try_take_tokens(tx, &charge, attempt.address, now)?;
        Ok(decided.unwrap_or_else(|| Admission::Wait(charge.turn(charge.names.unknown, attempt.address))))
    }
}
