//! Sessions whose rows this process has read or written, in bounded memory: of their end it hears by the feed.

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tillgate_domain::SessionId;

use super::OVERHEAD;
use crate::Epochs;

/// How much they may take, in bytes.
const SESSIONS: u64 = 8 << 20;

/// Sessions whose rows this process has read or written since it started, with the epochs that it then found.
pub(crate) struct Sessions(Cache<SessionId, Epochs>);

impl Default for Sessions {
    fn default() -> Self {
        let each = u32::try_from(size_of::<(SessionId, Epochs)>() + OVERHEAD).unwrap_or(u32::MAX);
        Self(
            Cache::builder()
                .max_capacity(SESSIONS)
                .weigher(move |_, _| each)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }
}

impl Sessions {
    /// Whether the row of this session was read, and a token of it that was made under these epochs stood by what was found.
    pub(crate) fn admit(&self, session: SessionId, epochs: &Epochs) -> bool {
        self.0.get(&session).is_some_and(|found| !epochs.below(&found))
    }

    /// Notes that the row of this session was read or written, and the epochs that it was found under.
    pub(crate) fn keep(&self, session: SessionId, epochs: &Epochs) {
        if self.0.get(&session).as_ref() != Some(epochs) {
            self.0.insert(session, *epochs);
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
            (Sessions::default(), SessionId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        let under = |user| Epochs { user: Epoch(user), ..Epochs::default() };
        assert!(!sessions.admit(one, &under(5)), "it was not read");
        sessions.keep(one, &under(4));
        assert!(sessions.admit(one, &under(4)) && sessions.admit(one, &under(5)));
        assert!(!sessions.admit(one, &under(3)), "it was made before something was ended");
        assert!(!sessions.admit(other, &under(4)));
        sessions.keep(one, &under(5));
        assert!(!sessions.admit(one, &under(4)));
    }
}
