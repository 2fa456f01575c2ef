//! The keys of devices: enrollment of another key, revocation, and the record of their use.

use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::dpop::encode_base64url;
use tillgate_auth_core::{AuthDenied, Clock, RefreshRequest};
use tillgate_domain::{Action, DeviceKeyState, EndReason, EventOutcome};
use tillgate_testkit::ProofSigner;

use crate::enrollment::{denial, enroll, keys, new_proof, office, prove, start, states, till};
use crate::fixture::{EngineFixture, MINUTE, done, native, refreshing, token};

#[test]
fn replaced_key_is_retired_and_its_sessions_end_everywhere() {
    let fixture = EngineFixture::open();
    let (old, new) = (ProofSigner::ed25519(1), ProofSigner::ed25519(2));
    let other_process = fixture.process();
    let first = enroll(&fixture.auth, &start(&fixture, false), &old).unwrap();
    let person = fixture.user("cashier", Some("P01"));
    let code = start(&fixture, true);
    assert_eq!(fixture.session(first.session.id).ended, None, "nothing ends before the code is used");
    let second = enroll(&fixture.auth, &code, &new).unwrap();
    assert_eq!(states(&fixture), [DeviceKeyState::Current, DeviceKeyState::Retired]);
    for ended in [&first, &person] {
        let why = fixture.session(ended.session.id).ended.map(|(_, why)| why);
        assert_eq!(why, Some(EndReason::Replaced));
    }
    other_process.poll_feed().unwrap();
    assert!(crate::fixture::authenticate(&other_process, &person).is_err());
    assert_eq!(fixture.session(second.session.id).ended, None);
    let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
    assert_eq!(event.details["replaced"], json!(encode_base64url(prove(&fixture.auth, &old).thumbprint())));
}

#[test]
fn first_enrollment_ends_no_session() {
    let fixture = EngineFixture::open();
    let person = fixture.user("cashier", Some("P01"));
    enroll(&fixture.auth, &start(&fixture, false), &ProofSigner::ed25519(1)).unwrap();
    assert_eq!(fixture.session(person.session.id).ended, None);
}

#[test]
fn key_is_enrolled_once() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    enroll(&fixture.auth, &start(&fixture, false), &signer).unwrap();
    let code = start(&fixture, true);
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::KeyKnown, "it is current");
    enroll(&fixture.auth, &code, &ProofSigner::ed25519(2)).unwrap();
    let code = start(&fixture, true);
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::KeyKnown, "it is retired");
    let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
    assert_eq!((event.outcome, &event.details["why"]), (EventOutcome::Refused, &json!("key_known")));
}

#[test]
fn revoked_key_loses_its_sessions_for_good() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let granted = enroll(&fixture.auth, &start(&fixture, false), &signer).unwrap();
    let thumbprint = keys(&fixture)[0].thumbprint;
    let revoke = || done(office(&fixture).revoke_device_key(till(&fixture), &thumbprint));
    assert_eq!((revoke(), revoke()), (true, false));
    assert!(fixture.session(granted.session.id).ended.is_some());
    assert_eq!(fixture.audit_events(Action::DeviceKeyRevoke).len(), 1);
    let code = start(&fixture, false);
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::KeyKnown);
    assert!(enroll(&fixture.auth, &code, &ProofSigner::ed25519(2)).is_ok());
}

#[test]
fn use_of_a_key_is_recorded_once_an_hour() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let mut tokens = enroll(&fixture.auth, &start(&fixture, false), &signer).unwrap();
    let used_at = || keys(&fixture)[0].used_at;
    assert_eq!(used_at(), None);
    let mut refresh_after = |span: Duration| {
        fixture.clock.advance(span);
        let proof = new_proof(&fixture.auth, &signer, "https://pos.example/api/v1/sessions/refresh");
        let dialect = native();
        let request = RefreshRequest { proof: Some(&proof), ..refreshing(token(&tokens), &dialect) };
        tokens = fixture.auth.refresh(&request).unwrap();
        fixture.clock.now()
    };
    let first = refresh_after(10 * MINUTE);
    assert_eq!(used_at(), Some(first));
    refresh_after(59 * MINUTE);
    assert_eq!(used_at(), Some(first));
    // after the grace period of the last rotation
    let next = refresh_after(3 * MINUTE);
    assert_eq!(used_at(), Some(next));
}
