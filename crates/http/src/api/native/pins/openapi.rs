//! OpenAPI documentation of the operations on PINs.

use serde_json::json;

use super::request::{DrawPin, SetOwnPin};
use super::response::PinBody;
use crate::api::native::sessions::WRONG_PASSWORD;
use crate::openapi::OperationDoc;

pub(super) fn draw_user_pin() -> OperationDoc {
    OperationDoc::new("users", "Draw a PIN for a user")
        .description(
            "The server draws six digits, which are in this response only. They replace the user's PIN, which the \
             user should then set again (`due`). Sessions of the user continue.",
        )
        .description(
            "Requires every right of the user, as setting the password does. For your own PIN the response is 409 \
             `pin_self`: send your password to `PUT sessions/current/pin` instead.",
        )
        .request_body::<DrawPin>(json!({}))
        .optional_body()
        .response::<PinBody<'_>>(201, "The PIN.", json!({ "pin": "384017", "due": true }))
        .errors(&[409])
}

pub(super) fn remove_user_pin() -> OperationDoc {
    OperationDoc::new("users", "Remove the PIN of a user")
        .description("Requires every right of the user. Sessions of the user continue.")
        .no_content("The user has no PIN.")
        .errors(&[409])
}

pub(super) fn set_own_pin() -> OperationDoc {
    OperationDoc::new("sessions", "Set your own PIN")
        .description(
            "A wrong password is answered with 403 `password_wrong` and counts as a failed login. A new PIN that may \
             not be set is answered with 422 `pin_short`, `pin_common`, `pin_same` or `pin_malformed`.",
        )
        .request_body::<SetOwnPin>(json!({ "password": "correct horse battery", "new_pin": "905817" }))
        .response::<PinBody<'_>>(
            200,
            "The PIN was set. `pin` is in the response if the server has drawn it.",
            json!({ "pin": "384017", "due": false }),
        )
        .error(403, WRONG_PASSWORD)
        .errors(&[429])
}
