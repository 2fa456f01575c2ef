//! The set-up of the first administrator: with the one-time token of the server, while no user
//! exists.

use crate::office::context::AuditContext;
use crate::office::devices::add::{self as add_device, NewDevice};
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx, SetupTokenDigest};
use crate::office::tenants::change::{self as change_tenant, TenantChange};
use crate::office::users::add::{self as add_user, NewUser, check_email};
use crate::office::{Office, text};
use crate::{Action, DeviceStatus, Instant, SessionLimits, Store, StoreError, StoreExt, StoreResult, TenantId, User};

/// What to set up.
#[derive(Clone, Debug, PartialEq)]
pub struct SetUp {
    /// The tenant that gets its first administrator.
    pub tenant: TenantId,
    /// The digest of the token that was presented.
    pub token: SetupTokenDigest,
    /// Name, time zone and language of the tenant.
    pub change: TenantChange,
    /// The first administrator.
    pub admin: NewUser,
    /// The first till, if one is named.
    pub till: Option<NewDevice>,
}

/// The audit contexts of a set-up: it records one event for each part.
#[derive(Clone, Debug)]
pub struct SetUpContexts {
    /// For the change of the tenant.
    pub tenant: AuditContext,
    /// For the administrator.
    pub admin: AuditContext,
    /// For the till.
    pub till: AuditContext,
}

/// The result of a set-up that violates no rule of its fields.
#[derive(Clone, Debug, PartialEq)]
pub enum SetUpOutcome {
    /// The administrator was added, and the token is used up.
    Done(Box<User>),
    /// A user exists: somebody else was faster. Nothing was changed.
    AlreadySetUp,
    /// The token is not the current one. Nothing was changed.
    WrongToken,
}

/// Sets the tenant up in one unit of work, which claims the tenant: of two at once, the second
/// finds the administrator of the first. All invalid fields are reported together. Requires the
/// rights to change the tenant, and to add users and devices.
pub fn set_up_tenant(
    store: &dyn Store<OfficePorts>,
    contexts: &SetUpContexts,
    new: &SetUp,
) -> UseCaseResult<SetUpOutcome> {
    store.write("set_up_tenant", |tx| commit_refusal(run(tx, store, contexts, new)))
}

fn run(
    tx: &mut dyn OfficeTx,
    store: &dyn Store<OfficePorts>,
    contexts: &SetUpContexts,
    new: &SetUp,
) -> Result<SetUpOutcome, UseCaseError> {
    if !tx.tenants().claim(new.tenant)? {
        return Err(OfficeError::NotFound { field: FieldName::Tenant, value: new.tenant.to_string() }.into());
    }
    if tx.users().any_exists()? {
        return Ok(SetUpOutcome::AlreadySetUp);
    }
    if tx.setup_tokens().find()? != Some(new.token) {
        return Ok(SetUpOutcome::WrongToken);
    }
    check_fields(tx, new)?;
    // two set-ups of different tenants claim different rows, but there is one token
    if !tx.setup_tokens().consume(&new.token)? {
        return Err(StoreError::Conflict("the set-up token was used in the meantime".to_owned()).into());
    }
    let office = |context: &AuditContext| Office::new(store, new.tenant, context.clone());
    let unlimited = SessionLimits::default();
    change_tenant::apply(tx, &office(&contexts.tenant), None, &new.change, &unlimited).map_err(abort)?;
    let user = add_user::add(tx, &office(&contexts.admin), &new.admin, Action::UserAdd).map_err(abort)?;
    if let Some(till) = &new.till {
        add_device::add(tx, &office(&contexts.till), till).map_err(abort)?;
    }
    Ok(SetUpOutcome::Done(Box::new(user)))
}

/// Checks everything that can be refused before the first write.
fn check_fields(tx: &mut dyn OfficeTx, new: &SetUp) -> Result<(), UseCaseError> {
    let mut refusals = FieldRefusals::default();
    if let Some(name) = &new.change.name {
        refusals.gather(text::check_name(FieldName::Name, name, text::MAX_LABEL_CHARS))?;
    }
    let named = new.admin.name.check_new();
    refusals.gather(named.map_err(|why| OfficeError::InvalidValue { field: FieldName::UserName, why }))?;
    let display_name = &new.admin.display_name;
    refusals.gather(text::check_name(FieldName::DisplayName, display_name, text::MAX_LABEL_CHARS))?;
    if let Some(email) = &new.admin.email {
        refusals.gather(check_email(tx, email, new.admin.id))?;
    }
    if let Some(till) = &new.till {
        let named = till.name.check_new();
        refusals.gather(named.map_err(|why| OfficeError::InvalidValue { field: FieldName::Device, why }))?;
        let found = tx.devices().find_by_name(new.tenant, &till.name.to_folded())?;
        if found.is_some_and(|device| device.status != DeviceStatus::Retired) {
            let value = till.name.to_string();
            return Err(OfficeError::AlreadyExists { field: FieldName::Device, value }.into());
        }
    }
    Ok(refusals.checked()?)
}

/// Converts an error after the first write to a conflict, which rolls it back: another unit of work
/// has taken a name, and the next run finds it.
fn abort(error: UseCaseError) -> UseCaseError {
    match error {
        UseCaseError::Office(OfficeError::AlreadyExists { value, .. }) => {
            StoreError::Conflict(format!("\"{value}\" was taken in the meantime")).into()
        }
        UseCaseError::Office(refused) => {
            StoreError::Fault(format!("the set-up failed after its first write: {refused}")).into()
        }
        failed @ UseCaseError::Store(_) => failed,
    }
}

/// Stores the digest of a new set-up token, which replaces the previous one. Returns false, and
/// stores nothing, if a user exists.
pub fn put_setup_token(store: &dyn Store<OfficePorts>, digest: &SetupTokenDigest, at: Instant) -> StoreResult<bool> {
    store.write("put_setup_token", |tx| {
        if tx.users().any_exists()? {
            return Ok(false);
        }
        tx.setup_tokens().put(digest, at)?;
        Ok(true)
    })
}

/// The digest of the set-up token; `None` if there is none, or if a user exists.
pub fn find_setup_token(store: &dyn Store<OfficePorts>) -> StoreResult<Option<SetupTokenDigest>> {
    store.read("find_setup_token", |tx| if tx.users().any_exists()? { Ok(None) } else { tx.setup_tokens().find() })
}
