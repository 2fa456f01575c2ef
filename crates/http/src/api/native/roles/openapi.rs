//! OpenAPI documentation of the role operations.

use serde_json::{Value, json};

use super::request::{CreateRole, UpdateRole};
use super::response::RoleBody;
use crate::openapi::{OperationDoc, bool_schema, text_schema};

const TAG: &str = "roles";

fn example_role() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "name": "waiter",
        "label": "Waiter",
        "description": "Serves on the terrace",
        "rights": ["ticketCreate", "ticketUpdate"],
        "environments": ["PDA"],
        "built_in": false,
        "holder_count": 3,
    })
}

pub(super) fn list_roles() -> OperationDoc {
    OperationDoc::new(TAG, "List and search roles")
        .page_response::<RoleBody<'_>>(&example_role())
        .query_parameter("search", "Text in the name, the label or the description.", text_schema())
        .query_parameter("built_in", "Only built-in roles if true, only other roles if false.", bool_schema())
}

pub(super) fn create_role() -> OperationDoc {
    OperationDoc::new(TAG, "Create a role")
        .description("You cannot grant a right that you do not have.")
        .request_body::<CreateRole>(json!({
            "name": "waiter",
            "label": "Waiter",
            "rights": ["ticketCreate", "ticketUpdate"],
            "environments": ["PDA"],
        }))
        .response::<RoleBody<'_>>(201, "The new role.", example_role())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_role() -> OperationDoc {
    OperationDoc::new(TAG, "Get a role").response::<RoleBody<'_>>(200, "The role.", example_role()).with_etag()
}

pub(super) fn update_role() -> OperationDoc {
    OperationDoc::new(TAG, "Update a role")
        .description(
            "The changed rights apply from the next request of each holder. Built-in roles cannot be changed, \
             nor can a change remove the last admin.",
        )
        .description("You need every right that the role grants before and after the change.")
        .merge_patch::<UpdateRole>(json!({ "rights": ["ticketCreate"], "environments": ["PDA", "CashRegister"] }))
        .response::<RoleBody<'_>>(200, "The updated role.", example_role())
        .with_etag()
        .errors(&[409])
}

pub(super) fn delete_role() -> OperationDoc {
    OperationDoc::new(TAG, "Delete a role")
        .description(
            "A role that users or devices have cannot be deleted; the error names them. Built-in roles \
             cannot be deleted either.",
        )
        .requires_if_match()
        .no_content("The role was deleted.")
        .errors(&[409])
}
