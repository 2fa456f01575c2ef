//! Authentication: who is calling, from the token, from the changes since it was issued, and from
//! the cached profile.
//!
//! Authentication does not use the rights in the access token. The claim `scope` is for other
//! systems that read the token. tillgate reads the current rights and caches them until a change
//! affects their owner, so reduced rights take effect with the next request, without a 401 and
//! without a refresh.
//!
//! The feed is not required for a correct start. When a process first sees a session, it reads the
//! session's row and compares the epochs in the token with the current ones. From then on, the feed
//! reports the end of the session. Tokens that this process issued or refreshed need no such read.

use std::sync::Arc;

use tillgate_domain::{DeviceId, DeviceStatus, PrincipalId, SessionId, StoreExt, UserStatus};

use super::reach::Reach;
use super::{ApiKeyIdentity, Auth};
use crate::cache::{TokenCache, VerifiedToken};
use crate::ports::{self, SessionUse};
use crate::principal_profile;
use crate::revocations::{RevocationCheck, SessionScopes, Version};
use crate::token::access_token::{Claims, MAX_TOKEN_BYTES, read_key_id};
use crate::{
    AuthDenied, AuthRequest, AuthenticatedBy, Caller, DpopCredentials, Epochs, Error, Profile, ProofRetention,
    RequestCredentials, SessionContext, TokenDenied,
};

/// A valid access token with the current profile.
pub(super) type VerifiedSession = (Arc<VerifiedToken>, Arc<Profile>);

impl Auth {
    /// Authenticates a request with cached data only, without waiting. `None` if the store is
    /// needed: then call [`authenticate`](Self::authenticate) on a thread that may block.
    pub fn authenticate_cached(&self, request: &AuthRequest<'_>) -> Option<Result<Caller, Error>> {
        self.authenticate_within(request, Reach::Memory).transpose()
    }

