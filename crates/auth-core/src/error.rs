//! The errors of the engine.
//!
//! An [`AuthDenied`] is a decision about the caller. Everything else is a failure of the server:
//! [`Error::Unavailable`] is temporary, [`Error::Fault`] is not. A failure of the server is never
//! reported as a denial, because a client that is denied discards its tokens.

use std::time::Duration;

use tillgate_domain::{DenialKind, MissingRight, Rank, StoreError, WeakPin};

use crate::dpop::ProofDenied;
use crate::passwords::WeakPassword;

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The engine has decided that the caller may not do this.
    #[error(transparent)]
    Denied(#[from] AuthDenied),
    /// Temporarily unavailable: the store, the hash queue or the change feed cannot be used now.
    /// Nothing was decided.
    #[error("unavailable: {why}")]
    Unavailable {
        /// What is unavailable, for the log.
        why: String,
        /// How long the caller should wait before it retries.
        retry_after: Duration,
    },
    /// A defect of the program or damaged data; a retry does not help.
    #[error("fault: {0}")]
    Fault(String),
}

/// The delay before a retry if no better value is known.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

impl Error {
    /// An [`Error::Unavailable`] that asks the caller to retry in one second.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), retry_after: DEFAULT_RETRY_AFTER }
    }

    /// How long the caller should wait before it retries; `None` if a retry does not help. Round it
    /// up to whole seconds, at least one, for `Retry-After` (RFC 9110, section 10.2.3).
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. }
            | Self::Denied(
                AuthDenied::TooManyAttempts { retry_after }
                | AuthDenied::TooManyExchanges { retry_after }
                | AuthDenied::OperatorThrottled { retry_after },
            ) => Some(*retry_after),
            Self::Denied(_) | Self::Fault(_) => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(why) | StoreError::Conflict(why) => Self::unavailable(why),
            StoreError::Corrupt { .. } | StoreError::Fault(_) | StoreError::Nested => Self::Fault(error.to_string()),
        }
    }
}

impl From<MissingRight> for Error {
    fn from(missing: MissingRight) -> Self {
        Self::Denied(AuthDenied::RightMissing(missing))
    }
}

impl From<TokenDenied> for Error {
    fn from(denial: TokenDenied) -> Self {
        Self::Denied(AuthDenied::Token(denial))
    }
}

impl From<LoginDenied> for Error {
    fn from(denial: LoginDenied) -> Self {
        Self::Denied(AuthDenied::Login(denial))
    }
}

