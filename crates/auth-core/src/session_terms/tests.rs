//! Tests of the terms of a session.

use tillgate_domain::KnownRight;

use super::*;

const NOON: Instant = Instant::from_millis(1_800_014_400_000);

fn terms() -> Terms {
    Terms {
        access: Duration::from_mins(15),
        refresh: Some(RefreshTerms {
            idle: Some(Duration::from_hours(12)),
            overlap: Some(Duration::from_mins(2)),
            first_reusable: false,
        }),
        absolute: None,
        midnight: false,
        exchange_overlap: None,
        office: None,
    }
}

#[test]
fn earliest_limit_ends_session() {
    let at = |hours| NOON.saturating_add(Duration::from_hours(hours));
    assert_eq!(terms().session_expiry(NOON, at(5), &Zone::UTC), Some(at(17)), "idle");
    let absolute = Terms { absolute: Some(Duration::from_hours(6)), ..terms() };
    assert_eq!(absolute.session_expiry(NOON, at(5), &Zone::UTC), Some(at(6)), "absolute");
    let forever = Terms { refresh: Some(RefreshTerms { idle: None, overlap: None, first_reusable: false }), ..terms() };
    assert_eq!(forever.session_expiry(NOON, at(5), &Zone::UTC), None, "no bound");
    let none = Terms { refresh: None, ..terms() };
    assert_eq!(none.session_expiry(NOON, NOON, &Zone::UTC), Some(NOON.saturating_add(none.access)), "no refresh token");
}

#[test]
fn refresh_without_rotation_extends_session_by_one_hour_or_more() {
    let minutes = |minutes| NOON.saturating_add(Duration::from_mins(minutes));
    let of = |idle: u64, absolute: Option<u64>| Terms {
        refresh: Some(RefreshTerms { idle: Some(Duration::from_mins(idle)), overlap: None, first_reusable: false }),
        absolute: absolute.map(Duration::from_mins),
        ..terms()
    };
    for (what, terms, expires, now, expected) in [
        ("an hour later", of(720, None), 720, 60, Some(780)),
        ("less than an hour later", of(720, None), 720, 59, None),
        ("a quarter of a short idle time later", of(60, None), 60, 15, Some(75)),
        ("less than a quarter", of(60, None), 60, 14, None),
        ("the last end, though it is near", of(720, Some(740)), 720, 25, Some(740)),
        ("the last end is written already", of(720, Some(740)), 740, 100, None),
        ("the clock went back", of(720, None), 900, 60, None),
    ] {
        let extended = terms.extended_expiry(NOON, Some(minutes(expires)), minutes(now), &Zone::UTC);
        assert_eq!(extended, expected.map(minutes), "{what}");
    }
    let forever = Terms { refresh: Some(RefreshTerms { idle: None, overlap: None, first_reusable: false }), ..terms() };
    assert_eq!(forever.extended_expiry(NOON, None, minutes(600), &Zone::UTC), None, "it never ends");
    let midnight = Terms { midnight: true, ..forever };
    let end = Zone::UTC.next_midnight(NOON);
    assert_eq!(midnight.extended_expiry(NOON, Some(end), minutes(60), &Zone::UTC), None, "a fixed end");
}

#[test]
fn midnight_end_does_not_move_with_refreshes() {
    let midnight = Terms { midnight: true, ..terms() };
    let end = Zone::UTC.next_midnight(NOON);
    let late = end.saturating_sub(Duration::from_millis(1));
    assert_eq!(midnight.session_expiry(NOON, late, &Zone::UTC), Some(end));
    assert_eq!(midnight.access_expiry(Some(end), late), end);
}

