use super::*;
use crate::ticket::fixtures::{actor, admin, amount, blank, cash, euros, item, opened_ticket, receipt, sheet, user};
use crate::ticket::{Amount, Note, TicketRecord, amend};
use crate::{MissingRight, Right};

const LATER: Instant = Instant::from_millis(5_000);

fn missing(name: &str) -> TicketError {
    TicketError::RightMissing(MissingRight(Right::parse(name).unwrap()))
}

fn with(payments: Option<Vec<Payment>>) -> Settlement {
    Settlement::new(payments, receipt())
}

fn with_payments(payments: Vec<Payment>) -> Ticket {
    let items = vec![item(1, "5.82", "1")];
    opened_ticket(Draft { items, payments, ..blank() }.check().unwrap())
}

#[test]
fn ticket_is_closed_by_existing_or_new_payments() {
    let card = |text: &str| Payment { method: PaymentMethod::Card, name: Label::default(), amount: amount(text) };
    let unpaid = Err(TicketError::Unpaid { left: euros("5.82") });
    for (what, before, now, change) in [
        ("paid before", vec![cash("10")], None, Ok("4.18")),
        ("paid now", vec![], Some(vec![cash("6")]), Ok("0.18")),
        ("paid otherwise now", vec![cash("1")], Some(vec![card("5.82")]), Ok("0")),
        ("not paid", vec![], None, unpaid.clone()),
        ("paid before, taken back now", vec![cash("10")], Some(vec![]), unpaid),
        ("too much by card", vec![], Some(vec![card("6")]), Err(TicketError::Overpaid { over: euros("0.18") })),
        ("a payment of nothing", vec![], Some(vec![cash("0")]), Err(TicketError::InvalidPayment { out: false })),
    ] {
        let ticket = with_payments(before.clone());
        let made = close(&ticket, with(now.clone()), &actor(1, &["ticketClose", "ticketUpdate"]), Some(&[1]), LATER);
        assert_eq!(
            made.as_ref().map(|made| made.change_due().unwrap()),
            change.as_ref().map(|text| amount(text)),
            "{what}"
        );
        if let Ok(made) = made {
            let closing = Closing { at: LATER, by: user(1), on: ticket.opened_on, receipt: receipt() };
            let expected = TicketRecord {
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
fn too_many_payments_are_rejected_on_close() {
    let many = vec![cash("1"); 101];
    let refused = close(&with_payments(vec![]), with(Some(many)), &admin(1), None, LATER);
    assert!(matches!(refused, Err(TicketError::TooMany { .. })));
}

#[test]
fn empty_ticket_is_not_closed_and_free_ticket_is() {
    assert_eq!(close(&opened_ticket(sheet(vec![])), with(None), &admin(1), None, LATER), Err(TicketError::NoItems));
    let free = opened_ticket(sheet(vec![item(1, "0", "1")]));
    assert_eq!(close(&free, with(None), &admin(1), None, LATER).unwrap().change_due(), Ok(Amount::ZERO));
}

#[test]
fn close_requires_right_and_sale_device() {
    let ticket = with_payments(vec![cash("5.82")]);
    for by in [1, 2] {
        assert!(close(&ticket, with(None), &actor(by, &["ticketClose"]), None, LATER).is_ok(), "{by}");
        let all_but = actor(by, &["ticketUpdate", "ticketUpdateAny", "ticketDelete", "storno"]);
        assert_eq!(close(&ticket, with(None), &all_but, None, LATER), Err(missing("ticketClose")), "{by}");
    }
    let office = TicketActor { device: None, ..admin(1) };
    assert_eq!(close(&ticket, with(None), &office, None, LATER), Err(TicketError::SaleDeviceRequired));
}

#[test]
fn close_requires_rights_of_changes_it_makes() {
    let close_only = ["ticketClose"];
    let (own, any) = (["ticketClose", "ticketUpdate"], ["ticketClose", "ticketUpdateAny"]);
    let paid = || with_payments(vec![cash("5.82")]);
    let numbered = || Settlement { caller_numbered: true, ..with(None) };
    let in_cash = || Settlement { assume_cash: true, ..with(None) };
    for (what, ticket, settlement, own_needs, anothers_need) in [
        ("as it stands", paid(), with(None), false, false),
        ("the payments that stand there", paid(), with(Some(vec![cash("5.82")])), false, false),
        ("other payments", paid(), with(Some(vec![cash("6")])), true, true),
        ("payments where there were none", with_payments(vec![]), with(Some(vec![cash("5.82")])), true, true),
        ("a number", paid(), numbered(), true, true),
        // The published way to close: the due amount was paid in cash.
        ("in cash", with_payments(vec![]), in_cash(), false, false),
        ("in cash where a payment stands", paid(), in_cash(), false, false),
    ] {
        let by =
            |number, rights: &[&str]| close(&ticket, settlement.clone(), &actor(number, rights), None, LATER).err();
        let needs = |needed: bool, name: &str| needed.then(|| missing(name));
        assert_eq!(by(1, &close_only), needs(own_needs, "ticketUpdate"), "{what}: one's own");
        assert_eq!(by(1, &own), None, "{what}: one's own, by who may change it");
        assert_eq!(by(2, &close_only), needs(anothers_need, "ticketUpdateAny"), "{what}: another's");
        assert_eq!(
            by(2, &own),
            needs(anothers_need, "ticketUpdateAny"),
            "{what}: another's, by who may change their own"
        );
        assert_eq!(by(2, &any), None, "{what}: another's, by who may change any");
        // Closing does not replace the right to change the payments.
        let payments = settlement.payments.clone().unwrap_or_else(|| ticket.sheet.payments.clone());
        let changed = Draft { payments, ..ticket.sheet.draft().clone() }.check().unwrap();
        for rights in [&close_only[..], &own, &any] {
            let (amended, closed) =
                (amend(&ticket, changed.clone(), &actor(2, rights), None, LATER).is_ok(), by(2, rights).is_none());
            assert!(amended || !closed || changed == ticket.sheet || settlement.assume_cash, "{what} {rights:?}");
        }
    }
}

#[test]
fn ticket_at_size_limit_can_be_closed() {
    let long = |id: u32| {
        let mut line = item(id, "1", "1").draft().clone();
        line.comment = Note::parse(&"x".repeat(1_900)).unwrap();
        crate::ticket::Item::new(line).unwrap()
    };
    let items = |count: u32| Draft { items: (1..=count).map(long).collect(), ..blank() }.check().unwrap();
    // As large as the limit, and as stored before the limit existed.
    let count = (1..1_000).take_while(|count| items(*count).size_bytes() <= Sheet::MAX_BYTES).last().unwrap();
    let full = opened_ticket(items(count));
    let larger = Ticket::restore(TicketRecord { sheet: items(count + 9), ..full.record().clone() }).unwrap();
    for ticket in [full, larger] {
        let paid = close(&ticket, with(Some(vec![cash("999")])), &admin(1), None, LATER);
        assert_eq!(paid.map(|ticket| ticket.state.status().name()), Ok("closed"));
        let named = |payment: Payment| Payment { name: Label::parse(&"x".repeat(200)).unwrap(), ..payment };
        let many = vec![named(cash("10")); 60];
        let refused = close(&ticket, with(Some(many)), &admin(1), None, LATER);
        assert_eq!(refused.map_err(|why| why.code()), Err("ticket_too_long"));
        // It may be changed if it does not grow.
        let fewer = Draft { items: ticket.sheet.items[1..].to_vec(), ..ticket.sheet.draft().clone() }.check().unwrap();
        assert!(amend(&ticket, fewer, &admin(1), None, LATER).is_ok());
        let mut more = ticket.sheet.draft().clone();
        more.items.extend((500..505).map(long));
        let refused = amend(&ticket, more.check().unwrap(), &admin(1), None, LATER);
        assert_eq!(refused.map_err(|why| why.code()).err(), Some("ticket_too_long"));
    }
    assert_eq!(
        crate::ticket::open(crate::ticket::fixtures::opening(1), items(count + 1), &admin(1)).map_err(|why| why.code()),
        Err("ticket_too_long")
    );
}
