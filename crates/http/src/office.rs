//! The way from a handler to the back office: its store beside the engine, and the status of what it refuses.
//!
//! A handler reads a request, runs one use case of `domain::office` in [`Call::office`](crate::Call::office) and words what
//! comes back. Nothing here decides who may do what.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use tillgate_auth_core::{Auth, Caller, Error};
use tillgate_domain::office::{self, Decided, Field, NamedFields, OfficeView, Refused, Stamp};
use tillgate_domain::ticket::TicketRefused;
use tillgate_domain::{KnownRight, Store, TenantId};

use crate::failure::{Failure, FieldFault};
use crate::field::invalid_name;

/// The back office as the closure of a handler sees it, on a thread that may wait.
#[derive(Clone, Copy)]
pub struct Office<'o> {
    /// What its use cases run on.
    pub store: &'o dyn Store<OfficeView>,
    /// The engine, for hashing passwords and drawing ids.
    pub engine: &'o Auth,
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
    pub fn stamp(&self, caller: &Caller) -> Result<Stamp, Error> {
        self.engine.stamp(caller)
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
    ) -> Result<Vec<String>, Failure> {
        if has_password {
            own.extend(office::password_words(self.store, tenant, None)?);
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
    ) -> Result<Vec<FieldFault>, Failure> {
        let tenant = caller.profile.tenant.id;
        let refused = office::refused_names(self.store, tenant, &caller.authority(), right, fields)?;
        Ok(faults(&Refused::Several(refused)))
    }
}

/// What a use case answered: done, or the failure that words its refusal.
///
/// # Errors
/// It was refused, or the store failed.
pub fn decided<T>(answer: Decided<T>) -> Result<T, Failure> {
    Ok(answer??)
}

/// The status that says it, where a contract has no other.
pub(crate) fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Taken { .. }
        | Refused::LastAdmin
        | Refused::Virtual
        | Refused::Status { .. }
        | Refused::Held { .. }
        | Refused::BuiltIn
        | Refused::LastStore
        | Refused::Full { .. } => StatusCode::CONFLICT,
        Refused::Ticket(why) => of_ticket(why),
        Refused::Absent { .. } => StatusCode::NOT_FOUND,
        Refused::Unknown { .. }
        | Refused::Invalid { .. }
        | Refused::Repeated { .. }
        | Refused::Empty { .. }
        | Refused::Spans(_)
        | Refused::Several(_)
        | Refused::Unproved
        | Refused::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Refused::Moved { .. } | Refused::TicketMoved { .. } => StatusCode::PRECONDITION_FAILED,
        Refused::TooHigh(_) | Refused::Missing(_) | Refused::OwnPassword => StatusCode::FORBIDDEN,
    }
}

