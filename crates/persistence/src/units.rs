//! Units of work as each view shows them: a database runs them, and the ports of the view stand on the open transaction.

use std::sync::Arc;

use tillgate_auth_core::{AuthStore, AuthView};
use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficeView;
use tillgate_domain::{Mode, Store, Stored, Work};
use uuid::Uuid;

use crate::database::Database;

impl Store<AuthView> for Database {
    fn run(&self, mode: Mode, work: Work<'_, AuthView>) -> Stored<()> {
        self.unit(mode, &mut |transaction| work(transaction))
    }

    fn write_failure(&self) -> Option<String> {
        self.writes.failure()
    }
}

impl Store<OfficeView> for Database {
    fn run(&self, mode: Mode, work: Work<'_, OfficeView>) -> Stored<()> {
        self.unit(mode, &mut |transaction| work(transaction))
    }

    fn write_failure(&self) -> Option<String> {
        self.writes.failure()
    }
}

impl Database {
    /// Gives the store its identity where it has none yet: called with a new id whenever a process has brought the tables up to
    /// date. Of two that do it at once one gives it, and both read the same afterwards.
    pub fn establish(&self, instance: Uuid) -> Stored<()> {
        self.unit(Mode::Write, &mut |transaction| transaction.born(instance).map(drop))
    }
}

impl AuthStore for Database {
    fn observe(&self, observer: Arc<dyn Observer>) {
        Self::observe(self, observer);
    }
}
