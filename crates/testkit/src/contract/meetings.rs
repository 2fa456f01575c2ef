//! A login meets what would end it, or another login, between the read and the write. On a store that lets one in at a time the second simply waits; each case
//! holds there too, and nowhere does one wait for ever.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{CredentialKind, SessionFilter};
use tillgate_domain::{EndedWhy, Epoch, PrincipalId, Scope, StoreExt, Stored};

use crate::meeting::{Crossing, Signal, both};
use crate::shop::{Shop, at, found, read, session_id, verifier, write};
use crate::{Bench, Roster};

const KIND: CredentialKind = CredentialKind::Password;

/// A password change as a store sees it: another secret, then an end to every session of its owner.
fn change_password(bench: &Bench, owner: PrincipalId) -> Stored<()> {
    bench.enroll(&Roster { passwords: vec![(owner, verifier("hash of another"), at(9))], ..Roster::default() });
    bench.store.write(|tx| {
        let filter = match owner {
            PrincipalId::User(id) => SessionFilter { user: Some(id), ..SessionFilter::default() },
            PrincipalId::Device(id) => SessionFilter { device: Some(id), ..SessionFilter::default() },
        };
        for listed in tx.sessions().list(&filter, None, 100)? {
            tx.endings().end(listed.session.id, EndedWhy::Password, at(9))?;
        }
        Ok(())
    })
}

/// Whether a session is there and has not been ended.
fn survives(bench: &Bench, number: u8) -> bool {
    found(bench, session_id(number)).is_some_and(|session| session.ended.is_none())
}

/// The same as whoever knows the old secret does it: by the version that was read. False where that has moved on.
fn replace_password(bench: &Bench, owner: PrincipalId) -> Stored<bool> {
    let version = read(bench, |tx| tx.credentials().find(owner, KIND)).map_or(0, |found| found.version);
    bench.store.write(|tx| {
        if !tx.credentials().replace(owner, KIND, version, &verifier("hash of another"), at(9))? {
            return Ok(false);
        }
        let PrincipalId::User(user) = owner else { return Ok(true) };
        let filter = SessionFilter { user: Some(user), ..SessionFilter::default() };
        for listed in tx.sessions().list(&filter, None, 100)? {
            tx.endings().end(listed.session.id, EndedWhy::Password, at(9))?;
        }
        Ok(true)
    })
}

