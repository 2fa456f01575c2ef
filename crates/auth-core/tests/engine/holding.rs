//! Wrong passwords hold back, through the login: whoever guesses, and nobody else.

use std::net::IpAddr;
use std::time::Duration;

use tillgate_auth_core::{Error, Granted, Login, LoginRefusal, Proof, Refusal};
use tillgate_domain::office;
use tillgate_domain::{Action, Outcome, PrincipalId, Secret};
use tillgate_testkit::clock::MORNING;

use crate::hasher::Plain;
use crate::shop::{
    HOUR, MINUTE, Shop, by_device, by_user, call, done, login_refused, password_of, refreshed, stamp, with_password,
};

const SECOND: Duration = Duration::from_secs(1);

/// The wrong password of this number.
fn wrong(login: &Login, number: usize) -> Login {
    with_password(login.clone(), &format!("wrong {number}"))
}

fn held(answer: Result<Granted, Error>) -> Duration {
    match answer.unwrap_err() {
        Error::Refused(Refusal::Held { retry_after }) => retry_after,
        other => panic!("{other:?}"),
    }
}

fn fails(shop: &Shop, login: &Login, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let refused = login_refused(shop.auth.login(&wrong(login, number)));
        assert_eq!(refused, LoginRefusal::Mismatch, "wrong password {number}");
    }
}

/// The login from the network of this number.
fn from(login: &Login, network: u8) -> Login {
    Login { address: Some(IpAddr::from([198, 51, network, 1])), ..login.clone() }
}

/// The login by a client that holds this refresh token.
fn holding(login: &Login, token: &str) -> Login {
    Login { previous: vec![Secret::new(token.to_owned())], ..login.clone() }
}

fn token(granted: &Granted) -> String {
    granted.refresh_token.as_ref().unwrap().expose().clone()
}

/// Wrong passwords from so many networks that nothing is left for those that are not known.
fn attacked(shop: &Shop, login: &Login) {
    for network in 0..30 {
        let _ = shop.auth.login(&wrong(&from(login, network), usize::from(network)));
    }
    held(shop.auth.login(&from(login, 200)));
}

#[test]
fn ten_wrong_passwords_are_free_and_the_next_waits_whoever_it_is() {
    for name in ["cashier", "nobody"] {
        let shop = Shop::open();
        let login = by_user(name, Some("P01"));
        fails(&shop, &login, 0..10);
        let hashed = shop.hasher.verified();
        for number in 10..22 {
            assert_eq!(held(shop.auth.login(&wrong(&login, number))), 16 * MINUTE, "{name}");
            shop.clock.advance(16 * MINUTE);
            fails(&shop, &login, number..number + 1);
        }
        assert_eq!(shop.hasher.verified(), hashed + 12, "{name}: what is held costs no hash");
    }
}

#[test]
fn a_wrong_password_that_is_repeated_is_hashed_and_costs_nothing() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    for _ in 0..30 {
        fails(&shop, &login, 0..1);
    }
    assert_eq!(shop.hasher.verified(), 30);
    fails(&shop, &login, 1..10);
    held(shop.auth.login(&wrong(&login, 0)));
}

#[test]
fn the_right_password_waits_too_where_the_account_is_not_known() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    fails(&shop, &login, 0..10);
    assert_eq!(held(shop.auth.login(&login)), 16 * MINUTE);
    shop.clock.advance(16 * MINUTE);
    shop.auth.login(&login).unwrap();
    fails(&shop, &login, 10..60);
    assert_eq!(held(shop.auth.login(&login)), MINUTE, "there it is known from then on");
}

#[test]
fn what_one_fails_holds_back_nobody_else_and_nobody_who_is_known() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    shop.auth.login(&from(&login, 9)).unwrap();
    fails(&shop, &login, 0..10);
    held(shop.auth.login(&login));
    held(shop.auth.login(&by_user("cashier", Some("P02"))));
    assert!(shop.auth.login(&by_user("manager", Some("P01"))).is_ok(), "another person");
    assert!(shop.auth.login(&from(&by_user("cashier", Some("P02")), 9)).is_ok(), "in a known network, on any device");
}

