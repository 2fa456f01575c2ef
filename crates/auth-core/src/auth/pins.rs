//! PINs of users: drawn by the server, or chosen by their users with the password.
//!
//! A PIN is digested with a key of the server, and the digest is hashed as a password is. Without
//! the key, which is encrypted by the master key, nobody can guess PINs with a copy of the
//! database: a hash function alone cannot protect a secret of so few digits.

use std::net::IpAddr;

use ring::hmac;
use serde_json::json;
use tillgate_domain::office::{OfficeError, UseCaseResult};
use tillgate_domain::pin::{DRAWN_PIN_DIGITS, check_pin};
use tillgate_domain::{
    Action, Event, EventOutcome, Secret, StoreExt, StoreResult, StoredPin, Subject, TenantId, User, UserId, WeakPin,
};

use super::change_password::is_session_over;
use super::{Auth, map_hash_error};
use crate::dpop::encode_base64url;
use crate::passwords::Lane;
use crate::ports::{AuthTx, Credential};
use crate::{AuthDenied, Caller, Error, TokenDenied};

/// How often a PIN is drawn again that nobody may choose. One in ten is such a PIN.
const MAX_DRAWS: usize = 64;

/// How often setting a PIN starts again because something that it depends on was replaced.
const MAX_RESTARTS: usize = 4;

/// The outcome of the unit of work that sets the caller's own PIN.
enum SetPinOutcome {
    Done,
    /// The caller's own session has ended.
    SessionOver,
    /// The password that was verified is not the current one any more.
    PasswordReplaced,
    /// The key of the digest is not the current one any more.
    KeyReplaced,
}

/// The outcome of the check of a PIN.
pub(super) struct PinCheck {
    pub(super) matches: bool,
    /// Whether there is a PIN whose key is trusted.
    pub(super) is_comparable: bool,
    /// The same PIN with another verifier, if its key or the parameters of its hash are old.
    pub(super) rehashed: Option<StoredPin>,
}

/// A PIN that the server has drawn.
#[derive(Debug)]
pub struct DrawnPin {
    /// The digits, which are not stored.
    pub pin: Secret<String>,
    /// Whether the user should set another one, because somebody else has seen it.
    pub due: bool,
}

