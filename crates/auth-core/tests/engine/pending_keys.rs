//! Keys of machines that wait to be accepted: what a poll is answered, and what acceptance and
//! denial do.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::dpop::encode_base64url;
use tillgate_auth_core::{
    Auth, AuthDenied, Clock, EnrolledDevice, EnrollmentCode, Error, GrantKind, IssuedDeviceCode, PendingKeyRequest,
    PollDenied, PollRequest, ProofFault, ProvenKey, SessionKind, Tenancy,
};
use tillgate_domain::office::{KeyAcceptance, NewTenant, Office, OfficeError, TenantChange, TypedCode, add_tenant};
use tillgate_domain::pending_key::{PENDING_KEY_LIFETIME, POLL_INTERVAL};
use tillgate_domain::{
    Action, Branch, BranchId, DeviceKeyState, DeviceName, DeviceStatus, EndReason, Enrollment, EventOutcome,
    KeyStorage, Locale, RoleId, Secret, SessionLimits, Slug, TenantId, UserStatus, Zone,
};
use tillgate_testkit::ProofSigner;

use crate::enrollment::{denial, enroll, keys, office, prove, states, till};
use crate::fixture::{EngineFixture, MINUTE, address, done, native, stamp, terms};

const SECOND: Duration = Duration::from_secs(1);

/// Starts from this address, for the tenant with this name.
pub(crate) fn try_start(
    auth: &Auth,
    key: &ProvenKey,
    tenant: Option<&str>,
    from: Option<IpAddr>,
) -> Result<(EnrollmentCode, IssuedDeviceCode), Error> {
    auth.start_pending_key(&PendingKeyRequest {
        tenancy: &Tenancy { fixed: None, requested: tenant.map(str::to_owned) },
        proven_key: key,
        storage: KeyStorage::Hardware,
        label: "Box under the counter",
        app: "Kasa 5.1",
        address: from,
    })
}

pub(crate) fn start(auth: &Auth, signer: &ProofSigner) -> (EnrollmentCode, IssuedDeviceCode) {
    try_start(auth, &prove(auth, signer), None, address(1)).unwrap()
}

pub(crate) fn poll(auth: &Auth, code: &Secret<String>, signer: &ProofSigner) -> Result<EnrolledDevice, Error> {
    poll_with(auth, code, &prove(auth, signer))
}

pub(crate) fn poll_with(auth: &Auth, code: &Secret<String>, key: &ProvenKey) -> Result<EnrolledDevice, Error> {
    auth.poll_pending_key(&PollRequest {
        dialect: &native(),
        terms: [&terms(), &terms()],
        tenant: None,
        device_code: code,
        proven_key: key,
        trusts_storage: false,
        address: address(1),
    })
}

