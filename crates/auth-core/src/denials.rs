//! Which refusals become lines of the audit: of each who is refused the first ten in a minute, and after the minute one line that
//! counts the rest. So a client that asks in a loop fills no disk, and is seen all the same.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tillgate_domain::{ApiKeyId, DeviceId, Event, PrincipalId};

/// How many of one's refusals in a window become lines of their own.
pub(crate) const MAX_EVENTS_PER_WINDOW: u32 = 10;

/// How long a window is.
pub(crate) const WINDOW_LENGTH: Duration = Duration::from_mins(1);

/// What the details of an event take at most: a handful of members, all of them short.
const MAX_DETAILS_BYTES: usize = 1_536;

/// A caller who is refused.
pub(crate) type CallerKey = (PrincipalId, Option<DeviceId>);

/// Who is refused before anybody knows who it is: the account or the key that is tried, where there is one, else the network that
/// tries it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum GuestKey {
    Principal(PrincipalId),
    ApiKey(ApiKeyId),
    Network(Option<IpAddr>),
}

/// The refusals of late.
pub(crate) struct DenialLimiter<W> {
    windows: Mutex<HashMap<Option<W>, Window>>,
    /// How many are counted apart. What is more than that is counted together.
    max_windows: usize,
}

struct Window {
    since: Duration,
    recorded: u32,
    /// How many were not told, and the last of them.
    suppressed: u64,
    last: Option<Event>,
}

impl Window {
    /// Leaves a refusal untold for now.
    fn suppress(&mut self, event: &Event) {
        self.suppressed = self.suppressed.saturating_add(1);
        self.last = Some(event.clone());
    }
}

/// Refusals that were counted and not told.
pub(crate) struct SuppressedCount<W> {
    pub(crate) key: Option<W>,
    pub(crate) count: u64,
    pub(crate) last: Event,
}

impl<W: Copy + Eq + Hash> DenialLimiter<W> {
    /// None yet. They take so many bytes at most.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { windows: Mutex::default(), max_windows: (limit / (2 * Self::ROW_BYTES + MAX_DETAILS_BYTES)).max(1) }
    }

    /// What a row of the table takes. A table has up to twice as many as it needs.
    const ROW_BYTES: usize = size_of::<(Option<W>, Window)>() + 1;

    /// How many bytes they take, estimated from above.
    pub(crate) fn size_bytes(&self) -> usize {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = windows.capacity().saturating_mul(8) / 7;
        let untold = windows.values().filter(|window| window.last.is_some()).count();
        rows.saturating_mul(Self::ROW_BYTES).saturating_add(untold.saturating_mul(MAX_DETAILS_BYTES))
    }

    /// Counts a refusal at this instant (by the monotonic clock), and says whether it becomes a line of its own.
    pub(crate) fn should_record(&self, who: W, event: &Event, now: Duration) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let room = windows.len() < self.max_windows || windows.contains_key(&Some(who));
        let fresh = || Window { since: now, recorded: 0, suppressed: 0, last: None };
        let window = windows.entry(room.then_some(who)).or_insert_with(fresh);
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

    /// The line of a refusal that was to have one was not written: it is untold.
    pub(crate) fn mark_unrecorded(&self, who: W, event: &Event) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = if windows.contains_key(&Some(who)) { Some(who) } else { None };
        if let Some(window) = windows.get_mut(&counted) {
            window.suppress(event);
        }
    }

    /// Forgets windows that are over and have nothing untold, and returns what is untold in those that are over; in all of them
    /// where `now` is none.
    pub(crate) fn list_due(&self, now: Option<Duration>) -> Vec<SuppressedCount<W>> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |window: &Window| now.is_none_or(|now| now.saturating_sub(window.since) >= WINDOW_LENGTH);
        windows.retain(|_, window| window.suppressed > 0 || !over(window));
        if windows.is_empty() {
            windows.shrink_to_fit();
        }
        let untold = |(who, window): (&Option<W>, &Window)| {
            Some(SuppressedCount { key: *who, count: window.suppressed, last: window.last.clone()? })
        };
        windows.iter().filter(|(_, window)| window.suppressed > 0 && over(window)).filter_map(untold).collect()
    }

    /// So many were told of in one line.
    pub(crate) fn mark_recorded(&self, untold: &SuppressedCount<W>) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&untold.key) {
            window.suppressed = window.suppressed.saturating_sub(untold.count);
        }
    }
}
