//! Tickets: found as they were written, changed from the version that was read, and never again once they are closed or void.

use tillgate_domain::office::ports::{OfficeTx, OrderedBy, Part, TicketFilter, TicketOrder};
use tillgate_domain::ticket::{
    Amount, Currency, Customer, Draft, Hand, Item, Label, Location, Meta, Note, NumberSeries, Rounding, Sheet, Ticket,
    TicketStatus, amend, refund, void,
};
use tillgate_domain::{StoreExt, Stored, TenantId, TicketId};

use crate::Whole;
use crate::meeting::{Crossing, both};
use crate::sale::{self, cash, id, item, line, opening};
use crate::shop::{Shop, at, office};

pub(super) fn insert(whole: &Whole, ticket: &Ticket) -> bool {
    office(whole, |tx| tx.tickets().insert(ticket))
}

pub(super) fn update(whole: &Whole, ticket: &Ticket) -> bool {
    office(whole, |tx| tx.tickets().update(ticket))
}

pub(super) fn find(whole: &Whole, tenant: TenantId, id: TicketId) -> Option<Ticket> {
    whole.office.read(|tx| tx.tickets().find(tenant, id)).unwrap()
}

pub(super) fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub(super) fn hand(shop: &Shop) -> Hand {
    sale::hand(shop)
}

/// The ticket of this number, Anna's, opened on the till in the second of its number.
pub(super) fn ticket(shop: &Shop, number: u8, draft: Draft) -> Ticket {
    sale::opened(shop, number, draft)
}

/// Tea, of this price.
pub(super) fn tea(shop: &Shop, price: &str) -> Draft {
    Draft { items: vec![item(1, price, "1")], ..Draft::of(shop.anna.id, sale::euro()) }
}

fn renamed(ticket: &Ticket, name: &str, shop: &Shop) -> Ticket {
    let sheet = Draft { name: label(name), ..ticket.sheet.draft().clone() }.check().unwrap();
    amend(ticket, sheet, &hand(shop), None, at(90)).unwrap().ticket
}

pub(super) fn paid(ticket: &Ticket, shop: &Shop, number: u64) -> Ticket {
    sale::closed(ticket, shop, number)
}

pub(super) fn voided(ticket: &Ticket, shop: &Shop) -> Ticket {
    void(ticket, Note::parse("left\nwithout a word").unwrap(), &hand(shop), None, at(92)).unwrap()
}

/// Everything that can stand on a ticket.
fn full(shop: &Shop) -> Sheet {
    let mut cake = line(7, "-0.000001", "-999999.999999");
    cake.external_id = label("x-7");
    cake.comment = Note::parse("no cream\nplease").unwrap();
    cake.discount = "33.333333".parse().unwrap();
    cake.article.vat = Some("19.5".parse().unwrap());
    cake.article.description = Note::parse("Torte \"Sacher\"").unwrap();
    cake.article.order_endpoints = vec![label("kitchen"), label("bar")];
    cake.article.price_fixed = true;
    cake.article.cashback_allowed = true;
    cake.article.extra = kept(&serde_json::json!({ "specialRegulation": "UsedGood" }));
    let items = vec![Item::new(cake).unwrap(), item(2, "5.363636", "1.234")];
    let meta = serde_json::json!({ "level": 3, "tags": ["a", null, { "b": 1 }] });
    let customer = Customer {
        id: label("c1"),
        external_id: label("9"),
        card_serial_number: label("0042"),
        first_name: label("Jana"),
        last_name: label("Veľká"),
        full_name: label("Jana Veľká"),
        phone: label("+421 900"),
        email: label("jana@example.com"),
        credit: "1.5".parse().unwrap(),
        discount: "10".parse().unwrap(),
        meta: kept(&meta),
        extra: kept(&serde_json::json!({ "gender": "Female", "isCompany": false, "address": { "city": "Žilina" } })),
    };
    let draft = Draft {
        external_id: label("till-1"),
        name: label("Stôl 5"),
        location: Location { zone: label("garden"), table: label("5") },
        discount: customer.discount,
        customer: Some(customer),
        items,
        rounding: Rounding::of_cash("-0.02".parse().unwrap(), sale::euro()).unwrap(),
        payments: vec![cash("0.01"), cash("99.99")],
        ..Draft::of(shop.anna.id, sale::euro())
    };
    draft.check().unwrap()
}

