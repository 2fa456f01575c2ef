//! Ends all sessions of a user, all on a device, or everybody's.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::devices::change::load_device;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::users::change::load_user;
use crate::{Action, DeviceId, EndReason, KnownRight, Scope, Store, StoreExt, Subject, TenantId, UserId};

/// Whose sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionTarget {
    /// This user's.
    User(UserId),
    /// Those on this device, whoever's they are.
    Device(DeviceId),
    /// Everybody's of the tenant, the caller's own too.
    Everyone,
}

/// Ends them at once. One's own are always one's own to end; others' ask the right `sessionDelete`. `permanent` ends the permanent
/// tokens of devices too, which stay otherwise.
pub fn end_sessions(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    whose: SessionTarget,
    permanent: bool,
) -> UseCaseResult<()> {
    store.write(|tx| commit_refusal(end(tx, tenant, stamp, whose, permanent)))
}

fn end(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    whose: SessionTarget,
    permanent: bool,
) -> Result<(), UseCaseError> {
    let (scope, subject) = match whose {
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
    let own = matches!(whose, SessionTarget::User(id) if stamp.actor.user == Some(id));
    if !own {
        stamp.authority.require(KnownRight::SessionDelete)?;
    }
    if tx.revocations().bump_epoch(scope, EndReason::Admin, stamp.at)?.is_none() {
        return Err(OfficeError::NotFound { field: FieldName::Tenant, value: tenant.to_string() }.into());
    }
    if permanent {
        tx.revocations().end_permanent(scope, EndReason::Admin, stamp.at)?;
    }
    let why = ("why".to_owned(), json!(EndReason::Admin.name()));
    let details = Map::from_iter([why, ("permanent".to_owned(), json!(permanent))]);
    tx.audit().record(&stamp.build_event(tenant, Action::SessionEnd, subject, details))?;
    Ok(())
}
