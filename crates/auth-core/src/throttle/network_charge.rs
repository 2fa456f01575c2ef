//! Guesses of a secret that belongs to no account, and what else is limited for each network.

use std::net::IpAddr;

use tillgate_domain::{FoldedText, Instant, PrincipalId, Secret, StoreResult};

use super::{Admission, BucketClass, Charge, ClaimedIdentity, LoginAttempt, Rate, TakenToken, Throttle};
use crate::AuthTx;
use crate::ports::CountKey;

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

    /// Decides about a machine that starts to wait for its acceptance, with the code that it will
    /// show. It takes a token of its network, from a bucket that only such machines use. Without an
    /// address, it takes none.
    pub fn open_start_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        address: Option<IpAddr>,
        code: &Secret<String>,
        now: Instant,
    ) -> StoreResult<Admission> {
        let identity = ClaimedIdentity::Unknown { tenant: None, name: FoldedText::of("pending key") };
        let attempt = build_attempt(identity, address, code);
        let key = address.map(|address| self.key_deriver.starts_of(address));
        let tokens = key.map(|key| shared_token(key, self.limits.starts)).into_iter().collect();
        self.open_own_charge(tx, &attempt, tokens, now)
    }

    /// Decides about a code of a machine that a caller has typed. It takes a token of the caller,
    /// and one of the network, from buckets that only such codes use.
    pub fn open_user_code_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        caller: PrincipalId,
        address: Option<IpAddr>,
        typed: &Secret<String>,
        now: Instant,
    ) -> StoreResult<Admission> {
        let attempt = build_attempt(ClaimedIdentity::Principal(caller), address, typed);
        let own = TakenToken {
            key: self.key_deriver.user_codes_of(caller.uuid()),
            rate: self.limits.user_codes,
            is_own: true,
        };
        let network = address.map(|address| self.key_deriver.user_codes_in(address));
        let network = network.map(|key| shared_token(key, self.limits.user_code_network));
        self.open_own_charge(tx, &attempt, [Some(own), network].into_iter().flatten().collect(), now)
    }

    /// Takes these tokens, or returns why not.
    fn open_own_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        attempt: &LoginAttempt,
        tokens: Vec<TakenToken>,
        now: Instant,
    ) -> StoreResult<Admission> {
        let principal = match &attempt.identity {
            ClaimedIdentity::Principal(principal) => Some(*principal),
            ClaimedIdentity::Unknown { .. } => None,
        };
        let names = self.key_deriver.derive_keys(attempt);
        let class = if principal.is_some() { BucketClass::Known } else { BucketClass::Unknown };
        let charge = Charge { names, principal, class, tokens, recorded_at: None };
        let decided = self.try_take_tokens(tx, &charge, attempt.address, now)?;
        Ok(decided.unwrap_or_else(|| Admission::Wait(charge.turn(charge.names.unknown, attempt.address))))
    }
}

fn build_attempt(identity: ClaimedIdentity, address: Option<IpAddr>, secret: &Secret<String>) -> LoginAttempt {
    LoginAttempt { identity, device: None, address, prior_session: None, password: secret.clone() }
}

fn shared_token(key: CountKey, rate: Rate) -> TakenToken {
    TakenToken { key, rate, is_own: false }
}
