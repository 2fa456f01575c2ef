//! The chain while it grows: writers and sealers at once, and whoever verifies it meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};

use tillgate_domain::office;

use super::{SIGNET, event, sealed, verify};
use crate::on_both;
use crate::stores::Fresh;

on_both! {
    fn many_writers_and_two_sealers_lose_nothing(fresh) {
        const WRITERS: u64 = 6;
        const EACH: u64 = 60;
        let left = AtomicU32::new(u32::try_from(WRITERS).unwrap());
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let left = &left;
                scope.spawn(move || {
                    for number in 0..EACH {
                        fresh.write(|tx| {
                            tx.audit().tell(&event(writer * 1_000 + number * 2))?;
                            tx.audit().tell(&event(writer * 1_000 + number * 2 + 1))
                        });
                    }
                    left.fetch_sub(1, Ordering::SeqCst);
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    while left.load(Ordering::SeqCst) > 0 {
                        office::seal_audit(&*fresh.database, &SIGNET).unwrap();
                    }
                });
            }
        });
        while office::seal_audit(&*fresh.database, &SIGNET).unwrap().lines > 0 {}
        let verified = verify(fresh, None);
        assert_eq!((verified.last.sequence, verified.fault), (i64::try_from(WRITERS * EACH * 2).unwrap(), None));
        let number = fresh.raw().texts("SELECT CAST(COUNT(DISTINCT id) AS TEXT) AS text FROM audit WHERE hash IS NOT NULL");
        assert_eq!(number, [(WRITERS * EACH * 2).to_string()]);
    }

    fn a_chain_of_several_parts_verifies_while_it_grows(fresh) {
        fresh.write(|tx| (1..=2_100).try_for_each(|number| tx.audit().tell(&event(number))));
        while office::seal_audit(&*fresh.database, &SIGNET).unwrap().more {}
        let mut grown = 3_000;
        let mut parts = Vec::new();
        let verified = office::verify_audit(&*fresh.database, &SIGNET, None, &mut |number| {
            parts.push(number);
            grown += 1;
            fresh.write(|tx| tx.audit().tell(&event(grown)));
            office::seal_audit(&*fresh.database, &SIGNET).unwrap();
        });
        let verified = verified.unwrap();
        assert_eq!((verified.last.sequence, verified.fault), (2_100, None));
        assert!(parts.len() >= 2, "{parts:?}");
    }
}

#[test]
fn writers_do_not_wait_for_the_sealer_on_postgres() {
    use std::sync::mpsc::channel;
    let fresh = Fresh::postgres().with_shop();
    sealed(&fresh, 2);
    fresh.write(|tx| tx.audit().tell(&event(3)));
    let (claimed, claiming) = channel();
    let (written, writing) = channel::<()>();
    let sealing = &fresh;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            sealing.office(|tx| {
                let before = tx.seals().claim()?;
                let line = tx.seals().unsealed(1)?.remove(0);
                let seal = before.next(&SIGNET, &line);
                tx.seals().seal(&before, &[(line.id, seal)])?;
                let _ = claimed.send(());
                // it stays open until the writer has committed, or gives up after a while
                assert!(writing.recv_timeout(std::time::Duration::from_secs(10)).is_ok(), "the writer waited");
                Ok(())
            });
        });
        claiming.recv().unwrap();
        fresh.write(|tx| tx.audit().tell(&event(4)));
        written.send(()).unwrap();
    });
    office::seal_audit(&*fresh.database, &SIGNET).unwrap();
    assert_eq!(verify(&fresh, None).last.sequence, 4);
}
