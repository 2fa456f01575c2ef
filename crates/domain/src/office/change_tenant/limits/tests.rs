use super::*;

const NONE: SessionLimits = SessionLimits { access: None, idle: None, absolute: None, overlap: None };

#[expect(clippy::unnecessary_wraps, reason = "as limits hold it")]
fn minutes(minutes: u64) -> Limit {
    Some(Duration::from_mins(minutes))
}

/// Limits that go together.
fn day() -> SessionLimits {
    SessionLimits { access: minutes(5), idle: minutes(60), absolute: minutes(720), overlap: minutes(2) }
}

/// The fields at fault, with the most that each may be where the configuration says it.
fn faults(checked: Result<(), Refused>) -> Vec<(Field, Option<u64>)> {
    match checked {
        Ok(()) => Vec::new(),
        Err(Refused::Spans(spans)) => {
            let most = |span: &Span| span.configured.then_some(span.most.as_secs() / 60);
            spans.iter().map(|span| (span.field, most(span))).collect()
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn limits_are_bounded_and_go_together() {
    let (none, day) = (NONE, day());
    assert_eq!(check(&none, &none, &NONE), Ok(()));
    assert_eq!(check(&none, &day, &NONE), Ok(()));
    for (wrong, field) in [
        (SessionLimits { access: minutes(1), ..none }, Field::Access),
        (SessionLimits { access: minutes(24 * 60 + 1), ..none }, Field::Access),
        (SessionLimits { idle: minutes(4), ..none }, Field::Idle),
        (SessionLimits { idle: minutes(4), ..day }, Field::Idle),
        (SessionLimits { access: minutes(61), overlap: None, ..day }, Field::Idle),
        (SessionLimits { absolute: minutes(59), ..day }, Field::Absolute),
        (SessionLimits { absolute: minutes(4), ..none }, Field::Absolute),
        (SessionLimits { overlap: minutes(6), ..day }, Field::Overlap),
        (SessionLimits { overlap: minutes(61), ..none }, Field::Overlap),
        (SessionLimits { overlap: Some(Duration::from_secs(29)), ..none }, Field::Overlap),
    ] {
        for before in [none, day] {
            assert_eq!(faults(check(&before, &wrong, &NONE)), [(field, None)], "{before:?} {wrong:?}");
        }
    }
}

#[test]
fn no_limit_is_longer_than_what_the_configuration_gives() {
    let given = SessionLimits { access: minutes(15), idle: minutes(600), absolute: minutes(1200), overlap: minutes(3) };
    assert_eq!(check(&NONE, &given, &given), Ok(()), "as long is no longer");
    let longer =
        SessionLimits { access: minutes(16), idle: minutes(601), absolute: minutes(1201), overlap: minutes(4) };
    let every = [(Field::Access, 15), (Field::Idle, 600), (Field::Absolute, 1200), (Field::Overlap, 3)];
    assert_eq!(faults(check(&NONE, &longer, &given)), every.map(|(field, most)| (field, Some(most))));
    assert_eq!(check(&NONE, &longer, &NONE), Ok(()), "where nothing is given without an end");
    let refused = check(&NONE, &SessionLimits { access: minutes(60), ..NONE }, &given).unwrap_err();
    let told = "limits/access must lie between 120 and 900 seconds, the longest that the server's configuration gives";
    assert_eq!(refused.to_string(), told);
}

#[test]
fn what_was_kept_from_a_longer_configuration_stays() {
    let given = SessionLimits { access: minutes(3), idle: minutes(30), absolute: minutes(240), overlap: minutes(1) };
    let kept = day();
    assert_eq!(check(&kept, &kept, &given), Ok(()), "nothing of it is changed");
    for shorter in [
        SessionLimits { access: minutes(3), overlap: minutes(1), ..kept },
        SessionLimits { idle: minutes(30), ..kept },
        // beside what the kept limits come to, and not beside what they say
        SessionLimits { absolute: minutes(30), ..kept },
        SessionLimits { overlap: minutes(1), ..kept },
        NONE,
    ] {
        assert_eq!(check(&kept, &shorter, &given), Ok(()), "{shorter:?}");
    }
    for (longer, field, most) in [
        (SessionLimits { access: minutes(4), ..kept }, Field::Access, 3),
        (SessionLimits { idle: minutes(31), ..kept }, Field::Idle, 30),
        (SessionLimits { idle: minutes(90), ..kept }, Field::Idle, 30),
        (SessionLimits { absolute: minutes(241), ..kept }, Field::Absolute, 240),
    ] {
        assert_eq!(faults(check(&kept, &longer, &given)), [(field, Some(most))], "{longer:?}");
    }
}

#[test]
fn a_configuration_below_the_least_of_a_limit_leaves_that_one() {
    let given = SessionLimits { access: minutes(1), ..NONE };
    assert_eq!(check(&NONE, &SessionLimits { access: minutes(1), ..NONE }, &given), Ok(()));
    for other in [minutes(2), Some(Duration::from_secs(59))] {
        let wrong = SessionLimits { access: other, ..NONE };
        assert_eq!(faults(check(&NONE, &wrong, &given)), [(Field::Access, Some(1))]);
    }
}
