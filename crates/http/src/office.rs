//! The way from a handler to the back office: its store beside the engine, and the status of what it refuses.
//!
//! A handler reads a request, runs one use case of `domain::office` in [`Call::office`](crate::Call::office) and words what
//! comes back. Nothing here decides who may do what.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use tillgate_auth_core::{Auth, Caller, Error};
use tillgate_domain::office::{self, AuditContext, FieldName, NamedFields, OfficeError, OfficePorts, UseCaseResult};
use tillgate_domain::ticket::TicketError;
use tillgate_domain::{KnownRight, Store, TenantId};

use crate::error::{ApiError, FieldViolation};
use crate::field::name_error_code;

/// The back office as the closure of a handler sees it, on a thread that may wait.
#[derive(Clone, Copy)]
pub struct Office<'o> {
    /// What its use cases run on.
    pub store: &'o dyn Store<OfficePorts>,
    /// The engine, for hashing passwords and drawing ids.
    pub auth: &'o Auth,
}

impl fmt::Debug for Office<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

impl Office<'_> {
    /// The stamp of one use case that this caller asks for.
    ///
    /// # Errors
    /// No id can be drawn.
    pub fn audit_context(&self, caller: &Caller) -> Result<AuditContext, Error> {
        self.auth.caller_context(caller)
    }

    /// The words that a new password may not be made of: `own`, and those of the tenant if there is a password to compare.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) fn context_words(
        &self,
        tenant: TenantId,
        has_password: bool,
        mut own: Vec<String>,
    ) -> Result<Vec<String>, ApiError> {
        if has_password {
            own.extend(office::list_context_words(self.store, tenant, None)?);
        }
        Ok(own)
    }

    /// What the store holds against the names in a body that is refused anyway, so that all faults are reported at once. Nothing
    /// for a caller without the right that the request requires.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) fn refused_names(
        &self,
        caller: &Caller,
        right: KnownRight,
        fields: &NamedFields<'_>,
    ) -> Result<Vec<FieldViolation>, ApiError> {
        let tenant = caller.profile.tenant.id;
        let refused = office::refused_names(self.store, tenant, &caller.authority(), right, fields)?;
        Ok(office_error_violations(&OfficeError::Several(refused)))
    }
}

/// What a use case answered: done, or the failure that words its refusal.
///
/// # Errors
/// It was refused, or the store failed.
pub fn into_api_result<T>(answer: UseCaseResult<T>) -> Result<T, ApiError> {
    Ok(answer??)
}

/// The status that says it, where a contract has no other.
pub(crate) fn office_error_status(refused: &OfficeError) -> StatusCode {
    match refused {
        OfficeError::AlreadyExists { .. }
        | OfficeError::LastAdmin
        | OfficeError::VirtualUser
        | OfficeError::InvalidStatusTransition { .. }
        | OfficeError::InUse { .. }
        | OfficeError::BuiltInRole
        | OfficeError::LastStore
        | OfficeError::LimitReached { .. } => StatusCode::CONFLICT,
        OfficeError::Ticket(why) => ticket_error_status(why),
        OfficeError::NotFound { .. } => StatusCode::NOT_FOUND,
        OfficeError::UnknownName { .. }
        | OfficeError::InvalidValue { .. }
        | OfficeError::DuplicateItem { .. }
        | OfficeError::Required { .. }
        | OfficeError::OutOfRange(_)
        | OfficeError::Several(_)
        | OfficeError::CurrentPasswordRequired
        | OfficeError::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        OfficeError::VersionMismatch { .. } | OfficeError::TicketVersionMismatch { .. } => {
            StatusCode::PRECONDITION_FAILED
        }
        OfficeError::RankTooHigh(_) | OfficeError::RightMissing(_) | OfficeError::OwnPassword => StatusCode::FORBIDDEN,
    }
}

