//! The engine: every call of authentication, over a store.
//!
//! [`Auth`] is made by [`Auth::builder`], shared by all threads, and blocks its callers. Each call stands in a file of its own
//! below this one; the rules stand in `judge`, `throttle` and `terms`.

use std::sync::Arc;

use tillgate_domain::{SessionId, Store};

use crate::ports::{AuthView, Listed, SessionFilter};
use crate::{Caller, Error, Granted, Login, Presented, Refreshing};

/// What an engine is set to.
#[derive(Clone, Debug)]
pub struct Settings {}

/// Puts an engine together.
pub struct Builder {}

/// The engine.
pub struct Auth {}

/// Whether the engine can serve, part by part.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// What keeps the store from being read; `None` where it is.
    pub store: Option<String>,
    /// Whether every key is open.
    pub keys: bool,
    /// Whether the view of what has changed is younger than its `max_age`.
    pub fresh: bool,
    /// Whether the clock is in doubt: told, not failed.
    pub clock_in_doubt: bool,
}

impl Auth {
    /// Starts to put an engine together over a store.
    pub fn builder(_store: Arc<dyn Store<AuthView>>) -> Builder {
        Builder {}
    }
    /// Logs a user or a device in.
    pub fn login(&self, _login: &Login) -> Result<Granted, Error> {
        Err(Error::Fault("unfinished".into()))
    }
    /// Refreshes a session.
    pub fn refresh(&self, _refreshing: &Refreshing<'_>) -> Result<Granted, Error> {
        Err(Error::Fault("unfinished".into()))
    }
    /// Tells who calls.
    pub fn authenticate(&self, _presented: &Presented<'_>) -> Result<Caller, Error> {
        Err(Error::Fault("unfinished".into()))
    }
    /// Ends the caller's own session.
    pub fn logout(&self, _caller: &Caller) -> Result<(), Error> {
        Err(Error::Fault("unfinished".into()))
    }
    /// Ends a session: one's own always, another's of the tenant by the right `sessionDelete`. Returns it as it was.
    pub fn end(&self, _caller: &Caller, _session: SessionId) -> Result<Listed, Error> {
        Err(Error::Fault("unfinished".into()))
    }
    /// Sessions of the caller's tenant, newest first: one's own always, others' by the right `sessionDelete`.
    pub fn sessions(
        &self,
        _caller: &Caller,
        _filter: &SessionFilter,
        _after: Option<SessionId>,
        _limit: u32,
    ) -> Result<Vec<Listed>, Error> {
        Err(Error::Fault("unfinished".into()))
    }
    /// One session of the caller's tenant, by the same rule.
    pub fn session(&self, _caller: &Caller, _session: SessionId) -> Result<Listed, Error> {
        Err(Error::Fault("unfinished".into()))
    }
    /// The public keys as a JWK set (RFC 7517, 5), in JSON.
    pub fn jwks(&self) -> Arc<str> {
        Arc::from("")
    }
    /// Whether the engine can serve.
    pub fn readiness(&self) -> Readiness {
        Readiness { store: None, keys: false, fresh: false, clock_in_doubt: false }
    }
}