fn kept(object: &serde_json::Value) -> Meta {
    Meta::new(object.as_object().unwrap().clone().into()).unwrap()
}

/// A ticket comes back as it was added and as it was changed, in each of its states, to the last digit.
pub fn a_ticket_comes_back_as_it_was_written(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let first = ticket(&shop, 1, full(&shop).draft().clone());
    assert!(insert(whole, &first));
    assert_eq!(find(whole, shop.tenant.id, id(1)).as_ref(), Some(&first));
    let changed = renamed(&first, "Stôl 6", &shop);
    assert!(update(whole, &changed));
    assert_eq!(find(whole, shop.tenant.id, id(1)).as_ref(), Some(&changed));
    let plain = ticket(&shop, 2, tea(&shop, "3"));
    assert!(insert(whole, &plain));
    let sold = paid(&plain, &shop, 7);
    assert!(update(whole, &sold));
    assert_eq!(find(whole, shop.tenant.id, id(2)).as_ref(), Some(&sold));
    let gone = voided(&changed, &shop);
    assert!(update(whole, &gone));
    assert_eq!(find(whole, shop.tenant.id, id(1)).as_ref(), Some(&gone));
    let back = refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), opening(&shop, 3), &hand(&shop)).unwrap();
    assert!(insert(whole, &back));
    assert_eq!(find(whole, shop.tenant.id, id(3)).as_ref(), Some(&back));
    assert_eq!(find(whole, shop.tenant.id, id(4)), None);
}

/// A ticket of any currency comes back to its last place, and its smallest unit is put in order.
pub fn a_ticket_of_any_currency_comes_back(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let mut made = Vec::new();
    for (number, code, price, rounding) in
        [(1, "KWD", "1.236", "0.003"), (2, "KWD", "1.234", "0"), (3, "JPY", "1", "0"), (4, "CLF", "1.2341", "-0.0002")]
    {
        let currency = Currency::parse(code).unwrap();
        let rounding = Rounding::kept(rounding.parse().unwrap(), Amount::ZERO);
        let payments = vec![cash(price)];
        let items = vec![item(1, price, "1")];
        let draft = Draft { items, rounding, payments, ..Draft::of(shop.anna.id, currency) };
        let ticket = ticket(&shop, number, draft);
        assert!(insert(whole, &ticket));
        assert_eq!(find(whole, shop.tenant.id, id(number)).as_ref(), Some(&ticket), "{code}");
        made.push(ticket);
    }
    let sold = paid(&Ticket::restore(made[1].record().clone()).unwrap(), &shop, 1);
    assert!(update(whole, &sold));
    assert_eq!(find(whole, shop.tenant.id, id(2)), Some(sold));
    let order = TicketOrder { by: OrderedBy::Payable, backwards: false };
    let mut part = Part::first(1);
    for expected in [3, 4, 2, 1] {
        let found = whole.office.read(|tx| tx.tickets().list(shop.tenant.id, &TicketFilter::default(), order, &part));
        let found = found.unwrap();
        assert_eq!(found[0].id, id(expected));
        part.after = Some(order.by.place(&found[0]));
    }
}

