//! Introspecting: what a token is, told to a program that may ask, with the rights of now.
//!
//! A token is told of exactly where it would be taken: an access token where authenticating takes it, a refresh token where a
//! refresh would. Nothing is told of the others, nor why; and nothing of another tenant's.

use std::sync::Arc;

use tillgate_domain::{
    DeviceId, Instant, KnownRight, PrincipalId, SessionId, StoreError, StoreExt, StoreResult, TenantId,
};
use uuid::Uuid;

use super::Auth;
use super::authenticate::Reach;
use crate::judge::{Presenter, Verdict, judge};
use crate::ports::SessionRecord;
use crate::profile;
use crate::token::access::{Claims, build_audience};
use crate::token::refresh::{RefreshToken, UnverifiedRefreshToken};
use crate::{AuthDenied, Caller, DialectName, Error, Profile, TokenDenied};

/// What it takes to introspect tokens.
const INTROSPECT_RIGHT: KnownRight = KnownRight::TokenIntrospect;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// It authenticates requests.
    Access,
    /// It is exchanged for other tokens, and authenticates nothing.
    Refresh,
}

impl TokenUse {
    /// A stable word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// A token that would be taken now.
#[derive(Clone, Debug, PartialEq)]
pub struct Introspection {
    /// What it is good for.
    pub token_use: TokenUse,
    /// Its session.
    pub session: SessionId,
    /// Whose.
    pub tenant: TenantId,
    /// Who it is.
    pub principal: PrincipalId,
    /// The device that they are on.
    pub device: Option<DeviceId>,
    /// The device, or the contract where there is none.
    pub client: String,
    /// The contract and the tenant that it is for.
    pub audience: String,
    /// Who issued it.
    pub issuer: String,
    /// Its own id, where it has one.
    pub id: Option<Uuid>,
    /// When it was made, where it says so.
    pub issued_at: Option<Instant>,
    /// When it expires; `None` for never.
    pub expires_at: Option<Instant>,
    /// Names, and the rights of now.
    pub profile: Arc<Profile>,
}

/// What came of a look at a token.
enum IntrospectionLookup {
    /// The store has to be asked.
    NeedsStore,
    Known(Option<Box<Introspection>>),
}

impl Auth {
    /// What a token of the asker's tenant is, from memory alone. `None` where the store must be asked: then
    /// [`introspect`](Self::introspect), on a thread that may wait.
    pub fn introspect_cached(&self, asker: &Caller, token: &str) -> Option<Result<Option<Introspection>, Error>> {
        match self.introspect_within(asker, token, Reach::Memory) {
            Ok(IntrospectionLookup::NeedsStore) => None,
            Ok(IntrospectionLookup::Known(found)) => Some(Ok(found.map(|found| *found))),
            Err(error) => Some(Err(error)),
        }
    }

    /// What a token of the asker's tenant is; `None` where it would not be taken now, and for whatever is none of theirs. It asks
    /// the right `tokenIntrospect`, whatever the token.
    pub fn introspect(&self, asker: &Caller, token: &str) -> Result<Option<Introspection>, Error> {
        match self.introspect_within(asker, token, Reach::Store)? {
            IntrospectionLookup::Known(found) => Ok(found.map(|found| *found)),
            IntrospectionLookup::NeedsStore => Err(Error::Fault("the store was not asked".to_owned())),
        }
    }

    fn introspect_within(&self, asker: &Caller, token: &str, reach: Reach) -> Result<IntrospectionLookup, Error> {
        asker.require_right(INTROSPECT_RIGHT)?;
        let tenant = asker.profile.tenant.id;
        let looked = match UnverifiedRefreshToken::parse(token.trim_ascii()) {
            // the store alone knows which refresh token is the newest
            Some(_) if reach == Reach::Memory => return Ok(IntrospectionLookup::NeedsStore),
            Some(_) => self.introspect_refresh_token(tenant, token),
            None => match self.verify_session(token, |claims| claims.tid == tenant, reach) {
                Ok(None) => return Ok(IntrospectionLookup::NeedsStore),
                Ok(Some((verified, profile))) => Ok(Introspection::from_access_token(&verified.claims, profile)),
                Err(error) => Err(error),
            },
        };
        match looked {
            Ok(found) => Ok(IntrospectionLookup::Known(Some(Box::new(found)))),
            // whatever it was that spoke against the token
            Err(Error::Denied(AuthDenied::Token(_))) => Ok(IntrospectionLookup::Known(None)),
            Err(error) => Err(error),
        }
    }