#[test]
fn a_till_in_a_known_network_works_on_whatever_others_send() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    shop.auth.login(&login).unwrap();
    for _ in 0..5 {
        attacked(&shop, &login);
        assert!(shop.auth.login(&login).is_ok());
        shop.clock.advance(HOUR);
    }
    fails(&shop, &login, 100..150);
    assert_eq!(held(shop.auth.login(&login)), MINUTE, "by its own failures");
    shop.clock.advance(MINUTE);
    assert!(shop.auth.login(&login).is_ok());
}

#[test]
fn whoever_holds_a_refresh_token_of_before_is_let_in_from_anywhere() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    let before = shop.auth.login(&from(&login, 1)).unwrap();
    shop.auth.logout(&call(&shop.auth, before.access_token.expose()).unwrap()).unwrap();
    attacked(&shop, &login);
    let token = token(&before);
    assert!(shop.auth.login(&holding(&from(&login, 200), &token)).is_ok(), "of the session that is over");
    attacked(&shop, &by_user("manager", Some("P01")));
    assert!(shop.auth.login(&holding(&from(&by_user("manager", Some("P01")), 200), &token)).is_ok(), "of the device");
    assert!(shop.auth.login(&holding(&from(&by_user("cashier", None), 201), &token)).is_ok(), "of the user");
    let proved = holding(&from(&login, 202), &token);
    fails(&shop, &proved, 0..5);
    assert_eq!(held(shop.auth.login(&proved)), 5 * SECOND, "by its own failures");
    shop.clock.advance(5 * SECOND);
    assert!(shop.auth.login(&proved).is_ok());
}

#[test]
fn a_refresh_token_that_proves_nothing_is_passed_over() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    let (mine, neighbours) = (shop.auth.login(&from(&login, 1)).unwrap(), shop.user("manager", Some("P02")));
    let first = token(&mine);
    let second = refreshed(&shop.auth, &mine).unwrap();
    shop.clock.advance(HOUR);
    let third = refreshed(&shop.auth, &second).unwrap();
    attacked(&shop, &login);
    let mut forged = token(&third);
    forged.replace_range(90..91, if forged.ends_with('A') { "B" } else { "A" });
    for (what, shown) in [
        ("nothing", String::new()),
        ("no token", "x".to_owned()),
        ("an access token", mine.access_token.expose().clone()),
        ("somebody else's, on another device", token(&neighbours)),
        ("one that was followed by two", first),
    ] {
        assert_eq!(held(shop.auth.login(&holding(&from(&login, 200), &shown))), 16 * MINUTE, "{what}");
    }
    for shown in [token(&second), token(&third)] {
        assert!(shop.auth.login(&holding(&from(&login, 200), &shown)).is_ok());
    }
}

/// A registration logs in by the password that it has just set.
#[test]
fn a_password_that_was_set_a_moment_ago_is_neither_hashed_nor_held_back() {
    let shop = Shop::open();
    let login = by_user("cashier", None);
    attacked(&shop, &login);
    let hashed = shop.hasher.verified();
    let by_verifier = |password: &str| {
        let proof = Proof::Verifier(Plain::verifier(password));
        shop.auth.login(&Login { proof, ..from(&login, 200) })
    };
    assert_eq!(login_refused(by_verifier("another")), LoginRefusal::Mismatch, "it has been changed since");
    by_verifier(&password_of("cashier")).unwrap();
    assert_eq!(shop.hasher.verified(), hashed);
    assert!(shop.auth.login(&from(&login, 200)).is_ok(), "the network is known from then on");
}

