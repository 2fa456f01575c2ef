//! The use cases for tickets: who may own one, isolation of tenants, idempotency, rejected batches,
//! and payment.

use std::collections::BTreeMap;

use tillgate_domain::office::ports::{
    IdempotencyKey, OffsetPageRequest, ScopedIdempotencyKey, StoredResponse, TicketCursor, TicketFilter, TicketOrder,
};
use tillgate_domain::office::{
    self, AuditContext, FieldName, IdempotentRequest, ItemInput, NewRefund, NewTicket, Office, OfficeError, OwnerRef,
    TicketAmendment, TicketChange, TicketClosing, TicketSearch, TicketView, UnguardedOffice,
};
use tillgate_domain::ticket::{
    Article, Currency, ItemDraft, ItemKind, Label, Meta, Note, Payment, PaymentMethod, Rate, Ticket, TicketError,
    TicketState, TicketStatus,
};
use tillgate_domain::{
    Action, Actor, DeviceId, EventId, ExactJson, JsonObject, StoreExt, TenantId, TicketId, User, UserId, UserStatus,
};

use crate::inputs::*;
use crate::staffed_fixture::*;

/// A user on a device, with every right.
fn context_at(user: UserId, device: DeviceId) -> AuditContext {
    context_with(user, device, &["admin"])
}

fn context_with(user: UserId, device: DeviceId, names: &[&str]) -> AuditContext {
    AuditContext {
        actor: Actor { user: Some(user), device: Some(device), ..Actor::default() },
        ..caller_context(names)
    }
}

fn tea_line(price: &str, quantity: &str) -> ItemInput {
    let line = ItemDraft {
        id: 0,
        external_id: Label::default(),
        kind: ItemKind::Positive,
        article: Article { name: Label::parse("Tea").unwrap(), ..Article::default() },
        comment: Note::default(),
        unit_price: price.parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        unit: Label::parse("pcs").unwrap(),
        discount: Rate::ZERO,
    };
    ItemInput { id: None, item: line }
}

fn pay(means: PaymentMethod, amount: &str) -> Payment {
    Payment { method: means, name: Label::default(), amount: amount.parse().unwrap() }
}

fn payable_text(ticket: &Ticket) -> String {
    ticket.sheet.money(ticket.sheet.payable()).to_string()
}

fn new_ticket(sheet: TicketChange) -> NewTicket {
    NewTicket { id: TicketId::new(NOW, random_bytes()), currency: Currency::parse("EUR").unwrap(), sheet }
}

/// A sheet with this quantity of tea at 4.00.
fn tea_change(quantity: &str) -> TicketChange {
    TicketChange { items: Some(vec![tea_line("4", quantity)]), ..TicketChange::default() }
}

fn name_change(name: &str) -> TicketChange {
    TicketChange { name: Some(Label::parse(name).unwrap()), ..TicketChange::default() }
}

fn owner_change(owner: OwnerRef) -> TicketChange {
    TicketChange { owner: Some(owner), ..TicketChange::default() }
}

fn idempotent_request(key: &str, request: u8) -> IdempotentRequest {
    IdempotentRequest {
        key: IdempotencyKey::parse(key).unwrap(),
        digest: [request; 32],
        legacy_digest: [request + 100; 32],
    }
}

impl StaffedFixture {
    /// The manager on P01, who opens the tickets in these tests.
    fn seller_context(&self) -> AuditContext {
        context_at(self.fixture.user("manager").id, self.fixture.device("P01").id)
    }

    fn open_ticket(&self, sheet: TicketChange) -> TicketView {
        let made = self.office_as(self.seller_context()).open_ticket(&new_ticket(sheet), None).unwrap();
        made.unwrap().ticket
    }

    fn amend_ticket(
        &self,
        tenant: TenantId,
        stamp: AuditContext,
        id: TicketId,
        change: TicketChange,
    ) -> Result<TicketView, OfficeError> {
        Office::new(self.store(), tenant, stamp).amend_ticket(id, None, change).unwrap()
    }

    fn close_ticket(&self, id: TicketId, payments: Vec<Payment>) -> Result<TicketView, OfficeError> {
        let closing = TicketClosing { payments: Some(payments), ..TicketClosing::default() };
        self.office_as(self.seller_context()).close_ticket(id, None, &closing).unwrap()
    }

