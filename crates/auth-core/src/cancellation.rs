//! Cancellation of blocking calls. A call blocks its thread, also while a password waits to be
//! hashed. The server cancels the call when its client has disconnected or its deadline has passed;
//! work that has not started is then dropped.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

type Wake = Box<dyn FnOnce() + Send>;
type IsOver = Arc<dyn Fn() -> bool + Send + Sync>;

thread_local! {
    /// The cancellation of the call that runs on this thread.
    static CURRENT: RefCell<Cancellation> = RefCell::default();
}

#[derive(Default)]
struct State {
    is_canceled: bool,
    /// Called at the cancellation, for the one event for which the call waits.
    wake: Option<Wake>,
}

/// The cancellation of a call. Clones share one state.
#[derive(Clone, Default)]
pub struct Cancellation {
    is_over: Option<IsOver>,
    state: Arc<Mutex<State>>,
}

impl Cancellation {
    /// A cancellation that also takes effect when `is_over` returns true, such as after a deadline.
    pub fn when(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { is_over: Some(Arc::new(is_over)), state: Arc::default() }
    }

    /// Cancels the call. If it waits for its turn or its hash, it returns
    /// [`Error::Unavailable`](crate::Error) immediately; work that has started runs to its end.
    pub fn cancel(&self) {
        let wake = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_canceled = true;
            state.wake.take()
        };
        if let Some(wake) = wake {
            wake();
        }
    }

    /// Whether the call is canceled.
    pub fn is_canceled(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_canceled
            || self.is_over.as_ref().is_some_and(|is_over| is_over())
    }

    /// Makes this the cancellation of the calls of the engine on this thread, until the returned
    /// value is dropped.
    #[must_use]
    pub fn enter(&self) -> EnteredCancellation {
        EnteredCancellation { previous: CURRENT.replace(self.clone()), _of_this_thread: PhantomData }
    }

    /// The cancellation of the call that runs on this thread; one that never takes effect if there
    /// is none.
    pub(crate) fn current() -> Self {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Calls `wake` at the cancellation (immediately if it has happened), until the returned value
    /// is dropped.
    pub(crate) fn on_cancel(&self, wake: impl FnOnce() + Send + 'static) -> CancellationHook<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_canceled {
            drop(state);
            wake();
        } else {
            state.wake = Some(Box::new(wake));
        }
        CancellationHook(self)
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation").field("is_canceled", &self.is_canceled()).finish_non_exhaustive()
    }
}

/// A cancellation that is in effect on its thread. Dropping it, also by a panic, restores the
/// previous one.
#[derive(Debug)]
pub struct EnteredCancellation {
    previous: Cancellation,
    _of_this_thread: PhantomData<*const ()>,
}

impl Drop for EnteredCancellation {
    fn drop(&mut self) {
        CURRENT.replace(std::mem::take(&mut self.previous));
    }
}

/// A call that waits and is notified of its cancellation.
pub(crate) struct CancellationHook<'a>(&'a Cancellation);

impl Drop for CancellationHook<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).wake = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn call_has_the_cancellation_it_runs_under() {
        let (outer, inner) = (Cancellation::default(), Cancellation::default());
        inner.cancel();
        let entered = outer.enter();
        assert!(!Cancellation::current().is_canceled());
        let entered_inside = inner.enter();
        assert!(Cancellation::current().is_canceled());
        drop(entered_inside);
        assert!(!Cancellation::current().is_canceled());
        outer.cancel();
        assert!(Cancellation::current().is_canceled());
        drop(entered);
        assert!(!Cancellation::current().is_canceled(), "this thread's own work is nobody's");
    }

    #[test]
    fn call_that_is_over_is_canceled() {
        assert!(Cancellation::when(|| true).is_canceled());
        assert!(!Cancellation::when(|| false).is_canceled());
    }

    #[test]
    fn only_first_waiting_login_is_notified() {
        let (cancellation, (sender, woken)) = (Cancellation::default(), channel());
        let wake = |name: &'static str| {
            let sender = sender.clone();
            move || sender.send(name).unwrap()
        };
        drop(cancellation.on_cancel(wake("waits no longer")));
        let _waiting = cancellation.on_cancel(wake("waits"));
        cancellation.cancel();
        let _late = cancellation.on_cancel(wake("came late"));
        assert_eq!(woken.try_iter().collect::<Vec<_>>(), ["waits", "came late"]);
    }
}
