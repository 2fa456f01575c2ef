//! Authenticating: who calls, from what the token says, what has changed since, and what is remembered of the principal.

use std::sync::Arc;

use tillgate_domain::{DeviceStatus, PrincipalId, StoreExt, UserStatus};

use super::{Auth, Signed};
use crate::changes::{About, Judged};
use crate::ports::{self, Use};
use crate::profile;
use crate::remembered::{Tokens, Verified};
use crate::token::access::{Claims, LONGEST, key_of};
use crate::{By, Caller, Error, Evidence, InSession, Presented, Profile, Refusal, TokenRefusal};

/// An access token that stands, with the profile of now.
pub(super) type Standing = (Arc<Verified>, Arc<Profile>);

/// Whether the store may be asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Memory,
    Store,
}

impl Auth {
    /// Tells who calls, from memory alone. `None` where the store must be asked: then [`authenticate`](Self::authenticate), on a
    /// thread that may wait.
    pub fn recognize(&self, presented: &Presented<'_>) -> Option<Result<Caller, Error>> {
        self.look(presented, Reach::Memory).transpose()
    }

    /// Tells who calls. The store is asked only for what memory does not hold: an unknown key, a view of what has changed that
    /// is too old, the profile of somebody who has not called since it changed, the row of a session that this process has not
    /// seen yet; and to remember a signature that counts once.
    pub fn authenticate(&self, presented: &Presented<'_>) -> Result<Caller, Error> {
        self.look(presented, Reach::Store)?.ok_or_else(|| Error::Fault("the store was not asked".to_owned()))
    }

    fn look(&self, presented: &Presented<'_>, reach: Reach) -> Result<Option<Caller>, Error> {
        match &presented.evidence {
            Evidence::None => Err(TokenRefusal::Missing.into()),
            Evidence::Bearer(token) => self.in_session(token, presented, reach),
            Evidence::AnyBearer(tokens) => {
                let mut refused = TokenRefusal::Missing;
                for token in tokens {
                    match self.in_session(token, presented, reach) {
                        Err(Error::Refused(Refusal::Token(refusal))) => refused = refusal,
                        answered => return answered,
                    }
                }
                Err(refused.into())
            }
            Evidence::Signature(signature, counting) => {
                let signed = self.who_signed(signature, presented.tenant, *counting, reach);
                let signed = self.telling(signed, &signature.client, presented, reach)?;
                Ok(signed.map(|signed| by_key(signed, presented)))
            }
            Evidence::Client(client) => {
                let signed = self.who_holds(client, presented.tenant, presented.address, reach);
                let signed = self.telling(signed, &client.id, presented, reach)?;
                Ok(signed.map(|signed| by_key(signed, presented)))
            }
        }
    }

    /// What is known of a program, once the audit has been told of its refusal. Memory tells nobody: then the store is asked.
    fn telling(
        &self,
        answer: Result<Option<Signed>, Error>,
        client: &str,
        presented: &Presented<'_>,
        reach: Reach,
    ) -> Result<Option<Signed>, Error> {
        match &answer {
            Err(Error::Refused(_)) if reach == Reach::Memory => return Ok(None),
            Err(Error::Refused(refusal)) => self.note_program(client, refusal, presented)?,
            _ => {}
        }
        answer
    }

    fn in_session(&self, token: &str, presented: &Presented<'_>, reach: Reach) -> Result<Option<Caller>, Error> {
        let Some((verified, profile)) = self.stands(token, |claims| meant_for(claims, presented), reach)? else {
            return Ok(None);
        };
        let claims = &verified.claims;
        let session = InSession {
            id: claims.sid,
            kind: claims.kind(),
            generation: claims.generation,
            created_at: tillgate_domain::Instant::from_millis(claims.sat),
            last_used_at: verified.noted_at(),
            session_expires_at: claims.sxp.map(tillgate_domain::Instant::from_millis),
            expires_at: claims.expires_at(),
        };
        Ok(Some(Caller {
            by: By::Session(session),
            dialect: presented.dialect.clone(),
            principal: claims.principal(),
            device: claims.did,
            address: presented.address,
            profile,
        }))
    }

    /// An access token that stands, with the profile of now. To be told that it does is a use of it.
    pub(super) fn stands(
        &self,
        token: &str,
        meant: impl Fn(&Claims) -> bool,
        reach: Reach,
    ) -> Result<Option<Standing>, Error> {
        let Some(verified) = self.verified(token, reach)? else { return Ok(None) };
        let claims = &verified.claims;
        if !meant(claims) {
            return Err(TokenRefusal::Foreign.into());
        }
        let about = about(claims);
        let time = self.time();
        let now = time.at;
        let mut judged = self.changes.judge(&about, &claims.epochs());
        if !judged.over && claims.expires_at() > now && !self.looks_go_on() {
            if reach == Reach::Memory {
                return Ok(None);
            }
            self.catch_up()?;
            judged = self.changes.judge(&about, &claims.epochs());
        }
        if judged.over {
            return Err(TokenRefusal::Over.into());
        }
        if claims.expires_at() <= now {
            // by a clock in doubt the session may live: its client is to refresh
            let session_too = claims.session_has_expired(now) && !time.in_doubt;
            return Err(if session_too { TokenRefusal::Over } else { TokenRefusal::Expired }.into());
        }
        match self.has_been_followed(claims, judged.touched, now, reach)? {
            None => return Ok(None),
            Some(true) => return Err(TokenRefusal::Expired.into()),
            Some(false) => {}
        }
        let Some(profile) = self.profile(&verified, &judged, reach)? else { return Ok(None) };
        if verified.notable(now) {
            self.uses.note(Use { session: claims.sid, generation: claims.generation, at: now });
        }
        Ok(Some((verified, profile)))
    }

