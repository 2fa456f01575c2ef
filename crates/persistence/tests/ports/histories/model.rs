//! The model of a ticket, a plain list of fields, and its comparison with the stored ticket.

use std::collections::BTreeMap;
use tillgate_domain::Subject;
use tillgate_domain::office::{OfficeError, UnguardedOffice};

use tillgate_domain::ticket::{Amount, Quantity, Ticket, TicketError, TicketStatus};

use super::actions::{ActionRecord, TillAction, parse_quantity};
use super::fixture::HistoryFixture;

/// The fields of a ticket in the model.
struct Model {
    quantities: Vec<u64>,
    discount: u64,
    mark: String,
    status: TicketStatus,
}

impl Model {
    /// The total in hundredths: each item has a price of 1.00 after discount, times its quantity.
    fn payable(&self) -> i64 {
        let sum: u64 = self.quantities.iter().map(|quantity| quantity * (100 - self.discount)).sum();
        i64::try_from(sum).unwrap()
    }

    fn apply(&mut self, action: &ActionRecord) {
        assert_eq!(self.status, TicketStatus::Open, "{action:?} was done to what had come to its end");
        match &action.action {
            TillAction::Items(quantities) => (self.quantities, self.mark) = (quantities.clone(), action.mark.clone()),
            TillAction::Discount(percent) => (self.discount, self.mark) = (*percent, action.mark.clone()),
            TillAction::Close => self.status = TicketStatus::Closed,
            TillAction::Void => self.status = TicketStatus::Void,
            TillAction::Refund(_) => panic!("a refund is another ticket"),
        }
    }

    fn assert_equals(&self, ticket: &Ticket) {
        let quantities: Vec<Quantity> = ticket.sheet.items.iter().map(|item| item.quantity).collect();
        assert_eq!(quantities, self.quantities.iter().map(|quantity| parse_quantity(*quantity)).collect::<Vec<_>>());
        assert_eq!(ticket.sheet.payable().ten_thousandths(), 100 * self.payable());
        assert_eq!((ticket.state.status(), ticket.sheet.external_id.as_str()), (self.status, self.mark.as_str()));
    }
}

/// Checks that the stored tickets are those of the model after a history.
pub(super) fn check_history(fixture: &HistoryFixture, opened: &[Ticket], actions: &[ActionRecord]) {
    let first = &opened[0];
    assert!(opened.iter().all(|ticket| ticket.id == first.id), "one key has made two tickets: {opened:?}");
    let started = opened.iter().map(|ticket| ticket.version).max().unwrap();
    let tenant = fixture.records.tenant.id;
    let now = UnguardedOffice::new(&*fixture.database, tenant).find_ticket(first.id).unwrap().unwrap().ticket;
    let mut order: BTreeMap<i64, &ActionRecord> = BTreeMap::new();
    let mut refunds: Vec<&Ticket> = Vec::new();
    for action in actions {
        match (&action.result, &action.action) {
            (Ok(made), TillAction::Refund(_)) => refunds.push(made),
            (Ok(made), _) => {
                assert!(order.insert(made.version, action).is_none(), "two acts made one version: {action:?}");
                assert!(
                    action.expected_version.is_none_or(|seen| made.version == seen + 1),
                    "{action:?} did not hold to its version"
                );
            }
            (Err(OfficeError::VersionMismatch { subject, current }), _) => {
                assert_eq!(*subject, Subject::Ticket(first.id));
                assert!(*current > action.expected_version.unwrap() && *current <= now.version, "{action:?}");
            }
            (Err(OfficeError::Ticket(TicketError::Closed)), _) => assert_eq!(now.state.status(), TicketStatus::Closed),
            (Err(OfficeError::Ticket(TicketError::Void)), _) => assert_eq!(now.state.status(), TicketStatus::Void),
            (Err(OfficeError::Ticket(why)), TillAction::Refund(_)) => {
                let codes = ["refund_not_sold", "refund_too_large", "refund_empty", "item_unknown"];
                assert!(codes.contains(&why.code()), "{action:?}");
            }
            (Err(other), _) => panic!("{other:?} of {action:?}"),
        }
    }
    let status = if started == 1 { TicketStatus::Open } else { TicketStatus::Closed };
    let mut model = Model { quantities: vec![2, 1], discount: 0, mark: String::new(), status };
    let versions: Vec<i64> = order.keys().copied().collect();
    assert_eq!(versions, (started + 1..=now.version).collect::<Vec<_>>(), "a version that nobody made");
    for (version, action) in order {
        model.apply(action);
        let Ok(made) = &action.result else { unreachable!() };
        assert_eq!(made.version, version);
        model.assert_equals(made);
    }
    model.assert_equals(&now);
    refunded_quantities(&now, &refunds);
}

/// The refunds of a ticket take back no more than was sold.
fn refunded_quantities(sold: &Ticket, refunds: &[&Ticket]) {
    if refunds.is_empty() {
        return;
    }
    assert_eq!(sold.state.status(), TicketStatus::Closed);
    let mut taken: BTreeMap<u32, i64> = BTreeMap::new();
    let mut money = 0;
    for refund in refunds {
        assert_eq!(refund.refund_of, Some(sold.id));
        for item in &refund.sheet.items {
            *taken.entry(item.id).or_default() += item.quantity.value().units();
        }
        money -= refund.sheet.payable().ten_thousandths();
    }
    for (id, taken) in &taken {
        let item = sold.sheet.items.iter().find(|item| item.id == *id).unwrap();
        assert!(*taken <= item.quantity.value().units(), "{taken} of item {id} of {sold:?}");
    }
    let paid: Amount = sold.sheet.payable();
    assert!(money <= paid.ten_thousandths());
    let all = sold.sheet.items.iter().all(|item| taken.get(&item.id) == Some(&item.quantity.value().units()));
    assert!(!all || money == paid.ten_thousandths(), "all that was sold gives back all that was paid");
}
