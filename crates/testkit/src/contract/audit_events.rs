//! The audit as the back office reads it.

use serde_json::json;
use tillgate_domain::office::ports::{EventFilter, EventView, OffsetPageRequest};
use tillgate_domain::{
    Action, Actor, Event, EventId, EventOutcome, StoreError, StoreExt, Subject, SubjectKind, User, UserName, UserStatus,
};

use crate::StoreHarness;
use crate::contract_fixture::{self, ContractFixture, after_start, new_event, tenant_id, user_id};

/// Lines of all sorts, oldest first: of both tenants and of none, by Anna, by the till, by nobody, and by somebody who is in no store.
fn sample_events(shop: &ContractFixture) -> Vec<Event> {
    let bare = |number: u8| Event { actor: Actor::default(), ..new_event(number, after_start(u64::from(number) * 10)) };
    let details = |key: &str, value| serde_json::Map::from_iter([(key.to_owned(), value)]);
    let anna = Actor { user: Some(shop.anna.id), ..Actor::default() };
    let till = Actor { device: Some(shop.till.id), session: Some(contract_fixture::session_id(5)), ..Actor::default() };
    vec![
        Event { actor: anna, details: details("dialect", json!("kasir")), ..bare(1) },
        Event { actor: anna, outcome: EventOutcome::Refused, ..bare(2) },
        Event { actor: till, subject: Subject::Device(shop.till.id), action: Action::DeviceUpdate, ..bare(3) },
        Event {
            actor: Actor { address: "2001:db8::7".parse().ok(), ..anna },
            action: Action::UserAdd,
            subject: Subject::User(shop.ben.id),
            details: details("user_name", json!("Žofia O'Hara 100%_\\")),
            approver: Some(shop.ben.id),
            ..bare(4)
        },
        Event { tenant: Some(shop.other_tenant.id), action: Action::UserAdd, ..bare(5) },
        Event { tenant: None, action: Action::StoreRestored, subject: Subject::Server, ..bare(6) },
        Event { actor: Actor { user: Some(user_id(77)), ..anna }, action: Action::Logout, ..bare(7) },
        Event {
            action: Action::StoreRollback,
            subject: Subject::Session(contract_fixture::session_id(1)),
            details: serde_json::Map::new(),
            ..bare(8)
        },
    ]
}

fn insert_fixture(whole: &StoreHarness) -> (ContractFixture, Vec<Event>) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let lines = sample_events(&shop);
    for line in &lines {
        contract_fixture::run_write(&whole.auth, |tx| tx.audit().record(line));
    }
    (shop, lines)
}

