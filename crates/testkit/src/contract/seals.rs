//! The chain of the audit: each line is sealed once, none is passed over, and what was sealed reads as it was told.

use tillgate_domain::audit::seal::{Line, Seal, Signet};
use tillgate_domain::office::{self, OfficeTx};
use tillgate_domain::{Event, StoreError, StoreExt, Stored};

use crate::Whole;
use crate::meeting::{Crossing, Signal, both};
use crate::shop::{Shop, at, line, office, write};

/// A digest for tests: it need only tell one text from another.
struct Folded;

impl Signet for Folded {
    fn press(&self, bytes: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        for (number, byte) in bytes.iter().enumerate() {
            digest[number % 32] = u8::rotate_left(digest[number % 32], 3) ^ byte;
        }
        digest
    }
}

fn event(number: u8) -> Event {
    line(number, at(u64::from(number)))
}

fn tell(whole: &Whole, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        write(&whole.bench, |tx| tx.audit().tell(&event(number)));
    }
}

fn ids(lines: &[Line]) -> Vec<Vec<u8>> {
    lines.iter().map(|line| line.id.clone()).collect()
}

fn id(number: u8) -> Vec<u8> {
    event(number).id.0.as_bytes().to_vec()
}

/// A unit of work that seals up to so many lines, and how many it sealed.
fn seal(tx: &mut dyn OfficeTx, limit: u32) -> Stored<usize> {
    let before = tx.seals().claim()?;
    let mut newest = before.clone();
    let lines = tx.seals().unsealed(limit)?;
    let seals: Vec<_> = lines
        .into_iter()
        .map(|line| {
            newest = newest.next(&Folded, &line);
            (line.id, newest.clone())
        })
        .collect();
    tx.seals().seal(&before, &seals)?;
    Ok(seals.len())
}

/// A new line waits to be sealed; those that wait come in the order of their ids, `limit` at most, and are counted up to a bound.
pub fn lines_wait_to_be_sealed(whole: &Whole) {
    Shop::open(&whole.bench);
    let none = office(whole, |tx| Ok((tx.seals().waiting(9)?, tx.seals().unsealed(9)?, tx.seals().newest()?)));
    assert_eq!((none.0.lines, none.0.since, none.1.len(), none.2), (0, None, 0, Seal::default()));
    tell(whole, [3, 1, 2]);
    let waiting = |most| office(whole, |tx| tx.seals().waiting(most));
    assert_eq!((waiting(9).lines, waiting(9).since), (3, Some(event(1).at.millis())));
    assert_eq!(waiting(2).lines, 2);
    let unsealed = |limit| ids(&office(whole, |tx| tx.seals().unsealed(limit)));
    assert_eq!(unsealed(9), [id(1), id(2), id(3)]);
    assert_eq!(unsealed(2), [id(1), id(2)]);
    assert_eq!(office(whole, |tx| seal(tx, 2)), 2);
    assert_eq!(unsealed(9), [id(3)]);
    assert_eq!(waiting(9).lines, 1);
}

/// What is sealed is the line as it was told, with the seal before it and its own; the newest seal is noted.
pub fn a_line_is_sealed_as_it_was_told(whole: &Whole) {
    Shop::open(&whole.bench);
    let mut rich = event(1);
    rich.details.insert("name".into(), serde_json::json!("Žofia \"O'Hara\" \u{1f600}"));
    rich.actor.address = "2001:db8::7".parse().ok();
    rich.approver = rich.actor.user;
    write(&whole.bench, |tx| tx.audit().tell(&rich));
    tell(whole, [2]);
    assert_eq!(office(whole, |tx| seal(tx, 9)), 2);
    let sealed = office(whole, |tx| tx.seals().sealed(1, 9));
    let lines: Vec<Line> = sealed.iter().map(|sealed| sealed.line.clone()).collect();
    assert_eq!(lines, [Line::of(&rich), Line::of(&event(2))]);
    let first = Seal::default().next(&Folded, &Line::of(&rich));
    let second = first.next(&Folded, &Line::of(&event(2)));
    let chain: Vec<_> = sealed.iter().map(|line| (line.sequence, line.previous.clone(), line.hash.clone())).collect();
    assert_eq!(
        chain,
        [(1, Some(Vec::new()), Some(first.hash.clone())), (2, Some(first.hash.clone()), Some(second.hash.clone()))]
    );
    assert_eq!(office(whole, |tx| tx.seals().newest()), second);
    assert_eq!(office(whole, |tx| tx.seals().claim()), second);
}

/// A line gets one seal; another for it is a conflict, and nothing of that unit of work stays.
pub fn a_line_is_sealed_once(whole: &Whole) {
    Shop::open(&whole.bench);
    tell(whole, [1, 2]);
    assert_eq!(office(whole, |tx| seal(tx, 1)), 1);
    let (first, other) = (office(whole, |tx| tx.seals().newest()), Seal { sequence: 2, hash: vec![1; 33] });
    let again = whole.office.write(|tx| tx.seals().seal(&first, &[(id(1), other.clone())]));
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    let third = Seal { sequence: 3, hash: vec![2; 33] };
    let both = whole.office.write(|tx| tx.seals().seal(&first, &[(id(2), other.clone()), (id(1), third.clone())]));
    assert!(both.is_err());
    let nobody = whole.office.write(|tx| tx.seals().seal(&first, &[(id(77), other.clone())]));
    assert!(nobody.is_err());
    assert_eq!(office(whole, |tx| tx.seals().newest()), first);
    assert_eq!(office(whole, |tx| seal(tx, 9)), 1);
}

