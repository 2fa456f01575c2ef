//! Refresh: each row of the judge's table, through the engine.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tillgate_auth_core::{
    Auth, AuthPorts, AuthStore, DialectName, GrantKind, IssuedTokens, RefreshRequest, TokenDenied,
};
use tillgate_domain::change::Observer;
use tillgate_domain::{
    Action, Change, EndReason, Epoch, KnownRight, PrincipalId, Scope, Store, StoreExt, StoreResult, UnitOfWork, Work,
};
use tillgate_test_store::TestStore;

use crate::fixture::{
    EngineFixture, HOUR, OVERLAP, authenticate, by_user, native, refresh, refreshing, token, token_refused, unavailable,
};

const MOMENT: Duration = Duration::from_millis(1);

/// The tokens of a login and of one refresh after an hour; the second ones were used.
fn login_and_refresh(fixture: &EngineFixture) -> (IssuedTokens, IssuedTokens) {
    let first = fixture.user("cashier", Some("P01"));
    authenticate(&fixture.auth, &first).unwrap();
    fixture.clock.advance(10 * crate::fixture::MINUTE);
    let second = refresh(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    (first, second)
}

fn generations(auth: &Auth, presented: &IssuedTokens) -> (GrantKind, i64) {
    let granted = refresh(auth, presented).unwrap();
    (granted.kind, granted.session.generation)
}

#[test]
fn unrotated_session_rotates_at_first_refresh() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    assert_eq!(generations(&fixture.auth, &first), (GrantKind::Rotated, 2));
    assert_eq!(fixture.session(first.session.id).generation, 2);
}

#[test]
fn newest_refresh_token_rotates_once_per_overlap() {
    let fixture = EngineFixture::open();
    let (_, second) = login_and_refresh(&fixture);
    for _ in 0..3 {
        fixture.clock.advance(OVERLAP / 4);
        let again = refresh(&fixture.auth, &second).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&second)), "the very same");
        assert_ne!(again.access_token, second.access_token, "with an access token of now");
        assert!(again.access_expires_at > second.access_expires_at);
        assert!(authenticate(&fixture.auth, &again).is_ok());
    }
    let written = fixture.session(second.session.id);
    assert_eq!(written, second.session, "nothing is written");
    fixture.clock.advance(OVERLAP / 4);
    assert_eq!(generations(&fixture.auth, &second), (GrantKind::Rotated, 3));
}

#[test]
fn previous_refresh_token_within_overlap_returns_same_successor() {
    let fixture = EngineFixture::open();
    let (first, second) = login_and_refresh(&fixture);
    fixture.clock.advance(OVERLAP - MOMENT);
    let again = refresh(&fixture.auth, &first).unwrap();
    assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&second)));
}

#[test]
fn previous_refresh_token_returns_same_successor_while_newest_is_unused() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    let lost = refresh(&fixture.auth, &first).unwrap();
    for _ in 0..5 {
        fixture.clock.advance(HOUR);
        let again = refresh(&fixture.auth, &first).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&lost)), "a lost response is not a theft");
    }
    let found = refresh(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &found).unwrap();
    assert_eq!(refresh(&fixture.auth, &first).unwrap().kind, GrantKind::Repeated, "it was handed out a moment ago");
    fixture.clock.advance(OVERLAP);
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::Replay, "now it is");
}

#[test]
fn repeated_response_restarts_overlap_in_every_process() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let first = fixture.user("cashier", Some("P01"));
    refresh(&fixture.auth, &first).unwrap();
    fixture.clock.advance(HOUR);
    let found = refresh(&other, &first).unwrap();
    authenticate(&other, &found).unwrap();
    assert_eq!(found.session_expires_at, fixture.session(first.session.id).expires_at, "it lengthens nothing");
    for auth in [&fixture.auth, &other] {
        let again = refresh(auth, &found).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&found)), "it does not move on");
        assert_eq!(refresh(auth, &first).unwrap().kind, GrantKind::Repeated, "while a late request may be on its way");
    }
    fixture.clock.advance(OVERLAP);
    assert_eq!(generations(&other, &found), (GrantKind::Rotated, 3));
}

#[test]
fn concurrent_refreshes_within_overlap_write_nothing() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    refresh(&fixture.auth, &first).unwrap();
    let before = fixture.session(first.session.id);
    fixture.clock.advance(OVERLAP / 4 - MOMENT);
    refresh(&fixture.auth, &first).unwrap();
    refresh(&fixture.process(), &first).unwrap();
    assert_eq!(fixture.session(first.session.id), before);
    fixture.clock.advance(MOMENT);
    refresh(&fixture.auth, &first).unwrap();
    assert_eq!(fixture.session(first.session.id).rotated_at, Some(fixture.auth.time().at), "a retry does");
}

