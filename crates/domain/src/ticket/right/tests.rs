use super::*;
use crate::Right;
use crate::ticket::sample::{admin, hand, user};

/// The table as it is published, row by row; the refund's row is tillgate's own.
const TABLE: &[(Operation, Whose, &[&str])] = &[
    (Operation::Create, Whose::Own, &["ticketCreate"]),
    (Operation::Create, Whose::Anothers, &["ticketCreate"]),
    (Operation::Change, Whose::Own, &["ticketUpdate"]),
    (Operation::Change, Whose::Anothers, &["ticketUpdateAny"]),
    (Operation::Rename, Whose::Own, &["ticketRename"]),
    (Operation::Rename, Whose::Anothers, &["ticketRename"]),
    (Operation::Discount, Whose::Own, &["ticketSetDiscount"]),
    (Operation::Discount, Whose::Anothers, &["ticketSetDiscount"]),
    (Operation::Customer, Whose::Own, &["ticketSetCustomer"]),
    (Operation::Customer, Whose::Anothers, &["ticketSetCustomer"]),
    (Operation::HandOver, Whose::Own, &["ticketHandover"]),
    (Operation::HandOver, Whose::Anothers, &["ticketHandover"]),
    (Operation::TakeOver, Whose::Own, &["ticketTakeover", "ticketUpdateAny"]),
    (Operation::TakeOver, Whose::Anothers, &["ticketTakeover", "ticketUpdateAny"]),
    (Operation::Storno, Whose::Own, &["storno"]),
    (Operation::Storno, Whose::Anothers, &["storno"]),
    (Operation::Delete, Whose::Own, &["ticketDelete"]),
    (Operation::Delete, Whose::Anothers, &["ticketDelete", "ticketUpdateAny"]),
    (Operation::Close, Whose::Own, &["ticketClose"]),
    (Operation::Close, Whose::Anothers, &["ticketClose"]),
    (Operation::Refund, Whose::Own, &["ticketCreate", "storno"]),
    (Operation::Refund, Whose::Anothers, &["ticketCreate", "storno"]),
];

fn missing(name: &str) -> Result<(), TicketRefused> {
    Err(TicketRefused::Missing(Right::parse(name).unwrap()))
}

#[test]
fn every_operation_asks_the_rights_of_its_row_and_each_of_them() {
    for operation in Operation::ALL {
        for whose in [Whose::Own, Whose::Anothers] {
            let rows: Vec<_> = TABLE.iter().filter(|row| (row.0, row.1) == (operation, whose)).collect();
            let [(_, _, asked)] = rows[..] else { panic!("{operation:?} {whose:?} has {} rows", rows.len()) };
            let names: Vec<&str> = operation.rights(whose).iter().map(|right| right.as_str()).collect();
            assert_eq!(names, *asked);
            assert_eq!(hand(1, asked).may(operation, whose), Ok(()), "{operation:?} {whose:?}");
            assert_eq!(admin(1).may(operation, whose), Ok(()), "{operation:?} {whose:?}");
            assert_eq!(hand(1, &[]).may(operation, whose), missing(asked[0]));
            for one in *asked {
                let others: Vec<&str> = asked.iter().copied().filter(|name| name != one).collect();
                assert_eq!(hand(1, &others).may(operation, whose), missing(one), "{operation:?} {whose:?}");
            }
            // Every right of the other rows together is not one of this row's.
            let all = TABLE.iter().flat_map(|row| row.2).copied();
            let foreign: Vec<&str> = all.filter(|name| !asked.contains(name)).collect();
            assert!(hand(1, &foreign).may(operation, whose).is_err(), "{operation:?} {whose:?}");
        }
    }
}

#[test]
fn goods_are_sold_where_goods_are_sold() {
    let device = DeviceId(uuid::Uuid::from_u128(50));
    let places = Environment::ALL.into_iter().map(Some).chain([None]);
    for environment in places {
        let there = Hand { device: environment.map(|environment| (device, environment)), ..admin(1) };
        let sells = matches!(environment, Some(Environment::CashRegister | Environment::Pda));
        for operation in Operation::ALL {
            let expected =
                if sells || operation == Operation::Delete { Ok(()) } else { Err(TicketRefused::NotSelling) };
            assert_eq!(there.may(operation, Whose::Anothers), expected, "{operation:?} {environment:?}");
        }
    }
}

#[test]
fn a_device_as_itself_works_on_no_ticket() {
    let till = Hand { user: None, ..admin(1) };
    for operation in Operation::ALL {
        assert_eq!(till.may(operation, Whose::Own), Err(TicketRefused::NoPerson), "{operation:?}");
    }
    assert_eq!(till.whose(user(1)), Whose::Anothers);
    assert_eq!(admin(1).whose(user(1)), Whose::Own);
    assert_eq!(admin(1).whose(user(2)), Whose::Anothers);
}

#[test]
fn the_built_in_roles_do_what_their_names_say() {
    use crate::Rank;
    let may = |rank: Rank, operation, whose| Hand { rights: rank.rights(), ..admin(1) }.may(operation, whose).is_ok();
    let cashier = [Operation::Create, Operation::Change, Operation::Customer, Operation::Close];
    for operation in Operation::ALL {
        assert_eq!(may(Rank::Cashier, operation, Whose::Own), cashier.contains(&operation), "{operation:?}");
        let anothers = cashier.contains(&operation) && operation != Operation::Change;
        assert_eq!(may(Rank::Cashier, operation, Whose::Anothers), anothers, "{operation:?}");
        for whose in [Whose::Own, Whose::Anothers] {
            assert!(may(Rank::Manager, operation, whose) && may(Rank::Admin, operation, whose), "{operation:?}");
        }
    }
}
