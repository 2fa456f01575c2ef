//! Enrollments by the users and API keys that started them: which codes are void when they are
//! used.

use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::{AuthDenied, Clock, EnrollmentCode};
use tillgate_domain::office::{ApiKeyChange, DeviceRolesChange, NewEnrollment, Office, SecretRotation};
use tillgate_domain::{Action, ApiKey, DeviceStatus, EventOutcome, Instant, RoleName, StoreExt, UserStatus};
use tillgate_testkit::ProofSigner;

use crate::enrollment::{denial, enroll, keys, office, till};
use crate::fixture::{EngineFixture, MINUTE, done, stamp};
use crate::signed_requests::key as add_key;

/// Starts an enrollment of the till as this user, and returns its code.
fn start_as(fixture: &EngineFixture, user: &str) -> String {
    let lifetime = 10 * MINUTE;
    let EnrollmentCode { code, digest } = fixture.auth.generate_enrollment_code(lifetime).unwrap();
    let mut context = stamp(fixture.clock.now());
    context.actor.user = Some(fixture.records.user(user).id);
    let office = Office::new(fixture.office_store(), fixture.records.tenant.id, context);
    done(
        office
            .start_enrollment(till(fixture), &NewEnrollment { digest, lifetime, replaces_key: false, confirms: false }),
    );
    code.expose().clone()
}

#[test]
fn code_of_a_dismissed_or_demoted_user_is_void() {
    for status in [UserStatus::Suspended, UserStatus::Deleted] {
        let fixture = EngineFixture::open();
        let (manager, code) = (fixture.records.user("manager").id, start_as(&fixture, "manager"));
        done(office(&fixture).set_user_status(manager, status));
        assert_eq!(
            denial(enroll(&fixture.auth, &code, &ProofSigner::ed25519(1))),
            AuthDenied::EnrollmentUnknown,
            "{status:?}"
        );
        let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
        assert_eq!((event.outcome, &event.details["why"]), (EventOutcome::Refused, &json!("starter_inactive")));
        assert_eq!(event.details["started_by"], json!(manager));
    }
    let fixture = EngineFixture::open();
    let (manager, code) = (fixture.records.user("manager").id, start_as(&fixture, "manager"));
    let assign = |role| {
        let roles = vec![RoleName::parse(role).unwrap()];
        drop(done(office(&fixture).assign_roles(manager, Some(roles), DeviceRolesChange::Replace(Vec::new()))));
    };
    assign("cashier");
    let signer = ProofSigner::ed25519(1);
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::EnrollmentUnknown);
    let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
    assert_eq!(event.details["why"], json!("starter_rights"));
    assert_eq!((keys(&fixture), fixture.sessions()), (Vec::new(), 0));
    assign("manager");
    assert!(enroll(&fixture.auth, &code, &signer).is_ok(), "the code was not used");
}

#[test]
fn code_is_void_if_the_device_has_rights_that_its_starter_lacks() {
    let fixture = EngineFixture::open();
    let code = start_as(&fixture, "manager");
    // a store in which the device got a role while the enrollment was started
    let mut device = fixture.auth_store().read("test", |tx| tx.devices().find(till(&fixture))).unwrap().unwrap();
    let tenant = fixture.records.tenant.id;
    let roles = fixture.office_store().read("test", |tx| tx.roles().list(tenant)).unwrap();
    device.roles = roles.iter().filter(|role| role.name.as_str() == "admin").map(|role| role.id).collect();
    assert!(fixture.office_store().write("test", |tx| tx.devices().update(&device)).unwrap());
    assert_eq!(denial(enroll(&fixture.auth, &code, &ProofSigner::ed25519(1))), AuthDenied::EnrollmentUnknown);
    let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
    assert_eq!(event.details["why"], json!("starter_rights"));
}

/// Starts an enrollment of the handheld with this API key, and returns its code and expiry.
fn start_with(fixture: &EngineFixture, key: &ApiKey, lifetime: Duration) -> (String, Instant) {
    let EnrollmentCode { code, digest } = fixture.auth.generate_enrollment_code(lifetime).unwrap();
    let mut context = stamp(fixture.clock.now());
    context.actor.user = Some(key.user);
    let office = Office::new(fixture.office_store(), fixture.records.tenant.id, context).with_api_key(Some(key.id));
    let new = NewEnrollment { digest, lifetime, replaces_key: false, confirms: false };
    let started = done(office.start_enrollment(fixture.records.device("P02").id, &new));
    assert_eq!(started.started_with, Some(key.id));
    (code.expose().clone(), started.expires_at)
}