/// Why a caller is denied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthDenied {
    /// The login is denied.
    #[error(transparent)]
    Login(#[from] LoginDenied),
    /// The token or the signature is not accepted.
    #[error(transparent)]
    Token(#[from] TokenDenied),
    /// A login or a refresh lacks a valid proof of the client's key (RFC 9449). No session and no
    /// token is affected.
    #[error(transparent)]
    Proof(ProofDenied),
    /// The request lacks a valid proof of the key to which its access token is bound. The token
    /// stays valid.
    #[error(transparent)]
    TokenUnproven(ProofDenied),
    /// The rate limit of failed logins has been reached.
    #[error("too many failed attempts; retry in {} s", retry_after.as_secs_f64().ceil().max(1.0))]
    TooManyAttempts {
        /// How long to wait before the next attempt is accepted.
        retry_after: Duration,
    },
    /// The session has exchanged too many tokens within their grace period. Its tokens stay valid.
    #[error("too many exchanges; keep the token and retry in {} s", retry_after.as_secs_f64().ceil().max(1.0))]
    TooManyExchanges {
        /// How long to wait before the token can be exchanged.
        retry_after: Duration,
    },
    /// The caller does not have this right.
    #[error(transparent)]
    RightMissing(#[from] MissingRight),
    /// The caller has a lower rank than this one.
    #[error("requires the {} role or higher", .0.name())]
    RankTooLow(Rank),
    /// The password policy does not allow this password.
    #[error("the password {0}")]
    WeakPassword(WeakPassword),
    /// The PIN may not be set.
    #[error("the PIN {0}")]
    WeakPin(WeakPin),
    /// The password by which callers confirm an operation of their own is wrong. The session and
    /// its tokens stay valid.
    #[error("the password is wrong")]
    WrongPassword,
    /// The call is for a device that is logged in as itself, in a session that is bound to its key.
    #[error("only a till that is logged in as itself with its key may do this; enroll it first")]
    TillRequired,
    /// The device is not in till mode.
    #[error("the device is not in till mode; set its `till_mode` first")]
    TillModeOff,
    /// The user may not sign in as the operator of the till, for whatever reason.
    #[error("the user or the PIN is wrong, or the user may not work on this till")]
    OperatorMismatch,
    /// Too many wrong PINs of the user on the till, or of all users there.
    #[error("too many wrong PINs on this till; retry in {} s", retry_after.as_secs_f64().ceil())]
    OperatorThrottled {
        /// How long to wait before the next PIN is checked.
        retry_after: Duration,
    },
    /// No enrollment waits for this code: it is wrong, was used, or has expired, or the device is
    /// not active.
    #[error("the code is wrong, was used or has expired; ask for a new one")]
    EnrollmentUnknown,
    /// A key that waits to be accepted is not enrolled by this poll (RFC 8628, section 3.5).
    #[error(transparent)]
    Poll(#[from] PollDenied),
    /// The key to enroll is or was that of a device of the tenant.
    #[error("the key was enrolled before; make a new key for each enrollment")]
    KeyKnown,
    /// The session does not exist, or the caller may not know of it.
    #[error("the session does not exist")]
    SessionNotFound,
}

impl AuthDenied {
    /// What kind of denial it is, from which a contract takes its default status and text.
    pub const fn kind(&self) -> DenialKind {
        match self {
            Self::Login(_) | Self::Token(_) | Self::TokenUnproven(_) => DenialKind::Unauthenticated,
            Self::Proof(_) => DenialKind::ProofRequired,
            Self::TooManyAttempts { .. } | Self::TooManyExchanges { .. } | Self::OperatorThrottled { .. } => {
                DenialKind::TooManyAttempts
            }
            Self::RightMissing(_)
            | Self::RankTooLow(_)
            | Self::EnrollmentUnknown
            | Self::WrongPassword
            | Self::OperatorMismatch => DenialKind::Forbidden,
            Self::KeyKnown | Self::TillRequired | Self::TillModeOff => DenialKind::Conflict,
            Self::Poll(_) => DenialKind::PollDenied,
            Self::WeakPassword(_) | Self::WeakPin(_) => DenialKind::InvalidFields,
            Self::SessionNotFound => DenialKind::NotFound,
        }
    }

    /// The stable code of the denial in responses, logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Login(denial) => denial.code(),
            Self::Token(denial) => denial.code(),
            Self::Proof(denial) | Self::TokenUnproven(denial) => denial.code(),
            Self::TooManyAttempts { .. } => "login_held",
            Self::TooManyExchanges { .. } => "too_many_exchanges",
            Self::RightMissing(_) => "right_missing",
            Self::RankTooLow(_) => "rank_missing",
            Self::WeakPassword(_) => "password_weak",
            Self::WeakPin(why) => why.code(),
            Self::WrongPassword => "password_wrong",
            Self::TillRequired => "till_required",
            Self::TillModeOff => "till_mode_off",
            Self::OperatorMismatch => "operator_mismatch",
            Self::OperatorThrottled { .. } => "operator_throttled",
            Self::EnrollmentUnknown => "enrollment_unknown",
            Self::KeyKnown => "key_known",
            Self::Poll(denial) => denial.code(),
            Self::SessionNotFound => "session_not_found",
        }
    }
}

/// Why a poll gets no tokens (RFC 8628, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PollDenied {
    /// Nobody has decided yet.
    #[error("nobody has accepted the key yet; poll again after `interval` seconds")]
    AuthorizationPending,
    /// Nobody has decided yet, and the client polls more often than it may.
    #[error("nobody has accepted the key yet; poll again after `interval` seconds, not earlier")]
    SlowDown,
    /// The key was denied, its acceptance is void, or the tenant accepts no machines that show a
    /// code.
    #[error("the machine is not accepted; ask the back office, and start again with a new key")]
    AccessDenied,
    /// The code is unknown or has expired.
    #[error("the code has expired; start again")]
    ExpiredToken,
}

