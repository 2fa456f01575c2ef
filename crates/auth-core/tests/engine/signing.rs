//! Requests that are signed with the key of a program.

use std::sync::Arc;
use std::time::Duration;

use ring::hmac;
use tillgate_auth_core::auth::{DrawnApiKey, Signed};
use tillgate_auth_core::{Auth, By, Client, Counting, Dialect, Error, Evidence, Presented, Signature, TokenRefusal};
use tillgate_domain::office::{self, ApiKeyChange, NewApiKey};
use tillgate_domain::{
    Action, ApiKey, DeviceName, Instant, Mode, Outcome, Rank, Right, Rights, Secret, StoreError, Subject, UserName,
};
use tillgate_testkit::Failing;
use tillgate_testkit::failing::Failure;

use crate::shop::{HOUR, Shop, address, done, stamp, token_refused, unavailable, used};

const WINDOW: Duration = Duration::from_secs(150);
const MILLI: Duration = Duration::from_millis(1);

fn rights(names: &[&str]) -> Rights {
    names.iter().map(|name| Right::parse(name).unwrap()).collect()
}

/// Gives a program a key, and says what it was drawn as.
fn key(shop: &Shop, user: &str, permissions: &[&str]) -> (ApiKey, DrawnApiKey) {
    let drawn = shop.auth.draw_api_key().unwrap();
    let new = NewApiKey {
        id: drawn.id,
        client: drawn.client.clone(),
        wrapped: drawn.wrapped.clone(),
        name: "Shop window".into(),
        description: String::new(),
        active: true,
        user: UserName::parse(user).unwrap(),
        device: DeviceName::parse("P01").unwrap(),
        permissions: rights(permissions),
    };
    let at = shop.auth.time().at;
    (done(office::add_api_key(shop.office(), shop.world.tenant.id, &stamp(at), &new)), drawn)
}

/// A request of that text, signed at this instant.
fn signature(drawn: &DrawnApiKey, at: Instant, message: &str) -> Signature {
    let hmac = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let signing = hmac(format!("P{}", drawn.secret.expose()).as_bytes(), "today");
    Signature {
        client: drawn.client.clone(),
        at,
        prefix: "P",
        scope: "today".into(),
        message: message.into(),
        mac: hmac(signing.as_ref(), message).as_ref().try_into().unwrap(),
    }
}

fn signed(auth: &Auth, drawn: &DrawnApiKey, message: &str) -> Result<Signed, Error> {
    auth.signed(&signature(drawn, auth.time().at, message), None, Counting::Once)
}

#[test]
fn a_signature_says_who_signed() {
    let shop = Shop::open();
    let (key, drawn) = key(&shop, "cashier", &[]);
    let found = signed(&shop.auth, &drawn, "GET /").unwrap();
    assert_eq!(found.key, key);
    let profile = Arc::unwrap_or_clone(found.profile);
    assert_eq!(profile.user.unwrap().id, shop.world.cashier.id);
    assert_eq!(profile.device.unwrap().id, shop.world.p01.id);
    assert_eq!((profile.rights, profile.rank), (Rank::Cashier.rights(), Some(Rank::Cashier)));
    assert_eq!(shop.sessions(), 0, "it makes no session");
    assert!(signed(&shop.process(), &drawn, "GET /again").is_ok(), "another process with the same master key");
}

#[test]
fn what_is_drawn_is_unlike_and_shows_no_secret() {
    let shop = Shop::open();
    let (one, other) = (shop.auth.draw_api_key().unwrap(), shop.auth.draw_api_key().unwrap());
    assert!(one.client != other.client && one.secret != other.secret && one.id != other.id);
    assert_eq!((one.client.len(), one.secret.expose().len()), (32, 64));
    assert!(!format!("{one:?}").contains(one.secret.expose()));
    let secret = one.secret.expose().as_bytes();
    assert!(!one.wrapped.windows(secret.len()).any(|part| part == secret), "the store holds no secret as it is");
}

#[test]
fn permissions_narrow_the_rights() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &["ticketClose", "storno"]);
    let found = signed(&shop.auth, &drawn, "GET /").unwrap();
    assert_eq!((found.profile.rights.clone(), found.profile.rank), (rights(&["ticketClose"]), None));
    let (_, drawn) = key(&shop, "admin", &["storno"]);
    assert_eq!(signed(&shop.auth, &drawn, "GET /").unwrap().profile.rights.clone(), rights(&["storno"]));
}

