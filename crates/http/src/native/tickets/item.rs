//! What is sold on a ticket, as the native API shows it and takes it: articles, items, and what they come to.

use serde::Serialize;
use tillgate_domain::ticket::{Item, Rate, Totals};
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use super::shape::{decimal, maybe_decimal, words};

/// What is sold.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketArticle)]
#[expect(clippy::struct_excessive_bools, reason = "an article has them")]
pub(super) struct ArticleShape {
    #[schema(max_length = 200, required = false)]
    name: String,
    #[schema(max_length = 2000, required = false)]
    description: String,
    #[schema(max_length = 200, required = false)]
    stock: String,
    #[schema(max_length = 200, required = false)]
    code: String,
    #[schema(max_length = 200, required = false)]
    category: String,
    #[schema(max_length = 200, required = false)]
    kind: String,
    #[schema(max_length = 200, required = false)]
    vat_category: String,
    /// In percent; null for none.
    #[schema(schema_with = maybe_decimal, required = false)]
    vat_rate: Option<String>,
    /// True where nothing is sent.
    #[schema(required = false)]
    discount_allowed: bool,
    #[schema(required = false)]
    price_fixed: bool,
    #[schema(required = false)]
    splittable: bool,
    #[schema(required = false)]
    cashback_allowed: bool,
    #[schema(required = false)]
    order_endpoints: Vec<String>,
}

/// An item as it is sent.
#[derive(ToSchema)]
#[schema(as = NewTicketItem)]
#[expect(dead_code, reason = "it describes what is read elsewhere")]
pub(super) struct NewItem {
    /// Its number on the ticket; the next that is free where nothing is sent.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    id: Option<u32>,
    #[schema(max_length = 200)]
    external_id: Option<String>,
    #[schema(schema_with = kind, required = false)]
    kind: String,
    article: Option<ArticleShape>,
    #[schema(max_length = 2000)]
    comment: Option<String>,
    /// The price of one unit, without VAT and before discounts: 6 places.
    #[schema(schema_with = decimal)]
    unit_price: String,
    /// How much: 6 places.
    #[schema(schema_with = decimal)]
    quantity: String,
    #[schema(max_length = 200)]
    unit: Option<String>,
    /// The item's own discount, in percent.
    #[schema(schema_with = maybe_decimal, required = false)]
    discount_rate: String,
}

/// An item.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketItem)]
pub(super) struct ItemShape {
    id: u32,
    external_id: String,
    #[schema(schema_with = kind)]
    kind: String,
    article: ArticleShape,
    comment: String,
    #[schema(schema_with = decimal)]
    unit_price: String,
    #[schema(schema_with = decimal)]
    unit_price_including_vat: String,
    #[schema(schema_with = decimal)]
    unit_price_after_discount: String,
    #[schema(schema_with = decimal)]
    unit_price_after_discount_including_vat: String,
    #[schema(schema_with = decimal)]
    quantity: String,
    unit: String,
    #[schema(schema_with = decimal)]
    discount_rate: String,
    totals: TotalsShape,
}

/// What an item or a ticket comes to.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTotals)]
pub(super) struct TotalsShape {
    #[schema(schema_with = decimal)]
    total: String,
    #[schema(schema_with = decimal)]
    including_vat: String,
    #[schema(schema_with = decimal)]
    after_discount: String,
    #[schema(schema_with = decimal)]
    after_discount_including_vat: String,
    #[schema(schema_with = decimal)]
    discount: String,
    #[schema(schema_with = decimal)]
    discount_including_vat: String,
}

impl ItemShape {
    pub(super) fn of(item: &Item, discount: Rate) -> Self {
        let (unit, article) = (item.unit_prices(discount), &item.article);
        Self {
            id: item.id,
            external_id: item.external_id.to_string(),
            kind: item.kind.name().to_ascii_lowercase(),
            article: ArticleShape {
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
            },
            comment: item.comment.to_string(),
            unit_price: unit.amount.to_string(),
            unit_price_including_vat: unit.including_vat.to_string(),
            unit_price_after_discount: unit.after_discount.to_string(),
            unit_price_after_discount_including_vat: unit.after_discount_including_vat.to_string(),
            quantity: item.quantity.to_string(),
            unit: item.unit.to_string(),
            discount_rate: item.discount.to_string(),
            totals: TotalsShape::of(&item.totals(discount)),
        }
    }
}

impl TotalsShape {
    pub(super) fn of(totals: &Totals) -> Self {
        Self {
            total: totals.total.to_string(),
            including_vat: totals.including_vat.to_string(),
            after_discount: totals.after_discount.to_string(),
            after_discount_including_vat: totals.after_discount_including_vat.to_string(),
            discount: totals.discount.to_string(),
            discount_including_vat: totals.discount_including_vat.to_string(),
        }
    }
}

fn kind() -> Schema {
    words(vec!["positive", "negative", "returned"])
}
