use std::time::Duration;

use tillgate_domain::{DeviceStatus, EndReason, Epoch, Instant, KeyId, SessionId, TenantId, UserId, UserStatus, Zone};
use uuid::Uuid;

use super::*;
use crate::{AuthenticationInfo, Epochs, RefreshTerms, Session, Terms};

const NOW: Instant = Instant::from_millis(1_800_000_000_000);
const OVERLAP: Duration = Duration::from_mins(2);

fn session_record(generation: i64, used: i64, rotated: Option<u64>) -> SessionRecord {
    let key = KeyId(Uuid::from_u128(1));
    let session = Session {
        id: SessionId(Uuid::from_u128(2)),
        tenant: TenantId(Uuid::from_u128(3)),
        kind: SessionKind::Person,
        user: Some(UserId(Uuid::from_u128(4))),
        device: Some(DeviceId(Uuid::from_u128(5))),
        parent: None,
        dialect: DialectName::new("native"),
        terms: Terms {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms {
                idle: Some(Duration::from_hours(12)),
                overlap: Some(OVERLAP),
                first_reusable: false,
            }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        },
        generation,
        key,
        previous_key: key,
        used_generation: used,
        epochs: Epochs::default(),
        authentication: AuthenticationInfo { methods: "pwd".to_owned(), at: NOW },
        address: None,
        rotated_from: None,
        thumbprint: None,
        created_at: NOW.saturating_sub(Duration::from_hours(1)),
        rotated_at: rotated.map(|ago| NOW.saturating_sub(Duration::from_secs(ago))),
        last_used_at: None,
        expires_at: Some(NOW.saturating_add(Duration::from_hours(11))),
        ended: None,
    };
    SessionRecord {
        session,
        epochs: Epochs::default(),
        user: Some(UserStatus::Active),
        device: Some(DeviceStatus::Active),
        zone: Zone::UTC,
        clock: None,
    }
}

/// A process that has been running for long and knows nothing else.
fn up() -> Witness {
    Witness { vouched_for: Duration::from_hours(1000), ..Witness::default() }
}

fn judge_with(record: &SessionRecord, presented: i64, witness: &Witness) -> Verdict {
    let dialect = DialectName::new("native");
    let presenter = Presenter { dialect: &dialect, device: None, thumbprint: None, keeps_token: false };
    judge(record, presented, &presenter, witness, NOW)
}

fn rotate(to: i64) -> Verdict {
    Verdict::Rotate { to, store_rolled_back: false }
}

#[test]
fn verdict_matches_every_row_of_the_table() {
    let none = up();
    let used = |generation| Witness { used_generation: generation, ..up() };
    for (what, record, presented, witness, expected) in [
        ("never rotated", session_record(1, 0, None), 1, none, rotate(2)),
        ("the overlap has passed", session_record(5, 5, Some(120)), 5, none, rotate(6)),
        ("within the overlap", session_record(5, 5, Some(119)), 5, none, Verdict::Repeat),
        ("one behind within the overlap, used", session_record(5, 5, Some(119)), 4, none, Verdict::Repeat),
        ("one behind soon, not used", session_record(5, 4, Some(29)), 4, none, Verdict::Repeat),
        ("one behind within the overlap, not used", session_record(5, 4, Some(30)), 4, none, Verdict::Renew),
        ("one behind after it, not used", session_record(5, 4, Some(9999)), 4, none, Verdict::Renew),
        ("one behind after it, used", session_record(5, 5, Some(120)), 4, none, Verdict::Replay),
        ("one behind after it, used as this process saw", session_record(5, 4, Some(120)), 4, used(5), Verdict::Replay),
        ("two behind, though within the overlap", session_record(5, 0, Some(1)), 3, none, Verdict::Replay),
        ("ahead", session_record(5, 5, Some(1)), 7, none, Verdict::Rotate { to: 7, store_rolled_back: true }),
    ] {
        assert_eq!(judge_with(&record, presented, &witness), expected, "{what}");
    }
}

