//! Permanent tokens: one pairing per device, what ends it, what only blocks it, and who may
//! generate one.

use serde_json::Value;
use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Error, GrantKind, IssuedTokens, LoginDenied, LoginRequest, SessionKind, TokenDenied};
use tillgate_domain::office::{Office, UserChange};
use tillgate_domain::{Action, DeviceId, DeviceStatus, EndReason, PrincipalId, SessionId, UserStatus};
use tillgate_testkit::clock::CLOCK_START;

use crate::shop::{
    HOUR, Shop, address, authenticate, by_device, by_user, call, done, login_refused, native, refreshing, stamp,
    status, terms, token, token_refused, with_password,
};

fn generation(name: &str, device: &str) -> LoginRequest {
    by_user(name, Some(device))
}

fn generate_permanent_token(shop: &Shop, name: &str, device: &str) -> IssuedTokens {
    shop.auth.generate_permanent_token(&generation(name, device)).unwrap()
}

fn refresh_pairing(shop: &Shop, granted: &IssuedTokens) -> Result<IssuedTokens, Error> {
    shop.auth.refresh_pairing(&refreshing(token(granted), &native()), granted.session.id)
}

fn set_device(shop: &Shop, device: DeviceId, status: DeviceStatus) {
    done(Office::new(shop.office_store(), shop.world.tenant.id, stamp(CLOCK_START)).set_device_status(device, status));
}

fn pairing(shop: &Shop, device: DeviceId) -> Option<SessionId> {
    use tillgate_domain::StoreExt;
    shop.auth_store().read("test", |tx| tx.devices().find(device)).unwrap().unwrap().pairing
}

fn why(shop: &Shop, granted: &IssuedTokens) -> Option<EndReason> {
    shop.session(granted.session.id).ended.map(|(_, why)| why)
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    use base64::Engine;
    let middle = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap()).unwrap()
}

#[test]
fn pairing_is_permanent_whatever_the_terms() {
    let shop = Shop::open();
    let granted = generate_permanent_token(&shop, "cashier", "P01");
    let session = &granted.session;
    assert_eq!((session.kind, session.expires_at, granted.kind), (SessionKind::Permanent, None, GrantKind::Login));
    assert_eq!(session.terms.refresh.as_ref().map(|refresh| (refresh.idle, refresh.overlap)), Some((None, None)));
    assert_eq!((session.terms.absolute, session.terms.access), (None, terms().access));
    assert_eq!(pairing(&shop, shop.world.p01.id), Some(session.id));
    for _ in 0..3 {
        shop.clock.advance(400 * 24 * HOUR);
        let again = refresh_pairing(&shop, &granted).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&granted)));
        assert!(authenticate(&shop.auth, &again).is_ok());
    }
    assert_eq!(shop.session(session.id), *session, "nothing was written");
}

#[test]
fn both_tokens_authenticate_and_id_token_names_user() {
    let shop = Shop::open();
    let granted = generate_permanent_token(&shop, "cashier", "P01");
    for granted in [&granted, &refresh_pairing(&shop, &granted).unwrap()] {
        let id = granted.id_token.as_ref().unwrap().expose();
        assert_ne!(id, granted.access_token.expose());
        for bearer in [id, granted.access_token.expose()] {
            let caller = call(&shop.auth, bearer).unwrap();
            let told = caller.session_context().unwrap();
            assert_eq!((told.id, caller.user()), (granted.session.id, Some(shop.world.cashier.id)));
            assert_eq!((caller.device, told.kind), (Some(shop.world.p01.id), SessionKind::Permanent));
        }
        let (says, plain) = (claims(id), claims(granted.access_token.expose()));
        assert_eq!(says["name"], shop.world.cashier.display_name);
        assert_eq!(says["preferred_username"], "cashier");
        assert_eq!(says["sub"], plain["sub"]);
        assert_eq!((plain.get("name"), plain.get("preferred_username")), (None, None));
        assert_ne!(says["jti"], plain["jti"]);
    }
    assert!(shop.user("manager", Some("P02")).id_token.is_none(), "no other session has one");
}

