//! The revocation cache: what has ended or changed, as far as this process knows. Authentication
//! reads it instead of the store.
//!
//! It observes what this process commits and follows the change feed for other processes. Epochs
//! and session ids decide, not a clock. If its view is too old, the caller has to read the feed
//! first.
//!
//! The cache is bounded and drops the oldest entries first. The dropped entries lie before a
//! *horizon*, a version of the change counter. Everything that was read before the horizon, a
//! session's row or a profile, is outdated by the same comparison as after a change, and is read
//! once more; the rows still have the information. No bound in bytes therefore revives an ended
//! token. The only cost is one read of each live session whenever the horizon moves, which happens
//! when half of the cache has been filled again.
//!
//! A change makes cached data outdated only for the principals it affects. A change to a role
//! invalidates the cached profile of each holder (of the whole tenant if there are more than
//! 1,000). The role's row is locked, so that a user who is being given the role at that moment is
//! not missed. While the database is unavailable, cached data that is not outdated stays in use;
//! outdated data is not used, because a right whose removal was answered must be gone.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tillgate_domain::change::Observer;
use tillgate_domain::{Change, DeviceId, Epoch, Scope, SessionId, TenantId, UserId};

use crate::bounded_map::BoundedMap;
use crate::ports::{FeedBatch, FeedEntry};
use crate::{Epochs, Session, SessionKind};

/// The session, user, device and tenant that a token names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionScopes {
    pub(crate) session: SessionId,
    pub(crate) user: Option<UserId>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) tenant: TenantId,
}

impl SessionScopes {
    fn of(session: &Session) -> Self {
        Self { session: session.id, user: session.user, device: session.device, tenant: session.tenant }
    }
}

/// A version of the change counter. A reading that began at a version is outdated by any change of
/// a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u64);

/// What is known of a user, a device or a tenant.
#[derive(Clone, Copy, Debug, Default)]
struct ScopeState {
    epoch: Epoch,
    invalidated: Version,
}

/// The end of a session.
#[derive(Clone, Copy, Debug)]
struct SessionEnd {
    /// How far the feed was read, by the monotonic clock.
    feed_time: Duration,
    version: Version,
}

struct RevocationState {
    ended: BoundedMap<SessionId, SessionEnd>,
    scopes: BoundedMap<Scope, ScopeState>,
    version: Version,
    /// The horizon: entries up to this version may have been dropped. What was read of a session or
    /// a principal before it is outdated and is read from the store again.
    forgotten_until: Version,
    /// The monotonic time at which the newest poll of the feed began.
    polled_at: Option<Duration>,
    keys_version: Version,
    own_changes: OwnChanges,
}

/// The numbers of the changes that this process has committed and applied, so that a poll that
/// finds them invalidates nothing again. A poll that begins after the commit finds them; after the
/// first successful one they are dropped.
#[derive(Default)]
struct OwnChanges {
    /// Committed since the newest poll began.
    fresh: HashSet<i64>,
    /// Committed before that.
    due: HashSet<i64>,
}

/// The number of own changes that are kept; a change beyond it is applied twice.
const MAX_OWN_CHANGES: usize = 65_536;

impl OwnChanges {
    fn add(&mut self, numbers: &[i64]) {
        let remaining = MAX_OWN_CHANGES.saturating_sub(self.fresh.len().saturating_add(self.due.len()));
        self.fresh.extend(numbers.iter().take(remaining));
    }

    fn consume(&mut self, number: i64) -> bool {
        self.due.remove(&number) || self.fresh.remove(&number)
    }
}

impl RevocationState {
    /// An empty cache of at most `limit` bytes, one half for ended sessions and one for scopes.
    fn with_limit(limit: usize) -> Self {
        Self {
            ended: BoundedMap::new(limit / 2),
            scopes: BoundedMap::new(limit / 2),
            version: Version::default(),
            forgotten_until: Version::default(),
            polled_at: None,
            keys_version: Version::default(),
            own_changes: OwnChanges::default(),
        }
    }
}

