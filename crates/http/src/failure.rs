//! Why a call is not answered as it asked. A dialect words each in its own bytes; nothing here knows how.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use tillgate_auth_core::{Error, Refusal};
use tillgate_domain::StoreError;
use tillgate_domain::office::Refused;

use crate::office;

/// Why a call is not answered as it asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The engine's decision, on knowledge.
    Refused(Refusal),
    /// The back office's decision, on knowledge. A missing right is the engine's word for it, [`Refusal::Missing`].
    Office(Refused),
    /// Not now: nobody was judged, and the client keeps its tokens.
    Unavailable {
        /// What is missing, for the log alone.
        why: String,
        /// When to come again.
        retry_after: Duration,
    },
    /// Something of ours is broken; what, for the log alone.
    Fault(String),
    /// The request does not keep to the contract.
    Protocol(Protocol),
}

/// How a request does not keep to the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The body cannot be read: no JSON, no object, cut short.
    Malformed(Cow<'static, str>),
    /// The body is signed chunk by chunk; only one that is signed as a whole is taken.
    SignedInChunks,
    /// The body is of a type that the route does not take.
    ContentType,
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not come in time.
    Slow,
    /// There is no such route.
    NoRoute,
    /// The route is there, but not for this method.
    WrongMethod {
        /// The methods that it is there for, as `Allow` lists them (RFC 9110, 10.2.1).
        allow: String,
    },
    /// Fields or parameters that cannot be, all of them.
    Fields(Vec<FieldFault>),
    /// A browser sent it for a page of an origin that is not trusted.
    ForeignOrigin,
    /// A change does not say which version it was made for.
    Unversioned,
    /// The key that makes a request count once cannot be one.
    IdempotencyKey,
    /// A gateway asks about a request, and the table of what may go through has no row for it.
    Unlisted,
    /// A gateway asks, but about nothing.
    NothingAsked,
    /// Its address has sent more requests than the contract takes in a minute.
    TooMany {
        /// When to come again.
        retry_after: Duration,
    },
}

/// A field of the body or a parameter of the query that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldFault {
    /// The name of the field as the contract spells it, and where the fault lies inside it a pointer from there (RFC 6901); empty for the
    /// body as a whole.
    pub field: Cow<'static, str>,
    /// Whether it is a parameter of the query.
    pub query: bool,
    /// What is wrong: `required`, `type`, `length`, `range`.
    pub code: Cow<'static, str>,
    /// What is wrong, in a sentence that says what to do.
    pub message: Cow<'static, str>,
}

/// When to come again after a failure that nobody can date.
const SOON: Duration = Duration::from_secs(1);

impl Failure {
    /// Not now, come again in a second.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), retry_after: SOON }
    }

    /// The body cannot be read.
    pub fn malformed(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Protocol(Protocol::Malformed(why.into()))
    }

    /// The status that says it, where a contract has no other for it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => match refusal {
                Refusal::Held { .. } => StatusCode::TOO_MANY_REQUESTS,
                // what stands against a login besides the password is not told apart
                Refusal::Login(_) | Refusal::Token(_) => StatusCode::UNAUTHORIZED,
                Refusal::Missing(_) | Refusal::Rank(_) => StatusCode::FORBIDDEN,
                Refusal::Weak(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Refusal::NoSession => StatusCode::NOT_FOUND,
            },
            Self::Office(refused) => office::status(refused),
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Protocol(protocol) => protocol.status(),
        }
    }

    /// The same for contracts that answer 400 to whatever is wrong with a body.
    pub fn status_or_400(&self) -> StatusCode {
        match self.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        }
    }

    /// A stable word for it, in logs and metrics; the refusals' own words name what the caller is not told.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
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
            | Self::Refused(Refusal::Held { retry_after })
            | Self::Protocol(Protocol::TooMany { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }
}

impl Protocol {
    /// The status that says it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::SignedInChunks | Self::IdempotencyKey | Self::NothingAsked => {
                StatusCode::BAD_REQUEST
            }
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unversioned => StatusCode::PRECONDITION_REQUIRED,
            Self::ForeignOrigin | Self::Unlisted => StatusCode::FORBIDDEN,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "body_malformed",
            Self::SignedInChunks => "body_signed_in_chunks",
            Self::ContentType => "content_type_unsupported",
            Self::TooLarge => "body_too_large",
            Self::Slow => "body_too_slow",
            Self::NoRoute => "route_unknown",
            Self::WrongMethod { .. } => "method_not_allowed",
            Self::Fields(_) => "fields_invalid",
            Self::ForeignOrigin => "origin_foreign",
            Self::Unversioned => "version_required",
            Self::IdempotencyKey => "idempotency_key_invalid",
            Self::Unlisted => "access_unlisted",
            Self::NothingAsked => "access_nothing_asked",
            Self::TooMany { .. } => "requests_limited",
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::Refused(refusal),
            Error::Unavailable { why, retry_after } => Self::Unavailable { why, retry_after },
            Error::Fault(why) => Self::Fault(why),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Missing(right) => Self::Refused(Refusal::Missing(right)),
            other => Self::Office(other),
        }
    }
}

impl From<Protocol> for Failure {
    fn from(protocol: Protocol) -> Self {
        Self::Protocol(protocol)
    }
}

/// What a refusal says as a sentence: it begins with a capital letter and ends with a full stop.
pub(crate) fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}
