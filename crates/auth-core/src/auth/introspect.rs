//! Token introspection (RFC 7662): checks a token for another system.
//!
//! Introspection decides as authentication does. A token is `active` exactly if its own dialect
//! would accept it now, with the current rights, from memory if they are cached. A refresh token is
//! evaluated by the judge, and nothing is written. Every reason for an inactive token, including
//! another tenant, gives the same response.

use std::sync::Arc;

use tillgate_domain::{
    DeviceId, Instant, KnownRight, PrincipalId, SessionId, StoreError, StoreExt, StoreResult, TenantId,
};
use uuid::Uuid;

use super::Auth;
use super::reach::Reach;
use crate::cache::VerifiedToken;
use crate::judge::{Presenter, Verdict, judge};
use crate::ports::SessionRecord;
use crate::principal_profile;
use crate::token::access_token::{Confirmation, build_audience};
use crate::token::refresh_token::{RefreshToken, UnverifiedRefreshToken};
use crate::{AuthDenied, Caller, Error, Profile, TokenDenied};

/// The right that introspection requires.
const INTROSPECT_RIGHT: KnownRight = KnownRight::TokenIntrospect;

/// What a token is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// It authenticates requests.
    Access,
    /// It is exchanged for other tokens and authenticates nothing.
    Refresh,
}

