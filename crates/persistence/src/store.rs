//! Units of work as each view shows them: a database runs them, and the ports of the view stand on the open transaction.

use std::sync::Arc;

use tillgate_auth_core::{AuthPorts, AuthStore};
use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{Store, StoreResult, UnitOfWork, Work};
use uuid::Uuid;

use crate::database::Database;

impl Store<AuthPorts> for Database {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        self.run_unit(unit, &mut |transaction| work(transaction))
    }

    fn write_failure(&self) -> Option<String> {
        self.write_health.failure().map(str::to_owned)
    }
}

impl Store<OfficePorts> for Database {
    fn run(&self, unit: UnitOfWork, work: Work<'_, OfficePorts>) -> StoreResult<()> {
        self.run_unit(unit, &mut |transaction| work(transaction))
    }

    fn write_failure(&self) -> Option<String> {
        self.write_health.failure().map(str::to_owned)
    }
}

impl Database {
    /// Gives the store its identity where it has none yet: called with a new id whenever a process has brought the tables up to
    /// date. Of two that do it at once one gives it, and both read the same afterwards.
    pub fn set_instance_id(&self, instance: Uuid) -> StoreResult<()> {
        self.run_unit(UnitOfWork::write("set_instance_id"), &mut |transaction| {
            transaction.set_instance_id(instance).map(drop)
        })
    }
}

impl AuthStore for Database {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        Self::observe(self, observer);
    }
}
