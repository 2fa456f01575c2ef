//! A login meets what would end it, or another login, between the read and the write. On a store that lets one in at a time the second simply waits; each case
//! holds there too, and nowhere does one wait for ever.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{CredentialKind, SessionFilter};
use tillgate_domain::{EndReason, Epoch, PrincipalId, Scope, StoreExt, StoreResult};

use crate::contract_fixture::{
    ContractFixture, after_start, find_session, hash_requested_password, run_read, run_write, session_id,
};
use crate::rendezvous::{Rendezvous, ThreadSignal, run_both};
use crate::{AuthStoreHarness, Roster};

const PASSWORD_KIND: CredentialKind = CredentialKind::Password;

/// A password change as a store sees it: another secret, then an end to every session of its owner.
fn change_password(bench: &AuthStoreHarness, owner: PrincipalId) -> StoreResult<()> {
    bench.enroll(&Roster {
        passwords: vec![(owner, hash_requested_password("hash of another"), after_start(9))],
        ..Roster::default()
    });
    bench.store.write(|tx| {
        let filter = match owner {
            PrincipalId::User(id) => SessionFilter { user: Some(id), ..SessionFilter::default() },
            PrincipalId::Device(id) => SessionFilter { device: Some(id), ..SessionFilter::default() },
        };
        for listed in tx.sessions().list(&filter, None, 100)? {
            tx.revocations().end_session(listed.session.id, EndReason::Password, after_start(9))?;
        }
        Ok(())
    })
}

/// Whether a session is there and has not been ended.
fn session_survives(bench: &AuthStoreHarness, number: u8) -> bool {
    find_session(bench, session_id(number)).is_some_and(|session| session.ended.is_none())
}

/// The same as whoever knows the old secret does it: by the version that was read. False where that has moved on.
fn replace_password(bench: &AuthStoreHarness, owner: PrincipalId) -> StoreResult<bool> {
    let version = run_read(bench, |tx| tx.credentials().find(owner, PASSWORD_KIND)).map_or(0, |found| found.version);
    bench.store.write(|tx| {
        if !tx.credentials().replace(
            owner,
            PASSWORD_KIND,
            version,
            &hash_requested_password("hash of another"),
            after_start(9),
        )? {
            return Ok(false);
        }
        let PrincipalId::User(user) = owner else { return Ok(true) };
        let filter = SessionFilter { user: Some(user), ..SessionFilter::default() };
        for listed in tx.sessions().list(&filter, None, 100)? {
            tx.revocations().end_session(listed.session.id, EndReason::Password, after_start(9))?;
        }
        Ok(true)
    })
}

/// A login under way on one side, another password on the other, which comes after the claim or, where `first`, before it.
fn race_login_with_password(bench: &AuthStoreHarness, first: bool, change: impl FnOnce(PrincipalId) + Send) {
    let shop = ContractFixture::insert_into(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let (reached, changed) = (ThreadSignal::default(), ThreadSignal::default());
    let meet = || {
        reached.set();
        changed.wait_briefly();
    };
    run_both(
        || {
            run_write(bench, |tx| {
                let version = tx.credentials().find(anna, PASSWORD_KIND)?.map_or(0, |found| found.version);
                if first {
                    meet();
                }
                let won = tx.credentials().claim(anna, PASSWORD_KIND, version, None, after_start(8))?;
                if !first {
                    meet();
                }
                if won { tx.sessions().insert(&shop.new_session(1)) } else { Ok(()) }
            });
        },
        || {
            reached.wait();
            change(anna);
            changed.set();
        },
    );
    assert!(!session_survives(bench, 1), "a session made with the old password survives the change");
}

/// No session that was made with the old password survives its change: the login has claimed the credential, the change comes.
pub fn password_change_waits_for_a_claimed_login(bench: &AuthStoreHarness) {
    race_login_with_password(bench, false, |anna| change_password(bench, anna).unwrap());
}

/// No session that was made with the old password survives its change: the login has read, the change comes, the claim is lost.
pub fn password_change_invalidates_an_unclaimed_login(bench: &AuthStoreHarness) {
    race_login_with_password(bench, true, |anna| change_password(bench, anna).unwrap());
}

/// The same where the old secret is replaced by its version: the login has claimed the credential, the replacement comes.
pub fn replacement_waits_for_a_claimed_login(bench: &AuthStoreHarness) {
    race_login_with_password(bench, false, |anna| assert!(replace_password(bench, anna).unwrap()));
}

/// The same where the old secret is replaced by its version: the login has read, the replacement comes, the claim is lost.
pub fn replacement_invalidates_an_unclaimed_login(bench: &AuthStoreHarness) {
    race_login_with_password(bench, true, |anna| assert!(replace_password(bench, anna).unwrap()));
}

/// Of two who replace the same secret at once one is told that it has moved on.
pub fn concurrent_replacements_of_one_secret_succeed_once(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let version = run_read(bench, |tx| tx.credentials().find(anna, PASSWORD_KIND)).map_or(0, |found| found.version);
    let replace = |text: &'static str| {
        run_write(bench, |tx| {
            tx.credentials().replace(anna, PASSWORD_KIND, version, &hash_requested_password(text), after_start(9))
        })
    };
    let (one, other) = run_both(|| replace("one"), || replace("other"));
    assert!(one != other, "one and only one has replaced it");
    let kept = run_read(bench, |tx| tx.credentials().find(anna, PASSWORD_KIND)).unwrap();
    assert_eq!(kept.verifier, hash_requested_password(if one { "one" } else { "other" }));
}

