//! What the document says of the calls about stores.

use serde_json::{Value, json};

use super::StoreBody;
use super::request::{CreateStore, UpdateStore};
use crate::openapi::{OperationDoc, Requirement, text_schema};

const TAG: &str = "stores";

fn example_store() -> Value {
    json!({ "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5", "name": "Main street" })
}

pub(super) fn list_stores() -> OperationDoc {
    OperationDoc::new(TAG, "Lists and searches stores")
        .page_response::<StoreBody<'_>>(&example_store())
        .query_parameter("search", "A text in the name.", text_schema())
}

pub(super) fn create_store() -> OperationDoc {
    OperationDoc::new(TAG, "Opens a store")
        .description("A tenant has 200 at most.")
        .requires(Requirement::Right("storeCreate"))
        .request_body::<CreateStore>(json!({ "name": "Main street" }))
        .response::<StoreBody<'_>>(201, "The store.", example_store())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_store() -> OperationDoc {
    OperationDoc::new(TAG, "Shows a store")
        .description("Its version is that of the tenant and all its stores.")
        .response::<StoreBody<'_>>(200, "The store.", example_store())
        .with_etag()
}

pub(super) fn update_store() -> OperationDoc {
    OperationDoc::new(TAG, "Gives a store another name")
        .requires(Requirement::Right("storeUpdate"))
        .merge_patch::<UpdateStore>(json!({ "name": "Old town" }))
        .response::<StoreBody<'_>>(200, "The store as it is now.", example_store())
        .with_etag()
        .errors(&[409])
}

pub(super) fn delete_store() -> OperationDoc {
    OperationDoc::new(TAG, "Closes a store")
        .description("The last one stays.")
        .requires(Requirement::Right("storeDelete"))
        .requires_if_match()
        .no_content("It is closed.")
        .errors(&[409])
}
