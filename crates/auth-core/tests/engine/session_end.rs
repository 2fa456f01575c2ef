//! The end of sessions: who may see and end which, and that the end takes effect immediately.

use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{AuthDenied, Caller, Error, IssuedTokens, TokenDenied};
use tillgate_domain::{Action, EndReason, KnownRight, PrincipalId, Rights, SessionId};
use uuid::Uuid;

use crate::fixture::{EngineFixture, authenticate, by_user, refresh, token_refused, with_password};

fn caller(fixture: &EngineFixture, granted: &IssuedTokens) -> Caller {
    authenticate(&fixture.auth, granted).unwrap()
}

fn why(fixture: &EngineFixture, granted: &IssuedTokens) -> Option<EndReason> {
    fixture.session(granted.session.id).ended.map(|(_, why)| why)
}

#[test]
fn logout_ends_one_session_from_next_request() {
    let fixture = EngineFixture::open();
    let (one, two) = (fixture.user("cashier", None), fixture.user("cashier", None));
    let logged_in = caller(&fixture, &one);
    fixture.auth.logout(&logged_in).unwrap();
    fixture.auth.logout(&logged_in).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &one)), TokenDenied::SessionOver);
    assert_eq!(token_refused(refresh(&fixture.auth, &one)), TokenDenied::SessionOver);
    assert!(authenticate(&fixture.auth, &two).is_ok());
    assert_eq!((why(&fixture, &one), fixture.audit_events(Action::Logout).len()), (Some(EndReason::Logout), 1));
}

#[test]
fn own_sessions_can_be_ended_and_others_require_right() {
    let fixture = EngineFixture::open();
    let (mine, till, boss) =
        (fixture.user("cashier", None), fixture.user("cashier", Some("P01")), fixture.user("manager", None));
    let (cashier, manager) = (caller(&fixture, &mine), caller(&fixture, &boss));
    let missing = fixture.auth.end_session_for(&cashier, boss.session.id).unwrap_err();
    assert!(
        matches!(&missing, Error::Denied(AuthDenied::RightMissing(missing)) if missing.0.as_str() == "sessionDelete")
    );
    fixture.auth.end_session_for(&cashier, till.session.id).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &till)), TokenDenied::SessionOver);
    fixture.auth.end_session_for(&manager, mine.session.id).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &mine)), TokenDenied::SessionOver);
    assert_eq!(why(&fixture, &mine), Some(EndReason::Admin));
    assert!(fixture.auth.end_session_for(&manager, mine.session.id).is_ok(), "once more");
    assert_eq!(fixture.audit_events(Action::SessionEnd).len(), 2);
}

#[test]
fn session_of_other_tenant_is_not_found() {
    let fixture = EngineFixture::open();
    let login = with_password(by_user("cashier@market.example", Some("P01")), "the market's password");
    let far = fixture.auth.login(&login).unwrap();
    let admin = caller(&fixture, &fixture.user("admin", None));
    for id in [far.session.id, SessionId(Uuid::nil())] {
        assert_eq!(fixture.auth.end_session_for(&admin, id).unwrap_err(), Error::Denied(AuthDenied::SessionNotFound));
    }
    assert!(authenticate(&fixture.auth, &far).is_ok());
    let seen = fixture.auth.list_sessions(&admin, &SessionFilter::default(), None, 200).unwrap();
    assert!(seen.iter().all(|each| each.session.tenant == fixture.records.tenant.id));
    let asked = SessionFilter { tenant: Some(fixture.market.tenant.id), ..SessionFilter::default() };
    let seen = fixture.auth.list_sessions(&admin, &asked, None, 200).unwrap();
    assert!(seen.iter().all(|each| each.session.tenant == fixture.records.tenant.id), "whatever the filter says");
}

#[test]
fn session_list_shows_own_sessions_only() {
    let fixture = EngineFixture::open();
    let mut mine: Vec<_> = (0..5).map(|_| fixture.user("cashier", None).session.id).collect();
    mine.sort_unstable();
    let (device, person) = (fixture.device("OFFICE"), fixture.user("manager", Some("OFFICE")));
    let seen = |granted: &IssuedTokens, filter: &SessionFilter| -> Vec<SessionId> {
        let seen = fixture.auth.list_sessions(&caller(&fixture, granted), filter, None, 200).unwrap();
        seen.into_iter().map(|each| each.session.id).collect()
    };
    let all = SessionFilter::default();
    let cashier = fixture.user("cashier", None);
    let mut own = seen(&cashier, &all);
    own.retain(|id| *id != cashier.session.id);
    own.sort_unstable();
    assert_eq!(own, mine);
    assert_eq!(seen(&device, &all), [device.session.id]);
    assert!(seen(&person, &all).len() > 7, "by right everybody's");
    let others = SessionFilter { user: Some(fixture.records.user("manager").id), ..SessionFilter::default() };
    assert!(seen(&cashier, &others).is_empty() && seen(&device, &others).is_empty());
}

