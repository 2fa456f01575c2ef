//! What the document says of the calls about tickets.

use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::once::HEADER;
use super::sent::{Change, Closing, New, Refunding};
use super::shape::Shape;
use crate::native::schemas::TicketState;
use crate::openapi::{Entry, id_schema, instant_schema, order_schema, text_schema};

const TAG: &str = "tickets";
const TILL: &str = "Done by a user who is logged in on a till (`CashRegister`) or a handheld (`PDA`): elsewhere 403.";

fn totals() -> Value {
    json!({ "total": "6.62", "including_vat": "7.28", "after_discount": "5.29", "after_discount_including_vat": "5.82",
            "discount": "1.33", "discount_including_vat": "1.46" })
}

fn example() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "state": "open",
        "currency": "EUR",
        "external_id": "",
        "name": "",
        "location": { "zone": "garden", "table": "5" },
        "owner": { "id": "0192f0c1-0000-7c4d-8e5f-60718293a4b5", "user_name": "cashier" },
        "device": { "id": "0192f0c1-1111-7c4d-8e5f-60718293a4b5", "name": "P01" },
        "customer": null,
        "discount_rate": "20.000000",
        "items": [{
            "id": 1,
            "external_id": "",
            "kind": "positive",
            "article": { "name": "Cheese", "description": "", "stock": "", "code": "", "category": "", "kind": "",
                         "vat_category": "", "vat_rate": "10.000000", "discount_allowed": true, "price_fixed": false,
                         "splittable": false, "cashback_allowed": false, "order_endpoints": [] },
            "comment": "",
            "unit_price": "5.363636",
            "unit_price_including_vat": "5.900000",
            "unit_price_after_discount": "4.290909",
            "unit_price_after_discount_including_vat": "4.720000",
            "quantity": "1.234000",
            "unit": "kg",
            "discount_rate": "0.000000",
            "totals": totals(),
        }],
        "totals": totals(),
        "rounding": "0.00",
        "payable": "5.82",
        "payments": [],
        "change": null,
        "refund_of": null,
        "opened_at": "2026-11-21T08:00:00.000Z",
        "updated_at": "2026-11-21T08:00:00.000Z",
        "closed": null,
        "voided": null,
        "version": 1,
    })
}

fn key() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).into()
}

const KEY: &str = "What the client calls this request by, in quotation marks or bare, for a day: the same request again makes no other ticket and is answered the same; \
     another request under the same key is 422.";

pub(super) fn list() -> Entry {
    let sorts = order_schema(super::ORDERS.map(|(word, _)| word));
    Entry::of(TAG, "Lists and searches tickets")
        .more("Those of the caller's tenant: anybody who is logged in there may look. A page ends before `limit` where it would be larger than 4 MiB; one caller has two lists at once, and a third waits.")
        .lists::<Shape>(&example())
        .query("state", "Only those in this state.", TicketState::schema())
        .query("owner", "Only those of the user of this id.", id_schema())
        .query("device", "Only those that were opened on the device of this id.", id_schema())
        .query("refund_of", "Only refunds of the ticket of this id.", id_schema())
        .query("from", "Opened at this instant or later.", instant_schema())
        .query("until", "Opened before this instant.", instant_schema())
        .query("search", "A text in the name, the client's own id or the customer's full name.", text_schema())
        .query("sort", "In which order.", sorts)
}

pub(super) fn open() -> Entry {
    Entry::of(TAG, "Opens a ticket")
        .more(TILL)
        .more("A ticket that would be larger than 64 KiB as it is kept is 422.")
        .more("Asks the right `ticketCreate`; a discount that is not the customer's own `ticketSetDiscount`, a customer `ticketSetCustomer`, another owner `ticketHandover`.")
        .takes::<New>(json!({
            "currency": "EUR",
            "location": { "zone": "garden", "table": "5" },
            "discount_rate": "20",
            "items": [{ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5.363636", "quantity": "1.234", "unit": "kg" }],
        }))
        .header(HEADER, KEY, key())
        .answers::<Shape>(201, "The ticket.", example())
        .with_version()
        .with_location()
        .refuses(&[403, 409])
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows a ticket").answers::<Shape>(200, "The ticket.", example()).with_version()
}

pub(super) fn change() -> Entry {
    Entry::of(TAG, "Changes an open ticket")
        .more(TILL)
        .more("Asks the right `ticketUpdate`, for another's ticket `ticketUpdateAny`, and by what differs `ticketRename`, `ticketSetDiscount`, `ticketSetCustomer`, `ticketHandover`, `ticketTakeover`; `storno` to lower a quantity or remove an item.")
        .patches::<Change>(json!({ "name": "Table 5", "customer": null, "payments": [{ "means": "cash", "amount": "10.00" }] }))
        .answers::<Shape>(200, "The ticket as it is now.", example())
        .with_version()
        .refuses(&[403, 409])
}

pub(super) fn void() -> Entry {
    Entry::of(TAG, "Makes an open ticket void")
        .more("It stays in the books with what stood on it.")
        .more("Asks the right `ticketDelete`, for another's ticket `ticketUpdateAny` too.")
        .query("reason", "Why, in words.", text_schema())
        .holds_to_a_version()
        .done("It is void.")
        .refuses(&[403, 409])
}

pub(super) fn close() -> Entry {
    Entry::of(TAG, "Closes a ticket that is paid, for ever")
        .more(TILL)
        .more("What is due has to be covered, and no more given than change on cash makes good: else 409.")
        .more("Asks the right `ticketClose`; for other payments than those on the ticket, a number or a report also what a change asks: `ticketUpdate`, for another's ticket `ticketUpdateAny`. A number that another receipt of the same fiscal memory has is 409.")
        .takes::<Closing>(json!({ "payments": [{ "means": "cash", "name": "", "amount": "10.00" }] }))
        .or_nothing()
        .holds_to_a_version()
        .answers::<Shape>(200, "The closed ticket.", example())
        .with_version()
        .refuses(&[403, 409])
}

pub(super) fn refund() -> Entry {
    Entry::of(TAG, "Takes goods of a closed ticket back")
        .more(TILL)
        .more("It opens another ticket, which is paid out and closed like any other. Goods come back for what they cost, also where the ticket had negative items; all refunds of a ticket together take back no more than it sold, and give back exactly what was paid. Its `rounding` may be changed by less than the smallest coin.")
        .more("Asks the rights `ticketCreate` and `storno`.")
        .takes::<Refunding>(json!({ "items": [{ "id": 1, "quantity": "0.5" }] }))
        .or_nothing()
        .header(HEADER, KEY, key())
        .answers::<Shape>(201, "The refund.", example())
        .with_version()
        .with_location()
        .refuses(&[403, 409])
}
