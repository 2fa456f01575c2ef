//! A store that went back (a restored backup, a failover that lost commits) may have forgotten that an epoch was raised, which this
//! process still knows: it would refuse whatever is made under the old one. The first login that meets it brings the store up
//! again.

use serde_json::json;
use tillgate_domain::{Action, EndReason, Epoch, Event, EventOutcome, Scope, StoreResult, Subject};

use super::LoginSubject;
use crate::auth::Auth;
use crate::ports::AuthTx;
use crate::{Error, LoginRequest};

/// What the store seems to have forgotten, and how that is told.
pub(super) struct StaleEpochs {
    /// Each with the epoch that this process knows. They were known before the unit of work begins, so a store that has forgotten
    /// nothing shows them in it.
    known: Vec<(Scope, Epoch)>,
    event: Event,
}

impl Auth {
    /// What this process knows better than what was found.
    pub(super) fn find_stale_epochs(
        &self,
        login: &LoginRequest,
        found: &LoginSubject,
    ) -> Result<Option<StaleEpochs>, Error> {
        let user = found.user.as_ref().map(|user| (Scope::User(user.id), user.epoch));
        let device = found.device.as_ref().map(|device| (Scope::Device(device.id), device.epoch));
        let tenant = found.tenant.as_ref().map(|tenant| (Scope::Tenant(tenant.id), tenant.epoch));
        let known: Vec<_> = [user, device, tenant]
            .into_iter()
            .flatten()
            .map(|(scope, epoch)| (scope, epoch, self.revocations.epoch(scope)))
            .filter(|(_, epoch, known)| epoch < known)
            .map(|(scope, _, known)| (scope, known))
            .collect();
        let Some((scope, _)) = known.first() else { return Ok(None) };
        let subject = match *scope {
            Scope::User(id) => Subject::User(id),
            Scope::Device(id) => Subject::Device(id),
            Scope::Tenant(id) => Subject::Tenant(id),
            Scope::Keys | Scope::Clock => Subject::Server,
        };
        let tenant = found.tenant.as_ref().map(|tenant| tenant.id);
        let mut event = self.new_event(Action::StoreRollback, EventOutcome::Done, subject, tenant)?;
        event.actor.address = login.address;
        event.details.insert("epochs".to_owned(), json!(known.iter().map(|(_, epoch)| epoch.0).collect::<Vec<_>>()));
        Ok(Some(StaleEpochs { known, event }))
    }
}

impl StaleEpochs {
    /// Raises what is below what this process knows, and says whether anything was.
    pub(super) fn restore(&self, tx: &mut dyn AuthTx) -> StoreResult<bool> {
        let mut brought = false;
        for (scope, known) in &self.known {
            while read_epoch(tx, *scope)?.is_some_and(|epoch| epoch < *known) {
                tx.revocations().bump_epoch(*scope, EndReason::Admin, self.event.at)?;
                brought = true;
            }
        }
        if brought {
            tx.audit().record(&self.event)?;
        }
        Ok(brought)
    }
}

/// The epoch as it stands in the store.
fn read_epoch(tx: &mut dyn AuthTx, scope: Scope) -> StoreResult<Option<Epoch>> {
    Ok(match scope {
        Scope::User(id) => tx.users().find(id)?.map(|user| user.epoch),
        Scope::Device(id) => tx.devices().find(id)?.map(|device| device.epoch),
        Scope::Tenant(id) => tx.tenants().find(id)?.map(|tenant| tenant.epoch),
        Scope::Keys | Scope::Clock => None,
    })
}
