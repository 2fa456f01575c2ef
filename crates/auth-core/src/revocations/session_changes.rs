//! The newest changes of sessions that stay live, in bounded memory: the first uses of their
//! exchanged tokens. They have a horizon of their own, so that many of them cause no other readings
//! than those of first uses.

use tillgate_domain::SessionId;

use super::Version;
use crate::bounded_map::BoundedMap;

/// The versions of the newest change of a session and of the one before. If the latter is not
/// known, it is the horizon at which the session was entered.
#[derive(Clone, Copy, Debug)]
struct SessionChange {
    newest: Version,
    previous: Version,
}

/// The newest changes by session.
pub(super) struct SessionChanges {
    rows: BoundedMap<SessionId, SessionChange>,
    /// The horizon: changes up to this version may have been dropped.
    forgotten_until: Version,
}

impl SessionChanges {
    /// An empty table of at most `limit` bytes.
    pub(super) fn with_limit(limit: usize) -> Self {
        Self { rows: BoundedMap::new(limit), forgotten_until: Version::default() }
    }

    /// The size in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        self.rows.size_bytes()
    }

    /// Records a change of this version, which is higher than all before.
    pub(super) fn record(&mut self, session: SessionId, version: Version) {
        if !self.rows.contains_key(&session)
            && let Some(forgotten) = self.rows.forget_half(|change| change.newest)
        {
            self.forgotten_until = self.forgotten_until.max(forgotten);
        }
        let previous = self.invalidated_at(session);
        self.rows.insert(session, SessionChange { newest: version, previous });
    }

    /// The version before which readings of the session are outdated.
    pub(super) fn invalidated_at(&self, session: SessionId) -> Version {
        self.rows.get(&session).map_or(self.forgotten_until, |change| change.newest.max(self.forgotten_until))
    }

    /// The version of the change of the session after this version, if there was exactly one.
    pub(super) fn only_change_since(&self, session: SessionId, since: Version) -> Option<Version> {
        let change = self.rows.get(&session)?;
        (change.newest > since && change.previous <= since).then_some(change.newest)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ONE: SessionId = SessionId(Uuid::from_u128(1));
    const OTHER: SessionId = SessionId(Uuid::from_u128(2));

    #[test]
    fn only_change_is_found_unless_there_was_another_one() {
        let mut changes = SessionChanges::with_limit(4096);
        assert_eq!(changes.only_change_since(ONE, Version(0)), None);
        changes.record(ONE, Version(3));
        assert_eq!(changes.only_change_since(ONE, Version(2)), Some(Version(3)));
        assert_eq!(changes.only_change_since(ONE, Version(3)), None, "it is not later");
        changes.record(OTHER, Version(4));
        assert_eq!(changes.only_change_since(ONE, Version(2)), Some(Version(3)), "another session's");
        changes.record(ONE, Version(5));
        assert_eq!(changes.only_change_since(ONE, Version(2)), None, "two");
        assert_eq!(changes.only_change_since(ONE, Version(3)), Some(Version(5)));
        assert_eq!((changes.invalidated_at(ONE), changes.invalidated_at(OTHER)), (Version(5), Version(4)));
    }

    #[test]
    fn dropped_changes_outdate_earlier_readings_and_hide_no_change() {
        let mut changes = SessionChanges::with_limit(4096);
        changes.record(ONE, Version(1));
        let mut version = 1;
        while changes.rows.contains_key(&ONE) {
            version += 1;
            changes.record(SessionId(Uuid::from_u128(u128::from(version) + 1)), Version(version));
        }
        assert!(changes.size_bytes() <= 4096);
        let horizon = changes.invalidated_at(ONE);
        assert!(horizon > Version(1) && horizon < Version(version), "{horizon:?}");
        changes.record(ONE, Version(version + 1));
        assert_eq!(changes.only_change_since(ONE, Version(0)), None, "the dropped change came between");
        assert_eq!(changes.only_change_since(ONE, horizon), Some(Version(version + 1)));
    }
}
