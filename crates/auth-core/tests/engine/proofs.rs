//! Sessions that are bound to a key of the client: logins, refreshes and access tokens with proofs.

use std::time::Duration;

use tillgate_auth_core::{
    Auth, AuthDenied, AuthRequest, Caller, DpopCredentials, Error, GrantKind, IssuedTokens, LoginRequest,
    PresentedProof, ProofFault, ProofRetention, ProvenKey, RefreshRequest, RequestCredentials, TokenDenied,
};
use tillgate_domain::{Action, EventOutcome};
use tillgate_testkit::ProofSigner;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_user, call, native, refresh, refreshing, token,
    token_refused,
};

const URI: &str = "https://pos.example/api/v1/sessions/refresh";

fn present(jwt: String) -> PresentedProof {
    PresentedProof { jwt, method: "POST".to_owned(), uri: URI.to_owned() }
}

fn prove(auth: &Auth, signer: &ProofSigner) -> PresentedProof {
    present(signer.prove("POST", URI, &auth.dpop_nonce(), None))
}

fn prove_key(auth: &Auth, signer: &ProofSigner) -> ProvenKey {
    auth.check_proof(Some(&prove(auth, signer))).unwrap()
}

/// Logs in the cashier with a session that is bound to the key.
fn log_in(fixture: &EngineFixture, signer: &ProofSigner) -> IssuedTokens {
    let proven_key = Some(prove_key(&fixture.auth, signer));
    fixture.auth.login(&LoginRequest { proven_key, ..by_user("cashier", Some("P01")) }).unwrap()
}

fn refresh_with(auth: &Auth, granted: &IssuedTokens, proof: Option<&PresentedProof>) -> Result<IssuedTokens, Error> {
    auth.refresh(&RefreshRequest { proof, ..refreshing(token(granted), &native()) })
}

fn refresh_proved(auth: &Auth, granted: &IssuedTokens, signer: &ProofSigner) -> IssuedTokens {
    refresh_with(auth, granted, Some(&prove(auth, signer))).unwrap()
}

/// Presents an access token with a proof of this key.
fn call_proved(auth: &Auth, granted: &IssuedTokens, signer: &ProofSigner) -> Result<Caller, Error> {
    let token = granted.access_token.expose();
    call_with(auth, token, Some(present(signer.prove("POST", URI, &auth.dpop_nonce(), Some(token)))), false)
}

fn call_with(auth: &Auth, token: &str, proof: Option<PresentedProof>, may_change: bool) -> Result<Caller, Error> {
    let dialect = native();
    let retention = if may_change { ProofRetention::Store } else { ProofRetention::Memory };
    let credentials = RequestCredentials::Dpop(DpopCredentials { token, proof, retention });
    auth.authenticate(&AuthRequest { credentials, ..AuthRequest::bearer(&dialect, "") })
}

