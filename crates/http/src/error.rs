//! Errors of requests. Each dialect renders them in its own format; nothing here depends on a
//! format.

mod field_error_code;
pub(crate) mod office;
mod retry_after;
mod violation_message;

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use tillgate_auth_core::error::DEFAULT_RETRY_AFTER;
use tillgate_auth_core::{AuthDenied, Error};
use tillgate_domain::office::OfficeError;
use tillgate_domain::{DenialKind, MissingRight, StoreError};

pub use field_error_code::FieldErrorCode;
pub(crate) use violation_message::{ViolatedRule, ViolationMessage};

/// Why a request fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// Denied by the engine.
    Denied(AuthDenied),
    /// Rejected by the back office. A missing right is [`AuthDenied::RightMissing`] instead.
    Office(OfficeError),
    /// Temporarily unavailable; no decision was made, and clients keep their tokens.
    Unavailable {
        /// What is unavailable, for the log only.
        reason: String,
        /// How long the client should wait before it retries.
        retry_after: Duration,
    },
    /// Internal error; the cause is for the log only.
    Fault(String),
    /// The request violates the contract.
    Protocol(ProtocolError),
}

/// How a request violates the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The body cannot be parsed: not JSON, not an object, or truncated.
    MalformedBody(Cow<'static, str>),
    /// The body has chunk signatures; only bodies signed as a whole are supported.
    ChunkedSignature,
    /// The route does not accept the body's media type.
    UnsupportedMediaType,
    /// The body exceeds the size limit.
    BodyTooLarge,
    /// The body was not received in time.
    BodyTimeout,
    /// No route matches the path.
    RouteNotFound,
    /// The path has no route for this method.
    MethodNotAllowed {
        /// The methods that the path accepts, as in `Allow` (RFC 9110, 10.2.1).
        allow: String,
    },
    /// Fields or parameters are invalid; all violations.
    InvalidFields(Vec<FieldViolation>),
    /// A browser sent the request for a page of an untrusted origin.
    UntrustedOrigin,
    /// The request sets cookies that browsers accept over TLS only, and came without it.
    TlsRequired,
    /// A change lacks the version in `If-Match`.
    PreconditionRequired,
    /// The `Idempotency-Key` is invalid.
    InvalidIdempotencyKey,
    /// No row of the access table matches the request that a gateway asks about.
    NoAccessRule,
    /// A gateway's access check contains no original request.
    MissingOriginalRequest,
    /// The client's address has exceeded the rate limit.
    RateLimited {
        /// How long the client should wait before it retries.
        retry_after: Duration,
    },
    /// No further event stream is possible.
    StreamLimitReached(StreamLimit),
    /// The server cannot send mails with a link.
    MailNotConfigured(MissingMailSetup),
}

/// What a mail with a link requires and the server does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingMailSetup {
    /// The address at which people reach the server.
    PublicUrl,
    /// A back office for browsers that serves the tenant.
    OfficePages,
}

/// A limit of the number of event streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamLimit {
    /// The number for one user or device.
    Principal,
    /// The number for one tenant.
    Tenant,
    /// The number for the process.
    Process,
}

/// An invalid field of the body, or an invalid query parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldViolation {
    /// Name of the field in the contract, followed by a JSON pointer (RFC 6901) if the error is
    /// inside the field; empty for the whole body.
    pub field: Cow<'static, str>,
    /// Whether it is a query parameter.
    pub in_query: bool,
    /// The code, for programs.
    pub code: FieldErrorCode,
    /// What the value must be, as a message for the client.
    pub message: ViolationMessage,
}

/// Joins violations to one text, each as a field and what it must be. `rename` returns the
/// contract's name of a field.
pub(crate) fn join_violations(violations: &[FieldViolation], rename: impl Fn(&str) -> &str) -> String {
    let describe = |violation: &FieldViolation| {
        let field = if violation.field.is_empty() { "the body" } else { rename(&violation.field) };
        format!("{field} {}", violation.message)
    };
    violations.iter().map(describe).collect::<Vec<_>>().join("; ")
}

