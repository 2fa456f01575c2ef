//! What the first page and the thousandth of every list cost in a large shop, beside a shop of a hundredth of its size. Lists are read
//! through the ports, where no request's own cost hides theirs.

use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tillgate_domain::office::ports::{
    DeviceFilter, EventFilter, OrderedBy, Page, Part, TicketFilter, TicketOrder, TicketPlace, UserCursor, UserFilter,
    UserOrder,
};
use tillgate_domain::office::{OfficeTx, OfficeView};
use tillgate_domain::ticket::TicketStatus;
use tillgate_domain::{Action, DeviceId, EventId, Outcome, Store, StoreExt, Stored};
use tillgate_testkit::postgres::Server;

use crate::bench::{Bench, say};
use crate::line::{Line, Round, Target, between, figure, median};
use crate::machine::OneCore;
use crate::many::{Counts, Many};
use crate::store::Engine;

/// How many a page has.
const PAGE: u32 = 10;
/// How many stand before the thousandth page.
const BEFORE: u32 = 9_990;
/// How often a page is read in a round: so often at least, and more until it took long; the round's cost is the median.
const LEAST: usize = 3;
const MOST: usize = 100;
const LONG: Duration = Duration::from_millis(500);

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    let _one_core = OneCore::hold();
    let all = if bench.quick {
        Counts { tickets: 100_000, users: 10_000, devices: 10_000, lines: 100_000 }
    } else {
        Counts { tickets: 1_000_000, users: 100_000, devices: 10_000, lines: 1_000_000 }
    };
    let few = Counts {
        tickets: all.tickets / 100,
        users: all.users / 100,
        devices: all.devices / 100,
        lines: all.lines / 100,
    };
    let mut lines = filled(bench, &Names::SQLITE, || Engine::Sqlite, few, all);
    let server = Rc::new(Server::start(&[]).unwrap());
    let postgres = || {
        let address = server.create_database();
        Engine::Postgres(Rc::clone(&server), address.rsplit('/').next().unwrap().to_owned())
    };
    lines.extend(filled(bench, &Names::POSTGRES, postgres, few, all));
    lines
}

/// What the lines of a database are called.
struct Names {
    on: &'static str,
    first: &'static str,
    later: &'static str,
    skipped: &'static str,
    counted: &'static str,
}

impl Names {
    const SQLITE: Self = Self {
        on: "SQLite",
        first: "lists-first-sqlite",
        later: "lists-later-sqlite",
        skipped: "lists-skipped-sqlite",
        counted: "lists-counted-sqlite",
    };
    const POSTGRES: Self = Self {
        on: "PostgreSQL",
        first: "lists-first-postgres",
        later: "lists-later-postgres",
        skipped: "lists-skipped-postgres",
        counted: "lists-counted-postgres",
    };
}

fn filled(bench: &Bench, names: &Names, engine: impl Fn() -> Engine, few: Counts, all: Counts) -> Vec<Line> {
    let size = format!(
        "{} tickets, {} users, {} devices, {} lines of the audit",
        figure(all.tickets as f64),
        figure(all.users as f64),
        figure(all.devices as f64),
        figure(all.lines as f64)
    );
    say(&format!("filling {} with {size}", names.on));
    let (small, large) = (Many::fill(engine(), few), Many::fill(engine(), all));
    let on = names.on;
    let line = |name, what: &str, pages: [Vec<(&'static str, Reading<'_>)>; 2], target| {
        say(&format!("{what}, {on}"));
        worst(bench, name, &format!("{what}, {on}, {size}"), pages, target)
    };
    vec![
        line(names.first, "the first page of a list", [firsts(&small), firsts(&large)], Target::Times(1.5)),
        line(
            names.later,
            "the thousandth page of a list, by cursor",
            [laters(&small), laters(&large)],
            Target::Times(1.5),
        ),
        line(
            names.skipped,
            "the thousandth page of a list, by number",
            [skipped(&small), skipped(&large)],
            Target::Times(1.5),
        ),
        line(names.counted, "how long a list is", [counted(&small), counted(&large)], Target::None),
    ]
}

/// Reads once.
type Reading<'m> = Box<dyn Fn() + 'm>;

