//! The cost of the first and the thousandth page of every list in a large shop, compared with a
//! shop of a hundredth of its size. The lists are read through the ports, so that the cost of a
//! request does not hide that of a list.

use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tillgate_domain::office::ports::{
    DeviceFilter, EventFilter, OffsetPageRequest, PageRequest, TicketCursor, TicketFilter, TicketOrder, TicketSortKey,
    UserCursor, UserFilter, UserOrder,
};
use tillgate_domain::office::{OfficePorts, OfficeTx};
use tillgate_domain::ticket::TicketStatus;
use tillgate_domain::{Action, DeviceId, EventId, EventOutcome, Store, StoreExt, StoreResult};
use tillgate_testkit::postgres::Server;

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::large_dataset::{LargeDataset, RowCounts};
use crate::machine::SingleCoreGuard;
use crate::measurement::{Measurement, MeasurementTarget, Round, format_figure, measure_rounds, median};
use crate::store::Engine;

/// The number of items on a page.
const PAGE_SIZE: u32 = 10;
/// The number of items before the thousandth page.
const SKIPPED_ROWS: u32 = 9_990;
/// The minimum number of reads of a page in a round, which continues until it took long enough; the
/// cost is the median.
const MIN_READS: usize = 3;
const MAX_READS: usize = 100;
const MIN_READ_DURATION: Duration = Duration::from_millis(500);

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    let _one_core = SingleCoreGuard::pin();
    let all = if bench.quick {
        RowCounts { tickets: 100_000, users: 10_000, devices: 10_000, events: 100_000 }
    } else {
        RowCounts { tickets: 1_000_000, users: 100_000, devices: 10_000, events: 1_000_000 }
    };
    let few = RowCounts {
        tickets: all.tickets / 100,
        users: all.users / 100,
        devices: all.devices / 100,
        events: all.events / 100,
    };
    let mut lines = measure_filled(bench, &MeasurementNames::SQLITE, || Engine::Sqlite, few, all);
    let server = Rc::new(Server::start(&[]).unwrap());
    let postgres = || {
        let address = server.create_database();
        Engine::Postgres(Rc::clone(&server), address.rsplit('/').next().unwrap().to_owned())
    };
    lines.extend(measure_filled(bench, &MeasurementNames::POSTGRES, postgres, few, all));
    lines
}

/// The names of the results for a database.
struct MeasurementNames {
    on: &'static str,
    first: &'static str,
    later: &'static str,
    skipped: &'static str,
    counted: &'static str,
}

