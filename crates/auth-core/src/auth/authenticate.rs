//! Authenticating: who calls, from what the token says, what has changed since, and what is remembered of the principal.

use std::sync::Arc;

use tillgate_domain::{DeviceStatus, PrincipalId, StoreExt, UserStatus};

use super::{ApiKeyIdentity, Auth};
use crate::cache::{TokenCache, VerifiedToken};
use crate::ports::{self, SessionUse};
use crate::profile;
use crate::revocations::{RevocationCheck, SessionScopes};
use crate::token::access::{Claims, MAX_TOKEN_BYTES, read_key_id};
use crate::{
    AuthDenied, AuthRequest, AuthenticatedBy, Caller, Error, Profile, RequestCredentials, SessionContext, TokenDenied,
};

/// An access token that stands, with the profile of now.
pub(super) type VerifiedSession = (Arc<VerifiedToken>, Arc<Profile>);

/// Whether the store may be asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Memory,
    Store,
}

impl Auth {
    /// Tells who calls, from memory alone. `None` where the store must be asked: then [`authenticate`](Self::authenticate), on a
    /// thread that may wait.
    pub fn authenticate_cached(&self, presented: &AuthRequest<'_>) -> Option<Result<Caller, Error>> {
        self.authenticate_within(presented, Reach::Memory).transpose()
    }

    /// Tells who calls. The store is asked only for what memory does not hold: an unknown key, a view of what has changed that
    /// is too old, the profile of somebody who has not called since it changed, the row of a session that this process has not
    /// seen yet; and to remember a signature that counts once.
    pub fn authenticate(&self, presented: &AuthRequest<'_>) -> Result<Caller, Error> {
        self.authenticate_within(presented, Reach::Store)?
            .ok_or_else(|| Error::Fault("the store was not asked".to_owned()))
    }

    fn authenticate_within(&self, presented: &AuthRequest<'_>, reach: Reach) -> Result<Option<Caller>, Error> {
        match &presented.credentials {
            RequestCredentials::None => Err(TokenDenied::Missing.into()),
            RequestCredentials::Bearer(token) => self.authenticate_bearer(token, presented, reach),
            RequestCredentials::AnyBearer(tokens) => {
                let mut refused = TokenDenied::Missing;
                for token in tokens {
                    match self.authenticate_bearer(token, presented, reach) {
                        Err(Error::Denied(AuthDenied::Token(refusal))) => refused = refusal,
                        answered => return answered,
                    }
                }
                Err(refused.into())
            }
            RequestCredentials::Signature(signature, counting) => {
                let signed = self.verify_signature(signature, presented.tenant, *counting, reach);
                let signed = self.record_program_denial(signed, &signature.client_id, presented, reach)?;
                Ok(signed.map(|signed| api_key_caller(signed, presented)))
            }
            RequestCredentials::Client(client) => {
                let signed = self.authenticate_client(client, presented.tenant, presented.address, reach);
                let signed = self.record_program_denial(signed, &client.id, presented, reach)?;
                Ok(signed.map(|signed| api_key_caller(signed, presented)))
            }
        }
    }

    /// What is known of a program, once the audit has been told of its refusal. Memory tells nobody: then the store is asked.
    fn record_program_denial(
        &self,
        answer: Result<Option<ApiKeyIdentity>, Error>,
        client: &str,
        presented: &AuthRequest<'_>,
        reach: Reach,
    ) -> Result<Option<ApiKeyIdentity>, Error> {
        match &answer {
            Err(Error::Denied(_)) if reach == Reach::Memory => return Ok(None),
            Err(Error::Denied(refusal)) => self.record_api_key_denial(client, refusal, presented)?,
            _ => {}
        }
        answer
    }

    fn authenticate_bearer(
        &self,
        token: &str,
        presented: &AuthRequest<'_>,
        reach: Reach,
    ) -> Result<Option<Caller>, Error> {
        let Some((verified, profile)) = self.verify_session(token, |claims| is_audience(claims, presented), reach)?
        else {
            return Ok(None);
        };
        let claims = &verified.claims;
        let session = SessionContext {
            id: claims.sid,
            kind: claims.kind(),
            generation: claims.generation,
            created_at: tillgate_domain::Instant::from_millis(claims.sat),
            last_used_at: verified.last_recorded_at(),
            session_expires_at: claims.sxp.map(tillgate_domain::Instant::from_millis),
            expires_at: claims.expires_at(),
        };
        Ok(Some(Caller {
            authenticated_by: AuthenticatedBy::Session(session),
            dialect: presented.dialect.clone(),
            principal: claims.principal(),
            device: claims.did,
            address: presented.address,
            profile,
        }))
    }

