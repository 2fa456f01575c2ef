//! The numbers of open event streams, which are limited.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_domain::{PrincipalId, TenantId};

use crate::error::{ProtocolError, StreamLimit};
use crate::metrics::Metrics;

/// The number of streams of one user or device.
pub(crate) const MAX_STREAMS_PER_PRINCIPAL: usize = 4;

/// The number of streams of the process.
pub(crate) const MAX_STREAMS: usize = 1_000;

/// The number of streams of one tenant, so that none takes those of all others.
pub(crate) const MAX_STREAMS_PER_TENANT: usize = MAX_STREAMS / 4;

/// The numbers of streams.
#[derive(Default)]
pub(super) struct StreamCounts(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    all: usize,
    tenants: HashMap<TenantId, usize>,
    principals: HashMap<PrincipalId, usize>,
}

/// The slot of a stream; released on drop.
pub(crate) struct StreamPermit {
    principal: PrincipalId,
    tenant: TenantId,
    counts: Arc<StreamCounts>,
    metrics: Arc<Metrics>,
}

impl StreamCounts {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a stream, and returns the number of all.
    fn increment(&self, principal: PrincipalId, tenant: TenantId) -> Result<usize, StreamLimit> {
        let mut counts = self.lock();
        if counts.principals.get(&principal).is_some_and(|count| *count >= MAX_STREAMS_PER_PRINCIPAL) {
            return Err(StreamLimit::Principal);
        }
        if counts.tenants.get(&tenant).is_some_and(|count| *count >= MAX_STREAMS_PER_TENANT) {
            return Err(StreamLimit::Tenant);
        }
        if counts.all >= MAX_STREAMS {
            return Err(StreamLimit::Process);
        }
        *counts.principals.entry(principal).or_default() += 1;
        *counts.tenants.entry(tenant).or_default() += 1;
        counts.all += 1;
        Ok(counts.all)
    }

    /// Removes a stream, and returns the number of the others.
    fn decrement(&self, principal: PrincipalId, tenant: TenantId) -> usize {
        let mut counts = self.lock();
        decrement_entry(&mut counts.principals, &principal);
        decrement_entry(&mut counts.tenants, &tenant);
        counts.all = counts.all.saturating_sub(1);
        counts.all
    }
}

fn decrement_entry<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl StreamPermit {
    /// Counts a stream.
    pub(super) fn claim(
        counts: &Arc<StreamCounts>,
        metrics: &Arc<Metrics>,
        principal: PrincipalId,
        tenant: TenantId,
    ) -> Result<Self, ProtocolError> {
        match counts.increment(principal, tenant) {
            Ok(all) => metrics.set_event_streams(all),
            Err(limit) => {
                metrics.count_refused_stream(limit);
                return Err(ProtocolError::StreamLimitReached(limit));
            }
        }
        Ok(Self { principal, tenant, counts: Arc::clone(counts), metrics: Arc::clone(metrics) })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.metrics.set_event_streams(self.counts.decrement(self.principal, self.tenant));
    }
}

#[cfg(test)]
mod tests {
    use tillgate_domain::UserId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn streams_are_limited_for_each_principal_each_tenant_and_the_process() {
        let counts = StreamCounts::default();
        let principal = |number: usize| PrincipalId::User(UserId(Uuid::from_u128(number as u128)));
        let tenant = |number: usize| TenantId(Uuid::from_u128(number as u128));
        for number in 0..MAX_STREAMS {
            let (user, shop) = (number / MAX_STREAMS_PER_PRINCIPAL, number / MAX_STREAMS_PER_TENANT);
            assert_eq!(counts.increment(principal(user), tenant(shop)), Ok(number + 1));
        }
        let new = principal(MAX_STREAMS);
        assert_eq!(counts.increment(principal(0), tenant(0)), Err(StreamLimit::Principal));
        assert_eq!(counts.increment(new, tenant(0)), Err(StreamLimit::Tenant));
        assert_eq!(counts.increment(new, tenant(9)), Err(StreamLimit::Process));
        assert_eq!(counts.decrement(principal(0), tenant(0)), MAX_STREAMS - 1);
        assert_eq!(counts.increment(new, tenant(1)), Err(StreamLimit::Tenant), "a share is not lent");
        assert_eq!(counts.increment(new, tenant(0)), Ok(MAX_STREAMS));
    }
}
