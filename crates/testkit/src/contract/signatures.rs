//! Signatures: each counts once.

use tillgate_auth_core::ports::SignatureDigest;

use crate::Bench;
use crate::meeting::{Crossing, both};
use crate::shop::{at, write};

fn see(bench: &Bench, number: u8, seconds: u64) -> bool {
    write(bench, |tx| tx.signatures().see(&SignatureDigest([number; 32]), at(seconds)))
}

/// A signature is seen for the first time once, whenever it comes again.
pub fn a_signature_is_seen_once(bench: &Bench) {
    assert!(see(bench, 1, 5));
    assert!(!see(bench, 1, 5));
    assert!(!see(bench, 1, 4));
    assert!(!see(bench, 1, 500));
    assert!(see(bench, 2, 5));
    let mut near = [1; 32];
    near[31] = 2;
    assert!(write(bench, |tx| tx.signatures().see(&SignatureDigest(near), at(5))), "the whole of it counts");
}

/// What was rolled back has not been seen.
pub fn a_signature_that_was_rolled_back_is_new(bench: &Bench) {
    use tillgate_domain::{StoreError, StoreExt};
    let failed = bench.store.write(|tx| {
        assert!(tx.signatures().see(&SignatureDigest([1; 32]), at(5))?);
        assert!(!tx.signatures().see(&SignatureDigest([1; 32]), at(5))?);
        Err::<(), _>(StoreError::Fault("no".into()))
    });
    assert!(failed.is_err());
    assert!(see(bench, 1, 5));
}

/// A sweep forgets signatures that were seen before the instant, `limit` at most, and says how many.
pub fn old_signatures_are_swept(bench: &Bench) {
    for (number, seconds) in [(1, 5), (2, 5), (3, 6), (4, 10), (5, 11)] {
        assert!(see(bench, number, seconds));
    }
    let sweep = |limit| write(bench, |tx| tx.signatures().sweep(at(10), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    for (number, swept) in [(1, true), (2, true), (3, true), (4, false), (5, false)] {
        assert_eq!(see(bench, number, 20), swept, "{number}");
    }
}

/// Of two that bear one signature at once, one is the first.
pub fn two_with_one_signature(bench: &Bench) {
    let crossing = Crossing::default();
    let seen = || {
        write(bench, |tx| {
            tx.keys().all()?;
            crossing.meet();
            tx.signatures().see(&SignatureDigest([1; 32]), at(5))
        })
    };
    let (one, other) = both(seen, seen);
    assert!(one ^ other, "{one} {other}");
}
