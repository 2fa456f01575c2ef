//! What is limited about machines that wait: typed digits and codes, starts, and polls.

use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;
use tillgate_auth_core::dpop::encode_base64url;
use tillgate_auth_core::ports::AuthPorts;
use tillgate_auth_core::{
    AuthDenied, AuthRequest, AuthStore, Caller, EnrollmentCode, IssuedDeviceCode, LoginDenied, LoginRequest,
    PollDenied, ProofFault,
};
use tillgate_domain::change::Observer;
use tillgate_domain::office::{NewEnrollment, OfficeError, TypedCode};
use tillgate_domain::pending_key::{PENDING_KEY_LIFETIME, POLL_INTERVAL};
use tillgate_domain::{Action, EventOutcome, Mode, Secret, Store, StoreResult, UnitOfWork, Work};
use tillgate_test_store::TestStore;
use tillgate_testkit::ProofSigner;

use crate::enrollment::{denial, enroll, office, prove, till};
use crate::enrollment_confirmation::present;
use crate::fixture::{EngineFixture, MINUTE, address, by_user, done, login_refused, native, presented, with_password};
use crate::pending_keys::{accept, accept_with, acceptance, poll, poll_denied, poll_with, start, try_start};

/// Digits that the machine does not show.
fn wrong_digits(waiting: &IssuedDeviceCode) -> &'static str {
    if waiting.fingerprint == "0000" { "0001" } else { "0000" }
}

#[test]
fn key_is_denied_after_the_fifth_wrong_digits() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &signer);
    let wrong = acceptance(wrong_digits(&waiting), false);
    for attempt in 1..5 {
        let refused = accept_with(&fixture, code.code.expose(), &wrong);
        assert_eq!(refused, Err(OfficeError::FingerprintMismatch), "{attempt}");
        assert_eq!(fixture.audit_events(Action::DeviceEnrollDeny).len(), 0);
    }
    assert_eq!(accept_with(&fixture, code.code.expose(), &wrong), Err(OfficeError::TooManyFingerprints));
    let late = accept_with(&fixture, code.code.expose(), &acceptance(&waiting.fingerprint, false));
    assert!(matches!(late, Err(OfficeError::NotFound { .. })), "{late:?}");
    assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &signer), PollDenied::AccessDenied);
    let event = fixture.audit_events(Action::DeviceEnrollDeny).pop().unwrap();
    let thumbprint = encode_base64url(prove(&fixture.auth, &signer).thumbprint());
    assert_eq!((&event.details["why"], &event.details["thumbprint"]), (&json!("fingerprint"), &json!(thumbprint)));
}

#[test]
fn digits_that_are_tried_at_once_are_all_counted() {
    let fixture = EngineFixture::open();
    let (code, waiting) = start(&fixture.auth, &ProofSigner::ed25519(1));
    let all: Vec<String> = (0..40).map(|number| format!("{number:04}")).collect();
    let wrong = all.iter().filter(|digits| **digits != waiting.fingerprint);
    let results: Vec<Result<(), OfficeError>> = thread::scope(|scope| {
        let attempt = |digits: &String| {
            let acceptance = acceptance(digits, false);
            accept_with(&fixture, code.code.expose(), &acceptance).map(drop)
        };
        let running: Vec<_> = wrong.map(|digits| scope.spawn(move || attempt(digits))).collect();
        running.into_iter().map(|each| each.join().unwrap()).collect()
    });
    let count = |is: fn(&OfficeError) -> bool| results.iter().filter(|one| one.as_ref().is_err_and(is)).count();
    assert_eq!(count(|error| *error == OfficeError::FingerprintMismatch), 4);
    assert_eq!(count(|error| *error == OfficeError::TooManyFingerprints), 1);
    assert_eq!(count(|error| matches!(error, OfficeError::NotFound { .. })), results.len() - 5);
    assert_eq!(fixture.audit_events(Action::DeviceEnrollDeny).len(), 1);
}

#[test]
fn acceptance_that_another_rule_denies_is_no_attempt() {
    let fixture = EngineFixture::open();
    let first = ProofSigner::ed25519(1);
    let (code, waiting) = start(&fixture.auth, &first);
    accept(&fixture, &code, &waiting);
    poll(&fixture.auth, &waiting.device_code, &first).unwrap();
    let second = ProofSigner::ed25519(2);
    let (code, waiting) = start(&fixture.auth, &second);
    for digits in [&*waiting.fingerprint, wrong_digits(&waiting)].repeat(9) {
        let refused = accept_with(&fixture, code.code.expose(), &acceptance(digits, false));
        assert!(matches!(refused, Err(OfficeError::DeviceEnrolled(_))), "{refused:?}");
    }
    accept_with(&fixture, code.code.expose(), &acceptance(&waiting.fingerprint, true)).unwrap();
}