/// A login under way on one side, a raise on the other; `before` the claim or after it.
fn race_login_with_raise(bench: &AuthStoreHarness, own: bool, before: bool) {
    let shop = ContractFixture::insert_into(bench);
    let scope = if own { Scope::Device(shop.till.id) } else { Scope::User(shop.anna.id) };
    let session = if own {
        Session { kind: tillgate_auth_core::SessionKind::Device, user: None, ..shop.new_till_session(1) }
    } else {
        shop.new_session(1)
    };
    let (reached, raised) = (ThreadSignal::default(), ThreadSignal::default());
    let meet = || {
        reached.set();
        raised.wait_briefly();
    };
    let ((), raise) = run_both(
        || {
            run_write(bench, |tx| {
                let epoch = if own {
                    tx.devices().find(shop.till.id)?.map_or(Epoch(-1), |till| till.epoch)
                } else {
                    tx.users().find(shop.anna.id)?.map_or(Epoch(-1), |anna| anna.epoch)
                };
                if before {
                    meet();
                }
                let won = if own {
                    tx.devices().claim(shop.till.id, epoch, after_start(8))?
                } else {
                    tx.users().claim(shop.anna.id, epoch, after_start(8))?
                };
                if !before {
                    meet();
                }
                if won { tx.sessions().insert(&session) } else { Ok(()) }
            });
        },
        || {
            reached.wait();
            let raise = run_write(bench, |tx| tx.revocations().bump_epoch(scope, EndReason::Suspended, after_start(9)));
            raised.set();
            raise
        },
    );
    assert_eq!(raise, Some(Epoch(1)));
    assert!(!session_survives(bench, 1), "a session made under the old epoch survives the raise");
}

/// No session survives the raise of its user's epoch: the login has claimed the user, the raise comes.
pub fn epoch_bump_waits_for_a_claimed_login(bench: &AuthStoreHarness) {
    race_login_with_raise(bench, false, false);
}

/// No session survives the raise of its user's epoch: the login has read, the raise comes, the claim is lost.
pub fn epoch_bump_invalidates_an_unclaimed_login(bench: &AuthStoreHarness) {
    race_login_with_raise(bench, false, true);
}

/// The same of a device that logs in as itself, claimed.
pub fn epoch_bump_waits_for_a_claimed_device_login(bench: &AuthStoreHarness) {
    race_login_with_raise(bench, true, false);
}

/// The same of a device that logs in as itself, not yet claimed.
pub fn epoch_bump_invalidates_an_unclaimed_device_login(bench: &AuthStoreHarness) {
    race_login_with_raise(bench, true, true);
}

/// Of two logins that meet at the seat of a sale device one takes it; the other is told no and finds who sits there.
pub fn concurrent_logins_fill_one_seat(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let crossing = Rendezvous::default();
    let login = |number: u8| {
        run_write(bench, |tx| {
            let seat = tx.devices().find(shop.till.id)?.and_then(|till| till.seat);
            crossing.wait();
            let won = tx.devices().seat(shop.till.id, seat, Some(session_id(number)))?;
            if won {
                if let Some(before) = seat {
                    tx.revocations().end_session(before, EndReason::Replaced, after_start(9))?;
                }
                tx.sessions().insert(&shop.new_till_session(number))?;
            }
            let holder = tx.devices().find(shop.till.id)?.and_then(|till| till.seat);
            Ok((won, holder))
        })
    };
    let (one, other) = run_both(|| login(1), || login(2));
    let seat = run_read(bench, |tx| tx.devices().find(shop.till.id)).and_then(|till| till.seat);
    let live: Vec<u8> = [1, 2].into_iter().filter(|number| session_survives(bench, *number)).collect();
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
pub fn concurrent_generations_fill_one_pairing(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let crossing = Rendezvous::default();
    let generate = |number: u8| {
        run_write(bench, |tx| {
            tx.devices().find(shop.till.id)?;
            crossing.wait();
            let won = tx.devices().pair(shop.till.id, None, Some(session_id(number)))?;
            let holder = tx.devices().find(shop.till.id)?.and_then(|till| till.pairing);
            Ok((won, holder))
        })
    };
    let (one, other) = run_both(|| generate(1), || generate(2));
    let pairing = run_read(bench, |tx| tx.devices().find(shop.till.id)).and_then(|till| till.pairing);
    assert_ne!(one.0, other.0, "one of the two");
    assert_eq!(pairing, Some(session_id(if one.0 { 1 } else { 2 })));
    assert_eq!((one.1, other.1), (pairing, pairing), "who lost sees who won");
}