#[test]
fn a_signature_counts_once_in_every_process() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &[]);
    let (_, other) = key(&shop, "cashier", &[]);
    let once = signature(&drawn, shop.auth.time().at, "GET /");
    assert!(shop.auth.signed(&once, None, Counting::Once).is_ok());
    for auth in [&shop.auth, &shop.process()] {
        assert_eq!(token_refused(auth.signed(&once, None, Counting::Once)), TokenRefusal::Repeated);
    }
    assert!(signed(&shop.auth, &drawn, "GET /other").is_ok(), "another request");
    assert!(signed(&shop.auth, &other, "GET /").is_ok(), "another key");
}

#[test]
fn what_does_not_hold_is_refused_and_not_remembered() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &[]);
    let right = signature(&drawn, shop.auth.time().at, "GET /");
    let mut mac = right.mac;
    mac[31] ^= 1;
    for wrong in [
        Signature { mac, ..right.clone() },
        Signature { message: "GET /other".into(), ..right.clone() },
        Signature { client: "nobody".into(), ..right.clone() },
        Signature { client: drawn.client.to_uppercase() + "x", ..right.clone() },
    ] {
        assert_eq!(token_refused(shop.auth.signed(&wrong, None, Counting::Once)), TokenRefusal::Invalid, "{wrong:?}");
    }
    let foreign = shop.auth.signed(&right, Some(shop.market.id), Counting::Once);
    assert_eq!(token_refused(foreign), TokenRefusal::Foreign);
    assert!(
        shop.auth.signed(&right, Some(shop.world.tenant.id), Counting::Once).is_ok(),
        "nothing of that was remembered"
    );
}

#[test]
fn a_signature_is_of_now() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &[]);
    let now = shop.auth.time().at;
    for (at, good) in [
        (now.after(WINDOW), true),
        (now.before(WINDOW), true),
        (now.after(WINDOW + MILLI), false),
        (now.before(WINDOW + MILLI), false),
        (Instant::from_millis(i64::MIN), false),
        (Instant::from_millis(i64::MAX), false),
    ] {
        let answer = shop.auth.signed(&signature(&drawn, at, &format!("at {at:?}")), None, Counting::Once);
        if good {
            assert!(answer.is_ok(), "{at:?}");
        } else {
            assert_eq!(token_refused(answer), TokenRefusal::Expired, "{at:?}");
        }
    }
}

#[test]
fn on_a_doubtful_clock_nothing_is_said_of_what_holds() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &[]);
    let right = signature(&drawn, shop.auth.time().at, "GET /");
    shop.clock.step_forward(20 * HOUR);
    assert!(shop.auth.time().in_doubt);
    assert!(unavailable(shop.auth.signed(&right, None, Counting::Once)));
    let wrong = Signature { mac: [0; 32], ..right };
    assert_eq!(token_refused(shop.auth.signed(&wrong, None, Counting::Once)), TokenRefusal::Invalid, "that is known");
}

#[test]
fn what_ends_a_key_ends_it_at_once() {
    let revoke = |shop: &Shop, key: &ApiKey| {
        let change = ApiKeyChange { active: Some(false), ..ApiKeyChange::default() };
        let stamp = stamp(shop.auth.time().at);
        done(office::change_api_key(shop.office(), shop.world.tenant.id, &stamp, key.id, None, &change));
    };
    let suspend = |shop: &Shop, _: &ApiKey| shop.suspend(shop.world.cashier.id);
    let lock = |shop: &Shop, _: &ApiKey| shop.lock(shop.world.p01.id);
    let ends: [fn(&Shop, &ApiKey); 3] = [revoke, suspend, lock];
    for (number, end) in ends.into_iter().enumerate() {
        let shop = Shop::open();
        let (key, drawn) = key(&shop, "cashier", &[]);
        assert!(signed(&shop.auth, &drawn, "GET /").is_ok());
        end(&shop, &key);
        assert_eq!(token_refused(signed(&shop.auth, &drawn, "GET /again")), TokenRefusal::Over, "{number}");
    }
    let shop = Shop::open();
    let (key, drawn) = key(&shop, "cashier", &[]);
    done(office::delete_api_key(shop.office(), shop.world.tenant.id, &stamp(shop.auth.time().at), key.id, None));
    assert_eq!(token_refused(signed(&shop.auth, &drawn, "GET /")), TokenRefusal::Invalid);
}

