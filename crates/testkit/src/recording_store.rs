//! Records the calls of a store with their results, so that a failed test case can print the port,
//! the method and the result.

mod auth;
mod office;

use std::collections::VecDeque;
use std::fmt::{self, Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use tillgate_auth_core::{AuthPorts, AuthTx};
use tillgate_domain::office::OfficePorts;
use tillgate_domain::office::ports::OfficeTx;
use tillgate_domain::{PortSet, Store, StoreResult, UnitOfWork, Work};

/// The number of calls in a report.
const MAX_REPORTED_CALLS: usize = 12;
/// The length of an argument in a report, in characters.
const MAX_ARGUMENT_CHARS: usize = 100;
/// The length of a result in a report, in characters.
const MAX_ANSWER_CHARS: usize = 400;

/// The latest calls of the ports, oldest first, at most twelve.
#[derive(Debug, Default)]
pub struct CallLog(Mutex<VecDeque<(ThreadId, String)>>);

impl CallLog {
    /// Records a call, or another step between calls.
    pub(crate) fn record(&self, text: String) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == MAX_REPORTED_CALLS {
            calls.pop_front();
        }
        calls.push_back((thread::current().id(), text));
    }

    fn record_result(&self, call: &str, result: &dyn Debug) {
        self.record(format!("{call} returned {}", truncate_debug(result, MAX_ANSWER_CHARS)));
    }

    /// The calls with their results, one per line. If several threads made them, each line begins
    /// with the number of its thread.
    pub fn to_text(&self) -> String {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut threads: Vec<ThreadId> = Vec::new();
        for (thread, _) in calls.iter() {
            if !threads.contains(thread) {
                threads.push(*thread);
            }
        }
        let mut lines = String::new();
        for (thread, call) in calls.iter() {
            let number = threads.iter().position(|each| each == thread).map_or(0, |position| position + 1);
            let tag = if threads.len() > 1 { format!("thread {number}: ") } else { String::new() };
            let _ = writeln!(lines, "  {tag}{call}");
        }
        lines
    }
}

/// Formats a call for a report.
fn format_call(method: &str, arguments: &[(&str, &dyn Debug)]) -> String {
    let arguments =
        arguments.iter().map(|(name, value)| format!("{name}: {}", truncate_debug(value, MAX_ARGUMENT_CHARS)));
    format!("{method}({})", arguments.collect::<Vec<_>>().join(", "))
}

/// The debug format of a value, cut after `max` characters.
fn truncate_debug(value: &dyn Debug, max: usize) -> String {
    struct TruncatingWriter {
        text: String,
        remaining: usize,
    }
    impl fmt::Write for TruncatingWriter {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            for character in part.chars() {
                self.remaining = self.remaining.checked_sub(1).ok_or(fmt::Error)?;
                self.text.push(character);
            }
            Ok(())
        }
    }
    let mut short = TruncatingWriter { text: String::new(), remaining: max };
    if write!(short, "{value:?}").is_err() {
        short.text.push('…');
    }
    short.text
}

/// Wraps a store and records every call.
pub struct RecordingStore<V: PortSet> {
    store: Arc<dyn Store<V>>,
    calls: Arc<CallLog>,
}

impl<V: PortSet> RecordingStore<V> {
    /// Wraps a store whose calls are added to `calls`.
    pub fn new(store: Arc<dyn Store<V>>, calls: Arc<CallLog>) -> Self {
        Self { store, calls }
    }

    fn begin(&self, unit: UnitOfWork) {
        self.calls.record(format!("a unit of work begins ({:?})", unit.mode));
    }

    fn end(&self, result: &StoreResult<()>) {
        let text = match result {
            Ok(()) => "the unit of work was committed".to_owned(),
            Err(error) => format!("the unit of work failed: {error:?}"),
        };
        self.calls.record(text);
    }
}

/// An open transaction whose ports record their calls.
struct RecordingTx<'r, T: ?Sized> {
    tx: &'r mut T,
    calls: &'r CallLog,
}

/// A set of ports whose transactions can be recorded.
pub(crate) trait RecordedView: PortSet + Sized {
    /// Runs the work on a transaction that records its calls.
    fn record(tx: &mut Self::Tx<'_>, calls: &CallLog, work: Work<'_, Self>) -> StoreResult<()>;
}

impl RecordedView for AuthPorts {
    fn record(tx: &mut (dyn AuthTx + '_), calls: &CallLog, work: Work<'_, Self>) -> StoreResult<()> {
        work(&mut RecordingTx { tx, calls })
    }
}

impl RecordedView for OfficePorts {
    fn record(tx: &mut (dyn OfficeTx + '_), calls: &CallLog, work: Work<'_, Self>) -> StoreResult<()> {
        work(&mut RecordingTx { tx, calls })
    }
}

impl<V: RecordedView> Store<V> for RecordingStore<V> {
    fn run(&self, unit: UnitOfWork, work: Work<'_, V>) -> StoreResult<()> {
        let result = self.store.run(unit, &mut |tx: &mut V::Tx<'_>| {
            self.begin(unit);
            V::record(tx, &self.calls, work)
        });
        self.end(&result);
        result
    }

    fn write_failure(&self) -> Option<String> {
        self.store.write_failure()
    }
}

/// Implements a port on [`RecordingTx`]: each method calls the wrapped transaction and records the
/// call and its result.
macro_rules! record_port {
    ($tx:ident, $port:ident: $trait:ident { $(fn $method:ident($($name:ident: $type:ty),*) -> $result:ty;)* }) => {
        impl $trait for RecordingTx<'_, dyn $tx + '_> {
            $(
                fn $method(&mut self, $($name: $type),*) -> StoreResult<$result> {
                    let method = concat!(stringify!($port), ".", stringify!($method));
                    let call = $crate::recording_store::format_call(method, &[$((stringify!($name), &$name)),*]);
                    let result = self.tx.$port().$method($($name),*);
                    self.calls.record_result(&call, &result);
                    result
                }
            )*
        }
    };
}
use record_port;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_value_is_truncated() {
        assert_eq!(truncate_debug(&"four", 6), "\"four\"");
        assert_eq!(truncate_debug(&"fours", 6), "\"fours…");
    }

    #[test]
    fn threads_are_named_only_if_there_are_several() {
        let calls = CallLog::default();
        for number in 0..=MAX_REPORTED_CALLS {
            calls.record(format!("call {number}"));
        }
        let lines = calls.to_text();
        assert_eq!(lines.lines().count(), MAX_REPORTED_CALLS);
        assert!(lines.starts_with("  call 1\n") && lines.ends_with("  call 12\n"), "{lines}");
        thread::scope(|scope| scope.spawn(|| calls.record("elsewhere".to_owned())).join()).unwrap();
        assert!(calls.to_text().ends_with("  thread 1: call 12\n  thread 2: elsewhere\n"), "{}", calls.to_text());
    }
}