#[test]
fn session_without_idle_limit_has_fixed_end() {
    let refresh = |idle| Some(RefreshTerms { idle, overlap: None, first_reusable: false });
    let idle = Some(Duration::from_hours(1));
    for (refresh, absolute, midnight, fixed) in [
        (refresh(None), None, true, true),
        (refresh(None), idle, false, true),
        (refresh(None), None, false, false),
        (refresh(idle), None, true, false),
        (None, None, true, false),
    ] {
        let terms = Terms { refresh, absolute, midnight, ..terms() };
        assert_eq!(terms.has_fixed_end(), fixed, "{terms:?}");
    }
}

#[test]
fn tenant_limits_shorten_and_never_lengthen() {
    let minutes = |minutes: u64| Some(Duration::from_mins(minutes));
    let none = SessionLimits::default();
    let person = SessionKind::Person;
    assert_eq!(terms().limited_by(&none, person), terms());
    let longer = SessionLimits { access: minutes(60), idle: minutes(6000), absolute: None, overlap: minutes(60) };
    assert_eq!(terms().limited_by(&longer, person), terms(), "longer than the server says");
    let short = SessionLimits { access: minutes(5), idle: minutes(60), absolute: minutes(600), overlap: minutes(1) };
    let expected = Terms {
        access: Duration::from_mins(5),
        refresh: Some(RefreshTerms { idle: minutes(60), overlap: minutes(1), first_reusable: false }),
        absolute: minutes(600),
        midnight: false,
        exchange_overlap: None,
        office: None,
    };
    assert_eq!(terms().limited_by(&short, person), expected);
    assert_eq!(terms().limited_by(&short, SessionKind::Device), expected);
    let permanent = Terms { access: Duration::from_mins(5), ..terms() };
    assert_eq!(terms().limited_by(&short, SessionKind::Permanent), permanent);
}

#[test]
fn limited_terms_keep_rotation_and_refresh() {
    let limits = SessionLimits {
        access: Some(Duration::from_mins(2)),
        overlap: Some(Duration::from_hours(1)),
        ..SessionLimits::default()
    };
    let never_rotated =
        Terms { refresh: Some(RefreshTerms { idle: None, overlap: None, first_reusable: false }), ..terms() };
    assert_eq!(never_rotated.limited_by(&limits, SessionKind::Person).refresh, never_rotated.refresh);
    let none = Terms { refresh: None, ..terms() };
    assert_eq!(none.limited_by(&limits, SessionKind::Person).refresh, None, "no refresh token is made");
    let overlap = terms().limited_by(&limits, SessionKind::Person).refresh.unwrap().overlap;
    assert_eq!(overlap, Some(Duration::from_secs(119)), "shorter than the access token");
    let midnight = Terms { midnight: true, ..terms() };
    assert!(midnight.limited_by(&limits, SessionKind::Person).midnight);
}

#[test]
fn limit_shortens_only_below_max_limits() {
    let hour = Duration::from_hours(1);
    let person = |idle, overlap, absolute| Terms {
        refresh: Some(RefreshTerms { idle, overlap, first_reusable: false }),
        absolute,
        ..terms()
    };
    let (forever, nothing) = (None, Some(Duration::ZERO));
    let of = |idle, absolute, overlap| (idle, absolute, overlap);
    for (terms, kind, expected) in [
        (terms(), SessionKind::Person, of(Some(12 * hour), forever, Some(hour / 30))),
        (person(None, None, Some(hour)), SessionKind::Person, of(forever, Some(hour), nothing)),
        (Terms { midnight: true, ..person(None, Some(hour / 60), None) }, SessionKind::Person, {
            of(Some(25 * hour), Some(25 * hour), Some(hour / 60))
        }),
        (Terms { refresh: None, ..terms() }, SessionKind::Person, of(nothing, forever, nothing)),
        (Terms { refresh: None, exchange_overlap: Some(hour / 60), ..terms() }, SessionKind::Person, {
            of(nothing, forever, Some(hour / 60))
        }),
        (person(None, None, None), SessionKind::Permanent, of(nothing, nothing, nothing)),
    ] {
        let longest = terms.max_limits();
        assert_eq!((longest.idle, longest.absolute, longest.overlap), expected, "{terms:?}");
        assert_eq!(longest.access, Some(terms.access));
        let second = Duration::from_secs(1);
        let by = |more: bool| {
            let moved = |span: Option<Duration>| {
                span.map(|span| if more { span + second } else { span.saturating_sub(second) })
            };
            SessionLimits {
                access: moved(longest.access),
                idle: moved(longest.idle),
                absolute: moved(longest.absolute),
                overlap: moved(longest.overlap),
            }
        };
        let end = |limits: &SessionLimits| {
            let within = terms.limited_by(limits, kind);
            let overlap = within.refresh.as_ref().and_then(|refresh| refresh.overlap).or(within.exchange_overlap);
            (within.access, within.session_expiry(NOON, NOON, &Zone::UTC), overlap)
        };
        let whole = end(&SessionLimits::default());
        assert_eq!(end(&by(true)), whole, "{terms:?}");
        let shorter = end(&by(false));
        assert!(shorter.0 < whole.0 && (shorter.2 < whole.2 || longest.overlap == nothing), "{terms:?}");
    }
    let long = Terms { access: 48 * hour, ..terms() };
    assert_eq!(long.max_limits().access, Some(MAX_ACCESS_TOKEN_LIFETIME));
}

