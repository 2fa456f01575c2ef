//! Random histories of tickets that several tills work on at once, against a small model, on both databases.
//!
//! Every act that was done says which version it made. So whatever the threads did, the versions of a ticket put its acts in an
//! order; played in that order on the model, which knows a list of fields and nothing else, they must give the ticket that the
//! store holds, and no act may have been done that the model refuses there.

mod acts;
mod model;
mod world;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Barrier, Mutex};
use std::thread;

use tillgate_domain::office::Refused;
use tillgate_domain::ticket::Ticket;

use crate::stores::Fresh;
use acts::{Act, Deed, Dice, choose};
use model::judge;
use world::{Till, World};

/// How many histories on each database, in a plain and in a thorough run.
const HISTORIES: [u64; 2] = [2_000, 10_000];
/// How many are played at once, and by how many tills each.
const CREWS: u64 = 8;
const TILLS: usize = 3;
/// One history in so many begins with a ticket that is closed, and its tills take back; in one of so many a program opens the ticket
/// twice at once; one till in so many does a second thing.
const SOLD: u64 = 6;
const TWICE: u64 = 8;
const SECOND: u64 = 8;

/// One till's part of a history.
fn play(world: &World, till: Till, ticket: &Ticket, dice: &mut Dice) -> Vec<Deed> {
    let mut known = ticket.version;
    let mut deeds = Vec::new();
    let acts = if dice.roll(SECOND) == 0 { 2 } else { 1 };
    for _ in 0..acts {
        let (act, seen) = choose(dice, ticket, known);
        let deed = world.act(till, ticket.id, act, seen);
        known = match (&deed.done, &deed.act) {
            (Ok(_), Act::Refund(_)) => known,
            (Ok(now), _) => now.version,
            (Err(Refused::TicketMoved { current, .. }), _) => *current,
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
struct Failed([Mutex<Option<Box<dyn Any + Send>>>; 3]);

impl Failed {
    fn part(&self, part: usize, work: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            self.0[part].lock().unwrap().get_or_insert(panic);
        }
    }

    fn has(&self, part: usize) -> bool {
        self.0[part].lock().unwrap().is_some()
    }
}

/// A crew plays its histories one after the other, its tills at once.
fn crew(world: &World, number: u64, histories: u64, tally: &Mutex<Tally>) {
    let (barrier, failed) = (Barrier::new(TILLS), Failed::default());
    let table: Mutex<(Vec<Ticket>, Vec<Deed>)> = Mutex::default();
    thread::scope(|scope| {
        for (seat, till) in world.tills.iter().copied().enumerate() {
            let (barrier, failed, table) = (&barrier, &failed, &table);
            scope.spawn(move || {
                for history in (0..histories).map(|each| each * CREWS + number) {
                    let mut dice = Dice(history * TILLS as u64 + seat as u64);
                    failed.part(0, || {
                        if seat == 0 || (seat == 1 && history % TWICE == 1) {
                            let mut ticket = world.open_ticket(world.tills[0], history);
                            if history % SOLD == 0 {
                                ticket = world.act(till, ticket.id, Act::Close, Some(1)).done.unwrap();
                            }
                            table.lock().unwrap().0.push(ticket);
                        }
                    });
                    barrier.wait();
                    if failed.has(0) {
                        return;
                    }
                    failed.part(1, || {
                        let ticket = table.lock().unwrap().0[0].clone();
                        let deeds = play(world, till, &ticket, &mut dice);
                        table.lock().unwrap().1.extend(deeds);
                    });
                    let leads = barrier.wait().is_leader();
                    if failed.has(1) {
                        return;
                    }
                    failed.part(2, || {
                        if leads {
                            let (opened, deeds) = std::mem::take(&mut *table.lock().unwrap());
                            judge(world, &opened, &deeds);
                            count(&mut tally.lock().unwrap(), &deeds);
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

fn count(tally: &mut Tally, deeds: &[Deed]) {
    tally.histories += 1;
    for deed in deeds {
        match &deed.done {
            Ok(_) if matches!(deed.act, Act::Refund(_)) => tally.refunds += 1,
            Ok(_) => tally.done += 1,
            Err(Refused::TicketMoved { .. }) => tally.moved += 1,
            Err(_) => tally.ended += 1,
        }
    }
}

fn histories(fresh: &Fresh) {
    let (world, tally) = (World::open(fresh), Mutex::<Tally>::default());
    let histories = tillgate_testkit::cases(HISTORIES[0], HISTORIES[1]);
    thread::scope(|scope| {
        for number in 0..CREWS {
            let (world, tally) = (&world, &tally);
            scope.spawn(move || crew(world, number, histories / CREWS, tally));
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
    let numbers = fresh.raw().texts("SELECT number || ' ' || ending AS text FROM tickets WHERE state = 'closed'");
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
}

#[test]
fn tills_on_sqlite_do_what_the_model_says() {
    histories(&Fresh::sqlite().with_shop());
}

#[test]
fn tills_on_postgres_do_what_the_model_says() {
    histories(&Fresh::postgres().with_shop());
}