#[test]
fn right_to_see_sessions_of_others_does_not_end_them() {
    let fixture = EngineFixture::open();
    let boss = fixture.user("admin", None);
    let mut viewer = caller(&fixture, &fixture.user("cashier", None));
    let see = |viewer: &Caller| fixture.auth.find_session(viewer, boss.session.id);
    let missing = |error: Error| match error {
        Error::Denied(AuthDenied::RightMissing(missing)) => missing.0.to_string(),
        other => panic!("{other}"),
    };
    assert_eq!(missing(see(&viewer).unwrap_err()), "sessionRead");
    let mut profile = (*viewer.profile).clone();
    profile.rights = Rights::of(&[KnownRight::SessionRead]);
    viewer.profile = profile.into();
    assert_eq!(see(&viewer).unwrap().session.id, boss.session.id);
    assert_eq!(fixture.auth.list_sessions(&viewer, &SessionFilter::default(), None, 200).unwrap().len(), 2);
    assert_eq!(missing(fixture.auth.end_session_for(&viewer, boss.session.id).unwrap_err()), "sessionDelete");
    assert!(authenticate(&fixture.auth, &boss).is_ok());
}

#[test]
fn session_pages_neither_repeat_nor_skip() {
    let fixture = EngineFixture::open();
    for _ in 0..7 {
        fixture.user("cashier", None);
        fixture.user("manager", None);
    }
    for who in ["cashier", "manager"] {
        let caller = caller(&fixture, &fixture.user(who, None));
        let whole = fixture.auth.list_sessions(&caller, &SessionFilter::default(), None, 200).unwrap();
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let part = fixture.auth.list_sessions(&caller, &SessionFilter::default(), after, 3).unwrap();
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
    let fixture = EngineFixture::open();
    let (cashier, manager) = (fixture.user("cashier", Some("P01")), fixture.user("manager", Some("P02")));
    let own = fixture.device("P01");
    assert!(fixture.auth.end_user_sessions(fixture.records.tenant.id, fixture.records.user("cashier").id).unwrap());
    assert!(
        authenticate(&fixture.auth, &cashier).is_err()
            && authenticate(&fixture.auth, &manager).is_ok()
            && authenticate(&fixture.auth, &own).is_ok()
    );
    let again = fixture.user("cashier", Some("P01"));
    assert!(authenticate(&fixture.auth, &again).is_ok());
    assert!(fixture.auth.end_device_sessions(fixture.records.tenant.id, fixture.records.device("P01").id).unwrap());
    assert!(
        authenticate(&fixture.auth, &again).is_err()
            && authenticate(&fixture.auth, &own).is_err()
            && authenticate(&fixture.auth, &manager).is_ok()
    );
    assert!(fixture.auth.end_tenant_sessions(fixture.records.tenant.id).unwrap());
    assert!(authenticate(&fixture.auth, &manager).is_err());
    let nobody = tillgate_domain::UserId(Uuid::nil());
    assert!(!fixture.auth.end_user_sessions(fixture.records.tenant.id, nobody).unwrap());
    assert!(!fixture.auth.end_session(SessionId(Uuid::nil())).unwrap());
}

#[test]
fn device_lock_and_new_password_end_their_sessions() {
    let fixture = EngineFixture::open();
    let (till, office) = (fixture.user("cashier", Some("P01")), fixture.user("cashier", None));
    let own = fixture.device("P01");
    fixture.lock(fixture.records.device("P01").id);
    assert!(
        authenticate(&fixture.auth, &till).is_err()
            && authenticate(&fixture.auth, &own).is_err()
            && authenticate(&fixture.auth, &office).is_ok()
    );
    assert_eq!(why(&fixture, &till), Some(EndReason::Locked));
    fixture.set_password(PrincipalId::User(fixture.records.user("cashier").id), "another");
    assert_eq!(token_refused(authenticate(&fixture.auth, &office)), TokenDenied::SessionOver);
    assert_eq!(why(&fixture, &office), Some(EndReason::Password));
}
