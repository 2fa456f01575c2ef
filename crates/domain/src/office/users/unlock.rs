//! Lets somebody log in again whom too many wrong passwords hold back.

use serde_json::Map;

use crate::office::context::AuditContext;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficePorts;
use crate::office::users::password::authorize_credential_change;
use crate::{Action, PrincipalId, Store, StoreExt, TenantId};

/// Forgets the failed logins of the user or device. Asks what [`set_password`](crate::office::users::password()) asks.
pub fn unlock_principal(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
) -> UseCaseResult<()> {
    store.write(|tx| {
        let mut way = || -> Result<(), UseCaseError> {
            let subject = authorize_credential_change(tx, tenant, stamp, principal)?;
            tx.passwords().clear_failed_logins(principal)?;
            tx.audit().record(&stamp.build_event(tenant, Action::Unlock, subject, Map::new()))?;
            Ok(())
        };
        commit_refusal(way())
    })
}
