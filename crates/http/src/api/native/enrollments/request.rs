//! Requests of the operations on enrollments.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tillgate_domain::enrollment::DEFAULT_ENROLLMENT_LIFETIME;
use tillgate_domain::office::{KeyAcceptance, check_enrollment_lifetime};
use tillgate_domain::{DeviceName, KeyStorage, Secret};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use validator::Validate;

use crate::api::native::schemas;
use crate::error::office::office_error_violations;
use crate::error::{ApiError, FieldViolation};
use crate::request::body;
use crate::request::field::{BodyField, LabelText, well_typed};
use crate::request::partial_body::{validate_body, validate_body_with};

/// An enrollment to start.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewEnrollment)]
pub(super) struct StartEnrollment {
    /// How long the code is valid, in seconds: 60 to 2,592,000 (30 days); 600 if omitted. A code
    /// that is valid for more than an hour has 12 letters instead of 8.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<u64>, minimum = 60, maximum = 2_592_000)]
    expires_in: BodyField<Duration>,
    /// Whether the enrollment replaces the current key of the device, which ends all sessions on
    /// it except permanent ones; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    replace: BodyField<bool>,
    /// Whether the machine that presents the code waits until somebody confirms it by the digits
    /// that it shows; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    confirm: BodyField<bool>,
}

/// What an enrollment to start contains.
pub(super) struct StartEnrollmentInput {
    pub(super) lifetime: Duration,
    pub(super) replaces_key: bool,
    pub(super) confirms: bool,
}

impl StartEnrollment {
    /// Finds a lifetime out of range, to be reported with the other violations.
    pub(super) fn find_rule_violations(&self) -> Vec<FieldViolation> {
        let lifetime = self.expires_in.as_value().copied();
        let refused = lifetime.and_then(|lifetime| check_enrollment_lifetime(lifetime).err());
        refused.iter().flat_map(office_error_violations).collect()
    }

    /// Returns the values, with the defaults of those that were not sent.
    pub(super) fn into_input(self) -> StartEnrollmentInput {
        StartEnrollmentInput {
            lifetime: self.expires_in.into_value().unwrap_or(DEFAULT_ENROLLMENT_LIFETIME),
            replaces_key: self.replace.into_value().unwrap_or(false),
            confirms: self.confirm.into_value().unwrap_or(false),
        }
    }
}

/// What every machine says of itself. The key is that of the proof in `DPoP`.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct MachineKey {
    /// Where the machine keeps the private key: `hardware` from which it cannot be copied, or
    /// `software`. It is not checked.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::KeyStorage, required = true)]
    storage: BodyField<KeyStorage>,
    /// A name for the machine, which people can recognize; empty if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: BodyField<LabelText>,
    /// The program and its version; empty if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    app: BodyField<LabelText>,
}

/// An enrollment of a device by its code. The key is that of the proof in `DPoP`.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = EnrollDevice)]
pub(super) struct EnrollDevice {
    /// The code, as it was typed: case, blanks and hyphens do not count, and neither does a digit
    /// that looks like a letter.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    code: BodyField<Secret<String>>,
}

/// A key of a machine that shows a code itself. The key is that of the proof in `DPoP`.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = StartKey)]
pub(super) struct StartKey {
    /// Short name of the tenant to which the machine wants to belong. If it is omitted, the
    /// tenant of the mount, or `default` if the mount serves several.
    #[serde(default)]
    #[validate(length(max = 63), custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 63)]
    tenant: BodyField<String>,
}

/// A request of a machine: members of its own, and those of every machine.
pub(super) struct MachineRequest<T> {
    own: T,
    machine: MachineInput,
}

impl<T: DeserializeOwned + Validate> MachineRequest<T> {
    /// Reads the two parts. Violations of both are reported together, and unknown members are
    /// ignored, as in a login.
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let machine = body::read_object::<MachineKey>(headers, body)?.validate(|_| Vec::new());
        let (machine, violations) = machine.into_parts();
        let own: T = validate_body_with(body::read_object(headers, body)?, |_| violations)?;
        let machine = MachineInput {
            storage: machine.storage.require_value()?,
            label: to_text(machine.label),
            app: to_text(machine.app),
        };
        Ok(Self { own, machine })
    }
}

