//! Why a call is not answered as it asked. A dialect words each in its own bytes; nothing here knows how.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use tillgate_auth_core::{AuthDenied, Error};
use tillgate_domain::StoreError;
use tillgate_domain::office::OfficeError;

use crate::office;

/// Why a call is not answered as it asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// The engine's decision, on knowledge.
    Denied(AuthDenied),
    /// The back office's decision, on knowledge. A missing right is the engine's word for it, [`AuthDenied::RightMissing`].
    Office(OfficeError),
    /// Not now: nobody was judged, and the client keeps its tokens.
    Unavailable {
        /// What is missing, for the log alone.
        reason: String,
        /// When to come again.
        retry_after: Duration,
    },
    /// Something of ours is broken; what, for the log alone.
    Fault(String),
    /// The request does not keep to the contract.
    Protocol(ProtocolError),
}

/// How a request does not keep to the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The body cannot be read: no JSON, no object, cut short.
    MalformedBody(Cow<'static, str>),
    /// The body is signed chunk by chunk; only one that is signed as a whole is taken.
    ChunkedSignature,
    /// The body is of a type that the route does not take.
    UnsupportedMediaType,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTimeout,
    /// There is no such route.
    RouteNotFound,
    /// The route is there, but not for this method.
    MethodNotAllowed {
        /// The methods that it is there for, as `Allow` lists them (RFC 9110, 10.2.1).
        allow: String,
    },
    /// Fields or parameters that cannot be, all of them.
    InvalidFields(Vec<FieldViolation>),
    /// A browser sent it for a page of an origin that is not trusted.
    UntrustedOrigin,
    /// A change does not say which version it was made for.
    PreconditionRequired,
    /// The key that makes a request count once cannot be one.
    InvalidIdempotencyKey,
    /// A gateway asks about a request, and the table of what may go through has no row for it.
    NoAccessRule,
    /// A gateway asks, but about nothing.
    MissingOriginalRequest,
    /// Its address has sent more requests than the contract takes in a minute.
    RateLimited {
        /// When to come again.
        retry_after: Duration,
    },
}

/// A field of the body or a parameter of the query that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldViolation {
    /// The name of the field as the contract spells it, and where the fault lies inside it a pointer from there (RFC 6901); empty for the
    /// body as a whole.
    pub field: Cow<'static, str>,
    /// Whether it is a parameter of the query.
    pub in_query: bool,
    /// What is wrong: `required`, `type`, `length`, `range`.
    pub code: Cow<'static, str>,
    /// What is wrong, in a sentence that says what to do.
    pub message: Cow<'static, str>,
}

/// When to come again after a failure that nobody can date.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

impl ApiError {
    /// Not now, come again in a second.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { reason: why.into(), retry_after: DEFAULT_RETRY_AFTER }
    }

    /// The body cannot be read.
    pub fn malformed(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Protocol(ProtocolError::MalformedBody(why.into()))
    }

    /// The status that says it, where a contract has no other for it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Denied(refusal) => match refusal {
                AuthDenied::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
                // what stands against a login besides the password is not told apart
                AuthDenied::Login(_) | AuthDenied::Token(_) => StatusCode::UNAUTHORIZED,
                AuthDenied::RightMissing(_) | AuthDenied::RankTooLow(_) => StatusCode::FORBIDDEN,
                AuthDenied::WeakPassword(_) => StatusCode::UNPROCESSABLE_ENTITY,
                AuthDenied::SessionNotFound => StatusCode::NOT_FOUND,
            },
            Self::Office(refused) => office::office_error_status(refused),
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Protocol(protocol) => protocol.status(),
        }
    }

    /// The same for contracts that answer 400 to whatever is wrong with a body.
    pub fn status_without_422(&self) -> StatusCode {
        match self.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        }
    }

    /// A stable word for it, in logs and metrics; the refusals' own words name what the caller is not told.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(refusal) => refusal.code(),
            Self::Office(refused) => refused.code(),
            Self::Unavailable { .. } => "unavailable",
            Self::Fault(_) => "internal",
            Self::Protocol(protocol) => protocol.code(),
        }
    }

    /// When to come again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. }
            | Self::Denied(AuthDenied::TooManyAttempts { retry_after })
            | Self::Protocol(ProtocolError::RateLimited { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }
}

impl ProtocolError {
    /// The status that says it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MalformedBody(_)
            | Self::ChunkedSignature
            | Self::InvalidIdempotencyKey
            | Self::MissingOriginalRequest => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::RouteNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::InvalidFields(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::UntrustedOrigin | Self::NoAccessRule => StatusCode::FORBIDDEN,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedBody(_) => "body_malformed",
            Self::ChunkedSignature => "body_signed_in_chunks",
            Self::UnsupportedMediaType => "content_type_unsupported",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTimeout => "body_too_slow",
            Self::RouteNotFound => "route_unknown",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::InvalidFields(_) => "fields_invalid",
            Self::UntrustedOrigin => "origin_foreign",
            Self::PreconditionRequired => "version_required",
            Self::InvalidIdempotencyKey => "idempotency_key_invalid",
            Self::NoAccessRule => "access_unlisted",
            Self::MissingOriginalRequest => "access_nothing_asked",
            Self::RateLimited { .. } => "requests_limited",
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(refusal) => Self::Denied(refusal),
            Error::Unavailable { why, retry_after } => Self::Unavailable { reason: why, retry_after },
            Error::Fault(why) => Self::Fault(why),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<OfficeError> for ApiError {
    fn from(refused: OfficeError) -> Self {
        match refused {
            OfficeError::RightMissing(right) => Self::Denied(AuthDenied::RightMissing(right)),
            other => Self::Office(other),
        }
    }
}

impl From<ProtocolError> for ApiError {
    fn from(protocol: ProtocolError) -> Self {
        Self::Protocol(protocol)
    }
}

/// What a refusal says as a sentence: it begins with a capital letter and ends with a full stop.
pub(crate) fn to_sentence(why: &str) -> String {
    let mut letters = why.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}
