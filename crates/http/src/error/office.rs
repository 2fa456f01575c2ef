//! The errors of the back office as errors of the API, and the fields of the body that they are
//! about.

use std::borrow::Cow;

use tillgate_domain::InvalidText;
use tillgate_domain::office::{FieldName, OfficeError, UseCaseResult};
use tillgate_domain::ticket::TicketError;

use crate::error::{ApiError, FieldErrorCode, FieldViolation, ViolatedRule, ViolationMessage};

/// Merges the two error levels of a use case's result.
///
/// # Errors
/// The use case rejected the request, or the store failed.
pub fn into_api_result<T>(response: UseCaseResult<T>) -> Result<T, ApiError> {
    Ok(response??)
}

/// Converts an error to violations of body fields, with their names in the native API; empty if it
/// concerns no field.
pub(crate) fn office_error_violations(office_error: &OfficeError) -> Vec<FieldViolation> {
    let violation = |field: FieldName, code: FieldErrorCode, message: ViolationMessage| FieldViolation {
        field: field.name().into(),
        in_query: false,
        code,
        message,
    };
    let of = |field: FieldName, code: FieldErrorCode, message: ViolationMessage| vec![violation(field, code, message)];
    match office_error {
        OfficeError::AlreadyExists { field, .. } => {
            of(*field, FieldErrorCode::Taken, "is already in use; choose another".into())
        }
        OfficeError::UnknownName { field, value } => {
            of(*field, FieldErrorCode::Unknown, format!("\"{value}\" does not exist").into())
        }
        OfficeError::DeviceNotAssigned { user, device } => of(
            FieldName::Device,
            FieldErrorCode::Unknown,
            format!("the user \"{user}\" is not assigned to \"{device}\"").into(),
        ),
        OfficeError::DuplicateItem { field, value } => {
            of(*field, FieldErrorCode::Duplicate, format!("contains \"{value}\" more than once").into())
        }
        OfficeError::Required { field } => {
            of(*field, FieldErrorCode::Required, "must have at least one element".into())
        }
        OfficeError::InvalidValue { field, why } => of(*field, name_error_code(why), why.into()),
        OfficeError::NotInFuture { field } => {
            let message = ViolationMessage::with_rule("must be in the future", ViolatedRule::Future);
            of(*field, FieldErrorCode::Range, message)
        }
        OfficeError::CurrentPasswordRequired => of(
            FieldName::CurrentPassword,
            FieldErrorCode::Required,
            "is required to change your own e-mail address".into(),
        ),
        OfficeError::OutOfRange(spans) => {
            spans.iter().map(|span| violation(span.field, FieldErrorCode::Range, span.into())).collect()
        }
        OfficeError::Several(all) => {
            let one = |each: &OfficeError| match each {
                OfficeError::InvalidStatusTransition { from, to } => of(
                    FieldName::Status,
                    FieldErrorCode::Transition,
                    format!("cannot change from {from} to {to}").into(),
                ),
                other => office_error_violations(other),
            };
            let mut violations: Vec<FieldViolation> = all.iter().flat_map(one).collect();
            violations.sort();
            violations
        }
        OfficeError::Batch(all) => all.iter().flat_map(|(index, error)| item_violations(*index, error)).collect(),
        OfficeError::Ticket(why) => ticket_error_violations(why.as_slice()),
        // a status that cannot follow is a conflict if it is the only error, and a violation of its
        // field among others
        _ => Vec::new(),
    }
}

/// Converts errors of tickets to violations of body fields; those that concern no field have none.
pub(crate) fn ticket_error_violations(errors: &[TicketError]) -> Vec<FieldViolation> {
    let violation = |why: &TicketError| {
        let (field, code) = ticket_violation_field(why)?;
        Some(FieldViolation { field, in_query: false, code, message: why.to_string().into() })
    };
    let mut violations: Vec<FieldViolation> = errors.iter().filter_map(violation).collect();
    violations.sort();
    violations
}

/// Converts the error of one of several changes in a request to violations, whose fields begin with
/// the place of the change.
fn item_violations(index: usize, error: &OfficeError) -> Vec<FieldViolation> {
    let mut violations = office_error_violations(error);
    if violations.is_empty() {
        let (field, code) = match error {
            OfficeError::NotFound { field, .. } => (field.name(), FieldErrorCode::Unknown),
            OfficeError::VersionMismatch { .. } => ("version", FieldErrorCode::Unexpected),
            _ => ("", FieldErrorCode::Unexpected),
        };
        violations.push(FieldViolation {
            field: field.into(),
            in_query: false,
            code,
            message: error.to_string().into(),
        });
    }
    for violation in &mut violations {
        let field = violation.field.as_ref();
        violation.field = if field.is_empty() { index.to_string() } else { format!("{index}/{field}") }.into();
    }
    violations
}

