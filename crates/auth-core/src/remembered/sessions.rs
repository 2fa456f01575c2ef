//! Sessions whose rows this process has read or written, in bounded memory: of their end it hears by the feed.

use moka::sync::Cache;
use tillgate_domain::SessionId;

use super::{cache, held};
use crate::Epochs;
use crate::changes::Moment;

/// The row of a session, as far as it matters here.
#[derive(Clone, Copy)]
struct Found {
    epochs: Epochs,
    began: Moment,
}

/// Sessions whose rows this process has read or written since it started, with the epochs that it then found.
pub(crate) struct Sessions(Cache<SessionId, Found>);

impl Sessions {
    /// None yet. They take so many bytes at most.
    pub(crate) fn within(limit: u64) -> Self {
        Self(cache(limit, |_, _: &Found| size_of::<(SessionId, Found)>()))
    }

    /// How many bytes they take.
    pub(crate) fn bytes(&self) -> u64 {
        held(&self.0)
    }

    /// When the row of this session was read, where that was at the horizon or later and a token that was made under these epochs
    /// stood by what was found.
    pub(crate) fn admit(&self, session: SessionId, epochs: &Epochs, horizon: Moment) -> Option<Moment> {
        let found = self.0.get(&session)?;
        (found.began >= horizon && !epochs.below(&found.epochs)).then_some(found.began)
    }

    /// Notes that the row of this session was read or written from this moment on, and the epochs that it was found under. What is
    /// known already is left as it is, unless it lies beyond the horizon.
    pub(crate) fn keep(&self, session: SessionId, epochs: &Epochs, began: Moment, horizon: Moment) {
        let known = |found: Found| found.epochs == *epochs && found.began >= horizon;
        if !self.0.get(&session).is_some_and(known) {
            self.0.insert(session, Found { epochs: *epochs, began });
        }
    }
}

#[cfg(test)]
mod tests {
    use tillgate_domain::Epoch;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_session_that_was_read_admits_what_stood_by_its_row() {
        let (sessions, one, other) =
            (Sessions::within(1 << 20), SessionId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        let under = |user| Epochs { user: Epoch(user), ..Epochs::default() };
        let start = Moment(0);
        let admits = |session, user| sessions.admit(session, &under(user), start).is_some();
        assert!(!admits(one, 5), "it was not read");
        sessions.keep(one, &under(4), start, start);
        assert!(admits(one, 4) && admits(one, 5));
        assert!(!admits(one, 3), "it was made before something was ended");
        assert!(!admits(other, 4));
        sessions.keep(one, &under(5), start, start);
        assert!(!admits(one, 4));
    }

    #[test]
    fn what_was_read_before_the_horizon_admits_nobody_until_it_is_read_again() {
        let (sessions, one, epochs) = (Sessions::within(1 << 20), SessionId(Uuid::from_u128(1)), Epochs::default());
        sessions.keep(one, &epochs, Moment(3), Moment(0));
        assert_eq!(sessions.admit(one, &epochs, Moment(3)), Some(Moment(3)));
        assert_eq!(sessions.admit(one, &epochs, Moment(4)), None);
        sessions.keep(one, &epochs, Moment(6), Moment(4));
        assert_eq!(sessions.admit(one, &epochs, Moment(4)), Some(Moment(6)));
    }
}
