//! Repeated refresh tokens: lost responses, threads that share a token, and one token from two
//! networks.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use tillgate_auth_core::{Auth, GrantKind, IssuedTokens, TokenDenied};
use tillgate_domain::Action;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, address, authenticate, refresh, refresh_from, token, token_refused,
};

/// Presents one refresh token on this many threads at once, spread over the engines.
fn all_at_once(engines: &[Arc<Auth>], presented: &IssuedTokens, threads: usize) -> Vec<IssuedTokens> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                let (auth, start) = (&engines[number % engines.len()], &start);
                scope.spawn(move || {
                    start.wait();
                    refresh(auth, presented).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn concurrent_threads_get_the_same_refresh_token() {
    for engines in [1, 2] {
        let fixture = EngineFixture::open();
        let engines: Vec<_> = [fixture.auth.clone(), fixture.process()].into_iter().take(engines).collect();
        let first = fixture.user("cashier", Some("P01"));
        let mut presented = first.clone();
        for (round, kept) in (2..6).zip(0..) {
            let granted = all_at_once(&engines, &presented, 16);
            let tokens: BTreeSet<&str> = granted.iter().map(token).collect();
            assert_eq!(tokens.len(), 1, "round {round}");
            let rotated = granted.iter().filter(|each| each.kind == GrantKind::Rotated).count();
            assert_eq!((rotated, fixture.session(first.session.id).generation), (1, round), "one rotation");
            for each in &granted {
                assert!(authenticate(&fixture.auth, each).is_ok());
            }
            presented = granted[kept].clone();
            fixture.clock.advance(OVERLAP);
        }
        assert!(fixture.audit_events(Action::RefreshReplay).is_empty());
    }
}

#[test]
fn repeatedly_lost_responses_end_no_session() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    authenticate(&fixture.auth, &first).unwrap();
    let mut stored = first;
    for round in 0..20_u32 {
        // Three responses are lost, minutes or hours apart; the process may restart in between.
        for _ in 0..3 {
            refresh(&fixture.auth, &stored).unwrap();
            fixture.clock.advance(if round % 2 == 0 { MINUTE } else { HOUR });
        }
        stored = refresh(&fixture.process(), &stored).unwrap();
        authenticate(&fixture.auth, &stored).unwrap();
        fixture.clock.advance(10 * MINUTE);
    }
    assert!(fixture.audit_events(Action::RefreshReplay).is_empty());
    assert_eq!(stored.session.generation, 21, "each response that arrived is one rotation");
}

#[test]
fn use_counts_locally_before_write_and_elsewhere_after() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let first = fixture.user("cashier", Some("P01"));
    let second = refresh(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    fixture.clock.advance(OVERLAP);
    assert_eq!(fixture.session(first.session.id).used_generation, 0, "in memory alone");
    assert_eq!(refresh(&other, &first).unwrap().kind, GrantKind::Repeated, "the other process cannot know yet");
    fixture.auth.write_activity().unwrap();
    assert_eq!(fixture.session(first.session.id).used_generation, 2);
    fixture.clock.advance(OVERLAP);
    assert_eq!(token_refused(refresh(&other, &first)), TokenDenied::Replay);
}

#[test]
fn use_of_older_token_lowers_nothing() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    let second = refresh(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    authenticate(&fixture.auth, &first).unwrap();
    fixture.auth.write_activity().unwrap();
    authenticate(&fixture.auth, &first).unwrap();
    fixture.auth.write_activity().unwrap();
    assert_eq!(fixture.session(first.session.id).used_generation, 2);
}

#[test]
fn repeat_from_other_address_is_audited_once() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    let second = refresh(&fixture.auth, &first).unwrap();
    let elsewhere = || refresh_from(&fixture.auth, &second, address(9)).unwrap().kind;
    assert_eq!(refresh(&fixture.auth, &second).unwrap().kind, GrantKind::Repeated);
    assert!(fixture.audit_events(Action::RefreshShared).is_empty(), "the same address");
    for _ in 0..3 {
        assert_eq!(elsewhere(), GrantKind::Repeated);
    }
    let events = fixture.audit_events(Action::RefreshShared);
    let [line] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((line.actor.address, line.actor.session), (address(9), Some(first.session.id)));
    fixture.clock.advance(OVERLAP);
    assert_eq!(elsewhere(), GrantKind::Rotated, "a rotation repeats nothing");
    assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 1);
}

#[test]
fn repeat_from_other_address_is_audited_once_by_other_process() {
    let fixture = EngineFixture::open();
    let (first, other) = (fixture.user("cashier", Some("P01")), fixture.process());
    let second = refresh(&fixture.auth, &first).unwrap();
    for _ in 0..3 {
        assert_eq!(refresh_from(&other, &second, address(9)).unwrap().kind, GrantKind::Repeated);
    }
    assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 1);
}

#[test]
fn repeat_after_overlap_is_audited_once() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    refresh(&fixture.auth, &first).unwrap();
    fixture.clock.advance(OVERLAP);
    for _ in 0..3 {
        assert_eq!(refresh_from(&fixture.auth, &first, address(9)).unwrap().kind, GrantKind::Repeated);
        fixture.clock.advance(MINUTE);
    }
    assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 1);
}

#[test]
fn addresses_of_one_ipv6_network_count_as_one() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    let of = |text: &str| Some(text.parse().unwrap());
    let second = refresh_from(&fixture.auth, &first, of("2001:db8:0:100::1")).unwrap();
    refresh_from(&fixture.auth, &second, of("2001:db8:0:1ff:ffff::2")).unwrap();
    assert!(fixture.audit_events(Action::RefreshShared).is_empty());
    refresh_from(&fixture.auth, &second, of("2001:db8:0:200::1")).unwrap();
    assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 1);
}
