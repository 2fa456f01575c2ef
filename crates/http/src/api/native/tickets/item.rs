//! Items of tickets in requests and responses of the native API: articles, items and totals.

use serde::Serialize;
use tillgate_domain::JsonObject;
use tillgate_domain::ticket::{Item, Sheet, Totals};
use utoipa::ToSchema;

use crate::api::native::schemas::{Decimal, TicketItemKind};

/// The sold article.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketArticle)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the article in the wire format")]
pub(super) struct ArticleBody {
    /// Name of the article.
    #[schema(max_length = 200, required = false)]
    name: String,
    /// Description of the article.
    #[schema(max_length = 2000, required = false)]
    description: String,
    /// The stock from which the article is taken.
    #[schema(max_length = 200, required = false)]
    stock: String,
    /// Code of the article, such as that on its label.
    #[schema(max_length = 200, required = false)]
    code: String,
    /// Category of the article.
    #[schema(max_length = 200, required = false)]
    category: String,
    /// Kind of the article, as the client names it.
    #[schema(max_length = 200, required = false)]
    kind: String,
    /// VAT category, as the client names it.
    #[schema(max_length = 200, required = false)]
    vat_category: String,
    /// VAT rate in percent; null if none.
    #[schema(value_type = Option<Decimal>, required = false)]
    vat_rate: Option<String>,
    /// Whether discounts apply to the article; true if omitted.
    #[schema(required = false)]
    discount_allowed: bool,
    /// Whether price and VAT must stay as they are in the price list.
    #[schema(required = false)]
    price_fixed: bool,
    /// Whether a quantity of the article can be split.
    #[schema(required = false)]
    splittable: bool,
    /// Whether cashback is given on the article.
    #[schema(required = false)]
    cashback_allowed: bool,
    /// Where orders of the article are sent, such as a printer in the kitchen.
    #[schema(required = false)]
    order_endpoints: Vec<String>,
    /// Additional members of another dialect, such as a special VAT regulation: at most 4,000
    /// bytes of JSON, stored unchanged.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schema(value_type = Object, required = false)]
    extra: JsonObject,
}

/// An item in a request.
#[derive(ToSchema)]
#[schema(as = NewTicketItem)]
#[expect(dead_code, reason = "documents a body that is parsed elsewhere")]
pub(super) struct NewItemBody {
    /// Number of the item on the ticket; the next free number if omitted.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    id: Option<u32>,
    /// The client's own id of the item.
    #[schema(max_length = 200)]
    external_id: Option<String>,
    /// Kind of the item; `positive` if omitted. It does not determine the sign of amounts, which is
    /// part of the numbers.
    #[schema(value_type = TicketItemKind, required = false)]
    kind: String,
    /// The sold article.
    article: Option<ArticleBody>,
    /// A comment on the item.
    #[schema(max_length = 2000)]
    comment: Option<String>,
    /// Price of one unit without VAT and before discounts, with up to 6 decimal places.
    #[schema(value_type = Decimal)]
    unit_price: String,
    /// Quantity, with up to 6 decimal places.
    #[schema(value_type = Decimal)]
    quantity: String,
    /// Unit of the quantity, such as kg.
    #[schema(max_length = 200)]
    unit: Option<String>,
    /// Discount on the item, in percent.
    #[schema(value_type = Option<Decimal>, required = false)]
    discount_rate: String,
}

/// An item of a ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketItem)]
pub(super) struct ItemBody {
    /// Number of the item on the ticket.
    id: u32,
    /// The client's own id of the item; may be empty.
    external_id: String,
    /// Kind of the item. It does not determine the sign of amounts, which is part of the numbers.
    #[schema(value_type = TicketItemKind)]
    kind: String,
    /// The sold article.
    article: ArticleBody,
    /// A comment on the item; may be empty.
    comment: String,
    /// Price of one unit without VAT and before discounts, with 6 decimal places.
    #[schema(value_type = Decimal)]
    unit_price: String,
    /// Price of one unit with VAT and before discounts.
    #[schema(value_type = Decimal)]
    unit_price_including_vat: String,
    /// Price of one unit without VAT and after discounts.
    #[schema(value_type = Decimal)]
    unit_price_after_discount: String,
    /// Price of one unit with VAT and after discounts.
    #[schema(value_type = Decimal)]
    unit_price_after_discount_including_vat: String,
    /// Quantity, with 6 decimal places.
    #[schema(value_type = Decimal)]
    quantity: String,
    /// Unit of the quantity, such as kg; empty for pieces.
    unit: String,
    /// Discount on the item, in percent.
    #[schema(value_type = Decimal)]
    discount_rate: String,
    /// Totals of the item, rounded to the decimal places of the currency.
    totals: TotalsBody,
}

/// Totals of an item or a ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTotals)]
pub(super) struct TotalsBody {
    /// Total before discounts, without VAT.
    #[schema(value_type = Decimal)]
    total: String,
    /// Total before discounts, with VAT.
    #[schema(value_type = Decimal)]
    including_vat: String,
    /// Total after discounts, without VAT.
    #[schema(value_type = Decimal)]
    after_discount: String,
    /// Total after discounts, with VAT; this is what the customer pays.
    #[schema(value_type = Decimal)]
    after_discount_including_vat: String,
    /// Sum of the discounts, without VAT.
    #[schema(value_type = Decimal)]
    discount: String,
    /// Sum of the discounts, with VAT.
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
