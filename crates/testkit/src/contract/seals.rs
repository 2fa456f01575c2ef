//! The chain of seals over the audit log: each event is sealed once, none is skipped, and a sealed
//! event is read back as it was recorded.

use tillgate_domain::audit::seal::{Seal, SealKey, StoredEvent};
use tillgate_domain::office::{self, OfficeTx};
use tillgate_domain::{Event, StoreError, StoreExt, StoreResult};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, new_event, run_office_write, run_write};
use crate::rendezvous::{Rendezvous, ThreadSignal, run_both};

/// A digest for tests: it only has to differ for different texts.
struct TestSealKey;

impl SealKey for TestSealKey {
    fn compute_mac(&self, bytes: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        for (number, byte) in bytes.iter().enumerate() {
            digest[number % 32] = u8::rotate_left(digest[number % 32], 3) ^ byte;
        }
        digest
    }
}

fn numbered_event(number: u8) -> Event {
    new_event(number, after_start(u64::from(number)))
}

fn record_events(harness: &StoreHarness, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        run_write(&harness.auth, |tx| tx.audit().record(&numbered_event(number)));
    }
}

fn event_ids(lines: &[StoredEvent]) -> Vec<Vec<u8>> {
    lines.iter().map(|line| line.id.clone()).collect()
}

fn event_id(number: u8) -> Vec<u8> {
    numbered_event(number).id.0.as_bytes().to_vec()
}

/// Seals up to `limit` events and returns how many.
fn seal_events(tx: &mut dyn OfficeTx, limit: u32) -> StoreResult<usize> {
    let before = tx.seals().claim()?;
    let mut newest = before.clone();
    let lines = tx.seals().list_unsealed(limit)?;
    let seals: Vec<_> = lines
        .into_iter()
        .map(|line| {
            newest = newest.seal_next(&TestSealKey, &line);
            (line.id, newest.clone())
        })
        .collect();
    tx.seals().insert_seals(&before, &seals)?;
    Ok(seals.len())
}

/// A new event waits to be sealed. Waiting events are returned in the order of their ids, at most
/// `limit`, and are counted up to a bound.
pub fn new_events_wait_to_be_sealed(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    let none = run_office_write(harness, |tx| {
        Ok((tx.seals().count_unsealed(9)?, tx.seals().list_unsealed(9)?, tx.seals().find_newest()?))
    });
    assert_eq!((none.0.events, none.0.since, none.1.len(), none.2), (0, None, 0, Seal::default()));
    record_events(harness, [3, 1, 2]);
    let waiting = |most| run_office_write(harness, |tx| tx.seals().count_unsealed(most));
    assert_eq!((waiting(9).events, waiting(9).since), (3, Some(numbered_event(1).at.millis())));
    assert_eq!(waiting(2).events, 2);
    let unsealed = |limit| event_ids(&run_office_write(harness, |tx| tx.seals().list_unsealed(limit)));
    assert_eq!(unsealed(9), [event_id(1), event_id(2), event_id(3)]);
    assert_eq!(unsealed(2), [event_id(1), event_id(2)]);
    assert_eq!(run_office_write(harness, |tx| seal_events(tx, 2)), 2);
    assert_eq!(unsealed(9), [event_id(3)]);
    assert_eq!(waiting(9).events, 1);
}

/// A sealed event has the recorded content, the previous seal and its own seal. The newest seal is
/// stored.
pub fn event_is_sealed_as_recorded(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    let mut rich = numbered_event(1);
    rich.details.insert("name".into(), serde_json::json!("Žofia \"O'Hara\" \u{1f600}"));
    rich.actor.address = "2001:db8::7".parse().ok();
    rich.approver = rich.actor.user;
    run_write(&harness.auth, |tx| tx.audit().record(&rich));
    record_events(harness, [2]);
    assert_eq!(run_office_write(harness, |tx| seal_events(tx, 9)), 2);
    let sealed = run_office_write(harness, |tx| tx.seals().list_sealed(1, 9));
    let lines: Vec<StoredEvent> = sealed.iter().map(|sealed| sealed.event.clone()).collect();
    assert_eq!(lines, [StoredEvent::of(&rich), StoredEvent::of(&numbered_event(2))]);
    let first = Seal::default().seal_next(&TestSealKey, &StoredEvent::of(&rich));
    let second = first.seal_next(&TestSealKey, &StoredEvent::of(&numbered_event(2)));
    let chain: Vec<_> = sealed.iter().map(|line| (line.sequence, line.previous.clone(), line.hash.clone())).collect();
    assert_eq!(
        chain,
        [(1, Some(Vec::new()), Some(first.hash.clone())), (2, Some(first.hash.clone()), Some(second.hash.clone()))]
    );
    assert_eq!(run_office_write(harness, |tx| tx.seals().find_newest()), second);
    assert_eq!(run_office_write(harness, |tx| tx.seals().claim()), second);
}

/// An event gets one seal. A second seal for it is a conflict, and nothing of that unit of work is
/// stored.
pub fn event_is_sealed_once(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    record_events(harness, [1, 2]);
    assert_eq!(run_office_write(harness, |tx| seal_events(tx, 1)), 1);
    let (first, other) =
        (run_office_write(harness, |tx| tx.seals().find_newest()), Seal { sequence: 2, hash: vec![1; 33] });
    let again = harness.office.write("test", |tx| tx.seals().insert_seals(&first, &[(event_id(1), other.clone())]));
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    let third = Seal { sequence: 3, hash: vec![2; 33] };
    let both = harness.office.write("test", |tx| {
        tx.seals().insert_seals(&first, &[(event_id(2), other.clone()), (event_id(1), third.clone())])
    });
    assert!(both.is_err());
    let nobody = harness.office.write("test", |tx| tx.seals().insert_seals(&first, &[(event_id(77), other.clone())]));
    assert!(nobody.is_err());
    assert_eq!(run_office_write(harness, |tx| tx.seals().find_newest()), first);
    assert_eq!(run_office_write(harness, |tx| seal_events(tx, 9)), 1);
}

