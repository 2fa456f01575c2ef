//! What the document says of the calls about sessions.

use serde_json::{Value, json};

use super::sent::{Credentials, EndSessions, OwnPassword, Renewal};
use crate::native::passwords::{self, Changed};
use crate::native::shapes::{Current, Session, Tokens};
use crate::openapi::{Asks, Entry, id_schema, truth_schema};

const TAG: &str = "sessions";

fn session() -> Value {
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

fn tokens() -> Value {
    json!({
        "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.…",
        "token_type": "Bearer",
        "expires_in": 900,
        "expires_at": "2026-11-21T08:15:00.000Z",
        "refresh_token": "AZLwwaKz…",
        "refresh_expires_at": "2026-12-21T08:00:00.000Z",
        "session": session(),
    })
}

pub(super) fn log_in() -> Entry {
    Entry::of(TAG, "Logs in")
        .more("A user on a device, a user without one, or a device as itself. A new login on a till ends the session that was there. \
               Wrong passwords are held back by 429: those of clients that send a `previous_refresh_token` apart from all others, those from a \
               network where the user or device has logged in before apart from other networks.")
        .more("If the password must be changed first, the answer to the right one is 403 `password_change_required`, and no session is made: \
               log in again with `new_password` beside it. Any user may send `new_password`; the password is then changed with the login.")
        .takes_of::<Credentials>(json!({ "login": "cashier", "password": "open-the-shop", "device": "P01" }))
        .answers::<Tokens<'_>>(201, "The tokens, and the session.", tokens())
        .with_location()
        .refuses(&[401, 403, 429])
}

pub(super) fn refresh() -> Entry {
    Entry::of(TAG, "Goes on with a session")
        .more(
            "Store the whole answer before you use any of it. A lost answer is asked for again with the same token; a token that has long \
             been followed by others is taken for stolen, and ends the session.",
        )
        .takes_of::<Renewal>(json!({ "refresh_token": "AZLwwaKz…" }))
        .answers::<Tokens<'_>>(200, "The tokens from now on.", tokens())
        .refuses(&[401])
}

pub(super) fn current() -> Entry {
    Entry::of(TAG, "Shows who the caller is, with the rights of now").answers::<Current<'_>>(
        200,
        "The caller.",
        json!({
            "session": session(),
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

pub(super) fn log_out() -> Entry {
    Entry::of(TAG, "Logs out").more("The tokens count nowhere from now on.").done("The session is over.")
}

pub(super) fn change_password() -> Entry {
    Entry::of(TAG, "Changes one's own password")
        .more("The caller's other sessions end, permanent tokens too; this one goes on. The same password again is refused. A wrong `current_password` is 401 and counts as a failed login.")
        .more("API keys need no password: the answer and the audit name them, and `keys` revokes them.")
        .takes::<OwnPassword>(json!({ "current_password": "correct horse battery", "password": "another horse battery" }))
        .answers::<Changed<'_>>(200, "It is changed.", passwords::example())
        .refuses(&[429])
}

pub(super) fn list() -> Entry {
    Entry::of(TAG, "Lists sessions")
        .more("Whoever lacks the right `sessionDelete` sees their own.")
        .lists::<Session<'_>>(&session())
        .query("user", "Only those of this user.", id_schema())
        .query("device", "Only those on this device.", id_schema())
        .query("live", "Only those that live, or only those that are over.", truth_schema())
}

pub(super) fn end_all() -> Entry {
    Entry::of(TAG, "Ends all sessions of a user, all on a device, or everybody's")
        .more("Their tokens count nowhere from the next request on, in every process.")
        .asks(Asks::RightToOthers("sessionDelete"))
        .takes::<EndSessions>(json!({ "user": "0192f0c1-0000-7c4d-8e5f-60718293a4b5" }))
        .done("They are over.")
        .refuses(&[404])
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows a session").asks(Asks::RightToOthers("sessionDelete")).answers::<Session<'_>>(
        200,
        "The session, also one that is over.",
        session(),
    )
}

pub(super) fn end() -> Entry {
    Entry::of(TAG, "Ends a session")
        .more("Its tokens count nowhere from the next request on, in every process.")
        .asks(Asks::RightToOthers("sessionDelete"))
        .done("It is over.")
}
