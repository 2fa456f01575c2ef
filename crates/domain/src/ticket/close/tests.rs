use super::*;
use crate::Right;
use crate::ticket::sample::{admin, amount, cash, hand, item, opened, receipt, sheet, user};
use crate::ticket::{Amount, Label, Means, Record};

const LATER: Instant = Instant::from_millis(5_000);

fn missing(name: &str) -> TicketRefused {
    TicketRefused::Missing(Right::parse(name).unwrap())
}

fn with_payments(payments: Vec<Payment>) -> Ticket {
    let items = vec![item(1, "5.82", "1")];
    opened(Draft { items, payments, ..Draft::of(user(1)) }.check().unwrap())
}

#[test]
fn a_ticket_is_closed_by_what_was_paid_before_or_is_paid_now() {
    let card = |text: &str| Payment { means: Means::Card, name: Label::default(), amount: amount(text) };
    let unpaid = Err(TicketRefused::Unpaid { left: amount("5.82") });
    for (what, before, now, change) in [
        ("paid before", vec![cash("10")], None, Ok("4.18")),
        ("paid now", vec![], Some(vec![cash("6")]), Ok("0.18")),
        ("paid otherwise now", vec![cash("1")], Some(vec![card("5.82")]), Ok("0")),
        ("not paid", vec![], None, unpaid.clone()),
        ("paid before, taken back now", vec![cash("10")], Some(vec![]), unpaid),
        ("too much by card", vec![], Some(vec![card("6")]), Err(TicketRefused::Overpaid { over: amount("0.18") })),
        ("a payment of nothing", vec![], Some(vec![cash("0")]), Err(TicketRefused::Payment { out: false })),
    ] {
        let ticket = with_payments(before.clone());
        let made = close(&ticket, now.clone(), receipt(), &hand(1, &["ticketClose"]), Some(1), LATER);
        assert_eq!(
            made.as_ref().map(|made| made.change().unwrap()),
            change.as_ref().map(|text| amount(text)),
            "{what}"
        );
        if let Ok(made) = made {
            let closing = Closing { at: LATER, by: user(1), on: ticket.opened_on, receipt: receipt() };
            let expected = Record {
                sheet: Draft { payments: now.unwrap_or(before), ..ticket.sheet.draft().clone() }.check().unwrap(),
                state: TicketState::Closed(Box::new(closing)),
                updated_at: LATER,
                version: 2,
                ..ticket.record().clone()
            };
            assert_eq!(made.record(), &expected, "{what}");
        }
    }
}

#[test]
fn too_many_payments_close_nothing() {
    let many = vec![cash("1"); 101];
    let refused = close(&with_payments(vec![]), Some(many), receipt(), &admin(1), None, LATER);
    assert!(matches!(refused, Err(TicketRefused::TooMany { .. })));
}

#[test]
fn an_empty_ticket_is_not_closed_and_a_free_one_is() {
    assert_eq!(close(&opened(sheet(vec![])), None, receipt(), &admin(1), None, LATER), Err(TicketRefused::Empty));
    let free = opened(sheet(vec![item(1, "0", "1")]));
    assert_eq!(close(&free, None, receipt(), &admin(1), None, LATER).unwrap().change(), Ok(Amount::ZERO));
}

#[test]
fn closing_asks_its_right_and_a_till() {
    let ticket = with_payments(vec![cash("5.82")]);
    for by in [1, 2] {
        assert!(close(&ticket, None, receipt(), &hand(by, &["ticketClose"]), None, LATER).is_ok(), "{by}");
        let all_but = hand(by, &["ticketUpdate", "ticketUpdateAny", "ticketDelete", "storno"]);
        assert_eq!(close(&ticket, None, receipt(), &all_but, None, LATER), Err(missing("ticketClose")), "{by}");
    }
    let office = Hand { device: None, ..admin(1) };
    assert_eq!(close(&ticket, None, receipt(), &office, None, LATER), Err(TicketRefused::NotSelling));
}