    /// Authenticates a request. Reads the store only for what is not cached: an unknown key, a
    /// change feed that is too old, an outdated profile, the row of a session that this process has
    /// not seen. Writes it only to consume a signature.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] with a [`TokenDenied`] if the credentials are missing or not valid.
    /// [`Error::Unavailable`] if they cannot be checked now.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn authenticate(&self, request: &AuthRequest<'_>) -> Result<Caller, Error> {
        self.authenticate_with_store(request, Reach::Store)
    }

    /// Authenticates a request with a reach that includes the store.
    pub(super) fn authenticate_with_store(&self, request: &AuthRequest<'_>, reach: Reach) -> Result<Caller, Error> {
        self.authenticate_within(request, reach)?
            .ok_or_else(|| Error::Fault("authentication with the store did not return a result".to_owned()))
    }

    fn authenticate_within(&self, request: &AuthRequest<'_>, reach: Reach) -> Result<Option<Caller>, Error> {
        match &request.credentials {
            RequestCredentials::None => Err(TokenDenied::Missing.into()),
            RequestCredentials::Bearer(token) => self.authenticate_token(token, None, request, reach),
            RequestCredentials::Dpop(presented) => {
                self.authenticate_token(presented.token, Some(presented), request, reach)
            }
            RequestCredentials::AnyBearer(tokens) => {
                let mut refused = TokenDenied::Missing;
                for token in tokens {
                    match self.authenticate_token(token, None, request, reach) {
                        Err(Error::Denied(AuthDenied::Token(denial))) => refused = denial,
                        answered => return answered,
                    }
                }
                Err(refused.into())
            }
            RequestCredentials::Signature(signature, counting) => {
                let signed = self.verify_signature(signature, request.tenant, *counting, reach);
                let signed = self.record_program_denial(signed, &signature.client_id, request, reach)?;
                Ok(signed.map(|signed| api_key_caller(signed, request)))
            }
            RequestCredentials::Client(client) => {
                let signed = self.authenticate_client(client, request.tenant, request.address, reach);
                let signed = self.record_program_denial(signed, &client.id, request, reach)?;
                Ok(signed.map(|signed| api_key_caller(signed, request)))
            }
        }
    }

    /// Records the denial of an API key. Without the store, returns `None` instead, so that the
    /// caller repeats the call with it.
    fn record_program_denial(
        &self,
        result: Result<Option<ApiKeyIdentity>, Error>,
        client: &str,
        request: &AuthRequest<'_>,
        reach: Reach,
    ) -> Result<Option<ApiKeyIdentity>, Error> {
        match &result {
            Err(Error::Denied(_)) if reach == Reach::Memory => return Ok(None),
            Err(Error::Denied(denial)) => self.record_api_key_denial(client, denial, request)?,
            _ => {}
        }
        result
    }

    fn authenticate_token(
        &self,
        token: &str,
        presented: Option<&DpopCredentials<'_>>,
        request: &AuthRequest<'_>,
        reach: Reach,
    ) -> Result<Option<Caller>, Error> {
        // such a proof will be stored
        if reach == Reach::Memory && presented.is_some_and(|presented| presented.retention == ProofRetention::Store) {
            return Ok(None);
        }
        let Some((verified, profile)) = self.verify_session(token, |verified| is_audience(verified, request), reach)?
        else {
            return Ok(None);
        };
        // A token that is presented without its key is not in use: otherwise a copy of it would
        // make the client's next refresh a replay.
        self.require_token_proof(token, &verified, presented)?;
        if reach != Reach::Exchange {
            self.record_token_use(&verified);
        }
        let session = SessionContext {
            id: verified.session,
            kind: verified.kind,
            generation: verified.generation,
            created_at: verified.session_created_at,
            proved_at: verified.proved_at,
            max_proof_age: verified.max_proof_age,
            last_used_at: verified.last_recorded_at(),
            session_expires_at: verified.session_expires_at,
            expires_at: verified.expires_at,
            epochs: verified.epochs,
        };
        Ok(Some(Caller {
            authenticated_by: AuthenticatedBy::Session(session),
            dialect: request.dialect.clone(),
            principal: verified.principal,
            device: verified.device,
            address: request.address,
            profile,
        }))
    }

    /// Records the use of a token, at most once per minute.
    pub(super) fn record_token_use(&self, verified: &VerifiedToken) {
        let now = self.time().at;
        if verified.should_record_use(now) {
            let (session, generation) = (verified.session, verified.generation);
            self.activity.record_use(SessionUse { session, generation, at: now });
        }
    }

    /// Verifies an access token and reads its current profile. The caller checks whether the
    /// token is bound to a key, and records its use.
    pub(super) fn verify_session(
        &self,
        token: &str,
        accepts: impl Fn(&VerifiedToken) -> bool,
        reach: Reach,
    ) -> Result<Option<VerifiedSession>, Error> {
        let Some(verified) = self.verify_token(token, reach)? else { return Ok(None) };
        if !accepts(&verified) {
            return Err(TokenDenied::WrongAudience.into());
        }
        let scopes = session_scopes(&verified);
        let time = self.time();
        let now = time.at;
        let mut check = self.revocations.check_session(&scopes, &verified.epochs);
        if !check.over && verified.expires_at > now && !self.is_feed_current() {
            if reach == Reach::Memory {
                return Ok(None);
            }
            self.catch_up()?;
            check = self.revocations.check_session(&scopes, &verified.epochs);
        }
        if check.over {
            return Err(TokenDenied::SessionOver.into());
        }
        if verified.expires_at <= now {
            // If the clock is in doubt, the session may still be valid; the client has to refresh
            // it.
            let session_too = verified.session_has_expired(now) && !time.in_doubt;
            return Err(if session_too { TokenDenied::SessionOver } else { TokenDenied::Expired }.into());
        }
        match self.is_superseded(&verified, now, reach)? {
            None => return Ok(None),
            Some(true) => return Err(TokenDenied::Expired.into()),
            Some(false) => {}
        }
        let Some(profile) = self.load_profile(&verified, &check, reach)? else { return Ok(None) };
        Ok(Some((verified, profile)))
    }

    /// A token whose signature was verified, now or before.
    pub(super) fn verify_token(&self, token: &str, reach: Reach) -> Result<Option<Arc<VerifiedToken>>, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenDenied::Invalid.into());
        }
        let digest = TokenCache::digest(token);
        if let Some(verified) = self.token_cache.get(&digest) {
            if self.keyring.current().signing_key(verified.key).is_some() {
                return Ok(Some(verified));
            }
            self.token_cache.remove(&digest);
        }
        let id = read_key_id(token).ok_or(TokenDenied::Invalid)?;
        let mut key = self.keyring.current().signing_key(id).cloned();
        if key.is_none() {
            if reach == Reach::Memory {
                return Ok(None);
            }
            self.reload_unknown_keys()?;
            key = self.keyring.current().signing_key(id).cloned();
        }
        let key = key.ok_or(TokenDenied::Invalid)?;
        let claims = Claims::verify(token, &key).ok_or(TokenDenied::Invalid)?;
        let verified = self.token_cache.build_token(&claims, id).ok_or(TokenDenied::Invalid)?;
        self.token_cache.insert(digest, &verified);
        Ok(Some(verified))
    }

    /// The profile of the principal. If this process has not read the session's row yet, or only
    /// before the horizon of the revocation cache, the token is compared with that row, because the
    /// end of the session may no longer be in the feed or in the cache.
    fn load_profile(
        &self,
        verified: &VerifiedToken,
        check: &RevocationCheck,
        reach: Reach,
    ) -> Result<Option<Arc<Profile>>, Error> {
        let &VerifiedToken { session, principal, device, epochs, .. } = verified;
        let known = self.profile_cache.get(principal, device, check.invalidated);
        let mut read = verified.session_read_since(check.forgotten_until);
        if !read
            && let Some(read_version) = self.session_cache.find_read_version(session, &epochs, check.forgotten_until)
        {
            verified.record_session_read(read_version);
            read = true;
        }
        if let (Some(profile), true) = (&known, read) {
            return Ok(Some(Arc::clone(profile)));
        }
        if reach == Reach::Memory {
            return Ok(None);
        }
        let identity = TokenIdentity { session, principal, device, epochs };
        let (profile, read_version) = self.read_profile(&identity, known.as_ref(), read, check.forgotten_until)?;
        if !read {
            verified.record_session_read(read_version);
        }
        Ok(Some(profile))
    }

    /// Reads the profile from the store unless it is known, and the session's row unless it was
    /// read already. Returns the version at which the reading began.
    fn read_profile(
        &self,
        identity: &TokenIdentity,
        known: Option<&Arc<Profile>>,
        is_session_read: bool,
        horizon: Version,
    ) -> Result<(Arc<Profile>, Version), Error> {
        let &TokenIdentity { session, principal, device, epochs: claimed } = identity;
        let (read_version, mut epochs) = (self.revocations.current_version(), claimed);
        let found = self.store.read("authenticate", |tx| {
            if !is_session_read {
                match tx.sessions().find(session)? {
                    Some(record) if is_live(&record, &claimed) => epochs = record.epochs,
                    _ => return Ok(None),
                }
            }
            if let Some(profile) = known {
                return Ok(Some(Arc::clone(profile)));
            }
            let profile = principal_profile::read(tx, principal, device)?;
            Ok(profile.map(|profile| self.profile_cache.share(profile)))
        })?;
        let profile = found.ok_or(TokenDenied::SessionOver)?;
        if !is_session_read {
            self.session_cache.insert(session, &epochs, read_version, horizon);
        }
        self.profile_cache.insert(principal, device, &profile, read_version);
        Ok((profile, read_version))
    }

    /// Checks a caller again during a long response: whether the session is still live and the
    /// access token has not expired. Returns the caller with its current rights. Unlike a request,
    /// this is not a use of the session.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the session has ended, if the access token has expired, or if the
    /// caller has no session. [`Error::Unavailable`] if that cannot be checked now.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn recheck_caller(&self, caller: &Caller) -> Result<Caller, Error> {
        self.catch_up()?;
        self.recheck_caller_in_view(caller)
    }

    /// Checks a caller as [`recheck_caller`](Self::recheck_caller) does, after a call of
    /// [`catch_up`](Self::catch_up) for several callers.
    ///
    /// # Errors
    /// Those of [`recheck_caller`](Self::recheck_caller).
    pub fn recheck_caller_in_view(&self, caller: &Caller) -> Result<Caller, Error> {
        let session = caller.session_context().ok_or(TokenDenied::SessionOver)?;
        if session.expires_at <= self.time().at {
            return Err(TokenDenied::Expired.into());
        }
        let (user, device, tenant) = (caller.user(), caller.device, caller.profile.tenant.id);
        let scopes = SessionScopes { session: session.id, user, device, tenant };
        let check = self.revocations.check_session(&scopes, &session.epochs);
        if check.over {
            return Err(TokenDenied::SessionOver.into());
        }
        let horizon = check.forgotten_until;
        let known = self.profile_cache.get(caller.principal, device, check.invalidated);
        let read = self.session_cache.find_read_version(session.id, &session.epochs, horizon).is_some();
        let profile = match known {
            Some(profile) if read => profile,
            known => {
                let principal = caller.principal;
                let identity = TokenIdentity { session: session.id, principal, device, epochs: session.epochs };
                self.read_profile(&identity, known.as_ref(), read, horizon)?.0
            }
        };
        Ok(Caller { profile, ..caller.clone() })
    }

    /// A number that rises with every change that this process learns of. As long as it is the
    /// same, [`recheck_caller`](Self::recheck_caller) finds the same session and rights.
    pub fn change_version(&self) -> u64 {
        self.revocations.current_version().0
    }
}

