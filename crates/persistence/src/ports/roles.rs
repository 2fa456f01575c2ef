//! Roles: those among some for a login, all of a tenant for the back office.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Text};
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::Holders;
use tillgate_domain::{DeviceId, DeviceName, Role, RoleId, RoleName, Scope, Stored, TenantId, UserId, UserName};

use super::{contested, held, keys};
use crate::connection::AnyConnection;
use crate::failure::classify;
use crate::row::{Cell, Counted, RoleRow};
use crate::schema::roles;
use crate::statement::{Bind, OrNothing, Statement};
use crate::transaction::Transaction;

impl auth::Roles for Transaction<'_> {
    fn among(&mut self, tenant: TenantId, ids: &[RoleId]) -> Stored<Vec<Role>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // a tenant has few roles: one index and one prepared statement serve every set of ids
        let mut held = office::Roles::list(self, tenant)?;
        held.retain(|role| ids.contains(&role.id));
        Ok(held)
    }
}

// a name that stays keeps the key that it has as long as the newer one is another's
const UPDATE: &str = "UPDATE roles SET name = $3, label = $5, description = $6, rights = $7, environments = $8, \
     folded = CASE WHEN name = $3 AND EXISTS (SELECT 1 FROM roles other WHERE other.tenant_id = roles.tenant_id \
     AND other.folded = $4 AND other.id <> roles.id) THEN folded ELSE $4 END, \
     version = version + 1 WHERE id = $1 AND version = $2 \
     AND (name = $3 OR NOT EXISTS (SELECT 1 FROM roles other WHERE other.tenant_id = roles.tenant_id \
     AND other.folded IN ($4, $9) AND other.id <> roles.id))";
/// The role, where it has this version and nobody holds it who is not deleted.
const FREE: &str = "UPDATE roles SET version = version WHERE id = $1 AND version = $2 \
     AND NOT EXISTS (SELECT 1 FROM user_roles held JOIN users ON users.id = held.user_id \
     WHERE held.role_id = roles.id AND users.status <> 'deleted') \
     AND NOT EXISTS (SELECT 1 FROM user_device_roles held JOIN users ON users.id = held.user_id \
     WHERE held.role_id = roles.id AND users.status <> 'deleted') \
     AND NOT EXISTS (SELECT 1 FROM device_roles held WHERE held.role_id = roles.id)";
const OF_DELETED: [&str; 2] = [
    "DELETE FROM user_roles WHERE role_id = $1 AND user_id IN (SELECT id FROM users \
     WHERE id IN (SELECT user_id FROM user_roles WHERE role_id = $1) AND status = 'deleted')",
    "DELETE FROM user_device_roles WHERE role_id = $1 AND user_id IN (SELECT id FROM users \
     WHERE id IN (SELECT user_id FROM user_device_roles WHERE role_id = $1) AND status = 'deleted')",
];
/// Users come before devices. `$2` is how many.
const HELD: &str = "SELECT name, device FROM (\
     SELECT users.id AS id, users.name AS name, FALSE AS device FROM users WHERE users.status <> 'deleted' AND users.id IN (\
     SELECT user_id FROM user_roles WHERE role_id = $1 UNION SELECT user_id FROM user_device_roles WHERE role_id = $1) \
     UNION ALL SELECT devices.id, devices.name, TRUE FROM devices \
     JOIN device_roles held ON held.device_id = devices.id WHERE held.role_id = $1) who ORDER BY device, id LIMIT $2";
const COUNT: &str = "SELECT (SELECT COUNT(*) FROM users WHERE users.status <> 'deleted' AND users.id IN (\
     SELECT user_id FROM user_roles WHERE role_id = $1 UNION SELECT user_id FROM user_device_roles WHERE role_id = $1)) \
     + (SELECT COUNT(*) FROM device_roles WHERE role_id = $1) AS number";

/// Everybody who holds a role, `$2` of them at most.
const SCOPES: &str = "SELECT id, device FROM (SELECT users.id AS id, FALSE AS device FROM users \
     WHERE users.status <> 'deleted' AND users.id IN (\
     SELECT user_id FROM user_roles WHERE role_id = $1 UNION SELECT user_id FROM user_device_roles WHERE role_id = $1) \
     UNION ALL SELECT device_id, TRUE FROM device_roles WHERE role_id = $1) who LIMIT $2";
/// The foreign key of whoever is being given the role holds its row until they have committed.
const CLAIM: &str = "SELECT id, FALSE AS device FROM roles WHERE id = $1 FOR UPDATE";

