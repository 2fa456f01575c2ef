//! The throttle over the store that `TEST_STORE` chooses: what users and guessers experience, step
//! by step, over days, and concurrently.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod concurrency;
#[path = "../support/costly_property.rs"]
mod costly_property;
mod guarantees;
mod server;

use std::net::IpAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ring::hmac;
use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::CountKey;
use tillgate_auth_core::throttle::{Admission, AttemptOutcome, Charge, ClaimedIdentity, LoginAttempt, LoginQueue};
use tillgate_domain::{FoldedText, Instant, Store, StoreExt};
use tillgate_test_store::TestStore;

use server::*;

#[test]
fn unknown_networks_get_ten_attempts_then_one_per_sixteen_minutes() {
    for who in [anna().identity, ClaimedIdentity::Unknown { tenant: None, name: FoldedText::of("nobody") }] {
        let server = server();
        let from = |network: u16| LoginAttempt { identity: who.clone(), ..anna_from(network) };
        for number in 0..10_u16 {
            server.fail(&from(number), u32::from(number)..u32::from(number) + 1, NOON);
        }
        assert_eq!(server.retry_after(&from(99), NOON), 16 * MINUTE, "wherever it comes from");
        assert_eq!(server.retry_after(&from(99), NOON.saturating_add(MINUTE)), 15 * MINUTE, "asking costs nothing");
        let next = NOON.saturating_add(16 * MINUTE);
        server.fail(&from(99), 99..100, next);
        assert_eq!(server.retry_after(&from(1), next), 16 * MINUTE);
        assert!(server.admits(&from(1), next.saturating_add(16 * MINUTE)));
    }
}

#[test]
fn known_network_gets_fifty_attempts_then_one_per_minute() {
    let server = server();
    server.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    server.fail(&anna(), 0..50, NOON);
    assert_eq!(server.retry_after(&anna(), NOON), MINUTE);
    server.fail(&anna(), 50..51, NOON.saturating_add(MINUTE));
    assert_eq!(server.retry_after(&anna(), NOON.saturating_add(MINUTE)), MINUTE);
    assert!(server.admits(&neighbor(2), NOON), "another account in the same network");
    assert!(server.admits(&anna_from(2), NOON), "the same account in another");
}

#[test]
fn proof_gets_five_attempts_then_one_per_five_seconds() {
    let server = server();
    server.fail(&anna_by_proof(1, 1), 0..5, NOON);
    assert_eq!(server.retry_after(&anna_by_proof(1, 2), NOON), 5 * SECOND, "the network is not asked");
    assert!(server.admits(&anna_by_proof(2, 1), NOON), "another proof");
    assert!(server.admits(&anna(), NOON), "no proof at all");
    server.fail(&anna_by_proof(1, 1), 5..6, NOON.saturating_add(5 * SECOND));
}

#[test]
fn proof_is_void_for_a_day_after_hundred_failures() {
    let server = server();
    let mut now = NOON;
    for number in 0..100 {
        while !server.admits(&anna_by_proof(1, 1), now) {
            now = now.saturating_add(SECOND);
        }
        assert!(server.admit(&anna_by_proof(1, 1), now).is_known());
        now = now.saturating_add(31 * SECOND);
        server.fail(&anna_by_proof(1, 1), number..number + 1, now);
    }
    assert!(!server.admit(&anna_by_proof(1, 1), now).is_known(), "it is a stranger's");
    assert!(!server.admit(&anna_by_proof(1, 1), now.saturating_add(DAY).saturating_sub(SECOND)).is_known());
    assert!(server.admit(&anna_by_proof(1, 1), now.saturating_add(DAY)).is_known());
}

#[test]
fn repeated_wrong_password_takes_no_token_for_a_day() {
    let server = server();
    assert!(server.try_at(&guessing(&anna(), "old"), AttemptOutcome::Failed, NOON));
    for _ in 0..100 {
        assert!(!server.try_at(
            &guessing(&anna(), "old"),
            AttemptOutcome::Failed,
            NOON.saturating_add(DAY).saturating_sub(SECOND)
        ));
    }
    assert!(server.try_at(&guessing(&anna(), "old"), AttemptOutcome::Failed, NOON.saturating_add(DAY)));
    server.fail(&anna(), 0..9, NOON.saturating_add(DAY));
    assert_eq!(
        server.retry_after(&guessing(&anna(), "old"), NOON.saturating_add(DAY)),
        16 * MINUTE,
        "nobody learns what others tried"
    );
    let another = guessing(&neighbor(2), "old");
    assert!(server.try_at(&another, AttemptOutcome::Failed, NOON.saturating_add(DAY)), "of another account");
}