/// A seal that is rolled back was never given: the event waits as before.
pub fn rolled_back_seal_is_none(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    record_events(harness, [1, 2]);
    let failed: StoreResult<()> = harness.office.write("test", |tx| {
        assert_eq!(seal_events(tx, 9)?, 2);
        assert_eq!(tx.seals().count_unsealed(9)?.events, 0);
        Err(StoreError::Fault("rolled back".into()))
    });
    assert!(failed.is_err());
    assert_eq!(run_office_write(harness, |tx| tx.seals().find_newest()), Seal::default());
    assert_eq!(run_office_write(harness, |tx| tx.seals().count_unsealed(9)).events, 2);
    let reads: StoreResult<Seal> = harness.office.read("test", |tx| tx.seals().claim());
    assert!(matches!(reads, Err(StoreError::Fault(_))), "a unit of work that reads cannot claim");
}

/// Sealed events are returned in the order of their sequence numbers, from a given one, at most
/// `limit`.
pub fn sealed_events_are_returned_in_pages(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    record_events(harness, 1..=6);
    assert_eq!(run_office_write(harness, |tx| seal_events(tx, 5)), 5);
    let numbers = |from, limit| {
        let lines = run_office_write(harness, |tx| tx.seals().list_sealed(from, limit));
        lines.into_iter().map(|line| (line.sequence, line.event.id)).collect::<Vec<_>>()
    };
    assert_eq!(numbers(1, 2), [(1, event_id(1)), (2, event_id(2))]);
    assert_eq!(numbers(4, 9), [(4, event_id(4)), (5, event_id(5))]);
    assert_eq!(numbers(i64::MIN, 1), [(1, event_id(1))]);
    assert_eq!(numbers(6, 9), []);
}

/// An event that is committed after later events were sealed is sealed after them.
pub fn late_event_is_sealed(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    let (recorded, sealed) = (ThreadSignal::default(), ThreadSignal::default());
    run_both(
        || {
            run_write(&harness.auth, |tx| {
                tx.audit().record(&numbered_event(1))?;
                recorded.set();
                // a store that serializes transactions delays the sealer meanwhile
                sealed.wait_briefly();
                Ok(())
            });
        },
        || {
            recorded.wait();
            record_events(harness, [2]);
            office::unguarded::seal_audit(&*harness.office, &TestSealKey).unwrap();
            sealed.set();
        },
    );
    office::unguarded::seal_audit(&*harness.office, &TestSealKey).unwrap();
    let lines = run_office_write(harness, |tx| tx.seals().list_sealed(1, 9));
    let mut ids: Vec<_> = lines.iter().map(|line| line.event.id.clone()).collect();
    ids.sort();
    assert_eq!(ids, [event_id(1), event_id(2)]);
    assert_eq!(lines.iter().map(|line| line.sequence).collect::<Vec<_>>(), [1, 2]);
}

/// Of two concurrent sealers, each seals what the other has not sealed.
pub fn concurrent_sealers_seal_each_event_once(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    record_events(harness, 1..=9);
    let crossing = Rendezvous::default();
    let sealing = || {
        run_office_write(harness, |tx| {
            tx.seals().find_newest()?;
            crossing.wait();
            seal_events(tx, 6)
        })
    };
    let (one, other) = run_both(sealing, sealing);
    assert_eq!([one.min(other), one.max(other)], [3, 6]);
    let verified = office::unguarded::verify_audit(&*harness.office, &TestSealKey, None, &mut |_| ()).unwrap();
    assert_eq!((verified.last.sequence, verified.fault), (9, None));
}

/// Everything that is recorded and sealed verifies, in any number of parts, and no event waits any
/// longer.
pub fn sealed_audit_verifies(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    let verify =
        |outside| office::unguarded::verify_audit(&*harness.office, &TestSealKey, outside, &mut |_| ()).unwrap();
    let empty = verify(None);
    assert_eq!((empty.last, empty.fault), (Seal::default(), None));
    record_events(harness, 1..=7);
    run_office_write(harness, |tx| seal_events(tx, 3));
    let third = run_office_write(harness, |tx| tx.seals().find_newest());
    let sealed = office::unguarded::seal_audit(&*harness.office, &TestSealKey).unwrap();
    assert_eq!((sealed.events, sealed.newest.sequence), (4, 7));
    let again = office::unguarded::seal_audit(&*harness.office, &TestSealKey).unwrap();
    assert_eq!((again.events, &again.newest), (0, &sealed.newest));
    let whole_chain = verify(Some(&third));
    assert_eq!((whole_chain.last, whole_chain.fault), (sealed.newest.clone(), None));
    assert!(office::unguarded::has_seal(&*harness.office, &third).unwrap());
    assert!(office::unguarded::has_seal(&*harness.office, &Seal::default()).unwrap());
    assert!(!office::unguarded::has_seal(&*harness.office, &Seal { sequence: 3, hash: vec![1; 33] }).unwrap());
    assert!(!office::unguarded::has_seal(&*harness.office, &Seal { sequence: 8, ..sealed.newest }).unwrap());
    let ahead = verify(Some(&Seal { sequence: 8, hash: vec![1; 33] }));
    assert_eq!(ahead.fault.map(|fault| fault.error.code()), Some("cut"));
}
