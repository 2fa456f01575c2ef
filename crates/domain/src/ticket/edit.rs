//! The differences between two sheets: the operations that they require, and their form in audit
//! events.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::actor::{Ownership, TicketOperation};
use super::currency::Currency;
use super::item::Item;
use super::payment::Payment;
use super::sheet::Sheet;
use crate::UserId;

/// One difference between two sheets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The owner has changed.
    Owner {
        /// The owner before the change.
        from: UserId,
        /// The owner after the change.
        to: UserId,
    },
    /// Another field has changed.
    Field {
        /// The name of the field in requests.
        name: &'static str,
        /// The operation that it requires besides a change.
        operation: Option<TicketOperation>,
        /// The value before the change, as text.
        from: String,
        /// The value after the change, as text.
        to: String,
    },
    /// An item was added.
    ItemAdded(Box<Item>),
    /// An item was removed.
    ItemRemoved(Box<Item>),
    /// An item was changed.
    ItemChanged {
        /// The item before the change.
        from: Box<Item>,
        /// The item after the change.
        to: Box<Item>,
    },
    /// The payments have changed.
    Payments {
        /// The currency of the payments.
        currency: Currency,
        /// The payments before the change.
        from: Vec<Payment>,
        /// The payments after the change.
        to: Vec<Payment>,
    },
}

impl Edit {
    /// The differences in a fixed order; empty if the sheets differ in the order of their items
    /// only.
    pub fn diff(from: &Sheet, to: &Sheet) -> Vec<Self> {
        let mut edits = Vec::new();
        if from.owner != to.owner {
            edits.push(Self::Owner { from: from.owner, to: to.owner });
        }
        let mut field = |name, operation, from: String, to: String, differs: bool| {
            if differs {
                edits.push(Self::Field { name, operation, from, to });
            }
        };
        let text = |text: &dyn std::fmt::Display| text.to_string();
        let (old, new) = (&from.external_id, &to.external_id);
        field("external_id", None, text(old), text(new), old != new);
        field("name", Some(TicketOperation::Rename), text(&from.name), text(&to.name), from.name != to.name);
        let location = |sheet: &Sheet| format!("{} / {}", sheet.location.zone, sheet.location.table);
        field("location", None, location(from), location(to), from.location != to.location);
        let customer_id = |sheet: &Sheet| sheet.customer.as_ref().map_or_else(String::new, |each| each.id.to_string());
        field(
            "customer",
            Some(TicketOperation::Customer),
            customer_id(from),
            customer_id(to),
            from.customer != to.customer,
        );
        let is_customer_discount = to.customer.as_ref().is_some_and(|customer| customer.discount == to.discount);
        let required = (!is_customer_discount).then_some(TicketOperation::Discount);
        field("discount", required, text(&from.discount), text(&to.discount), from.discount != to.discount);
        let (old, new) = (from.rounding.amount(), to.rounding.amount());
        field("rounding", None, text(&from.money(old)), text(&to.money(new)), old != new);
        let kept = |sheet: &Sheet| serde_json::to_string(sheet.extra.object()).unwrap_or_default();
        field("extra", None, kept(from), kept(to), from.extra != to.extra);
        edits.extend(Self::diff_items(&from.items, &to.items));
        if from.payments != to.payments {
            let (from, to, currency) = (from.payments.clone(), to.payments.clone(), to.currency);
            edits.push(Self::Payments { currency, from, to });
        }
        edits
    }

    fn diff_items(from: &[Item], to: &[Item]) -> Vec<Self> {
        let old: BTreeMap<u32, &Item> = from.iter().map(|item| (item.id, item)).collect();
        let new: BTreeMap<u32, &Item> = to.iter().map(|item| (item.id, item)).collect();
        let boxed = |item: &Item| Box::new(item.clone());
        let kept = old.iter().filter_map(|(id, before)| match new.get(id) {
            None => Some(Self::ItemRemoved(boxed(before))),
            Some(after) if after == before => None,
            Some(after) => Some(Self::ItemChanged { from: boxed(before), to: boxed(after) }),
        });
        let added = new.iter().filter(|(id, _)| !old.contains_key(id));
        kept.chain(added.map(|(_, item)| Self::ItemAdded(boxed(item)))).collect()
    }

