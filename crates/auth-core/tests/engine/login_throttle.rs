//! The rate limit of failed logins: it delays those who guess, and nobody else.

use std::net::IpAddr;
use std::time::Duration;
use tillgate_domain::office::Office;

use tillgate_auth_core::{AuthDenied, Error, IssuedTokens, LoginDenied, LoginRequest, LoginSecret, PresentedProof};
use tillgate_domain::{Action, EventOutcome, PrincipalId, Secret};
use tillgate_testkit::ProofSigner;
use tillgate_testkit::clock::CLOCK_START;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, by_device, by_user, call, done, login_refused, password_of, refresh, stamp,
    with_password,
};
use tillgate_testkit::PlainHasher;

const SECOND: Duration = Duration::from_secs(1);

/// The wrong password with this number.
fn wrong(login: &LoginRequest, number: usize) -> LoginRequest {
    with_password(login.clone(), &format!("wrong {number}"))
}

fn retry_after_of(result: Result<IssuedTokens, Error>) -> Duration {
    match result.unwrap_err() {
        Error::Denied(AuthDenied::TooManyAttempts { retry_after }) => retry_after,
        other => panic!("{other:?}"),
    }
}

fn fail_logins(fixture: &EngineFixture, login: &LoginRequest, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let refused = login_refused(fixture.auth.login(&wrong(login, number)));
        assert_eq!(refused, LoginDenied::Mismatch, "wrong password {number}");
    }
}

/// The login from the network with this number.
fn from_network(login: &LoginRequest, network: u8) -> LoginRequest {
    LoginRequest { address: Some(IpAddr::from([198, 51, network, 1])), ..login.clone() }
}

/// The login of a client with this refresh token.
fn with_previous_token(login: &LoginRequest, token: &str) -> LoginRequest {
    LoginRequest { previous_refresh_tokens: vec![Secret::new(token.to_owned())], ..login.clone() }
}

fn token(granted: &IssuedTokens) -> String {
    granted.refresh_token.as_ref().unwrap().expose().clone()
}

/// Tries wrong passwords from enough networks that unknown ones have no tokens left.
fn attack(fixture: &EngineFixture, login: &LoginRequest) {
    for network in 0..30 {
        let _ = fixture.auth.login(&wrong(&from_network(login, network), usize::from(network)));
    }
    retry_after_of(fixture.auth.login(&from_network(login, 200)));
}

#[test]
fn eleventh_wrong_password_rate_limits_unknown_networks() {
    for name in ["cashier", "nobody"] {
        let fixture = EngineFixture::open();
        let login = by_user(name, Some("P01"));
        fail_logins(&fixture, &login, 0..10);
        let hashed = fixture.hasher.verification_count();
        for number in 10..22 {
            assert_eq!(retry_after_of(fixture.auth.login(&wrong(&login, number))), 16 * MINUTE, "{name}");
            fixture.clock.advance(16 * MINUTE);
            fail_logins(&fixture, &login, number..number + 1);
        }
        assert_eq!(fixture.hasher.verification_count(), hashed + 12, "{name}: what is held costs no hash");
    }
}

#[test]
fn repeated_wrong_password_is_hashed_and_takes_no_token() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    for _ in 0..30 {
        fail_logins(&fixture, &login, 0..1);
    }
    assert_eq!(fixture.hasher.verification_count(), 30);
    fail_logins(&fixture, &login, 1..10);
    retry_after_of(fixture.auth.login(&wrong(&login, 0)));
}

#[test]
fn correct_password_waits_in_unknown_network() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    fail_logins(&fixture, &login, 0..10);
    assert_eq!(retry_after_of(fixture.auth.login(&login)), 16 * MINUTE);
    fixture.clock.advance(16 * MINUTE);
    fixture.auth.login(&login).unwrap();
    fail_logins(&fixture, &login, 10..60);
    assert_eq!(retry_after_of(fixture.auth.login(&login)), MINUTE, "there it is known from then on");
}

#[test]
fn failures_hold_back_no_other_and_no_known_client() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    fixture.auth.login(&from_network(&login, 9)).unwrap();
    fail_logins(&fixture, &login, 0..10);
    retry_after_of(fixture.auth.login(&login));
    retry_after_of(fixture.auth.login(&by_user("cashier", Some("P02"))));
    assert!(fixture.auth.login(&by_user("manager", Some("P01"))).is_ok(), "another person");
    assert!(
        fixture.auth.login(&from_network(&by_user("cashier", Some("P02")), 9)).is_ok(),
        "in a known network, on any device"
    );
}

#[test]
fn till_in_known_network_works_under_attack() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    fixture.auth.login(&login).unwrap();
    for _ in 0..5 {
        attack(&fixture, &login);
        assert!(fixture.auth.login(&login).is_ok());
        fixture.clock.advance(HOUR);
    }
    fail_logins(&fixture, &login, 100..150);
    assert_eq!(retry_after_of(fixture.auth.login(&login)), MINUTE, "by its own failures");
    fixture.clock.advance(MINUTE);
    assert!(fixture.auth.login(&login).is_ok());
}