impl PollDenied {
    /// The stable code of the denial, as in RFC 8628.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
        }
    }
}

impl From<PollDenied> for Error {
    fn from(denial: PollDenied) -> Self {
        Self::Denied(AuthDenied::Poll(denial))
    }
}

/// Why a login is denied. Before the password has proved right, only [`Mismatch`](Self::Mismatch)
/// is reported. A dialect whose contract has no separate code for the other variants reports them
/// as a mismatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginDenied {
    /// The name is unknown or the password is wrong. The text names more reasons, so that it also
    /// fits the variants that a dialect reports as a mismatch.
    #[error("the name, the password or the device is wrong, or the user has no role there")]
    Mismatch,
    /// The user or the device is not activated yet.
    #[error("the account is not activated yet")]
    Pending,
    /// The user is suspended, or the device that logs in as itself is locked.
    #[error("the account is suspended")]
    Suspended,
    /// The device that logs in as itself is retired.
    #[error("the device is retired")]
    Retired,
    /// The device is unknown, inactive or not assigned to the user, or the user may not log in
    /// without a device.
    #[error("the user may not log in on this device")]
    DeviceNotAllowed,
    /// The user is a virtual user, which has no password.
    #[error("a virtual user cannot log in with a password")]
    VirtualUser,
    /// The user must change the password first. Reported only if nothing but a missing rank would
    /// prevent the login otherwise.
    #[error("the password must be changed before you can log in")]
    PasswordChangeRequired,
    /// The user has no role on the device with the rank that the login requires.
    #[error("the user has no role that may log in here")]
    RankTooLow,
    /// The user has no right of the back office, which the login requires
    /// ([`LoginRequest::requires_office_right`](crate::LoginRequest::requires_office_right)).
    #[error("you have no role in the office")]
    OfficeRoleMissing,
}

impl LoginDenied {
    /// The stable code of the denial in logs, audit events and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mismatch => "login_mismatch",
            Self::Pending => "login_pending",
            Self::Suspended => "login_suspended",
            Self::Retired => "login_retired",
            Self::DeviceNotAllowed => "login_not_there",
            Self::VirtualUser => "login_virtual",
            Self::PasswordChangeRequired => "password_change_required",
            Self::RankTooLow => "login_rank",
            Self::OfficeRoleMissing => "office_role_missing",
        }
    }
}

/// Why a token or a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenDenied {
    /// The request contains no token.
    #[error("the request has no token; send \"Authorization: Bearer <access token>\"")]
    Missing,
    /// The token was not issued here, is damaged, or is of another kind.
    #[error("the token is not valid")]
    Invalid,
    /// The token was issued in another dialect or for another tenant.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The token or its session has expired.
    #[error("the token has expired")]
    Expired,
    /// The session of the token has ended.
    #[error("the session has ended")]
    SessionOver,
    /// The refresh token was replaced by one that is in use: it was copied, and the session has
    /// been ended.
    #[error("the refresh token was already replaced; the session has been ended")]
    Replay,
    /// The signature was accepted before; each signature is accepted once.
    #[error("the signature was already used; sign each request separately")]
    SignatureReplayed,
}

impl TokenDenied {
    /// The stable code of the denial in responses, logs and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Invalid => "token_invalid",
            Self::WrongAudience => "token_foreign",
            Self::Expired => "token_expired",
            Self::SessionOver => "session_over",
            Self::Replay => "token_replayed",
            Self::SignatureReplayed => "signature_repeated",
        }
    }
}
