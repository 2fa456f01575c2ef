//! A store that fails when it is told to, over any other and in all its views: for tests of what becomes of a failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_auth_core::auth::AuthStore;
use tillgate_domain::change::Observer;
use tillgate_domain::{Mode, Store, StoreError, Stored, View, Work};

/// When a unit of work fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before its closure runs: nothing was asked, nothing is written.
    Before,
    /// After its closure has run: all that it wrote is rolled back.
    AtCommit,
    /// After the commit: what it wrote stands, though its caller is told that it failed.
    AfterCommit,
}

/// A failure to come.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What callers are told.
    pub error: StoreError,
    /// When in the unit of work.
    pub moment: Moment,
    /// Which units of work fail; `None` for both.
    pub mode: Option<Mode>,
    /// How many of those go well first.
    pub after: u32,
    /// How many then fail; `None` for every one until [`Failing::heal`].
    pub times: Option<u32>,
}

impl Failure {
    /// Every unit of work fails at once with this, before it runs.
    pub fn at_once(error: StoreError) -> Self {
        Self { error, moment: Moment::Before, mode: None, after: 0, times: None }
    }

    /// The same at another moment.
    pub fn at(self, moment: Moment) -> Self {
        Self { moment, ..self }
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
pub struct Failing<S: ?Sized> {
    store: Arc<S>,
    plan: Plan,
}

/// What is to fail.
#[derive(Debug, Default)]
struct Plan(Mutex<Option<Failure>>);

impl<S: ?Sized> Failing<S> {
    /// A store that goes well until it is told otherwise.
    pub fn over(store: Arc<S>) -> Self {
        Self { store, plan: Plan::default() }
    }

    /// From now on it fails like this.
    ///
    /// # Panics
    /// Where the error is a conflict: no caller of a store ever sees one.
    pub fn fail(&self, failure: Failure) {
        assert!(!matches!(failure.error, StoreError::Conflict(_)), "no caller of a store sees a conflict");
        *self.plan.failure() = Some(failure);
    }

    /// It goes well again.
    pub fn heal(&self) {
        *self.plan.failure() = None;
    }
}

impl Plan {
    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this unit of work fails, and how.
    fn next(&self, mode: Mode) -> Option<(Moment, StoreError)> {
        let mut failure = self.failure();
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
        Some((planned.moment, planned.error.clone()))
    }
}

impl<V: View, S: Store<V> + ?Sized> Store<V> for Failing<S> {
    fn run(&self, mode: Mode, work: Work<'_, V>) -> Stored<()> {
        match self.plan.next(mode) {
            None => self.store.run(mode, work),
            Some((Moment::Before, error)) => Err(error),
            Some((Moment::AtCommit, error)) => self.store.run(mode, &mut |tx| {
                work(tx)?;
                Err(error.clone())
            }),
            Some((Moment::AfterCommit, error)) => self.store.run(mode, work).and(Err(error)),
        }
    }

    fn write_failure(&self) -> Option<String> {
        self.store.write_failure()
    }
}

impl<S: AuthStore + ?Sized> AuthStore for Failing<S> {
    fn observe(&self, observer: Arc<dyn Observer>) {
        self.store.observe(observer);
    }
}

#[cfg(test)]
mod tests {
    use tillgate_auth_core::ports::KeyKind::Signing;
    use tillgate_auth_core::ports::KeyState::Next;
    use tillgate_auth_core::{AuthView, Memory};
    use tillgate_domain::StoreExt;
    use tillgate_domain::office::OfficeView;

    use super::*;
    use crate::shop::key;

    fn gone() -> StoreError {
        StoreError::Unavailable("gone".into())
    }

    fn store() -> (Arc<Memory>, Failing<Memory>) {
        let memory = Arc::new(Memory::new());
        (memory.clone(), Failing::over(memory))
    }

    fn write(store: &dyn Store<AuthView>, number: u8) -> Stored<bool> {
        store.write(|tx| tx.keys().insert(&key(number, Signing, Next)))
    }

    fn keys(store: &dyn Store<AuthView>) -> usize {
        store.read(|tx| Ok(tx.keys().all()?.len())).unwrap()
    }

    #[test]
    fn the_moment_decides_what_stands() {
        for (moment, stands) in [(Moment::Before, 0), (Moment::AtCommit, 0), (Moment::AfterCommit, 1)] {
            let (memory, failing) = store();
            failing.fail(Failure::at_once(gone()).at(moment));
            assert_eq!(write(&failing, 1), Err(gone()), "{moment:?}");
            assert_eq!(keys(memory.as_ref()), stands, "{moment:?}");
            failing.heal();
            assert_eq!(write(&failing, 2), Ok(true), "{moment:?}");
        }
    }

    #[test]
    fn it_fails_so_often_after_so_many_and_in_one_mode() {
        let (_, failing) = store();
        failing.fail(Failure::at_once(gone()).only(Mode::Write).after(1).times(2));
        let answers = [1, 2, 3, 4].map(|number| {
            let store: &dyn Store<AuthView> = &failing;
            assert!(store.read(|tx| tx.keys().all()).is_ok());
            write(&failing, number).is_ok()
        });
        assert_eq!(answers, [true, false, false, true]);
    }

    #[test]
    fn all_its_views_fail() {
        let (_, failing) = store();
        failing.fail(Failure::at_once(gone()));
        let office: &dyn Store<OfficeView> = &failing;
        assert_eq!(office.read(|tx| tx.users().any()), Err(gone()));
        assert_eq!(write(&failing, 1), Err(gone()));
    }
}
