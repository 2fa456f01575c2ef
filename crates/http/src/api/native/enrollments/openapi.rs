//! OpenAPI documentation of the operations on enrollments and keys of devices.

pub(super) mod pending_keys;

use serde_json::{Value, json};

use super::request::{EnrollDevice, MachineRequest, StartEnrollment};
use super::response::{DeviceKeysBody, EnrollmentBody, IssuedDeviceCodeBody};
use crate::api::native::sessions::response::TokensBody;
use crate::api::native::sessions::{INVALID_OR_UNPROVEN, example_bound_tokens};
use crate::openapi::{OperationDoc, text_schema};

const TAG: &str = "devices";

fn example_enrollment() -> Value {
    json!({
        "state": "waiting",
        "replace": false,
        "confirm": false,
        "pending": null,
        "started_by": "0192f0c1-0000-7c4d-8e5f-60718293a4b5",
        "created_at": "2026-11-21T08:00:00.000Z",
        "expires_at": "2026-11-21T08:10:00.000Z",
        "completed_at": null,
        "thumbprint": null,
    })
}

pub(super) fn start_enrollment() -> OperationDoc {
    let mut example = example_enrollment();
    if let Some(members) = example.as_object_mut() {
        members.insert("code".to_owned(), json!("KQLZ-SGBV"));
        members.insert("qr_code".to_owned(), json!("<?xml version=\"1.0\" standalone=\"yes\"?><svg …></svg>"));
    }
    OperationDoc::new(TAG, "Start the enrollment of a device")
        .description(
            "Returns a one-time code, with which the device enrolls its key (`POST enrollments`), also as a QR code. A \
             previous code of the device is void. Nothing else changes until the code is used.",
        )
        .description(
            "You need every right that the device has as itself, because anyone who has the code gets them. The code \
             becomes void if the device's roles, environment or status change, the rights or environments of one of \
             the roles, or if the key of the device is revoked, and while you could not start it again.",
        )
        .description(
            "A device that has a current key is answered with 409 `device_enrolled` unless you send `replace`, and a \
             device that is not active with 409 `device_not_active`.",
        )
        .request_body::<StartEnrollment>(json!({ "expires_in": 600, "replace": false, "confirm": false }))
        .optional_body()
        .response::<EnrollmentBody<'_>>(201, "The enrollment with its code.", example)
        .errors(&[409])
}

pub(super) fn get_enrollment() -> OperationDoc {
    OperationDoc::new(TAG, "Get the enrollment of a device")
        .description("Returns the newest enrollment, without its code. 404 if there is none.")
        .response::<EnrollmentBody<'_>>(200, "The enrollment.", example_enrollment())
}

pub(super) fn cancel_enrollment() -> OperationDoc {
    OperationDoc::new(TAG, "Cancel the enrollment of a device")
        .description("404 if no code of the device is waiting to be used.")
        .no_content("The code is void.")
}

pub(super) fn list_device_keys() -> OperationDoc {
    let example = json!({
        "items": [{
            "thumbprint": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            "algorithm": "ES256",
            "storage": "hardware",
            "state": "current",
            "label": "Box under the counter",
            "app": "Kasa 5.1",
            "enrolled_by": "0192f0c1-0000-7c4d-8e5f-60718293a4b5",
            "enrolled_at": "2026-11-21T08:02:00.000Z",
            "ended_at": null,
            "used_at": "2026-11-21T09:12:00.000Z",
        }],
        "next": null,
    });
    OperationDoc::new(TAG, "List the keys of a device").response::<DeviceKeysBody<'_>>(200, "The keys.", example)
}

pub(super) fn revoke_device_key() -> OperationDoc {
    OperationDoc::new(TAG, "Revoke the key of a device")
        .description(
            "All sessions on the device end at once, except permanent ones. The key can never be enrolled again. 404 \
             if the key is not the current one.",
        )
        .no_content("The key was revoked.")
        .with_revocation()
}

pub(super) fn enroll_device() -> OperationDoc {
    OperationDoc::new(TAG, "Enroll a device")
        .description(
            "Registers the key of the proof in `DPoP` (RFC 9449) as the key of the device to which the code belongs, \
             and logs the device in as itself. The session is bound to the key: every refresh and every call requires a \
             proof. Make a new key for each enrollment.",
        )
        .description(
            "If the response is lost, repeat the request with the same code and a new proof of the same key: within ten \
             minutes, you get tokens of the same session.",
        )
        .description(
            "A code that is wrong, was used or has expired is answered with 403 `enrollment_unknown`; the response does \
             not tell which. A key that was enrolled before is answered with 409 `key_known`. Wrong codes are limited \
             for each network (429).",
        )
        .header_parameter("DPoP", "The proof of the key. It needs the nonce of `DPoP-Nonce`.", text_schema())
        .lenient_request_body::<MachineRequest<EnrollDevice>>(json!({
            "code": "KQLZ-SGBV",
            "storage": "hardware",
            "label": "Box under the counter",
            "app": "Kasa 5.1",
        }))
        .description(
            "If the enrollment must be confirmed, the response is 202: show `fingerprint` and poll with `device_code` \
             (`POST enrollments/poll`).",
        )
        .response::<TokensBody<'_>>(201, "The tokens and the session.", example_bound_tokens())
        .response::<IssuedDeviceCodeBody<'_>>(202, "The machine waits to be confirmed.", pending_keys::example_device_code())
        .with_location()
        .with_revocation()
        .error(400, INVALID_OR_UNPROVEN)
        .error(403, "The code is wrong, was used or has expired (`enrollment_unknown`).")
        .errors(&[409, 429])
}
