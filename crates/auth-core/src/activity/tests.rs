use tillgate_domain::{KeyId, TenantId};
use uuid::Uuid;

use super::*;
use crate::{AuthenticationInfo, DialectName, Epochs, SessionKind, Terms};

const SESSION: SessionId = SessionId(Uuid::from_u128(1));
/// A wall clock that was right all along.
const STEADY: ClockConfidence = ClockConfidence { in_doubt: false, steady_for: Duration::MAX };

fn session(generation: i64, rotated_at: i64) -> Session {
    let (key, made) = (KeyId(Uuid::nil()), Instant::from_millis(0));
    Session {
        id: SESSION,
        tenant: TenantId(Uuid::nil()),
        kind: SessionKind::Person,
        user: None,
        device: None,
        parent: None,
        dialect: DialectName::new("native"),
        terms: Terms {
            access: Duration::ZERO,
            refresh: None,
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        },
        generation,
        key,
        previous_key: key,
        used_generation: 0,
        epochs: Epochs::default(),
        authentication: AuthenticationInfo { methods: "pwd".to_owned(), at: made },
        address: None,
        rotated_from: None,
        thumbprint: None,
        created_at: made,
        rotated_at: Some(Instant::from_millis(rotated_at)),
        last_used_at: None,
        expires_at: None,
        ended: None,
    }
}

fn used_as_known(uses: &ActivityTracker, generation: i64) -> i64 {
    uses.witness(&session(generation, 1), None, Duration::ZERO, STEADY).used_generation
}

#[test]
fn changed_database_server_resets_vouched_time() {
    let (uses, seconds) = (ActivityTracker::new(Duration::from_secs(10), DEFAULT_BYTES), Duration::from_secs);
    let up = |server: Option<i64>, now| {
        let at = Instant::from_millis(i64::try_from(now).unwrap() * 1000);
        let clock = server.map(|server| StoreClock { since_rotation: None, server, now: at });
        uses.witness(&session(1, 1), clock, seconds(now), STEADY).vouched_for
    };
    assert_eq!(up(None, 70), seconds(60), "a store without a clock: since the start");
    assert_eq!([up(Some(7), 100), up(Some(7), 130)], [seconds(0), seconds(30)], "since it was first asked");
    assert_eq!([up(Some(8), 140), up(Some(8), 150)], [seconds(0), seconds(10)], "another one");
    assert_eq!(up(Some(7), 160), seconds(0), "and back: nobody knows what came between");
    let just_believed = ClockConfidence { steady_for: seconds(3), ..STEADY };
    assert_eq!(uses.witness(&session(1, 1), None, seconds(170), just_believed).vouched_for, seconds(3));
}

#[test]
fn jumping_server_clock_resets_vouched_time() {
    let (uses, seconds) = (ActivityTracker::new(Duration::ZERO, DEFAULT_BYTES), Duration::from_secs);
    let up = |now: u64, off: i64| {
        let at = Instant::from_millis(i64::try_from(now).unwrap() * 1000 + off * 1000);
        let clock = StoreClock { since_rotation: None, server: 7, now: at };
        uses.witness(&session(1, 1), Some(clock), seconds(now), STEADY).vouched_for
    };
    assert_eq!([up(100, 0), up(700, 0)], [seconds(0), seconds(600)]);
    assert_eq!([up(710, 60), up(720, 110)], [seconds(610), seconds(620)], "small moves are followed");
    for off in [171, 7200] {
        assert_eq!([up(800, off), up(850, off)], [seconds(0), seconds(50)], "{off}");
    }
    assert_eq!(up(900, -3600), seconds(100), "it fell back, which makes nothing older");
    uses.watch(ServerTime { server: 7, now: Instant::from_millis(910_000) }, seconds(910));
    assert_eq!(up(920, -3600), seconds(10), "ahead and back between two refreshes");
}

fn used(generation: i64, at: i64) -> SessionUse {
    SessionUse { session: SESSION, generation, at: Instant::from_millis(at) }
}

#[test]
fn use_counts_from_recording_until_stored() {
    let uses = ActivityTracker::default();
    let seen = || used_as_known(&uses, 3);
    uses.record_use(used(3, 10));
    uses.record_use(used(2, 20));
    assert_eq!(seen(), 3);
    assert_eq!(uses.take_pending(), [used(3, 20)]);
    assert_eq!(seen(), 3, "while it is being written");
    assert_eq!(uses.take_pending(), [used(3, 20)], "a failed write is taken again");
    uses.mark_written(&[used(3, 20)]);
    assert_eq!(seen(), 0, "the store knows it");
    assert!(uses.take_pending().is_empty());
}

#[test]
fn use_recorded_during_write_is_kept() {
    let uses = ActivityTracker::default();
    uses.record_use(used(3, 10));
    let slow = uses.take_pending();
    uses.record_use(used(4, 20));
    assert_eq!(uses.take_pending(), [used(4, 20)]);
    uses.mark_written(&slow);
    assert_eq!(used_as_known(&uses, 4), 4);
    assert_eq!(uses.take_pending(), [used(4, 20)]);
}

#[test]
fn rotation_age_is_known_for_own_rotations_only() {
    let uses = ActivityTracker::default();
    let (at, overlap) = (Duration::from_secs(100), Duration::from_mins(2));
    uses.record_rotation(&session(5, 7), at, overlap);
    let later = Duration::from_secs(130);
    let witness = |session: &Session| {
        let witness = uses.witness(session, None, later, STEADY);
        (witness.since_rotation, witness.vouched_for)
    };
    let own = Duration::from_secs(30);
    assert_eq!(witness(&session(5, 7)), (Some(own), later));
    assert_eq!(witness(&session(6, 7)), (None, later), "another process has rotated it since");
    assert_eq!(witness(&session(5, 8)), (None, later), "another process has restarted the grace period");
    assert_eq!(witness(&session(5, 6)), (None, own), "the store went back, or a clock did: it is no older than that");
    assert!(uses.is_in_overlap(SESSION, later));
    assert!(!uses.is_in_overlap(SESSION, Duration::from_secs(220)));
}