/// What the cache knows about a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RevocationCheck {
    /// Whether its session is known to have ended.
    pub(crate) over: bool,
    /// The version before which readings of its principal are outdated.
    pub(crate) invalidated: Version,
    /// The version before which readings of its session are outdated.
    pub(crate) forgotten_until: Version,
}

/// The revocation cache of a process.
pub(crate) struct RevocationCache(RwLock<RevocationState>);

impl Observer for RevocationCache {
    fn on_commit(&self, changes: &[Change]) {
        if !changes.is_empty() {
            let mut known = self.write_state();
            let seen = known.polled_at.unwrap_or_default();
            for change in changes {
                known.apply(change, seen);
            }
        }
    }

    fn on_feed_numbers(&self, numbers: &[i64]) {
        self.write_state().own_changes.add(numbers);
    }
}

impl RevocationState {
    fn apply(&mut self, change: &Change, seen: Duration) {
        self.version = Version(self.version.0.saturating_add(1));
        let moment = self.version;
        match *change {
            Change::SessionEnded(session) => self.record_end(session, SessionEnd { feed_time: seen, version: moment }),
            Change::EpochBumped { scope, epoch } => self.invalidate(scope, epoch, moment),
            Change::Invalidated(Scope::Keys) => self.keys_version = moment,
            Change::Invalidated(scope) => self.invalidate(scope, Epoch::default(), moment),
        }
    }

    fn record_end(&mut self, session: SessionId, end: SessionEnd) {
        if !self.ended.contains_key(&session)
            && let Some(forgotten) = self.ended.forget_half(|end| end.version)
        {
            self.forgotten_until = self.forgotten_until.max(forgotten);
        }
        self.ended.insert(session, end);
    }

    fn invalidate(&mut self, scope: Scope, epoch: Epoch, touched: Version) {
        if !self.scopes.contains_key(&scope)
            && let Some(forgotten) = self.scopes.forget_half(|mark| mark.invalidated)
        {
            self.forgotten_until = self.forgotten_until.max(forgotten);
        }
        let epoch = self.scope_state(Some(scope)).epoch.max(epoch);
        self.scopes.insert(scope, ScopeState { epoch, invalidated: touched });
    }

    fn scope_state(&self, scope: Option<Scope>) -> ScopeState {
        scope.and_then(|scope| self.scopes.get(&scope)).copied().unwrap_or_default()
    }

    fn scope_states(&self, about: &SessionScopes) -> [ScopeState; 3] {
        let scopes = [about.user.map(Scope::User), about.device.map(Scope::Device), Some(Scope::Tenant(about.tenant))];
        scopes.map(|scope| self.scope_state(scope))
    }

    /// The version before which readings of these scopes are outdated.
    fn newest_invalidation(&self, marks: impl IntoIterator<Item = ScopeState>) -> Version {
        marks.into_iter().map(|mark| mark.invalidated).fold(self.forgotten_until, Version::max)
    }
}

/// The default size limit in bytes.
const DEFAULT_BYTES: usize = 8 << 20;

impl Default for RevocationCache {
    fn default() -> Self {
        Self::with_limit(DEFAULT_BYTES)
    }
}