/// The code of the denial, or the check of the proof that has failed.
fn why<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result.unwrap_err() {
        Error::Denied(AuthDenied::Proof(denied) | AuthDenied::TokenUnproven(denied)) => {
            denied.fault().map_or(denied.code(), ProofFault::check)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn session_of_login_with_proof_is_bound_to_its_key() {
    let fixture = EngineFixture::open();
    for signer in [ProofSigner::ed25519(1), ProofSigner::p256()] {
        let first = log_in(&fixture, &signer);
        let thumbprint = prove_key(&fixture.auth, &signer).thumbprint().to_vec();
        assert_eq!(fixture.session(first.session.id).thumbprint, Some(thumbprint));
        assert!(call_proved(&fixture.auth, &first, &signer).is_ok());
        fixture.clock.advance(HOUR);
        let second = refresh_proved(&fixture.auth, &first, &signer);
        assert_eq!((second.kind, second.session.generation), (GrantKind::Rotated, 2));
        assert!(call_proved(&fixture.auth, &second, &signer).is_ok());
        assert!(call_proved(&fixture.process(), &second, &signer).is_ok(), "another process");
    }
}

#[test]
fn refresh_without_valid_proof_is_denied_and_session_continues() {
    let fixture = EngineFixture::open();
    let (signer, thief) = (ProofSigner::ed25519(1), ProofSigner::ed25519(2));
    let first = log_in(&fixture, &signer);
    let second = refresh_proved(&fixture.auth, &first, &signer);
    let used = prove(&fixture.auth, &signer);
    assert!(refresh_with(&fixture.auth, &second, Some(&used)).is_ok());
    let auth = &fixture.auth;
    let elsewhere = signer.prove("POST", "https://evil.example/api/v1/sessions/refresh", &auth.dpop_nonce(), None);
    for (what, proof, expected) in [
        ("no proof", None, "proof_missing"),
        ("another key", Some(prove(auth, &thief)), "key"),
        ("another URI", Some(present(elsewhere)), "htu"),
        ("another method", Some(present(signer.prove("GET", URI, &auth.dpop_nonce(), None))), "htm"),
        ("a nonce of another server", Some(present(signer.prove("POST", URI, "x", None))), "use_dpop_nonce"),
        ("a used proof", Some(used), "jti"),
        ("no JWT", Some(present("x".to_owned())), "format"),
    ] {
        for granted in [&first, &second] {
            assert_eq!(why(refresh_with(auth, granted, proof.as_ref())), expected, "{what}");
        }
        assert_eq!(fixture.session(first.session.id).ended, None, "{what}");
        assert!(call_proved(auth, &second, &signer).is_ok(), "{what}");
        assert_eq!(token(&refresh_proved(auth, &second, &signer)), token(&second), "{what}");
    }
    let recorded = fixture.audit_events(Action::RefreshUnproven);
    assert_eq!(recorded.len(), 10, "the first ten in a minute");
    let event = &recorded[0];
    assert_eq!((event.outcome, event.details["why"].as_str()), (EventOutcome::Refused, Some("proof_missing")));
    assert_eq!((event.tenant, event.actor.session), (Some(first.session.tenant), Some(first.session.id)));
    assert!(event.actor.address.is_some() && recorded[2].details["check"] == "key");
    assert!(fixture.audit_events(Action::RefreshReplay).is_empty());
}

#[test]
fn old_copy_without_key_cannot_end_session_and_with_key_does() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let first = log_in(&fixture, &signer);
    let mut newest = first.clone();
    for _ in 0..3 {
        fixture.clock.advance(OVERLAP);
        newest = refresh_proved(&fixture.auth, &newest, &signer);
        call_proved(&fixture.auth, &newest, &signer).unwrap();
    }
    assert_eq!(why(refresh_with(&fixture.auth, &first, None)), "proof_missing");
    assert_eq!(fixture.session(first.session.id).ended, None);
    let copied_disk = prove(&fixture.auth, &signer);
    assert_eq!(token_refused(refresh_with(&fixture.auth, &first, Some(&copied_disk))), TokenDenied::Replay);
    assert_eq!(token_refused(call_proved(&fixture.auth, &newest, &signer)), TokenDenied::SessionOver);
}

#[test]
fn ended_session_is_reported_as_over_whatever_the_proof_is() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let granted = log_in(&fixture, &signer);
    fixture.auth.end_session(granted.session.id).unwrap();
    let proof = prove(&fixture.auth, &signer);
    for proof in [None, Some(&proof)] {
        assert_eq!(token_refused(refresh_with(&fixture.auth, &granted, proof)), TokenDenied::SessionOver);
    }
    assert_eq!(token_refused(call(&fixture.auth, granted.access_token.expose())), TokenDenied::SessionOver);
}

#[test]
fn accepted_proof_is_a_replay_in_every_process() {
    let fixture = EngineFixture::open();
    let (signer, other) = (ProofSigner::ed25519(1), fixture.process());
    let granted = log_in(&fixture, &signer);
    let proof = prove(&fixture.auth, &signer);
    assert!(refresh_with(&other, &granted, Some(&proof)).is_ok());
    for auth in [&fixture.auth, &other] {
        assert_eq!(why(refresh_with(auth, &granted, Some(&proof))), "jti");
    }
    let access = granted.access_token.expose();
    let change = |auth: &Auth| present(signer.prove("POST", URI, &auth.dpop_nonce(), Some(access)));
    let proof = change(&fixture.auth);
    assert!(call_with(&fixture.auth, access, Some(proof.clone()), true).is_ok());
    for auth in [&fixture.auth, &other] {
        assert_eq!(why(call_with(auth, access, Some(proof.clone()), true)), "jti");
    }
    // of a request that changes nothing, each process remembers the proof by itself
    let proof = change(&fixture.auth);
    for auth in [&fixture.auth, &other] {
        assert!(call_with(auth, access, Some(proof.clone()), false).is_ok());
        assert_eq!(why(call_with(auth, access, Some(proof.clone()), false)), "jti");
    }
}

#[test]
fn nonce_is_accepted_for_minutes_by_every_process() {
    let fixture = EngineFixture::open();
    let (signer, other) = (ProofSigner::ed25519(1), fixture.process());
    let granted = log_in(&fixture, &signer);
    let proof = prove(&fixture.auth, &signer);
    fixture.clock.advance(4 * MINUTE);
    assert!(refresh_with(&other, &granted, Some(&proof)).is_ok());
    let proof = prove(&fixture.auth, &signer);
    fixture.clock.advance(6 * MINUTE);
    assert_eq!(why(refresh_with(&other, &granted, Some(&proof))), "use_dpop_nonce");
}

