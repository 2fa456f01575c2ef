//! Tickets as PORTOS' clients send them. What a body does not say stays as it is; what the server works out is passed over.

mod members;

use actix_web::http::header::HeaderMap;
use tillgate_domain::office::{Owner, TicketChange, TicketClosing, WantedLine};
use tillgate_domain::ticket::{
    Article, Currency, Customer, ItemKind, Label, Line, Location, Means, Meta, NumberSeries, Payment, Quantity, Rate,
    Text,
};
use tillgate_domain::{JsonObject, TicketId, UserName};

use super::super::ticket_id;
use super::{ARTICLE_EXTRA, AS_SENT, CLOSE_INFO_EXTRA, CUSTOMER_EXTRA, PURCHASE_TYPE, TICKET_EXTRA, VAT_CATEGORIES};
use crate::body::is_nothing;
use crate::exact::{self, Exact};
use crate::failure::{Failure, FieldFault, Protocol};
use members::Members;

/// The most tickets that one request changes.
const MOST: usize = 200;

/// A ticket as it was sent.
pub(super) struct Sent {
    /// Its id, where it says so.
    pub(super) id: Option<TicketId>,
    /// The version that the client saw.
    pub(super) version: Option<i64>,
    /// What becomes of it.
    pub(super) change: TicketChange,
}

impl Sent {
    /// The ticket of a body, which is paid in this currency if it is new. Of a ticket that is there already the currency is known
    /// only when it is read: it judges the amounts then.
    pub(super) fn one(headers: &HeaderMap, body: &[u8], currency: Option<Currency>) -> Result<Self, Failure> {
        let (exact, mut faults) = (exact::read(headers, body, &AS_SENT)?, Vec::new());
        let sent = Self::read(Members::of(&exact, "", &mut faults).paid_in(currency), false);
        checked(sent, faults)
    }