#[test]
fn holder_of_previous_refresh_token_logs_in_from_anywhere() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    let before = fixture.auth.login(&from_network(&login, 1)).unwrap();
    fixture.auth.logout(&call(&fixture.auth, before.access_token.expose()).unwrap()).unwrap();
    attack(&fixture, &login);
    let token = token(&before);
    assert!(
        fixture.auth.login(&with_previous_token(&from_network(&login, 200), &token)).is_ok(),
        "of the session that is over"
    );
    attack(&fixture, &by_user("manager", Some("P01")));
    assert!(
        fixture.auth.login(&with_previous_token(&from_network(&by_user("manager", Some("P01")), 200), &token)).is_ok(),
        "of the device"
    );
    assert!(
        fixture.auth.login(&with_previous_token(&from_network(&by_user("cashier", None), 201), &token)).is_ok(),
        "of the user"
    );
    let proved = with_previous_token(&from_network(&login, 202), &token);
    fail_logins(&fixture, &proved, 0..5);
    assert_eq!(retry_after_of(fixture.auth.login(&proved)), 5 * SECOND, "by its own failures");
    fixture.clock.advance(5 * SECOND);
    assert!(fixture.auth.login(&proved).is_ok());
}

#[test]
fn refresh_token_of_a_bound_session_counts_with_its_key_only() {
    let fixture = EngineFixture::open();
    let prove = |seed| {
        let uri = "https://pos.example/api/v1/sessions";
        let jwt = ProofSigner::ed25519(seed).prove("POST", uri, &fixture.auth.dpop_nonce(), None);
        let proof = PresentedProof { jwt, method: "POST".to_owned(), uri: uri.to_owned() };
        Some(fixture.auth.check_proof(Some(&proof)).unwrap())
    };
    let login = by_user("cashier", Some("P01"));
    let before = fixture.auth.login(&LoginRequest { proven_key: prove(1), ..from_network(&login, 1) }).unwrap();
    attack(&fixture, &login);
    let with_token = with_previous_token(&from_network(&login, 200), &token(&before));
    retry_after_of(fixture.auth.login(&with_token));
    retry_after_of(fixture.auth.login(&LoginRequest { proven_key: prove(2), ..with_token.clone() }));
    assert!(fixture.auth.login(&LoginRequest { proven_key: prove(1), ..with_token }).is_ok(), "with the key");
}

#[test]
fn unrelated_refresh_token_is_ignored_at_login() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    let (mine, neighbors) =
        (fixture.auth.login(&from_network(&login, 1)).unwrap(), fixture.user("manager", Some("P02")));
    let first = token(&mine);
    let second = refresh(&fixture.auth, &mine).unwrap();
    fixture.clock.advance(HOUR);
    let third = refresh(&fixture.auth, &second).unwrap();
    attack(&fixture, &login);
    let mut forged = token(&third);
    forged.replace_range(90..91, if forged.ends_with('A') { "B" } else { "A" });
    for (what, shown) in [
        ("nothing", String::new()),
        ("no token", "x".to_owned()),
        ("an access token", mine.access_token.expose().clone()),
        ("somebody else's, on another device", token(&neighbors)),
        ("one that was followed by two", first),
    ] {
        assert_eq!(
            retry_after_of(fixture.auth.login(&with_previous_token(&from_network(&login, 200), &shown))),
            16 * MINUTE,
            "{what}"
        );
    }
    for shown in [token(&second), token(&third)] {
        assert!(fixture.auth.login(&with_previous_token(&from_network(&login, 200), &shown)).is_ok());
    }
}

/// A registration logs in with the password that it has just set.
#[test]
fn just_set_password_is_neither_hashed_nor_rate_limited() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", None);
    attack(&fixture, &login);
    let hashed = fixture.hasher.verification_count();
    let by_verifier = |password: &str| {
        let secret = LoginSecret::Verifier(PlainHasher::verifier(password));
        fixture.auth.login(&LoginRequest { secret, ..from_network(&login, 200) })
    };
    assert_eq!(login_refused(by_verifier("another")), LoginDenied::Mismatch, "it has been changed since");
    by_verifier(&password_of("cashier")).unwrap();
    assert_eq!(fixture.hasher.verification_count(), hashed);
    assert!(fixture.auth.login(&from_network(&login, 200)).is_ok(), "the network is known from then on");
}

#[test]
fn administrator_unlocks_login() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", None);
    attack(&fixture, &login);
    retry_after_of(fixture.auth.login(&login));
    let cashier = PrincipalId::User(fixture.records.user("cashier").id);
    done(Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(CLOCK_START)).unlock_principal(cashier));
    assert!(fixture.auth.login(&login).is_ok());
}

#[test]
fn failure_counts_are_shared_and_survive_restart() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    fail_logins(&fixture, &login, 0..10);
    retry_after_of(fixture.process().login(&login));
}

