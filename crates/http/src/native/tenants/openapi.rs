//! What the document says of the calls about tenants.

use serde_json::{Value, json};

use super::request::UpdateTenant;
use super::response::TenantBody;
use crate::openapi::{OperationDoc, Requirement};

const TAG: &str = "tenants";

fn example_tenant() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "slug": "corner",
        "name": "The corner shop",
        "zone": "Europe/Bratislava",
        "locale": "sk-SK",
        "limits": { "access": 300, "idle": 43200, "absolute": null, "overlap": null },
        "created_at": "2026-11-21T08:00:00.000Z",
    })
}

pub(super) fn list_tenants() -> OperationDoc {
    OperationDoc::new(TAG, "Lists the caller's tenant")
        .description("It is the only one on the list.")
        .page_response::<TenantBody<'_>>(&example_tenant())
}

pub(super) fn get_tenant() -> OperationDoc {
    OperationDoc::new(TAG, "Shows the tenant")
        .description("Another's reads as one that there is not.")
        .response::<TenantBody<'_>>(200, "The tenant.", example_tenant())
        .with_etag()
}

pub(super) fn update_tenant() -> OperationDoc {
    OperationDoc::new(TAG, "Changes the tenant")
        .description(
            "Its sessions can be made shorter than the server's configuration says. A limit that is longer than what every contract \
             of the server gives them is refused (422), with the longest that it may be.",
        )
        .requires(Requirement::Right("tenantUpdate"))
        .merge_patch::<UpdateTenant>(json!({ "zone": "Europe/Bratislava", "limits": { "access": 300, "absolute": null } }))
        .response::<TenantBody<'_>>(200, "The tenant as it is now.", example_tenant())
        .with_etag()
}