#[test]
fn network_gets_fifty_attempts_for_all_unknown_accounts() {
    let server = server();
    server.try_at(&neighbor(200), AttemptOutcome::Succeeded, NOON);
    for byte in 0..50 {
        server.fail(&neighbor(byte), 0..1, NOON);
    }
    assert_eq!(server.retry_after(&neighbor(99), NOON), MINUTE);
    assert!(server.admits(&neighbor(200), NOON), "who is known there is not held back");
    assert!(server.admits(&LoginAttempt { address: None, ..neighbor(99) }, NOON), "nor who comes from elsewhere");
    server.fail(&neighbor(99), 0..1, NOON.saturating_add(MINUTE));
    assert_eq!(server.retry_after(&neighbor(98), NOON.saturating_add(MINUTE)), MINUTE);
    let later = NOON.saturating_add(51 * MINUTE);
    for byte in 100..150 {
        server.fail(&neighbor(byte), 0..1, later);
    }
    assert_eq!(server.retry_after(&neighbor(99), later), MINUTE, "it ages by itself");
}

#[test]
fn success_returns_only_its_own_token() {
    let server = server();
    server.fail(&anna(), 0..9, NOON);
    for _ in 0..3 {
        server.try_at(&anna_from(2), AttemptOutcome::Succeeded, NOON);
    }
    server.fail(&anna_from(3), 9..10, NOON);
    assert_eq!(server.retry_after(&anna_from(3), NOON), 16 * MINUTE);
    assert!(server.admits(&anna_from(2), NOON), "where it succeeded it is known");
}

#[test]
fn clearing_failed_logins_affects_one_principal_only() {
    let server = server();
    server.try_at(&anna_from(9), AttemptOutcome::Succeeded, NOON);
    server.fail(&anna_from(9), 0..50, NOON);
    server.fail(&anna_by_proof(1, 1), 0..5, NOON);
    for number in 0..10 {
        server.fail(&anna_from(1), number..number + 1, NOON);
    }
    for byte in 10..50 {
        server.fail(&neighbor(byte), 0..1, NOON);
    }
    assert_eq!(server.forgive(user(1)), 3, "in the known network, by the proof, and elsewhere");
    server.fail(&anna_from(9), 0..50, NOON);
    server.fail(&anna_by_proof(1, 1), 0..5, NOON);
    server.fail(&anna_from(2), 0..10, NOON);
    assert_eq!(server.retry_after(&neighbor(99), NOON), MINUTE, "the network is nobody's to be forgiven");
}

#[test]
fn refilled_network_has_all_tokens_and_accounts_keep_their_count() {
    let server = server();
    server.fail(&anna(), 0..10, NOON);
    for byte in 10..50 {
        server.fail(&neighbor(byte), 0..1, NOON);
    }
    assert_eq!(server.retry_after(&neighbor(99), NOON), MINUTE);
    let refill = |address: IpAddr| {
        retry_while_unavailable(|| server.store.write("test", |tx| server.throttle.refill_network(tx, address)))
    };
    let address = neighbor(99).address.unwrap();
    assert!(!refill("2001:db8:77::1".parse().unwrap()) && refill(address) && !refill(address));
    for byte in 100..150 {
        server.fail(&neighbor(byte), 0..1, NOON);
    }
    assert_eq!(server.retry_after(&neighbor(99), NOON), MINUTE);
    assert_eq!(server.retry_after(&anna(), NOON), 16 * MINUTE);
}

