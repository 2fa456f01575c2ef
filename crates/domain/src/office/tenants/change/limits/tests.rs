use super::*;

const NONE: SessionLimits = SessionLimits { access: None, idle: None, absolute: None, overlap: None };

#[expect(clippy::unnecessary_wraps, reason = "as limits hold it")]
fn minutes(minutes: u64) -> Limit {
    Some(Duration::from_mins(minutes))
}

/// Consistent limits.
fn day() -> SessionLimits {
    SessionLimits { access: minutes(5), idle: minutes(60), absolute: minutes(720), overlap: minutes(2) }
}

/// The invalid fields, with the greatest value of each if it is the configured one.
fn faults(checked: Result<(), OfficeError>) -> Vec<(FieldName, Option<u64>)> {
    match checked {
        Ok(()) => Vec::new(),
        Err(OfficeError::OutOfRange(spans)) => {
            let most = |span: &RangeViolation| span.configured.then_some(span.max.as_secs() / 60);
            spans.iter().map(|span| (span.field, most(span))).collect()
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn limits_are_bounded_and_consistent() {
    let (none, day) = (NONE, day());
    assert_eq!(check_limits(&none, &none, &NONE), Ok(()));
    assert_eq!(check_limits(&none, &day, &NONE), Ok(()));
    for (wrong, field) in [
        (SessionLimits { access: minutes(1), ..none }, FieldName::Access),
        (SessionLimits { access: minutes(24 * 60 + 1), ..none }, FieldName::Access),
        (SessionLimits { idle: minutes(4), ..none }, FieldName::Idle),
        (SessionLimits { idle: minutes(4), ..day }, FieldName::Idle),
        (SessionLimits { access: minutes(61), overlap: None, ..day }, FieldName::Idle),
        (SessionLimits { absolute: minutes(59), ..day }, FieldName::Absolute),
        (SessionLimits { absolute: minutes(4), ..none }, FieldName::Absolute),
        (SessionLimits { overlap: minutes(6), ..day }, FieldName::Overlap),
        (SessionLimits { overlap: minutes(61), ..none }, FieldName::Overlap),
        (SessionLimits { overlap: Some(Duration::from_secs(29)), ..none }, FieldName::Overlap),
    ] {
        for before in [none, day] {
            assert_eq!(faults(check_limits(&before, &wrong, &NONE)), [(field, None)], "{before:?} {wrong:?}");
        }
    }
}

#[test]
fn limit_above_configuration_is_rejected() {
    let given = SessionLimits { access: minutes(15), idle: minutes(600), absolute: minutes(1200), overlap: minutes(3) };
    assert_eq!(check_limits(&NONE, &given, &given), Ok(()), "as long is no longer");
    let longer =
        SessionLimits { access: minutes(16), idle: minutes(601), absolute: minutes(1201), overlap: minutes(4) };
    let every = [(FieldName::Access, 15), (FieldName::Idle, 600), (FieldName::Absolute, 1200), (FieldName::Overlap, 3)];
    assert_eq!(faults(check_limits(&NONE, &longer, &given)), every.map(|(field, most)| (field, Some(most))));
    assert_eq!(check_limits(&NONE, &longer, &NONE), Ok(()), "where nothing is given without an end");
    let refused = check_limits(&NONE, &SessionLimits { access: minutes(60), ..NONE }, &given).unwrap_err();
    let reported =
        "limits/access must lie between 120 and 900 seconds, the longest that the server's configuration gives";
    assert_eq!(refused.to_string(), reported);
}

#[test]
fn unchanged_limit_above_configuration_is_kept() {
    let given = SessionLimits { access: minutes(3), idle: minutes(30), absolute: minutes(240), overlap: minutes(1) };
    let kept = day();
    assert_eq!(check_limits(&kept, &kept, &given), Ok(()), "nothing of it is changed");
    for shorter in [
        SessionLimits { access: minutes(3), overlap: minutes(1), ..kept },
        SessionLimits { idle: minutes(30), ..kept },
        // Compared with the effective values of the kept limits.
        SessionLimits { absolute: minutes(30), ..kept },
        SessionLimits { overlap: minutes(1), ..kept },
        NONE,
    ] {
        assert_eq!(check_limits(&kept, &shorter, &given), Ok(()), "{shorter:?}");
    }
    for (longer, field, most) in [
        (SessionLimits { access: minutes(4), ..kept }, FieldName::Access, 3),
        (SessionLimits { idle: minutes(31), ..kept }, FieldName::Idle, 30),
        (SessionLimits { idle: minutes(90), ..kept }, FieldName::Idle, 30),
        (SessionLimits { absolute: minutes(241), ..kept }, FieldName::Absolute, 240),
    ] {
        assert_eq!(faults(check_limits(&kept, &longer, &given)), [(field, Some(most))], "{longer:?}");
    }
}

#[test]
fn configured_limit_below_minimum_allows_only_itself() {
    let given = SessionLimits { access: minutes(1), ..NONE };
    assert_eq!(check_limits(&NONE, &SessionLimits { access: minutes(1), ..NONE }, &given), Ok(()));
    for other in [minutes(2), Some(Duration::from_secs(59))] {
        let wrong = SessionLimits { access: other, ..NONE };
        assert_eq!(faults(check_limits(&NONE, &wrong, &given)), [(FieldName::Access, Some(1))]);
    }
}
