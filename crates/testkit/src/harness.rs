//! What the contract suite runs on: a fresh store, and the few things about it that no port shows.

use std::any::Any;
use std::sync::Arc;

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::{InstanceState, Verifier};
use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{Device, Event, Instant, PrincipalId, Role, Store, StoreExt, StoreResult, Tenant, User};

use crate::recording_store::{CallLog, RecordingStore};

/// Who and what is to be in the store. Written in this order: each may name those before it.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Vendors, with their stores.
    pub tenants: Vec<Tenant>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Devices.
    pub devices: Vec<Device>,
    /// People; deleted ones may be among them.
    pub users: Vec<User>,
    /// Passwords. One that its owner has already is replaced by this one, under a new version.
    pub passwords: Vec<(PrincipalId, Verifier, Instant)>,
}

type EnrollFn = Box<dyn Fn(&Roster) -> StoreResult<()> + Send + Sync>;
type ObserveFn = Box<dyn Fn(Arc<dyn Observer>) + Send + Sync>;
type SetStateFn = Box<dyn Fn(InstanceState) + Send + Sync>;
type ReadEventsFn = Box<dyn Fn() -> Vec<Event> + Send + Sync>;

/// A fresh, empty store as authentication sees it.
pub struct AuthStoreHarness {
    /// The store.
    pub store: Arc<dyn Store<AuthPorts>>,
    observe: ObserveFn,
    enroll: EnrollFn,
    set_instance_state: Option<SetStateFn>,
    read_events: Option<ReadEventsFn>,
    guards: Vec<Box<dyn Any + Send + Sync>>,
    calls: Arc<CallLog>,
}

impl AuthStoreHarness {
    /// A store, how it is given its observer, and how people and things are put into it. `enroll` is called more than once, each
    /// time with what is to be added.
    pub fn new(
        store: Arc<dyn Store<AuthPorts>>,
        observe: impl Fn(Arc<dyn Observer>) + Send + Sync + 'static,
        enroll: impl Fn(&Roster) -> StoreResult<()> + Send + Sync + 'static,
    ) -> Self {
        let calls = Arc::<CallLog>::default();
        let store = Arc::new(RecordingStore::new(store, Arc::clone(&calls)));
        let (observe, enroll) = (Box::new(observe), Box::new(enroll));
        Self { store, observe, enroll, set_instance_state: None, read_events: None, guards: Vec::new(), calls }
    }

    /// How the store is opened for writes and closed to them. Without it the store is one that is never closed.
    pub fn with_state_setter(mut self, turn: impl Fn(InstanceState) + Send + Sync + 'static) -> Self {
        self.set_instance_state = Some(Box::new(turn));
        self
    }

    /// How the committed lines of the audit are read, oldest first. Without it the suite sees only that a line was written.
    pub fn with_audit_reader(mut self, lines: impl Fn() -> Vec<Event> + Send + Sync + 'static) -> Self {
        self.read_events = Some(Box::new(lines));
        self
    }

    /// Keeps something as long as the store is in use: a folder, a server.
    pub fn with_guard(mut self, kept: impl Any + Send + Sync) -> Self {
        self.guards.push(Box::new(kept));
        self
    }

    pub(crate) fn observe(&self, observer: Arc<dyn Observer>) {
        (self.observe)(observer);
    }

    pub(crate) fn enroll(&self, roster: &Roster) {
        self.calls.record("people and things are enrolled, outside the ports".to_owned());
        (self.enroll)(roster).expect("the roster is taken");
    }

    /// False where the store cannot be closed to writes.
    pub(crate) fn set_instance_state(&self, state: InstanceState) -> bool {
        self.set_instance_state.as_ref().map(|turn| turn(state)).is_some()
    }

    /// What the store was asked last, and what it answered, a line each.
    pub(crate) fn format_calls(&self) -> String {
        self.calls.to_text()
    }

    pub(crate) fn read_events(&self) -> Option<Vec<Event>> {
        self.read_events.as_ref().map(|lines| lines())
    }
}

/// A fresh, empty store as authentication and the back office see it.
pub struct StoreHarness {
    pub(crate) auth: AuthStoreHarness,
    pub(crate) office: Arc<dyn Store<OfficePorts>>,
}

impl StoreHarness {
    /// A store that shows both views, and how it is given its observer.
    pub fn new<S>(store: Arc<S>, observe: impl Fn(Arc<dyn Observer>) + Send + Sync + 'static) -> Self
    where
        S: Store<AuthPorts> + Store<OfficePorts> + 'static,
    {
        let office: Arc<dyn Store<OfficePorts>> = store.clone();
        let through = office.clone();
        let bench = AuthStoreHarness::new(store, observe, move |roster| enroll(through.as_ref(), roster));
        let office = Arc::new(RecordingStore::new(office, Arc::clone(&bench.calls)));
        Self { auth: bench, office }
    }

    /// See [`AuthStoreHarness::with_state_setter`].
    pub fn with_state_setter(self, turn: impl Fn(InstanceState) + Send + Sync + 'static) -> Self {
        Self { auth: self.auth.with_state_setter(turn), ..self }
    }

    /// See [`AuthStoreHarness::with_audit_reader`].
    pub fn with_audit_reader(self, lines: impl Fn() -> Vec<Event> + Send + Sync + 'static) -> Self {
        Self { auth: self.auth.with_audit_reader(lines), ..self }
    }

    /// See [`AuthStoreHarness::with_guard`].
    pub fn with_guard(self, kept: impl Any + Send + Sync) -> Self {
        Self { auth: self.auth.with_guard(kept), ..self }
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
    fn from(whole: StoreHarness) -> Self {
        let StoreHarness { auth: bench, office } = whole;
        bench.with_guard(office)
    }
}

/// Writes a roster through the ports of the back office, all of it or nothing.
pub fn enroll(office: &dyn Store<OfficePorts>, roster: &Roster) -> StoreResult<()> {
    let added = office.write(|tx| {
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
    assert!(added, "a name of the roster is taken");
    Ok(())
}