impl MeasurementNames {
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

fn measure_filled(
    bench: &BenchmarkRun,
    names: &MeasurementNames,
    engine: impl Fn() -> Engine,
    few: RowCounts,
    all: RowCounts,
) -> Vec<Measurement> {
    let size = format!(
        "{} tickets, {} users, {} devices, {} lines of the audit",
        format_figure(all.tickets as f64),
        format_figure(all.users as f64),
        format_figure(all.devices as f64),
        format_figure(all.events as f64)
    );
    log_progress(&format!("filling {} with {size}", names.on));
    let (small, large) = (LargeDataset::fill(engine(), few), LargeDataset::fill(engine(), all));
    let skipped = few.events as u64 - u64::from(PAGE_SIZE);
    let on = names.on;
    let line = |name, what: &str, pages: [Vec<(&'static str, ReadFn<'_>)>; 2], target| {
        log_progress(&format!("{what}, {on}"));
        measure_worst(bench, name, &format!("{what}, {on}, {size}"), pages, target)
    };
    vec![
        line(
            names.first,
            "the first page of a list",
            [first_pages(&small), first_pages(&large)],
            MeasurementTarget::Times(1.5),
        ),
        line(
            names.later,
            "the thousandth page of a list, by cursor",
            [later_pages(&small), later_pages(&large)],
            MeasurementTarget::Times(1.5),
        ),
        line(
            names.skipped,
            "the last page by number that the smaller list has too",
            [skipped_pages(&small, skipped), skipped_pages(&large, skipped)],
            MeasurementTarget::Times(1.5),
        ),
        line(names.counted, "how long a list is", [counts(&small), counts(&large)], MeasurementTarget::None),
    ]
}

/// Reads a page once.
type ReadFn<'m> = Box<dyn Fn() + 'm>;

/// The list whose cost grows most; the notes list all.
fn measure_worst(
    bench: &BenchmarkRun,
    name: &'static str,
    what: &str,
    [small, large]: [Vec<(&'static str, ReadFn<'_>)>; 2],
    target: MeasurementTarget,
) -> Measurement {
    let measured: Vec<(&str, Vec<Round>)> = small
        .iter()
        .zip(&large)
        .map(|((list, few), (_, all))| {
            (*list, measure_rounds(bench.round_count(), || median_cost(few), || median_cost(all)))
        })
        .collect();
    let ratio = |rounds: &[Round]| median(rounds.iter().map(|round| round.value / round.reference));
    let notes: Vec<String> = measured
        .iter()
        .map(|(list, rounds)| {
            let (value, roof) =
                (median(rounds.iter().map(|round| round.value)), median(rounds.iter().map(|round| round.reference)));
            format!("{list}: {} µs beside {} µs, {:.2} times", format_figure(value), format_figure(roof), ratio(rounds))
        })
        .collect();
    let (list, rounds) = measured.into_iter().max_by(|a, b| ratio(&a.1).total_cmp(&ratio(&b.1))).unwrap();
    let line = Measurement::new(name, what, "µs", "a hundredth of it").with_rounds(rounds, target);
    notes.into_iter().fold(line.with_note(format!("the figure is that of: {list}")), Measurement::with_note)
}

/// The cost of one read, in microseconds.
fn median_cost(read: &ReadFn<'_>) -> f64 {
    let all = Instant::now();
    let mut times = Vec::new();
    while times.len() < MIN_READS || (times.len() < MAX_READS && all.elapsed() < MIN_READ_DURATION) {
        let began = Instant::now();
        read();
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    median(times.into_iter())
}

/// Reads at most this many items of a list behind a position, and returns their positions.
type ReadPageFn<'m, K> = Box<dyn Fn(Option<K>, u32) -> Vec<K> + 'm>;

/// A list: its name, and how a page of it is read.
struct PagedList<'m, K> {
    name: &'static str,
    read: ReadPageFn<'m, K>,
}

impl<'m, K: Clone + 'm> PagedList<'m, K> {
    fn first_page(self) -> (&'static str, ReadFn<'m>) {
        let first = move || {
            black_box((self.read)(None, PAGE_SIZE));
        };
        (self.name, Box::new(first))
    }

    /// The thousandth page, or the last full one of a shorter list.
    fn later_page(self) -> (&'static str, ReadFn<'m>) {
        let mut places = (self.read)(None, SKIPPED_ROWS + PAGE_SIZE);
        places.truncate(places.len() - PAGE_SIZE as usize);
        let after = places.pop();
        let later = move || {
            assert_eq!(black_box((self.read)(after.clone(), PAGE_SIZE)).len(), PAGE_SIZE as usize);
        };
        (self.name, Box::new(later))
    }
}

impl LargeDataset {
    fn run_office_read<T>(&self, work: impl FnMut(&mut (dyn OfficeTx + '_)) -> StoreResult<T>) -> T {
        let store: &dyn Store<OfficePorts> = &self.database;
        store.read("bench", work).unwrap()
    }

    fn count_reader<'m>(&'m self, count: impl Fn(&mut (dyn OfficeTx + '_)) -> StoreResult<u64> + 'm) -> ReadFn<'m> {
        Box::new(move || {
            black_box(self.run_office_read(|tx| count(tx)));
        })
    }

    fn user_lists(&self) -> Vec<PagedList<'_, UserCursor>> {
        let list = |name, order: UserOrder| PagedList {
            name,
            read: Box::new(move |after, limit| {
                let part = OffsetPageRequest { after, ..OffsetPageRequest::first(limit) };
                let found =
                    self.run_office_read(|tx| tx.users().search(self.tenant.id, &UserFilter::default(), order, &part));
                found.iter().map(|user| order.cursor(user)).collect()
            }),
        };
        vec![
            list("users, the oldest first", UserOrder::Oldest),
            list("users, the newest first", UserOrder::Newest),
            list("users by name", UserOrder::Name),
            list("users by name backwards", UserOrder::NameDescending),
        ]
    }

    fn device_list(&self) -> PagedList<'_, DeviceId> {
        PagedList {
            name: "devices",
            read: Box::new(|after, limit| {
                let page = PageRequest { after, limit };
                let found =
                    self.run_office_read(|tx| tx.devices().search(self.tenant.id, &DeviceFilter::default(), &page));
                found.iter().map(|device| device.id).collect()
            }),
        }
    }

