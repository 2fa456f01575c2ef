//! Random histories of tickets that several tills change concurrently, compared with a small model,
//! on both databases.
//!
//! Every successful action returns the version that it created, so the versions of a ticket put its
//! actions in order. Played in that order on the model, a plain list of fields, they must result in
//! the stored ticket, and the model must allow each of them.

mod actions;
mod fixture;
mod model;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Barrier, Mutex};
use std::thread;

use tillgate_domain::office::OfficeError;
use tillgate_domain::ticket::Ticket;
use tillgate_testkit::{DatabaseEngine, Random};

use crate::test_database::TestDatabase;
use actions::{ActionRecord, TillAction, choose_action};
use fixture::{HistoryFixture, Till};
use model::check_history;

/// The number of histories at a time, and the number of tills in each.
const WORKER_COUNT: u64 = 8;
const TILL_COUNT: usize = 3;
/// One history in this number begins with a closed ticket, which its tills refund.
const CLOSED_TICKET_RATIO: u64 = 6;
/// In one history in this number, a program opens the ticket twice at the same time.
const REPEATED_OPEN_RATIO: u64 = 8;
/// One till in this number takes a second action.
const SECOND_ACTION_RATIO: u64 = 8;

/// The part of one till in a history.
fn run_till(fixture: &HistoryFixture, till: Till, ticket: &Ticket, random: &mut Random) -> Vec<ActionRecord> {
    let mut known = ticket.version;
    let mut deeds = Vec::new();
    let acts = if random.number_below(SECOND_ACTION_RATIO) == 0 { 2 } else { 1 };
    for _ in 0..acts {
        let (act, seen) = choose_action(random, ticket, known);
        let deed = fixture.run_action(till, ticket.id, act, seen);
        known = match (&deed.result, &deed.action) {
            (Ok(_), TillAction::Refund(_)) => known,
            (Ok(now), _) => now.version,
            (Err(OfficeError::VersionMismatch { current, .. }), _) => *current,
            (Err(_), _) => known,
        };
        deeds.push(deed);
    }
    deeds
}

/// Counts the outcomes, so that every kind of history is known to occur.
#[derive(Default)]
struct Tally {
    histories: u64,
    done: u64,
    moved: u64,
    ended: u64,
    refunds: u64,
}

/// The first panic in each of the three parts of a history. A panic is checked after the barrier
/// behind its part, where all tills of the worker stop together: otherwise the others would wait
/// forever for the one that panicked.
#[derive(Default)]
struct FirstPanics([Mutex<Option<Box<dyn Any + Send>>>; 3]);

impl FirstPanics {
    fn run_part(&self, part: usize, work: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            self.0[part].lock().unwrap().get_or_insert(panic);
        }
    }

    fn has(&self, part: usize) -> bool {
        self.0[part].lock().unwrap().is_some()
    }
}

/// Plays the histories of one worker one after the other, the tills of each concurrently.
fn run_worker(fixture: &HistoryFixture, number: u64, histories: u64, tally: &Mutex<Tally>) {
    let (barrier, failed) = (Barrier::new(TILL_COUNT), FirstPanics::default());
    let table: Mutex<(Vec<Ticket>, Vec<ActionRecord>)> = Mutex::default();
    thread::scope(|scope| {
        for (seat, till) in fixture.tills.iter().copied().enumerate() {
            let (barrier, failed, table) = (&barrier, &failed, &table);
            scope.spawn(move || {
                for history in (0..histories).map(|each| each * WORKER_COUNT + number) {
                    let mut random = Random::from_seed(history * TILL_COUNT as u64 + seat as u64);
                    failed.run_part(0, || {
                        if seat == 0 || (seat == 1 && history % REPEATED_OPEN_RATIO == 1) {
                            let mut ticket = fixture.open_ticket(fixture.tills[0], history);
                            if history % CLOSED_TICKET_RATIO == 0 {
                                ticket =
                                    fixture.run_action(till, ticket.id, TillAction::Close, Some(1)).result.unwrap();
                            }
                            table.lock().unwrap().0.push(ticket);
                        }
                    });
                    barrier.wait();
                    if failed.has(0) {
                        return;
                    }
                    failed.run_part(1, || {
                        let ticket = table.lock().unwrap().0[0].clone();
                        let deeds = run_till(fixture, till, &ticket, &mut random);
                        table.lock().unwrap().1.extend(deeds);
                    });
                    let leads = barrier.wait().is_leader();
                    if failed.has(1) {
                        return;
                    }
                    failed.run_part(2, || {
                        if leads {
                            let (opened, deeds) = std::mem::take(&mut *table.lock().unwrap());
                            check_history(fixture, &opened, &deeds);
                            count_actions(&mut tally.lock().unwrap(), &deeds);
                        }
                    });
                    barrier.wait();
                    if failed.has(2) {
                        return;
                    }
                }
            });
        }
    });
    for part in failed.0 {
        if let Some(panic) = part.into_inner().unwrap() {
            resume_unwind(panic);
        }
    }
}

fn count_actions(tally: &mut Tally, deeds: &[ActionRecord]) {
    tally.histories += 1;
    for deed in deeds {
        match &deed.result {
            Ok(_) if matches!(deed.action, TillAction::Refund(_)) => tally.refunds += 1,
            Ok(_) => tally.done += 1,
            Err(OfficeError::VersionMismatch { .. }) => tally.moved += 1,
            Err(_) => tally.ended += 1,
        }
    }
}

tillgate_testkit::on_both_databases!(ticket_histories_match_the_model);

fn ticket_histories_match_the_model(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let (fixture, tally) = (HistoryFixture::open(fresh), Mutex::<Tally>::default());
    let histories = u64::from(tillgate_testkit::histories()).next_multiple_of(WORKER_COUNT);
    thread::scope(|scope| {
        for number in 0..WORKER_COUNT {
            let (fixture, tally) = (&fixture, &tally);
            scope.spawn(move || run_worker(fixture, number, histories / WORKER_COUNT, tally));
        }
    });
    let tally = tally.into_inner().unwrap();
    assert_eq!(tally.histories, histories);
    // each kind of outcome is frequent: otherwise the histories would prove little
    for (what, often) in
        [("done", tally.done), ("moved", tally.moved), ("ended", tally.ended), ("refunds", tally.refunds)]
    {
        assert!(often >= histories / 50, "{what}: {often} of {histories} histories");
    }
    // and every receipt has its own number
    let numbers = fresh.raw().query_texts("SELECT number || ' ' || ending AS text FROM tickets WHERE state = 'closed'");
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
}
