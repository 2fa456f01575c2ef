//! Repeats: answers that were lost, threads that share a token, and the same token from two places.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use tillgate_auth_core::{Auth, Granted, How, TokenRefusal};
use tillgate_domain::Action;

use crate::shop::{HOUR, MINUTE, OVERLAP, Shop, address, refreshed, refreshed_from, token, token_refused, used};

/// Presents one refresh token on so many threads at once, spread over the engines.
fn all_at_once(engines: &[Arc<Auth>], presented: &Granted, threads: usize) -> Vec<Granted> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                let (auth, start) = (&engines[number % engines.len()], &start);
                scope.spawn(move || {
                    start.wait();
                    refreshed(auth, presented).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn sixteen_threads_at_once_get_the_very_same_refresh_token() {
    for engines in [1, 2] {
        let shop = Shop::open();
        let engines: Vec<_> = [shop.auth.clone(), shop.process()].into_iter().take(engines).collect();
        let first = shop.user("cashier", Some("P01"));
        let mut presented = first.clone();
        for (round, kept) in (2..6).zip(0..) {
            let granted = all_at_once(&engines, &presented, 16);
            let tokens: BTreeSet<&str> = granted.iter().map(token).collect();
            assert_eq!(tokens.len(), 1, "round {round}");
            let rotated = granted.iter().filter(|each| each.how == How::Rotated).count();
            assert_eq!((rotated, shop.session(first.session.id).generation), (1, round), "one rotation");
            for each in &granted {
                assert!(used(&shop.auth, each).is_ok());
            }
            presented = granted[kept].clone();
            shop.clock.advance(OVERLAP);
        }
        assert!(shop.told(Action::RefreshReplay).is_empty());
    }
}

#[test]
fn an_answer_that_is_lost_again_and_again_costs_nothing() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    used(&shop.auth, &first).unwrap();
    let mut stored = first;
    for round in 0..20_u32 {
        // Three answers are lost on the way, minutes or hours apart; the process may start anew in between.
        for _ in 0..3 {
            refreshed(&shop.auth, &stored).unwrap();
            shop.clock.advance(if round % 2 == 0 { MINUTE } else { HOUR });
        }
        stored = refreshed(&shop.process(), &stored).unwrap();
        used(&shop.auth, &stored).unwrap();
        shop.clock.advance(10 * MINUTE);
    }
    assert!(shop.told(Action::RefreshReplay).is_empty());
    assert_eq!(stored.session.generation, 21, "each answer that arrived is one rotation");
}

#[test]
fn a_use_counts_before_it_is_written_and_in_other_processes_after() {
    let shop = Shop::open();
    let other = shop.process();
    let first = shop.user("cashier", Some("P01"));
    let second = refreshed(&shop.auth, &first).unwrap();
    used(&shop.auth, &second).unwrap();
    shop.clock.advance(OVERLAP);
    assert_eq!(shop.session(first.session.id).used, 0, "in memory alone");
    assert_eq!(refreshed(&other, &first).unwrap().how, How::Repeated, "the other process cannot know yet");
    shop.auth.write_uses().unwrap();
    assert_eq!(shop.session(first.session.id).used, 2);
    shop.clock.advance(OVERLAP);
    assert_eq!(token_refused(refreshed(&other, &first)), TokenRefusal::Replay);
}

#[test]
fn a_use_that_was_noted_of_an_older_token_takes_nothing_back() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    let second = refreshed(&shop.auth, &first).unwrap();
    used(&shop.auth, &second).unwrap();
    used(&shop.auth, &first).unwrap();
    shop.auth.write_uses().unwrap();
    used(&shop.auth, &first).unwrap();
    shop.auth.write_uses().unwrap();
    assert_eq!(shop.session(first.session.id).used, 2);
}

#[test]
fn a_repeat_from_another_address_is_told_once() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    let second = refreshed(&shop.auth, &first).unwrap();
    let elsewhere = || refreshed_from(&shop.auth, &second, address(9)).unwrap().how;
    assert_eq!(refreshed(&shop.auth, &second).unwrap().how, How::Repeated);
    assert!(shop.told(Action::RefreshShared).is_empty(), "the same address");
    for _ in 0..3 {
        assert_eq!(elsewhere(), How::Repeated);
    }
    let told = shop.told(Action::RefreshShared);
    let [line] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((line.actor.address, line.actor.session), (address(9), Some(first.session.id)));
    shop.clock.advance(OVERLAP);
    assert_eq!(elsewhere(), How::Rotated, "a rotation repeats nothing");
    assert_eq!(shop.told(Action::RefreshShared).len(), 1);
}

#[test]
fn a_repeat_from_another_address_is_told_once_by_a_process_that_did_not_rotate_too() {
    let shop = Shop::open();
    let (first, other) = (shop.user("cashier", Some("P01")), shop.process());
    let second = refreshed(&shop.auth, &first).unwrap();
    for _ in 0..3 {
        assert_eq!(refreshed_from(&other, &second, address(9)).unwrap().how, How::Repeated);
    }
    assert_eq!(shop.told(Action::RefreshShared).len(), 1);
}

#[test]
fn a_repeat_after_the_overlap_is_told_once_too() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    refreshed(&shop.auth, &first).unwrap();
    shop.clock.advance(OVERLAP);
    for _ in 0..3 {
        assert_eq!(refreshed_from(&shop.auth, &first, address(9)).unwrap().how, How::Repeated);
        shop.clock.advance(MINUTE);
    }
    assert_eq!(shop.told(Action::RefreshShared).len(), 1);
}

#[test]
fn addresses_of_one_ipv6_network_are_one_place() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    let of = |text: &str| Some(text.parse().unwrap());
    let second = refreshed_from(&shop.auth, &first, of("2001:db8:0:100::1")).unwrap();
    refreshed_from(&shop.auth, &second, of("2001:db8:0:1ff:ffff::2")).unwrap();
    assert!(shop.told(Action::RefreshShared).is_empty());
    refreshed_from(&shop.auth, &second, of("2001:db8:0:200::1")).unwrap();
    assert_eq!(shop.told(Action::RefreshShared).len(), 1);
}
