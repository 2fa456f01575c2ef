//! What the document says of the calls about sessions.

use serde_json::{Value, json};

use super::request::{ChangeOwnPassword, EndSessions, LoginBody, RefreshBody};
use crate::native::passwords::{self, ChangedPasswordBody};
use crate::native::session_response::{CallerBody, SessionBody, TokensBody};
use crate::openapi::{OperationDoc, Requirement, bool_schema, id_schema};

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

pub(super) fn log_in() -> OperationDoc {
    OperationDoc::new(TAG, "Logs in")
        .description("A user on a device, a user without one, or a device as itself. A new login on a till ends the session that was there. \
               Wrong passwords are held back by 429: those of clients that send a `previous_refresh_token` apart from all others, those from a \
               network where the user or device has logged in before apart from other networks.")
        .description("If the password must be changed first, the answer to the right one is 403 `password_change_required`, and no session is made: \
               log in again with `new_password` beside it. Any user may send `new_password`; the password is then changed with the login.")
        .lenient_request_body::<LoginBody>(json!({ "login": "cashier", "password": "open-the-shop", "device": "P01" }))
        .response::<TokensBody<'_>>(201, "The tokens, and the session.", example_tokens())
        .with_location()
        .errors(&[401, 403, 429])
}

pub(super) fn refresh_session() -> OperationDoc {
    OperationDoc::new(TAG, "Goes on with a session")
        .description(
            "Store the whole answer before you use any of it. A lost answer is asked for again with the same token; a token that has long \
             been followed by others is taken for stolen, and ends the session.",
        )
        .lenient_request_body::<RefreshBody>(json!({ "refresh_token": "AZLwwaKz…" }))
        .response::<TokensBody<'_>>(200, "The tokens from now on.", example_tokens())
        .errors(&[401])
}

pub(super) fn get_current_session() -> OperationDoc {
    OperationDoc::new(TAG, "Shows who the caller is, with the rights of now").response::<CallerBody<'_>>(
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
    OperationDoc::new(TAG, "Logs out")
        .description("The tokens count nowhere from now on.")
        .no_content("The session is over.")
}

pub(super) fn change_own_password() -> OperationDoc {
    OperationDoc::new(TAG, "Changes one's own password")
        .description("The caller's other sessions end, permanent tokens too; this one goes on. The same password again is refused. A wrong `current_password` is 401 and counts as a failed login.")
        .description("API keys need no password: the answer and the audit name them, and `keys` revokes them.")
        .request_body::<ChangeOwnPassword>(json!({ "current_password": "correct horse battery", "password": "another horse battery" }))
        .response::<ChangedPasswordBody<'_>>(200, "It is changed.", passwords::example_changed_password())
        .errors(&[429])
}

pub(super) fn list_sessions() -> OperationDoc {
    OperationDoc::new(TAG, "Lists sessions")
        .description("Whoever lacks the right `sessionDelete` sees their own.")
        .page_response::<SessionBody<'_>>(&example_session())
        .query_parameter("user", "Only those of this user.", id_schema())
        .query_parameter("device", "Only those on this device.", id_schema())
        .query_parameter("live", "Only those that live, or only those that are over.", bool_schema())
}

pub(super) fn end_sessions() -> OperationDoc {
    OperationDoc::new(TAG, "Ends all sessions of a user, all on a device, or everybody's")
        .description("Their tokens count nowhere from the next request on, in every process.")
        .requires(Requirement::RightForOthers("sessionDelete"))
        .request_body::<EndSessions>(json!({ "user": "0192f0c1-0000-7c4d-8e5f-60718293a4b5" }))
        .no_content("They are over.")
        .errors(&[404])
}

pub(super) fn get_session() -> OperationDoc {
    OperationDoc::new(TAG, "Shows a session")
        .requires(Requirement::RightForOthers("sessionDelete"))
        .response::<SessionBody<'_>>(200, "The session, also one that is over.", example_session())
}

pub(super) fn end_session() -> OperationDoc {
    OperationDoc::new(TAG, "Ends a session")
        .description("Its tokens count nowhere from the next request on, in every process.")
        .requires(Requirement::RightForOthers("sessionDelete"))
        .no_content("It is over.")
}
