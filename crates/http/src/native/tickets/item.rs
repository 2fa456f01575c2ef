//! What is sold on a ticket, as the native API shows it and takes it: articles, items, and what they come to.

use serde::Serialize;
use tillgate_domain::JsonObject;
use tillgate_domain::ticket::{Item, Sheet, Totals};
use utoipa::ToSchema;

use crate::native::schemas::{Decimal, TicketItemKind};

/// What is sold.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketArticle)]
#[expect(clippy::struct_excessive_bools, reason = "an article has them")]
pub(super) struct ArticleBody {
    /// What it is called.
    #[schema(max_length = 200, required = false)]
    name: String,
    /// What it is.
    #[schema(max_length = 2000, required = false)]
    description: String,
    /// The stock that it is taken from.
    #[schema(max_length = 200, required = false)]
    stock: String,
    /// Its code, such as that on its label.
    #[schema(max_length = 200, required = false)]
    code: String,
    /// The category of articles that it is in.
    #[schema(max_length = 200, required = false)]
    category: String,
    /// What kind of article it is, in words of the client's.
    #[schema(max_length = 200, required = false)]
    kind: String,
    /// The category of its VAT, in words of the client's.
    #[schema(max_length = 200, required = false)]
    vat_category: String,
    /// In percent; null for none.
    #[schema(value_type = Option<Decimal>, required = false)]
    vat_rate: Option<String>,
    /// Whether discounts count; true where nothing is sent.
    #[schema(required = false)]
    discount_allowed: bool,
    /// Whether its price and its VAT stay as they are in the price list.
    #[schema(required = false)]
    price_fixed: bool,
    /// Whether a quantity of it can be split.
    #[schema(required = false)]
    splittable: bool,
    /// Whether cash back is given on it.
    #[schema(required = false)]
    cashback_allowed: bool,
    /// Where orders of it are sent, such as a printer in the kitchen.
    #[schema(required = false)]
    order_endpoints: Vec<String>,
    /// What another contract shows of it besides, such as a special regulation of its VAT: 4,000 bytes of JSON at most, kept as it came.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
}

/// An item as it is sent.
#[derive(ToSchema)]
#[schema(as = NewTicketItem)]
#[expect(dead_code, reason = "it describes what is read elsewhere")]
pub(super) struct NewItemBody {
    /// Its number on the ticket; the next that is free where nothing is sent.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    id: Option<u32>,
    /// The client's own id of it.
    #[schema(max_length = 200)]
    external_id: Option<String>,
    /// `positive` where nothing is sent; the sign of the money is in its numbers.
    #[schema(value_type = TicketItemKind, required = false)]
    kind: String,
    /// What is sold.
    article: Option<ArticleBody>,
    /// What people have noted on it.
    #[schema(max_length = 2000)]
    comment: Option<String>,
    /// The price of one unit, without VAT and before discounts: 6 places.
    #[schema(value_type = Decimal)]
    unit_price: String,
    /// How much: 6 places.
    #[schema(value_type = Decimal)]
    quantity: String,
    /// In what the quantity is counted, such as kg.
    #[schema(max_length = 200)]
    unit: Option<String>,
    /// The item's own discount, in percent.
    #[schema(value_type = Option<Decimal>, required = false)]
    discount_rate: String,
}

/// An item.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketItem)]
pub(super) struct ItemBody {
    /// Its number on the ticket.
    id: u32,
    /// The client's own id of it; empty for none.
    external_id: String,
    /// The sign of the money is in its numbers, not here.
    #[schema(value_type = TicketItemKind)]
    kind: String,
    /// What is sold.
    article: ArticleBody,
    /// What people have noted on it.
    comment: String,
    /// The price of one unit, without VAT and before discounts: 6 places.
    #[schema(value_type = Decimal)]
    unit_price: String,
    /// The same with VAT.
    #[schema(value_type = Decimal)]
    unit_price_including_vat: String,
    /// The price of one unit after discounts, without VAT.
    #[schema(value_type = Decimal)]
    unit_price_after_discount: String,
    /// The same with VAT.
    #[schema(value_type = Decimal)]
    unit_price_after_discount_including_vat: String,
    /// How much: 6 places.
    #[schema(value_type = Decimal)]
    quantity: String,
    /// In what the quantity is counted, such as kg; empty for pieces.
    unit: String,
    /// The item's own discount, in percent.
    #[schema(value_type = Decimal)]
    discount_rate: String,
    /// What it comes to, rounded to the places of the currency.
    totals: TotalsBody,
}

/// What an item or a ticket comes to.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTotals)]
pub(super) struct TotalsBody {
    /// Before discounts, without VAT.
    #[schema(value_type = Decimal)]
    total: String,
    /// Before discounts, with VAT.
    #[schema(value_type = Decimal)]
    including_vat: String,
    /// After discounts, without VAT.
    #[schema(value_type = Decimal)]
    after_discount: String,
    /// After discounts, with VAT: what is to be paid.
    #[schema(value_type = Decimal)]
    after_discount_including_vat: String,
    /// What the discounts come to, without VAT.
    #[schema(value_type = Decimal)]
    discount: String,
    /// What the discounts come to, with VAT.
    #[schema(value_type = Decimal)]
    discount_including_vat: String,
}

impl ItemBody {
    pub(super) fn from_item(item: &Item, sheet: &Sheet) -> Self {
        let (unit, article) = (item.unit_prices(sheet.discount), &item.article);
        Self {
            id: item.id,
            external_id: item.external_id.to_string(),
            kind: item.kind.name().to_ascii_lowercase(),
            article: ArticleBody {
                name: article.name.to_string(),
                description: article.description.to_string(),
                stock: article.stock.to_string(),
                code: article.code.to_string(),
                category: article.category.to_string(),
                kind: article.kind.to_string(),
                vat_category: article.vat_category.to_string(),
                vat_rate: article.vat.map(|rate| rate.to_string()),
                discount_allowed: article.discount_allowed,
                price_fixed: article.price_fixed,
                splittable: article.splittable,
                cashback_allowed: article.cashback_allowed,
                order_endpoints: article.order_endpoints.iter().map(ToString::to_string).collect(),
                extra: article.extra.object().clone(),
            },
            comment: item.comment.to_string(),
            unit_price: unit.amount.to_string(),
            unit_price_including_vat: unit.including_vat.to_string(),
            unit_price_after_discount: unit.after_discount.to_string(),
            unit_price_after_discount_including_vat: unit.after_discount_including_vat.to_string(),
            quantity: item.quantity.to_string(),
            unit: item.unit.to_string(),
            discount_rate: item.discount.to_string(),
            totals: TotalsBody::from_totals(&sheet.item_totals(item), sheet),
        }
    }
}

impl TotalsBody {
    pub(super) fn from_totals(totals: &Totals, sheet: &Sheet) -> Self {
        let text = |amount| sheet.money(amount).to_string();
        Self {
            total: text(totals.total),
            including_vat: text(totals.including_vat),
            after_discount: text(totals.after_discount),
            after_discount_including_vat: text(totals.after_discount_including_vat),
            discount: text(totals.discount),
            discount_including_vat: text(totals.discount_including_vat),
        }
    }
}
