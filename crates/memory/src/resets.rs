//! The in-memory port for password resets.

use tillgate_domain::office::ports::{Reset, ResetDigest, ResetRequest, Resets};
use tillgate_domain::{Instant, ResetId, StoreResult, UserId};

use super::transaction::{Transaction, constraint_error, to_u32, to_usize};

impl Resets for Transaction<'_> {
    fn insert_request(&mut self, request: &ResetRequest) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if tables.reset_requests.has(&request.id) {
            return constraint_error("the id of a request is new");
        }
        tables.reset_requests.put(request.id, request.clone());
        Ok(())
    }

    fn list_due(&mut self, now: Instant, limit: u32) -> StoreResult<Vec<ResetRequest>> {
        let mut due: Vec<ResetRequest> =
            self.tables().reset_requests.rows().values().filter(|request| request.due_at <= now).cloned().collect();
        due.sort_by_key(|request| (request.due_at, request.id));
        due.truncate(to_usize(limit));
        Ok(due)
    }

    fn claim(&mut self, id: ResetId, from: Instant, to: Instant) -> StoreResult<bool> {
        let requests = &mut self.tables_mut()?.reset_requests;
        let is_due = requests.get(&id).is_some_and(|request| request.due_at == from);
        if is_due {
            requests.change(&id, |request| request.due_at = to);
        }
        Ok(is_due)
    }

    fn postpone(&mut self, id: ResetId, from: Instant, to: Instant) -> StoreResult<bool> {
        let requests = &mut self.tables_mut()?.reset_requests;
        let is_due = requests.get(&id).is_some_and(|request| request.due_at == from);
        if is_due {
            requests.change(&id, |request| {
                request.due_at = to;
                request.tries = request.tries.saturating_add(1);
            });
        }
        Ok(is_due)
    }

    fn remove_request(&mut self, id: ResetId) -> StoreResult<()> {
        self.tables_mut()?.reset_requests.remove(&id);
        Ok(())
    }

    fn remove_requests(&mut self, ids: &[ResetId]) -> StoreResult<u32> {
        let requests = &mut self.tables_mut()?.reset_requests;
        Ok(to_u32(ids.iter().filter(|id| requests.remove(id)).count()))
    }

    fn insert_reset(&mut self, reset: &Reset) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if tables.resets.has(&reset.digest) {
            return constraint_error("the token of a reset is new");
        }
        if !tables.users.has(&reset.user) {
            return constraint_error("a reset is a user's");
        }
        tables.resets.put(reset.digest, reset.clone());
        Ok(())
    }

    fn find(&mut self, digest: &ResetDigest) -> StoreResult<Option<Reset>> {
        Ok(self.tables().resets.get(digest).cloned())
    }

    fn find_newest_grant(&mut self, user: UserId, but: ResetId) -> StoreResult<Option<Instant>> {
        let others = self.tables().resets.rows().values().filter(|reset| reset.user == user && reset.request != but);
        Ok(others.map(|reset| reset.granted_at).max())
    }

    fn consume(&mut self, digest: &ResetDigest) -> StoreResult<bool> {
        Ok(self.tables_mut()?.resets.remove(digest))
    }

    fn revoke_by_user(&mut self, user: UserId) -> StoreResult<()> {
        let resets = &mut self.tables_mut()?.resets;
        let digests: Vec<ResetDigest> =
            resets.rows().values().filter(|reset| reset.user == user).map(|reset| reset.digest).collect();
        for digest in &digests {
            resets.remove(digest);
        }
        Ok(())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let resets = &mut self.tables_mut()?.resets;
        let old = resets.rows().values().filter(|reset| reset.expires_at < before).take(to_usize(limit));
        let old: Vec<ResetDigest> = old.map(|reset| reset.digest).collect();
        for digest in &old {
            resets.remove(digest);
        }
        Ok(to_u32(old.len()))
    }
}
