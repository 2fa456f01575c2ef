//! A ticket in PORTOS' shape, every number exact.

use tillgate_domain::DeviceName;
use tillgate_domain::office::Shown;
use tillgate_domain::ticket::{Amount, Customer, Item, Means, Meta, Payment, Sheet, TicketState, Totals};

use super::super::ticket_id;
use super::{ARTICLE_EXTRA, CLOSE_INFO_EXTRA, CUSTOMER_EXTRA, PURCHASE_TYPE, TICKET_EXTRA, VAT_CATEGORIES};
use crate::exact::Exact;
use crate::instants;

/// The row of a ticket.
pub(super) fn of(shown: &Shown) -> Exact {
    let sheet = &shown.ticket.sheet;
    made(shown, Exact::List(sheet.items.iter().map(|each| item(each, sheet)).collect()))
}

/// The row without its items, to look at what else it shows.
pub(super) fn without_items(shown: &Shown) -> Exact {
    made(shown, Exact::Null)
}

fn made(shown: &Shown, items: Exact) -> Exact {
    let ticket = &shown.ticket;
    let sheet = &ticket.sheet;
    let closing = match &ticket.state {
        TicketState::Closed(closing) => Some(closing),
        // a void ticket is shown once, as it was when it was deleted
        TicketState::Open | TicketState::Void(_) => None,
    };
    let closed_at = closing.map_or(Exact::Null, |closing| Exact::text(instants::text(closing.at)));
    let close_info = closing.map_or(Exact::Null, |closing| {
        Exact::object([
            ("number", Exact::number(closing.receipt.number)),
            ("fiscalName", Exact::filled(closing.receipt.fiscal.as_str())),
            ("deviceName", named(shown.ended_on.as_ref())),
            ("dailySalesReportNumber", closing.receipt.daily_sales_report.map_or(Exact::Null, Exact::number)),
        ])
        .with(extra(&closing.receipt.extra, &CLOSE_INFO_EXTRA))
    });
    let totals = sheet.totals();
    let mut row = vec![
        ("id", Exact::text(ticket_id::text(ticket.id))),
        ("externalId", Exact::filled(sheet.external_id.as_str())),
        ("state", Exact::text(if closing.is_some() { "Closed" } else { "Opened" })),
        ("type", Exact::text("CashRegister")),
        ("name", Exact::filled(sheet.name.as_str())),
        ("openDate", Exact::text(instants::text(ticket.opened_at))),
        ("issueDate", closed_at.clone()),
        ("closeDate", closed_at),
        ("closeInfo", close_info),
        ("purchaseType", purchase_type(sheet)),
        (
            "location",
            Exact::object([
                ("zoneName", Exact::filled(sheet.location.zone.as_str())),
                ("tableName", Exact::filled(sheet.location.table.as_str())),
            ]),
        ),
        ("customer", sheet.customer.as_ref().map_or(Exact::Null, customer)),
        ("originDeviceName", named(shown.opened_on.as_ref())),
        ("employee", employee(shown)),
        ("items", items),
        ("discountRate", Exact::number(sheet.discount)),
        ("roundingAmount", Exact::number(sheet.money(sheet.rounding.amount()))),
        ("payments", Exact::List(sheet.payments.iter().map(|each| payment(each, sheet)).collect())),
        ("_v", Exact::number(ticket.version)),
    ];
    row.extend(sums(&totals, sheet));
    row.push(("payable", Exact::number(sheet.money(sheet.payable()))));
    Exact::Object(row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The kind of purchase as it was sent; otherwise the published one.
fn purchase_type(sheet: &Sheet) -> Exact {
    let sent = extra(&sheet.extra, &TICKET_EXTRA).map(|(_, value)| value).find(|value| !value.is_null());
    sent.unwrap_or_else(|| Exact::text(PURCHASE_TYPE))
}

/// What items and tickets come to.
fn sums(totals: &Totals, sheet: &Sheet) -> [(&'static str, Exact); 3] {
    let amount = |amount: Amount| Exact::number(sheet.money(amount));
    [
        ("totalPriceIncludingVat", amount(totals.including_vat)),
        ("totalPriceAfterDiscountIncludingVat", amount(totals.after_discount_including_vat)),
        ("discountPriceIncludingVat", amount(totals.discount_including_vat)),
    ]
}

fn named(device: Option<&DeviceName>) -> Exact {
    device.map_or(Exact::Null, |name| Exact::text(name.as_str()))
}

fn employee(shown: &Shown) -> Exact {
    let Some(user) = &shown.owner else { return Exact::Null };
    Exact::object([
        ("name", Exact::text(&user.display_name)),
        ("userName", Exact::text(user.name.as_str())),
        ("featureName", user.feature.as_ref().map_or(Exact::Null, Exact::text)),
    ])
}

fn customer(customer: &Customer) -> Exact {
    Exact::object([
        ("id", Exact::filled(customer.id.as_str())),
        ("externalId", Exact::filled(customer.external_id.as_str())),
        ("cardSerialNumber", Exact::filled(customer.card_serial_number.as_str())),
        ("firstName", Exact::filled(customer.first_name.as_str())),
        ("lastName", Exact::filled(customer.last_name.as_str())),
        ("fullName", Exact::filled(customer.full_name.as_str())),
        ("phone", Exact::filled(customer.phone.as_str())),
        ("email", Exact::filled(customer.email.as_str())),
        ("creditRate", Exact::number(customer.credit)),
        ("discountRate", Exact::number(customer.discount)),
        ("meta", Exact::Object(customer.meta.object().members().to_vec())),
    ])
    .with(extra(&customer.extra, &CUSTOMER_EXTRA))
}

/// The published members that come back as they came. What else the native API keeps there is not shown: no name stands twice.
fn extra<'e>(extra: &'e Meta, published: &'e [&str]) -> impl Iterator<Item = (String, Exact)> + 'e {
    extra.object().members().iter().filter(|(name, _)| published.contains(&name.as_str())).cloned()
}

fn item(item: &Item, sheet: &Sheet) -> Exact {
    let (unit, article) = (item.unit_prices(sheet.discount), &item.article);
    let plu = Exact::object([
        ("name", Exact::filled(article.name.as_str())),
        ("description", Exact::filled(article.description.as_str())),
        ("stockName", Exact::filled(article.stock.as_str())),
        ("code", Exact::filled(article.code.as_str())),
        ("articleCategoryLabel", Exact::filled(article.category.as_str())),
        (
            "vatInfo",
            Exact::object([
                ("category", vat_category(article.vat_category.as_str())),
                ("rate", article.vat.map_or(Exact::Null, Exact::number)),
            ]),
        ),
        ("isDiscountAllowed", Exact::Truth(article.discount_allowed)),
        ("isPriceFixed", Exact::Truth(article.price_fixed)),
        ("isSplittable", Exact::Truth(article.splittable)),
        (
            "orderEndpointNames",
            Exact::List(article.order_endpoints.iter().map(|name| Exact::text(name.as_str())).collect()),
        ),
        ("type", Exact::filled(article.kind.as_str())),
        ("isCashbackAllowed", Exact::Truth(article.cashback_allowed)),
    ])
    .with(extra(&article.extra, &ARTICLE_EXTRA));
    let mut row = vec![
        ("id", Exact::number(item.id)),
        ("externalId", Exact::filled(item.external_id.as_str())),
        ("type", Exact::text(item.kind.name())),
        ("plu", plu),
        ("comment", Exact::filled(item.comment.as_str())),
        (
            "unitPrice",
            Exact::object([
                ("amount", Exact::number(unit.amount)),
                ("amountIncludingVat", Exact::number(unit.including_vat)),
                ("amountAfterDiscount", Exact::number(unit.after_discount)),
                ("amountAfterDiscountIncludingVat", Exact::number(unit.after_discount_including_vat)),
            ]),
        ),
        (
            "quantity",
            Exact::object([("amount", Exact::number(item.quantity)), ("unit", Exact::filled(item.unit.as_str()))]),
        ),
        ("discountRate", Exact::number(item.discount)),
    ];
    row.extend(sums(&sheet.item_totals(item), sheet));
    Exact::Object(row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The category of a VAT: the published number; another text, such as one that an older client has sent, as it is.
fn vat_category(kept: &str) -> Exact {
    match VAT_CATEGORIES.map(|number| number.to_string()).find(|number| number == kept) {
        Some(number) => Exact::Number(number),
        None => Exact::filled(kept),
    }
}

fn payment(payment: &Payment, sheet: &Sheet) -> Exact {
    let kind = match payment.means {
        Means::Cash => "Cash",
        Means::Card => "Card",
        Means::Voucher => "Voucher",
        Means::Other => "Other",
    };
    Exact::object([
        ("type", Exact::text(kind)),
        ("name", Exact::filled(payment.name.as_str())),
        ("amount", Exact::number(sheet.money(payment.amount))),
    ])
}