    /// The token's claims, its signature checked now or before.
    pub(super) fn verified(&self, token: &str, reach: Reach) -> Result<Option<Arc<Verified>>, Error> {
        if token.len() > LONGEST {
            return Err(TokenRefusal::Invalid.into());
        }
        let digest = Tokens::digest(token);
        if let Some(verified) = self.tokens.find(&digest) {
            if self.keyring.held().signing(verified.key).is_some() {
                return Ok(Some(verified));
            }
            self.tokens.drop(&digest);
        }
        let id = key_of(token).ok_or(TokenRefusal::Invalid)?;
        let mut key = self.keyring.held().signing(id).cloned();
        if key.is_none() {
            if reach == Reach::Memory {
                return Ok(None);
            }
            self.look_up_keys()?;
            key = self.keyring.held().signing(id).cloned();
        }
        let key = key.ok_or(TokenRefusal::Invalid)?;
        let claims = Claims::verify(token, &key).ok_or(TokenRefusal::Invalid)?;
        let verified = Arc::new(Verified::new(claims, id));
        self.tokens.keep(digest, &verified);
        Ok(Some(verified))
    }

    /// The profile of whom the token names. Where this process has not yet read the session's row, it is compared with that row
    /// too: what had ended before this process started may stand in no feed any more. The same where it has read it before the
    /// horizon: it may have forgotten the end.
    fn profile(&self, verified: &Verified, judged: &Judged, reach: Reach) -> Result<Option<Arc<Profile>>, Error> {
        let claims = &verified.claims;
        let (principal, device) = (claims.principal(), claims.did);
        let known = self.profiles.find(principal, device, judged.touched);
        let mut read = verified.session_read_since(judged.horizon);
        if !read && let Some(began) = self.sessions.admit(claims.sid, &claims.epochs(), judged.horizon) {
            verified.note_session_read(began);
            read = true;
        }
        if let (Some(profile), true) = (&known, read) {
            return Ok(Some(Arc::clone(profile)));
        }
        if reach == Reach::Memory {
            return Ok(None);
        }
        let (began, mut epochs) = (self.changes.now(), claims.epochs());
        let found = self.store.read(|tx| {
            if !read {
                match tx.sessions().find(claims.sid)? {
                    Some(standing) if holds(&standing, claims) => epochs = standing.epochs,
                    _ => return Ok(None),
                }
            }
            match &known {
                Some(profile) => Ok(Some(Arc::clone(profile))),
                None => Ok(profile::read(tx, principal, device)?.map(Arc::new)),
            }
        })?;
        let profile = found.ok_or(TokenRefusal::Over)?;
        if !read {
            self.sessions.keep(claims.sid, &epochs, began, judged.horizon);
            verified.note_session_read(began);
        }
        self.profiles.keep(principal, device, &profile, began);
        Ok(Some(profile))
    }
}

/// Whether a token stands by the rows of its session, user, device and tenant.
fn holds(standing: &ports::Standing, claims: &Claims) -> bool {
    standing.session.ended.is_none()
        && !claims.epochs().below(&standing.epochs)
        && standing.user.is_none_or(|status| status == UserStatus::Active)
        && standing.device.is_none_or(|status| status == DeviceStatus::Active)
}

/// Who calls by the key of a program.
fn by_key(signed: Signed, presented: &Presented<'_>) -> Caller {
    Caller {
        by: By::ApiKey(signed.key.id),
        dialect: presented.dialect.clone(),
        principal: PrincipalId::User(signed.key.user),
        device: Some(signed.key.device),
        address: presented.address,
        profile: signed.profile,
    }
}

fn about(claims: &Claims) -> About {
    let user = match claims.principal() {
        PrincipalId::User(id) => Some(id),
        PrincipalId::Device(_) => None,
    };
    About { session: claims.sid, user, device: claims.did, tenant: claims.tid }
}

/// Whether the token was made through this contract, and for the tenant that is served here.
fn meant_for(claims: &Claims, presented: &Presented<'_>) -> bool {
    let named = claims.aud.strip_prefix("urn:tillgate:").and_then(|rest| rest.rsplit_once(':'));
    named.is_some_and(|(dialect, _)| dialect == presented.dialect.as_str())
        && presented.tenant.is_none_or(|tenant| tenant == claims.tid)
}
