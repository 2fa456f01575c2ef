//! Denials in the audit: the first ones individually, then counted, so that a loop does not fill
//! the disk.

use std::time::Duration;

use tillgate_auth_core::{Caller, DeniedCall, LoginRequest, MissingRequirement, OneTimeTokenKind};
use tillgate_domain::{Action, Event, EventOutcome, Right, Subject};

use crate::fixture::{EngineFixture, MINUTE, authenticate, by_user, login_refused};

fn caller(fixture: &EngineFixture, name: &str, device: Option<&str>) -> Caller {
    authenticate(&fixture.auth, &fixture.user(name, device)).unwrap()
}

fn attempt(right: &str) -> DeniedCall {
    DeniedCall {
        missing: MissingRequirement::Right(Right::parse(right).unwrap()),
        call: "GET /users".into(),
        subject: None,
    }
}

fn refusals(fixture: &EngineFixture) -> Vec<Event> {
    fixture.store.audit_events().into_iter().filter(|event| event.action == Action::RightMissing).collect()
}

fn record_denials(fixture: &EngineFixture, caller: &Caller, times: usize) {
    for _ in 0..times {
        fixture.auth.record_denial(caller, &attempt("userRead")).unwrap();
    }
}

#[test]
fn ten_denials_a_minute_are_audited_and_rest_is_counted() {
    let fixture = EngineFixture::open();
    let (cashier, other) = (caller(&fixture, "cashier", Some("P01")), caller(&fixture, "manager", None));
    record_denials(&fixture, &cashier, 25);
    record_denials(&fixture, &other, 3);
    assert_eq!(refusals(&fixture).len(), 13, "callers are counted apart");
    fixture.clock.advance(MINUTE - Duration::from_secs(2));
    fixture.auth.run_due_maintenance();
    assert_eq!(refusals(&fixture).len(), 13);
    fixture.clock.advance(Duration::from_secs(2));
    record_denials(&fixture, &cashier, 1);
    fixture.auth.run_due_maintenance();
    let lines = refusals(&fixture);
    let counted = lines.last().unwrap();
    assert_eq!((lines.len(), counted.details["times"].as_u64()), (14, Some(16)), "one more while it was not yet told");
    assert_eq!((counted.actor, counted.outcome), (cashier.actor(), EventOutcome::Refused));
    assert_eq!(counted.subject, Subject::Tenant(cashier.profile.tenant.id));
    assert_eq!(counted.details["right"], "userRead");
    fixture.clock.advance(Duration::from_secs(2));
    fixture.auth.run_due_maintenance();
    assert_eq!(refusals(&fixture).len(), 14, "it is recorded once");
    record_denials(&fixture, &cashier, 25);
    assert_eq!(refusals(&fixture).len(), 24, "another minute, another ten");
}

#[test]
fn looping_client_makes_eleven_events_a_minute() {
    let fixture = EngineFixture::open();
    let cashier = caller(&fixture, "cashier", Some("P01"));
    for _ in 0..60 * 10 {
        record_denials(&fixture, &cashier, 20);
        fixture.clock.advance(Duration::from_secs(1));
        fixture.auth.run_due_maintenance();
    }
    let lines = refusals(&fixture);
    assert!((100..=115).contains(&lines.len()), "{}", lines.len());
    fixture.auth.leave().unwrap();
    let counted: u64 =
        refusals(&fixture).iter().map(|line| line.details.get("times").map_or(1, |n| n.as_u64().unwrap())).sum();
    assert_eq!(counted, 60 * 10 * 20, "none is lost");
}

#[test]
fn unwritten_denial_is_recorded_later() {
    use tillgate_auth_core::ports::InstanceState;
    let fixture = EngineFixture::open();
    let cashier = caller(&fixture, "cashier", Some("P01"));
    record_denials(&fixture, &cashier, 12);
    fixture.store.set_instance_state(InstanceState::Draining);
    assert!(fixture.auth.leave().is_err());
    fixture.store.set_instance_state(InstanceState::Open);
    fixture.auth.leave().unwrap();
    let lines = refusals(&fixture);
    assert_eq!((lines.len(), lines[10].details["times"].as_u64()), (11, Some(2)));
    // None of the first ten is lost either.
    let manager = caller(&fixture, "manager", None);
    record_denials(&fixture, &manager, 1);
    fixture.store.set_instance_state(InstanceState::Draining);
    assert!(fixture.auth.record_denial(&manager, &attempt("userRead")).is_err());
    fixture.store.set_instance_state(InstanceState::Open);
    record_denials(&fixture, &manager, 1);
    fixture.auth.leave().unwrap();
    let lines = refusals(&fixture);
    let counted = lines.last().unwrap();
    assert_eq!((lines.len(), counted.details["times"].as_u64(), counted.actor), (14, Some(1), manager.actor()));
}

#[test]
fn wrong_one_time_tokens_are_audited_by_network_then_counted() {
    let fixture = EngineFixture::open();
    let deny = |kind: OneTimeTokenKind, address: &str, times: usize| {
        for _ in 0..times {
            fixture.auth.record_token_denial(kind, None, address.parse().ok()).unwrap();
        }
    };
    deny(OneTimeTokenKind::PasswordReset, "203.0.113.7", 25);
    deny(OneTimeTokenKind::Invitation, "203.0.113.8", 2);
    deny(OneTimeTokenKind::EmailVerification, "198.51.100.1", 1);
    let events = fixture.audit_events(Action::OneTimeTokenUse);
    let kinds: Vec<&str> = events.iter().map(|event| event.details["token"].as_str().unwrap()).collect();
    assert_eq!(kinds, [&["password_reset"; 10][..], &["email_verification"]].concat(), "networks are counted apart");
    let first = &events[0];
    assert_eq!((first.outcome, first.subject, first.tenant), (EventOutcome::Refused, Subject::Server, None));
    assert_eq!(first.actor.address, "203.0.113.7".parse().ok());
    assert_eq!(first.details["why"], "token_invalid");

    // the guesses hide no denied login from the same network, such as a repeated wrong password
    let login = LoginRequest { address: "203.0.113.7".parse().ok(), ..by_user("nobody", None) };
    for _ in 0..2 {
        login_refused(fixture.auth.login(&login));
    }
    let denied = fixture.audit_events(Action::Login);
    assert_eq!(denied.iter().filter(|event| event.outcome == EventOutcome::Refused).count(), 2);

    fixture.clock.advance(MINUTE);
    fixture.auth.run_due_maintenance();
    let counted = fixture.audit_events(Action::OneTimeTokenUse).pop().unwrap();
    assert_eq!(counted.details["times"], 17);
    assert_eq!(counted.details["token"], "invitation");
}
