//! OpenAPI documentation that the operations on passwords share.

use serde_json::{Value, json};

/// Example of a changed password in the document.
pub(in crate::api::native) fn example_changed_password() -> Value {
    json!({ "api_keys": [{
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "client_id": "5f2c0d6b8a914e7f93d1c0ab45e67f12",
        "name": "Warehouse",
        "status": "active",
    }] })
}
