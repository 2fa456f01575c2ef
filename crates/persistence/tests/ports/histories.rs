//! Random histories of tickets that several tills work on at once, against a small model, on both databases.
//!
//! Every act that was done says which version it made. So whatever the threads did, the versions of a ticket put its acts in an
//! order; played in that order on the model, which knows a list of fields and nothing else, they must give the ticket that the
//! store holds, and no act may have been done that the model refuses there.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use tillgate_domain::office::ports::IdempotencyKey;
use tillgate_domain::office::{
    self, Authority, NewRefund, NewTicket, Once, Refused, Stamp, TicketAmendment, TicketChange, TicketClosing,
    WantedLine,
};
use tillgate_domain::ticket::{
    Amount, Article, Currency, ItemKind, Label, Line, Means, Note, Payment, Quantity, Rate, Ticket, TicketRefused,
    TicketStatus,
};
use tillgate_domain::{Actor, Device, DeviceId, DeviceName, EventId, TicketId, User, UserId, UserName};
use tillgate_persistence::Database;
use uuid::Uuid;

use crate::stores::{Fresh, Shop, at, uuid};

/// How many histories on each database.
const HISTORIES: u64 = 10_000;
/// How many are played at once, and by how many tills each.
const CREWS: u64 = 8;
const TILLS: usize = 3;
/// One history in so many begins with a ticket that is closed, and its tills take back; in one of so many a program opens the ticket
/// twice at once; one till in so many does a second thing.
const SOLD: u64 = 6;
const TWICE: u64 = 8;
const SECOND: u64 = 8;

/// What is drawn is the same at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What a till tries.
#[derive(Clone, Debug)]
enum Act {
    /// These quantities of items 1, 2 and so on, each at 1.00.
    Items(Vec<u64>),
    Discount(u64),
    Close,
    Void,
    /// So many of item 1, or all that is left.
    Refund(Option<u64>),
}

/// What a till did, and what came of it.
#[derive(Clone, Debug)]
struct Deed {
    act: Act,
    /// The version that it held to.
    seen: Option<i64>,
    /// A mark that every change writes, so that each makes a version.
    mark: String,
    done: Result<Ticket, Refused>,
}

/// A till with somebody at it.
#[derive(Clone, Copy)]
struct Till {
    user: UserId,
    device: DeviceId,
}

struct World {
    database: Arc<Database>,
    shop: Shop,
    tills: [Till; TILLS],
    drawn: AtomicU64,
}

impl World {
    fn open(fresh: &Fresh) -> Self {
        let shop = Shop::default();
        let mut tills = [Till { user: shop.anna.id, device: shop.till.id }; TILLS];
        fresh.office(|tx| {
            for (number, till) in (1..).zip(&mut tills[1..]) {
                let name = format!("P0{}", number + 1);
                let device = Device {
                    id: DeviceId(uuid(300 + number)),
                    name: DeviceName::parse(&name).unwrap(),
                    ..shop.till.clone()
                };
                let name = UserName::parse(&format!("Ben {number}")).unwrap();
                let user = User { id: UserId(uuid(400 + number)), name, email: None, ..shop.anna.clone() };
                assert!(tx.devices().insert(&device)? && tx.users().insert(&user)?);
                *till = Till { user: user.id, device: device.id };
            }
            Ok(())
        });
        Self { database: Arc::clone(&fresh.database), shop, tills, drawn: AtomicU64::new(1 << 32) }
    }

