//! The errors of the back office: the field or the rule, and what to do about it.

mod field_name;
mod range_violation;

use std::time::Duration;

pub use field_name::FieldName;
pub use range_violation::RangeViolation;

use crate::ticket::TicketError;
use crate::{
    DenialKind, DeviceName, DeviceStatus, InvalidText, MissingRight, Rank, RoleName, StoreError, StoreResult, Subject,
    SubjectKind, UserName,
};

/// The result of a use case: its value, or an [`OfficeError`]; `Err` if the store failed.
pub type UseCaseResult<T> = StoreResult<Result<T, OfficeError>>;

/// Why a use case is denied. Nothing was changed, except that wrong digits of a machine are
/// counted, and deny it in the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfficeError {
    /// Another entity has this name, address or slug.
    #[error("{field}: \"{value}\" is taken; choose another")]
    AlreadyExists {
        /// The field with the value.
        field: FieldName,
        /// The value that is in use.
        value: String,
    },
    /// The tenant has no entity with the id to change.
    #[error("{field}: \"{value}\" does not exist")]
    NotFound {
        /// The kind of the entity.
        field: FieldName,
        /// The id that was given.
        value: String,
    },
    /// The tenant has no entity with a name in the request.
    #[error("{field}: \"{value}\" does not exist; choose one from the list")]
    UnknownName {
        /// The field with the name.
        field: FieldName,
        /// The name that is unknown.
        value: String,
    },
    /// An API key acts as a user on a device on which the user may not log in.
    #[error("device: the user \"{user}\" is not assigned to \"{device}\"; assign the device to the user first")]
    DeviceNotAssigned {
        /// The name of the user.
        user: UserName,
        /// The name of the device.
        device: DeviceName,
    },
    /// A text violates a rule.
    #[error("{field} {why}")]
    InvalidValue {
        /// The field with the text.
        field: FieldName,
        /// The rule that it violates.
        why: InvalidText,
    },
    /// An instant is not in the future.
    #[error("{field} must be in the future")]
    NotInFuture {
        /// The field with the instant.
        field: FieldName,
    },
    /// A list contains an item more than once, ignoring case.
    #[error("{field}: \"{value}\" appears more than once; name it once")]
    DuplicateItem {
        /// The field with the list.
        field: FieldName,
        /// The repeated item.
        value: String,
    },
    /// A list that needs an item is empty.
    #[error("{field}: name at least one")]
    Required {
        /// The field with the list.
        field: FieldName,
    },
    /// Durations are outside their ranges; all of them are listed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    OutOfRange(Vec<RangeViolation>),
    /// The entity was changed since the caller read it.
    #[error(
        "the {} was changed in the meantime and has version {current} now; read it again and repeat the change",
        noun(.subject.kind())
    )]
    VersionMismatch {
        /// The entity, or the one whose version it shares: a store has its tenant's.
        subject: Subject,
        /// The current version.
        current: i64,
    },
    /// A rule of tickets is violated.
    #[error(transparent)]
    Ticket(TicketError),
    /// The idempotency key was used for another request before.
    #[error("the idempotency key was used for another request; use a new one for each request")]
    IdempotencyKeyReused,
    /// The change would leave the tenant without an admin.
    #[error("this is the last active admin; add another admin first")]
    LastAdmin,
    /// A role that users or devices have cannot be deleted.
    #[error(
        "the role \"{role}\" is assigned to {}{}; remove it from them first",
        .by.join(", "),
        more(.by.len(), *.total)
    )]
    InUse {
        /// The role to delete.
        role: RoleName,
        /// The first few holders, by kind and name.
        by: Vec<String>,
        /// The total number of holders.
        total: u64,
    },
    /// A built-in role cannot be changed.
    #[error("the role \"{0}\" is built in and cannot be changed; add a role of your own")]
    BuiltInRole(RoleName),
    /// The last store of a tenant cannot be closed.
    #[error("\"{name}\" is the last store; add another store first")]
    LastStore {
        /// The name of the store.
        name: String,
    },
    /// A store with devices cannot be closed.
    #[error("the store has {} first", devices_to_move(*.devices))]
    StoreInUse {
        /// The number of devices.
        devices: u64,
    },
    /// An API key whose previous secret is still accepted gets no further secret with an overlap.
    #[error(
        "the previous secret of the API key is still accepted; rotate it again after the overlap, or with an overlap \
         of 0 hours, after which only the new secret is accepted"
    )]
    SecretOverlap,
    /// A revoked or expired API key gets no new secret, because that would be rejected.
    #[error("the API key is revoked or has expired; activate it or change its expiration first")]
    ApiKeyEnded,
    /// The greatest number of items is reached.
    #[error("{field}: the limit of {most} has been reached")]
    LimitReached {
        /// The field with the items.
        field: FieldName,
        /// The greatest number of items.
        most: usize,
    },
    /// A virtual user cannot have a password.
    #[error("the virtual user \"{0}\" stands for a feature and has no password; add a user for the person")]
    VirtualUser(UserName),
    /// A suspended user cannot be invited.
    #[error("the user \"{0}\" is suspended; activate the user first")]
    UserSuspended(UserName),
    /// A user without an e-mail address cannot be mailed.
    #[error("the user \"{0}\" has no e-mail address; add one first")]
    EmailMissing(UserName),
    /// The e-mail address of the user was verified before.
    #[error("the e-mail address of the user \"{0}\" is already verified")]
    EmailAlreadyVerified(UserName),
    /// A user is not mailed again so soon, so that repeated requests do not fill a mailbox.
    #[error(
        "a mail was just requested; wait {} s before you request another one",
        .retry_after.as_secs_f64().ceil().max(1.0)
    )]
    MailedRecently {
        /// After how long another mail can be requested.
        retry_after: Duration,
    },
    /// A device that is not active cannot be enrolled.
    #[error("the device \"{name}\" is {}; only an active device can be enrolled", .status.name())]
    DeviceNotActive {
        /// The name of the device.
        name: DeviceName,
        /// The status of the device.
        status: DeviceStatus,
    },
    /// A device that has a key is enrolled again only if the request says so, because that ends its
    /// sessions.
    #[error("the device \"{0}\" is already enrolled; send `replace` to replace its key, which ends its sessions")]
    DeviceEnrolled(DeviceName),
    /// The tenant accepts no machines that show a code themselves.
    #[error(
        "machines that show a code are not accepted here; start the enrollment of the device, or turn on `machine_codes`"
    )]
    MachineCodesOff,
    /// The digits are not those that the machine shows.
    #[error("these are not the digits that the machine shows; compare them again, or deny the machine")]
    FingerprintMismatch,
    /// Wrong digits were typed too often: the key is denied.
    #[error("the digits were wrong too often, and the machine was denied; start again on the machine")]
    TooManyFingerprints,
    /// Callers change their own password by proving the current one; an access token is not enough.
    #[error("this is your own password; change it with PUT /sessions/current/password and current_password")]
    OwnPassword,
    /// Callers set their own PIN by proving their password; an access token is not enough.
    #[error("this is your own PIN; set it with PUT /sessions/current/pin and your password")]
    OwnPin,
    /// Callers change their own e-mail address by proving their password, because its owner can
    /// reset the password.
    #[error("changing your own e-mail address requires your password; send it in current_password")]
    CurrentPasswordRequired,
    /// The act requires that the caller's identity was proved more recently.
    #[error("confirm your password again; this requires a proof of at most {} s ago", .max_age.as_secs())]
    ProofTooOld {
        /// The greatest age of the proof.
        max_age: Duration,
    },
    /// The new status cannot follow the current one.
    #[error("status: \"{from}\" cannot become \"{to}\"")]
    InvalidStatusTransition {
        /// The current status.
        from: &'static str,
        /// The requested status.
        to: &'static str,
    },
    /// The rank to assign is not lower than the caller's own.
    #[error("the {} role is not below your own; ask somebody with a higher role", .0.name())]
    RankTooHigh(Rank),
    /// Several fields of one request are invalid: at least two errors, each of a field.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Self>),
    /// Changes of several entities in one request, none of which was made: all errors, each with
    /// the place in the request of the change that is denied, from 0 and in ascending order.
    #[error("{}", .0.iter().map(|(index, error)| format!("[{index}] {error}")).collect::<Vec<_>>().join("; "))]
    Batch(Vec<(usize, Self)>),
    /// The caller does not have a required right, for the use case itself or because it would grant
    /// or control that right.
    #[error("{0}; ask somebody who has it")]
    RightMissing(#[from] MissingRight),
}

