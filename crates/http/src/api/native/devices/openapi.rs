//! OpenAPI documentation of the device operations.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::request::{CreateDevice, UpdateDevice};
use super::response::DeviceBody;
use crate::api::native::passwords::SetDevicePassword;
use crate::api::native::schemas::{DeviceStatus, Environment};
use crate::openapi::{OperationDoc, enum_schema, id_schema, text_schema};

const TAG: &str = "devices";

fn example_device() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "name": "P01",
        "environment": "CashRegister",
        "status": "active",
        "description": "By the door",
        "preferences": { "sound": { "on": true } },
        "settings": { "MaxQuantity": "200" },
        "store": { "id": "0192f0c1-2222-7c4d-8e5f-60718293a4b5", "name": "Main street" },
        "till_mode": false,
        "roles": ["cashier"],
        "last_seen_at": "2026-11-21T08:00:00.000Z",
        "created_at": "2026-11-21T08:00:00.000Z",
        "updated_at": "2026-11-21T08:00:00.000Z",
    })
}

pub(super) fn list_devices() -> OperationDoc {
    OperationDoc::new(TAG, "List and search devices")
        .description("Sorted by creation time. Retired devices are listed only if `status` is `retired`.")
        .description("`with=seat` requires the right `sessionRead` or `sessionDelete`.")
        .page_response::<DeviceBody<'_>>(&example_device())
        .errors(&[403])
        .query_parameter("search", "Text in the name or the description.", text_schema())
        .query_parameter("status", "Only devices with this status.", DeviceStatus::schema())
        .query_parameter("environment", "Only devices of this kind.", Environment::schema())
        .query_parameter("store", "Only devices in this store.", id_schema())
        .query_parameter(
            "with",
            "`seat` adds who is logged in on each till or handheld, or was last.",
            enum_schema(["seat"]),
        )
}

pub(super) fn create_device() -> OperationDoc {
    OperationDoc::new(TAG, "Create a device")
        .description("You cannot grant a right that you do not have.")
        .request_body::<CreateDevice>(json!({
            "name": "P01",
            "environment": "CashRegister",
            "description": "By the door",
            "settings": { "MaxQuantity": "200" },
            "roles": ["cashier"],
            "password": "correct horse battery",
        }))
        .response::<DeviceBody<'_>>(201, "The new device.", example_device())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_device() -> OperationDoc {
    OperationDoc::new(TAG, "Get a device").response::<DeviceBody<'_>>(200, "The device.", example_device()).with_etag()
}

pub(super) fn update_device() -> OperationDoc {
    OperationDoc::new(TAG, "Update a device")
        .description(
            "If the device is no longer active or becomes another kind, all of its sessions end in the same \
             transaction. The device that makes a user the last admin must stay active.",
        )
        .description(
            "With `till_mode`, users work on the device as operators, who sign in under its own session with their \
             PIN (`till/operator`), and no longer log in on it with a password.",
        )
        .description(
            "Retiring a device requires `deviceDelete`, every other change `deviceUpdate`. You need every right \
             that the device has or gets, and every right that its users get on it.",
        )
        .merge_patch::<UpdateDevice>(json!({ "status": "locked", "settings": { "MaxQuantity": "100", "Old": null } }))
        .response::<DeviceBody<'_>>(200, "The updated device.", example_device())
        .with_etag()
        .with_revocation()
        .errors(&[409])
}

pub(super) fn retire_device() -> OperationDoc {
    OperationDoc::new(TAG, "Retire a device")
        .description(
            "All sessions on the device end at once, including permanent ones. The device is removed from its \
             users, loses its roles and its store, and its name becomes available again.",
        )
        .requires_if_match()
        .no_content("The device was retired.")
        .with_revocation()
        .errors(&[409])
}

pub(super) fn set_device_password() -> OperationDoc {
    OperationDoc::new(TAG, "Set the password of a device")
        .description("All sessions on the device end at once, and its failed logins are reset.")
        .request_body::<SetDevicePassword>(json!({ "password": "correct horse battery" }))
        .no_content("The password was set.")
        .with_revocation()
        .errors(&[409])
}

pub(super) fn remove_device_password() -> OperationDoc {
    OperationDoc::new(TAG, "Remove the password of a device")
        .description("The device can no longer log in as itself, and all sessions on it end at once.")
        .no_content("The device has no password.")
        .with_revocation()
}

pub(super) fn unlock_device() -> OperationDoc {
    OperationDoc::new(TAG, "Unlock a device after too many failed logins").no_content("The failed logins were reset.")
}

pub(super) fn unlock_pins() -> OperationDoc {
    OperationDoc::new(TAG, "Accept PINs on a device again after wrong ones")
        .description("Clears the counts of wrong PINs of all users on the device, and lifts their stops.")
        .no_content("PINs are accepted again.")
}
