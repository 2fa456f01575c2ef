//! Refusals of rights in the audit: told one by one, then counted, so that a loop fills no disk.

use std::time::Duration;

use tillgate_auth_core::{Attempt, Caller, Lacking};
use tillgate_domain::{Action, Event, Outcome, Right, Subject};

use crate::shop::{MINUTE, Shop, used};

fn caller(shop: &Shop, name: &str, device: Option<&str>) -> Caller {
    used(&shop.auth, &shop.user(name, device)).unwrap()
}

fn attempt(right: &str) -> Attempt {
    Attempt { lacking: Lacking::Right(Right::parse(right).unwrap()), call: "GET /users".into(), subject: None }
}

fn refusals(shop: &Shop) -> Vec<Event> {
    shop.memory.audit().into_iter().filter(|event| event.action == Action::RightMissing).collect()
}

fn note(shop: &Shop, caller: &Caller, times: usize) {
    for _ in 0..times {
        shop.auth.note_refusal(caller, &attempt("userRead")).unwrap();
    }
}

#[test]
fn ten_in_a_minute_are_told_and_the_rest_is_counted_after_it() {
    let shop = Shop::open();
    let (cashier, other) = (caller(&shop, "cashier", Some("P01")), caller(&shop, "manager", None));
    note(&shop, &cashier, 25);
    note(&shop, &other, 3);
    assert_eq!(refusals(&shop).len(), 13, "callers are counted apart");
    shop.clock.advance(MINUTE - Duration::from_secs(2));
    shop.auth.chore();
    assert_eq!(refusals(&shop).len(), 13);
    shop.clock.advance(Duration::from_secs(2));
    note(&shop, &cashier, 1);
    shop.auth.chore();
    let lines = refusals(&shop);
    let counted = lines.last().unwrap();
    assert_eq!((lines.len(), counted.details["times"].as_u64()), (14, Some(16)), "one more while it was not yet told");
    assert_eq!((counted.actor, counted.outcome), (cashier.actor(), Outcome::Refused));
    assert_eq!(counted.subject, Subject::Tenant(cashier.profile.tenant.id));
    assert_eq!(counted.details["right"], "userRead");
    shop.clock.advance(Duration::from_secs(2));
    shop.auth.chore();
    assert_eq!(refusals(&shop).len(), 14, "it is told once");
    note(&shop, &cashier, 25);
    assert_eq!(refusals(&shop).len(), 24, "another minute, another ten");
}

#[test]
fn a_day_of_a_loop_is_eleven_lines_a_minute() {
    let shop = Shop::open();
    let cashier = caller(&shop, "cashier", Some("P01"));
    for _ in 0..60 * 10 {
        note(&shop, &cashier, 20);
        shop.clock.advance(Duration::from_secs(1));
        shop.auth.chore();
    }
    let lines = refusals(&shop);
    assert!((100..=115).contains(&lines.len()), "{}", lines.len());
    shop.auth.leave().unwrap();
    let counted: u64 =
        refusals(&shop).iter().map(|line| line.details.get("times").map_or(1, |n| n.as_u64().unwrap())).sum();
    assert_eq!(counted, 60 * 10 * 20, "none is lost");
}

#[test]
fn what_cannot_be_written_is_told_again() {
    use tillgate_auth_core::ports::InstanceState;
    let shop = Shop::open();
    let cashier = caller(&shop, "cashier", Some("P01"));
    note(&shop, &cashier, 12);
    shop.memory.turn(InstanceState::Draining);
    assert!(shop.auth.leave().is_err());
    shop.memory.turn(InstanceState::Open);
    shop.auth.leave().unwrap();
    let lines = refusals(&shop);
    assert_eq!((lines.len(), lines[10].details["times"].as_u64()), (11, Some(2)));
    // nor is one of the first ten lost
    let manager = caller(&shop, "manager", None);
    note(&shop, &manager, 1);
    shop.memory.turn(InstanceState::Draining);
    assert!(shop.auth.note_refusal(&manager, &attempt("userRead")).is_err());
    shop.memory.turn(InstanceState::Open);
    note(&shop, &manager, 1);
    shop.auth.leave().unwrap();
    let lines = refusals(&shop);
    let counted = lines.last().unwrap();
    assert_eq!((lines.len(), counted.details["times"].as_u64(), counted.actor), (14, Some(1), manager.actor()));
}
