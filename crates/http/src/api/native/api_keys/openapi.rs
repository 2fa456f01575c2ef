//! OpenAPI documentation of the API key operations.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::request::{CreateApiKey, RotateApiKey, UpdateApiKey};
use super::response::{ApiKeyBody, CreatedApiKeyBody};
use crate::api::native::schemas::ApiKeyStatus;
use crate::openapi::{OperationDoc, id_schema};

const TAG: &str = "api-keys";

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
        "expires_at": null,
        "last_used_at": "2026-11-28T17:31:00.000Z",
        "previous_secret_until": null,
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
    OperationDoc::new(TAG, "List API keys")
        .page_response::<ApiKeyBody<'_>>(&example_api_key())
        .query_parameter("user", "Only keys that act as the user with this id.", id_schema())
        .query_parameter("device", "Only keys that act on the device with this id.", id_schema())
        .query_parameter("status", "Only keys with this status.", ApiKeyStatus::schema())
}

pub(super) fn create_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Create an API key")
        .description(
            "A program signs requests with the key, or sends it as OAuth client id and client secret. \
             The secret is returned only in this response.",
        )
        .description(
            "You cannot grant a right that you do not have. Only an admin can create a key without \
             permissions; such a key always has all rights of its user.",
        )
        .request_body::<CreateApiKey>(json!({
            "name": "Warehouse",
            "description": "Checks tokens of handhelds",
            "user": "warehouse",
            "device": "CHECKER",
            "permissions": ["tokenIntrospect"],
        }))
        .response::<CreatedApiKeyBody<'_>>(201, "The key with its secret.", example_created_api_key())
        .with_etag()
        .with_location()
}

pub(super) fn get_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Get an API key").response::<ApiKeyBody<'_>>(200, "The key.", example_api_key()).with_etag()
}

pub(super) fn update_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Update an API key")
        .description(
            "Requests signed with the key are authorized by the changed key at once. You need every \
             right that the key grants before and after the change.",
        )
        .merge_patch::<UpdateApiKey>(json!({ "status": "revoked", "description": null }))
        .response::<ApiKeyBody<'_>>(200, "The updated key.", example_api_key())
        .with_etag()
        .with_revocation()
}

pub(super) fn rotate_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Give an API key a new secret")
        .description(
            "The previous secret is accepted for `overlap_hours`, too, so that you can change the program without an \
             interruption; after that, it is rejected. During the overlap, only a rotation with 0 hours is possible, \
             which ends both secrets; any other is rejected (409, `secret_overlap`), and so is the rotation of a \
             revoked or expired key (409, `api_key_ended`). The new secret is returned only in this response. You need every right that the key \
             grants.",
        )
        .request_body::<RotateApiKey>(json!({ "overlap_hours": 24 }))
        .optional_body()
        .requires_if_match()
        .errors(&[409])
        .response::<CreatedApiKeyBody<'_>>(200, "The key with its new secret.", example_created_api_key())
        .with_etag()
        .with_revocation()
}

pub(super) fn delete_api_key() -> OperationDoc {
    OperationDoc::new(TAG, "Delete an API key")
        .description("Deletion is permanent and takes effect at once. Audit events keep the name of the key.")
        .requires_if_match()
        .no_content("The key was deleted.")
        .with_revocation()
}