pub(crate) fn poll_denied(auth: &Auth, code: &Secret<String>, signer: &ProofSigner) -> PollDenied {
    match denial(poll(auth, code, signer)) {
        AuthDenied::Poll(denied) => denied,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn acceptance(fingerprint: &str, replaces_key: bool) -> KeyAcceptance {
    KeyAcceptance { device: DeviceName::parse("P01").unwrap(), fingerprint: fingerprint.to_owned(), replaces_key }
}

pub(crate) fn accept_with(
    fixture: &EngineFixture,
    code: &str,
    acceptance: &KeyAcceptance,
) -> Result<Enrollment, OfficeError> {
    let digest = fixture.auth.digest_enrollment_code(code);
    office(fixture).accept_pending_key(TypedCode { digest: &digest, text: code }, acceptance).unwrap()
}

/// Accepts the key that waits under this code for the till.
pub(crate) fn accept(fixture: &EngineFixture, code: &EnrollmentCode, waiting: &IssuedDeviceCode) -> Enrollment {
    let typed = code.code.expose().to_lowercase().replace('-', " ");
    accept_with(fixture, &typed, &acceptance(&format!(" {} ", waiting.fingerprint), false)).unwrap()
}

#[test]
fn accepted_key_is_enrolled_by_the_next_poll() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::p256();
    let (code, waiting) = start(&fixture.auth, &signer);
    assert_eq!((waiting.fingerprint.len(), waiting.expires_in), (4, PENDING_KEY_LIFETIME));
    assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &signer), PollDenied::AuthorizationPending);
    assert_eq!((keys(&fixture), fixture.sessions()), (Vec::new(), 0));
    accept(&fixture, &code, &waiting);
    let event = fixture.audit_events(Action::DeviceEnrollAccept).pop().unwrap();
    assert_eq!(event.details["label"], "Box under the counter");
    let thumbprint = encode_base64url(prove(&fixture.auth, &signer).thumbprint());
    assert_eq!(event.details["thumbprint"], json!(thumbprint));

    let enrolled = poll(&fixture.process(), &waiting.device_code, &signer).unwrap();
    let session = &enrolled.tokens.session;
    assert_eq!((session.kind, session.device), (SessionKind::Device, Some(till(&fixture))));
    assert_eq!(session.authentication.methods, "swk", "the machine is not believed");
    let key = &keys(&fixture)[0];
    assert_eq!(
        (key.storage, key.label.as_str(), key.state),
        (KeyStorage::Hardware, "Box under the counter", DeviceKeyState::Current)
    );
    assert!(!enrolled.may_have_ended_sessions);

    let again = poll(&fixture.auth, &waiting.device_code, &signer).unwrap();
    assert_eq!((again.tokens.kind, again.tokens.session.id), (GrantKind::Repeated, session.id));
    assert_eq!((states(&fixture).len(), fixture.sessions()), (1, 1));
}

#[test]
fn machine_that_polls_in_the_interval_never_slows_down() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &signer);
    let device_code = &waiting.device_code;
    for _ in 0..119 {
        assert_eq!(poll_denied(&fixture.auth, device_code, &signer), PollDenied::AuthorizationPending);
        fixture.clock.advance(POLL_INTERVAL);
    }
    // polls that come too early move neither the time nor the interval
    assert_eq!(poll_denied(&fixture.auth, device_code, &signer), PollDenied::AuthorizationPending);
    for _ in 0..3 {
        fixture.clock.advance(SECOND);
        assert_eq!(poll_denied(&fixture.auth, device_code, &signer), PollDenied::SlowDown);
    }
    fixture.clock.advance(SECOND);
    assert_eq!(poll_denied(&fixture.auth, device_code, &signer), PollDenied::AuthorizationPending);
    accept(&fixture, &code, &waiting);
    assert!(poll(&fixture.auth, device_code, &signer).is_ok(), "at once, however early");
}

#[test]
fn code_expires_unless_the_key_is_accepted() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &signer);
    fixture.clock.advance(PENDING_KEY_LIFETIME);
    assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &signer), PollDenied::ExpiredToken);
    let late = accept_with(&fixture, code.code.expose(), &acceptance(&waiting.fingerprint, false));
    assert!(matches!(late, Err(OfficeError::NotFound { .. })), "{late:?}");
    let unknown = Secret::new("unknown".to_owned());
    assert_eq!(poll_denied(&fixture.auth, &unknown, &signer), PollDenied::ExpiredToken);
    // an acceptance lasts as long again
    let (code, waiting) = start(&fixture.auth, &signer);
    fixture.clock.advance(PENDING_KEY_LIFETIME - SECOND);
    accept(&fixture, &code, &waiting);
    fixture.clock.advance(PENDING_KEY_LIFETIME - SECOND);
    assert!(poll(&fixture.auth, &waiting.device_code, &signer).is_ok());
}

#[test]
fn denied_key_stays_denied() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &signer);
    let digest = fixture.auth.digest_enrollment_code(code.code.expose());
    let typed = TypedCode { digest: &digest, text: code.code.expose() };
    done(office(&fixture).deny_pending_key(typed));
    let event = fixture.audit_events(Action::DeviceEnrollDeny).pop().unwrap();
    let thumbprint = encode_base64url(prove(&fixture.auth, &signer).thumbprint());
    assert_eq!((&event.details["thumbprint"], event.details.get("why")), (&json!(thumbprint), None));
    for _ in 0..2 {
        assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &signer), PollDenied::AccessDenied);
    }
    let late = accept_with(&fixture, code.code.expose(), &acceptance(&waiting.fingerprint, false));
    assert!(matches!(late, Err(OfficeError::NotFound { .. })), "{late:?}");
}

