//! The chain of seals while events are recorded: concurrent writers, sealers and verifiers.

use std::sync::atomic::{AtomicU32, Ordering};

use tillgate_domain::office;

use super::{SEAL_KEY, test_event, verify_chain, write_sealed_events};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::TestDatabase;

tillgate_testkit::on_both_databases!(
    concurrent_writers_and_two_sealers_lose_no_event,
    chain_of_several_batches_verifies_while_it_grows
);

fn concurrent_writers_and_two_sealers_lose_no_event(engine: DatabaseEngine) {
    const WRITER_COUNT: u64 = 6;
    const EVENTS_PER_WRITER: u64 = 60;
    let fresh = &TestDatabase::on(engine).with_fixture();
    let left = AtomicU32::new(u32::try_from(WRITER_COUNT).unwrap());
    std::thread::scope(|scope| {
        for writer in 0..WRITER_COUNT {
            let left = &left;
            scope.spawn(move || {
                for number in 0..EVENTS_PER_WRITER {
                    fresh.write(|tx| {
                        tx.audit().record(&test_event(writer * 1_000 + number * 2))?;
                        tx.audit().record(&test_event(writer * 1_000 + number * 2 + 1))
                    });
                }
                left.fetch_sub(1, Ordering::SeqCst);
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                while left.load(Ordering::SeqCst) > 0 {
                    office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap();
                }
            });
        }
    });
    while office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap().events > 0 {}
    let verified = verify_chain(fresh, None);
    assert_eq!(
        (verified.last.sequence, verified.fault),
        (i64::try_from(WRITER_COUNT * EVENTS_PER_WRITER * 2).unwrap(), None)
    );
    let number =
        fresh.raw().query_texts("SELECT CAST(COUNT(DISTINCT id) AS TEXT) AS text FROM audit WHERE hash IS NOT NULL");
    assert_eq!(number, [(WRITER_COUNT * EVENTS_PER_WRITER * 2).to_string()]);
}

fn chain_of_several_batches_verifies_while_it_grows(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    fresh.write(|tx| (1..=2_100).try_for_each(|number| tx.audit().record(&test_event(number))));
    while office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap().has_more {}
    let mut grown = 3_000;
    let mut parts = Vec::new();
    let verified = office::unguarded::verify_audit(&*fresh.database, &SEAL_KEY, None, &mut |number| {
        parts.push(number);
        grown += 1;
        fresh.write(|tx| tx.audit().record(&test_event(grown)));
        office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap();
    });
    let verified = verified.unwrap();
    assert_eq!((verified.last.sequence, verified.fault), (2_100, None));
    assert!(parts.len() >= 2, "{parts:?}");
}

#[test]
#[ignore = "requires PostgreSQL"]
fn writers_do_not_wait_for_the_sealer_on_postgres() {
    use std::sync::mpsc::channel;
    let fresh = TestDatabase::postgres().with_fixture();
    write_sealed_events(&fresh, 2);
    fresh.write(|tx| tx.audit().record(&test_event(3)));
    let (claimed, claiming) = channel();
    let (written, writing) = channel::<()>();
    let sealing = &fresh;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            sealing.write_office(|tx| {
                let before = tx.seals().claim()?;
                let line = tx.seals().list_unsealed(1)?.remove(0);
                let seal = before.seal_next(&SEAL_KEY, &line);
                tx.seals().insert_seals(&before, &[(line.id, seal)])?;
                let _ = claimed.send(());
                // it stays open until the writer has committed, or gives up after a while
                assert!(writing.recv_timeout(std::time::Duration::from_secs(10)).is_ok(), "the writer waited");
                Ok(())
            });
        });
        claiming.recv().unwrap();
        fresh.write(|tx| tx.audit().record(&test_event(4)));
        written.send(()).unwrap();
    });
    office::unguarded::seal_audit(&*fresh.database, &SEAL_KEY).unwrap();
    assert_eq!(verify_chain(&fresh, None).last.sequence, 4);
}
