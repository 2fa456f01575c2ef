//! The sessions whose rows this process has read or written, in bounded memory. The change feed
//! reports their end.

use tillgate_domain::SessionId;

use super::bounded_cache::BoundedCache;
use crate::Epochs;
use crate::revocations::Version;

/// What is cached of the row of a session.
#[derive(Clone, Copy)]
struct CachedSession {
    epochs: Epochs,
    read_version: Version,
}

/// The sessions that this process has read or written since its start, with their epochs at that
/// time.
pub(crate) struct SessionCache(BoundedCache<SessionId, CachedSession>);

impl SessionCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(BoundedCache::new(limit, |_, _| 0))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    /// The version at which the row of this session was read, if that is not before the horizon and
    /// a token with these epochs was valid then.
    pub(crate) fn find_read_version(&self, session: SessionId, epochs: &Epochs, horizon: Version) -> Option<Version> {
        let found = self.0.get(&session)?;
        (found.read_version >= horizon && !epochs.is_below(&found.epochs)).then_some(found.read_version)
    }

    /// Records that the row of this session was read or written from this version on, with these
    /// epochs. Keeps an existing entry unless it is before the horizon.
    pub(crate) fn insert(&self, session: SessionId, epochs: &Epochs, read_version: Version, horizon: Version) {
        let known = |found: CachedSession| found.epochs == *epochs && found.read_version >= horizon;
        if !self.0.get(&session).is_some_and(known) {
            self.0.insert(session, CachedSession { epochs: *epochs, read_version });
        }
    }
}

#[cfg(test)]
mod tests {
    use tillgate_domain::Epoch;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn cached_session_accepts_tokens_of_its_epochs() {
        let (sessions, one, other) =
            (SessionCache::with_limit(1 << 20), SessionId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        let under = |user| Epochs { user: Epoch(user), ..Epochs::default() };
        let start = Version(0);
        let admits = |session, user| sessions.find_read_version(session, &under(user), start).is_some();
        assert!(!admits(one, 5), "it was not read");
        sessions.insert(one, &under(4), start, start);
        assert!(admits(one, 4) && admits(one, 5));
        assert!(!admits(one, 3), "it was made before something was ended");
        assert!(!admits(other, 4));
        sessions.insert(one, &under(5), start, start);
        assert!(!admits(one, 4));
    }

    #[test]
    fn entry_older_than_horizon_is_ignored_until_read_again() {
        let (sessions, one, epochs) =
            (SessionCache::with_limit(1 << 20), SessionId(Uuid::from_u128(1)), Epochs::default());
        sessions.insert(one, &epochs, Version(3), Version(0));
        assert_eq!(sessions.find_read_version(one, &epochs, Version(3)), Some(Version(3)));
        assert_eq!(sessions.find_read_version(one, &epochs, Version(4)), None);
        sessions.insert(one, &epochs, Version(6), Version(4));
        assert_eq!(sessions.find_read_version(one, &epochs, Version(4)), Some(Version(6)));
    }
}
