//! A store that fails when it is told to, over any other and in all its views: for tests of what becomes of a failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_auth_core::auth::AuthStore;
use tillgate_domain::change::Observer;
use tillgate_domain::{Mode, PortSet, Store, StoreError, StoreResult, Work};

/// When a unit of work fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePoint {
    /// Before its closure runs: nothing was asked, nothing is written.
    Before,
    /// After its closure has run: all that it wrote is rolled back.
    AtCommit,
    /// After the commit: what it wrote stands, though its caller is told that it failed.
    AfterCommit,
}

/// A failure to come.
#[derive(Clone, Debug)]
pub struct PlannedFailure {
    /// What callers are told.
    pub error: StoreError,
    /// When in the unit of work.
    pub point: FailurePoint,
    /// Which units of work fail; `None` for both.
    pub mode: Option<Mode>,
    /// How many of those go well first.
    pub after: u32,
    /// How many then fail; `None` for every one until [`FailingStore::clear_failure`].
    pub times: Option<u32>,
}

impl PlannedFailure {
    /// Every unit of work fails at once with this, before it runs.
    pub fn at_once(error: StoreError) -> Self {
        Self { error, point: FailurePoint::Before, mode: None, after: 0, times: None }
    }

    /// The same at another moment.
    pub fn at_point(self, moment: FailurePoint) -> Self {
        Self { point: moment, ..self }
    }

    /// The same for units of work of one mode alone.
    pub fn only(self, mode: Mode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// The same after so many that go well.
    pub fn after(self, after: u32) -> Self {
        Self { after, ..self }
    }

    /// The same, so many times.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// A store over another that fails as it is told. It shows the views that the other shows, and fails in all of them alike.
pub struct FailingStore<S: ?Sized> {
    store: Arc<S>,
    plan: FailurePlan,
}

/// What is to fail.
#[derive(Debug, Default)]
struct FailurePlan(Mutex<Option<PlannedFailure>>);

impl<S: ?Sized> FailingStore<S> {
    /// A store that goes well until it is told otherwise.
    pub fn new(store: Arc<S>) -> Self {
        Self { store, plan: FailurePlan::default() }
    }

    /// From now on it fails like this.
    ///
    /// # Panics
    /// Where the error is a conflict: no caller of a store ever sees one.
    pub fn plan_failure(&self, failure: PlannedFailure) {
        assert!(!matches!(failure.error, StoreError::Conflict(_)), "no caller of a store sees a conflict");
        *self.plan.lock_failure() = Some(failure);
    }

    /// It goes well again.
    pub fn clear_failure(&self) {
        *self.plan.lock_failure() = None;
    }
}

impl FailurePlan {
    fn lock_failure(&self) -> MutexGuard<'_, Option<PlannedFailure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this unit of work fails, and how.
    fn next_failure(&self, mode: Mode) -> Option<(FailurePoint, StoreError)> {
        let mut failure = self.lock_failure();
        let planned = failure.as_mut().filter(|planned| planned.mode.is_none_or(|each| each == mode))?;
        if planned.after > 0 {
            planned.after -= 1;
            return None;
        }
        match &mut planned.times {
            Some(0) => return None,
            Some(times) => *times -= 1,
            None => {}
        }
        Some((planned.point, planned.error.clone()))
    }
}

impl<V: PortSet, S: Store<V> + ?Sized> Store<V> for FailingStore<S> {
    fn run(&self, mode: Mode, work: Work<'_, V>) -> StoreResult<()> {
        match self.plan.next_failure(mode) {
            None => self.store.run(mode, work),
            Some((FailurePoint::Before, error)) => Err(error),
            Some((FailurePoint::AtCommit, error)) => self.store.run(mode, &mut |tx| {
                work(tx)?;
                Err(error.clone())
            }),
            Some((FailurePoint::AfterCommit, error)) => self.store.run(mode, work).and(Err(error)),
        }
    }

    fn write_failure(&self) -> Option<String> {
        self.store.write_failure()
    }
}

impl<S: AuthStore + ?Sized> AuthStore for FailingStore<S> {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        self.store.add_observer(observer);
    }
}

#[cfg(test)]
mod tests {
    use tillgate_auth_core::ports::KeyKind::Signing;
    use tillgate_auth_core::ports::KeyState::Next;
    use tillgate_auth_core::{AuthPorts, MemoryStore};
    use tillgate_domain::StoreExt;
    use tillgate_domain::office::OfficePorts;

    use super::*;
    use crate::contract_fixture::new_key;

    fn unavailable_error() -> StoreError {
        StoreError::Unavailable("gone".into())
    }

    fn new_store() -> (Arc<MemoryStore>, FailingStore<MemoryStore>) {
        let memory = Arc::new(MemoryStore::new());
        (memory.clone(), FailingStore::new(memory))
    }

    fn write_node(store: &dyn Store<AuthPorts>, number: u8) -> StoreResult<bool> {
        store.write(|tx| tx.keys().insert(&new_key(number, Signing, Next)))
    }

    fn count_keys(store: &dyn Store<AuthPorts>) -> usize {
        store.read(|tx| Ok(tx.keys().list()?.len())).unwrap()
    }

    #[test]
    fn failure_point_decides_what_is_committed() {
        for (moment, stands) in [(FailurePoint::Before, 0), (FailurePoint::AtCommit, 0), (FailurePoint::AfterCommit, 1)]
        {
            let (memory, failing) = new_store();
            failing.plan_failure(PlannedFailure::at_once(unavailable_error()).at_point(moment));
            assert_eq!(write_node(&failing, 1), Err(unavailable_error()), "{moment:?}");
            assert_eq!(count_keys(memory.as_ref()), stands, "{moment:?}");
            failing.clear_failure();
            assert_eq!(write_node(&failing, 2), Ok(true), "{moment:?}");
        }
    }

    #[test]
    fn failure_respects_its_count_and_mode() {
        let (_, failing) = new_store();
        failing.plan_failure(PlannedFailure::at_once(unavailable_error()).only(Mode::Write).after(1).times(2));
        let answers = [1, 2, 3, 4].map(|number| {
            let store: &dyn Store<AuthPorts> = &failing;
            assert!(store.read(|tx| tx.keys().list()).is_ok());
            write_node(&failing, number).is_ok()
        });
        assert_eq!(answers, [true, false, false, true]);
    }

    #[test]
    fn failure_applies_to_all_views() {
        let (_, failing) = new_store();
        failing.plan_failure(PlannedFailure::at_once(unavailable_error()));
        let office: &dyn Store<OfficePorts> = &failing;
        assert_eq!(office.read(|tx| tx.users().any_exists()), Err(unavailable_error()));
        assert_eq!(write_node(&failing, 1), Err(unavailable_error()));
    }
}
