//! An upper bound of the size of a stored ticket, without serializing it.

use super::customer::{Customer, Meta};
use super::error::TicketError;
use super::item::Item;
use super::sheet::Sheet;

/// Braces, ids, and all numbers of a sheet.
const SHEET_OVERHEAD_BYTES: usize = 256;
/// The size of a member besides its value: its name, quotes, a colon and a comma.
const MEMBER_OVERHEAD_BYTES: usize = 24;

impl Sheet {
    /// The greatest size of a stored ticket.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// What closing may add beyond that, because payments are added to a ticket that may be full.
    pub const CLOSING_RESERVE_BYTES: usize = 4 * 1024;

    /// An upper bound of the size of the stored ticket.
    pub fn size_bytes(&self) -> usize {
        let texts = [&self.external_id, &self.name, &self.location.zone, &self.location.table];
        let payment = |amount: i64, name: &str| 36 + digit_count(amount) + text_bytes(name);
        SHEET_OVERHEAD_BYTES
            + texts.iter().map(|each| text_bytes(each.as_str())).sum::<usize>()
            + self.customer.as_ref().map_or(0, customer_bytes)
            + self.items.iter().map(item_bytes).sum::<usize>()
            + self.payments.iter().map(|each| payment(each.amount.ten_thousandths(), each.name.as_str())).sum::<usize>()
            + meta_bytes(&self.extra)
    }

    /// Checks that a sheet is not larger than the limit, or than `before`: a ticket from before the
    /// limit can still be changed, closed and refunded.
    pub(super) fn check_growth(&self, before: usize) -> Result<(), TicketError> {
        let size = self.size_bytes();
        if size <= Self::MAX_BYTES || size <= before {
            Ok(())
        } else {
            Err(TicketError::TooMany { what: "bytes as it is kept", most: Self::MAX_BYTES })
        }
    }
}

fn customer_bytes(customer: &Customer) -> usize {
    let texts = [
        &customer.id,
        &customer.external_id,
        &customer.card_serial_number,
        &customer.first_name,
        &customer.last_name,
        &customer.full_name,
        &customer.phone,
        &customer.email,
    ];
    100 + texts.iter().map(|each| text_bytes(each.as_str())).sum::<usize>()
        + meta_bytes(&customer.meta)
        + meta_bytes(&customer.extra)
}

fn item_bytes(item: &Item) -> usize {
    let article = &item.article;
    let texts = [
        item.external_id.as_str(),
        item.comment.as_str(),
        item.unit.as_str(),
        article.name.as_str(),
        article.description.as_str(),
        article.stock.as_str(),
        article.code.as_str(),
        article.category.as_str(),
        article.kind.as_str(),
        article.vat_category.as_str(),
    ];
    let numbers = [
        i64::from(item.id),
        item.unit_price.units(),
        item.quantity.value().units(),
        item.discount.percent().units(),
        article.vat.map_or(0, |rate| rate.percent().units()),
    ];
    let marks = [
        !article.discount_allowed,
        article.price_fixed,
        article.splittable,
        article.cashback_allowed,
        article.vat.is_some(),
    ];
    // {"id":,"kind":"Positive","article":{},"unit_price":,"quantity":,"discount":},
    80 + texts.iter().map(|each| text_bytes(each)).sum::<usize>()
        + numbers.iter().map(|each| digit_count(*each)).sum::<usize>()
        + marks.iter().filter(|set| **set).count() * (MEMBER_OVERHEAD_BYTES + 5)
        + article.order_endpoints.iter().map(|each| 3 + text_bytes(each.as_str())).sum::<usize>()
        + meta_bytes(&article.extra)
}

/// The size of a text with its name; zero if it is empty, because it is omitted then.
fn text_bytes(text: &str) -> usize {
    // The characters that JSON escapes by a backslash; texts have no other control characters.
    let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t')).count();
    if text.is_empty() { 0 } else { MEMBER_OVERHEAD_BYTES + text.len() + escaped }
}

/// The size of an object with its name; zero if it is empty, because it is omitted then.
fn meta_bytes(meta: &Meta) -> usize {
    let object = meta.object();
    if object.is_empty() {
        0
    } else {
        MEMBER_OVERHEAD_BYTES + serde_json::to_string(object).map_or(0, |json| json.len())
    }
}

/// The number of digits of a number, with its sign.
fn digit_count(number: i64) -> usize {
    let digits = number.unsigned_abs().checked_ilog10().map_or(1, |tens| usize::try_from(tens).unwrap_or(20) + 1);
    digits + usize::from(number < 0)
}