    /// An access token that stands, with the profile of now. To be told that it does is a use of it.
    pub(super) fn verify_session(
        &self,
        token: &str,
        meant: impl Fn(&Claims) -> bool,
        reach: Reach,
    ) -> Result<Option<VerifiedSession>, Error> {
        let Some(verified) = self.verify_token(token, reach)? else { return Ok(None) };
        let claims = &verified.claims;
        if !meant(claims) {
            return Err(TokenDenied::WrongAudience.into());
        }
        let about = session_scopes(claims);
        let time = self.time();
        let now = time.at;
        let mut judged = self.revocations.check_session(&about, &claims.epochs());
        if !judged.over && claims.expires_at() > now && !self.is_feed_current() {
            if reach == Reach::Memory {
                return Ok(None);
            }
            self.catch_up()?;
            judged = self.revocations.check_session(&about, &claims.epochs());
        }
        if judged.over {
            return Err(TokenDenied::SessionOver.into());
        }
        if claims.expires_at() <= now {
            // by a clock in doubt the session may live: its client is to refresh
            let session_too = claims.session_has_expired(now) && !time.in_doubt;
            return Err(if session_too { TokenDenied::SessionOver } else { TokenDenied::Expired }.into());
        }
        match self.is_superseded(claims, judged.invalidated, now, reach)? {
            None => return Ok(None),
            Some(true) => return Err(TokenDenied::Expired.into()),
            Some(false) => {}
        }
        let Some(profile) = self.load_profile(&verified, &judged, reach)? else { return Ok(None) };
        if verified.should_record_use(now) {
            self.activity.record_use(SessionUse { session: claims.sid, generation: claims.generation, at: now });
        }
        Ok(Some((verified, profile)))
    }

    /// The token's claims, its signature checked now or before.
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
        let verified = Arc::new(VerifiedToken::new(claims, id));
        self.token_cache.insert(digest, &verified);
        Ok(Some(verified))
    }

    /// The profile of whom the token names. Where this process has not yet read the session's row, it is compared with that row
    /// too: what had ended before this process started may stand in no feed any more. The same where it has read it before the
    /// horizon: it may have forgotten the end.
    fn load_profile(
        &self,
        verified: &VerifiedToken,
        judged: &RevocationCheck,
        reach: Reach,
    ) -> Result<Option<Arc<Profile>>, Error> {
        let claims = &verified.claims;
        let (principal, device) = (claims.principal(), claims.did);
        let known = self.profile_cache.get(principal, device, judged.invalidated);
        let mut read = verified.session_read_since(judged.forgotten_until);
        if !read
            && let Some(began) =
                self.session_cache.find_read_version(claims.sid, &claims.epochs(), judged.forgotten_until)
        {
            verified.record_session_read(began);
            read = true;
        }
        if let (Some(profile), true) = (&known, read) {
            return Ok(Some(Arc::clone(profile)));
        }
        if reach == Reach::Memory {
            return Ok(None);
        }
        let (began, mut epochs) = (self.revocations.current_version(), claims.epochs());
        let found = self.store.read(|tx| {
            if !read {
                match tx.sessions().find(claims.sid)? {
                    Some(standing) if is_live(&standing, claims) => epochs = standing.epochs,
                    _ => return Ok(None),
                }
            }
            match &known {
                Some(profile) => Ok(Some(Arc::clone(profile))),
                None => Ok(profile::read(tx, principal, device)?.map(Arc::new)),
            }
        })?;
        let profile = found.ok_or(TokenDenied::SessionOver)?;
        if !read {
            self.session_cache.insert(claims.sid, &epochs, began, judged.forgotten_until);
            verified.record_session_read(began);
        }
        self.profile_cache.insert(principal, device, &profile, began);
        Ok(Some(profile))
    }
}

/// Whether a token stands by the rows of its session, user, device and tenant.
fn is_live(standing: &ports::SessionRecord, claims: &Claims) -> bool {
    standing.session.ended.is_none()
        && !claims.epochs().is_below(&standing.epochs)
        && standing.user.is_none_or(|status| status == UserStatus::Active)
        && standing.device.is_none_or(|status| status == DeviceStatus::Active)
}

/// Who calls by the key of a program.
fn api_key_caller(signed: ApiKeyIdentity, presented: &AuthRequest<'_>) -> Caller {
    Caller {
        authenticated_by: AuthenticatedBy::ApiKey(signed.key.id),
        dialect: presented.dialect.clone(),
        principal: PrincipalId::User(signed.key.user),
        device: Some(signed.key.device),
        address: presented.address,
        profile: signed.profile,
    }
}

fn session_scopes(claims: &Claims) -> SessionScopes {
    let user = match claims.principal() {
        PrincipalId::User(id) => Some(id),
        PrincipalId::Device(_) => None,
    };
    SessionScopes { session: claims.sid, user, device: claims.did, tenant: claims.tid }
}

/// Whether the token was made through this contract, and for the tenant that is served here.
fn is_audience(claims: &Claims, presented: &AuthRequest<'_>) -> bool {
    let named = claims.aud.strip_prefix("urn:tillgate:").and_then(|rest| rest.rsplit_once(':'));
    named.is_some_and(|(dialect, _)| dialect == presented.dialect.as_str())
        && presented.tenant.is_none_or(|tenant| tenant == claims.tid)
}
