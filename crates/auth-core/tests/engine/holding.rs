//! Wrong passwords hold back, through the login: five are free, a known place stays open, a hundred stop.

use std::net::IpAddr;
use std::time::Duration;

use tillgate_auth_core::{Error, Granted, Login, LoginRefusal, Refusal};
use tillgate_domain::PrincipalId;
use tillgate_domain::office;
use tillgate_testkit::clock::MORNING;

use crate::shop::{HOUR, MINUTE, Shop, address, by_device, by_user, done, login_refused, stamp, with_password};

fn wrong(login: &Login) -> Login {
    with_password(login.clone(), "wrong")
}

fn held(answer: Result<Granted, Error>) -> Duration {
    match answer.unwrap_err() {
        Error::Refused(Refusal::Held { retry_after }) => retry_after,
        other => panic!("{other:?}"),
    }
}

fn fails(shop: &Shop, login: &Login, times: usize) {
    for number in 1..=times {
        assert_eq!(login_refused(shop.auth.login(&wrong(login))), LoginRefusal::Mismatch, "wrong password {number}");
    }
}

fn from(login: &Login, address: IpAddr) -> Login {
    Login { address: Some(address), ..login.clone() }
}

#[test]
fn five_wrong_passwords_are_free_and_the_next_waits() {
    for name in ["cashier", "nobody"] {
        let shop = Shop::open();
        let login = by_user(name, Some("P01"));
        fails(&shop, &login, 5);
        let hashed = shop.hasher.verified();
        let mut wait = Duration::from_secs(1);
        for _ in 0..12 {
            let retry_after = held(shop.auth.login(&wrong(&login)));
            assert!(retry_after >= wait && retry_after <= wait + wait / 4, "{name}: {retry_after:?} for {wait:?}");
            shop.clock.advance(wait);
            assert_eq!(login_refused(shop.auth.login(&wrong(&login))), LoginRefusal::Mismatch, "{name}");
            wait = (wait * 2).min(5 * MINUTE);
        }
        assert_eq!(shop.hasher.verified(), hashed + 12, "{name}: what is held costs no hash");
    }
}

#[test]
fn the_right_password_waits_too_and_then_forgets_what_was_wrong() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    fails(&shop, &login, 5);
    held(shop.auth.login(&login));
    shop.clock.advance(Duration::from_secs(2));
    shop.auth.login(&login).unwrap();
    fails(&shop, &login, 5);
    held(shop.auth.login(&login));
}

#[test]
fn what_one_fails_at_a_place_holds_back_neither_the_next_nor_another_place() {
    let shop = Shop::open();
    fails(&shop, &by_user("cashier", Some("P01")), 5);
    held(shop.auth.login(&by_user("cashier", Some("P01"))));
    assert!(shop.auth.login(&by_user("manager", Some("P01"))).is_ok(), "another person");
    assert!(shop.auth.login(&by_user("cashier", Some("P02"))).is_ok(), "another device");
    assert!(
        shop.auth.login(&Login { address: address(7), ..by_user("cashier", Some("P01")) }).is_ok(),
        "another address"
    );
}

#[test]
fn a_known_place_is_held_half_a_minute_at_most_and_by_nothing_from_elsewhere() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    shop.auth.login(&login).unwrap();
    // Fifty fail from the same address, a hundred of this person's from everywhere.
    for number in 0..60 {
        let _ = shop.auth.login(&wrong(&by_user(&format!("nobody{number}"), None)));
    }
    for number in 0..110_u8 {
        let _ = shop.auth.login(&wrong(&from(&login, IpAddr::from([198, 51, 100, number]))));
    }
    let stranger = from(&login, IpAddr::from([203, 0, 113, 1]));
    assert_eq!(login_refused(shop.auth.login(&stranger)), LoginRefusal::Stopped);
    held(shop.auth.login(&by_user("manager", None)));
    assert!(shop.auth.login(&login).is_ok(), "the till works on");
    fails(&shop, &login, 5);
    for _ in 0..20 {
        let retry_after = held(shop.auth.login(&login));
        assert!(retry_after <= Duration::from_millis(37_500), "{retry_after:?}");
        shop.clock.advance(Duration::from_secs(30));
        assert_eq!(login_refused(shop.auth.login(&wrong(&login))), LoginRefusal::Mismatch);
    }
    shop.clock.advance(Duration::from_secs(30));
    assert!(shop.auth.login(&login).is_ok());
    shop.clock.advance(91 * 24 * HOUR);
    assert_eq!(
        login_refused(shop.auth.login(&wrong(&login))),
        LoginRefusal::Mismatch,
        "its own success forgave the rest"
    );
}

#[test]
fn a_hundred_stop_until_somebody_lets_go() {
    let shop = Shop::open();
    let login = by_user("cashier", None);
    for number in 0..100_u8 {
        let there = from(&login, IpAddr::from([198, 51, 100, number]));
        assert_eq!(login_refused(shop.auth.login(&wrong(&there))), LoginRefusal::Mismatch, "{number}");
    }
    assert_eq!(login_refused(shop.auth.login(&login)), LoginRefusal::Stopped);
    shop.clock.advance(24 * HOUR);
    assert_eq!(login_refused(shop.auth.login(&login)), LoginRefusal::Stopped, "no time lets go");
    let cashier = PrincipalId::User(shop.world.cashier.id);
    done(office::unlock(shop.office(), shop.world.tenant.id, &stamp(MORNING), cashier));
    assert!(shop.auth.login(&login).is_ok());
}

#[test]
fn what_was_counted_is_counted_by_every_process_and_after_a_restart() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    fails(&shop, &login, 5);
    held(shop.process().login(&login));
}

#[test]
fn twelve_right_logins_at_once_all_succeed() {
    let shop = Shop::open();
    std::thread::scope(|scope| {
        let logins: Vec<_> =
            (0..12).map(|_| scope.spawn(|| shop.auth.login(&by_user("cashier", None)).map(drop))).collect();
        for login in logins {
            login.join().unwrap().unwrap();
        }
    });
    assert_eq!(shop.sessions(), 12);
}

#[test]
fn a_burst_gets_no_more_guesses_than_a_queue() {
    let shop = Shop::open();
    let guesses: Vec<_> = std::thread::scope(|scope| {
        let guess = || shop.auth.login(&wrong(&by_user("cashier", None))).unwrap_err();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(guess)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let looked_at = guesses.iter().filter(|error| !matches!(error, Error::Refused(Refusal::Held { .. }))).count();
    assert_eq!((looked_at, shop.hasher.verified()), (5, 5), "{guesses:?}");
}

/// Where the answer does not tell the two apart, the waits do not either.
#[test]
fn a_right_password_that_reads_as_a_wrong_one_is_held_back_as_one() {
    let shop = Shop::open();
    shop.suspend(shop.world.cashier.id);
    for (name, refusal) in [("cashier", LoginRefusal::Suspended), ("driver", LoginRefusal::NotThere)] {
        let login = by_user(name, Some("P01"));
        for number in 1..=5 {
            assert_eq!(login_refused(shop.auth.login(&login)), refusal, "{name}, attempt {number}");
        }
        assert!(held(shop.auth.login(&login)) >= Duration::from_secs(1), "{name}");
    }
}

/// A device as itself is told what stands against it, and asks again until somebody lets it in.
#[test]
fn a_device_that_is_told_why_is_not_held_back() {
    let shop = Shop::open();
    shop.lock(shop.world.p01.id);
    for number in 1..=20 {
        assert_eq!(login_refused(shop.auth.login(&by_device("P01"))), LoginRefusal::Suspended, "attempt {number}");
    }
}
