//! The end of sessions: logout, and the end of another's session.
//!
//! The engine ends one session; the back office ends all sessions of a principal, whether the
//! native API or the command line requests it. Each action therefore has one audit event. The
//! engine's own functions that end all sessions ([`Auth::end_user_sessions`] and the like) are for
//! programs that embed it without a back office.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tillgate_domain::{
    Action, Actor, DeviceId, EndReason, EventOutcome, KnownRight, Scope, SessionId, StoreExt, Subject, TenantId, UserId,
};

use super::Auth;
use crate::ports::{SessionFilter, SessionOrder, SessionView};
use crate::{AuthDenied, Caller, Error, ProofDenied, RefreshRequest, TokenDenied};

/// The right to see sessions of others; [`END_SESSIONS_RIGHT`] includes it.
const READ_SESSIONS_RIGHT: KnownRight = KnownRight::SessionRead;

/// The right to see and end sessions of others.
pub(super) const END_SESSIONS_RIGHT: KnownRight = KnownRight::SessionDelete;

/// The greatest number of ids in one query.
const MAX_IDS_PER_STATEMENT: usize = 500;

impl Auth {
    /// Ends the caller's own session. Succeeds if it has ended already, and for a signed call,
    /// which has none.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn logout(&self, caller: &Caller) -> Result<(), Error> {
        let Some(session) = caller.session_id() else { return Ok(()) };
        let now = self.time().at;
        let tenant = Some(caller.profile.tenant.id);
        let mut event = self.new_event(Action::Logout, EventOutcome::Done, Subject::Session(session), tenant)?;
        event.actor = caller.actor();
        self.store.write("logout", |tx| {
            if tx.revocations().end_session(session, EndReason::Logout, now)? {
                tx.audit().record(&event)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Returns, for each session of these refresh tokens, the valid one with the highest
    /// generation, newest session first. A client that sends several, such as a browser with
    /// cookies of one name, owns one of them, and presenting an older one of the same session would
    /// end it.
    pub fn select_newest_refresh_tokens<'t>(&self, tokens: &[&'t str]) -> Result<Vec<&'t str>, Error> {
        let mut newest = BTreeMap::<SessionId, (i64, &'t str)>::new();
        for token in tokens {
            match self.verify_refresh_token(token) {
                Ok((_, proven)) => {
                    let known = newest.entry(proven.session).or_insert((proven.generation, token));
                    *known = (*known).max((proven.generation, token));
                }
                Err(Error::Denied(AuthDenied::Token(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(newest.into_values().rev().map(|(_, token)| token).collect())
    }

    /// Ends the session of a refresh token, which is all the authority that this requires: at a
    /// logout, or because another login replaces it in the same client. The token may be expired or
    /// replaced. Succeeds if the session has ended already. A session that is bound to a key is not
    /// ended: its client logs out with its access token.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn end_by_refresh_token(&self, holder: &RefreshRequest<'_>, why: EndReason) -> Result<(), Error> {
        let (_, token) = self.verify_refresh_token(holder.token)?;
        let action = if why == EndReason::Logout { Action::Logout } else { Action::SessionEnd };
        let mut event = self.new_event(action, EventOutcome::Done, Subject::Session(token.session), None)?;
        if why != EndReason::Logout {
            event.details.insert("why".to_owned(), json!(why.name()));
        }
        let refused: Option<AuthDenied> = self.store.write("end_by_refresh_token", |tx| {
            let Some(record) = tx.sessions().find(token.session)? else {
                return Ok(Some(TokenDenied::SessionOver.into()));
            };
            let session = &record.session;
            if session.dialect != *holder.dialect || holder.tenant.is_some_and(|tenant| tenant != session.tenant) {
                return Ok(Some(TokenDenied::WrongAudience.into()));
            }
            if session.thumbprint.is_some() {
                return Ok(Some(AuthDenied::Proof(ProofDenied::Missing)));
            }
            if tx.revocations().end_session(session.id, why, event.at)? {
                let mut event = event.clone();
                event.tenant = Some(session.tenant);
                event.actor = Actor {
                    user: session.user,
                    device: session.device,
                    session: Some(session.id),
                    address: holder.address,
                };
                tx.audit().record(&event)?;
            }
            Ok(None)
        })?;
        refused.map_or(Ok(()), |denial| Err(denial.into()))
    }

    /// Ends a session of the caller's tenant and returns it as it was before, also if it had ended
    /// already. A session of another principal requires the right `sessionDelete`.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn end_session_for(&self, caller: &Caller, session: SessionId) -> Result<SessionView, Error> {
        let listed = self.find_session_to_end(caller, session)?;
        let why = if caller.session_id() == Some(session) { EndReason::Logout } else { EndReason::Admin };
        let tenant = Some(caller.profile.tenant.id);
        let mut event = self.new_event(Action::SessionEnd, EventOutcome::Done, Subject::Session(session), tenant)?;
        event.actor = caller.actor();
        event.details.insert("why".to_owned(), json!(why.name()));
        let now = event.at;
        self.store.write("end_session_for", |tx| {
            if tx.revocations().end_session(session, why, now)? {
                tx.audit().record(&event)?;
            }
            Ok(())
        })?;
        Ok(listed)
    }

    /// A session of the caller's tenant that the caller may end. Every session that is not the
    /// caller's own requires the right `sessionDelete`, whether it exists or not.
    pub fn find_session_to_end(&self, caller: &Caller, session: SessionId) -> Result<SessionView, Error> {
        self.find_authorized(caller, session, || caller.require_right(END_SESSIONS_RIGHT))
    }

    /// A session of the caller's tenant. Every session that is not the caller's own requires the
    /// right `sessionRead` or `sessionDelete`, whether it exists or not.
    pub fn find_session(&self, caller: &Caller, session: SessionId) -> Result<SessionView, Error> {
        self.find_authorized(caller, session, || require_session_reader(caller))
    }

    /// Those of the sessions that exist in the caller's tenant, by their ids. Requires the right
    /// `sessionRead` or `sessionDelete`.
    pub fn find_sessions(
        &self,
        caller: &Caller,
        ids: &BTreeSet<SessionId>,
    ) -> Result<BTreeMap<SessionId, SessionView>, Error> {
        require_session_reader(caller)?;
        let mut found = BTreeMap::new();
        let all: Vec<SessionId> = ids.iter().copied().collect();
        for some in all.chunks(MAX_IDS_PER_STATEMENT) {
            let some = some.iter().copied().collect();
            let views = self.store.read("find_sessions", |tx| tx.sessions().find_many(&some))?;
            found.extend(views.into_iter().map(|view| (view.session.id, view)));
        }
        found.retain(|_, view| view.session.tenant == caller.profile.tenant.id);
        Ok(found)
    }

    /// The session, if it is the caller's own or `authorize` allows those of others.
    fn find_authorized(
        &self,
        caller: &Caller,
        session: SessionId,
        authorize: impl FnOnce() -> Result<(), Error>,
    ) -> Result<SessionView, Error> {
        let filter =
            SessionFilter { tenant: Some(caller.profile.tenant.id), id: Some(session), ..SessionFilter::default() };
        let found = self.store.read("find_session", |tx| tx.sessions().list(&filter, SessionOrder::Newest, None, 1))?;
        let found = found.into_iter().next();
        let is_own = found.as_ref().is_some_and(|listed| listed.session.principal() == Some(caller.principal));
        if !is_own {
            authorize()?;
        }
        found.ok_or(Self::SESSION_NOT_FOUND)
    }

    /// Ends a session without a check of rights, for the operator of the server. Returns false if
    /// it has ended already or does not exist.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn end_session(&self, session: SessionId) -> Result<bool, Error> {
        let mut event = self.new_event(Action::SessionEnd, EventOutcome::Done, Subject::Session(session), None)?;
        event.details.insert("why".to_owned(), json!(EndReason::Admin.name()));
        Ok(self.store.write("end_session", |tx| {
            let Some(record) = tx.sessions().find(session)? else { return Ok(false) };
            let ended = tx.revocations().end_session(session, EndReason::Admin, event.at)?;
            if ended {
                let mut event = event.clone();
                event.tenant = Some(record.session.tenant);
                tx.audit().record(&event)?;
            }
            Ok(ended)
        })?)
    }

    /// Ends all sessions of a user without a check of rights, for the operator of the server.
    /// Returns false if the user does not exist.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn end_user_sessions(&self, tenant: TenantId, user: UserId) -> Result<bool, Error> {
        self.end_scope(tenant, Scope::User(user), Subject::User(user))
    }

    /// Ends all sessions on a device without a check of rights, for the operator of the server.
    /// Returns false if the device does not exist.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn end_device_sessions(&self, tenant: TenantId, device: DeviceId) -> Result<bool, Error> {
        self.end_scope(tenant, Scope::Device(device), Subject::Device(device))
    }

    /// Ends all sessions of a tenant without a check of rights, for the operator of the server.
    /// Returns false if the tenant does not exist.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn end_tenant_sessions(&self, tenant: TenantId) -> Result<bool, Error> {
        self.end_scope(tenant, Scope::Tenant(tenant), Subject::Tenant(tenant))
    }

    fn end_scope(&self, tenant: TenantId, scope: Scope, subject: Subject) -> Result<bool, Error> {
        let mut event = self.new_event(Action::SessionEnd, EventOutcome::Done, subject, Some(tenant))?;
        event.actor = Actor::default();
        event.details.insert("why".to_owned(), json!(EndReason::Admin.name()));
        Ok(self.store.write("end_scope", |tx| {
            let raised = tx.revocations().bump_epoch(scope, EndReason::Admin, event.at)?.is_some();
            if raised {
                tx.audit().record(&event)?;
            }
            Ok(raised)
        })?)
    }

    /// The denial for a session that does not exist or belongs to another tenant.
    pub(super) const SESSION_NOT_FOUND: Error = Error::Denied(AuthDenied::SessionNotFound);
}

/// Checks that the caller may see sessions of others in its tenant.
pub(super) fn require_session_reader(caller: &Caller) -> Result<(), Error> {
    Ok(caller.profile.rights.require_any(&[READ_SESSIONS_RIGHT, END_SESSIONS_RIGHT])?)
}
