//! Requests that are signed with an API key.

use std::sync::Arc;
use std::time::Duration;

use ring::hmac;
use tillgate_auth_core::auth::{ApiKeyIdentity, GeneratedApiKey};
use tillgate_auth_core::{
    Auth, AuthRequest, AuthenticatedBy, Client, DialectName, Error, ReplayCheck, RequestCredentials, Signature,
    TokenDenied,
};
use tillgate_domain::office::{ApiKeyChange, NewApiKey, Office};
use tillgate_domain::{
    Action, ApiKey, DeviceName, EventOutcome, Instant, Mode, Rank, Right, Rights, Secret, StoreError, Subject, UserName,
};
use tillgate_testkit::FailingStore;
use tillgate_testkit::failing_store::PlannedFailure;

use crate::fixture::{EngineFixture, HOUR, address, authenticate, done, stamp, token_refused, unavailable};

const WINDOW: Duration = Duration::from_secs(150);
pub(crate) const MILLI: Duration = Duration::from_millis(1);

fn rights(names: &[&str]) -> Rights {
    names.iter().map(|name| Right::parse(name).unwrap()).collect()
}

/// Adds an API key and returns it as it was generated.
pub(crate) fn key(fixture: &EngineFixture, user: &str, permissions: &[&str]) -> (ApiKey, GeneratedApiKey) {
    let drawn = fixture.auth.generate_api_key().unwrap();
    let new = NewApiKey {
        id: drawn.id,
        client_id: drawn.client_id.clone(),
        wrapped_secret: drawn.wrapped_secret.clone(),
        name: "Shop window".into(),
        description: String::new(),
        active: true,
        user: UserName::parse(user).unwrap(),
        device: DeviceName::parse("P01").unwrap(),
        permissions: rights(permissions),
        expires_at: None,
    };
    let at = fixture.auth.time().at;
    (done(Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(at)).add_api_key(&new)), drawn)
}

/// A signature of this text at this instant.
fn signature(drawn: &GeneratedApiKey, at: Instant, message: &str) -> Signature {
    let hmac = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let signing = hmac(format!("P{}", drawn.secret.expose()).as_bytes(), "today");
    Signature {
        client_id: drawn.client_id.clone(),
        at,
        prefix: "P",
        scope: "today".into(),
        message: message.into(),
        mac: hmac(signing.as_ref(), message).as_ref().try_into().unwrap(),
    }
}

pub(crate) fn verify_signature(auth: &Auth, drawn: &GeneratedApiKey, message: &str) -> Result<ApiKeyIdentity, Error> {
    auth.authenticate_signature(&signature(drawn, auth.time().at, message), None, ReplayCheck::Consume)
}

#[test]
fn signature_identifies_signer() {
    let fixture = EngineFixture::open();
    let (key, drawn) = key(&fixture, "cashier", &[]);
    let found = verify_signature(&fixture.auth, &drawn, "GET /").unwrap();
    assert_eq!(found.key, key);
    let profile = Arc::unwrap_or_clone(found.profile);
    assert_eq!(profile.user.unwrap().id, fixture.records.user("cashier").id);
    assert_eq!(profile.device.unwrap().id, fixture.records.device("P01").id);
    assert_eq!((profile.rights, profile.rank), (Rank::Cashier.rights(), Some(Rank::Cashier)));
    assert_eq!(fixture.sessions(), 0, "it makes no session");
    assert!(
        verify_signature(&fixture.process(), &drawn, "GET /again").is_ok(),
        "another process with the same master key"
    );
}

#[test]
fn generated_keys_differ_and_debug_hides_secret() {
    let fixture = EngineFixture::open();
    let (one, other) = (fixture.auth.generate_api_key().unwrap(), fixture.auth.generate_api_key().unwrap());
    assert!(one.client_id != other.client_id && one.secret != other.secret && one.id != other.id);
    assert_eq!((one.client_id.len(), one.secret.expose().len()), (32, 64));
    assert!(!format!("{one:?}").contains(one.secret.expose()));
    let secret = one.secret.expose().as_bytes();
    assert!(!one.wrapped_secret.windows(secret.len()).any(|part| part == secret), "the store holds no secret as it is");
}

#[test]
fn permissions_narrow_rights() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &["ticketClose", "storno"]);
    let found = verify_signature(&fixture.auth, &drawn, "GET /").unwrap();
    assert_eq!((found.profile.rights.clone(), found.profile.rank), (rights(&["ticketClose"]), None));
    let (_, drawn) = key(&fixture, "admin", &["storno"]);
    assert_eq!(verify_signature(&fixture.auth, &drawn, "GET /").unwrap().profile.rights.clone(), rights(&["storno"]));
}

