//! Issues the tokens of a session, at a login, a refresh or an exchange.

use std::sync::Arc;

use tillgate_domain::{PrincipalId, Secret};

use super::Auth;
use super::introspect::client_id;
use crate::cache::{FirstUses, TokenCache};
use crate::keys::OpenKeys;
use crate::requests::GrantKind;
use crate::revocations::Version;
use crate::session::FIRST_GENERATION;
use crate::token::access_token::{Claims, Confirmation, build_audience, kind_letter};
use crate::token::identity::{IdTokenClaims, UserClaims};
use crate::token::refresh_token::RefreshToken;
use crate::{Epochs, Error, IssuedTokens, Profile, Session, SessionKind, TokenDenied};

impl Auth {
    /// Issues the tokens of a session with these epochs, whose reading began at this version.
    pub(super) fn mint_tokens(
        &self,
        keys: &OpenKeys,
        session: Session,
        epochs: &Epochs,
        profile: Arc<Profile>,
        kind: GrantKind,
        read_version: Version,
    ) -> Result<IssuedTokens, Error> {
        let now = self.time().at;
        self.session_cache.insert(session.id, epochs, read_version, self.revocations.forgotten_until());
        if session.generation == FIRST_GENERATION && session.terms.exchange_overlap.is_some() {
            // The first token of a session has no successor yet, so its first use needs no store.
            self.first_use_cache.insert(session.id, FirstUses::new([], self.clock.monotonic()));
        }
        let principal = session
            .principal()
            .ok_or_else(|| Error::Fault(format!("session \"{}\" has neither a user nor a device", session.id)))?;
        let expires_at = session.terms.for_rights(&profile.rights).access_expiry(session.expires_at, now);
        let mut claims = self.build_claims(&session, principal, epochs, now.seconds(), expires_at.seconds())?;
        claims.set_rights(profile.rights.to_scope(), &profile.roles);
        let access_token = claims
            .sign(keys.current_signing_key())
            .map_err(|error| Error::Fault(format!("could not sign an access token: {error}")))?;
        let id_token = match session.kind {
            SessionKind::Permanent => Some(self.sign_id_token(&mut claims, &profile, keys)?),
            SessionKind::Person | SessionKind::Device => None,
        };
        let access_expires_at = claims.expires_at();
        // The successor of a token will be used next; its signature need not be verified.
        if matches!(kind, GrantKind::Rotated | GrantKind::Exchanged)
            && let Some(verified) = self.token_cache.build_token(&claims, keys.current_signing_key().id())
        {
            verified.record_session_read(read_version);
            self.token_cache.insert(TokenCache::digest(&access_token), &verified);
        }
        let refresh_token = match session.terms.refresh {
            Some(_) => {
                let key = keys.refresh_key(session.key).ok_or(TokenDenied::SessionOver)?;
                let token = RefreshToken { key: session.key, session: session.id, generation: session.generation };
                Some(token.seal(key))
            }
            None => None,
        };
        Ok(IssuedTokens {
            access_token: access_token.into(),
            id_token,
            access_expires_in: access_expires_at.duration_since(now),
            access_expires_at,
            refresh_token,
            session_expires_at: session.expires_at,
            session,
            profile,
            kind,
        })
    }

    /// Signs the same claims again as an ID token, with claims about the user. It authenticates
    /// like the access token.
    fn sign_id_token(&self, claims: &mut Claims, profile: &Profile, keys: &OpenKeys) -> Result<Secret<String>, Error> {
        let id_token_id = self.new_id(|at, random| tillgate_domain::EventId::new(at, random).0)?;
        let access_token_id = std::mem::replace(&mut claims.jti, id_token_id);
        let signed = IdTokenClaims { claims, person: profile.user.as_ref().map(UserClaims::of) }
            .sign(keys.current_signing_key());
        claims.jti = access_token_id;
        let signed = signed.map_err(|error| Error::Fault(format!("could not sign an ID token: {error}")))?;
        Ok(signed.into())
    }

    fn build_claims(
        &self,
        session: &Session,
        principal: PrincipalId,
        epochs: &Epochs,
        iat: i64,
        exp: i64,
    ) -> Result<Claims, Error> {
        Ok(Claims {
            iss: self.issuer.clone(),
            sub: principal.uuid(),
            client_id: client_id(session.device, session.dialect.as_str()),
            aud: build_audience(session.dialect.as_str(), session.tenant),
            exp,
            iat,
            jti: self.new_id(|at, random| tillgate_domain::EventId::new(at, random).0)?,
            auth_time: session.authentication.at.seconds(),
            amr: session.authentication.methods.split(' ').map(str::to_owned).collect(),
            sid: session.id,
            knd: kind_letter(session.kind),
            generation: session.generation,
            tid: session.tenant,
            did: session.device,
            epo: [epochs.user.0, epochs.device.0, epochs.tenant.0],
            sat: session.created_at.millis(),
            sxp: session.expires_at.map(tillgate_domain::Instant::millis),
            fin: session.terms.has_fixed_end(),
            exo: session.terms.exchange_overlap.map(|overlap| i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX)),
            cnf: session.thumbprint.as_deref().map(Confirmation::of),
            pma: session.terms.office.as_ref().map(|office| office.max_proof_age.as_secs()),
            scope: None,
            roles: None,
        })
    }
}
