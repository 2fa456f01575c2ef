//! OpenAPI documentation of the store operations.

use serde_json::{Value, json};

use super::request::{CreateStore, UpdateStore};
use super::response::StoreBody;
use crate::openapi::{OperationDoc, text_schema};

const TAG: &str = "stores";

fn example_store() -> Value {
    json!({ "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5", "name": "Main street", "zone": null })
}

pub(super) fn list_stores() -> OperationDoc {
    OperationDoc::new(TAG, "List and search stores").page_response::<StoreBody<'_>>(&example_store()).query_parameter(
        "search",
        "Text in the name.",
        text_schema(),
    )
}

pub(super) fn create_store() -> OperationDoc {
    OperationDoc::new(TAG, "Create a store")
        .description("A tenant can have at most 200 stores.")
        .request_body::<CreateStore>(json!({ "name": "Main street" }))
        .response::<StoreBody<'_>>(201, "The new store.", example_store())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_store() -> OperationDoc {
    OperationDoc::new(TAG, "Get a store")
        .description(
            "A store has no version of its own: the `ETag` is the version of the tenant with all its \
             stores.",
        )
        .response::<StoreBody<'_>>(200, "The store.", example_store())
        .with_etag()
}

pub(super) fn update_store() -> OperationDoc {
    OperationDoc::new(TAG, "Update a store")
        .merge_patch::<UpdateStore>(json!({ "name": "Old town", "zone": "Europe/Bratislava" }))
        .response::<StoreBody<'_>>(200, "The updated store.", example_store())
        .with_etag()
        .errors(&[409])
}

pub(super) fn delete_store() -> OperationDoc {
    OperationDoc::new(TAG, "Delete a store")
        .description("The last store of a tenant, and a store with devices, cannot be deleted.")
        .requires_if_match()
        .no_content("The store was deleted.")
        .errors(&[409])
}
