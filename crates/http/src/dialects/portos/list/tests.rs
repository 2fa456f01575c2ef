use super::*;

const MEMBERS: &[(&str, &str)] =
    &[("name", "name"), ("age", "age"), ("roles", "roles"), ("since", "since"), ("nick", "nick"), ("rowId", "age")];

fn rows() -> Vec<Value> {
    vec![
        json!({ "name": "Ján", "age": 30, "roles": ["cashier", "night"], "since": "2026-01-05", "nick": null }),
        json!({ "name": "Eva", "age": 9, "roles": [], "since": "2026-01-04", "nick": "e;x" }),
        json!({ "name": "Zoe", "age": 100, "roles": ["manager"], "since": "2026-01-06", "nick": "http://z" }),
    ]
}

fn names(query: &str) -> Vec<String> {
    let chosen = Asked::read(query, MEMBERS).unwrap().chosen(rows());
    chosen["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn conditions_narrow_a_list() {
    for (query, expected) in [
        ("", &["Ján", "Eva", "Zoe"][..]),
        ("name=JÁN", &["Ján"]),
        ("NAME=eq:j%C3%A1n", &["Ján"]),
        ("name=ne:eva", &["Ján", "Zoe"]),
        ("age=gt:9", &["Ján", "Zoe"]),
        ("age=gte:9&age=lt:100", &["Ján", "Eva"]),
        ("age=gte:9;lte:30", &["Ján", "Eva"]),
        ("age=9.0", &["Eva"]),
        ("rowid=9", &["Eva"]),
        ("name=contains:o", &["Zoe"]),
        ("name=startsWith:e", &["Eva"]),
        ("name=endswith:E", &["Zoe"]),
        ("roles=night", &["Ján"]),
        ("roles=ne:night", &["Eva", "Zoe"]),
        ("since=gt:2026-01-04", &["Ján", "Zoe"]),
        ("since=gte:2026-01-05T01:00:00%2B01:00;lt:2026-01-06", &["Ján"]),
        ("since=2026-01-05T00:00:00.000Z", &["Ján"]),
        ("nick=", &["Ján"]),
        ("nick=http://z", &["Zoe"]),
        ("name=nobody", &[]),
        ("unknown=1&$unknown=2&x", &["Ján", "Eva", "Zoe"]),
    ] {
        assert_eq!(names(query), expected, "{query}");
    }
}

#[test]
fn a_member_lies_between_the_instants_that_are_asked() {
    let between = |query| {
        let (from, to) = Asked::read(query, MEMBERS).unwrap().between("since");
        (from.map(Instant::millis), to.map(Instant::millis))
    };
    for (query, expected) in [
        ("", (None, None)),
        ("name=2026-01-01", (None, None)),
        ("since=x&since=ne:1970-01-01&since=contains:1970-01-01", (None, None)),
        ("since=1970-01-01T00:00:01Z", (Some(1000), Some(1000))),
        ("since=gt:1970-01-01T00:00:01Z&since=gte:1970-01-01", (Some(1000), None)),
        ("since=lt:1970-01-01T00:00:02Z;lte:1970-01-01T00:00:01Z", (None, Some(1000))),
    ] {
        assert_eq!(between(query), expected, "{query}");
    }
    for (query, at_most) in [("", true), ("age=1", true), ("age=gt:1", false), ("age=1;2", false), ("name=x", false)] {
        assert_eq!(Asked::read(query, MEMBERS).unwrap().asks_at_most("age"), at_most, "{query}");
    }
}

#[test]
fn a_list_is_sorted_and_cut() {
    for (query, expected) in [
        ("$sort=name", &["Eva", "Ján", "Zoe"][..]),
        ("$sort=-age", &["Zoe", "Ján", "Eva"]),
        ("$sort=age:desc", &["Zoe", "Ján", "Eva"]),
        ("$sort=nothing,-since", &["Zoe", "Ján", "Eva"]),
        ("$SORT=age&$Skip=1", &["Ján", "Zoe"]),
        ("$take=1", &["Ján"]),
        ("$skip=1&$take=1", &["Eva"]),
        ("$skip=9", &[]),
        ("$take=0", &[]),
    ] {
        assert_eq!(names(query), expected, "{query}");
    }
}

#[test]
fn names_that_are_instants_are_sorted_as_names() {
    let names = ["2026-11-21", "2026-11-20Z", "2026-11-20T23:30:00-01:00"].map(|name| json!({ "name": name }));
    let sorted = Asked::read("$sort=name", MEMBERS).unwrap().chosen(names.to_vec());
    assert_eq!(sorted["items"], json!([names[2], names[1], names[0]]));
}

#[test]
fn a_count_tells_how_many_and_shows_none() {
    let chosen = |query| Asked::read(query, MEMBERS).unwrap().chosen(rows());
    assert_eq!(chosen("$count=true&age=gt:9&$take=1"), json!({ "items": [], "count": 2 }));
    assert_eq!(chosen("$count=false&$take=0"), json!({ "items": [] }));
}

#[test]
fn no_more_is_read_than_is_asked_for() {
    let needs = |query| Asked::read(query, MEMBERS).unwrap().needs();
    assert_eq!(needs("$skip=3&$take=4&unknown=1"), Some(7));
    for all in ["", "$skip=3", "$take=4&$sort=name", "$take=4&name=x", "$take=4&$count=true"] {
        assert_eq!(needs(all), None, "{all}");
    }
}

#[test]
fn an_option_that_cannot_be_is_told() {
    for query in ["$skip=x", "$take=-1", "$take=", "$count=maybe"] {
        let Err(Failure::Protocol(Protocol::Fields(faults))) = Asked::read(query, MEMBERS) else { panic!("{query}") };
        assert_eq!(faults[0].field, query.split('=').next().unwrap());
    }
}
