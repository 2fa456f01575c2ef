use super::*;
use crate::ticket::fixtures::{actor, admin, blank, cash, item, opened_ticket, user};
use crate::ticket::{Draft, TicketRecord};
use crate::{Environment, MissingRight, Right};

const LATER: Instant = Instant::from_millis(5_000);

fn missing(name: &str) -> TicketError {
    TicketError::RightMissing(MissingRight(Right::parse(name).unwrap()))
}

#[test]
fn ticket_is_voided_on_any_device_and_keeps_its_content() {
    let items = vec![item(1, "5.82", "1")];
    let ticket = opened_ticket(Draft { items, payments: vec![cash("1")], ..blank() }.check().unwrap());
    let reason = Note::parse("ordered twice").unwrap();
    let till = admin(1).device;
    let office = till.map(|(device, _)| (device, Environment::BackOffice));
    for (by, rights, device) in [
        (1, &["ticketDelete"][..], till),
        (1, &["ticketDelete"], office),
        (1, &["ticketDelete"], None),
        (2, &["ticketDelete", "ticketUpdateAny"], None),
    ] {
        let hand = TicketActor { device, ..actor(by, rights) };
        let made = void(&ticket, reason.clone(), &hand, Some(&[1]), LATER).unwrap();
        let on = device.map(|(device, _)| device);
        let voiding = Voiding { at: LATER, by: user(by), on, reason: reason.clone() };
        let state = TicketState::Void(Box::new(voiding));
        assert_eq!(made.record(), &TicketRecord { state, updated_at: LATER, version: 2, ..ticket.record().clone() });
    }
    let refused = void(&ticket, reason.clone(), &actor(2, &["ticketDelete"]), Some(&[1]), LATER);
    assert_eq!(refused, Err(missing("ticketUpdateAny")));
    let refused = void(&ticket, reason, &actor(1, &["ticketUpdateAny", "ticketUpdate"]), Some(&[1]), LATER);
    assert_eq!(refused, Err(missing("ticketDelete")));
}
