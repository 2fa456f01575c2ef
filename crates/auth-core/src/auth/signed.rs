//! Requests that are signed with the key of a program: drawing such keys, and telling who signed.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::access::admits;
use tillgate_domain::{ApiKey, ApiKeyId, DeviceStatus, Instant, PrincipalId, Secret, StoreExt, TenantId, UserStatus};

use super::Auth;
use super::authenticate::Reach;
use crate::ports::{SignatureDigest, WrappedApiKey};
use crate::profile;
use crate::remembered::OpenedApiKey;
use crate::signature::sha256;
use crate::{Counting, Error, Profile, Signature, TokenRefusal};

/// How far the time of a signature may be from the server's, either way.
pub(super) const NEAR: Duration = Duration::from_secs(150);

/// A key that was drawn and is in no store yet.
#[derive(Clone, Debug)]
pub struct DrawnApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What the program calls it by: 32 hex digits.
    pub client: String,
    /// Its secret, to be shown once and kept nowhere: 64 hex digits.
    pub secret: Secret<String>,
    /// The secret as the store keeps it.
    pub wrapped: Vec<u8>,
}

/// Who signed a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    /// The key.
    pub key: ApiKey,
    /// Its user on its device as they are now, with the rights that the key leaves them. A narrowed key has no rank.
    pub profile: Arc<Profile>,
}

/// A key with its secret, and its user on its device where both are there.
pub(super) type Opened = (Arc<OpenedApiKey>, Option<Arc<Profile>>);

impl Auth {
    /// Draws a key for a program.
    pub fn draw_api_key(&self) -> Result<DrawnApiKey, Error> {
        let drawn = |error: crate::NoEntropy| Error::Fault(error.to_string());
        let client = hex(&self.entropy.draw::<16>().map_err(drawn)?);
        let bytes = Secret::new(self.entropy.draw::<32>().map_err(drawn)?);
        let secret = Secret::new(hex(bytes.expose()));
        let wrapped = self.keyring.master().wrap(secret.expose().as_bytes(), &context(&client), &*self.entropy);
        let wrapped = wrapped.ok_or_else(|| Error::Fault("a secret cannot be wrapped".to_owned()))?;
        Ok(DrawnApiKey { id: self.id(ApiKeyId::new)?, client, secret, wrapped })
    }

    /// Tells who signed. `tenant` is the one that the way it came by serves. The store is asked only for what memory does not
    /// hold, and to remember a signature that counts once.
    ///
    /// A key that was revoked, a user who is not active or may not log in on the device, and a device that is not active end it
    /// at once. Where the time cannot be told the answer is [`Error::Unavailable`].
    pub fn signed(&self, signature: &Signature, tenant: Option<TenantId>, counting: Counting) -> Result<Signed, Error> {
        let signed = self.who_signed(signature, tenant, counting, Reach::Store)?;
        signed.ok_or_else(|| Error::Fault("the store was not asked".to_owned()))
    }

    pub(super) fn who_signed(
        &self,
        signature: &Signature,
        tenant: Option<TenantId>,
        counting: Counting,
        reach: Reach,
    ) -> Result<Option<Signed>, Error> {
        if reach == Reach::Memory && (counting == Counting::Once || !self.looks_go_on()) {
            return Ok(None);
        }
        self.catch_up()?;
        let Some((opened, profile)) = self.opened(&signature.client, reach)? else { return Ok(None) };
        let key = &opened.key;
        if !signature.holds(&opened.secret) {
            return Err(TokenRefusal::Invalid.into());
        }
        if tenant.is_some_and(|tenant| tenant != key.tenant) {
            return Err(TokenRefusal::Foreign.into());
        }
        let time = self.time();
        if time.in_doubt {
            return Err(Error::unavailable("the clock is in doubt: whether a signature is of now cannot be told"));
        }
        if !near(signature.at, time.at) {
            return Err(TokenRefusal::Expired.into());
        }
        let profile = counts(key, profile)?;
        if counting == Counting::Once {
            let digest = SignatureDigest(sha256(&[key.client.as_bytes(), b"\n", &signature.mac].concat()));
            if !self.store.write(|tx| tx.signatures().see(&digest, time.at))? {
                return Err(TokenRefusal::Repeated.into());
            }
        }
        Ok(Some(Signed::of(key, profile)))
    }

    /// The key that programs call by this client id, with its user on its device; from memory where nothing has touched them.
    pub(super) fn opened(&self, client: &str, reach: Reach) -> Result<Option<Opened>, Error> {
        if let Some((opened, read_at)) = self.api_keys.find(client) {
            let key = &opened.key;
            let touched = self.changes.touched_on(key.user, key.device, key.tenant);
            let user = PrincipalId::User(key.user);
            let profile = self.profiles.find(user, Some(key.device), touched);
            if read_at >= touched && profile.is_some() {
                return Ok(Some((opened, profile)));
            }
        }
        if reach == Reach::Memory {
            return Ok(None);
        }
        let began = self.changes.now();
        let (found, profile) = self.store.read(|tx| {
            let Some(found) = tx.api_keys().named(client)? else { return Ok((None, None)) };
            let profile = profile::read(tx, PrincipalId::User(found.key.user), Some(found.key.device))?;
            Ok((Some(found), profile))
        })?;
        let WrappedApiKey { key, wrapped } = found.ok_or(TokenRefusal::Invalid)?;
        let secret = self.keyring.master().open(&wrapped, &context(&key.client));
        let secret = secret.and_then(|secret| String::from_utf8(secret.expose().clone()).ok()).map(Secret::new);
        let secret =
            secret.ok_or_else(|| Error::Fault(format!("the secret of API key {} cannot be opened", key.id)))?;
        let (opened, profile) = (Arc::new(OpenedApiKey { key, secret }), profile.map(Arc::new));
        self.api_keys.keep(&opened, began);
        if let Some(profile) = &profile {
            let user = PrincipalId::User(opened.key.user);
            self.profiles.keep(user, Some(opened.key.device), profile, began);
        }
        Ok(Some((opened, profile)))
    }
}

impl Signed {
    /// The key with what it leaves of the profile.
    pub(super) fn of(key: &ApiKey, profile: Arc<Profile>) -> Self {
        Self { key: key.clone(), profile: narrowed(key, profile) }
    }
}

/// The profile, where the key counts and its user may be on its device now.
pub(super) fn counts(key: &ApiKey, profile: Option<Arc<Profile>>) -> Result<Arc<Profile>, Error> {
    Ok(profile.filter(|profile| key.active && stands(profile)).ok_or(TokenRefusal::Over)?)
}

/// What the key leaves of the profile.
fn narrowed(key: &ApiKey, profile: Arc<Profile>) -> Arc<Profile> {
    if key.permissions.is_empty() {
        return profile;
    }
    let profile = Arc::unwrap_or_clone(profile);
    Arc::new(Profile { rights: key.narrow(&profile.rights), rank: None, ..profile })
}

/// Whether the user may be on the device now.
fn stands(profile: &Profile) -> bool {
    let (Some(user), Some(device)) = (&profile.user, &profile.device) else { return false };
    user.status == UserStatus::Active && device.status == DeviceStatus::Active && admits(user, Some(device))
}

fn near(signed: Instant, now: Instant) -> bool {
    signed.since(now).max(now.since(signed)) <= NEAR
}

/// What a wrapped secret is, so that it opens in no other place.
fn context(client: &str) -> Vec<u8> {
    format!("tillgate api key {client}").into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // writing into a text cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}
