//! What the document says of the calls about stores.

use serde_json::{Value, json};

use super::Shape;
use super::sent::{Change, New};
use crate::openapi::{Asks, Entry, text_schema};

const TAG: &str = "stores";

fn example() -> Value {
    json!({ "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5", "name": "Main street" })
}

pub(super) fn list() -> Entry {
    Entry::of(TAG, "Lists and searches stores").lists::<Shape<'_>>(&example()).query(
        "search",
        "A text in the name.",
        text_schema(),
    )
}

pub(super) fn open() -> Entry {
    Entry::of(TAG, "Opens a store")
        .more("A tenant has 200 at most.")
        .asks(Asks::Right("storeCreate"))
        .takes::<New>(json!({ "name": "Main street" }))
        .answers::<Shape<'_>>(201, "The store.", example())
        .with_version()
        .with_location()
        .refuses(&[409])
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows a store")
        .more("Its version is that of the tenant and all its stores.")
        .answers::<Shape<'_>>(200, "The store.", example())
        .with_version()
}

pub(super) fn rename() -> Entry {
    Entry::of(TAG, "Gives a store another name")
        .asks(Asks::Right("storeUpdate"))
        .patches::<Change>(json!({ "name": "Old town" }))
        .answers::<Shape<'_>>(200, "The store as it is now.", example())
        .with_version()
        .refuses(&[409])
}

pub(super) fn close() -> Entry {
    Entry::of(TAG, "Closes a store")
        .more("The last one stays.")
        .asks(Asks::Right("storeDelete"))
        .holds_to_a_version()
        .done("It is closed.")
        .refuses(&[409])
}
