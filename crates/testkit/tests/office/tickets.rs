//! The use cases of tickets: to whom one may belong, the walls between tenants, what counts once, what a refused batch leaves, and
//! how one is paid.

use std::collections::BTreeMap;

use tillgate_domain::office::ports::{
    Answered, IdempotencyKey, Part, RequestKey, TicketFilter, TicketOrder, TicketPlace,
};
use tillgate_domain::office::{
    self, Field, NewRefund, NewTicket, Once, Owner, Refused, Shown, Stamp, TicketAmendment, TicketChange,
    TicketClosing, TicketSearch, WantedLine,
};
use tillgate_domain::ticket::{
    Article, Currency, ItemKind, Label, Line, Means, Meta, Note, Payment, Rate, Ticket, TicketRefused, TicketState,
    TicketStatus,
};
use tillgate_domain::{
    Action, Actor, DeviceId, ExactJson, JsonObject, StoreExt, TenantId, TicketId, User, UserId, UserStatus,
};

use crate::asked::*;
use crate::staffed::*;

/// Somebody at a device with every right.
fn at(user: UserId, device: DeviceId) -> Stamp {
    with(user, device, &["admin"])
}

fn with(user: UserId, device: DeviceId, names: &[&str]) -> Stamp {
    Stamp { actor: Actor { user: Some(user), device: Some(device), ..Actor::default() }, ..caller(names) }
}

