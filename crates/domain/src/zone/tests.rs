use std::collections::BTreeSet;

use jiff::civil::Date;

use super::*;

const MILLI: i64 = 1;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn text(millis: i64) -> String {
    Timestamp::from_millisecond(millis).unwrap().to_string()
}

fn next(zone: &Zone, now: i64) -> i64 {
    zone.next_midnight(Instant::from_millis(now)).millis()
}

fn date(zone: &Zone, millis: i64) -> Date {
    Timestamp::from_millisecond(millis).unwrap().to_zoned(zone.0.clone()).date()
}

/// The changes of the zone's offset between two instants.
fn moves(zone: &Zone, from: i64, to: i64) -> Vec<i64> {
    let all = zone.0.following(Timestamp::from_millisecond(from).unwrap());
    all.map(|each| each.timestamp().as_millisecond()).take_while(|each| *each < to).collect()
}

/// The definition of midnight, independent of its computation: the date is a later one from then
/// on, and no earlier instant has it. Between two changes of the offset, a date only increases, so
/// the last instant before each is sufficient.
fn holds(zone: &Zone, now: i64, moves: &[i64]) -> i64 {
    let midnight = next(zone, now);
    let today = date(zone, now);
    let says = || format!("{zone} {}: {}", text(now), text(midnight));
    assert!(midnight > now && date(zone, midnight) > today, "{}", says());
    let between = moves.iter().copied().filter(|each| (now..=midnight).contains(each));
    for last in between.chain([midnight]).map(|each| each - MILLI).filter(|last| *last >= now) {
        assert!(date(zone, last) <= today, "{} is past {}", text(last), says());
    }
    midnight
}

#[test]
fn day_begins_at_first_instant_of_its_date() {
    for (zone, now, midnight) in [
        ("UTC", "2026-11-21T23:59:59.999Z", "2026-11-22T00:00:00Z"),
        ("UTC", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("Europe/Bratislava", "2026-07-01T21:59:59Z", "2026-07-01T22:00:00Z"),
        ("Asia/Kuala_Lumpur", "2026-07-01T16:00:00Z", "2026-07-02T16:00:00Z"),
        // 2018-11-04 began at 01:00 in Brazil.
        ("America/Sao_Paulo", "2018-11-04T02:30:00Z", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T02:59:59.999Z", "2018-11-04T03:00:00Z"),
        // 2019-11-03 began twice in Havana.
        ("America/Havana", "2019-11-03T03:30:00Z", "2019-11-03T04:00:00Z"),
        ("America/Havana", "2019-11-03T04:30:00Z", "2019-11-04T05:00:00Z"),
        // 2010-11-07 began in St. John's, ended after a minute, and began once more.
        ("America/St_Johns", "2010-11-07T02:29:59.999Z", "2010-11-07T02:30:00Z"),
        ("America/St_Johns", "2010-11-07T02:30:30Z", "2010-11-08T03:30:00Z"),
        ("America/St_Johns", "2010-11-07T03:00:00Z", "2010-11-07T03:30:00Z"),
        // There was no 2011-12-30 in Samoa.
        ("Pacific/Apia", "2011-12-30T09:30:00Z", "2011-12-30T10:00:00Z"),
        // The station changes its clocks by two hours.
        ("Antarctica/Troll", "2026-03-29T00:30:00Z", "2026-03-29T22:00:00Z"),
        ("Antarctica/Troll", "2026-10-24T22:00:00Z", "2026-10-26T00:00:00Z"),
    ] {
        assert_eq!(text(next(&Zone::parse(zone).unwrap(), at(now))), text(at(midnight)), "{zone} {now}");
    }
}

/// All zones, around every change of their offset in seventy years: the days before, of and after
/// it, each from its first instant to its last millisecond.
#[test]
fn next_midnight_exists_in_every_zone() {
    let (from, to) = (at("1970-01-01T00:00:00Z"), at("2040-01-01T00:00:00Z"));
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    assert!(names.len() > 500, "{}", names.len());
    let (mut moved, mut lengths, mut begins) = (0, BTreeSet::new(), BTreeSet::new());
    for name in names {
        let zone = Zone::parse(&name).unwrap();
        let moves = moves(&zone, from, to);
        moved += moves.len();
        for each in moves.iter().copied().chain([at("2026-11-21T12:00:00Z")]) {
            for before in [30 * HOUR, 4 * HOUR, HOUR, MINUTE, MILLI, 0, -MILLI, -MINUTE] {
                let now = each - before;
                let midnight = holds(&zone, now, &moves);
                assert_eq!(holds(&zone, midnight - MILLI, &moves), midnight, "{zone} {}", text(now));
                let after = holds(&zone, midnight, &moves);
                if each >= at("2026-01-01T00:00:00Z") {
                    lengths.insert((after - midnight) / HOUR);
                    begins.insert(zone.format_local(Instant::from_millis(midnight))[11..16].to_owned());
                }
            }
        }
    }
    assert!(moved > 20_000, "{moved}");
    assert!(
        lengths.iter().all(|hours| (22..=26).contains(hours)) && [22, 26].iter().all(|hours| lengths.contains(hours)),
        "{lengths:?}"
    );
    assert!(begins.contains("00:00") && begins.contains("01:00"), "{begins:?}");
}

#[test]
fn local_time_matches_zone_offset() {
    for (zone, now, local) in [
        ("UTC", "2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000+00:00"),
        ("Asia/Kuala_Lumpur", "2026-11-21T12:00:00.007Z", "2026-11-21T20:00:00.007+08:00"),
        ("America/St_Johns", "2026-11-21T03:29:59.999Z", "2026-11-20T23:59:59.999-03:30"),
        ("Asia/Kathmandu", "2026-11-21T18:15:00Z", "2026-11-22T00:00:00.000+05:45"),
        ("Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24T01:00:00.000+03:00"),
    ] {
        assert_eq!(Zone::parse(zone).unwrap().format_local(Instant::from_millis(at(now))), local, "{zone} {now}");
    }
    assert_eq!(Zone::UTC.format_local(Instant::from_millis(i64::MAX)), "");
}

#[test]
fn unknown_zone_is_rejected() {
    assert_eq!(Zone::parse("Europe/Atlantis"), Err(UnknownZone));
    assert_eq!(Zone::parse("Europe/Bratislava").unwrap().name(), "Europe/Bratislava");
}

#[test]
fn day_bounds_span_one_date() {
    let day = |zone: &str, date: &str| {
        let (from, until) = Zone::parse(zone).unwrap().day_bounds(date)?;
        let text = |at: Instant| jiff::Timestamp::from_millisecond(at.millis()).unwrap().to_string();
        Some((text(from), text(until)))
    };
    let some = |from: &str, until: &str| Some((from.to_owned(), until.to_owned()));
    assert_eq!(day("UTC", "2026-11-21"), some("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"));
    assert_eq!(day("Asia/Jakarta", "2026-11-21"), some("2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z"));
    assert_eq!(day("America/Sao_Paulo", "2018-11-04"), some("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"));
    for none in ["", "2026-13-01", "2026-02-30", "20261121", "2026-11-21T00:00:00Z", "+002026-11", "21-11-2026"] {
        assert_eq!(day("UTC", none), None, "{none}");
    }
}
