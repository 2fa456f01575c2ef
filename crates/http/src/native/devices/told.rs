//! What the document says of the calls about devices.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::sent::{Change, New};
use super::shape::Shape;
use crate::native::passwords::NewPassword;
use crate::native::schemas::{DeviceStatus, Environment};
use crate::openapi::{Asks, Entry, text_schema};

const TAG: &str = "devices";

fn example() -> Value {
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

pub(super) fn list() -> Entry {
    Entry::of(TAG, "Lists and searches devices")
        .more("In the order in which they were registered. What is retired is listed only where `status` asks for it.")
        .lists::<Shape<'_>>(&example())
        .query("search", "A text in the name or the description.", text_schema())
        .query("status", "Only those of this status.", DeviceStatus::schema())
        .query("environment", "Only those of this kind.", Environment::schema())
}

pub(super) fn add() -> Entry {
    Entry::of(TAG, "Registers a device")
        .more("Nobody gives away a right that they do not hold.")
        .asks(Asks::Right("deviceCreate"))
        .takes::<New>(json!({
            "name": "P01",
            "environment": "CashRegister",
            "description": "By the door",
            "settings": { "MaxQuantity": "200" },
            "roles": ["cashier"],
            "password": "correct horse battery",
        }))
        .answers::<Shape<'_>>(201, "The device.", example())
        .with_version()
        .with_location()
        .refuses(&[409])
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows a device").answers::<Shape<'_>>(200, "The device.", example()).with_version()
}

pub(super) fn change() -> Entry {
    Entry::of(TAG, "Changes a device")
        .more(
            "What is no longer active, or becomes another kind, loses every session on it in the same act. The device on which alone \
             the last admin is one stays in use.",
        )
        .more(
            "To retire asks the right `deviceDelete` instead, and whoever changes a device holds every right that it has or gets, or \
             that its people get there.",
        )
        .asks(Asks::Right("deviceUpdate"))
        .patches::<Change>(json!({ "status": "locked", "settings": { "MaxQuantity": "100", "Old": null } }))
        .answers::<Shape<'_>>(200, "The device as it is now.", example())
        .with_version()
        .refuses(&[409])
}

pub(super) fn retire() -> Entry {
    Entry::of(TAG, "Retires a device")
        .more(
            "Every session on it ends at once, permanent ones too; it leaves the lists of its users and gives up its roles, and its \
             name is free again.",
        )
        .asks(Asks::Right("deviceDelete"))
        .holds_to_a_version()
        .done("It is retired.")
        .refuses(&[409])
}

pub(super) fn set_password() -> Entry {
    Entry::of(TAG, "Sets a device's own password")
        .more("Every session on it ends at once, and failed logins are forgotten.")
        .asks(Asks::Right("deviceUpdate"))
        .takes::<NewPassword>(json!({ "password": "correct horse battery" }))
        .done("It is set.")
        .refuses(&[409])
}

pub(super) fn remove_password() -> Entry {
    Entry::of(TAG, "Takes a device's own password away")
        .more("It logs in as itself no more, and every session on it ends at once.")
        .asks(Asks::Right("deviceUpdate"))
        .done("It has none.")
}

pub(super) fn unlock() -> Entry {
    Entry::of(TAG, "Lets a device log in again that wrong passwords hold back")
        .asks(Asks::Right("deviceUpdate"))
        .done("Failed logins are forgotten.")
}
