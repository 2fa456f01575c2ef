use super::*;
use crate::ticket::fixtures::{actor, admin, user};
use crate::{MissingRight, Right};

/// The published table of rights, row by row; the row of refunds is tillgate's own.
const TABLE: &[(TicketOperation, Ownership, &[&str])] = &[
    (TicketOperation::Create, Ownership::Own, &["ticketCreate"]),
    (TicketOperation::Create, Ownership::Others, &["ticketCreate"]),
    (TicketOperation::Change, Ownership::Own, &["ticketUpdate"]),
    (TicketOperation::Change, Ownership::Others, &["ticketUpdateAny"]),
    (TicketOperation::Rename, Ownership::Own, &["ticketRename"]),
    (TicketOperation::Rename, Ownership::Others, &["ticketRename"]),
    (TicketOperation::Discount, Ownership::Own, &["ticketSetDiscount"]),
    (TicketOperation::Discount, Ownership::Others, &["ticketSetDiscount"]),
    (TicketOperation::Customer, Ownership::Own, &["ticketSetCustomer"]),
    (TicketOperation::Customer, Ownership::Others, &["ticketSetCustomer"]),
    (TicketOperation::HandOver, Ownership::Own, &["ticketHandover"]),
    (TicketOperation::HandOver, Ownership::Others, &["ticketHandover"]),
    (TicketOperation::TakeOver, Ownership::Own, &["ticketTakeover", "ticketUpdateAny"]),
    (TicketOperation::TakeOver, Ownership::Others, &["ticketTakeover", "ticketUpdateAny"]),
    (TicketOperation::Storno, Ownership::Own, &["storno"]),
    (TicketOperation::Storno, Ownership::Others, &["storno"]),
    (TicketOperation::Delete, Ownership::Own, &["ticketDelete"]),
    (TicketOperation::Delete, Ownership::Others, &["ticketDelete", "ticketUpdateAny"]),
    (TicketOperation::Close, Ownership::Own, &["ticketClose"]),
    (TicketOperation::Close, Ownership::Others, &["ticketClose"]),
    (TicketOperation::Refund, Ownership::Own, &["ticketCreate", "storno"]),
    (TicketOperation::Refund, Ownership::Others, &["ticketCreate", "storno"]),
];

fn missing(name: &str) -> Result<(), TicketError> {
    Err(TicketError::RightMissing(MissingRight(Right::parse(name).unwrap())))
}

#[test]
fn every_operation_requires_each_right_of_its_row() {
    for operation in TicketOperation::ALL {
        for ownership in [Ownership::Own, Ownership::Others] {
            let rows: Vec<_> = TABLE.iter().filter(|row| (row.0, row.1) == (operation, ownership)).collect();
            let [(_, _, asked)] = rows[..] else { panic!("{operation:?} {ownership:?} has {} rows", rows.len()) };
            let names: Vec<&str> = operation.required_rights(ownership).iter().map(|right| right.as_str()).collect();
            assert_eq!(names, *asked);
            assert_eq!(actor(1, asked).authorize(operation, ownership), Ok(()), "{operation:?} {ownership:?}");
            assert_eq!(admin(1).authorize(operation, ownership), Ok(()), "{operation:?} {ownership:?}");
            assert_eq!(actor(1, &[]).authorize(operation, ownership), missing(asked[0]));
            for one in *asked {
                let others: Vec<&str> = asked.iter().copied().filter(|name| name != one).collect();
                assert_eq!(
                    actor(1, &others).authorize(operation, ownership),
                    missing(one),
                    "{operation:?} {ownership:?}"
                );
            }
            // All rights of the other rows together do not replace one of this row.
            let all = TABLE.iter().flat_map(|row| row.2).copied();
            let foreign: Vec<&str> = all.filter(|name| !asked.contains(name)).collect();
            assert!(actor(1, &foreign).authorize(operation, ownership).is_err(), "{operation:?} {ownership:?}");
        }
    }
}

#[test]
fn sale_operations_require_sale_device() {
    let device = DeviceId(uuid::Uuid::from_u128(50));
    let places = Environment::ALL.into_iter().map(Some).chain([None]);
    for environment in places {
        let there = TicketActor { device: environment.map(|environment| (device, environment)), ..admin(1) };
        let sells = matches!(environment, Some(Environment::CashRegister | Environment::Pda));
        for operation in TicketOperation::ALL {
            let expected = if sells || operation == TicketOperation::Delete {
                Ok(())
            } else {
                Err(TicketError::SaleDeviceRequired)
            };
            assert_eq!(there.authorize(operation, Ownership::Others), expected, "{operation:?} {environment:?}");
        }
    }
}

#[test]
fn device_session_cannot_work_on_tickets() {
    let till = TicketActor { user: None, ..admin(1) };
    for operation in TicketOperation::ALL {
        assert_eq!(till.authorize(operation, Ownership::Own), Err(TicketError::PersonRequired), "{operation:?}");
    }
    assert_eq!(till.ownership_of(user(1)), Ownership::Others);
    assert_eq!(admin(1).ownership_of(user(1)), Ownership::Own);
    assert_eq!(admin(1).ownership_of(user(2)), Ownership::Others);
}

#[test]
fn built_in_roles_allow_their_operations() {
    use crate::Rank;
    let may = |rank: Rank, operation, ownership| {
        TicketActor { authority: Authority::Rights(rank.rights()), ..admin(1) }.authorize(operation, ownership).is_ok()
    };
    let cashier = [TicketOperation::Create, TicketOperation::Change, TicketOperation::Customer, TicketOperation::Close];
    for operation in TicketOperation::ALL {
        assert_eq!(may(Rank::Cashier, operation, Ownership::Own), cashier.contains(&operation), "{operation:?}");
        let anothers = cashier.contains(&operation) && operation != TicketOperation::Change;
        assert_eq!(may(Rank::Cashier, operation, Ownership::Others), anothers, "{operation:?}");
        for ownership in [Ownership::Own, Ownership::Others] {
            assert!(
                may(Rank::Manager, operation, ownership) && may(Rank::Admin, operation, ownership),
                "{operation:?}"
            );
        }
    }
}
