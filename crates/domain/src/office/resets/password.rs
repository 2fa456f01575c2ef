//! Resets forgotten passwords: a request names an e-mail address, a token is mailed to its owner,
//! and the token sets another password.
//!
//! A request writes one row and reads nothing, so that it costs the same whether or not a user has
//! the address. A background process mails the tokens later.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::mail::remaining_interval;
use crate::office::ports::{OfficePorts, OfficeTx, Reset, ResetDigest, ResetRequest};
use crate::office::resets::queue::can_reset;
use crate::office::users::add::find_by_email;
use crate::office::users::password::{self as set_password, PasswordOptions};
use crate::{
    Action, Email, Instant, Locale, PrincipalId, ResetId, Secret, Store, StoreError, StoreExt, StoreResult, Subject,
    TenantId, User, UserId,
};

/// The token for the owner of a requested address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetGrant {
    /// The digest of the token, which the caller generates.
    pub digest: ResetDigest,
    /// The instant at which the token expires.
    pub expires_at: Instant,
    /// The instant at which the request is due again if the mail cannot be sent.
    pub retry_at: Instant,
}

/// The outcome of processing a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetDispatch {
    /// The token has to be mailed.
    Mail {
        /// The address of the user.
        to: Email,
        /// The language of the user, otherwise of the tenant.
        locale: Locale,
    },
    /// No mail is sent; the request is removed.
    Discarded,
    /// Another process is processing the request.
    AlreadyClaimed,
}

/// Adds a request to reset a password.
pub fn request_reset(store: &dyn Store<OfficePorts>, request: &ResetRequest) -> StoreResult<()> {
    store.write("request_reset", |tx| tx.resets().insert_request(request))
}

/// Processes a request: grants a reset to the active user who has the address.
pub fn grant_reset(
    store: &dyn Store<OfficePorts>,
    context: &AuditContext,
    request: &ResetRequest,
    grant: &ResetGrant,
) -> StoreResult<ResetDispatch> {
    store.write("grant_reset", |tx| {
        if !tx.resets().claim(request.id, request.due_at, grant.retry_at)? {
            return Ok(ResetDispatch::AlreadyClaimed);
        }
        let user = find_by_email(tx, request.email.as_str())?.filter(can_reset);
        let user = user.filter(|user| request.tenant.is_none_or(|tenant| tenant == user.tenant));
        let Some(user) = user else { return discard_request(tx, request.id) };
        let newest = tx.resets().find_newest_grant(user.id, request.id)?;
        if newest.is_some_and(|newest| remaining_interval(newest, context.at).is_some()) {
            return discard_request(tx, request.id);
        }
        let Some(tenant) = tx.tenants().find(user.tenant)? else { return discard_request(tx, request.id) };
        let email = user.email.clone().unwrap_or_else(|| request.email.clone());
        tx.resets().insert_reset(&Reset {
            digest: grant.digest,
            request: request.id,
            user: user.id,
            email: email.clone(),
            granted_at: context.at,
            expires_at: grant.expires_at,
        })?;
        tx.audit().record(&context.build_event(user.tenant, Action::ResetGrant, Subject::User(user.id), Map::new()))?;
        Ok(ResetDispatch::Mail { to: email, locale: user.locale.unwrap_or(tenant.locale) })
    })
}

fn discard_request(tx: &mut dyn OfficeTx, request: ResetId) -> StoreResult<ResetDispatch> {
    tx.resets().remove_request(request)?;
    Ok(ResetDispatch::Discarded)
}

/// Removes the request, because its mail was sent.
pub fn complete_reset(store: &dyn Store<OfficePorts>, request: ResetId) -> StoreResult<()> {
    store.write("complete_reset", |tx| tx.resets().remove_request(request))
}

