//! A request with a key of its client's counts once: among many who send it at the same moment, and after a restart.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use tillgate_domain::office::ports::{IdempotencyKey, TicketFilter};
use tillgate_domain::office::{self, Authority, Made, NewTicket, Once, Refused, Stamp, TicketChange};
use tillgate_domain::ticket::{Currency, Note, TicketStatus};
use tillgate_domain::{Actor, EventId, TicketId};

use crate::stores::{Fresh, Shop, at, uuid};

/// How many send the same request at once.
const SENDERS: u64 = 8;

fn stamp(number: u64) -> Stamp {
    let shop = Shop::default();
    let actor = Actor { user: Some(shop.anna.id), device: Some(shop.till.id), ..Actor::default() };
    Stamp { at: at(number), event: EventId(uuid(5_000 + number)), actor, authority: Authority::Host, shell: None }
}

/// Sends the request for the time of this number: a ticket under another id each time, asked for by the same key.
fn send(fresh: &Fresh, number: u64, request: u8) -> Result<Made, Refused> {
    let new = NewTicket {
        id: TicketId(uuid(600 + number)),
        currency: Currency::parse("EUR").unwrap(),
        sheet: TicketChange::default(),
    };
    let once =
        Once { key: IdempotencyKey::parse("till-1").unwrap(), request: [request; 32], earlier: [request + 100; 32] };
    office::open_ticket(&*fresh.database, Shop::default().tenant.id, &stamp(number), &new, Some(&once)).unwrap()
}

fn counts_once(fresh: Fresh) {
    let tenant = Shop::default().tenant.id;
    let start = Barrier::new(usize::try_from(SENDERS).unwrap());
    let made: Vec<Made> = thread::scope(|scope| {
        let (fresh, start) = (&fresh, &start);
        let senders: Vec<_> = (1..=SENDERS)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    send(fresh, number, 1).unwrap()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| !made.again).count(), 1, "{made:?}");
    let tickets: BTreeSet<TicketId> = made.iter().map(|made| made.shown.ticket.id).collect();
    assert_eq!(tickets.len(), 1, "{made:?}");
    assert_eq!(office::count_tickets(&*fresh.database, tenant, &TicketFilter::default()), Ok(1));
    // whatever becomes of the ticket and of the process
    let ticket = &made[0].shown.ticket;
    office::void_ticket(&*fresh.database, tenant, &stamp(20), ticket.id, None, &Note::default()).unwrap().unwrap();
    let fresh = fresh.reopened();
    let again = send(&fresh, 30, 1).unwrap();
    assert!(again.again);
    assert_eq!(
        (&again.shown.ticket, again.shown.ticket.state.status()),
        (ticket, TicketStatus::Open),
        "as it was made"
    );
    assert_eq!(send(&fresh, 31, 2), Err(Refused::KeyReused), "another request by the same key");
    assert_eq!(office::count_tickets(&*fresh.database, tenant, &TicketFilter::default()), Ok(1));
}

#[test]
fn a_request_counts_once_on_sqlite() {
    counts_once(Fresh::sqlite().with_shop());
}

#[test]
fn a_request_counts_once_on_postgres() {
    counts_once(Fresh::postgres().with_shop());
}
