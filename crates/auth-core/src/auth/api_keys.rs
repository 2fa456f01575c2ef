//! API keys: their generation, and the authentication of requests that are signed with them.

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::{
    ApiKey, ApiKeyId, DeviceStatus, Instant, PrincipalId, Secret, StoreExt, TenantId, UserStatus, hex,
};

use super::Auth;
use super::reach::Reach;
use crate::cache::OpenedApiKey;
use crate::ports::WrappedApiKey;
use crate::principal_profile;
use crate::{Error, Profile, ReplayCheck, Signature, TokenDenied};

/// The greatest difference between the time of a signature and the server's, in either direction.
pub(super) const MAX_SIGNATURE_SKEW: Duration = Duration::from_secs(150);

/// A generated API key that is not stored yet.
#[derive(Clone, Debug)]
pub struct GeneratedApiKey {
    /// The identifier of the key.
    pub id: ApiKeyId,
    /// The client id: 32 hexadecimal digits.
    pub client_id: String,
    /// The client secret, to be shown once and stored nowhere: 64 hexadecimal digits.
    pub secret: Secret<String>,
    /// The secret, encrypted for the store.
    pub wrapped_secret: Vec<u8>,
}

/// An authenticated API key.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKeyIdentity {
    /// The API key without its secret.
    pub key: ApiKey,
    /// The user on the device with the current rights, restricted to those of the key. A restricted
    /// key has no rank.
    pub profile: Arc<Profile>,
}

/// A key with its secret, and the profile of its user on its device if both exist.
pub(super) type ApiKeyWithProfile = (Arc<OpenedApiKey>, Option<Arc<Profile>>);

impl Auth {
    /// Generates an API key.
    pub fn generate_api_key(&self) -> Result<GeneratedApiKey, Error> {
        let drawn = |error: crate::EntropyError| Error::Fault(error.to_string());
        let client = hex::encode(&self.entropy.random_bytes::<16>().map_err(drawn)?);
        let (secret, wrapped_secret) = self.generate_api_key_secret(&client)?;
        Ok(GeneratedApiKey { id: self.new_id(ApiKeyId::new)?, client_id: client, secret, wrapped_secret })
    }

    /// Generates a secret for the API key with this client id, and encrypts it for the store.
    pub fn generate_api_key_secret(&self, client_id: &str) -> Result<(Secret<String>, Vec<u8>), Error> {
        let bytes = self.entropy.random_bytes::<32>().map_err(|error| Error::Fault(error.to_string()))?;
        let secret = Secret::new(hex::encode(Secret::new(bytes).expose()));
        let context = wrapping_context(client_id);
        let wrapped = self.keyring.master().wrap(secret.expose().as_bytes(), &context, &*self.entropy);
        Ok((secret, wrapped.ok_or_else(|| Error::Fault("could not encrypt a secret".to_owned()))?))
    }

