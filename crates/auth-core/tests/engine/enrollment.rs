//! Enrollment of devices: what a code and a key get, once, and what is refused.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tillgate_auth_core::dpop::encode_base64url;
use tillgate_auth_core::{
    Auth, AuthDenied, AuthPorts, Clock, EnrollmentCode, EnrollmentRequest, EnrollmentResponse, Error, GrantKind,
    IssuedTokens, MasterKey, PresentedProof, ProofFault, ProvenKey, RefreshRequest, SessionKind,
};
use tillgate_domain::change::Change;
use tillgate_domain::office::{NewEnrollment, Office};
use tillgate_domain::{
    Action, DeviceId, DeviceKey, DeviceKeyState, DeviceStatus, EventOutcome, KeyStorage, Secret, Store, StoreExt,
    Subject,
};
use tillgate_test_store::TestStore;
use tillgate_testkit::{ProofSigner, SeededEntropy};

use crate::fixture::{EngineFixture, MINUTE, address, builder, done, native, refresh, refreshing, stamp, terms, token};
use crate::refresh::ObservedStore;

const URI: &str = "https://pos.example/api/v1/enrollments";

pub(crate) fn office(fixture: &EngineFixture) -> Office<'_> {
    Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(fixture.clock.now()))
}

pub(crate) fn till(fixture: &EngineFixture) -> DeviceId {
    fixture.records.device("P01").id
}

/// Starts an enrollment of the till, and returns its code.
pub(crate) fn start(fixture: &EngineFixture, replaces_key: bool) -> String {
    let lifetime = 10 * MINUTE;
    let EnrollmentCode { code, digest } = fixture.auth.generate_enrollment_code(lifetime).unwrap();
    done(
        office(fixture)
            .start_enrollment(till(fixture), &NewEnrollment { digest, lifetime, replaces_key, confirms: false }),
    );
    code.expose().clone()
}

pub(crate) fn new_proof(auth: &Auth, signer: &ProofSigner, uri: &str) -> PresentedProof {
    let jwt = signer.prove("POST", uri, &auth.dpop_nonce(), None);
    PresentedProof { jwt, method: "POST".to_owned(), uri: uri.to_owned() }
}

pub(crate) fn prove(auth: &Auth, signer: &ProofSigner) -> ProvenKey {
    auth.check_proof(Some(&new_proof(auth, signer, URI))).unwrap()
}

pub(crate) fn enroll_from(
    auth: &Auth,
    code: &str,
    key: &ProvenKey,
    from: Option<IpAddr>,
) -> Result<IssuedTokens, Error> {
    let enrolled = auth.enroll_device(&EnrollmentRequest {
        dialect: &native(),
        terms: &terms(),
        tenant: None,
        code: &Secret::new(code.to_owned()),
        proven_key: key,
        storage: KeyStorage::Hardware,
        trusts_storage: true,
        label: "Box under the counter",
        app: "Kasa 5.1",
        address: from,
    })?;
    match enrolled {
        EnrollmentResponse::Enrolled(enrolled) => Ok(enrolled.tokens),
        EnrollmentResponse::Waiting(waiting) => panic!("{waiting:?}"),
    }
}

pub(crate) fn enroll(auth: &Auth, code: &str, signer: &ProofSigner) -> Result<IssuedTokens, Error> {
    enroll_from(auth, code, &prove(auth, signer), address(1))
}

pub(crate) fn denial<T>(result: Result<T, Error>) -> AuthDenied {
    match result.err().unwrap() {
        Error::Denied(denial) => denial,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn keys(fixture: &EngineFixture) -> Vec<DeviceKey> {
    done(office(fixture).reader().list_device_keys(till(fixture)))
}

pub(crate) fn states(fixture: &EngineFixture) -> Vec<DeviceKeyState> {
    keys(fixture).iter().map(|key| key.state).collect()
}

#[test]
fn code_enrolls_the_key_of_its_device() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::p256(), start(&fixture, false));
    let key = prove(&fixture.auth, &signer);
    let typed = code.to_lowercase().replace('-', " ");
    let granted = enroll_from(&fixture.auth, &typed, &key, address(1)).unwrap();
    let session = &granted.session;
    assert_eq!((granted.kind, session.kind, session.user), (GrantKind::Login, SessionKind::Device, None));
    assert_eq!((session.device, session.authentication.methods.as_str()), (Some(till(&fixture)), "hwk"));
    assert_eq!(session.thumbprint.as_deref(), Some(key.thumbprint().as_slice()));
    assert_eq!(fixture.session(session.id), *session);

    let stored = keys(&fixture).pop().unwrap();
    assert_eq!((stored.thumbprint, stored.jwk.as_str()), (*key.thumbprint(), key.key.jwk()));
    assert_eq!((stored.algorithm.as_str(), stored.storage), ("ES256", KeyStorage::Hardware));
    assert_eq!((stored.label.as_str(), stored.app.as_str()), ("Box under the counter", "Kasa 5.1"));

    let event = fixture.audit_events(Action::DeviceEnroll).pop().unwrap();
    assert_eq!((event.outcome, event.subject), (EventOutcome::Done, Subject::Device(till(&fixture))));
    assert_eq!((event.actor.session, event.actor.device), (Some(session.id), Some(till(&fixture))));
    assert_eq!(event.details["thumbprint"], json!(encode_base64url(key.thumbprint())));
    assert_eq!(event.details["label"], json!("Box under the counter"));

    assert!(refresh(&fixture.auth, &granted).is_err(), "a refresh requires a proof");
    let proof = new_proof(&fixture.auth, &signer, "https://pos.example/api/v1/sessions/refresh");
    let dialect = native();
    let request = RefreshRequest { proof: Some(&proof), ..refreshing(token(&granted), &dialect) };
    assert_eq!(fixture.auth.refresh(&request).unwrap().session.id, session.id);
}

