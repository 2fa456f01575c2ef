use super::*;
use crate::ticket::sample::{admin, blank, cash, hand, item, opened, user};
use crate::ticket::{Draft, Record};
use crate::{Environment, Right};

const LATER: Instant = Instant::from_millis(5_000);

fn missing(name: &str) -> TicketRefused {
    TicketRefused::Missing(Right::parse(name).unwrap())
}

#[test]
fn a_ticket_is_made_void_from_anywhere_and_keeps_what_stood_on_it() {
    let items = vec![item(1, "5.82", "1")];
    let ticket = opened(Draft { items, payments: vec![cash("1")], ..blank() }.check().unwrap());
    let reason = Note::parse("ordered twice").unwrap();
    let till = admin(1).device;
    let office = till.map(|(device, _)| (device, Environment::BackOffice));
    for (by, rights, device) in [
        (1, &["ticketDelete"][..], till),
        (1, &["ticketDelete"], office),
        (1, &["ticketDelete"], None),
        (2, &["ticketDelete", "ticketUpdateAny"], None),
    ] {
        let hand = Hand { device, ..hand(by, rights) };
        let made = void(&ticket, reason.clone(), &hand, Some(1), LATER).unwrap();
        let on = device.map(|(device, _)| device);
        let voiding = Voiding { at: LATER, by: user(by), on, reason: reason.clone() };
        let state = TicketState::Void(Box::new(voiding));
        assert_eq!(made.record(), &Record { state, updated_at: LATER, version: 2, ..ticket.record().clone() });
    }
    let refused = void(&ticket, reason.clone(), &hand(2, &["ticketDelete"]), Some(1), LATER);
    assert_eq!(refused, Err(missing("ticketUpdateAny")));
    let refused = void(&ticket, reason, &hand(1, &["ticketUpdateAny", "ticketUpdate"]), Some(1), LATER);
    assert_eq!(refused, Err(missing("ticketDelete")));
}
