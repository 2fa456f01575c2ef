//! The codes that machines show, as logged-in callers type them: unknown ones are counted, so that
//! nobody finds a machine by trying.

use serde_json::json;
use tillgate_domain::office::{FieldName, OfficeError, TypedCode, UseCaseResult};
use tillgate_domain::{Action, EnrollmentDigest, EventOutcome, Secret, Subject};

use super::WaitResult;
use crate::auth::Auth;
use crate::denials::GuestKey;
use crate::throttle::AttemptOutcome;
use crate::{AuthDenied, Caller, Error};

impl Auth {
    /// The digest of the code of an enrollment, or of a key that waits, as a person has typed it.
    pub fn digest_enrollment_code(&self, typed: &str) -> EnrollmentDigest {
        self.enrollment_code_key.digest(typed)
    }

    /// Runs a use case with a code that the caller has typed. A code under which the caller's
    /// tenant has no machine takes a token of the caller, and one of the network in this tenant, as
    /// a wrong password does, and is recorded in the audit log. So is a code of a tenant that
    /// accepts no machines which show one.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TooManyAttempts`] after too many unknown codes, or the store failed.
    pub fn with_user_code<T>(
        &self,
        caller: &Caller,
        typed: &str,
        run: impl FnOnce(TypedCode<'_>) -> UseCaseResult<T>,
    ) -> Result<Result<T, OfficeError>, Error> {
        let (secret, tenant) = (Secret::new(typed.to_owned()), caller.profile.tenant.id);
        let waited = self.await_admission("begin_user_code", |tx, now| {
            Ok(((), self.throttle.open_user_code_charge(tx, tenant, caller.principal, caller.address, &secret, now)?))
        })?;
        let charge = match waited {
            WaitResult::Admitted((), charge) => charge,
            WaitResult::RateLimited((), retry_after) => {
                let denied = AuthDenied::TooManyAttempts { retry_after };
                self.record_wrong_user_code(caller, denied.code())?;
                return Err(denied.into());
            }
        };
        let digest = self.digest_enrollment_code(typed);
        let result = run(TypedCode { digest: &digest, text: typed });
        let wrong = match &result {
            Ok(Err(OfficeError::NotFound { field: FieldName::Enrollment, .. })) => {
                Some(AuthDenied::EnrollmentUnknown.code())
            }
            Ok(Err(off @ OfficeError::MachineCodesOff)) => Some(off.code()),
            _ => None,
        };
        let outcome = if wrong.is_some() { AttemptOutcome::Failed } else { AttemptOutcome::Withdrawn };
        self.settle_charge(&charge, outcome);
        if let Some(why) = wrong {
            self.record_wrong_user_code(caller, why)?;
        }
        Ok(result?)
    }

    fn record_wrong_user_code(&self, caller: &Caller, why: &str) -> Result<(), Error> {
        let tenant = caller.profile.tenant.id;
        let subject = Subject::Tenant(tenant);
        let mut event = self.new_event(Action::DeviceEnrollAccept, EventOutcome::Refused, subject, Some(tenant))?;
        event.actor = caller.actor();
        event.details.insert("why".to_owned(), json!(why));
        self.record_guest_denial(GuestKey::UserCodes(caller.principal), &event);
        Ok(())
    }
}
