use super::super::seal::Line;
use super::*;

/// A digest that is none: enough to tell what is different.
struct Sum(u8);

impl Signet for Sum {
    fn press(&self, bytes: &[u8]) -> [u8; 32] {
        let mut digest = [self.0; 32];
        for (number, byte) in bytes.iter().enumerate() {
            let place = &mut digest[number % 32];
            *place = place.wrapping_mul(31).wrapping_add(*byte).rotate_left(3);
        }
        digest
    }
}

fn chain(length: u8) -> Vec<SealedLine> {
    let mut last = Seal::default();
    (1..=length)
        .map(|number| {
            let line = Line { id: vec![number; 16], at: i64::from(number), ..Line::default() };
            let seal = last.next(&Sum(7), &line);
            let previous = Some(std::mem::replace(&mut last, seal.clone()).hash);
            SealedLine { line, sequence: seal.sequence, previous, hash: Some(seal.hash) }
        })
        .collect()
}

fn seal(line: &SealedLine) -> Seal {
    Seal { sequence: line.sequence, hash: line.hash.clone().unwrap() }
}

/// The number of lines that were taken, and what stopped the way.
fn walk(lines: &[SealedLine], outside: Option<Seal>, newest: &Seal) -> (usize, Result<(), Wrong>) {
    let mut chain = Chain::noted(outside);
    for (taken, line) in lines.iter().enumerate() {
        if let Err(wrong) = chain.take(&Sum(7), line) {
            return (taken, Err(wrong));
        }
    }
    (lines.len(), chain.end(newest))
}

#[test]
fn a_whole_chain_is_taken_and_so_is_none() {
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
fn whatever_a_line_says_is_covered() {
    let changes: &[fn(&mut SealedLine)] = &[
        |sealed| sealed.line.id[15] ^= 1,
        |sealed| sealed.line.at ^= 1,
        |sealed| sealed.line.tenant = Some(vec![1]),
        |sealed| sealed.line.user = Some(vec![1]),
        |sealed| sealed.line.device = Some(vec![1]),
        |sealed| sealed.line.session = Some(vec![1]),
        |sealed| sealed.line.address = Some(vec![1]),
        |sealed| sealed.line.action.push(1),
        |sealed| sealed.line.subject.push(1),
        |sealed| sealed.line.subject_id = Some(vec![1]),
        |sealed| sealed.line.outcome.push(1),
        |sealed| sealed.line.details.push(b' '),
        |sealed| sealed.line.approver = Some(Vec::new()),
        |sealed| sealed.line.operation = Some(vec![1]),
        |sealed| sealed.hash.as_mut().unwrap()[32] ^= 1,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut lines = chain(5);
        let newest = seal(&lines[4]);
        change(&mut lines[2]);
        assert_eq!(walk(&lines, None, &newest), (2, Err(Wrong::Changed)), "{number}");
    }
}

#[test]
fn a_line_that_is_removed_moved_or_robbed_of_its_seal_is_named() {
    let whole = chain(6);
    let newest = seal(&whole[5]);
    let with = |change: &dyn Fn(&mut Vec<SealedLine>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        walk(&lines, None, &newest)
    };
    assert_eq!(with(&|lines| drop(lines.remove(2))), (2, Err(Wrong::Missing { first: 3, last: 3 })));
    assert_eq!(with(&|lines| drop(lines.drain(0..2))), (0, Err(Wrong::Missing { first: 1, last: 2 })));
    let renumbered = with(&|lines| {
        lines.remove(2);
        lines[2..].iter_mut().for_each(|line| line.sequence -= 1);
    });
    assert_eq!(renumbered, (2, Err(Wrong::Detached)));
    let swapped = with(&|lines| {
        let (one, other) = (lines[1].line.clone(), lines[4].line.clone());
        (lines[1].line, lines[4].line) = (other, one);
    });
    assert_eq!(swapped, (1, Err(Wrong::Changed)));
    assert_eq!(with(&|lines| lines[3].sequence = 3), (3, Err(Wrong::OutOfOrder)));
    assert_eq!(with(&|lines| lines[0].sequence = -1), (0, Err(Wrong::OutOfOrder)));
    assert_eq!(with(&|lines| lines[3].hash = None), (3, Err(Wrong::Unreadable)));
    assert_eq!(with(&|lines| lines[3].hash.as_mut().unwrap()[0] = 9), (3, Err(Wrong::Unreadable)));
    assert_eq!(with(&|lines| lines[3].previous = None), (3, Err(Wrong::Detached)));
}

#[test]
fn a_tail_that_was_cut_off_is_found_by_whoever_knows_of_it() {
    let lines = chain(6);
    let (newest, left) = (seal(&lines[5]), &lines[..4]);
    let cut = |told_by| (4, Err(Wrong::Cut { newest: 6, told_by }));
    assert_eq!(walk(left, None, &newest), cut(ToldBy::Database));
    assert_eq!(walk(left, Some(newest.clone()), &seal(&lines[3])), cut(ToldBy::Outside));
    // nobody knows
    assert_eq!(walk(left, Some(seal(&lines[2])), &seal(&lines[3])), (4, Ok(())));
    assert_eq!(walk(&lines, None, &seal(&lines[3])), (6, Err(Wrong::Beyond { newest: 4 })));
    let other = Seal { sequence: 6, hash: vec![1] };
    assert_eq!(walk(&lines, None, &other), (6, Err(Wrong::Other { told_by: ToldBy::Database })));
    assert_eq!(walk(&lines, Some(other), &newest), (5, Err(Wrong::Other { told_by: ToldBy::Outside })));
}

#[test]
fn another_key_makes_other_seals() {
    let lines = chain(2);
    assert_eq!(Chain::default().take(&Sum(8), &lines[0]), Err(Wrong::Changed));
}
