//! OpenAPI documentation of the operations on keys of machines that wait to be accepted.

use serde_json::{Value, json};

use super::super::request::{AcceptKey, ConfirmEnrollment, MachineRequest, PollKey, StartKey};
use super::super::response::{DeviceAuthorizationBody, EnrollmentBody, PendingKeyBody};
use super::{TAG, example_enrollment};
use crate::api::native::sessions::example_bound_tokens;
use crate::api::native::sessions::response::TokensBody;
use crate::openapi::{OperationDoc, text_schema};

const PROOF_PARAMETER: &str = "The proof of the key. It needs the nonce of `DPoP-Nonce`.";

const UNKNOWN_CODES: &str =
    "Unknown codes are limited for each caller, and for each network of a tenant (429), and recorded in the audit log.";

pub(super) fn example_device_code() -> Value {
    json!({
        "device_code": "x1Zr3vN9Qm0e4bT7aKcPuF2sWdJyHgLk5oXiRtEnVq8",
        "fingerprint": "4712",
        "expires_in": 600,
        "interval": 5,
    })
}

fn example_pending_key() -> Value {
    json!({
        "state": "waiting",
        "label": "Box under the counter",
        "app": "Kasa 5.1",
        "storage": "hardware",
        "thumbprint": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        "address": "192.0.2.7",
        "same_network": true,
        "created_at": "2026-11-21T08:00:00.000Z",
        "expires_at": "2026-11-21T08:10:00.000Z",
    })
}

pub(in crate::api::native::enrollments) fn start_key() -> OperationDoc {
    let mut example = example_device_code();
    if let Some(members) = example.as_object_mut() {
        members.insert("user_code".to_owned(), json!("KQLZ-SGBV"));
        members.insert("verification_uri".to_owned(), json!("https://pos.example/office/enroll"));
        let complete = json!("https://pos.example/office/enroll#KQLZSGBV");
        members.insert("verification_uri_complete".to_owned(), complete);
    }
    OperationDoc::new(TAG, "Start to wait for the acceptance of a key")
        .description(
            "A machine on which no code can be typed starts here (RFC 8628). Show `user_code`, `fingerprint` and, if \
             you can, `verification_uri_complete` as a QR code, and poll (`POST enrollments/poll`). Somebody accepts \
             the key for a device on the page `verification_uri` (`POST enrollments/{user_code}/accept`).",
        )
        .description(
            "The machine belongs to a tenant from its start, and only there can it be accepted. If the tenant does not \
             exist, or accepts no machines that show a code (`machine_codes`), the response is 400 `access_denied`. \
             Starts are limited for each network and tenant (429), and so is the number of machines that wait (503).",
        )
        .header_parameter("DPoP", PROOF_PARAMETER, text_schema())
        .lenient_request_body::<MachineRequest<StartKey>>(json!({
            "storage": "hardware",
            "label": "Box under the counter",
            "app": "Kasa 5.1",
        }))
        .response::<DeviceAuthorizationBody<'_>>(200, "What the machine shows, and how it polls.", example)
        .error(
            400,
            "The request cannot be read, the proof in `DPoP` is missing, invalid or has an old nonce (`proof_missing`, \
             `proof_invalid`, `use_dpop_nonce`), or no machine can start here (`access_denied`).",
        )
        .errors(&[429])
}

pub(in crate::api::native::enrollments) fn poll_key() -> OperationDoc {
    OperationDoc::new(TAG, "Poll for the acceptance of a key")
        .description(
            "Send a new proof of the same key with each poll, every `interval` seconds. Until somebody accepts the key, \
             the response is 400 `authorization_pending`, or `slow_down` if you poll more often, which does not change \
             the interval. `access_denied` and `expired_token` are final: start again.",
        )
        .description(
            "If the response with the tokens is lost, poll again: within ten minutes, you get tokens of the same session.",
        )
        .header_parameter("DPoP", PROOF_PARAMETER, text_schema())
        .lenient_request_body::<PollKey>(json!({ "device_code": "x1Zr3vN9Qm0e4bT7aKcPuF2sWdJyHgLk5oXiRtEnVq8" }))
        .response::<TokensBody<'_>>(200, "The tokens and the session.", example_bound_tokens())
        .with_location()
        .with_revocation()
        .error(
            400,
            "There are no tokens yet, or never (`authorization_pending`, `slow_down`, `access_denied`, \
             `expired_token`). Otherwise the request cannot be read, or the proof in `DPoP` is missing, invalid or has \
             an old nonce (`proof_missing`, `proof_invalid`, `use_dpop_nonce`).",
        )
        .errors(&[409])
}

pub(in crate::api::native::enrollments) fn get_key() -> OperationDoc {
    OperationDoc::new(TAG, "Get a pending key")
        .description(
            "Returns the machine that shows this code, also for a while after somebody has decided about it or it \
             has expired. 404 if your tenant has no machine with this code, and 409 `machine_codes_off` if it \
             accepts none.",
        )
        .description(UNKNOWN_CODES)
        .response::<PendingKeyBody<'_>>(200, "The machine.", example_pending_key())
        .errors(&[409, 429])
}

pub(in crate::api::native::enrollments) fn accept_key() -> OperationDoc {
    OperationDoc::new(TAG, "Accept a pending key")
        .description(
            "The machine that shows this code is enrolled as the device when it polls next. A previous code of the \
             device is void. You need every right that the device has as itself.",
        )
        .description(
            "Digits that the machine does not show are answered with 409 `fingerprint_mismatch`, and the fifth time \
             with 409 `too_many_fingerprints`: the machine is denied then. A device that has a current key is answered \
             with 409 `device_enrolled` unless you send `replace`, and a device that is not active with 409 \
             `device_not_active`.",
        )
        .description(UNKNOWN_CODES)
        .request_body::<AcceptKey>(json!({ "device": "P01", "fingerprint": "4712", "replace": false }))
        .response::<EnrollmentBody<'_>>(200, "The enrollment.", example_enrollment())
        .errors(&[409, 429])
}

pub(in crate::api::native::enrollments) fn deny_key() -> OperationDoc {
    OperationDoc::new(TAG, "Deny a pending key")
        .description(
            "The machine that shows this code learns it with its next poll. If it has presented the code of an \
             enrollment, that code is void. 404 if no machine waits under the code.",
        )
        .description(UNKNOWN_CODES)
        .errors(&[409, 429])
        .no_content("The key was denied.")
}

pub(in crate::api::native::enrollments) fn confirm_enrollment() -> OperationDoc {
    OperationDoc::new(TAG, "Confirm the machine of an enrollment")
        .description(
            "The machine that has presented the code is enrolled when it polls next. 404 if none waits, or if the \
             code has expired. Digits that the machine does not show are answered with 409 `fingerprint_mismatch`, and \
             the fifth time with 409 `too_many_fingerprints`: the machine is denied then, and the code is void.",
        )
        .request_body::<ConfirmEnrollment>(json!({ "fingerprint": "4712" }))
        .response::<EnrollmentBody<'_>>(200, "The enrollment.", example_enrollment())
        .errors(&[409])
}
