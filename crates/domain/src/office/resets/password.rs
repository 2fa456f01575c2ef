//! Resets a forgotten password: somebody asks by e-mail address, a token is mailed to whoever has it, and who shows the token sets
//! another password.
//!
//! Asking writes one row and looks nothing up, so that it costs the same whether or not anybody has the address. Whoever mails the
//! tokens takes the requests up later, outside of any request of a client.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::ports::{OfficePorts, OfficeTx, Reset, ResetDigest, ResetRequest};
use crate::office::resets::queue::can_reset;
use crate::office::users::add::find_by_email;
use crate::office::users::password::{self as set_password, PasswordOptions};
use crate::{
    Action, Email, Instant, PrincipalId, ResetId, Secret, Store, StoreError, StoreExt, StoreResult, Subject, User,
    UserId,
};

/// How long after a reset was mailed to somebody no other is: whoever asks again and again fills no mailbox.
const MIN_MAIL_INTERVAL_MILLIS: i64 = 60_000;

/// What is granted to whoever has the address of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetGrant {
    /// The digest of the token, which is drawn outside.
    pub digest: ResetDigest,
    /// When it is good no more.
    pub expires_at: Instant,
    /// When the request is taken up again if the mail cannot be sent.
    pub retry_at: Instant,
}

/// What became of a request that was taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetDispatch {
    /// The token is to be mailed there.
    Mail(Email),
    /// Nobody is to have a mail; the request is settled.
    Discarded,
    /// Somebody else has taken it up.
    AlreadyClaimed,
}

/// Adds a request.
pub fn request_reset(store: &dyn Store<OfficePorts>, request: &ResetRequest) -> StoreResult<()> {
    store.write(|tx| tx.resets().insert_request(request))
}

/// Takes a request up: grants a reset to the active user who has the address.
pub fn grant_reset(
    store: &dyn Store<OfficePorts>,
    stamp: &AuditContext,
    request: &ResetRequest,
    grant: &ResetGrant,
) -> StoreResult<ResetDispatch> {
    store.write(|tx| {
        if !tx.resets().postpone(request.id, request.due_at, grant.retry_at)? {
            return Ok(ResetDispatch::AlreadyClaimed);
        }
        let user = find_by_email(tx, request.email.as_str())?.filter(can_reset);
        let user = user.filter(|user| request.tenant.is_none_or(|tenant| tenant == user.tenant));
        let Some(user) = user else { return discard_request(tx, request.id) };
        let newest = tx.resets().find_newest_grant(user.id, request.id)?;
        if newest.is_some_and(|newest| stamp.at.millis().saturating_sub(newest.millis()) < MIN_MAIL_INTERVAL_MILLIS) {
            return discard_request(tx, request.id);
        }
        let email = user.email.clone().unwrap_or_else(|| request.email.clone());
        tx.resets().insert_reset(&Reset {
            digest: grant.digest,
            request: request.id,
            user: user.id,
            email: email.clone(),
            granted_at: stamp.at,
            expires_at: grant.expires_at,
        })?;
        tx.audit().record(&stamp.build_event(user.tenant, Action::ResetGrant, Subject::User(user.id), Map::new()))?;
        Ok(ResetDispatch::Mail(email))
    })
}

fn discard_request(tx: &mut dyn OfficeTx, request: ResetId) -> StoreResult<ResetDispatch> {
    tx.resets().remove_request(request)?;
    Ok(ResetDispatch::Discarded)
}

/// The mail is on its way: the request is settled.
pub fn complete_reset(store: &dyn Store<OfficePorts>, request: ResetId) -> StoreResult<()> {
    store.write(|tx| tx.resets().remove_request(request))
}

/// The mail could not be sent: its token is taken back, and the request is due again at `to`, where nobody else has it by now.
pub fn retry_reset(
    store: &dyn Store<OfficePorts>,
    request: ResetId,
    grant: &ResetGrant,
    to: Instant,
) -> StoreResult<()> {
    store.write(|tx| {
        tx.resets().consume(&grant.digest)?;
        tx.resets().postpone(request, grant.retry_at, to).map(drop)
    })
}

/// The mail cannot be sent, now or later: its token is taken back, and the request is settled.
pub fn abandon_reset(store: &dyn Store<OfficePorts>, request: ResetId, grant: &ResetGrant) -> StoreResult<()> {
    store.write(|tx| {
        tx.resets().consume(&grant.digest)?;
        tx.resets().remove_request(request)
    })
}

/// Whose password the token of this digest would set now.
pub fn find_reset_user(
    store: &dyn Store<OfficePorts>,
    digest: &ResetDigest,
    now: Instant,
) -> StoreResult<Option<User>> {
    store.read(|tx| match tx.resets().find(digest)? {
        Some(reset) => find_valid_user(tx, &reset, now),
        None => Ok(None),
    })
}

/// Sets the password of whoever was mailed the token of this digest: `verifier` is its hash, made outside. The token is spent, every
/// other of theirs is void, and every session of theirs ends. `None` where the token is not good.
pub fn reset_password(
    store: &dyn Store<OfficePorts>,
    stamp: &AuditContext,
    digest: &ResetDigest,
    verifier: &Secret<String>,
) -> StoreResult<Option<UserId>> {
    store.write(|tx| {
        let Some(reset) = tx.resets().find(digest)? else { return Ok(None) };
        // of two who show the same token at once one spends it
        if !tx.resets().consume(digest)? {
            return Ok(None);
        }
        let Some(user) = find_valid_user(tx, &reset, stamp.at)? else { return Ok(None) };
        tx.resets().revoke_by_user(user.id)?;
        let details = Map::from_iter([("why".to_owned(), json!("reset"))]);
        let principal = PrincipalId::User(user.id);
        // the owner of the mailbox chose it, so it need not be changed
        let options = PasswordOptions::default();
        let set = set_password::replace_password(tx, user.tenant, stamp, principal, verifier, options, details)?;
        if set.is_some() {
            Ok(Some(user.id))
        } else {
            Err(StoreError::Conflict("the user was removed meanwhile".to_owned()))
        }
    })
}

/// The user whom a reset is for, where it is good: before its end, and while they have the address that it was mailed to.
fn find_valid_user(tx: &mut dyn OfficeTx, reset: &Reset, now: Instant) -> StoreResult<Option<User>> {
    if reset.expires_at <= now {
        return Ok(None);
    }
    let user = tx.users().find(reset.user)?.filter(can_reset);
    Ok(user.filter(|user| user.email.as_ref().is_some_and(|email| email.lookup_key() == reset.email.lookup_key())))
}

/// Removes resets that have expired, `limit` at most, and says how many.
pub fn sweep_resets(store: &dyn Store<OfficePorts>, now: Instant, limit: u32) -> StoreResult<u32> {
    store.write(|tx| tx.resets().sweep(now, limit))
}
