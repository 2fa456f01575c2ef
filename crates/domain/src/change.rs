//! Changes: what ends sessions or makes what is remembered of somebody stale, told to every process over the store.
//!
//! Whatever ends or changes something writes a [`Change`] in its own transaction. The store tells its [`Observer`] of it after
//! the commit and before the answer; other processes read it from the feed. No clock decides whether a token is over: a change
//! names a session, or an [`Epoch`] below which everything of somebody is over.

use crate::{DeviceId, Instant, SessionId, StoreResult, TenantId, UserId};

/// A number on a user, a device or a tenant that only what ends everything of theirs raises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

impl Epoch {
    /// The next one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Who a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One person.
    User(UserId),
    /// One device.
    Device(DeviceId),
    /// Everybody and everything of a vendor.
    Tenant(TenantId),
    /// The keys of the server.
    Keys,
    /// The clock: somebody has declared that it is right.
    Clock,
}

/// What has changed. Applying one twice, or an older one after a newer, changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The session is over for ever.
    SessionEnded(SessionId),
    /// Every session of `scope` that was made under an older epoch is over, and what is remembered of it is stale.
    EpochBumped {
        /// Whose.
        scope: Scope,
        /// Sessions below this epoch are over.
        epoch: Epoch,
    },
    /// What is remembered of `scope` is stale; nothing is over.
    Invalidated(Scope),
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// Its own logout.
    Logout,
    /// Another login took its place: on a sale device, or in the same browser.
    Replaced,
    /// A refresh token that had been followed by a used one came again.
    Replay,
    /// The back office ended it.
    Admin,
    /// Its user was suspended or deleted.
    Suspended,
    /// Its device was locked or retired.
    Locked,
    /// Its user's password changed.
    Password,
    /// It outlived its terms.
    Expired,
}

impl EndReason {
    /// Every reason.
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

    /// The word in answers and in the store.
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

/// Port: ends sessions and tells of changes.
pub trait Revocations {
    /// Ends one session for ever and every session that stands on it. False where it was over already or never was.
    fn end_session(&mut self, session: SessionId, why: EndReason, at: Instant) -> StoreResult<bool>;

    /// Raises the epoch of `scope`, which ends every session of it but the permanent ones, and every session that stands on one
    /// of these; returns the new epoch, or `None` where there is no such user, device or tenant (keys and clock have no epoch).
    /// One change tells of the epoch, and one more of each session that is over without being below it. The raise comes first: a
    /// login that is under way meets it.
    fn bump_epoch(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<Option<Epoch>>;

    /// Ends every permanent session of `scope`, which no epoch ends, and every session that stands on one of these, each told by
    /// itself. What makes permanent sessions claims its user and its device: a raise before this one waits for it.
    fn end_permanent(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<()>;

    /// Tells that what is remembered of `scope` is stale.
    fn invalidate(&mut self, scope: Scope, at: Instant) -> StoreResult<()>;

    /// The same of each of these.
    fn invalidate_all(&mut self, scopes: &[Scope], at: Instant) -> StoreResult<()> {
        scopes.iter().try_for_each(|scope| self.invalidate(*scope, at))
    }
}

/// Is told what was committed, after the commit and before the answer, on the thread that committed.
pub trait Observer: Send + Sync {
    /// These changes are on disk.
    fn on_commit(&self, changes: &[Change]);

    /// These are the numbers in the feed of changes that [`committed`](Self::committed) has just told of: whoever follows the feed
    /// knows them already. A store that does not know the numbers need not tell them.
    fn on_feed_numbers(&self, numbers: &[i64]) {
        let _ = numbers;
    }
}