/// A login under way on one side, another password on the other, which comes after the claim or, where `first`, before it.
fn login_meets_password(bench: &Bench, first: bool, change: impl FnOnce(PrincipalId) + Send) {
    let shop = Shop::open(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let (reached, changed) = (Signal::default(), Signal::default());
    let meet = || {
        reached.give();
        changed.wait_briefly();
    };
    both(
        || {
            write(bench, |tx| {
                let version = tx.credentials().find(anna, KIND)?.map_or(0, |found| found.version);
                if first {
                    meet();
                }
                let won = tx.credentials().claim(anna, KIND, version, None, at(8))?;
                if !first {
                    meet();
                }
                if won { tx.sessions().insert(&shop.session(1)) } else { Ok(()) }
            });
        },
        || {
            reached.wait();
            change(anna);
            changed.give();
        },
    );
    assert!(!survives(bench, 1), "a session made with the old password survives the change");
}

/// No session that was made with the old password survives its change: the login has claimed the credential, the change comes.
pub fn a_password_change_waits_for_a_claimed_login(bench: &Bench) {
    login_meets_password(bench, false, |anna| change_password(bench, anna).unwrap());
}

/// No session that was made with the old password survives its change: the login has read, the change comes, the claim is lost.
pub fn a_login_loses_to_a_password_change(bench: &Bench) {
    login_meets_password(bench, true, |anna| change_password(bench, anna).unwrap());
}

/// The same where the old secret is replaced by its version: the login has claimed the credential, the replacement comes.
pub fn a_replacement_waits_for_a_claimed_login(bench: &Bench) {
    login_meets_password(bench, false, |anna| assert!(replace_password(bench, anna).unwrap()));
}

/// The same where the old secret is replaced by its version: the login has read, the replacement comes, the claim is lost.
pub fn a_login_loses_to_a_replacement(bench: &Bench) {
    login_meets_password(bench, true, |anna| assert!(replace_password(bench, anna).unwrap()));
}

/// Of two who replace the same secret at once one is told that it has moved on.
pub fn two_replacements_of_one_secret(bench: &Bench) {
    let shop = Shop::open(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let version = read(bench, |tx| tx.credentials().find(anna, KIND)).map_or(0, |found| found.version);
    let replace =
        |text: &'static str| write(bench, |tx| tx.credentials().replace(anna, KIND, version, &verifier(text), at(9)));
    let (one, other) = both(|| replace("one"), || replace("other"));
    assert!(one != other, "one and only one has replaced it");
    let kept = read(bench, |tx| tx.credentials().find(anna, KIND)).unwrap();
    assert_eq!(kept.verifier, verifier(if one { "one" } else { "other" }));
}

/// A login under way on one side, a raise on the other; `before` the claim or after it.
fn login_meets_raise(bench: &Bench, own: bool, before: bool) {
    let shop = Shop::open(bench);
    let scope = if own { Scope::Device(shop.till.id) } else { Scope::User(shop.anna.id) };
    let session = if own {
        Session { kind: tillgate_auth_core::SessionKind::Device, user: None, ..shop.session_on_till(1) }
    } else {
        shop.session(1)
    };
    let (reached, raised) = (Signal::default(), Signal::default());
    let meet = || {
        reached.give();
        raised.wait_briefly();
    };
    let ((), raise) = both(
        || {
            write(bench, |tx| {
                let epoch = if own {
                    tx.devices().find(shop.till.id)?.map_or(Epoch(-1), |till| till.epoch)
                } else {
                    tx.users().find(shop.anna.id)?.map_or(Epoch(-1), |anna| anna.epoch)
                };
                if before {
                    meet();
                }
                let won = if own {
                    tx.devices().claim(shop.till.id, epoch, at(8))?
                } else {
                    tx.users().claim(shop.anna.id, epoch, at(8))?
                };
                if !before {
                    meet();
                }
                if won { tx.sessions().insert(&session) } else { Ok(()) }
            });
        },
        || {
            reached.wait();
            let raise = write(bench, |tx| tx.endings().raise(scope, EndedWhy::Suspended, at(9)));
            raised.give();
            raise
        },
    );
    assert_eq!(raise, Some(Epoch(1)));
    assert!(!survives(bench, 1), "a session made under the old epoch survives the raise");
}

/// No session survives the raise of its user's epoch: the login has claimed the user, the raise comes.
pub fn a_raise_waits_for_a_claimed_login(bench: &Bench) {
    login_meets_raise(bench, false, false);
}

/// No session survives the raise of its user's epoch: the login has read, the raise comes, the claim is lost.
pub fn a_login_loses_to_a_raise(bench: &Bench) {
    login_meets_raise(bench, false, true);
}

/// The same of a device that logs in as itself, claimed.
pub fn a_raise_waits_for_a_claimed_login_of_a_device(bench: &Bench) {
    login_meets_raise(bench, true, false);
}

/// The same of a device that logs in as itself, not yet claimed.
pub fn a_login_of_a_device_loses_to_a_raise(bench: &Bench) {
    login_meets_raise(bench, true, true);
}

/// Of two logins that meet at the seat of a sale device one takes it; the other is told no and finds who sits there.
pub fn two_logins_meet_at_the_seat(bench: &Bench) {
    let shop = Shop::open(bench);
    let crossing = Crossing::default();
    let login = |number: u8| {
        write(bench, |tx| {
            let seat = tx.devices().find(shop.till.id)?.and_then(|till| till.seat);
            crossing.meet();
            let won = tx.devices().seat(shop.till.id, seat, Some(session_id(number)))?;
            if won {
                if let Some(before) = seat {
                    tx.endings().end(before, EndedWhy::Replaced, at(9))?;
                }
                tx.sessions().insert(&shop.session_on_till(number))?;
            }
            let holder = tx.devices().find(shop.till.id)?.and_then(|till| till.seat);
            Ok((won, holder))
        })
    };
    let (one, other) = both(|| login(1), || login(2));
    let seat = read(bench, |tx| tx.devices().find(shop.till.id)).and_then(|till| till.seat);
    let live: Vec<u8> = [1, 2].into_iter().filter(|number| survives(bench, *number)).collect();
    assert_eq!(live.len(), 1, "{live:?} sit on one till");
    assert_eq!(seat, Some(session_id(live[0])));
    for (number, (won, holder)) in [(1, one), (2, other)] {
        if won {
            assert_eq!(holder, Some(session_id(number)));
        } else {
            assert_eq!(holder, Some(session_id(3 - number)), "who lost sees who won");
        }
    }
}

/// Of two who generate a permanent token for one device at once one gets the pairing; the other is told no and finds who has it.
pub fn two_generations_meet_at_the_pairing(bench: &Bench) {
    let shop = Shop::open(bench);
    let crossing = Crossing::default();
    let generate = |number: u8| {
        write(bench, |tx| {
            tx.devices().find(shop.till.id)?;
            crossing.meet();
            let won = tx.devices().pair(shop.till.id, None, Some(session_id(number)))?;
            let holder = tx.devices().find(shop.till.id)?.and_then(|till| till.pairing);
            Ok((won, holder))
        })
    };
    let (one, other) = both(|| generate(1), || generate(2));
    let pairing = read(bench, |tx| tx.devices().find(shop.till.id)).and_then(|till| till.pairing);
    assert_ne!(one.0, other.0, "one of the two");
    assert_eq!(pairing, Some(session_id(if one.0 { 1 } else { 2 })));
    assert_eq!((one.1, other.1), (pairing, pairing), "who lost sees who won");
}
