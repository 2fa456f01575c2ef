//! Verifies that a user receives mail at their e-mail address: a token is mailed there, works once,
//! for a day, and proves this address only.

use std::time::Duration;

use serde_json::{Map, json};

use crate::office::Office;
use crate::office::context::AuditContext;
use crate::office::error::{OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::mail::remaining_interval;
use crate::office::ports::{EmailVerification, MailKind, OfficePorts, OfficeTx, QueuedMail, VerificationDigest};
use crate::office::users::assignment;
use crate::office::users::change::load_user;
use crate::{
    Action, Email, Instant, KnownRight, PrincipalId, Scope, Store, StoreError, StoreExt, StoreResult, Subject,
    TenantId, User, UserId, UserStatus,
};

/// The lifetime of a verification.
const VERIFICATION_LIFETIME: Duration = Duration::from_hours(24);

impl Office<'_> {
    /// Checks the authority to request a verification of this user's address.
    pub fn authorize_email_verification(&self, id: UserId) -> UseCaseResult<()> {
        self.store.read("authorize_email_verification", |tx| commit_refusal(authorize(tx, self, id).map(drop)))
    }

    /// Requests a mail with a token by which the user verifies their e-mail address. A previous
    /// token of the user is void. The token of `digest` is never valid for anybody: the mail gets a
    /// token of its own.
    ///
    /// Users may request it for themselves. For another user it requires what a change of that user
    /// requires. A user who is suspended, has no address or a verified one is denied, and so is a
    /// second mail within a minute.
    pub fn request_email_verification(
        &self,
        id: UserId,
        digest: VerificationDigest,
    ) -> UseCaseResult<EmailVerification> {
        self.store.write("request_email_verification", |tx| commit_refusal(request(tx, self, id, digest)))
    }
}

fn request(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: UserId,
    digest: VerificationDigest,
) -> Result<EmailVerification, UseCaseError> {
    let user = authorize(tx, office, id)?;
    if !can_verify(&user) {
        return Err(OfficeError::UserSuspended(user.name).into());
    }
    if user.email_verified_at.is_some() {
        return Err(OfficeError::EmailAlreadyVerified(user.name).into());
    }
    let email = user.email.ok_or(OfficeError::EmailMissing(user.name))?;
    let created_at = office.context.at;
    let previous = tx.email_verifications().find_by_user(id)?;
    if let Some(retry_after) = previous.and_then(|previous| remaining_interval(previous.created_at, created_at)) {
        return Err(OfficeError::MailedRecently { retry_after }.into());
    }
    let expires_at = created_at.saturating_add(VERIFICATION_LIFETIME);
    let verification = EmailVerification { digest, user: id, email: email.clone(), created_at, expires_at };
    tx.email_verifications().insert_or_replace(&verification)?;
    let details = Map::from_iter([("mailed_to".to_owned(), json!(email))]);
    tx.mail_queue().insert_or_replace(&QueuedMail {
        kind: MailKind::EmailVerification,
        user: id,
        email,
        requested_at: created_at,
        expires_at,
        due_at: created_at,
        tries: 0,
    })?;
    tx.audit().record(&office.build_event(Action::EmailVerify, Subject::User(id), details))?;
    Ok(verification)
}

/// The user, if the caller may request a verification of the user's address.
fn authorize(tx: &mut dyn OfficeTx, office: &Office<'_>, id: UserId) -> Result<User, UseCaseError> {
    if office.context.is_principal(PrincipalId::User(id)) {
        return load_user(tx, office.tenant, id);
    }
    office.require(KnownRight::UserUpdate)?;
    let user = load_user(tx, office.tenant, id)?;
    let roles = tx.roles().list(office.tenant)?;
    office.require_all(&assignment::collect_assigned_rights(&user.assignment, &roles))?;
    Ok(user)
}

/// Whether the user may verify their address.
fn can_verify(user: &User) -> bool {
    matches!(user.status, UserStatus::Active | UserStatus::Pending)
}

/// What a token verifies, for the page on which a person confirms it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailVerificationView {
    /// The display name of the user's tenant.
    pub tenant_name: String,
    /// The address to which the token was mailed.
    pub email: Email,
}

/// What the token of this digest verifies; with `tenant`, only for a user of it. Changes nothing.
/// `None` if the token is not valid, for the same reasons as in [`verify_email`].
pub fn find_email_verification(
    store: &dyn Store<OfficePorts>,
    tenant: Option<TenantId>,
    digest: &VerificationDigest,
    now: Instant,
) -> StoreResult<Option<EmailVerificationView>> {
    store.read("find_email_verification", |tx| {
        let Some((user, verification)) = find_valid(tx, tenant, digest, now)? else { return Ok(None) };
        let tenant = tx.tenants().find(user.tenant)?;
        Ok(tenant.map(|tenant| EmailVerificationView { tenant_name: tenant.name, email: verification.email }))
    })
}

/// The verification with this digest, and its user, if it is valid: not expired, and the user still
/// has the address.
fn find_valid(
    tx: &mut dyn OfficeTx,
    tenant: Option<TenantId>,
    digest: &VerificationDigest,
    now: Instant,
) -> StoreResult<Option<(User, EmailVerification)>> {
    let verification = tx.email_verifications().find(digest)?.filter(|found| found.expires_at > now);
    let Some(verification) = verification else { return Ok(None) };
    let user = tx.users().find(verification.user)?.filter(can_verify);
    let user = user.filter(|user| tenant.is_none_or(|tenant| tenant == user.tenant));
    let user = user.filter(|user| user.email.as_ref() == Some(&verification.email));
    Ok(user.map(|user| (user, verification)))
}

/// Verifies the e-mail address of the user with the token of this digest; with `tenant`, only of a
/// user of it. Consumes the token. `None` if the token is not valid: it is unknown, used or
/// expired, or the user has another address now.
pub fn verify_email(
    store: &dyn Store<OfficePorts>,
    context: &AuditContext,
    tenant: Option<TenantId>,
    digest: &VerificationDigest,
) -> StoreResult<Option<User>> {
    store.write("verify_email", |tx| {
        let Some((user, verification)) = find_valid(tx, tenant, digest, context.at)? else { return Ok(None) };
        // Of two concurrent calls with the same token, one consumes it.
        if !tx.email_verifications().consume(digest)? {
            return Ok(None);
        }
        let verified = User { email_verified_at: Some(context.at), updated_at: context.at, ..user };
        tx.revocations().invalidate(Scope::User(verified.id), context.at)?;
        if !tx.users().update(&verified)? {
            return Err(StoreError::Conflict("the user was changed in the meantime".to_owned()));
        }
        let details = Map::from_iter([("email".to_owned(), json!(verification.email))]);
        let subject = Subject::User(verified.id);
        tx.audit().record(&context.build_event(verified.tenant, Action::EmailVerified, subject, details))?;
        Ok(Some(verified))
    })
}

/// Removes at most `limit` verifications that have expired. Returns their number.
pub fn sweep_email_verifications(store: &dyn Store<OfficePorts>, now: Instant, limit: u32) -> StoreResult<u32> {
    store.write("sweep_email_verifications", |tx| tx.email_verifications().sweep(now, limit))
}
