//! The token with which the first administrator is set up.

use tillgate_domain::office::ports::SetupTokenDigest;

use crate::StoreHarness;
use crate::contract_fixture::{after_start, run_office_read, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};

fn find(harness: &StoreHarness) -> Option<SetupTokenDigest> {
    run_office_read(harness, |tx| tx.setup_tokens().find())
}

/// There is at most one set-up token, and a new one replaces it.
pub fn setup_token_is_one_for_all(harness: &StoreHarness) {
    assert_eq!(find(harness), None, "the store is empty");
    run_office_write(harness, |tx| tx.setup_tokens().put(&[1; 32], after_start(1)));
    assert_eq!(find(harness), Some([1; 32]));
    run_office_write(harness, |tx| tx.setup_tokens().put(&[2; 32], after_start(1)));
    assert_eq!(find(harness), Some([2; 32]));
}

/// A set-up token is used once, and only as long as no other one has replaced it.
pub fn setup_token_is_spent_once(harness: &StoreHarness) {
    let consume = |number| run_office_write(harness, |tx| tx.setup_tokens().consume(&[number; 32]));
    assert!(!consume(1), "there is none");
    run_office_write(harness, |tx| tx.setup_tokens().put(&[1; 32], after_start(1)));
    run_office_write(harness, |tx| tx.setup_tokens().put(&[2; 32], after_start(2)));
    assert!(!consume(1), "it was replaced");
    assert_eq!(find(harness), Some([2; 32]));
    assert!(consume(2));
    assert!(!consume(2), "it was used");
    assert_eq!(find(harness), None);
}

/// Of two concurrent uses of one set-up token, exactly one succeeds.
pub fn concurrent_uses_of_a_setup_token_succeed_once(harness: &StoreHarness) {
    run_office_write(harness, |tx| tx.setup_tokens().put(&[1; 32], after_start(1)));
    let crossing = Rendezvous::default();
    let consume = || {
        crossing.wait();
        run_office_write(harness, |tx| tx.setup_tokens().consume(&[1; 32]))
    };
    let (one, other) = run_both(consume, consume);
    assert!(one ^ other, "{one} {other}");
    assert_eq!(find(harness), None);
}
