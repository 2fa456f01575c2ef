//! What has ended or changed, as this process knows it: the memory that authenticating asks instead of the store.
//!
//! It is the store's observer for what this process commits, and follows the feed for what others do. Epochs and session ids
//! decide, never a clock. What it cannot know it does not guess: where its view is too old, the caller must catch up first.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tillgate_domain::change::Observer;
use tillgate_domain::{Change, DeviceId, Epoch, Scope, SessionId, TenantId, UserId};

use crate::bounded::BoundedMap;
use crate::ports::{Found, Look};
use crate::{Epochs, Session, SessionKind};

/// Who a request is about: what its token names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) session: SessionId,
    pub(crate) user: Option<UserId>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) tenant: TenantId,
}

impl About {
    fn of(session: &Session) -> Self {
        Self { session: session.id, user: session.user, device: session.device, tenant: session.tenant }
    }
}

/// A moment in the order of changes: what was read before it may be stale after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

/// What is known of a user, a device or a tenant.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    epoch: Epoch,
    touched: Moment,
}

/// The end of a session.
#[derive(Clone, Copy, Debug)]
struct End {
    /// How far the feed had been looked at, by the monotonic clock.
    seen: Duration,
    at: Moment,
}

struct Known {
    ended: BoundedMap<SessionId, End>,
    marks: BoundedMap<Scope, Mark>,
    moment: Moment,
    /// Changes up to this moment may be forgotten, for want of room. So what was read of a session or a principal before it is
    /// outdated: it is read again, and the store has forgotten nothing.
    horizon: Moment,
    /// The monotonic time at which the newest look at the feed began.
    looked: Option<Duration>,
    keys: Moment,
    own: Own,
}

/// Numbers in the feed of changes that this process has committed and applied: a look that finds them makes nothing stale once more.
/// They were committed before a look that begins now, so the first one that ends well has found them, and they are forgotten.
#[derive(Default)]
struct Own {
    /// Since the newest look began.
    fresh: HashSet<i64>,
    /// Before that.
    due: HashSet<i64>,
}

/// How many numbers are kept at most: what is not is applied twice.
const OWN: usize = 65_536;

impl Own {
    fn add(&mut self, numbers: &[i64]) {
        let room = OWN.saturating_sub(self.fresh.len().saturating_add(self.due.len()));
        self.fresh.extend(numbers.iter().take(room));
    }

    fn take(&mut self, number: i64) -> bool {
        self.due.remove(&number) || self.fresh.remove(&number)
    }
}

impl Known {
    /// An empty cache of at most `limit` bytes, one half for ends and one for marks.
    fn within(limit: usize) -> Self {
        Self {
            ended: BoundedMap::new(limit / 2),
            marks: BoundedMap::new(limit / 2),
            moment: Moment::default(),
            horizon: Moment::default(),
            looked: None,
            keys: Moment::default(),
            own: Own::default(),
        }
    }
}

/// What the memory says of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// Whether it is known to be over.
    pub(crate) over: bool,
    /// Since when what was read of its principal is outdated.
    pub(crate) touched: Moment,
    /// Since when what was read of its session is outdated.
    pub(crate) horizon: Moment,
}

/// The memory.
pub(crate) struct Changes(RwLock<Known>);

impl Observer for Changes {
    fn committed(&self, changes: &[Change]) {
        if !changes.is_empty() {
            let mut known = self.known_mut();
            let seen = known.looked.unwrap_or_default();
            for change in changes {
                known.apply(change, seen);
            }
        }
    }

    fn numbered(&self, numbers: &[i64]) {
        self.known_mut().own.add(numbers);
    }
}

impl Known {
    fn apply(&mut self, change: &Change, seen: Duration) {
        self.moment = Moment(self.moment.0.saturating_add(1));
        let moment = self.moment;
        match *change {
            Change::Ended(session) => self.end(session, End { seen, at: moment }),
            Change::Raised { scope, epoch } => self.touch(scope, epoch, moment),
            Change::Touched(Scope::Keys) => self.keys = moment,
            Change::Touched(scope) => self.touch(scope, Epoch::default(), moment),
        }
    }

    fn end(&mut self, session: SessionId, end: End) {
        if !self.ended.contains_key(&session)
            && let Some(forgotten) = self.ended.forget_half(|end| end.at)
        {
            self.horizon = self.horizon.max(forgotten);
        }
        self.ended.insert(session, end);
    }

    fn touch(&mut self, scope: Scope, epoch: Epoch, touched: Moment) {
        if !self.marks.contains_key(&scope)
            && let Some(forgotten) = self.marks.forget_half(|mark| mark.touched)
        {
            self.horizon = self.horizon.max(forgotten);
        }
        let epoch = self.mark(Some(scope)).epoch.max(epoch);
        self.marks.insert(scope, Mark { epoch, touched });
    }

