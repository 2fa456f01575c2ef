use super::*;
use crate::ticket::fixtures::{
    actor, admin, amount, blank, cash, closed_ticket, euro, item, line, opened_ticket, opening, user,
};
use crate::ticket::{
    Article, Customer, Draft, Item, ItemDraft, ItemKind, Label, Location, Note, Quantity, Rounding, refund,
};
use crate::{Instant, MissingRight, Right};

const LATER: Instant = Instant::from_millis(5_000);

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn customer(rate: &str) -> Customer {
    Customer { id: label("c1"), discount: rate.parse().unwrap(), ..Customer::default() }
}

/// Two teas and one cake with a fixed price, for a customer with a discount of 10 %, owned by the
/// first user.
fn before() -> Draft {
    let fixed = Article { price_fixed: true, vat: Some("10".parse().unwrap()), ..line(2, "4", "1").article };
    let cake = Item::new(ItemDraft { article: fixed, ..line(2, "4", "1") }).unwrap();
    Draft { items: vec![item(1, "2", "2"), cake], ..blank().with_customer(customer("10")) }
}

fn with_tea(change: impl FnOnce(&mut ItemDraft)) -> Draft {
    with_item(0, change)
}

fn with_cake(change: impl FnOnce(&mut ItemDraft)) -> Draft {
    with_item(1, change)
}

fn with_item(index: usize, change: impl FnOnce(&mut ItemDraft)) -> Draft {
    let mut draft = before();
    let mut line = draft.items[index].draft().clone();
    change(&mut line);
    draft.items[index] = Item::new(line).unwrap();
    draft
}

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

