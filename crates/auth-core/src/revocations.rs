//! What has ended or changed, as this process knows it: the memory that authenticating asks instead of the store.
//!
//! It is the store's observer for what this process commits, and follows the feed for what others do. Epochs and session ids
//! decide, never a clock. What it cannot know it does not guess: where its view is too old, the caller must catch up first.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tillgate_domain::change::Observer;
use tillgate_domain::{Change, DeviceId, Epoch, Scope, SessionId, TenantId, UserId};

use crate::bounded_map::BoundedMap;
use crate::ports::{FeedBatch, FeedEntry};
use crate::{Epochs, Session, SessionKind};

/// Who a request is about: what its token names.
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

/// A moment in the order of changes: what was read before it may be stale after it.
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
    /// How far the feed had been looked at, by the monotonic clock.
    feed_time: Duration,
    version: Version,
}

struct RevocationState {
    ended: BoundedMap<SessionId, SessionEnd>,
    scopes: BoundedMap<Scope, ScopeState>,
    version: Version,
    /// Changes up to this moment may be forgotten, for want of room. So what was read of a session or a principal before it is
    /// outdated: it is read again, and the store has forgotten nothing.
    forgotten_until: Version,
    /// The monotonic time at which the newest look at the feed began.
    polled_at: Option<Duration>,
    keys_version: Version,
    own_changes: OwnChanges,
}

/// Numbers in the feed of changes that this process has committed and applied: a look that finds them makes nothing stale once more.
/// They were committed before a look that begins now, so the first one that ends well has found them, and they are forgotten.
#[derive(Default)]
struct OwnChanges {
    /// Since the newest look began.
    fresh: HashSet<i64>,
    /// Before that.
    due: HashSet<i64>,
}

/// How many numbers are kept at most: what is not is applied twice.
const MAX_OWN_CHANGES: usize = 65_536;

impl OwnChanges {
    fn add(&mut self, numbers: &[i64]) {
        let room = MAX_OWN_CHANGES.saturating_sub(self.fresh.len().saturating_add(self.due.len()));
        self.fresh.extend(numbers.iter().take(room));
    }

    fn consume(&mut self, number: i64) -> bool {
        self.due.remove(&number) || self.fresh.remove(&number)
    }
}

impl RevocationState {
    /// An empty cache of at most `limit` bytes, one half for ends and one for marks.
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

/// What the memory says of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RevocationCheck {
    /// Whether it is known to be over.
    pub(crate) over: bool,
    /// Since when what was read of its principal is outdated.
    pub(crate) invalidated: Version,
    /// Since when what was read of its session is outdated.
    pub(crate) forgotten_until: Version,
}

/// The memory.
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

    /// Since when what was read of these is outdated.
    fn newest_invalidation(&self, marks: impl IntoIterator<Item = ScopeState>) -> Version {
        marks.into_iter().map(|mark| mark.invalidated).fold(self.forgotten_until, Version::max)
    }
}

/// How many bytes it takes where nothing else is said.
const DEFAULT_BYTES: usize = 8 << 20;

impl Default for RevocationCache {
    fn default() -> Self {
        Self::with_limit(DEFAULT_BYTES)
    }
}

impl RevocationCache {
    /// An empty cache of at most this many bytes.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self(RwLock::new(RevocationState::with_limit(limit)))
    }

    /// How many bytes it takes.
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

    /// A look at the feed begins.
    pub(crate) fn begin_poll(&self) {
        let own = &mut self.write_state().own_changes;
        let fresh = std::mem::take(&mut own.fresh);
        own.due.extend(fresh);
    }

    /// Takes up what a look at the feed found that began at this monotonic time.
    pub(crate) fn apply_poll(&self, look: &FeedBatch, began: Duration) {
        let mut known = self.write_state();
        if look.restarted {
            // another server gives the numbers of lost changes again
            known.own_changes = OwnChanges::default();
        }
        for FeedEntry { number, change, .. } in &look.entries {
            // A look repeats what this process has applied itself: what says nothing new makes nothing stale.
            let news = match *change {
                Change::SessionEnded(session) => !known.ended.contains_key(&session),
                Change::EpochBumped { scope, epoch } => known.scope_state(Some(scope)).epoch < epoch,
                Change::Invalidated(_) => !known.own_changes.consume(*number),
            };
            if news {
                known.apply(change, began);
            }
        }
        known.own_changes.due.clear();
        known.polled_at = Some(known.polled_at.map_or(began, |looked| looked.max(began)));
    }

    /// How old the view is; `None` where there was no look yet.
    pub(crate) fn age(&self, monotonic: Duration) -> Option<Duration> {
        self.read_state().polled_at.map(|looked| monotonic.saturating_sub(looked))
    }

    /// What is known of a token of this session that was made under these epochs.
    pub(crate) fn check_session(&self, about: &SessionScopes, epochs: &Epochs) -> RevocationCheck {
        let known = self.read_state();
        let marks = known.scope_states(about);
        let [user, device, tenant] = marks.map(|mark| mark.epoch);
        let over = epochs.is_below(&Epochs { user, device, tenant }) || known.ended.contains_key(&about.session);
        RevocationCheck { over, invalidated: known.newest_invalidation(marks), forgotten_until: known.forgotten_until }
    }

    /// Since when what was read of a session is outdated.
    pub(crate) fn forgotten_until(&self) -> Version {
        self.read_state().forgotten_until
    }

    /// The highest epoch of this scope that is known.
    pub(crate) fn epoch(&self, scope: Scope) -> Epoch {
        self.read_state().scope_state(Some(scope)).epoch
    }

    /// Since when what was read of the principal of a session is stale.
    pub(crate) fn invalidated_at(&self, session: &Session) -> Version {
        self.check_session(&SessionScopes::of(session), &session.epochs).invalidated
    }

    /// Since when what was read of a user on a device is stale.
    pub(crate) fn device_invalidated_at(&self, user: UserId, device: DeviceId, tenant: TenantId) -> Version {
        let known = self.read_state();
        let scopes = [Scope::User(user), Scope::Device(device), Scope::Tenant(tenant)];
        known.newest_invalidation(scopes.map(|scope| known.scope_state(Some(scope))))
    }

    /// Whether the session is known to be over: by its own end or, where it is no permanent one, by an epoch.
    pub(crate) fn is_over(&self, session: &Session) -> bool {
        match session.kind {
            SessionKind::Permanent => self.read_state().ended.contains_key(&session.id),
            SessionKind::Person | SessionKind::Device => {
                self.check_session(&SessionScopes::of(session), &session.epochs).over
            }
        }
    }

    /// Whether the session is known to be over.
    #[cfg(test)]
    fn is_ended(&self, session: SessionId) -> bool {
        self.read_state().ended.contains_key(&session)
    }

    /// The present moment: a reading that begins now is stale after any later touch.
    pub(crate) fn current_version(&self) -> Version {
        self.read_state().version
    }

    /// When the keys were last touched.
    pub(crate) fn keys_version(&self) -> Version {
        self.read_state().keys_version
    }

    /// Forgets what ended sessions no living token can name: those seen this long before the newest look.
    pub(crate) fn forget_older_than(&self, span: Duration) {
        let mut known = self.write_state();
        if let Some(before) = known.polled_at.and_then(|looked| looked.checked_sub(span)) {
            known.ended.retain(|_, end| end.feed_time >= before);
        }
    }
}

#[cfg(test)]
mod tests;
