//! Denied enrollments: their limit, and what of them is recorded.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::{AuthDenied, EnrollmentRequest};
use tillgate_domain::{Action, KeyStorage, Secret};
use tillgate_testkit::ProofSigner;

use crate::enrollment::{denial, enroll, enroll_from, prove, start};
use crate::fixture::{EngineFixture, MINUTE, address, by_device, by_user, native, terms, with_password};

#[test]
fn wrong_codes_are_limited_in_their_network_only() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    let alphabet = ["B", "C", "D", "F", "G", "H", "J", "K"];
    let mut limited = None;
    for (number, first) in
        alphabet.iter().flat_map(|one| alphabet.iter().map(move |two| format!("{one}{two}"))).enumerate()
    {
        let guess = format!("{first}LL-LLLL");
        match denial(enroll(&fixture.auth, &guess, &signer)) {
            AuthDenied::EnrollmentUnknown => {}
            AuthDenied::TooManyAttempts { retry_after } => {
                limited = Some((number, retry_after));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let (number, retry_after) = limited.expect("guesses are limited");
    assert_eq!(number, 50);
    assert!(retry_after <= Duration::from_mins(1), "{retry_after:?}");
    let key = prove(&fixture.auth, &signer);
    let elsewhere = Some(IpAddr::from([198, 51, 100, 1]));
    assert!(enroll_from(&fixture.auth, &code, &key, elsewhere).is_ok(), "another network is not affected");
}

#[test]
fn denied_enrollments_hide_no_denied_login() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    enroll(&fixture.auth, &code, &signer).unwrap();
    for _ in 0..12 {
        denial(enroll(&fixture.auth, "BCDF-GHJK", &signer));
        denial(enroll(&fixture.auth, &code, &ProofSigner::ed25519(2)));
    }
    for login in [by_device("P01"), by_user("nobody", None)] {
        assert!(fixture.auth.login(&with_password(login, "wrong")).is_err());
    }
    assert_eq!(fixture.audit_events(Action::DeviceEnroll).len(), 1 + 10);
    assert_eq!(fixture.audit_events(Action::DeviceEnrollReplay).len(), 10);
    let refused = fixture.audit_events(Action::Login);
    assert_eq!(refused.len(), 2, "{refused:?}");
}

#[test]
fn denied_enrollment_is_recorded_in_the_tenant_of_its_request_also_if_it_is_rate_limited() {
    let fixture = EngineFixture::open();
    let (key, tenant) = (prove(&fixture.auth, &ProofSigner::ed25519(1)), fixture.records.tenant.id);
    let guess = |number: usize| {
        let code = format!("BCDF-{}", "GHJKLMNPQRSTVWXZ".repeat(1 + number / 12).split_at(number % 12).1);
        fixture.auth.enroll_device(&EnrollmentRequest {
            dialect: &native(),
            terms: &terms(),
            tenant: Some(tenant),
            code: &Secret::new(code),
            proven_key: &key,
            storage: KeyStorage::Software,
            trusts_storage: false,
            label: "",
            app: "",
            address: address(1),
        })
    };
    for number in 0..50 {
        assert_eq!(denial(guess(number)), AuthDenied::EnrollmentUnknown);
    }
    let limited = denial(guess(50));
    assert!(matches!(limited, AuthDenied::TooManyAttempts { .. }), "{limited:?}");
    fixture.clock.advance(MINUTE + Duration::from_secs(1));
    fixture.auth.run_due_maintenance();
    let events = fixture.audit_events(Action::DeviceEnroll);
    assert!(events.iter().all(|event| event.tenant == Some(tenant)), "{events:?}");
    let rest = events.last().unwrap();
    assert_eq!((events.len(), &rest.details["times"]), (11, &json!(41)));
    assert_eq!(rest.details["why"], json!(limited.code()));
}