#[test]
fn device_has_one_permanent_token() {
    let shop = Shop::open();
    let first = generate_permanent_token(&shop, "cashier", "P01");
    let elsewhere = generate_permanent_token(&shop, "cashier", "P02");
    let second = generate_permanent_token(&shop, "manager", "P01");
    assert_ne!(first.session.id, second.session.id, "a pairing has a name of its own");
    assert_eq!(token_refused(refresh_pairing(&shop, &first)), TokenDenied::SessionOver);
    assert_eq!(token_refused(authenticate(&shop.auth, &first)), TokenDenied::SessionOver);
    assert_eq!(why(&shop, &first), Some(EndReason::Replaced));
    assert!(refresh_pairing(&shop, &second).is_ok() && refresh_pairing(&shop, &elsewhere).is_ok());
    let told = shop.audit_events(Action::Login);
    assert_eq!(told.last().unwrap().details["replaced"], first.session.id.to_string());
    assert!(told.iter().all(|event| event.details["kind"] == "permanent"));
}

#[test]
fn pairing_and_seat_are_independent() {
    let shop = Shop::open();
    let till = shop.user("cashier", Some("P01"));
    let paired = generate_permanent_token(&shop, "manager", "P01");
    assert!(authenticate(&shop.auth, &till).is_ok());
    let next = shop.user("manager", Some("P01"));
    assert!(authenticate(&shop.auth, &till).is_err() && authenticate(&shop.auth, &next).is_ok());
    assert!(refresh_pairing(&shop, &paired).is_ok() && authenticate(&shop.auth, &paired).is_ok());
}

#[test]
fn permanent_token_requires_its_own_pairing() {
    let shop = Shop::open();
    let (one, other) =
        (generate_permanent_token(&shop, "cashier", "P01"), generate_permanent_token(&shop, "cashier", "P02"));
    let refresh = |token: &str, pairing| shop.auth.refresh_pairing(&refreshing(token, &native()), pairing);
    assert_eq!(token_refused(refresh(token(&one), other.session.id)), TokenDenied::Invalid);
    assert_eq!(token_refused(refresh(token(&one), SessionId(shop.world.p01.id.0))), TokenDenied::Invalid);
    assert!(refresh(token(&one), one.session.id).is_ok(), "a wrong pairing ends nothing");
}

#[test]
fn permanent_token_ends_by_admin_password_change_deletion_or_retirement() {
    type End = fn(&Shop, &IssuedTokens);
    let ends: [(&str, End, EndReason); 4] = [
        ("by hand", |shop, granted| assert!(shop.auth.end_session(granted.session.id).unwrap()), EndReason::Admin),
        (
            "password",
            |shop, _| shop.set_password(PrincipalId::User(shop.world.cashier.id), "another"),
            EndReason::Password,
        ),
        (
            "deleted",
            |shop, _| status(shop.office_store(), &shop.world, shop.world.cashier.id, UserStatus::Deleted),
            EndReason::Suspended,
        ),
        ("retired", |shop, _| set_device(shop, shop.world.p01.id, DeviceStatus::Retired), EndReason::Locked),
    ];
    for (what, end, expected) in ends {
        let shop = Shop::open();
        let (ended, stays) =
            (generate_permanent_token(&shop, "cashier", "P01"), generate_permanent_token(&shop, "manager", "P02"));
        end(&shop, &ended);
        assert_eq!(why(&shop, &ended), Some(expected), "{what}");
        assert_eq!(token_refused(refresh_pairing(&shop, &ended)), TokenDenied::SessionOver, "{what}");
        assert_eq!(token_refused(authenticate(&shop.auth, &ended)), TokenDenied::SessionOver, "{what}");
        assert!(refresh_pairing(&shop, &stays).is_ok() && authenticate(&shop.auth, &stays).is_ok(), "{what}");
    }
}

#[test]
fn permanent_token_is_suspended_and_resumes_with_user_or_device() {
    let shop = Shop::open();
    let granted = generate_permanent_token(&shop, "cashier", "P01");
    let user = shop.world.cashier.id;
    for round in 0..2 {
        shop.suspend(user);
        assert_eq!(token_refused(refresh_pairing(&shop, &granted)), TokenDenied::SessionOver, "{round}");
        assert_eq!(token_refused(authenticate(&shop.auth, &granted)), TokenDenied::SessionOver, "{round}");
        status(shop.office_store(), &shop.world, user, UserStatus::Active);
        let again = refresh_pairing(&shop, &granted).unwrap();
        assert!(authenticate(&shop.auth, &again).is_ok(), "{round}");
        shop.lock(shop.world.p01.id);
        assert_eq!(token_refused(refresh_pairing(&shop, &granted)), TokenDenied::SessionOver, "{round}");
        assert_eq!(token_refused(authenticate(&shop.auth, &again)), TokenDenied::SessionOver, "{round}");
        set_device(&shop, shop.world.p01.id, DeviceStatus::Active);
        assert!(authenticate(&shop.auth, &refresh_pairing(&shop, &granted).unwrap()).is_ok(), "{round}");
    }
    assert_eq!(shop.session(granted.session.id).ended, None);
}

