//! Tickets in requests of PORTOS. Omitted members stay unchanged; members that the server computes
//! are ignored.

mod object_reader;

use actix_web::http::header::HeaderMap;
use tillgate_domain::office::{ItemInput, OwnerRef, TicketChange, TicketClosing};
use tillgate_domain::ticket::{
    Amount, Article, BoundedText, Customer, ItemDraft, ItemKind, Label, Location, Meta, NumberSeries, Payment,
    PaymentMethod, Quantity, Rate,
};
use tillgate_domain::{JsonObject, TicketId, UserName};

use super::super::ticket_id;
use super::{
    ARTICLE_EXTRA_MEMBERS, CLOSE_INFO_EXTRA_MEMBERS, CUSTOMER_EXTRA_MEMBERS, DEFAULT_PURCHASE_TYPE,
    TICKET_EXTRA_MEMBERS, VAT_CATEGORIES, VERBATIM_MEMBERS,
};
use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};
use crate::json::exact::ExactJson;
use crate::request::body::{is_empty_body, read_exact};
use crate::request::partial_body::PartialBody;
use object_reader::TicketObjectReader;

/// Maximum number of tickets in one request.
const MAX_TICKETS_PER_REQUEST: usize = 200;

/// A ticket in a request.
pub(super) struct TicketInput {
    /// Id of the ticket, if sent.
    pub(super) id: Option<TicketId>,
    /// The version that the client read, if sent.
    pub(super) version: Option<i64>,
    /// The change of the ticket; invalid fields are missing, and invalid numbers of items and
    /// payments are zero.
    pub(super) change: TicketChange,
    /// Whether all of its fields are valid.
    pub(super) is_valid: bool,
}

impl TicketInput {
    /// Reads a single ticket.
    pub(super) fn read_one(headers: &HeaderMap, body: &[u8]) -> Result<PartialBody<Self>, ApiError> {
        let (exact, mut violations) = read_exact(headers, body, &VERBATIM_MEMBERS)?;
        let sent = Self::from_members(TicketObjectReader::new(&exact, "", &mut violations), false);
        Ok(PartialBody::new(sent, violations))
    }

    /// Reads several tickets: a list, or an object with a list in `items`.
    pub(super) fn read_many(headers: &HeaderMap, body: &[u8]) -> Result<PartialBody<Vec<Self>>, ApiError> {
        let (exact, mut violations) = read_exact(headers, body, &VERBATIM_MEMBERS)?;
        let list = if let ExactJson::Array(list) = &exact { Some(list) } else { find_items(&exact) };
        let Some(list) = list.filter(|list| list.len() <= MAX_TICKETS_PER_REQUEST) else {
            let code = if list.is_some() { FieldErrorCode::Range } else { FieldErrorCode::Type };
            violations.push(build_violation("Items".to_owned(), code));
            violations.sort();
            return Err(ProtocolError::InvalidFields(violations).into());
        };
        let read = list.iter().enumerate().map(|(index, each)| {
            let known = violations.len();
            let sent = Self::from_members(TicketObjectReader::new(each, &format!("[{index}]."), &mut violations), true);
            Self { is_valid: violations.len() == known, ..sent }
        });
        let sent = read.collect();
        Ok(PartialBody::new(sent, violations))
    }

    fn from_members(mut members: TicketObjectReader<'_, '_>, named: bool) -> Self {
        let id = members.read_plain::<String>("Id", named).and_then(|id| {
            let parsed = ticket_id::parse_ticket_id(&id);
            if parsed.is_none() {
                members.add_violation("Id", FieldErrorCode::Format);
            }
            parsed
        });
        let version = members.read_integer("_v");
        Self { id, version, change: read_change(&mut members), is_valid: true }
    }
}

fn find_items(exact: &ExactJson) -> Option<&Vec<ExactJson>> {
    match exact.find_member("items") {
        Some(ExactJson::Array(list)) => Some(list),
        _ => None,
    }
}

fn build_violation(field: String, code: FieldErrorCode) -> FieldViolation {
    FieldViolation { field: field.into(), in_query: false, code, message: "is not valid".into() }
}

fn read_change(members: &mut TicketObjectReader<'_, '_>) -> TicketChange {
    let owner = members.read_object("Employee").and_then(|mut employee| {
        let name = employee.read_plain::<String>("UserName", false)?;
        let parsed = UserName::parse(&name);
        parsed.map_err(|_| employee.add_violation("UserName", FieldErrorCode::Format)).ok().map(OwnerRef::Name)
    });
    let customer = if members.is_null("Customer") {
        Some(None)
    } else {
        members.read_object("Customer").map(|mut each| Some(read_customer(&mut each)))
    };
    TicketChange {
        owner,
        external_id: members.read_optional_label("ExternalId"),
        name: members.read_optional_label("Name"),
        location: members.read_object("Location").map(|mut location| Location {
            zone: location.read_text("ZoneName"),
            table: location.read_text("TableName"),
        }),
        customer,
        discount: members.read_decimal("DiscountRate", false),
        items: members.read_list("Items", read_item),
        rounding: members.read_decimal("RoundingAmount", false),
        payments: read_payments(members),
        extra: read_purchase_type(members),
    }
}

