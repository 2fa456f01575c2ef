//! The `Retry-After` header (RFC 9110, 10.2.3) of every 503 and 429, for every contract.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use tillgate_auth_core::AuthDenied;
use tillgate_domain::office::OfficeError;

use super::{ApiError, ProtocolError};

/// How long the client of a refused event stream should wait.
const STREAM_RETRY_DELAY: Duration = Duration::from_secs(30);

impl ApiError {
    /// How long the client should wait before it retries: a delay for every 503 and 429, and none
    /// for other statuses.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. }
            | Self::Denied(
                AuthDenied::TooManyAttempts { retry_after }
                | AuthDenied::TooManyExchanges { retry_after }
                | AuthDenied::OperatorThrottled { retry_after },
            )
            | Self::Office(OfficeError::MailedRecently { retry_after })
            | Self::Protocol(ProtocolError::RateLimited { retry_after }) => Some(*retry_after),
            Self::Protocol(ProtocolError::StreamLimitReached(_)) => Some(STREAM_RETRY_DELAY),
            _ => None,
        }
    }

    /// The same in whole seconds, rounded up, and at least one.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let delay = self.retry_after()?;
        Some((delay.as_secs() + u64::from(delay.subsec_nanos() > 0)).max(1))
    }

    /// Inserts `Retry-After` if the client should retry.
    pub(crate) fn insert_retry_after(&self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StreamLimit;

    #[test]
    fn texts_name_the_seconds_of_the_header() {
        for (millis, seconds) in [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (2_300, 3), (59_999, 60)] {
            let retry_after = Duration::from_millis(millis);
            let limited = AuthDenied::TooManyAttempts { retry_after };
            let exchanged = AuthDenied::TooManyExchanges { retry_after };
            let mailed = OfficeError::MailedRecently { retry_after };
            for text in [limited.to_string(), exchanged.to_string(), mailed.to_string()] {
                assert!(text.contains(&format!(" {seconds} s")), "{millis} ms: {text}");
            }
            for error in [ApiError::Denied(limited), ApiError::Denied(exchanged), ApiError::Office(mailed)] {
                assert_eq!(error.retry_after_seconds(), Some(seconds), "{millis} ms");
            }
        }
    }

    #[test]
    fn every_503_and_429_has_retry_after_in_whole_seconds() {
        let after = |millis| Duration::from_millis(millis);
        let cases = [
            (ApiError::unavailable("full"), 503, Some("1")),
            (ApiError::Unavailable { reason: "full".to_owned(), retry_after: after(0) }, 503, Some("1")),
            (ApiError::Denied(AuthDenied::TooManyAttempts { retry_after: after(2_001) }), 429, Some("3")),
            (ApiError::Denied(AuthDenied::TooManyExchanges { retry_after: after(2_000) }), 429, Some("2")),
            (ApiError::Denied(AuthDenied::OperatorThrottled { retry_after: after(30_000) }), 429, Some("30")),
            (ProtocolError::RateLimited { retry_after: after(60_000) }.into(), 429, Some("60")),
            (ProtocolError::StreamLimitReached(StreamLimit::Principal).into(), 429, Some("30")),
            (ProtocolError::StreamLimitReached(StreamLimit::Tenant).into(), 503, Some("30")),
            (ProtocolError::StreamLimitReached(StreamLimit::Process).into(), 503, Some("30")),
            (OfficeError::MailedRecently { retry_after: after(59_001) }.into(), 429, Some("60")),
            (ApiError::Denied(AuthDenied::SessionNotFound), 404, None),
            (OfficeError::LastAdmin.into(), 409, None),
            (ProtocolError::BodyTimeout.into(), 408, None),
            (ApiError::Fault("damaged".to_owned()), 500, None),
        ];
        for (failure, status, expected) in cases {
            let mut headers = HeaderMap::new();
            failure.insert_retry_after(&mut headers);
            let sent = headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap());
            assert_eq!((failure.status().as_u16(), sent), (status, expected), "{failure:?}");
        }
    }
}
