//! OpenAPI documentation of the session operations.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::request::{ChangeOwnPassword, EndSessions, LoginBody, RefreshBody, StepUpBody};
use crate::api::native::passwords::{self, ChangedPasswordBody};
use crate::api::native::schemas::SessionKind;
use crate::api::native::sessions::response::{CallerBody, SessionBody, TokensBody};
use crate::openapi::{OperationDoc, bool_schema, id_schema, order_schema, text_schema};

const TAG: &str = "sessions";

fn example_session() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "user": { "id": "0192f0c1-0000-7c4d-8e5f-60718293a4b5", "user_name": "cashier" },
        "device": { "id": "0192f0c1-1111-7c4d-8e5f-60718293a4b5", "name": "P01" },
        "mount": "native",
        "created_at": "2026-11-21T08:00:00.000Z",
        "last_used_at": "2026-11-21T09:30:00.000Z",
        "expires_at": "2026-12-21T08:00:00.000Z",
        "ended_at": null,
        "ended_why": null,
    })
}

/// A session as the list shows it.
fn example_listed_session() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "user": {
            "id": "0192f0c1-0000-7c4d-8e5f-60718293a4b5",
            "user_name": "cashier",
            "display_name": "Cashier",
        },
        "device": { "id": "0192f0c1-1111-7c4d-8e5f-60718293a4b5", "name": "P01" },
        "mount": "native",
        "kind": "person",
        "methods": ["pwd"],
        "proved_at": "2026-11-21T08:00:00.000Z",
        "address": "192.0.2.7",
        "created_at": "2026-11-21T08:00:00.000Z",
        "last_used_at": "2026-11-21T09:30:00.000Z",
        "expires_at": "2026-12-21T08:00:00.000Z",
        "ended_at": null,
        "ended_why": null,
    })
}

fn example_tokens() -> Value {
    json!({
        "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.…",
        "token_type": "Bearer",
        "expires_in": 900,
        "expires_at": "2026-11-21T08:15:00.000Z",
        "refresh_token": "AZLwwaKz…",
        "refresh_expires_at": "2026-12-21T08:00:00.000Z",
        "session": example_session(),
    })
}

const PROOF_PARAMETER: &str =
    "A proof of the client's key (RFC 9449): a JWT signed with ES256 or EdDSA, with the `nonce` of `DPoP-Nonce`.";

/// The 400 of a call without an access token that may have a proof, or must have one.
pub(in crate::api::native) const INVALID_OR_UNPROVEN: &str = "The request cannot be read, or the proof in `DPoP` is missing, invalid or has an old nonce (`proof_missing`, \
     `proof_invalid`, `use_dpop_nonce`). No token is affected.";

/// The 403 of a call that confirms the caller's password.
pub(in crate::api::native) const WRONG_PASSWORD: &str =
    "The password is wrong (`password_wrong`). The session and its tokens stay valid: prompt for the password again.";

/// The tokens of a device that logged in as itself, bound to its key.
pub(in crate::api::native) fn example_bound_tokens() -> Value {
    let mut example = example_tokens();
    if let Some(members) = example.as_object_mut() {
        members.insert("token_type".to_owned(), json!("DPoP"));
    }
    if let Some(session) = example.pointer_mut("/session/user") {
        *session = Value::Null;
    }
    example
}

pub(super) fn log_in() -> OperationDoc {
    OperationDoc::new(TAG, "Log in")
        .description(
            "Logs in a user on a device, a user without a device, or a device as itself. A new login \
             on a till ends the previous session there. Failed logins are limited (429). Logins with a \
             `previous_refresh_token` are counted separately, and so are logins from networks in which the user \
             or device has logged in before.",
        )
        .description(
            "If the password must be changed first, the response to the correct password is 403 \
             `password_change_required`, and no session is created: log in again with `new_password` in \
             addition. Any user may send `new_password`; it replaces the password during the login.",
        )
        .description(
            "With a proof in `DPoP`, the session is bound to the client's key: its tokens can be used with proofs \
             of this key only. Without a current nonce, the response is 400 `use_dpop_nonce`; repeat the login with \
             the nonce in `DPoP-Nonce`.",
        )
        .header_parameter("DPoP", PROOF_PARAMETER, text_schema())
        .lenient_request_body::<LoginBody>(json!({ "login": "cashier", "password": "open-the-shop", "device": "P01" }))
        .response::<TokensBody<'_>>(201, "The tokens and the session.", example_tokens())
        .with_location()
        .error(400, INVALID_OR_UNPROVEN)
        .error(
            401,
            "The name, the password or the device is wrong, or the user has no role there; which of them, the response \
             does not tell. No token is affected: prompt again.",
        )
        .error(403, "The password is correct, but must be changed first (`password_change_required`).")
        .errors(&[429])
}