fn read_customer(members: &mut TicketObjectReader<'_, '_>) -> Customer {
    Customer {
        id: members.read_text("Id"),
        external_id: members.read_text("ExternalId"),
        card_serial_number: members.read_text("CardSerialNumber"),
        first_name: members.read_text("FirstName"),
        last_name: members.read_text("LastName"),
        full_name: members.read_text("FullName"),
        phone: members.read_text("Phone"),
        email: members.read_text("Email"),
        credit: members.read_decimal("CreditRate", false).unwrap_or(Rate::ZERO),
        discount: members.read_decimal("DiscountRate", false).unwrap_or(Rate::ZERO),
        meta: read_meta(members),
        extra: read_extra(members, &CUSTOMER_EXTRA_MEMBERS),
    }
}

/// Reads the kind of purchase, which is stored as sent. The default is not stored.
fn read_purchase_type(members: &mut TicketObjectReader<'_, '_>) -> Option<Meta> {
    let [name] = TICKET_EXTRA_MEMBERS;
    members.get(name)?;
    let word: Label = members.read_text("PurchaseType");
    let kept = if ["", DEFAULT_PURCHASE_TYPE].contains(&word.as_str()) {
        Vec::new()
    } else {
        vec![(name.to_owned(), ExactJson::string(word.as_str()))]
    };
    Meta::new(JsonObject::new(kept)).ok()
}

/// Reads members that are stored as sent. If they are too long together, the longest is reported.
fn read_extra(members: &mut TicketObjectReader<'_, '_>, names: &[&str]) -> Meta {
    let sent = names.iter().filter_map(|name| Some(((*name).to_owned(), members.get(name)?.clone())));
    let sent: Vec<_> = sent.collect();
    if let Ok(kept) = Meta::new(JsonObject::new(sent.clone())) {
        return kept;
    }
    let length = |value: &ExactJson| serde_json::to_string(value).map_or(0, |json| json.len());
    if let Some((longest, _)) = sent.iter().max_by_key(|(_, value)| length(value)) {
        let (first, rest) = longest.split_at(1);
        members.add_violation(&format!("{}{rest}", first.to_uppercase()), FieldErrorCode::Length);
    }
    Meta::default()
}

fn read_meta(members: &mut TicketObjectReader<'_, '_>) -> Meta {
    let Some(sent) = members.get_non_null("Meta") else { return Meta::default() };
    match sent {
        ExactJson::Object(kept) => match Meta::new(JsonObject::new(kept.clone())) {
            Ok(meta) => return meta,
            Err(_) => members.add_violation("Meta", FieldErrorCode::Length),
        },
        _ => members.add_violation("Meta", FieldErrorCode::Type),
    }
    Meta::default()
}

/// Reads an item. Price and quantity are required.
fn read_item(members: &mut TicketObjectReader<'_, '_>) -> ItemInput {
    let id = members.read_integer::<u32>("Id");
    let kind = members.read_plain::<String>("Type", false).and_then(|word| {
        let kind = ItemKind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(&word));
        if kind.is_none() {
            members.add_violation("Type", FieldErrorCode::Format);
        }
        kind
    });
    let article = members.read_object("Plu").map_or_else(default_article, |mut plu| read_article(&mut plu));
    let price = members.require_object("UnitPrice").and_then(|mut price| price.read_decimal("Amount", true));
    let (quantity, unit) = members
        .require_object("Quantity")
        .map(|mut quantity| (quantity.read_decimal::<Quantity>("Amount", true), quantity.read_text("Unit")))
        .unwrap_or_default();
    let line = ItemDraft {
        id: 0,
        external_id: members.read_text("ExternalId"),
        kind: kind.unwrap_or(ItemKind::Positive),
        article,
        comment: members.read_text("Comment"),
        unit_price: price.unwrap_or_default(),
        // if missing, there is a violation
        quantity: quantity.unwrap_or(Quantity::ZERO),
        unit,
        discount: members.read_decimal("DiscountRate", false).unwrap_or(Rate::ZERO),
    };
    ItemInput { id, item: line }
}

/// An article without any member sent; discounts apply to it.
fn default_article() -> Article {
    Article { discount_allowed: true, ..Article::default() }
}

