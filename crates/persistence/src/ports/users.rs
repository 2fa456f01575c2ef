//! Users: found and claimed by a login, changed by the back office. One user, or one page of users,
//! is read with two queries.

mod search;

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Nullable, Text};
use tillgate_auth_core::ports::{self as auth, CredentialKind, TillOperator};
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::{
    OffsetPageRequest, PageRequest, RoleHolderFilter, UserCursor, UserFilter, UserOrder,
};
use tillgate_domain::{
    Assignment, DeviceId, Email, Epoch, FoldedText, Instant, Locale, RoleId, StoreResult, TenantId, User, UserId,
    UserName, UserStatus,
};

use super::{foreign_key_violation_as_conflict, lookup_keys, unique_violation_as_conflict};
use crate::error_class::classify;
use crate::row::{Column, CountRow, NewUserRow, UserRow};
use crate::schema::users;
use crate::statement::{Bind, OnConflictDoNothing, Statement, placeholders};
use crate::transaction::Transaction;

/// A role assigned in general, a device, or a role assigned on a device.
#[derive(QueryableByName)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
struct AssignmentRow {
    #[diesel(sql_type = Binary)]
    user_id: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    device_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    role_id: Option<Vec<u8>>,
}

const SELECT_ASSIGNMENTS: &str = "SELECT user_id, NULL AS device_id, role_id FROM user_roles WHERE user_id = $1 \
     UNION ALL SELECT listed.user_id, listed.device_id, held.role_id FROM user_devices listed \
     LEFT JOIN user_device_roles held ON held.user_id = listed.user_id AND held.device_id = listed.device_id \
     WHERE listed.user_id = $1";
const SELECT_ROLES_ON_DEVICE: &str = "SELECT DISTINCT held.role_id FROM user_devices listed \
     JOIN user_device_roles held ON held.user_id = listed.user_id AND held.device_id = listed.device_id \
     WHERE listed.device_id = $1";
const SELECT_OPERATORS: &str = "SELECT users.id, users.name, users.display_name, EXISTS (SELECT 1 FROM credentials \
     WHERE principal_id = users.id AND principal_kind = 'user' AND kind = 'pin' AND credentials.device_id IS NULL) \
     AS has_pin FROM user_devices listed JOIN users ON users.id = listed.user_id \
     WHERE listed.device_id = $1 AND users.status = $2 AND users.feature IS NULL ORDER BY listed.user_id LIMIT $3";
const BUMP_VERSIONS_ON_DEVICE: &str =
    "UPDATE users SET version = version + 1 WHERE id IN (SELECT user_id FROM user_devices WHERE device_id = $1)";
const CLAIM: &str = "UPDATE users SET last_login_at = $4 WHERE id = $1 AND epoch = $2 AND status = $3";
const SET_CHANGE_REQUIRED: &str = "UPDATE users \
     SET password_change_required = ($2 <> 0), updated_at = $3, version = version + 1 \
     WHERE id = $1 AND password_change_required <> ($2 <> 0)";
// an unchanged name keeps its earlier key as long as the newer one belongs to another user
const UPDATE: &str = "UPDATE users SET name = $3, email = $5, display_name = $7, status = $8, \
     folded = CASE WHEN $4 IS NOT NULL AND name = $3 AND folded IS NOT NULL AND EXISTS (SELECT 1 FROM users other \
     WHERE other.tenant_id = users.tenant_id AND other.folded = $4 AND other.id <> users.id) THEN folded ELSE $4 END, \
     email_folded = CASE WHEN $6 IS NOT NULL AND email = $5 AND email_folded IS NOT NULL AND EXISTS (SELECT 1 FROM users other \
     WHERE other.email_folded = $6 AND other.id <> users.id) THEN email_folded ELSE $6 END, \
     feature = $9, updated_at = $10, searched = $11, password_change_required = ($14 <> 0), locale = $15, \
     email_verified_at = $16, version = version + 1 \
     WHERE id = $1 AND version = $2 \
     AND ((name = $3 AND folded IS NOT NULL) OR NOT EXISTS (SELECT 1 FROM users other \
     WHERE other.tenant_id = users.tenant_id AND other.folded IN ($4, $12) AND other.id <> users.id)) \
     AND ((email = $5 AND email_folded IS NOT NULL) OR NOT EXISTS (SELECT 1 FROM users other \
     WHERE other.email_folded IN ($6, $13) AND other.id <> users.id))";

