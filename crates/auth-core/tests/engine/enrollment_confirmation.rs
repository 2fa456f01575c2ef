//! Enrollments that somebody must confirm after the machine has presented its code.

use tillgate_auth_core::{
    AuthDenied, EnrollmentCode, EnrollmentRequest, EnrollmentResponse, Error, IssuedDeviceCode, PollDenied,
};
use tillgate_domain::office::{NewEnrollment, OfficeError};
use tillgate_domain::{Action, DeviceKeyState, KeyStorage, Secret};
use tillgate_testkit::ProofSigner;

use crate::enrollment::{keys, office, prove, states, till};
use crate::fixture::{EngineFixture, MINUTE, address, done, native, terms};
use crate::pending_keys::{accept_with, acceptance, poll, poll_denied};

#[test]
fn presented_code_cannot_be_confirmed_after_it_has_expired() {
    let fixture = EngineFixture::open();
    let machine = ProofSigner::ed25519(1);
    let EnrollmentCode { code, digest } = fixture.auth.generate_enrollment_code(10 * MINUTE).unwrap();
    let new = NewEnrollment { digest, lifetime: 10 * MINUTE, replaces_key: false, confirms: true };
    done(office(&fixture).start_enrollment(till(&fixture), &new));
    fixture.clock.advance(8 * MINUTE);
    let waiting = present(&fixture, &code, &machine).unwrap();
    assert_eq!(waiting.expires_in, 2 * MINUTE, "it waits no longer than the code is valid");
    fixture.clock.advance(2 * MINUTE);
    let late = office(&fixture).confirm_enrollment(till(&fixture), &waiting.fingerprint).unwrap();
    assert!(matches!(late, Err(OfficeError::NotFound { .. })), "{late:?}");
    let late = accept_with(&fixture, code.expose(), &acceptance(&waiting.fingerprint, false));
    assert!(matches!(late, Err(OfficeError::NotFound { .. })), "{late:?}");
    assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &machine), PollDenied::ExpiredToken);
}

/// Presents a code, and returns how the machine waits.
pub(crate) fn present(
    fixture: &EngineFixture,
    code: &Secret<String>,
    signer: &ProofSigner,
) -> Result<IssuedDeviceCode, AuthDenied> {
    let result = fixture.auth.enroll_device(&EnrollmentRequest {
        dialect: &native(),
        terms: &terms(),
        tenant: None,
        code,
        proven_key: &prove(&fixture.auth, signer),
        storage: KeyStorage::Software,
        trusts_storage: false,
        label: "Box",
        app: "Kasa 5.1",
        address: address(1),
    });
    match result {
        Ok(EnrollmentResponse::Waiting(waiting)) => Ok(waiting),
        Err(Error::Denied(denied)) => Err(denied),
        other => panic!("{other:?}"),
    }
}

#[test]
fn enrollment_that_must_be_confirmed_waits_for_it() {
    let fixture = EngineFixture::open();
    let (machine, thief) = (ProofSigner::ed25519(1), ProofSigner::ed25519(2));
    let lifetime = 30 * MINUTE;
    let EnrollmentCode { code, digest } = fixture.auth.generate_enrollment_code(lifetime).unwrap();
    let new = NewEnrollment { digest, lifetime, replaces_key: false, confirms: true };
    done(office(&fixture).start_enrollment(till(&fixture), &new));
    let early = office(&fixture).confirm_enrollment(till(&fixture), "0000").unwrap();
    assert!(matches!(early, Err(OfficeError::NotFound { .. })), "nobody has presented the code: {early:?}");

    let first = present(&fixture, &code, &machine).unwrap();
    let lost = present(&fixture, &code, &machine).unwrap();
    assert_eq!(first.fingerprint, lost.fingerprint, "the same machine");
    assert_eq!(present(&fixture, &code, &thief).unwrap_err(), AuthDenied::EnrollmentUnknown);
    assert_eq!(fixture.audit_events(Action::DeviceEnrollClaim).len(), 1);
    assert_eq!(fixture.audit_events(Action::DeviceEnrollReplay).len(), 1);
    assert_eq!(poll_denied(&fixture.auth, &first.device_code, &machine), PollDenied::ExpiredToken);
    assert_eq!(poll_denied(&fixture.auth, &lost.device_code, &machine), PollDenied::AuthorizationPending);
    assert_eq!(keys(&fixture), Vec::new());

    let wrong = if lost.fingerprint == "0000" { "0001" } else { "0000" };
    assert_eq!(
        office(&fixture).confirm_enrollment(till(&fixture), wrong).unwrap(),
        Err(OfficeError::FingerprintMismatch)
    );
    let found = done(office(&fixture).reader().find_enrollment_with_key(till(&fixture))).unwrap();
    assert_eq!(found.1.map(|key| key.label), Some("Box".to_owned()));
    done(office(&fixture).confirm_enrollment(till(&fixture), &lost.fingerprint));
    assert!(poll(&fixture.auth, &lost.device_code, &machine).is_ok());
    assert_eq!(states(&fixture), [DeviceKeyState::Current]);
}

#[test]
fn presented_code_is_void_once_its_enrollment_is_canceled_or_replaced() {
    for cancels in [true, false] {
        let fixture = EngineFixture::open();
        let machine = ProofSigner::ed25519(1);
        let new = |digest| NewEnrollment { digest, lifetime: 30 * MINUTE, replaces_key: false, confirms: true };
        let EnrollmentCode { code, digest } = fixture.auth.generate_enrollment_code(30 * MINUTE).unwrap();
        done(office(&fixture).start_enrollment(till(&fixture), &new(digest)));
        let waiting = present(&fixture, &code, &machine).unwrap();
        if cancels {
            done(office(&fixture).cancel_enrollment(till(&fixture)));
        } else {
            let other = fixture.auth.generate_enrollment_code(30 * MINUTE).unwrap();
            done(office(&fixture).start_enrollment(till(&fixture), &new(other.digest)));
        }
        let refused = accept_with(&fixture, code.expose(), &acceptance(&waiting.fingerprint, false));
        assert!(matches!(refused, Err(OfficeError::NotFound { .. })), "{cancels}: {refused:?}");
        assert!(poll(&fixture.auth, &waiting.device_code, &machine).is_err(), "{cancels}");
        assert_eq!(keys(&fixture), Vec::new(), "{cancels}");
    }
}