impl Auth {
    /// Draws a PIN for another user than the caller, and sets it with this use case, which returns
    /// false if the key of its digest was replaced in the meantime. The user should set another
    /// one, because the caller sees it. `address` is the network address of the caller.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn draw_pin(
        &self,
        user: &User,
        address: Option<IpAddr>,
        set: impl Fn(&StoredPin) -> UseCaseResult<bool>,
    ) -> Result<Result<DrawnPin, OfficeError>, Error> {
        let pin = self.draw_digits(user.name.as_str())?;
        for _ in 0..MAX_RESTARTS {
            let stored = self.hash_pin(user.tenant, user.id, &pin, true, address)?;
            match set(&stored)? {
                Ok(true) => return Ok(Ok(DrawnPin { pin, due: stored.due })),
                Ok(false) => self.poll_feed()?,
                Err(denied) => return Ok(Err(denied)),
            }
        }
        Err(Error::unavailable("the key of PINs was replaced again and again: retry"))
    }

    /// Sets the caller's own PIN after verifying the caller's password; a wrong one is denied, and
    /// counted, as at a login. Draws a PIN and returns it if `new` is `None`.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::WrongPassword`], also for a caller that is not a user;
    /// [`AuthDenied::WeakPin`] if the PIN may not be set, or equals the current one.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn set_own_pin(
        &self,
        caller: &Caller,
        password: &Secret<String>,
        new: Option<&Secret<String>>,
    ) -> Result<Option<Secret<String>>, Error> {
        let (tenant, Some(user)) = (caller.profile.tenant.id, &caller.profile.user) else {
            return Err(AuthDenied::WrongPassword.into());
        };
        if let Some(new) = new {
            check_pin(new.expose(), user.name.as_str()).map_err(AuthDenied::WeakPin)?;
        }
        let drawn = if new.is_none() { Some(self.draw_digits(user.name.as_str())?) } else { None };
        let Some(pin) = new.or(drawn.as_ref()) else { return Err(AuthDenied::WeakPin(WeakPin::TooShort).into()) };
        let mut event = self.new_event(Action::PinSet, EventOutcome::Done, Subject::User(user.id), Some(tenant))?;
        event.actor = caller.actor();
        event.details.insert("by".to_owned(), json!(if drawn.is_some() { "drawn" } else { "chosen" }));
        for _ in 0..MAX_RESTARTS {
            let credential = self.confirm_credential(caller, password)?;
            let current = self.store.read("find_pin", |tx| tx.pins().find(user.id))?;
            if let Some(current) = &current
                && self.is_pin(tenant, user.id, pin, current, caller.address)?
            {
                return Err(AuthDenied::WeakPin(WeakPin::Unchanged).into());
            }
            let stored = self.hash_pin(tenant, user.id, pin, false, caller.address)?;
            let set = self.store.write("set_own_pin", |tx| store_own_pin(tx, caller, &credential, &stored, &event))?;
            match set {
                SetPinOutcome::Done => return Ok(drawn),
                SetPinOutcome::SessionOver => return Err(TokenDenied::SessionOver.into()),
                SetPinOutcome::PasswordReplaced => {}
                SetPinOutcome::KeyReplaced => self.poll_feed()?,
            }
        }
        Err(Error::unavailable("the password or the key of PINs was replaced again and again: retry"))
    }

    /// Compares a PIN of a user with the one that is stored; costs the same if there is none. A PIN
    /// whose key was revoked matches nothing. It waits for its hash in this lane, under this
    /// network address. With `rehashes`, also returns another verifier of a PIN that matches, if
    /// its key or the parameters of its hash are old.
    pub(super) fn verify_pin(
        &self,
        (tenant, user): (TenantId, UserId),
        pin: &Secret<String>,
        stored: Option<&StoredPin>,
        (lane, address): (Lane, Option<IpAddr>),
        rehashes: bool,
    ) -> Result<PinCheck, Error> {
        let keys = self.keyring.current();
        let (current, current_key) =
            keys.current_pin_key().ok_or_else(|| Error::Fault("the store has no current pin key".to_owned()))?;
        let comparable = stored.and_then(|stored| Some((stored, keys.pin_key(stored.key)?)));
        let digest = digest_pin(comparable.map_or(current_key, |(_, key)| key), tenant, user, pin);
        let verifier = comparable.map(|(stored, _)| stored.verifier.clone());
        let verified = self.hash_queue.verify(digest, verifier, lane, address, rehashes);
        let verified = verified.map_err(|error| map_hash_error(&error))?;
        let rehashed = match comparable {
            Some((stored, _)) if rehashes && verified.matches && stored.key != current => {
                Some(self.hash_pin(tenant, user, pin, stored.due, address)?)
            }
            Some((stored, _)) => verified.rehash.map(|verifier| StoredPin { verifier, ..stored.clone() }),
            None => None,
        };
        Ok(PinCheck { matches: verified.matches, is_comparable: comparable.is_some(), rehashed })
    }

    /// Whether this is the PIN that is stored. A PIN whose key was revoked matches nothing.
    fn is_pin(
        &self,
        tenant: TenantId,
        user: UserId,
        pin: &Secret<String>,
        stored: &StoredPin,
        address: Option<IpAddr>,
    ) -> Result<bool, Error> {
        let check = self.verify_pin((tenant, user), pin, Some(stored), (Lane::Known, address), false)?;
        Ok(check.matches)
    }

    fn hash_pin(
        &self,
        tenant: TenantId,
        user: UserId,
        pin: &Secret<String>,
        due: bool,
        address: Option<IpAddr>,
    ) -> Result<StoredPin, Error> {
        let keys = self.keyring.current();
        let (id, key) =
            keys.current_pin_key().ok_or_else(|| Error::Fault("the store has no current pin key".to_owned()))?;
        let verifier = self.hash_password(&digest_pin(key, tenant, user, pin), address)?;
        Ok(StoredPin { verifier, key: id, due })
    }

    /// Draws the digits of a PIN that the user may choose, too.
    fn draw_digits(&self, user_name: &str) -> Result<Secret<String>, Error> {
        for _ in 0..MAX_DRAWS {
            let bytes = self.entropy.random_bytes::<32>().map_err(|error| Error::Fault(error.to_string()))?;
            let digits = bytes.iter().filter_map(|byte| map_byte(*byte)).take(DRAWN_PIN_DIGITS);
            let pin = Secret::new(digits.collect::<String>());
            if pin.expose().len() == DRAWN_PIN_DIGITS && check_pin(pin.expose(), user_name).is_ok() {
                return Ok(pin);
            }
        }
        Err(Error::Fault("the source of random bytes gives no PIN".to_owned()))
    }
}

