//! What the document says of the calls about API keys.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::sent::{Change, New};
use super::shape::{Made, Shape};
use crate::native::schemas::ApiKeyStatus;
use crate::openapi::{Asks, Entry, id_schema};

const TAG: &str = "api-keys";

/// The rights of which one is asked to read.
const READS: &str = "`apiKeyUpdate` or `apiKeyDelete` will do as well.";

fn example() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "client_id": "5f2c0d6b8a914e7f93d1c0ab45e67f12",
        "name": "Warehouse",
        "description": "Checks tokens of handhelds",
        "status": "active",
        "user": "warehouse",
        "device": "CHECKER",
        "permissions": ["tokenIntrospect"],
        "created_at": "2026-11-21T08:00:00.000Z",
    })
}

fn made() -> Value {
    let mut made = example();
    if let Some(members) = made.as_object_mut() {
        let secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
        members.insert("client_secret".to_owned(), json!(secret));
    }
    made
}

pub(super) fn list() -> Entry {
    Entry::of(TAG, "Lists API keys")
        .more(READS)
        .asks(Asks::Right("apiKeyCreate"))
        .lists::<Shape<'_>>(&example())
        .query("user", "Only those whose requests run as the user of this id.", id_schema())
        .query("device", "Only those whose requests run on the device of this id.", id_schema())
        .query("status", "Only those of this status.", ApiKeyStatus::schema())
}

pub(super) fn add() -> Entry {
    Entry::of(TAG, "Makes an API key")
        .more("A program signs requests with it, or sends it as OAuth's client id and secret. The secret is in this answer and in no other.")
        .more("Nobody makes a key to more than they hold. Only an admin makes one without permissions, which grows with its user.")
        .asks(Asks::Right("apiKeyCreate"))
        .takes::<New>(json!({
            "name": "Warehouse",
            "description": "Checks tokens of handhelds",
            "user": "warehouse",
            "device": "CHECKER",
            "permissions": ["tokenIntrospect"],
        }))
        .answers::<Made<'_>>(201, "The key, with its secret.", made())
        .with_version()
        .with_location()
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows an API key")
        .more(READS)
        .asks(Asks::Right("apiKeyCreate"))
        .answers::<Shape<'_>>(200, "The key.", example())
        .with_version()
}

pub(super) fn change() -> Entry {
    Entry::of(TAG, "Changes an API key")
        .more("What is signed with it is judged by the change at once. Whoever changes a key holds every right that it gives before and after.")
        .asks(Asks::Right("apiKeyUpdate"))
        .patches::<Change>(json!({ "status": "revoked", "description": null }))
        .answers::<Shape<'_>>(200, "The key as it is now.", example())
        .with_version()
}

pub(super) fn delete() -> Entry {
    Entry::of(TAG, "Deletes an API key")
        .more("For good, and it counts no more from this moment. The audit keeps what it was called.")
        .asks(Asks::Right("apiKeyDelete"))
        .holds_to_a_version()
        .done("It is gone.")
}