/// Somebody who holds a role, by id.
#[derive(QueryableByName)]
struct HolderId {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Bool)]
    device: bool,
}

/// Somebody who holds a role.
#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    device: bool,
}

impl office::Roles for Transaction<'_> {
    fn find(&mut self, id: RoleId) -> Stored<Option<Role>> {
        let row: Option<RoleRow> = roles::table
            .find(id.0.as_bytes().as_slice())
            .select(RoleRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        row.map(RoleRow::role).transpose()
    }

    fn named(&mut self, tenant: TenantId, name: &RoleName) -> Stored<Option<Role>> {
        for key in keys(&name.folded()) {
            let row: Option<RoleRow> = roles::table
                .filter(roles::tenant_id.eq(tenant.0.as_bytes().as_slice()))
                .filter(roles::folded.eq(key))
                .select(RoleRow::as_select())
                .get_result(self.connection)
                .optional()
                .map_err(classify)?;
            if let Some(row) = row {
                return row.role().map(Some);
            }
        }
        Ok(None)
    }

    fn insert(&mut self, role: &Role) -> Stored<bool> {
        // the unique index asks about the newer key alone
        if role.name.folded().former().is_some() && office::Roles::named(self, role.tenant, &role.name)?.is_some() {
            return Ok(false);
        }
        let insert = diesel::insert_into(roles::table).values(RoleRow::of(role)?);
        Ok(OrNothing(insert).execute(self.writing()?).map_err(classify)? == 1)
    }

    fn update(&mut self, role: &Role) -> Stored<bool> {
        let (row, name) = (RoleRow::of(role)?, role.name.folded());
        let binds = [
            Bind::from(&role.id.0),
            role.version.into(),
            role.name.as_str().into(),
            row.folded.as_str().into(),
            role.label.as_str().into(),
            role.description.as_str().into(),
            row.rights.as_str().into(),
            row.environments.as_str().into(),
            name.former().unwrap_or(name.as_str()).into(),
        ];
        Ok(Statement::new(UPDATE, binds).execute(self.writing()?).map_err(contested)? == 1)
    }

    fn remove(&mut self, id: RoleId, version: i64) -> Stored<bool> {
        if self.run(&Statement::new(FREE, [Bind::from(&id.0), version.into()]))? == 0 {
            return Ok(false);
        }
        for text in OF_DELETED {
            self.run(&Statement::new(text, [Bind::from(&id.0)]))?;
        }
        // whoever is being given it holds its row: their foreign key is checked once they have committed
        let remove = Statement::new("DELETE FROM roles WHERE id = $1", [Bind::from(&id.0)]);
        Ok(remove.execute(self.writing()?).map_err(held)? == 1)
    }

    fn held(&mut self, id: RoleId, limit: u32) -> Stored<Holders> {
        let named = [Bind::from(&id.0), i64::from(limit).into()];
        let found: Vec<Holder> = Statement::new(HELD, named).load(self.connection).map_err(classify)?;
        let counted: Counted =
            Statement::new(COUNT, [Bind::from(&id.0)]).get_result(self.connection).map_err(classify)?;
        let mut holders = Holders { total: counted.number(), ..Holders::default() };
        for Holder { name, device } in found {
            if device {
                holders.devices.push(DeviceName::restored(name));
            } else {
                holders.users.push(UserName::restored(name));
            }
        }
        Ok(holders)
    }

    fn scopes(&mut self, id: RoleId, limit: u32) -> Stored<Option<Vec<Scope>>> {
        // SQLite lets one write at a time
        if let AnyConnection::Postgres(_) = self.writing()? {
            let claim = Statement::new(CLAIM, [Bind::from(&id.0)]);
            let _: Vec<HolderId> = claim.load(self.connection).map_err(classify)?;
        }
        let binds = [Bind::from(&id.0), i64::from(limit).saturating_add(1).into()];
        let found: Vec<HolderId> = Statement::new(SCOPES, binds).load(self.connection).map_err(classify)?;
        if found.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let scope = |HolderId { id, device }: &HolderId| {
            let id = Cell("user_roles", "user_id").uuid(id)?;
            Ok(if *device { Scope::Device(DeviceId(id)) } else { Scope::User(UserId(id)) })
        };
        found.iter().map(scope).collect::<Stored<_>>().map(Some)
    }

    fn list(&mut self, tenant: TenantId) -> Stored<Vec<Role>> {
        let rows: Vec<RoleRow> = roles::table
            .filter(roles::tenant_id.eq(tenant.0.as_bytes().as_slice()))
            .order(roles::id)
            .select(RoleRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(RoleRow::role).collect()
    }
}
