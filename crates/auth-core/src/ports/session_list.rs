//! Lists of sessions: filters, orders, and what they show.

use tillgate_domain::{
    BranchId, Device, DeviceId, DeviceName, Environment, FoldedText, Instant, SessionId, TenantId, User, UserId,
    UserName,
};

use crate::{DialectName, Session, SessionKind};

/// A filter for lists of sessions; `None` does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Sessions of this tenant.
    pub tenant: Option<TenantId>,
    /// Sessions of this user.
    pub user: Option<UserId>,
    /// Sessions on this device.
    pub device: Option<DeviceId>,
    /// Sessions on devices that are in this store now.
    pub branch: Option<BranchId>,
    /// The session with this identifier.
    pub id: Option<SessionId>,
    /// With `Some((true, at))`, sessions that have neither ended nor expired at this instant; with
    /// `Some((false, at))`, the others.
    pub live: Option<(bool, Instant)>,
    /// Sessions that were created through this dialect.
    pub dialect: Option<DialectName>,
    /// Sessions of this kind.
    pub kind: Option<SessionKind>,
    /// Sessions that were used at this instant or later.
    pub used_since: Option<Instant>,
    /// Sessions with this text in the name or the display name of the user, or in the name of the
    /// device, compared by folding.
    pub text: Option<String>,
}

impl SessionFilter {
    /// Whether the filter matches a session of this user on this device.
    pub fn matches(&self, session: &Session, user: Option<&User>, device: Option<&Device>) -> bool {
        self.tenant.is_none_or(|tenant| session.tenant == tenant)
            && self.user.is_none_or(|user| session.user == Some(user))
            && self.device.is_none_or(|device| session.device == Some(device))
            && self.branch.is_none_or(|branch| device.is_some_and(|device| device.branch == Some(branch)))
            && self.id.is_none_or(|id| session.id == id)
            && self.live.is_none_or(|(wanted, at)| is_live(session, at) == wanted)
            && self.dialect.as_ref().is_none_or(|dialect| session.dialect == *dialect)
            && self.kind.is_none_or(|kind| session.kind == kind)
            && self.used_since.is_none_or(|since| session.last_used_at.is_some_and(|at| at >= since))
            && self.text.as_deref().is_none_or(|text| {
                let names = user.map(|user| [user.name.as_str(), user.display_name.as_str()]);
                let mut names = names.into_iter().flatten().chain(device.map(|device| device.name.as_str()));
                let text = FoldedText::of(text);
                names.any(|name| FoldedText::of(name).as_str().contains(text.as_str()))
            })
    }
}

/// Whether a session has neither ended nor expired at this instant.
fn is_live(session: &Session, at: Instant) -> bool {
    session.ended.is_none() && session.expires_at.is_none_or(|expires| expires > at)
}

/// The order of sessions. Sessions that are equal in it are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionOrder {
    /// By instant of creation, descending.
    #[default]
    Newest,
    /// By instant of creation, ascending.
    Oldest,
    /// By instant of the newest use, descending. Sessions that were never used are last.
    LastUsed,
}

impl SessionOrder {
    /// Whether the position of a session can change.
    pub const fn is_changing(self) -> bool {
        matches!(self, Self::LastUsed)
    }

    /// The position of the session in this order.
    pub fn cursor(self, session: &Session) -> SessionCursor {
        let key = match self {
            Self::Newest | Self::Oldest => 0,
            Self::LastUsed => session.last_used_at.map_or(0, Instant::millis),
        };
        SessionCursor { key, id: session.id }
    }
}

/// The position of a session in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionCursor {
    /// The sort key before the id: the instant of the newest use in milliseconds, zero if there is
    /// none; zero in the orders by id.
    pub key: i64,
    /// The id of the session.
    pub id: SessionId,
}

impl SessionCursor {
    /// The position of this id in the orders by id.
    pub const fn from_id(id: SessionId) -> Self {
        Self { key: 0, id }
    }
}

/// A session with the names that lists show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session as it is stored.
    pub session: Session,
    /// The user name of its user.
    pub user_name: Option<UserName>,
    /// The display name of its user.
    pub display_name: Option<String>,
    /// The name of its device.
    pub device_name: Option<DeviceName>,
    /// The environment of its device.
    pub environment: Option<Environment>,
}
