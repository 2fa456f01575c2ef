//! The use cases that involve money: payments and change, closing with a receipt number, and
//! refunds.

use tillgate_domain::office::{self, AuditContext, NewTicket, OfficeError, TicketChange, TicketClosing};
use tillgate_domain::ticket::{Currency, Label, Meta, Note, PaymentMethod, TicketError, TicketState, TicketStatus};
use tillgate_domain::{Action, ExactJson, JsonObject};

use crate::inputs::*;
use crate::staffed_fixture::*;
use crate::ticket_inputs::*;

#[test]
fn several_payments_give_change_for_cash_only() {
    let shop = StaffedFixture::open();
    let ticket = shop.open_ticket(tea_change("3")).ticket.id;
    let (card, voucher, cash) = (PaymentMethod::Card, PaymentMethod::Voucher, PaymentMethod::Cash);
    for (wrong, code) in [
        (vec![], "ticket_unpaid"),
        (vec![pay(card, "5"), pay(voucher, "6.99")], "ticket_unpaid"),
        (vec![pay(card, "5"), pay(voucher, "7.01")], "ticket_overpaid"),
        (vec![pay(card, "12"), pay(cash, "0")], "payment_invalid"),
        (vec![pay(card, "13"), pay(cash, "-1")], "payment_invalid"),
        (vec![pay(card, "14"), pay(cash, "1")], "ticket_overpaid"),
    ] {
        assert_eq!(shop.close_ticket(ticket, wrong.clone()).unwrap_err().code(), code, "{wrong:?}");
    }
    let done =
        shop.close_ticket(ticket, vec![pay(card, "5"), pay(voucher, "2"), pay(cash, "4"), pay(cash, "6")]).unwrap();
    assert_eq!(done.ticket.change_due().unwrap(), "5".parse().unwrap());
    assert_eq!(done.ticket.state.status(), TicketStatus::Closed);
    assert_eq!(shop.last_event().details["change"], "5.00");
    assert_eq!(shop.last_event().details["number"], 1, "what was refused took no number");
    assert_eq!(shop.close_ticket(ticket, vec![]), Err(OfficeError::Ticket(TicketError::Closed)));
}

#[test]
fn receipt_number_is_unique_in_its_series() {
    let shop = StaffedFixture::open();
    let close = |number, fiscal: &str| {
        let id = shop.open_ticket(tea_change("1")).ticket.id;
        let closing = TicketClosing {
            payments: Some(vec![pay(PaymentMethod::Cash, "4")]),
            number,
            fiscal: Label::parse(fiscal).unwrap(),
            ..TicketClosing::default()
        };
        let closed = shop.office_as(shop.seller_context()).close_ticket(id, None, &closing).unwrap();
        closed.map(|shown| match &shown.ticket.state {
            TicketState::Closed(closing) => closing.receipt.number,
            state => panic!("{state:?}"),
        })
    };
    let taken = |number| Err(OfficeError::Ticket(TicketError::ReceiptNumberTaken(number)));
    assert_eq!([close(None, ""), close(Some(2), ""), close(None, "")], [Ok(1), Ok(2), Ok(3)]);
    assert_eq!([close(Some(1), ""), close(Some(2), ""), close(Some(3), "")], [taken(1), taken(2), taken(3)]);
    assert_eq!(
        [close(Some(777), "FM1"), close(Some(777), "FM1"), close(Some(777), "FM2")],
        [Ok(777), taken(777), Ok(777)]
    );
    assert_eq!([close(None, "FM1"), close(None, "")], [Ok(1), Ok(4)]);
    // the rejected requests have taken no number and closed nothing
    let lines = shop.store.audit_events().iter().filter(|event| event.action == Action::TicketClose).count();
    assert_eq!(lines, 7);
}

#[test]
fn closing_keeps_the_payments_of_another_user() {
    let shop = StaffedFixture::open();
    let change = TicketChange { payments: Some(vec![pay(PaymentMethod::Card, "12")]), ..tea_change("3") };
    let ticket = shop.open_ticket(change).ticket.id;
    let close = |stamp: &AuditContext, closing: &TicketClosing| {
        shop.office_as(stamp.clone()).close_ticket(ticket, None, closing).unwrap().map(|shown| shown.ticket.version)
    };
    let colleague =
        |names: &[&str]| context_at_with(shop.fixture.user("admin").id, shop.fixture.device("P01").id, names);
    let cash = TicketClosing { payments: Some(vec![pay(PaymentMethod::Cash, "12")]), ..TicketClosing::default() };
    let numbered = TicketClosing { number: Some(999), ..TicketClosing::default() };
    let reported = TicketClosing { daily_sales_report: Some(1), ..TicketClosing::default() };
    let serial = ("fiscalMemorySerialNumber".to_owned(), ExactJson::string("SN1"));
    let extra = Meta::new(JsonObject::new(vec![serial])).unwrap();
    let with_extra = TicketClosing { extra, ..TicketClosing::default() };
    for closing in [&cash, &numbered, &reported, &with_extra] {
        assert_eq!(close(&colleague(&["ticketClose", "ticketUpdate"]), closing), Err(missing_right("ticketUpdateAny")));
    }
    assert_eq!(
        close(&colleague(&["ticketClose"]), &TicketClosing { assume_cash: true, ..TicketClosing::default() }),
        Ok(2)
    );
}