    /// The tickets of a body: a list, or an object with one under `items`.
    pub(super) fn many(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Self>, Failure> {
        let (exact, mut faults) = (exact::read(headers, body, &AS_SENT)?, Vec::new());
        let list = if let Exact::List(list) = &exact { Some(list) } else { list_of(&exact) };
        let Some(list) = list.filter(|list| list.len() <= MOST) else {
            let code = if list.is_some() { "range" } else { "type" };
            return Err(Protocol::Fields(vec![fault("Items".to_owned(), code)]).into());
        };
        let read = list
            .iter()
            .enumerate()
            .map(|(index, each)| Self::read(Members::of(each, &format!("[{index}]."), &mut faults), true));
        let sent = read.collect();
        checked(sent, faults)
    }

    fn read(mut members: Members<'_, '_>, named: bool) -> Self {
        let id = members.given::<String>("Id", named).and_then(|id| {
            let parsed = ticket_id::parse(&id);
            if parsed.is_none() {
                members.fault("Id", "format");
            }
            parsed
        });
        let version = members.whole("_v");
        Self { id, version, change: change(&mut members) }
    }
}

fn list_of(exact: &Exact) -> Option<&Vec<Exact>> {
    match exact.member("items") {
        Some(Exact::List(list)) => Some(list),
        _ => None,
    }
}

fn checked<T>(sent: T, mut faults: Vec<FieldFault>) -> Result<T, Failure> {
    if faults.is_empty() {
        return Ok(sent);
    }
    faults.sort();
    Err(Protocol::Fields(faults).into())
}

fn fault(field: String, code: &'static str) -> FieldFault {
    FieldFault { field: field.into(), query: false, code: code.into(), message: "is not valid".into() }
}

fn change(members: &mut Members<'_, '_>) -> TicketChange {
    let owner = members.inner("Employee").and_then(|mut employee| {
        let name = employee.given::<String>("UserName", false)?;
        let parsed = UserName::parse(&name);
        parsed.map_err(|_| employee.fault("UserName", "format")).ok().map(Owner::Named)
    });
    let customer = if members.is_null("Customer") {
        Some(None)
    } else {
        members.inner("Customer").map(|mut each| Some(customer(&mut each)))
    };
    TicketChange {
        owner,
        external_id: members.blank_or("ExternalId"),
        name: members.blank_or("Name"),
        location: members
            .inner("Location")
            .map(|mut location| Location { zone: location.text("ZoneName"), table: location.text("TableName") }),
        customer,
        discount: members.decimal("DiscountRate", false),
        items: members.each("Items", item),
        rounding: members.amount("RoundingAmount", false),
        payments: payments(members),
        extra: purchase_type(members),
    }
}

fn customer(members: &mut Members<'_, '_>) -> Customer {
    Customer {
        id: members.text("Id"),
        external_id: members.text("ExternalId"),
        card_serial_number: members.text("CardSerialNumber"),
        first_name: members.text("FirstName"),
        last_name: members.text("LastName"),
        full_name: members.text("FullName"),
        phone: members.text("Phone"),
        email: members.text("Email"),
        credit: members.decimal("CreditRate", false).unwrap_or(Rate::ZERO),
        discount: members.decimal("DiscountRate", false).unwrap_or(Rate::ZERO),
        meta: meta(members),
        extra: kept(members, &CUSTOMER_EXTRA),
    }
}

/// The kind of purchase, which comes back as it came. Nothing is kept of the one that is shown anyway.
fn purchase_type(members: &mut Members<'_, '_>) -> Option<Meta> {
    let [name] = TICKET_EXTRA;
    members.sent(name)?;
    let word: Label = members.text("PurchaseType");
    let kept = if ["", PURCHASE_TYPE].contains(&word.as_str()) {
        Vec::new()
    } else {
        vec![(name.to_owned(), Exact::text(word.as_str()))]
    };
    Meta::new(JsonObject::new(kept)).ok()
}

/// Members that come back as they came; where they are too long together, the longest is named.
fn kept(members: &mut Members<'_, '_>, names: &[&str]) -> Meta {
    let sent = names.iter().filter_map(|name| Some(((*name).to_owned(), members.sent(name)?.clone())));
    let sent: Vec<_> = sent.collect();
    if let Ok(kept) = Meta::new(JsonObject::new(sent.clone())) {
        return kept;
    }
    let length = |value: &Exact| serde_json::to_string(value).map_or(0, |json| json.len());
    if let Some((longest, _)) = sent.iter().max_by_key(|(_, value)| length(value)) {
        let (first, rest) = longest.split_at(1);
        members.fault(&format!("{}{rest}", first.to_uppercase()), "length");
    }
    Meta::default()
}

fn meta(members: &mut Members<'_, '_>) -> Meta {
    let Some(sent) = members.raw("Meta") else { return Meta::default() };
    match sent {
        Exact::Object(kept) => match Meta::new(JsonObject::new(kept.clone())) {
            Ok(meta) => return meta,
            Err(_) => members.fault("Meta", "length"),
        },
        _ => members.fault("Meta", "type"),
    }
    Meta::default()
}

/// An item. One that is nothing without a price and a quantity says so.
fn item(members: &mut Members<'_, '_>) -> WantedLine {
    let id = members.whole::<u32>("Id");
    let kind = members.given::<String>("Type", false).and_then(|word| {
        let kind = ItemKind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(&word));
        if kind.is_none() {
            members.fault("Type", "format");
        }
        kind
    });
    let article = members.inner("Plu").map_or_else(plain, |mut plu| article(&mut plu));
    let price = members.required("UnitPrice").and_then(|mut price| price.decimal("Amount", true));
    let (quantity, unit) = members
        .required("Quantity")
        .map(|mut quantity| (quantity.decimal::<Quantity>("Amount", true), quantity.text("Unit")))
        .unwrap_or_default();
    let line = Line {
        id: 0,
        external_id: members.text("ExternalId"),
        kind: kind.unwrap_or(ItemKind::Positive),
        article,
        comment: members.text("Comment"),
        unit_price: price.unwrap_or_default(),
        // where it is missing a fault says so
        quantity: quantity.unwrap_or(Quantity::ZERO),
        unit,
        discount: members.decimal("DiscountRate", false).unwrap_or(Rate::ZERO),
    };
    WantedLine { id, line }
}

/// An article of which nothing is said: discounts count.
fn plain() -> Article {
    Article { discount_allowed: true, ..Article::default() }
}