fn list_events(whole: &StoreHarness, filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> Vec<EventView> {
    whole.office.read(|tx| tx.events().list(filter, part)).unwrap()
}

fn all_events(filter: &EventFilter) -> (EventFilter, OffsetPageRequest<EventId>) {
    (filter.clone(), OffsetPageRequest::first(99))
}

/// Which lines there are, by number, newest first.
fn event_numbers(whole: &StoreHarness, filter: &EventFilter, lines: &[Event]) -> Vec<usize> {
    let (filter, part) = all_events(filter);
    let told = list_events(whole, &filter, &part);
    let count = whole.office.read(|tx| tx.events().count(&filter)).unwrap();
    assert_eq!(count, told.len() as u64, "{filter:?}");
    assert!(told.iter().all(|told| filter.matches(told)), "{filter:?}");
    let number = |told: &EventView| lines.iter().position(|line| *line == told.event);
    told.iter().map(|told| number(told).unwrap() + 1).collect()
}

/// A line is read as it was told.
pub fn event_is_read_back_as_recorded(whole: &StoreHarness) {
    let (_, lines) = insert_fixture(whole);
    let (filter, part) = all_events(&EventFilter::default());
    let read: Vec<Event> = list_events(whole, &filter, &part).into_iter().rev().map(|told| told.event).collect();
    assert_eq!(read, lines);
}

/// Lines come newest first: those after `after`, but the first `skip`, `limit` at most.
pub fn events_are_listed_in_pages(whole: &StoreHarness) {
    let (shop, lines) = insert_fixture(whole);
    let of = EventFilter { tenant: Some(shop.tenant.id), ..EventFilter::default() };
    let part = |after: Option<usize>, skip, limit| {
        let after = after.map(|number| lines[number - 1].id);
        let told = list_events(whole, &of, &OffsetPageRequest { after, skip, limit });
        let number = |told: &EventView| lines.iter().position(|line| *line == told.event).unwrap() + 1;
        told.iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(part(None, 0, 9), [8, 7, 4, 3, 2, 1]);
    assert_eq!(part(None, 0, 2), [8, 7]);
    assert_eq!(part(Some(7), 0, 2), [4, 3]);
    assert_eq!(part(None, 4, 9), [2, 1]);
    assert_eq!(part(Some(7), 1, 2), [3, 2]);
    assert_eq!(part(Some(1), 0, 9), [0; 0]);
    assert_eq!(part(None, 6, 9), [0; 0]);
    assert_eq!(part(None, u64::MAX, 9), [0; 0]);
    assert_eq!(part(None, 0, 0), [0; 0]);
}

/// Each part of a filter narrows the list and the count, and all of them together.
pub fn filter_narrows_the_events(whole: &StoreHarness) {
    let (shop, lines) = insert_fixture(whole);
    let any = EventFilter::default;
    let anna = Some(shop.anna.id);
    for (filter, expected) in [
        (any(), &[8, 7, 6, 5, 4, 3, 2, 1][..]),
        (EventFilter { tenant: Some(shop.other_tenant.id), ..any() }, &[5]),
        (EventFilter { tenant: Some(tenant_id(77)), ..any() }, &[]),
        (EventFilter { user: anna, ..any() }, &[4, 2, 1]),
        (EventFilter { user: Some(user_id(77)), ..any() }, &[7]),
        (EventFilter { device: Some(shop.till.id), ..any() }, &[3]),
        (EventFilter { id: Some(lines[1].id), ..any() }, &[2]),
        (EventFilter { id: Some(lines[1].id), tenant: Some(shop.other_tenant.id), ..any() }, &[]),
        (EventFilter { session: Some(contract_fixture::session_id(5)), ..any() }, &[3]),
        (EventFilter { session: Some(contract_fixture::session_id(6)), ..any() }, &[]),
        (EventFilter { actions: vec![Action::UserAdd], ..any() }, &[5, 4]),
        (EventFilter { actions: vec![Action::UserAdd, Action::StoreRollback], ..any() }, &[8, 5, 4]),
        (EventFilter { actions: vec![Action::TenantAdd], ..any() }, &[]),
        (EventFilter { outcome: Some(EventOutcome::Refused), ..any() }, &[2]),
        (EventFilter { subject_kind: Some(SubjectKind::Server), ..any() }, &[6]),
        (EventFilter { subject_kind: Some(SubjectKind::Device), ..any() }, &[3]),
        (EventFilter { subject_id: Some(shop.ben.id.0), ..any() }, &[4]),
        (EventFilter { from: Some(after_start(30)), ..any() }, &[8, 7, 6, 5, 4, 3]),
        (EventFilter { until: Some(after_start(30)), ..any() }, &[2, 1]),
        (EventFilter { from: Some(after_start(20)), until: Some(after_start(41)), ..any() }, &[4, 3, 2]),
        (EventFilter { from: Some(after_start(41)), until: Some(after_start(20)), ..any() }, &[]),
        (EventFilter { user: anna, actions: vec![Action::Login], outcome: Some(EventOutcome::Done), ..any() }, &[1]),
        (EventFilter { tenant: Some(shop.other_tenant.id), user: anna, ..any() }, &[]),
    ] {
        assert_eq!(event_numbers(whole, &filter, &lines), expected, "{filter:?}");
    }
}

/// A text is looked for in the user's name, the action and the details, compared as names are, and stands for itself whatever is in
/// it.
pub fn text_is_found_in_events(whole: &StoreHarness) {
    let (shop, lines) = insert_fixture(whole);
    for (text, expected) in [
        ("KASIR", &[1][..]),
        ("anna", &[4, 2, 1]),
        ("nN", &[4, 2, 1]),
        ("device.UPDATE", &[3]),
        ("attempt", &[7, 6, 5, 3, 2]),
        ("Žofia", &[4]),
        ("ŽOFIA o'HARA", &[4]),
        ("\\", &[4]),
        ("\"", &[]),
        ("o'hara", &[4]),
        ("100%_", &[4]),
        ("%", &[4]),
        ("_", &[4]),
        ("dialect", &[1]),
        ("no such text", &[]),
    ] {
        let filter = EventFilter { text: Some(text.into()), ..EventFilter::default() };
        assert_eq!(event_numbers(whole, &filter, &lines), expected, "{text}");
    }
    let filter =
        EventFilter { text: Some("kasir".into()), tenant: Some(shop.other_tenant.id), ..EventFilter::default() };
    assert_eq!(event_numbers(whole, &filter, &lines), [0; 0]);
}

/// A line bears the names of now, a deleted user's too; somebody who is gone has none.
pub fn event_has_the_current_names(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let renamed = UserName::parse("Hana").unwrap();
    let gone = User { name: renamed.clone(), status: UserStatus::Deleted, ..shop.anna.clone() };
    assert!(whole.office.write(|tx| tx.users().update(&gone)).unwrap());
    let names = |filter: EventFilter| {
        let (filter, part) = all_events(&filter);
        let told = list_events(whole, &filter, &part);
        told.into_iter().map(|told| (told.user_name, told.device_name)).collect::<Vec<_>>()
    };
    let any = EventFilter::default;
    assert_eq!(names(EventFilter { user: Some(shop.anna.id), ..any() }), vec![(Some(renamed), None); 3]);
    assert_eq!(names(EventFilter { device: Some(shop.till.id), ..any() }), [(None, Some(shop.till.name.clone()))]);
    assert_eq!(names(EventFilter { user: Some(user_id(77)), ..any() }), [(None, None)]);
}

/// A unit of work reads the lines that it has told itself; those that were rolled back nobody reads.
pub fn event_is_readable_once_recorded(whole: &StoreHarness) {
    let (shop, lines) = insert_fixture(whole);
    let new = Event { tenant: Some(shop.tenant.id), ..new_event(9, after_start(90)) };
    let any = EventFilter::default();
    let failed: Result<(), _> = whole.office.write(|tx| {
        tx.audit().record(&new)?;
        let first = tx.events().list(&any, &OffsetPageRequest::first(1))?;
        assert_eq!(first.first().map(|told| &told.event), Some(&new));
        assert_eq!(tx.events().count(&any)?, 9);
        Err(StoreError::Fault("rolled back".into()))
    });
    assert!(failed.is_err());
    assert_eq!(event_numbers(whole, &any, &lines).len(), 8);
}