#[test]
fn known_ended_session_stays_ended_after_store_rollback() {
    let fixture = EngineFixture::open();
    let (one, two) = (fixture.user("cashier", Some("P01")), fixture.user("manager", None));
    let store = Arc::new(fixture.store.share_with_process());
    let observed = Arc::new(ObservedStore { store, observer: Mutex::default() });
    let auth = fixture.process_over(observed.clone());
    assert!(refresh(&auth, &one).is_ok() && refresh(&auth, &two).is_ok());
    let scope = Scope::User(fixture.records.user("manager").id);
    let gone = [Change::SessionEnded(one.session.id), Change::EpochBumped { scope, epoch: Epoch(1) }];
    observed.observer.lock().unwrap().clone().unwrap().on_commit(&gone);
    for granted in [&one, &two] {
        assert_eq!(token_refused(refresh(&auth, granted)), TokenDenied::SessionOver);
        assert_eq!(token_refused(authenticate(&auth, granted)), TokenDenied::SessionOver);
    }
}

/// A store that keeps its observer for the test.
pub(crate) struct ObservedStore {
    pub(crate) store: Arc<TestStore>,
    pub(crate) observer: Mutex<Option<Arc<dyn Observer>>>,
}

impl Store<AuthPorts> for ObservedStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        Store::<AuthPorts>::run(&*self.store, unit, work)
    }
}

impl AuthStore for ObservedStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        *self.observer.lock().unwrap() = Some(observer);
    }
}

#[test]
fn replayed_refresh_token_ends_session_and_is_audited() {
    let fixture = EngineFixture::open();
    let (first, second) = login_and_refresh(&fixture);
    fixture.clock.advance(OVERLAP);
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::Replay);
    assert_eq!(fixture.session(first.session.id).ended.map(|(_, why)| why), Some(EndReason::Replay));
    assert_eq!(token_refused(authenticate(&fixture.auth, &second)), TokenDenied::SessionOver, "at once, for everybody");
    assert_eq!(token_refused(refresh(&fixture.auth, &second)), TokenDenied::SessionOver);
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::SessionOver, "a replay is reported once");
    let events = fixture.audit_events(Action::RefreshReplay);
    let [line] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (line.actor.session, line.actor.user),
        (Some(first.session.id), Some(fixture.records.user("cashier").id))
    );
    assert_eq!((line.details["generation"].as_i64(), line.details["presented"].as_i64()), (Some(2), Some(1)));
}

#[test]
fn token_two_generations_behind_is_replay_at_any_time() {
    let fixture = EngineFixture::open();
    let (first, second) = login_and_refresh(&fixture);
    fixture.clock.advance(OVERLAP);
    refresh(&fixture.auth, &second).unwrap();
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::Replay, "within the overlap, unused");
}

#[test]
fn token_ahead_of_rolled_back_store_rotates_and_is_audited() {
    let fixture = EngineFixture::open();
    let (first, second) = login_and_refresh(&fixture);
    fixture.clock.advance(OVERLAP);
    let third = refresh(&fixture.auth, &second).unwrap();
    // An older backup is restored.
    let was = &first.session;
    let back = tillgate_auth_core::ports::Rotation {
        generation: 1,
        key: was.key,
        previous_key: was.key,
        at: was.created_at,
        expires_at: was.expires_at,
        from: was.address,
        proved_at: None,
    };
    assert!(fixture.auth_store().write("test", |tx| tx.sessions().rotate(was.id, 3, &back)).unwrap());
    for auth in [fixture.auth.clone(), fixture.process()] {
        let ahead = refresh(&auth, &third).unwrap();
        assert_eq!((ahead.session.generation, token(&ahead)), (3, token(&third)), "the store catches up");
        assert!(authenticate(&auth, &ahead).is_ok());
    }
    let events = fixture.audit_events(Action::StoreRollback);
    assert_eq!(events.len(), 1, "the second refresh repeats: {events:?}");
}