/// Stores the PIN of the caller, who has proved this credential.
///
/// The claims of the credential and of the key of the digest lock them: a new password, which
/// removes the PIN, and a rotation or a revocation of the key either were committed before, and
/// nothing is stored, or wait.
fn store_own_pin(
    tx: &mut dyn AuthTx,
    caller: &Caller,
    credential: &Credential,
    pin: &StoredPin,
    event: &Event,
) -> StoreResult<SetPinOutcome> {
    let Some(user) = caller.user() else { return Ok(SetPinOutcome::SessionOver) };
    if !tx.credentials().claim(credential.principal, credential.kind, credential.version, None, event.at)? {
        return Ok(SetPinOutcome::PasswordReplaced);
    }
    if is_session_over(tx, caller)? {
        return Ok(SetPinOutcome::SessionOver);
    }
    if !tx.pins().claim_key(pin.key)? {
        return Ok(SetPinOutcome::KeyReplaced);
    }
    tx.pins().set(user, pin, event.at)?;
    tx.audit().record(event)?;
    Ok(SetPinOutcome::Done)
}

/// The digit that a random byte stands for. `None` for the few greatest bytes, because ten does not
/// divide the number of bytes, and all digits are equally likely.
fn map_byte(byte: u8) -> Option<char> {
    (byte < 250).then(|| char::from(b'0' + byte % 10))
}

/// The digest of a PIN, which is hashed. Both ids have a fixed length.
fn digest_pin(key: &hmac::Key, tenant: TenantId, user: UserId, pin: &Secret<String>) -> Secret<String> {
    let mut context = hmac::Context::with_key(key);
    context.update(tenant.0.as_bytes());
    context.update(user.0.as_bytes());
    context.update(pin.expose().as_bytes());
    Secret::new(encode_base64url(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use tillgate_domain::Instant;

    use super::*;

    #[test]
    fn digits_are_equally_likely() {
        let mut counts = [0; 10];
        for digit in (0..=u8::MAX).filter_map(map_byte) {
            counts[usize::try_from(digit.to_digit(10).unwrap()).unwrap()] += 1;
        }
        assert_eq!(counts, [25; 10]);
    }

    #[test]
    fn digest_depends_on_key_tenant_user_and_pin() {
        let at = Instant::from_millis(1_800_000_000_000);
        let [one, other] = [[1; 32], [2; 32]].map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key));
        let digest = |key: &hmac::Key, tenant: u8, user: u8, pin: &str| {
            let (tenant, user) = (TenantId::new(at, [tenant; 10]), UserId::new(at, [user; 10]));
            digest_pin(key, tenant, user, &Secret::new(pin.to_owned())).expose().clone()
        };
        let first = digest(&one, 1, 1, "384017");
        assert_eq!(first, digest(&one, 1, 1, "384017"));
        for another in [
            digest(&other, 1, 1, "384017"),
            digest(&one, 2, 1, "384017"),
            digest(&one, 1, 2, "384017"),
            digest(&one, 1, 1, "384018"),
        ] {
            assert_ne!(first, another);
        }
    }
}
