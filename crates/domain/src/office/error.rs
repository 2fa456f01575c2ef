//! What the back office says no with: the field or the rule, and what to do about it.

mod range_violation;

use std::fmt;

pub use range_violation::RangeViolation;

use crate::ticket::TicketError;
use crate::{InvalidText, Rank, Right, StoreError, StoreResult, TicketId};

/// What a use case answers: done, or refused, or `Err` where the store failed.
pub type UseCaseResult<T> = StoreResult<Result<T, OfficeError>>;

/// A field of a request, by the name that it has in the native API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldName {
    /// The short name of a tenant.
    Slug,
    /// The name of a tenant, a device or a role.
    Name,
    /// The name of a user.
    UserName,
    /// An e-mail address.
    Email,
    /// The name that people read.
    DisplayName,
    /// The name of a role that people read.
    Label,
    /// What something is for.
    Description,
    /// The feature of a virtual user.
    Feature,
    /// Roles, by name.
    Roles,
    /// Rights.
    Rights,
    /// Environments.
    Environments,
    /// Devices, by name.
    Devices,
    /// The settings of a device.
    Settings,
    /// What the program on a device remembers.
    Preferences,
    /// A status.
    Status,
    /// A password.
    Password,
    /// Whether a user must change the password at the next login.
    PasswordChangeRequired,
    /// The password that the caller has, sent to prove that it is they who call.
    CurrentPassword,
    /// What an API key is narrowed to.
    Permissions,
    /// The user as a whole.
    User,
    /// The device as a whole.
    Device,
    /// The key of a program as a whole.
    ApiKey,
    /// The role as a whole.
    Role,
    /// The tenant as a whole.
    Tenant,
    /// The store of a tenant as a whole.
    Store,
    /// How long an access token is good at most.
    Access,
    /// How long a session lives in silence at most.
    Idle,
    /// How long a session lives in all at most.
    Absolute,
    /// How long a refresh token overlaps with the next at most.
    Overlap,
    /// A line of the audit as a whole.
    Event,
    /// The ticket as a whole.
    Ticket,
    /// Whose a ticket is.
    Owner,
}