#[test]
fn a_signed_call_is_made_in_no_session_and_ends_none() {
    let shop = Shop::open();
    let (key, drawn) = key(&shop, "cashier", &[]);
    let (dialect, at_the_till) = (Dialect::new("portos"), shop.user("cashier", Some("P01")));
    let call = |message: &str| {
        let evidence = Evidence::Signature(Box::new(signature(&drawn, shop.auth.time().at, message)), Counting::Once);
        let presented = Presented { evidence, ..Presented::bearer(&dialect, "") };
        assert!(shop.auth.recognize(&presented).is_none(), "memory alone cannot say that it is the first");
        shop.auth.authenticate(&presented).unwrap()
    };
    let caller = call("DELETE /");
    assert_eq!((caller.by, caller.session()), (By::ApiKey(key.id), None));
    assert_eq!((caller.user(), caller.device), (Some(shop.world.cashier.id), Some(shop.world.p01.id)));
    let actor = caller.actor();
    assert_eq!((actor.user, actor.device, actor.session), (caller.user(), caller.device, None));
    shop.auth.logout(&caller).unwrap();
    assert!(used(&shop.auth, &at_the_till).is_ok(), "the session at the till goes on");
    assert_eq!(shop.auth.end(&caller, at_the_till.session.id).unwrap().session.id, at_the_till.session.id);
    assert!(used(&shop.auth, &at_the_till).is_err(), "one's own by its id, that is another matter");
    assert!(
        shop.auth
            .change_password(&call("PUT /"), &"wrong".to_owned().into(), &"x".to_owned().into(), &[], false)
            .is_err()
    );
}

#[test]
fn a_signature_reads_the_store_once_and_then_writes_alone() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &["ticketClose"]);
    let store = Arc::new(Failing::over(Arc::new(shop.memory.process())));
    let auth = shop.process_over(store.clone());
    let gone = || Failure::at_once(StoreError::Unavailable("gone".into()));
    assert!(signed(&auth, &drawn, "first").is_ok());
    store.fail(gone().only(Mode::Read));
    for number in 0..5 {
        assert!(signed(&auth, &drawn, &format!("then {number}")).is_ok(), "nothing is read");
    }
    store.fail(gone().only(Mode::Write));
    assert!(unavailable(signed(&auth, &drawn, "unseen")), "what cannot be remembered is not taken");
    let passing = signature(&drawn, auth.time().at, "passing");
    assert!(auth.signed(&passing, None, Counting::Never).is_ok(), "what does not count writes nothing");
    store.heal();
    assert!(signed(&auth, &drawn, "unseen").is_ok());
}

/// Another process ends the key; this one, which remembers it, hears of it from the feed.
#[test]
fn what_is_remembered_of_a_key_is_forgotten_when_it_changes() {
    for narrowed in [false, true] {
        let shop = Shop::open();
        let (key, drawn) = key(&shop, "cashier", &[]);
        let other = shop.process();
        assert!(signed(&other, &drawn, "GET /").is_ok());
        let permissions = narrowed.then(|| rights(&["ticketClose"]));
        let change = ApiKeyChange { active: Some(narrowed), permissions, ..ApiKeyChange::default() };
        let stamp = stamp(shop.auth.time().at);
        done(office::change_api_key(shop.office(), shop.world.tenant.id, &stamp, key.id, None, &change));
        other.follow().unwrap();
        let answer = signed(&other, &drawn, "GET /again");
        if narrowed {
            assert_eq!(answer.unwrap().profile.rights, rights(&["ticketClose"]));
        } else {
            assert_eq!(token_refused(answer), TokenRefusal::Over);
        }
    }
}

