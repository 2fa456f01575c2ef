//! Changes and deletes a role of the tenant's own. Its holders have the changed rights from their next request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::add_role::{check, check_label};
use super::differences::differences;
use super::growing_keys;
use super::last_admin;
use super::ports::{Holders, OfficeTx, OfficeView};
use super::refused::{Decided, Field, FieldRefusals, Halt, Refused, decide};
use super::stamp::Stamp;
use crate::{
    Action, Environment, KnownRight, Rights, Role, RoleId, RoleName, Scope, Store, StoreError, StoreExt, Stored,
    Subject, TenantId,
};

/// How many of those who hold a role a refusal names.
const NAMED: u32 = 5;

/// How many of those who hold a role are told one by one that it has changed; of more the whole tenant is told.
const TOLD: u32 = 1000;

/// What becomes of a role. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// Another name for requests and commands.
    pub name: Option<RoleName>,
    /// Another name that people read.
    pub label: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// What it allows from now on; one right at least.
    pub rights: Option<Rights>,
    /// Where it counts from now on; one environment at least.
    pub environments: Option<BTreeSet<Environment>>,
}

/// Changes the role and returns it as it is then. `version` is the one that was read, where the caller holds to it. Asks the right
/// `roleUpdate`, and every right that the role allows before and after: whoever changes a role gives and takes what it allows, to
/// themselves too. A built-in role is refused, and so is what leaves the tenant without an admin.
pub fn change_role(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    id: RoleId,
    version: Option<i64>,
    change: &RoleChange,
) -> Decided<Role> {
    store.write(|tx| decide(apply(tx, tenant, stamp, id, version, change)))
}

/// Deletes the role and returns it as it was. Asks the right `roleDelete`, and every right that the role allows. A built-in role is
/// refused, and so is one that somebody holds.
pub fn delete_role(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    id: RoleId,
    version: Option<i64>,
) -> Decided<Role> {
    store.write(|tx| decide(delete(tx, tenant, stamp, id, version)))
}

fn apply(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    id: RoleId,
    version: Option<i64>,
    change: &RoleChange,
) -> Result<Role, Halt> {
    stamp.authority.ask(KnownRight::RoleUpdate)?;
    if change.rights.is_some() || change.environments.is_some() {
        last_admin::claim(tx, tenant)?;
    }
    let roles = tx.roles().list(tenant)?;
    let before = own(&roles, id)?;
    changeable(&before, version)?;
    let after = changed(&before, change);
    stamp.authority.cover(&before.rights)?;
    stamp.authority.cover(&after.rights)?;
    let mut refusals = FieldRefusals::default();
    if after.name != before.name {
        refusals.gather(after.name.check_new().map_err(|why| Refused::Invalid { field: Field::Name, why }))?;
    }
    refusals.gather(check_label(&after.label, &before.label))?;
    refusals.gather(check(&after.label, &after.description, &after.rights, &after.environments))?;
    refusals.checked()?;
    if after == before {
        return Ok(before);
    }
    let then: Vec<Role> = roles.iter().map(|role| if role.id == id { after.clone() } else { role.clone() }).collect();
    last_admin::keep_among(tx, tenant, &roles, &then)?;
    if !tx.roles().update(&after)? {
        let other = tx.roles().named(tenant, &after.name)?.filter(|other| other.id != id);
        return Err(match other {
            Some(_) => Refused::Taken { field: Field::Name, value: after.name.to_string() }.into(),
            None => moved(),
        });
    }
    touch_holders(tx, tenant, id, stamp)?;
    let mut details = told(&before, &after);
    if (&before.rights, &before.environments) != (&after.rights, &after.environments) {
        details.extend(growing_keys::details(&growing_keys::of_role(tx, tenant, id)?));
    }
    tx.audit().tell(&stamp.done(tenant, Action::RoleUpdate, Subject::Role(id), details))?;
    Ok(Role { version: before.version.saturating_add(1), ..after })
}

fn delete(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    id: RoleId,
    version: Option<i64>,
) -> Result<Role, Halt> {
    stamp.authority.ask(KnownRight::RoleDelete)?;
    // who is being given the role at this moment may be the last admin by it
    last_admin::claim(tx, tenant)?;
    let role = own(&tx.roles().list(tenant)?, id)?;
    changeable(&role, version)?;
    stamp.authority.cover(&role.rights)?;
    if !tx.roles().remove(id, role.version)? {
        let holders = tx.roles().held(id, NAMED)?;
        // nobody holds it any more, or it was changed: what was judged is no longer so
        return Err(if holders.total == 0 { moved() } else { held(&holders).into() });
    }
    // nobody holds it: what is remembered of anybody stays true
    let details = Map::from_iter([("name".to_owned(), json!(role.name)), ("rights".to_owned(), json!(role.rights))]);
    tx.audit().tell(&stamp.done(tenant, Action::RoleDelete, Subject::Role(id), details))?;
    Ok(role)
}

/// Tells that what is remembered of those who hold the role is stale. What is remembered of everybody else stays true, and serves
/// them while the store is away.
fn touch_holders(tx: &mut dyn OfficeTx, tenant: TenantId, id: RoleId, stamp: &Stamp) -> Stored<()> {
    match tx.roles().scopes(id, TOLD)? {
        Some(scopes) => tx.endings().touch_each(&scopes, stamp.at),
        None => tx.endings().touch(Scope::Tenant(tenant), stamp.at),
    }
}

/// The role, where the tenant has it.
fn own(roles: &[Role], id: RoleId) -> Result<Role, Refused> {
    let found = roles.iter().find(|role| role.id == id).cloned();
    found.ok_or_else(|| Refused::Absent { field: Field::Role, value: id.to_string() })
}

/// Refuses built-in roles, and a role that has moved on from the version that the caller holds to.
fn changeable(role: &Role, version: Option<i64>) -> Result<(), Refused> {
    Refused::moved(version, role.version)?;
    if role.built_in { Err(Refused::BuiltIn) } else { Ok(()) }
}

fn changed(before: &Role, change: &RoleChange) -> Role {
    let RoleChange { name, label, description, rights, environments } = change.clone();
    Role {
        name: name.unwrap_or_else(|| before.name.clone()),
        label: label.unwrap_or_else(|| before.label.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        rights: rights.unwrap_or_else(|| before.rights.clone()),
        environments: environments.unwrap_or_else(|| before.environments.clone()),
        ..before.clone()
    }
}

fn held(holders: &Holders) -> Refused {
    let users = holders.users.iter().map(|name| format!("user {name}"));
    let devices = holders.devices.iter().map(|name| format!("device {name}"));
    Refused::Held { by: users.chain(devices).collect(), total: holders.total }
}

/// Somebody else changed the role in this moment: the unit of work runs again and judges what is there then.
fn moved() -> Halt {
    StoreError::Conflict("the role was changed meanwhile".to_owned()).into()
}

/// What the audit says of it: each field that moved.
fn told(before: &Role, after: &Role) -> Map<String, Value> {
    differences([
        (Field::Name.name(), json!(before.name), json!(after.name)),
        (Field::Label.name(), json!(before.label), json!(after.label)),
        (Field::Description.name(), json!(before.description), json!(after.description)),
        (Field::Rights.name(), json!(before.rights), json!(after.rights)),
        (Field::Environments.name(), json!(before.environments), json!(after.environments)),
    ])
}
