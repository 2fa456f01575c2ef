//! The audit log as the back office reads it.

use serde_json::json;
use tillgate_domain::office::ports::{EventFilter, EventView, OffsetPageRequest};
use tillgate_domain::{
    Action, Actor, BranchId, Device, Event, EventId, EventOutcome, StoreError, StoreExt, Subject, SubjectKind, User,
    UserName, UserStatus,
};

use crate::StoreHarness;
use crate::contract_fixture::{self, ContractFixture, after_start, new_event, tenant_id, user_id};

/// Events of all kinds, oldest first: of both tenants and of none; by Anna, by the till, by nobody,
/// and by a user who is not in the store.
fn sample_events(fixture: &ContractFixture) -> Vec<Event> {
    let bare = |number: u8| Event { actor: Actor::default(), ..new_event(number, after_start(u64::from(number) * 10)) };
    let details = |key: &str, value| serde_json::Map::from_iter([(key.to_owned(), value)]);
    let anna = Actor { user: Some(fixture.anna.id), ..Actor::default() };
    let till =
        Actor { device: Some(fixture.till.id), session: Some(contract_fixture::session_id(5)), ..Actor::default() };
    vec![
        Event { actor: anna, details: details("dialect", json!("kasir")), ..bare(1) },
        Event { actor: anna, outcome: EventOutcome::Refused, ..bare(2) },
        Event { actor: till, subject: Subject::Device(fixture.till.id), action: Action::DeviceUpdate, ..bare(3) },
        Event {
            actor: Actor { address: "2001:db8::7".parse().ok(), ..anna },
            action: Action::UserAdd,
            subject: Subject::User(fixture.ben.id),
            details: details("user_name", json!("Žofia O'Hara 100%_\\")),
            approver: Some(fixture.ben.id),
            ..bare(4)
        },
        Event { tenant: Some(fixture.other_tenant.id), action: Action::UserAdd, ..bare(5) },
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

fn insert_fixture(harness: &StoreHarness) -> (ContractFixture, Vec<Event>) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let lines = sample_events(&fixture);
    for line in &lines {
        contract_fixture::run_write(&harness.auth, |tx| tx.audit().record(line));
    }
    (fixture, lines)
}

fn list_events(harness: &StoreHarness, filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> Vec<EventView> {
    harness.office.read("test", |tx| tx.events().list(filter, part)).unwrap()
}

/// Refused events of a tenant are counted since an instant, up to a limit, and by the store in
/// which their device is now.
pub fn refused_events_are_counted(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let branch = fixture.tenant.branches[0].id;
    let till = Device { branch: Some(branch), ..fixture.till.clone() };
    assert!(harness.office.write("test", |tx| tx.devices().update(&till)).unwrap());
    let at = |number: u8, seconds| Event {
        id: EventId::new(after_start(seconds), [number; 10]),
        outcome: EventOutcome::Refused,
        actor: Actor::default(),
        ..new_event(number, after_start(seconds))
    };
    let on_till = Actor { device: Some(fixture.till.id), ..Actor::default() };
    for event in [
        at(1, 10),
        at(2, 20),
        Event { actor: on_till, ..at(3, 30) },
        Event { outcome: EventOutcome::Done, ..at(4, 40) },
        Event { tenant: Some(fixture.other_tenant.id), ..at(5, 50) },
    ] {
        contract_fixture::run_write(&harness.auth, |tx| tx.audit().record(&event));
    }
    let count = |branch, since, most| {
        let since = after_start(since);
        harness.office.read("test", |tx| tx.events().count_refused(fixture.tenant.id, branch, since, most)).unwrap()
    };
    assert_eq!((count(None, 0, 9), count(None, 20, 9), count(None, 21, 9)), (3, 2, 1));
    assert_eq!(count(None, 0, 2), 2, "counted no further");
    assert_eq!((count(Some(branch), 0, 9), count(Some(fixture.other_tenant.branches[0].id), 0, 9)), (1, 0));
}

fn all_events(filter: &EventFilter) -> (EventFilter, OffsetPageRequest<EventId>) {
    (filter.clone(), OffsetPageRequest::first(99))
}

/// The numbers of the matching events, newest first.
fn event_numbers(harness: &StoreHarness, filter: &EventFilter, lines: &[Event]) -> Vec<usize> {
    let (filter, part) = all_events(filter);
    let listed = list_events(harness, &filter, &part);
    let count = harness.office.read("test", |tx| tx.events().count(&filter)).unwrap();
    assert_eq!(count, listed.len() as u64, "{filter:?}");
    assert!(listed.iter().all(|listed| filter.matches(listed)), "{filter:?}");
    let number = |listed: &EventView| lines.iter().position(|line| *line == listed.event);
    listed.iter().map(|listed| number(listed).unwrap() + 1).collect()
}

/// An audit event is read back as it was recorded.
pub fn event_is_read_back_as_recorded(harness: &StoreHarness) {
    let (_, lines) = insert_fixture(harness);
    let (filter, part) = all_events(&EventFilter::default());
    let read: Vec<Event> = list_events(harness, &filter, &part).into_iter().rev().map(|listed| listed.event).collect();
    assert_eq!(read, lines);
}

/// Events are listed newest first: those that follow `after`, without the first `skip`, at most
/// `limit`.
pub fn events_are_listed_in_pages(harness: &StoreHarness) {
    let (fixture, lines) = insert_fixture(harness);
    let of = EventFilter { tenant: Some(fixture.tenant.id), ..EventFilter::default() };
    let part = |after: Option<usize>, skip, limit| {
        let after = after.map(|number| lines[number - 1].id);
        let listed = list_events(harness, &of, &OffsetPageRequest { after, skip, limit });
        let number = |listed: &EventView| lines.iter().position(|line| *line == listed.event).unwrap() + 1;
        listed.iter().map(number).collect::<Vec<_>>()
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

/// Each criterion of a filter narrows the list and the count alike, and all criteria apply
/// together.
pub fn filter_narrows_the_events(harness: &StoreHarness) {
    let (fixture, lines) = insert_fixture(harness);
    let store = fixture.move_to_store(harness, &fixture.till);
    let any = EventFilter::default;
    let anna = Some(fixture.anna.id);
    for (filter, expected) in [
        (any(), &[8, 7, 6, 5, 4, 3, 2, 1][..]),
        (EventFilter { tenant: Some(fixture.other_tenant.id), ..any() }, &[5]),
        (EventFilter { tenant: Some(tenant_id(77)), ..any() }, &[]),
        (EventFilter { user: anna, ..any() }, &[4, 2, 1]),
        (EventFilter { user: Some(user_id(77)), ..any() }, &[7]),
        (EventFilter { device: Some(fixture.till.id), ..any() }, &[3]),
        (EventFilter { branch: Some(store), ..any() }, &[3]),
        (EventFilter { branch: Some(BranchId::new(after_start(0), [99; 10])), ..any() }, &[]),
        (EventFilter { id: Some(lines[1].id), ..any() }, &[2]),
        (EventFilter { id: Some(lines[1].id), tenant: Some(fixture.other_tenant.id), ..any() }, &[]),
        (EventFilter { session: Some(contract_fixture::session_id(5)), ..any() }, &[3]),
        (EventFilter { session: Some(contract_fixture::session_id(6)), ..any() }, &[]),
        (EventFilter { actions: vec![Action::UserAdd], ..any() }, &[5, 4]),
        (EventFilter { actions: vec![Action::UserAdd, Action::StoreRollback], ..any() }, &[8, 5, 4]),
        (EventFilter { actions: vec![Action::TenantAdd], ..any() }, &[]),
        (EventFilter { outcome: Some(EventOutcome::Refused), ..any() }, &[2]),
        (EventFilter { subject_kind: Some(SubjectKind::Server), ..any() }, &[6]),
        (EventFilter { subject_kind: Some(SubjectKind::Device), ..any() }, &[3]),
        (EventFilter { subject_id: Some(fixture.ben.id.0), ..any() }, &[4]),
        (EventFilter { from: Some(after_start(30)), ..any() }, &[8, 7, 6, 5, 4, 3]),
        (EventFilter { until: Some(after_start(30)), ..any() }, &[2, 1]),
        (EventFilter { from: Some(after_start(20)), until: Some(after_start(41)), ..any() }, &[4, 3, 2]),
        (EventFilter { from: Some(after_start(41)), until: Some(after_start(20)), ..any() }, &[]),
        (EventFilter { user: anna, actions: vec![Action::Login], outcome: Some(EventOutcome::Done), ..any() }, &[1]),
        (EventFilter { tenant: Some(fixture.other_tenant.id), user: anna, ..any() }, &[]),
    ] {
        assert_eq!(event_numbers(harness, &filter, &lines), expected, "{filter:?}");
    }
}

/// The text of a filter is searched in the user's name, the action and the details, with the
/// comparison used for names. None of its characters is a wildcard.
pub fn text_is_found_in_events(harness: &StoreHarness) {
    let (fixture, lines) = insert_fixture(harness);
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
        ("no event has this text", &[]),
    ] {
        let filter = EventFilter { text: Some(text.into()), ..EventFilter::default() };
        assert_eq!(event_numbers(harness, &filter, &lines), expected, "{text}");
    }
    let filter =
        EventFilter { text: Some("kasir".into()), tenant: Some(fixture.other_tenant.id), ..EventFilter::default() };
    assert_eq!(event_numbers(harness, &filter, &lines), [0; 0]);
}

/// An event is listed with the current names of its user and device, also if the user is deleted.
/// An unknown user has no name.
pub fn event_has_the_current_names(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let renamed = UserName::parse("Hana").unwrap();
    let deleted_user = User { name: renamed.clone(), status: UserStatus::Deleted, ..fixture.anna.clone() };
    assert!(harness.office.write("test", |tx| tx.users().update(&deleted_user)).unwrap());
    let names = |filter: EventFilter| {
        let (filter, part) = all_events(&filter);
        let listed = list_events(harness, &filter, &part);
        listed.into_iter().map(|listed| (listed.user_name, listed.device_name)).collect::<Vec<_>>()
    };
    let any = EventFilter::default;
    assert_eq!(names(EventFilter { user: Some(fixture.anna.id), ..any() }), vec![(Some(renamed), None); 3]);
    assert_eq!(
        names(EventFilter { device: Some(fixture.till.id), ..any() }),
        [(None, Some(fixture.till.name.clone()))]
    );
    assert_eq!(names(EventFilter { user: Some(user_id(77)), ..any() }), [(None, None)]);
}

/// A unit of work reads the events that it has recorded itself. Events that were rolled back are
/// never read.
pub fn event_is_readable_once_recorded(harness: &StoreHarness) {
    let (fixture, lines) = insert_fixture(harness);
    let new = Event { tenant: Some(fixture.tenant.id), ..new_event(9, after_start(90)) };
    let any = EventFilter::default();
    let failed: Result<(), _> = harness.office.write("test", |tx| {
        tx.audit().record(&new)?;
        let first = tx.events().list(&any, &OffsetPageRequest::first(1))?;
        assert_eq!(first.first().map(|listed| &listed.event), Some(&new));
        assert_eq!(tx.events().count(&any)?, 9);
        Err(StoreError::Fault("rolled back".into()))
    });
    assert!(failed.is_err());
    assert_eq!(event_numbers(harness, &any, &lines).len(), 8);
}
