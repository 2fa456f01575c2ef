//! Resets a forgotten password: somebody asks by e-mail address, a token is mailed to whoever has it, and who shows the token sets
//! another password.
//!
//! Asking writes one row and looks nothing up, so that it costs the same whether or not anybody has the address. Whoever mails the
//! tokens takes the requests up later, outside of any request of a client.

use serde_json::{Map, json};

use super::add_user::by_email;
use super::ports::{OfficeTx, OfficeView, Reset, ResetDigest, ResetRequest};
use super::reset_queue::may_reset;
use super::set_password::{self, PasswordOptions};
use super::stamp::Stamp;
use crate::{
    Action, Email, Instant, PrincipalId, ResetId, Secret, Store, StoreError, StoreExt, Stored, Subject, User, UserId,
};

/// How long after a reset was mailed to somebody no other is: whoever asks again and again fills no mailbox.
const QUIET_MILLIS: i64 = 60_000;

/// What is granted to whoever has the address of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The digest of the token, which is drawn outside.
    pub digest: ResetDigest,
    /// When it is good no more.
    pub expires_at: Instant,
    /// When the request is taken up again if the mail cannot be sent.
    pub again_at: Instant,
}

/// What became of a request that was taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The token is to be mailed there.
    Mail(Email),
    /// Nobody is to have a mail; the request is settled.
    Nobody,
    /// Somebody else has taken it up.
    Lost,
}

/// Adds a request.
pub fn ask_reset(store: &dyn Store<OfficeView>, request: &ResetRequest) -> Stored<()> {
    store.write(|tx| tx.resets().ask(request))
}

/// Takes a request up: grants a reset to the active user who has the address.
pub fn grant_reset(
    store: &dyn Store<OfficeView>,
    stamp: &Stamp,
    request: &ResetRequest,
    grant: &Grant,
) -> Stored<Taken> {
    store.write(|tx| {
        if !tx.resets().postpone(request.id, request.due_at, grant.again_at)? {
            return Ok(Taken::Lost);
        }
        let user = by_email(tx, request.email.as_str())?.filter(may_reset);
        let user = user.filter(|user| request.tenant.is_none_or(|tenant| tenant == user.tenant));
        let Some(user) = user else { return nobody(tx, request.id) };
        let newest = tx.resets().newest(user.id, request.id)?;
        if newest.is_some_and(|newest| stamp.at.millis().saturating_sub(newest.millis()) < QUIET_MILLIS) {
            return nobody(tx, request.id);
        }
        let email = user.email.clone().unwrap_or_else(|| request.email.clone());
        tx.resets().grant(&Reset {
            digest: grant.digest,
            request: request.id,
            user: user.id,
            email: email.clone(),
            granted_at: stamp.at,
            expires_at: grant.expires_at,
        })?;
        tx.audit().tell(&stamp.done(user.tenant, Action::ResetGrant, Subject::User(user.id), Map::new()))?;
        Ok(Taken::Mail(email))
    })
}

fn nobody(tx: &mut dyn OfficeTx, request: ResetId) -> Stored<Taken> {
    tx.resets().settle(request)?;
    Ok(Taken::Nobody)
}

/// The mail is on its way: the request is settled.
pub fn settle_reset(store: &dyn Store<OfficeView>, request: ResetId) -> Stored<()> {
    store.write(|tx| tx.resets().settle(request))
}

/// The mail could not be sent: its token is taken back, and the request is due again at `to`, where nobody else has it by now.
pub fn retry_reset(store: &dyn Store<OfficeView>, request: ResetId, grant: &Grant, to: Instant) -> Stored<()> {
    store.write(|tx| {
        tx.resets().spend(&grant.digest)?;
        tx.resets().postpone(request, grant.again_at, to).map(drop)
    })
}

/// The mail cannot be sent, now or later: its token is taken back, and the request is settled.
pub fn abandon_reset(store: &dyn Store<OfficeView>, request: ResetId, grant: &Grant) -> Stored<()> {
    store.write(|tx| {
        tx.resets().spend(&grant.digest)?;
        tx.resets().settle(request)
    })
}

/// Whose password the token of this digest would set now.
pub fn reset_holder(store: &dyn Store<OfficeView>, digest: &ResetDigest, now: Instant) -> Stored<Option<User>> {
    store.read(|tx| match tx.resets().find(digest)? {
        Some(reset) => holder(tx, &reset, now),
        None => Ok(None),
    })
}

/// Sets the password of whoever was mailed the token of this digest: `verifier` is its hash, made outside. The token is spent, every
/// other of theirs is void, and every session of theirs ends. `None` where the token is not good.
pub fn reset_password(
    store: &dyn Store<OfficeView>,
    stamp: &Stamp,
    digest: &ResetDigest,
    verifier: &Secret<String>,
) -> Stored<Option<UserId>> {
    store.write(|tx| {
        let Some(reset) = tx.resets().find(digest)? else { return Ok(None) };
        // of two who show the same token at once one spends it
        if !tx.resets().spend(digest)? {
            return Ok(None);
        }
        let Some(user) = holder(tx, &reset, stamp.at)? else { return Ok(None) };
        tx.resets().void(user.id)?;
        let details = Map::from_iter([("why".to_owned(), json!("reset"))]);
        let principal = PrincipalId::User(user.id);
        // the owner of the mailbox chose it, so it need not be changed
        let options = PasswordOptions::default();
        let set = set_password::replace(tx, user.tenant, stamp, principal, verifier, options, details)?;
        if set.is_some() {
            Ok(Some(user.id))
        } else {
            Err(StoreError::Conflict("the user was removed meanwhile".to_owned()))
        }
    })
}

/// The user whom a reset is for, where it is good: before its end, and while they have the address that it was mailed to.
fn holder(tx: &mut dyn OfficeTx, reset: &Reset, now: Instant) -> Stored<Option<User>> {
    if reset.expires_at <= now {
        return Ok(None);
    }
    let user = tx.users().find(reset.user)?.filter(may_reset);
    Ok(user.filter(|user| user.email.as_ref().is_some_and(|email| email.key() == reset.email.key())))
}

/// Removes resets that have expired, `limit` at most, and says how many.
pub fn sweep_resets(store: &dyn Store<OfficeView>, now: Instant, limit: u32) -> Stored<u32> {
    store.write(|tx| tx.resets().sweep(now, limit))
}
