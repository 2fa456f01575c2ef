//! OpenAPI documentation of the tenant operations.

use serde_json::{Value, json};

use super::request::UpdateTenant;
use super::response::TenantBody;
use crate::openapi::OperationDoc;

const TAG: &str = "tenants";

fn example_tenant() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "slug": "corner",
        "name": "The corner shop",
        "zone": "Europe/Bratislava",
        "locale": "sk-SK",
        "accent_color": "#0b6b5e",
        "machine_codes": true,
        "limits": { "access": 300, "idle": 43200, "absolute": null, "overlap": null },
        "created_at": "2026-11-21T08:00:00.000Z",
    })
}

pub(super) fn list_tenants() -> OperationDoc {
    OperationDoc::new(TAG, "List the caller's tenant")
        .description("The list contains only this tenant.")
        .page_response::<TenantBody<'_>>(&example_tenant())
}

pub(super) fn get_tenant() -> OperationDoc {
    OperationDoc::new(TAG, "Get the tenant")
        .description("Other tenants are answered with 404.")
        .response::<TenantBody<'_>>(200, "The tenant.", example_tenant())
        .with_etag()
}

pub(super) fn update_tenant() -> OperationDoc {
    OperationDoc::new(TAG, "Update the tenant")
        .description(
            "The limits can only shorten sessions. A limit that is longer than the longest lifetime in the \
             configuration of any dialect is rejected (422); the error names the longest allowed value.",
        )
        .merge_patch::<UpdateTenant>(
            json!({ "zone": "Europe/Bratislava", "accent_color": "#0b6b5e", "limits": { "access": 300, "absolute": null } }),
        )
        .response::<TenantBody<'_>>(200, "The updated tenant.", example_tenant())
        .with_etag()
}
