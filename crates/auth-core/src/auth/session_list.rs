//! Lists of sessions, and the lookup of a mount's tenant.

use tillgate_domain::office::MAX_FETCH_ROWS;
use tillgate_domain::{PrincipalId, SessionId, Slug, StoreExt, TenantId};

use super::Auth;
use super::session_end::END_SESSIONS_RIGHT;
use crate::ports::{SessionFilter, SessionView};
use crate::{Caller, DialectName, Error};

impl Auth {
    /// The dialects of all live sessions. Reads every session, for the start of a server.
    pub fn list_live_dialects(&self) -> Result<Vec<DialectName>, Error> {
        let now = self.time().at;
        Ok(self.store.read("list_live_dialects", |tx| tx.sessions().list_live_dialects(now))?)
    }

    /// Lists at most [`MAX_FETCH_ROWS`] sessions of the caller's tenant, newest first, starting after `after`.
    /// With the right `sessionDelete` all sessions, otherwise the caller's own.
    pub fn list_sessions(
        &self,
        caller: &Caller,
        filter: &SessionFilter,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionView>, Error> {
        let mut filter = filter.clone();
        filter.tenant = Some(caller.profile.tenant.id);
        let all = caller.require_right(END_SESSIONS_RIGHT).is_ok();
        if !all {
            match caller.principal {
                PrincipalId::User(user) if filter.user.is_none_or(|asked| asked == user) => filter.user = Some(user),
                PrincipalId::Device(device)
                    if filter.user.is_none() && filter.device.is_none_or(|asked| asked == device) =>
                {
                    filter.device = Some(device);
                }
                _ => return Ok(Vec::new()),
            }
        }
        let own = |listed: &SessionView| listed.session.principal() == Some(caller.principal);
        let (mut after, limit) = (after, limit.clamp(1, MAX_FETCH_ROWS));
        let mut kept = Vec::new();
        loop {
            let part = self.store.read("list_sessions", |tx| tx.sessions().list(&filter, after, limit))?;
            let last = part.len() < limit as usize;
            after = part.last().map(|listed| listed.session.id).or(after);
            kept.extend(part.into_iter().filter(|each| all || own(each)));
            if last || kept.len() >= limit as usize {
                kept.truncate(limit as usize);
                return Ok(kept);
            }
        }
    }

    /// A session of the caller's tenant. Every session that is not the caller's own requires the
    /// right `sessionDelete`, whether it exists or not.
    pub fn find_session(&self, caller: &Caller, session: SessionId) -> Result<SessionView, Error> {
        let filter =
            SessionFilter { tenant: Some(caller.profile.tenant.id), id: Some(session), ..SessionFilter::default() };
        let found = self.store.read("find_session", |tx| tx.sessions().list(&filter, None, 1))?;
        let found = found.into_iter().next();
        let own = found.as_ref().is_some_and(|listed| listed.session.principal() == Some(caller.principal));
        if !own {
            caller.require_right(END_SESSIONS_RIGHT)?;
        }
        found.ok_or(Self::SESSION_NOT_FOUND)
    }

    /// The id of the tenant with this slug, for a mount that serves one tenant.
    pub fn find_tenant_id(&self, slug: &Slug) -> Result<Option<TenantId>, Error> {
        Ok(self.store.read("find_tenant", |tx| tx.tenants().find_by_slug(slug))?.map(|tenant| tenant.id))
    }

    /// Lists sessions of any tenant without a check of rights, for the operator of the server.
    pub fn list_all_sessions(
        &self,
        filter: &SessionFilter,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionView>, Error> {
        Ok(self.store.read("list_sessions", |tx| tx.sessions().list(filter, after, limit))?)
    }
}
