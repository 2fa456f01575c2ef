//! Restores epochs after a rollback of the store.
//!
//! A store that was rolled back (a restored backup, a failover that lost commits) may have lost an
//! increase of an epoch that this process still knows. This process would reject every session
//! created under the old epoch. The first login that finds such an epoch raises it in the store
//! again.

use std::net::IpAddr;

use serde_json::json;
use tillgate_domain::{Action, EndReason, Epoch, Event, EventOutcome, Scope, StoreResult, Subject};

use super::LoginSubject;
use crate::Error;
use crate::auth::Auth;
use crate::ports::AuthTx;

/// The epochs that the store seems to have lost, and the audit event of their restoration.
pub(super) struct StaleEpochs {
    /// Each scope with the epoch that this process knows. It knew them before the unit of work
    /// begins, so a store that has lost nothing returns at least these epochs in it.
    known: Vec<(Scope, Epoch)>,
    event: Event,
}

impl Auth {
    /// The epochs of the subject of a login from this address that are lower, as they were read,
    /// than those that this process knows.
    pub(super) fn find_stale_epochs(
        &self,
        address: Option<IpAddr>,
        subject: &LoginSubject,
    ) -> Result<Option<StaleEpochs>, Error> {
        let user = subject.user.as_ref().map(|user| (Scope::User(user.id), user.epoch));
        let device = subject.device.as_ref().map(|device| (Scope::Device(device.id), device.epoch));
        let tenant = subject.tenant.as_ref().map(|tenant| (Scope::Tenant(tenant.id), tenant.epoch));
        let known: Vec<_> = [user, device, tenant]
            .into_iter()
            .flatten()
            .map(|(scope, epoch)| (scope, epoch, self.revocations.epoch(scope)))
            .filter(|(_, epoch, known)| epoch < known)
            .map(|(scope, _, known)| (scope, known))
            .collect();
        let Some((scope, _)) = known.first() else { return Ok(None) };
        let event_subject = match *scope {
            Scope::User(id) => Subject::User(id),
            Scope::Device(id) => Subject::Device(id),
            Scope::Tenant(id) => Subject::Tenant(id),
            Scope::Keys | Scope::Clock => Subject::Server,
        };
        let tenant = subject.tenant.as_ref().map(|tenant| tenant.id);
        let mut event = self.new_event(Action::StoreRollback, EventOutcome::Done, event_subject, tenant)?;
        event.actor.address = address;
        event.details.insert("epochs".to_owned(), json!(known.iter().map(|(_, epoch)| epoch.0).collect::<Vec<_>>()));
        Ok(Some(StaleEpochs { known, event }))
    }
}

impl StaleEpochs {
    /// Raises the epochs that are still lower in the store. Returns whether there was one.
    pub(super) fn restore(&self, tx: &mut dyn AuthTx) -> StoreResult<bool> {
        let mut restored = false;
        for (scope, known) in &self.known {
            while read_epoch(tx, *scope)?.is_some_and(|epoch| epoch < *known) {
                tx.revocations().bump_epoch(*scope, EndReason::Admin, self.event.at)?;
                restored = true;
            }
        }
        if restored {
            tx.audit().record(&self.event)?;
        }
        Ok(restored)
    }
}

/// The current epoch in the store; `None` for a scope that has no epoch or is not in the store.
fn read_epoch(tx: &mut dyn AuthTx, scope: Scope) -> StoreResult<Option<Epoch>> {
    Ok(match scope {
        Scope::User(id) => tx.users().find(id)?.map(|user| user.epoch),
        Scope::Device(id) => tx.devices().find(id)?.map(|device| device.epoch),
        Scope::Tenant(id) => tx.tenants().find(id)?.map(|tenant| tenant.epoch),
        Scope::Keys | Scope::Clock => None,
    })
}
