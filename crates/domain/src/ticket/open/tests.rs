use super::*;
use crate::ticket::sample::{admin, amount, blank, euro, hand, item, opening, sheet, user};
use crate::ticket::{Customer, Label, Rounding};
use crate::{Environment, Right};

fn missing(name: &str) -> TicketRefused {
    TicketRefused::Missing(Right::parse(name).unwrap())
}

#[test]
fn a_new_ticket_asks_for_what_it_is_born_with() {
    let customer = Customer { discount: "10".parse().unwrap(), ..Customer::default() };
    let five = || "5".parse().unwrap();
    for (what, draft, besides) in [
        ("nothing", blank(), None),
        ("items", Draft { items: vec![item(1, "5", "1")], ..blank() }, None),
        ("a name", Draft { name: Label::parse("Table 5").unwrap(), ..blank() }, None),
        ("a rounding", Draft { rounding: Rounding::of_cash(amount("0.01"), euro()).unwrap(), ..blank() }, None),
        ("a discount", Draft { discount: five(), ..blank() }, Some("ticketSetDiscount")),
        ("a customer at their own rate", blank().sold_to(customer.clone()), Some("ticketSetCustomer")),
        ("another's", Draft::of(user(2), euro()), Some("ticketHandover")),
    ] {
        let sheet = draft.check().unwrap();
        let with = |rights: &[&str]| open(opening(1), sheet.clone(), &hand(1, rights));
        assert_eq!(with(&[]), Err(missing("ticketCreate")), "{what}");
        assert_eq!(with(&["ticketCreate"]).err(), besides.map(missing), "{what}");
        let ticket = with(&["ticketCreate", besides.unwrap_or("ticketCreate")]).unwrap();
        assert_eq!((ticket.version, &ticket.state, &ticket.sheet), (1, &TicketState::Open, &sheet), "{what}");
        assert_eq!(Ticket::restore(ticket.record().clone()), Ok(ticket), "{what}");
    }
    let both = Draft { discount: five(), ..blank().sold_to(customer) }.check().unwrap();
    let refused = open(opening(1), both, &hand(1, &["ticketCreate", "ticketSetCustomer"]));
    assert_eq!(refused, Err(missing("ticketSetDiscount")), "a customer at another rate");
}

#[test]
fn a_ticket_is_opened_where_goods_are_sold_and_keeps_where() {
    let till = admin(1);
    let ticket = open(opening(1), sheet(Vec::new()), &till).unwrap();
    assert_eq!(Some(ticket.opened_on), till.device.map(|(device, _)| device));
    assert_eq!((ticket.opened_at, ticket.updated_at), (opening(1).at, opening(1).at));
    let office = Hand { device: till.device.map(|(device, _)| (device, Environment::BackOffice)), ..till };
    assert_eq!(open(opening(1), sheet(Vec::new()), &office), Err(TicketRefused::NotSelling));
}