/// The word for entities of a kind.
const fn noun(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::ApiKey => "API key",
        other => other.name(),
    }
}

/// The number of holders that are not named.
fn more(named: usize, total: u64) -> String {
    match total.saturating_sub(u64::try_from(named).unwrap_or(u64::MAX)) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    }
}

/// The number of devices, and what to do with them.
fn devices_to_move(number: u64) -> String {
    match number {
        1 => "1 device; move or retire it".to_owned(),
        more => format!("{more} devices; move or retire them"),
    }
}

impl OfficeError {
    /// Checks that the entity has one of the versions that the caller has read; `None` matches
    /// every version.
    pub(super) fn check_version(subject: Subject, read: Option<&[i64]>, current: i64) -> Result<(), Self> {
        let matches = read.is_none_or(|read| read.contains(&current));
        if matches { Ok(()) } else { Err(Self::VersionMismatch { subject, current }) }
    }

    /// Whether the error can be reported among others of the same request's fields.
    const fn is_of_fields(&self) -> bool {
        matches!(self, Self::InvalidStatusTransition { .. }) || matches!(self.kind(), DenialKind::InvalidFields)
    }

    /// The error itself, or the first one of a batch, which determines the response to the request.
    pub const fn leading(&self) -> &Self {
        match self {
            Self::Batch(all) => match all.as_slice() {
                [(_, first), ..] => first,
                [] => self,
            },
            other => other,
        }
    }