/// The ids and epochs in a token.
struct TokenIdentity {
    session: SessionId,
    principal: PrincipalId,
    device: Option<DeviceId>,
    epochs: Epochs,
}

/// Whether a token is valid according to the rows of its session, user, device and tenant.
fn is_live(record: &ports::SessionRecord, claimed: &Epochs) -> bool {
    record.session.ended.is_none()
        && !claimed.is_below(&record.epochs)
        && record.user.is_none_or(|status| status == UserStatus::Active)
        && record.device.is_none_or(|status| status == DeviceStatus::Active)
}

/// The caller for an API key.
fn api_key_caller(signed: ApiKeyIdentity, request: &AuthRequest<'_>) -> Caller {
    Caller {
        authenticated_by: AuthenticatedBy::ApiKey(signed.key.id),
        dialect: request.dialect.clone(),
        principal: PrincipalId::User(signed.key.user),
        device: Some(signed.key.device),
        address: request.address,
        profile: signed.profile,
    }
}

fn session_scopes(verified: &VerifiedToken) -> SessionScopes {
    let &VerifiedToken { session, principal, device, tenant, .. } = verified;
    let user = match principal {
        PrincipalId::User(id) => Some(id),
        PrincipalId::Device(_) => None,
    };
    SessionScopes { session, user, device, tenant }
}

/// Whether the token was issued in this dialect, and for the tenant of the mount.
fn is_audience(verified: &VerifiedToken, request: &AuthRequest<'_>) -> bool {
    *verified.dialect == *request.dialect.as_str() && request.tenant.is_none_or(|tenant| tenant == verified.tenant)
}
