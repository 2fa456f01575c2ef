//! Random histories of tickets that several tills work on at once, against a small model, on both databases.
//!
//! Every act that was done says which version it made. So whatever the threads did, the versions of a ticket put its acts in an
//! order; played in that order on the model, which knows a list of fields and nothing else, they must give the ticket that the
//! store holds, and no act may have been done that the model refuses there.

mod actions;
mod model;
mod world;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Barrier, Mutex};
use std::thread;

use tillgate_domain::office::OfficeError;
use tillgate_domain::ticket::Ticket;

use crate::test_database::TestDatabase;
use actions::{ActionRecord, Random, TillAction, choose_action};
use model::check_history;
use world::{HistoryFixture, Till};

/// How many histories on each database, in a plain and in a thorough run.
const HISTORY_COUNTS: [u64; 2] = [2_000, 10_000];
/// How many are played at once, and by how many tills each.
const WORKER_COUNT: u64 = 8;
const TILL_COUNT: usize = 3;
/// One history in so many begins with a ticket that is closed, and its tills take back; in one of so many a program opens the ticket
/// twice at once; one till in so many does a second thing.
const CLOSED_TICKET_RATIO: u64 = 6;
const REPEATED_OPEN_RATIO: u64 = 8;
const SECOND_ACTION_RATIO: u64 = 8;

/// One till's part of a history.
fn run_till(world: &HistoryFixture, till: Till, ticket: &Ticket, dice: &mut Random) -> Vec<ActionRecord> {
    let mut known = ticket.version;
    let mut deeds = Vec::new();
    let acts = if dice.below(SECOND_ACTION_RATIO) == 0 { 2 } else { 1 };
    for _ in 0..acts {
        let (act, seen) = choose_action(dice, ticket, known);
        let deed = world.run_action(till, ticket.id, act, seen);
        known = match (&deed.result, &deed.action) {
            (Ok(_), TillAction::Refund(_)) => known,
            (Ok(now), _) => now.version,
            (Err(OfficeError::TicketVersionMismatch { current, .. }), _) => *current,
            (Err(_), _) => known,
        };
        deeds.push(deed);
    }
    deeds
}

/// What the histories came to, so that none of them says nothing.
#[derive(Default)]
struct Tally {
    histories: u64,
    done: u64,
    moved: u64,
    ended: u64,
    refunds: u64,
}

/// What failed in one of the three parts of a history. A part that fails is looked at after the barrier behind it, where all tills of
/// the crew stop together: else the others would wait for ever for the one that is gone.
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

/// A crew plays its histories one after the other, its tills at once.
fn run_worker(world: &HistoryFixture, number: u64, histories: u64, tally: &Mutex<Tally>) {
    let (barrier, failed) = (Barrier::new(TILL_COUNT), FirstPanics::default());
    let table: Mutex<(Vec<Ticket>, Vec<ActionRecord>)> = Mutex::default();
    thread::scope(|scope| {
        for (seat, till) in world.tills.iter().copied().enumerate() {
            let (barrier, failed, table) = (&barrier, &failed, &table);
            scope.spawn(move || {
                for history in (0..histories).map(|each| each * WORKER_COUNT + number) {
                    let mut dice = Random(history * TILL_COUNT as u64 + seat as u64);
                    failed.run_part(0, || {
                        if seat == 0 || (seat == 1 && history % REPEATED_OPEN_RATIO == 1) {
                            let mut ticket = world.open_ticket(world.tills[0], history);
                            if history % CLOSED_TICKET_RATIO == 0 {
                                ticket = world.run_action(till, ticket.id, TillAction::Close, Some(1)).result.unwrap();
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
                        let deeds = run_till(world, till, &ticket, &mut dice);
                        table.lock().unwrap().1.extend(deeds);
                    });
                    let leads = barrier.wait().is_leader();
                    if failed.has(1) {
                        return;
                    }
                    failed.run_part(2, || {
                        if leads {
                            let (opened, deeds) = std::mem::take(&mut *table.lock().unwrap());
                            check_history(world, &opened, &deeds);
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
            Err(OfficeError::TicketVersionMismatch { .. }) => tally.moved += 1,
            Err(_) => tally.ended += 1,
        }
    }
}

fn run_histories(fresh: &TestDatabase) {
    let (world, tally) = (HistoryFixture::open(fresh), Mutex::<Tally>::default());
    let histories = tillgate_testkit::case_count(HISTORY_COUNTS[0], HISTORY_COUNTS[1]);
    thread::scope(|scope| {
        for number in 0..WORKER_COUNT {
            let (world, tally) = (&world, &tally);
            scope.spawn(move || run_worker(world, number, histories / WORKER_COUNT, tally));
        }
    });
    let tally = tally.into_inner().unwrap();
    assert_eq!(tally.histories, histories);
    // each kind of end came about often: else the histories would say little
    for (what, often) in
        [("done", tally.done), ("moved", tally.moved), ("ended", tally.ended), ("refunds", tally.refunds)]
    {
        assert!(often >= histories / 50, "{what}: {often} of {histories} histories");
    }
    // and every receipt has a number of its own
    let numbers = fresh.raw().query_texts("SELECT number || ' ' || ending AS text FROM tickets WHERE state = 'closed'");
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
}

#[test]
fn ticket_histories_match_the_model_on_sqlite() {
    run_histories(&TestDatabase::sqlite().with_fixture());
}

#[test]
fn ticket_histories_match_the_model_on_postgres() {
    run_histories(&TestDatabase::postgres().with_fixture());
}
