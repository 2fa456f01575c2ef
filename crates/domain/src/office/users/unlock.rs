//! Unlocks a principal that is rate limited after too many wrong passwords.

use serde_json::Map;

use crate::office::Office;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::users::password::authorize_credential_change;
use crate::{Action, PrincipalId, StoreExt};

impl Office<'_> {
    /// Clears the failed logins of the user or device. Requires what
    /// [`set_password`](Self::set_password) requires.
    pub fn unlock_principal(&self, principal: PrincipalId) -> UseCaseResult<()> {
        self.store.write("unlock_principal", |tx| {
            let mut run = || -> Result<(), UseCaseError> {
                let subject = authorize_credential_change(tx, self, principal)?;
                tx.passwords().clear_failed_logins(principal)?;
                tx.audit().record(&self.build_event(Action::Unlock, subject, Map::new()))?;
                Ok(())
            };
            commit_refusal(run())
        })
    }
}
