//! Ends all sessions of a user, all on a device, or everybody's.

use serde_json::{Map, json};

use super::change_device::registered;
use super::change_user::living;
use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Field, Halt, Refused, decide};
use super::stamp::Stamp;
use crate::{Action, DeviceId, EndedWhy, KnownRight, Scope, Store, StoreExt, Subject, TenantId, UserId};

/// Whose sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
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
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    whose: Whose,
    permanent: bool,
) -> Decided<()> {
    store.write(|tx| decide(end(tx, tenant, stamp, whose, permanent)))
}

fn end(tx: &mut dyn OfficeTx, tenant: TenantId, stamp: &Stamp, whose: Whose, permanent: bool) -> Result<(), Halt> {
    let (scope, subject) = match whose {
        Whose::User(id) => {
            living(tx, tenant, id)?;
            (Scope::User(id), Subject::User(id))
        }
        Whose::Device(id) => {
            registered(tx, tenant, id)?;
            (Scope::Device(id), Subject::Device(id))
        }
        Whose::Everyone => (Scope::Tenant(tenant), Subject::Tenant(tenant)),
    };
    let own = matches!(whose, Whose::User(id) if stamp.actor.user == Some(id));
    if !own {
        stamp.authority.ask(KnownRight::SessionDelete)?;
    }
    if tx.endings().raise(scope, EndedWhy::Admin, stamp.at)?.is_none() {
        return Err(Refused::Absent { field: Field::Tenant, value: tenant.to_string() }.into());
    }
    if permanent {
        tx.endings().sever(scope, EndedWhy::Admin, stamp.at)?;
    }
    let why = ("why".to_owned(), json!(EndedWhy::Admin.name()));
    let details = Map::from_iter([why, ("permanent".to_owned(), json!(permanent))]);
    tx.audit().tell(&stamp.done(tenant, Action::SessionEnd, subject, details))?;
    Ok(())
}
