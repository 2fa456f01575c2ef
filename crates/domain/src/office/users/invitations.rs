//! Invites a user to choose a password, so that nobody else knows it: a token that works once, for
//! a day.

use std::time::Duration;

use serde_json::{Map, json};

use crate::office::Office;
use crate::office::context::AuditContext;
use crate::office::error::{OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::mail::remaining_interval;
use crate::office::ports::{Invitation, InvitationDigest, MailKind, OfficePorts, OfficeTx, QueuedMail};
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
    /// Invites a user to choose a password, with the token of this digest. A previous invitation of
    /// the user is void. Nothing else changes: a password and sessions stay until the user accepts.
    ///
    /// The invitation becomes void if the user's roles change, or the rights of one of them: who
    /// has the token would get rights that the inviter may lack.
    ///
    /// Requires what [`set_password`](Self::set_password) requires. A suspended user is denied, and
    /// so is an invitation within a minute after one that was mailed.
    pub fn invite_user(&self, id: UserId, digest: InvitationDigest) -> UseCaseResult<Invitation> {
        self.store.write("invite_user", |tx| commit_refusal(invite(tx, self, id, digest, InvitationDelivery::Shown)))
    }

    /// Invites a user as [`invite_user`](Self::invite_user) does, with a token that is mailed to
    /// the user's e-mail address. The token of `digest` is never valid for anybody: the mail gets a
    /// token of its own. A user without an address, and a second mail within a minute, are denied.
    pub fn invite_user_by_mail(&self, id: UserId, digest: InvitationDigest) -> UseCaseResult<Invitation> {
        self.store.write("invite_user", |tx| commit_refusal(invite(tx, self, id, digest, InvitationDelivery::Mail)))
    }
}

/// How the token of an invitation gets to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InvitationDelivery {
    /// The inviter sees it once, and hands it on.
    Shown,
    /// It is mailed to the user's e-mail address.
    Mail,
}

fn invite(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: UserId,
    digest: InvitationDigest,
    delivery: InvitationDelivery,
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
    // One that is shown would replace the row that tells when the last mail was requested.
    let previous = tx.invitations().find_by_user(id)?.filter(|previous| previous.email.is_some());
    if let Some(retry_after) = previous.and_then(|mailed| remaining_interval(mailed.created_at, created_at)) {
        return Err(OfficeError::MailedRecently { retry_after }.into());
    }
    let email = match delivery {
        InvitationDelivery::Shown => None,
        InvitationDelivery::Mail => Some(user.email.ok_or(OfficeError::EmailMissing(user.name))?),
    };
    let expires_at = created_at.saturating_add(INVITATION_LIFETIME);
    let invitation = Invitation { digest, user: id, email, created_at, expires_at };
    tx.invitations().insert_or_replace(&invitation)?;
    let mut details = Map::new();
    if let Some(email) = &invitation.email {
        tx.mail_queue().insert_or_replace(&QueuedMail {
            kind: MailKind::Invitation,
            user: id,
            email: email.clone(),
            requested_at: created_at,
            expires_at,
            due_at: created_at,
            tries: 0,
        })?;
        details.insert("mailed_to".to_owned(), json!(email));
    }
    tx.audit().record(&office.build_event(Action::UserInvite, Subject::User(id), details))?;
    Ok(invitation)
}

/// Whether a user can choose a password by an invitation.
fn can_accept(user: &User) -> bool {
    matches!(user.status, UserStatus::Active | UserStatus::Pending) && !user.is_virtual()
}

/// The user whose password the token with this digest can set now; with `tenant`, only a user of
/// it.
pub fn find_invited_user(
    store: &dyn Store<OfficePorts>,
    tenant: Option<TenantId>,
    digest: &InvitationDigest,
    now: Instant,
) -> StoreResult<Option<User>> {
    store.read("find_invited_user", |tx| Ok(find_valid(tx, tenant, digest, now)?.map(|(_, user)| user)))
}

/// The invitation with this digest and its user, if it is valid: not expired, and the user still
/// has the address to which it was mailed.
fn find_valid(
    tx: &mut dyn OfficeTx,
    tenant: Option<TenantId>,
    digest: &InvitationDigest,
    now: Instant,
) -> StoreResult<Option<(Invitation, User)>> {
    let invitation = tx.invitations().find(digest)?.filter(|invitation| invitation.expires_at > now);
    let Some(invitation) = invitation else { return Ok(None) };
    let user = tx.users().find(invitation.user)?.filter(can_accept);
    let user = user.filter(|user| tenant.is_none_or(|tenant| tenant == user.tenant));
    let user = user.filter(|user| invitation.email.is_none() || invitation.email == user.email);
    Ok(user.map(|user| (invitation, user)))
}

/// Sets the password that the user chose with the token of this digest; the caller computes the
/// verifier. Consumes the token, activates a user who was pending, and ends sessions as every new
/// password does. API keys stay active. A token that was mailed verifies the e-mail address. `None`
/// if the token is not valid.
pub fn accept_invitation(
    store: &dyn Store<OfficePorts>,
    context: &AuditContext,
    tenant: Option<TenantId>,
    digest: &InvitationDigest,
    verifier: &Secret<String>,
) -> StoreResult<Option<User>> {
    store.write("accept_invitation", |tx| {
        let Some((invitation, user)) = find_valid(tx, tenant, digest, context.at)? else { return Ok(None) };
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
        let is_mailed = invitation.email.is_some();
        let verified = invitation.email.filter(|_| user.email_verified_at.is_none());
        if let Some(email) = &verified {
            details.insert("email_verified".to_owned(), json!(email));
        }
        let principal = PrincipalId::User(user.id);
        let options = PasswordOptions::default();
        // This locks the user, so that the status that is read afterwards stays.
        let replaced = replace_password(tx, user.tenant, context, principal, verifier, options, details)?;
        let current = tx
            .users()
            .find(user.id)?
            .filter(|current| current.status == user.status && (!is_mailed || current.email == user.email));
        let (Some(_), Some(current)) = (replaced, current) else { return Err(changed_meanwhile()) };
        if !activates && verified.is_none() {
            return Ok(Some(current));
        }
        let email_verified_at = if verified.is_some() { Some(context.at) } else { current.email_verified_at };
        let active = User { status: UserStatus::Active, email_verified_at, updated_at: context.at, ..current };
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
