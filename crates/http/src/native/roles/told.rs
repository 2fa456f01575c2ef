//! What the document says of the calls about roles.

use serde_json::{Value, json};

use super::sent::{Change, New};
use super::shape::Shape;
use crate::openapi::{Asks, Entry, text_schema, truth_schema};

const TAG: &str = "roles";

fn example() -> Value {
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

pub(super) fn list() -> Entry {
    Entry::of(TAG, "Lists and searches roles")
        .lists::<Shape<'_>>(&example())
        .query("search", "A text in the name, the label or the description.", text_schema())
        .query("built_in", "Only those that are built in, or only the others.", truth_schema())
}

pub(super) fn add() -> Entry {
    Entry::of(TAG, "Adds a role")
        .more("Nobody makes a role that allows more than they hold.")
        .asks(Asks::Right("roleCreate"))
        .takes::<New>(json!({
            "name": "waiter",
            "label": "Waiter",
            "rights": ["ticketCreate", "ticketUpdate"],
            "environments": ["PDA"],
        }))
        .answers::<Shape<'_>>(201, "The role.", example())
        .with_version()
        .with_location()
        .refuses(&[409])
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows a role").answers::<Shape<'_>>(200, "The role.", example()).with_version()
}

pub(super) fn change() -> Entry {
    Entry::of(TAG, "Changes a role")
        .more(
            "Whoever holds it has the changed rights from their next request. A built-in role stays as it is, and so does one that \
             makes the last admin.",
        )
        .more("Whoever changes a role holds every right that it allows before and after.")
        .asks(Asks::Right("roleUpdate"))
        .patches::<Change>(json!({ "rights": ["ticketCreate"], "environments": ["PDA", "CashRegister"] }))
        .answers::<Shape<'_>>(200, "The role as it is now.", example())
        .with_version()
        .refuses(&[409])
}

pub(super) fn delete() -> Entry {
    Entry::of(TAG, "Deletes a role")
        .more("A role that a user or a device holds is refused, with who holds it; so is a built-in one.")
        .asks(Asks::Right("roleDelete"))
        .holds_to_a_version()
        .done("It is gone.")
        .refuses(&[409])
}