    /// Authenticates a signature. `tenant` is the one that the mount serves. Reads the store only
    /// for what is not cached, and writes it only to consume the signature.
    ///
    /// A revoked key is rejected immediately, and so is a key whose user is not active or may not
    /// log in on the device, or whose device is not active. An expired key is rejected like an
    /// unknown one. During the overlap after a rotation, both secrets are accepted. The result is
    /// [`Error::Unavailable`] while the clock is in doubt.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn authenticate_signature(
        &self,
        signature: &Signature,
        tenant: Option<TenantId>,
        counting: ReplayCheck,
    ) -> Result<ApiKeyIdentity, Error> {
        let signed = self.verify_signature(signature, tenant, counting, Reach::Store)?;
        signed.ok_or_else(|| Error::Fault("verification with the store did not return a result".to_owned()))
    }

    pub(super) fn verify_signature(
        &self,
        signature: &Signature,
        tenant: Option<TenantId>,
        counting: ReplayCheck,
        reach: Reach,
    ) -> Result<Option<ApiKeyIdentity>, Error> {
        if reach == Reach::Memory && (counting == ReplayCheck::Consume || !self.is_feed_current()) {
            return Ok(None);
        }
        self.catch_up()?;
        let Some((opened, profile)) = self.open_api_key(&signature.client_id, reach)? else { return Ok(None) };
        let key = &opened.key;
        let time = self.time();
        match opened.match_secret(time.at, |secret| signature.verify(secret)) {
            SecretMatch::NoMatch => return Err(TokenDenied::Invalid.into()),
            SecretMatch::Expired if !time.in_doubt => return Err(TokenDenied::Invalid.into()),
            SecretMatch::Expired | SecretMatch::Valid => {}
        }
        if tenant.is_some_and(|tenant| tenant != key.tenant) {
            return Err(TokenDenied::WrongAudience.into());
        }
        if time.in_doubt {
            return Err(Error::unavailable(
                "the signature cannot be checked while the clock is in doubt: check the clock of this machine",
            ));
        }
        if !is_recent(signature.at, time.at) {
            return Err(TokenDenied::Expired.into());
        }
        let profile = require_usable(key, profile)?;
        if counting == ReplayCheck::Consume
            && !self.store.write("verify_signature", |tx| signature.consume(key, tx, time.at))?
        {
            return Err(TokenDenied::SignatureReplayed.into());
        }
        self.record_api_key_use(&opened, time.at);
        Ok(Some(ApiKeyIdentity::new(key, profile)))
    }

    /// The key with this client id and the profile of its user on its device, from the caches if
    /// they are current. If its secret cannot be decrypted, that is a failure of the server, unless
    /// the key would be denied with the right secret, too: then it is denied like an unknown one.
    pub(super) fn open_api_key(&self, client: &str, reach: Reach) -> Result<Option<ApiKeyWithProfile>, Error> {
        if let Some((opened, read_at)) = self.api_key_cache.get(client) {
            let key = &opened.key;
            let touched = self.revocations.device_invalidated_at(key.user, key.device, key.tenant);
            let user = PrincipalId::User(key.user);
            let profile = self.profile_cache.get(user, Some(key.device), touched);
            if read_at >= touched && profile.is_some() {
                return Ok(Some((opened, profile)));
            }
        }
        if reach == Reach::Memory {
            return Ok(None);
        }
        let read_version = self.revocations.current_version();
        let (found, profile) = self.store.read("open_api_key", |tx| {
            let Some(found) = tx.api_keys().find_by_client_id(client)? else { return Ok((None, None)) };
            let profile = principal_profile::read(tx, PrincipalId::User(found.key.user), Some(found.key.device))?;
            Ok((Some(found), profile))
        })?;
        let WrappedApiKey { key, wrapped_secret, previous_wrapped_secret } = found.ok_or(TokenDenied::Invalid)?;
        let secret = match self.unwrap_secret(&key, &wrapped_secret) {
            Err(_) if self.is_denied_with_any_secret(&key, profile.as_ref()) => return Err(TokenDenied::Invalid.into()),
            unwrapped => unwrapped?,
        };
        let previous = previous_wrapped_secret.and_then(|wrapped| self.unwrap_previous_secret(&key, &wrapped));
        let opened = Arc::new(OpenedApiKey::new(key, secret, previous));
        let profile = profile.map(|profile| self.profile_cache.share(profile));
        self.api_key_cache.insert(&opened, read_version);
        if let Some(profile) = &profile {
            let user = PrincipalId::User(opened.key.user);
            self.profile_cache.insert(user, Some(opened.key.device), profile, read_version);
        }
        Ok(Some((opened, profile)))
    }

    fn is_denied_with_any_secret(&self, key: &ApiKey, profile: Option<&Profile>) -> bool {
        let time = self.time();
        !profile.is_some_and(|profile| is_usable(key, profile)) || (key.is_expired(time.at) && !time.in_doubt)
    }

    fn unwrap_secret(&self, key: &ApiKey, wrapped: &[u8]) -> Result<Secret<String>, Error> {
        let secret = self.keyring.master().unwrap(wrapped, &wrapping_context(&key.client_id));
        let secret = secret.and_then(|secret| String::from_utf8(secret.expose().clone()).ok()).map(Secret::new);
        secret.ok_or_else(|| Error::Fault(format!("could not decrypt the secret of API key \"{}\"", key.id)))
    }

    /// Decrypts the previous secret. A damaged one is only logged: the present secret stays valid.
    fn unwrap_previous_secret(&self, key: &ApiKey, wrapped: &[u8]) -> Option<Secret<String>> {
        self.unwrap_secret(key, wrapped)
            .inspect_err(|error| tracing::warn!(%error, "the previous secret of an API key is ignored"))
            .ok()
    }

    /// Records that a key has authenticated a request, at most once a minute. The store is written
    /// in the background.
    pub(super) fn record_api_key_use(&self, opened: &OpenedApiKey, at: Instant) {
        if let Some(minute) = opened.claim_minute_to_record(at) {
            self.activity.record_key_use(opened.key.id, minute);
        }
    }
}

/// The result of comparing a presented secret with those of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretMatch {
    /// No secret of the key matches.
    NoMatch,
    /// A secret matches, but the key or the overlap has expired.
    Expired,
    /// A secret matches and is valid.
    Valid,
}

impl OpenedApiKey {
    /// Looks for a secret of the key for which `matches` is true, and whether it is valid at this
    /// instant.
    pub(super) fn match_secret(&self, now: Instant, matches: impl Fn(&Secret<String>) -> bool) -> SecretMatch {
        let ends = if matches(&self.secret) {
            None
        } else if let Some((_, until)) = self.previous().filter(|(previous, _)| matches(previous)) {
            Some(until)
        } else {
            return SecretMatch::NoMatch;
        };
        if self.key.is_expired(now) || ends.is_some_and(|until| until <= now) {
            return SecretMatch::Expired;
        }
        SecretMatch::Valid
    }
}

impl ApiKeyIdentity {
    /// The identity of a key, with its profile restricted to the rights of the key.
    pub(super) fn new(key: &ApiKey, profile: Arc<Profile>) -> Self {
        Self { key: key.clone(), profile: narrow_profile(key, profile) }
    }
}

/// The profile, if the key is active and its user may be on its device now.
pub(super) fn require_usable(key: &ApiKey, profile: Option<Arc<Profile>>) -> Result<Arc<Profile>, Error> {
    Ok(profile.filter(|profile| is_usable(key, profile)).ok_or(TokenDenied::SessionOver)?)
}

/// The profile, restricted to the rights of the key.
fn narrow_profile(key: &ApiKey, profile: Arc<Profile>) -> Arc<Profile> {
    if key.permissions.is_empty() {
        return profile;
    }
    let profile = Arc::unwrap_or_clone(profile);
    Arc::new(Profile { rights: key.narrow(&profile.rights), rank: None, ..profile })
}

/// Whether the key is active and its user may be on its device now.
fn is_usable(key: &ApiKey, profile: &Profile) -> bool {
    let (Some(user), Some(device)) = (&profile.user, &profile.device) else { return false };
    key.active && user.status == UserStatus::Active && device.status == DeviceStatus::Active && profile.may_log_in
}

fn is_recent(signed: Instant, now: Instant) -> bool {
    signed.duration_since(now).max(now.duration_since(signed)) <= MAX_SIGNATURE_SKEW
}

/// The context with which the secret is encrypted, so that it cannot be decrypted elsewhere.
fn wrapping_context(client: &str) -> Vec<u8> {
    format!("tillgate api key {client}").into_bytes()
}
