//! Operators: users who sign in on a till with their PIN, one after another, under its own session.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::{
    Auth, AuthDenied, AuthRequest, Caller, Clock, DpopCredentials, Error, IssuedTokens, LoginDenied, OperatorRequest,
    PresentedProof, ProofRetention, RefreshRequest, RefreshTerms, RequestCredentials, SessionKind, SignedInOperator,
    Terms, TokenDenied,
};
use tillgate_domain::office::{DeviceChange, Office};
use tillgate_domain::{
    Action, DeviceStatus, EndReason, Event, EventOutcome, KnownRight, Secret, SessionId, StoreExt, Subject, UserId,
    UserStatus,
};
use tillgate_testkit::ProofSigner;

use crate::enrollment::{enroll, start, till};
use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_user, done, login_refused, native, password_of, refreshing,
    stamp, status, terms, token, token_refused,
};

const URI: &str = "https://pos.example/api/v1/till/operator";
pub(crate) const PIN: &str = "905817";

fn signer() -> ProofSigner {
    ProofSigner::ed25519(1)
}

fn present(auth: &Auth, token: Option<&str>) -> PresentedProof {
    let jwt = signer().prove("POST", URI, &auth.dpop_nonce(), token);
    PresentedProof { jwt, method: "POST".to_owned(), uri: URI.to_owned() }
}

/// Authenticates a request with a token that is bound to the key of the till.
fn call(auth: &Auth, tokens: &IssuedTokens) -> Result<Caller, Error> {
    let (dialect, token) = (native(), tokens.access_token.expose().as_str());
    let proof = Some(present(auth, Some(token)));
    let credentials = RequestCredentials::Dpop(DpopCredentials { token, proof, retention: ProofRetention::Memory });
    auth.authenticate(&AuthRequest { credentials, ..AuthRequest::bearer(&dialect, "") })
}

fn refresh(auth: &Auth, tokens: &IssuedTokens) -> Result<IssuedTokens, Error> {
    let (dialect, proof) = (native(), present(auth, None));
    auth.refresh(&RefreshRequest { proof: Some(&proof), ..refreshing(token(tokens), &dialect) })
}

pub(crate) fn operator_terms() -> Terms {
    let refresh = RefreshTerms { idle: Some(15 * MINUTE), overlap: Some(OVERLAP), first_reusable: false };
    Terms { access: 5 * MINUTE, refresh: Some(refresh), absolute: Some(12 * HOUR), ..terms() }
}

/// An enrolled till in till mode, and users with PINs.
pub(crate) struct Shop {
    pub(crate) fixture: EngineFixture,
    till: Mutex<IssuedTokens>,
}

impl Shop {
    /// A shop in which the cashier, the manager and the driver, who does not work on the till, have
    /// the same PIN, and the administrator has none.
    pub(crate) fn open() -> Self {
        let fixture = EngineFixture::open();
        let till = enroll(&fixture.auth, &start(&fixture, false), &signer()).unwrap();
        let shop = Self { fixture, till: Mutex::new(till) };
        shop.change_till(DeviceChange { till_mode: Some(true), ..DeviceChange::default() });
        for name in ["cashier", "manager"] {
            shop.set_pin(name, PIN);
        }
        shop
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.fixture.auth
    }

    fn change_till(&self, change: DeviceChange) {
        let context = stamp(self.fixture.clock.now());
        let office = Office::new(self.fixture.office_store(), self.fixture.records.tenant.id, context);
        done(office.change_device(till(&self.fixture), None, &change));
    }

    pub(crate) fn set_pin(&self, name: &str, pin: &str) {
        let device = (name == "driver").then_some("P02");
        let caller = authenticate(self.auth(), &self.fixture.user(name, device)).unwrap();
        let (password, pin) = (Secret::new(password_of(name)), Secret::new(pin.to_owned()));
        self.auth().set_own_pin(&caller, &password, Some(&pin)).unwrap();
    }

    pub(crate) fn user(&self, name: &str) -> UserId {
        self.fixture.records.user(name).id
    }

    /// The tokens of the till.
    fn till(&self) -> IssuedTokens {
        self.till.lock().unwrap().clone()
    }

    /// The till as a caller, which refreshes its session if its access token has expired.
    pub(crate) fn caller(&self) -> Caller {
        call(self.auth(), &self.till()).unwrap_or_else(|_| {
            let refreshed = refresh(self.auth(), &self.till()).unwrap();
            *self.till.lock().unwrap() = refreshed;
            call(self.auth(), &self.till()).unwrap()
        })
    }