impl FieldName {
    /// The name in requests and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Name => "name",
            Self::UserName => "user_name",
            Self::Email => "email",
            Self::DisplayName => "display_name",
            Self::Label => "label",
            Self::Description => "description",
            Self::Feature => "feature",
            Self::Roles => "roles",
            Self::Rights => "rights",
            Self::Environments => "environments",
            Self::Devices => "devices",
            Self::Settings => "settings",
            Self::Preferences => "preferences",
            Self::Status => "status",
            Self::Password => "password",
            Self::PasswordChangeRequired => "password_change_required",
            Self::CurrentPassword => "current_password",
            Self::Permissions => "permissions",
            Self::User => "user",
            Self::Device => "device",
            Self::ApiKey => "api_key",
            Self::Role => "role",
            Self::Tenant => "tenant",
            Self::Store => "store",
            Self::Access => "limits/access",
            Self::Idle => "limits/idle",
            Self::Absolute => "limits/absolute",
            Self::Overlap => "limits/overlap",
            Self::Event => "event",
            Self::Ticket => "ticket",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A decision to say no. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfficeError {
    /// Somebody else has this name, address or slug.
    #[error("{field}: \"{value}\" is taken; choose another")]
    AlreadyExists {
        /// Which field.
        field: FieldName,
        /// What it held.
        value: String,
    },
    /// The tenant has nothing of the id that is to be changed.
    #[error("{field}: there is no \"{value}\"")]
    NotFound {
        /// What it would be.
        field: FieldName,
        /// The id.
        value: String,
    },
    /// The tenant has nothing of a name that the request holds.
    #[error("{field}: there is no \"{value}\"; the list shows what there is")]
    UnknownName {
        /// Which field.
        field: FieldName,
        /// What it held.
        value: String,
    },
    /// A text that does not fit.
    #[error("{field} {why}")]
    InvalidValue {
        /// Which field.
        field: FieldName,
        /// What is wrong with it.
        why: InvalidText,
    },
    /// A list names the same thing more than once, whatever the case of its letters.
    #[error("{field}: \"{value}\" is there more than once; name it once")]
    DuplicateItem {
        /// Which field.
        field: FieldName,
        /// What it names.
        value: String,
    },
    /// A set that has to hold something holds nothing.
    #[error("{field}: name at least one")]
    Required {
        /// Which field.
        field: FieldName,
    },
    /// Spans of time outside of what they may be, all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    OutOfRange(Vec<RangeViolation>),
    /// Somebody changed it since it was read.
    #[error("somebody has changed it meanwhile: it is at version {current} now; read it again and repeat the change")]
    VersionMismatch {
        /// Its version now.
        current: i64,
    },
    /// Somebody changed the ticket since it was read.
    #[error(
        "somebody has changed the ticket meanwhile: it is at version {current} now; read it again and repeat the change"
    )]
    TicketVersionMismatch {
        /// Which.
        ticket: TicketId,
        /// Its version now.
        current: i64,
    },
    /// The rules of tickets.
    #[error(transparent)]
    Ticket(TicketError),
    /// An idempotency key was used for another request before.
    #[error("this idempotency key was used for another request; draw a new one for each request")]
    IdempotencyKeyReused,
    /// It would leave the tenant without an admin.
    #[error("this is the last active admin; make another admin first")]
    LastAdmin,
    /// A role that is held cannot go.
    #[error("the role is held by {}{}; take it from them first", .by.join(", "), more(.by.len(), *.total))]
    InUse {
        /// Who holds it: the first few, by kind and name.
        by: Vec<String>,
        /// How many hold it.
        total: u64,
    },
    /// A built-in role stays as it is.
    #[error("a built-in role stays as it is; make a role of your own")]
    BuiltInRole,
    /// The last store of a tenant stays.
    #[error("this is the last store; open another first")]
    LastStore,
    /// There are as many as there may be.
    #[error("{field}: there are {most} already, and no more fit")]
    LimitReached {
        /// Which field.
        field: FieldName,
        /// How many there may be.
        most: usize,
    },
    /// A virtual user has no password.
    #[error("a virtual user stands for a feature and has no password; make a user of its own for the person")]
    VirtualUser,
    /// One's own password is changed by who proves the current one, never by an access token alone.
    #[error("this is your own password; change it by PUT /sessions/current/password, with current_password")]
    OwnPassword,
    /// One's own e-mail address is changed by who proves their password: whoever has the address can reset the password.
    #[error("another e-mail address of your own requires your password; send it in current_password")]
    CurrentPasswordRequired,
    /// A status that cannot follow the one there is.
    #[error("status: {from} cannot become {to}")]
    InvalidStatusTransition {
        /// The status there is.
        from: &'static str,
        /// The status that was asked for.
        to: &'static str,
    },
    /// The rank that would be given is as high as that of whoever gives it, or higher.
    #[error("the role {} is not below your own; somebody above it can give it", .0.name())]
    RankTooHigh(Rank),
    /// Several fields of one request are at fault: at least two refusals, each of them of a field.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Self>),
    /// The caller lacks a right, either to do this at all or because they would grant or touch what they do not hold.
    #[error("the right {0} is missing; somebody who holds it can do this")]
    RightMissing(Right),
}

/// What stands behind the few that are named.
fn more(named: usize, total: u64) -> String {
    match total.saturating_sub(u64::try_from(named).unwrap_or(u64::MAX)) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    }
}

impl OfficeError {
    /// Refuses what has moved on from the version that the caller holds to; `None` holds to none.
    pub(super) fn check_version(held: Option<i64>, current: i64) -> Result<(), Self> {
        if held.is_none_or(|held| held == current) { Ok(()) } else { Err(Self::VersionMismatch { current }) }
    }

