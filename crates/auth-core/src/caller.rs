//! The authenticated sender of a request, and what is known of its principal.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::principal_access;
use tillgate_domain::{
    Actor, ApiKeyId, Authority, Device, DeviceId, Instant, PrincipalId, Rank, Right, Rights, SessionId, Tenant, User,
    UserId,
};

use crate::error::{AuthDenied, Error};
use crate::{DialectName, Epochs, SessionKind};

/// What a token does not contain about its principal: names, settings and current rights.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The tenant of the principal, which profiles share.
    pub tenant: Arc<Tenant>,
    /// The user; `None` if a device is logged in as itself. Its assignment is empty: the roles and
    /// rights below are those that apply, and the whole assignment would only need memory.
    pub user: Option<User>,
    /// The device; `None` if the user is logged in without one.
    pub device: Option<Device>,
    /// Whether the user may log in there: is assigned to the device or, without a device, has an
    /// office role. True if a device is logged in as itself.
    pub may_log_in: bool,
    /// The names of the roles that apply on the device.
    pub roles: Vec<String>,
    /// The rights that those roles grant together.
    pub rights: Rights,
    /// The highest built-in rank among those roles.
    pub rank: Option<Rank>,
}

/// The authenticated sender of a request, with its current rights.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The credentials with which it was authenticated.
    pub authenticated_by: AuthenticatedBy,
    /// The dialect through which the request came.
    pub dialect: DialectName,
    /// The user or device that the request acts for.
    pub principal: PrincipalId,
    /// The device on which the principal acts.
    pub device: Option<DeviceId>,
    /// The network address of the request.
    pub address: Option<IpAddr>,
    /// The names, settings and current rights of the principal.
    pub profile: Arc<Profile>,
}

/// The credentials with which a caller was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticatedBy {
    /// The access token of a session.
    Session(SessionContext),
    /// An API key, by a signature or its secret. This creates, uses and ends no session.
    ApiKey(ApiKeyId),
}

/// The session of a call, as its access token describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionContext {
    /// The identifier of the session.
    pub id: SessionId,
    /// What the session was created for.
    pub kind: SessionKind,
    /// The generation of the access token.
    pub generation: i64,
    /// The instant at which the session was created.
    pub created_at: Instant,
    /// The instant at which the user last proved their identity, to the second: the login, or a
    /// step-up ([`Auth::step_up`](crate::Auth::step_up)).
    pub proved_at: Instant,
    /// How old that proof may be for acts that require a recent one; `None` if no act does.
    pub max_proof_age: Option<Duration>,
    /// The instant of the newest use of the session, to the minute.
    pub last_used_at: Instant,
    /// The instant at which the session expires unless it is refreshed; `None` if it never expires.
    pub session_expires_at: Option<Instant>,
    /// The instant at which the access token expires.
    pub expires_at: Instant,
    /// The epochs under which the session was created.
    pub epochs: Epochs,
}

impl Caller {
    /// The session of the call; `None` for an API key.
    pub fn session_id(&self) -> Option<SessionId> {
        self.session_context().map(|session| session.id)
    }

    /// The session of the call with what its access token contains; `None` for an API key.
    pub fn session_context(&self) -> Option<&SessionContext> {
        match &self.authenticated_by {
            AuthenticatedBy::Session(session) => Some(session),
            AuthenticatedBy::ApiKey(_) => None,
        }
    }

    /// The API key that authenticates the call; `None` for a session.
    pub fn api_key(&self) -> Option<ApiKeyId> {
        match self.authenticated_by {
            AuthenticatedBy::ApiKey(id) => Some(id),
            AuthenticatedBy::Session(_) => None,
        }
    }

    /// The user; `None` for a device that is logged in as itself.
    pub fn user(&self) -> Option<UserId> {
        match self.principal {
            PrincipalId::User(id) => Some(id),
            PrincipalId::Device(_) => None,
        }
    }

    /// The caller's authority in the back office: its current rights.
    pub fn authority(&self) -> Authority {
        Authority::Rights(self.profile.rights.clone())
    }

    /// The greatest age of a proof in this session, if the caller's is older at `now`.
    pub fn stale_proof(&self, now: Instant) -> Option<Duration> {
        let session = self.session_context()?;
        session.max_proof_age.filter(|max_age| now.duration_since(session.proved_at) > *max_age)
    }

    /// The caller as audit events record it.
    pub fn actor(&self) -> Actor {
        Actor { user: self.user(), device: self.device, session: self.session_id(), address: self.address }
    }

    /// Returns [`AuthDenied::RightMissing`] if the caller does not have the right.
    pub fn require_right(&self, right: impl Into<Right>) -> Result<(), Error> {
        Ok(self.profile.rights.require(right)?)
    }

    /// Returns [`AuthDenied::RankTooLow`] if the caller has a lower rank.
    pub fn require_rank(&self, least: Rank) -> Result<(), Error> {
        if principal_access::has_rank(self.profile.rank, least) {
            Ok(())
        } else {
            Err(Error::Denied(AuthDenied::RankTooLow(least)))
        }
    }
}
