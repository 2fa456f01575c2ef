//! What an author of a store reads where the store breaks a promise: the case, the promise, what was found, and the last calls. The store
//! here takes every signature for a new one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use tillgate_auth_core::ports::{self, SignatureDigest, Signatures};
use tillgate_auth_core::{AuthStore, AuthTx, AuthView, Memory};
use tillgate_domain::change::Observer;
use tillgate_domain::{Audit, Endings, Instant, Mode, Store, Stored, Tx, Work};
use tillgate_testkit::contract::{prove, signatures};
use tillgate_testkit::{Bench, enroll};

struct Forgetful(Memory);

struct Transaction<'a, 't>(&'a mut (dyn AuthTx + 't));

impl Store<AuthView> for Forgetful {
    fn run(&self, mode: Mode, work: Work<'_, AuthView>) -> Stored<()> {
        Store::<AuthView>::run(&self.0, mode, &mut |tx| work(&mut Transaction(tx)))
    }
}

impl AuthStore for Forgetful {
    fn observe(&self, observer: Arc<dyn Observer>) {
        self.0.observe(observer);
    }
}

impl Signatures for Transaction<'_, '_> {
    fn see(&mut self, signature: &SignatureDigest, at: Instant) -> Stored<bool> {
        self.0.signatures().see(signature, at).map(|_| true)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.0.signatures().sweep(before, limit)
    }
}

impl Tx for Transaction<'_, '_> {
    fn endings(&mut self) -> &mut dyn Endings {
        self.0.endings()
    }
    fn audit(&mut self) -> &mut dyn Audit {
        self.0.audit()
    }
}

macro_rules! lent {
    ($($accessor:ident: $port:ident),* $(,)?) => {
        $(fn $accessor(&mut self) -> &mut dyn ports::$port { self.0.$accessor() })*
    };
}

impl AuthTx for Transaction<'_, '_> {
    fn signatures(&mut self) -> &mut dyn Signatures {
        self
    }
    lent! {
        sessions: Sessions, credentials: Credentials, tenants: Tenants, users: Users, devices: Devices, roles: Roles,
        attempts: Attempts, places: Places, keys: Keys, feed: Feed, nodes: Nodes, instances: Instances,
        api_keys: ApiKeys,
    }
}

fn open() -> Bench {
    let store = Arc::new(Forgetful(Memory::new()));
    let (observed, filled) = (Arc::clone(&store), Arc::clone(&store));
    Bench::new(store, move |observer| observed.observe(observer), move |roster| enroll(&filled.0, roster))
}

/// The text with which a case fails.
fn failure(module: &str, case: &str, run: fn(&Bench)) -> String {
    let bench = open();
    let panic =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| prove(module, case, &bench, run))).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn broken_promise_names_port_method_promise_and_answer() {
    let text = failure("signatures", "a_signature_is_seen_once", signatures::a_signature_is_seen_once);
    for part in [
        "the store does not keep the promise of signatures::a_signature_is_seen_once\n",
        "\npromise: A signature is seen for the first time once, whenever it comes again.\n",
        "\nfound: at crates/testkit/src/contract/signatures.rs:",
        ": `!see(bench, 1, 5)` is false\n",
        "  a unit of work begins (Write)\n  signatures.see(signature: SignatureDigest(",
        ") answered Ok(true)\n  the unit of work was committed\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn failing_comparison_says_expected_and_found() {
    let text = failure("signatures", "old_signatures_are_swept", signatures::old_signatures_are_swept);
    assert!(text.contains("`see(bench, number, 20)` (4)\n  expected: false\n  found:    true\n"), "{text}");
}

#[test]
fn kept_promise_fails_with_nothing() {
    let bench = open();
    let fresh = signatures::a_signature_that_was_rolled_back_is_new;
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        prove("places", "the_last_success_counts", &bench, tillgate_testkit::contract::places::the_last_success_counts);
    }));
    assert!(panic.is_ok());
    // and threads that meet are told apart
    let text = failure("signatures", "two_with_one_signature", signatures::two_with_one_signature);
    assert!(text.contains("thread 2: signatures.see("), "{text}");
    let text = failure("signatures", "a_signature_that_was_rolled_back_is_new", fresh);
    assert!(text.contains("promise: What was rolled back has not been seen.\n"), "{text}");
}
