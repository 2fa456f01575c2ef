//! Changes: what ends sessions or makes cached data outdated, reported to every process over the
//! store.
//!
//! Whatever ends or changes something writes a [`Change`] in its own transaction. The store
//! notifies its [`Observer`]s after the commit and before `run` returns; other processes read the
//! change from the feed. No clock decides whether a token is valid: a change names a session, or an
//! [`Epoch`] below which all sessions have ended.

use crate::{DeviceId, Instant, SessionId, StoreResult, TenantId, UserId};

/// A counter of a user, a device or a tenant. Raising it ends all of their sessions that were
/// created under a lower value, except permanent ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

impl Epoch {
    /// The next epoch.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The subject of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// A single user.
    User(UserId),
    /// A single device.
    Device(DeviceId),
    /// A tenant with all of its users and devices.
    Tenant(TenantId),
    /// The keys of the server.
    Keys,
    /// The clock: an operator has accepted it.
    Clock,
}

/// A change that all processes apply. Applying one twice, or an older one after a newer, has no
/// effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The session has ended for good.
    SessionEnded(SessionId),
    /// All sessions of `scope` with a lower epoch have ended, and cached data about it is outdated.
    EpochBumped {
        /// The user, device or tenant.
        scope: Scope,
        /// The new epoch.
        epoch: Epoch,
    },
    /// Cached data about `scope` is outdated; no session has ended.
    Invalidated(Scope),
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// Its own logout.
    Logout,
    /// Another login has replaced it, on a sale device or in the same browser.
    Replaced,
    /// A refresh token was replayed after its successor was in use.
    Replay,
    /// The back office has ended it.
    Admin,
    /// Its user was suspended or deleted.
    Suspended,
    /// Its device was locked or retired.
    Locked,
    /// The password of its user was changed.
    Password,
    /// It has expired under its terms.
    Expired,
}

impl EndReason {
    /// All reasons, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Logout,
        Self::Replaced,
        Self::Replay,
        Self::Admin,
        Self::Suspended,
        Self::Locked,
        Self::Password,
        Self::Expired,
    ];

    /// The name of the reason in responses and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Replaced => "replaced",
            Self::Replay => "replay",
            Self::Admin => "admin",
            Self::Suspended => "suspended",
            Self::Locked => "locked",
            Self::Password => "password",
            Self::Expired => "expired",
        }
    }
}

/// The port that ends sessions and reports changes.
pub trait Revocations {
    /// Ends a session and all sessions that depend on it. Returns false if it has ended already or
    /// does not exist.
    fn end_session(&mut self, session: SessionId, why: EndReason, at: Instant) -> StoreResult<bool>;

    /// Raises the epoch of `scope`, which ends all of its sessions except permanent ones, and the
    /// sessions that depend on them. Returns the new epoch; `None` if the user, device or tenant
    /// does not exist (keys and clock have no epoch).
    ///
    /// One change reports the epoch, and one more each session that has ended without being below
    /// it. The epoch is raised first, so that a concurrent login finds it.
    fn bump_epoch(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<Option<Epoch>>;

    /// Ends every permanent session of `scope`, which no epoch ends, and the sessions that depend
    /// on them, each with a change of its own. A login that creates a permanent session claims its
    /// user and its device, so raising an epoch before this call waits for it.
    fn end_permanent(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<()>;

    /// Reports that cached data about `scope` is outdated.
    fn invalidate(&mut self, scope: Scope, at: Instant) -> StoreResult<()>;

    /// Reports that cached data about each of these is outdated.
    fn invalidate_all(&mut self, scopes: &[Scope], at: Instant) -> StoreResult<()> {
        scopes.iter().try_for_each(|scope| self.invalidate(*scope, at))
    }
}

/// Observes committed changes, after the commit and before `run` returns, on the thread that
/// committed.
pub trait Observer: Send + Sync {
    /// These changes were committed.
    fn on_commit(&self, changes: &[Change]);

    /// The numbers in the feed of the changes that [`on_commit`](Self::on_commit) has just
    /// reported, so that the reader of the feed can skip them. A store that does not know them need
    /// not call this.
    fn on_feed_numbers(&self, numbers: &[i64]) {
        let _ = numbers;
    }
}
