//! An integrator's own store in its smallest form: it keeps known networks in a table of its own
//! and delegates every other port to the in-memory store. `docs/own-store.md` quotes this file, and
//! the contract of authentication runs on it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tillgate_auth_core::ports::{self, CountKey, KnownNetworks};
use tillgate_auth_core::{AuthPorts, AuthStore, AuthTx};
use tillgate_domain::change::Observer;
use tillgate_domain::{Audit, Instant, Mode, Revocations, Store, StoreError, StoreResult, Tx, UnitOfWork, Work};
use tillgate_memory::MemoryStore;
use uuid::Uuid;

type NetworkTable = BTreeMap<(Uuid, CountKey), Instant>;

/// The store: opens transactions.
struct OwnStore {
    inner: MemoryStore,
    networks: Mutex<NetworkTable>,
}

/// An open transaction: implements every port or delegates it.
struct Transaction<'a, 't> {
    inner: &'a mut (dyn AuthTx + 't),
    mode: Mode,
    networks: NetworkTable,
}

impl Store<AuthPorts> for OwnStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        Store::<AuthPorts>::run(&self.inner, unit, &mut |inner| {
            let mut table = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
            let mut transaction = Transaction { inner, mode: unit.mode, networks: table.clone() };
            work(&mut transaction)?; // an error or a panic leaves `table` unchanged
            *table = transaction.networks;
            Ok(())
        })
    }
}

impl AuthStore for OwnStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        self.inner.add_observer(observer);
    }
}

impl KnownNetworks for Transaction<'_, '_> {
    fn find(&mut self, principal: Uuid, network: &CountKey) -> StoreResult<Option<Instant>> {
        Ok(self.networks.get(&(principal, *network)).copied())
    }

    fn record_success(&mut self, principal: Uuid, network: &CountKey, at: Instant) -> StoreResult<()> {
        self.check_writing()?;
        self.networks.insert((principal, *network), at);
        Ok(())
    }

    fn trim(&mut self, principal: Uuid, keep: u32) -> StoreResult<()> {
        self.check_writing()?;
        let own = self.networks.iter().filter(|((of, _), _)| *of == principal);
        let mut own: Vec<_> = own.map(|(key, last)| (*last, *key)).collect();
        own.sort_unstable();
        let over = own.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        for (_, key) in own.into_iter().take(over) {
            self.networks.remove(&key);
        }
        Ok(())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.check_writing()?;
        let old = self.networks.iter().filter(|(_, last)| **last < before).map(|(key, _)| *key);
        let old: Vec<_> = old.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        for key in &old {
            self.networks.remove(key);
        }
        Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
    }
}

impl Transaction<'_, '_> {
    fn check_writing(&self) -> StoreResult<()> {
        match self.mode {
            Mode::Write => Ok(()),
            Mode::Read => Err(StoreError::Fault("a unit of work with `Mode::Read` tried to write".to_owned())),
        }
    }
}

impl Tx for Transaction<'_, '_> {
    fn revocations(&mut self) -> &mut dyn Revocations {
        self.inner.revocations()
    }
    fn audit(&mut self) -> &mut dyn Audit {
        self.inner.audit()
    }
}

macro_rules! delegate {
    ($($accessor:ident: $port:ident),* $(,)?) => {
        $(fn $accessor(&mut self) -> &mut dyn ports::$port { self.inner.$accessor() })*
    };
}

impl AuthTx for Transaction<'_, '_> {
    fn known_networks(&mut self) -> &mut dyn KnownNetworks {
        self
    }
    delegate! {
        sessions: Sessions, credentials: Credentials, tenants: Tenants, users: Users, devices: Devices, roles: Roles,
        attempts: Attempts, keys: Keys, feed: Feed, live_events: LiveEvents, nodes: Nodes, instances: Instances,
        api_keys: ApiKeys, signatures: Signatures, enrollments: Enrollments, device_keys: DeviceKeys,
        pending_keys: PendingKeys, pins: Pins,
    }
}

mod contract {
    use tillgate_testkit::{AuthStoreHarness, Roster};

    use super::*;

    /// Inserts the records where this store keeps them: your own tables, in your own way.
    fn insert_roster(store: &OwnStore, roster: &Roster) -> StoreResult<()> {
        tillgate_testkit::insert_roster(&store.inner, roster)
    }

    fn open_harness() -> AuthStoreHarness {
        let store = Arc::new(OwnStore { inner: MemoryStore::new(), networks: Mutex::default() });
        let (observed, filled) = (Arc::clone(&store), Arc::clone(&store));
        AuthStoreHarness::new(
            store,
            move |observer| observed.add_observer(observer),
            move |roster| insert_roster(&filled, roster),
        )
    }

    tillgate_testkit::auth_contract!(open_harness);
}

#[test]
fn documentation_page_quotes_this_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/own-store.md")).unwrap();
    let code = fs::read_to_string(root.join("tests/own_store.rs")).unwrap();
    let plain = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let blocks: Vec<&str> =
        page.split("```rust\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block).collect();
    assert!(blocks.len() >= 3, "{} blocks", blocks.len());
    for block in blocks {
        assert!(
            plain(&code).contains(&plain(block)),
            "docs/own-store.md quotes code that is not in tests/own_store.rs:\n{block}"
        );
    }
}
