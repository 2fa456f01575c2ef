//! Ends every session of a user or on a device, and leaves them to log in again.

use serde_json::{Map, json};

use super::change_device::registered;
use super::change_user::living;
use super::ports::OfficeView;
use super::refused::{Decided, Halt, decide};
use super::stamp::Stamp;
use crate::{Action, EndedWhy, Epoch, PrincipalId, Scope, Store, StoreError, StoreExt, Subject, TenantId};

/// Raises the epoch of the user or device, which ends all but the permanent sessions, and returns the new one. Asks the right
/// `sessionDelete`.
pub fn end_sessions(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
) -> Decided<Epoch> {
    store.write(|tx| {
        let mut way = || -> Result<Epoch, Halt> {
            stamp.authority.ask("sessionDelete")?;
            let (scope, subject) = match principal {
                PrincipalId::User(id) => (Scope::User(living(tx, tenant, id)?.id), Subject::User(id)),
                PrincipalId::Device(id) => (Scope::Device(registered(tx, tenant, id)?.id), Subject::Device(id)),
            };
            let raised = tx.endings().raise(scope, EndedWhy::Admin, stamp.at)?;
            let epoch = raised.ok_or_else(|| StoreError::Conflict("its owner was removed meanwhile".to_owned()))?;
            let details =
                Map::from_iter([("why".to_owned(), json!(EndedWhy::Admin.name())), ("all".to_owned(), json!(true))]);
            tx.audit().tell(&stamp.done(tenant, Action::SessionEnd, subject, details))?;
            Ok(epoch)
        };
        decide(way())
    })
}
