//! What narrows a list, which part of it is asked for, and what comes back.

use uuid::Uuid;

use super::search_text;
use crate::{
    Action, ApiKey, Device, DeviceId, DeviceName, DeviceStatus, Environment, Event, EventId, EventOutcome, FoldedText,
    Instant, RoleId, SessionId, SubjectKind, TenantId, User, UserId, UserName, UserStatus,
};

/// Which part of a list: of those that come behind the place `after`, all but the first `skip`, `limit` at most. A place is an id, or a sort
/// key and an id where the list is sorted by more. Nothing is looked up by it: what stood there may have changed since, or be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetPageRequest<K> {
    /// The place of the last of the part before.
    pub after: Option<K>,
    /// How many more are passed over.
    pub skip: u64,
    /// How many at most.
    pub limit: u32,
}

impl<K> OffsetPageRequest<K> {
    /// The first part, of this many at most.
    pub const fn first(limit: u32) -> Self {
        Self { after: None, skip: 0, limit }
    }
}

/// A part of a list, and how long the whole list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageWithTotal<T> {
    /// The part.
    pub items: Vec<T>,
    /// How many there are on all parts together.
    pub total: u64,
}

/// Which lines of the audit. What is `None` or empty narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Whose audit; `None` for the whole server's.
    pub tenant: Option<TenantId>,
    /// The line of this id.
    pub id: Option<EventId>,
    /// By whom.
    pub user: Option<UserId>,
    /// On which device.
    pub device: Option<DeviceId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// What was done: one of these.
    pub actions: Vec<Action>,
    /// How it went.
    pub outcome: Option<EventOutcome>,
    /// To what kind of thing.
    pub subject_kind: Option<SubjectKind>,
    /// To the thing of this id.
    pub subject_id: Option<Uuid>,
    /// At this instant or later.
    pub from: Option<Instant>,
    /// Before this instant.
    pub until: Option<Instant>,
    /// With this text in the user's name, the action or the details, compared as names are.
    pub text: Option<String>,
}

impl EventFilter {
    /// Whether the filter fits a line of this user.
    pub fn matches(&self, told: &EventView) -> bool {
        let Event { id, at, tenant, actor, action, subject, outcome, details, .. } = &told.event;
        self.tenant.is_none_or(|asked| *tenant == Some(asked))
            && self.id.is_none_or(|asked| *id == asked)
            && self.user.is_none_or(|asked| actor.user == Some(asked))
            && self.device.is_none_or(|asked| actor.device == Some(asked))
            && self.session.is_none_or(|asked| actor.session == Some(asked))
            && (self.actions.is_empty() || self.actions.contains(action))
            && self.outcome.is_none_or(|asked| *outcome == asked)
            && self.subject_kind.is_none_or(|asked| subject.kind() == asked)
            && self.subject_id.is_none_or(|asked| subject.uuid() == Some(asked))
            && self.from.is_none_or(|from| *at >= from)
            && self.until.is_none_or(|until| *at < until)
            && self.text.as_ref().is_none_or(|text| {
                let (name, text) = (told.user_name.as_ref().map(UserName::to_folded), FoldedText::of(text));
                name.is_some_and(|name| name.as_str().contains(text.as_str()))
                    || action.name().contains(text.as_str())
                    || search_text::details_contain(details, &text)
            })
    }
}

/// A line of the audit with the names of who did it.
#[derive(Clone, Debug, PartialEq)]
pub struct EventView {
    /// The line.
    pub event: Event,
    /// The name that the user has now.
    pub user_name: Option<UserName>,
    /// The name that the device has now.
    pub device_name: Option<DeviceName>,
}

/// Which users. What is `None` or empty narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// In one of these.
    pub statuses: Vec<UserStatus>,
    /// Who hold this role without a device.
    pub with_role: Option<RoleId>,
    /// Who hold none of these without a device.
    pub without_roles: Vec<RoleId>,
    /// With this text in their name, their e-mail address or the name that people read, compared as names are.
    pub text: Option<String>,
}

impl UserFilter {
    /// Whether the filter fits this user.
    pub fn matches(&self, user: &User) -> bool {
        let office = &user.assignment.office;
        (self.statuses.is_empty() || self.statuses.contains(&user.status))
            && self.with_role.is_none_or(|role| office.contains(&role))
            && !self.without_roles.iter().any(|role| office.contains(role))
            && self
                .text
                .as_ref()
                .is_none_or(|text| search_text::from_user(user).contains(FoldedText::of(text).as_str()))
    }
}

/// Which holders of roles to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleHolderFilter<'a> {
    /// Of one of these roles.
    pub roles: &'a [RoleId],
    /// All but this user.
    pub except_user: Option<UserId>,
    /// As if this device were not there.
    pub except_device: Option<DeviceId>,
}

/// Who holds a role: the first of them, and how many in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleHolders {
    /// Users, without a device or on any.
    pub users: Vec<UserName>,
    /// Devices that log in as themselves.
    pub devices: Vec<DeviceName>,
    /// How many users and devices.
    pub total: u64,
}

/// Which devices. What is `None` or empty narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// In one of these.
    pub statuses: Vec<DeviceStatus>,
    /// Of this kind.
    pub environment: Option<Environment>,
    /// With this text in the name or the description, compared as names are.
    pub text: Option<String>,
}

impl DeviceFilter {
    /// Whether the filter fits this device.
    pub fn matches(&self, device: &Device) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&device.status))
            && self.environment.is_none_or(|asked| device.environment == asked)
            && self
                .text
                .as_ref()
                .is_none_or(|text| search_text::from_device(device).contains(FoldedText::of(text).as_str()))
    }
}

/// In which order users come. Those whom it does not tell apart come in the order of their ids, backwards where the order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserOrder {
    /// Who was made first comes first.
    Oldest,
    /// Who was made last comes first.
    Newest,
    /// By name, byte by byte, the letters A to Z in lower case.
    Name,
    /// The same from its end.
    NameDescending,
}

/// The place of a user in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserCursor {
    /// What the order compares before the id: the name, the letters A to Z in lower case. Empty in the orders by id.
    pub key: String,
    /// The id.
    pub id: UserId,
}

impl UserCursor {
    /// The place of this id in the orders by id.
    pub const fn from_id(id: UserId) -> Self {
        Self { key: String::new(), id }
    }
}

impl UserOrder {
    /// The place of the user.
    pub fn cursor(self, user: &User) -> UserCursor {
        let key = match self {
            Self::Oldest | Self::Newest => String::new(),
            Self::Name | Self::NameDescending => user.name.as_str().to_ascii_lowercase(),
        };
        UserCursor { key, id: user.id }
    }

    /// Whether the greatest comes first.
    pub const fn is_descending(self) -> bool {
        matches!(self, Self::Newest | Self::NameDescending)
    }
}

/// Which keys of programs. What is `None` narrows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiKeyFilter {
    /// Whose requests run as this user.
    pub user: Option<UserId>,
    /// Whose requests run on this device.
    pub device: Option<DeviceId>,
    /// Which count, or which were revoked.
    pub active: Option<bool>,
}

impl ApiKeyFilter {
    /// Whether the filter fits a key.
    pub fn matches(&self, key: &ApiKey) -> bool {
        self.user.is_none_or(|user| user == key.user)
            && self.device.is_none_or(|device| device == key.device)
            && self.active.is_none_or(|active| active == key.active)
    }
}
