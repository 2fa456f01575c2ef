//! Resets of forgotten passwords in memory.

use tillgate_domain::office::ports::{Reset, ResetDigest, ResetRequest, Resets};
use tillgate_domain::{Instant, ResetId, Stored, UserId};

use super::transaction::{Transaction, broken, many, most};

impl Resets for Transaction<'_> {
    fn ask(&mut self, request: &ResetRequest) -> Stored<()> {
        let tables = self.writing()?;
        if tables.reset_requests.has(&request.id) {
            return broken("the id of a request is new");
        }
        tables.reset_requests.put(request.id, request.clone());
        Ok(())
    }

    fn due(&mut self, now: Instant, limit: u32) -> Stored<Vec<ResetRequest>> {
        let mut due: Vec<ResetRequest> =
            self.tables().reset_requests.rows().values().filter(|request| request.due_at <= now).cloned().collect();
        due.sort_by_key(|request| (request.due_at, request.id));
        due.truncate(most(limit));
        Ok(due)
    }

    fn postpone(&mut self, id: ResetId, from: Instant, to: Instant) -> Stored<bool> {
        let requests = &mut self.writing()?.reset_requests;
        let claimed = requests.get(&id).is_some_and(|request| request.due_at == from);
        if claimed {
            requests.change(&id, |request| {
                request.due_at = to;
                request.tries = request.tries.saturating_add(1);
            });
        }
        Ok(claimed)
    }

    fn settle(&mut self, id: ResetId) -> Stored<()> {
        self.writing()?.reset_requests.remove(&id);
        Ok(())
    }

    fn settle_all(&mut self, ids: &[ResetId]) -> Stored<u32> {
        let requests = &mut self.writing()?.reset_requests;
        Ok(many(ids.iter().filter(|id| requests.remove(id)).count()))
    }

    fn grant(&mut self, reset: &Reset) -> Stored<()> {
        let tables = self.writing()?;
        if tables.resets.has(&reset.digest) {
            return broken("the token of a reset is new");
        }
        if !tables.users.has(&reset.user) {
            return broken("a reset is a user's");
        }
        tables.resets.put(reset.digest, reset.clone());
        Ok(())
    }

    fn find(&mut self, digest: &ResetDigest) -> Stored<Option<Reset>> {
        Ok(self.tables().resets.get(digest).cloned())
    }

    fn newest(&mut self, user: UserId, but: ResetId) -> Stored<Option<Instant>> {
        let others = self.tables().resets.rows().values().filter(|reset| reset.user == user && reset.request != but);
        Ok(others.map(|reset| reset.granted_at).max())
    }

    fn spend(&mut self, digest: &ResetDigest) -> Stored<bool> {
        Ok(self.writing()?.resets.remove(digest))
    }

    fn void(&mut self, user: UserId) -> Stored<()> {
        let resets = &mut self.writing()?.resets;
        let theirs: Vec<ResetDigest> =
            resets.rows().values().filter(|reset| reset.user == user).map(|reset| reset.digest).collect();
        for digest in &theirs {
            resets.remove(digest);
        }
        Ok(())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let resets = &mut self.writing()?.resets;
        let old = resets.rows().values().filter(|reset| reset.expires_at < before).take(most(limit));
        let old: Vec<ResetDigest> = old.map(|reset| reset.digest).collect();
        for digest in &old {
            resets.remove(digest);
        }
        Ok(many(old.len()))
    }
}