#[test]
fn twelve_concurrent_correct_logins_succeed() {
    let fixture = EngineFixture::open();
    std::thread::scope(|scope| {
        let logins: Vec<_> =
            (0..12).map(|_| scope.spawn(|| fixture.auth.login(&by_user("cashier", None)).map(drop))).collect();
        for login in logins {
            login.join().unwrap().unwrap();
        }
    });
    assert_eq!(fixture.sessions(), 12);
}

#[test]
fn burst_gets_no_more_guesses_than_sequence() {
    let fixture = EngineFixture::open();
    let guesses: Vec<_> = std::thread::scope(|scope| {
        let guess = |number| fixture.auth.login(&wrong(&by_user("cashier", None), number)).unwrap_err();
        let threads: Vec<_> = (0..16).map(|number| scope.spawn(move || guess(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let looked_at =
        guesses.iter().filter(|error| !matches!(error, Error::Denied(AuthDenied::TooManyAttempts { .. }))).count();
    assert_eq!((looked_at, fixture.hasher.verification_count()), (10, 10), "{guesses:?}");
}

/// If the responses are equal, the delays must be equal, too.
#[test]
fn denied_correct_password_costs_as_much_as_wrong_one() {
    let fixture = EngineFixture::open();
    fixture.suspend(fixture.records.user("cashier").id);
    for (name, refusal) in [("cashier", LoginDenied::Suspended), ("driver", LoginDenied::DeviceNotAllowed)] {
        let login = by_user(name, Some("P01"));
        fail_logins(&fixture, &login, 0..8);
        for number in 1..=5 {
            assert_eq!(login_refused(fixture.auth.login(&login)), refusal, "{name}, attempt {number}");
        }
        fail_logins(&fixture, &login, 8..9);
        assert_eq!(retry_after_of(fixture.auth.login(&wrong(&login, 9))), 16 * MINUTE, "{name}");
    }
}

/// A device as itself gets the reason of a denial, and retries until it is admitted.
#[test]
fn device_denied_with_reason_is_not_rate_limited() {
    let fixture = EngineFixture::open();
    fixture.lock(fixture.records.device("P01").id);
    for number in 1..=20 {
        assert_eq!(login_refused(fixture.auth.login(&by_device("P01"))), LoginDenied::Suspended, "attempt {number}");
    }
}

/// The number of audit events of denied logins, by reason.
fn denial_counts(fixture: &EngineFixture) -> Vec<(String, u64)> {
    let lines = fixture.audit_events(Action::Login);
    let refused = lines.iter().filter(|event| event.outcome == EventOutcome::Refused);
    refused
        .map(|event| {
            let times = event.details.get("times").map_or(1, |times| times.as_u64().unwrap());
            (event.details["why"].as_str().unwrap().to_owned(), times)
        })
        .collect()
}

#[test]
fn rate_limited_logins_are_audited_ten_times_a_minute_then_counted() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    fail_logins(&fixture, &login, 0..10);
    for _ in 0..37 {
        retry_after_of(fixture.auth.login(&login));
    }
    let of = |why: &str| {
        denial_counts(&fixture).into_iter().filter(|(each, _)| each == why).map(|(_, times)| times).collect()
    };
    let (wrong, held): (Vec<u64>, Vec<u64>) = (of("login_mismatch"), of("login_held"));
    assert_eq!((wrong, held), (vec![1; 10], vec![1; 10]));
    let line = fixture.audit_events(Action::Login).into_iter().next_back().unwrap();
    assert_eq!(line.actor.user, Some(fixture.records.user("cashier").id));
    fixture.clock.advance(MINUTE);
    fixture.auth.run_due_maintenance();
    assert_eq!(denial_counts(&fixture).last(), Some(&("login_held".to_owned(), 27)));
}

#[test]
fn repeated_wrong_passwords_are_counted_not_logged() {
    let fixture = EngineFixture::open();
    let login = by_user("cashier", Some("P01"));
    for _ in 0..50 {
        fail_logins(&fixture, &login, 0..1);
    }
    assert_eq!(denial_counts(&fixture).len(), 1 + 10);
    fixture.auth.leave().unwrap();
    assert_eq!(denial_counts(&fixture).last(), Some(&("login_mismatch".to_owned(), 39)));
}

#[test]
fn unknown_name_is_audited_as_trace_id() {
    let fixture = EngineFixture::open();
    for name in ["nobody", "NOBODY", "somebody"] {
        fail_logins(&fixture, &by_user(name, None), 0..1);
    }
    let lines = fixture.audit_events(Action::Login);
    let traces: Vec<_> = lines.iter().map(|event| event.details["unknown"].as_str().unwrap()).collect();
    assert!(traces[0] == traces[1] && traces[0] != traces[2] && traces[0].len() == 8, "{traces:?}");
    assert!(lines.iter().all(|event| !format!("{event:?}").to_lowercase().contains("body")));
}