/// A user who may work on a device.
#[derive(QueryableByName)]
struct OperatorRow {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    display_name: String,
    #[diesel(sql_type = Bool)]
    has_pin: bool,
}

/// A role assigned on a device.
#[derive(QueryableByName)]
struct RoleIdRow {
    #[diesel(sql_type = Binary)]
    role_id: Vec<u8>,
}

impl Transaction<'_> {
    fn load_assignments(&mut self, rows: Vec<UserRow>) -> StoreResult<Vec<User>> {
        let ids: Vec<Bind<'_>> = rows.iter().map(|row| Bind::Bytes(&row.id)).collect();
        let found: Vec<AssignmentRow> = match ids.len() {
            0 => return Ok(Vec::new()),
            1 => Statement::new(SELECT_ASSIGNMENTS, ids).load(self.connection),
            many => {
                let text = SELECT_ASSIGNMENTS.replace("= $1", &format!("IN {}", placeholders(1, 1, many)));
                Statement::uncached(text, ids).load(self.connection)
            }
        }
        .map_err(classify)?;
        let mut assignments = BTreeMap::<Vec<u8>, Assignment>::new();
        for AssignmentRow { user_id, device_id, role_id } in found {
            let role =
                |table| Column(table, "role_id").parse_optional_uuid(role_id.as_deref()).map(|id| id.map(RoleId));
            let of = assignments.entry(user_id).or_default();
            match Column("user_devices", "device_id").parse_optional_uuid(device_id.as_deref())? {
                None => of.office.extend(role("user_roles")?),
                Some(id) => of.devices.entry(DeviceId(id)).or_default().extend(role("user_device_roles")?),
            }
        }
        rows.into_iter()
            .map(|row| {
                let assignment = assignments.remove(&row.id).unwrap_or_default();
                row.into_domain(assignment)
            })
            .collect()
    }

    fn insert_assignments(&mut self, user: &User) -> StoreResult<()> {
        let id = Bind::from(&user.id.0);
        let office: Vec<Bind<'_>> = user.assignment.office.iter().flat_map(|role| [id, Bind::from(&role.0)]).collect();
        self.insert_or("user_roles (user_id, role_id)", 2, &office, foreign_key_violation_as_conflict)?;
        let listed = user.assignment.devices.keys();
        let listed: Vec<Bind<'_>> = listed.flat_map(|device| [id, Bind::from(&device.0)]).collect();
        self.insert_or("user_devices (user_id, device_id)", 2, &listed, foreign_key_violation_as_conflict)?;
        let each =
            user.assignment.devices.iter().flat_map(|(device, roles)| roles.iter().map(move |role| (device, role)));
        let each: Vec<Bind<'_>> =
            each.flat_map(|(device, role)| [id, Bind::from(&device.0), Bind::from(&role.0)]).collect();
        self.insert_or("user_device_roles (user_id, device_id, role_id)", 3, &each, foreign_key_violation_as_conflict)
    }
}

