//! Ending: whose sessions somebody sees and ends, and that the end holds at once.

use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Caller, Error, Granted, Refusal, TokenRefusal};
use tillgate_domain::{Action, EndedWhy, PrincipalId, SessionId};
use uuid::Uuid;

use crate::shop::{Shop, by_user, refreshed, token_refused, used, with_password};

fn caller(shop: &Shop, granted: &Granted) -> Caller {
    used(&shop.auth, granted).unwrap()
}

fn why(shop: &Shop, granted: &Granted) -> Option<EndedWhy> {
    shop.session(granted.session.id).ended.map(|(_, why)| why)
}

#[test]
fn a_logout_holds_from_the_next_request_and_ends_one_session() {
    let shop = Shop::open();
    let (one, two) = (shop.user("cashier", None), shop.user("cashier", None));
    let logged_in = caller(&shop, &one);
    shop.auth.logout(&logged_in).unwrap();
    shop.auth.logout(&logged_in).unwrap();
    assert_eq!(token_refused(used(&shop.auth, &one)), TokenRefusal::Over);
    assert_eq!(token_refused(refreshed(&shop.auth, &one)), TokenRefusal::Over);
    assert!(used(&shop.auth, &two).is_ok());
    assert_eq!((why(&shop, &one), shop.told(Action::Logout).len()), (Some(EndedWhy::Logout), 1));
}

#[test]
fn ones_own_sessions_are_ended_always_and_others_by_right() {
    let shop = Shop::open();
    let (mine, till, boss) =
        (shop.user("cashier", None), shop.user("cashier", Some("P01")), shop.user("manager", None));
    let (cashier, manager) = (caller(&shop, &mine), caller(&shop, &boss));
    let missing = shop.auth.end(&cashier, boss.session.id).unwrap_err();
    assert!(matches!(&missing, Error::Refused(Refusal::Missing(right)) if right.as_str() == "sessionDelete"));
    shop.auth.end(&cashier, till.session.id).unwrap();
    assert_eq!(token_refused(used(&shop.auth, &till)), TokenRefusal::Over);
    shop.auth.end(&manager, mine.session.id).unwrap();
    assert_eq!(token_refused(used(&shop.auth, &mine)), TokenRefusal::Over);
    assert_eq!(why(&shop, &mine), Some(EndedWhy::Admin));
    assert!(shop.auth.end(&manager, mine.session.id).is_ok(), "once more");
    assert_eq!(shop.told(Action::SessionEnd).len(), 2);
}

#[test]
fn another_tenants_session_is_none() {
    let shop = Shop::open();
    let login = with_password(by_user("cashier@market.example", Some("P01")), "the market's password");
    let far = shop.auth.login(&login).unwrap();
    let admin = caller(&shop, &shop.user("admin", None));
    for id in [far.session.id, SessionId(Uuid::nil())] {
        assert_eq!(shop.auth.end(&admin, id).unwrap_err(), Error::Refused(Refusal::NoSession));
    }
    assert!(used(&shop.auth, &far).is_ok());
    let seen = shop.auth.sessions(&admin, &SessionFilter::default(), None, 200).unwrap();
    assert!(seen.iter().all(|each| each.session.tenant == shop.world.tenant.id));
    let asked = SessionFilter { tenant: Some(shop.market.id), ..SessionFilter::default() };
    let seen = shop.auth.sessions(&admin, &asked, None, 200).unwrap();
    assert!(seen.iter().all(|each| each.session.tenant == shop.world.tenant.id), "whatever the filter says");
}

#[test]
fn one_sees_ones_own_and_a_device_does_not_see_who_works_on_it() {
    let shop = Shop::open();
    let mut mine: Vec<_> = (0..5).map(|_| shop.user("cashier", None).session.id).collect();
    mine.sort_unstable();
    let (device, person) = (shop.device("OFFICE"), shop.user("manager", Some("OFFICE")));
    let seen = |granted: &Granted, filter: &SessionFilter| -> Vec<SessionId> {
        let seen = shop.auth.sessions(&caller(&shop, granted), filter, None, 200).unwrap();
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
fn a_list_comes_in_parts_that_neither_repeat_nor_pass_over() {
    let shop = Shop::open();
    for _ in 0..7 {
        shop.user("cashier", None);
        shop.user("manager", None);
    }
    for who in ["cashier", "manager"] {
        let caller = caller(&shop, &shop.user(who, None));
        let whole = shop.auth.sessions(&caller, &SessionFilter::default(), None, 200).unwrap();
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let part = shop.auth.sessions(&caller, &SessionFilter::default(), after, 3).unwrap();
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
fn ending_everything_of_one_leaves_the_others() {
    let shop = Shop::open();
    let (cashier, manager) = (shop.user("cashier", Some("P01")), shop.user("manager", Some("P02")));
    let own = shop.device("P01");
    assert!(shop.auth.end_user(shop.world.tenant.id, shop.world.cashier.id).unwrap());
    assert!(
        used(&shop.auth, &cashier).is_err() && used(&shop.auth, &manager).is_ok() && used(&shop.auth, &own).is_ok()
    );
    let again = shop.user("cashier", Some("P01"));
    assert!(used(&shop.auth, &again).is_ok());
    assert!(shop.auth.end_device(shop.world.tenant.id, shop.world.p01.id).unwrap());
    assert!(used(&shop.auth, &again).is_err() && used(&shop.auth, &own).is_err() && used(&shop.auth, &manager).is_ok());
    assert!(shop.auth.end_tenant(shop.world.tenant.id).unwrap());
    assert!(used(&shop.auth, &manager).is_err());
    let nobody = tillgate_domain::UserId(Uuid::nil());
    assert!(!shop.auth.end_user(shop.world.tenant.id, nobody).unwrap());
    assert!(!shop.auth.end_session(SessionId(Uuid::nil())).unwrap());
}

#[test]
fn locking_a_device_and_a_new_password_end_what_they_should() {
    let shop = Shop::open();
    let (till, office) = (shop.user("cashier", Some("P01")), shop.user("cashier", None));
    let own = shop.device("P01");
    shop.lock(shop.world.p01.id);
    assert!(used(&shop.auth, &till).is_err() && used(&shop.auth, &own).is_err() && used(&shop.auth, &office).is_ok());
    assert_eq!(why(&shop, &till), Some(EndedWhy::Locked));
    shop.set_password(PrincipalId::User(shop.world.cashier.id), "another");
    assert_eq!(token_refused(used(&shop.auth, &office)), TokenRefusal::Over);
    assert_eq!(why(&shop, &office), Some(EndedWhy::Password));
}