/// The same of what the rules of tickets say: what the ticket does not allow as it is, who may not, and what no ticket may be.
fn of_ticket(why: &TicketRefused) -> StatusCode {
    match why {
        TicketRefused::Missing(_) | TicketRefused::NoPerson | TicketRefused::NotSelling => StatusCode::FORBIDDEN,
        TicketRefused::Moved { .. } => StatusCode::PRECONDITION_FAILED,
        TicketRefused::Closed
        | TicketRefused::Void
        | TicketRefused::Empty
        | TicketRefused::Unpaid { .. }
        | TicketRefused::Overpaid { .. }
        | TicketRefused::NotSold
        | TicketRefused::RefundOfRefund
        | TicketRefused::MoreThanSold { .. }
        | TicketRefused::NumberTaken(_)
        | TicketRefused::RefundFixed => StatusCode::CONFLICT,
        TicketRefused::TooLarge
        | TicketRefused::TooMany { .. }
        | TicketRefused::Twice(_)
        | TicketRefused::Rounding { .. }
        | TicketRefused::Unpayable { .. }
        | TicketRefused::Payment { .. }
        | TicketRefused::NothingReturned
        | TicketRefused::NoItem(_) => StatusCode::UNPROCESSABLE_ENTITY,
        TicketRefused::Several(all) => all.first().map_or(StatusCode::UNPROCESSABLE_ENTITY, of_ticket),
        // made of what was sent, so of a fault of ours
        TicketRefused::Contradiction(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The refusal as faults of fields of the body, by the names that they have in the native API; none where it is no field's.
pub(crate) fn faults(refused: &Refused) -> Vec<FieldFault> {
    let fault = |field: &'static str, code: &'static str, message: String| FieldFault {
        field: field.into(),
        query: false,
        code: code.into(),
        message: message.into(),
    };
    let of = |field: Field, code: &'static str, message: String| vec![fault(field.name(), code, message)];
    match refused {
        Refused::Taken { field, .. } => of(*field, "taken", "is taken; choose another".to_owned()),
        Refused::Unknown { field, value } => of(*field, "unknown", format!("names \"{value}\", which there is not")),
        Refused::Repeated { field, value } => {
            of(*field, "duplicate", format!("names \"{value}\" more than once; name it once"))
        }
        Refused::Empty { field } => of(*field, "required", "must name at least one".to_owned()),
        Refused::Invalid { field, why } => of(*field, invalid_name(why), why.to_string()),
        Refused::Unproved => {
            of(Field::CurrentPassword, "required", "is required with another e-mail address of your own".to_owned())
        }
        Refused::Spans(spans) => spans.iter().map(|span| fault(span.field.name(), "range", span.bounds())).collect(),
        Refused::Absent { .. }
        | Refused::Moved { .. }
        | Refused::TicketMoved { .. }
        | Refused::KeyReused
        | Refused::LastAdmin
        | Refused::Virtual
        | Refused::OwnPassword
        // a conflict where nothing else is wrong, a fault of its field among others
        | Refused::Status { .. }
        | Refused::Held { .. }
        | Refused::BuiltIn
        | Refused::LastStore
        | Refused::Full { .. }
        | Refused::TooHigh(_)
        | Refused::Missing(_) => Vec::new(),
        Refused::Several(all) => {
            let one = |each: &Refused| match each {
                Refused::Status { from, to } => {
                    of(Field::Status, "transition", format!("cannot become {to} from {from}"))
                }
                other => faults(other),
            };
            let mut told: Vec<FieldFault> = all.iter().flat_map(one).collect();
            told.sort();
            told
        }
        Refused::Ticket(why) => {
            let told = |why: &TicketRefused| {
                let (field, code) = field_of_ticket(why)?;
                Some(FieldFault { field, query: false, code: code.into(), message: why.to_string().into() })
            };
            let mut told: Vec<FieldFault> = why.each().iter().filter_map(told).collect();
            told.sort();
            told
        }
    }
}

/// The field of a ticket that a rule is about, and what is wrong with it.
fn field_of_ticket(why: &TicketRefused) -> Option<(Cow<'static, str>, &'static str)> {
    let (field, code) = match why {
        TicketRefused::Unpayable { payment: Some(payment), .. } => {
            return Some((format!("payments/{payment}/amount").into(), "range"));
        }
        TicketRefused::TooLarge | TicketRefused::TooMany { .. } => ("items", "range"),
        TicketRefused::Twice(_) => ("items", "taken"),
        TicketRefused::Rounding { .. } | TicketRefused::Unpayable { payment: None, .. } => ("rounding", "range"),
        TicketRefused::Payment { .. } => ("payments", "range"),
        TicketRefused::NothingReturned => ("items", "required"),
        TicketRefused::NoItem(_) => ("items", "unknown"),
        _ => return None,
    };
    Some((field.into(), code))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tillgate_domain::office::Span;
    use tillgate_domain::{InvalidName, Right};

    use super::*;

    /// One of each: a new case has to be put here, or `every` does not compile.
    fn every() -> Vec<(Refused, u16, Option<&'static str>)> {
        let (field, value) = (Field::Roles, String::from("x"));
        let right = Right::parse("userCreate").unwrap();
        let span = Span { field, least: Duration::ZERO, most: Duration::ZERO, configured: false };
        let all = vec![
            (Refused::Taken { field, value: value.clone() }, 409, Some("taken")),
            (Refused::Absent { field, value: value.clone() }, 404, None),
            (Refused::Unknown { field, value }, 422, Some("unknown")),
            (Refused::Invalid { field, why: InvalidName::Empty }, 422, Some("required")),
            (Refused::Invalid { field, why: InvalidName::TooLong(3) }, 422, Some("length")),
            (Refused::Invalid { field, why: InvalidName::At }, 422, Some("format")),
            (Refused::Repeated { field, value: "P01".into() }, 422, Some("duplicate")),
            (Refused::Empty { field }, 422, Some("required")),
            (Refused::Spans(vec![span]), 422, Some("range")),
            (Refused::Held { by: vec!["user anna".into()], total: 1 }, 409, None),
            (Refused::BuiltIn, 409, None),
            (Refused::LastStore, 409, None),
            (Refused::Full { field, most: 1 }, 409, None),
            (Refused::Moved { current: 2 }, 412, None),
            (Refused::LastAdmin, 409, None),
            (Refused::Virtual, 409, None),
            (Refused::OwnPassword, 403, None),
            (Refused::Several(vec![Refused::LastAdmin, Refused::Empty { field }]), 422, Some("required")),
            (Refused::TicketMoved { ticket: tillgate_domain::TicketId(uuid::Uuid::nil()), current: 2 }, 412, None),
            (Refused::Ticket(TicketRefused::Closed), 409, None),
            (Refused::Ticket(TicketRefused::NotSelling), 403, None),
            (Refused::Ticket(TicketRefused::Contradiction("x")), 500, None),
            (Refused::KeyReused, 422, None),
            (Refused::TooHigh(tillgate_domain::Rank::Admin), 403, None),
            (Refused::Missing(right), 403, None),
        ];
        for (refused, ..) in &all {
            match refused {
                Refused::Taken { .. }
                | Refused::Absent { .. }
                | Refused::Unknown { .. }
                | Refused::Invalid { .. }
                | Refused::Repeated { .. }
                | Refused::Empty { .. }
                | Refused::Spans(_)
                | Refused::Held { .. }
                | Refused::BuiltIn
                | Refused::LastStore
                | Refused::Full { .. }
                | Refused::Moved { .. }
                | Refused::TicketMoved { .. }
                | Refused::Ticket(_)
                | Refused::KeyReused
                | Refused::LastAdmin
                | Refused::Virtual
                | Refused::OwnPassword
                | Refused::Unproved
                | Refused::Several(_)
                | Refused::Status { .. }
                | Refused::TooHigh(_)
                | Refused::Missing(_) => {}
            }
        }
        all
    }

    #[test]
    fn each_refusal_has_its_status_and_names_its_field() {
        for (refused, expected, code) in every() {
            assert_eq!(status(&refused), expected, "{refused}");
            let told = faults(&refused);
            assert_eq!(told.iter().map(|fault| &*fault.code).collect::<Vec<_>>(), Vec::from_iter(code), "{refused}");
            assert!(told.iter().all(|fault| fault.field == "roles" && !fault.query), "{refused}");
        }
    }

    #[test]
    fn impossible_status_is_a_conflict_alone_and_a_fault_of_its_member_among_others() {
        let refused = Refused::Status { from: "active", to: "pending" };
        assert_eq!((status(&refused).as_u16(), faults(&refused)), (409, Vec::new()));
        let several = Refused::Several(vec![Refused::Empty { field: Field::Roles }, refused]);
        let told = faults(&several);
        assert_eq!((status(&several).as_u16(), told.len()), (422, 2));
        assert_eq!((&*told[1].field, &*told[1].code), ("status", "transition"));
    }

    #[test]
    fn own_email_without_the_password_names_the_member_that_is_missing() {
        let told = faults(&Refused::Unproved);
        assert_eq!((status(&Refused::Unproved).as_u16(), told.len()), (422, 1));
        assert_eq!((&*told[0].field, &*told[0].code), ("current_password", "required"));
    }

    #[test]
    fn a_missing_right_is_told_as_everywhere() {
        let right = Right::parse("userCreate").unwrap();
        let failure = decided::<()>(Ok(Err(Refused::Missing(right.clone())))).unwrap_err();
        assert_eq!(failure, Failure::Refused(tillgate_auth_core::Refusal::Missing(right)));
        let store = decided::<()>(Err(tillgate_domain::StoreError::Unavailable("full".into()))).unwrap_err();
        assert_eq!(store, Failure::unavailable("full"));
    }
}
