//! Minting: the tokens of a session, at a login and at each refresh.

use std::sync::Arc;

use tillgate_domain::{PrincipalId, Secret};

use super::Auth;
use super::introspect::client;
use crate::changes::Moment;
use crate::keys::Opened;
use crate::remembered::{Tokens, Verified};
use crate::requests::How;
use crate::session::FIRST_GENERATION;
use crate::token::access::{Claims, audience, mark};
use crate::token::identity::{Identity, Person};
use crate::token::refresh::RefreshToken;
use crate::{Epochs, Error, Granted, Profile, Session, SessionKind, TokenRefusal};

impl Auth {
    /// The tokens of a session as it stands, made under these epochs. The reading of it began at this moment.
    pub(super) fn mint(
        &self,
        keys: &Opened,
        session: Session,
        epochs: &Epochs,
        profile: Arc<Profile>,
        how: How,
        began: Moment,
    ) -> Result<Granted, Error> {
        let now = self.time().at;
        self.sessions.keep(session.id, epochs, began, self.changes.horizon());
        if session.generation == FIRST_GENERATION && session.terms.exchange_overlap.is_some() {
            // nothing follows the first token of a session yet: its first call needs no store
            self.first_uses.keep(session.id, &Arc::from([]), self.changes.now());
        }
        let principal =
            session.principal().ok_or_else(|| Error::Fault(format!("session {} is nobody's", session.id)))?;
        let expires_at = session.terms.access_expiry(session.expires_at, now);
        let mut claims = self.claims(&session, principal, epochs, now.seconds(), expires_at.seconds())?;
        claims.allow(profile.rights.scope(), &profile.roles);
        let access_token = claims
            .sign(keys.signs())
            .map_err(|error| Error::Fault(format!("an access token could not be signed: {error}")))?;
        let id_token = match session.kind {
            SessionKind::Permanent => Some(self.identify(&mut claims, &profile, keys)?),
            SessionKind::Person | SessionKind::Device => None,
        };
        let access_expires_at = claims.expires_at();
        // what follows on another token is used next: its own signature need not be checked
        if matches!(how, How::Rotated | How::Exchanged) {
            let verified = Arc::new(Verified::new(claims, keys.signs().id()));
            verified.note_session_read(began);
            self.tokens.keep(Tokens::digest(&access_token), &verified);
        }
        let refresh_token = match session.terms.refresh {
            Some(_) => {
                let key = keys.refresh(session.key).ok_or(TokenRefusal::Over)?;
                let token = RefreshToken { key: session.key, session: session.id, generation: session.generation };
                Some(token.seal(key))
            }
            None => None,
        };
        Ok(Granted {
            access_token: access_token.into(),
            id_token,
            access_life: access_expires_at.since(now),
            access_expires_at,
            refresh_token,
            session_expires_at: session.expires_at,
            session,
            profile,
            how,
        })
    }

    /// The same token once more, with who its user is: it authenticates as the access token does.
    fn identify(&self, claims: &mut Claims, profile: &Profile, keys: &Opened) -> Result<Secret<String>, Error> {
        let own = self.id(|at, random| tillgate_domain::EventId::new(at, random).0)?;
        let access = std::mem::replace(&mut claims.jti, own);
        let signed = Identity { claims, person: profile.user.as_ref().map(Person::of) }.sign(keys.signs());
        claims.jti = access;
        let signed = signed.map_err(|error| Error::Fault(format!("an id token could not be signed: {error}")))?;
        Ok(signed.into())
    }

    fn claims(
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
            client_id: client(session.device, &session.dialect),
            aud: audience(&session.dialect, session.tenant),
            exp,
            iat,
            jti: self.id(|at, random| tillgate_domain::EventId::new(at, random).0)?,
            auth_time: session.proved.at.seconds(),
            amr: session.proved.methods.split(' ').map(str::to_owned).collect(),
            sid: session.id,
            knd: mark(session.kind),
            generation: session.generation,
            tid: session.tenant,
            did: session.device,
            epo: [epochs.user.0, epochs.device.0, epochs.tenant.0],
            sat: session.created_at.millis(),
            sxp: session.expires_at.map(tillgate_domain::Instant::millis),
            fin: session.terms.is_fixed(),
            exo: session.terms.exchange_overlap.map(|overlap| i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX)),
            scope: None,
            roles: None,
        })
    }
}