impl auth::Users for Transaction<'_> {
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        let rows = users::table
            .find(id.0.as_bytes().as_slice())
            .select(UserRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        Ok(self.load_assignments(rows)?.pop())
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>> {
        for key in lookup_keys(name) {
            let rows = users::table
                .filter(users::tenant_id.eq(tenant.0.as_bytes().as_slice()))
                .filter(users::folded.eq(key))
                .select(UserRow::as_select())
                .load(self.connection)
                .map_err(classify)?;
            if let Some(user) = self.load_assignments(rows)?.pop() {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>> {
        for key in lookup_keys(email) {
            let rows = users::table
                .filter(users::email_folded.eq(key))
                .select(UserRow::as_select())
                .load(self.connection)
                .map_err(classify)?;
            if let Some(user) = self.load_assignments(rows)?.pop() {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    fn claim(&mut self, id: UserId, epoch: Epoch, at: Instant) -> StoreResult<bool> {
        let binds = [Bind::from(&id.0), epoch.0.into(), UserStatus::Active.name().into(), at.into()];
        Ok(self.execute(&Statement::new(CLAIM, binds))? == 1)
    }

    fn clear_password_change_required(&mut self, id: UserId, at: Instant) -> StoreResult<bool> {
        office::Users::set_password_change_required(self, id, false, at)
    }

    fn list_operators(&mut self, device: DeviceId, limit: u32) -> StoreResult<Vec<TillOperator>> {
        let binds = [Bind::from(&device.0), UserStatus::Active.name().into(), i64::from(limit).into()];
        let rows: Vec<OperatorRow> = Statement::new(SELECT_OPERATORS, binds).load(self.connection).map_err(classify)?;
        let to_operator = |row: OperatorRow| {
            Ok(TillOperator {
                id: UserId(Column("users", "id").parse_uuid(&row.id)?),
                name: UserName::from_stored(row.name),
                display_name: row.display_name,
                has_pin: row.has_pin,
            })
        };
        rows.into_iter().map(to_operator).collect()
    }
}

impl office::Users for Transaction<'_> {
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        auth::Users::find(self, id)
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>> {
        auth::Users::find_by_name(self, tenant, name)
    }

    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>> {
        auth::Users::find_by_email(self, email)
    }

    fn find_many_by_email(&mut self, emails: &BTreeSet<FoldedText>) -> StoreResult<Vec<User>> {
        let emails = emails.iter().flat_map(lookup_keys);
        let rows = users::table
            .filter(users::email_folded.eq_any(emails))
            .select(UserRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        self.load_assignments(rows)
    }

    fn insert(&mut self, user: &User) -> StoreResult<bool> {
        let row = NewUserRow::from_domain(user);
        // the unique indexes cover the newer keys only
        let name = Some(user.name.to_folded()).filter(|name| row.row.folded.is_some() && name.legacy_key().is_some());
        if let Some(name) = name
            && auth::Users::find_by_name(self, user.tenant, &name)?.is_some()
        {
            return Ok(false);
        }
        let email = user.email.as_ref().map(Email::lookup_key);
        if let Some(email) = email.filter(|email| row.row.email_folded.is_some() && email.legacy_key().is_some())
            && auth::Users::find_by_email(self, &email)?.is_some()
        {
            return Ok(false);
        }
        let insert = diesel::insert_into(users::table).values(row);
        if OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(classify)? == 0 {
            return Ok(false);
        }
        self.insert_assignments(user)?;
        Ok(true)
    }

    fn update(&mut self, user: &User) -> StoreResult<bool> {
        let NewUserRow { row, searched } = NewUserRow::from_domain(user);
        let used = |key: &Option<String>, name: Option<FoldedText>| {
            name.filter(|_| key.is_some()).and_then(|name| name.legacy_key().map(str::to_owned))
        };
        let former = used(&row.folded, Some(user.name.to_folded()));
        let former_email = used(&row.email_folded, user.email.as_ref().map(Email::lookup_key));
        let binds = [
            Bind::from(&user.id.0),
            user.version.into(),
            user.name.as_str().into(),
            row.folded.as_deref().into(),
            user.email.as_ref().map(Email::as_str).into(),
            row.email_folded.as_deref().into(),
            user.display_name.as_str().into(),
            user.status.name().into(),
            user.feature.as_deref().into(),
            user.updated_at.into(),
            searched.as_str().into(),
            former.as_deref().or(row.folded.as_deref()).into(),
            former_email.as_deref().or(row.email_folded.as_deref()).into(),
            i64::from(user.password_change_required).into(),
            user.locale.as_ref().map(Locale::as_str).into(),
            user.email_verified_at.into(),
        ];
        if Statement::new(UPDATE, binds).execute(self.write_connection()?).map_err(unique_violation_as_conflict)? == 0 {
            return Ok(false);
        }
        let id = [Bind::from(&user.id.0)];
        self.execute(&Statement::new("DELETE FROM user_roles WHERE user_id = $1", id))?;
        self.execute(&Statement::new("DELETE FROM user_device_roles WHERE user_id = $1", id))?;
        self.execute(&Statement::new("DELETE FROM user_devices WHERE user_id = $1", id))?;
        self.insert_assignments(user)?;
        Ok(true)
    }

    fn set_password_change_required(&mut self, id: UserId, required: bool, at: Instant) -> StoreResult<bool> {
        let binds = [Bind::from(&id.0), i64::from(required).into(), at.into()];
        Ok(self.execute(&Statement::new(SET_CHANGE_REQUIRED, binds))? == 1)
    }

    fn list(&mut self, tenant: TenantId, page: &PageRequest<UserId>) -> StoreResult<Vec<User>> {
        let after = page.after.map_or(uuid::Uuid::nil(), |id| id.0);
        let rows = users::table
            .filter(users::tenant_id.eq(tenant.0.as_bytes().as_slice()))
            .filter(users::id.gt(after.as_bytes().as_slice()))
            .order(users::id)
            .limit(i64::from(page.limit))
            .select(UserRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        self.load_assignments(rows)
    }

    fn search(
        &mut self,
        tenant: TenantId,
        filter: &UserFilter,
        order: UserOrder,
        part: &OffsetPageRequest<UserCursor>,
    ) -> StoreResult<Vec<User>> {
        search::search_page(self, tenant, filter, order, part)
    }

    fn count(&mut self, tenant: TenantId, filter: &UserFilter) -> StoreResult<u64> {
        search::count_users(self, tenant, filter)
    }

    fn any_exists(&mut self) -> StoreResult<bool> {
        let found = users::table.filter(users::folded.is_not_null());
        diesel::select(diesel::dsl::exists(found)).get_result(self.connection).map_err(classify)
    }

    fn count_holders(&mut self, tenant: TenantId, of: &RoleHolderFilter<'_>) -> StoreResult<u64> {
        if of.roles.is_empty() {
            return Ok(0);
        }
        let among = placeholders(6, 1, of.roles.len());
        // from the holders of the roles to whether they can log in, in this order (SQLite keeps the
        // order of a CROSS JOIN): few users have the roles of an admin. `active` is the same word
        // for users and devices
        let text = format!(
            "SELECT COUNT(*) AS number FROM (\
             SELECT user_id FROM user_roles WHERE role_id IN {among} UNION \
             SELECT held.user_id FROM user_device_roles held JOIN devices ON devices.id = held.device_id \
             WHERE held.role_id IN {among} AND devices.status = $2 AND devices.id <> $4) who CROSS JOIN users \
             WHERE users.id = who.user_id AND users.tenant_id = $1 AND users.status = $2 AND users.id <> $3 AND EXISTS (\
             SELECT 1 FROM credentials WHERE principal_id = users.id AND principal_kind = 'user' AND kind = $5 \
             AND device_id IS NULL)"
        );
        // no id is nil
        let nobody = of.except_user.map_or(uuid::Uuid::nil(), |user| user.0);
        let nowhere = of.except_device.map_or(uuid::Uuid::nil(), |device| device.0);
        let active = UserStatus::Active.name();
        let kind = CredentialKind::Password.name();
        let mut binds =
            vec![Bind::from(&tenant.0), active.into(), Bind::from(&nobody), Bind::from(&nowhere), kind.into()];
        binds.extend(of.roles.iter().map(|role| Bind::from(&role.0)));
        let counted: CountRow = Statement::uncached(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(counted.count())
    }

    fn find_roles_on_device(&mut self, device: DeviceId) -> StoreResult<BTreeSet<RoleId>> {
        let id = [Bind::from(&device.0)];
        let found: Vec<RoleIdRow> =
            Statement::new(SELECT_ROLES_ON_DEVICE, id).load(self.connection).map_err(classify)?;
        found.iter().map(|row| Column("user_device_roles", "role_id").parse_uuid(&row.role_id).map(RoleId)).collect()
    }

    fn remove_device(&mut self, device: DeviceId) -> StoreResult<()> {
        let id = [Bind::from(&device.0)];
        self.execute(&Statement::new(BUMP_VERSIONS_ON_DEVICE, id))?;
        self.execute(&Statement::new("DELETE FROM user_devices WHERE device_id = $1", id)).map(drop)
    }
}
