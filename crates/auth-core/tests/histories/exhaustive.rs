//! All short histories of a till and a thief, which random ones might miss.

use tillgate_auth_core::judge::{Presenter, Verdict, Witness, judge};
use tillgate_auth_core::ports::SessionRecord;
use tillgate_domain::Instant;

use crate::OVERLAP;
use crate::model::session_record;
use crate::server::Terms;

/// The number of events in a history.
const LENGTH: usize = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The till refreshes, stores the response, and is ready to use it.
    Refresh,
    /// The till refreshes, and the response is lost.
    Lost,
    /// The till uses what it has stored.
    Use,
    /// The thief copies what the till has stored.
    Take,
    /// The thief refreshes with the copy, and keeps the response.
    Steal,
    /// The thief uses what he has.
    Misuse,
    /// Less than a quarter of the grace period passes.
    Moment,
    /// A grace period passes.
    Overlap,
}

use Event::{Lost, Misuse, Moment, Overlap, Refresh, Steal, Take, Use};

const EVENTS: [Event; 8] = [Refresh, Lost, Use, Take, Steal, Misuse, Moment, Overlap];

#[derive(Clone)]
struct ModelState {
    record: SessionRecord,
    now: Instant,
    till: i64,
    thief: Option<i64>,
    /// Whether the thief has done more than copy.
    stolen: bool,
    /// Whether the current generation was used.
    used: bool,
    /// When the current generation was issued, or its grace period restarted.
    begun: Instant,
}

#[derive(Default, Debug)]
struct HistoryCounts {
    histories: u64,
    caught: u64,
    honest: u64,
    /// The sessions in which somebody besides the till takes part until the end.
    shared: u64,
}

impl ModelState {
    /// Presents a generation. Returns the generation of the response; `None` if that ends the
    /// session.
    fn present(&mut self, presented: i64, path: &[Event]) -> Option<i64> {
        let dialect = self.record.session.dialect.clone();
        let presenter = Presenter { dialect: &dialect, device: None, thumbprint: None, keeps_token: false };
        let session = &mut self.record.session;
        let (newest, now) = (session.generation, self.now);
        // Determined from the events only: the current one is a grace period old and in use, or
        // there are two successors.
        let old = now.duration_since(self.begun) >= OVERLAP;
        let caught = presented + 2 <= newest || (presented + 1 == newest && self.used && old);
        let verdict = judge(
            &self.record,
            presented,
            &presenter,
            &Witness { vouched_for: std::time::Duration::MAX, ..Witness::default() },
            now,
        );
        assert_eq!(verdict == Verdict::Replay, caught, "{path:?}: {presented} of {newest}: {verdict:?}");
        let session = &mut self.record.session;
        match verdict {
            Verdict::Rotate { to, store_rolled_back: went_back } => {
                assert!(!went_back && to == newest + 1 && presented == newest, "{path:?}");
                (session.generation, session.rotated_at) = (to, Some(now));
                (self.used, self.begun) = (false, now);
                Some(to)
            }
            Verdict::Renew => {
                assert!(!self.used, "{path:?}: restarted although it was used");
                (session.rotated_at, self.begun) = (Some(now), now);
                Some(newest)
            }
            Verdict::Repeat | Verdict::Reuse => Some(newest),
            Verdict::Forgive => panic!("{path:?}: this process can vouch for every overlap"),
            Verdict::Replay => None,
            Verdict::Deny(refusal) => panic!("{path:?}: {refusal}"),
            Verdict::Unproven => panic!("{path:?}: the session is bound to no key"),
        }
    }

    fn note_use(&mut self, generation: i64) {
        let session = &mut self.record.session;
        session.used_generation = session.used_generation.max(generation);
        self.used |= generation == session.generation;
    }

    /// Whether the session continues.
    fn happens(&mut self, event: Event, path: &[Event], counted: &mut HistoryCounts) -> bool {
        match event {
            Refresh | Lost => match self.present(self.till, path) {
                Some(got) if event == Refresh => self.till = got,
                Some(_) => {}
                None => {
                    assert!(self.stolen, "{path:?}: an honest till is logged out");
                    counted.caught += 1;
                    return false;
                }
            },
            Use => self.note_use(self.till),
            Take => self.thief = Some(self.till),
            Steal => {
                let Some(held) = self.thief else { return true };
                self.stolen = true;
                let Some(got) = self.present(held, path) else {
                    counted.caught += 1;
                    return false;
                };
                self.thief = Some(got);
            }
            Misuse => {
                if let Some(held) = self.thief {
                    self.stolen = true;
                    self.note_use(held);
                }
            }
            Moment => self.now = self.now.saturating_add(OVERLAP / 8),
            Overlap => self.now = self.now.saturating_add(OVERLAP),
        }
        true
    }
}

fn all(state: &ModelState, path: &mut Vec<Event>, counted: &mut HistoryCounts) {
    if path.len() == LENGTH {
        counted.histories += 1;
        counted.honest += u64::from(!state.stolen);
        counted.shared += u64::from(state.stolen);
        return;
    }
    for event in EVENTS {
        // An event without effect leads to nothing that a shorter history does not.
        if state.thief.is_none() && matches!(event, Steal | Misuse) {
            continue;
        }
        path.push(event);
        let mut next = state.clone();
        if next.happens(event, path, counted) {
            all(&next, path, counted);
        }
        path.pop();
    }
}

#[test]
fn every_short_history_is_judged_correctly() {
    let terms = Terms { idle: std::time::Duration::from_hours(12), absolute: None };
    let record = session_record(terms);
    let now = record.session.created_at;
    let state = ModelState { record, now, till: 1, thief: None, stolen: false, used: false, begun: now };
    let mut counted = HistoryCounts::default();
    all(&state, &mut Vec::new(), &mut counted);
    println!("{counted:?}");
    assert!(counted.histories > 500_000 && counted.honest > 50_000 && counted.caught > 1_000, "{counted:?}");
}
