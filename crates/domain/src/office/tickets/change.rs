//! The change of a ticket's sheet that a request contains.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::ticket::{
    Amount, Currency, Customer, Draft, Item, ItemDraft, Label, Location, Meta, Payment, Rate, Rounding, Sheet,
    TicketError, add_new, find_free_id, find_list_faults, find_repeated,
};
use crate::{StoreError, TenantId, UserId, UserName, UserStatus};

/// A change of a ticket; `None` keeps a field, which is blank on a new ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketChange {
    /// A new owner.
    pub owner: Option<OwnerRef>,
    /// A new external id of the client.
    pub external_id: Option<Label>,
    /// A new name.
    pub name: Option<Label>,
    /// A new location.
    pub location: Option<Location>,
    /// A new customer, or `Some(None)` to remove it.
    pub customer: Option<Option<Customer>>,
    /// A new discount.
    pub discount: Option<Rate>,
    /// All items of the sheet.
    pub items: Option<Vec<ItemInput>>,
    /// A new rounding.
    pub rounding: Option<Amount>,
    /// All payments of the sheet.
    pub payments: Option<Vec<Payment>>,
    /// New further properties that a dialect defines.
    pub extra: Option<Meta>,
}

/// A requested item. One without an id gets the next free one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemInput {
    /// The id of the item on the ticket.
    pub id: Option<u32>,
    /// The content of the item; the id in it is ignored.
    pub item: ItemDraft,
}

/// The requested owner of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerRef {
    /// The user with this id.
    Id(UserId),
    /// The user with this name.
    Name(UserName),
}

impl TicketChange {
    /// The requested sheet instead of the given one.
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
        Ok(sheet.map_err(|()| StoreError::Fault("a ticket was rejected without an error".to_owned()))?)
    }

    /// What is wrong with the change of this sheet, besides the owner. It is found although other
    /// fields of the request are invalid and missing here.
    pub fn find_faults(&self, before: &Draft) -> Vec<TicketError> {
        let (wanted, mut faults) = self.build_draft(before.owner, before);
        wanted.add_faults(&mut faults);
        faults
    }

    /// What is wrong with the content of a new ticket, as [`find_faults`](Self::find_faults);
    /// without a valid currency, what is wrong in every currency.
    pub fn find_faults_of_new(&self, currency: Option<Currency>) -> Vec<TicketError> {
        if let Some(currency) = currency {
            // no rule depends on who the owner is
            return self.find_faults(&Draft::of(UserId(Uuid::nil()), currency));
        }
        let mut faults = Vec::new();
        let items = build_items(self.items.as_deref().unwrap_or_default(), &[], &mut faults);
        add_new(&mut faults, find_list_faults(&items, self.payments.as_deref().unwrap_or_default()));
        faults
    }

    fn build_sheet(&self, owner: UserId, draft: &Draft) -> Result<Sheet, TicketError> {
        let (wanted, faults) = self.build_draft(owner, draft);
        wanted.check_with_faults(faults)
    }

    /// The requested content, and what is wrong with fields that it cannot contain.
    fn build_draft(&self, owner: UserId, draft: &Draft) -> (Draft, Vec<TicketError>) {
        let (draft, mut faults) = (draft.clone(), Vec::new());
        let rounding = match self.rounding {
            // An existing amount was checked when it was set.
            Some(amount) if amount != draft.rounding.amount() && draft.currency.can_represent(amount) => {
                draft.rounding.with_amount(amount, draft.currency).unwrap_or_else(|why| {
                    faults.push(why);
                    draft.rounding
                })
            }
            // Reported as an amount that the currency cannot represent.
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
        (wanted, faults)
    }
}

/// The items of these lines. A new id is greater than every id that the ticket has or had before
/// the change, as long as there is one, so that a new item is not taken for an old one. Errors are
/// added to `faults`.
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
    // An error that does not name its item is reported once.
    add_new(faults, found);
    if lines.len() <= Sheet::MAX_ITEMS {
        // Also of items that are out of range.
        add_new(faults, find_repeated(lines.iter().filter_map(|line| line.id)));
    }
    items
}

impl OwnerRef {
    /// The user, if it is active or owns the ticket already. A name means the current owner first,
    /// even if that user is deleted and another one has the name now. A ticket that is sent back as
    /// it was read therefore keeps its owner.
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
        let requested = || match self {
            Self::Id(id) => id.to_string(),
            Self::Name(name) => name.to_string(),
        };
        Ok(fits
            .map(|user| user.id)
            .ok_or_else(|| OfficeError::UnknownName { field: FieldName::Owner, value: requested() })?)
    }
}
