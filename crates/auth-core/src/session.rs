//! A session: one principal on one device, or in the office on none, with terms.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tillgate_domain::{DeviceId, EndReason, Epoch, Instant, KeyId, PrincipalId, SessionId, TenantId, UserId};

use crate::Terms;

/// The label of the wire contract that a session was made through. Opaque here: a token of one is not accepted by another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialectName(Arc<str>);

impl DialectName {
    /// The contract of that label.
    pub fn new(label: &str) -> Self {
        Self(label.into())
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DialectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKind {
    /// A person logged in.
    Person,
    /// A device logged in as itself.
    Device,
    /// A permanent token of a person for a device. No epoch ends it: the status of both is asked at each refresh.
    Permanent,
}

impl SessionKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Person, Self::Device, Self::Permanent];

    /// The word in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Device => "device",
            Self::Permanent => "permanent",
        }
    }
}

/// The epochs of a session's user, device and tenant; zero where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epochs {
    /// Of the user.
    pub user: Epoch,
    /// Of the device.
    pub device: Epoch,
    /// Of the tenant.
    pub tenant: Epoch,
}

impl Epochs {
    /// Whether something that was made under `self` is over where the epochs stand at `now`.
    pub fn is_below(&self, now: &Self) -> bool {
        self.user < now.user || self.device < now.device || self.tenant < now.tenant
    }
}

/// What was proved at the login, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationInfo {
    /// The methods, as RFC 8176 names them (`pwd`), separated by spaces.
    pub methods: String,
    /// When.
    pub at: Instant,
}

/// The generation of the tokens that a login is answered.
pub(crate) const FIRST_GENERATION: i64 = 1;

/// A session as the store keeps it. It holds no token and no hash of one: only what a token must name to be its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What kind it is.
    pub kind: SessionKind,
    /// The person; `None` where a device logged in as itself.
    pub user: Option<UserId>,
    /// The device; `None` in the office.
    pub device: Option<DeviceId>,
    /// The session that this one stands on and ends with.
    pub parent: Option<SessionId>,
    /// The contract that it was made through.
    pub dialect: DialectName,
    /// Its terms, as they were at login.
    pub terms: Terms,
    /// The number of its newest refresh token. The login's is 1.
    pub generation: i64,
    /// The key of the newest refresh token.
    pub key: KeyId,
    /// The key of the refresh token before the newest; the same as `key` at first.
    pub previous_key: KeyId,
    /// The highest generation whose access token has authenticated a request, as far as the store knows.
    pub used_generation: i64,
    /// The epochs that it was made under.
    pub epochs: Epochs,
    /// What was proved at the login.
    pub authentication: AuthenticationInfo,
    /// Where the login came from.
    pub address: Option<IpAddr>,
    /// Where the newest rotation came from; the login's address at first.
    pub rotated_from: Option<IpAddr>,
    /// The thumbprint of the key that it is bound to (RFC 9449, 6.1).
    pub thumbprint: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last rotated, or its newest refresh token handed out again to somebody who seemed never to have had it.
    pub rotated_at: Option<Instant>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Instant>,
    /// When it is over if nothing happens; `None` for never.
    pub expires_at: Option<Instant>,
    /// When and why it was ended.
    pub ended: Option<(Instant, EndReason)>,
}

impl Session {
    /// Who it belongs to; `None` only for a row that names neither, which no store of ours writes.
    pub fn principal(&self) -> Option<PrincipalId> {
        self.user.map(PrincipalId::User).or(self.device.map(PrincipalId::Device))
    }
}