/// Memory is trusted while it is young enough, as for tokens.
#[test]
fn who_cannot_follow_what_has_changed_does_not_judge() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &[]);
    let store = Arc::new(Failing::over(Arc::new(shop.memory.process())));
    let auth = shop.process_over(store.clone());
    assert!(signed(&auth, &drawn, "GET /").is_ok());
    store.fail(Failure::at_once(StoreError::Unavailable("gone".into())).only(Mode::Read));
    shop.clock.advance(Duration::from_secs(61));
    assert!(unavailable(signed(&auth, &drawn, "GET /again")));
    store.heal();
    assert!(signed(&auth, &drawn, "GET /again").is_ok());
}

#[test]
fn one_that_only_passes_is_not_used_up() {
    let shop = Shop::open();
    let (_, drawn) = key(&shop, "cashier", &[]);
    let passing = signature(&drawn, shop.auth.time().at, "GET /");
    for _ in 0..2 {
        assert!(shop.auth.signed(&passing, None, Counting::Never).is_ok());
    }
    let dialect = Dialect::new("portos");
    let evidence = Evidence::Signature(Box::new(passing.clone()), Counting::Never);
    let presented = Presented { evidence, ..Presented::bearer(&dialect, "") };
    assert!(shop.auth.recognize(&presented).unwrap().is_ok(), "memory alone can tell");
    assert!(shop.auth.signed(&passing, None, Counting::Once).is_ok());
    assert!(shop.auth.signed(&passing, None, Counting::Never).is_ok());
    assert_eq!(token_refused(shop.auth.signed(&passing, None, Counting::Once)), TokenRefusal::Repeated);
    shop.clock.advance(WINDOW + MILLI);
    assert_eq!(token_refused(shop.auth.signed(&passing, None, Counting::Never)), TokenRefusal::Expired);
}

/// A wrong, a repeated or a late signature, an unknown key and a wrong secret are written into the audit, each key's first ten in
/// a minute and then how many there were.
#[test]
fn programs_that_are_refused_stand_in_the_audit() {
    let shop = Shop::open();
    let (key, drawn) = key(&shop, "cashier", &[]);
    let native = Dialect::new("native");
    let ask = |evidence: Evidence<'_>| {
        let presented = Presented { evidence, address: address(1), ..Presented::bearer(&native, "") };
        shop.auth.recognize(&presented).unwrap_or_else(|| shop.auth.authenticate(&presented)).map(drop)
    };
    let by_signature =
        |signature: &Signature, counting| ask(Evidence::Signature(Box::new(signature.clone()), counting));
    let right = signature(&drawn, shop.auth.time().at, "GET /");
    by_signature(&right, Counting::Once).unwrap();
    by_signature(&right, Counting::Once).unwrap_err();
    let wrong = Signature { mac: [0; 32], ..right.clone() };
    by_signature(&wrong, Counting::Once).unwrap_err();
    by_signature(&wrong, Counting::Never).unwrap_err();
    by_signature(&Signature { at: right.at.before(HOUR), ..right.clone() }, Counting::Once).unwrap_err();
    by_signature(&Signature { client: "f".repeat(99), ..right }, Counting::Once).unwrap_err();
    ask(Evidence::Client(Client { id: drawn.client.clone(), secret: Secret::new("wrong".to_owned()) })).unwrap_err();
    let lines = shop.told(Action::ApiKeyUse);
    let why: Vec<_> = lines.iter().map(|line| line.details["why"].as_str().unwrap()).collect();
    let invalid = "token_invalid";
    assert_eq!(why, ["signature_repeated", invalid, invalid, "token_expired", invalid, invalid]);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!((line.outcome, line.actor.address), (Outcome::Refused, address(1)));
        if index == 4 {
            assert_eq!((line.subject, line.actor.user), (Subject::Server, None), "nobody's key");
            assert_eq!(line.details["client"], "f".repeat(40));
        } else {
            assert_eq!((line.subject, line.actor.user), (Subject::ApiKey(key.id), Some(key.user)));
            assert_eq!((line.tenant, line.actor.device), (Some(key.tenant), Some(key.device)));
        }
    }
    for _ in 0..30 {
        by_signature(&wrong, Counting::Never).unwrap_err();
    }
    assert_eq!(shop.told(Action::ApiKeyUse).len(), 1 + 10, "of the one key ten, of nobody's one");
    shop.auth.leave().unwrap();
    let last = shop.told(Action::ApiKeyUse).pop().unwrap();
    assert_eq!((last.subject, &last.details["times"]), (Subject::ApiKey(key.id), &25.into()));
}