#[test]
fn account_is_known_in_networks_of_four_latest_successes() {
    let server = server();
    let known = |network: u16, now| server.knows(&anna_from(network), now);
    let mut now = NOON;
    for network in [1, 2, 3, 4, 5] {
        now = now.saturating_add(DAY);
        server.try_at(&anna_from(network), AttemptOutcome::Succeeded, now);
    }
    assert_eq!([1, 2, 3, 4, 5].map(|network| known(network, now)), [false, true, true, true, true]);
    now = now.saturating_add(DAY);
    server.try_at(&anna_from(2), AttemptOutcome::Succeeded, now);
    server.try_at(&anna_from(6), AttemptOutcome::Succeeded, now.saturating_add(SECOND));
    assert_eq!([2, 3, 4, 5, 6].map(|network| known(network, now)), [true, false, true, true, true]);
    assert!(known(2, now.saturating_add(90 * DAY)) && !known(2, now.saturating_add(90 * DAY + SECOND)));
    let other = LoginAttempt { device: None, ..anna_from(2) };
    assert!(server.knows(&other, now), "on any device");
    assert!(!server.knows(&LoginAttempt { identity: ClaimedIdentity::Principal(user(2)), ..anna_from(2) }, now));
}

/// The key of a place as versions before known networks stored it: HMAC-SHA256 over the label, the
/// device and the address, each preceded by its length.
fn legacy_place(attempt: &LoginAttempt) -> CountKey {
    let device = attempt.device.unwrap().0;
    let Some(IpAddr::V4(address)) = attempt.address else { panic!("an IPv4 address") };
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &KEY));
    for part in [b"place".as_slice(), b"some", device.as_bytes(), b"some", &address.octets()] {
        context.update(&u64::try_from(part.len()).unwrap().to_be_bytes());
        context.update(part);
    }
    CountKey(context.sign().as_ref().try_into().unwrap())
}

#[test]
fn legacy_place_is_still_known() {
    let server = server();
    let place = legacy_place(&anna());
    server.store.write("test", |tx| tx.known_networks().record_success(user(1).uuid(), &place, NOON)).unwrap();
    assert!(server.admit(&anna(), NOON).is_known());
    let same_network = LoginAttempt { address: Some(IpAddr::from([10, 0, 1, 2])), ..anna() };
    assert!(!server.admit(&same_network, NOON).is_known(), "another address");
    server.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    assert!(server.admit(&same_network, NOON).is_known(), "until the next success");
}

#[test]
fn failed_login_makes_no_network_known() {
    let server = server();
    server.try_at(&anna(), AttemptOutcome::Failed, NOON);
    server.try_at(&anna(), AttemptOutcome::Withdrawn, NOON);
    assert!(!server.admit(&anna(), NOON).is_known());
}

#[test]
fn withdrawn_attempt_takes_no_token() {
    let server = server();
    for known in [false, true] {
        for _ in 0..200 {
            let charge = server.admit(&anna(), NOON);
            assert_eq!(charge.is_known(), known);
            assert!(!server.settle(&charge, AttemptOutcome::Withdrawn, NOON));
        }
        server.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    }
}

#[test]
fn just_set_password_is_no_guess_and_makes_network_known() {
    let server = server();
    server.fail(&anna_from(2), 0..10, NOON);
    let charge = server.store.write("test", |tx| server.throttle.classify(tx, &anna(), NOON)).unwrap();
    assert!(!charge.is_known());
    server.settle(&charge, AttemptOutcome::Succeeded, NOON);
    assert!(server.admit(&anna(), NOON).is_known());
    assert_eq!(server.retry_after(&anna_from(2), NOON), 16 * MINUTE);
}

#[test]
fn tokens_of_dead_process_are_spent() {
    let server = server();
    let lost: Vec<Charge> = (0..10).map(|_| server.admit(&anna(), NOON)).collect();
    let waits = |now| matches!(server.open_charge(&anna(), now), Admission::Wait(_));
    assert!(waits(NOON) && waits(NOON.saturating_add(30 * SECOND)));
    assert_eq!(server.retry_after(&anna(), NOON.saturating_add(31 * SECOND)), 15 * MINUTE + 29 * SECOND);
    // One of the processes was still running, and only slow.
    let now = NOON.saturating_add(32 * SECOND);
    server.settle(&lost[0], AttemptOutcome::Succeeded, now);
    server.fail(&anna_from(2), 0..1, now);
    assert_eq!(server.retry_after(&anna_from(2), now), 15 * MINUTE + 28 * SECOND);
}

#[test]
fn clock_ahead_blocks_for_short_time() {
    let server = server();
    server.fail(&anna(), 0..10, NOON.saturating_add(365 * DAY));
    server.fail(&anna(), 10..20, NOON);
    assert_eq!(server.retry_after(&anna(), NOON), 16 * MINUTE, "from then on it is counted as ever");
}
