//! Runs the contract of a store on both databases.

use std::sync::Arc;

use tillgate_auth_core::ports::InstanceState;
use tillgate_domain::{
    Action, Actor, ApiKeyId, DeviceId, Event, EventId, EventOutcome, Instant, KeyId, RoleId, SessionId, Subject,
    TenantId, TicketId, UserId,
};
use tillgate_testkit::StoreHarness;
use uuid::Uuid;

use crate::test_database::{EventRow, TestDatabase};

fn open_harness(fresh: TestDatabase) -> StoreHarness {
    let observed = Arc::clone(&fresh.database);
    let (turned, audited) = (fresh.raw().clone(), fresh.raw().clone());
    StoreHarness::new(Arc::clone(&fresh.database), move |observer| observed.observe(observer))
        .with_state_setter(move |state| {
            let word = match state {
                InstanceState::Open => "open",
                InstanceState::Draining => "draining",
                InstanceState::Moved => "moved",
            };
            turned.execute(&format!("UPDATE meta SET state = '{word}'"));
        })
        .with_audit_reader(move || audited.read_events().into_iter().map(parse_event).collect())
        .with_guard(fresh)
}

fn parse_id(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap()
}

fn parse_event(line: EventRow) -> Event {
    let subject_id = line.subject_id.as_deref().map(parse_id);
    let subject = match (line.subject.as_str(), subject_id) {
        ("session", Some(id)) => Subject::Session(SessionId(id)),
        ("user", Some(id)) => Subject::User(UserId(id)),
        ("device", Some(id)) => Subject::Device(DeviceId(id)),
        ("role", Some(id)) => Subject::Role(RoleId(id)),
        ("tenant", Some(id)) => Subject::Tenant(TenantId(id)),
        ("key", Some(id)) => Subject::Key(KeyId(id)),
        ("api_key", Some(id)) => Subject::ApiKey(ApiKeyId(id)),
        ("ticket", Some(id)) => Subject::Ticket(TicketId(id)),
        ("server", None) => Subject::Server,
        other => panic!("{other:?} is no subject"),
    };
    Event {
        id: EventId(parse_id(&line.id)),
        at: Instant::from_millis(line.at),
        tenant: line.tenant_id.as_deref().map(parse_id).map(TenantId),
        actor: Actor {
            user: line.user_id.as_deref().map(parse_id).map(UserId),
            device: line.device_id.as_deref().map(parse_id).map(DeviceId),
            session: line.session_id.as_deref().map(parse_id).map(SessionId),
            address: line.address.map(|address| address.parse().unwrap()),
        },
        action: *Action::ALL.iter().find(|action| action.name() == line.action).unwrap(),
        subject,
        outcome: *EventOutcome::ALL.iter().find(|outcome| outcome.name() == line.outcome).unwrap(),
        details: serde_json::from_str(&line.details).unwrap(),
        approver: line.approver_id.as_deref().map(parse_id).map(UserId),
    }
}

mod on_sqlite {
    fn open() -> tillgate_testkit::StoreHarness {
        super::open_harness(super::TestDatabase::sqlite())
    }

    tillgate_testkit::contract!(open);
}

mod on_postgres {
    fn open() -> tillgate_testkit::StoreHarness {
        super::open_harness(super::TestDatabase::postgres())
    }

    tillgate_testkit::contract!(open, ignore = "requires PostgreSQL");
}
