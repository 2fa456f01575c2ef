//! OpenAPI documentation of the list of rights.

use serde_json::json;

use super::response::RightsBody;
use crate::openapi::OperationDoc;

pub(super) fn list_rights() -> OperationDoc {
    let example = [json!({ "name": "admin", "held": false }), json!({ "name": "ticketClose", "held": true })];
    OperationDoc::new("roles", "List all rights")
        .description(
            "All rights that tills and back offices use, and the rights that only the tenant's own roles \
             contain, sorted by name in one page.",
        )
        .response::<RightsBody<'_>>(200, "The rights.", json!({ "items": example, "next": null }))
}