#[test]
fn kept_first_token_is_reused_until_rotation() {
    let none = up();
    let dialect = DialectName::new("native");
    let [may, may_not] = [true, false].map(|first_reusable| {
        move |mut record: SessionRecord| {
            record.session.terms.refresh.as_mut().unwrap().first_reusable = first_reusable;
            record
        }
    });
    for (what, record, presented, keeps_token, expected) in [
        ("the first, kept", may(session_record(1, 0, None)), 1, true, Verdict::Reuse),
        ("the first, kept and used", may(session_record(1, 1, None)), 1, true, Verdict::Reuse),
        ("the first, not kept", may(session_record(1, 0, None)), 1, false, rotate(2)),
        ("terms that do not allow it", may_not(session_record(1, 0, None)), 1, true, rotate(2)),
        ("a later one, kept", may(session_record(2, 2, Some(120))), 2, true, rotate(3)),
        ("a later one, kept, within the overlap", may(session_record(2, 2, Some(119))), 2, true, Verdict::Repeat),
        ("followed, within the overlap", may(session_record(2, 2, Some(119))), 1, true, Verdict::Repeat),
        ("followed by one that is not used", may(session_record(2, 1, Some(120))), 1, true, Verdict::Renew),
        ("followed by one that is used", may(session_record(2, 2, Some(120))), 1, true, Verdict::Replay),
        ("followed by two", may(session_record(3, 2, Some(1))), 1, true, Verdict::Replay),
        ("ahead", may(session_record(1, 0, None)), 2, true, Verdict::Rotate { to: 2, store_rolled_back: true }),
    ] {
        let presenter = Presenter { dialect: &dialect, device: None, thumbprint: None, keeps_token };
        assert_eq!(judge(&record, presented, &presenter, &none, NOW), expected, "{what}");
    }
}

#[test]
fn unrotated_token_is_reused_by_any_presenter() {
    let dialect = DialectName::new("native");
    let mut record = session_record(1, 1, None);
    record.session.terms.refresh.as_mut().unwrap().overlap = None;
    for keeps_token in [true, false] {
        let presenter = Presenter { dialect: &dialect, device: None, thumbprint: None, keeps_token };
        assert_eq!(judge(&record, 1, &presenter, &up(), NOW), Verdict::Reuse);
    }
    record.session.expires_at = Some(NOW);
    assert_eq!(judge_with(&record, 1, &up()), Verdict::Deny(TokenDenied::Expired));
}

#[test]
fn monotonic_clock_decides_for_own_rotation() {
    let witness = |secs| Witness { used_generation: 5, since_rotation: Some(Duration::from_secs(secs)), ..up() };
    // The wall clock shows an hour, or was set back; the process has measured the time.
    assert_eq!(judge_with(&session_record(5, 5, Some(3600)), 5, &witness(10)), Verdict::Repeat);
    assert_eq!(judge_with(&session_record(5, 5, Some(0)), 5, &witness(121)), rotate(6));
    let doubtful = |secs| Witness { in_doubt: true, ..witness(secs) };
    assert_eq!(
        judge_with(&session_record(5, 5, Some(0)), 4, &doubtful(121)),
        Verdict::Replay,
        "whatever the wall clock says"
    );
    let just_started = Witness { vouched_for: Duration::ZERO, ..witness(121) };
    assert_eq!(judge_with(&session_record(5, 5, Some(0)), 4, &just_started), Verdict::Replay);
    let mut ahead = session_record(5, 5, None);
    ahead.session.rotated_at = Some(NOW.saturating_add(Duration::from_secs(50)));
    assert_eq!(judge_with(&ahead, 5, &up()), Verdict::Repeat, "a negative age counts as zero");
}

