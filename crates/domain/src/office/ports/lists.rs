//! Filters, orders and pages of lists, and their results.

use uuid::Uuid;

use super::search_text;
use crate::{
    Action, ApiKey, BranchId, Device, DeviceId, DeviceName, DeviceStatus, Environment, Event, EventId, EventOutcome,
    FoldedText, Instant, RoleId, SessionId, SubjectKind, TenantId, User, UserId, UserName, UserStatus,
};

/// The greatest number of rows of a page, in the native API, the use cases and the command line.
pub const MAX_PAGE_SIZE: u32 = 200;

/// The number of rows of a page if the request does not name one.
pub const DEFAULT_PAGE_SIZE: u32 = 50;

/// The greatest number of rows that a use case returns: a page, and one more row to know whether
/// another page follows.
pub const MAX_FETCH_ROWS: u32 = MAX_PAGE_SIZE + 1;

/// A page of a list: at most `limit` rows after the position `after`, without the first `skip`. A
/// position is an id, or a sort key and an id. The row at the position need not exist any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetPageRequest<K> {
    /// The position of the last row of the previous page.
    pub after: Option<K>,
    /// The number of rows to skip after the position.
    pub skip: u64,
    /// The greatest number of rows.
    pub limit: u32,
}

impl<K> OffsetPageRequest<K> {
    /// The first page, with at most this many rows.
    pub const fn first(limit: u32) -> Self {
        Self { after: None, skip: 0, limit }
    }
}

/// A position in the order in which the changes of a store become visible, from which a list
/// continues with what has changed since. What the number is, is the store's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeMark(pub i64);

impl ChangeMark {
    /// A mark before everything, since which all changes are unknown.
    pub const UNKNOWN: Self = Self(i64::MIN);
}

/// The greatest number of changes since a mark that a list looks up. A mark is sent by a client,
/// and each page looks up all changes since then. If there are more, all items count as changed.
pub const MAX_CHANGES_SINCE_MARK: u32 = 4_000;

/// A page of a list, with the length of the whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageWithTotal<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// The number of rows on all pages together.
    pub total: u64,
}

/// A filter for audit events; what is `None` or empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The tenant; `None` for all tenants.
    pub tenant: Option<TenantId>,
    /// The event with this id.
    pub id: Option<EventId>,
    /// Events of this user.
    pub user: Option<UserId>,
    /// Events on this device.
    pub device: Option<DeviceId>,
    /// Events on devices that are in this store now.
    pub branch: Option<BranchId>,
    /// Events in this session.
    pub session: Option<SessionId>,
    /// Events with one of these actions.
    pub actions: Vec<Action>,
    /// Events with this outcome.
    pub outcome: Option<EventOutcome>,
    /// Events with this kind of subject.
    pub subject_kind: Option<SubjectKind>,
    /// Events with this subject.
    pub subject_id: Option<Uuid>,
    /// Events at this instant or later.
    pub from: Option<Instant>,
    /// Events before this instant.
    pub until: Option<Instant>,
    /// Events with this text in the user's name, the action or the details, compared by folding.
    pub text: Option<String>,
    /// Actions with their outcome that match the text, too: those that a dialect shows under a word
    /// that contains it.
    pub text_actions: Vec<(Action, EventOutcome)>,
}

impl EventFilter {
    /// Whether the filter matches an event, whatever store its device is in.
    pub fn matches(&self, view: &EventView) -> bool {
        let Event { id, at, tenant, actor, action, subject, outcome, details, .. } = &view.event;
        self.tenant.is_none_or(|wanted| *tenant == Some(wanted))
            && self.id.is_none_or(|wanted| *id == wanted)
            && self.user.is_none_or(|wanted| actor.user == Some(wanted))
            && self.device.is_none_or(|wanted| actor.device == Some(wanted))
            && self.session.is_none_or(|wanted| actor.session == Some(wanted))
            && (self.actions.is_empty() || self.actions.contains(action))
            && self.outcome.is_none_or(|wanted| *outcome == wanted)
            && self.subject_kind.is_none_or(|wanted| subject.kind() == wanted)
            && self.subject_id.is_none_or(|wanted| subject.uuid() == Some(wanted))
            && self.from.is_none_or(|from| *at >= from)
            && self.until.is_none_or(|until| *at < until)
            && self.text.as_ref().is_none_or(|text| {
                let (name, text) = (view.user_name.as_ref().map(UserName::to_folded), FoldedText::of(text));
                name.is_some_and(|name| name.as_str().contains(text.as_str()))
                    || action.name().contains(text.as_str())
                    || self.text_actions.contains(&(*action, *outcome))
                    || search_text::details_contain(details, &text)
            })
    }
}

/// An audit event with the names of its actor.
#[derive(Clone, Debug, PartialEq)]
pub struct EventView {
    /// The event itself.
    pub event: Event,
    /// The current name of the user.
    pub user_name: Option<UserName>,
    /// The current name of the device.
    pub device_name: Option<DeviceName>,
}