fn read_article(members: &mut TicketObjectReader<'_, '_>) -> Article {
    let vat =
        members.read_object("VatInfo").map(|mut vat| (read_vat_category(&mut vat), vat.read_decimal("Rate", false)));
    let (vat_category, vat) = vat.unwrap_or_default();
    Article {
        name: members.read_text("Name"),
        description: members.read_text("Description"),
        stock: members.read_text("StockName"),
        code: members.read_text("Code"),
        category: members.read_text("ArticleCategoryLabel"),
        kind: members.read_text("Type"),
        vat_category,
        vat,
        discount_allowed: members.read_bool("IsDiscountAllowed").unwrap_or(true),
        price_fixed: members.read_bool("IsPriceFixed").unwrap_or_default(),
        splittable: members.read_bool("IsSplittable").unwrap_or_default(),
        cashback_allowed: members.read_bool("IsCashbackAllowed").unwrap_or_default(),
        order_endpoints: members.read_labels("OrderEndpointNames"),
        extra: read_extra(members, &ARTICLE_EXTRA_MEMBERS),
    }
}

/// Reads a VAT category: one of the published numbers, or a text.
fn read_vat_category(members: &mut TicketObjectReader<'_, '_>) -> Label {
    let Some(ExactJson::Number(digits)) = members.get_non_null("Category") else {
        return members.read_text("Category");
    };
    let sent = digits.parse().unwrap_or(f64::NAN);
    let found = VAT_CATEGORIES.into_iter().find(|number| f64::from(*number).total_cmp(&sent).is_eq());
    let label = found.and_then(|number| Label::parse(&number.to_string()).ok());
    if label.is_none() {
        members.add_violation("Category", FieldErrorCode::Range);
    }
    label.unwrap_or_default()
}

fn read_payments(members: &mut TicketObjectReader<'_, '_>) -> Option<Vec<Payment>> {
    members.read_list("Payments", read_payment)
}

/// Reads a payment. The payment method is derived from its type, or from its name if the type is
/// empty.
fn read_payment(members: &mut TicketObjectReader<'_, '_>) -> Payment {
    // if missing, there is a violation
    let amount = members.read_decimal("Amount", true).unwrap_or(Amount::ZERO);
    let (kind, name): (Label, Label) = (members.read_text("Type"), members.read_text("Name"));
    let word = if kind.as_str().is_empty() { name.as_str() } else { kind.as_str() }.to_lowercase();
    let means = match word.as_str() {
        "" | "cash" | "hotovosť" | "hotovost" => PaymentMethod::Cash,
        "card" | "karta" | "platobná karta" | "platobna karta" => PaymentMethod::Card,
        "voucher" | "stravné lístky" | "stravne listky" | "poukážka" => PaymentMethod::Voucher,
        _ => PaymentMethod::Other,
    };
    let name = if name.as_str().is_empty() && means == PaymentMethod::Other { kind } else { name };
    Payment { method: means, name, amount }
}

/// How a ticket is closed in a request.
pub(super) struct ClosingInput {
    /// The closing; invalid fields are missing, and invalid amounts of payments are zero.
    pub(super) closing: TicketClosing,
    /// The version that the client read, if sent.
    pub(super) version: Option<i64>,
    /// Whether all payments are valid.
    pub(super) are_payments_valid: bool,
}

/// Reads how a ticket is closed, and the version that the client read. Without a body, the amount
/// due was paid in cash, and the receipt gets the next number of the till.
pub(super) fn read_closing(
    headers: &HeaderMap,
    body: &[u8],
    fiscal_setting: Option<String>,
) -> Result<PartialBody<ClosingInput>, ApiError> {
    let (exact, mut violations) = if is_empty_body(body) {
        (ExactJson::Object(Vec::new()), Vec::new())
    } else {
        read_exact(headers, body, &VERBATIM_MEMBERS)?
    };
    let mut members = TicketObjectReader::new(&exact, "", &mut violations);
    let version = members.read_integer("_v");
    let known = members.violation_count();
    let payments = read_payments(&mut members);
    let are_payments_valid = members.violation_count() == known;
    // the published response has these together, so a request may have them too
    let receipt = |members: &mut TicketObjectReader<'_, '_>| {
        let (number, fiscal) = (members.read_integer("Number"), members.read_text::<200>("FiscalName"));
        if NumberSeries::is_blank(fiscal.as_str()) {
            members.add_violation("FiscalName", FieldErrorCode::Required);
        } else if fiscal_setting.as_deref() != Some(fiscal.as_str())
            && NumberSeries::check_new_name(fiscal.as_str()).is_err()
        {
            members.add_violation("FiscalName", FieldErrorCode::Format);
        }
        (number, fiscal, members.read_integer("DailySalesReportNumber"), read_extra(members, &CLOSE_INFO_EXTRA_MEMBERS))
    };
    let inner = members.read_object("CloseInfo").map(|mut info| receipt(&mut info));
    let (number, name, daily_sales_report, extra) = inner.unwrap_or_else(|| receipt(&mut members));
    let named = fiscal_setting.filter(|name| !NumberSeries::is_blank(name));
    let fallback = || named.and_then(|name| BoundedText::parse(&name).ok()).unwrap_or_default();
    let fiscal = if name.as_str().is_empty() { fallback() } else { name };
    let closing = TicketClosing { payments, number, fiscal, daily_sales_report, extra, assume_cash: true };
    Ok(PartialBody::new(ClosingInput { closing, version, are_payments_valid }, violations))
}
