//! What becomes of what stands on a ticket, as a request says it.

use std::collections::BTreeSet;

use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::ticket::{
    Amount, Customer, Draft, Item, ItemDraft, Label, Location, Meta, Payment, Rate, Rounding, Sheet, TicketError,
    find_free_id,
};
use crate::{StoreError, TenantId, UserId, UserName, UserStatus};

/// What becomes of a ticket. `None` leaves a field as it is; on a new ticket it is blank then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketChange {
    /// Another owner.
    pub owner: Option<OwnerRef>,
    /// Another id of the client's.
    pub external_id: Option<Label>,
    /// Another name.
    pub name: Option<Label>,
    /// Another place.
    pub location: Option<Location>,
    /// Another customer, or none.
    pub customer: Option<Option<Customer>>,
    /// Another discount.
    pub discount: Option<Rate>,
    /// Other items: all of them.
    pub items: Option<Vec<ItemInput>>,
    /// Another rounding.
    pub rounding: Option<Amount>,
    /// Other payments: all of them.
    pub payments: Option<Vec<Payment>>,
    /// Something else of what a contract publishes besides.
    pub extra: Option<Meta>,
}

/// An item that is wanted. One without an id gets the next that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemInput {
    /// Its id on the ticket.
    pub id: Option<u32>,
    /// What it is made of; the id in it does not count.
    pub item: ItemDraft,
}

/// Who is to own a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerRef {
    /// The user of this id.
    Id(UserId),
    /// The user of this name.
    Name(UserName),
}

impl TicketChange {
    /// The sheet that is wanted instead of this one.
    pub(super) fn apply_to(
        &self,
        tx: &mut dyn OfficeTx,
        tenant: TenantId,
        draft: &Draft,
    ) -> Result<Sheet, UseCaseError> {
        let mut refusals = FieldRefusals::default();
        let owner = match &self.owner {
            Some(owner) => refusals.gather(owner.resolve(tx, tenant, draft.owner))?.unwrap_or(draft.owner),
            None => draft.owner,
        };
        let sheet = self.build_sheet(owner, draft).map_err(|why| refusals.add(OfficeError::Ticket(why)));
        refusals.checked()?;
        Ok(sheet.map_err(|()| StoreError::Fault("a ticket was refused for no reason".to_owned()))?)
    }

    fn build_sheet(&self, owner: UserId, draft: &Draft) -> Result<Sheet, TicketError> {
        let (draft, mut faults) = (draft.clone(), Vec::new());
        let rounding = match self.rounding {
            // what is there was judged when it was made
            Some(amount) if amount != draft.rounding.amount() && draft.currency.can_represent(amount) => {
                draft.rounding.with_amount(amount, draft.currency).unwrap_or_else(|why| {
                    faults.push(why);
                    draft.rounding
                })
            }
            // reported as an amount that no currency can pay
            Some(amount) if amount != draft.rounding.amount() => Rounding::from_stored(amount, draft.rounding.share()),
            _ => draft.rounding,
        };
        let items = match &self.items {
            Some(lines) => build_items(lines, &draft.items, &mut faults),
            None => draft.items,
        };
        let wanted = Draft {
            currency: draft.currency,
            owner,
            external_id: self.external_id.clone().unwrap_or(draft.external_id),
            name: self.name.clone().unwrap_or(draft.name),
            location: self.location.clone().unwrap_or(draft.location),
            customer: self.customer.clone().unwrap_or(draft.customer),
            discount: self.discount.unwrap_or(draft.discount),
            items,
            rounding,
            payments: self.payments.clone().unwrap_or(draft.payments),
            extra: self.extra.clone().unwrap_or(draft.extra),
        };
        wanted.check_with_faults(faults)
    }
}

/// The items of these lines. A new id is above every one that the ticket has or had before the change, as long as there is one, so
/// that nobody takes a new item for an old one. What is wrong with any of them is added to `faults`.
fn build_items(lines: &[ItemInput], before: &[Item], faults: &mut Vec<TicketError>) -> Vec<Item> {
    let mut taken: BTreeSet<u32> =
        before.iter().map(|item| item.id).chain(lines.iter().filter_map(|line| line.id)).collect();
    let made = lines.iter().map(|ItemInput { id, item: line }| {
        let id = id.unwrap_or_else(|| {
            let id = find_free_id(&taken);
            taken.insert(id);
            id
        });
        Item::new(ItemDraft { id, ..line.clone() })
    });
    let mut found = Vec::new();
    let items = made.filter_map(|item| item.map_err(|why| found.push(why)).ok()).collect();
    for why in found {
        // a rule that does not name its item is reported once
        if !faults.contains(&why) {
            faults.push(why);
        }
    }
    items
}

impl OwnerRef {
    /// The user, where they are active or own the ticket already: who has it is meant by their name first, though they are gone and
    /// somebody else has that name by now. So a ticket that is sent back as it was read stays whose it was.
    pub(in crate::office) fn resolve(
        &self,
        tx: &mut dyn OfficeTx,
        tenant: TenantId,
        now: UserId,
    ) -> Result<UserId, UseCaseError> {
        let found = match self {
            Self::Id(id) if *id == now => return Ok(now),
            Self::Id(id) => tx.users().find(*id)?,
            Self::Name(name) => {
                if tx.users().find(now)?.is_some_and(|owner| owner.name.to_folded().is_identical(&name.to_folded())) {
                    return Ok(now);
                }
                tx.users().find_by_name(tenant, &name.to_folded())?
            }
        };
        let fits = found.filter(|user| user.tenant == tenant && user.status == UserStatus::Active);
        let told = || match self {
            Self::Id(id) => id.to_string(),
            Self::Name(name) => name.to_string(),
        };
        Ok(fits
            .map(|user| user.id)
            .ok_or_else(|| OfficeError::UnknownName { field: FieldName::Owner, value: told() })?)
    }
}
