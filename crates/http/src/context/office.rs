//! Access of handlers to the back office, and the mapping of its errors to statuses and field
//! violations.
//!
//! A handler reads a request, runs one use case of `domain::office` in
//! [`Request::with_office`](crate::request::Request::with_office), and renders the result. Nothing
//! here decides who may do what.

use std::fmt;
use std::net::IpAddr;

use tillgate_auth_core::{Auth, Caller, Error, OneTimeTokenKind};
use tillgate_domain::office::{NamedFields, Office, OfficeError, OfficePorts, OfficeReader, UnguardedOffice};
use tillgate_domain::{KnownRight, Store, TenantId};

use crate::error::office::office_error_violations;
use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};

/// The back office in a handler's closure, on a blocking thread.
#[derive(Clone, Copy)]
pub struct OfficeContext<'o> {
    /// The store on which use cases run.
    pub store: &'o dyn Store<OfficePorts>,
    /// The engine, which hashes passwords and generates ids.
    pub auth: &'o Auth,
}

impl fmt::Debug for OfficeContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfficeContext").finish_non_exhaustive()
    }
}

impl<'o> OfficeContext<'o> {
    /// The office of the caller's tenant, for one use case with the caller's current rights.
    ///
    /// # Errors
    /// No id can be generated.
    pub fn for_caller(&self, caller: &Caller) -> Result<Office<'o>, Error> {
        let context = self.auth.caller_context(caller)?;
        let stale_proof = caller.stale_proof(context.at);
        let office = Office::new(self.store, caller.profile.tenant.id, context);
        Ok(office.with_stale_proof(stale_proof).with_api_key(caller.api_key()))
    }

    /// The reads of the caller's tenant, with the caller's current rights.
    pub fn reader_for_caller(&self, caller: &Caller) -> OfficeReader<'o> {
        OfficeReader::new(self.store, caller.profile.tenant.id, self.auth.time().at, caller.authority())
    }

    /// The reads of the tenant that check no rights.
    pub fn unguarded(&self, tenant: TenantId) -> UnguardedOffice<'o> {
        UnguardedOffice::new(self.store, tenant)
    }
}

/// Records that a one-time token was denied, and returns the error of an unknown, used or expired
/// token; it does not reveal which.
///
/// # Errors
/// No id can be generated.
pub(crate) fn deny_one_time_token(
    context: &OfficeContext<'_>,
    kind: OneTimeTokenKind,
    tenant: Option<TenantId>,
    address: Option<IpAddr>,
) -> Result<ApiError, ApiError> {
    context.auth.record_token_denial(kind, tenant, address)?;
    let (code, message) = (FieldErrorCode::Unknown, "is invalid or has expired".into());
    let violation = FieldViolation { field: "token".into(), in_query: false, code, message };
    Ok(ProtocolError::InvalidFields(vec![violation]).into())
}

/// Returns the words that a new password must not consist of: `words`, and those of the tenant if
/// there is a password.
///
/// # Errors
/// The store failed.
pub(crate) fn context_words(
    office: UnguardedOffice<'_>,
    has_password: bool,
    mut words: Vec<String>,
) -> Result<Vec<String>, ApiError> {
    if has_password {
        words.extend(office.list_context_words(None)?);
    }
    Ok(words)
}

/// Checks the names in a body that is rejected anyway against the store, so that all violations
/// are reported at once. Returns none for a caller without the right that the request requires.
///
/// # Errors
/// The store failed.
pub(crate) fn name_violations(
    office: &Office<'_>,
    right: KnownRight,
    fields: &NamedFields<'_>,
) -> Result<Vec<FieldViolation>, ApiError> {
    Ok(office_error_violations(&OfficeError::Several(office.refused_names(right, fields)?)))
}
