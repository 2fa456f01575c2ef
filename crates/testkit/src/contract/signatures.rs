//! Signatures: each counts once.

use tillgate_auth_core::ports::SignatureDigest;

use crate::AuthStoreHarness;
use crate::contract_fixture::{after_start, run_write};
use crate::rendezvous::{Rendezvous, run_both};

fn insert_if_new(bench: &AuthStoreHarness, number: u8, seconds: u64) -> bool {
    run_write(bench, |tx| tx.signatures().insert_if_new(&SignatureDigest([number; 32]), after_start(seconds)))
}

/// A signature is seen for the first time once, whenever it comes again.
pub fn signature_is_inserted_once(bench: &AuthStoreHarness) {
    assert!(insert_if_new(bench, 1, 5));
    assert!(!insert_if_new(bench, 1, 5));
    assert!(!insert_if_new(bench, 1, 4));
    assert!(!insert_if_new(bench, 1, 500));
    assert!(insert_if_new(bench, 2, 5));
    let mut near = [1; 32];
    near[31] = 2;
    assert!(
        run_write(bench, |tx| tx.signatures().insert_if_new(&SignatureDigest(near), after_start(5))),
        "the whole of it counts"
    );
}

/// What was rolled back has not been seen.
pub fn rolled_back_signature_is_new(bench: &AuthStoreHarness) {
    use tillgate_domain::{StoreError, StoreExt};
    let failed = bench.store.write(|tx| {
        assert!(tx.signatures().insert_if_new(&SignatureDigest([1; 32]), after_start(5))?);
        assert!(!tx.signatures().insert_if_new(&SignatureDigest([1; 32]), after_start(5))?);
        Err::<(), _>(StoreError::Fault("no".into()))
    });
    assert!(failed.is_err());
    assert!(insert_if_new(bench, 1, 5));
}

/// A sweep forgets signatures that were seen before the instant, `limit` at most, and says how many.
pub fn old_signatures_are_swept(bench: &AuthStoreHarness) {
    for (number, seconds) in [(1, 5), (2, 5), (3, 6), (4, 10), (5, 11)] {
        assert!(insert_if_new(bench, number, seconds));
    }
    let sweep = |limit| run_write(bench, |tx| tx.signatures().sweep(after_start(10), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    for (number, swept) in [(1, true), (2, true), (3, true), (4, false), (5, false)] {
        assert_eq!(insert_if_new(bench, number, 20), swept, "{number}");
    }
}

/// Of two that bear one signature at once, one is the first.
pub fn concurrent_inserts_of_one_signature_succeed_once(bench: &AuthStoreHarness) {
    let crossing = Rendezvous::default();
    let seen = || {
        run_write(bench, |tx| {
            tx.keys().list()?;
            crossing.wait();
            tx.signatures().insert_if_new(&SignatureDigest([1; 32]), after_start(5))
        })
    };
    let (one, other) = run_both(seen, seen);
    assert!(one ^ other, "{one} {other}");
}
