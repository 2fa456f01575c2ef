//! The logs of the servers that this test process has started, to find the lines of one request.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

/// The log of every server that still runs. A trace id occurs in one of them only.
static LOGS: Mutex<Vec<Weak<Mutex<String>>>> = Mutex::new(Vec::new());

/// The log of a server, which a thread of its own reads.
pub(crate) struct ServerLog {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl ServerLog {
    /// Reads the log from the server's standard error until that is closed.
    pub(crate) fn read_from(mut from: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|log| log.strong_count() > 0);
        logs.push(Arc::downgrade(&text));
        drop(logs);
        let log = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut part) {
                let text = String::from_utf8_lossy(&part[..read]).into_owned();
                log.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            }
        });
        Self { text, reader: Some(reader) }
    }

    /// The log so far.
    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the server has closed its log.
    pub(crate) fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// The lines about the request with this trace id, which its response names in `X-Request-Id`.
pub(crate) fn find_lines(trace_id: &str) -> Vec<String> {
    if trace_id.is_empty() {
        return Vec::new();
    }
    let logs: Vec<_> = LOGS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
    let lines = |log: &Arc<Mutex<String>>| -> Vec<String> {
        let text = log.lock().unwrap_or_else(PoisonError::into_inner);
        text.lines().filter(|line| line.contains(trace_id)).map(str::to_owned).collect()
    };
    logs.iter().flat_map(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_request_are_found_in_the_logs_of_running_servers() {
        let mut one = ServerLog::read_from("trace=\"a1-test\" first\ntrace=\"b2-test\" other\n".as_bytes());
        let mut other = ServerLog::read_from("trace=\"c3-test\"\n{\"trace\":\"a1-test\"}\n".as_bytes());
        one.finish();
        other.finish();
        assert_eq!(find_lines("a1-test"), ["trace=\"a1-test\" first", "{\"trace\":\"a1-test\"}"]);
        assert_eq!(find_lines(""), Vec::<String>::new());
        drop(one);
        assert_eq!(find_lines("b2-test"), Vec::<String>::new());
    }
}