/// A process that did not rotate the session vouches for no more than the time since its start, and
/// for nothing while its clock is in doubt.
#[test]
fn replay_verdict_requires_certain_age() {
    let since = |secs| Witness { vouched_for: Duration::from_secs(secs), ..Witness::default() };
    let doubtful = Witness { in_doubt: true, ..up() };
    for (what, witness, rotated, newest, before, two_before) in [
        ("up long enough", since(120), 120, rotate(6), Verdict::Replay, Verdict::Replay),
        ("not quite", since(119), 120, Verdict::Repeat, Verdict::Forgive, Verdict::Replay),
        ("a step of days across the start", since(5), 900_000, Verdict::Repeat, Verdict::Forgive, Verdict::Replay),
        ("within the overlap by any account", since(5), 119, Verdict::Repeat, Verdict::Repeat, Verdict::Replay),
        ("up for long, rotated just now", since(9999), 119, Verdict::Repeat, Verdict::Repeat, Verdict::Replay),
        ("the clock is in doubt", doubtful, 9999, Verdict::Repeat, Verdict::Forgive, Verdict::Replay),
        ("it was set back too", doubtful, 0, Verdict::Repeat, Verdict::Forgive, Verdict::Replay),
    ] {
        let record = session_record(5, 5, Some(rotated));
        assert_eq!(judge_with(&record, 5, &witness), newest, "{what}: the newest");
        assert_eq!(judge_with(&record, 4, &witness), before, "{what}: the one before");
        assert_eq!(judge_with(&record, 3, &witness), two_before, "{what}: the one before that");
    }
}

/// A repeat that may be late restarts the grace period, although no process can vouch that it is
/// late. Otherwise a late copy of the same request would be two generations behind at a process
/// that can.
#[test]
fn seemingly_late_retry_is_renewed_without_certainty() {
    let just_started = Witness::default();
    assert_eq!(judge_with(&session_record(5, 4, Some(30)), 4, &just_started), Verdict::Renew);
    assert_eq!(judge_with(&session_record(5, 4, Some(29)), 4, &just_started), Verdict::Repeat);
    let doubtful = Witness { in_doubt: true, ..up() };
    assert_eq!(judge_with(&session_record(5, 4, Some(0)), 4, &doubtful), Verdict::Renew, "it may have been set back");
    // Dated in the future: the clock was set back, and the age is unknown.
    let ahead = |used, millis| {
        let mut record = session_record(5, used, None);
        record.session.rotated_at = Some(NOW.saturating_add(Duration::from_millis(millis)));
        record
    };
    assert_eq!(judge_with(&ahead(4, 90_000), 4, &up()), Verdict::Renew);
    assert_eq!(judge_with(&ahead(5, 90_000), 4, &up()), Verdict::Forgive);
    assert_eq!(judge_with(&ahead(5, 900), 4, &up()), Verdict::Repeat, "clocks differ by a little all the time");
}

#[test]
fn store_clock_takes_precedence_over_wall_clock() {
    let clocked = |secs: Option<u64>, rotated| {
        let clock = StoreClock { since_rotation: secs.map(Duration::from_secs), server: 1, now: NOW };
        SessionRecord { clock: Some(clock), ..session_record(5, 5, Some(rotated)) }
    };
    assert_eq!(judge_with(&clocked(Some(119), 9999), 4, &up()), Verdict::Repeat, "the wall clock here is ahead");
    assert_eq!(judge_with(&clocked(Some(120), 0), 4, &up()), Verdict::Replay, "the wall clock here is behind");
    let started = Witness { vouched_for: Duration::from_secs(119), ..up() };
    assert_eq!(
        judge_with(&clocked(Some(9999), 0), 4, &started),
        Verdict::Forgive,
        "its clock may have been set before"
    );
    for rotated in [0, 9999] {
        assert_eq!(
            judge_with(&clocked(None, rotated), 4, &up()),
            Verdict::Replay,
            "a server of before dated it: {rotated}"
        );
        assert_eq!(judge_with(&clocked(None, rotated), 4, &started), Verdict::Forgive, "not long before: {rotated}");
    }
    let unused = |secs| SessionRecord { session: session_record(5, 4, Some(0)).session, ..clocked(secs, 0) };
    assert_eq!(judge_with(&unused(None), 4, &up()), Verdict::Renew, "it may be late");
    assert_eq!(judge_with(&unused(Some(29)), 4, &up()), Verdict::Repeat);
}

