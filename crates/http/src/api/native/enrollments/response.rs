//! Enrollments and keys of devices in responses of the native API.

use std::net::IpAddr;

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::Serialize;
use tillgate_auth_core::dpop::encode_base64url;
use tillgate_auth_core::{EnrollmentCode, IssuedDeviceCode};
use tillgate_domain::network::site_network;
use tillgate_domain::pending_key::POLL_INTERVAL;
use tillgate_domain::{DeviceKey, Enrollment, Instant, PendingKey, UserId};
use utoipa::ToSchema;

use crate::api::native::schemas::{DeviceKeyState, EnrollmentState, KeyStorage, PendingKeyState};
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// The width and height of a QR code, at least, in CSS pixels.
const QR_CODE_SIZE: u32 = 200;

/// The enrollment of a device.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrollment)]
pub struct EnrollmentBody<'e> {
    /// The code, which works once. It is returned only in the response that starts the enrollment.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'e str>,
    /// A QR code of its letters as an SVG image, for a device that scans it. It is as secret as the
    /// code, and returned with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_code: Option<String>,
    /// Whether the code is `waiting` to be used, has `expired`, or was used: `completed`.
    #[schema(value_type = EnrollmentState)]
    state: &'static str,
    /// Whether the enrollment replaces the current key of the device.
    replace: bool,
    /// Whether the machine that presents the code waits until somebody confirms it.
    confirm: bool,
    /// The machine that has presented the code and waits to be confirmed; null if there is none.
    pending: Option<PendingKeyBody<'e>>,
    /// Id of the user who started it; null if it was started on the server's own machine.
    #[schema(value_type = Option<uuid::Uuid>)]
    started_by: Option<UserId>,
    /// When it was started.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the code expires.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// When the code was used; null before.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Instant>,
    /// Thumbprint of the key that was enrolled with the code (RFC 7638); null before.
    thumbprint: Option<String>,
}

impl<'e> EnrollmentBody<'e> {
    /// An enrollment without its code, which is not stored.
    pub fn from_enrollment(enrollment: &Enrollment, now: Instant) -> Self {
        Self {
            code: None,
            qr_code: None,
            state: enrollment.state(now).name(),
            replace: enrollment.replaces_key,
            confirm: enrollment.confirms,
            pending: None,
            started_by: enrollment.started_by,
            created_at: enrollment.created_at,
            expires_at: enrollment.expires_at,
            completed_at: enrollment.completion.map(|completion| completion.at),
            thumbprint: enrollment.completion.map(|completion| encode_base64url(&completion.thumbprint)),
        }
    }

    /// The enrollment with the machine that waits to be confirmed.
    #[must_use]
    pub fn with_pending(self, key: Option<&'e PendingKey>, from: Option<IpAddr>, now: Instant) -> Self {
        Self { pending: key.map(|key| PendingKeyBody::from_key(key, from, now)), ..self }
    }

    /// The enrollment with its code, which has just been drawn.
    #[must_use]
    pub fn with_code(self, code: &'e EnrollmentCode) -> Self {
        Self { code: Some(code.code.expose()), qr_code: draw_qr_code(code.letters().expose()), ..self }
    }
}

/// Draws a QR code of these letters as an SVG image; `None` if they are too many for one.
fn draw_qr_code(letters: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(letters, EcLevel::M).ok()?;
    Some(code.render::<svg::Color<'_>>().min_dimensions(QR_CODE_SIZE, QR_CODE_SIZE).build())
}

/// A machine whose key waits to be accepted. The digits that it shows are not here, because a
/// person reads them from the machine.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingKey)]
pub struct PendingKeyBody<'k> {
    /// Whether somebody can decide about it: `waiting`. Otherwise, it has `expired`, or was
    /// `accepted` or `denied`.
    #[schema(value_type = PendingKeyState)]
    state: &'static str,
    /// Name of the machine, as it said.
    label: &'k str,
    /// The program and its version, as it said.
    app: &'k str,
    /// Where the machine claims to keep the private key.
    #[schema(value_type = KeyStorage)]
    storage: &'static str,
    /// Thumbprint of the key (RFC 7638).
    thumbprint: String,
    /// Network address of the machine; null if it is unknown.
    #[schema(value_type = Option<String>)]
    address: Option<IpAddr>,
    /// Whether this request comes from the same network as the machine; null if an address is
    /// unknown.
    same_network: Option<bool>,
    /// When the machine started to wait.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// Until when it waits.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl<'k> PendingKeyBody<'k> {
    /// The key, for somebody at this address.
    pub fn from_key(key: &'k PendingKey, from: Option<IpAddr>, now: Instant) -> Self {
        Self {
            state: key.status(now).name(),
            label: &key.label,
            app: &key.app,
            storage: key.storage.name(),
            thumbprint: encode_base64url(&key.thumbprint),
            address: key.address,
            same_network: key.address.zip(from).map(|(one, other)| site_network(one) == site_network(other)),
            created_at: key.created_at,
            expires_at: key.expires_at,
        }
    }
}

