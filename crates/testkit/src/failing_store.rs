//! A store that fails on demand, for tests of how callers handle failures.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_auth_core::auth::AuthStore;
use tillgate_domain::change::Observer;
use tillgate_domain::{Mode, PortSet, Store, StoreError, StoreResult, UnitOfWork, Work};

/// The point at which a unit of work fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePoint {
    /// Before the closure runs: nothing is read or written.
    Before,
    /// After the closure has run: everything that it wrote is rolled back.
    AtCommit,
    /// After the commit: what was written stays, although the caller receives an error.
    AfterCommit,
}

/// A failure to inject.
#[derive(Clone, Debug)]
pub struct PlannedFailure {
    /// The error that callers receive.
    pub error: StoreError,
    /// The point in the unit of work at which it fails.
    pub point: FailurePoint,
    /// The mode of the units of work that fail; `None` for both.
    pub mode: Option<Mode>,
    /// How many of these succeed first.
    pub after: u32,
    /// How many then fail; `None` for all of them until [`FailingStore::clear_failure`].
    pub times: Option<u32>,
}

impl PlannedFailure {
    /// Every unit of work fails with this error before its closure runs.
    pub fn at_once(error: StoreError) -> Self {
        Self { error, point: FailurePoint::Before, mode: None, after: 0, times: None }
    }

    /// Fails at another point.
    pub fn at_point(self, point: FailurePoint) -> Self {
        Self { point, ..self }
    }

    /// Only units of work of this mode fail.
    pub fn only(self, mode: Mode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// The first `after` units of work succeed.
    pub fn after(self, after: u32) -> Self {
        Self { after, ..self }
    }

    /// Only `times` units of work fail.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// Wraps a store and injects failures. It offers the same ports as the wrapped store and fails for
/// all of them alike.
pub struct FailingStore<S: ?Sized> {
    store: Arc<S>,
    plan: FailurePlan,
}

/// The planned failure, if any.
#[derive(Debug, Default)]
struct FailurePlan(Mutex<Option<PlannedFailure>>);

impl<S: ?Sized> FailingStore<S> {
    /// Wraps a store. Nothing fails until [`plan_failure`](Self::plan_failure) is called.
    pub fn new(store: Arc<S>) -> Self {
        Self { store, plan: FailurePlan::default() }
    }

    /// Injects this failure from now on, in place of an earlier one.
    ///
    /// # Panics
    ///
    /// If the error is a conflict: a store retries conflicts and never returns one to its caller.
    pub fn plan_failure(&self, failure: PlannedFailure) {
        assert!(!matches!(failure.error, StoreError::Conflict(_)), "a store never returns a conflict to its caller");
        *self.plan.lock_failure() = Some(failure);
    }

    /// Removes the planned failure.
    pub fn clear_failure(&self) {
        *self.plan.lock_failure() = None;
    }
}

impl FailurePlan {
    fn lock_failure(&self) -> MutexGuard<'_, Option<PlannedFailure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The failure of this unit of work, if it is to fail.
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
    fn run(&self, unit: UnitOfWork, work: Work<'_, V>) -> StoreResult<()> {
        match self.plan.next_failure(unit.mode) {
            None => self.store.run(unit, work),
            Some((FailurePoint::Before, error)) => Err(error),
            Some((FailurePoint::AtCommit, error)) => self.store.run(unit, &mut |tx| {
                work(tx)?;
                Err(error.clone())
            }),
            Some((FailurePoint::AfterCommit, error)) => self.store.run(unit, work).and(Err(error)),
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
    use tillgate_auth_core::AuthPorts;
    use tillgate_auth_core::ports::KeyKind::Signing;
    use tillgate_auth_core::ports::KeyState::Next;
    use tillgate_domain::StoreExt;
    use tillgate_domain::office::OfficePorts;
    use tillgate_memory::MemoryStore;

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
        store.write("test", |tx| tx.keys().insert(&new_key(number, Signing, Next)))
    }

    fn count_keys(store: &dyn Store<AuthPorts>) -> usize {
        store.read("test", |tx| Ok(tx.keys().list()?.len())).unwrap()
    }

    #[test]
    fn failure_point_decides_what_is_committed() {
        for (point, committed) in
            [(FailurePoint::Before, 0), (FailurePoint::AtCommit, 0), (FailurePoint::AfterCommit, 1)]
        {
            let (memory, failing) = new_store();
            failing.plan_failure(PlannedFailure::at_once(unavailable_error()).at_point(point));
            assert_eq!(write_node(&failing, 1), Err(unavailable_error().in_unit("test")), "{point:?}");
            assert_eq!(count_keys(memory.as_ref()), committed, "{point:?}");
            failing.clear_failure();
            assert_eq!(write_node(&failing, 2), Ok(true), "{point:?}");
        }
    }

    #[test]
    fn failure_respects_its_count_and_mode() {
        let (_, failing) = new_store();
        failing.plan_failure(PlannedFailure::at_once(unavailable_error()).only(Mode::Write).after(1).times(2));
        let results = [1, 2, 3, 4].map(|number| {
            let store: &dyn Store<AuthPorts> = &failing;
            assert!(store.read("test", |tx| tx.keys().list()).is_ok());
            write_node(&failing, number).is_ok()
        });
        assert_eq!(results, [true, false, false, true]);
    }

    #[test]
    fn failure_applies_to_all_views() {
        let (_, failing) = new_store();
        failing.plan_failure(PlannedFailure::at_once(unavailable_error()));
        let office: &dyn Store<OfficePorts> = &failing;
        let expected = unavailable_error().in_unit("test");
        assert_eq!(office.read("test", |tx| tx.users().any_exists()), Err(expected.clone()));
        assert_eq!(write_node(&failing, 1).unwrap_err(), expected);
    }
}
