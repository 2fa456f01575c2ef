//! The in-memory ports for failed logins and known networks.

use tillgate_domain::{BranchId, DeviceId, Instant, StoreResult, TenantId, UserId};
use uuid::Uuid;

use super::rows::BucketRow;
use super::transaction::{Transaction, to_u32, to_usize};
use tillgate_auth_core::ports::{Attempts, Bucket, CountKey, KnownNetworks, PrincipalBucket, TokenDisposition};

/// The smallest count key, for ranges.
const MIN_COUNT_KEY: CountKey = CountKey([0; 32]);

impl Attempts for Transaction<'_> {
    fn find_buckets(&mut self, keys: &[CountKey]) -> StoreResult<Vec<Bucket>> {
        let buckets = &self.tables().buckets;
        Ok(keys.iter().map(|key| buckets.get(key).map_or_else(Bucket::default, |row| row.bucket)).collect())
    }

    fn find_depleted(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        full_after: Instant,
        limit: u32,
    ) -> StoreResult<Vec<PrincipalBucket>> {
        let tables = self.tables();
        let belongs = |principal: Uuid| {
            let device = tables.devices.get(&DeviceId(principal)).filter(|device| device.tenant == tenant);
            match branch {
                Some(branch) => device.is_some_and(|device| device.branch == Some(branch)),
                None => {
                    device.is_some() || tables.users.get(&UserId(principal)).is_some_and(|user| user.tenant == tenant)
                }
            }
        };
        let rows = tables.buckets.rows().iter().filter(|(_, row)| row.bucket.full_at > full_after);
        let found = rows.filter_map(|(key, row)| {
            let principal = row.principal.filter(|principal| belongs(*principal))?;
            Some(PrincipalBucket { principal, key: *key, bucket: row.bucket })
        });
        Ok(found.take(to_usize(limit)).collect())
    }

    fn take_token(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let old = tables.buckets.get(&key).cloned();
        let bucket = old.as_ref().map_or_else(Bucket::default, |row| row.bucket);
        if (bucket.full_at, bucket.open_attempts) != (from.full_at, from.open_attempts) {
            return Ok(false);
        }
        let principal = old.and_then(|row| row.principal).or(principal);
        if let Some(principal) = principal {
            tables.buckets_of.put((principal, key), ());
        }
        let bucket = Bucket { blocked_until: bucket.blocked_until, ..*to };
        tables.buckets.put(key, BucketRow { bucket, principal, updated_at: at });
        Ok(true)
    }

    fn settle(&mut self, key: CountKey, disposition: TokenDisposition, at: Instant) -> StoreResult<()> {
        self.tables_mut()?.buckets.change(&key, |row| {
            row.bucket.open_attempts = row.bucket.open_attempts.saturating_sub(1).max(0);
            if let TokenDisposition::Returned(span) = disposition {
                row.bucket.full_at = row.bucket.full_at.saturating_sub(span);
            }
            row.updated_at = at;
        });
        Ok(())
    }

    fn block(&mut self, key: CountKey, until: Instant) -> StoreResult<()> {
        self.tables_mut()?.buckets.change(&key, |row| row.bucket.blocked_until = Some(until));
        Ok(())
    }

    fn record_guess(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> StoreResult<bool> {
        let guesses = &mut self.tables_mut()?.guesses;
        let new = guesses.get(&(key, *guess)).is_none_or(|guessed_at| *guessed_at <= since);
        if new {
            guesses.put((key, *guess), at);
        }
        Ok(new)
    }

    fn count_guesses(&mut self, key: CountKey, since: Instant) -> StoreResult<u32> {
        let guesses = self.tables().guesses.rows().range((key, MIN_COUNT_KEY)..).take_while(|((of, _), _)| *of == key);
        Ok(to_u32(guesses.filter(|(_, guessed_at)| **guessed_at > since).count()))
    }

    fn refill(&mut self, key: CountKey) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let stored = tables.buckets.get(&key).is_some_and(|row| row.principal.is_none());
        if stored {
            tables.buckets.remove(&key);
        }
        Ok(stored)
    }

    fn clear_failed_logins(&mut self, principal: Uuid) -> StoreResult<u32> {
        let tables = self.tables_mut()?;
        let keys = tables.buckets_of.rows().range((principal, MIN_COUNT_KEY)..);
        let keys: Vec<_> = keys.map(|(key, ())| *key).take_while(|key| key.0 == principal).map(|key| key.1).collect();
        for key in &keys {
            tables.buckets.remove(key);
            tables.buckets_of.remove(&(principal, *key));
            let guesses = tables.guesses.rows().range((*key, MIN_COUNT_KEY)..).map(|(guess, _)| *guess);
            let guesses: Vec<_> = guesses.take_while(|(of, _)| of == key).collect();
            for guess in guesses {
                tables.guesses.remove(&guess);
            }
        }
        Ok(to_u32(keys.len()))
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let tables = self.tables_mut()?;
        let is_old = |row: &BucketRow| row.updated_at < before && row.bucket.full_at <= before;
        let old = tables.buckets.rows().iter().filter(|(_, row)| is_old(row)).take(to_usize(limit));
        let old: Vec<_> = old.map(|(key, row)| (*key, row.principal)).collect();
        for (key, principal) in &old {
            tables.buckets.remove(key);
            if let Some(principal) = principal {
                tables.buckets_of.remove(&(*principal, *key));
            }
        }
        Ok(to_u32(old.len()))
    }

    fn sweep_guesses(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let guesses = &mut self.tables_mut()?.guesses;
        let old = guesses.rows().iter().filter(|(_, guessed_at)| **guessed_at < before).take(to_usize(limit));
        let old: Vec<_> = old.map(|(key, _)| *key).collect();
        for key in &old {
            guesses.remove(key);
        }
        Ok(to_u32(old.len()))
    }
}

impl KnownNetworks for Transaction<'_> {
    fn find(&mut self, principal: Uuid, network: &CountKey) -> StoreResult<Option<Instant>> {
        Ok(self.tables().known_networks.get(&(principal, *network)).copied())
    }

    fn record_success(&mut self, principal: Uuid, network: &CountKey, at: Instant) -> StoreResult<()> {
        let networks = &mut self.tables_mut()?.known_networks;
        let key = (principal, *network);
        let last = networks.get(&key).copied().max(Some(at)).unwrap_or(at);
        networks.put(key, last);
        Ok(())
    }

    fn trim(&mut self, principal: Uuid, keep: u32) -> StoreResult<()> {
        let networks = &mut self.tables_mut()?.known_networks;
        let of_principal =
            networks.rows().range((principal, MIN_COUNT_KEY)..).take_while(|((of, _), _)| *of == principal);
        let mut by_age: Vec<_> = of_principal.map(|(key, last)| (*last, *key)).collect();
        by_age.sort_unstable();
        let over = by_age.len().saturating_sub(to_usize(keep));
        for (_, key) in by_age.into_iter().take(over) {
            networks.remove(&key);
        }
        Ok(())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let networks = &mut self.tables_mut()?.known_networks;
        let old = networks.rows().iter().filter(|(_, last)| **last < before).take(to_usize(limit));
        let old: Vec<_> = old.map(|(key, _)| *key).collect();
        for key in &old {
            networks.remove(key);
        }
        Ok(to_u32(old.len()))
    }
}
