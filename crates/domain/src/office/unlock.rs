//! Lets somebody log in again whom too many wrong passwords hold back.

use serde_json::Map;

use super::ports::OfficeView;
use super::refused::{Decided, Halt, decide};
use super::set_password::may_touch;
use super::stamp::Stamp;
use crate::{Action, PrincipalId, Store, StoreExt, TenantId};

/// Forgets the failed logins of the user or device. Asks what [`set_password`](super::set_password()) asks.
pub fn unlock(store: &dyn Store<OfficeView>, tenant: TenantId, stamp: &Stamp, principal: PrincipalId) -> Decided<()> {
    store.write(|tx| {
        let mut way = || -> Result<(), Halt> {
            let subject = may_touch(tx, tenant, stamp, principal)?;
            tx.passwords().forgive(principal)?;
            tx.audit().tell(&stamp.done(tenant, Action::Unlock, subject, Map::new()))?;
            Ok(())
        };
        decide(way())
    })
}
