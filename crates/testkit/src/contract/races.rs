//! Concurrent logins, and logins that run while something ends their session.
//!
//! The second thread acts between the read and the write of the first. On a store that serializes
//! transactions, the second thread waits; each case passes there too, and no thread waits forever.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{CredentialKind, SessionFilter, SessionOrder};
use tillgate_domain::{EndReason, Epoch, PrincipalId, Scope, StoreExt, StoreResult};

use crate::contract_fixture::{
    ContractFixture, after_start, find_session, hash_requested_password, run_read, run_write, session_id,
};
use crate::rendezvous::{Rendezvous, ThreadSignal, run_both};
use crate::{AuthStoreHarness, Roster};

const PASSWORD_KIND: CredentialKind = CredentialKind::Password;

/// Changes a password as the back office does: sets another secret, then ends all sessions of its
/// owner.
fn change_password(harness: &AuthStoreHarness, owner: PrincipalId) -> StoreResult<()> {
    harness.insert_roster(&Roster {
        passwords: vec![(owner, hash_requested_password("hash of another"), after_start(9))],
        ..Roster::default()
    });
    harness.store.write("test", |tx| {
        let filter = match owner {
            PrincipalId::User(id) => SessionFilter { user: Some(id), ..SessionFilter::default() },
            PrincipalId::Device(id) => SessionFilter { device: Some(id), ..SessionFilter::default() },
        };
        for listed in tx.sessions().list(&filter, SessionOrder::Newest, None, 100)? {
            tx.revocations().end_session(listed.session.id, EndReason::Password, after_start(9))?;
        }
        Ok(())
    })
}

/// Whether the session exists and has not ended.
fn session_survives(harness: &AuthStoreHarness, number: u8) -> bool {
    find_session(harness, session_id(number)).is_some_and(|session| session.ended.is_none())
}

/// Replaces the secret at the version that was read, and then ends all sessions of its owner.
/// Returns false if the version has changed.
fn replace_password(harness: &AuthStoreHarness, owner: PrincipalId) -> StoreResult<bool> {
    let version = run_read(harness, |tx| tx.credentials().find(owner, PASSWORD_KIND)).map_or(0, |found| found.version);
    harness.store.write("test", |tx| {
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
        for listed in tx.sessions().list(&filter, SessionOrder::Newest, None, 100)? {
            tx.revocations().end_session(listed.session.id, EndReason::Password, after_start(9))?;
        }
        Ok(true)
    })
}

/// Runs a login and a password change concurrently. If `first`, the change comes before the login's
/// claim, otherwise after it.
fn race_login_with_password(harness: &AuthStoreHarness, first: bool, change: impl FnOnce(PrincipalId) + Send) {
    let fixture = ContractFixture::insert_into(harness);
    let anna = PrincipalId::User(fixture.anna.id);
    let (reached, changed) = (ThreadSignal::default(), ThreadSignal::default());
    let meet = || {
        reached.set();
        changed.wait_briefly();
    };
    run_both(
        || {
            run_write(harness, |tx| {
                let version = tx.credentials().find(anna, PASSWORD_KIND)?.map_or(0, |found| found.version);
                if first {
                    meet();
                }
                let won = tx.credentials().claim(anna, PASSWORD_KIND, version, None, after_start(8))?;
                if !first {
                    meet();
                }
                if won { tx.sessions().insert(&fixture.new_session(1)) } else { Ok(()) }
            });
        },
        || {
            reached.wait();
            change(anna);
            changed.set();
        },
    );
    assert!(!session_survives(harness, 1), "a session created with the old password survives the change");
}

/// No session with the old password survives a password change that comes after the login has
/// claimed the credential.
pub fn password_change_waits_for_a_claimed_login(harness: &AuthStoreHarness) {
    race_login_with_password(harness, false, |anna| change_password(harness, anna).unwrap());
}

/// No session with the old password survives a password change that comes between the login's read
/// and its claim: the claim fails.
pub fn password_change_invalidates_an_unclaimed_login(harness: &AuthStoreHarness) {
    race_login_with_password(harness, true, |anna| change_password(harness, anna).unwrap());
}

/// No session with the old secret survives a replacement that comes after the login has claimed the
/// credential.
pub fn replacement_waits_for_a_claimed_login(harness: &AuthStoreHarness) {
    race_login_with_password(harness, false, |anna| assert!(replace_password(harness, anna).unwrap()));
}

/// No session with the old secret survives a replacement that comes between the login's read and
/// its claim: the claim fails.
pub fn replacement_invalidates_an_unclaimed_login(harness: &AuthStoreHarness) {
    race_login_with_password(harness, true, |anna| assert!(replace_password(harness, anna).unwrap()));
}

/// Of two concurrent replacements of the same secret, exactly one succeeds.
pub fn concurrent_replacements_of_one_secret_succeed_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let anna = PrincipalId::User(fixture.anna.id);
    let version = run_read(harness, |tx| tx.credentials().find(anna, PASSWORD_KIND)).map_or(0, |found| found.version);
    let replace = |text: &'static str| {
        run_write(harness, |tx| {
            tx.credentials().replace(anna, PASSWORD_KIND, version, &hash_requested_password(text), after_start(9))
        })
    };
    let (one, other) = run_both(|| replace("one"), || replace("other"));
    assert!(one != other, "exactly one has replaced it");
    let kept = run_read(harness, |tx| tx.credentials().find(anna, PASSWORD_KIND)).unwrap();
    assert_eq!(kept.verifier, hash_requested_password(if one { "one" } else { "other" }));
}

