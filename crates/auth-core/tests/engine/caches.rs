//! Caches with small limits: whatever the limits are, an ended session is rejected, a live one is
//! accepted, and rights are current.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tillgate_auth_core::{Auth, AuthSettings, CacheLimits, Error, IssuedTokens, TokenDenied};
use tillgate_domain::{Assignment, SessionId, UserId};
use tillgate_test_store::TestStore;

use crate::costly_property::check_costly;
use crate::fixture::{
    EngineFixture, assign, authenticate, builder, by_user, native, presented, refresh, settings, token_refused,
};

/// An event of a history: what happens, to which user or session, in which of two processes.
#[derive(Clone, Copy, Debug)]
enum CacheStep {
    Login(usize),
    Refresh(usize),
    Use(usize),
    End(usize),
    EndUser(usize),
    Assign(usize, bool),
}

fn step() -> impl Strategy<Value = (CacheStep, bool)> {
    let which = 0..64usize;
    let step = prop_oneof![
        4 => which.clone().prop_map(CacheStep::Login),
        2 => which.clone().prop_map(CacheStep::Refresh),
        8 => which.clone().prop_map(CacheStep::Use),
        4 => which.clone().prop_map(CacheStep::End),
        1 => which.clone().prop_map(CacheStep::EndUser),
        2 => (which, any::<bool>()).prop_map(|(which, rank)| CacheStep::Assign(which, rank)),
    ];
    (step, any::<bool>())
}

/// Limits that are either far too small or large enough.
fn limits() -> impl Strategy<Value = CacheLimits> {
    let bytes = || prop_oneof![Just(1u64), Just(400), Just(2_000), Just(100_000)];
    (bytes(), bytes(), bytes(), bytes(), bytes()).prop_map(|(tokens, profiles, sessions, revocations, activity)| {
        CacheLimits {
            tokens,
            profiles,
            sessions,
            revocations,
            activity,
            first_uses: 1,
            api_keys: 1,
            denials: 1,
            proofs: 1,
        }
    })
}

const NAMES: [&str; 2] = ["cashier", "manager"];

/// The issued tokens, and whether their session has ended.
struct GrantedSession {
    granted: IssuedTokens,
    user: usize,
}

/// Two processes over one store, and the expected state.
struct Model {
    fixture: EngineFixture,
    other: (Arc<TestStore>, Arc<Auth>),
    users: [UserId; 2],
    made: Vec<GrantedSession>,
    /// Whether a session has ended.
    over: BTreeMap<SessionId, bool>,
    roles: [&'static str; 2],
}

impl Model {
    fn of(caches: CacheLimits) -> Self {
        let settings = AuthSettings { caches, ..settings() };
        let fixture = EngineFixture::with(settings.clone());
        let store = Arc::new(fixture.store.share_with_process());
        let engine = builder(store.clone(), &fixture.clock, &fixture.hasher).settings(settings);
        let engine = engine.master(fixture.master.clone()).build().unwrap();
        let users = [fixture.records.user("cashier").id, fixture.records.user("manager").id];
        Self { fixture, other: (store, engine), users, made: Vec::new(), over: BTreeMap::new(), roles: NAMES }
    }

    /// A process that knows everything that both have done so far.
    fn process(&self, other: bool) -> &Auth {
        let process = if other { &self.other.1 } else { &self.fixture.auth };
        process.poll_feed().unwrap();
        process
    }

