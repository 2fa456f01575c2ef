//! Step-up: a new proof of identity in the same session.

use tillgate_auth_core::{
    AuthDenied, Caller, Clock as _, Error, IssuedTokens, LoginRequest, OfficeTerms, Terms, TokenDenied,
};
use tillgate_domain::{Action, EventOutcome, Secret, Subject};

use crate::fixture::{
    EngineFixture, MINUTE, authenticate, by_device, by_user, password_of, refresh, terms, token_refused,
};

const MAX_AGE: std::time::Duration = MINUTE.saturating_mul(5);

fn log_in(fixture: &EngineFixture) -> IssuedTokens {
    let office = OfficeTerms { read_only_access: 60 * MINUTE, read_only_idle: 60 * MINUTE, max_proof_age: MAX_AGE };
    let terms = Terms { office: Some(office), ..terms() };
    fixture.auth.login(&LoginRequest { terms, ..by_user("manager", None) }).unwrap()
}

fn caller(fixture: &EngineFixture, issued: &IssuedTokens) -> Caller {
    authenticate(&fixture.auth, issued).unwrap()
}

fn step_up(fixture: &EngineFixture, caller: &Caller, password: &str) -> Result<IssuedTokens, Error> {
    fixture.auth.step_up(caller, &Secret::new(password.to_owned()))
}

#[test]
fn proof_is_stale_after_its_greatest_age_until_a_step_up() {
    let fixture = EngineFixture::open();
    let issued = log_in(&fixture);
    let stale = |issued: &IssuedTokens| caller(&fixture, issued).stale_proof(fixture.clock.now());
    fixture.clock.advance(MAX_AGE);
    assert_eq!(stale(&issued), None);
    fixture.clock.advance(MINUTE);
    assert_eq!(stale(&issued), Some(MAX_AGE));
    let renewed = refresh(&fixture.auth, &issued).unwrap();
    assert_eq!(stale(&renewed), Some(MAX_AGE), "a refresh is no proof");
    let proved = step_up(&fixture, &caller(&fixture, &renewed), &password_of("manager")).unwrap();
    assert_eq!(proved.session.id, issued.session.id);
    let [event] = &fixture.audit_events(Action::StepUp)[..] else { panic!("one event") };
    assert_eq!((event.subject, event.outcome), (Subject::Session(issued.session.id), EventOutcome::Done));
    assert_eq!((event.actor.user, event.actor.session), (proved.session.user, Some(issued.session.id)));
    assert_eq!((stale(&proved), stale(&renewed)), (None, Some(MAX_AGE)), "the older token has the older proof");
    assert_eq!(fixture.session(issued.session.id).authentication.at, fixture.clock.now());
    let next = refresh(&fixture.auth, &proved).unwrap();
    assert_eq!(stale(&next), None, "the session keeps the proof");
    let other = fixture.auth.login(&by_user("manager", None)).unwrap();
    fixture.clock.advance(10 * MINUTE);
    assert_eq!(stale(&other), None, "other sessions have no greatest age");
}

#[test]
fn lost_response_of_a_step_up_and_a_second_tab_end_nothing() {
    let fixture = EngineFixture::open();
    let issued = log_in(&fixture);
    let proved = step_up(&fixture, &caller(&fixture, &issued), &password_of("manager")).unwrap();
    // a second tab refreshes with the token from before, and gets the same successor
    let tab = refresh(&fixture.auth, &issued).unwrap();
    assert_eq!(tab.refresh_token.as_ref().map(Secret::expose), proved.refresh_token.as_ref().map(Secret::expose));
    // nobody got a response: the token from before still works, however late
    let late = log_in(&fixture);
    step_up(&fixture, &caller(&fixture, &late), &password_of("manager")).unwrap();
    fixture.clock.advance(10 * MINUTE);
    assert!(refresh(&fixture.auth, &late).is_ok());
}

#[test]
fn step_up_within_the_overlap_of_a_rotation_leaves_previous_refresh_token_valid() {
    let fixture = EngineFixture::open();
    let issued = log_in(&fixture);
    let renewed = refresh(&fixture.auth, &issued).unwrap();
    let token = |tokens: &IssuedTokens| tokens.refresh_token.as_ref().map(|token| token.expose().clone());
    let proved = step_up(&fixture, &caller(&fixture, &renewed), &password_of("manager")).unwrap();
    assert_eq!(token(&proved), token(&renewed));
    assert_eq!(caller(&fixture, &proved).stale_proof(fixture.clock.now()), None);
    // a tab that has none of the responses is one generation behind
    assert_eq!(token(&refresh(&fixture.auth, &issued).unwrap()), token(&renewed));
    // several tabs at once
    let session = log_in(&fixture);
    for _ in 0..4 {
        step_up(&fixture, &caller(&fixture, &session), &password_of("manager")).unwrap();
    }
    assert!(refresh(&fixture.auth, &session).is_ok());
    // after the grace period it rotates
    fixture.clock.advance(10 * MINUTE);
    let later = refresh(&fixture.auth, &session).unwrap();
    fixture.clock.advance(10 * MINUTE);
    let proved = step_up(&fixture, &caller(&fixture, &later), &password_of("manager")).unwrap();
    assert_ne!(token(&proved), token(&later));
}

#[test]
fn step_up_requires_the_password_of_a_user_with_a_live_session() {
    let fixture = EngineFixture::open();
    let issued = log_in(&fixture);
    let own = caller(&fixture, &issued);
    for wrong in ["wrong", ""] {
        assert_eq!(step_up(&fixture, &own, wrong).unwrap_err(), AuthDenied::WrongPassword.into());
    }
    assert_eq!(fixture.session(issued.session.id).authentication.at, issued.session.created_at);
    let device = fixture.auth.login(&by_device("P01")).unwrap();
    let device = caller(&fixture, &device);
    let by_device = step_up(&fixture, &device, &password_of("P01"));
    assert_eq!(by_device.unwrap_err(), AuthDenied::WrongPassword.into(), "its token stays valid");
    fixture.auth.logout(&own).unwrap();
    assert_eq!(token_refused(step_up(&fixture, &own, &password_of("manager"))), TokenDenied::SessionOver);
    assert_eq!(fixture.audit_events(Action::StepUp).len(), 0, "what was denied is no step-up");
}
