//! Tickets in responses of PORTOS; all numbers are exact.

use tillgate_domain::DeviceName;
use tillgate_domain::office::TicketView;
use tillgate_domain::ticket::{Amount, Customer, Item, Meta, Payment, PaymentMethod, Sheet, TicketState, Totals};

use super::super::ticket_id;
use super::{
    ARTICLE_EXTRA_MEMBERS, CLOSE_INFO_EXTRA_MEMBERS, CUSTOMER_EXTRA_MEMBERS, DEFAULT_PURCHASE_TYPE,
    TICKET_EXTRA_MEMBERS, VAT_CATEGORIES,
};
use crate::json::exact::ExactJson;
use crate::timestamps;

/// Builds the row of a ticket.
pub(super) fn build_row(view: &TicketView) -> ExactJson {
    let sheet = &view.ticket.sheet;
    build_row_with(view, ExactJson::Array(sheet.items.iter().map(|each| build_item(each, sheet)).collect()))
}

/// Builds the row without its items, to evaluate other members.
pub(super) fn build_row_without_items(view: &TicketView) -> ExactJson {
    build_row_with(view, ExactJson::Null)
}

fn build_row_with(view: &TicketView, items: ExactJson) -> ExactJson {
    let ticket = &view.ticket;
    let sheet = &ticket.sheet;
    let closing = match &ticket.state {
        TicketState::Closed(closing) => Some(closing),
        // a void ticket is returned once, by its deletion, in its previous state
        TicketState::Open | TicketState::Void(_) => None,
    };
    let closed_at =
        closing.map_or(ExactJson::Null, |closing| ExactJson::string(timestamps::format_instant(closing.at)));
    let close_info = closing.map_or(ExactJson::Null, |closing| {
        ExactJson::object([
            ("number", ExactJson::number(closing.receipt.number)),
            ("fiscalName", ExactJson::string_or_null(closing.receipt.fiscal.as_str())),
            ("deviceName", build_device_name(view.ended_on.as_ref())),
            ("dailySalesReportNumber", closing.receipt.daily_sales_report.map_or(ExactJson::Null, ExactJson::number)),
        ])
        .with_members(published_extra(&closing.receipt.extra, &CLOSE_INFO_EXTRA_MEMBERS))
    });
    let totals = sheet.totals();
    let mut row = vec![
        ("id", ExactJson::string(ticket_id::format_ticket_id(ticket.id))),
        ("externalId", ExactJson::string_or_null(sheet.external_id.as_str())),
        ("state", ExactJson::string(if closing.is_some() { "Closed" } else { "Opened" })),
        ("type", ExactJson::string("CashRegister")),
        ("name", ExactJson::string_or_null(sheet.name.as_str())),
        ("openDate", ExactJson::string(timestamps::format_instant(ticket.opened_at))),
        ("issueDate", closed_at.clone()),
        ("closeDate", closed_at),
        ("closeInfo", close_info),
        ("purchaseType", build_purchase_type(sheet)),
        (
            "location",
            ExactJson::object([
                ("zoneName", ExactJson::string_or_null(sheet.location.zone.as_str())),
                ("tableName", ExactJson::string_or_null(sheet.location.table.as_str())),
            ]),
        ),
        ("customer", sheet.customer.as_ref().map_or(ExactJson::Null, build_customer)),
        ("originDeviceName", build_device_name(view.opened_on.as_ref())),
        ("employee", build_employee(view)),
        ("items", items),
        ("discountRate", ExactJson::number(sheet.discount)),
        ("roundingAmount", ExactJson::number(sheet.money(sheet.rounding.amount()))),
        ("payments", ExactJson::Array(sheet.payments.iter().map(|each| build_payment(each, sheet)).collect())),
        ("_v", ExactJson::number(ticket.version)),
    ];
    row.extend(build_totals(&totals, sheet));
    row.push(("payable", ExactJson::number(sheet.money(sheet.payable()))));
    ExactJson::Object(row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Returns the kind of purchase as sent, otherwise the published default.
fn build_purchase_type(sheet: &Sheet) -> ExactJson {
    let sent =
        published_extra(&sheet.extra, &TICKET_EXTRA_MEMBERS).map(|(_, value)| value).find(|value| !value.is_null());
    sent.unwrap_or_else(|| ExactJson::string(DEFAULT_PURCHASE_TYPE))
}

/// Builds the totals of an item or a ticket.
fn build_totals(totals: &Totals, sheet: &Sheet) -> [(&'static str, ExactJson); 3] {
    let amount = |amount: Amount| ExactJson::number(sheet.money(amount));
    [
        ("totalPriceIncludingVat", amount(totals.including_vat)),
        ("totalPriceAfterDiscountIncludingVat", amount(totals.after_discount_including_vat)),
        ("discountPriceIncludingVat", amount(totals.discount_including_vat)),
    ]
}

fn build_device_name(device: Option<&DeviceName>) -> ExactJson {
    device.map_or(ExactJson::Null, |name| ExactJson::string(name.as_str()))
}

fn build_employee(view: &TicketView) -> ExactJson {
    let Some(user) = &view.owner else { return ExactJson::Null };
    ExactJson::object([
        ("name", ExactJson::string(&user.display_name)),
        ("userName", ExactJson::string(user.name.as_str())),
        ("featureName", user.feature.as_ref().map_or(ExactJson::Null, ExactJson::string)),
    ])
}

fn build_customer(customer: &Customer) -> ExactJson {
    ExactJson::object([
        ("id", ExactJson::string_or_null(customer.id.as_str())),
        ("externalId", ExactJson::string_or_null(customer.external_id.as_str())),
        ("cardSerialNumber", ExactJson::string_or_null(customer.card_serial_number.as_str())),
        ("firstName", ExactJson::string_or_null(customer.first_name.as_str())),
        ("lastName", ExactJson::string_or_null(customer.last_name.as_str())),
        ("fullName", ExactJson::string_or_null(customer.full_name.as_str())),
        ("phone", ExactJson::string_or_null(customer.phone.as_str())),
        ("email", ExactJson::string_or_null(customer.email.as_str())),
        ("creditRate", ExactJson::number(customer.credit)),
        ("discountRate", ExactJson::number(customer.discount)),
        ("meta", ExactJson::Object(customer.meta.object().members().to_vec())),
    ])
    .with_members(published_extra(&customer.extra, &CUSTOMER_EXTRA_MEMBERS))
}

/// Returns the published members that are stored as sent. Other members that the native API stores
/// there are omitted, so that no name occurs twice.
fn published_extra<'e>(extra: &'e Meta, published: &'e [&str]) -> impl Iterator<Item = (String, ExactJson)> + 'e {
    extra.object().members().iter().filter(|(name, _)| published.contains(&name.as_str())).cloned()
}

fn build_item(item: &Item, sheet: &Sheet) -> ExactJson {
    let (unit, article) = (item.unit_prices(sheet.discount), &item.article);
    let plu = ExactJson::object([
        ("name", ExactJson::string_or_null(article.name.as_str())),
        ("description", ExactJson::string_or_null(article.description.as_str())),
        ("stockName", ExactJson::string_or_null(article.stock.as_str())),
        ("code", ExactJson::string_or_null(article.code.as_str())),
        ("articleCategoryLabel", ExactJson::string_or_null(article.category.as_str())),
        (
            "vatInfo",
            ExactJson::object([
                ("category", build_vat_category(article.vat_category.as_str())),
                ("rate", article.vat.map_or(ExactJson::Null, ExactJson::number)),
            ]),
        ),
        ("isDiscountAllowed", ExactJson::Bool(article.discount_allowed)),
        ("isPriceFixed", ExactJson::Bool(article.price_fixed)),
        ("isSplittable", ExactJson::Bool(article.splittable)),
        (
            "orderEndpointNames",
            ExactJson::Array(article.order_endpoints.iter().map(|name| ExactJson::string(name.as_str())).collect()),
        ),
        ("type", ExactJson::string_or_null(article.kind.as_str())),
        ("isCashbackAllowed", ExactJson::Bool(article.cashback_allowed)),
    ])
    .with_members(published_extra(&article.extra, &ARTICLE_EXTRA_MEMBERS));
    let mut row = vec![
        ("id", ExactJson::number(item.id)),
        ("externalId", ExactJson::string_or_null(item.external_id.as_str())),
        ("type", ExactJson::string(item.kind.name())),
        ("plu", plu),
        ("comment", ExactJson::string_or_null(item.comment.as_str())),
        (
            "unitPrice",
            ExactJson::object([
                ("amount", ExactJson::number(unit.amount)),
                ("amountIncludingVat", ExactJson::number(unit.including_vat)),
                ("amountAfterDiscount", ExactJson::number(unit.after_discount)),
                ("amountAfterDiscountIncludingVat", ExactJson::number(unit.after_discount_including_vat)),
            ]),
        ),
        (
            "quantity",
            ExactJson::object([
                ("amount", ExactJson::number(item.quantity)),
                ("unit", ExactJson::string_or_null(item.unit.as_str())),
            ]),
        ),
        ("discountRate", ExactJson::number(item.discount)),
    ];
    row.extend(build_totals(&sheet.item_totals(item), sheet));
    ExactJson::Object(row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Returns the VAT category: the published number, or any other text (for example of an older
/// client) as it is.
fn build_vat_category(kept: &str) -> ExactJson {
    match VAT_CATEGORIES.map(|number| number.to_string()).find(|number| number == kept) {
        Some(number) => ExactJson::Number(number),
        None => ExactJson::string_or_null(kept),
    }
}

fn build_payment(payment: &Payment, sheet: &Sheet) -> ExactJson {
    let kind = match payment.method {
        PaymentMethod::Cash => "Cash",
        PaymentMethod::Card => "Card",
        PaymentMethod::Voucher => "Voucher",
        PaymentMethod::Other => "Other",
    };
    ExactJson::object([
        ("type", ExactJson::string(kind)),
        ("name", ExactJson::string_or_null(payment.name.as_str())),
        ("amount", ExactJson::number(sheet.money(payment.amount))),
    ])
}