impl ApiError {
    /// Temporarily unavailable; retry after one second.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { reason: why.into(), retry_after: DEFAULT_RETRY_AFTER }
    }

    /// The body cannot be parsed.
    pub fn malformed(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Protocol(ProtocolError::MalformedBody(why.into()))
    }

    /// The HTTP status, unless the contract defines another one.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Denied(denial) => default_status(denial.kind()),
            Self::Office(office_error) => default_status(office_error.kind()),
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Protocol(protocol) => protocol.status(),
        }
    }

    /// The HTTP status in contracts that answer every invalid body with 400.
    pub fn status_without_422(&self) -> StatusCode {
        match self.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        }
    }

    /// A stable code for logs and metrics. The codes of denials are more specific than what the
    /// caller learns.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(denial) => denial.code(),
            Self::Office(office_error) => office_error.code(),
            Self::Unavailable { .. } => "unavailable",
            Self::Fault(_) => "internal",
            Self::Protocol(protocol) => protocol.code(),
        }
    }
}

/// The HTTP status of a kind of denials.
const fn default_status(kind: DenialKind) -> StatusCode {
    match kind {
        DenialKind::InvalidFields | DenialKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        // unlike a 401, it says nothing about the tokens
        DenialKind::ProofRequired | DenialKind::PollDenied => StatusCode::BAD_REQUEST,
        // all reasons that block a login get the same response
        DenialKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        DenialKind::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        DenialKind::Forbidden => StatusCode::FORBIDDEN,
        DenialKind::NotFound => StatusCode::NOT_FOUND,
        DenialKind::Conflict => StatusCode::CONFLICT,
        DenialKind::VersionMismatch => StatusCode::PRECONDITION_FAILED,
        DenialKind::Inconsistent => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl ProtocolError {
    /// The HTTP status of the violation.
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
            Self::UntrustedOrigin | Self::TlsRequired | Self::NoAccessRule => StatusCode::FORBIDDEN,
            Self::MailNotConfigured(_) => StatusCode::CONFLICT,
            Self::RateLimited { .. } | Self::StreamLimitReached(StreamLimit::Principal) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::StreamLimitReached(StreamLimit::Tenant | StreamLimit::Process) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A stable code of the violation.
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
            Self::TlsRequired => "tls_required",
            Self::PreconditionRequired => "version_required",
            Self::InvalidIdempotencyKey => "idempotency_key_invalid",
            Self::NoAccessRule => "access_unlisted",
            Self::MissingOriginalRequest => "access_nothing_asked",
            Self::RateLimited { .. } => "requests_limited",
            Self::StreamLimitReached(_) => "streams_limited",
            Self::MailNotConfigured(_) => "mail_not_configured",
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denial) => Self::Denied(denial),
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

impl From<MissingRight> for ApiError {
    fn from(missing: MissingRight) -> Self {
        Self::Denied(missing.into())
    }
}

impl From<OfficeError> for ApiError {
    fn from(office_error: OfficeError) -> Self {
        match office_error {
            OfficeError::RightMissing(missing) => Self::Denied(AuthDenied::RightMissing(missing)),
            other => Self::Office(other),
        }
    }
}

impl From<ProtocolError> for ApiError {
    fn from(protocol: ProtocolError) -> Self {
        Self::Protocol(protocol)
    }
}

/// Turns a message into a sentence: a capital letter at the start and a full stop at the end.
pub(crate) fn to_sentence(why: &str) -> String {
    let mut letters = why.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// The error of a body that is not JSON. It quotes nothing of the body, which may hold a password.
pub(crate) fn malformed_body_error(error: &serde_json::Error) -> ApiError {
    let problem = match error.classify() {
        serde_json::error::Category::Eof => "ends too early",
        // (the text is all that serde_json says about it)
        _ if error.to_string().starts_with("number out of range") => "has a number that is out of range",
        _ => "is not valid JSON",
    };
    ApiError::malformed(format!("the body {problem} (line {}, column {})", error.line(), error.column()))
}