/// A seal that was rolled back was never given: the line waits as before.
pub fn a_seal_that_was_rolled_back_is_none(whole: &Whole) {
    Shop::open(&whole.bench);
    tell(whole, [1, 2]);
    let failed: Stored<()> = whole.office.write(|tx| {
        assert_eq!(seal(tx, 9)?, 2);
        assert_eq!(tx.seals().waiting(9)?.lines, 0);
        Err(StoreError::Fault("rolled back".into()))
    });
    assert!(failed.is_err());
    assert_eq!(office(whole, |tx| tx.seals().newest()), Seal::default());
    assert_eq!(office(whole, |tx| tx.seals().waiting(9)).lines, 2);
    let reads: Stored<Seal> = whole.office.read(|tx| tx.seals().claim());
    assert!(matches!(reads, Err(StoreError::Fault(_))), "who reads claims nothing");
}

/// Sealed lines come in the order of their numbers, from one on, `limit` at most.
pub fn sealed_lines_come_in_parts(whole: &Whole) {
    Shop::open(&whole.bench);
    tell(whole, 1..=6);
    assert_eq!(office(whole, |tx| seal(tx, 5)), 5);
    let numbers = |from, limit| {
        let lines = office(whole, |tx| tx.seals().sealed(from, limit));
        lines.into_iter().map(|line| (line.sequence, line.line.id)).collect::<Vec<_>>()
    };
    assert_eq!(numbers(1, 2), [(1, id(1)), (2, id(2))]);
    assert_eq!(numbers(4, 9), [(4, id(4)), (5, id(5))]);
    assert_eq!(numbers(i64::MIN, 1), [(1, id(1))]);
    assert_eq!(numbers(6, 9), []);
}

/// A line whose unit of work is committed after later lines were sealed is sealed after them.
pub fn a_line_that_comes_late_is_sealed(whole: &Whole) {
    Shop::open(&whole.bench);
    let (told, sealed) = (Signal::default(), Signal::default());
    both(
        || {
            write(&whole.bench, |tx| {
                tx.audit().tell(&event(1))?;
                told.give();
                // a store that lets one in at a time holds the sealer back meanwhile
                sealed.wait_briefly();
                Ok(())
            });
        },
        || {
            told.wait();
            tell(whole, [2]);
            office::seal_audit(&*whole.office, &Folded).unwrap();
            sealed.give();
        },
    );
    office::seal_audit(&*whole.office, &Folded).unwrap();
    let lines = office(whole, |tx| tx.seals().sealed(1, 9));
    let mut ids: Vec<_> = lines.iter().map(|line| line.line.id.clone()).collect();
    ids.sort();
    assert_eq!(ids, [id(1), id(2)]);
    assert_eq!(lines.iter().map(|line| line.sequence).collect::<Vec<_>>(), [1, 2]);
}

/// Of two that seal at once each seals what the other has not.
pub fn two_sealers_seal_each_line_once(whole: &Whole) {
    Shop::open(&whole.bench);
    tell(whole, 1..=9);
    let crossing = Crossing::default();
    let sealing = || {
        office(whole, |tx| {
            tx.seals().newest()?;
            crossing.meet();
            seal(tx, 6)
        })
    };
    let (one, other) = both(sealing, sealing);
    assert_eq!([one.min(other), one.max(other)], [3, 6]);
    let verified = office::verify_audit(&*whole.office, &Folded, None, &mut |_| ()).unwrap();
    assert_eq!((verified.last.sequence, verified.fault), (9, None));
}

/// Whatever was told and sealed verifies, in any number of parts, and nothing waits any more.
pub fn a_sealed_audit_verifies(whole: &Whole) {
    Shop::open(&whole.bench);
    let verify = |outside| office::verify_audit(&*whole.office, &Folded, outside, &mut |_| ()).unwrap();
    let empty = verify(None);
    assert_eq!((empty.last, empty.fault), (Seal::default(), None));
    tell(whole, 1..=7);
    office(whole, |tx| seal(tx, 3));
    let third = office(whole, |tx| tx.seals().newest());
    let sealed = office::seal_audit(&*whole.office, &Folded).unwrap();
    assert_eq!((sealed.lines, sealed.newest.sequence), (4, 7));
    let again = office::seal_audit(&*whole.office, &Folded).unwrap();
    assert_eq!((again.lines, &again.newest), (0, &sealed.newest));
    let whole_chain = verify(Some(&third));
    assert_eq!((whole_chain.last, whole_chain.fault), (sealed.newest.clone(), None));
    assert!(office::has_seal(&*whole.office, &third).unwrap());
    assert!(office::has_seal(&*whole.office, &Seal::default()).unwrap());
    assert!(!office::has_seal(&*whole.office, &Seal { sequence: 3, hash: vec![1; 33] }).unwrap());
    assert!(!office::has_seal(&*whole.office, &Seal { sequence: 8, ..sealed.newest }).unwrap());
    let ahead = verify(Some(&Seal { sequence: 8, hash: vec![1; 33] }));
    assert_eq!(ahead.fault.map(|fault| fault.wrong.code()), Some("cut"));
}
