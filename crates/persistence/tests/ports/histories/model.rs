//! The small model: a list of fields and nothing else, and whether what the store holds is what it says.

use std::collections::BTreeMap;

use tillgate_domain::office::{self, Refused};
use tillgate_domain::ticket::{Amount, Quantity, Ticket, TicketRefused, TicketStatus};

use super::acts::{Act, Deed, of};
use super::world::World;

/// What the model knows of a ticket.
struct Model {
    quantities: Vec<u64>,
    discount: u64,
    mark: String,
    status: TicketStatus,
}

impl Model {
    /// Hundredths: each item is one at 1.00 after discount, times its quantity.
    fn payable(&self) -> i64 {
        let sum: u64 = self.quantities.iter().map(|quantity| quantity * (100 - self.discount)).sum();
        i64::try_from(sum).unwrap()
    }

    fn play(&mut self, deed: &Deed) {
        assert_eq!(self.status, TicketStatus::Open, "{deed:?} was done to what had come to its end");
        match &deed.act {
            Act::Items(quantities) => (self.quantities, self.mark) = (quantities.clone(), deed.mark.clone()),
            Act::Discount(percent) => (self.discount, self.mark) = (*percent, deed.mark.clone()),
            Act::Close => self.status = TicketStatus::Closed,
            Act::Void => self.status = TicketStatus::Void,
            Act::Refund(_) => panic!("a refund is another ticket"),
        }
    }

    fn is(&self, ticket: &Ticket) {
        let quantities: Vec<Quantity> = ticket.sheet.items.iter().map(|item| item.quantity).collect();
        assert_eq!(quantities, self.quantities.iter().map(|quantity| of(*quantity)).collect::<Vec<_>>());
        assert_eq!(ticket.sheet.payable().ten_thousandths(), 100 * self.payable());
        assert_eq!((ticket.state.status(), ticket.sheet.external_id.as_str()), (self.status, self.mark.as_str()));
    }
}

/// Whether the store says what the model says of a history.
pub(super) fn judge(world: &World, opened: &[Ticket], deeds: &[Deed]) {
    let first = &opened[0];
    assert!(opened.iter().all(|ticket| ticket.id == first.id), "one key has made two tickets: {opened:?}");
    let started = opened.iter().map(|ticket| ticket.version).max().unwrap();
    let tenant = world.shop.tenant.id;
    let now = office::find_ticket(&*world.database, tenant, first.id).unwrap().unwrap().ticket;
    let mut order: BTreeMap<i64, &Deed> = BTreeMap::new();
    let mut refunds: Vec<&Ticket> = Vec::new();
    for deed in deeds {
        match (&deed.done, &deed.act) {
            (Ok(made), Act::Refund(_)) => refunds.push(made),
            (Ok(made), _) => {
                assert!(order.insert(made.version, deed).is_none(), "two acts made one version: {deed:?}");
                assert!(deed.seen.is_none_or(|seen| made.version == seen + 1), "{deed:?} did not hold to its version");
            }
            (Err(Refused::TicketMoved { ticket, current }), _) => {
                assert_eq!(*ticket, first.id);
                assert!(*current > deed.seen.unwrap() && *current <= now.version, "{deed:?}");
            }
            (Err(Refused::Ticket(TicketRefused::Closed)), _) => assert_eq!(now.state.status(), TicketStatus::Closed),
            (Err(Refused::Ticket(TicketRefused::Void)), _) => assert_eq!(now.state.status(), TicketStatus::Void),
            (Err(Refused::Ticket(why)), Act::Refund(_)) => {
                let codes = ["refund_not_sold", "refund_too_large", "refund_empty", "item_unknown"];
                assert!(codes.contains(&why.code()), "{deed:?}");
            }
            (Err(other), _) => panic!("{other:?} of {deed:?}"),
        }
    }
    let status = if started == 1 { TicketStatus::Open } else { TicketStatus::Closed };
    let mut model = Model { quantities: vec![2, 1], discount: 0, mark: String::new(), status };
    let versions: Vec<i64> = order.keys().copied().collect();
    assert_eq!(versions, (started + 1..=now.version).collect::<Vec<_>>(), "a version that nobody made");
    for (version, deed) in order {
        model.play(deed);
        let Ok(made) = &deed.done else { unreachable!() };
        assert_eq!(made.version, version);
        model.is(made);
    }
    model.is(&now);
    taken_back(&now, &refunds);
}

/// Refunds of one ticket give back no more than it sold.
fn taken_back(sold: &Ticket, refunds: &[&Ticket]) {
    if refunds.is_empty() {
        return;
    }
    assert_eq!(sold.state.status(), TicketStatus::Closed);
    let mut taken: BTreeMap<u32, i64> = BTreeMap::new();
    let mut money = 0;
    for refund in refunds {
        assert_eq!(refund.refund_of, Some(sold.id));
        for item in &refund.sheet.items {
            *taken.entry(item.id).or_default() += item.quantity.amount().units();
        }
        money -= refund.sheet.payable().ten_thousandths();
    }
    for (id, taken) in &taken {
        let item = sold.sheet.items.iter().find(|item| item.id == *id).unwrap();
        assert!(*taken <= item.quantity.amount().units(), "{taken} of item {id} of {sold:?}");
    }
    let paid: Amount = sold.sheet.payable();
    assert!(money <= paid.ten_thousandths());
    let all = sold.sheet.items.iter().all(|item| taken.get(&item.id) == Some(&item.quantity.amount().units()));
    assert!(!all || money == paid.ten_thousandths(), "all that was sold gives back all that was paid");
}
