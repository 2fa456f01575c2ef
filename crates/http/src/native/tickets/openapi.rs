//! What the document says of the calls about tickets.

use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::idempotency::IDEMPOTENCY_KEY_HEADER;
use super::request::{CloseTicket, CreateTicket, RefundTicket, UpdateTicket};
use super::response::TicketBody;
use crate::native::schemas::TicketState;
use crate::openapi::{OperationDoc, id_schema, instant_schema, order_schema, text_schema};

const TAG: &str = "tickets";
const TILL_NOTE: &str =
    "Done by a user who is logged in on a till (`CashRegister`) or a handheld (`PDA`): elsewhere 403.";

fn example_totals() -> Value {
    json!({ "total": "6.62", "including_vat": "7.28", "after_discount": "5.29", "after_discount_including_vat": "5.82",
            "discount": "1.33", "discount_including_vat": "1.46" })
}

fn example_ticket() -> Value {
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
            "totals": example_totals(),
        }],
        "totals": example_totals(),
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

fn idempotency_key_schema() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).into()
}

const IDEMPOTENCY_KEY_NOTE: &str = "What the client calls this request by, in quotation marks or bare, for a day: the same request again makes no other ticket and is answered the same; \
     another request under the same key is 422.";

pub(super) fn list_tickets() -> OperationDoc {
    let sorts = order_schema(super::TICKET_ORDERS.map(|(word, _)| word));
    OperationDoc::new(TAG, "Lists and searches tickets")
        .description("Those of the caller's tenant: anybody who is logged in there may look. A page ends before `limit` where it would be larger than 4 MiB; one caller has two lists at once, and a third waits.")
        .page_response::<TicketBody>(&example_ticket())
        .query_parameter("state", "Only those in this state.", TicketState::schema())
        .query_parameter("owner", "Only those of the user of this id.", id_schema())
        .query_parameter("device", "Only those that were opened on the device of this id.", id_schema())
        .query_parameter("refund_of", "Only refunds of the ticket of this id.", id_schema())
        .query_parameter("from", "Opened at this instant or later.", instant_schema())
        .query_parameter("until", "Opened before this instant.", instant_schema())
        .query_parameter("search", "A text in the name, the client's own id or the customer's full name.", text_schema())
        .query_parameter("sort", "In which order.", sorts)
}

pub(super) fn create_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Opens a ticket")
        .description(TILL_NOTE)
        .description("A ticket that would be larger than 64 KiB as it is kept is 422.")
        .description("Asks the right `ticketCreate`; a discount that is not the customer's own `ticketSetDiscount`, a customer `ticketSetCustomer`, another owner `ticketHandover`.")
        .request_body::<CreateTicket>(json!({
            "currency": "EUR",
            "location": { "zone": "garden", "table": "5" },
            "discount_rate": "20",
            "items": [{ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5.363636", "quantity": "1.234", "unit": "kg" }],
        }))
        .header_parameter(IDEMPOTENCY_KEY_HEADER, IDEMPOTENCY_KEY_NOTE, idempotency_key_schema())
        .response::<TicketBody>(201, "The ticket.", example_ticket())
        .with_etag()
        .with_location()
        .errors(&[403, 409])
}

pub(super) fn get_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Shows a ticket").response::<TicketBody>(200, "The ticket.", example_ticket()).with_etag()
}

pub(super) fn update_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Changes an open ticket")
        .description(TILL_NOTE)
        .description("Asks the right `ticketUpdate`, for another's ticket `ticketUpdateAny`, and by what differs `ticketRename`, `ticketSetDiscount`, `ticketSetCustomer`, `ticketHandover`, `ticketTakeover`; `storno` to lower a quantity or remove an item.")
        .merge_patch::<UpdateTicket>(json!({ "name": "Table 5", "customer": null, "payments": [{ "means": "cash", "amount": "10.00" }] }))
        .response::<TicketBody>(200, "The ticket as it is now.", example_ticket())
        .with_etag()
        .errors(&[403, 409])
}

pub(super) fn void_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Makes an open ticket void")
        .description("It stays in the books with what stood on it.")
        .description("Asks the right `ticketDelete`, for another's ticket `ticketUpdateAny` too.")
        .query_parameter("reason", "Why, in words.", text_schema())
        .requires_if_match()
        .no_content("It is void.")
        .errors(&[403, 409])
}

pub(super) fn close_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Closes a ticket that is paid, for ever")
        .description(TILL_NOTE)
        .description("What is due has to be covered, and no more given than change on cash makes good: else 409.")
        .description("Asks the right `ticketClose`; for other payments than those on the ticket, a number or a report also what a change asks: `ticketUpdate`, for another's ticket `ticketUpdateAny`. A number that another receipt of the same fiscal memory has is 409.")
        .request_body::<CloseTicket>(json!({ "payments": [{ "means": "cash", "name": "", "amount": "10.00" }] }))
        .optional_body()
        .requires_if_match()
        .response::<TicketBody>(200, "The closed ticket.", example_ticket())
        .with_etag()
        .errors(&[403, 409])
}

pub(super) fn refund_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Takes goods of a closed ticket back")
        .description(TILL_NOTE)
        .description("It opens another ticket, which is paid out and closed like any other. Goods come back for what they cost, also where the ticket had negative items; all refunds of a ticket together take back no more than it sold, and give back exactly what was paid. Its `rounding` may be changed by less than the smallest coin.")
        .description("Asks the rights `ticketCreate` and `storno`.")
        .request_body::<RefundTicket>(json!({ "items": [{ "id": 1, "quantity": "0.5" }] }))
        .optional_body()
        .header_parameter(IDEMPOTENCY_KEY_HEADER, IDEMPOTENCY_KEY_NOTE, idempotency_key_schema())
        .response::<TicketBody>(201, "The refund.", example_ticket())
        .with_etag()
        .with_location()
        .errors(&[403, 409])
}