#[test]
fn only_the_machine_with_the_key_gets_the_session() {
    let fixture = EngineFixture::open();
    let (machine, thief) = (ProofSigner::ed25519(1), ProofSigner::ed25519(2));
    let (code, waiting) = start(&fixture.auth, &machine);
    accept(&fixture, &code, &waiting);
    let stolen = denial(poll(&fixture.auth, &waiting.device_code, &thief));
    assert_eq!(stolen, AuthDenied::Proof(ProofFault::Key.into()));
    // neither code works as the code of an enrollment
    for code in [code.code.expose(), waiting.device_code.expose()] {
        assert_eq!(denial(enroll(&fixture.auth, code, &thief)), AuthDenied::EnrollmentUnknown);
    }
    assert!(poll(&fixture.auth, &waiting.device_code, &machine).is_ok());
}

#[test]
fn acceptance_requires_the_digits_that_the_machine_shows() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &signer);
    let wrong = if waiting.fingerprint == "0000" { "0001" } else { "0000" };
    let refused = accept_with(&fixture, code.code.expose(), &acceptance(wrong, false));
    assert_eq!(refused, Err(OfficeError::FingerprintMismatch));
    assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &signer), PollDenied::AuthorizationPending);
    accept(&fixture, &code, &waiting);
}

#[test]
fn response_is_repeated_for_ten_minutes_after_the_enrollment() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &signer);
    accept(&fixture, &code, &waiting);
    fixture.clock.advance(PENDING_KEY_LIFETIME - SECOND);
    let enrolled = poll(&fixture.auth, &waiting.device_code, &signer).unwrap();
    fixture.clock.advance(10 * MINUTE - SECOND);
    let again = poll(&fixture.auth, &waiting.device_code, &signer).unwrap();
    assert_eq!((again.tokens.kind, again.tokens.session.id), (GrantKind::Repeated, enrolled.tokens.session.id));
    fixture.clock.advance(SECOND);
    assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &signer), PollDenied::ExpiredToken);
}

#[test]
fn acceptance_is_void_once_the_device_or_its_accepter_may_not() {
    for lock in [true, false] {
        let fixture = EngineFixture::open();
        let signer = ProofSigner::ed25519(1);
        let (code, waiting) = start(&fixture.auth, &signer);
        let manager = fixture.records.user("manager").id;
        let mut context = stamp(fixture.clock.now());
        context.actor.user = Some(manager);
        let own = tillgate_domain::office::Office::new(fixture.office_store(), fixture.records.tenant.id, context);
        let digest = fixture.auth.digest_enrollment_code(code.code.expose());
        let typed = TypedCode { digest: &digest, text: code.code.expose() };
        done(own.accept_pending_key(typed, &acceptance(&waiting.fingerprint, false)));
        if lock {
            drop(done(office(&fixture).set_device_status(till(&fixture), DeviceStatus::Locked)));
        } else {
            done(office(&fixture).set_user_status(manager, UserStatus::Suspended));
        }
        assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &signer), PollDenied::AccessDenied, "{lock}");
        let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
        assert_eq!(event.outcome, EventOutcome::Refused);
    }
}

#[test]
fn accepted_key_replaces_the_current_one_only_if_the_acceptance_says_so() {
    let fixture = EngineFixture::open();
    let first = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &first);
    accept(&fixture, &code, &waiting);
    let old = poll(&fixture.auth, &waiting.device_code, &first).unwrap();
    let second = ProofSigner::ed25519(2);
    let (code, waiting) = start(&fixture.auth, &second);
    let refused = accept_with(&fixture, code.code.expose(), &acceptance(&waiting.fingerprint, false));
    assert!(matches!(refused, Err(OfficeError::DeviceEnrolled(_))), "{refused:?}");
    accept_with(&fixture, code.code.expose(), &acceptance(&waiting.fingerprint, true)).unwrap();
    assert!(poll(&fixture.auth, &waiting.device_code, &second).unwrap().may_have_ended_sessions);
    let ended = fixture.session(old.tokens.session.id).ended.map(|(_, why)| why);
    assert_eq!(ended, Some(EndReason::Replaced));
}