    /// The operations that the difference requires besides a change, by an actor to whom the ticket
    /// belonged as `whose`.
    pub(super) fn required_operations(&self, by: UserId, ownership: Ownership) -> Vec<TicketOperation> {
        match self {
            Self::Owner { to, .. } => match (ownership, *to == by) {
                (Ownership::Own, _) => vec![TicketOperation::HandOver],
                (Ownership::Others, true) => vec![TicketOperation::TakeOver],
                (Ownership::Others, false) => vec![TicketOperation::TakeOver, TicketOperation::HandOver],
            },
            Self::Field { operation, .. } => operation.iter().copied().collect(),
            Self::ItemRemoved(_) => vec![TicketOperation::Storno],
            Self::ItemChanged { from, to } if to.quantity < from.quantity || !is_same_goods(from, to) => {
                vec![TicketOperation::Storno]
            }
            Self::ItemAdded(_) | Self::ItemChanged { .. } | Self::Payments { .. } => Vec::new(),
        }
    }

    /// The name of the difference in audit events.
    const fn name(&self) -> &'static str {
        match self {
            Self::Owner { .. } => "owner",
            Self::Field { name, .. } => name,
            Self::ItemAdded(_) => "added",
            Self::ItemRemoved(_) => "removed",
            Self::ItemChanged { .. } => "changed",
            Self::Payments { .. } => "payments",
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Owner { from, to } => json!({"from": from.to_string(), "to": to.to_string()}),
            Self::Field { from, to, .. } => json!({"from": from, "to": to}),
            Self::ItemAdded(item) | Self::ItemRemoved(item) => audit_item(item),
            Self::ItemChanged { from, to } => json!({"from": audit_item(from), "to": audit_item(to)}),
            Self::Payments { currency, from, to } => {
                json!({"from": audit_payments(*currency, from), "to": audit_payments(*currency, to)})
            }
        }
    }
}

/// Whether an item is still the same goods. Another article, unit or kind under the same id counts
/// as one item removed and another added, and so does another price of an article with a fixed
/// price.
fn is_same_goods(from: &Item, to: &Item) -> bool {
    let (old, new) = (&from.article, &to.article);
    let same = from.kind == to.kind && from.unit == to.unit && old.code == new.code && old.name == new.name;
    same && (!old.price_fixed || (from.unit_price == to.unit_price && old.vat == new.vat && new.price_fixed))
}

/// The details of an audit event: every difference by its name, items as lists, numbers as exact
/// text. Of a customer, only the id is recorded.
pub fn audit_details(edits: &[Edit]) -> Map<String, Value> {
    let mut details = Map::new();
    for edit in edits {
        let many = matches!(edit, Edit::ItemAdded(_) | Edit::ItemRemoved(_) | Edit::ItemChanged { .. });
        if let Some(Value::Array(list)) = details.get_mut(edit.name()) {
            list.push(edit.to_json());
        } else {
            let value = if many { Value::Array(vec![edit.to_json()]) } else { edit.to_json() };
            details.insert(edit.name().to_owned(), value);
        }
    }
    details
}

fn audit_item(item: &Item) -> Value {
    json!({
        "id": item.id,
        "external_id": item.external_id.as_str(),
        "kind": item.kind.name(),
        "code": item.article.code.as_str(),
        "name": item.article.name.as_str(),
        "quantity": item.quantity.to_string(),
        "unit": item.unit.as_str(),
        "unit_price": item.unit_price.to_string(),
        "vat": item.article.vat.map(|rate| rate.to_string()),
        "discount": item.discount.to_string(),
        "comment": item.comment.as_str(),
    })
}

/// The payments in the form of audit events.
pub(crate) fn audit_payments(currency: Currency, payments: &[Payment]) -> Value {
    let each = |payment: &Payment| {
        json!({
            "means": payment.method.name(),
            "name": payment.name.as_str(),
            "amount": currency.money(payment.amount).to_string(),
        })
    };
    payments.iter().map(each).collect()
}

#[cfg(test)]
mod tests;