#[test]
fn bound_access_token_requires_its_proof() {
    let fixture = EngineFixture::open();
    let (signer, thief) = (ProofSigner::ed25519(1), ProofSigner::p256());
    let (granted, bearer) = (log_in(&fixture, &signer), fixture.user("manager", None));
    let (auth, access) = (&fixture.auth, granted.access_token.expose());
    let with = |jwt: String| call_with(auth, access, Some(present(jwt)), false);
    let nonce = auth.dpop_nonce();
    assert_eq!(why(call(auth, access)), "proof_missing");
    assert_eq!(why(call_with(auth, access, None, false)), "proof_missing");
    assert_eq!(why(with(signer.prove("POST", URI, &nonce, None))), "ath");
    assert_eq!(why(with(signer.prove("POST", URI, &nonce, Some(bearer.access_token.expose())))), "ath");
    assert_eq!(why(with(thief.prove("POST", URI, &nonce, Some(access)))), "key");
    assert_eq!(why(with(signer.prove("POST", URI, "old", Some(access)))), "use_dpop_nonce");
    assert!(with(signer.prove("POST", URI, &nonce, Some(access))).is_ok());
    // a token without a key is a bearer token, and nothing else
    assert_eq!(why(call_proved(auth, &bearer, &signer)), "key");
    assert!(authenticate(auth, &bearer).is_ok());
    let dialect = native();
    let cookies = RequestCredentials::AnyBearer(vec![access]);
    assert_eq!(
        why(auth.authenticate(&AuthRequest { credentials: cookies, ..AuthRequest::bearer(&dialect, "") })),
        "proof_missing"
    );
}

#[test]
fn access_token_presented_without_key_is_not_in_use() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let first = log_in(&fixture, &signer);
    call_proved(&fixture.auth, &first, &signer).unwrap();
    fixture.clock.advance(OVERLAP);
    let lost = refresh_proved(&fixture.auth, &first, &signer);
    // somebody who reads the lost response tries its access token
    assert_eq!(why(call(&fixture.auth, lost.access_token.expose())), "proof_missing");
    fixture.clock.advance(2 * OVERLAP);
    let again = refresh_proved(&fixture.auth, &first, &signer);
    assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&lost)), "the client recovers");
}

#[test]
fn introspected_access_token_of_a_bound_session_is_not_in_use() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let asker = authenticate(&fixture.auth, &fixture.user("admin", None)).unwrap();
    let first = log_in(&fixture, &signer);
    call_proved(&fixture.auth, &first, &signer).unwrap();
    fixture.clock.advance(OVERLAP);
    let lost = refresh_proved(&fixture.auth, &first, &signer);
    // somebody who reads the lost response sends its access token to an API that introspects it
    let found = fixture.auth.introspect(&asker, lost.access_token.expose()).unwrap();
    assert!(found.is_some_and(|found| found.confirmation.is_some()));
    fixture.clock.advance(2 * OVERLAP);
    let again = refresh_proved(&fixture.auth, &first, &signer);
    assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&lost)), "the client recovers");
}

#[test]
fn unproven_refreshes_are_limited_in_the_audit() {
    let fixture = EngineFixture::open();
    let granted = log_in(&fixture, &ProofSigner::ed25519(1));
    for _ in 0..50 {
        assert_eq!(why(refresh(&fixture.auth, &granted)), "proof_missing");
    }
    fixture.clock.advance(MINUTE + Duration::from_secs(1));
    fixture.auth.run_due_maintenance();
    let recorded = fixture.audit_events(Action::RefreshUnproven);
    assert_eq!((recorded.len(), recorded[10].details["times"].as_u64()), (11, Some(40)));
}

#[test]
fn replayed_login_is_denied_and_is_no_failed_login() {
    let fixture = EngineFixture::open();
    let proven_key = Some(prove_key(&fixture.auth, &ProofSigner::ed25519(1)));
    let login = LoginRequest { proven_key, ..by_user("cashier", Some("P01")) };
    let first = fixture.auth.login(&login).unwrap();
    for _ in 0..100 {
        assert_eq!(why(fixture.auth.login(&login)), "jti");
    }
    assert_eq!(fixture.session(first.session.id).ended, None, "it did not take the till");
    assert!(fixture.auth.login(&by_user("cashier", None)).is_ok());
}

#[test]
fn refresh_token_alone_does_not_end_bound_session() {
    let fixture = EngineFixture::open();
    let granted = log_in(&fixture, &ProofSigner::ed25519(1));
    let dialect = native();
    let holder = refreshing(token(&granted), &dialect);
    assert_eq!(why(fixture.auth.end_by_refresh_token(&holder, tillgate_domain::EndReason::Logout)), "proof_missing");
    assert_eq!(fixture.session(granted.session.id).ended, None);
}

#[test]
fn introspection_names_key_of_bound_tokens() {
    let fixture = EngineFixture::open();
    let signer = ProofSigner::ed25519(1);
    let granted = log_in(&fixture, &signer);
    let admin = authenticate(&fixture.auth, &fixture.user("admin", None)).unwrap();
    let thumbprint = tillgate_auth_core::dpop::encode_base64url(prove_key(&fixture.auth, &signer).thumbprint());
    for presented in [granted.access_token.expose(), token(&granted)] {
        let found = fixture.auth.introspect(&admin, presented).unwrap().unwrap();
        assert_eq!(found.confirmation.map(|confirmation| confirmation.jkt), Some(thumbprint.clone()));
    }
    let bearer = fixture.user("manager", None);
    let found = fixture.auth.introspect(&admin, bearer.access_token.expose()).unwrap().unwrap();
    assert_eq!(found.confirmation, None);
}