#[test]
fn office_terms_depend_on_rights_and_are_limited_like_others() {
    let minutes = Duration::from_mins;
    let office = OfficeTerms { read_only_access: minutes(60), read_only_idle: minutes(60), max_proof_age: minutes(5) };
    let of_office = Terms { office: Some(office), ..terms() };
    let rights = |known: &[KnownRight]| Rights::of(known);
    for changing in [&[KnownRight::Admin][..], &[KnownRight::AuditRead, KnownRight::TicketClose]] {
        assert_eq!(of_office.for_rights(&rights(changing)), of_office, "{changing:?}");
    }
    let reading = of_office.for_rights(&rights(&[KnownRight::AuditRead, KnownRight::UserRead]));
    let idle = |terms: &Terms| terms.refresh.as_ref().and_then(|refresh| refresh.idle);
    assert_eq!((reading.access, idle(&reading)), (minutes(60), Some(minutes(60))));
    assert_eq!(of_office.for_rights(&Rights::default()), reading, "nobody who may do nothing can change anything");
    assert_eq!(terms().for_rights(&Rights::default()), terms(), "other sessions do not depend on rights");
    let short = SessionLimits { access: Some(minutes(5)), idle: Some(minutes(30)), ..SessionLimits::default() };
    let limited = of_office.limited_by(&short, SessionKind::Person).for_rights(&Rights::default());
    assert_eq!((limited.access, idle(&limited)), (minutes(5), Some(minutes(30))));
    let quick = Terms { access: minutes(15), ..of_office };
    let quick = Terms { refresh: quick.refresh.map(|r| RefreshTerms { idle: Some(minutes(15)), ..r }), ..quick };
    assert_eq!((quick.max_limits().access, quick.max_limits().idle), (Some(minutes(60)), Some(minutes(60))));
}

#[test]
fn access_token_lives_one_day_at_most() {
    let long = Terms { access: Duration::from_hours(100), ..terms() };
    assert_eq!(long.access_expiry(None, NOON), NOON.saturating_add(MAX_ACCESS_TOKEN_LIFETIME));
}

#[test]
fn access_token_expires_at_whole_second() {
    let millis = |millis| NOON.saturating_add(Duration::from_millis(millis));
    let quarter = NOON.saturating_add(terms().access);
    assert_eq!(terms().access_expiry(None, millis(0)), quarter);
    assert_eq!(terms().access_expiry(None, millis(1)), quarter.saturating_add(Duration::from_secs(1)), "rounded up");
    assert_eq!(terms().access_expiry(Some(millis(9_999)), NOON), millis(9_000), "never past its session");
}