    fn apply(&mut self, step: CacheStep, other: bool) {
        let which = |which: usize| (!self.made.is_empty()).then(|| which % self.made.len());
        match step {
            CacheStep::Login(user) => {
                let user = user % 2;
                let granted = self.process(other).login(&by_user(NAMES[user], None)).unwrap();
                self.over.insert(granted.session.id, false);
                self.made.push(GrantedSession { granted, user });
            }
            CacheStep::Refresh(at) => {
                let Some(at) = which(at) else { return };
                let result = refresh(self.process(other), &self.made[at].granted);
                let (session, user) = (self.made[at].granted.session.id, self.made[at].user);
                // A refresh token with two successors ends the session, as it should.
                let over = self.over[&session];
                match result {
                    Ok(granted) => {
                        assert!(!over, "an ended session was refreshed");
                        self.made.push(GrantedSession { granted, user });
                    }
                    Err(Error::Denied(_)) => {
                        self.over.insert(session, true);
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
            CacheStep::Use(at) => {
                if let Some(at) = which(at) {
                    self.check(at, other);
                }
            }
            CacheStep::End(at) => {
                let Some(at) = which(at) else { return };
                let session = self.made[at].granted.session.id;
                self.process(other).end_session(session).unwrap();
                self.over.insert(session, true);
            }
            CacheStep::EndUser(user) => {
                let user = user % 2;
                self.process(other).end_user_sessions(self.fixture.records.tenant.id, self.users[user]).unwrap();
                for made in self.made.iter().filter(|made| made.user == user) {
                    self.over.insert(made.granted.session.id, true);
                }
            }
            CacheStep::Assign(user, manager) => {
                let user = user % 2;
                self.roles[user] = NAMES[usize::from(manager)];
                let office = if other { &self.other.0 } else { &self.fixture.store };
                assign(&**office, &self.fixture.records, self.users[user], &[self.roles[user]]);
            }
        }
    }

    /// Checks whether a token is accepted, and with which rights.
    fn check(&self, at: usize, other: bool) {
        let (process, made) = (self.process(other), &self.made[at]);
        let over = self.over[&made.granted.session.id];
        let native = native();
        let remembered = process.authenticate_cached(&presented(made.granted.access_token.expose(), &native));
        if let Some(Ok(_)) = remembered {
            assert!(!over, "memory lets in whose session has ended");
        }
        if over {
            assert_eq!(token_refused(authenticate(process, &made.granted)), TokenDenied::SessionOver);
        } else {
            let caller = authenticate(process, &made.granted).unwrap();
            assert_eq!(caller.profile.roles, [self.roles[made.user]], "the rights of now");
        }
    }
}

#[test]
fn cache_limits_never_revive_or_end_sessions() {
    check_costly(&(limits(), proptest::collection::vec(step(), 1..160)), |(limits, steps)| {
        let mut model = Model::of(limits);
        for (step, other) in steps {
            model.apply(step, other);
        }
        for at in 0..model.made.len() {
            model.check(at, false);
            model.check(at, true);
        }
        Ok(())
    });
}

#[test]
fn profiles_share_their_tenant_and_have_no_assignments() {
    let fixture = EngineFixture::open();
    let [one, other] = [("cashier", Some("P01")), ("manager", None)].map(|(name, device)| {
        let granted = fixture.user(name, device);
        authenticate(&fixture.auth, &granted).unwrap().profile
    });
    assert!(Arc::ptr_eq(&one.tenant, &other.tenant));
    for profile in [one, other] {
        assert_eq!(profile.user.as_ref().unwrap().assignment, Assignment::default());
        assert!(profile.may_log_in && !profile.roles.is_empty());
    }
}

#[test]
fn overfilled_cache_stays_within_limit() {
    let caches = CacheLimits {
        tokens: 20_000,
        profiles: 20_000,
        sessions: 20_000,
        revocations: 8_000,
        activity: 8_000,
        ..CacheLimits::default()
    };
    let fixture = EngineFixture::with(AuthSettings { caches, ..settings() });
    let first = fixture.user("manager", None);
    for _ in 0..400 {
        let granted = refresh(&fixture.auth, &fixture.user("cashier", None)).unwrap();
        authenticate(&fixture.auth, &granted).unwrap();
        fixture.auth.end_session(granted.session.id).unwrap();
        assert_eq!(token_refused(authenticate(&fixture.auth, &granted)), TokenDenied::SessionOver);
    }
    for usage in fixture.auth.cache_usage() {
        assert!(usage.bytes <= usage.limit, "{usage:?}");
    }
    let held = |name| fixture.auth.cache_usage().into_iter().find(|usage| usage.name == name).unwrap().bytes;
    for name in ["tokens", "sessions", "revocations", "activity"] {
        assert!(held(name) > 1_000, "{name} holds {} bytes", held(name));
    }
    assert!(authenticate(&fixture.auth, &first).is_ok(), "earlier sessions stay valid");
}