/// A filter for users; what is `None` or empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Users with one of these statuses.
    pub statuses: Vec<UserStatus>,
    /// Users with this role, without or on any device.
    pub assigned_role: Option<RoleId>,
    /// Users with this role without a device.
    pub with_role: Option<RoleId>,
    /// Users without any of these roles without a device.
    pub without_roles: Vec<RoleId>,
    /// Users who may log in on a device in this store.
    pub branch: Option<BranchId>,
    /// Users with this text in their name, e-mail address or display name, compared by folding.
    pub text: Option<String>,
    /// Users that have changed since this mark, if the store [knows](super::Events::knows_changes)
    /// them.
    pub changed_since: Option<ChangeMark>,
}

impl UserFilter {
    /// Whether the filter matches a user, whatever stores the devices of the user are in, and
    /// whenever the user has changed.
    pub fn matches(&self, user: &User) -> bool {
        let office = &user.assignment.office;
        (self.statuses.is_empty() || self.statuses.contains(&user.status))
            && self.assigned_role.is_none_or(|role| user.assignment.contains_role(role))
            && self.with_role.is_none_or(|role| office.contains(&role))
            && !self.without_roles.iter().any(|role| office.contains(role))
            && self
                .text
                .as_ref()
                .is_none_or(|text| search_text::from_user(user).contains(FoldedText::of(text).as_str()))
    }
}

/// A filter for the holders of roles to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleHolderFilter<'a> {
    /// Holders of one of these roles.
    pub roles: &'a [RoleId],
    /// The user to exclude.
    pub except_user: Option<UserId>,
    /// The device to exclude, as if it did not exist.
    pub except_device: Option<DeviceId>,
}

/// The first holders of a role, and their total number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleHolders {
    /// Users with the role, without or on any device.
    pub users: Vec<UserName>,
    /// Devices that have the role as themselves.
    pub devices: Vec<DeviceName>,
    /// The number of users and devices.
    pub total: u64,
}

/// A filter for devices; what is `None` or empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Devices with one of these statuses.
    pub statuses: Vec<DeviceStatus>,
    /// Devices with this environment.
    pub environment: Option<Environment>,
    /// Devices in this store.
    pub branch: Option<BranchId>,
    /// Devices with this text in the name or the description, compared by folding.
    pub text: Option<String>,
}

impl DeviceFilter {
    /// Whether the filter matches a device.
    pub fn matches(&self, device: &Device) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&device.status))
            && self.environment.is_none_or(|wanted| device.environment == wanted)
            && self.branch.is_none_or(|wanted| device.branch == Some(wanted))
            && self
                .text
                .as_ref()
                .is_none_or(|text| search_text::from_device(device).contains(FoldedText::of(text).as_str()))
    }
}

/// The instants between which sessions on sale devices are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TillCountSpan {
    /// Sessions that expire at this instant or earlier are over.
    pub now: Instant,
    /// Sessions whose newest use, or creation if they were never used, was at this instant or
    /// earlier are idle.
    pub idle_since: Instant,
}

/// Numbers of sale devices that are not retired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TillCounts {
    /// Devices with the status `Active`.
    pub active: u64,
    /// Devices with the status `Locked`.
    pub locked: u64,
    /// Devices with the status `Pending`.
    pub pending: u64,
    /// Active devices whose seat has a session that is neither ended nor expired.
    pub logged_in: u64,
    /// Those of them whose session is idle.
    pub idle: u64,
}

/// The order of users. Users that are equal in it are ordered by id, descending if the order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserOrder {
    /// By instant of creation, ascending.
    Oldest,
    /// By instant of creation, descending.
    Newest,
    /// By name, byte by byte, with ASCII letters in lower case.
    Name,
    /// By name, descending.
    NameDescending,
}

/// The position of a user in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserCursor {
    /// The sort key before the id: the name with ASCII letters in lower case; empty in the orders
    /// by id.
    pub key: String,
    /// The id of the user.
    pub id: UserId,
}

impl UserCursor {
    /// The position of this id in the orders by id.
    pub const fn from_id(id: UserId) -> Self {
        Self { key: String::new(), id }
    }
}

impl UserOrder {
    /// The position of the user in this order.
    pub fn cursor(self, user: &User) -> UserCursor {
        let key = match self {
            Self::Oldest | Self::Newest => String::new(),
            Self::Name | Self::NameDescending => user.name.as_str().to_ascii_lowercase(),
        };
        UserCursor { key, id: user.id }
    }

    /// Whether the order is descending.
    pub const fn is_descending(self) -> bool {
        matches!(self, Self::Newest | Self::NameDescending)
    }

    /// Whether the position of a user can change.
    pub const fn is_changing(self) -> bool {
        matches!(self, Self::Name | Self::NameDescending)
    }
}

/// A filter for API keys; `None` matches everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiKeyFilter {
    /// Keys of this user.
    pub user: Option<UserId>,
    /// Keys on this device.
    pub device: Option<DeviceId>,
    /// Active or revoked keys.
    pub active: Option<bool>,
}

impl ApiKeyFilter {
    /// Whether the filter matches a key.
    pub fn matches(&self, key: &ApiKey) -> bool {
        self.user.is_none_or(|user| user == key.user)
            && self.device.is_none_or(|device| device == key.device)
            && self.active.is_none_or(|active| active == key.active)
    }
}
