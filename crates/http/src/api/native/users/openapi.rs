//! OpenAPI documentation of the user operations.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::invitations::InvitationBody;
use super::mailed_link::MailedLinkBody;
use super::request::{CreateUser, InviteUser, UpdateUser};
use super::response::{UpdatedUserBody, UserBody};
use crate::api::native::export::{EXPORT_NOTE, document_export};
use crate::api::native::passwords::{self, ChangedPasswordBody as ChangedPassword, SetUserPassword};
use crate::api::native::schemas::UserStatus;
use crate::openapi::{OperationDoc, id_schema, order_schema, text_schema};

const TAG: &str = "users";

fn example_user() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "user_name": "jana",
        "email": "jana@example.com",
        "email_verified_at": null,
        "display_name": "Jana Nová",
        "status": "active",
        "virtual": false,
        "feature": null,
        "has_password": true,
        "invited_until": null,
        "password_change_required": false,
        "locale": "sk",
        "roles": ["manager"],
        "devices": [{ "device": "P01", "roles": ["cashier"] }],
        "last_login_at": "2026-11-21T08:00:00.000Z",
        "created_at": "2026-11-21T08:00:00.000Z",
        "updated_at": "2026-11-21T08:00:00.000Z",
    })
}

pub(super) fn list_users() -> OperationDoc {
    let document = OperationDoc::new(TAG, "List and search users")
        .description(DELETED_NOTE)
        .page_response::<UserBody<'_>>(&example_user());
    add_filter_parameters(document)
}

const DELETED_NOTE: &str = "Deleted users are listed only if `status` is `deleted`.";

pub(super) fn export_users() -> OperationDoc {
    let document = OperationDoc::new(TAG, "Export users").description(EXPORT_NOTE).description(DELETED_NOTE);
    add_filter_parameters(document_export(document, "The users."))
}

/// Adds the parameters that the list and the export have in common.
fn add_filter_parameters(document: OperationDoc) -> OperationDoc {
    document
        .query_parameter("search", "Text in the user name, the e-mail address or the display name.", text_schema())
        .query_parameter("status", "Only users with this status.", UserStatus::schema())
        .query_parameter(
            "role",
            "Only users who have the role with this name, without or on any device.",
            text_schema(),
        )
        .query_parameter("store", "Only users who may log in on a device of this store.", id_schema())
        .query_parameter("sort", "Order of the list.", order_schema(super::USER_ORDERS.map(|(word, _)| word)))
}

pub(super) fn create_user() -> OperationDoc {
    OperationDoc::new(TAG, "Create a user")
        .description("You cannot grant a right that you do not have.")
        .request_body::<CreateUser>(json!({
            "user_name": "jana",
            "email": "jana@example.com",
            "display_name": "Jana Nová",
            "password": "correct horse battery",
            "roles": ["manager"],
            "devices": [{ "device": "P01", "roles": ["cashier"] }],
        }))
        .response::<UserBody<'_>>(201, "The new user.", example_user())
        .with_etag()
        .with_location()
        .errors(&[409])
}

pub(super) fn get_user() -> OperationDoc {
    OperationDoc::new(TAG, "Get a user").response::<UserBody<'_>>(200, "The user.", example_user()).with_etag()
}

pub(super) fn update_user() -> OperationDoc {
    OperationDoc::new(TAG, "Update a user")
        .description(
            "Changed rights apply from the next request of every session. The last active admin must \
             stay an admin.",
        )
        .description(
            "Deleting a user requires `userDelete`, every other change `userUpdate`. You need every right \
             that the user has or gets.",
        )
        .merge_patch::<UpdateUser>(json!({ "display_name": "Jana Malá", "email": null, "roles": ["cashier"] }))
        .description(
            "A change of your own e-mail address requires `current_password`; a wrong one is answered \
             with 403 `password_wrong` and counts as a failed login.",
        )
        .response::<UpdatedUserBody<'_>>(200, "The updated user.", example_user())
        .with_etag()
        .with_revocation()
        .error(
            403,
            "The caller may not do this: `right` is the missing right, if the reason is a right. With \
             `password_wrong`, `current_password` is wrong.",
        )
        .errors(&[409])
}

pub(super) fn delete_user() -> OperationDoc {
    OperationDoc::new(TAG, "Delete a user")
        .description(
            "All sessions of the user end at once; the user name and e-mail address become available \
             again. Audit events keep the user's name.",
        )
        .requires_if_match()
        .no_content("The user was deleted.")
        .with_revocation()
        .errors(&[409])
}

pub(super) fn set_user_password() -> OperationDoc {
    OperationDoc::new(TAG, "Set a user's password")
        .description("All sessions of the user end at once, including permanent tokens, and failed logins are reset.")
        .description(
            "API keys work without a password: the response and the audit event list them, and `keys` \
             revokes them.",
        )
        .description("With `password_change_required` the user must change this password at the next login.")
        .description("To set your own password, use `PUT /sessions/current/password`.")
        .request_body::<SetUserPassword>(json!({ "password": "correct horse battery" }))
        .response::<ChangedPassword<'_>>(200, "The password was set.", passwords::example_changed_password())
        .with_revocation()
        .errors(&[409])
}

pub(super) fn invite_user() -> OperationDoc {
    OperationDoc::new(TAG, "Invite a user to choose a password")
        .description(
            "The user chooses the password with the token at `path`, once, within 24 hours. A new invitation \
             replaces the previous one. Accepting it activates a pending user.",
        )
        .description(
            "The invitation is void once the password is set in another way, the user is suspended or deleted, the \
             user's roles change, or the rights of one of these roles do. \
             Requires every right of the user, as setting the password does.",
        )
        .description(
            "With `deliver` as `mail`, a link with the token is mailed to the user's e-mail address, at most once a \
             minute; within it, no other invitation is created. The response has no token. Accepting such an \
             invitation also verifies the address.",
        )
        .request_body::<InviteUser>(json!({ "deliver": "show" }))
        .optional_body()
        .response::<InvitationBody<'_>>(
            201,
            "The invitation.",
            json!({
                "token": "3sDLSOmkIlZ1cJbyQ7dRyZ2pgAyyvYtEHLUZXr4cTnM",
                "path": "/office/invitation#3sDLSOmkIlZ1cJbyQ7dRyZ2pgAyyvYtEHLUZXr4cTnM",
                "expires_at": "2026-11-22T08:00:00.000Z",
            }),
        )
        .response::<MailedLinkBody<'_>>(202, "The invitation is mailed.", example_mailed_link())
        .errors(&[409, 429])
}

fn example_mailed_link() -> Value {
    json!({ "email": "jana@example.com", "expires_at": "2026-11-22T08:00:00.000Z" })
}

pub(super) fn request_email_verification() -> OperationDoc {
    OperationDoc::new(TAG, "Mail a link to verify a user's e-mail address")
        .description(
            "The link works once, within 24 hours, for the address to which it is mailed, and sets \
             `email_verified_at`. A new mail, at most once a minute, makes the previous link invalid.",
        )
        .description("For another user it requires every right of that user.")
        .response::<MailedLinkBody<'_>>(202, "The link is mailed.", example_mailed_link())
        .errors(&[409, 429])
}

pub(super) fn unlock_user() -> OperationDoc {
    OperationDoc::new(TAG, "Unlock a user after too many failed logins")
        .no_content("The failed logins were reset.")
        .errors(&[409])
}
