//! Invites a user to choose a password, so that nobody else knows it: a token that works once, for a
//! day.

use std::time::Duration;

use serde_json::{Map, json};

use crate::office::Office;
use crate::office::context::AuditContext;
use crate::office::error::{OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{Invitation, InvitationDigest, OfficePorts, OfficeTx};
use crate::office::users::change::load_user;
use crate::office::users::last_admin::claim_tenant;
use crate::office::users::password::{PasswordOptions, authorize_set, replace_password};
use crate::{
    Action, Instant, KnownRight, PrincipalId, Secret, Store, StoreError, StoreExt, StoreResult, Subject, TenantId,
    User, UserId, UserStatus,
};

/// The lifetime of an invitation.
const INVITATION_LIFETIME: Duration = Duration::from_hours(24);

impl Office<'_> {
    /// Invites a user to choose a password, with the token of this digest. A previous invitation of the
    /// user is void. Nothing else changes: a password and sessions stay until the user accepts.
    ///
    /// Requires what [`set_password`](Self::set_password) requires. A suspended user is denied.
    pub fn invite_user(&self, id: UserId, digest: InvitationDigest) -> UseCaseResult<Invitation> {
        self.store.write("invite_user", |tx| commit_refusal(invite(tx, self, id, digest)))
    }
}

fn invite(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: UserId,
    digest: InvitationDigest,
) -> Result<Invitation, UseCaseError> {
    office.require(KnownRight::UserUpdate)?;
    // A suspension locks the tenant, too: it is found here, or removes the invitation.
    claim_tenant(tx, office.tenant)?;
    authorize_set(tx, office, PrincipalId::User(id))?;
    let user = load_user(tx, office.tenant, id)?;
    if !can_accept(&user) {
        return Err(OfficeError::UserSuspended(user.name).into());
    }
    let created_at = office.context.at;
    let invitation =
        Invitation { digest, user: id, created_at, expires_at: created_at.saturating_add(INVITATION_LIFETIME) };
    tx.invitations().insert_or_replace(&invitation)?;
    tx.audit().record(&office.build_event(Action::UserInvite, Subject::User(id), Map::new()))?;
    Ok(invitation)
}

/// Whether a user can choose a password by an invitation.
fn can_accept(user: &User) -> bool {
    matches!(user.status, UserStatus::Active | UserStatus::Pending) && !user.is_virtual()
}

/// The user whose password the token with this digest can set now; with `tenant`, only a user of it.
pub fn find_invited_user(
    store: &dyn Store<OfficePorts>,
    tenant: Option<TenantId>,
    digest: &InvitationDigest,
    now: Instant,
) -> StoreResult<Option<User>> {
    store.read("find_invited_user", |tx| find_user(tx, tenant, digest, now))
}

fn find_user(
    tx: &mut dyn OfficeTx,
    tenant: Option<TenantId>,
    digest: &InvitationDigest,
    now: Instant,
) -> StoreResult<Option<User>> {
    let invitation = tx.invitations().find(digest)?.filter(|invitation| invitation.expires_at > now);
    let Some(invitation) = invitation else { return Ok(None) };
    let user = tx.users().find(invitation.user)?.filter(can_accept);
    Ok(user.filter(|user| tenant.is_none_or(|tenant| tenant == user.tenant)))
}

/// Sets the password that the user chose with the token of this digest; the caller computes the
/// verifier. Consumes the token, activates a user who was pending, and ends sessions as every new
/// password does. API keys stay active. `None` if the token is not valid.
pub fn accept_invitation(
    store: &dyn Store<OfficePorts>,
    context: &AuditContext,
    tenant: Option<TenantId>,
    digest: &InvitationDigest,
    verifier: &Secret<String>,
) -> StoreResult<Option<User>> {
    store.write("accept_invitation", |tx| {
        let Some(user) = find_user(tx, tenant, digest, context.at)? else { return Ok(None) };
        // Of two concurrent calls with the same token, one consumes it.
        if !tx.invitations().consume(digest)? {
            return Ok(None);
        }
        let mut details = Map::from_iter([("why".to_owned(), json!("invitation"))]);
        let activates = user.status == UserStatus::Pending;
        if activates {
            let change = json!({ "from": user.status.name(), "to": UserStatus::Active.name() });
            details.insert("status".to_owned(), change);
        }
        let principal = PrincipalId::User(user.id);
        let options = PasswordOptions::default();
        // This locks the user, so that the status that is read afterwards stays.
        let replaced = replace_password(tx, user.tenant, context, principal, verifier, options, details)?;
        let current = tx.users().find(user.id)?.filter(|current| current.status == user.status);
        let (Some(_), Some(current)) = (replaced, current) else { return Err(changed_meanwhile()) };
        if !activates {
            return Ok(Some(current));
        }
        let active = User { status: UserStatus::Active, updated_at: context.at, ..current };
        if tx.users().update(&active)? { Ok(Some(active)) } else { Err(changed_meanwhile()) }
    })
}

fn changed_meanwhile() -> StoreError {
    StoreError::Conflict("the invited user was changed in the meantime".to_owned())
}

/// Removes at most `limit` invitations that have expired. Returns their number.
pub fn sweep_invitations(store: &dyn Store<OfficePorts>, now: Instant, limit: u32) -> StoreResult<u32> {
    store.write("sweep_invitations", |tx| tx.invitations().sweep(now, limit))
}
