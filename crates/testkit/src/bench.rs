//! What the contract suite runs on: a fresh store, and the few things about it that no port shows.

use std::any::Any;
use std::sync::Arc;

use tillgate_auth_core::AuthView;
use tillgate_auth_core::ports::{InstanceState, Verifier};
use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficeView;
use tillgate_domain::{Device, Event, Instant, PrincipalId, Role, Store, StoreExt, Stored, Tenant, User};

use crate::recording::{CallLog, RecordingStore};

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

type Enroll = Box<dyn Fn(&Roster) -> Stored<()> + Send + Sync>;
type Observe = Box<dyn Fn(Arc<dyn Observer>) + Send + Sync>;
type Turn = Box<dyn Fn(InstanceState) + Send + Sync>;
type Lines = Box<dyn Fn() -> Vec<Event> + Send + Sync>;

/// A fresh, empty store as authentication sees it.
pub struct Bench {
    /// The store.
    pub store: Arc<dyn Store<AuthView>>,
    observe: Observe,
    enroll: Enroll,
    turn: Option<Turn>,
    lines: Option<Lines>,
    kept: Vec<Box<dyn Any + Send + Sync>>,
    calls: Arc<CallLog>,
}

impl Bench {
    /// A store, how it is given its observer, and how people and things are put into it. `enroll` is called more than once, each
    /// time with what is to be added.
    pub fn new(
        store: Arc<dyn Store<AuthView>>,
        observe: impl Fn(Arc<dyn Observer>) + Send + Sync + 'static,
        enroll: impl Fn(&Roster) -> Stored<()> + Send + Sync + 'static,
    ) -> Self {
        let calls = Arc::<CallLog>::default();
        let store = Arc::new(RecordingStore::over(store, Arc::clone(&calls)));
        let (observe, enroll) = (Box::new(observe), Box::new(enroll));
        Self { store, observe, enroll, turn: None, lines: None, kept: Vec::new(), calls }
    }

    /// How the store is opened for writes and closed to them. Without it the store is one that is never closed.
    pub fn turned_by(mut self, turn: impl Fn(InstanceState) + Send + Sync + 'static) -> Self {
        self.turn = Some(Box::new(turn));
        self
    }

    /// How the committed lines of the audit are read, oldest first. Without it the suite sees only that a line was written.
    pub fn told_by(mut self, lines: impl Fn() -> Vec<Event> + Send + Sync + 'static) -> Self {
        self.lines = Some(Box::new(lines));
        self
    }

    /// Keeps something as long as the store is in use: a folder, a server.
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    pub(crate) fn observe(&self, observer: Arc<dyn Observer>) {
        (self.observe)(observer);
    }

    pub(crate) fn enroll(&self, roster: &Roster) {
        self.calls.note("people and things are enrolled, outside the ports".to_owned());
        (self.enroll)(roster).expect("the roster is taken");
    }

    /// False where the store cannot be closed to writes.
    pub(crate) fn turn(&self, state: InstanceState) -> bool {
        self.turn.as_ref().map(|turn| turn(state)).is_some()
    }

    /// What the store was asked last, and what it answered, a line each.
    pub(crate) fn calls(&self) -> String {
        self.calls.lines()
    }

    pub(crate) fn lines(&self) -> Option<Vec<Event>> {
        self.lines.as_ref().map(|lines| lines())
    }
}

/// A fresh, empty store as authentication and the back office see it.
pub struct Whole {
    pub(crate) bench: Bench,
    pub(crate) office: Arc<dyn Store<OfficeView>>,
}

impl Whole {
    /// A store that shows both views, and how it is given its observer.
    pub fn new<S>(store: Arc<S>, observe: impl Fn(Arc<dyn Observer>) + Send + Sync + 'static) -> Self
    where
        S: Store<AuthView> + Store<OfficeView> + 'static,
    {
        let office: Arc<dyn Store<OfficeView>> = store.clone();
        let through = office.clone();
        let bench = Bench::new(store, observe, move |roster| enroll(through.as_ref(), roster));
        let office = Arc::new(RecordingStore::over(office, Arc::clone(&bench.calls)));
        Self { bench, office }
    }

    /// See [`Bench::turned_by`].
    pub fn turned_by(self, turn: impl Fn(InstanceState) + Send + Sync + 'static) -> Self {
        Self { bench: self.bench.turned_by(turn), ..self }
    }

    /// See [`Bench::told_by`].
    pub fn told_by(self, lines: impl Fn() -> Vec<Event> + Send + Sync + 'static) -> Self {
        Self { bench: self.bench.told_by(lines), ..self }
    }

    /// See [`Bench::keeping`].
    pub fn keeping(self, kept: impl Any + Send + Sync) -> Self {
        Self { bench: self.bench.keeping(kept), ..self }
    }
}

impl AsRef<Bench> for Bench {
    fn as_ref(&self) -> &Bench {
        self
    }
}

impl AsRef<Bench> for Whole {
    fn as_ref(&self) -> &Bench {
        &self.bench
    }
}

impl From<Whole> for Bench {
    fn from(whole: Whole) -> Self {
        let Whole { bench, office } = whole;
        bench.keeping(office)
    }
}

/// Writes a roster through the ports of the back office, all of it or nothing.
pub fn enroll(office: &dyn Store<OfficeView>, roster: &Roster) -> Stored<()> {
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
