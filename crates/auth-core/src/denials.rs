//! Limits the audit events of denials: of each caller the first ten per minute are recorded, and
//! one event after the minute counts the rest. A client that repeats a denied request therefore
//! does not fill the disk, but is still visible in the audit.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tillgate_domain::{ApiKeyId, DeviceId, Event, PrincipalId, SessionId};

/// The number of denials of one caller that are recorded individually in a window.
pub(crate) const MAX_EVENTS_PER_WINDOW: u32 = 10;

/// The length of a window.
pub(crate) const WINDOW_LENGTH: Duration = Duration::from_mins(1);

/// The greatest size of the details of an event: a few short members.
const MAX_DETAILS_BYTES: usize = 1_536;

/// A denied caller.
pub(crate) type CallerKey = (PrincipalId, Option<DeviceId>);

/// The origin of a denial before authentication: the account, session or API key that is tried if
/// it exists, otherwise the network.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum GuestKey {
    Principal(PrincipalId),
    Session(SessionId),
    ApiKey(ApiKeyId),
    Network(Option<IpAddr>),
    /// The network from which a one-time token was sent. It is counted apart, so that guesses of
    /// tokens do not hide denied logins.
    OneTimeTokens(Option<IpAddr>),
    /// The network from which a code was sent that is of no enrollment, also counted apart.
    EnrollmentCodes(Option<IpAddr>),
    /// The device whose code was sent, counted apart from logins on the device.
    Enrollment(DeviceId),
    /// The caller who has typed a code under which no machine waits, also counted apart.
    UserCodes(PrincipalId),
}

/// Recent denials.
pub(crate) struct DenialLimiter<W> {
    windows: Mutex<HashMap<Option<W>, Window>>,
    /// The number of callers that are counted separately; all others are counted together.
    max_windows: usize,
}

struct Window {
    since: Duration,
    recorded: u32,
    /// The number of denials that were not recorded, and the last of them.
    suppressed: u64,
    last: Option<Event>,
}

impl Window {
    /// Counts a denial without recording it.
    fn suppress(&mut self, event: &Event) {
        self.suppressed = self.suppressed.saturating_add(1);
        self.last = Some(event.clone());
    }
}

/// Denials that were counted and not recorded.
pub(crate) struct SuppressedCount<W> {
    pub(crate) key: Option<W>,
    pub(crate) count: u64,
    pub(crate) last: Event,
}

impl<W: Copy + Eq + Hash> DenialLimiter<W> {
    /// An empty limiter of at most `limit` bytes.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { windows: Mutex::default(), max_windows: (limit / (2 * Self::ROW_BYTES + MAX_DETAILS_BYTES)).max(1) }
    }

    /// The size of a row of the table, which has up to twice as many rows as it needs.
    const ROW_BYTES: usize = size_of::<(Option<W>, Window)>() + 1;

    /// The size in bytes, estimated from above.
    pub(crate) fn size_bytes(&self) -> usize {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = windows.capacity().saturating_mul(8) / 7;
        let suppressed = windows.values().filter(|window| window.last.is_some()).count();
        rows.saturating_mul(Self::ROW_BYTES).saturating_add(suppressed.saturating_mul(MAX_DETAILS_BYTES))
    }

    /// Counts a denial at this monotonic time. Returns whether to record it individually.
    pub(crate) fn should_record(&self, who: W, event: &Event, now: Duration) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = windows.len() < self.max_windows || windows.contains_key(&Some(who));
        let fresh = || Window { since: now, recorded: 0, suppressed: 0, last: None };
        let window = windows.entry(has_room.then_some(who)).or_insert_with(fresh);
        if now.saturating_sub(window.since) >= WINDOW_LENGTH && window.suppressed == 0 {
            *window = fresh();
        }
        if window.recorded < MAX_EVENTS_PER_WINDOW {
            window.recorded += 1;
            return true;
        }
        window.suppress(event);
        false
    }

    /// The recording of a denial has failed: it counts as not recorded.
    pub(crate) fn mark_unrecorded(&self, who: W, event: &Event) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = if windows.contains_key(&Some(who)) { Some(who) } else { None };
        if let Some(window) = windows.get_mut(&counted) {
            window.suppress(event);
        }
    }

    /// Drops windows that are over and have nothing to report. Returns the counts of the windows
    /// that are over; of all windows if `now` is `None`.
    pub(crate) fn list_due(&self, now: Option<Duration>) -> Vec<SuppressedCount<W>> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |window: &Window| now.is_none_or(|now| now.saturating_sub(window.since) >= WINDOW_LENGTH);
        windows.retain(|_, window| window.suppressed > 0 || !over(window));
        if windows.is_empty() {
            windows.shrink_to_fit();
        }
        let suppressed = |(who, window): (&Option<W>, &Window)| {
            Some(SuppressedCount { key: *who, count: window.suppressed, last: window.last.clone()? })
        };
        windows.iter().filter(|(_, window)| window.suppressed > 0 && over(window)).filter_map(suppressed).collect()
    }

    /// The count was recorded in one event.
    pub(crate) fn mark_recorded(&self, suppressed: &SuppressedCount<W>) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&suppressed.key) {
            window.suppressed = window.suppressed.saturating_sub(suppressed.count);
        }
    }
}
