//! Lists of sessions, and the lookup of a mount's tenant.

use tillgate_domain::office::{MAX_FETCH_ROWS, normalize_search_text};
use tillgate_domain::{PrincipalId, SessionId, Slug, StoreExt, TenantId};

use super::Auth;
use super::session_end::require_session_reader;
use crate::ports::{SessionCursor, SessionFilter, SessionOrder, SessionView};
use crate::{Caller, DialectName, Error};

impl Auth {
    /// The dialects of all live sessions. Reads every session, for the start of a server.
    pub fn list_live_dialects(&self) -> Result<Vec<DialectName>, Error> {
        let now = self.time().at;
        Ok(self.store.read("list_live_dialects", |tx| tx.sessions().list_live_dialects(now))?)
    }

    /// Lists at most [`MAX_FETCH_ROWS`] sessions of the caller's tenant, newest first, starting
    /// after `after`; see [`search_sessions`](Self::search_sessions).
    pub fn list_sessions(
        &self,
        caller: &Caller,
        filter: &SessionFilter,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionView>, Error> {
        self.search_sessions(caller, filter, SessionOrder::Newest, after.map(SessionCursor::from_id), limit)
    }

    /// Lists at most [`MAX_FETCH_ROWS`] sessions of the caller's tenant in this order, starting
    /// after `after`. With the right `sessionRead` or `sessionDelete` all sessions, otherwise the
    /// caller's own.
    pub fn search_sessions(
        &self,
        caller: &Caller,
        filter: &SessionFilter,
        order: SessionOrder,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> Result<Vec<SessionView>, Error> {
        let Some(text) = normalize_search_text(filter.text.as_deref()) else { return Ok(Vec::new()) };
        let mut filter = SessionFilter { tenant: Some(caller.profile.tenant.id), text, ..filter.clone() };
        let all = require_session_reader(caller).is_ok();
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
        let is_own = |listed: &SessionView| listed.session.principal() == Some(caller.principal);
        let (mut after, limit) = (after, limit.clamp(1, MAX_FETCH_ROWS));
        let mut kept = Vec::new();
        loop {
            let part = self.store.read("list_sessions", |tx| tx.sessions().list(&filter, order, after, limit))?;
            let last = part.len() < limit as usize;
            after = part.last().map(|listed| order.cursor(&listed.session)).or(after);
            kept.extend(part.into_iter().filter(|each| all || is_own(each)));
            if last || kept.len() >= limit as usize {
                kept.truncate(limit as usize);
                return Ok(kept);
            }
        }
    }

    /// The id of the tenant with this slug, for a mount that serves one tenant.
    pub fn find_tenant_id(&self, slug: &Slug) -> Result<Option<TenantId>, Error> {
        Ok(self.store.read("find_tenant", |tx| tx.tenants().find_by_slug(slug))?.map(|tenant| tenant.id))
    }

    /// Lists sessions of any tenant, newest first, without a check of rights, for the operator of
    /// the server.
    pub fn list_all_sessions(
        &self,
        filter: &SessionFilter,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionView>, Error> {
        let after = after.map(SessionCursor::from_id);
        Ok(self.store.read("list_sessions", |tx| tx.sessions().list(filter, SessionOrder::Newest, after, limit))?)
    }
}
