//! A session: one user or device, in one tenant, on at most one device, with terms that are fixed
//! at the login.

mod kind;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tillgate_domain::{DeviceId, EndReason, Epoch, Instant, KeyId, PrincipalId, SessionId, TenantId, UserId};

use crate::Terms;

pub use kind::{SessionKind, UnknownSessionKind};

/// The name of the dialect through which a session was created. The engine only compares it: a
/// token of one dialect is not accepted in another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialectName(Arc<str>);

impl DialectName {
    /// A name for a dialect of an embedding server.
    pub fn new(label: &str) -> Self {
        Self(label.into())
    }

    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DialectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The epochs of a session's user, device and tenant; zero for what the session does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epochs {
    /// The epoch of the user.
    pub user: Epoch,
    /// The epoch of the device.
    pub device: Epoch,
    /// The epoch of the tenant.
    pub tenant: Epoch,
}

impl Epochs {
    /// Whether one of these epochs is lower than in `now`: what was created under them has ended.
    pub fn is_below(&self, now: &Self) -> bool {
        self.user < now.user || self.device < now.device || self.tenant < now.tenant
    }
}

/// How the principal last proved its identity: at the login, or by a step-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationInfo {
    /// The methods as in RFC 8176, such as `pwd`, separated by spaces.
    pub methods: String,
    /// The instant of the proof.
    pub at: Instant,
}

/// The generation of the tokens that a login issues.
pub(crate) const FIRST_GENERATION: i64 = 1;

/// A session as the store keeps it. It contains neither a token nor the hash of one, only what a
/// token must name to belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The identifier of the session.
    pub id: SessionId,
    /// The tenant to which the session belongs.
    pub tenant: TenantId,
    /// What the session was created for.
    pub kind: SessionKind,
    /// The user; `None` if a device logged in as itself.
    pub user: Option<UserId>,
    /// The device; `None` if the user logged in without one.
    pub device: Option<DeviceId>,
    /// The session with which this one ends.
    pub parent: Option<SessionId>,
    /// The dialect through which it was created.
    pub dialect: DialectName,
    /// The terms as they were at the login.
    pub terms: Terms,
    /// The generation of the current refresh token. The first one is 1.
    pub generation: i64,
    /// The key of the current refresh token.
    pub key: KeyId,
    /// The key of the previous refresh token; the same as `key` before the first rotation.
    pub previous_key: KeyId,
    /// The highest generation whose access token has authenticated a request, as far as the store
    /// knows.
    pub used_generation: i64,
    /// The epochs under which it was created.
    pub epochs: Epochs,
    /// How the principal last proved its identity.
    pub authentication: AuthenticationInfo,
    /// The network address of the login.
    pub address: Option<IpAddr>,
    /// The network address of the newest rotation; before the first one, that of the login.
    pub rotated_from: Option<IpAddr>,
    /// The thumbprint of the key to which the session is bound (RFC 9449, section 6.1).
    pub thumbprint: Option<Vec<u8>>,
    /// The instant of the login.
    pub created_at: Instant,
    /// The instant of the newest rotation, or of a restart of its grace period.
    pub rotated_at: Option<Instant>,
    /// The instant of the newest use, to the minute.
    pub last_used_at: Option<Instant>,
    /// The instant at which the session expires unless it is refreshed; `None` if it never expires.
    pub expires_at: Option<Instant>,
    /// When and why the session was ended.
    pub ended: Option<(Instant, EndReason)>,
}

impl Session {
    /// When and why it ended, as of `now`: an expired session ended at its expiry, whether or not
    /// its end has been recorded.
    pub fn end_as_of(&self, now: Instant) -> Option<(Instant, EndReason)> {
        let expired = self.expires_at.filter(|expiry| *expiry <= now).map(|expiry| (expiry, EndReason::Expired));
        self.ended.or(expired)
    }

    /// The user, or the device if it logged in as itself. `None` only for a row that names neither,
    /// which no store writes.
    pub fn principal(&self) -> Option<PrincipalId> {
        self.user.map(PrincipalId::User).or(self.device.map(PrincipalId::Device))
    }
}
