//! OpenAPI documentation of the audit operations.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::response::AuditEventBody;
use crate::api::native::export::document_export;
use crate::api::native::schemas::{AuditAction, AuditOutcome, AuditSubjectKind};
use crate::openapi::{OperationDoc, id_schema, instant_schema, text_schema};

const TAG: &str = "audit";

fn example_audit_event() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "at": "2026-11-21T08:00:00.000Z",
        "user": { "id": "0192f0c1-0000-7c4d-8e5f-60718293a4b5", "user_name": "cashier" },
        "device": { "id": "0192f0c1-1111-7c4d-8e5f-60718293a4b5", "name": "P01" },
        "session": "0192f0c1-2222-7c4d-8e5f-60718293a4b5",
        "address": "192.0.2.7",
        "action": "right.missing",
        "subject": { "kind": "user", "id": "0192f0c1-3333-7c4d-8e5f-60718293a4b5" },
        "outcome": "refused",
        "details": { "right": "userDelete", "call": "DELETE /api/v1/users/0192f0c1-3333-7c4d-8e5f-60718293a4b5", "dialect": "native" },
        "approver": null,
    })
}

pub(super) fn list_audit_events() -> OperationDoc {
    let document = OperationDoc::new(TAG, "List audit events, newest first")
        .description(
            "Each change, login and denial in the caller's tenant is an event. Events are never changed or removed.",
        )
        .page_response::<AuditEventBody<'_>>(&example_audit_event());
    add_filter_parameters(document)
}

pub(super) fn export_audit_events() -> OperationDoc {
    let document = OperationDoc::new(TAG, "Export audit events, newest first").description(
        "The response is a file with all events that the filter matches, as `tillgate audit export` writes it: one \
             JSON object per line, or CSV, in which text that a spreadsheet would run as a formula begins with an \
             apostrophe. It is sent in parts; a response that is cut short is incomplete, as when the session or the \
             access token ends, or the right is revoked. The export itself is an \
             audit event (`audit.export`), which is not part of the file. Browsers require a recent proof of identity.",
    );
    add_filter_parameters(document_export(document, "The events."))
}

/// Adds the filter's parameters, which the list and the export have in common.
fn add_filter_parameters(document: OperationDoc) -> OperationDoc {
    document
        .query_parameter("user", "Only events caused by this user.", id_schema())
        .query_parameter("device", "Only events on this device.", id_schema())
        .query_parameter("store", "Only events on devices that are in this store now.", id_schema())
        .query_parameter("session", "Only events in this session.", id_schema())
        .query_parameter("action", "Only events with this action.", AuditAction::schema())
        .query_parameter("outcome", "Only events with this outcome.", AuditOutcome::schema())
        .query_parameter("subject_kind", "Only events about subjects of this kind.", AuditSubjectKind::schema())
        .query_parameter("subject", "Only events about the subject with this id.", id_schema())
        .query_parameter("from", "Only events at this time or later.", instant_schema())
        .query_parameter("until", "Only events before this time.", instant_schema())
        .query_parameter("search", "Text in the user name, the action or the details.", text_schema())
}

pub(super) fn get_audit_event() -> OperationDoc {
    OperationDoc::new(TAG, "Get an audit event").response::<AuditEventBody<'_>>(
        200,
        "The event.",
        example_audit_event(),
    )
}