    pub(crate) fn try_on(&self, auth: &Auth, user: UserId, pin: &str) -> Result<SignedInOperator, Error> {
        let (caller, pin, terms) = (self.caller(), Secret::new(pin.to_owned()), operator_terms());
        auth.sign_in_operator(&OperatorRequest { till: &caller, user, pin: &pin, terms: &terms })
    }

    pub(crate) fn try_in(&self, name: &str, pin: &str) -> Result<SignedInOperator, Error> {
        self.try_on(self.auth(), self.user(name), pin)
    }

    pub(crate) fn sign_in(&self, name: &str) -> SignedInOperator {
        self.try_in(name, PIN).unwrap()
    }

    /// The session of the operator, as the till sees it.
    pub(crate) fn operator(&self) -> Option<SessionId> {
        self.auth().find_operator(&self.caller()).unwrap().map(|view| view.session.id)
    }

    pub(crate) fn ended(&self, tokens: &IssuedTokens) -> Option<EndReason> {
        self.fixture.session(tokens.session.id).ended.map(|(_, why)| why)
    }

    /// Sends wrong PINs and waits as long as each response requires, until this many were wrong.
    pub(crate) fn fail(&self, name: &str, times: usize) {
        let mut wrong = 0;
        while wrong < times {
            match self.try_in(name, "000000") {
                Err(Error::Denied(AuthDenied::OperatorMismatch)) => wrong += 1,
                Err(Error::Denied(AuthDenied::OperatorThrottled { retry_after })) => self.advance(retry_after),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.fixture.clock.advance(span);
    }

    pub(crate) fn denied_logins(&self) -> Vec<Event> {
        let events = self.fixture.audit_events(Action::Login).into_iter();
        events.filter(|event| event.outcome == EventOutcome::Refused).collect()
    }
}

pub(crate) fn denied<T: std::fmt::Debug>(response: Result<T, Error>) -> AuthDenied {
    match response.unwrap_err() {
        Error::Denied(denied) => denied,
        other => panic!("{other:?}"),
    }
}

#[test]
fn operator_has_a_session_under_that_of_the_till() {
    let shop = Shop::open();
    let before = shop.fixture.session(shop.till().session.id);
    let SignedInOperator { tokens, replaced, pin_due } = shop.sign_in("cashier");
    assert_eq!((replaced, pin_due), (None, false));
    let session = shop.fixture.session(tokens.session.id);
    assert_eq!((session.kind, session.user), (SessionKind::Person, Some(shop.user("cashier"))));
    assert_eq!((session.device, session.parent), (Some(till(&shop.fixture)), Some(before.id)));
    assert_eq!(session.authentication.methods, "pin");
    assert_eq!(session.thumbprint, before.thumbprint);
    assert_eq!(tokens.access_expires_in, 5 * MINUTE);
    let caller = call(shop.auth(), &tokens).unwrap();
    assert!(caller.require_right(KnownRight::TicketClose).is_ok() && caller.require_right(KnownRight::Storno).is_err());
    assert!(token_refused_or_unproven(authenticate(shop.auth(), &tokens)), "not as a bearer token");
    assert_eq!(shop.fixture.session(before.id), before, "that of the till stays as it is");
    assert_eq!(shop.operator(), Some(tokens.session.id));
    let event = shop.fixture.audit_events(Action::Login).pop().unwrap();
    assert_eq!((event.subject, event.actor.user), (Subject::User(shop.user("cashier")), session.user));
    assert_eq!((&event.details["by"], &event.details["till"]), (&json!("pin"), &json!(before.id)));
    assert!(!format!("{event:?}").contains(PIN));
}

fn token_refused_or_unproven<T>(response: Result<T, Error>) -> bool {
    matches!(response, Err(Error::Denied(AuthDenied::Token(_) | AuthDenied::TokenUnproven(_))))
}

#[test]
fn operators_replace_one_another_and_the_session_of_the_till_continues() {
    let shop = Shop::open();
    let mut before: Option<SignedInOperator> = None;
    for name in ["cashier", "manager", "cashier", "cashier"] {
        let now = shop.sign_in(name);
        assert_eq!(now.replaced, before.as_ref().map(|before| before.tokens.session.id), "{name}");
        assert_eq!(call(shop.auth(), &now.tokens).unwrap().user(), Some(shop.user(name)));
        if let Some(before) = &before {
            assert_eq!(shop.ended(&before.tokens), Some(EndReason::Replaced));
            assert_eq!(token_refused(call(shop.auth(), &before.tokens)), TokenDenied::SessionOver);
            assert_eq!(token_refused(refresh(shop.auth(), &before.tokens)), TokenDenied::SessionOver);
        }
        before = Some(now);
    }
    assert!(refresh(shop.auth(), &shop.till()).is_ok());
    assert!(call(shop.auth(), &before.unwrap().tokens).is_ok());
    let replaced = shop.fixture.audit_events(Action::Login).into_iter();
    assert_eq!(replaced.filter(|event| event.details.contains_key("replaced")).count(), 3);
}

#[test]
fn wrong_pin_changes_nothing_but_the_count() {
    let shop = Shop::open();
    let working = shop.sign_in("cashier").tokens;
    for name in ["cashier", "manager"] {
        assert_eq!(denied(shop.try_in(name, "123123")), AuthDenied::OperatorMismatch);
    }
    assert_eq!((shop.operator(), shop.ended(&working)), (Some(working.session.id), None));
    assert!(call(shop.auth(), &working).is_ok() && refresh(shop.auth(), &working).is_ok());
    assert!(call(shop.auth(), &shop.till()).is_ok());
}

#[test]
fn only_an_enrolled_till_in_till_mode_has_operators() {
    let shop = Shop::open();
    let (pin, terms) = (Secret::new(PIN.to_owned()), operator_terms());
    let working = shop.sign_in("cashier");
    let person = call(shop.auth(), &working.tokens).unwrap();
    let unbound = authenticate(shop.auth(), &shop.fixture.device("P02")).unwrap();
    for caller in [&person, &unbound] {
        let request = OperatorRequest { till: caller, user: shop.user("cashier"), pin: &pin, terms: &terms };
        assert_eq!(denied(shop.auth().sign_in_operator(&request)), AuthDenied::TillRequired);
        assert_eq!(denied(shop.auth().sign_out_operator(caller)), AuthDenied::TillRequired);
        assert_eq!(denied(shop.auth().find_operator(caller)), AuthDenied::TillRequired);
        assert_eq!(denied(shop.auth().list_till_operators(caller)), AuthDenied::TillRequired);
    }
    shop.change_till(DeviceChange { till_mode: Some(false), ..DeviceChange::default() });
    assert_eq!(shop.ended(&working.tokens), Some(EndReason::Admin), "its operator has no till any more");
    assert_eq!(denied(shop.try_in("cashier", PIN)), AuthDenied::TillModeOff);
    assert_eq!(denied(shop.auth().list_till_operators(&shop.caller())), AuthDenied::TillModeOff);
    assert_eq!(denied(shop.auth().sign_out_operator(&shop.caller())), AuthDenied::TillModeOff);
    assert_eq!(shop.operator(), None);
}

#[test]
fn password_logs_in_on_a_till_only_without_till_mode() {
    let shop = Shop::open();
    let login = by_user("cashier", Some("P01"));
    assert_eq!(login_refused(shop.auth().login(&login)), LoginDenied::DeviceNotAllowed);
    assert!(shop.auth().login(&by_user("cashier", Some("P02"))).is_ok());
    shop.change_till(DeviceChange { till_mode: Some(false), ..DeviceChange::default() });
    let working = shop.auth().login(&login).unwrap();
    shop.change_till(DeviceChange { till_mode: Some(true), ..DeviceChange::default() });
    assert_eq!(shop.ended(&working), Some(EndReason::Admin));
    assert!(call(shop.auth(), &shop.till()).is_ok());
}

#[test]
fn sign_out_ends_the_operator_and_keeps_the_till() {
    let shop = Shop::open();
    let working = shop.sign_in("cashier").tokens;
    assert!(shop.auth().sign_out_operator(&shop.caller()).unwrap());
    assert!(!shop.auth().sign_out_operator(&shop.caller()).unwrap(), "nobody is signed in");
    assert_eq!((shop.ended(&working), shop.operator()), (Some(EndReason::Logout), None));
    assert!(refresh(shop.auth(), &shop.till()).is_ok());
    let event = shop.fixture.audit_events(Action::Logout).pop().unwrap();
    assert_eq!((event.subject, event.actor.user), (Subject::Session(working.session.id), None));
    assert_eq!(shop.fixture.audit_events(Action::Logout).len(), 1);
}

#[test]
fn operator_ends_with_the_session_of_the_till() {
    for expires in [false, true] {
        let shop = Shop::open();
        let working = shop.sign_in("cashier").tokens;
        let other = shop.fixture.process();
        if expires {
            // only the operator's session is refreshed
            let (caller, pin) = (shop.caller(), Secret::new(PIN.to_owned()));
            let terms = Terms { absolute: Some(24 * HOUR), ..operator_terms() };
            let request = OperatorRequest { till: &caller, user: shop.user("cashier"), pin: &pin, terms: &terms };
            let mut tokens = shop.auth().sign_in_operator(&request).unwrap().tokens;
            for _ in 0..71 {
                shop.advance(10 * MINUTE);
                tokens = refresh(shop.auth(), &tokens).unwrap();
            }
            shop.advance(10 * MINUTE);
            assert_eq!(token_refused(refresh(shop.auth(), &tokens)), TokenDenied::SessionOver);
        } else {
            shop.auth().logout(&shop.caller()).unwrap();
            assert_eq!(shop.ended(&working), Some(EndReason::Logout));
            other.poll_feed().unwrap();
            for auth in [shop.auth(), &*other] {
                assert_eq!(token_refused(call(auth, &working)), TokenDenied::SessionOver);
                assert_eq!(token_refused(refresh(auth, &working)), TokenDenied::SessionOver);
            }
        }
    }
}

#[test]
fn operator_ends_by_idle_and_absolute_timeout() {
    let shop = Shop::open();
    let mut tokens = shop.sign_in("cashier").tokens;
    shop.advance(15 * MINUTE);
    assert_eq!(token_refused(refresh(shop.auth(), &tokens)), TokenDenied::Expired);
    assert_eq!(shop.operator(), None);
    tokens = shop.sign_in("cashier").tokens;
    let ends_at = shop.fixture.clock.now().saturating_add(12 * HOUR);
    for _ in 0..71 {
        shop.advance(10 * MINUTE);
        tokens = refresh(shop.auth(), &tokens).unwrap();
        assert!(tokens.session_expires_at.unwrap() <= ends_at);
    }
    shop.advance(10 * MINUTE);
    assert!(refresh(shop.auth(), &tokens).is_err());
}

/// Prepares a change that another process makes.
type PrepareChange = fn(&Shop) -> Box<dyn FnOnce() + Send>;

#[test]
fn changes_during_the_check_of_the_pin_decide() {
    let cases: [(&str, PrepareChange, AuthDenied); 3] = [
        (
            "the user is suspended",
            |shop| {
                let (store, records) = (Arc::clone(&shop.fixture.store), shop.fixture.records.clone());
                let user = shop.user("cashier");
                Box::new(move || status(&*store, &records, user, UserStatus::Suspended))
            },
            AuthDenied::OperatorMismatch,
        ),
        (
            "the till is locked",
            |shop| {
                let (store, records, id) =
                    (Arc::clone(&shop.fixture.store), shop.fixture.records.clone(), till(&shop.fixture));
                Box::new(move || {
                    let context = stamp(tillgate_testkit::clock::CLOCK_START);
                    let office = Office::new(&*store, records.tenant.id, context);
                    done(office.set_device_status(id, DeviceStatus::Locked));
                })
            },
            AuthDenied::Token(TokenDenied::SessionOver),
        ),
        (
            "the till mode is turned off",
            |shop| {
                let (store, records, id) =
                    (Arc::clone(&shop.fixture.store), shop.fixture.records.clone(), till(&shop.fixture));
                Box::new(move || {
                    let context = stamp(tillgate_testkit::clock::CLOCK_START);
                    let change = DeviceChange { till_mode: Some(false), ..DeviceChange::default() };
                    let office = Office::new(&*store, records.tenant.id, context);
                    done(office.change_device(id, None, &change));
                })
            },
            AuthDenied::TillModeOff,
        ),
    ];
    for (what, change, expected) in cases {
        let shop = Shop::open();
        shop.fixture.hasher.before_next_verification(change(&shop));
        assert_eq!(shop.try_in("cashier", PIN).unwrap_err(), Error::Denied(expected), "{what}");
        let seat =
            shop.fixture.auth_store().read("test", |tx| tx.devices().find(till(&shop.fixture))).unwrap().unwrap().seat;
        assert_eq!(seat, None, "{what}");
    }
}

#[test]
fn users_of_a_till_are_listed_with_what_they_can_sign_in() {
    let shop = Shop::open();
    let listed = shop.auth().list_till_operators(&shop.caller()).unwrap();
    let names: Vec<_> = listed.iter().map(|each| (each.name.as_str(), each.has_pin)).collect();
    assert_eq!(names, [("admin", false), ("manager", true), ("cashier", true)]);
}

/// The key of PINs was rotated: the next sign-in stores the PIN under the current one.
#[test]
fn sign_in_stores_the_pin_under_the_current_key() {
    let shop = Shop::open();
    let stored = || shop.fixture.auth_store().read("test", |tx| tx.pins().find(shop.user("cashier"))).unwrap().unwrap();
    let before = stored();
    shop.auth().rotate_keys(true).unwrap();
    shop.sign_in("cashier");
    let after = stored();
    assert!(after.key != before.key && after.verifier != before.verifier);
    shop.sign_in("cashier");
    assert_eq!(stored(), after);
}