/// The field that a ticket error concerns, and the code of the violation.
fn ticket_violation_field(why: &TicketError) -> Option<(Cow<'static, str>, FieldErrorCode)> {
    let (field, code) = match why {
        TicketError::Unpayable { payment: Some(payment), .. } => {
            return Some((format!("payments/{payment}/amount").into(), FieldErrorCode::Range));
        }
        TicketError::TooLarge | TicketError::TooMany { .. } => ("items", FieldErrorCode::Range),
        TicketError::DuplicateItem(_) => ("items", FieldErrorCode::Taken),
        TicketError::RoundingTooLarge { .. } | TicketError::Unpayable { payment: None, .. } => {
            ("rounding", FieldErrorCode::Range)
        }
        TicketError::InvalidPayment { .. } => ("payments", FieldErrorCode::Range),
        TicketError::EmptyRefund => ("items", FieldErrorCode::Required),
        TicketError::UnknownItem(_) => ("items", FieldErrorCode::Unknown),
        _ => return None,
    };
    Some((field.into(), code))
}

/// The code of an invalid name.
pub(crate) const fn name_error_code(why: &InvalidText) -> FieldErrorCode {
    match why {
        InvalidText::Empty => FieldErrorCode::Required,
        InvalidText::TooLong(_) | InvalidText::TooDeep(_) => FieldErrorCode::Length,
        InvalidText::ControlCharacter
        | InvalidText::DisallowedCharacter(_)
        | InvalidText::MixedDirection
        | InvalidText::AtSign
        | InvalidText::Email
        | InvalidText::Slug => FieldErrorCode::Format,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tillgate_domain::office::RangeViolation;
    use tillgate_domain::{DenialKind, DeviceName, KnownRight, MissingRight, RoleName, Subject, UserName};

    use super::*;

    /// Errors of every kind, and those of fields; their status, and the code of their violation.
    fn office_errors() -> Vec<(OfficeError, u16, Option<FieldErrorCode>)> {
        let (field, value) = (FieldName::Roles, String::from("x"));
        let missing = MissingRight::from(KnownRight::UserCreate);
        let span = RangeViolation { field, min: Duration::ZERO, max: Duration::ZERO, configured: false };
        vec![
            (OfficeError::AlreadyExists { field, value: value.clone() }, 409, Some(FieldErrorCode::Taken)),
            (OfficeError::NotFound { field, value: value.clone() }, 404, None),
            (OfficeError::UnknownName { field, value }, 422, Some(FieldErrorCode::Unknown)),
            (OfficeError::InvalidValue { field, why: InvalidText::Empty }, 422, Some(FieldErrorCode::Required)),
            (OfficeError::InvalidValue { field, why: InvalidText::TooLong(3) }, 422, Some(FieldErrorCode::Length)),
            (OfficeError::InvalidValue { field, why: InvalidText::AtSign }, 422, Some(FieldErrorCode::Format)),
            (OfficeError::NotInFuture { field }, 422, Some(FieldErrorCode::Range)),
            (OfficeError::DuplicateItem { field, value: "P01".into() }, 422, Some(FieldErrorCode::Duplicate)),
            (OfficeError::Required { field }, 422, Some(FieldErrorCode::Required)),
            (OfficeError::OutOfRange(vec![span]), 422, Some(FieldErrorCode::Range)),
            (
                OfficeError::InUse { role: RoleName::parse("guest").unwrap(), by: vec!["user anna".into()], total: 1 },
                409,
                None,
            ),
            (OfficeError::BuiltInRole(RoleName::parse("admin").unwrap()), 409, None),
            (OfficeError::LastStore { name: "Main".into() }, 409, None),
            (OfficeError::StoreInUse { devices: 1 }, 409, None),
            (OfficeError::SecretOverlap, 409, None),
            (OfficeError::ApiKeyEnded, 409, None),
            (OfficeError::LimitReached { field, most: 1 }, 409, None),
            (OfficeError::VersionMismatch { subject: Subject::Server, current: 2 }, 412, None),
            (OfficeError::LastAdmin, 409, None),
            (OfficeError::VirtualUser(UserName::parse("kiosk").unwrap()), 409, None),
            (OfficeError::UserSuspended(UserName::parse("anna").unwrap()), 409, None),
            (OfficeError::EmailMissing(UserName::parse("anna").unwrap()), 409, None),
            (OfficeError::EmailAlreadyVerified(UserName::parse("anna").unwrap()), 409, None),
            (OfficeError::MailedRecently { retry_after: std::time::Duration::from_mins(1) }, 429, None),
            (
                OfficeError::DeviceNotActive {
                    name: DeviceName::parse("P01").unwrap(),
                    status: tillgate_domain::DeviceStatus::Locked,
                },
                409,
                None,
            ),
            (OfficeError::DeviceEnrolled(DeviceName::parse("P01").unwrap()), 409, None),
            (OfficeError::FingerprintMismatch, 409, None),
            (OfficeError::TooManyFingerprints, 409, None),
            (OfficeError::MachineCodesOff, 409, None),
            (OfficeError::OwnPassword, 403, None),
            (OfficeError::OwnPin, 409, None),
            (OfficeError::ProofTooOld { max_age: std::time::Duration::from_mins(5) }, 403, None),
            (
                OfficeError::Several(vec![OfficeError::LastAdmin, OfficeError::Required { field }]),
                422,
                Some(FieldErrorCode::Required),
            ),
            (OfficeError::Ticket(TicketError::Closed), 409, None),
            (OfficeError::Ticket(TicketError::SaleDeviceRequired), 403, None),
            (OfficeError::Ticket(TicketError::Inconsistent("x")), 500, None),
            (OfficeError::IdempotencyKeyReused, 422, None),
            (OfficeError::RankTooHigh(tillgate_domain::Rank::Admin), 403, None),
            (OfficeError::RightMissing(missing), 403, None),
        ]
    }

    #[test]
    fn each_office_error_has_status_and_field() {
        for (office_error, expected, code) in office_errors() {
            assert_eq!(ApiError::Office(office_error.clone()).status(), expected, "{office_error}");
            let violations = office_error_violations(&office_error);
            assert_eq!(
                violations.iter().map(|violation| violation.code).collect::<Vec<_>>(),
                Vec::from_iter(code),
                "{office_error}"
            );
            assert!(
                violations.iter().all(|violation| violation.field == "roles" && !violation.in_query),
                "{office_error}"
            );
        }
    }

    #[test]
    fn impossible_status_is_a_conflict_alone_and_a_fault_of_its_member_among_others() {
        let office_error = OfficeError::InvalidStatusTransition { from: "active", to: "pending" };
        assert_eq!((office_error.kind(), office_error_violations(&office_error)), (DenialKind::Conflict, Vec::new()));
        let several = OfficeError::Several(vec![OfficeError::Required { field: FieldName::Roles }, office_error]);
        let violations = office_error_violations(&several);
        assert_eq!((several.kind(), violations.len()), (DenialKind::InvalidFields, 2));
        assert_eq!((&*violations[1].field, violations[1].code), ("status", FieldErrorCode::Transition));
    }

    #[test]
    fn own_email_without_password_names_the_missing_member() {
        let violations = office_error_violations(&OfficeError::CurrentPasswordRequired);
        assert_eq!((OfficeError::CurrentPasswordRequired.kind(), violations.len()), (DenialKind::Invalid, 1));
        assert_eq!((&*violations[0].field, violations[0].code), ("current_password", FieldErrorCode::Required));
    }

    #[test]
    fn device_of_others_is_not_reported_as_missing() {
        let office_error = OfficeError::DeviceNotAssigned {
            user: UserName::parse("anna").unwrap(),
            device: DeviceName::parse("P01").unwrap(),
        };
        assert_eq!(ApiError::Office(office_error.clone()).status(), 422);
        let violations = office_error_violations(&office_error);
        assert_eq!((violations.len(), &*violations[0].field), (1, "device"));
        assert_eq!(violations[0].message, "the user \"anna\" is not assigned to \"P01\"".into());
    }

    #[test]
    fn missing_right_becomes_denial() {
        let missing = MissingRight::from(KnownRight::UserCreate);
        let failure = into_api_result::<()>(Ok(Err(OfficeError::RightMissing(missing.clone())))).unwrap_err();
        assert_eq!(failure, ApiError::Denied(tillgate_auth_core::AuthDenied::RightMissing(missing)));
        let store = into_api_result::<()>(Err(tillgate_domain::StoreError::Unavailable("full".into()))).unwrap_err();
        assert_eq!(store, ApiError::unavailable("full"));
    }
}
