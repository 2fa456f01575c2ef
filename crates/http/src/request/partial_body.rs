//! A body of which some fields are invalid, until all violations are known.

use std::collections::BTreeSet;

use validator::Validate;

use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};
use crate::request::field::field_violations;

/// The valid fields of a body, and all violations known so far. Violations that only the store
/// reveals are added before the body is handed out, so that all are reported at once.
#[derive(Clone)]
pub(crate) struct PartialBody<T> {
    body: T,
    violations: Vec<FieldViolation>,
}

impl<T: Validate> PartialBody<T> {
    /// Validates the fields of the body. `more` finds violations that concern several fields, such
    /// as a password that consists of a name in the same body.
    pub(crate) fn validate(mut self, more: impl FnOnce(&T) -> Vec<FieldViolation>) -> Self {
        let found = field_violations(&self.body, more);
        self.add(found);
        self
    }
}

impl<T> PartialBody<T> {
    /// A body in which these violations were found when it was parsed.
    pub(crate) const fn new(body: T, violations: Vec<FieldViolation>) -> Self {
        Self { body, violations }
    }

    /// The body, and the violations known so far.
    pub(crate) fn into_parts(self) -> (T, Vec<FieldViolation>) {
        (self.body, self.violations)
    }

    /// The body; invalid fields have no value.
    pub(crate) const fn body(&self) -> &T {
        &self.body
    }

    /// Whether no violation is known.
    pub(crate) const fn is_valid(&self) -> bool {
        self.violations.is_empty()
    }

    /// Adds violations, without duplicates and with at most one reason why a password is weak. A
    /// body can have very many.
    pub(crate) fn add(&mut self, violations: Vec<FieldViolation>) {
        let mut known: BTreeSet<FieldViolation> = self.violations.iter().cloned().collect();
        for violation in violations {
            let is_weak = |known: &FieldViolation| {
                [violation.code, known.code] == [FieldErrorCode::Weak; 2] && known.field == violation.field
            };
            let is_weak_again = violation.code == FieldErrorCode::Weak && self.violations.iter().any(is_weak);
            if !is_weak_again && known.insert(violation.clone()) {
                self.violations.push(violation);
            }
        }
    }

    /// Returns the body if it has no violations; otherwise all of them, with those that `more`
    /// finds.
    pub(crate) fn check_body(
        mut self,
        more: impl FnOnce(&T) -> Result<Vec<FieldViolation>, ApiError>,
    ) -> Result<T, ApiError> {
        if self.is_valid() {
            return Ok(self.body);
        }
        let found = more(&self.body)?;
        self.add(found);
        self.violations.sort();
        Err(ProtocolError::InvalidFields(self.violations).into())
    }
}

/// Returns the body if all fields are valid; otherwise all violations, sorted by field name.
pub(crate) fn validate_body<T: Validate>(body: PartialBody<T>) -> Result<T, ApiError> {
    validate_body_with(body, |_| Vec::new())
}

/// Like [`validate_body`], with violations that concern several fields, which `more` finds.
pub(crate) fn validate_body_with<T: Validate>(
    body: PartialBody<T>,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<T, ApiError> {
    body.validate(more).check_body(|_| Ok(Vec::new()))
}