    fn refund_ticket(
        &self,
        stamp: &AuditContext,
        sold: TicketId,
        items: Option<&[(u32, &str)]>,
        once: Option<&IdempotentRequest>,
    ) -> Result<office::TicketCreation, OfficeError> {
        let items = items.map(|items| {
            items.iter().map(|(id, quantity)| (*id, quantity.parse().unwrap())).collect::<BTreeMap<_, _>>()
        });
        let new = NewRefund { id: TicketId::new(NOW, random_bytes()), items };
        self.office_as(stamp.clone()).refund_ticket(sold, &new, once).unwrap()
    }

    fn add_user(&self, tenant: TenantId, called: &str) -> User {
        Office::new(self.store(), tenant, audit_context()).add_user(&new_user(called, &["cashier"])).unwrap().unwrap()
    }

    fn set_user_status(&self, id: UserId, status: UserStatus) {
        self.office().set_user_status(id, status).unwrap().unwrap();
    }
}

#[test]
fn ticket_transfer_requires_a_present_user() {
    let shop = StaffedFixture::open();
    let elsewhere = office::add_tenant(shop.store(), &audit_context(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let stranger = shop.add_user(elsewhere, "stranger");
    let (away, gone, eva) = (
        shop.add_user(shop.tenant_id(), "away"),
        shop.add_user(shop.tenant_id(), "gone"),
        shop.add_user(shop.tenant_id(), "Eva"),
    );
    shop.set_user_status(away.id, UserStatus::Suspended);
    shop.set_user_status(gone.id, UserStatus::Deleted);
    let new = office::NewUser { status: UserStatus::Pending, ..new_user("new", &["cashier"]) };
    let new = shop.office().add_user(&new).unwrap().unwrap();
    let ticket = shop.open_ticket(tea_change("1")).ticket.id;
    let unknown = |value: String| Err(OfficeError::UnknownName { field: FieldName::Owner, value });
    for user in [&stranger, &away, &gone, &new] {
        for owner in [OwnerRef::Id(user.id), OwnerRef::Name(user.name.clone())] {
            let value = if matches!(owner, OwnerRef::Id(_)) { user.id.to_string() } else { user.name.to_string() };
            let change = owner_change(owner);
            assert_eq!(
                shop.amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, change.clone()),
                unknown(value.clone())
            );
            let opened = shop.office_as(shop.seller_context()).open_ticket(&new_ticket(change), None).unwrap();
            assert_eq!(opened.unwrap_err(), OfficeError::UnknownName { field: FieldName::Owner, value });
        }
    }
    let count = shop.memory.audit_events().iter().filter(|event| event.action == Action::TicketUpdate).count();
    assert_eq!(count, 0);
    let given = shop
        .amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, owner_change(OwnerRef::Name(eva.name.clone())))
        .unwrap();
    assert_eq!(given.ticket.sheet.owner, eva.id);
    // a deleted user keeps the ticket, and a till that sends it back unchanged changes nothing
    shop.set_user_status(eva.id, UserStatus::Deleted);
    let other = shop.add_user(shop.tenant_id(), "eva");
    for owner in [OwnerRef::Id(eva.id), OwnerRef::Name(eva.name.clone())] {
        let kept = shop.amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, owner_change(owner)).unwrap();
        assert_eq!((kept.ticket.sheet.owner, kept.ticket.version), (eva.id, 2), "as it was");
    }
    let over = shop
        .amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, owner_change(OwnerRef::Id(other.id)))
        .unwrap();
    assert_eq!(over.ticket.sheet.owner, other.id);
}