impl RevocationCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self(RwLock::new(RevocationState::with_limit(limit)))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let known = self.read_state();
        known.ended.size_bytes().saturating_add(known.scopes.size_bytes())
    }

    fn read_state(&self) -> RwLockReadGuard<'_, RevocationState> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, RevocationState> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the start of a poll of the feed.
    pub(crate) fn begin_poll(&self) {
        let own_changes = &mut self.write_state().own_changes;
        let fresh = std::mem::take(&mut own_changes.fresh);
        own_changes.due.extend(fresh);
    }

    /// Applies the result of a poll that began at this monotonic time.
    pub(crate) fn apply_poll(&self, batch: &FeedBatch, started_at: Duration) {
        let mut known = self.write_state();
        if batch.restarted {
            // Another database server reuses the numbers of lost changes.
            known.own_changes = OwnChanges::default();
        }
        for FeedEntry { number, change, .. } in &batch.entries {
            // A poll may repeat what this process has applied; a change without news invalidates
            // nothing.
            let is_new = match *change {
                Change::SessionEnded(session) => !known.ended.contains_key(&session),
                Change::EpochBumped { scope, epoch } => known.scope_state(Some(scope)).epoch < epoch,
                Change::Invalidated(_) => !known.own_changes.consume(*number),
            };
            if is_new {
                known.apply(change, started_at);
            }
        }
        known.own_changes.due.clear();
        known.polled_at = Some(known.polled_at.map_or(started_at, |looked| looked.max(started_at)));
    }

    /// The time since the newest poll began; `None` before the first one.
    pub(crate) fn age(&self, monotonic: Duration) -> Option<Duration> {
        self.read_state().polled_at.map(|looked| monotonic.saturating_sub(looked))
    }

    /// What is known about a token of this session with these epochs.
    pub(crate) fn check_session(&self, about: &SessionScopes, epochs: &Epochs) -> RevocationCheck {
        let known = self.read_state();
        let marks = known.scope_states(about);
        let [user, device, tenant] = marks.map(|mark| mark.epoch);
        let over = epochs.is_below(&Epochs { user, device, tenant }) || known.ended.contains_key(&about.session);
        RevocationCheck { over, invalidated: known.newest_invalidation(marks), forgotten_until: known.forgotten_until }
    }

    /// The version before which readings of sessions are outdated.
    pub(crate) fn forgotten_until(&self) -> Version {
        self.read_state().forgotten_until
    }

    /// The highest known epoch of this scope.
    pub(crate) fn epoch(&self, scope: Scope) -> Epoch {
        self.read_state().scope_state(Some(scope)).epoch
    }

    /// The version before which readings of the session's principal are outdated.
    pub(crate) fn invalidated_at(&self, session: &Session) -> Version {
        self.check_session(&SessionScopes::of(session), &session.epochs).invalidated
    }

    /// The version before which readings of the user on the device are outdated.
    pub(crate) fn device_invalidated_at(&self, user: UserId, device: DeviceId, tenant: TenantId) -> Version {
        let known = self.read_state();
        let scopes = [Scope::User(user), Scope::Device(device), Scope::Tenant(tenant)];
        known.newest_invalidation(scopes.map(|scope| known.scope_state(Some(scope))))
    }

    /// Whether the session is known to have ended: by its own end or, unless it is permanent, by an
    /// epoch.
    pub(crate) fn is_over(&self, session: &Session) -> bool {
        match session.kind {
            SessionKind::Permanent => self.read_state().ended.contains_key(&session.id),
            SessionKind::Person | SessionKind::Device => {
                self.check_session(&SessionScopes::of(session), &session.epochs).over
            }
        }
    }

    /// Whether the session is known to have ended by itself.
    #[cfg(test)]
    fn is_ended(&self, session: SessionId) -> bool {
        self.read_state().ended.contains_key(&session)
    }

    /// The current version: a reading that begins now is outdated by any later invalidation.
    pub(crate) fn current_version(&self) -> Version {
        self.read_state().version
    }

    /// The version of the newest change of keys.
    pub(crate) fn keys_version(&self) -> Version {
        self.read_state().keys_version
    }

    /// Drops ended sessions whose last tokens have expired: those that ended `span` or more before
    /// the newest poll.
    pub(crate) fn forget_older_than(&self, span: Duration) {
        let mut known = self.write_state();
        if let Some(before) = known.polled_at.and_then(|looked| looked.checked_sub(span)) {
            known.ended.retain(|_, end| end.feed_time >= before);
        }
    }
}

#[cfg(test)]
mod tests;