fn article(members: &mut Members<'_, '_>) -> Article {
    let vat = members.inner("VatInfo").map(|mut vat| (vat_category(&mut vat), vat.decimal("Rate", false)));
    let (vat_category, vat) = vat.unwrap_or_default();
    Article {
        name: members.text("Name"),
        description: members.text("Description"),
        stock: members.text("StockName"),
        code: members.text("Code"),
        category: members.text("ArticleCategoryLabel"),
        kind: members.text("Type"),
        vat_category,
        vat,
        discount_allowed: members.truth("IsDiscountAllowed").unwrap_or(true),
        price_fixed: members.truth("IsPriceFixed").unwrap_or_default(),
        splittable: members.truth("IsSplittable").unwrap_or_default(),
        cashback_allowed: members.truth("IsCashbackAllowed").unwrap_or_default(),
        order_endpoints: members.labels("OrderEndpointNames"),
        extra: kept(members, &ARTICLE_EXTRA),
    }
}

/// The category of a VAT: one of the published numbers, or a text.
fn vat_category(members: &mut Members<'_, '_>) -> Label {
    let Some(Exact::Number(digits)) = members.raw("Category") else { return members.text("Category") };
    let sent = digits.parse().unwrap_or(f64::NAN);
    let found = VAT_CATEGORIES.into_iter().find(|number| f64::from(*number).total_cmp(&sent).is_eq());
    let label = found.and_then(|number| Label::parse(&number.to_string()).ok());
    if label.is_none() {
        members.fault("Category", "range");
    }
    label.unwrap_or_default()
}

fn payments(members: &mut Members<'_, '_>) -> Option<Vec<Payment>> {
    members.each("Payments", payment).map(|payments| payments.into_iter().flatten().collect())
}

/// A payment. By which means is read from its type, and where that says nothing from its name.
fn payment(members: &mut Members<'_, '_>) -> Option<Payment> {
    let amount = members.amount("Amount", true)?;
    let (kind, name): (Label, Label) = (members.text("Type"), members.text("Name"));
    let word = if kind.as_str().is_empty() { name.as_str() } else { kind.as_str() }.to_lowercase();
    let means = match word.as_str() {
        "" | "cash" | "hotovosť" | "hotovost" => Means::Cash,
        "card" | "karta" | "platobná karta" | "platobna karta" => Means::Card,
        "voucher" | "stravné lístky" | "stravne listky" | "poukážka" => Means::Voucher,
        _ => Means::Other,
    };
    let name = if name.as_str().is_empty() && means == Means::Other { kind } else { name };
    Some(Payment { means, name, amount })
}

/// How a ticket is closed, and the version that the client saw. An empty body says nothing: what is due was paid in cash then, and
/// the number is the next one of the till.
pub(super) fn closing(
    headers: &HeaderMap,
    body: &[u8],
    fiscal: Option<String>,
) -> Result<(TicketClosing, Option<i64>), Failure> {
    let exact = if is_nothing(body) { Exact::Object(Vec::new()) } else { exact::read(headers, body, &AS_SENT)? };
    let mut faults = Vec::new();
    let mut members = Members::of(&exact, "", &mut faults);
    let version = members.whole("_v");
    let payments = payments(&mut members);
    // the published answer has them together, so a request may too
    let receipt = |members: &mut Members<'_, '_>| {
        let (number, fiscal) = (members.whole("Number"), members.text::<200>("FiscalName"));
        if NumberSeries::is_blank(fiscal.as_str()) {
            members.fault("FiscalName", "required");
        }
        (number, fiscal, members.whole("DailySalesReportNumber"), kept(members, &CLOSE_INFO_EXTRA))
    };
    let inner = members.inner("CloseInfo").map(|mut info| receipt(&mut info));
    let (number, name, daily_sales_report, extra) = inner.unwrap_or_else(|| receipt(&mut members));
    let named = fiscal.filter(|name| !NumberSeries::is_blank(name));
    let fallback = || named.and_then(|name| Text::parse(&name).ok()).unwrap_or_default();
    let fiscal = if name.as_str().is_empty() { fallback() } else { name };
    checked((TicketClosing { payments, number, fiscal, daily_sales_report, extra, as_cash: true }, version), faults)
}
