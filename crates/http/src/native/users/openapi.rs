//! What the document says of the calls about users.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::request::{CreateUser, UpdateUser};
use super::response::{UpdatedUserBody, UserBody};
use crate::native::passwords::{self, ChangedPasswordBody as ChangedPassword, SetUserPassword};
use crate::native::schemas::UserStatus;
use crate::openapi::{OperationDoc, Requirement, order_schema, text_schema};

const TAG: &str = "users";

fn example_user() -> Value {
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

pub(super) fn list_users() -> OperationDoc {
    OperationDoc::new(TAG, "Lists and searches users")
        .description("Whoever is deleted is listed only where `status` asks for it.")
        .requires(Requirement::Right("userRead"))
        .page_response::<UserBody<'_>>(&example_user())
        .query_parameter("search", "A text in the user name, the e-mail address or the display name.", text_schema())
        .query_parameter("status", "Only those of this status.", UserStatus::schema())
        .query_parameter("role", "Only those who hold the role of this name without a device.", text_schema())
        .query_parameter("sort", "In which order.", order_schema(super::USER_ORDERS.map(|(word, _)| word)))
}

pub(super) fn create_user() -> OperationDoc {
    OperationDoc::new(TAG, "Adds a user")
        .description("Nobody gives away a right that they do not hold.")
        .requires(Requirement::Right("userCreate"))
        .request_body::<CreateUser>(json!({
            "user_name": "jana",
            "email": "jana@example.com",
            "display_name": "Jana Nová",
            "password": "correct horse battery",
            "roles": ["manager"],
            "devices": [{ "device": "P01", "roles": ["cashier"] }],
        }))
        .response::<UserBody<'_>>(201, "The user.", example_user())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_user() -> OperationDoc {
    OperationDoc::new(TAG, "Shows a user")
        .requires(Requirement::RightForOthers("userRead"))
        .response::<UserBody<'_>>(200, "The user.", example_user())
        .with_etag()
}

pub(super) fn update_user() -> OperationDoc {
    OperationDoc::new(TAG, "Changes a user")
        .description("Changed rights hold from the next request of every session. The last active admin stays one.")
        .description("To delete asks the right `userDelete` instead, and whoever changes somebody holds every right that they have or get.")
        .requires(Requirement::Right("userUpdate"))
        .merge_patch::<UpdateUser>(json!({ "display_name": "Jana Malá", "email": null, "roles": ["cashier"] }))
        .description("Another e-mail address of your own requires `current_password`; a wrong one is 401 and counts as a failed login.")
        .response::<UpdatedUserBody<'_>>(200, "The user as they are now.", example_user())
        .with_etag()
        .errors(&[409])
}

pub(super) fn delete_user() -> OperationDoc {
    OperationDoc::new(TAG, "Deletes a user")
        .description("Every session of theirs ends at once; their name and address are free again. The audit keeps who they were.")
        .requires(Requirement::Right("userDelete"))
        .requires_if_match()
        .no_content("They are gone.")
        .errors(&[409])
}

pub(super) fn set_user_password() -> OperationDoc {
    OperationDoc::new(TAG, "Sets a user's password")
        .description("Every session of theirs ends at once, permanent tokens too, and failed logins are forgotten.")
        .description("API keys need no password: the answer and the audit name them, and `keys` revokes them.")
        .description(
            "With `password_change_required` the user must change it at the next login; without, they need not.",
        )
        .description("Your own password is refused here: use `PUT /sessions/current/password`.")
        .requires(Requirement::Right("userUpdate"))
        .request_body::<SetUserPassword>(json!({ "password": "correct horse battery" }))
        .response::<ChangedPassword<'_>>(200, "It is set.", passwords::example_changed_password())
        .errors(&[409])
}

pub(super) fn unlock_user() -> OperationDoc {
    OperationDoc::new(TAG, "Lets a user log in again whom wrong passwords hold back")
        .requires(Requirement::Right("userUpdate"))
        .no_content("Failed logins are forgotten.")
        .errors(&[409])
}