/// Why the newest enrollment was denied.
fn last_reason(fixture: &EngineFixture) -> String {
    let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
    event.details["why"].as_str().unwrap().to_owned()
}

#[test]
fn code_is_void_while_the_api_key_that_started_it_is_not_usable() {
    let fixture = EngineFixture::open();
    let (key, _) = add_key(&fixture, "manager", &[]);
    let (code, _) = start_with(&fixture, &key, 10 * MINUTE);
    let signer = ProofSigner::ed25519(1);
    let refuse = |reason: &str| {
        assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::EnrollmentUnknown, "{reason}");
        assert_eq!(last_reason(&fixture), reason);
    };
    let change = |change: ApiKeyChange| drop(done(office(&fixture).change_api_key(key.id, None, &change)));
    change(ApiKeyChange { active: Some(false), ..ApiKeyChange::default() });
    refuse("starter_key");
    change(ApiKeyChange { active: Some(true), ..ApiKeyChange::default() });
    let narrow = ["ticketOpen"].map(|name| tillgate_domain::Right::parse(name).unwrap()).into_iter().collect();
    change(ApiKeyChange { permissions: Some(narrow), ..ApiKeyChange::default() });
    refuse("starter_rights");
    change(ApiKeyChange { permissions: Some([].into_iter().collect()), ..ApiKeyChange::default() });
    let set_status = |status| drop(done(office(&fixture).set_device_status(till(&fixture), status)));
    set_status(DeviceStatus::Locked);
    refuse("starter_key");
    set_status(DeviceStatus::Active);
    done(office(&fixture).set_user_status(key.user, UserStatus::Suspended));
    refuse("starter_inactive");
    done(office(&fixture).set_user_status(key.user, UserStatus::Active));
    assert!(enroll(&fixture.auth, &code, &signer).is_ok(), "the code was not used");
}

#[test]
fn code_is_void_once_the_api_key_that_started_it_is_deleted_or_has_expired() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (key, _) = add_key(&fixture, "manager", &[]);
    let (code, _) = start_with(&fixture, &key, 10 * MINUTE);
    done(office(&fixture).delete_api_key(key.id, None));
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::EnrollmentUnknown);
    assert_eq!(last_reason(&fixture), "starter_key");
    let (key, _) = add_key(&fixture, "manager", &[]);
    let end = fixture.clock.now().saturating_add(5 * MINUTE);
    let change = ApiKeyChange { expires_at: Some(Some(end)), ..ApiKeyChange::default() };
    done(office(&fixture).change_api_key(key.id, None, &change));
    assert_eq!(start_with(&fixture, &key, 10 * MINUTE).1, end, "the code expires with its key");
}

#[test]
fn code_expires_with_the_secret_with_which_it_was_started() {
    let fixture = EngineFixture::open();
    let (key, _) = add_key(&fixture, "manager", &[]);
    let rotate = |overlap| {
        let (_, wrapped_secret) = fixture.auth.generate_api_key_secret(&key.client_id).unwrap();
        drop(done(office(&fixture).rotate_api_key(key.id, None, &SecretRotation { wrapped_secret, overlap })));
    };
    let expiry = || {
        let device = fixture.records.device("P02").id;
        done(office(&fixture).reader().find_enrollment(device)).map(|enrollment| enrollment.expires_at)
    };
    start_with(&fixture, &key, 60 * MINUTE);
    rotate(20 * MINUTE);
    let end = fixture.clock.now().saturating_add(20 * MINUTE);
    assert_eq!(expiry(), Some(end));
    assert_eq!(start_with(&fixture, &key, 60 * MINUTE).1, end, "it may have been started with the previous secret");
    let (code, _) = start_with(&fixture, &key, 5 * MINUTE);
    rotate(Duration::ZERO);
    assert_eq!(expiry(), Some(fixture.clock.now()));
    assert_eq!(denial(enroll(&fixture.auth, &code, &ProofSigner::ed25519(1))), AuthDenied::EnrollmentUnknown);
    let (_, expires_at) = start_with(&fixture, &key, 60 * MINUTE);
    assert_eq!(expires_at, fixture.clock.now().saturating_add(60 * MINUTE), "of the new secret");
}