#[test]
fn ticket_of_another_tenant_is_not_found() {
    let shop = StaffedFixture::open();
    let elsewhere = office::add_tenant(shop.store(), &audit_context(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let stranger = shop.add_user(elsewhere, "stranger").id;
    let till =
        Office::new(shop.store(), elsewhere, audit_context()).add_device(&new_device("P01")).unwrap().unwrap().id;
    let ticket = shop.open_ticket(tea_change("1")).ticket;
    let sold = shop.open_ticket(tea_change("1")).ticket.id;
    shop.close_ticket(sold, vec![pay(PaymentMethod::Card, "4")]).unwrap();
    let by = || context_at(stranger, till);
    let absent = |id: TicketId| OfficeError::NotFound { field: FieldName::Ticket, value: id.to_string() };
    assert_eq!(UnguardedOffice::new(shop.store(), elsewhere).find_ticket(ticket.id).unwrap(), None);
    assert_eq!(shop.amend_ticket(elsewhere, by(), ticket.id, name_change("x")), Err(absent(ticket.id)));
    let closing = TicketClosing { assume_cash: true, ..TicketClosing::default() };
    let closed = Office::new(shop.store(), elsewhere, by()).close_ticket(ticket.id, None, &closing).unwrap();
    assert_eq!(closed, Err(absent(ticket.id)));
    let void = Office::new(shop.store(), elsewhere, by()).void_ticket(ticket.id, None, &Note::default()).unwrap();
    assert_eq!(void, Err(absent(ticket.id)));
    let back = NewRefund { id: TicketId::new(NOW, random_bytes()), items: None };
    let back = Office::new(shop.store(), elsewhere, by()).refund_ticket(sold, &back, None).unwrap();
    assert_eq!(back, Err(absent(sold)));
    let every = TicketFilter::default();
    assert_eq!(UnguardedOffice::new(shop.store(), elsewhere).count_tickets(&every).unwrap(), 0);
    let order = TicketOrder::default();
    // starts before the first ticket
    let part = OffsetPageRequest { after: Some(TicketCursor { key: i64::MIN, id: ticket.id }), skip: 0, limit: 9 };
    let search = TicketSearch { filter: every, order, page: part };
    assert!(UnguardedOffice::new(shop.store(), elsewhere).list_tickets(&search).unwrap().is_empty());
    // a ticket with the id of another tenant's ticket is a separate ticket, and the other one stays
    let same = NewTicket { id: ticket.id, ..new_ticket(tea_change("2")) };
    let (own, opened) = Office::new(shop.store(), elsewhere, by()).put_ticket(&same, None).unwrap().unwrap();
    assert!(opened && own.ticket.tenant == elsewhere);
    assert_eq!(shop.unguarded().find_ticket(ticket.id).unwrap().unwrap().ticket, ticket);
    // a device of another tenant cannot sell here
    let foreign = shop.amend_ticket(
        shop.tenant_id(),
        context_at(shop.fixture.user("manager").id, till),
        ticket.id,
        name_change("x"),
    );
    assert_eq!(foreign, Err(OfficeError::Ticket(TicketError::SaleDeviceRequired)));
}

#[test]
fn refused_batch_changes_nothing_and_may_change_a_ticket_twice() {
    let shop = StaffedFixture::open();
    let [one, other] = [shop.open_ticket(tea_change("1")).ticket, shop.open_ticket(tea_change("2")).ticket];
    let sold = shop.open_ticket(tea_change("1")).ticket.id;
    shop.close_ticket(sold, vec![pay(PaymentMethod::Card, "4")]).unwrap();
    let batch = |changes: &[(TicketId, Option<i64>, TicketChange)]| {
        let amendment = |(id, version, change): &(TicketId, Option<i64>, TicketChange)| TicketAmendment {
            event_id: EventId::new(NOW, random_bytes()),
            id: *id,
            version: *version,
            change: change.clone(),
        };
        shop.office_as(shop.seller_context()).amend_tickets(&changes.iter().map(amendment).collect::<Vec<_>>()).unwrap()
    };
    let lines = shop.memory.audit_events().len();
    let refused =
        batch(&[(one.id, None, name_change("a")), (other.id, None, tea_change("3")), (sold, None, name_change("c"))]);
    assert_eq!(refused, Err(OfficeError::Ticket(TicketError::Closed)));
    let moved = batch(&[(one.id, Some(1), name_change("a")), (one.id, Some(1), name_change("b"))]);
    assert_eq!(moved, Err(OfficeError::TicketVersionMismatch { ticket: one.id, current: 2 }));
    assert_eq!(shop.memory.audit_events().len(), lines);
    for before in [&one, &other] {
        assert_eq!(shop.unguarded().find_ticket(before.id).unwrap().unwrap().ticket, *before);
    }
    let done = batch(&[
        (other.id, Some(1), name_change("x")),
        (one.id, Some(1), name_change("a")),
        (one.id, Some(2), tea_change("9")),
    ]);
    let done: Vec<_> = done.unwrap().into_iter().map(|shown| (shown.ticket.id, shown.ticket.version)).collect();
    assert_eq!(done, [(other.id, 2), (one.id, 2), (one.id, 3)], "in the order of the request");
    let kept = shop.unguarded().find_ticket(one.id).unwrap().unwrap().ticket;
    assert_eq!((kept.version, kept.sheet.name.as_str(), payable_text(&kept)), (3, "a", "36.00".into()));
    assert_eq!(shop.memory.audit_events().len(), lines + 3);
}

#[test]
fn idempotency_key_of_an_earlier_release_counts_for_its_day() {
    let shop = StaffedFixture::open();
    let sold = shop.open_ticket(tea_change("3")).ticket;
    shop.close_ticket(sold.id, vec![pay(PaymentMethod::Card, "12")]).unwrap();
    let kept = |key: IdempotencyKey, request: [u8; 32]| {
        let key = ScopedIdempotencyKey { tenant: shop.tenant_id(), user: shop.fixture.user("manager").id, key };
        let answered = StoredResponse { request_digest: request, ticket: sold.clone() };
        assert!(shop.store().write("test", |tx| tx.idempotency_keys().insert(&key, &answered, NOW)).unwrap());
    };
    // as an earlier release stored them: by a digest of the body's bytes, and one key within its
    // quotation marks
    kept(IdempotencyKey::parse("bare").unwrap(), [101; 32]);
    kept(IdempotencyKey::parse("quoted").unwrap().to_legacy_quoted().unwrap(), [101; 32]);
    for key in ["bare", "\"bare\"", "quoted", "\"quoted\""] {
        let again =
            shop.refund_ticket(&shop.seller_context(), sold.id, None, Some(&idempotent_request(key, 1))).unwrap();
        assert!(again.replayed && again.ticket.ticket.id == sold.id, "{key}");
        let other = shop.refund_ticket(&shop.seller_context(), sold.id, None, Some(&idempotent_request(key, 2)));
        assert_eq!(other.map(|made| made.replayed), Err(OfficeError::IdempotencyKeyReused), "{key}");
    }
}

#[test]
fn sold_items_are_refunded_once_and_a_refund_never() {
    let shop = StaffedFixture::open();
    let sold = shop.open_ticket(tea_change("3")).ticket.id;
    let by = || shop.seller_context();
    let refused =
        |answer: Result<office::TicketCreation, OfficeError>| answer.map(|made| made.ticket.ticket.id).unwrap_err();
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
    let without = context_with(shop.fixture.user("manager").id, shop.fixture.device("P01").id, &["ticketCreate"]);
    assert_eq!(refused(shop.refund_ticket(&without, sold, None, None)), missing_right("storno"));
}

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
    let lines = shop.memory.audit_events().iter().filter(|event| event.action == Action::TicketClose).count();
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
    let colleague = |names: &[&str]| context_with(shop.fixture.user("admin").id, shop.fixture.device("P01").id, names);
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
fn item_after_the_highest_id_gets_a_free_id() {
    let shop = StaffedFixture::open();
    let item = |id| ItemInput { id, ..tea_line("1", "1") };
    let sheet = |items: Vec<ItemInput>| TicketChange { items: Some(items), ..TicketChange::default() };
    let opened = shop.open_ticket(sheet(vec![item(Some(u32::MAX)), item(None), item(Some(2)), item(None)])).ticket;
    let ids = |ticket: &Ticket| ticket.sheet.items.iter().map(|item| item.id).collect::<Vec<_>>();
    assert_eq!(ids(&opened), [u32::MAX, 1, 2, 3]);
    // the id of a removed item is not reused while another id is free
    let fewer = sheet(vec![item(Some(u32::MAX)), item(None)]);
    assert_eq!(
        ids(&shop.amend_ticket(shop.tenant_id(), shop.seller_context(), opened.id, fewer).unwrap().ticket),
        [u32::MAX, 4]
    );
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
