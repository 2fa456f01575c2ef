//! Roles: a set of them for a login, all of a tenant for the back office.
//!
//! A role that is in use cannot be deleted. One statement locks it on condition that no user who is
//! not deleted has it and no device has it. A transaction that is assigning it at that moment holds
//! a lock on its row through the foreign key, so one of the two runs again.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Text};
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::RoleHolders;
use tillgate_domain::{DeviceId, DeviceName, Role, RoleId, RoleName, Scope, StoreResult, TenantId, UserId, UserName};

use super::{foreign_key_violation_as_conflict, lookup_keys, unique_violation_as_conflict};
use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::row::{Column, CountRow, RoleRow};
use crate::schema::roles;
use crate::statement::{Bind, OnConflictDoNothing, Statement};
use crate::transaction::Transaction;

impl auth::Roles for Transaction<'_> {
    fn find_many(&mut self, tenant: TenantId, ids: &[RoleId]) -> StoreResult<Vec<Role>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // a tenant has few roles: one index and one prepared statement serve every set of ids
        let mut roles = office::Roles::list(self, tenant)?;
        roles.retain(|role| ids.contains(&role.id));
        Ok(roles)
    }
}

// an unchanged name keeps its earlier key as long as the newer one belongs to another role
const UPDATE: &str = "UPDATE roles SET name = $3, label = $5, description = $6, rights = $7, environments = $8, \
     folded = CASE WHEN name = $3 AND EXISTS (SELECT 1 FROM roles other WHERE other.tenant_id = roles.tenant_id \
     AND other.folded = $4 AND other.id <> roles.id) THEN folded ELSE $4 END, \
     version = version + 1 WHERE id = $1 AND version = $2 \
     AND (name = $3 OR NOT EXISTS (SELECT 1 FROM roles other WHERE other.tenant_id = roles.tenant_id \
     AND other.folded IN ($4, $9) AND other.id <> roles.id))";
/// Locks the role if it has this version and is not in use.
const LOCK_UNUSED_ROLE: &str = "UPDATE roles SET version = version WHERE id = $1 AND version = $2 \
     AND NOT EXISTS (SELECT 1 FROM user_roles held JOIN users ON users.id = held.user_id \
     WHERE held.role_id = roles.id AND users.status <> 'deleted') \
     AND NOT EXISTS (SELECT 1 FROM user_device_roles held JOIN users ON users.id = held.user_id \
     WHERE held.role_id = roles.id AND users.status <> 'deleted') \
     AND NOT EXISTS (SELECT 1 FROM device_roles held WHERE held.role_id = roles.id)";
const DELETE_ROLES_OF_DELETED_USERS: [&str; 2] = [
    "DELETE FROM user_roles WHERE role_id = $1 AND user_id IN (SELECT id FROM users \
     WHERE id IN (SELECT user_id FROM user_roles WHERE role_id = $1) AND status = 'deleted')",
    "DELETE FROM user_device_roles WHERE role_id = $1 AND user_id IN (SELECT id FROM users \
     WHERE id IN (SELECT user_id FROM user_device_roles WHERE role_id = $1) AND status = 'deleted')",
];
/// Users come before devices. `$2` is the maximum number of rows.
const SELECT_HOLDERS: &str = "SELECT name, device FROM (\
     SELECT users.id AS id, users.name AS name, FALSE AS device FROM users WHERE users.status <> 'deleted' AND users.id IN (\
     SELECT user_id FROM user_roles WHERE role_id = $1 UNION SELECT user_id FROM user_device_roles WHERE role_id = $1) \
     UNION ALL SELECT devices.id, devices.name, TRUE FROM devices \
     JOIN device_roles held ON held.device_id = devices.id WHERE held.role_id = $1) who ORDER BY device, id LIMIT $2";
const COUNT_HOLDERS: &str = "SELECT (SELECT COUNT(*) FROM users WHERE users.status <> 'deleted' AND users.id IN (\
     SELECT user_id FROM user_roles WHERE role_id = $1 UNION SELECT user_id FROM user_device_roles WHERE role_id = $1)) \
     + (SELECT COUNT(*) FROM device_roles WHERE role_id = $1) AS number";

/// The users and devices that have a role, at most `$2`.
const SELECT_HOLDER_SCOPES: &str = "SELECT id, device FROM (SELECT users.id AS id, FALSE AS device FROM users \
     WHERE users.status <> 'deleted' AND users.id IN (\
     SELECT user_id FROM user_roles WHERE role_id = $1 UNION SELECT user_id FROM user_device_roles WHERE role_id = $1) \
     UNION ALL SELECT device_id, TRUE FROM device_roles WHERE role_id = $1) who LIMIT $2";
/// Waits for transactions that are assigning the role: their foreign keys hold a lock on its row.
const CLAIM: &str = "SELECT id, FALSE AS device FROM roles WHERE id = $1 FOR UPDATE";

/// The id of a user or device that has a role.
#[derive(QueryableByName)]
struct HolderIdRow {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Bool)]
    device: bool,
}