#[test]
fn sold_items_are_refunded_once_and_a_refund_never() {
    let shop = StaffedFixture::open();
    let sold = shop.open_ticket(tea_change("3")).ticket.id;
    let by = || shop.seller_context();
    let refused =
        |result: Result<office::TicketCreation, OfficeError>| result.map(|made| made.ticket.ticket.id).unwrap_err();
    assert_eq!(refused(shop.refund_ticket(&by(), sold, None, None)), OfficeError::Ticket(TicketError::NotClosed));
    shop.close_ticket(sold, vec![pay(PaymentMethod::Card, "12")]).unwrap();
    let first = shop.refund_ticket(&by(), sold, Some(&[(1, "1")]), Some(&idempotent_request("k", 1))).unwrap();
    let again = shop.refund_ticket(&by(), sold, Some(&[(1, "1")]), Some(&idempotent_request("k", 1))).unwrap();
    assert_eq!((again.ticket.ticket.id, again.replayed), (first.ticket.ticket.id, true));
    assert_eq!(
        refused(shop.refund_ticket(&by(), sold, Some(&[(1, "1")]), Some(&idempotent_request("k", 2)))),
        OfficeError::IdempotencyKeyReused
    );
    let more = refused(shop.refund_ticket(&by(), sold, Some(&[(1, "2.000001")]), None));
    assert_eq!(more.code(), "refund_too_large");
    // the same key of another user is a different key
    let other = context_at(shop.fixture.user("admin").id, shop.fixture.device("P01").id);
    let rest = shop.refund_ticket(&other, sold, None, Some(&idempotent_request("k", 1))).unwrap().ticket.ticket;
    assert_eq!(payable_text(&rest), "-8.00");
    assert_eq!(refused(shop.refund_ticket(&by(), sold, None, None)).code(), "refund_empty", "nothing is left");
    // a refund is closed by paying out the exact amount, and cannot be refunded itself
    for wrong in [
        vec![],
        vec![pay(PaymentMethod::Cash, "8")],
        vec![pay(PaymentMethod::Cash, "-9")],
        vec![pay(PaymentMethod::Cash, "-7.99")],
    ] {
        assert!(shop.close_ticket(rest.id, wrong.clone()).is_err(), "{wrong:?}");
    }
    let out = shop
        .close_ticket(rest.id, vec![pay(PaymentMethod::Cash, "-5"), pay(PaymentMethod::Card, "-3")])
        .unwrap()
        .ticket;
    assert!(out.change_due().unwrap().is_zero());
    assert_eq!(refused(shop.refund_ticket(&by(), rest.id, None, None)).code(), "refund_of_refund");
    // a void refund takes nothing back
    shop.office_as(by()).void_ticket(first.ticket.ticket.id, None, &Note::default()).unwrap().unwrap();
    let left = shop.refund_ticket(&by(), sold, None, None).unwrap().ticket.ticket;
    assert_eq!(payable_text(&left), "-4.00");
    let without = context_at_with(shop.fixture.user("manager").id, shop.fixture.device("P01").id, &["ticketCreate"]);
    assert_eq!(refused(shop.refund_ticket(&without, sold, None, None)), missing_right("storno"));
}

#[test]
fn amounts_follow_the_currency() {
    let shop = StaffedFixture::open();
    let open = |code: &str, sheet: TicketChange| {
        let new = NewTicket { currency: Currency::parse(code).unwrap(), ..new_ticket(sheet) };
        let made = shop.office_as(shop.seller_context()).open_ticket(&new, None).unwrap();
        made.map(|made| payable_text(&made.ticket.ticket))
    };
    let of = |price: &str, rounding: &str| TicketChange {
        items: Some(vec![tea_line(price, "1")]),
        rounding: Some(rounding.parse().unwrap()),
        ..TicketChange::default()
    };
    for (code, price, rounding, payable) in [
        ("KWD", "1.234", "0", "1.234"),
        ("JPY", "100.4", "0", "100"),
        ("HUF", "1002", "-2", "1000.00"),
        ("IDR", "10040", "-40", "10000.00"),
        ("CLP", "994", "-4", "990"),
        ("EUR", "10.23", "0.02", "10.25"),
    ] {
        assert_eq!(open(code, of(price, rounding)), Ok(payable.to_owned()), "{code}");
    }
    let refused = |code: &str, sheet| open(code, sheet).unwrap_err().code();
    assert_eq!(refused("HUF", of("1002", "5")), "rounding_too_large");
    assert_eq!(refused("EUR", of("1.23", "0.001")), "amount_unpayable");
    let paid_so =
        |amount: &str| TicketChange { payments: Some(vec![pay(PaymentMethod::Card, amount)]), ..of("1", "0") };
    assert_eq!(refused("JPY", paid_so("0.5")), "amount_unpayable");
    assert_eq!(open("KWD", paid_so("0.005")), Ok("1.000".to_owned()));
}