#[test]
fn signature_is_accepted_once_across_processes() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &[]);
    let (_, other) = key(&fixture, "cashier", &[]);
    let once = signature(&drawn, fixture.auth.time().at, "GET /");
    assert!(fixture.auth.authenticate_signature(&once, None, ReplayCheck::Consume).is_ok());
    for auth in [&fixture.auth, &fixture.process()] {
        assert_eq!(
            token_refused(auth.authenticate_signature(&once, None, ReplayCheck::Consume)),
            TokenDenied::SignatureReplayed
        );
    }
    assert!(verify_signature(&fixture.auth, &drawn, "GET /other").is_ok(), "another request");
    assert!(verify_signature(&fixture.auth, &other, "GET /").is_ok(), "another key");
}

#[test]
fn invalid_signature_is_denied_and_not_stored() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &[]);
    let right = signature(&drawn, fixture.auth.time().at, "GET /");
    let mut mac = right.mac;
    mac[31] ^= 1;
    for wrong in [
        Signature { mac, ..right.clone() },
        Signature { message: "GET /other".into(), ..right.clone() },
        Signature { client_id: "nobody".into(), ..right.clone() },
        Signature { client_id: drawn.client_id.to_uppercase() + "x", ..right.clone() },
    ] {
        assert_eq!(
            token_refused(fixture.auth.authenticate_signature(&wrong, None, ReplayCheck::Consume)),
            TokenDenied::Invalid,
            "{wrong:?}"
        );
    }
    let foreign = fixture.auth.authenticate_signature(&right, Some(fixture.market.tenant.id), ReplayCheck::Consume);
    assert_eq!(token_refused(foreign), TokenDenied::WrongAudience);
    assert!(
        fixture.auth.authenticate_signature(&right, Some(fixture.records.tenant.id), ReplayCheck::Consume).is_ok(),
        "nothing of that was remembered"
    );
}

#[test]
fn signature_time_must_be_near_now() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &[]);
    let now = fixture.auth.time().at;
    for (at, good) in [
        (now.saturating_add(WINDOW), true),
        (now.saturating_sub(WINDOW), true),
        (now.saturating_add(WINDOW + MILLI), false),
        (now.saturating_sub(WINDOW + MILLI), false),
        (Instant::from_millis(i64::MIN), false),
        (Instant::from_millis(i64::MAX), false),
    ] {
        let result = fixture.auth.authenticate_signature(
            &signature(&drawn, at, &format!("at {at:?}")),
            None,
            ReplayCheck::Consume,
        );
        if good {
            assert!(result.is_ok(), "{at:?}");
        } else {
            assert_eq!(token_refused(result), TokenDenied::Expired, "{at:?}");
        }
    }
}

#[test]
fn signature_is_unavailable_while_clock_is_in_doubt() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &[]);
    let right = signature(&drawn, fixture.auth.time().at, "GET /");
    fixture.clock.step_forward(20 * HOUR);
    assert!(fixture.auth.time().in_doubt);
    assert!(unavailable(fixture.auth.authenticate_signature(&right, None, ReplayCheck::Consume)));
    let wrong = Signature { mac: [0; 32], ..right };
    assert_eq!(
        token_refused(fixture.auth.authenticate_signature(&wrong, None, ReplayCheck::Consume)),
        TokenDenied::Invalid,
        "that is known"
    );
}

#[test]
fn revoked_key_is_denied_at_once() {
    let revoke = |fixture: &EngineFixture, key: &ApiKey| {
        let change = ApiKeyChange { active: Some(false), ..ApiKeyChange::default() };
        let stamp = stamp(fixture.auth.time().at);
        done(
            Office::new(fixture.office_store(), fixture.records.tenant.id, stamp.clone())
                .change_api_key(key.id, None, &change),
        );
    };
    let suspend = |fixture: &EngineFixture, _: &ApiKey| fixture.suspend(fixture.records.user("cashier").id);
    let lock = |fixture: &EngineFixture, _: &ApiKey| fixture.lock(fixture.records.device("P01").id);
    let ends: [fn(&EngineFixture, &ApiKey); 3] = [revoke, suspend, lock];
    for (number, end) in ends.into_iter().enumerate() {
        let fixture = EngineFixture::open();
        let (key, drawn) = key(&fixture, "cashier", &[]);
        assert!(verify_signature(&fixture.auth, &drawn, "GET /").is_ok());
        end(&fixture, &key);
        assert_eq!(
            token_refused(verify_signature(&fixture.auth, &drawn, "GET /again")),
            TokenDenied::SessionOver,
            "{number}"
        );
    }
    let fixture = EngineFixture::open();
    let (key, drawn) = key(&fixture, "cashier", &[]);
    done(
        Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(fixture.auth.time().at))
            .delete_api_key(key.id, None),
    );
    assert_eq!(token_refused(verify_signature(&fixture.auth, &drawn, "GET /")), TokenDenied::Invalid);
}