#[test]
fn ended_session_is_denied_before_generation_is_judged() {
    type Spoil = fn(&mut SessionRecord);
    let over = Verdict::Deny(TokenDenied::SessionOver);
    let cases: [(&str, Spoil, Verdict); 6] = [
        ("ended", |it| it.session.ended = Some((NOW, EndReason::Admin)), over),
        ("expired", |it| it.session.expires_at = Some(NOW), Verdict::Deny(TokenDenied::Expired)),
        ("below the user's epoch", |it| it.epochs.user = Epoch(1), over),
        ("below the device's epoch", |it| it.epochs.device = Epoch(1), over),
        ("below the tenant's epoch", |it| it.epochs.tenant = Epoch(1), over),
        (
            "another contract",
            |it| it.session.dialect = DialectName::new("portos"),
            Verdict::Deny(TokenDenied::WrongAudience),
        ),
    ];
    for (what, spoil, expected) in cases {
        for presented in [1, 4, 5, 9] {
            let mut record = session_record(5, 5, Some(500));
            spoil(&mut record);
            assert_eq!(judge_with(&record, presented, &up()), expected, "{what}, generation {presented}");
        }
    }
}

#[test]
fn other_device_is_denied_and_other_key_is_unproven() {
    let dialect = DialectName::new("native");
    let mut bound = session_record(5, 5, Some(500));
    let elsewhere = DeviceId(Uuid::from_u128(99));
    let presenter = Presenter { dialect: &dialect, device: Some(elsewhere), thumbprint: None, keeps_token: false };
    let refused = Verdict::Deny(TokenDenied::SessionOver);
    assert_eq!(judge(&bound, 5, &presenter, &up(), NOW), refused);
    bound.session.thumbprint = Some(vec![1]);
    for (thumbprint, expected) in
        [(Some(&[1_u8][..]), rotate(6)), (Some(&[2]), Verdict::Unproven), (None, Verdict::Unproven)]
    {
        let presenter = Presenter { dialect: &dialect, device: None, thumbprint, keeps_token: false };
        assert_eq!(judge(&bound, 5, &presenter, &up(), NOW), expected, "{thumbprint:?}");
    }
    let thief = Presenter { dialect: &dialect, device: None, thumbprint: None, keeps_token: false };
    for generation in [1, 4, 9] {
        assert_eq!(judge(&bound, generation, &thief, &up(), NOW), Verdict::Unproven, "no copy ends the session");
    }
}

#[test]
fn permanent_session_depends_on_statuses_not_epochs() {
    let mut permanent = session_record(1, 0, None);
    permanent.session.kind = SessionKind::Permanent;
    permanent.session.expires_at = None;
    permanent.session.terms.refresh = Some(RefreshTerms { idle: None, overlap: None, first_reusable: false });
    permanent.epochs.user = Epoch(7);
    assert_eq!(judge_with(&permanent, 1, &up()), Verdict::Reuse, "an epoch ends it not");
    assert_eq!(judge_with(&permanent, 2, &up()), Verdict::Replay, "a generation that was never made");
    for (user, device) in [
        (UserStatus::Suspended, DeviceStatus::Active),
        (UserStatus::Deleted, DeviceStatus::Active),
        (UserStatus::Active, DeviceStatus::Locked),
        (UserStatus::Active, DeviceStatus::Retired),
    ] {
        (permanent.user, permanent.device) = (Some(user), Some(device));
        let refused = Verdict::Deny(TokenDenied::SessionOver);
        assert_eq!(judge_with(&permanent, 1, &up()), refused, "{user:?} {device:?}");
    }
}
