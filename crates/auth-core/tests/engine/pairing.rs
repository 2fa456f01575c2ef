//! Permanent tokens: one pairing per device, what ends it, what only holds it back, and who may generate one.

use serde_json::Value;
use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Error, Granted, How, Login, LoginRefusal, SessionKind, TokenRefusal};
use tillgate_domain::office::{self, UserChange};
use tillgate_domain::{Action, DeviceId, DeviceStatus, EndedWhy, PrincipalId, SessionId, UserStatus};
use tillgate_testkit::clock::MORNING;

use crate::shop::{
    HOUR, Shop, address, by_device, by_user, call, done, login_refused, native, refreshing, stamp, status, terms,
    token, token_refused, used, with_password,
};

fn generation(name: &str, device: &str) -> Login {
    by_user(name, Some(device))
}

fn generated(shop: &Shop, name: &str, device: &str) -> Granted {
    shop.auth.generate(&generation(name, device)).unwrap()
}

fn repeated(shop: &Shop, granted: &Granted) -> Result<Granted, Error> {
    shop.auth.refresh_paired(&refreshing(token(granted), &native()), granted.session.id)
}

fn set_device(shop: &Shop, device: DeviceId, status: DeviceStatus) {
    done(office::set_device_status(shop.office(), shop.world.tenant.id, &stamp(MORNING), device, status));
}

fn pairing(shop: &Shop, device: DeviceId) -> Option<SessionId> {
    use tillgate_domain::StoreExt;
    shop.auth_store().read(|tx| tx.devices().find(device)).unwrap().unwrap().pairing
}

fn why(shop: &Shop, granted: &Granted) -> Option<EndedWhy> {
    shop.session(granted.session.id).ended.map(|(_, why)| why)
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    use base64::Engine;
    let middle = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap()).unwrap()
}

#[test]
fn a_pairing_is_permanent_whatever_terms_are_asked_for() {
    let shop = Shop::open();
    let granted = generated(&shop, "cashier", "P01");
    let session = &granted.session;
    assert_eq!((session.kind, session.expires_at, granted.how), (SessionKind::Permanent, None, How::Login));
    assert_eq!(session.terms.refresh.as_ref().map(|refresh| (refresh.idle, refresh.overlap)), Some((None, None)));
    assert_eq!((session.terms.absolute, session.terms.access), (None, terms().access));
    assert_eq!(pairing(&shop, shop.world.p01.id), Some(session.id));
    for _ in 0..3 {
        shop.clock.advance(400 * 24 * HOUR);
        let again = repeated(&shop, &granted).unwrap();
        assert_eq!((again.how, token(&again)), (How::Repeated, token(&granted)));
        assert!(used(&shop.auth, &again).is_ok());
    }
    assert_eq!(shop.session(session.id), *session, "nothing was written");
}