    /// What kind of denial it is, from which a contract takes its default status and text.
    pub const fn kind(&self) -> DenialKind {
        self.leading().classify().0
    }

    /// The stable code of the error in responses, logs and metrics.
    pub const fn code(&self) -> &'static str {
        self.leading().classify().1
    }

    /// The kind and the code.
    const fn classify(&self) -> (DenialKind, &'static str) {
        match self {
            Self::AlreadyExists { .. } => (DenialKind::Conflict, "name_taken"),
            Self::NotFound { .. } => (DenialKind::NotFound, "not_found"),
            Self::UnknownName { .. } => (DenialKind::InvalidFields, "name_unknown"),
            Self::DeviceNotAssigned { .. } => (DenialKind::InvalidFields, "device_not_assigned"),
            Self::InvalidValue { .. } | Self::NotInFuture { .. } => (DenialKind::InvalidFields, "field_invalid"),
            Self::DuplicateItem { .. } => (DenialKind::InvalidFields, "field_repeated"),
            Self::Required { .. } => (DenialKind::InvalidFields, "field_empty"),
            Self::OutOfRange(_) => (DenialKind::InvalidFields, "field_range"),
            Self::VersionMismatch { .. } => (DenialKind::VersionMismatch, "version_moved"),
            Self::Ticket(why) => (why.kind(), why.code()),
            Self::IdempotencyKeyReused => (DenialKind::Invalid, "idempotency_key_reused"),
            Self::LastAdmin => (DenialKind::Conflict, "last_admin"),
            Self::InUse { .. } => (DenialKind::Conflict, "role_held"),
            Self::BuiltInRole(_) => (DenialKind::Conflict, "role_built_in"),
            Self::LastStore { .. } => (DenialKind::Conflict, "last_store"),
            Self::StoreInUse { .. } => (DenialKind::Conflict, "store_in_use"),
            Self::SecretOverlap => (DenialKind::Conflict, "secret_overlap"),
            Self::ApiKeyEnded => (DenialKind::Conflict, "api_key_ended"),
            Self::LimitReached { .. } => (DenialKind::Conflict, "too_many"),
            Self::VirtualUser(_) => (DenialKind::Conflict, "user_virtual"),
            Self::UserSuspended(_) => (DenialKind::Conflict, "user_suspended"),
            Self::EmailMissing(_) => (DenialKind::Conflict, "email_missing"),
            Self::EmailAlreadyVerified(_) => (DenialKind::Conflict, "email_already_verified"),
            Self::MailedRecently { .. } => (DenialKind::TooManyAttempts, "mailed_recently"),
            Self::DeviceNotActive { .. } => (DenialKind::Conflict, "device_not_active"),
            Self::DeviceEnrolled(_) => (DenialKind::Conflict, "device_enrolled"),
            Self::MachineCodesOff => (DenialKind::Conflict, "machine_codes_off"),
            Self::FingerprintMismatch => (DenialKind::Conflict, "fingerprint_mismatch"),
            Self::TooManyFingerprints => (DenialKind::Conflict, "too_many_fingerprints"),
            Self::OwnPassword => (DenialKind::Forbidden, "own_password"),
            Self::OwnPin => (DenialKind::Conflict, "pin_self"),
            Self::ProofTooOld { .. } => (DenialKind::Forbidden, "proof_too_old"),
            Self::CurrentPasswordRequired => (DenialKind::Invalid, "current_password_required"),
            Self::InvalidStatusTransition { .. } => (DenialKind::Conflict, "status_impossible"),
            Self::Several(_) | Self::Batch(_) => (DenialKind::InvalidFields, "fields_invalid"),
            Self::RankTooHigh(_) => (DenialKind::Forbidden, "rank_too_high"),
            Self::RightMissing(_) => (DenialKind::Forbidden, "right_missing"),
        }
    }
}