/// The same of what the rules of tickets say: what the ticket does not allow as it is, who may not, and what no ticket may be.
fn ticket_error_status(why: &TicketError) -> StatusCode {
    match why {
        TicketError::RightMissing(_) | TicketError::PersonRequired | TicketError::SaleDeviceRequired => {
            StatusCode::FORBIDDEN
        }
        TicketError::VersionMismatch { .. } => StatusCode::PRECONDITION_FAILED,
        TicketError::Closed
        | TicketError::Void
        | TicketError::NoItems
        | TicketError::Unpaid { .. }
        | TicketError::Overpaid { .. }
        | TicketError::NotClosed
        | TicketError::RefundOfRefund
        | TicketError::RefundTooLarge { .. }
        | TicketError::ReceiptNumberTaken(_)
        | TicketError::RefundImmutable => StatusCode::CONFLICT,
        TicketError::TooLarge
        | TicketError::TooMany { .. }
        | TicketError::DuplicateItem(_)
        | TicketError::RoundingTooLarge { .. }
        | TicketError::Unpayable { .. }
        | TicketError::InvalidPayment { .. }
        | TicketError::EmptyRefund
        | TicketError::UnknownItem(_) => StatusCode::UNPROCESSABLE_ENTITY,
        TicketError::Multiple(all) => all.first().map_or(StatusCode::UNPROCESSABLE_ENTITY, ticket_error_status),
        // made of what was sent, so of a fault of ours
        TicketError::Inconsistent(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The refusal as faults of fields of the body, by the names that they have in the native API; none where it is no field's.
pub(crate) fn office_error_violations(refused: &OfficeError) -> Vec<FieldViolation> {
    let fault = |field: &'static str, code: &'static str, message: String| FieldViolation {
        field: field.into(),
        in_query: false,
        code: code.into(),
        message: message.into(),
    };
    let of = |field: FieldName, code: &'static str, message: String| vec![fault(field.name(), code, message)];
    match refused {
        OfficeError::AlreadyExists { field, .. } => of(*field, "taken", "is taken; choose another".to_owned()),
        OfficeError::UnknownName { field, value } => of(*field, "unknown", format!("names \"{value}\", which there is not")),
        OfficeError::DuplicateItem { field, value } => {
            of(*field, "duplicate", format!("names \"{value}\" more than once; name it once"))
        }
        OfficeError::Required { field } => of(*field, "required", "must name at least one".to_owned()),
        OfficeError::InvalidValue { field, why } => of(*field, name_error_code(why), why.to_string()),
        OfficeError::CurrentPasswordRequired => {
            of(FieldName::CurrentPassword, "required", "is required with another e-mail address of your own".to_owned())
        }
        OfficeError::OutOfRange(spans) => spans.iter().map(|span| fault(span.field.name(), "range", span.describe_bounds())).collect(),
        OfficeError::NotFound { .. }
        | OfficeError::VersionMismatch { .. }
        | OfficeError::TicketVersionMismatch { .. }
        | OfficeError::IdempotencyKeyReused
        | OfficeError::LastAdmin
        | OfficeError::VirtualUser
        | OfficeError::OwnPassword
        // a conflict where nothing else is wrong, a fault of its field among others
        | OfficeError::InvalidStatusTransition { .. }
        | OfficeError::InUse { .. }
        | OfficeError::BuiltInRole
        | OfficeError::LastStore
        | OfficeError::LimitReached { .. }
        | OfficeError::RankTooHigh(_)
        | OfficeError::RightMissing(_) => Vec::new(),
        OfficeError::Several(all) => {
            let one = |each: &OfficeError| match each {
                OfficeError::InvalidStatusTransition { from, to } => {
                    of(FieldName::Status, "transition", format!("cannot become {to} from {from}"))
                }
                other => office_error_violations(other),
            };
            let mut told: Vec<FieldViolation> = all.iter().flat_map(one).collect();
            told.sort();
            told
        }
        OfficeError::Ticket(why) => {
            let told = |why: &TicketError| {
                let (field, code) = ticket_violation_field(why)?;
                Some(FieldViolation { field, in_query: false, code: code.into(), message: why.to_string().into() })
            };
            let mut told: Vec<FieldViolation> = why.as_slice().iter().filter_map(told).collect();
            told.sort();
            told
        }
    }
}

/// The field of a ticket that a rule is about, and what is wrong with it.
fn ticket_violation_field(why: &TicketError) -> Option<(Cow<'static, str>, &'static str)> {
    let (field, code) = match why {
        TicketError::Unpayable { payment: Some(payment), .. } => {
            return Some((format!("payments/{payment}/amount").into(), "range"));
        }
        TicketError::TooLarge | TicketError::TooMany { .. } => ("items", "range"),
        TicketError::DuplicateItem(_) => ("items", "taken"),
        TicketError::RoundingTooLarge { .. } | TicketError::Unpayable { payment: None, .. } => ("rounding", "range"),
        TicketError::InvalidPayment { .. } => ("payments", "range"),
        TicketError::EmptyRefund => ("items", "required"),
        TicketError::UnknownItem(_) => ("items", "unknown"),
        _ => return None,
    };
    Some((field.into(), code))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tillgate_domain::office::RangeViolation;
    use tillgate_domain::{InvalidText, Right};

    use super::*;

    /// One of each: a new case has to be put here, or `every` does not compile.
    fn every_office_error() -> Vec<(OfficeError, u16, Option<&'static str>)> {
        let (field, value) = (FieldName::Roles, String::from("x"));
        let right = Right::parse("userCreate").unwrap();
        let span = RangeViolation { field, min: Duration::ZERO, max: Duration::ZERO, configured: false };
        let all = vec![
            (OfficeError::AlreadyExists { field, value: value.clone() }, 409, Some("taken")),
            (OfficeError::NotFound { field, value: value.clone() }, 404, None),
            (OfficeError::UnknownName { field, value }, 422, Some("unknown")),
            (OfficeError::InvalidValue { field, why: InvalidText::Empty }, 422, Some("required")),
            (OfficeError::InvalidValue { field, why: InvalidText::TooLong(3) }, 422, Some("length")),
            (OfficeError::InvalidValue { field, why: InvalidText::AtSign }, 422, Some("format")),
            (OfficeError::DuplicateItem { field, value: "P01".into() }, 422, Some("duplicate")),
            (OfficeError::Required { field }, 422, Some("required")),
            (OfficeError::OutOfRange(vec![span]), 422, Some("range")),
            (OfficeError::InUse { by: vec!["user anna".into()], total: 1 }, 409, None),
            (OfficeError::BuiltInRole, 409, None),
            (OfficeError::LastStore, 409, None),
            (OfficeError::LimitReached { field, most: 1 }, 409, None),
            (OfficeError::VersionMismatch { current: 2 }, 412, None),
            (OfficeError::LastAdmin, 409, None),
            (OfficeError::VirtualUser, 409, None),
            (OfficeError::OwnPassword, 403, None),
            (
                OfficeError::Several(vec![OfficeError::LastAdmin, OfficeError::Required { field }]),
                422,
                Some("required"),
            ),
            (
                OfficeError::TicketVersionMismatch { ticket: tillgate_domain::TicketId(uuid::Uuid::nil()), current: 2 },
                412,
                None,
            ),
            (OfficeError::Ticket(TicketError::Closed), 409, None),
            (OfficeError::Ticket(TicketError::SaleDeviceRequired), 403, None),
            (OfficeError::Ticket(TicketError::Inconsistent("x")), 500, None),
            (OfficeError::IdempotencyKeyReused, 422, None),
            (OfficeError::RankTooHigh(tillgate_domain::Rank::Admin), 403, None),
            (OfficeError::RightMissing(right), 403, None),
        ];
        for (refused, ..) in &all {
            match refused {
                OfficeError::AlreadyExists { .. }
                | OfficeError::NotFound { .. }
                | OfficeError::UnknownName { .. }
                | OfficeError::InvalidValue { .. }
                | OfficeError::DuplicateItem { .. }
                | OfficeError::Required { .. }
                | OfficeError::OutOfRange(_)
                | OfficeError::InUse { .. }
                | OfficeError::BuiltInRole
                | OfficeError::LastStore
                | OfficeError::LimitReached { .. }
                | OfficeError::VersionMismatch { .. }
                | OfficeError::TicketVersionMismatch { .. }
                | OfficeError::Ticket(_)
                | OfficeError::IdempotencyKeyReused
                | OfficeError::LastAdmin
                | OfficeError::VirtualUser
                | OfficeError::OwnPassword
                | OfficeError::CurrentPasswordRequired
                | OfficeError::Several(_)
                | OfficeError::InvalidStatusTransition { .. }
                | OfficeError::RankTooHigh(_)
                | OfficeError::RightMissing(_) => {}
            }
        }
        all
    }

    #[test]
    fn each_office_error_has_status_and_field() {
        for (refused, expected, code) in every_office_error() {
            assert_eq!(office_error_status(&refused), expected, "{refused}");
            let told = office_error_violations(&refused);
            assert_eq!(told.iter().map(|fault| &*fault.code).collect::<Vec<_>>(), Vec::from_iter(code), "{refused}");
            assert!(told.iter().all(|fault| fault.field == "roles" && !fault.in_query), "{refused}");
        }
    }

    #[test]
    fn impossible_status_is_a_conflict_alone_and_a_fault_of_its_member_among_others() {
        let refused = OfficeError::InvalidStatusTransition { from: "active", to: "pending" };
        assert_eq!((office_error_status(&refused).as_u16(), office_error_violations(&refused)), (409, Vec::new()));
        let several = OfficeError::Several(vec![OfficeError::Required { field: FieldName::Roles }, refused]);
        let told = office_error_violations(&several);
        assert_eq!((office_error_status(&several).as_u16(), told.len()), (422, 2));
        assert_eq!((&*told[1].field, &*told[1].code), ("status", "transition"));
    }

    #[test]
    fn own_email_without_password_names_the_missing_member() {
        let told = office_error_violations(&OfficeError::CurrentPasswordRequired);
        assert_eq!((office_error_status(&OfficeError::CurrentPasswordRequired).as_u16(), told.len()), (422, 1));
        assert_eq!((&*told[0].field, &*told[0].code), ("current_password", "required"));
    }

    #[test]
    fn missing_right_becomes_denial() {
        let right = Right::parse("userCreate").unwrap();
        let failure = into_api_result::<()>(Ok(Err(OfficeError::RightMissing(right.clone())))).unwrap_err();
        assert_eq!(failure, ApiError::Denied(tillgate_auth_core::AuthDenied::RightMissing(right)));
        let store = into_api_result::<()>(Err(tillgate_domain::StoreError::Unavailable("full".into()))).unwrap_err();
        assert_eq!(store, ApiError::unavailable("full"));
    }
}