impl TokenUse {
    /// The stable name of the use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// The description of a token that is active now.
#[derive(Clone, Debug, PartialEq)]
pub struct Introspection {
    /// What the token is used for.
    pub token_use: TokenUse,
    /// The session of the token.
    pub session: SessionId,
    /// The tenant of the session.
    pub tenant: TenantId,
    /// The user or device of the session.
    pub principal: PrincipalId,
    /// The device of the session.
    pub device: Option<DeviceId>,
    /// The device, or the dialect if there is none.
    pub client: String,
    /// The audience: the dialect and the tenant.
    pub audience: String,
    /// The issuer of the token.
    pub issuer: String,
    /// The identifier of the token, if it has one.
    pub id: Option<Uuid>,
    /// The instant of issue, if the token contains it.
    pub issued_at: Option<Instant>,
    /// The expiry of the token; `None` if it never expires.
    pub expires_at: Option<Instant>,
    /// The key to which the token is bound.
    pub confirmation: Option<Confirmation>,
    /// The names and current rights of the principal.
    pub profile: Arc<Profile>,
}

/// The result of a lookup.
enum IntrospectionLookup {
    /// The store is needed.
    NeedsStore,
    Known(Option<Box<Introspection>>),
}

impl Auth {
    /// Introspects a token of the caller's tenant with cached data only, without waiting. `None` if
    /// the store is needed: then call [`introspect`](Self::introspect) on a thread that may block.
    pub fn introspect_cached(&self, caller: &Caller, token: &str) -> Option<Result<Option<Introspection>, Error>> {
        match self.introspect_within(caller, token, Reach::Memory) {
            Ok(IntrospectionLookup::NeedsStore) => None,
            Ok(IntrospectionLookup::Known(introspection)) => {
                Some(Ok(introspection.map(|introspection| *introspection)))
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Introspects a token of the caller's tenant. `None` if the token is not active, for whatever
    /// reason. Requires the right `tokenIntrospect`, whatever the token is.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn introspect(&self, caller: &Caller, token: &str) -> Result<Option<Introspection>, Error> {
        match self.introspect_within(caller, token, Reach::Store)? {
            IntrospectionLookup::Known(introspection) => Ok(introspection.map(|introspection| *introspection)),
            IntrospectionLookup::NeedsStore => {
                Err(Error::Fault("introspection with the store did not return a result".to_owned()))
            }
        }
    }

    fn introspect_within(&self, caller: &Caller, token: &str, reach: Reach) -> Result<IntrospectionLookup, Error> {
        caller.require_right(INTROSPECT_RIGHT)?;
        let (tenant, token) = (caller.profile.tenant.id, token.trim_ascii());
        let result = match UnverifiedRefreshToken::parse(token) {
            // Only the store knows which refresh token is the current one.
            Some(_) if reach == Reach::Memory => return Ok(IntrospectionLookup::NeedsStore),
            Some(_) => self.introspect_refresh_token(tenant, token),
            None => match self.verify_session(token, |verified| verified.tenant == tenant, reach) {
                Ok(None) => return Ok(IntrospectionLookup::NeedsStore),
                Ok(Some((verified, profile))) => {
                    // The caller does not prove the key: a copy without it is not in use.
                    if verified.thumbprint.is_none() {
                        self.record_token_use(&verified);
                    }
                    Ok(Introspection::from_access_token(&verified, profile))
                }
                Err(error) => Err(error),
            },
        };
        match result {
            Ok(introspection) => Ok(IntrospectionLookup::Known(Some(Box::new(introspection)))),
            // The reason is not revealed.
            Err(Error::Denied(AuthDenied::Token(_))) => Ok(IntrospectionLookup::Known(None)),
            Err(error) => Err(error),
        }
    }

    /// Introspects a refresh token without refreshing it: nothing is written.
    fn introspect_refresh_token(&self, tenant: TenantId, token: &str) -> Result<Introspection, Error> {
        let (_, token) = self.verify_refresh_token(token)?;
        let read_version = self.revocations.current_version();
        let time = self.time();
        let introspection = self.store.read("introspect", |tx| {
            let Some(record) = tx.sessions().find(token.session)? else { return Ok(None) };
            let principal = require_principal(&record)?;
            let profile = principal_profile::read(tx, principal, record.session.device)?;
            Ok(profile.map(|profile| (record, principal, self.profile_cache.share(profile))))
        })?;
        let (record, principal, profile) = introspection.ok_or(TokenDenied::SessionOver)?;
        let session = &record.session;
        if session.tenant != tenant {
            return Err(TokenDenied::WrongAudience.into());
        }
        self.profile_cache.insert(principal, session.device, &profile, read_version);
        if self.revocations.is_over(session) {
            return Err(TokenDenied::SessionOver.into());
        }
        // As if its own client presented it.
        let (dialect, thumbprint) = (&session.dialect, session.thumbprint.as_deref());
        let presenter = Presenter { dialect, device: None, thumbprint, keeps_token: false };
        let witness =
            self.activity.witness(session, record.clock, self.clock.monotonic(), self.timekeeper.confidence());
        match judge(&record, token.generation, &presenter, &witness, time.at) {
            Verdict::Rotate { .. } | Verdict::Repeat | Verdict::Reuse | Verdict::Renew | Verdict::Forgive => {}
            Verdict::Deny(TokenDenied::Expired) if time.in_doubt => {
                return Err(Error::unavailable(
                    "the session may have expired, but the clock is in doubt: check the clock of this machine",
                ));
            }
            Verdict::Deny(denial) => return Err(denial.into()),
            Verdict::Unproven => return Err(TokenDenied::Invalid.into()),
            Verdict::Replay => return Err(TokenDenied::Replay.into()),
        }
        Ok(Introspection::from_refresh_token(&record, token, principal, &self.issuer, profile))
    }
}

fn require_principal(record: &SessionRecord) -> StoreResult<PrincipalId> {
    record.session.principal().ok_or_else(|| StoreError::Corrupt {
        table: "sessions",
        column: "user",
        detail: "the session has neither a user nor a device".to_owned(),
    })
}

impl Introspection {
    fn from_access_token(verified: &VerifiedToken, profile: Arc<Profile>) -> Self {
        Self {
            token_use: TokenUse::Access,
            session: verified.session,
            tenant: verified.tenant,
            principal: verified.principal,
            device: verified.device,
            client: client_id(verified.device, &verified.dialect),
            audience: build_audience(&verified.dialect, verified.tenant),
            issuer: verified.issuer.to_string(),
            id: Some(verified.id),
            issued_at: Some(verified.issued_at),
            expires_at: Some(verified.expires_at),
            confirmation: verified.thumbprint.as_deref().map(|thumbprint| Confirmation::of(thumbprint.as_slice())),
            profile,
        }
    }

    fn from_refresh_token(
        record: &SessionRecord,
        token: RefreshToken,
        principal: PrincipalId,
        issuer: &str,
        profile: Arc<Profile>,
    ) -> Self {
        let session = &record.session;
        let newest = token.generation == session.generation;
        Self {
            token_use: TokenUse::Refresh,
            session: session.id,
            tenant: session.tenant,
            principal,
            device: session.device,
            client: client_id(session.device, session.dialect.as_str()),
            audience: build_audience(session.dialect.as_str(), session.tenant),
            issuer: issuer.to_owned(),
            id: None,
            issued_at: newest.then(|| session.rotated_at.unwrap_or(session.created_at)),
            expires_at: session.expires_at,
            confirmation: session.thumbprint.as_deref().map(Confirmation::of),
            profile,
        }
    }
}

/// The client of a token, which RFC 9068 requires: the device, or the dialect if there is none.
pub(super) fn client_id(device: Option<DeviceId>, dialect: &str) -> String {
    device.map_or_else(|| dialect.to_owned(), |device| device.to_string())
}
