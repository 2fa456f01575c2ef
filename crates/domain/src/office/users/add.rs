//! Adds a user, with roles and, optionally, a password.

use serde_json::{Map, json};

use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::assignment::{self, DeviceRoleAssignment, DeviceRolesChange};
use crate::office::{Office, text};
use crate::{
    Action, Assignment, Email, Epoch, KnownRight, Locale, MissingRight, PrincipalId, RoleName, Scope, Secret,
    StoreError, StoreExt, StoreResult, Subject, TenantId, User, UserId, UserName, UserStatus,
};

/// The user to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The identifier of the user.
    pub id: UserId,
    /// The name with which the user logs in.
    pub name: UserName,
    /// The e-mail address with which the user can log in instead.
    pub email: Option<Email>,
    /// The name for people.
    pub display_name: String,
    /// The first status: `Pending` or `Active`.
    pub status: UserStatus,
    /// The feature of a virtual user, which has no password.
    pub feature: Option<String>,
    /// The names of the roles without a device.
    pub roles: Vec<RoleName>,
    /// The names of the devices, with the roles on them.
    pub devices: Vec<DeviceRoleAssignment>,
    /// The verifier of the password, computed by the caller.
    pub verifier: Option<Secret<String>>,
    /// Whether the user must change the password at the next login.
    pub password_change_required: bool,
    /// The language of the user; `None` for that of the tenant.
    pub locale: Option<Locale>,
}

impl Office<'_> {
    /// Adds the user. The name is unique in the tenant, the e-mail address among all tenants.
    /// Requires the right `userCreate`, and every right that the user gets.
    pub fn add_user(&self, new: &NewUser) -> UseCaseResult<User> {
        self.store.write("add_user", |tx| commit_refusal(add(tx, self, new, Action::UserAdd)))
    }

    /// Checks the right to add users, before a password is hashed for one.
    pub fn authorize_add_user(&self) -> Result<(), MissingRight> {
        self.require(KnownRight::UserCreate)
    }
}

pub(in crate::office) fn add(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    new: &NewUser,
    action: Action,
) -> Result<User, UseCaseError> {
    office.authorize_add_user()?;
    new.name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::UserName, why })?;
    text::check_name(FieldName::DisplayName, &new.display_name, text::MAX_LABEL_CHARS)?;
    if let Some(email) = &new.email {
        check_name_free(tx, office.tenant, &new.name, new.id)?;
        check_email(tx, email, new.id)?;
    }
    if let Some(feature) = &new.feature {
        text::check_name(FieldName::Feature, feature, text::MAX_LABEL_CHARS)?;
        if new.verifier.is_some() || new.password_change_required {
            return Err(OfficeError::VirtualUser(new.name.clone()).into());
        }
    }
    let mut refusals = FieldRefusals::default();
    if !matches!(new.status, UserStatus::Pending | UserStatus::Active) {
        refusals.add(OfficeError::InvalidStatusTransition { from: UserStatus::Pending.name(), to: new.status.name() });
    }
    let roles = tx.roles().list(office.tenant)?;
    let devices = DeviceRolesChange::Replace(new.devices.clone());
    let before = Assignment::default();
    let resolved =
        assignment::resolve_assignment(tx, office.tenant, &roles, &before, Some(new.roles.as_slice()), &devices);
    let assignment = refusals.gather(resolved)?.unwrap_or_default();
    refusals.checked()?;
    office.require_all(&assignment::collect_assigned_rights(&assignment, &roles))?;
    if assignment != before || new.verifier.is_some() {
        office.require_recent_proof()?;
    }
    let user = User {
        id: new.id,
        tenant: office.tenant,
        name: new.name.clone(),
        email: new.email.clone(),
        email_verified_at: None,
        display_name: new.display_name.trim().to_owned(),
        status: new.status,
        feature: new.feature.clone(),
        assignment,
        password_change_required: new.password_change_required,
        locale: new.locale.clone(),
        last_login_at: None,
        epoch: Epoch::default(),
        created_at: office.context.at,
        updated_at: office.context.at,
        version: 1,
    };
    if !tx.users().insert(&user)? {
        return Err(find_conflict(tx, &user)?.into());
    }
    if let Some(verifier) = &new.verifier {
        tx.passwords().set(PrincipalId::User(user.id), verifier, office.context.at)?;
    }
    tx.revocations().invalidate(Scope::User(user.id), office.context.at)?;
    let mut details = Map::from_iter([
        ("user_name".to_owned(), json!(user.name.as_str())),
        ("status".to_owned(), json!(user.status.name())),
        ("roles".to_owned(), json!(new.roles)),
        ("devices".to_owned(), assignment::audit_details(&new.devices)),
    ]);
    if user.password_change_required {
        details.insert(FieldName::PasswordChangeRequired.name().to_owned(), json!(true));
    }
    tx.audit().record(&office.build_event(action, Subject::User(user.id), details))?;
    Ok(user)
}

/// Checks that the name is not in use. It is checked before the e-mail address, so that the name is
/// reported if both are in use.
pub(in crate::office) fn check_name_free(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    name: &UserName,
    owner: UserId,
) -> Result<(), UseCaseError> {
    if tx.users().find_by_name(tenant, &name.to_folded())?.is_some_and(|other| other.id != owner) {
        return Err(OfficeError::AlreadyExists { field: FieldName::UserName, value: name.to_string() }.into());
    }
    Ok(())
}

/// Checks that a new address is deliverable, and that no other user has it in another form of its
/// domain.
pub(in crate::office) fn check_email(tx: &mut dyn OfficeTx, email: &Email, owner: UserId) -> Result<(), UseCaseError> {
    email.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Email, why })?;
    if find_by_email(tx, email.as_str())?.is_some_and(|other| other.id != owner) {
        return Err(OfficeError::AlreadyExists { field: FieldName::Email, value: email.to_string() }.into());
    }
    Ok(())
}

/// The user with this e-mail address, under any key under which it may be stored.
pub(in crate::office) fn find_by_email(tx: &mut dyn OfficeTx, email: &str) -> StoreResult<Option<User>> {
    for key in Email::lookup_keys_of(email) {
        if let Some(user) = tx.users().find_by_email(&key)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Which unique value of this user is in use; a conflict if none is any more.
pub(in crate::office) fn find_conflict(tx: &mut dyn OfficeTx, user: &User) -> Result<OfficeError, StoreError> {
    let other = |found: Option<User>| found.is_some_and(|found| found.id != user.id);
    if other(tx.users().find_by_name(user.tenant, &user.name.to_folded())?) {
        return Ok(OfficeError::AlreadyExists { field: FieldName::UserName, value: user.name.to_string() });
    }
    if let Some(email) = &user.email
        && other(find_by_email(tx, email.as_str())?)
    {
        return Ok(OfficeError::AlreadyExists { field: FieldName::Email, value: email.to_string() });
    }
    Err(StoreError::Conflict("the user was changed in the meantime".to_owned()))
}