/// Revokes the token, because its mail could not be sent. The request is due again at `to`, unless
/// another process is processing it, and the attempt is counted.
pub fn retry_reset(
    store: &dyn Store<OfficePorts>,
    request: ResetId,
    grant: &ResetGrant,
    to: Instant,
) -> StoreResult<()> {
    store.write("retry_reset", |tx| {
        tx.resets().consume(&grant.digest)?;
        tx.resets().postpone(request, grant.retry_at, to).map(drop)
    })
}

/// Revokes the token, because its mail was not sent although nothing has failed. The request is due
/// again at `to`, unless another process is processing it.
pub fn release_reset(
    store: &dyn Store<OfficePorts>,
    request: ResetId,
    grant: &ResetGrant,
    to: Instant,
) -> StoreResult<()> {
    store.write("release_reset", |tx| {
        tx.resets().consume(&grant.digest)?;
        tx.resets().claim(request, grant.retry_at, to).map(drop)
    })
}

/// Revokes the token and removes the request, because its mail can never be sent.
pub fn abandon_reset(store: &dyn Store<OfficePorts>, request: ResetId, grant: &ResetGrant) -> StoreResult<()> {
    store.write("abandon_reset", |tx| {
        tx.resets().consume(&grant.digest)?;
        tx.resets().remove_request(request)
    })
}

/// The user whose password the token with this digest can set now; with `tenant`, only a user of
/// it.
pub fn find_reset_user(
    store: &dyn Store<OfficePorts>,
    tenant: Option<TenantId>,
    digest: &ResetDigest,
    now: Instant,
) -> StoreResult<Option<User>> {
    store.read("find_reset_user", |tx| match tx.resets().find(digest)? {
        Some(reset) => find_valid_user(tx, tenant, &reset, now),
        None => Ok(None),
    })
}

/// Sets the password of the user with the token of this digest; the caller computes the verifier.
/// Consumes the token, revokes the user's other tokens, and ends all sessions of the user. `None`
/// if the token is not valid; with `tenant`, it is valid only for a user of it.
pub fn reset_password(
    store: &dyn Store<OfficePorts>,
    context: &AuditContext,
    tenant: Option<TenantId>,
    digest: &ResetDigest,
    verifier: &Secret<String>,
) -> StoreResult<Option<UserId>> {
    store.write("reset_password", |tx| {
        let Some(reset) = tx.resets().find(digest)? else { return Ok(None) };
        let Some(user) = find_valid_user(tx, tenant, &reset, context.at)? else { return Ok(None) };
        // Of two concurrent calls with the same token, one consumes it.
        if !tx.resets().consume(digest)? {
            return Ok(None);
        }
        let details = Map::from_iter([("why".to_owned(), json!("reset"))]);
        let principal = PrincipalId::User(user.id);
        // The owner of the mailbox has chosen the password, so no change is required.
        let options = PasswordOptions::default();
        let set = set_password::replace_password(tx, user.tenant, context, principal, verifier, options, details)?;
        // The new password has locked the user, whose status and address stay from now on.
        if set.is_some() && find_valid_user(tx, tenant, &reset, context.at)?.is_some() {
            Ok(Some(user.id))
        } else {
            Err(StoreError::Conflict("the user was changed in the meantime".to_owned()))
        }
    })
}

/// The user of a reset, if it is valid: not expired, and the user still has the address to which it
/// was mailed.
fn find_valid_user(
    tx: &mut dyn OfficeTx,
    tenant: Option<TenantId>,
    reset: &Reset,
    now: Instant,
) -> StoreResult<Option<User>> {
    if reset.expires_at <= now {
        return Ok(None);
    }
    let user = tx.users().find(reset.user)?.filter(can_reset);
    let user = user.filter(|user| tenant.is_none_or(|tenant| tenant == user.tenant));
    Ok(user.filter(|user| user.email.as_ref().is_some_and(|email| email.lookup_key() == reset.email.lookup_key())))
}

/// Removes at most `limit` resets that have expired. Returns their number.
pub fn sweep_resets(store: &dyn Store<OfficePorts>, now: Instant, limit: u32) -> StoreResult<u32> {
    store.write("sweep_resets", |tx| tx.resets().sweep(now, limit))
}
