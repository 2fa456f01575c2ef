//! Records what a store was asked and what it answered, so that a failure of the contract can name the port, the method and the
//! answer.

mod auth;
mod office;

use std::collections::VecDeque;
use std::fmt::{self, Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use tillgate_auth_core::{AuthTx, AuthView};
use tillgate_domain::office::OfficeView;
use tillgate_domain::office::ports::OfficeTx;
use tillgate_domain::{Mode, Store, Stored, View, Work};

/// How many calls a report shows at most.
const MAX_CALLS: usize = 12;
/// The length of an argument in a report, in characters.
const MAX_ARGUMENT: usize = 100;
/// The length of an answer in a report, in characters.
const MAX_ANSWER: usize = 400;

/// The newest calls of the ports, the last one last.
#[derive(Debug, Default)]
pub(crate) struct CallLog(Mutex<VecDeque<(ThreadId, String)>>);

impl CallLog {
    /// Notes a call or anything else that happened between calls.
    pub(crate) fn note(&self, text: String) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == MAX_CALLS {
            calls.pop_front();
        }
        calls.push_back((thread::current().id(), text));
    }

    fn note_answer(&self, call: &str, answer: &dyn Debug) {
        self.note(format!("{call} answered {}", shortened(answer, MAX_ANSWER)));
    }

    /// The calls, a line each. If several threads made them, each line begins with the number of its thread.
    pub(crate) fn lines(&self) -> String {
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

/// A call as a report shows it.
fn call(method: &str, arguments: &[(&str, &dyn Debug)]) -> String {
    let arguments = arguments.iter().map(|(name, value)| format!("{name}: {}", shortened(value, MAX_ARGUMENT)));
    format!("{method}({})", arguments.collect::<Vec<_>>().join(", "))
}

/// The debug form of a value, cut after so many characters.
fn shortened(value: &dyn Debug, max: usize) -> String {
    struct Short {
        text: String,
        left: usize,
    }
    impl fmt::Write for Short {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            for character in part.chars() {
                self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
                self.text.push(character);
            }
            Ok(())
        }
    }
    let mut short = Short { text: String::new(), left: max };
    if write!(short, "{value:?}").is_err() {
        short.text.push('…');
    }
    short.text
}

/// A store over another that records every call.
pub(crate) struct RecordingStore<V: View> {
    store: Arc<dyn Store<V>>,
    calls: Arc<CallLog>,
}

impl<V: View> RecordingStore<V> {
    pub(crate) fn over(store: Arc<dyn Store<V>>, calls: Arc<CallLog>) -> Self {
        Self { store, calls }
    }

    fn begin(&self, mode: Mode) {
        self.calls.note(format!("a unit of work begins ({mode:?})"));
    }

    fn end(&self, answer: &Stored<()>) {
        let text = match answer {
            Ok(()) => "the unit of work was committed".to_owned(),
            Err(error) => format!("the unit of work failed: {error:?}"),
        };
        self.calls.note(text);
    }
}

/// An open transaction whose ports record their calls.
struct RecordingTx<'r, T: ?Sized> {
    tx: &'r mut T,
    calls: &'r CallLog,
}

/// A view whose transactions can be recorded.
pub(crate) trait RecordedView: View + Sized {
    /// Does the work on a transaction that records its calls.
    fn record(tx: &mut Self::Tx<'_>, calls: &CallLog, work: Work<'_, Self>) -> Stored<()>;
}

impl RecordedView for AuthView {
    fn record(tx: &mut (dyn AuthTx + '_), calls: &CallLog, work: Work<'_, Self>) -> Stored<()> {
        work(&mut RecordingTx { tx, calls })
    }
}

impl RecordedView for OfficeView {
    fn record(tx: &mut (dyn OfficeTx + '_), calls: &CallLog, work: Work<'_, Self>) -> Stored<()> {
        work(&mut RecordingTx { tx, calls })
    }
}

impl<V: RecordedView> Store<V> for RecordingStore<V> {
    fn run(&self, mode: Mode, work: Work<'_, V>) -> Stored<()> {
        let answer = self.store.run(mode, &mut |tx: &mut V::Tx<'_>| {
            self.begin(mode);
            V::record(tx, &self.calls, work)
        });
        self.end(&answer);
        answer
    }

    fn write_failure(&self) -> Option<String> {
        self.store.write_failure()
    }
}

/// Implements a port on [`RecordingTx`]: each method asks the transaction below, and notes call and answer.
macro_rules! record_port {
    ($tx:ident, $port:ident: $trait:ident { $(fn $method:ident($($name:ident: $type:ty),*) -> $answer:ty;)* }) => {
        impl $trait for RecordingTx<'_, dyn $tx + '_> {
            $(
                fn $method(&mut self, $($name: $type),*) -> Stored<$answer> {
                    let method = concat!(stringify!($port), ".", stringify!($method));
                    let call = $crate::recording::call(method, &[$((stringify!($name), &$name)),*]);
                    let answer = self.tx.$port().$method($($name),*);
                    self.calls.note_answer(&call, &answer);
                    answer
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
    fn long_value_is_cut_and_short_one_is_whole() {
        assert_eq!(shortened(&"four", 6), "\"four\"");
        assert_eq!(shortened(&"fours", 6), "\"fours…");
    }

    #[test]
    fn lines_name_threads_only_if_there_are_several() {
        let calls = CallLog::default();
        for number in 0..=MAX_CALLS {
            calls.note(format!("call {number}"));
        }
        let lines = calls.lines();
        assert_eq!(lines.lines().count(), MAX_CALLS);
        assert!(lines.starts_with("  call 1\n") && lines.ends_with("  call 12\n"), "{lines}");
        thread::scope(|scope| scope.spawn(|| calls.note("elsewhere".to_owned())).join()).unwrap();
        assert!(calls.lines().ends_with("  thread 1: call 12\n  thread 2: elsewhere\n"), "{}", calls.lines());
    }
}
