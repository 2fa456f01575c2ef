use super::*;
use crate::ticket::fixtures::{actor, admin, amount, blank, euro, item, opening, sheet, user};
use crate::ticket::{Customer, Label, Rounding};
use crate::{Environment, MissingRight, Right};

fn missing(name: &str) -> TicketError {
    TicketError::RightMissing(MissingRight(Right::parse(name).unwrap()))
}

#[test]
fn new_ticket_requires_rights_of_its_content() {
    let customer = Customer { discount: "10".parse().unwrap(), ..Customer::default() };
    let five = || "5".parse().unwrap();
    for (what, draft, besides) in [
        ("nothing", blank(), None),
        ("items", Draft { items: vec![item(1, "5", "1")], ..blank() }, None),
        ("a name", Draft { name: Label::parse("Table 5").unwrap(), ..blank() }, None),
        ("a rounding", Draft { rounding: Rounding::of_cash(amount("0.01"), euro()).unwrap(), ..blank() }, None),
        ("a discount", Draft { discount: five(), ..blank() }, Some("ticketSetDiscount")),
        ("a customer at their own rate", blank().with_customer(customer.clone()), Some("ticketSetCustomer")),
        ("another's", Draft::of(user(2), euro()), Some("ticketHandover")),
    ] {
        let sheet = draft.check().unwrap();
        let with = |rights: &[&str]| open(opening(1), sheet.clone(), &actor(1, rights));
        assert_eq!(with(&[]), Err(missing("ticketCreate")), "{what}");
        assert_eq!(with(&["ticketCreate"]).err(), besides.map(missing), "{what}");
        let ticket = with(&["ticketCreate", besides.unwrap_or("ticketCreate")]).unwrap();
        assert_eq!((ticket.version, &ticket.state, &ticket.sheet), (1, &TicketState::Open, &sheet), "{what}");
        assert_eq!(Ticket::restore(ticket.record().clone()), Ok(ticket), "{what}");
    }
    let both = Draft { discount: five(), ..blank().with_customer(customer) }.check().unwrap();
    let refused = open(opening(1), both, &actor(1, &["ticketCreate", "ticketSetCustomer"]));
    assert_eq!(refused, Err(missing("ticketSetDiscount")), "a customer at another rate");
}

#[test]
fn ticket_is_opened_on_sale_device_and_keeps_it() {
    let till = admin(1);
    let ticket = open(opening(1), sheet(Vec::new()), &till).unwrap();
    assert_eq!(Some(ticket.opened_on), till.device.map(|(device, _)| device));
    assert_eq!((ticket.opened_at, ticket.updated_at), (opening(1).at, opening(1).at));
    let office = TicketActor { device: till.device.map(|(device, _)| (device, Environment::BackOffice)), ..till };
    assert_eq!(open(opening(1), sheet(Vec::new()), &office), Err(TicketError::SaleDeviceRequired));
}
