//! The end of sessions: who may see and end which, and that the end takes effect immediately.

use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{AuthDenied, Caller, Error, IssuedTokens, TokenDenied};
use tillgate_domain::{Action, EndReason, PrincipalId, SessionId};
use uuid::Uuid;

use crate::shop::{Shop, authenticate, by_user, refresh, token_refused, with_password};

fn caller(shop: &Shop, granted: &IssuedTokens) -> Caller {
    authenticate(&shop.auth, granted).unwrap()
}

fn why(shop: &Shop, granted: &IssuedTokens) -> Option<EndReason> {
    shop.session(granted.session.id).ended.map(|(_, why)| why)
}

#[test]
fn logout_ends_one_session_from_next_request() {
    let shop = Shop::open();
    let (one, two) = (shop.user("cashier", None), shop.user("cashier", None));
    let logged_in = caller(&shop, &one);
    shop.auth.logout(&logged_in).unwrap();
    shop.auth.logout(&logged_in).unwrap();
    assert_eq!(token_refused(authenticate(&shop.auth, &one)), TokenDenied::SessionOver);
    assert_eq!(token_refused(refresh(&shop.auth, &one)), TokenDenied::SessionOver);
    assert!(authenticate(&shop.auth, &two).is_ok());
    assert_eq!((why(&shop, &one), shop.audit_events(Action::Logout).len()), (Some(EndReason::Logout), 1));
}

#[test]
fn own_sessions_can_be_ended_and_others_require_right() {
    let shop = Shop::open();
    let (mine, till, boss) =
        (shop.user("cashier", None), shop.user("cashier", Some("P01")), shop.user("manager", None));
    let (cashier, manager) = (caller(&shop, &mine), caller(&shop, &boss));
    let missing = shop.auth.end_session_for(&cashier, boss.session.id).unwrap_err();
    assert!(matches!(&missing, Error::Denied(AuthDenied::RightMissing(right)) if right.as_str() == "sessionDelete"));
    shop.auth.end_session_for(&cashier, till.session.id).unwrap();
    assert_eq!(token_refused(authenticate(&shop.auth, &till)), TokenDenied::SessionOver);
    shop.auth.end_session_for(&manager, mine.session.id).unwrap();
    assert_eq!(token_refused(authenticate(&shop.auth, &mine)), TokenDenied::SessionOver);
    assert_eq!(why(&shop, &mine), Some(EndReason::Admin));
    assert!(shop.auth.end_session_for(&manager, mine.session.id).is_ok(), "once more");
    assert_eq!(shop.audit_events(Action::SessionEnd).len(), 2);
}

#[test]
fn session_of_other_tenant_is_not_found() {
    let shop = Shop::open();
    let login = with_password(by_user("cashier@market.example", Some("P01")), "the market's password");
    let far = shop.auth.login(&login).unwrap();
    let admin = caller(&shop, &shop.user("admin", None));
    for id in [far.session.id, SessionId(Uuid::nil())] {
        assert_eq!(shop.auth.end_session_for(&admin, id).unwrap_err(), Error::Denied(AuthDenied::SessionNotFound));
    }
    assert!(authenticate(&shop.auth, &far).is_ok());
    let seen = shop.auth.list_sessions(&admin, &SessionFilter::default(), None, 200).unwrap();
    assert!(seen.iter().all(|each| each.session.tenant == shop.world.tenant.id));
    let asked = SessionFilter { tenant: Some(shop.market.id), ..SessionFilter::default() };
    let seen = shop.auth.list_sessions(&admin, &asked, None, 200).unwrap();
    assert!(seen.iter().all(|each| each.session.tenant == shop.world.tenant.id), "whatever the filter says");
}

