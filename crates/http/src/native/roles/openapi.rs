//! What the document says of the calls about roles.

use serde_json::{Value, json};

use super::request::{CreateRole, UpdateRole};
use super::response::RoleBody;
use crate::openapi::{OperationDoc, Requirement, bool_schema, text_schema};

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
    })
}

pub(super) fn list_roles() -> OperationDoc {
    OperationDoc::new(TAG, "Lists and searches roles")
        .page_response::<RoleBody<'_>>(&example_role())
        .query_parameter("search", "A text in the name, the label or the description.", text_schema())
        .query_parameter("built_in", "Only those that are built in, or only the others.", bool_schema())
}

pub(super) fn create_role() -> OperationDoc {
    OperationDoc::new(TAG, "Adds a role")
        .description("Nobody makes a role that allows more than they hold.")
        .requires(Requirement::Right("roleCreate"))
        .request_body::<CreateRole>(json!({
            "name": "waiter",
            "label": "Waiter",
            "rights": ["ticketCreate", "ticketUpdate"],
            "environments": ["PDA"],
        }))
        .response::<RoleBody<'_>>(201, "The role.", example_role())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_role() -> OperationDoc {
    OperationDoc::new(TAG, "Shows a role").response::<RoleBody<'_>>(200, "The role.", example_role()).with_etag()
}

pub(super) fn update_role() -> OperationDoc {
    OperationDoc::new(TAG, "Changes a role")
        .description(
            "Whoever holds it has the changed rights from their next request. A built-in role stays as it is, and so does one that \
             makes the last admin.",
        )
        .description("Whoever changes a role holds every right that it allows before and after.")
        .requires(Requirement::Right("roleUpdate"))
        .merge_patch::<UpdateRole>(json!({ "rights": ["ticketCreate"], "environments": ["PDA", "CashRegister"] }))
        .response::<RoleBody<'_>>(200, "The role as it is now.", example_role())
        .with_etag()
        .errors(&[409])
}

pub(super) fn delete_role() -> OperationDoc {
    OperationDoc::new(TAG, "Deletes a role")
        .description("A role that a user or a device holds is refused, with who holds it; so is a built-in one.")
        .requires(Requirement::Right("roleDelete"))
        .requires_if_match()
        .no_content("It is gone.")
        .errors(&[409])
}