    /// Whether it is about values of fields alone, and nothing else stands against the request.
    const fn is_of_fields(&self) -> bool {
        matches!(
            self,
            Self::UnknownName { .. }
                | Self::InvalidValue { .. }
                | Self::DuplicateItem { .. }
                | Self::Required { .. }
                | Self::InvalidStatusTransition { .. }
                | Self::Several(_)
        )
    }

    /// A stable word for it, in answers, logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "name_taken",
            Self::NotFound { .. } => "not_found",
            Self::UnknownName { .. } => "name_unknown",
            Self::InvalidValue { .. } => "field_invalid",
            Self::DuplicateItem { .. } => "field_repeated",
            Self::Required { .. } => "field_empty",
            Self::OutOfRange(_) => "field_range",
            Self::VersionMismatch { .. } | Self::TicketVersionMismatch { .. } => "version_moved",
            Self::Ticket(why) => why.code(),
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::LastAdmin => "last_admin",
            Self::InUse { .. } => "role_held",
            Self::BuiltInRole => "role_built_in",
            Self::LastStore => "last_store",
            Self::LimitReached { .. } => "too_many",
            Self::VirtualUser => "user_virtual",
            Self::OwnPassword => "own_password",
            Self::CurrentPasswordRequired => "current_password_required",
            Self::InvalidStatusTransition { .. } => "status_impossible",
            Self::Several(_) => "fields_invalid",
            Self::RankTooHigh(_) => "rank_too_high",
            Self::RightMissing(_) => "right_missing",
        }
    }
}

/// Gathers what is wrong with the fields of one request, so that all of it is refused at once.
#[derive(Debug, Default)]
pub(super) struct FieldRefusals(Vec<OfficeError>);

impl FieldRefusals {
    /// The value; `None` if a field is at fault, which is kept for [`checked`](Self::checked).
    ///
    /// # Errors
    /// The store failed, or the refusal is about more than a field.
    pub(super) fn gather<T>(&mut self, found: Result<T, impl Into<UseCaseError>>) -> Result<Option<T>, UseCaseError> {
        match found.map_err(Into::into) {
            Ok(value) => Ok(Some(value)),
            Err(UseCaseError::Office(refused)) if refused.is_of_fields() => {
                self.add(refused);
                Ok(None)
            }
            Err(halt) => Err(halt),
        }
    }

    /// Adds a refusal of a field; one that is there already is kept once.
    pub(super) fn add(&mut self, refused: OfficeError) {
        let each = if let OfficeError::Several(all) = refused { all } else { vec![refused] };
        for refused in each {
            if !self.0.contains(&refused) {
                self.0.push(refused);
            }
        }
    }

    /// Everything that was gathered.
    pub(super) fn into_vec(self) -> Vec<OfficeError> {
        self.0
    }

    /// Refuses if anything was gathered.
    ///
    /// # Errors
    /// The one refusal, or [`OfficeError::Several`].
    pub(super) fn checked(mut self) -> Result<(), OfficeError> {
        match self.0.len() {
            0 => Ok(()),
            1 => self.0.pop().map_or(Ok(()), Err),
            _ => Err(OfficeError::Several(self.0)),
        }
    }
}

/// Why a use case stops on its way: `?` carries both kinds, and [`decide`] parts them again at its edge.
#[derive(Debug)]
pub(super) enum UseCaseError {
    /// The store failed.
    Store(StoreError),
    /// It is decided against. Judged before anything is written but the claim of a row that the judgement depends on.
    Office(OfficeError),
}

impl From<StoreError> for UseCaseError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<OfficeError> for UseCaseError {
    fn from(refused: OfficeError) -> Self {
        Self::Office(refused)
    }
}

/// A refusal becomes a value, a failure stays an error.
pub(super) fn commit_refusal<T>(way: Result<T, UseCaseError>) -> UseCaseResult<T> {
    match way {
        Ok(value) => Ok(Ok(value)),
        Err(UseCaseError::Office(refused)) => Ok(Err(refused)),
        Err(UseCaseError::Store(error)) => Err(error),
    }
}