    fn draw(&self) -> Uuid {
        uuid(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    fn stamp(&self, till: Till) -> Stamp {
        let actor = Actor { user: Some(till.user), device: Some(till.device), ..Actor::default() };
        Stamp { at: at(60), event: EventId(self.draw()), actor, authority: Authority::Host }
    }

    fn open_ticket(&self, till: Till, history: u64) -> Ticket {
        let new = NewTicket {
            id: TicketId(self.draw()),
            currency: Currency::parse("EUR").unwrap(),
            sheet: TicketChange { items: Some(items(&[2, 1])), ..TicketChange::default() },
        };
        let key = IdempotencyKey::parse(&format!("history-{history}")).unwrap();
        let request = [u8::try_from(history % 251).unwrap(); 32];
        let once = Once { key, request };
        let made =
            office::open_ticket(&*self.database, self.shop.tenant.id, &self.stamp(till), &new, Some(&once)).unwrap();
        made.unwrap().shown.ticket
    }

    fn act(&self, till: Till, ticket: TicketId, act: Act, seen: Option<i64>) -> Deed {
        let (store, tenant, stamp) = (&*self.database, self.shop.tenant.id, self.stamp(till));
        let mark = self.draw().to_string();
        let amend = |change: TicketChange| {
            let external_id = Some(Label::parse(&mark).unwrap());
            let change = TicketChange { external_id, ..change };
            let amendment = TicketAmendment { stamp: stamp.clone(), id: ticket, version: seen, change };
            let done = office::amend_tickets(store, tenant, &[amendment]).unwrap();
            done.map(|mut shown| shown.remove(0).ticket)
        };
        let done = match &act {
            Act::Items(quantities) => amend(TicketChange { items: Some(items(quantities)), ..TicketChange::default() }),
            Act::Discount(percent) => {
                let discount = Some(percent.to_string().parse().unwrap());
                amend(TicketChange { discount, ..TicketChange::default() })
            }
            Act::Close => {
                let amount = "1000".parse().unwrap();
                let payments = vec![Payment { means: Means::Cash, name: Label::default(), amount }];
                let closing = TicketClosing { payments: Some(payments), ..TicketClosing::default() };
                let done = office::close_ticket(store, tenant, &stamp, ticket, seen, &closing).unwrap();
                done.map(|shown| shown.ticket)
            }
            Act::Void => {
                let done = office::void_ticket(store, tenant, &stamp, ticket, seen, &Note::default()).unwrap();
                done.map(|shown| shown.ticket)
            }
            Act::Refund(quantity) => {
                let items = quantity.map(|quantity| BTreeMap::from([(1, of(quantity))]));
                let new = NewRefund { id: TicketId(self.draw()), items };
                let done = office::refund_ticket(store, tenant, &stamp, ticket, &new, None).unwrap();
                done.map(|made| made.shown.ticket)
            }
        };
        Deed { act, seen, mark, done }
    }
}

fn of(quantity: u64) -> Quantity {
    quantity.to_string().parse().unwrap()
}

fn items(quantities: &[u64]) -> Vec<WantedLine> {
    let line = |(id, quantity): (u32, &u64)| WantedLine {
        id: Some(id),
        line: Line {
            id,
            external_id: Label::default(),
            kind: ItemKind::Positive,
            article: Article { discount_allowed: true, ..Article::default() },
            comment: Note::default(),
            unit_price: "1".parse().unwrap(),
            quantity: of(*quantity),
            unit: Label::default(),
            discount: Rate::ZERO,
        },
    };
    (1..).zip(quantities).map(line).collect()
}

/// What a till does next: mostly changes, seldom an end; a refund only says something where the ticket may be closed.
fn choose(dice: &mut Dice, ticket: &Ticket, known: i64) -> (Act, Option<i64>) {
    let sides = if ticket.state.status() == TicketStatus::Open { 0..10 } else { 6..10 };
    let act = match sides.start + dice.roll(sides.end - sides.start) {
        0..=2 => Act::Items((0..=dice.roll(2)).map(|_| 1 + dice.roll(4)).collect()),
        3..=4 => Act::Discount(dice.roll(51)),
        5..=6 => Act::Close,
        7 => Act::Void,
        8 => Act::Refund(Some(1 + dice.roll(3))),
        _ => Act::Refund(None),
    };
    (act, (dice.roll(4) > 0).then_some(known))
}

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

/// What the model knows of a ticket.
struct Model {
    quantities: Vec<u64>,
    discount: u64,
    mark: String,
    status: TicketStatus,
}

impl Model {
    /// Hundredths: each item is one at 1.00 after discount, times its quantity.
    fn payable(&self) -> i64 {
        let sum: u64 = self.quantities.iter().map(|quantity| quantity * (100 - self.discount)).sum();
        i64::try_from(sum).unwrap()
    }

    fn play(&mut self, deed: &Deed) {
        assert_eq!(self.status, TicketStatus::Open, "{deed:?} was done to what had come to its end");
        match &deed.act {
            Act::Items(quantities) => (self.quantities, self.mark) = (quantities.clone(), deed.mark.clone()),
            Act::Discount(percent) => (self.discount, self.mark) = (*percent, deed.mark.clone()),
            Act::Close => self.status = TicketStatus::Closed,
            Act::Void => self.status = TicketStatus::Void,
            Act::Refund(_) => panic!("a refund is another ticket"),
        }
    }

    fn is(&self, ticket: &Ticket) {
        let quantities: Vec<Quantity> = ticket.sheet.items.iter().map(|item| item.quantity).collect();
        assert_eq!(quantities, self.quantities.iter().map(|quantity| of(*quantity)).collect::<Vec<_>>());
        assert_eq!(ticket.sheet.payable().units(), self.payable());
        assert_eq!((ticket.state.status(), ticket.sheet.external_id.as_str()), (self.status, self.mark.as_str()));
    }
}

/// Whether the store says what the model says of a history.
fn judge(world: &World, opened: &[Ticket], deeds: &[Deed]) {
    let first = &opened[0];
    assert!(opened.iter().all(|ticket| ticket.id == first.id), "one key has made two tickets: {opened:?}");
    let started = opened.iter().map(|ticket| ticket.version).max().unwrap();
    let tenant = world.shop.tenant.id;
    let now = office::find_ticket(&*world.database, tenant, first.id).unwrap().unwrap().ticket;
    let mut order: BTreeMap<i64, &Deed> = BTreeMap::new();
    let mut refunds: Vec<&Ticket> = Vec::new();
    for deed in deeds {
        match (&deed.done, &deed.act) {
            (Ok(made), Act::Refund(_)) => refunds.push(made),
            (Ok(made), _) => {
                assert!(order.insert(made.version, deed).is_none(), "two acts made one version: {deed:?}");
                assert!(deed.seen.is_none_or(|seen| made.version == seen + 1), "{deed:?} did not hold to its version");
            }
            (Err(Refused::TicketMoved { ticket, current }), _) => {
                assert_eq!(*ticket, first.id);
                assert!(*current > deed.seen.unwrap() && *current <= now.version, "{deed:?}");
            }
            (Err(Refused::Ticket(TicketRefused::Closed)), _) => assert_eq!(now.state.status(), TicketStatus::Closed),
            (Err(Refused::Ticket(TicketRefused::Void)), _) => assert_eq!(now.state.status(), TicketStatus::Void),
            (Err(Refused::Ticket(why)), Act::Refund(_)) => {
                let codes = ["refund_not_sold", "refund_too_large", "refund_empty", "item_unknown"];
                assert!(codes.contains(&why.code()), "{deed:?}");
            }
            (Err(other), _) => panic!("{other:?} of {deed:?}"),
        }
    }
    let status = if started == 1 { TicketStatus::Open } else { TicketStatus::Closed };
    let mut model = Model { quantities: vec![2, 1], discount: 0, mark: String::new(), status };
    let versions: Vec<i64> = order.keys().copied().collect();
    assert_eq!(versions, (started + 1..=now.version).collect::<Vec<_>>(), "a version that nobody made");
    for (version, deed) in order {
        model.play(deed);
        let Ok(made) = &deed.done else { unreachable!() };
        assert_eq!(made.version, version);
        model.is(made);
    }
    model.is(&now);
    taken_back(&now, &refunds);
}

/// Refunds of one ticket give back no more than it sold.
fn taken_back(sold: &Ticket, refunds: &[&Ticket]) {
    if refunds.is_empty() {
        return;
    }
    assert_eq!(sold.state.status(), TicketStatus::Closed);
    let mut taken: BTreeMap<u32, i64> = BTreeMap::new();
    let mut money = 0;
    for refund in refunds {
        assert_eq!(refund.refund_of, Some(sold.id));
        for item in &refund.sheet.items {
            *taken.entry(item.id).or_default() += item.quantity.amount().units();
        }
        money -= refund.sheet.payable().units();
    }
    for (id, taken) in &taken {
        let item = sold.sheet.items.iter().find(|item| item.id == *id).unwrap();
        assert!(*taken <= item.quantity.amount().units(), "{taken} of item {id} of {sold:?}");
    }
    let paid: Amount = sold.sheet.payable();
    assert!(money <= paid.units());
    let all = sold.sheet.items.iter().all(|item| taken.get(&item.id) == Some(&item.quantity.amount().units()));
    assert!(!all || money == paid.units(), "all that was sold gives back all that was paid");
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
    thread::scope(|scope| {
        for number in 0..CREWS {
            let (world, tally) = (&world, &tally);
            scope.spawn(move || crew(world, number, HISTORIES / CREWS, tally));
        }
    });
    let tally = tally.into_inner().unwrap();
    assert_eq!(tally.histories, HISTORIES);
    // each kind of end came about often: else the histories would say little
    for (what, often) in
        [("done", tally.done), ("moved", tally.moved), ("ended", tally.ended), ("refunds", tally.refunds)]
    {
        assert!(often >= HISTORIES / 50, "{what}: {often} of {HISTORIES} histories");
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