/// Collects the errors of the fields of one request, so that all are reported at once.
#[derive(Debug, Default)]
pub(super) struct FieldRefusals(Vec<OfficeError>);

impl FieldRefusals {
    /// The value; `None` if a field is invalid, whose error is kept for [`checked`](Self::checked).
    ///
    /// # Errors
    ///
    /// The store failed, or the error concerns more than a field.
    pub(super) fn gather<T>(&mut self, found: Result<T, impl Into<UseCaseError>>) -> Result<Option<T>, UseCaseError> {
        match found.map_err(Into::into) {
            Ok(value) => Ok(Some(value)),
            Err(UseCaseError::Office(error)) if error.is_of_fields() => {
                self.add(error);
                Ok(None)
            }
            Err(halt) => Err(halt),
        }
    }

    /// Adds the error of a field, once.
    pub(super) fn add(&mut self, error: OfficeError) {
        let each = if let OfficeError::Several(all) = error { all } else { vec![error] };
        for error in each {
            if !self.0.contains(&error) {
                self.0.push(error);
            }
        }
    }

    /// All collected errors.
    pub(super) fn into_vec(self) -> Vec<OfficeError> {
        self.0
    }

    /// Returns the collected errors, if any.
    ///
    /// # Errors
    ///
    /// The only error, or [`OfficeError::Several`].
    pub(super) fn checked(mut self) -> Result<(), OfficeError> {
        match self.0.len() {
            0 => Ok(()),
            1 => self.0.pop().map_or(Ok(()), Err),
            _ => Err(OfficeError::Several(self.0)),
        }
    }
}

/// The error type of a use case, for `?`; [`commit_refusal`] separates both kinds at its end.
#[derive(Debug)]
pub(super) enum UseCaseError {
    /// The store failed.
    Store(StoreError),
    /// The use case is denied. Decided before anything is written except the lock of a row on which
    /// the decision depends, and the count of wrong digits with its consequence.
    Office(OfficeError),
}

impl From<StoreError> for UseCaseError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<MissingRight> for UseCaseError {
    fn from(missing: MissingRight) -> Self {
        Self::Office(missing.into())
    }
}

impl From<OfficeError> for UseCaseError {
    fn from(error: OfficeError) -> Self {
        Self::Office(error)
    }
}

/// Converts a denial to a value, which commits, and keeps a failure of the store an error.
pub(super) fn commit_refusal<T>(result: Result<T, UseCaseError>) -> UseCaseResult<T> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(UseCaseError::Office(error)) => Ok(Err(error)),
        Err(UseCaseError::Store(error)) => Err(error),
    }
}