/// The list whose cost grows most; the notes have all.
fn worst(
    bench: &Bench,
    name: &'static str,
    what: &str,
    [small, large]: [Vec<(&'static str, Reading<'_>)>; 2],
    target: Target,
) -> Line {
    let measured: Vec<(&str, Vec<Round>)> = small
        .iter()
        .zip(&large)
        .map(|((list, few), (_, all))| (*list, between(bench.rounds(), || cost(few), || cost(all))))
        .collect();
    let ratio = |rounds: &[Round]| median(rounds.iter().map(|round| round.value / round.roof));
    let notes: Vec<String> = measured
        .iter()
        .map(|(list, rounds)| {
            let (value, roof) =
                (median(rounds.iter().map(|round| round.value)), median(rounds.iter().map(|round| round.roof)));
            format!("{list}: {} µs beside {} µs, {:.2} times", figure(value), figure(roof), ratio(rounds))
        })
        .collect();
    let (list, rounds) = measured.into_iter().max_by(|a, b| ratio(&a.1).total_cmp(&ratio(&b.1))).unwrap();
    let line = Line::new(name, what, "µs", "a hundredth of it").of(rounds, target);
    notes.into_iter().fold(line.note(format!("the figure is that of: {list}")), Line::note)
}

/// What one reading costs, in microseconds.
fn cost(read: &Reading<'_>) -> f64 {
    let all = Instant::now();
    let mut times = Vec::new();
    while times.len() < LEAST || (times.len() < MOST && all.elapsed() < LONG) {
        let began = Instant::now();
        read();
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    median(times.into_iter())
}

/// Reads so many of a list at most, after a place, and returns the places of what it has found.
type Parts<'m, K> = Box<dyn Fn(Option<K>, u32) -> Vec<K> + 'm>;

/// A list: its name, and how a part of it is read.
struct List<'m, K> {
    name: &'static str,
    read: Parts<'m, K>,
}

impl<'m, K: Clone + 'm> List<'m, K> {
    fn first(self) -> (&'static str, Reading<'m>) {
        let first = move || {
            black_box((self.read)(None, PAGE));
        };
        (self.name, Box::new(first))
    }

    /// The thousandth page, or the last whole one where the list is shorter than that.
    fn later(self) -> (&'static str, Reading<'m>) {
        let mut places = (self.read)(None, BEFORE + PAGE);
        places.truncate(places.len() - PAGE as usize);
        let after = places.pop();
        let later = move || {
            assert_eq!(black_box((self.read)(after.clone(), PAGE)).len(), PAGE as usize);
        };
        (self.name, Box::new(later))
    }
}

impl Many {
    fn office<T>(&self, work: impl FnMut(&mut (dyn OfficeTx + '_)) -> Stored<T>) -> T {
        let store: &dyn Store<OfficeView> = &self.database;
        store.read(work).unwrap()
    }

    fn counting<'m>(&'m self, count: impl Fn(&mut (dyn OfficeTx + '_)) -> Stored<u64> + 'm) -> Reading<'m> {
        Box::new(move || {
            black_box(self.office(|tx| count(tx)));
        })
    }

    fn users(&self) -> Vec<List<'_, UserCursor>> {
        let list = |name, order: UserOrder| List {
            name,
            read: Box::new(move |after, limit| {
                let part = Part { after, ..Part::first(limit) };
                let found = self.office(|tx| tx.users().search(self.tenant.id, &UserFilter::default(), order, &part));
                found.iter().map(|user| order.cursor(user)).collect()
            }),
        };
        vec![
            list("users, the oldest first", UserOrder::Oldest),
            list("users, the newest first", UserOrder::Newest),
            list("users by name", UserOrder::Name),
            list("users by name backwards", UserOrder::NameBackwards),
        ]
    }

    fn devices(&self) -> List<'_, DeviceId> {
        List {
            name: "devices",
            read: Box::new(|after, limit| {
                let page = Page { after, limit };
                let found = self.office(|tx| tx.devices().search(self.tenant.id, &DeviceFilter::default(), &page));
                found.iter().map(|device| device.id).collect()
            }),
        }
    }