/// A key that waits, for the machine that has started it (RFC 8628, 3.2).
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceAuthorization)]
pub(super) struct DeviceAuthorizationBody<'k> {
    /// The code that the machine shows, and a person types.
    user_code: &'k str,
    /// The page of the back office on which a person types the code and accepts the machine.
    verification_uri: String,
    /// The same page with the code behind `#`, for a QR code.
    verification_uri_complete: String,
    /// How the machine polls.
    #[serde(flatten)]
    waiting: IssuedDeviceCodeBody<'k>,
}

/// How a machine polls for the acceptance of its key (RFC 8628, 3.2).
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedDeviceCode)]
pub(super) struct IssuedDeviceCodeBody<'k> {
    /// The code for polls, which the machine keeps secret.
    device_code: &'k str,
    /// Four digits that the machine shows, for the person who accepts it.
    fingerprint: &'k str,
    /// Seconds until the codes expire.
    expires_in: u64,
    /// Seconds between two polls.
    interval: u64,
}

impl<'k> IssuedDeviceCodeBody<'k> {
    pub(super) fn from_key(key: &'k IssuedDeviceCode) -> Self {
        Self {
            device_code: key.device_code.expose(),
            fingerprint: &key.fingerprint,
            expires_in: key.expires_in.as_secs(),
            interval: POLL_INTERVAL.as_secs(),
        }
    }
}

impl<'k> DeviceAuthorizationBody<'k> {
    /// The key, whose code is typed on this page.
    pub(super) fn new(code: &'k EnrollmentCode, waiting: &'k IssuedDeviceCode, page: &str) -> Self {
        Self {
            user_code: code.code.expose(),
            verification_uri: page.to_owned(),
            // in the fragment, which no server sees or logs
            verification_uri_complete: format!("{page}#{}", code.letters().expose()),
            waiting: IssuedDeviceCodeBody::from_key(waiting),
        }
    }
}

/// The public key of a device. A key that is no longer current stays in the list and cannot be
/// enrolled again.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceKey)]
pub struct DeviceKeyBody<'k> {
    /// Thumbprint of the key (RFC 7638), as in the claim `cnf` of tokens.
    thumbprint: String,
    /// Algorithm of its signatures: `ES256` or `EdDSA`.
    algorithm: &'k str,
    /// Where the device claims to keep the private key. It does not prove it, so the claim counts
    /// only if the setting `till.trust_hardware_claim` is on.
    #[schema(value_type = KeyStorage)]
    storage: &'static str,
    /// Whether the key is in use: `current`, `retired` by another enrollment, or `revoked`.
    #[schema(value_type = DeviceKeyState)]
    state: &'static str,
    /// A name for the machine, as it said.
    label: &'k str,
    /// The program and its version, as it said.
    app: &'k str,
    /// Id of the user who started the enrollment; null if it was started on the server's own
    /// machine.
    #[schema(value_type = Option<uuid::Uuid>)]
    enrolled_by: Option<UserId>,
    /// When the key was enrolled.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    enrolled_at: Instant,
    /// Since when the key is no longer current; null while it is.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Instant>,
    /// When the device last refreshed its session with the key, to the hour; null before its first
    /// refresh.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Instant>,
}

impl<'k> DeviceKeyBody<'k> {
    /// The key of a device.
    pub fn from_key(key: &'k DeviceKey) -> Self {
        Self {
            thumbprint: encode_base64url(&key.thumbprint),
            algorithm: &key.algorithm,
            storage: key.storage.name(),
            state: key.state.name(),
            label: &key.label,
            app: &key.app,
            enrolled_by: key.enrolled_by,
            enrolled_at: key.enrolled_at,
            ended_at: key.ended_at,
            used_at: key.used_at,
        }
    }
}

/// The keys of a device, in a single page.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceKeys)]
pub(super) struct DeviceKeysBody<'k> {
    /// The keys, newest first.
    pub(super) items: Vec<DeviceKeyBody<'k>>,
    /// Always null, because there is only one page.
    #[schema(value_type = Option<String>, required = true)]
    pub(super) next: (),
}