#[test]
fn same_key_with_the_same_code_gets_the_same_session() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    let first = enroll(&fixture.auth, &code, &signer).unwrap();
    fixture.clock.advance(9 * MINUTE);
    let again = enroll(&fixture.process(), &code, &signer).unwrap();
    assert_eq!((again.kind, again.session.id), (GrantKind::Repeated, first.session.id));
    assert_eq!(token(&again), token(&first));
    assert_eq!((states(&fixture), fixture.sessions()), (vec![DeviceKeyState::Current], 1));
    assert_eq!(fixture.audit_events(Action::DeviceEnroll).len(), 1, "nothing more was done");
    fixture.clock.advance(2 * MINUTE);
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::EnrollmentUnknown, "too late");
}

#[test]
fn same_code_gets_nothing_once_its_session_has_ended() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    let first = enroll(&fixture.auth, &code, &signer).unwrap();
    assert!(fixture.auth.end_session(first.session.id).unwrap());
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::EnrollmentUnknown);
}

#[test]
fn same_code_gets_nothing_if_the_store_forgot_the_end_of_its_session() {
    let fixture = EngineFixture::open();
    let store = Arc::new(fixture.store.share_with_process());
    let store = Arc::new(ObservedStore { store, observer: Mutex::default() });
    let auth = fixture.process_over(store.clone());
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    let first = enroll(&auth, &code, &signer).unwrap();
    assert_eq!(enroll(&auth, &code, &signer).unwrap().kind, GrantKind::Repeated);
    let observer = store.observer.lock().unwrap().clone().unwrap();
    observer.on_commit(&[Change::SessionEnded(first.session.id)]);
    assert_eq!(denial(enroll(&auth, &code, &signer)), AuthDenied::EnrollmentUnknown);
}

#[test]
fn used_code_with_another_key_is_denied_and_recorded() {
    let fixture = EngineFixture::open();
    let code = start(&fixture, false);
    let first = enroll(&fixture.auth, &code, &ProofSigner::ed25519(1)).unwrap();
    let thief = prove(&fixture.auth, &ProofSigner::ed25519(2));
    let result = enroll_from(&fixture.auth, &code, &thief, address(66));
    assert_eq!(denial(result), AuthDenied::EnrollmentUnknown);
    let event = fixture.audit_events(Action::DeviceEnrollReplay).pop().unwrap();
    assert_eq!((event.outcome, event.subject), (EventOutcome::Refused, Subject::Device(till(&fixture))));
    assert_eq!((event.actor.address, event.tenant), (address(66), Some(fixture.records.tenant.id)));
    assert_eq!(event.details["thumbprint"], json!(encode_base64url(thief.thumbprint())));
    assert_eq!(keys(&fixture).len(), 1);
    assert_eq!(fixture.session(first.session.id).ended, None, "the device works on");
}

#[test]
fn wrong_expired_and_canceled_codes_are_denied_alike() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let try_code = |code: &str| denial(enroll(&fixture.auth, code, &signer));
    let unknown = AuthDenied::EnrollmentUnknown;
    assert_eq!(try_code("BCDF-GHJK"), unknown);
    let replaced = start(&fixture, false);
    let canceled = start(&fixture, false);
    assert_eq!(try_code(&replaced), unknown, "a newer code of the device is valid");
    done(office(&fixture).cancel_enrollment(till(&fixture)));
    assert_eq!(try_code(&canceled), unknown);
    let expired = start(&fixture, false);
    fixture.clock.advance(10 * MINUTE);
    assert_eq!(try_code(&expired), unknown);
    assert_eq!((keys(&fixture), fixture.sessions()), (Vec::new(), 0));
    let denied = fixture.audit_events(Action::DeviceEnroll);
    assert!(denied.iter().all(|event| event.outcome == EventOutcome::Refused), "{denied:?}");
}

