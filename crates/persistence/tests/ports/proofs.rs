//! Sessions that are bound to a key of the client. These tests run the engine on both databases.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::{
    Auth, AuthDenied, AuthSettings, DialectName, Error, IssuedTokens, LoginRequest, MasterKey, PresentedProof,
    QueueLimits, RefreshRequest,
};
use tillgate_domain::{Action, SessionId};
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::{DatabaseEngine, Fixture, ManualClock, PlainHasher, ProofSigner, SeededEntropy};

use crate::test_database::TestDatabase;

const URI: &str = "https://pos.example/api/v1/sessions/refresh";

tillgate_testkit::on_both_databases!(
    bound_session_is_refreshed_with_each_proof_once,
    refresh_token_without_its_key_does_not_end_the_session
);

/// A shop on a database.
struct ProofFixture<'a> {
    fresh: &'a TestDatabase,
    clock: Arc<ManualClock>,
    master: MasterKey,
    dialect: DialectName,
}

impl<'a> ProofFixture<'a> {
    fn open(fresh: &'a TestDatabase) -> Self {
        let records = Fixture::demo(CLOCK_START).user_passwords(|_| Some(PlainHasher::verifier("right"))).build();
        records.insert_into(&*fresh.database).unwrap();
        let master = MasterKey::generate(&SeededEntropy::from_seed(1)).unwrap();
        Self { fresh, clock: Arc::new(ManualClock::default()), master, dialect: DialectName::new("native") }
    }

    fn start(&self, seed: u64) -> Arc<Auth> {
        let queue = QueueLimits { workers: NonZeroUsize::new(1), ..QueueLimits::default() };
        Auth::builder(self.fresh.database.clone())
            .master(self.master.clone())
            .settings(AuthSettings { queue, ..AuthSettings::default() })
            .clock(self.clock.clone())
            .entropy(Arc::new(SeededEntropy::from_seed(seed)))
            .hasher(Arc::new(PlainHasher::default()))
            .without_maintenance()
            .build()
            .unwrap()
    }

    fn log_in(&self, auth: &Auth, signer: &ProofSigner) -> IssuedTokens {
        let proven_key = Some(auth.check_proof(Some(&prove(auth, signer))).unwrap());
        let login = LoginRequest::user(&self.dialect, "cashier", Some("P01"), "right");
        auth.login(&LoginRequest { proven_key, ..login }).unwrap()
    }

    fn refresh(
        &self,
        auth: &Auth,
        granted: &IssuedTokens,
        proof: Option<&PresentedProof>,
    ) -> Result<IssuedTokens, Error> {
        let token = granted.refresh_token.as_ref().unwrap().expose();
        auth.refresh(&RefreshRequest { proof, ..RefreshRequest::new(&self.dialect, token) })
    }

    fn is_ended(&self, id: SessionId) -> bool {
        self.fresh.read(|tx| tx.sessions().find(id)).unwrap().session.ended.is_some()
    }

    fn count_events(&self, action: Action) -> usize {
        self.fresh.raw().read_events().iter().filter(|line| line.action == action.name()).count()
    }
}

fn prove(auth: &Auth, signer: &ProofSigner) -> PresentedProof {
    let jwt = signer.prove("POST", URI, &auth.dpop_nonce(), None);
    PresentedProof { jwt, method: "POST".to_owned(), uri: URI.to_owned() }
}

fn denial(result: Result<IssuedTokens, Error>) -> String {
    match result.unwrap_err() {
        Error::Denied(AuthDenied::Proof(denied)) => {
            denied.fault().map_or(denied.code(), tillgate_auth_core::ProofFault::check).to_owned()
        }
        other => panic!("{other:?}"),
    }
}

fn bound_session_is_refreshed_with_each_proof_once(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let place = ProofFixture::open(fresh);
    let (one, other) = (place.start(2), place.start(3));
    let signer = ProofSigner::p256();
    let first = place.log_in(&one, &signer);
    let proof = prove(&one, &signer);
    let second = place.refresh(&other, &first, Some(&proof)).unwrap();
    assert_eq!(second.session.generation, 2);
    assert_eq!(second.session.thumbprint, first.session.thumbprint);
    for auth in [&one, &other] {
        assert_eq!(denial(place.refresh(auth, &second, Some(&proof))), "jti");
    }
    // the response was lost: the client comes back with a new proof
    let again = place.refresh(&one, &first, Some(&prove(&other, &signer))).unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
    let proof = prove(&one, &signer);
    let token = second.refresh_token.as_ref().unwrap().expose();
    let request = &RefreshRequest { proof: Some(&proof), ..RefreshRequest::new(&place.dialect, token) };
    let accepted = std::thread::scope(|scope| {
        let threads = [&one, &other].map(|auth| scope.spawn(move || auth.refresh(request).is_ok()));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(accepted.iter().filter(|accepted| **accepted).count(), 1, "one of two at the same time");
}

fn refresh_token_without_its_key_does_not_end_the_session(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let place = ProofFixture::open(fresh);
    let auth = place.start(2);
    let (signer, thief) = (ProofSigner::ed25519(1), ProofSigner::ed25519(2));
    let first = place.log_in(&auth, &signer);
    place.clock.advance(Duration::from_mins(2));
    let second = place.refresh(&auth, &first, Some(&prove(&auth, &signer))).unwrap();
    for granted in [&first, &second] {
        assert_eq!(denial(place.refresh(&auth, granted, None)), "proof_missing");
        assert_eq!(denial(place.refresh(&auth, granted, Some(&prove(&auth, &thief)))), "key");
    }
    assert!(!place.is_ended(first.session.id));
    assert_eq!(place.count_events(Action::RefreshUnproven), 4);
    assert!(place.refresh(&auth, &second, Some(&prove(&auth, &signer))).is_ok());
}