    /// A refresh token that a refresh would take now. Nothing is written: to be asked about is no refresh.
    fn introspect_refresh_token(&self, tenant: TenantId, token: &str) -> Result<Introspection, Error> {
        let (_, token) = self.verify_refresh_token(token)?;
        let began = self.revocations.current_version();
        let time = self.time();
        let found = self.store.read(|tx| {
            let Some(standing) = tx.sessions().find(token.session)? else { return Ok(None) };
            let principal = require_principal(&standing)?;
            let profile = profile::read(tx, principal, standing.session.device)?;
            Ok(profile.map(|profile| (standing, principal, Arc::new(profile))))
        })?;
        let (standing, principal, profile) = found.ok_or(TokenDenied::SessionOver)?;
        let session = &standing.session;
        if session.tenant != tenant {
            return Err(TokenDenied::WrongAudience.into());
        }
        self.profile_cache.insert(principal, session.device, &profile, began);
        if self.revocations.is_over(session) {
            return Err(TokenDenied::SessionOver.into());
        }
        // in the hands of whoever it was made for
        let (dialect, thumbprint) = (&session.dialect, session.thumbprint.as_deref());
        let presenter = Presenter { dialect, device: None, thumbprint, keeps_token: false };
        let witness =
            self.activity.witness(session, standing.clock, self.clock.monotonic(), self.timekeeper.confidence());
        match judge(&standing, token.generation, &presenter, &witness, time.at) {
            Verdict::Rotate { .. } | Verdict::Repeat | Verdict::Reuse | Verdict::Renew | Verdict::Forgive => {}
            Verdict::Deny(TokenDenied::Expired) if time.in_doubt => {
                return Err(Error::unavailable("the clock is in doubt, and the session may have expired by it"));
            }
            Verdict::Deny(refusal) => return Err(refusal.into()),
            Verdict::Replay => return Err(TokenDenied::Replay.into()),
        }
        Ok(Introspection::from_refresh_token(&standing, token, principal, &self.issuer, profile))
    }
}

fn require_principal(standing: &SessionRecord) -> StoreResult<PrincipalId> {
    standing.session.principal().ok_or_else(|| StoreError::Corrupt {
        table: "sessions",
        column: "user",
        detail: "nobody's session".to_owned(),
    })
}

impl Introspection {
    fn from_access_token(claims: &Claims, profile: Arc<Profile>) -> Self {
        Self {
            token_use: TokenUse::Access,
            session: claims.sid,
            tenant: claims.tid,
            principal: claims.principal(),
            device: claims.did,
            client: claims.client_id.clone(),
            audience: claims.aud.clone(),
            issuer: claims.iss.clone(),
            id: Some(claims.jti),
            issued_at: Some(Instant::from_millis(claims.iat.saturating_mul(1000))),
            expires_at: Some(claims.expires_at()),
            profile,
        }
    }

    fn from_refresh_token(
        standing: &SessionRecord,
        token: RefreshToken,
        principal: PrincipalId,
        issuer: &str,
        profile: Arc<Profile>,
    ) -> Self {
        let session = &standing.session;
        let newest = token.generation == session.generation;
        Self {
            token_use: TokenUse::Refresh,
            session: session.id,
            tenant: session.tenant,
            principal,
            device: session.device,
            client: client_id(session.device, &session.dialect),
            audience: build_audience(&session.dialect, session.tenant),
            issuer: issuer.to_owned(),
            id: None,
            issued_at: newest.then(|| session.rotated_at.unwrap_or(session.created_at)),
            expires_at: session.expires_at,
            profile,
        }
    }
}

/// What stands for the client in tokens (RFC 9068 asks for one): the device, or the contract where there is none.
pub(super) fn client_id(device: Option<DeviceId>, dialect: &DialectName) -> String {
    device.map_or_else(|| dialect.as_str().to_owned(), |device| device.to_string())
}