#[test]
fn fifth_wrong_digits_of_a_presented_code_cancel_its_enrollment() {
    for denies in [true, false] {
        let fixture = EngineFixture::open();
        let (machine, thief) = (ProofSigner::ed25519(1), ProofSigner::ed25519(2));
        let EnrollmentCode { code, digest } = fixture.auth.generate_enrollment_code(30 * MINUTE).unwrap();
        let new = NewEnrollment { digest, lifetime: 30 * MINUTE, replaces_key: false, confirms: true };
        done(office(&fixture).start_enrollment(till(&fixture), &new));
        let waiting = present(&fixture, &code, &machine).unwrap();
        if denies {
            done(office(&fixture).deny_pending_key(TypedCode { digest: &digest, text: code.expose() }));
        } else {
            let confirm = || office(&fixture).confirm_enrollment(till(&fixture), wrong_digits(&waiting)).unwrap();
            for attempt in 1..5 {
                assert_eq!(confirm(), Err(OfficeError::FingerprintMismatch), "{attempt}");
            }
            assert_eq!(confirm(), Err(OfficeError::TooManyFingerprints));
        }
        assert_eq!(poll_denied(&fixture.auth, &waiting.device_code, &machine), PollDenied::AccessDenied);
        for signer in [&machine, &thief] {
            assert_eq!(present(&fixture, &code, signer).unwrap_err(), AuthDenied::EnrollmentUnknown);
        }
        assert_eq!(done(office(&fixture).reader().find_enrollment(till(&fixture))), None);
    }
}

#[test]
fn each_proof_of_a_poll_counts_once() {
    let fixture = EngineFixture::open();
    let (auth, signer) = (&fixture.auth, ProofSigner::ed25519(1));
    let (code, waiting) = start(auth, &signer);
    let replayed = AuthDenied::Proof(ProofFault::Replayed.into());
    let used_twice = |expected: PollDenied| {
        let proof = prove(auth, &signer);
        assert_eq!(denial(poll_with(auth, &waiting.device_code, &proof)), AuthDenied::Poll(expected));
        assert_eq!(denial(poll_with(auth, &waiting.device_code, &proof)), replayed, "{expected:?}");
        proof
    };
    let pending = used_twice(PollDenied::AuthorizationPending);
    let in_process = fixture.process();
    fixture.clock.advance(POLL_INTERVAL);
    assert_eq!(denial(poll_with(&in_process, &waiting.device_code, &pending)), replayed, "in every process");
    used_twice(PollDenied::AuthorizationPending);
    let early = used_twice(PollDenied::SlowDown);
    fixture.clock.advance(POLL_INTERVAL);
    assert_eq!(denial(poll_with(auth, &waiting.device_code, &early)), replayed, "when it is not early any more");
    accept(&fixture, &code, &waiting);
    assert_eq!(denial(poll_with(auth, &waiting.device_code, &early)), replayed, "when the key is accepted");
    assert_eq!(denial(poll_with(auth, &waiting.device_code, &pending)), replayed);
    let proof = prove(auth, &signer);
    assert!(poll_with(auth, &waiting.device_code, &proof).is_ok());
    assert_eq!(denial(poll_with(auth, &waiting.device_code, &proof)), replayed);
}

/// A store that records the names of the units of work that may write.
struct UnitStore {
    store: Arc<TestStore>,
    writes: Mutex<Vec<&'static str>>,
}

impl UnitStore {
    /// The names since the last call.
    fn take_writes(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.writes.lock().unwrap())
    }
}

impl Store<AuthPorts> for UnitStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        if unit.mode == Mode::Write {
            self.writes.lock().unwrap().push(unit.name);
        }
        Store::<AuthPorts>::run(&*self.store, unit, work)
    }
}

impl AuthStore for UnitStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        self.store.add_observer(observer);
    }
}