    fn ticket_lists(&self) -> Vec<PagedList<'_, TicketCursor>> {
        let list = |name, filter: TicketFilter, by: TicketSortKey, backwards| PagedList {
            name,
            read: Box::new(move |after, limit| {
                let (order, part) = (
                    TicketOrder { sort_key: by, descending: backwards },
                    OffsetPageRequest { after, ..OffsetPageRequest::first(limit) },
                );
                let found = self.run_office_read(|tx| tx.tickets().list(self.tenant.id, &filter, order, &part));
                found.iter().map(|ticket| by.cursor(ticket)).collect()
            }),
        };
        let any = TicketFilter::default;
        let open = TicketFilter { statuses: vec![TicketStatus::Open], ..any() };
        let of_user = TicketFilter { owner: Some(self.user.id), ..any() };
        let of_device = TicketFilter { device: Some(self.device.id), ..any() };
        vec![
            list("tickets, the newest first", any(), TicketSortKey::Opened, true),
            list("tickets, the oldest first", any(), TicketSortKey::Opened, false),
            list("tickets by change", any(), TicketSortKey::Updated, true),
            list("tickets by amount", any(), TicketSortKey::Payable, false),
            list("open tickets", open, TicketSortKey::Opened, true),
            list("tickets of a user", of_user, TicketSortKey::Opened, true),
            list("tickets of a device", of_device, TicketSortKey::Opened, true),
        ]
    }

    /// Filters of the audit log, except denials: the small shop has too few of them for a
    /// thousandth page.
    fn event_filters(&self) -> [(&'static str, EventFilter); 3] {
        let of = || EventFilter { tenant: Some(self.tenant.id), ..EventFilter::default() };
        [
            ("the audit", of()),
            ("the audit of a user", EventFilter { user: Some(self.user.id), ..of() }),
            ("the audit of an action", EventFilter { actions: vec![Action::Login], ..of() }),
        ]
    }

    fn list_events(&self, filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> Vec<EventId> {
        let found = self.run_office_read(|tx| tx.events().list(filter, part));
        found.iter().map(|view| view.event.id).collect()
    }

    fn event_lists(&self) -> Vec<PagedList<'_, EventId>> {
        let list = |(name, filter)| PagedList {
            name,
            read: Box::new(move |after, limit| {
                self.list_events(&filter, &OffsetPageRequest { after, ..OffsetPageRequest::first(limit) })
            }),
        };
        self.event_filters().into_iter().map(list).collect()
    }
}

fn first_pages(many: &LargeDataset) -> Vec<(&'static str, ReadFn<'_>)> {
    let refused =
        EventFilter { tenant: Some(many.tenant.id), outcome: Some(EventOutcome::Refused), ..EventFilter::default() };
    let refused: ReadFn<'_> = Box::new(move || {
        black_box(many.run_office_read(|tx| tx.events().list(&refused, &OffsetPageRequest::first(PAGE_SIZE))));
    });
    let mut all: Vec<_> = many.user_lists().into_iter().map(PagedList::first_page).collect();
    all.push(many.device_list().first_page());
    all.extend(many.ticket_lists().into_iter().map(PagedList::first_page));
    all.extend(many.event_lists().into_iter().map(PagedList::first_page));
    all.push(("what was refused", refused));
    all
}

fn later_pages(many: &LargeDataset) -> Vec<(&'static str, ReadFn<'_>)> {
    let mut all: Vec<_> = many.user_lists().into_iter().map(PagedList::later_page).collect();
    all.push(many.device_list().later_page());
    all.extend(many.ticket_lists().into_iter().map(PagedList::later_page));
    all.extend(many.event_lists().into_iter().map(PagedList::later_page));
    all
}

/// Pages that a contract reads by number, after this many items.
fn skipped_pages(many: &LargeDataset, skipped: u64) -> Vec<(&'static str, ReadFn<'_>)> {
    let page = OffsetPageRequest { skip: skipped, ..OffsetPageRequest::first(PAGE_SIZE) };
    let filtered = many.event_filters().into_iter().map(|(name, filter)| {
        let part = page.clone();
        let read: ReadFn<'_> = Box::new(move || {
            assert_eq!(black_box(many.list_events(&filter, &part)).len(), PAGE_SIZE as usize);
        });
        (name, read)
    });
    filtered.collect()
}

fn counts(many: &LargeDataset) -> Vec<(&'static str, ReadFn<'_>)> {
    let of = EventFilter { tenant: Some(many.tenant.id), ..EventFilter::default() };
    vec![
        ("users", many.count_reader(|tx| tx.users().count(many.tenant.id, &UserFilter::default()))),
        ("tickets", many.count_reader(|tx| tx.tickets().count(many.tenant.id, &TicketFilter::default()))),
        ("the audit", many.count_reader(move |tx| tx.events().count(&of))),
    ]
}