    fn mark(&self, scope: Option<Scope>) -> Mark {
        scope.and_then(|scope| self.marks.get(&scope)).copied().unwrap_or_default()
    }

    fn marks(&self, about: &About) -> [Mark; 3] {
        let scopes = [about.user.map(Scope::User), about.device.map(Scope::Device), Some(Scope::Tenant(about.tenant))];
        scopes.map(|scope| self.mark(scope))
    }

    /// Since when what was read of these is outdated.
    fn touched(&self, marks: impl IntoIterator<Item = Mark>) -> Moment {
        marks.into_iter().map(|mark| mark.touched).fold(self.horizon, Moment::max)
    }
}

/// How many bytes it takes where nothing else is said.
const USUAL: usize = 8 << 20;

impl Default for Changes {
    fn default() -> Self {
        Self::within(USUAL)
    }
}

impl Changes {
    /// An empty cache of at most this many bytes.
    pub(crate) fn within(limit: usize) -> Self {
        Self(RwLock::new(Known::within(limit)))
    }

    /// How many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let known = self.known();
        known.ended.bytes().saturating_add(known.marks.bytes())
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look at the feed begins.
    pub(crate) fn begin_look(&self) {
        let own = &mut self.known_mut().own;
        let fresh = std::mem::take(&mut own.fresh);
        own.due.extend(fresh);
    }

    /// Takes up what a look at the feed found that began at this monotonic time.
    pub(crate) fn follow(&self, look: &Look, began: Duration) {
        let mut known = self.known_mut();
        if look.anew {
            // another server gives the numbers of lost changes again
            known.own = Own::default();
        }
        for Found { number, change, .. } in &look.changes {
            // A look repeats what this process has applied itself: what says nothing new makes nothing stale.
            let news = match *change {
                Change::Ended(session) => !known.ended.contains_key(&session),
                Change::Raised { scope, epoch } => known.mark(Some(scope)).epoch < epoch,
                Change::Touched(_) => !known.own.take(*number),
            };
            if news {
                known.apply(change, began);
            }
        }
        known.own.due.clear();
        known.looked = Some(known.looked.map_or(began, |looked| looked.max(began)));
    }

    /// How old the view is; `None` where there was no look yet.
    pub(crate) fn age(&self, monotonic: Duration) -> Option<Duration> {
        self.known().looked.map(|looked| monotonic.saturating_sub(looked))
    }

    /// What is known of a token of this session that was made under these epochs.
    pub(crate) fn judge(&self, about: &About, epochs: &Epochs) -> Judged {
        let known = self.known();
        let marks = known.marks(about);
        let [user, device, tenant] = marks.map(|mark| mark.epoch);
        let over = epochs.below(&Epochs { user, device, tenant }) || known.ended.contains_key(&about.session);
        Judged { over, touched: known.touched(marks), horizon: known.horizon }
    }

    /// Since when what was read of a session is outdated.
    pub(crate) fn horizon(&self) -> Moment {
        self.known().horizon
    }

    /// The highest epoch of this scope that is known.
    pub(crate) fn epoch(&self, scope: Scope) -> Epoch {
        self.known().mark(Some(scope)).epoch
    }

    /// Since when what was read of the principal of a session is stale.
    pub(crate) fn touched(&self, session: &Session) -> Moment {
        self.judge(&About::of(session), &session.epochs).touched
    }

    /// Since when what was read of a user on a device is stale.
    pub(crate) fn touched_on(&self, user: UserId, device: DeviceId, tenant: TenantId) -> Moment {
        let known = self.known();
        let scopes = [Scope::User(user), Scope::Device(device), Scope::Tenant(tenant)];
        known.touched(scopes.map(|scope| known.mark(Some(scope))))
    }

    /// Whether the session is known to be over: by its own end or, where it is no permanent one, by an epoch.
    pub(crate) fn over(&self, session: &Session) -> bool {
        match session.kind {
            SessionKind::Permanent => self.known().ended.contains_key(&session.id),
            SessionKind::Person | SessionKind::Device => self.judge(&About::of(session), &session.epochs).over,
        }
    }

    /// Whether the session is known to be over.
    #[cfg(test)]
    fn ended(&self, session: SessionId) -> bool {
        self.known().ended.contains_key(&session)
    }

    /// The present moment: a reading that begins now is stale after any later touch.
    pub(crate) fn now(&self) -> Moment {
        self.known().moment
    }

    /// When the keys were last touched.
    pub(crate) fn keys(&self) -> Moment {
        self.known().keys
    }

    /// Forgets what ended sessions no living token can name: those seen this long before the newest look.
    pub(crate) fn forget(&self, span: Duration) {
        let mut known = self.known_mut();
        if let Some(before) = known.looked.and_then(|looked| looked.checked_sub(span)) {
            known.ended.retain(|_, end| end.seen >= before);
        }
    }
}

#[cfg(test)]
mod tests;