/// An id is taken once in a tenant, whatever the state of the ticket that has it; another tenant's is another ticket.
pub fn an_id_of_a_ticket_is_taken_once(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let first = ticket(&shop, 1, tea(&shop, "3"));
    assert!(insert(whole, &first));
    let second = ticket(&shop, 1, tea(&shop, "4"));
    assert!(!insert(whole, &second));
    assert_eq!(find(whole, shop.tenant.id, id(1)).as_ref(), Some(&first));
    let sold = paid(&first, &shop, 1);
    assert!(update(whole, &sold));
    assert!(!insert(whole, &second), "one that is closed");
    assert_eq!(find(whole, shop.tenant.id, id(1)).as_ref(), Some(&sold));
    assert_eq!(find(whole, shop.other.id, id(1)), None);
    let far = sale::far(&shop, 1);
    assert!(insert(whole, &far));
    assert_eq!(find(whole, shop.other.id, id(1)), Some(far));
    assert_eq!(find(whole, shop.tenant.id, id(1)), Some(sold));
}

/// An update asks for the version before it, and a ticket that is closed or void takes none.
pub fn an_update_of_a_ticket_may_be_lost(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let first = ticket(&shop, 1, tea(&shop, "3"));
    assert!(!update(whole, &renamed(&first, "nowhere", &shop)), "one that is not there");
    assert!(insert(whole, &first));
    let second = renamed(&first, "second", &shop);
    assert!(!update(whole, &renamed(&second, "from the future", &shop)));
    assert!(update(whole, &second));
    assert!(!update(whole, &renamed(&first, "late", &shop)));
    assert_eq!(find(whole, shop.tenant.id, id(1)).as_ref(), Some(&second));
    let third = ticket(&shop, 3, tea(&shop, "3"));
    assert!(insert(whole, &third));
    for (open, ended) in [(&second, paid(&second, &shop, 1)), (&third, voided(&third, &shop))] {
        assert!(update(whole, &ended));
        // what would be the next version of it, were it open
        let next = renamed(&renamed(open, "one", &shop), "two", &shop);
        assert_eq!(next.version, ended.version + 1);
        assert!(!update(whole, &next), "{:?}", ended.state.status());
        assert_eq!(find(whole, shop.tenant.id, ended.id), Some(ended));
    }
}

/// The refunds of a ticket are told, whatever their state, and no others.
pub fn the_refunds_of_a_ticket_are_told(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let draft = Draft { items: vec![item(1, "1", "9")], ..Draft::of(shop.anna.id, sale::euro()) };
    let mut sold = Vec::new();
    for number in [1, 2] {
        let open = ticket(&shop, number, draft.clone());
        assert!(insert(whole, &open));
        sold.push(paid(&open, &shop, u64::from(number)));
        assert!(update(whole, &sold[sold.len() - 1]));
    }
    let mut made = Vec::new();
    for (number, of) in [(3, 0), (4, 0), (5, 0), (6, 1)] {
        let one = [(1, "1".parse().unwrap())].into();
        let back = refund(&sold[of], &[], &one, opening(&shop, number), &hand(&shop)).unwrap();
        assert!(insert(whole, &back));
        made.push(back);
    }
    made[1] = paid(&made[1], &shop, 3);
    made[2] = voided(&made[2], &shop);
    assert!(update(whole, &made[1]) && update(whole, &made[2]));
    let refunds = |of: u8| {
        let mut found = whole.office.read(|tx| tx.tickets().refunds(shop.tenant.id, id(of))).unwrap();
        found.sort_by_key(|ticket| ticket.id);
        found
    };
    assert_eq!(refunds(1), made[..3]);
    assert_eq!(refunds(2), made[3..]);
    assert!(refunds(3).is_empty());
    let far = whole.office.read(|tx| tx.tickets().refunds(shop.other.id, id(1))).unwrap();
    assert!(far.is_empty());
}

fn series(shop: &Shop, fiscal: &str) -> NumberSeries {
    NumberSeries::of(shop.till.id, &label(fiscal))
}

/// A shop in which the tickets of the numbers 1 to 9 are open.
fn nine(whole: &Whole) -> Shop {
    let shop = Shop::open(&whole.bench);
    for number in 1..=9 {
        assert!(insert(whole, &ticket(&shop, number, tea(&shop, "3"))));
    }
    shop
}

