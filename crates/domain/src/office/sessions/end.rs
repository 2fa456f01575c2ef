//! Ends all sessions of a user, on a device, or of a tenant.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::devices::change::load_device;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::users::change::load_user;
use crate::{Action, DeviceId, EndReason, KnownRight, Scope, Store, StoreExt, Subject, TenantId, UserId};

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

/// Ends the sessions immediately. Callers may end their own; those of others require the right
/// `sessionDelete`. With `permanent`, permanent sessions of devices end, too.
pub fn end_sessions(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    context: &AuditContext,
    target: SessionTarget,
    permanent: bool,
) -> UseCaseResult<()> {
    store.write("end_sessions", |tx| commit_refusal(end(tx, tenant, context, target, permanent)))
}

fn end(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    context: &AuditContext,
    target: SessionTarget,
    permanent: bool,
) -> Result<(), UseCaseError> {
    let (scope, subject) = match target {
        SessionTarget::User(id) => {
            load_user(tx, tenant, id)?;
            (Scope::User(id), Subject::User(id))
        }
        SessionTarget::Device(id) => {
            load_device(tx, tenant, id)?;
            (Scope::Device(id), Subject::Device(id))
        }
        SessionTarget::Everyone => (Scope::Tenant(tenant), Subject::Tenant(tenant)),
    };
    let own = matches!(target, SessionTarget::User(id) if context.actor.user == Some(id));
    if !own {
        context.authority.require(KnownRight::SessionDelete)?;
    }
    if tx.revocations().bump_epoch(scope, EndReason::Admin, context.at)?.is_none() {
        return Err(OfficeError::NotFound { field: FieldName::Tenant, value: tenant.to_string() }.into());
    }
    if permanent {
        tx.revocations().end_permanent(scope, EndReason::Admin, context.at)?;
    }
    let why = ("why".to_owned(), json!(EndReason::Admin.name()));
    let details = Map::from_iter([why, ("permanent".to_owned(), json!(permanent))]);
    tx.audit().record(&context.build_event(tenant, Action::SessionEnd, subject, details))?;
    Ok(())
}
