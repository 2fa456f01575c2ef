//! Who calls: what authenticating a request yields, and what is remembered of a principal on a device.

use std::net::IpAddr;
use std::sync::Arc;

use tillgate_domain::access::{self, AccessDecision};
use tillgate_domain::office::Authority;
use tillgate_domain::{
    Actor, ApiKeyId, Device, DeviceId, Instant, PrincipalId, Rank, Right, Rights, SessionId, Tenant, User, UserId,
};

use crate::error::{AuthDenied, Error};
use crate::{DialectName, SessionKind};

/// What a token does not say of its principal: names, settings, and the rights of now.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The vendor.
    pub tenant: Tenant,
    /// The person; `None` where a device is logged in as itself.
    pub user: Option<User>,
    /// The device; `None` in the office.
    pub device: Option<Device>,
    /// The names of the roles that count.
    pub roles: Vec<String>,
    /// What they allow.
    pub rights: Rights,
    /// The highest built-in rank among them.
    pub rank: Option<Rank>,
}

/// Who calls, with the rights of now.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the call stands on.
    pub authenticated_by: AuthenticatedBy,
    /// The contract.
    pub dialect: DialectName,
    /// Who it is.
    pub principal: PrincipalId,
    /// The device that they are on.
    pub device: Option<DeviceId>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// Names, settings and rights.
    pub profile: Arc<Profile>,
}

/// What a call stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticatedBy {
    /// A session, by its access token.
    Session(SessionContext),
    /// The key of a program, by a signature. No session is made, used or ended by it.
    ApiKey(ApiKeyId),
}

/// The session that a call is made in, as its access token tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionContext {
    /// The session.
    pub id: SessionId,
    /// What kind it is.
    pub kind: SessionKind,
    /// The generation of the access token.
    pub generation: i64,
    /// When the session was made.
    pub created_at: Instant,
    /// When the session was last used, to the minute.
    pub last_used_at: Instant,
    /// When the session is over if nothing happens; `None` for never.
    pub session_expires_at: Option<Instant>,
    /// When the access token expires.
    pub expires_at: Instant,
}

impl Caller {
    /// The session that the call is made in; `None` for a signed one.
    pub fn session_id(&self) -> Option<SessionId> {
        self.session_context().map(|session| session.id)
    }

    /// The same with what its access token tells of it.
    pub fn session_context(&self) -> Option<&SessionContext> {
        match &self.authenticated_by {
            AuthenticatedBy::Session(session) => Some(session),
            AuthenticatedBy::ApiKey(_) => None,
        }
    }

    /// The person, where it is one.
    pub fn user(&self) -> Option<UserId> {
        match self.principal {
            PrincipalId::User(id) => Some(id),
            PrincipalId::Device(_) => None,
        }
    }

    /// What the caller may do in the back office: the rights that they hold now.
    pub fn authority(&self) -> Authority {
        Authority::Rights(self.profile.rights.clone())
    }

    /// How the audit names the caller.
    pub fn actor(&self) -> Actor {
        Actor { user: self.user(), device: self.device, session: self.session_id(), address: self.address }
    }

    /// Refuses with the missing right where the caller may not do what it names.
    pub fn require_right(&self, right: impl Into<Right>) -> Result<(), Error> {
        match access::check_right(&self.profile.rights, right.into()) {
            AccessDecision::Allowed => Ok(()),
            AccessDecision::Missing(right) => Err(Error::Denied(AuthDenied::RightMissing(right))),
        }
    }

    /// Refuses where the caller is below this rank.
    pub fn require_rank(&self, least: Rank) -> Result<(), Error> {
        if access::has_rank(self.profile.rank, least) {
            Ok(())
        } else {
            Err(Error::Denied(AuthDenied::RankTooLow(least)))
        }
    }
}