#[test]
fn both_tokens_authenticate_and_the_id_token_says_who_it_is() {
    let shop = Shop::open();
    let granted = generated(&shop, "cashier", "P01");
    for granted in [&granted, &repeated(&shop, &granted).unwrap()] {
        let id = granted.id_token.as_ref().unwrap().expose();
        assert_ne!(id, granted.access_token.expose());
        for bearer in [id, granted.access_token.expose()] {
            let caller = call(&shop.auth, bearer).unwrap();
            let told = caller.in_session().unwrap();
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
fn a_device_has_one_token_whoever_generated_it() {
    let shop = Shop::open();
    let first = generated(&shop, "cashier", "P01");
    let elsewhere = generated(&shop, "cashier", "P02");
    let second = generated(&shop, "manager", "P01");
    assert_ne!(first.session.id, second.session.id, "a pairing has a name of its own");
    assert_eq!(token_refused(repeated(&shop, &first)), TokenRefusal::Over);
    assert_eq!(token_refused(used(&shop.auth, &first)), TokenRefusal::Over);
    assert_eq!(why(&shop, &first), Some(EndedWhy::Replaced));
    assert!(repeated(&shop, &second).is_ok() && repeated(&shop, &elsewhere).is_ok());
    let told = shop.told(Action::Login);
    assert_eq!(told.last().unwrap().details["replaced"], first.session.id.to_string());
    assert!(told.iter().all(|event| event.details["kind"] == "permanent"));
}

#[test]
fn a_pairing_is_no_seat_and_a_seat_no_pairing() {
    let shop = Shop::open();
    let till = shop.user("cashier", Some("P01"));
    let paired = generated(&shop, "manager", "P01");
    assert!(used(&shop.auth, &till).is_ok());
    let next = shop.user("manager", Some("P01"));
    assert!(used(&shop.auth, &till).is_err() && used(&shop.auth, &next).is_ok());
    assert!(repeated(&shop, &paired).is_ok() && used(&shop.auth, &paired).is_ok());
}

#[test]
fn a_token_serves_with_its_own_pairing_alone() {
    let shop = Shop::open();
    let (one, other) = (generated(&shop, "cashier", "P01"), generated(&shop, "cashier", "P02"));
    let refresh = |token: &str, pairing| shop.auth.refresh_paired(&refreshing(token, &native()), pairing);
    assert_eq!(token_refused(refresh(token(&one), other.session.id)), TokenRefusal::Invalid);
    assert_eq!(token_refused(refresh(token(&one), SessionId(shop.world.p01.id.0))), TokenRefusal::Invalid);
    assert!(refresh(token(&one), one.session.id).is_ok(), "a wrong pairing ends nothing");
}

#[test]
fn a_hand_a_password_and_a_deletion_end_it() {
    type End = fn(&Shop, &Granted);
    let ends: [(&str, End, EndedWhy); 4] = [
        ("by hand", |shop, granted| assert!(shop.auth.end_session(granted.session.id).unwrap()), EndedWhy::Admin),
        (
            "password",
            |shop, _| shop.set_password(PrincipalId::User(shop.world.cashier.id), "another"),
            EndedWhy::Password,
        ),
        (
            "deleted",
            |shop, _| status(shop.office(), &shop.world, shop.world.cashier.id, UserStatus::Deleted),
            EndedWhy::Suspended,
        ),
        ("retired", |shop, _| set_device(shop, shop.world.p01.id, DeviceStatus::Retired), EndedWhy::Locked),
    ];
    for (what, end, expected) in ends {
        let shop = Shop::open();
        let (ended, stays) = (generated(&shop, "cashier", "P01"), generated(&shop, "manager", "P02"));
        end(&shop, &ended);
        assert_eq!(why(&shop, &ended), Some(expected), "{what}");
        assert_eq!(token_refused(repeated(&shop, &ended)), TokenRefusal::Over, "{what}");
        assert_eq!(token_refused(used(&shop.auth, &ended)), TokenRefusal::Over, "{what}");
        assert!(repeated(&shop, &stays).is_ok() && used(&shop.auth, &stays).is_ok(), "{what}");
    }
}

#[test]
fn a_suspension_and_a_lock_hold_it_back_and_it_is_good_again() {
    let shop = Shop::open();
    let granted = generated(&shop, "cashier", "P01");
    let user = shop.world.cashier.id;
    for round in 0..2 {
        shop.suspend(user);
        assert_eq!(token_refused(repeated(&shop, &granted)), TokenRefusal::Over, "{round}");
        assert_eq!(token_refused(used(&shop.auth, &granted)), TokenRefusal::Over, "{round}");
        status(shop.office(), &shop.world, user, UserStatus::Active);
        let again = repeated(&shop, &granted).unwrap();
        assert!(used(&shop.auth, &again).is_ok(), "{round}");
        shop.lock(shop.world.p01.id);
        assert_eq!(token_refused(repeated(&shop, &granted)), TokenRefusal::Over, "{round}");
        assert_eq!(token_refused(used(&shop.auth, &again)), TokenRefusal::Over, "{round}");
        set_device(&shop, shop.world.p01.id, DeviceStatus::Active);
        assert!(used(&shop.auth, &repeated(&shop, &granted).unwrap()).is_ok(), "{round}");
    }
    assert_eq!(shop.session(granted.session.id).ended, None);
}

#[test]
fn what_ends_nothing_leaves_it() {
    let shop = Shop::open();
    let granted = generated(&shop, "cashier", "P01");
    shop.set_password(PrincipalId::Device(shop.world.p01.id), "another of the till");
    let change = UserChange { display_name: Some("Another".to_owned()), ..UserChange::default() };
    done(office::change_user(
        shop.office(),
        shop.world.tenant.id,
        &stamp(MORNING),
        shop.world.cashier.id,
        None,
        &change,
    ));
    let again = repeated(&shop, &granted).unwrap();
    assert_eq!(claims(again.id_token.as_ref().unwrap().expose())["name"], "Another", "as the user is now");
}

#[test]
fn what_is_refused_to_a_login_is_refused_here_and_nothing_is_paired() {
    let shop = Shop::open();
    let refused = |login: &Login| login_refused(shop.auth.generate(login));
    assert_eq!(refused(&with_password(generation("cashier", "P01"), "wrong")), LoginRefusal::Mismatch);
    assert_eq!(refused(&generation("trainee", "P01")), LoginRefusal::Pending);
    assert_eq!(refused(&generation("driver", "P01")), LoginRefusal::NotThere);
    assert_eq!(refused(&generation("cashier", "nowhere")), LoginRefusal::NotThere);
    assert_eq!(refused(&by_user("cashier", None)), LoginRefusal::NotThere, "in the office");
    assert_eq!(refused(&by_device("P01")), LoginRefusal::NotThere, "the device itself");
    shop.lock(shop.world.p01.id);
    assert_eq!(refused(&generation("cashier", "P01")), LoginRefusal::NotThere, "locked");
    assert_eq!((pairing(&shop, shop.world.p01.id), shop.sessions()), (None, 0));
}

#[test]
fn a_wrong_password_counts_as_at_a_login() {
    let shop = Shop::open();
    for number in 0..20 {
        let wrong = with_password(generation("cashier", "P01"), &format!("wrong {number}"));
        if let Err(Error::Refused(tillgate_auth_core::Refusal::Held { .. })) = shop.auth.generate(&wrong) {
            let login = shop.auth.login(&Login { who: wrong.who.clone(), ..generation("cashier", "P01") });
            assert!(matches!(login, Err(Error::Refused(tillgate_auth_core::Refusal::Held { .. }))), "{login:?}");
            return;
        }
    }
    panic!("guesses were not held back");
}

#[test]
fn a_token_from_another_address_is_no_news() {
    let shop = Shop::open();
    let granted = generated(&shop, "cashier", "P01");
    let native = native();
    let far = tillgate_auth_core::Refreshing { address: address(99), ..refreshing(token(&granted), &native) };
    assert!(shop.auth.refresh_paired(&far, granted.session.id).is_ok());
    assert!(shop.told(Action::RefreshShared).is_empty());
}

#[test]
fn many_who_generate_at_once_leave_one_pairing() {
    let shop = Shop::open();
    let granted: Vec<Granted> = std::thread::scope(|scope| {
        let each = |name: &'static str| scope.spawn(|| shop.auth.generate(&generation(name, "P01")));
        let all: Vec<_> = ["cashier", "manager", "cashier", "admin"].map(each).into_iter().collect();
        all.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    let good: Vec<SessionId> =
        granted.iter().filter(|each| repeated(&shop, each).is_ok()).map(|each| each.session.id).collect();
    assert_eq!(good.len(), 1);
    assert_eq!(pairing(&shop, shop.world.p01.id), Some(good[0]));
    let live = SessionFilter { live: Some((true, MORNING)), ..SessionFilter::default() };
    assert_eq!(shop.auth.all_sessions(&live, None, 200).unwrap().len(), 1);
}
