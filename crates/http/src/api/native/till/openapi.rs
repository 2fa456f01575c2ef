//! OpenAPI documentation of the operations of a till.

use serde_json::{Value, json};

use super::request::SignInOperator;
use super::response::{OperatorTokensBody, OperatorsBody, TillBody};
use crate::api::native::sessions::example_bound_tokens;
use crate::openapi::OperationDoc;

const TAG: &str = "sessions";

/// What every operation requires.
const TILL_SESSION: &str = "Only in the session of a till that is logged in as itself with its key, which an \
    enrollment creates; otherwise the response is 409 `till_required`.";

fn example_operator() -> Value {
    json!({
        "id": "0192f0c1-0000-7c4d-8e5f-60718293a4b5",
        "user_name": "cashier",
        "display_name": "Cashier",
    })
}

pub(super) fn get_till() -> OperationDoc {
    OperationDoc::new(TAG, "Get the till and its operator")
        .description(TILL_SESSION)
        .response::<TillBody<'_>>(
            200,
            "The till.",
            json!({
                "device": { "id": "0192f0c1-1111-7c4d-8e5f-60718293a4b5", "name": "P01", "till_mode": true },
                "operator": {
                    "user": example_operator(),
                    "session": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
                    "since": "2026-11-21T08:00:00.000Z",
                    "by": "pin",
                },
                "server_time": "2026-11-21T09:30:00.000Z",
            }),
        )
        .errors(&[409])
}

pub(super) fn list_operators() -> OperationDoc {
    let mut operator = example_operator();
    if let Some(members) = operator.as_object_mut() {
        members.insert("proofs".to_owned(), json!(["pin"]));
    }
    OperationDoc::new(TAG, "List the users who may work on the till")
        .description("Active users who are assigned to the device. If it is not in till mode: 409 `till_mode_off`.")
        .description(TILL_SESSION)
        .response::<OperatorsBody<'_>>(200, "The users.", json!({ "items": [operator], "next": null }))
        .errors(&[409])
}

pub(super) fn sign_in_operator() -> OperationDoc {
    let mut example = example_bound_tokens();
    if let Some(members) = example.as_object_mut() {
        let more = json!({ "rights": ["ticketClose", "ticketCreate"], "replaced": null, "pin_due": false });
        members.extend(more.as_object().cloned().unwrap_or_default());
    }
    for (pointer, value) in [("/expires_in", json!(300)), ("/session/user", example_operator())] {
        if let Some(member) = example.pointer_mut(pointer) {
            *member = value;
        }
    }
    if let Some(session) = example.pointer_mut("/session").and_then(Value::as_object_mut) {
        session.insert("parent".to_owned(), json!("0192f0c1-3333-7c4d-8e5f-60718293a4b5"));
        if let Some(user) = session.get_mut("user").and_then(Value::as_object_mut) {
            user.remove("display_name");
        }
    }
    OperationDoc::new(TAG, "Sign in the operator of the till")
        .description(
            "Creates a session of the user on the till, and ends that of the operator before; the session of the \
             till continues. The new session is bound to the key of the till and ends with the till's.",
        )
        .description(
            "Whatever is wrong, the response is 403 `operator_mismatch`, and the operator before stays signed in. \
             After three wrong PINs of a user on the till, and after many of all users there, it is 429 \
             `operator_throttled`. If the device is not in till mode, it is 409 `till_mode_off`.",
        )
        .description(TILL_SESSION)
        .request_body::<SignInOperator>(json!({ "user": "0192f0c1-0000-7c4d-8e5f-60718293a4b5", "pin": "905817" }))
        .response::<OperatorTokensBody<'_>>(201, "The tokens of the operator.", example)
        .with_location()
        .with_revocation()
        .errors(&[403, 409, 429])
}

pub(super) fn sign_out_operator() -> OperationDoc {
    OperationDoc::new(TAG, "Sign out the operator of the till")
        .description(
            "Ends the operator's session; that of the till continues. Succeeds if nobody is signed in. If the device \
             is not in till mode: 409 `till_mode_off`.",
        )
        .description(TILL_SESSION)
        .no_content("Nobody is signed in.")
        .with_revocation()
        .errors(&[409])
}