#[test]
fn poll_that_finds_nothing_writes_nothing() {
    let fixture = EngineFixture::open();
    let store = Arc::new(fixture.store.share_with_process());
    let store = Arc::new(UnitStore { store, writes: Mutex::default() });
    let auth = fixture.process_over(store.clone());
    let signer = ProofSigner::ed25519(1);
    let (code, waiting) = start(&auth, &signer);
    let polled = |code: &Secret<String>, expected: PollDenied| {
        store.take_writes();
        assert_eq!(poll_denied(&auth, code, &signer), expected);
        store.take_writes()
    };
    let none: [&str; 0] = [];
    assert_eq!(polled(&Secret::new("unknown".to_owned()), PollDenied::ExpiredToken), none);
    assert_eq!(polled(&waiting.device_code, PollDenied::AuthorizationPending), ["record_poll"]);
    assert_eq!(polled(&waiting.device_code, PollDenied::SlowDown), none);
    let digest = auth.digest_enrollment_code(code.code.expose());
    done(office(&fixture).deny_pending_key(TypedCode { digest: &digest, text: code.code.expose() }));
    assert_eq!(polled(&waiting.device_code, PollDenied::AccessDenied), none);
    fixture.clock.advance(PENDING_KEY_LIFETIME);
    let (_, waiting) = start(&auth, &signer);
    fixture.clock.advance(PENDING_KEY_LIFETIME);
    assert_eq!(polled(&waiting.device_code, PollDenied::ExpiredToken), none);
}

#[test]
fn unknown_user_codes_are_limited_for_each_caller_and_network() {
    let fixture = EngineFixture::open();
    let caller = |name: &str, network: u8| {
        let login = LoginRequest { address: Some([198, 51, network, 1].into()), ..by_user(name, None) };
        let granted = fixture.auth.login(&login).unwrap();
        let dialect = native();
        let request = AuthRequest { address: login.address, ..presented(granted.access_token.expose(), &dialect) };
        fixture.auth.authenticate(&request).unwrap()
    };
    let look_up = |caller: &Caller, code: &str| {
        let reader = office(&fixture).reader();
        fixture.auth.with_user_code(caller, code, |typed| reader.find_pending_key(typed))
    };
    let signer = ProofSigner::ed25519(1);
    let (code, _) = start(&fixture.auth, &signer);
    let manager = caller("manager", 1);
    for number in 0..10 {
        assert!(look_up(&manager, code.code.expose()).unwrap().is_ok(), "{number}: a known code takes no token");
        let unknown = look_up(&manager, &format!("BCDF-GHJK-{number}")).unwrap();
        assert!(matches!(unknown, Err(OfficeError::NotFound { .. })), "{number}: {unknown:?}");
    }
    let limited = AuthDenied::TooManyAttempts { retry_after: MINUTE };
    assert_eq!(denial(look_up(&manager, code.code.expose())), limited);
    assert_eq!(denial(look_up(&caller("manager", 2), code.code.expose())), limited, "in every network");
    let admin = caller("admin", 1);
    assert!(look_up(&admin, code.code.expose()).unwrap().is_ok(), "another caller");
    let refused = fixture.audit_events(Action::DeviceEnrollAccept);
    assert!(refused.iter().all(|event| event.outcome == EventOutcome::Refused && event.actor.user == manager.user()));
    assert_eq!(refused.len(), 10, "the rest is counted");
    fixture.clock.advance(MINUTE);
    assert!(look_up(&manager, code.code.expose()).unwrap().is_ok());
}

#[test]
fn starts_are_limited_in_their_network_and_apart_from_logins() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let start = |last| try_start(&fixture.auth, &prove(&fixture.auth, &signer), None, address(last));
    for number in 0..50 {
        assert!(start(1).is_ok(), "{number}");
    }
    let limited = AuthDenied::TooManyAttempts { retry_after: MINUTE };
    assert_eq!(denial(start(1)), limited);
    assert_eq!(denial(start(2)), limited, "the same network");
    assert!(try_start(&fixture.auth, &prove(&fixture.auth, &signer), None, Some([198, 51, 100, 1].into())).is_ok());
    // logins and codes of enrollments in the network go on
    let unknown = enroll(&fixture.auth, "BCDF-GHJK", &signer);
    assert_eq!(denial(unknown), AuthDenied::EnrollmentUnknown);
    let login = LoginRequest { address: address(1), ..by_user("cashier", Some("P01")) };
    assert_eq!(login_refused(fixture.auth.login(&with_password(login.clone(), "wrong"))), LoginDenied::Mismatch);
    assert!(fixture.auth.login(&login).is_ok());
    assert!(fixture.auth.unlock_network([192, 0, 2, 9].into()).unwrap());
    assert!(start(1).is_ok(), "the operator has unlocked the network");
}

#[test]
fn starts_go_on_while_logins_of_their_network_are_limited() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let wrong = |number: u32| enroll(&fixture.auth, &format!("BCDF-GHJK-{number}"), &signer);
    for number in 0..50 {
        assert_eq!(denial(wrong(number)), AuthDenied::EnrollmentUnknown, "{number}");
    }
    assert!(matches!(denial(wrong(50)), AuthDenied::TooManyAttempts { .. }));
    start(&fixture.auth, &signer);
}
