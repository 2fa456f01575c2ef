//! Port: sessions.

use std::net::IpAddr;
use std::time::Duration;

use tillgate_domain::{
    DeviceId, DeviceName, DeviceStatus, Environment, Instant, KeyId, SessionId, StoreResult, TenantId, UserId,
    UserName, UserStatus, Zone,
};

use super::feed::ServerTime;
use crate::{DialectName, Epochs, Session};

/// A session with what decides whether it still stands, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session.
    pub session: Session,
    /// The epochs of its user, device and tenant as they are now; zero where it has none.
    pub epochs: Epochs,
    /// The status of its user.
    pub user: Option<UserStatus>,
    /// The status of its device.
    pub device: Option<DeviceStatus>,
    /// The time zone of its tenant.
    pub zone: Zone,
    /// What the store says by a clock of its own; `None` if it has none.
    pub clock: Option<StoreClock>,
}

/// What a store says of a session by a clock of its own, which all processes over it share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreClock {
    /// The time since the newest rotation, both instants read from the clock of this server. `None` if there was no rotation, or
    /// if it was not this server that dated it.
    pub since_rotation: Option<Duration>,
    /// Which server it was read from. The number changes whenever a server starts or takes over: nothing that was measured by
    /// the clock of one server says anything about another.
    pub server: i64,
    /// What its clock says now.
    pub now: Instant,
}

impl StoreClock {
    /// The reading of the server's clock.
    pub const fn server_time(&self) -> ServerTime {
        ServerTime { server: self.server, now: self.now }
    }
}

/// What a rotation writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The new generation.
    pub generation: i64,
    /// The key of the new refresh token.
    pub key: KeyId,
    /// The key of the refresh token that was presented.
    pub previous_key: KeyId,
    /// When.
    pub at: Instant,
    /// When the session is over if nothing happens.
    pub expires_at: Option<Instant>,
    /// Where the request came from.
    pub from: Option<IpAddr>,
}

/// That an access token of a session has authenticated a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionUse {
    /// The session.
    pub session: SessionId,
    /// The generation of the access token.
    pub generation: i64,
    /// When.
    pub at: Instant,
}

/// When an access token of a generation was first used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstUse {
    /// The generation.
    pub generation: i64,
    /// When.
    pub at: Instant,
}

/// Which sessions to list. `None` asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this user.
    pub user: Option<UserId>,
    /// On this device.
    pub device: Option<DeviceId>,
    /// With exactly this id.
    pub id: Option<SessionId>,
    /// Neither ended nor expired at this instant (`Some((true, at))`), or one of the two (`Some((false, at))`).
    pub live: Option<(bool, Instant)>,
}

/// A session as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// The name of its user.
    pub user_name: Option<UserName>,
    /// The name that people read of its user.
    pub display_name: Option<String>,
    /// The name of its device.
    pub device_name: Option<DeviceName>,
    /// The environment of its device.
    pub environment: Option<Environment>,
}

/// Sessions.
pub trait Sessions {
    /// Adds a session. Its id is new.
    fn insert(&mut self, session: &Session) -> StoreResult<()>;

    /// The session with what decides whether it still stands.
    fn find(&mut self, id: SessionId) -> StoreResult<Option<SessionRecord>>;

    /// Moves an open session from this generation on to the rotation's, which may be the same or, after the store went back, any
    /// later one. False where it stands at another generation by now, or
    /// has been ended. A store with a clock of its own also keeps what that clock says now: see [`StoreClock::record_rotation`].
    fn rotate(&mut self, id: SessionId, from: i64, to: &Rotation) -> StoreResult<bool>;

    /// Sets the end of an open session and where its newest request came from; everything else stays. False where it stands at
    /// another generation by now, or has been ended.
    fn extend(
        &mut self,
        id: SessionId,
        generation: i64,
        expires_at: Option<Instant>,
        from: Option<IpAddr>,
    ) -> StoreResult<bool>;

    /// Notes uses, in the order of sessions: `used` and `last_used_at` of the session and `last_seen_at` of its device rise to
    /// what the use says and never fall. What names no session is passed over.
    fn record_uses(&mut self, uses: &[SessionUse]) -> StoreResult<()>;

    /// When generations of a session were first used, as far as that was noted, by generation.
    fn list_first_uses(&mut self, id: SessionId) -> StoreResult<Vec<FirstUse>>;

    /// Notes when a generation of a session was first used. The session is in the store. False where that was noted before. First
    /// uses of earlier generations than one that was first used at `settled` or before are forgotten.
    fn record_first_use(&mut self, id: SessionId, first: FirstUse, settled: Instant) -> StoreResult<bool>;

    /// The contracts of the sessions that are neither ended nor expired at `now`. Reads every session: it is for a server's start.
    fn list_live_dialects(&mut self, now: Instant) -> StoreResult<Vec<DialectName>>;

    /// Sessions with the names that lists show, newest first, those after `after` only, `limit` at most.
    fn list(&mut self, filter: &SessionFilter, after: Option<SessionId>, limit: u32) -> StoreResult<Vec<SessionView>>;

    /// Whether a session that is neither ended nor expired at `now` names the key, as its newest or the one before.
    fn uses_key(&mut self, key: KeyId, now: Instant) -> StoreResult<bool>;

    /// Ids of sessions that name the key and are neither ended nor expired at `now`, `limit` at most.
    fn ids_by_key(&mut self, key: KeyId, now: Instant, limit: u32) -> StoreResult<Vec<SessionId>>;

    /// Removes sessions that were over before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