#[test]
fn unrelated_changes_keep_pairing() {
    let shop = Shop::open();
    let granted = generate_permanent_token(&shop, "cashier", "P01");
    shop.set_password(PrincipalId::Device(shop.world.p01.id), "another of the till");
    let change = UserChange { display_name: Some("Another".to_owned()), ..UserChange::default() };
    done(Office::new(shop.office_store(), shop.world.tenant.id, stamp(CLOCK_START)).change_user(
        shop.world.cashier.id,
        None,
        &change,
    ));
    let again = refresh_pairing(&shop, &granted).unwrap();
    assert_eq!(claims(again.id_token.as_ref().unwrap().expose())["name"], "Another", "as the user is now");
}

#[test]
fn denied_login_pairs_nothing() {
    let shop = Shop::open();
    let refused = |login: &LoginRequest| login_refused(shop.auth.generate_permanent_token(login));
    assert_eq!(refused(&with_password(generation("cashier", "P01"), "wrong")), LoginDenied::Mismatch);
    assert_eq!(refused(&generation("trainee", "P01")), LoginDenied::Pending);
    assert_eq!(refused(&generation("driver", "P01")), LoginDenied::DeviceNotAllowed);
    assert_eq!(refused(&generation("cashier", "nowhere")), LoginDenied::DeviceNotAllowed);
    assert_eq!(refused(&by_user("cashier", None)), LoginDenied::DeviceNotAllowed, "in the office");
    assert_eq!(refused(&by_device("P01")), LoginDenied::DeviceNotAllowed, "the device itself");
    shop.lock(shop.world.p01.id);
    assert_eq!(refused(&generation("cashier", "P01")), LoginDenied::DeviceNotAllowed, "locked");
    assert_eq!((pairing(&shop, shop.world.p01.id), shop.sessions()), (None, 0));
}

#[test]
fn wrong_password_counts_as_failed_login() {
    let shop = Shop::open();
    for number in 0..20 {
        let wrong = with_password(generation("cashier", "P01"), &format!("wrong {number}"));
        if let Err(Error::Denied(tillgate_auth_core::AuthDenied::TooManyAttempts { .. })) =
            shop.auth.generate_permanent_token(&wrong)
        {
            let login =
                shop.auth.login(&LoginRequest { identity: wrong.identity.clone(), ..generation("cashier", "P01") });
            assert!(
                matches!(login, Err(Error::Denied(tillgate_auth_core::AuthDenied::TooManyAttempts { .. }))),
                "{login:?}"
            );
            return;
        }
    }
    panic!("guesses were not held back");
}

#[test]
fn permanent_token_from_other_address_is_not_reported() {
    let shop = Shop::open();
    let granted = generate_permanent_token(&shop, "cashier", "P01");
    let native = native();
    let far = tillgate_auth_core::RefreshRequest { address: address(99), ..refreshing(token(&granted), &native) };
    assert!(shop.auth.refresh_pairing(&far, granted.session.id).is_ok());
    assert!(shop.audit_events(Action::RefreshShared).is_empty());
}

#[test]
fn concurrent_generations_leave_one_pairing() {
    let shop = Shop::open();
    let granted: Vec<IssuedTokens> = std::thread::scope(|scope| {
        let each = |name: &'static str| scope.spawn(|| shop.auth.generate_permanent_token(&generation(name, "P01")));
        let all: Vec<_> = ["cashier", "manager", "cashier", "admin"].map(each).into_iter().collect();
        all.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    let good: Vec<SessionId> =
        granted.iter().filter(|each| refresh_pairing(&shop, each).is_ok()).map(|each| each.session.id).collect();
    assert_eq!(good.len(), 1);
    assert_eq!(pairing(&shop, shop.world.p01.id), Some(good[0]));
    let live = SessionFilter { live: Some((true, CLOCK_START)), ..SessionFilter::default() };
    assert_eq!(shop.auth.list_all_sessions(&live, None, 200).unwrap().len(), 1);
}