#[test]
fn signed_request_has_no_session_and_ends_none() {
    let fixture = EngineFixture::open();
    let (key, drawn) = key(&fixture, "cashier", &[]);
    let (dialect, at_the_till) = (DialectName::new("portos"), fixture.user("cashier", Some("P01")));
    let call = |message: &str| {
        let evidence = RequestCredentials::Signature(
            Box::new(signature(&drawn, fixture.auth.time().at, message)),
            ReplayCheck::Consume,
        );
        let presented = AuthRequest { credentials: evidence, ..AuthRequest::bearer(&dialect, "") };
        assert!(fixture.auth.authenticate_cached(&presented).is_none(), "memory alone cannot say that it is the first");
        fixture.auth.authenticate(&presented).unwrap()
    };
    let caller = call("DELETE /");
    assert_eq!((caller.authenticated_by, caller.session_id()), (AuthenticatedBy::ApiKey(key.id), None));
    assert_eq!(
        (caller.user(), caller.device),
        (Some(fixture.records.user("cashier").id), Some(fixture.records.device("P01").id))
    );
    let actor = caller.actor();
    assert_eq!((actor.user, actor.device, actor.session), (caller.user(), caller.device, None));
    fixture.auth.logout(&caller).unwrap();
    assert!(authenticate(&fixture.auth, &at_the_till).is_ok(), "the session at the till goes on");
    assert_eq!(
        fixture.auth.end_session_for(&caller, at_the_till.session.id).unwrap().session.id,
        at_the_till.session.id
    );
    assert!(authenticate(&fixture.auth, &at_the_till).is_err(), "one's own by its id, that is another matter");
    assert!(
        fixture
            .auth
            .change_password(&call("PUT /"), &"wrong".to_owned().into(), &"x".to_owned().into(), &[], false)
            .is_err()
    );
}

#[test]
fn signature_reads_store_once_then_only_writes() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &["ticketClose"]);
    let store = Arc::new(FailingStore::new(Arc::new(fixture.store.share_with_process())));
    let auth = fixture.process_over(store.clone());
    let gone = || PlannedFailure::at_once(StoreError::Unavailable("gone".into()));
    assert!(verify_signature(&auth, &drawn, "first").is_ok());
    store.plan_failure(gone().only(Mode::Read));
    for number in 0..5 {
        assert!(verify_signature(&auth, &drawn, &format!("then {number}")).is_ok(), "nothing is read");
    }
    store.plan_failure(gone().only(Mode::Write));
    assert!(unavailable(verify_signature(&auth, &drawn, "unseen")), "what cannot be remembered is not taken");
    let passing = signature(&drawn, auth.time().at, "passing");
    assert!(
        auth.authenticate_signature(&passing, None, ReplayCheck::Peek).is_ok(),
        "what does not count writes nothing"
    );
    store.clear_failure();
    assert!(verify_signature(&auth, &drawn, "unseen").is_ok());
}

/// Another process revokes the key; this one, which has cached it, learns it from the feed.
#[test]
fn cached_key_is_dropped_on_change() {
    for narrowed in [false, true] {
        let fixture = EngineFixture::open();
        let (key, drawn) = key(&fixture, "cashier", &[]);
        let other = fixture.process();
        assert!(verify_signature(&other, &drawn, "GET /").is_ok());
        let permissions = narrowed.then(|| rights(&["ticketClose"]));
        let change = ApiKeyChange { active: Some(narrowed), permissions, ..ApiKeyChange::default() };
        let stamp = stamp(fixture.auth.time().at);
        done(
            Office::new(fixture.office_store(), fixture.records.tenant.id, stamp.clone())
                .change_api_key(key.id, None, &change),
        );
        other.poll_feed().unwrap();
        let result = verify_signature(&other, &drawn, "GET /again");
        if narrowed {
            assert_eq!(result.unwrap().profile.rights, rights(&["ticketClose"]));
        } else {
            assert_eq!(token_refused(result), TokenDenied::SessionOver);
        }
    }
}

/// Cached data is used while it is young enough, as for tokens.
#[test]
fn process_without_current_feed_does_not_verify_signatures() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &[]);
    let store = Arc::new(FailingStore::new(Arc::new(fixture.store.share_with_process())));
    let auth = fixture.process_over(store.clone());
    assert!(verify_signature(&auth, &drawn, "GET /").is_ok());
    store.plan_failure(PlannedFailure::at_once(StoreError::Unavailable("gone".into())).only(Mode::Read));
    fixture.clock.advance(Duration::from_secs(61));
    assert!(unavailable(verify_signature(&auth, &drawn, "GET /again")));
    store.clear_failure();
    assert!(verify_signature(&auth, &drawn, "GET /again").is_ok());
}