pub(super) fn refresh_session() -> OperationDoc {
    OperationDoc::new(TAG, "Refresh a session")
        .description(
            "Store the complete response before you use any part of it. If a response is lost, send the same \
             token again. Presenting a token whose successors have been used means that it was copied, and ends \
             the session.",
        )
        .description(
            "A session that is bound to a key requires a proof of it in `DPoP`. A 400 with `proof_missing`, \
             `proof_invalid` or `use_dpop_nonce` does not end the session: keep the tokens and repeat the refresh \
             with a valid proof.",
        )
        .header_parameter("DPoP", PROOF_PARAMETER, text_schema())
        .lenient_request_body::<RefreshBody>(json!({ "refresh_token": "AZLwwaKz…" }))
        .response::<TokensBody<'_>>(200, "The new tokens.", example_tokens())
        .error(400, INVALID_OR_UNPROVEN)
        .error(
            401,
            "The session has ended for good, or the refresh token is of none: discard both tokens and log in again.",
        )
}

pub(super) fn get_current_session() -> OperationDoc {
    OperationDoc::new(TAG, "Get the caller with its current rights").response::<CallerBody<'_>>(
        200,
        "The caller.",
        json!({
            "session": example_session(),
            "user": { "id": "0192f0c1-0000-7c4d-8e5f-60718293a4b5", "user_name": "cashier", "display_name": "Cashier", "email": null },
            "device": {
                "id": "0192f0c1-1111-7c4d-8e5f-60718293a4b5",
                "name": "P01",
                "environment": "CashRegister",
                "settings": { "MaxQuantity": "200" },
            },
            "rights": ["ticketClose", "ticketCreate"],
        }),
    )
}

pub(super) fn log_out() -> OperationDoc {
    OperationDoc::new(TAG, "Log out")
        .description("The tokens are invalid from now on.")
        .no_content("The session ended.")
        .with_revocation()
}

pub(super) fn change_own_password() -> OperationDoc {
    OperationDoc::new(TAG, "Change your own password")
        .description(
            "All other sessions of the caller end, including permanent tokens; this session continues. The PIN is removed. \
             The new password must differ from the current one. A wrong `current_password` is answered with 403 \
             `password_wrong` and counts as a failed login.",
        )
        .description(
            "API keys work without a password: the response and the audit event list them, and `keys` \
             revokes them.",
        )
        .request_body::<ChangeOwnPassword>(
            json!({ "current_password": "correct horse battery", "password": "another horse battery" }),
        )
        .response::<ChangedPasswordBody<'_>>(200, "The password was changed.", passwords::example_changed_password())
        .with_revocation()
        .error(403, WRONG_PASSWORD)
        .errors(&[429])
}

pub(super) fn step_up() -> OperationDoc {
    OperationDoc::new(TAG, "Confirm your password for acts that require a recent proof")
        .description(
            "The session keeps its id, and its tokens are replaced: store the complete response, as after a \
             refresh. In the browser, acts that give or take access are answered with 403, `proof_too_old` \
             and `max_age` if the last proof is older than that; in this API no act requires it. A wrong \
             password is answered with 403 `password_wrong` and counts as a failed login.",
        )
        .request_body::<StepUpBody>(json!({ "password": "correct horse battery" }))
        .response::<TokensBody<'_>>(200, "The new tokens.", example_tokens())
        .error(403, WRONG_PASSWORD)
        .errors(&[429])
}

pub(super) fn list_sessions() -> OperationDoc {
    OperationDoc::new(TAG, "List sessions")
        .description(
            "Without the right `sessionRead` or `sessionDelete` you see only your own sessions. If the list is \
             sorted by `-last_used_at`, a session that is used between two pages may appear again.",
        )
        .page_response::<SessionBody<'_>>(&example_listed_session())
        .query_parameter("user", "Only sessions of this user.", id_schema())
        .query_parameter("device", "Only sessions on this device.", id_schema())
        .query_parameter("store", "Only sessions on devices of this store.", id_schema())
        .query_parameter("mount", "Only sessions that were created through this dialect.", text_schema())
        .query_parameter("kind", "Only sessions of this kind.", SessionKind::schema())
        .query_parameter(
            "search",
            "Text in the name or display name of the user, or in the name of the device.",
            text_schema(),
        )
        .query_parameter(
            "sort",
            "Order of the list; the default is newest first.",
            order_schema(["-created_at", "created_at", "-last_used_at"]),
        )
        .query_parameter("live", "Only live sessions if true, only ended or expired sessions if false.", bool_schema())
}

pub(super) fn end_sessions() -> OperationDoc {
    OperationDoc::new(TAG, "End all sessions of a user, of a device or of the tenant")
        .description("Their tokens are invalid from the next request on, in every process.")
        .request_body::<EndSessions>(json!({ "user": "0192f0c1-0000-7c4d-8e5f-60718293a4b5" }))
        .no_content("The sessions ended.")
        .with_revocation()
        .errors(&[404])
}

pub(super) fn get_session() -> OperationDoc {
    OperationDoc::new(TAG, "Get a session")
        .description("The right `sessionDelete` is enough, too.")
        .response::<SessionBody<'_>>(200, "The session, which may have ended.", example_listed_session())
}

pub(super) fn end_session() -> OperationDoc {
    OperationDoc::new(TAG, "End a session")
        .description("Its tokens are invalid from the next request on, in every process.")
        .no_content("The session ended.")
        .with_revocation()
}
