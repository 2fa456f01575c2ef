//! The life of an API key: expiration, rotation of its secret, and last use.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::auth::GeneratedApiKey;
use tillgate_auth_core::{Auth, AuthRequest, Client, DialectName, Error, RequestCredentials, TokenDenied};
use tillgate_domain::office::{ApiKeyChange, Office, SecretRotation};
use tillgate_domain::{Action, ApiKey, Instant, Mode, StoreError, Subject};
use tillgate_testkit::FailingStore;
use tillgate_testkit::failing_store::PlannedFailure;

use crate::fixture::{EngineFixture, HOUR, MINUTE, done, stamp, token_refused, unavailable};
use crate::signed_requests::{MILLI, key, verify_signature};

/// Changes the key at the present time.
fn office(fixture: &EngineFixture) -> Office<'_> {
    Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(fixture.auth.time().at))
}

/// Authenticates by the client secret, with cached data if possible.
fn authenticate_client(auth: &Auth, drawn: &GeneratedApiKey) -> Result<(), Error> {
    let native = DialectName::new("native");
    let client = Client { id: drawn.client_id.clone(), secret: drawn.secret.clone() };
    let request = AuthRequest { credentials: RequestCredentials::Client(client), ..AuthRequest::bearer(&native, "") };
    auth.authenticate_cached(&request).unwrap_or_else(|| auth.authenticate(&request)).map(drop)
}

#[test]
fn both_secrets_are_accepted_until_the_overlap_ends() {
    let fixture = EngineFixture::open();
    let (key, first) = key(&fixture, "cashier", &[]);
    verify_signature(&fixture.auth, &first, "GET /cached").unwrap();
    let rotate = |hours: u32| {
        let (secret, wrapped_secret) = fixture.auth.generate_api_key_secret(&key.client_id).unwrap();
        let rotation = SecretRotation { wrapped_secret, overlap: hours * HOUR };
        done(office(&fixture).rotate_api_key(key.id, None, &rotation));
        GeneratedApiKey { secret, ..first.clone() }
    };
    let accepted = |drawn: &GeneratedApiKey, message: &str| {
        let by_signature = verify_signature(&fixture.auth, drawn, message).map(drop);
        let by_secret = authenticate_client(&fixture.auth, drawn);
        assert_eq!(by_signature.is_ok(), by_secret.is_ok(), "{message}: {by_signature:?} {by_secret:?}");
        by_signature.is_ok() || {
            assert_eq!(token_refused(by_signature), TokenDenied::Invalid, "{message}");
            false
        }
    };
    let second = rotate(4);
    assert!(accepted(&first, "at once") && accepted(&second, "the new one at once"));
    fixture.clock.advance(4 * HOUR - MILLI);
    assert!(accepted(&first, "the last moment") && accepted(&second, "the new one then"));
    fixture.clock.advance(MILLI);
    assert!(!accepted(&first, "after the overlap") && accepted(&second, "the new one after"));
    // a rotation without an overlap ends both secrets
    let third = rotate(4);
    assert!(accepted(&second, "the second overlap") && accepted(&third, "the third in it"));
    let fourth = rotate(0);
    assert!(!accepted(&second, "long replaced") && !accepted(&third, "replaced") && accepted(&fourth, "the last"));
    let rotations = fixture.audit_events(Action::ApiKeyRotate);
    assert_eq!((rotations.len(), rotations[2].details["previous_secret_until"].is_null()), (3, true));
}

#[test]
fn damaged_previous_secret_does_not_reject_the_present_one() {
    let fixture = EngineFixture::open();
    let (key, first) = key(&fixture, "cashier", &[]);
    let damaged = SecretRotation { wrapped_secret: b"damaged".to_vec(), overlap: Duration::ZERO };
    done(office(&fixture).rotate_api_key(key.id, None, &damaged));
    let (secret, wrapped_secret) = fixture.auth.generate_api_key_secret(&key.client_id).unwrap();
    done(office(&fixture).rotate_api_key(key.id, None, &SecretRotation { wrapped_secret, overlap: HOUR }));
    let present = GeneratedApiKey { secret, ..first };
    assert!(verify_signature(&fixture.auth, &present, "GET /valid").is_ok());
}

/// What ends the use of a key.
type KeyEnd = fn(&EngineFixture, &ApiKey);

/// A live key whose secret cannot be decrypted is a failure of the server. A key that would be
/// denied with the right secret is denied.
#[test]
fn damaged_secret_is_a_failure_only_while_the_key_is_live() {
    let revoke = |fixture: &EngineFixture, key: &ApiKey| {
        let change = ApiKeyChange { active: Some(false), ..ApiKeyChange::default() };
        done(office(fixture).change_api_key(key.id, None, &change));
    };
    let expire = |fixture: &EngineFixture, key: &ApiKey| {
        let expires_at = fixture.auth.time().at.saturating_add(HOUR);
        let change = ApiKeyChange { expires_at: Some(Some(expires_at)), ..ApiKeyChange::default() };
        done(office(fixture).change_api_key(key.id, None, &change));
        fixture.clock.advance(HOUR);
    };
    let suspend = |fixture: &EngineFixture, _: &ApiKey| fixture.suspend(fixture.records.user("cashier").id);
    let lock = |fixture: &EngineFixture, _: &ApiKey| fixture.lock(fixture.records.device("P01").id);
    let ends: [(&str, KeyEnd); 4] =
        [("revoked", revoke), ("expired", expire), ("of a suspended user", suspend), ("of a locked device", lock)];
    for (name, end) in ends {
        let fixture = EngineFixture::open();
        let (key, drawn) = key(&fixture, "cashier", &[]);
        let damaged = SecretRotation { wrapped_secret: b"damaged".to_vec(), overlap: Duration::ZERO };
        done(office(&fixture).rotate_api_key(key.id, None, &damaged));
        let results = |message: &str| {
            let by_signature = verify_signature(&fixture.auth, &drawn, message).map(drop);
            [by_signature, authenticate_client(&fixture.auth, &drawn)]
        };
        let is_fault = |result: &Result<(), Error>| matches!(result, Err(Error::Fault(_)));
        for result in results("live") {
            assert!(is_fault(&result), "{result:?}");
        }
        end(&fixture, &key);
        for result in results("ended") {
            assert_eq!(token_refused(result), TokenDenied::Invalid, "{name}");
        }
        fixture.clock.step_forward(20 * HOUR);
        assert!(fixture.auth.time().in_doubt);
        for result in results("while the clock is in doubt") {
            assert_eq!(is_fault(&result), name == "expired", "{name}: {result:?}");
        }
    }
}

