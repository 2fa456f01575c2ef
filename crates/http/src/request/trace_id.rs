//! Trace ids: one per request, in every response, problem and log line, so that an error report can
//! be matched with the log.
//!
//! A generated id has 32 hexadecimal digits: 16 that a process generates at its start, and a
//! counter of 16. Ids must be unique, not secret. An `X-Request-Id` of a trusted proxy is kept if
//! it is well-formed: 8 to 64 ASCII letters, digits, hyphens, underscores, dots or colons. From any
//! other peer it is replaced, so that strangers cannot choose the content of the log.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::HeaderValue;

/// The trace id of a request.
#[derive(Clone, Debug)]
pub(crate) struct TraceId(HeaderValue);

static PROCESS_PREFIX: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("trace"));
static REQUEST_COUNT: AtomicU64 = AtomicU64::new(0);

impl TraceId {
    /// Generates the next id of this process.
    pub(crate) fn next() -> Self {
        let mut text = [b'0'; 32];
        // the format fills the buffer exactly
        let _ = write!(
            text.as_mut_slice(),
            "{:016x}{:016x}",
            *PROCESS_PREFIX,
            REQUEST_COUNT.fetch_add(1, Ordering::Relaxed)
        );
        Self(HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("0")))
    }

    /// Reads the id that a trusted proxy sent, if it is well-formed.
    pub(crate) fn parse(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        ((8..=64).contains(&bytes.len()) && bytes.iter().all(fits)).then(|| Self(value.clone()))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_ids_are_unique() {
        let (one, other) = (TraceId::next(), TraceId::next());
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.as_str().len(), 32);
        assert!(one.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn trace_id_that_could_garble_a_log_is_rejected() {
        let given = |text: &str| TraceId::parse(&HeaderValue::from_str(text).unwrap()).map(|id| id.as_str().to_owned());
        assert_eq!(given("0HMM3ODQRAVOG:00000002").as_deref(), Some("0HMM3ODQRAVOG:00000002"));
        for bad in ["short", "with blanks in it", "quote\"quote\"", &"x".repeat(65), "čítanie-mena"] {
            assert_eq!(given(bad), None, "{bad}");
        }
    }
}