#[test]
fn ended_session_is_denied_and_unchanged() {
    type End = fn(&EngineFixture, &IssuedTokens);
    let cases: [(&str, End, TokenDenied); 8] = [
        (
            "logout",
            |fixture, granted| fixture.auth.logout(&authenticate(&fixture.auth, granted).unwrap()).unwrap(),
            TokenDenied::SessionOver,
        ),
        (
            "ended",
            |fixture, granted| assert!(fixture.auth.end_session(granted.session.id).unwrap()),
            TokenDenied::SessionOver,
        ),
        (
            "the user's",
            |fixture, _| {
                drop(fixture.auth.end_user_sessions(fixture.records.tenant.id, fixture.records.user("cashier").id));
            },
            TokenDenied::SessionOver,
        ),
        (
            "the device's",
            |fixture, _| {
                drop(fixture.auth.end_device_sessions(fixture.records.tenant.id, fixture.records.device("P01").id));
            },
            TokenDenied::SessionOver,
        ),
        (
            "the tenant's",
            |fixture, _| drop(fixture.auth.end_tenant_sessions(fixture.records.tenant.id)),
            TokenDenied::SessionOver,
        ),
        ("suspended", |fixture, _| fixture.suspend(fixture.records.user("cashier").id), TokenDenied::SessionOver),
        (
            "password",
            |fixture, _| fixture.set_password(PrincipalId::User(fixture.records.user("cashier").id), "other"),
            TokenDenied::SessionOver,
        ),
        ("expired", |fixture, _| fixture.clock.advance(12 * HOUR), TokenDenied::Expired),
    ];
    for (what, end, expected) in cases {
        let fixture = EngineFixture::open();
        let (first, second) = login_and_refresh(&fixture);
        end(&fixture, &second);
        for presented in [&first, &second] {
            assert_eq!(token_refused(refresh(&fixture.auth, presented)), expected, "{what}");
        }
        assert!(fixture.audit_events(Action::RefreshReplay).is_empty(), "{what}: nobody is accused");
    }
}

#[test]
fn session_below_epoch_stays_ended_after_reactivation() {
    let fixture = EngineFixture::open();
    let (_, second) = login_and_refresh(&fixture);
    fixture.suspend(fixture.records.user("cashier").id);
    crate::fixture::status(
        fixture.office_store(),
        &fixture.records,
        fixture.records.user("cashier").id,
        tillgate_domain::UserStatus::Active,
    );
    assert_eq!(token_refused(refresh(&fixture.auth, &second)), TokenDenied::SessionOver);
    assert_eq!(token_refused(authenticate(&fixture.auth, &second)), TokenDenied::SessionOver);
    assert!(fixture.auth.login(&by_user("cashier", Some("P01"))).is_ok());
}

#[test]
fn refresh_with_other_device_dialect_tenant_or_access_token_is_denied() {
    let fixture = EngineFixture::open();
    let (_, second) = login_and_refresh(&fixture);
    let other = fixture.user("manager", Some("OFFICE"));
    let (native, portos) = (native(), DialectName::new("portos"));
    let base = refreshing(token(&second), &native);
    let refused = |refreshing: &RefreshRequest<'_>| token_refused(fixture.auth.refresh(refreshing));
    assert_eq!(
        refused(&RefreshRequest { device: Some(fixture.records.device("P02").id), ..base.clone() }),
        TokenDenied::SessionOver
    );
    assert_eq!(refused(&RefreshRequest { dialect: &portos, ..base.clone() }), TokenDenied::WrongAudience);
    assert_eq!(
        refused(&RefreshRequest { tenant: Some(fixture.market.tenant.id), ..base.clone() }),
        TokenDenied::WrongAudience
    );
    for beside in [other.access_token.expose().as_str(), token(&second), "", "x.y.z"] {
        assert_eq!(
            refused(&RefreshRequest { access_token: Some(beside), ..base.clone() }),
            TokenDenied::Invalid,
            "{beside}"
        );
    }
    let right = RefreshRequest {
        device: Some(fixture.records.device("P01").id),
        tenant: Some(fixture.records.tenant.id),
        access_token: Some(second.access_token.expose()),
        ..base
    };
    fixture.clock.advance(HOUR);
    assert!(fixture.auth.refresh(&right).is_ok(), "the one beside may have expired");
}

#[test]
fn swept_session_is_reported_as_over() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", None);
    fixture.clock.advance(60 * 24 * HOUR);
    assert!(fixture.auth.sweep(&mut |_| ()).unwrap().sessions > 0);
    assert_eq!(token_refused(refresh(&fixture.auth, &granted)), TokenDenied::SessionOver);
}

#[test]
fn refresh_returns_current_rights() {
    let fixture = EngineFixture::open();
    let first = fixture.user("manager", None);
    fixture.assign(fixture.records.user("manager").id, &["cashier"]);
    let second = refresh(&fixture.auth, &first).unwrap();
    assert!(!second.profile.rights.allows(KnownRight::Storno));
}

#[test]
fn store_failure_is_not_a_denial() {
    let fixture = EngineFixture::open();
    let (first, _) = login_and_refresh(&fixture);
    fixture.store.set_instance_state(tillgate_auth_core::ports::InstanceState::Draining);
    fixture.clock.advance(OVERLAP);
    assert!(unavailable(refresh(&fixture.auth, &first)), "a replay that cannot be written is not told");
    fixture.store.set_instance_state(tillgate_auth_core::ports::InstanceState::Open);
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::Replay);
}