#[test]
fn device_that_is_not_active_is_not_enrolled() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    let set_status = |status| drop(done(office(&fixture).set_device_status(till(&fixture), status)));
    set_status(DeviceStatus::Locked);
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::EnrollmentUnknown);
    set_status(DeviceStatus::Active);
    assert_eq!(denial(enroll(&fixture.auth, &code, &signer)), AuthDenied::EnrollmentUnknown, "it was canceled");
    assert!(enroll(&fixture.auth, &start(&fixture, false), &signer).is_ok());
}

#[test]
fn code_of_another_tenant_is_unknown() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    let key = prove(&fixture.auth, &signer);
    let enroll_in = |tenant| {
        fixture.auth.enroll_device(&EnrollmentRequest {
            dialect: &native(),
            terms: &terms(),
            tenant: Some(tenant),
            code: &Secret::new(code.clone()),
            proven_key: &key,
            storage: KeyStorage::Hardware,
            trusts_storage: false,
            label: "",
            app: "",
            address: address(1),
        })
    };
    assert_eq!(denial(enroll_in(fixture.market.tenant.id)), AuthDenied::EnrollmentUnknown);
    let EnrollmentResponse::Enrolled(granted) = enroll_in(fixture.records.tenant.id).unwrap() else { panic!() };
    assert_eq!(granted.tokens.session.authentication.methods, "swk", "what the device says is not believed");
}

#[test]
fn proof_is_accepted_once() {
    let fixture = EngineFixture::open();
    let (signer, code) = (ProofSigner::ed25519(1), start(&fixture, false));
    let key = prove(&fixture.auth, &signer);
    enroll_from(&fixture.auth, &code, &key, address(1)).unwrap();
    let replayed = denial(enroll_from(&fixture.auth, &code, &key, address(1)));
    assert_eq!(replayed, AuthDenied::Proof(ProofFault::Replayed.into()));
    assert!(enroll(&fixture.auth, &code, &signer).is_ok(), "a new proof of the same key");
}

#[test]
fn concurrent_keys_with_one_code_enroll_once() {
    let fixture = EngineFixture::open();
    let code = start(&fixture, false);
    let granted: Vec<bool> = std::thread::scope(|scope| {
        let attempts: Vec<_> = (1..=8)
            .map(|seed| {
                let (auth, code) = (&fixture.auth, &code);
                scope.spawn(move || enroll(auth, code, &ProofSigner::ed25519(seed)).is_ok())
            })
            .collect();
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).collect()
    });
    assert_eq!(granted.iter().filter(|granted| **granted).count(), 1, "{granted:?}");
    assert_eq!((states(&fixture), fixture.sessions()), (vec![DeviceKeyState::Current], 1));
}

#[test]
fn digest_of_a_code_depends_on_the_master_key() {
    let fixture = EngineFixture::open();
    // two installations that draw the same code
    let [first, other] = [1, 2].map(|master_seed| {
        let store = Arc::new(TestStore::new());
        let master = MasterKey::generate(&SeededEntropy::from_seed(master_seed)).unwrap();
        let entropy = Arc::new(SeededEntropy::from_seed(3));
        let auth = builder(store.clone(), &fixture.clock, &fixture.hasher).entropy(entropy).master(master).build();
        (store, auth.unwrap().generate_enrollment_code(10 * MINUTE).unwrap())
    });
    assert_eq!(first.1.code.expose(), other.1.code.expose());
    fixture.records.insert_into(&*first.0).unwrap();
    let office = Office::new(&*first.0, fixture.records.tenant.id, stamp(fixture.clock.now()));
    let new = NewEnrollment { digest: first.1.digest, lifetime: 10 * MINUTE, replaces_key: false, confirms: false };
    done(office.start_enrollment(till(&fixture), &new));
    let store: &dyn Store<AuthPorts> = &*first.0;
    let is_found = |digest| store.read("test", |tx| tx.enrollments().find(digest)).unwrap().is_some();
    assert_eq!((is_found(&first.1.digest), is_found(&other.1.digest)), (true, false));
}

#[test]
fn device_that_is_logged_in_as_itself_starts_no_enrollment() {
    let fixture = EngineFixture::open();
    let EnrollmentCode { digest, .. } = fixture.auth.generate_enrollment_code(10 * MINUTE).unwrap();
    let mut context = stamp(fixture.clock.now());
    context.actor.device = Some(till(&fixture));
    let office = Office::new(fixture.office_store(), fixture.records.tenant.id, context);
    let new = NewEnrollment { digest, lifetime: 10 * MINUTE, replaces_key: false, confirms: false };
    let refused = office.start_enrollment(till(&fixture), &new).unwrap().unwrap_err();
    assert!(refused.to_string().contains("deviceEnroll"), "{refused}");
}
