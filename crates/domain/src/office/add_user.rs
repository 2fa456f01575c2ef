//! Adds a user, with their roles and, where they have one from the start, their password.

use serde_json::{Map, json};

use super::assignment::{self, DeviceRoles, RolesOn};
use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Field, FieldRefusals, Halt, Refused, decide};
use super::stamp::{Authority, Stamp};
use super::text;
use crate::{
    Action, Assignment, Email, Epoch, KnownRight, PrincipalId, RoleName, Scope, Secret, Store, StoreError, StoreExt,
    Stored, Subject, TenantId, User, UserId, UserName, UserStatus,
};

/// A user who is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Their id.
    pub id: UserId,
    /// The name that they log in under.
    pub name: UserName,
    /// The address that they may log in with instead.
    pub email: Option<Email>,
    /// The name that people read.
    pub display_name: String,
    /// `Pending` or `Active`.
    pub status: UserStatus,
    /// The feature of a virtual user, who has no password.
    pub feature: Option<String>,
    /// Roles without a device, by name.
    pub roles: Vec<RoleName>,
    /// Roles on devices, by name.
    pub devices: Vec<RolesOn>,
    /// The hash of the password, made outside.
    pub verifier: Option<Secret<String>>,
    /// Whether they must change the password at the next login.
    pub password_change_required: bool,
}

/// Adds the user. The name is unique in the tenant, the e-mail address over the server. Asks the right `userCreate`, and every
/// right that the user gets.
pub fn add_user(store: &dyn Store<OfficeView>, tenant: TenantId, stamp: &Stamp, new: &NewUser) -> Decided<User> {
    store.write(|tx| decide(add(tx, tenant, stamp, new, Action::UserAdd)))
}

/// Refuses whoever may add nobody, before a password is hashed for it.
pub fn may_add_user(authority: &Authority) -> Result<(), Refused> {
    authority.ask(KnownRight::UserCreate)
}

pub(super) fn add(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    new: &NewUser,
    action: Action,
) -> Result<User, Halt> {
    may_add_user(&stamp.authority)?;
    new.name.check_new().map_err(|why| Refused::Invalid { field: Field::UserName, why })?;
    text::check_name(Field::DisplayName, &new.display_name, text::LABEL)?;
    if let Some(email) = &new.email {
        check_name_first(tx, tenant, &new.name, new.id)?;
        check_email(tx, email, new.id)?;
    }
    if let Some(feature) = &new.feature {
        text::check_name(Field::Feature, feature, text::LABEL)?;
        if new.verifier.is_some() || new.password_change_required {
            return Err(Refused::Virtual.into());
        }
    }
    let mut refusals = FieldRefusals::default();
    if !matches!(new.status, UserStatus::Pending | UserStatus::Active) {
        refusals.add(Refused::Status { from: UserStatus::Pending.name(), to: new.status.name() });
    }
    let roles = tx.roles().list(tenant)?;
    let devices = DeviceRoles::Replace(new.devices.clone());
    let before = Assignment::default();
    let resolved = assignment::resolve(tx, tenant, &roles, &before, Some(new.roles.as_slice()), &devices);
    let assignment = refusals.gather(resolved)?.unwrap_or_default();
    refusals.checked()?;
    stamp.authority.cover(&assignment::rights(&assignment, &roles))?;
    let user = User {
        id: new.id,
        tenant,
        name: new.name.clone(),
        email: new.email.clone(),
        display_name: new.display_name.trim().to_owned(),
        status: new.status,
        feature: new.feature.clone(),
        assignment,
        password_change_required: new.password_change_required,
        epoch: Epoch::default(),
        created_at: stamp.at,
        updated_at: stamp.at,
        version: 1,
    };
    if !tx.users().insert(&user)? {
        return Err(taken(tx, &user)?.into());
    }
    if let Some(verifier) = &new.verifier {
        tx.passwords().set(PrincipalId::User(user.id), verifier, stamp.at)?;
    }
    tx.endings().touch(Scope::User(user.id), stamp.at)?;
    let mut details = Map::from_iter([
        ("user_name".to_owned(), json!(user.name.as_str())),
        ("status".to_owned(), json!(user.status.name())),
        ("roles".to_owned(), json!(new.roles)),
        ("devices".to_owned(), assignment::told(&new.devices)),
    ]);
    if user.password_change_required {
        details.insert(Field::PasswordChangeRequired.name().to_owned(), json!(true));
    }
    tx.audit().tell(&stamp.done(tenant, action, Subject::User(user.id), details))?;
    Ok(user)
}

/// Refuses a name that somebody has, before the address beside it is looked at: of two that are taken the name is reported.
pub(super) fn check_name_first(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    name: &UserName,
    whose: UserId,
) -> Result<(), Halt> {
    if tx.users().named(tenant, &name.folded())?.is_some_and(|other| other.id != whose) {
        return Err(Refused::Taken { field: Field::UserName, value: name.to_string() }.into());
    }
    Ok(())
}

/// Refuses an address that is entered anew where no mail can be sent to it, or somebody has it in another form of its domain.
pub(super) fn check_email(tx: &mut dyn OfficeTx, email: &Email, whose: UserId) -> Result<(), Halt> {
    email.check_new().map_err(|why| Refused::Invalid { field: Field::Email, why })?;
    if by_email(tx, email.as_str())?.is_some_and(|other| other.id != whose) {
        return Err(Refused::Taken { field: Field::Email, value: email.to_string() }.into());
    }
    Ok(())
}

/// Whoever has this e-mail address, under each form that it may be kept under.
pub(super) fn by_email(tx: &mut dyn OfficeTx, email: &str) -> Stored<Option<User>> {
    for key in Email::keys_of(email) {
        if let Some(user) = tx.users().mailed(&key)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Which name stood in the way of this user; a conflict where it is gone again.
pub(super) fn taken(tx: &mut dyn OfficeTx, user: &User) -> Result<Refused, StoreError> {
    let other = |found: Option<User>| found.is_some_and(|found| found.id != user.id);
    if other(tx.users().named(user.tenant, &user.name.folded())?) {
        return Ok(Refused::Taken { field: Field::UserName, value: user.name.to_string() });
    }
    if let Some(email) = &user.email
        && other(by_email(tx, email.as_str())?)
    {
        return Ok(Refused::Taken { field: Field::Email, value: email.to_string() });
    }
    Err(StoreError::Conflict("the user was changed meanwhile".to_owned()))
}