    fn tickets(&self) -> Vec<List<'_, TicketPlace>> {
        let list = |name, filter: TicketFilter, by: OrderedBy, backwards| List {
            name,
            read: Box::new(move |after, limit| {
                let (order, part) = (TicketOrder { by, backwards }, Part { after, ..Part::first(limit) });
                let found = self.office(|tx| tx.tickets().list(self.tenant.id, &filter, order, &part));
                found.iter().map(|ticket| by.place(ticket)).collect()
            }),
        };
        let any = TicketFilter::default;
        let open = TicketFilter { statuses: vec![TicketStatus::Open], ..any() };
        let of_user = TicketFilter { owner: Some(self.user.id), ..any() };
        let of_device = TicketFilter { device: Some(self.device.id), ..any() };
        vec![
            list("tickets, the newest first", any(), OrderedBy::Opened, true),
            list("tickets, the oldest first", any(), OrderedBy::Opened, false),
            list("tickets by change", any(), OrderedBy::Updated, true),
            list("tickets by amount", any(), OrderedBy::Payable, false),
            list("open tickets", open, OrderedBy::Opened, true),
            list("tickets of a user", of_user, OrderedBy::Opened, true),
            list("tickets of a device", of_device, OrderedBy::Opened, true),
        ]
    }

    /// What the audit is asked for, but for what was refused: too little of it is in the small shop for a thousandth page.
    fn asked(&self) -> [(&'static str, EventFilter); 3] {
        let of = || EventFilter { tenant: Some(self.tenant.id), ..EventFilter::default() };
        [
            ("the audit", of()),
            ("the audit of a user", EventFilter { user: Some(self.user.id), ..of() }),
            ("the audit of an action", EventFilter { actions: vec![Action::Login], ..of() }),
        ]
    }

    fn lines(&self, filter: &EventFilter, part: &Part<EventId>) -> Vec<EventId> {
        let found = self.office(|tx| tx.events().list(filter, part));
        found.iter().map(|told| told.event.id).collect()
    }

    fn audit(&self) -> Vec<List<'_, EventId>> {
        let list = |(name, filter)| List {
            name,
            read: Box::new(move |after, limit| self.lines(&filter, &Part { after, ..Part::first(limit) })),
        };
        self.asked().into_iter().map(list).collect()
    }
}

fn firsts(many: &Many) -> Vec<(&'static str, Reading<'_>)> {
    let refused =
        EventFilter { tenant: Some(many.tenant.id), outcome: Some(Outcome::Refused), ..EventFilter::default() };
    let refused: Reading<'_> = Box::new(move || {
        black_box(many.office(|tx| tx.events().list(&refused, &Part::first(PAGE))));
    });
    let mut all: Vec<_> = many.users().into_iter().map(List::first).collect();
    all.push(many.devices().first());
    all.extend(many.tickets().into_iter().map(List::first));
    all.extend(many.audit().into_iter().map(List::first));
    all.push(("what was refused", refused));
    all
}

fn laters(many: &Many) -> Vec<(&'static str, Reading<'_>)> {
    let mut all: Vec<_> = many.users().into_iter().map(List::later).collect();
    all.push(many.devices().later());
    all.extend(many.tickets().into_iter().map(List::later));
    all.extend(many.audit().into_iter().map(List::later));
    all
}

/// What a contract asks for by the number of a page, and has a thousandth in the small shop too.
fn skipped(many: &Many) -> Vec<(&'static str, Reading<'_>)> {
    let thousandth = Part { skip: u64::from(BEFORE), ..Part::first(PAGE) };
    let asked = many.asked().into_iter().map(|(name, filter)| {
        let part = thousandth.clone();
        let read: Reading<'_> = Box::new(move || {
            assert_eq!(black_box(many.lines(&filter, &part)).len(), PAGE as usize);
        });
        (name, read)
    });
    asked.collect()
}

fn counted(many: &Many) -> Vec<(&'static str, Reading<'_>)> {
    let of = EventFilter { tenant: Some(many.tenant.id), ..EventFilter::default() };
    vec![
        ("users", many.counting(|tx| tx.users().count(many.tenant.id, &UserFilter::default()))),
        ("tickets", many.counting(|tx| tx.tickets().count(many.tenant.id, &TicketFilter::default()))),
        ("the audit", many.counting(move |tx| tx.events().count(&of))),
    ]
}
