use super::super::seal::StoredEvent;
use super::*;

/// A stand-in for a digest, sufficient to detect differences.
struct TestSealKey(u8);

impl SealKey for TestSealKey {
    fn compute_mac(&self, bytes: &[u8]) -> [u8; 32] {
        let mut digest = [self.0; 32];
        for (number, byte) in bytes.iter().enumerate() {
            let place = &mut digest[number % 32];
            *place = place.wrapping_mul(31).wrapping_add(*byte).rotate_left(3);
        }
        digest
    }
}

fn chain(length: u8) -> Vec<SealedEvent> {
    let mut last = Seal::default();
    (1..=length)
        .map(|number| {
            let line = StoredEvent { id: vec![number; 16], at: i64::from(number), ..StoredEvent::default() };
            let seal = last.seal_next(&TestSealKey(7), &line);
            let previous = Some(std::mem::replace(&mut last, seal.clone()).hash);
            SealedEvent { event: line, sequence: seal.sequence, previous, hash: Some(seal.hash) }
        })
        .collect()
}

fn seal(line: &SealedEvent) -> Seal {
    Seal { sequence: line.sequence, hash: line.hash.clone().unwrap() }
}

/// The number of verified events, and the error that ended the verification.
fn walk(lines: &[SealedEvent], outside: Option<Seal>, newest: &Seal) -> (usize, Result<(), ChainError>) {
    let mut chain = ChainVerifier::new(outside);
    for (taken, line) in lines.iter().enumerate() {
        if let Err(wrong) = chain.verify_next(&TestSealKey(7), line) {
            return (taken, Err(wrong));
        }
    }
    (lines.len(), chain.finish(newest))
}

#[test]
fn intact_and_empty_chains_verify() {
    let lines = chain(5);
    let newest = seal(&lines[4]);
    assert_eq!(walk(&lines, None, &newest), (5, Ok(())));
    for noted in &lines {
        assert_eq!(walk(&lines, Some(seal(noted)), &newest), (5, Ok(())));
    }
    assert_eq!(walk(&[], None, &Seal::default()), (0, Ok(())));
    assert_eq!(walk(&[], Some(Seal::default()), &Seal::default()), (0, Ok(())));
}

#[test]
fn seal_covers_every_field_of_event() {
    let changes: &[fn(&mut SealedEvent)] = &[
        |sealed| sealed.event.id[15] ^= 1,
        |sealed| sealed.event.at ^= 1,
        |sealed| sealed.event.tenant = Some(vec![1]),
        |sealed| sealed.event.user = Some(vec![1]),
        |sealed| sealed.event.device = Some(vec![1]),
        |sealed| sealed.event.session = Some(vec![1]),
        |sealed| sealed.event.address = Some(vec![1]),
        |sealed| sealed.event.action.push(1),
        |sealed| sealed.event.subject.push(1),
        |sealed| sealed.event.subject_id = Some(vec![1]),
        |sealed| sealed.event.outcome.push(1),
        |sealed| sealed.event.details.push(b' '),
        |sealed| sealed.event.approver = Some(Vec::new()),
        |sealed| sealed.event.operation = Some(vec![1]),
        |sealed| sealed.hash.as_mut().unwrap()[32] ^= 1,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut lines = chain(5);
        let newest = seal(&lines[4]);
        change(&mut lines[2]);
        assert_eq!(walk(&lines, None, &newest), (2, Err(ChainError::Changed)), "{number}");
    }
}

#[test]
fn removed_moved_or_unsealed_event_is_reported() {
    let whole = chain(6);
    let newest = seal(&whole[5]);
    let with = |change: &dyn Fn(&mut Vec<SealedEvent>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        walk(&lines, None, &newest)
    };
    assert_eq!(with(&|lines| drop(lines.remove(2))), (2, Err(ChainError::Missing { first: 3, last: 3 })));
    assert_eq!(with(&|lines| drop(lines.drain(0..2))), (0, Err(ChainError::Missing { first: 1, last: 2 })));
    let renumbered = with(&|lines| {
        lines.remove(2);
        lines[2..].iter_mut().for_each(|line| line.sequence -= 1);
    });
    assert_eq!(renumbered, (2, Err(ChainError::Detached)));
    let swapped = with(&|lines| {
        let (one, other) = (lines[1].event.clone(), lines[4].event.clone());
        (lines[1].event, lines[4].event) = (other, one);
    });
    assert_eq!(swapped, (1, Err(ChainError::Changed)));
    assert_eq!(with(&|lines| lines[3].sequence = 3), (3, Err(ChainError::OutOfOrder)));
    assert_eq!(with(&|lines| lines[0].sequence = -1), (0, Err(ChainError::OutOfOrder)));
    assert_eq!(with(&|lines| lines[3].hash = None), (3, Err(ChainError::Unreadable)));
    assert_eq!(with(&|lines| lines[3].hash.as_mut().unwrap()[0] = 9), (3, Err(ChainError::Unreadable)));
    assert_eq!(with(&|lines| lines[3].previous = None), (3, Err(ChainError::Detached)));
}

#[test]
fn truncated_tail_is_found_by_noted_seal() {
    let lines = chain(6);
    let (newest, left) = (seal(&lines[5]), &lines[..4]);
    let cut = |told_by| (4, Err(ChainError::Truncated { newest: 6, source: told_by }));
    assert_eq!(walk(left, None, &newest), cut(SealSource::Database));
    assert_eq!(walk(left, Some(newest.clone()), &seal(&lines[3])), cut(SealSource::Outside));
    // nobody knows
    assert_eq!(walk(left, Some(seal(&lines[2])), &seal(&lines[3])), (4, Ok(())));
    assert_eq!(walk(&lines, None, &seal(&lines[3])), (6, Err(ChainError::PastNewest { newest: 4 })));
    let other = Seal { sequence: 6, hash: vec![1] };
    assert_eq!(walk(&lines, None, &other), (6, Err(ChainError::SealMismatch { source: SealSource::Database })));
    assert_eq!(walk(&lines, Some(other), &newest), (5, Err(ChainError::SealMismatch { source: SealSource::Outside })));
}

#[test]
fn different_key_makes_different_seals() {
    let lines = chain(2);
    assert_eq!(ChainVerifier::default().verify_next(&TestSealKey(8), &lines[0]), Err(ChainError::Changed));
}
