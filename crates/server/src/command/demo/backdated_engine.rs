//! An engine whose clock can be set back, for the earlier events of the demo shop: its use cases
//! are those of the server, at earlier instants.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tillgate_auth_core::auth::Auth;
use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::system::SystemClock;
use tillgate_domain::Instant;
use tillgate_domain::office::Office;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{Store, TenantId};
use tillgate_persistence::Database;

use crate::command::CommandError;
use crate::composition;
use crate::configuration::Settings;

/// How long the machine has run at least, as this clock reports it: longer than the clock is set
/// back.
const BOOT_AGE: Duration = Duration::from_hours(30 * 24);

/// The clocks of this machine, set back. The wall clock and the time since boot move together, so
/// that the time is trusted.
#[derive(Default)]
struct OffsetClock {
    behind_millis: AtomicI64,
}

impl OffsetClock {
    fn behind(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.behind_millis.load(Ordering::Relaxed)).unwrap_or_default())
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Instant {
        SystemClock.now().saturating_sub(self.behind())
    }

    fn since_boot(&self) -> Duration {
        (SystemClock.since_boot() + BOOT_AGE).saturating_sub(self.behind())
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }
}

/// An engine whose clock can be set back, with the database that the server uses as well.
pub(super) struct BackdatedEngine<'d> {
    pub(super) auth: Arc<Auth>,
    pub(super) database: &'d Database,
    clock: Arc<OffsetClock>,
}

impl<'d> BackdatedEngine<'d> {
    /// Starts the engine at the current time.
    pub(super) fn start(settings: &Settings, database: &'d Arc<Database>) -> Result<Self, CommandError> {
        let clock = Arc::new(OffsetClock::default());
        let auth = composition::build_engine_with_clock(settings, database, Arc::clone(&clock) as _)?;
        Ok(Self { auth, database, clock })
    }

    /// Sets the time to this long ago.
    pub(super) fn set_time_ago(&self, ago: Duration) {
        let millis = i64::try_from(ago.as_millis()).unwrap_or_default();
        self.clock.behind_millis.store(millis, Ordering::Relaxed);
    }

    /// The back office of the tenant, for one use case of the operator of this machine.
    pub(super) fn operator_office(&self, tenant: TenantId) -> Result<Office<'d>, CommandError> {
        let store: &'d dyn Store<OfficePorts> = self.database;
        let context = self.auth.system_context(None).map_err(CommandError::failed)?;
        Ok(Office::new(store, tenant, context))
    }

    /// Writes what the engine has recorded in memory.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        self.set_time_ago(Duration::ZERO);
        self.auth.leave().map_err(CommandError::failed)
    }
}