#[test]
fn key_belongs_to_the_tenant_of_its_start() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let market = Office::new(fixture.office_store(), fixture.market.tenant.id, stamp(fixture.clock.now()));
    let (code, waiting) = try_start(&fixture.auth, &prove(&fixture.auth, &signer), Some("market"), address(1)).unwrap();
    let digest = fixture.auth.digest_enrollment_code(code.code.expose());
    let typed = TypedCode { digest: &digest, text: code.code.expose() };
    let own = office(&fixture);
    for refused in [
        own.accept_pending_key(typed, &acceptance(&waiting.fingerprint, false)).unwrap().map(drop),
        own.deny_pending_key(typed).unwrap(),
        own.reader().find_pending_key(typed).unwrap().map(drop),
    ] {
        assert!(matches!(refused, Err(OfficeError::NotFound { .. })), "{refused:?}");
    }
    assert_eq!(done(market.reader().find_pending_key(typed)).label, "Box under the counter");
    done(market.accept_pending_key(typed, &acceptance(&waiting.fingerprint, false)));
    let session = poll(&fixture.auth, &waiting.device_code, &signer).unwrap().tokens.session;
    assert_eq!(session.tenant, fixture.market.tenant.id);
    for unknown in ["nowhere", "no slug"] {
        let refused = try_start(&fixture.auth, &prove(&fixture.auth, &signer), Some(unknown), address(1));
        assert_eq!(denial(refused), AuthDenied::Poll(PollDenied::AccessDenied), "{unknown}");
    }
}

#[test]
fn tenant_may_accept_no_machines_that_show_a_code() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &signer);
    let change = TenantChange { machine_codes: Some(false), ..TenantChange::default() };
    done(office(&fixture).change_tenant(None, &change, &SessionLimits::default()));
    let refused = accept_with(&fixture, code.code.expose(), &acceptance(&waiting.fingerprint, false));
    assert_eq!(refused, Err(OfficeError::MachineCodesOff));
    let digest = [9; 32];
    let typed = TypedCode { digest: &digest, text: "unknown" };
    let unknown = office(&fixture).reader().find_pending_key(typed).unwrap();
    assert_eq!(unknown, Err(OfficeError::MachineCodesOff), "which codes there are is not told");
    assert_eq!(office(&fixture).deny_pending_key(typed).unwrap(), Err(OfficeError::MachineCodesOff));
    let refused = try_start(&fixture.auth, &prove(&fixture.auth, &signer), None, address(1));
    assert_eq!(denial(refused), AuthDenied::Poll(PollDenied::AccessDenied));
}

#[test]
fn tenant_accepts_no_machines_that_show_a_code_unless_it_chooses_to() {
    let fixture = EngineFixture::open();
    let new = NewTenant {
        id: TenantId::new(fixture.clock.now(), [9; 10]),
        slug: Slug::parse("bakery").unwrap(),
        name: "Bakery".to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").unwrap(),
        branch: Branch { id: BranchId::new(fixture.clock.now(), [9; 10]), name: "Main".to_owned(), zone: None },
        roles: [1, 2, 3].map(|number| RoleId::new(fixture.clock.now(), [number; 10])),
    };
    let added = done(add_tenant(fixture.office_store(), &stamp(fixture.clock.now()), &new));
    assert!(!added.machine_codes);
    let signer = ProofSigner::ed25519(1);
    let start = || try_start(&fixture.auth, &prove(&fixture.auth, &signer), Some("bakery"), address(1));
    assert_eq!(denial(start()), AuthDenied::Poll(PollDenied::AccessDenied));
    let change = TenantChange { machine_codes: Some(true), ..TenantChange::default() };
    let own = Office::new(fixture.office_store(), new.id, stamp(fixture.clock.now()));
    done(own.change_tenant(None, &change, &SessionLimits::default()));
    assert!(start().is_ok());
}
