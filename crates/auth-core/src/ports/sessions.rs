//! The port for sessions.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use tillgate_domain::{DeviceStatus, Instant, KeyId, SessionId, StoreResult, UserStatus, Zone};

use super::feed::ServerTime;
use super::session_list::{SessionCursor, SessionFilter, SessionOrder, SessionView};
use crate::{DialectName, Epochs, Session};

/// A session with everything that decides whether it is still valid, from one consistent read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session as it is stored.
    pub session: Session,
    /// The current epochs of its user, device and tenant; zero for what it does not have.
    pub epochs: Epochs,
    /// The current status of its user.
    pub user: Option<UserStatus>,
    /// The current status of its device.
    pub device: Option<DeviceStatus>,
    /// The time zone of its tenant.
    pub zone: Zone,
    /// A reading of the store's own clock; `None` if it has none.
    pub clock: Option<StoreClock>,
}

/// A reading of a clock that all processes over a store share, in relation to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreClock {
    /// The time since the newest rotation, if both instants are from the clock of this server.
    /// `None` if the session was never rotated, or if another server dated the rotation.
    pub since_rotation: Option<Duration>,
    /// The server of the clock. The number changes whenever a server starts or takes over, because
    /// readings of different clocks cannot be compared.
    pub server: i64,
    /// The current time of the server's clock.
    pub now: Instant,
}

impl StoreClock {
    /// The reading without the session.
    pub const fn server_time(&self) -> ServerTime {
        ServerTime { server: self.server, now: self.now }
    }
}

/// What a rotation writes to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The new generation of the session.
    pub generation: i64,
    /// The key of the new refresh token.
    pub key: KeyId,
    /// The key of the presented refresh token.
    pub previous_key: KeyId,
    /// The instant of the rotation.
    pub at: Instant,
    /// The new expiry of the session; `None` if it never expires.
    pub expires_at: Option<Instant>,
    /// The network address of the request.
    pub from: Option<IpAddr>,
    /// The instant of a new proof of identity; `None` keeps the last one.
    pub proved_at: Option<Instant>,
}

/// A record that an access token of a session has authenticated a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionUse {
    /// The session of the access token.
    pub session: SessionId,
    /// The generation of the access token.
    pub generation: i64,
    /// The instant of the request.
    pub at: Instant,
}

/// When an access token of a generation was first used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstUse {
    /// The generation of the access token.
    pub generation: i64,
    /// The instant of its first use.
    pub at: Instant,
}

/// Reads and writes sessions.
pub trait Sessions {
    /// Adds a session. If its id exists already, returns an error and changes nothing.
    fn insert(&mut self, session: &Session) -> StoreResult<()>;

    /// Reads a session with everything that decides whether it is valid; `None` if it does not
    /// exist.
    fn find(&mut self, id: SessionId) -> StoreResult<Option<SessionRecord>>;

    /// Writes a rotation if the session is at generation `from` and has not ended; otherwise
    /// returns false. The new generation may be the same, the next, or, after the store was rolled
    /// back, any later one. A store with a clock of its own also dates the rotation by that clock
    /// (see [`StoreClock::since_rotation`]).
    fn rotate(&mut self, id: SessionId, from: i64, to: &Rotation) -> StoreResult<bool>;

    /// Sets the expiry and the newest network address of a session, if it is at this generation and
    /// has not ended; otherwise returns false. Everything else stays.
    fn extend(
        &mut self,
        id: SessionId,
        generation: i64,
        expires_at: Option<Instant>,
        from: Option<IpAddr>,
    ) -> StoreResult<bool>;

    /// Records uses, in the order of sessions. `used_generation` and `last_used_at` of the session
    /// and `last_seen_at` of its device rise to the values of the use and never fall. Uses of
    /// unknown sessions are ignored.
    fn record_uses(&mut self, uses: &[SessionUse]) -> StoreResult<()>;

    /// The recorded first uses of a session, by generation.
    fn list_first_uses(&mut self, id: SessionId) -> StoreResult<Vec<FirstUse>>;

    /// Records the first use of a generation of a session. Changes nothing if it was recorded
    /// before, or if the session does not exist.
    fn record_first_use(&mut self, id: SessionId, first: FirstUse) -> StoreResult<()>;

    /// Removes the first uses of all generations of a session before this one.
    fn remove_first_uses(&mut self, id: SessionId, before: i64) -> StoreResult<()>;

    /// The dialects of the sessions that have neither ended nor expired at `now`. It reads every
    /// session, for the start of a server.
    fn list_live_dialects(&mut self, now: Instant) -> StoreResult<Vec<DialectName>>;

    /// Lists at most `limit` sessions that the filter matches, in this order, starting after the
    /// position `after`.
    fn list(
        &mut self,
        filter: &SessionFilter,
        order: SessionOrder,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> StoreResult<Vec<SessionView>>;

    /// Those of the sessions that exist, in any order.
    fn find_many(&mut self, ids: &BTreeSet<SessionId>) -> StoreResult<Vec<SessionView>>;

    /// Whether a session that has neither ended nor expired at `now` references the key, as its
    /// current or previous one.
    fn uses_key(&mut self, key: KeyId, now: Instant) -> StoreResult<bool>;

    /// At most `limit` ids of sessions that reference the key and have neither ended nor expired at
    /// `now`.
    fn ids_by_key(&mut self, key: KeyId, now: Instant, limit: u32) -> StoreResult<Vec<SessionId>>;

    /// Removes at most `limit` sessions that ended or expired before this instant. Returns their
    /// number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
