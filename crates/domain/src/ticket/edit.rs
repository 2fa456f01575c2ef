//! What differs between two sheets: which operations it takes to come from one to the other, and the words of the audit for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::currency::Currency;
use super::item::Item;
use super::payment::Payment;
use super::right::{Operation, Whose};
use super::sheet::Sheet;
use crate::UserId;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another owner.
    Owner {
        /// Before.
        from: UserId,
        /// After.
        to: UserId,
    },
    /// Another field; the texts are what it held and holds.
    Field {
        /// By its name in requests.
        name: &'static str,
        /// What it asks besides the right to change.
        operation: Option<Operation>,
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// A new item.
    Added(Box<Item>),
    /// An item that is gone.
    Removed(Box<Item>),
    /// An item that is not as it was.
    Item {
        /// Before.
        from: Box<Item>,
        /// After.
        to: Box<Item>,
    },
    /// Other payments.
    Payments {
        /// In what they are.
        currency: Currency,
        /// Before.
        from: Vec<Payment>,
        /// After.
        to: Vec<Payment>,
    },
}

impl Edit {
    /// Every difference, in a fixed order. None where the sheets are the same but for the order of their items.
    pub fn between(from: &Sheet, to: &Sheet) -> Vec<Self> {
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
        field("name", Some(Operation::Rename), text(&from.name), text(&to.name), from.name != to.name);
        let place = |sheet: &Sheet| format!("{} / {}", sheet.location.zone, sheet.location.table);
        field("location", None, place(from), place(to), from.location != to.location);
        let who = |sheet: &Sheet| sheet.customer.as_ref().map_or_else(String::new, |each| each.id.to_string());
        field("customer", Some(Operation::Customer), who(from), who(to), from.customer != to.customer);
        let own = to.customer.as_ref().is_some_and(|customer| customer.discount == to.discount);
        let asks = (!own).then_some(Operation::Discount);
        field("discount", asks, text(&from.discount), text(&to.discount), from.discount != to.discount);
        let (old, new) = (from.rounding.amount(), to.rounding.amount());
        field("rounding", None, text(&from.money(old)), text(&to.money(new)), old != new);
        let kept = |sheet: &Sheet| serde_json::to_string(sheet.extra.object()).unwrap_or_default();
        field("extra", None, kept(from), kept(to), from.extra != to.extra);
        edits.extend(Self::items(&from.items, &to.items));
        if from.payments != to.payments {
            let (from, to, currency) = (from.payments.clone(), to.payments.clone(), to.currency);
            edits.push(Self::Payments { currency, from, to });
        }
        edits
    }

    fn items(from: &[Item], to: &[Item]) -> Vec<Self> {
        let old: BTreeMap<u32, &Item> = from.iter().map(|item| (item.id, item)).collect();
        let new: BTreeMap<u32, &Item> = to.iter().map(|item| (item.id, item)).collect();
        let boxed = |item: &Item| Box::new(item.clone());
        let kept = old.iter().filter_map(|(id, before)| match new.get(id) {
            None => Some(Self::Removed(boxed(before))),
            Some(after) if after == before => None,
            Some(after) => Some(Self::Item { from: boxed(before), to: boxed(after) }),
        });
        let added = new.iter().filter(|(id, _)| !old.contains_key(id));
        kept.chain(added.map(|(_, item)| Self::Added(boxed(item)))).collect()
    }

    /// What it takes besides the right to change, by somebody whose ticket it was before.
    pub(super) fn operations(&self, by: UserId, whose: Whose) -> Vec<Operation> {
        match self {
            Self::Owner { to, .. } => match (whose, *to == by) {
                (Whose::Own, _) => vec![Operation::HandOver],
                (Whose::Anothers, true) => vec![Operation::TakeOver],
                (Whose::Anothers, false) => vec![Operation::TakeOver, Operation::HandOver],
            },
            Self::Field { operation, .. } => operation.iter().copied().collect(),
            Self::Removed(_) => vec![Operation::Storno],
            Self::Item { from, to } if to.quantity < from.quantity || !same_goods(from, to) => vec![Operation::Storno],
            Self::Added(_) | Self::Item { .. } | Self::Payments { .. } => Vec::new(),
        }
    }

    /// What it is called in the audit.
    const fn name(&self) -> &'static str {
        match self {
            Self::Owner { .. } => "owner",
            Self::Field { name, .. } => name,
            Self::Added(_) => "added",
            Self::Removed(_) => "removed",
            Self::Item { .. } => "changed",
            Self::Payments { .. } => "payments",
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Owner { from, to } => json!({"from": from.to_string(), "to": to.to_string()}),
            Self::Field { from, to, .. } => json!({"from": from, "to": to}),
            Self::Added(item) | Self::Removed(item) => told(item),
            Self::Item { from, to } => json!({"from": told(from), "to": told(to)}),
            Self::Payments { currency, from, to } => json!({"from": paid(*currency, from), "to": paid(*currency, to)}),
        }
    }
}

/// Whether it is still what was ordered. Another article, unit or kind under the same id is one item removed and another added;
/// so is another price where the price is fixed.
fn same_goods(from: &Item, to: &Item) -> bool {
    let (old, new) = (&from.article, &to.article);
    let same = from.kind == to.kind && from.unit == to.unit && old.code == new.code && old.name == new.name;
    same && (!old.price_fixed || (from.unit_price == to.unit_price && old.vat == new.vat && new.price_fixed))
}

/// The details of an audit line: every difference by its name, items as lists, numbers as exact text. Of a customer the id alone
/// is told.
pub fn details(edits: &[Edit]) -> Map<String, Value> {
    let mut told = Map::new();
    for edit in edits {
        let many = matches!(edit, Edit::Added(_) | Edit::Removed(_) | Edit::Item { .. });
        if let Some(Value::Array(list)) = told.get_mut(edit.name()) {
            list.push(edit.value());
        } else {
            let value = if many { Value::Array(vec![edit.value()]) } else { edit.value() };
            told.insert(edit.name().to_owned(), value);
        }
    }
    told
}

fn told(item: &Item) -> Value {
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

/// Payments as the audit tells them.
pub(crate) fn paid(currency: Currency, payments: &[Payment]) -> Value {
    let each = |payment: &Payment| {
        json!({
            "means": payment.means.name(),
            "name": payment.name.as_str(),
            "amount": currency.money(payment.amount).to_string(),
        })
    };
    payments.iter().map(each).collect()
}

#[cfg(test)]
mod tests;