/// Numbers of receipts are drawn one after the other in each series, and none is lost with what is rolled back.
pub fn numbers_of_a_series_have_no_gap(whole: &Whole) {
    let shop = nine(whole);
    let draw = |series: &NumberSeries, ticket| {
        office(whole, |tx| tx.tickets().draw_number(shop.tenant.id, series, id(ticket)))
    };
    let (till, handheld) = (series(&shop, ""), NumberSeries::of(shop.handheld.id, &label("")));
    assert_eq!([draw(&till, 1), draw(&till, 2), draw(&handheld, 3), draw(&series(&shop, "eKasa"), 4)], [1, 2, 1, 1]);
    let failed: Stored<u64> = whole.office.write(|tx| {
        tx.tickets().draw_number(shop.tenant.id, &till, id(5))?;
        Err(tillgate_domain::StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    assert_eq!(draw(&till, 5), 3);
    // the fiscal memory is one, whichever device it numbers for
    let shared = NumberSeries::of(shop.handheld.id, &label("eKasa"));
    assert_eq!(draw(&shared, 6), 2);
    // and however its name is spelled
    assert_eq!([draw(&series(&shop, "EKASA"), 7), draw(&series(&shop, " ekasa "), 8)], [3, 4]);
}

/// A number that was given is nobody else's in its series, and is passed over by those that are drawn.
pub fn a_number_of_a_series_is_given_once(whole: &Whole) {
    let shop = nine(whole);
    let far = sale::far(&shop, 1);
    assert!(insert(whole, &far));
    let give_in = |tenant, fiscal: &str, number, ticket| {
        office(whole, |tx| tx.tickets().give_number(tenant, &series(&shop, fiscal), number, id(ticket)))
    };
    let give = |fiscal: &str, number, ticket| give_in(shop.tenant.id, fiscal, number, ticket);
    let draw = |fiscal: &str, ticket| {
        office(whole, |tx| tx.tickets().draw_number(shop.tenant.id, &series(&shop, fiscal), id(ticket)))
    };
    assert!(give("FM1", 2, 1));
    assert!(!give("FM1", 2, 2) && !give("fm1 ", 2, 2));
    assert!(give("FM2", 2, 2) && give("", 2, 3), "of another series");
    assert!(give_in(shop.other.id, "FM1", 2, 1), "of another tenant");
    assert!(give("FM1", 3, 4) && give("FM1", 5, 5));
    // the largest there are, which no draw comes to
    assert!(give("FM1", u64::MAX, 6) && give("FM1", i64::MAX.unsigned_abs(), 7));
    assert!(!give("FM1", u64::MAX, 8) && !give("FM1", i64::MAX.unsigned_abs(), 8));
    assert_eq!([draw("FM1", 2), draw("FM1", 3), draw("FM1", 8), draw("FM1", 9)], [1, 4, 6, 7]);
    assert!(!give("FM1", 4, 1), "one that was drawn");
    let rolled_back: Stored<bool> = whole.office.write(|tx| {
        tx.tickets().give_number(shop.tenant.id, &series(&shop, "FM1"), 8, id(1))?;
        Err(tillgate_domain::StoreError::Fault("on purpose".into()))
    });
    assert!(rolled_back.is_err());
    assert!(give("FM1", 8, 1), "what was rolled back was not given");
}

/// Of two updates of one version one is kept.
pub fn two_updates_of_a_ticket(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let first = ticket(&shop, 1, tea(&shop, "3"));
    assert!(insert(whole, &first));
    let crossing = Crossing::default();
    let change = |after: fn(&Ticket, &Shop) -> Ticket| {
        office(whole, |tx| {
            let read = tx.tickets().find(shop.tenant.id, id(1))?.unwrap();
            crossing.meet();
            // as it was read, or as it was before the other: one version is what both saw
            let seen = if read.version == 1 { read } else { first.clone() };
            tx.tickets().update(&after(&seen, &shop))
        })
    };
    let close: fn(&Ticket, &Shop) -> Ticket = |ticket, shop| paid(ticket, shop, 1);
    let rename: fn(&Ticket, &Shop) -> Ticket = |ticket, shop| renamed(ticket, "other", shop);
    let (one, other) = both(|| change(close), || change(rename));
    assert!(one ^ other, "{one} {other}");
    let now = find(whole, shop.tenant.id, id(1)).unwrap();
    assert_eq!((now.version, now.state.status() == TicketStatus::Closed), (2, one));
}

/// Of two tickets of one id one is added.
pub fn two_tickets_of_one_id(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let crossing = Crossing::default();
    let open = |price: &'static str| {
        let ticket = ticket(&shop, 1, tea(&shop, price));
        office(whole, |tx| {
            tx.tickets().find(shop.tenant.id, id(1))?;
            crossing.meet();
            tx.tickets().insert(&ticket)
        })
    };
    let (one, other) = both(|| open("1"), || open("2"));
    assert!(one ^ other, "{one} {other}");
    let kept = find(whole, shop.tenant.id, id(1)).unwrap().sheet.payable();
    assert_eq!(kept, if one { "1" } else { "2" }.parse::<Amount>().unwrap());
}

/// Of two who take back the same goods one finds that they are back: whoever claims the sold ticket sees what the one before has
/// written.
pub fn two_refunds_of_a_ticket(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let open = ticket(&shop, 1, tea(&shop, "3"));
    assert!(insert(whole, &open) && update(whole, &paid(&open, &shop, 1)));
    let crossing = Crossing::default();
    let take_back = |number: u8| {
        office(whole, |tx| {
            let sold = tx.tickets().find(shop.tenant.id, id(1))?.unwrap();
            crossing.meet();
            tx.tickets().claim(shop.tenant.id, sold.id)?;
            let others = tx.tickets().refunds(shop.tenant.id, sold.id)?;
            let all = [(1, "1".parse().unwrap())].into();
            match refund(&sold, &others, &all, opening(&shop, number), &hand(&shop)) {
                Ok(back) => tx.tickets().insert(&back),
                Err(_) => Ok(false),
            }
        })
    };
    let (one, other) = both(|| take_back(2), || take_back(3));
    assert!(one ^ other, "{one} {other}");
    assert_eq!(whole.office.read(|tx| tx.tickets().refunds(shop.tenant.id, id(1))).unwrap().len(), 1);
}

/// Two who draw numbers of one series at once get two.
pub fn two_numbers_at_once(whole: &Whole) {
    let shop = nine(whole);
    let crossing = Crossing::default();
    let draw = |ticket: u8| {
        office(whole, |tx| {
            crossing.meet();
            tx.tickets().draw_number(shop.tenant.id, &series(&shop, "eKasa"), id(ticket))
        })
    };
    let (one, other) = both(|| draw(1), || draw(2));
    assert_eq!(one + other, 3, "{one} {other}");
}

/// Of two who give one number one has it, and who draws it meanwhile gets another.
pub fn one_number_for_two(whole: &Whole) {
    let shop = nine(whole);
    let crossing = Crossing::default();
    let give = |ticket: u8| {
        office(whole, |tx| {
            crossing.meet();
            tx.tickets().give_number(shop.tenant.id, &series(&shop, "eKasa"), 1, id(ticket))
        })
    };
    let (one, other) = both(|| give(1), || give(2));
    assert!(one ^ other, "{one} {other}");
    let crossing = Crossing::default();
    let meet = |act: &dyn Fn(&mut (dyn OfficeTx + '_)) -> Stored<u64>| {
        office(whole, |tx| {
            crossing.meet();
            act(tx)
        })
    };
    let give = |tx: &mut (dyn OfficeTx + '_)| {
        tx.tickets().give_number(shop.tenant.id, &series(&shop, "FM1"), 1, id(3)).map(u64::from)
    };
    let draw = |tx: &mut (dyn OfficeTx + '_)| tx.tickets().draw_number(shop.tenant.id, &series(&shop, "FM1"), id(4));
    let (given, drawn) = both(|| meet(&give), || meet(&draw));
    assert_eq!(drawn, if given == 1 { 2 } else { 1 }, "given {given}");
}
