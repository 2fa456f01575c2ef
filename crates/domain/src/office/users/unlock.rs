//! Unlocks a principal that is rate limited after too many wrong passwords.

use serde_json::Map;

use crate::office::context::AuditContext;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficePorts;
use crate::office::users::password::authorize_credential_change;
use crate::{Action, PrincipalId, Store, StoreExt, TenantId};

/// Clears the failed logins of the user or device. Requires what
/// [`set_password`](crate::office::set_password()) requires.
pub fn unlock_principal(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    context: &AuditContext,
    principal: PrincipalId,
) -> UseCaseResult<()> {
    store.write("unlock_principal", |tx| {
        let mut run = || -> Result<(), UseCaseError> {
            let subject = authorize_credential_change(tx, tenant, context, principal)?;
            tx.passwords().clear_failed_logins(principal)?;
            tx.audit().record(&context.build_event(tenant, Action::Unlock, subject, Map::new()))?;
            Ok(())
        };
        commit_refusal(run())
    })
}
