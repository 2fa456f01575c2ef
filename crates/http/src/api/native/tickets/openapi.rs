//! OpenAPI documentation of the ticket operations.

use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::idempotency::IDEMPOTENCY_KEY_HEADER;
use super::request::{CloseTicket, CreateTicket, RefundTicket, UpdateTicket};
use super::response::TicketBody;
use crate::api::native::export::{EXPORT_NOTE, document_export};
use crate::api::native::schemas::TicketState;
use crate::openapi::{OperationDoc, bool_schema, id_schema, instant_schema, order_schema, text_schema};

const TAG: &str = "tickets";
const TILL_NOTE: &str =
    "Requires a user who is logged in on a till (`CashRegister`) or a handheld (`PDA`); otherwise 403.";

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

const IDEMPOTENCY_KEY_NOTE: &str = "The client's key for this request, quoted or unquoted, valid for one day. \
     Repeating the request with the same key returns the same response and creates no second ticket; a \
     different request with the same key is answered with 422.";

pub(super) fn list_tickets() -> OperationDoc {
    let document = OperationDoc::new(TAG, "List and search tickets")
        .description(
            "Lists all tickets of the caller's tenant; no right is required. A caller can read two lists at \
             the same time; a third request waits.",
        )
        .page_response::<TicketBody>(&example_ticket());
    add_filter_parameters(document)
}

pub(super) fn export_tickets() -> OperationDoc {
    let document = OperationDoc::new(TAG, "Export tickets").description(EXPORT_NOTE);
    add_filter_parameters(document_export(document, "The tickets."))
}

/// Adds the parameters that the list and the export have in common.
fn add_filter_parameters(document: OperationDoc) -> OperationDoc {
    let sorts = order_schema(super::TICKET_ORDERS.map(|(word, _)| word));
    document
        .query_parameter("state", "Only tickets in this state.", TicketState::schema())
        .query_parameter("owner", "Only tickets of the owner with this id.", id_schema())
        .query_parameter("device", "Only tickets opened on the device with this id.", id_schema())
        .query_parameter("store", "Only tickets opened on a device that is in this store now.", id_schema())
        .query_parameter("refund_of", "Only refunds of the ticket with this id.", id_schema())
        .query_parameter("refund", "Only refunds if true, only sales if false.", bool_schema())
        .query_parameter(
            "number",
            "Only closed tickets with this receipt number.",
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)),
        )
        .query_parameter("from", "Only tickets opened at this time or later.", instant_schema())
        .query_parameter("until", "Only tickets opened before this time.", instant_schema())
        .query_parameter("search", "Text in the name, the external id or the customer's full name.", text_schema())
        .query_parameter("sort", "Order of the list.", sorts)
}

pub(super) fn create_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Create a ticket")
        .description(TILL_NOTE)
        .description("A ticket whose stored form would exceed 64 KiB is rejected (422).")
        .description(
            "A discount other than the customer's own also requires `ticketSetDiscount`, a customer \
             `ticketSetCustomer`, and another owner `ticketHandover`.",
        )
        .request_body::<CreateTicket>(json!({
            "currency": "EUR",
            "location": { "zone": "garden", "table": "5" },
            "discount_rate": "20",
            "items": [{ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5.363636", "quantity": "1.234", "unit": "kg" }],
        }))
        .header_parameter(IDEMPOTENCY_KEY_HEADER, IDEMPOTENCY_KEY_NOTE, idempotency_key_schema())
        .response::<TicketBody>(201, "The new ticket.", example_ticket())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Get a ticket").response::<TicketBody>(200, "The ticket.", example_ticket()).with_etag()
}

pub(super) fn update_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Update an open ticket")
        .description(TILL_NOTE)
        .description(
            "Your own tickets require `ticketUpdate`, those of other users `ticketUpdateAny`. Depending on \
             what changes, `ticketRename`, `ticketSetDiscount`, `ticketSetCustomer`, `ticketHandover` and \
             `ticketTakeover` are required too; `storno` to lower a quantity or remove an item.",
        )
        .merge_patch::<UpdateTicket>(
            json!({ "name": "Table 5", "customer": null, "payments": [{ "means": "cash", "amount": "10.00" }] }),
        )
        .response::<TicketBody>(200, "The updated ticket.", example_ticket())
        .with_etag()
        .errors(&[409])
}

pub(super) fn void_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Void an open ticket")
        .description("A void ticket is kept with its content.")
        .description("Tickets of other users also require `ticketUpdateAny`.")
        .query_parameter("reason", "The reason, as text.", text_schema())
        .requires_if_match()
        .no_content("The ticket is void.")
        .errors(&[409])
}

pub(super) fn close_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Close a paid ticket permanently")
        .description(TILL_NOTE)
        .description(
            "The payments must cover the total, and may exceed it only by change that can be given in \
             cash; otherwise 409.",
        )
        .description(
            "Payments that differ from those on the ticket, a number \
             or a report also require the rights to update the ticket: `ticketUpdate`, and `ticketUpdateAny` \
             for tickets of other users. A number that another receipt of the same fiscal memory has is \
             answered with 409.",
        )
        .request_body::<CloseTicket>(json!({ "payments": [{ "means": "cash", "name": "", "amount": "10.00" }] }))
        .optional_body()
        .requires_if_match()
        .response::<TicketBody>(200, "The closed ticket.", example_ticket())
        .with_etag()
        .errors(&[409])
}

pub(super) fn refund_ticket() -> OperationDoc {
    OperationDoc::new(TAG, "Refund items of a closed ticket")
        .description(TILL_NOTE)
        .description(
            "Creates a new ticket that is paid out and closed like any other. Items are refunded at \
             the price that was paid, even if the ticket had negative items. All refunds of a ticket together \
             cannot exceed the sold quantities, and together they return exactly the amount that was paid. The \
             `rounding` can be changed by less than the smallest coin.",
        )
        .request_body::<RefundTicket>(json!({ "items": [{ "id": 1, "quantity": "0.5" }] }))
        .optional_body()
        .header_parameter(IDEMPOTENCY_KEY_HEADER, IDEMPOTENCY_KEY_NOTE, idempotency_key_schema())
        .response::<TicketBody>(201, "The refund.", example_ticket())
        .with_etag()
        .with_location()
        .errors(&[409])
}