/// The name of a user or device that has a role.
#[derive(QueryableByName)]
struct HolderRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    device: bool,
}

impl office::Roles for Transaction<'_> {
    fn find(&mut self, id: RoleId) -> StoreResult<Option<Role>> {
        let row: Option<RoleRow> = roles::table
            .find(id.0.as_bytes().as_slice())
            .select(RoleRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        row.map(RoleRow::into_domain).transpose()
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &RoleName) -> StoreResult<Option<Role>> {
        for key in lookup_keys(&name.to_folded()) {
            let row: Option<RoleRow> = roles::table
                .filter(roles::tenant_id.eq(tenant.0.as_bytes().as_slice()))
                .filter(roles::folded.eq(key))
                .select(RoleRow::as_select())
                .get_result(self.connection)
                .optional()
                .map_err(classify)?;
            if let Some(row) = row {
                return row.into_domain().map(Some);
            }
        }
        Ok(None)
    }

    fn insert(&mut self, role: &Role) -> StoreResult<bool> {
        // the unique index covers the newer key only
        if role.name.to_folded().legacy_key().is_some()
            && office::Roles::find_by_name(self, role.tenant, &role.name)?.is_some()
        {
            return Ok(false);
        }
        let insert = diesel::insert_into(roles::table).values(RoleRow::from_domain(role)?);
        Ok(OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(classify)? == 1)
    }

    fn update(&mut self, role: &Role) -> StoreResult<bool> {
        let (row, name) = (RoleRow::from_domain(role)?, role.name.to_folded());
        let binds = [
            Bind::from(&role.id.0),
            role.version.into(),
            role.name.as_str().into(),
            row.folded.as_str().into(),
            role.label.as_str().into(),
            role.description.as_str().into(),
            row.rights.as_str().into(),
            row.environments.as_str().into(),
            name.legacy_key().unwrap_or(name.as_str()).into(),
        ];
        Ok(Statement::new(UPDATE, binds).execute(self.write_connection()?).map_err(unique_violation_as_conflict)? == 1)
    }

    fn remove(&mut self, id: RoleId, version: i64) -> StoreResult<bool> {
        if self.execute(&Statement::new(LOCK_UNUSED_ROLE, [Bind::from(&id.0), version.into()]))? == 0 {
            return Ok(false);
        }
        for text in DELETE_ROLES_OF_DELETED_USERS {
            self.execute(&Statement::new(text, [Bind::from(&id.0)]))?;
        }
        // a transaction that is assigning the role holds a lock on its row; its foreign key is
        // checked once it has committed
        let remove = Statement::new("DELETE FROM roles WHERE id = $1", [Bind::from(&id.0)]);
        Ok(remove.execute(self.write_connection()?).map_err(foreign_key_violation_as_conflict)? == 1)
    }

    fn find_holders(&mut self, id: RoleId, limit: u32) -> StoreResult<RoleHolders> {
        let named = [Bind::from(&id.0), i64::from(limit).into()];
        let found: Vec<HolderRow> = Statement::new(SELECT_HOLDERS, named).load(self.connection).map_err(classify)?;
        let counted: CountRow =
            Statement::new(COUNT_HOLDERS, [Bind::from(&id.0)]).get_result(self.connection).map_err(classify)?;
        let mut holders = RoleHolders { total: counted.count(), ..RoleHolders::default() };
        for HolderRow { name, device } in found {
            if device {
                holders.devices.push(DeviceName::from_stored(name));
            } else {
                holders.users.push(UserName::from_stored(name));
            }
        }
        Ok(holders)
    }

    fn find_holder_scopes(&mut self, id: RoleId, limit: u32) -> StoreResult<Option<Vec<Scope>>> {
        // SQLite runs one writing transaction at a time
        if let AnyConnection::Postgres(_) = self.write_connection()? {
            let claim = Statement::new(CLAIM, [Bind::from(&id.0)]);
            let _: Vec<HolderIdRow> = claim.load(self.connection).map_err(classify)?;
        }
        let binds = [Bind::from(&id.0), i64::from(limit).saturating_add(1).into()];
        let found: Vec<HolderIdRow> =
            Statement::new(SELECT_HOLDER_SCOPES, binds).load(self.connection).map_err(classify)?;
        if found.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let scope = |HolderIdRow { id, device }: &HolderIdRow| {
            let id = Column("user_roles", "user_id").parse_uuid(id)?;
            Ok(if *device { Scope::Device(DeviceId(id)) } else { Scope::User(UserId(id)) })
        };
        found.iter().map(scope).collect::<StoreResult<_>>().map(Some)
    }

    fn list(&mut self, tenant: TenantId) -> StoreResult<Vec<Role>> {
        let rows: Vec<RoleRow> = roles::table
            .filter(roles::tenant_id.eq(tenant.0.as_bytes().as_slice()))
            .order(roles::id)
            .select(RoleRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(RoleRow::into_domain).collect()
    }
}