/// Every kind of change by name, with the rights that it requires besides a change.
fn changes() -> Vec<(&'static str, Draft, &'static [&'static str])> {
    const DISCOUNT: &[&str] = &["ticketSetDiscount"];
    const CUSTOMER: &[&str] = &["ticketSetCustomer"];
    const STORNO: &[&str] = &["storno"];
    let rate = |text: &str| text.parse().unwrap();
    vec![
        ("external id", Draft { external_id: label("x"), ..before() }, &[]),
        ("name", Draft { name: label("Table 5"), ..before() }, &["ticketRename"]),
        ("location", Draft { location: Location { zone: label("garden"), table: label("5") }, ..before() }, &[]),
        ("another discount", Draft { discount: rate("20"), ..before() }, DISCOUNT),
        ("no discount", Draft { discount: rate("0"), ..before() }, DISCOUNT),
        ("no customer, their discount stays", Draft { customer: None, ..before() }, CUSTOMER),
        (
            "no customer and no discount",
            Draft { customer: None, discount: rate("0"), ..before() },
            &["ticketSetCustomer", "ticketSetDiscount"],
        ),
        ("another customer at their own rate", before().with_customer(customer("30")), CUSTOMER),
        ("another rate of the customer", Draft { customer: Some(customer("30")), ..before() }, CUSTOMER),
        ("rounding", Draft { rounding: Rounding::of_cash(amount("0.02"), euro()).unwrap(), ..before() }, &[]),
        ("payments", Draft { payments: vec![cash("5")], ..before() }, &[]),
        ("a new item", Draft { items: [before().items, vec![item(3, "1", "1")]].concat(), ..before() }, &[]),
        ("one item less", Draft { items: before().items[..1].to_vec(), ..before() }, STORNO),
        ("another id for an item", with_tea(|tea| tea.id = 9), STORNO),
        ("more of an item", with_tea(|tea| tea.quantity = quantity("2.000001")), &[]),
        ("less of an item", with_tea(|tea| tea.quantity = quantity("1.999999")), STORNO),
        ("an item's discount", with_tea(|tea| tea.discount = rate("50")), &[]),
        ("an item's comment", with_tea(|tea| tea.comment = Note::parse("hot").unwrap()), &[]),
        ("another price", with_tea(|tea| tea.unit_price = "1".parse().unwrap()), &[]),
        ("another price where it is fixed", with_cake(|cake| cake.unit_price = "3".parse().unwrap()), STORNO),
        ("another VAT where the price is fixed", with_cake(|cake| cake.article.vat = None), STORNO),
        ("a fixed price no longer fixed", with_cake(|cake| cake.article.price_fixed = false), STORNO),
        ("another article", with_tea(|tea| tea.article.code = label("T2")), STORNO),
        ("an article of another name", with_tea(|tea| tea.article.name = label("Water")), STORNO),
        ("another unit", with_tea(|tea| tea.unit = label("cl")), STORNO),
        (
            "another kind",
            with_tea(|tea| (tea.kind, tea.unit_price) = (ItemKind::Negative, "-2".parse().unwrap())),
            STORNO,
        ),
    ]
}

fn missing(name: &str) -> TicketError {
    TicketError::RightMissing(MissingRight(Right::parse(name).unwrap()))
}

#[test]
fn every_change_requires_each_of_its_rights() {
    for (what, wanted, besides) in changes() {
        for (by, change) in [(1, "ticketUpdate"), (2, "ticketUpdateAny")] {
            let ticket = opened_ticket(before().check().unwrap());
            let wanted = wanted.clone().check().unwrap();
            let asked = [&[change][..], besides].concat();
            let with = |rights: &[&str]| amend(&ticket, wanted.clone(), &actor(by, rights), Some(&[1]), LATER);
            let done = with(&asked).unwrap();
            assert_eq!((&done.ticket.sheet, done.ticket.version), (&wanted, 2), "{what}");
            assert_eq!((done.ticket.updated_at, done.ticket.opened_at), (LATER, ticket.opened_at), "{what}");
            assert!(!done.edits.is_empty(), "{what}");
            for one in &asked {
                let others: Vec<&str> = asked.iter().copied().filter(|name| name != one).collect();
                assert_eq!(with(&others), Err(missing(one)), "{what}");
            }
        }
    }
}

#[test]
fn ticket_owner_changes_by_handover_or_takeover() {
    let to = |owner| Draft { owner: user(owner), ..before() }.check().unwrap();
    let ticket = opened_ticket(before().check().unwrap());
    for (what, by, owner, asked) in [
        ("given away", 1, 2, &["ticketUpdate", "ticketHandover"][..]),
        ("taken over", 2, 2, &["ticketUpdateAny", "ticketTakeover"]),
        ("taken from one and given to another", 2, 3, &["ticketUpdateAny", "ticketTakeover", "ticketHandover"]),
    ] {
        let with = |rights: &[&str]| amend(&ticket, to(owner), &actor(by, rights), None, LATER);
        assert_eq!(with(asked).unwrap().ticket.sheet.owner, user(owner), "{what}");
        for one in asked {
            let others: Vec<&str> = asked.iter().copied().filter(|name| name != one).collect();
            assert_eq!(with(&others), Err(missing(one)), "{what}");
        }
    }
    // The previous owner counts: taking a ticket over does not make the other changes those of an
    // own ticket.
    let mut both = to(2).draft().clone();
    both.items.push(item(3, "1", "1"));
    let rights = actor(2, &["ticketUpdate", "ticketTakeover"]);
    assert_eq!(amend(&ticket, both.check().unwrap(), &rights, None, LATER), Err(missing("ticketUpdateAny")));
}

#[test]
fn ticket_update_any_does_not_imply_ticket_update() {
    let ticket = opened_ticket(before().check().unwrap());
    let wanted = changes().swap_remove(0).1.check().unwrap();
    let refused = amend(&ticket, wanted, &actor(1, &["ticketUpdateAny"]), None, LATER);
    assert_eq!(refused, Err(missing("ticketUpdate")));
}

#[test]
fn unchanged_sheet_changes_nothing_and_new_item_order_is_kept() {
    let ticket = opened_ticket(before().check().unwrap());
    let same = amend(&ticket, before().check().unwrap(), &actor(1, &["ticketUpdate"]), Some(&[1]), LATER).unwrap();
    assert_eq!(same, AmendResult { ticket: ticket.clone(), edits: Vec::new() });
    let mut other = before();
    other.items.reverse();
    let other = other.check().unwrap();
    let moved = amend(&ticket, other.clone(), &actor(1, &["ticketUpdate"]), Some(&[1]), LATER).unwrap();
    assert_eq!((moved.ticket.version, moved.edits.len()), (2, 0));
    assert_eq!(moved.ticket.sheet, other);
}

#[test]
fn second_change_of_same_version_is_version_mismatch() {
    let ticket = opened_ticket(before().check().unwrap());
    let wanted = || changes().swap_remove(0).1.check().unwrap();
    let first = amend(&ticket, wanted(), &admin(1), Some(&[1]), LATER).unwrap().ticket;
    let second = amend(&first, wanted(), &admin(2), Some(&[1]), LATER);
    assert_eq!(second, Err(TicketError::VersionMismatch { current: 2 }));
    assert!(amend(&first, wanted(), &admin(2), None, LATER).is_ok(), "who asks for no version gets none compared");
}

#[test]
fn refunded_items_are_immutable() {
    let sold = closed_ticket(&opened_ticket(before().check().unwrap()));
    let all = [(1, quantity("2")), (2, quantity("1"))].into();
    let made = refund(&sold, &[], &all, opening(200), &admin(1)).unwrap();
    let fixed = |change: &dyn Fn(&mut Draft)| {
        let mut draft = made.sheet.draft().clone();
        change(&mut draft);
        amend(&made, draft.check().unwrap(), &admin(1), Some(&[1]), LATER).err()
    };
    for change in [
        &(|draft: &mut Draft| drop(draft.items.pop())) as &dyn Fn(&mut Draft),
        &|draft| draft.items.push(item(9, "1", "1")),
        &|draft| draft.items[0] = item(1, "1", "1"),
        &|draft| draft.discount = "0".parse().unwrap(),
        &|draft| draft.rounding = Rounding::from_stored(amount("-1"), amount("-1")),
    ] {
        assert_eq!(fixed(change), Some(TicketError::RefundImmutable));
    }
    for change in [
        &(|draft: &mut Draft| draft.payments = vec![cash("-1")]) as &dyn Fn(&mut Draft),
        &|draft| draft.name = label("back"),
        &|draft| draft.owner = user(2),
        &|draft| draft.customer = None,
        &|draft| draft.rounding = draft.rounding.with_amount(amount("-0.02"), euro()).unwrap(),
    ] {
        assert_eq!(fixed(change), None);
    }
}
