//! Judges with one broken rule: each must violate a property, otherwise the histories prove nothing
//! about that rule. That a doubtful clock counts as within the grace period is shown by the judge's
//! own tests only, because the rule for rotations that are dated in the future covers most of it.

use std::time::Duration;

use tillgate_auth_core::TokenDenied;
use tillgate_auth_core::judge::{Presenter, Verdict, Witness, judge};
use tillgate_auth_core::ports::SessionRecord;
use tillgate_domain::Instant;

use crate::kind::Kind;
use crate::model::Judge;
use crate::on_model;

/// The number of histories of each kind that a mutant may survive.
const MANY: u64 = 6_000;
/// The number for mutants that only a rare history reveals.
const MANY_OF_RARE: u64 = 150_000;

macro_rules! mutants {
    ($($name:ident($record:ident, $presented:ident, $witness:ident) $body:block)*) => {
        $(fn $name(
            $record: &SessionRecord,
            $presented: i64,
            presenter: &Presenter<'_>,
            $witness: &Witness,
            now: Instant,
        ) -> Verdict {
            #[allow(unused_mut, reason = "some change what comes in, others what goes out")]
            let (mut $record, mut $witness) = ($record.clone(), *$witness);
            let right = |record: &SessionRecord, witness: &Witness| judge(record, $presented, presenter, witness, now);
            let mutant: &dyn Fn(&mut SessionRecord, &mut Witness) -> Option<Verdict> = &|$record, $witness| $body;
            mutant(&mut $record, &mut $witness).unwrap_or_else(|| right(&$record, &$witness))
        })*
    };
}

mutants! {
    overlap_ignored(record, presented, _witness) {
        let refresh = record.session.terms.refresh.as_mut().unwrap();
        refresh.overlap = Some(Duration::ZERO);
        None
    }
    one_behind_refused(record, presented, _witness) {
        (presented + 1 == record.session.generation).then_some(Verdict::Replay)
    }
    used_ignored(record, presented, witness) {
        (record.session.used_generation, witness.used_generation) = (0, 0);
        None
    }
    always_used(record, presented, _witness) {
        record.session.used_generation = record.session.generation;
        None
    }
    ahead_refused(record, presented, _witness) {
        (presented > record.session.generation).then_some(Verdict::Replay)
    }
    expiry_ignored(record, presented, _witness) {
        record.session.expires_at = None;
        None
    }
    end_ignored(record, presented, _witness) {
        record.session.ended = None;
        None
    }
    two_behind_forgiven(record, presented, _witness) {
        let open = record.session.ended.is_none();
        (open && presented + 2 == record.session.generation).then_some(Verdict::Repeat)
    }
    uptime_ignored(_standing, presented, witness) {
        witness.vouched_for = Duration::MAX;
        None
    }
    store_clock_ignored(record, presented, _witness) {
        record.clock = None;
        None
    }
    wall_clock_alone(_standing, presented, witness) {
        witness.since_rotation = None;
        None
    }
}

/// Changes the right verdict.
fn changed(verdict: Verdict, change: impl Fn(Verdict) -> Option<Verdict>) -> Verdict {
    change(verdict).unwrap_or(verdict)
}

fn rotates_each_time(s: &SessionRecord, presented: i64, p: &Presenter<'_>, w: &Witness, now: Instant) -> Verdict {
    changed(judge(s, presented, p, w, now), |verdict| {
        let newest = presented == s.session.generation && verdict == Verdict::Repeat;
        newest.then_some(Verdict::Rotate { to: presented + 1, store_rolled_back: false })
    })
}

fn replay_ends_nothing(s: &SessionRecord, presented: i64, p: &Presenter<'_>, w: &Witness, now: Instant) -> Verdict {
    changed(judge(s, presented, p, w, now), |verdict| {
        (verdict == Verdict::Replay).then_some(Verdict::Deny(TokenDenied::Replay))
    })
}

fn overlap_never_restarts(s: &SessionRecord, presented: i64, p: &Presenter<'_>, w: &Witness, now: Instant) -> Verdict {
    changed(judge(s, presented, p, w, now), |verdict| (verdict == Verdict::Renew).then_some(Verdict::Repeat))
}

fn ahead_moves_on(s: &SessionRecord, presented: i64, p: &Presenter<'_>, w: &Witness, now: Instant) -> Verdict {
    changed(judge(s, presented, p, w, now), |verdict| match verdict {
        Verdict::Rotate { to, store_rolled_back: true } => {
            Some(Verdict::Rotate { to: to + 1, store_rolled_back: true })
        }
        _ => None,
    })
}

fn two_behind_forgiven_in_doubt(
    s: &SessionRecord,
    presented: i64,
    p: &Presenter<'_>,
    w: &Witness,
    now: Instant,
) -> Verdict {
    changed(judge(s, presented, p, w, now), |verdict| {
        let unsure =
            verdict == Verdict::Replay && presented + 2 == s.session.generation && w.vouched_for < crate::OVERLAP;
        unsure.then_some(Verdict::Repeat)
    })
}

#[test]
fn every_mutant_is_caught_by_a_property() {
    let mutants: [(&str, Judge, u8); 15] = [
        ("the uptime is ignored", uptime_ignored, 2),
        ("the store's clock is ignored", store_clock_ignored, 2),
        ("what cannot be vouched for is forgiven two behind too", two_behind_forgiven_in_doubt, 3),
        ("the overlap is ignored", overlap_ignored, 2),
        ("one behind is refused", one_behind_refused, 2),
        ("uses are ignored", used_ignored, 3),
        ("everything counts as used", always_used, 2),
        ("one ahead is refused", ahead_refused, 2),
        ("expiry is ignored", expiry_ignored, 1),
        ("an end is ignored", end_ignored, 1),
        ("the wall clock alone decides", wall_clock_alone, 3),
        ("the newest moves on at each refresh", rotates_each_time, 2),
        ("a replay ends nothing", replay_ends_nothing, 3),
        ("the grace period never restarts", overlap_never_restarts, 2),
        ("one ahead moves on", ahead_moves_on, 2),
    ];
    for (name, mutant, property) in mutants {
        assert_caught(name, mutant, property, MANY);
    }
    if tillgate_testkit::is_thorough() {
        assert_caught("two behind is forgiven", two_behind_forgiven, 3, MANY_OF_RARE);
    }
}

/// A history of some kind violates this property with the mutant, and reports it.
fn assert_caught(name: &str, mutant: Judge, property: u8, many: u64) {
    let kinds = [
        Kind { threads: 2, ..Kind::WILD },
        Kind { threads: 1, ..Kind::WILD },
        Kind { threads: 1, thief: true, ..Kind::WILD },
        Kind { threads: 2, reads_once: true, ..Kind::WILD },
    ];
    let tried = |kind: Kind| (1..=many).find_map(|seed| on_model(kind, seed, mutant).err().map(|why| (seed, why)));
    let caught = kinds.into_iter().find_map(|kind| tried(kind).filter(|(_, why)| why.property == property));
    let (seed, why) = caught.unwrap_or_else(|| panic!("{name}: no history finds it by property {property}"));
    println!("{name}: {why} (history {seed})");
}
