//! What the document says of the calls about devices.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::request::{CreateDevice, UpdateDevice};
use super::response::DeviceBody;
use crate::native::passwords::SetDevicePassword;
use crate::native::schemas::{DeviceStatus, Environment};
use crate::openapi::{OperationDoc, Requirement, text_schema};

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
        "roles": ["cashier"],
        "last_seen_at": "2026-11-21T08:00:00.000Z",
        "created_at": "2026-11-21T08:00:00.000Z",
        "updated_at": "2026-11-21T08:00:00.000Z",
    })
}

pub(super) fn list_devices() -> OperationDoc {
    OperationDoc::new(TAG, "Lists and searches devices")
        .description(
            "In the order in which they were registered. What is retired is listed only where `status` asks for it.",
        )
        .page_response::<DeviceBody<'_>>(&example_device())
        .query_parameter("search", "A text in the name or the description.", text_schema())
        .query_parameter("status", "Only those of this status.", DeviceStatus::schema())
        .query_parameter("environment", "Only those of this kind.", Environment::schema())
}

pub(super) fn create_device() -> OperationDoc {
    OperationDoc::new(TAG, "Registers a device")
        .description("Nobody gives away a right that they do not hold.")
        .requires(Requirement::Right("deviceCreate"))
        .request_body::<CreateDevice>(json!({
            "name": "P01",
            "environment": "CashRegister",
            "description": "By the door",
            "settings": { "MaxQuantity": "200" },
            "roles": ["cashier"],
            "password": "correct horse battery",
        }))
        .response::<DeviceBody<'_>>(201, "The device.", example_device())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_device() -> OperationDoc {
    OperationDoc::new(TAG, "Shows a device")
        .response::<DeviceBody<'_>>(200, "The device.", example_device())
        .with_etag()
}

pub(super) fn update_device() -> OperationDoc {
    OperationDoc::new(TAG, "Changes a device")
        .description(
            "What is no longer active, or becomes another kind, loses every session on it in the same act. The device on which alone \
             the last admin is one stays in use.",
        )
        .description(
            "To retire asks the right `deviceDelete` instead, and whoever changes a device holds every right that it has or gets, or \
             that its people get there.",
        )
        .requires(Requirement::Right("deviceUpdate"))
        .merge_patch::<UpdateDevice>(json!({ "status": "locked", "settings": { "MaxQuantity": "100", "Old": null } }))
        .response::<DeviceBody<'_>>(200, "The device as it is now.", example_device())
        .with_etag()
        .errors(&[409])
}

pub(super) fn retire_device() -> OperationDoc {
    OperationDoc::new(TAG, "Retires a device")
        .description(
            "Every session on it ends at once, permanent ones too; it leaves the lists of its users and gives up its roles, and its \
             name is free again.",
        )
        .requires(Requirement::Right("deviceDelete"))
        .requires_if_match()
        .no_content("It is retired.")
        .errors(&[409])
}

pub(super) fn set_device_password() -> OperationDoc {
    OperationDoc::new(TAG, "Sets a device's own password")
        .description("Every session on it ends at once, and failed logins are forgotten.")
        .requires(Requirement::Right("deviceUpdate"))
        .request_body::<SetDevicePassword>(json!({ "password": "correct horse battery" }))
        .no_content("It is set.")
        .errors(&[409])
}

pub(super) fn remove_device_password() -> OperationDoc {
    OperationDoc::new(TAG, "Takes a device's own password away")
        .description("It logs in as itself no more, and every session on it ends at once.")
        .requires(Requirement::Right("deviceUpdate"))
        .no_content("It has none.")
}

pub(super) fn unlock_device() -> OperationDoc {
    OperationDoc::new(TAG, "Lets a device log in again that wrong passwords hold back")
        .requires(Requirement::Right("deviceUpdate"))
        .no_content("Failed logins are forgotten.")
}
