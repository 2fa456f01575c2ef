//! Ends all sessions of a user, on a device, or of a tenant.

use serde_json::{Map, json};

use crate::office::Office;
use crate::office::devices::change::load_device;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::change::load_user;
use crate::{Action, DeviceId, EndReason, KnownRight, Scope, StoreExt, Subject, UserId};

/// The sessions to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionTarget {
    /// The sessions of this user.
    User(UserId),
    /// The sessions on this device, of any user.
    Device(DeviceId),
    /// All sessions of the tenant, including the caller's own.
    Everyone,
}

impl Office<'_> {
    /// Ends the sessions immediately. Callers may end their own; those of others require the right
    /// `sessionDelete`. With `permanent`, permanent sessions of devices end, too.
    pub fn end_sessions(&self, target: SessionTarget, permanent: bool) -> UseCaseResult<()> {
        self.store.write("end_sessions", |tx| commit_refusal(end(tx, self, target, permanent)))
    }
}

fn end(tx: &mut dyn OfficeTx, office: &Office<'_>, target: SessionTarget, permanent: bool) -> Result<(), UseCaseError> {
    let is_own = matches!(target, SessionTarget::User(id) if office.context.actor.user == Some(id));
    if !is_own {
        office.require(KnownRight::SessionDelete)?;
    }
    if target == SessionTarget::Everyone || permanent {
        office.require_recent_proof()?;
    }
    let (scope, subject) = match target {
        SessionTarget::User(id) => {
            load_user(tx, office.tenant, id)?;
            (Scope::User(id), Subject::User(id))
        }
        SessionTarget::Device(id) => {
            load_device(tx, office.tenant, id)?;
            (Scope::Device(id), Subject::Device(id))
        }
        SessionTarget::Everyone => (Scope::Tenant(office.tenant), Subject::Tenant(office.tenant)),
    };
    if tx.revocations().bump_epoch(scope, EndReason::Admin, office.context.at)?.is_none() {
        return Err(OfficeError::NotFound { field: FieldName::Tenant, value: office.tenant.to_string() }.into());
    }
    if permanent {
        tx.revocations().end_permanent(scope, EndReason::Admin, office.context.at)?;
    }
    let why = ("why".to_owned(), json!(EndReason::Admin.name()));
    let details = Map::from_iter([why, ("permanent".to_owned(), json!(permanent))]);
    tx.audit().record(&office.build_event(Action::SessionEnd, subject, details))?;
    Ok(())
}
