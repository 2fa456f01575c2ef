//! Who calls: what authenticating a request yields, and what is remembered of a principal on a device.

use std::net::IpAddr;
use std::sync::Arc;

use tillgate_domain::access::{self, Access};
use tillgate_domain::{
    Actor, Device, DeviceId, Instant, PrincipalId, Rank, Right, Rights, SessionId, Tenant, User, UserId,
};

use crate::error::{Error, Refusal};
use crate::{Dialect, SessionKind};

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
    /// The session.
    pub session: SessionId,
    /// What kind it is.
    pub kind: SessionKind,
    /// The generation of the access token.
    pub generation: i64,
    /// The contract.
    pub dialect: Dialect,
    /// Whose session it is.
    pub principal: PrincipalId,
    /// The device that it stands on.
    pub device: Option<DeviceId>,
    /// When the session was made.
    pub created_at: Instant,
    /// When the session was last used, to the minute.
    pub last_used_at: Instant,
    /// When the session is over if nothing happens; `None` for never.
    pub session_expires_at: Option<Instant>,
    /// When the access token expires.
    pub expires_at: Instant,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// Names, settings and rights.
    pub profile: Arc<Profile>,
}

impl Caller {
    /// The person, where the session is a person's.
    pub fn user(&self) -> Option<UserId> {
        match self.principal {
            PrincipalId::User(id) => Some(id),
            PrincipalId::Device(_) => None,
        }
    }

    /// How the audit names the caller.
    pub fn actor(&self) -> Actor {
        Actor { user: self.user(), device: self.device, session: Some(self.session), address: self.address }
    }

    /// Refuses with the missing right where the caller may not do what it names.
    pub fn need(&self, right: &Right) -> Result<(), Error> {
        match access::may(&self.profile.rights, right) {
            Access::Allowed => Ok(()),
            Access::Missing(right) => Err(Error::Refused(Refusal::Missing(right))),
        }
    }

    /// Refuses where the caller is below this rank.
    pub fn need_rank(&self, least: Rank) -> Result<(), Error> {
        if access::stands(self.profile.rank, least) { Ok(()) } else { Err(Error::Refused(Refusal::Rank(least))) }
    }
}