#[test]
fn peeked_signature_is_not_consumed() {
    let fixture = EngineFixture::open();
    let (_, drawn) = key(&fixture, "cashier", &[]);
    let passing = signature(&drawn, fixture.auth.time().at, "GET /");
    for _ in 0..2 {
        assert!(fixture.auth.authenticate_signature(&passing, None, ReplayCheck::Peek).is_ok());
    }
    let dialect = DialectName::new("portos");
    let evidence = RequestCredentials::Signature(Box::new(passing.clone()), ReplayCheck::Peek);
    let presented = AuthRequest { credentials: evidence, ..AuthRequest::bearer(&dialect, "") };
    assert!(fixture.auth.authenticate_cached(&presented).unwrap().is_ok(), "memory alone can tell");
    assert!(fixture.auth.authenticate_signature(&passing, None, ReplayCheck::Consume).is_ok());
    assert!(fixture.auth.authenticate_signature(&passing, None, ReplayCheck::Peek).is_ok());
    assert_eq!(
        token_refused(fixture.auth.authenticate_signature(&passing, None, ReplayCheck::Consume)),
        TokenDenied::SignatureReplayed
    );
    fixture.clock.advance(WINDOW + MILLI);
    assert_eq!(
        token_refused(fixture.auth.authenticate_signature(&passing, None, ReplayCheck::Peek)),
        TokenDenied::Expired
    );
}

/// Wrong, repeated and late signatures, unknown keys and wrong secrets are recorded in the audit:
/// for each key the first ten in a minute, then their number.
#[test]
fn denied_api_keys_are_audited() {
    let fixture = EngineFixture::open();
    let (key, drawn) = key(&fixture, "cashier", &[]);
    let native = DialectName::new("native");
    let ask = |evidence: RequestCredentials<'_>| {
        let presented = AuthRequest { credentials: evidence, address: address(1), ..AuthRequest::bearer(&native, "") };
        fixture.auth.authenticate_cached(&presented).unwrap_or_else(|| fixture.auth.authenticate(&presented)).map(drop)
    };
    let by_signature =
        |signature: &Signature, counting| ask(RequestCredentials::Signature(Box::new(signature.clone()), counting));
    let right = signature(&drawn, fixture.auth.time().at, "GET /");
    by_signature(&right, ReplayCheck::Consume).unwrap();
    by_signature(&right, ReplayCheck::Consume).unwrap_err();
    let wrong = Signature { mac: [0; 32], ..right.clone() };
    by_signature(&wrong, ReplayCheck::Consume).unwrap_err();
    by_signature(&wrong, ReplayCheck::Peek).unwrap_err();
    by_signature(&Signature { at: right.at.saturating_sub(HOUR), ..right.clone() }, ReplayCheck::Consume).unwrap_err();
    by_signature(&Signature { client_id: "f".repeat(99), ..right }, ReplayCheck::Consume).unwrap_err();
    ask(RequestCredentials::Client(Client { id: drawn.client_id.clone(), secret: Secret::new("wrong".to_owned()) }))
        .unwrap_err();
    let lines = fixture.audit_events(Action::ApiKeyUse);
    let why: Vec<_> = lines.iter().map(|line| line.details["why"].as_str().unwrap()).collect();
    let invalid = "token_invalid";
    assert_eq!(why, ["signature_repeated", invalid, invalid, "token_expired", invalid, invalid]);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!((line.outcome, line.actor.address), (EventOutcome::Refused, address(1)));
        if index == 4 {
            assert_eq!((line.subject, line.actor.user), (Subject::Server, None), "nobody's key");
            assert_eq!(line.details["client"], "f".repeat(40));
        } else {
            assert_eq!((line.subject, line.actor.user), (Subject::ApiKey(key.id), Some(key.user)));
            assert_eq!((line.tenant, line.actor.device), (Some(key.tenant), Some(key.device)));
        }
    }
    for _ in 0..30 {
        by_signature(&wrong, ReplayCheck::Peek).unwrap_err();
    }
    assert_eq!(fixture.audit_events(Action::ApiKeyUse).len(), 1 + 10, "of the one key ten, of nobody's one");
    fixture.auth.leave().unwrap();
    let last = fixture.audit_events(Action::ApiKeyUse).pop().unwrap();
    assert_eq!((last.subject, &last.details["times"]), (Subject::ApiKey(key.id), &25.into()));
}
