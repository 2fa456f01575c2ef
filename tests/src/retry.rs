//! What a client does while the server is overloaded: it keeps its tokens and repeats the request
//! (docs/tills.md).
//!
//! On a busy machine, other programs can leave the server so little processor time that a password
//! hash takes longer than a request may. The 503 that follows is right, so a test that demands
//! another response repeats the request, like a till. A 503 for any other reason is returned.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::{TestResponse, now};

/// How long a request is repeated.
const RETRY_TIMEOUT: Duration = Duration::from_mins(1);

/// How long to wait for the line of a response in the log, which a thread of the server writes.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// What the log says about a response if something took too long or too much was waiting.
/// Conflicts, lost connections and states of the store are not among them.
const OVERLOAD_REASONS: &[&str] = &[
    "the deadline of ",
    "the deadline has passed before the work began",
    "too many requests wait for a thread",
    "too many passwords are waiting to be hashed",
    "the caller no longer waits for the password hash",
    "other attempts of the same account or network are still being checked",
    "units of work are waiting already",
    "no connection to the database became available: timed out",
    "a statement took too long",
    "a lock was held too long",
    "another process holds the write lock",
    "the turn to write ",
];

/// Sends a request until the server is not overloaded, and returns that response. Between two
/// requests, it waits as `Retry-After` says.
pub fn retry_while_overloaded(mut send: impl FnMut() -> TestResponse) -> TestResponse {
    let deadline = now() + RETRY_TIMEOUT;
    loop {
        let response = send();
        if response.status() != 503 || now() >= deadline || !is_overload(&response) {
            return response;
        }
        let seconds = response.header("retry-after").parse().unwrap_or_else(|_| panic!("no Retry-After: {response:?}"));
        std::thread::sleep(Duration::from_secs(seconds) + next_jitter());
    }
}

/// Checks that one of several concurrent requests has succeeded. The response of that one may have
/// been late: then it was 503 by the server's log, and the client's second request did not succeed.
#[track_caller]
pub fn assert_counts_once(responses: &[u16], success: u16, log: &str) {
    let count = responses.iter().filter(|status| **status == success).count();
    assert!(count == 1 || count == 0 && log.contains("status=503"), "{responses:?}");
}

/// Whether the server's log gives overload as the reason of a 503.
fn is_overload(response: &TestResponse) -> bool {
    let deadline = now() + LOG_TIMEOUT;
    loop {
        let lines = response.find_log_lines();
        if let Some(line) = lines.iter().find(|line| line.contains("WARN")) {
            return OVERLOAD_REASONS.iter().any(|reason| line.contains(reason));
        }
        if now() >= deadline || response.header("x-request-id").is_empty() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A small delay that differs from call to call, so that not all clients repeat at once.
fn next_jitter() -> Duration {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    Duration::from_millis(CALLS.fetch_add(1, Ordering::Relaxed) * 37 % 300)
}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::server_log::ServerLog;

    fn response(status: u16, trace_id: &'static str) -> TestResponse {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("0"));
        headers.insert("x-request-id", HeaderValue::from_static(trace_id));
        TestResponse::new(StatusCode::from_u16(status).unwrap(), headers, String::new())
    }

    /// The number of requests and the status of the last response. The first responses are these,
    /// the rest 200.
    fn send_all(first: &[TestResponse]) -> (usize, u16) {
        let mut sent = 0;
        let last = retry_while_overloaded(|| {
            sent += 1;
            first.get(sent - 1).cloned().unwrap_or_else(|| response(200, "fine"))
        });
        (sent, last.status())
    }

    #[test]
    fn only_overload_is_repeated() {
        let log = " WARN unavailable trace=\"late-test\" why=\"the deadline of 5s has passed\"\n\
                   {\"level\":\"WARN\",\"trace\":\"full-test\",\"why\":\"256 units of work are waiting already\"}\n \
                   WARN unavailable trace=\"fault-test\" why=\"in conflict 5 times, last: deadlock\"\n";
        let mut log = ServerLog::read_from(log.as_bytes());
        log.finish();
        assert_eq!(send_all(&[response(503, "late-test"), response(503, "full-test")]), (3, 200));
        assert_eq!(send_all(&[response(503, "late-test"), response(401, "late-test")]), (2, 401));
        assert_eq!(send_all(&[response(503, "fault-test")]), (1, 503));
        assert_eq!(send_all(&[response(503, "")]), (1, 503), "not from tillgate");
    }
}
