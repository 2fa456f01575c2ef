//! What the document says of the calls about API keys.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::request::{CreateApiKey, UpdateApiKey};
use super::response::{ApiKeyBody, CreatedApiKeyBody};
use crate::native::schemas::ApiKeyStatus;
use crate::openapi::{OperationDoc, Requirement, id_schema};

const TAG: &str = "api-keys";

/// The rights of which one is asked to read.
const READ_RIGHTS_NOTE: &str = "`apiKeyUpdate` or `apiKeyDelete` will do as well.";

fn example_api_key() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "client_id": "5f2c0d6b8a914e7f93d1c0ab45e67f12",
        "name": "Warehouse",
        "description": "Checks tokens of handhelds",
        "status": "active",
        "user": "warehouse",
        "device": "CHECKER",
        "permissions": ["tokenIntrospect"],
        "created_at": "2026-11-21T08:00:00.000Z",
    })
}

fn example_created_api_key() -> Value {
    let mut made = example_api_key();
    if let Some(members) = made.as_object_mut() {
        let secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
        members.insert("client_secret".to_owned(), json!(secret));
    }
    made
}

pub(super) fn list_api_keys() -> OperationDoc {
    OperationDoc::new(TAG, "Lists API keys")
        .description(READ_RIGHTS_NOTE)
        .requires(Requirement::Right("apiKeyCreate"))
        .page_response::<ApiKeyBody<'_>>(&example_api_key())
        .query_parameter("user", "Only those whose requests run as the user of this id.", id_schema())
        .query_parameter("device", "Only those whose requests run on the device of this id.", id_schema())
        .query_parameter("status", "Only those of this status.", ApiKeyStatus::schema())
}

pub(super) fn create_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Makes an API key")
        .description("A program signs requests with it, or sends it as OAuth's client id and secret. The secret is in this answer and in no other.")
        .description("Nobody makes a key to more than they hold. Only an admin makes one without permissions, which grows with its user.")
        .requires(Requirement::Right("apiKeyCreate"))
        .request_body::<CreateApiKey>(json!({
            "name": "Warehouse",
            "description": "Checks tokens of handhelds",
            "user": "warehouse",
            "device": "CHECKER",
            "permissions": ["tokenIntrospect"],
        }))
        .response::<CreatedApiKeyBody<'_>>(201, "The key, with its secret.", example_created_api_key())
        .with_etag()
        .with_location()
}

pub(super) fn get_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Shows an API key")
        .description(READ_RIGHTS_NOTE)
        .requires(Requirement::Right("apiKeyCreate"))
        .response::<ApiKeyBody<'_>>(200, "The key.", example_api_key())
        .with_etag()
}

pub(super) fn update_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Changes an API key")
        .description("What is signed with it is judged by the change at once. Whoever changes a key holds every right that it gives before and after.")
        .requires(Requirement::Right("apiKeyUpdate"))
        .merge_patch::<UpdateApiKey>(json!({ "status": "revoked", "description": null }))
        .response::<ApiKeyBody<'_>>(200, "The key as it is now.", example_api_key())
        .with_etag()
}

pub(super) fn delete_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Deletes an API key")
        .description("For good, and it counts no more from this moment. The audit keeps what it was called.")
        .requires(Requirement::Right("apiKeyDelete"))
        .requires_if_match()
        .no_content("It is gone.")
}
