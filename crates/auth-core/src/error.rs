//! What a call answers when it does not say yes.
//!
//! A [`AuthDenied`] is a decision on knowledge, with what would help. Everything else is ours: [`Error::Unavailable`] passes,
//! [`Error::Fault`] does not. No failure of ours is ever worded as a refusal: a client that reads one throws its tokens away.

use std::time::Duration;

use tillgate_domain::{Rank, Right, StoreError};

use crate::passwords::WeakPassword;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No, on knowledge.
    #[error(transparent)]
    Denied(#[from] AuthDenied),
    /// Not now: the store, the hash queue or the view of what has changed is not there. Nobody was judged.
    #[error("unavailable: {why}")]
    Unavailable {
        /// What is missing, for the log.
        why: String,
        /// When to come again.
        retry_after: Duration,
    },
    /// Something of ours is broken.
    #[error("fault: {0}")]
    Fault(String),
}

/// When to come again where nothing better is known.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

impl Error {
    /// Not now, come again in a second.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), retry_after: DEFAULT_RETRY_AFTER }
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

impl From<TokenDenied> for Error {
    fn from(refusal: TokenDenied) -> Self {
        Self::Denied(AuthDenied::Token(refusal))
    }
}

impl From<LoginDenied> for Error {
    fn from(refusal: LoginDenied) -> Self {
        Self::Denied(AuthDenied::Login(refusal))
    }
}

/// A decision to say no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthDenied {
    /// A login.
    #[error(transparent)]
    Login(#[from] LoginDenied),
    /// A token.
    #[error(transparent)]
    Token(#[from] TokenDenied),
    /// Too many wrong passwords: the next attempt is taken after this.
    #[error("held back for {} s after wrong passwords", retry_after.as_secs_f64().ceil())]
    TooManyAttempts {
        /// When the next attempt is taken.
        retry_after: Duration,
    },
    /// A right is missing; somebody who holds it can do it.
    #[error("the right {0} is missing")]
    RightMissing(Right),
    /// The caller is below the rank that is asked for; somebody of it can do it.
    #[error("this takes the role {} at least", .0.name())]
    RankTooLow(Rank),
    /// A password that nobody should have cannot be set.
    #[error("the password {0}")]
    WeakPassword(WeakPassword),
    /// There is no such session, or none that the caller may know of.
    #[error("there is no such session")]
    SessionNotFound,
}

impl AuthDenied {
    /// A stable word for it, in answers, logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Login(refusal) => refusal.code(),
            Self::Token(refusal) => refusal.code(),
            Self::TooManyAttempts { .. } => "login_held",
            Self::RightMissing(_) => "right_missing",
            Self::RankTooLow(_) => "rank_missing",
            Self::WeakPassword(_) => "password_weak",
            Self::SessionNotFound => "session_not_found",
        }
    }
}

/// Why a login was refused. Only [`Mismatch`](Self::Mismatch) is said before the password has proved right; a published API that does not tell the others apart words them as a mismatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginDenied {
    /// An unknown name, a wrong password, or a device on which the user has no role.
    #[error("the name, the password or the device is wrong, or the user has no role there")]
    Mismatch,
    /// The user or the device is not yet activated.
    #[error("not yet activated")]
    Pending,
    /// The user is suspended, or the device that logs in as itself is locked.
    #[error("suspended")]
    Suspended,
    /// The device that logs in as itself is retired.
    #[error("retired")]
    Retired,
    /// The device is unknown, not in use, or not one of this user's; or the user may not log in without one.
    #[error("not allowed to log in there")]
    DeviceNotAllowed,
    /// A virtual user.
    #[error("a virtual user does not log in with a password")]
    VirtualUser,
    /// The user must change the password first. Said only where nothing else stands against the login but a missing role.
    #[error("the password must be changed before you can log in")]
    PasswordChangeRequired,
    /// The user holds none of the roles there that the way in asks for.
    #[error("no role that may log in this way")]
    RankTooLow,
}

impl LoginDenied {
    /// A stable word for it in logs, the audit and metrics.
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
        }
    }
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenDenied {
    /// None was sent.
    #[error("no token was sent: send it as \"Authorization: Bearer <access token>\"")]
    Missing,
    /// None of ours, or not of this kind.
    #[error("the token is not valid")]
    Invalid,
    /// Made through another contract or for another tenant.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Past its expiry.
    #[error("the token has expired")]
    Expired,
    /// Its session is over.
    #[error("the session is over")]
    SessionOver,
    /// A refresh token that had been followed by a used one: the session has been ended.
    #[error("the refresh token had been replaced; the session has been ended")]
    Replay,
    /// A signature that has counted already.
    #[error("the signature has been used already")]
    SignatureReplayed,
}

impl TokenDenied {
    /// A stable word for it in answers, logs and metrics.
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
