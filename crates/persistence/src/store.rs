//! A database as a store for each set of ports, which are implemented on its open transaction.

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
    /// Sets the instance id if the store has none yet. Call it with a new id after the tables have
    /// been brought up to date. If two processes do so at the same time, one of them sets it, and
    /// both read the same id afterwards.
    ///
    /// # Errors
    ///
    /// If the unit of work fails.
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