#[test]
fn an_administrator_lets_go() {
    let shop = Shop::open();
    let login = by_user("cashier", None);
    attacked(&shop, &login);
    held(shop.auth.login(&login));
    let cashier = PrincipalId::User(shop.world.cashier.id);
    done(office::unlock(shop.office(), shop.world.tenant.id, &stamp(MORNING), cashier));
    assert!(shop.auth.login(&login).is_ok());
}

#[test]
fn what_was_counted_is_counted_by_every_process_and_after_a_restart() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    fails(&shop, &login, 0..10);
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
        let guess = |number| shop.auth.login(&wrong(&by_user("cashier", None), number)).unwrap_err();
        let threads: Vec<_> = (0..16).map(|number| scope.spawn(move || guess(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let looked_at = guesses.iter().filter(|error| !matches!(error, Error::Refused(Refusal::Held { .. }))).count();
    assert_eq!((looked_at, shop.hasher.verified()), (10, 10), "{guesses:?}");
}

/// Where the answer does not tell the two apart, the waits do not either.
#[test]
fn a_right_password_that_reads_as_a_wrong_one_costs_as_much() {
    let shop = Shop::open();
    shop.suspend(shop.world.cashier.id);
    for (name, refusal) in [("cashier", LoginRefusal::Suspended), ("driver", LoginRefusal::NotThere)] {
        let login = by_user(name, Some("P01"));
        fails(&shop, &login, 0..8);
        for number in 1..=5 {
            assert_eq!(login_refused(shop.auth.login(&login)), refusal, "{name}, attempt {number}");
        }
        fails(&shop, &login, 8..9);
        assert_eq!(held(shop.auth.login(&wrong(&login, 9))), 16 * MINUTE, "{name}");
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

/// Lines of the audit that tell of refused logins, by why they were refused, each with how often.
fn told(shop: &Shop) -> Vec<(String, u64)> {
    let lines = shop.told(Action::Login);
    let refused = lines.iter().filter(|event| event.outcome == Outcome::Refused);
    refused
        .map(|event| {
            let times = event.details.get("times").map_or(1, |times| times.as_u64().unwrap());
            (event.details["why"].as_str().unwrap().to_owned(), times)
        })
        .collect()
}

#[test]
fn held_logins_stand_in_the_audit_ten_times_a_minute_and_then_as_a_count() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    fails(&shop, &login, 0..10);
    for _ in 0..37 {
        held(shop.auth.login(&login));
    }
    let of = |why: &str| told(&shop).into_iter().filter(|(each, _)| each == why).map(|(_, times)| times).collect();
    let (wrong, held): (Vec<u64>, Vec<u64>) = (of("login_mismatch"), of("login_held"));
    assert_eq!((wrong, held), (vec![1; 10], vec![1; 10]));
    let line = shop.told(Action::Login).into_iter().next_back().unwrap();
    assert_eq!(line.actor.user, Some(shop.world.cashier.id));
    shop.clock.advance(MINUTE);
    shop.auth.chore();
    assert_eq!(told(&shop).last(), Some(&("login_held".to_owned(), 27)));
}

#[test]
fn repeated_wrong_passwords_fill_no_disk() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    for _ in 0..50 {
        fails(&shop, &login, 0..1);
    }
    assert_eq!(told(&shop).len(), 1 + 10);
    shop.auth.leave().unwrap();
    assert_eq!(told(&shop).last(), Some(&("login_mismatch".to_owned(), 39)));
}

#[test]
fn an_unknown_name_leaves_a_trace_that_is_not_the_name() {
    let shop = Shop::open();
    for name in ["nobody", "NOBODY", "somebody"] {
        fails(&shop, &by_user(name, None), 0..1);
    }
    let lines = shop.told(Action::Login);
    let traces: Vec<_> = lines.iter().map(|event| event.details["unknown"].as_str().unwrap()).collect();
    assert!(traces[0] == traces[1] && traces[0] != traces[2] && traces[0].len() == 8, "{traces:?}");
    assert!(lines.iter().all(|event| !format!("{event:?}").to_lowercase().contains("body")));
}