fn tea(price: &str, quantity: &str) -> WantedLine {
    let line = Line {
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
    WantedLine { id: None, line }
}

fn paid(means: Means, amount: &str) -> Payment {
    Payment { means, name: Label::default(), amount: amount.parse().unwrap() }
}

fn payable(ticket: &Ticket) -> String {
    ticket.sheet.money(ticket.sheet.payable()).to_string()
}

fn new_ticket(sheet: TicketChange) -> NewTicket {
    NewTicket { id: TicketId::new(AT, random()), currency: Currency::parse("EUR").unwrap(), sheet }
}

/// So many teas at 4.00.
fn teas(quantity: &str) -> TicketChange {
    TicketChange { items: Some(vec![tea("4", quantity)]), ..TicketChange::default() }
}

fn named(name: &str) -> TicketChange {
    TicketChange { name: Some(Label::parse(name).unwrap()), ..TicketChange::default() }
}

fn owned_by(owner: Owner) -> TicketChange {
    TicketChange { owner: Some(owner), ..TicketChange::default() }
}

fn once(key: &str, request: u8) -> Once {
    Once { key: IdempotencyKey::parse(key).unwrap(), request: [request; 32], earlier: [request + 100; 32] }
}

impl Shop {
    /// The manager at P01, who opens tickets here.
    fn seller(&self) -> Stamp {
        at(self.world.manager.id, self.world.p01.id)
    }

    fn opened(&self, sheet: TicketChange) -> Shown {
        let made = office::open_ticket(self.store(), self.id(), &self.seller(), &new_ticket(sheet), None).unwrap();
        made.unwrap().shown
    }

    fn amend(&self, tenant: TenantId, stamp: Stamp, id: TicketId, change: TicketChange) -> Result<Vec<Shown>, Refused> {
        let amendment = TicketAmendment { stamp, id, version: None, change };
        office::amend_tickets(self.store(), tenant, &[amendment]).unwrap()
    }

    fn close(&self, id: TicketId, payments: Vec<Payment>) -> Result<Shown, Refused> {
        let closing = TicketClosing { payments: Some(payments), ..TicketClosing::default() };
        office::close_ticket(self.store(), self.id(), &self.seller(), id, None, &closing).unwrap()
    }

    fn take_back(
        &self,
        stamp: &Stamp,
        sold: TicketId,
        items: Option<&[(u32, &str)]>,
        once: Option<&Once>,
    ) -> Result<office::Made, Refused> {
        let items = items.map(|items| {
            items.iter().map(|(id, quantity)| (*id, quantity.parse().unwrap())).collect::<BTreeMap<_, _>>()
        });
        let new = NewRefund { id: TicketId::new(AT, random()), items };
        office::refund_ticket(self.store(), self.id(), stamp, sold, &new, once).unwrap()
    }

    fn hire(&self, tenant: TenantId, called: &str) -> User {
        office::add_user(self.store(), tenant, &stamp(), &new_user(called, &["cashier"])).unwrap().unwrap()
    }

    fn user_status(&self, id: UserId, status: UserStatus) {
        office::set_user_status(self.store(), self.id(), &stamp(), id, status).unwrap().unwrap();
    }
}

#[test]
fn a_ticket_goes_to_who_is_there_to_take_it() {
    let shop = Shop::open();
    let elsewhere = office::add_tenant(shop.store(), &stamp(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let stranger = shop.hire(elsewhere, "stranger");
    let (away, gone, eva) = (shop.hire(shop.id(), "away"), shop.hire(shop.id(), "gone"), shop.hire(shop.id(), "Eva"));
    shop.user_status(away.id, UserStatus::Suspended);
    shop.user_status(gone.id, UserStatus::Deleted);
    let new = office::NewUser { status: UserStatus::Pending, ..new_user("new", &["cashier"]) };
    let new = office::add_user(shop.store(), shop.id(), &stamp(), &new).unwrap().unwrap();
    let ticket = shop.opened(teas("1")).ticket.id;
    let unknown = |value: String| Err(Refused::Unknown { field: Field::Owner, value });
    for user in [&stranger, &away, &gone, &new] {
        for owner in [Owner::Id(user.id), Owner::Named(user.name.clone())] {
            let value = if matches!(owner, Owner::Id(_)) { user.id.to_string() } else { user.name.to_string() };
            let change = owned_by(owner);
            assert_eq!(shop.amend(shop.id(), shop.seller(), ticket, change.clone()), unknown(value.clone()));
            let opened =
                office::open_ticket(shop.store(), shop.id(), &shop.seller(), &new_ticket(change), None).unwrap();
            assert_eq!(opened.unwrap_err(), Refused::Unknown { field: Field::Owner, value });
        }
    }
    let told = shop.memory.audit().iter().filter(|event| event.action == Action::TicketUpdate).count();
    assert_eq!(told, 0);
    let given = shop.amend(shop.id(), shop.seller(), ticket, owned_by(Owner::Named(eva.name.clone()))).unwrap();
    assert_eq!(given[0].ticket.sheet.owner, eva.id);
    // who leaves keeps what they had, and a till that sends the ticket back as it read it changes nothing of that
    shop.user_status(eva.id, UserStatus::Deleted);
    let other = shop.hire(shop.id(), "eva");
    for owner in [Owner::Id(eva.id), Owner::Named(eva.name.clone())] {
        let kept = shop.amend(shop.id(), shop.seller(), ticket, owned_by(owner)).unwrap();
        assert_eq!((kept[0].ticket.sheet.owner, kept[0].ticket.version), (eva.id, 2), "as it was");
    }
    let over = shop.amend(shop.id(), shop.seller(), ticket, owned_by(Owner::Id(other.id))).unwrap();
    assert_eq!(over[0].ticket.sheet.owner, other.id);
}

#[test]
fn a_ticket_of_another_tenant_is_not_there() {
    let shop = Shop::open();
    let elsewhere = office::add_tenant(shop.store(), &stamp(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let stranger = shop.hire(elsewhere, "stranger").id;
    let till = office::add_device(shop.store(), elsewhere, &stamp(), &new_device("P01")).unwrap().unwrap().id;
    let ticket = shop.opened(teas("1")).ticket;
    let sold = shop.opened(teas("1")).ticket.id;
    shop.close(sold, vec![paid(Means::Card, "4")]).unwrap();
    let by = || at(stranger, till);
    let absent = |id: TicketId| Refused::Absent { field: Field::Ticket, value: id.to_string() };
    assert_eq!(office::find_ticket(shop.store(), elsewhere, ticket.id).unwrap(), None);
    assert_eq!(shop.amend(elsewhere, by(), ticket.id, named("x")), Err(absent(ticket.id)));
    let closing = TicketClosing { as_cash: true, ..TicketClosing::default() };
    let closed = office::close_ticket(shop.store(), elsewhere, &by(), ticket.id, None, &closing).unwrap();
    assert_eq!(closed, Err(absent(ticket.id)));
    let void = office::void_ticket(shop.store(), elsewhere, &by(), ticket.id, None, &Note::default()).unwrap();
    assert_eq!(void, Err(absent(ticket.id)));
    let back = NewRefund { id: TicketId::new(AT, random()), items: None };
    let back = office::refund_ticket(shop.store(), elsewhere, &by(), sold, &back, None).unwrap();
    assert_eq!(back, Err(absent(sold)));
    let every = TicketFilter::default();
    assert_eq!(office::count_tickets(shop.store(), elsewhere, &every).unwrap(), 0);
    let order = TicketOrder::default();
    // from before the first of ours
    let part = Part { after: Some(TicketPlace { key: i64::MIN, id: ticket.id }), skip: 0, limit: 9 };
    let search = TicketSearch { filter: every, order, part };
    assert!(office::list_tickets(shop.store(), elsewhere, &search).unwrap().is_empty());
    // who draws the id of another tenant's ticket has one of their own, and the other stays
    let same = NewTicket { id: ticket.id, ..new_ticket(teas("2")) };
    let (own, opened) = office::put_ticket(shop.store(), elsewhere, &by(), &same, None).unwrap().unwrap();
    assert!(opened && own.ticket.tenant == elsewhere);
    assert_eq!(office::find_ticket(shop.store(), shop.id(), ticket.id).unwrap().unwrap().ticket, ticket);
    // another tenant's till sells nothing here
    let foreign = shop.amend(shop.id(), at(shop.world.manager.id, till), ticket.id, named("x"));
    assert_eq!(foreign, Err(Refused::Ticket(TicketRefused::NotSelling)));
}

#[test]
fn a_refused_batch_leaves_all_as_they_were_and_one_ticket_may_change_twice() {
    let shop = Shop::open();
    let [one, other] = [shop.opened(teas("1")).ticket, shop.opened(teas("2")).ticket];
    let sold = shop.opened(teas("1")).ticket.id;
    shop.close(sold, vec![paid(Means::Card, "4")]).unwrap();
    let batch = |changes: &[(TicketId, Option<i64>, TicketChange)]| {
        let amendment = |(id, version, change): &(TicketId, Option<i64>, TicketChange)| TicketAmendment {
            stamp: shop.seller(),
            id: *id,
            version: *version,
            change: change.clone(),
        };
        office::amend_tickets(shop.store(), shop.id(), &changes.iter().map(amendment).collect::<Vec<_>>()).unwrap()
    };
    let lines = shop.memory.audit().len();
    let refused = batch(&[(one.id, None, named("a")), (other.id, None, teas("3")), (sold, None, named("c"))]);
    assert_eq!(refused, Err(Refused::Ticket(TicketRefused::Closed)));
    let moved = batch(&[(one.id, Some(1), named("a")), (one.id, Some(1), named("b"))]);
    assert_eq!(moved, Err(Refused::TicketMoved { ticket: one.id, current: 2 }));
    assert_eq!(shop.memory.audit().len(), lines);
    for before in [&one, &other] {
        assert_eq!(office::find_ticket(shop.store(), shop.id(), before.id).unwrap().unwrap().ticket, *before);
    }
    let done = batch(&[(other.id, Some(1), named("x")), (one.id, Some(1), named("a")), (one.id, Some(2), teas("9"))]);
    let done: Vec<_> = done.unwrap().into_iter().map(|shown| (shown.ticket.id, shown.ticket.version)).collect();
    assert_eq!(done, [(other.id, 2), (one.id, 2), (one.id, 3)], "in the order of the request");
    let kept = office::find_ticket(shop.store(), shop.id(), one.id).unwrap().unwrap().ticket;
    assert_eq!((kept.version, kept.sheet.name.as_str(), payable(&kept)), (3, "a", "36.00".into()));
    assert_eq!(shop.memory.audit().len(), lines + 3);
}

#[test]
fn a_key_that_an_earlier_server_kept_counts_for_the_rest_of_its_day() {
    let shop = Shop::open();
    let sold = shop.opened(teas("3")).ticket;
    shop.close(sold.id, vec![paid(Means::Card, "12")]).unwrap();
    let kept = |key: IdempotencyKey, request: [u8; 32]| {
        let key = RequestKey { tenant: shop.id(), user: shop.world.manager.id, key };
        let answered = Answered { request, ticket: sold.clone() };
        assert!(shop.store().write(|tx| tx.idempotency_keys().insert(&key, &answered, AT)).unwrap());
    };
    // by the bytes of the body, and in the quotation marks in which it was sent
    kept(IdempotencyKey::parse("bare").unwrap(), [101; 32]);
    kept(IdempotencyKey::parse("quoted").unwrap().as_kept_quoted().unwrap(), [101; 32]);
    for key in ["bare", "\"bare\"", "quoted", "\"quoted\""] {
        let again = shop.take_back(&shop.seller(), sold.id, None, Some(&once(key, 1))).unwrap();
        assert!(again.again && again.shown.ticket.id == sold.id, "{key}");
        let other = shop.take_back(&shop.seller(), sold.id, None, Some(&once(key, 2)));
        assert_eq!(other.map(|made| made.again), Err(Refused::KeyReused), "{key}");
    }
}

#[test]
fn what_was_sold_comes_back_once_and_a_refund_not_at_all() {
    let shop = Shop::open();
    let sold = shop.opened(teas("3")).ticket.id;
    let by = || shop.seller();
    let refused = |answer: Result<office::Made, Refused>| answer.map(|made| made.shown.ticket.id).unwrap_err();
    assert_eq!(refused(shop.take_back(&by(), sold, None, None)), Refused::Ticket(TicketRefused::NotSold));
    shop.close(sold, vec![paid(Means::Card, "12")]).unwrap();
    let first = shop.take_back(&by(), sold, Some(&[(1, "1")]), Some(&once("k", 1))).unwrap();
    let again = shop.take_back(&by(), sold, Some(&[(1, "1")]), Some(&once("k", 1))).unwrap();
    assert_eq!((again.shown.ticket.id, again.again), (first.shown.ticket.id, true));
    assert_eq!(refused(shop.take_back(&by(), sold, Some(&[(1, "1")]), Some(&once("k", 2)))), Refused::KeyReused);
    let more = refused(shop.take_back(&by(), sold, Some(&[(1, "2.000001")]), None));
    assert_eq!(more.code(), "refund_too_large");
    // the same key of somebody else is another
    let other = at(shop.world.admin.id, shop.world.p01.id);
    let rest = shop.take_back(&other, sold, None, Some(&once("k", 1))).unwrap().shown.ticket;
    assert_eq!(payable(&rest), "-8.00");
    assert_eq!(refused(shop.take_back(&by(), sold, None, None)).code(), "refund_empty", "nothing is left");
    // a refund is closed by paying out, to the cent, and never taken back itself
    for wrong in [vec![], vec![paid(Means::Cash, "8")], vec![paid(Means::Cash, "-9")], vec![paid(Means::Cash, "-7.99")]]
    {
        assert!(shop.close(rest.id, wrong.clone()).is_err(), "{wrong:?}");
    }
    let out = shop.close(rest.id, vec![paid(Means::Cash, "-5"), paid(Means::Card, "-3")]).unwrap().ticket;
    assert!(out.change().unwrap().is_zero());
    assert_eq!(refused(shop.take_back(&by(), rest.id, None, None)).code(), "refund_of_refund");
    // one that is made void takes nothing back
    office::void_ticket(shop.store(), shop.id(), &by(), first.shown.ticket.id, None, &Note::default())
        .unwrap()
        .unwrap();
    let left = shop.take_back(&by(), sold, None, None).unwrap().shown.ticket;
    assert_eq!(payable(&left), "-4.00");
    let without = with(shop.world.manager.id, shop.world.p01.id, &["ticketCreate"]);
    assert_eq!(refused(shop.take_back(&without, sold, None, None)), missing("storno"));
}

#[test]
fn many_pay_and_change_is_given_on_cash_alone() {
    let shop = Shop::open();
    let ticket = shop.opened(teas("3")).ticket.id;
    let (card, voucher, cash) = (Means::Card, Means::Voucher, Means::Cash);
    for (wrong, code) in [
        (vec![], "ticket_unpaid"),
        (vec![paid(card, "5"), paid(voucher, "6.99")], "ticket_unpaid"),
        (vec![paid(card, "5"), paid(voucher, "7.01")], "ticket_overpaid"),
        (vec![paid(card, "12"), paid(cash, "0")], "payment_invalid"),
        (vec![paid(card, "13"), paid(cash, "-1")], "payment_invalid"),
        (vec![paid(card, "14"), paid(cash, "1")], "ticket_overpaid"),
    ] {
        assert_eq!(shop.close(ticket, wrong.clone()).unwrap_err().code(), code, "{wrong:?}");
    }
    let done = shop.close(ticket, vec![paid(card, "5"), paid(voucher, "2"), paid(cash, "4"), paid(cash, "6")]).unwrap();
    assert_eq!(done.ticket.change().unwrap(), "5".parse().unwrap());
    assert_eq!(done.ticket.state.status(), TicketStatus::Closed);
    assert_eq!(shop.last().details["change"], "5.00");
    assert_eq!(shop.last().details["number"], 1, "what was refused took no number");
    assert_eq!(shop.close(ticket, vec![]), Err(Refused::Ticket(TicketRefused::Closed)));
}

#[test]
fn a_receipt_has_a_number_that_no_other_of_its_series_has() {
    let shop = Shop::open();
    let close = |number, fiscal: &str| {
        let id = shop.opened(teas("1")).ticket.id;
        let closing = TicketClosing {
            payments: Some(vec![paid(Means::Cash, "4")]),
            number,
            fiscal: Label::parse(fiscal).unwrap(),
            ..TicketClosing::default()
        };
        let closed = office::close_ticket(shop.store(), shop.id(), &shop.seller(), id, None, &closing).unwrap();
        closed.map(|shown| match &shown.ticket.state {
            TicketState::Closed(closing) => closing.receipt.number,
            state => panic!("{state:?}"),
        })
    };
    let taken = |number| Err(Refused::Ticket(TicketRefused::NumberTaken(number)));
    assert_eq!([close(None, ""), close(Some(2), ""), close(None, "")], [Ok(1), Ok(2), Ok(3)]);
    assert_eq!([close(Some(1), ""), close(Some(2), ""), close(Some(3), "")], [taken(1), taken(2), taken(3)]);
    assert_eq!(
        [close(Some(777), "FM1"), close(Some(777), "FM1"), close(Some(777), "FM2")],
        [Ok(777), taken(777), Ok(777)]
    );
    assert_eq!([close(None, "FM1"), close(None, "")], [Ok(1), Ok(4)]);
    // what was refused has taken no number and closed nothing
    let lines = shop.memory.audit().iter().filter(|event| event.action == Action::TicketClose).count();
    assert_eq!(lines, 7);
}

#[test]
fn closing_changes_no_payments_of_a_colleague() {
    let shop = Shop::open();
    let change = TicketChange { payments: Some(vec![paid(Means::Card, "12")]), ..teas("3") };
    let ticket = shop.opened(change).ticket.id;
    let close = |stamp: &Stamp, closing: &TicketClosing| {
        office::close_ticket(shop.store(), shop.id(), stamp, ticket, None, closing)
            .unwrap()
            .map(|shown| shown.ticket.version)
    };
    let colleague = |names: &[&str]| with(shop.world.admin.id, shop.world.p01.id, names);
    let cash = TicketClosing { payments: Some(vec![paid(Means::Cash, "12")]), ..TicketClosing::default() };
    let numbered = TicketClosing { number: Some(999), ..TicketClosing::default() };
    let reported = TicketClosing { daily_sales_report: Some(1), ..TicketClosing::default() };
    let serial = ("fiscalMemorySerialNumber".to_owned(), ExactJson::text("SN1"));
    let extra = Meta::new(JsonObject::new(vec![serial])).unwrap();
    let told = TicketClosing { extra, ..TicketClosing::default() };
    for closing in [&cash, &numbered, &reported, &told] {
        assert_eq!(close(&colleague(&["ticketClose", "ticketUpdate"]), closing), Err(missing("ticketUpdateAny")));
    }
    assert_eq!(
        close(&colleague(&["ticketClose"]), &TicketClosing { as_cash: true, ..TicketClosing::default() }),
        Ok(2)
    );
}

#[test]
fn the_item_after_the_last_id_there_is_gets_one_that_is_free() {
    let shop = Shop::open();
    let item = |id| WantedLine { id, ..tea("1", "1") };
    let sheet = |items: Vec<WantedLine>| TicketChange { items: Some(items), ..TicketChange::default() };
    let opened = shop.opened(sheet(vec![item(Some(u32::MAX)), item(None), item(Some(2)), item(None)])).ticket;
    let ids = |ticket: &Ticket| ticket.sheet.items.iter().map(|item| item.id).collect::<Vec<_>>();
    assert_eq!(ids(&opened), [u32::MAX, 1, 2, 3]);
    // an id that was there before the change is not given anew while there is another
    let fewer = sheet(vec![item(Some(u32::MAX)), item(None)]);
    assert_eq!(ids(&shop.amend(shop.id(), shop.seller(), opened.id, fewer).unwrap()[0].ticket), [u32::MAX, 4]);
}

#[test]
fn money_is_what_the_currency_pays() {
    let shop = Shop::open();
    let open = |code: &str, sheet: TicketChange| {
        let new = NewTicket { currency: Currency::parse(code).unwrap(), ..new_ticket(sheet) };
        let made = office::open_ticket(shop.store(), shop.id(), &shop.seller(), &new, None).unwrap();
        made.map(|made| payable(&made.shown.ticket))
    };
    let of = |price: &str, rounding: &str| TicketChange {
        items: Some(vec![tea(price, "1")]),
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
    let paid_so = |amount: &str| TicketChange { payments: Some(vec![paid(Means::Card, amount)]), ..of("1", "0") };
    assert_eq!(refused("JPY", paid_so("0.5")), "amount_unpayable");
    assert_eq!(open("KWD", paid_so("0.005")), Ok("1.000".to_owned()));
}
