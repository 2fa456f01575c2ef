//! What the document says of the calls about users.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::sent::{Change, New};
use super::shape::{Changed, Shape};
use crate::native::passwords::{self, Changed as ChangedPassword, NewUserPassword};
use crate::native::schemas::UserStatus;
use crate::openapi::{Asks, Entry, order_schema, text_schema};

const TAG: &str = "users";

fn example() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "user_name": "jana",
        "email": "jana@example.com",
        "display_name": "Jana Nová",
        "status": "active",
        "virtual": false,
        "feature": null,
        "password_change_required": false,
        "roles": ["manager"],
        "devices": [{ "device": "P01", "roles": ["cashier"] }],
        "created_at": "2026-11-21T08:00:00.000Z",
        "updated_at": "2026-11-21T08:00:00.000Z",
    })
}

pub(super) fn list() -> Entry {
    Entry::of(TAG, "Lists and searches users")
        .more("Whoever is deleted is listed only where `status` asks for it.")
        .asks(Asks::Right("userRead"))
        .lists::<Shape<'_>>(&example())
        .query("search", "A text in the user name, the e-mail address or the display name.", text_schema())
        .query("status", "Only those of this status.", UserStatus::schema())
        .query("role", "Only those who hold the role of this name without a device.", text_schema())
        .query("sort", "In which order.", order_schema(super::ORDERS.map(|(word, _)| word)))
}

pub(super) fn add() -> Entry {
    Entry::of(TAG, "Adds a user")
        .more("Nobody gives away a right that they do not hold.")
        .asks(Asks::Right("userCreate"))
        .takes::<New>(json!({
            "user_name": "jana",
            "email": "jana@example.com",
            "display_name": "Jana Nová",
            "password": "correct horse battery",
            "roles": ["manager"],
            "devices": [{ "device": "P01", "roles": ["cashier"] }],
        }))
        .answers::<Shape<'_>>(201, "The user.", example())
        .with_version()
        .with_location()
        .refuses(&[409])
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows a user")
        .asks(Asks::RightToOthers("userRead"))
        .answers::<Shape<'_>>(200, "The user.", example())
        .with_version()
}

pub(super) fn change() -> Entry {
    Entry::of(TAG, "Changes a user")
        .more("Changed rights hold from the next request of every session. The last active admin stays one.")
        .more("To delete asks the right `userDelete` instead, and whoever changes somebody holds every right that they have or get.")
        .asks(Asks::Right("userUpdate"))
        .patches::<Change>(json!({ "display_name": "Jana Malá", "email": null, "roles": ["cashier"] }))
        .more("Another e-mail address of your own requires `current_password`; a wrong one is 401 and counts as a failed login.")
        .answers::<Changed<'_>>(200, "The user as they are now.", example())
        .with_version()
        .refuses(&[409])
}

pub(super) fn delete() -> Entry {
    Entry::of(TAG, "Deletes a user")
        .more("Every session of theirs ends at once; their name and address are free again. The audit keeps who they were.")
        .asks(Asks::Right("userDelete"))
        .holds_to_a_version()
        .done("They are gone.")
        .refuses(&[409])
}

pub(super) fn set_password() -> Entry {
    Entry::of(TAG, "Sets a user's password")
        .more("Every session of theirs ends at once, permanent tokens too, and failed logins are forgotten.")
        .more("API keys need no password: the answer and the audit name them, and `keys` revokes them.")
        .more("With `password_change_required` the user must change it at the next login; without, they need not.")
        .more("Your own password is refused here: use `PUT /sessions/current/password`.")
        .asks(Asks::Right("userUpdate"))
        .takes::<NewUserPassword>(json!({ "password": "correct horse battery" }))
        .answers::<ChangedPassword<'_>>(200, "It is set.", passwords::example())
        .refuses(&[409])
}

pub(super) fn unlock() -> Entry {
    Entry::of(TAG, "Lets a user log in again whom wrong passwords hold back")
        .asks(Asks::Right("userUpdate"))
        .done("Failed logins are forgotten.")
        .refuses(&[409])
}