#[test]
fn revoked_key_loses_its_previous_secret() {
    let fixture = EngineFixture::open();
    let (key, first) = key(&fixture, "cashier", &[]);
    let (secret, wrapped_secret) = fixture.auth.generate_api_key_secret(&key.client_id).unwrap();
    done(office(&fixture).rotate_api_key(key.id, None, &SecretRotation { wrapped_secret, overlap: HOUR }));
    for active in [false, true] {
        let change = ApiKeyChange { active: Some(active), ..ApiKeyChange::default() };
        done(office(&fixture).change_api_key(key.id, None, &change));
    }
    let present = GeneratedApiKey { secret, ..first.clone() };
    assert!(verify_signature(&fixture.auth, &present, "GET /present").is_ok());
    let previous = verify_signature(&fixture.auth, &first, "GET /previous");
    assert_eq!(token_refused(previous), TokenDenied::Invalid);
}

#[test]
fn expired_key_is_denied_like_an_unknown_one() {
    let fixture = EngineFixture::open();
    let (key, drawn) = key(&fixture, "cashier", &[]);
    let expires_at = fixture.auth.time().at.saturating_add(HOUR);
    let change = ApiKeyChange { expires_at: Some(Some(expires_at)), ..ApiKeyChange::default() };
    done(office(&fixture).change_api_key(key.id, None, &change));
    fixture.clock.advance(HOUR - MILLI);
    assert!(verify_signature(&fixture.auth, &drawn, "before").is_ok());
    assert!(authenticate_client(&fixture.auth, &drawn).is_ok());
    fixture.clock.advance(MILLI);
    assert_eq!(token_refused(verify_signature(&fixture.auth, &drawn, "after")), TokenDenied::Invalid);
    assert_eq!(token_refused(authenticate_client(&fixture.auth, &drawn)), TokenDenied::Invalid);
    let [event] = &fixture.audit_events(Action::ApiKeyUse)[..] else { panic!("one event for the client secret") };
    assert_eq!((event.subject, &event.details["why"]), (Subject::ApiKey(key.id), &json!("token_invalid")));
    assert_eq!(event.details["expired_at"], json!(expires_at.millis()));
    // a clock that may be wrong denies nothing
    let (_, fresh) = self::key(&fixture, "cashier", &[]);
    fixture.clock.step_forward(20 * HOUR);
    assert!(fixture.auth.time().in_doubt);
    assert!(unavailable(verify_signature(&fixture.auth, &drawn, "in doubt")));
    assert!(unavailable(authenticate_client(&fixture.auth, &drawn)));
    assert!(authenticate_client(&fixture.auth, &fresh).is_ok());
}

#[test]
fn use_of_a_key_is_written_once_a_minute_in_the_background() {
    let fixture = EngineFixture::open();
    let (key, drawn) = key(&fixture, "cashier", &[]);
    let store = Arc::new(FailingStore::new(Arc::new(fixture.store.share_with_process())));
    let auth = fixture.process_over(store.clone());
    let stored = || office(&fixture).reader().find_api_key(key.id).unwrap().unwrap().unwrap().key;
    let minute = |at: Instant| Instant::from_millis(at.millis() / 60_000 * 60_000);
    let no_write = || PlannedFailure::at_once(StoreError::Unavailable("gone".into())).only(Mode::Write);
    store.plan_failure(no_write());
    authenticate_client(&auth, &drawn).unwrap();
    assert!(unavailable(auth.write_activity()), "the first use is to be written");
    store.clear_failure();
    assert_eq!(stored().last_used_at, None, "not within the request");
    auth.write_activity().unwrap();
    let first = ApiKey { last_used_at: Some(minute(auth.time().at)), ..key.clone() };
    assert_eq!(stored(), first, "what could not be written is written later, and the version stays");
    store.plan_failure(no_write());
    for _ in 0..5 {
        authenticate_client(&auth, &drawn).unwrap();
        auth.write_activity().expect("nothing is written in the same minute");
    }
    fixture.clock.advance(MINUTE);
    authenticate_client(&auth, &drawn).unwrap();
    assert!(unavailable(auth.write_activity()), "a use in the next minute");
    store.clear_failure();
    auth.write_activity().unwrap();
    assert_eq!(stored().last_used_at, Some(minute(auth.time().at)));
    // a signature counts, too, and another process does not write what is stored
    let other = fixture.process();
    assert!(verify_signature(&other, &drawn, "GET /").is_ok());
    fixture.clock.advance(MINUTE);
    assert!(verify_signature(&other, &drawn, "GET /later").is_ok());
    other.write_activity().unwrap();
    assert_eq!(stored().last_used_at, Some(minute(other.time().at)));
}
