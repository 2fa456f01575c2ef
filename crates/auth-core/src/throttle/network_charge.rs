//! Guesses of a secret that belongs to no account, and what else is limited for each network.

use std::net::IpAddr;

use tillgate_domain::{FoldedText, Instant, PrincipalId, Secret, StoreResult, TenantId};

use super::{Admission, BucketClass, BucketRate, Charge, ClaimedIdentity, LoginAttempt, TakenToken, Throttle};
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

    /// Decides about a machine that starts to wait for its acceptance in this tenant, with the code
    /// that it will show. It takes a token of its network and the tenant, from a bucket that only
    /// such machines use; if there is no such tenant, one of the network, from a bucket that only
    /// such starts use. Without an address, it takes none.
    pub fn open_start_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        address: Option<IpAddr>,
        tenant: Option<TenantId>,
        code: &Secret<String>,
        now: Instant,
    ) -> StoreResult<Admission> {
        let identity = ClaimedIdentity::Unknown { tenant, name: FoldedText::of("pending key") };
        let attempt = build_attempt(identity, address, code);
        let token = address.map(|address| match tenant {
            Some(tenant) => self.tenant_token(address, self.key_deriver.starts_in(address, tenant), self.limits.starts),
            None => TakenToken {
                key: self.key_deriver.refused_starts_in(address),
                rate: self.limits.starts,
                is_own: false,
                group: None,
            },
        });
        self.open_own_charge(tx, &attempt, token.into_iter().collect(), now)
    }

    /// Decides about a code of a machine that a caller of this tenant has typed. It takes a token
    /// of the caller, and one of the network and the tenant, from buckets that only such codes use.
    pub fn open_user_code_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        tenant: TenantId,
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
            group: None,
        };
        let network = address.map(|address| {
            let key = self.key_deriver.user_codes_in(address, tenant);
            self.tenant_token(address, key, self.limits.user_code_network)
        });
        self.open_own_charge(tx, &attempt, [Some(own), network].into_iter().flatten().collect(), now)
    }

    /// A token of a bucket of one tenant in the network of this address.
    fn tenant_token(&self, address: IpAddr, key: CountKey, rate: BucketRate) -> TakenToken {
        TakenToken { key, rate, is_own: false, group: Some(self.key_deriver.machines_in(address)) }
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
