//! Login: which session is created, and what it contains.

use tillgate_auth_core::{GrantKind, LoginRequest, SessionKind, Tenancy};
use tillgate_domain::{Action, EndReason, EventOutcome, KnownRight, PrincipalId, Slug};

use crate::fixture::{EngineFixture, authenticate, by_user, token_refused, with_password};

#[test]
fn user_logs_in_by_name_or_email_on_device_or_in_office() {
    let fixture = EngineFixture::open();
    for (login, device) in [
        ("manager", None),
        ("manager", Some("OFFICE")),
        ("  MANAGER ", Some("office")),
        ("manager@example.com", None),
        ("Manager@Example.com", Some("P01")),
    ] {
        let given = with_password(by_user(login, device), "the password of manager");
        let granted = fixture.auth.login(&given).unwrap_or_else(|error| panic!("{login} {device:?}: {error}"));
        let session = &granted.session;
        assert_eq!(session.user, Some(fixture.records.user("manager").id));
        assert_eq!(session.device.is_some(), device.is_some());
        assert_eq!((session.kind, session.generation, granted.kind), (SessionKind::Person, 1, GrantKind::Login));
        assert_eq!(fixture.session(session.id), *session, "what is granted is what is stored");
        let caller = authenticate(&fixture.auth, &granted).unwrap();
        assert_eq!(caller.principal, PrincipalId::User(fixture.records.user("manager").id));
        let context = caller.session_context().unwrap();
        assert_eq!((context.id, caller.device, context.generation), (session.id, session.device, 1));
        assert!(
            caller.profile.rights.allows(KnownRight::Storno) && !caller.profile.rights.allows(KnownRight::RoleCreate)
        );
        let events = fixture.audit_events(Action::Login);
        let last = events.last().unwrap();
        assert_eq!((last.outcome, last.actor.session), (EventOutcome::Done, Some(session.id)));
    }
}

#[test]
fn rights_depend_on_device() {
    let fixture = EngineFixture::open();
    let admin = fixture.records.user("admin").id;
    fixture.assign(admin, &["cashier"]);
    assert!(
        !authenticate(&fixture.auth, &fixture.user("admin", None)).unwrap().profile.rights.allows(KnownRight::Storno),
        "in the office"
    );
    assert!(
        authenticate(&fixture.auth, &fixture.user("admin", Some("P01")))
            .unwrap()
            .profile
            .rights
            .allows(KnownRight::Storno),
        "on the till"
    );
}

#[test]
fn device_logs_in_as_itself() {
    let fixture = EngineFixture::open();
    let granted = fixture.device("P01");
    assert_eq!((granted.session.kind, granted.session.user), (SessionKind::Device, None));
    let caller = authenticate(&fixture.auth, &granted).unwrap();
    assert_eq!(caller.principal, PrincipalId::Device(fixture.records.device("P01").id));
    let kind = caller.session_context().unwrap().kind;
    assert_eq!((kind, caller.device), (SessionKind::Device, Some(fixture.records.device("P01").id)));
    assert!(caller.profile.rights.allows(KnownRight::TicketClose) && !caller.profile.rights.allows(KnownRight::Storno));
}

#[test]
fn email_finds_its_tenant_and_name_requires_one() {
    let fixture = EngineFixture::open();
    let market = |login: &str, tenancy: Tenancy| LoginRequest {
        tenancy,
        ..with_password(by_user(login, Some("P01")), "the market's password")
    };
    let asked = |slug: &str| Tenancy { fixed: None, requested: Some(slug.to_owned()) };
    let fixed = |slug: &str, asked: Option<&str>| Tenancy {
        fixed: Slug::parse(slug).ok(),
        requested: asked.map(str::to_owned),
    };
    for (login, tenancy) in [
        ("cashier@market.example", Tenancy::default()),
        ("cashier@market.example", asked("market")),
        ("cashier@market.example", fixed("market", None)),
        ("cashier", asked("market")),
        ("cashier", fixed("market", None)),
        ("cashier", fixed("market", Some("market"))),
    ] {
        let granted = fixture.auth.login(&market(login, tenancy.clone())).unwrap_or_else(|error| {
            panic!("{login} {tenancy:?}: {error}");
        });
        assert_eq!(granted.session.tenant, fixture.market.tenant.id);
    }
}

#[test]
fn sale_device_has_one_user_session_at_a_time() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    let elsewhere = fixture.user("cashier", Some("P02"));
    let second = fixture.user("manager", Some("P01"));
    assert_eq!(token_refused(authenticate(&fixture.auth, &first)), tillgate_auth_core::TokenDenied::SessionOver);
    assert_eq!(fixture.session(first.session.id).ended.map(|(_, why)| why), Some(EndReason::Replaced));
    assert!(authenticate(&fixture.auth, &second).is_ok() && authenticate(&fixture.auth, &elsewhere).is_ok());
    let replaced = fixture.audit_events(Action::Login).last().unwrap().details.get("replaced").cloned();
    assert_eq!(replaced, Some(first.session.id.to_string().into()), "the audit says whom");
    let again = fixture.user("manager", Some("P01"));
    assert!(
        authenticate(&fixture.auth, &second).is_err() && authenticate(&fixture.auth, &again).is_ok(),
        "one's own too"
    );
}

#[test]
fn office_program_allows_many_sessions() {
    let fixture = EngineFixture::open();
    let (one, two) = (fixture.user("cashier", Some("OFFICE")), fixture.user("cashier", Some("OFFICE")));
    assert!(authenticate(&fixture.auth, &one).is_ok() && authenticate(&fixture.auth, &two).is_ok());
}

#[test]
fn device_session_takes_no_seat() {
    let fixture = EngineFixture::open();
    let before = fixture.device("P01");
    let person = fixture.user("cashier", Some("P01"));
    let after = fixture.device("P01");
    for granted in [&before, &person, &after] {
        assert!(authenticate(&fixture.auth, granted).is_ok());
    }
}
