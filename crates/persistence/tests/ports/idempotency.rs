//! A request with an idempotency key has one effect: among many concurrent senders, and after a
//! restart.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use tillgate_domain::office::ports::{IdempotencyKey, TicketFilter};
use tillgate_domain::office::{
    AuditContext, IdempotentRequest, NewTicket, Office, OfficeError, TicketChange, TicketCreation, UnguardedOffice,
};
use tillgate_domain::ticket::{Currency, Note, TicketStatus};
use tillgate_domain::{Actor, Authority, EventId, TicketId};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{StoreFixture, TestDatabase, at, uuid};

/// The number of concurrent senders.
const SENDER_COUNT: u64 = 8;

fn audit_context(number: u64) -> AuditContext {
    let fixture = StoreFixture::default();
    let actor = Actor { user: Some(fixture.anna.id), device: Some(fixture.till.id), ..Actor::default() };
    AuditContext {
        at: at(number),
        event_id: EventId(uuid(5_000 + number)),
        actor,
        authority: Authority::Host,
        os_user: None,
    }
}

/// Sends the request for the `number`th time: with another ticket id each time, and the same key.
fn send_request(fresh: &TestDatabase, number: u64, request: u8) -> Result<TicketCreation, OfficeError> {
    let new = NewTicket {
        id: TicketId(uuid(600 + number)),
        currency: Currency::parse("EUR").unwrap(),
        sheet: TicketChange::default(),
    };
    let once = IdempotentRequest {
        key: IdempotencyKey::parse("till-1").unwrap(),
        digest: [request; 32],
        legacy_digest: [request + 100; 32],
    };
    Office::new(&*fresh.database, StoreFixture::default().tenant.id, audit_context(number))
        .open_ticket(&new, Some(&once))
        .unwrap()
}

tillgate_testkit::on_both_databases!(request_counts_once);

fn request_counts_once(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    let tenant = StoreFixture::default().tenant.id;
    let start = Barrier::new(usize::try_from(SENDER_COUNT).unwrap());
    let made: Vec<TicketCreation> = thread::scope(|scope| {
        let (fresh, start) = (&fresh, &start);
        let senders: Vec<_> = (1..=SENDER_COUNT)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    send_request(fresh, number, 1).unwrap()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| !made.replayed).count(), 1, "{made:?}");
    let tickets: BTreeSet<TicketId> = made.iter().map(|made| made.ticket.ticket.id).collect();
    assert_eq!(tickets.len(), 1, "{made:?}");
    assert_eq!(UnguardedOffice::new(&*fresh.database, tenant).count_tickets(&TicketFilter::default()), Ok(1));
    // whatever becomes of the ticket and of the process
    let ticket = &made[0].ticket.ticket;
    Office::new(&*fresh.database, tenant, audit_context(20))
        .void_ticket(ticket.id, None, &Note::default())
        .unwrap()
        .unwrap();
    let fresh = fresh.reopen();
    let again = send_request(&fresh, 30, 1).unwrap();
    assert!(again.replayed);
    assert_eq!(
        (&again.ticket.ticket, again.ticket.ticket.state.status()),
        (ticket, TicketStatus::Open),
        "as it was made"
    );
    assert_eq!(send_request(&fresh, 31, 2), Err(OfficeError::IdempotencyKeyReused), "another request by the same key");
    assert_eq!(UnguardedOffice::new(&*fresh.database, tenant).count_tickets(&TicketFilter::default()), Ok(1));
}