impl<T: PartialSchema> PartialSchema for MachineRequest<T> {
    fn schema() -> RefOr<Schema> {
        match (T::schema(), MachineKey::schema()) {
            (RefOr::T(Schema::Object(mut own)), RefOr::T(Schema::Object(machine))) => {
                own.properties.extend(machine.properties);
                own.required.extend(machine.required);
                own.into()
            }
            (own, _) => own,
        }
    }
}

impl<T: ToSchema> ToSchema for MachineRequest<T> {
    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
        MachineKey::schemas(schemas);
    }
}

/// A poll for the acceptance of a key (RFC 8628, 3.4). The key is that of the proof in `DPoP`.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = PollKey)]
pub(super) struct PollKey {
    /// The `device_code` of the response to the start, or to the code that must be confirmed.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    device_code: BodyField<Secret<String>>,
}

/// The acceptance of a key for a device.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = AcceptKey)]
pub(super) struct AcceptKey {
    /// Name of the device whose key it becomes.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, required = true)]
    device: BodyField<DeviceName>,
    /// The digits that the machine shows.
    #[serde(default)]
    #[validate(required, length(max = 16), custom(function = "well_typed"))]
    #[schema(value_type = String, required = true, max_length = 16)]
    fingerprint: BodyField<String>,
    /// Whether the key replaces the current key of the device, which ends all sessions on it except
    /// permanent ones; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    replace: BodyField<bool>,
}

impl AcceptKey {
    /// Returns the acceptance.
    ///
    /// # Errors
    /// A required member was not validated.
    pub(super) fn into_acceptance(self) -> Result<KeyAcceptance, ApiError> {
        Ok(KeyAcceptance {
            device: self.device.require_value()?,
            fingerprint: self.fingerprint.require_value()?,
            replaces_key: self.replace.into_value().unwrap_or(false),
        })
    }
}

/// The confirmation of the machine that has presented the code of a device.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = ConfirmEnrollment)]
pub(super) struct ConfirmEnrollment {
    /// The digits that the machine shows.
    #[serde(default)]
    #[validate(required, length(max = 16), custom(function = "well_typed"))]
    #[schema(value_type = String, required = true, max_length = 16)]
    fingerprint: BodyField<String>,
}

impl ConfirmEnrollment {
    /// Returns the digits.
    ///
    /// # Errors
    /// The member was not validated.
    pub(super) fn into_fingerprint(self) -> Result<String, ApiError> {
        self.fingerprint.require_value()
    }
}

/// What a machine says of itself.
pub(super) struct MachineInput {
    pub(super) storage: KeyStorage,
    pub(super) label: String,
    pub(super) app: String,
}

/// Reads a request to let a key wait: the tenant, if it names one, and the machine.
pub(super) fn read_key(headers: &HeaderMap, body: &[u8]) -> Result<(Option<String>, MachineInput), ApiError> {
    let MachineRequest::<StartKey> { own, machine } = MachineRequest::read(headers, body)?;
    Ok((own.tenant.into_value(), machine))
}

/// Reads the code of a poll. It ignores unknown members, such as `grant_type` and `client_id`.
pub(super) fn read_poll(headers: &HeaderMap, body: &[u8]) -> Result<Secret<String>, ApiError> {
    let sent: PollKey = validate_body(body::read_object(headers, body)?)?;
    sent.device_code.require_value()
}

/// The text of an optional member.
fn to_text(field: BodyField<LabelText>) -> String {
    field.into_value().map(|LabelText(text)| text).unwrap_or_default()
}

/// Reads an enrollment: the code and the machine.
pub(super) fn read_enrollment(headers: &HeaderMap, body: &[u8]) -> Result<(Secret<String>, MachineInput), ApiError> {
    let MachineRequest::<EnrollDevice> { own, machine } = MachineRequest::read(headers, body)?;
    Ok((own.code.require_value()?, machine))
}