/// Runs a login and a raise of the epoch concurrently. If `before`, the raise comes before the
/// login's claim, otherwise after it.
fn race_login_with_raise(harness: &AuthStoreHarness, own: bool, before: bool) {
    let fixture = ContractFixture::insert_into(harness);
    let scope = if own { Scope::Device(fixture.till.id) } else { Scope::User(fixture.anna.id) };
    let session = if own {
        Session { kind: tillgate_auth_core::SessionKind::Device, user: None, ..fixture.new_till_session(1) }
    } else {
        fixture.new_session(1)
    };
    let (reached, raised) = (ThreadSignal::default(), ThreadSignal::default());
    let meet = || {
        reached.set();
        raised.wait_briefly();
    };
    let ((), raise) = run_both(
        || {
            run_write(harness, |tx| {
                let epoch = if own {
                    tx.devices().find(fixture.till.id)?.map_or(Epoch(-1), |till| till.epoch)
                } else {
                    tx.users().find(fixture.anna.id)?.map_or(Epoch(-1), |anna| anna.epoch)
                };
                if before {
                    meet();
                }
                let won = if own {
                    tx.devices().claim(fixture.till.id, epoch, after_start(8))?
                } else {
                    tx.users().claim(fixture.anna.id, epoch, after_start(8))?
                };
                if !before {
                    meet();
                }
                if won { tx.sessions().insert(&session) } else { Ok(()) }
            });
        },
        || {
            reached.wait();
            let raise =
                run_write(harness, |tx| tx.revocations().bump_epoch(scope, EndReason::Suspended, after_start(9)));
            raised.set();
            raise
        },
    );
    assert_eq!(raise, Some(Epoch(1)));
    assert!(!session_survives(harness, 1), "a session created under the old epoch survives the raise");
}

/// No session survives a raise of its user's epoch that comes after the login has claimed the user.
pub fn epoch_bump_waits_for_a_claimed_login(harness: &AuthStoreHarness) {
    race_login_with_raise(harness, false, false);
}

/// No session survives a raise of its user's epoch that comes between the login's read and its
/// claim: the claim fails.
pub fn epoch_bump_invalidates_an_unclaimed_login(harness: &AuthStoreHarness) {
    race_login_with_raise(harness, false, true);
}

/// No session of a device that logs in as itself survives a raise of the device's epoch that comes
/// after the claim.
pub fn epoch_bump_waits_for_a_claimed_device_login(harness: &AuthStoreHarness) {
    race_login_with_raise(harness, true, false);
}

/// No session of a device that logs in as itself survives a raise of the device's epoch that comes
/// before the claim: the claim fails.
pub fn epoch_bump_invalidates_an_unclaimed_device_login(harness: &AuthStoreHarness) {
    race_login_with_raise(harness, true, true);
}

/// Of two concurrent logins on one sale device, exactly one takes the seat; the other one's attempt
/// returns false, and it then finds the session in the seat.
pub fn concurrent_logins_fill_one_seat(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let crossing = Rendezvous::default();
    let login = |number: u8| {
        run_write(harness, |tx| {
            let seat = tx.devices().find(fixture.till.id)?.and_then(|till| till.seat);
            crossing.wait();
            let won = tx.devices().seat(fixture.till.id, seat, Some(session_id(number)))?;
            if won {
                if let Some(before) = seat {
                    tx.revocations().end_session(before, EndReason::Replaced, after_start(9))?;
                }
                tx.sessions().insert(&fixture.new_till_session(number))?;
            }
            let holder = tx.devices().find(fixture.till.id)?.and_then(|till| till.seat);
            Ok((won, holder))
        })
    };
    let (one, other) = run_both(|| login(1), || login(2));
    let seat = run_read(harness, |tx| tx.devices().find(fixture.till.id)).and_then(|till| till.seat);
    let live: Vec<u8> = [1, 2].into_iter().filter(|number| session_survives(harness, *number)).collect();
    assert_eq!(live.len(), 1, "{live:?} sit on one till");
    assert_eq!(seat, Some(session_id(live[0])));
    for (number, (won, holder)) in [(1, one), (2, other)] {
        if won {
            assert_eq!(holder, Some(session_id(number)));
        } else {
            assert_eq!(holder, Some(session_id(3 - number)), "the loser reads the winner's change");
        }
    }
}

/// Of two concurrent generations of a permanent token for one device, exactly one takes the
/// pairing; the other one's attempt returns false, and it then finds the session that has it.
pub fn concurrent_generations_fill_one_pairing(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let crossing = Rendezvous::default();
    let generate = |number: u8| {
        run_write(harness, |tx| {
            tx.devices().find(fixture.till.id)?;
            crossing.wait();
            let won = tx.devices().pair(fixture.till.id, None, Some(session_id(number)))?;
            let holder = tx.devices().find(fixture.till.id)?.and_then(|till| till.pairing);
            Ok((won, holder))
        })
    };
    let (one, other) = run_both(|| generate(1), || generate(2));
    let pairing = run_read(harness, |tx| tx.devices().find(fixture.till.id)).and_then(|till| till.pairing);
    assert_ne!(one.0, other.0, "one of the two");
    assert_eq!(pairing, Some(session_id(if one.0 { 1 } else { 2 })));
    assert_eq!((one.1, other.1), (pairing, pairing), "the loser reads the winner's change");
}