#[test]
fn session_list_shows_own_sessions_only() {
    let shop = Shop::open();
    let mut mine: Vec<_> = (0..5).map(|_| shop.user("cashier", None).session.id).collect();
    mine.sort_unstable();
    let (device, person) = (shop.device("OFFICE"), shop.user("manager", Some("OFFICE")));
    let seen = |granted: &IssuedTokens, filter: &SessionFilter| -> Vec<SessionId> {
        let seen = shop.auth.list_sessions(&caller(&shop, granted), filter, None, 200).unwrap();
        seen.into_iter().map(|each| each.session.id).collect()
    };
    let all = SessionFilter::default();
    let cashier = shop.user("cashier", None);
    let mut own = seen(&cashier, &all);
    own.retain(|id| *id != cashier.session.id);
    own.sort_unstable();
    assert_eq!(own, mine);
    assert_eq!(seen(&device, &all), [device.session.id]);
    assert!(seen(&person, &all).len() > 7, "by right everybody's");
    let others = SessionFilter { user: Some(shop.world.manager.id), ..SessionFilter::default() };
    assert!(seen(&cashier, &others).is_empty() && seen(&device, &others).is_empty());
}

#[test]
fn session_pages_neither_repeat_nor_skip() {
    let shop = Shop::open();
    for _ in 0..7 {
        shop.user("cashier", None);
        shop.user("manager", None);
    }
    for who in ["cashier", "manager"] {
        let caller = caller(&shop, &shop.user(who, None));
        let whole = shop.auth.list_sessions(&caller, &SessionFilter::default(), None, 200).unwrap();
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let part = shop.auth.list_sessions(&caller, &SessionFilter::default(), after, 3).unwrap();
            after = part.last().map(|each| each.session.id).or(after);
            let last = part.len() < 3;
            parts.extend(part);
            if last {
                break;
            }
        }
        assert_eq!(parts, whole, "{who}");
    }
}

#[test]
fn ending_all_sessions_of_one_leaves_others() {
    let shop = Shop::open();
    let (cashier, manager) = (shop.user("cashier", Some("P01")), shop.user("manager", Some("P02")));
    let own = shop.device("P01");
    assert!(shop.auth.end_user_sessions(shop.world.tenant.id, shop.world.cashier.id).unwrap());
    assert!(
        authenticate(&shop.auth, &cashier).is_err()
            && authenticate(&shop.auth, &manager).is_ok()
            && authenticate(&shop.auth, &own).is_ok()
    );
    let again = shop.user("cashier", Some("P01"));
    assert!(authenticate(&shop.auth, &again).is_ok());
    assert!(shop.auth.end_device_sessions(shop.world.tenant.id, shop.world.p01.id).unwrap());
    assert!(
        authenticate(&shop.auth, &again).is_err()
            && authenticate(&shop.auth, &own).is_err()
            && authenticate(&shop.auth, &manager).is_ok()
    );
    assert!(shop.auth.end_tenant_sessions(shop.world.tenant.id).unwrap());
    assert!(authenticate(&shop.auth, &manager).is_err());
    let nobody = tillgate_domain::UserId(Uuid::nil());
    assert!(!shop.auth.end_user_sessions(shop.world.tenant.id, nobody).unwrap());
    assert!(!shop.auth.end_session(SessionId(Uuid::nil())).unwrap());
}

#[test]
fn device_lock_and_new_password_end_their_sessions() {
    let shop = Shop::open();
    let (till, office) = (shop.user("cashier", Some("P01")), shop.user("cashier", None));
    let own = shop.device("P01");
    shop.lock(shop.world.p01.id);
    assert!(
        authenticate(&shop.auth, &till).is_err()
            && authenticate(&shop.auth, &own).is_err()
            && authenticate(&shop.auth, &office).is_ok()
    );
    assert_eq!(why(&shop, &till), Some(EndReason::Locked));
    shop.set_password(PrincipalId::User(shop.world.cashier.id), "another");
    assert_eq!(token_refused(authenticate(&shop.auth, &office)), TokenDenied::SessionOver);
    assert_eq!(why(&shop, &office), Some(EndReason::Password));
}
