//! The store under test, with the few operations on it that no port offers.

use std::any::Any;
use std::sync::Arc;

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::{InstanceState, Verifier};
use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{Device, Event, Instant, PrincipalId, Role, Store, StoreExt, StoreResult, Tenant, User};

use crate::recording_store::{CallLog, RecordingStore};

/// Records that a test case inserts into the store. Insert the fields in this order: each may refer
/// to records of an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Tenants with their branches, to be inserted first.
    pub tenants: Vec<Tenant>,
    /// Roles of these tenants.
    pub roles: Vec<Role>,
    /// Devices with the roles that they have themselves.
    pub devices: Vec<Device>,
    /// Users with their role assignments; some may be deleted.
    pub users: Vec<User>,
    /// Password verifiers and when they were set. One that already exists is replaced, with a new
    /// version.
    pub passwords: Vec<(PrincipalId, Verifier, Instant)>,
}

type InsertRosterFn = Box<dyn Fn(&Roster) -> StoreResult<()> + Send + Sync>;
type ObserveFn = Box<dyn Fn(Arc<dyn Observer>) + Send + Sync>;
type SetStateFn = Box<dyn Fn(InstanceState) + Send + Sync>;
type ReadEventsFn = Box<dyn Fn() -> Vec<Event> + Send + Sync>;

/// A new, empty store that implements the ports of authentication.
pub struct AuthStoreHarness {
    /// The store under test; it records its calls for the failure text.
    pub store: Arc<dyn Store<AuthPorts>>,
    observe: ObserveFn,
    insert_roster: InsertRosterFn,
    set_instance_state: Option<SetStateFn>,
    read_events: Option<ReadEventsFn>,
    guards: Vec<Box<dyn Any + Send + Sync>>,
    calls: Arc<CallLog>,
}

impl AuthStoreHarness {
    /// Takes the store, a function that registers an observer of committed changes, and a function
    /// that inserts a [`Roster`]. `insert_roster` may be called several times, each time with the
    /// records to add.
    pub fn new(
        store: Arc<dyn Store<AuthPorts>>,
        observe: impl Fn(Arc<dyn Observer>) + Send + Sync + 'static,
        insert_roster: impl Fn(&Roster) -> StoreResult<()> + Send + Sync + 'static,
    ) -> Self {
        let calls = Arc::<CallLog>::default();
        let store = Arc::new(RecordingStore::new(store, Arc::clone(&calls)));
        let (observe, insert_roster) = (Box::new(observe), Box::new(insert_roster));
        Self { store, observe, insert_roster, set_instance_state: None, read_events: None, guards: Vec::new(), calls }
    }

    /// Sets how the store is opened and closed for writes. Without it, the store is assumed to be
    /// always open.
    pub fn with_state_setter(mut self, set_state: impl Fn(InstanceState) + Send + Sync + 'static) -> Self {
        self.set_instance_state = Some(Box::new(set_state));
        self
    }

    /// Sets how the committed audit events are read, oldest first. Without it, the cases check only
    /// that an event can be recorded.
    pub fn with_audit_reader(mut self, read_events: impl Fn() -> Vec<Event> + Send + Sync + 'static) -> Self {
        self.read_events = Some(Box::new(read_events));
        self
    }

    /// Keeps a value, such as a temporary folder or a server, alive as long as the store is in use.
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    pub(crate) fn observe(&self, observer: Arc<dyn Observer>) {
        (self.observe)(observer);
    }

    pub(crate) fn insert_roster(&self, roster: &Roster) {
        self.calls.record("records are inserted, outside the ports".to_owned());
        (self.insert_roster)(roster).expect("the roster can be inserted");
    }

    /// Returns false if the store cannot be closed for writes.
    pub(crate) fn set_instance_state(&self, state: InstanceState) -> bool {
        self.set_instance_state.as_ref().map(|set_state| set_state(state)).is_some()
    }

    /// The last calls of the store with their results, one per line.
    pub(crate) fn format_calls(&self) -> String {
        self.calls.to_text()
    }

    pub(crate) fn read_events(&self) -> Option<Vec<Event>> {
        self.read_events.as_ref().map(|read_events| read_events())
    }
}

/// A new, empty store that implements the ports of authentication and of the back office.
pub struct StoreHarness {
    pub(crate) auth: AuthStoreHarness,
    pub(crate) office: Arc<dyn Store<OfficePorts>>,
}

impl StoreHarness {
    /// Takes a store that implements both port sets, and a function that registers an observer of
    /// committed changes. Records are inserted through the back office's ports.
    pub fn new<S>(store: Arc<S>, observe: impl Fn(Arc<dyn Observer>) + Send + Sync + 'static) -> Self
    where
        S: Store<AuthPorts> + Store<OfficePorts> + 'static,
    {
        let office: Arc<dyn Store<OfficePorts>> = store.clone();
        let through = office.clone();
        let auth = AuthStoreHarness::new(store, observe, move |roster| insert_roster(through.as_ref(), roster));
        let office = Arc::new(RecordingStore::new(office, Arc::clone(&auth.calls)));
        Self { auth, office }
    }

    /// Sets how the store is opened and closed for writes; see
    /// [`AuthStoreHarness::with_state_setter`].
    pub fn with_state_setter(self, set_state: impl Fn(InstanceState) + Send + Sync + 'static) -> Self {
        Self { auth: self.auth.with_state_setter(set_state), ..self }
    }

    /// Sets how audit events are read; see [`AuthStoreHarness::with_audit_reader`].
    pub fn with_audit_reader(self, read_events: impl Fn() -> Vec<Event> + Send + Sync + 'static) -> Self {
        Self { auth: self.auth.with_audit_reader(read_events), ..self }
    }

    /// Keeps a value alive; see [`AuthStoreHarness::with_guard`].
    pub fn with_guard(self, guard: impl Any + Send + Sync) -> Self {
        Self { auth: self.auth.with_guard(guard), ..self }
    }
}

impl AsRef<AuthStoreHarness> for AuthStoreHarness {
    fn as_ref(&self) -> &AuthStoreHarness {
        self
    }
}

impl AsRef<AuthStoreHarness> for StoreHarness {
    fn as_ref(&self) -> &AuthStoreHarness {
        &self.auth
    }
}

impl From<StoreHarness> for AuthStoreHarness {
    fn from(harness: StoreHarness) -> Self {
        let StoreHarness { auth, office } = harness;
        auth.with_guard(office)
    }
}

/// Inserts a roster through the back office's ports, in one unit of work.
///
/// # Panics
///
/// If a unique name in the roster is already taken.
pub fn insert_roster(office: &dyn Store<OfficePorts>, roster: &Roster) -> StoreResult<()> {
    let added = office.write("test", |tx| {
        let mut all = true;
        for tenant in &roster.tenants {
            all &= tx.tenants().insert(tenant)?;
        }
        for role in &roster.roles {
            all &= tx.roles().insert(role)?;
        }
        for device in &roster.devices {
            all &= tx.devices().insert(device)?;
        }
        for user in &roster.users {
            all &= tx.users().insert(user)?;
        }
        for (principal, verifier, at) in &roster.passwords {
            tx.passwords().set(*principal, verifier, *at)?;
        }
        Ok(all)
    })?;
    assert!(added, "a unique name in the roster is already taken");
    Ok(())
}
