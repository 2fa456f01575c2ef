//! The text with which the contract fails: the case, the promise, what was found, and the last
//! calls of the store. The store here treats every signature as new.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use tillgate_auth_core::ports::{self, SignatureDigest, Signatures};
use tillgate_auth_core::{AuthPorts, AuthStore, AuthTx};
use tillgate_domain::change::Observer;
use tillgate_domain::{Audit, Instant, Revocations, Store, StoreResult, Tx, UnitOfWork, Work};
use tillgate_memory::MemoryStore;
use tillgate_testkit::contract::{run_case, signatures};
use tillgate_testkit::{AuthStoreHarness, insert_roster};

struct ForgetfulStore(MemoryStore);

struct Transaction<'a, 't>(&'a mut (dyn AuthTx + 't));

impl Store<AuthPorts> for ForgetfulStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        Store::<AuthPorts>::run(&self.0, unit, &mut |tx| work(&mut Transaction(tx)))
    }
}

impl AuthStore for ForgetfulStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        self.0.add_observer(observer);
    }
}

impl Signatures for Transaction<'_, '_> {
    fn insert_if_new(&mut self, signature: &SignatureDigest, at: Instant) -> StoreResult<bool> {
        self.0.signatures().insert_if_new(signature, at).map(|_| true)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.0.signatures().sweep(before, limit)
    }
}

impl Tx for Transaction<'_, '_> {
    fn revocations(&mut self) -> &mut dyn Revocations {
        self.0.revocations()
    }
    fn audit(&mut self) -> &mut dyn Audit {
        self.0.audit()
    }
}

macro_rules! delegate {
    ($($accessor:ident: $port:ident),* $(,)?) => {
        $(fn $accessor(&mut self) -> &mut dyn ports::$port { self.0.$accessor() })*
    };
}

impl AuthTx for Transaction<'_, '_> {
    fn signatures(&mut self) -> &mut dyn Signatures {
        self
    }
    delegate! {
        sessions: Sessions, credentials: Credentials, pins: Pins, tenants: Tenants, users: Users, devices: Devices, roles: Roles,
        attempts: Attempts, known_networks: KnownNetworks, keys: Keys, feed: Feed,
        live_events: LiveEvents, nodes: Nodes, instances: Instances, api_keys: ApiKeys, enrollments: Enrollments,
        device_keys: DeviceKeys, pending_keys: PendingKeys,
    }
}

fn open_harness() -> AuthStoreHarness {
    let store = Arc::new(ForgetfulStore(MemoryStore::new()));
    let (observed, filled) = (Arc::clone(&store), Arc::clone(&store));
    AuthStoreHarness::new(
        store,
        move |observer| observed.add_observer(observer),
        move |roster| insert_roster(&filled.0, roster),
    )
}

/// The text with which a case fails.
fn failure_text(module: &str, case: &str, run: fn(&AuthStoreHarness)) -> String {
    let harness = open_harness();
    let panic =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run_case(module, case, &harness, run))).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn broken_promise_names_port_method_promise_and_result() {
    let text = failure_text("signatures", "signature_is_inserted_once", signatures::signature_is_inserted_once);
    for part in [
        "the store does not keep the promise of signatures::signature_is_inserted_once\n",
        "\npromise: A signature is new once, whatever the instant of a later insert.\n",
        "\nfound: at crates/testkit/src/contract/signatures.rs:",
        ": `!insert_if_new(harness, 1, 5)` is false\n",
        "  a unit of work begins (Write)\n  signatures.insert_if_new(signature: SignatureDigest(",
        ") returned Ok(true)\n  the unit of work was committed\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn failed_comparison_reports_expected_and_found() {
    let text = failure_text("signatures", "old_signatures_are_swept", signatures::old_signatures_are_swept);
    assert!(text.contains("`insert_if_new(harness, number, 20)` (4)\n  expected: false\n  found:    true\n"), "{text}");
}

#[test]
fn kept_promise_reports_nothing() {
    let harness = open_harness();
    let rolled_back = signatures::rolled_back_signature_is_new;
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run_case(
            "known_networks",
            "last_success_is_returned",
            &harness,
            tillgate_testkit::contract::known_networks::last_success_is_returned,
        );
    }));
    assert!(panic.is_ok());
    // the calls of concurrent threads are distinguished
    let text = failure_text(
        "signatures",
        "concurrent_inserts_of_one_signature_succeed_once",
        signatures::concurrent_inserts_of_one_signature_succeed_once,
    );
    assert!(text.contains("thread 2: signatures.insert_if_new("), "{text}");
    let text = failure_text("signatures", "rolled_back_signature_is_new", rolled_back);
    assert!(text.contains("promise: A signature whose insert was rolled back is still new.\n"), "{text}");
}
