//! Request signatures: each is accepted once.

use tillgate_auth_core::ports::SignatureDigest;

use crate::AuthStoreHarness;
use crate::contract_fixture::{after_start, run_write};
use crate::rendezvous::{Rendezvous, run_both};

fn insert_if_new(harness: &AuthStoreHarness, number: u8, seconds: u64) -> bool {
    run_write(harness, |tx| tx.signatures().insert_if_new(&SignatureDigest([number; 32]), after_start(seconds)))
}

/// A signature is new once, whatever the instant of a later insert.
pub fn signature_is_inserted_once(harness: &AuthStoreHarness) {
    assert!(insert_if_new(harness, 1, 5));
    assert!(!insert_if_new(harness, 1, 5));
    assert!(!insert_if_new(harness, 1, 4));
    assert!(!insert_if_new(harness, 1, 500));
    assert!(insert_if_new(harness, 2, 5));
    let mut near = [1; 32];
    near[31] = 2;
    assert!(
        run_write(harness, |tx| tx.signatures().insert_if_new(&SignatureDigest(near), after_start(5))),
        "all bytes of a signature are compared"
    );
}

/// A signature whose insert was rolled back is still new.
pub fn rolled_back_signature_is_new(harness: &AuthStoreHarness) {
    use tillgate_domain::{StoreError, StoreExt};
    let failed = harness.store.write("test", |tx| {
        assert!(tx.signatures().insert_if_new(&SignatureDigest([1; 32]), after_start(5))?);
        assert!(!tx.signatures().insert_if_new(&SignatureDigest([1; 32]), after_start(5))?);
        Err::<(), _>(StoreError::Fault("no".into()))
    });
    assert!(failed.is_err());
    assert!(insert_if_new(harness, 1, 5));
}

/// A sweep removes at most `limit` signatures that were inserted before the instant, and returns
/// how many.
pub fn old_signatures_are_swept(harness: &AuthStoreHarness) {
    for (number, seconds) in [(1, 5), (2, 5), (3, 6), (4, 10), (5, 11)] {
        assert!(insert_if_new(harness, number, seconds));
    }
    let sweep = |limit| run_write(harness, |tx| tx.signatures().sweep(after_start(10), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    for (number, swept) in [(1, true), (2, true), (3, true), (4, false), (5, false)] {
        assert_eq!(insert_if_new(harness, number, 20), swept, "{number}");
    }
}

/// Of two concurrent inserts of the same signature, exactly one is new.
pub fn concurrent_inserts_of_one_signature_succeed_once(harness: &AuthStoreHarness) {
    let crossing = Rendezvous::default();
    let seen = || {
        run_write(harness, |tx| {
            tx.keys().list()?;
            crossing.wait();
            tx.signatures().insert_if_new(&SignatureDigest([1; 32]), after_start(5))
        })
    };
    let (one, other) = run_both(seen, seen);
    assert!(one ^ other, "{one} {other}");
}
