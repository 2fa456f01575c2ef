use super::*;

const MEMBERS: &[ListMember] = &[
    ListMember::new("name", MemberKind::Text),
    ListMember::new("age", MemberKind::Number),
    ListMember::new("roles", MemberKind::Text),
    ListMember::new("since", MemberKind::Instant),
    ListMember::new("until", MemberKind::Instant),
    ListMember::new("nick", MemberKind::Text),
    ListMember::new("active", MemberKind::Bool),
    ListMember::new("kind", MemberKind::OneOf(&["Day", "Night"])),
    ListMember::alias("rowId", "age", MemberKind::Number),
];

fn rows() -> Vec<Value> {
    vec![
        json!({ "name": "Ján", "age": 30, "roles": ["cashier", "night"], "since": "2026-01-05T00:00:00.000Z",
                "until": null, "nick": null, "active": true, "kind": "Day" }),
        json!({ "name": "Eva", "age": 9, "roles": [], "since": "2026-01-04T00:00:00.000Z", "until": null, "nick": "e;x",
                "active": false, "kind": "Night" }),
        json!({ "name": "Zoe", "age": 100, "roles": ["manager"], "since": "2026-01-06T00:00:00.000Z",
                "until": "2026-01-07T00:00:00.000Z", "nick": "http://z", "active": true, "kind": "Day" }),
    ]
}

fn select_names(query: &str) -> Vec<String> {
    let chosen = serde_json::to_value(ListQuery::parse(query, MEMBERS).unwrap().select_rows(rows())).unwrap();
    chosen["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn conditions_filter_a_list() {
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
        ("since=gte:2026-01-05T01:00:00+01:00;lt:2026-01-06", &["Ján"]),
        ("since=gt:2026-01-04T00:00:00", &["Ján", "Zoe"]),
        ("since=startsWith:2026-01-05T", &["Ján"]),
        ("until=gt:2026-01-01", &["Zoe"]),
        ("until=ne:2026-01-01", &["Ján", "Eva", "Zoe"]),
        ("age=contains:0", &["Ján", "Zoe"]),
        ("age=ne:9", &["Ján", "Zoe"]),
        ("active=true", &["Ján", "Zoe"]),
        ("ACTIVE=eq:False", &["Eva"]),
        ("active=ne:false", &["Ján", "Zoe"]),
        ("kind=night", &["Eva"]),
        ("kind=startswith:d", &["Ján", "Zoe"]),
        ("nick=", &["Ján"]),
        ("nick=gt:a", &["Eva", "Zoe"]),
        ("nick=http://z", &["Zoe"]),
        ("name=nobody", &[]),
        ("unknown=1&$unknown=2&x", &["Ján", "Eva", "Zoe"]),
    ] {
        assert_eq!(select_names(query), expected, "{query}");
    }
}

#[test]
fn time_range_follows_from_conditions() {
    let span = |query| {
        let (from, until, whole) = ListQuery::parse(query, MEMBERS).unwrap().time_range("since");
        (from.map(Instant::millis), until.map(Instant::millis), whole)
    };
    for (query, expected) in [
        ("", (None, None, true)),
        ("name=2026-01-01", (None, None, true)),
        ("since=ne:1970-01-01&since=contains:1970-01-01", (None, None, false)),
        ("since=1970-01-01T00:00:01Z", (Some(1000), Some(1001), true)),
        ("since=gt:1970-01-01T00:00:01Z&since=gte:1970-01-01", (Some(1001), None, true)),
        ("since=lt:1970-01-01T00:00:02Z;lte:1970-01-01T00:00:01Z", (None, Some(1001), true)),
        ("since=lt:1970-01-01T00:00:02Z;startswith:1970", (None, Some(2000), false)),
    ] {
        assert_eq!(span(query), expected, "{query}");
    }
    for (query, only) in [("", true), ("age=1", true), ("rowId=gt:1;2", true), ("name=x&age=1", false)] {
        assert_eq!(ListQuery::parse(query, MEMBERS).unwrap().concerns_only(&["age"]), only, "{query}");
    }
}

#[test]
fn list_is_sorted_and_paged() {
    for (query, expected) in [
        ("$sort=name", &["Eva", "Ján", "Zoe"][..]),
        ("$sort=-age", &["Zoe", "Ján", "Eva"]),
        ("$sort=age:desc", &["Zoe", "Ján", "Eva"]),
        ("$sort=active:ASC,-since", &["Eva", "Zoe", "Ján"]),
        ("$sort=", &["Ján", "Eva", "Zoe"]),
        ("$SORT=age&$Skip=1", &["Ján", "Zoe"]),
        ("$take=1", &["Ján"]),
        ("$skip=1&$take=1", &["Eva"]),
        ("$skip=9", &[]),
        ("$take=0", &[]),
    ] {
        assert_eq!(select_names(query), expected, "{query}");
    }
}

#[test]
fn names_that_look_like_instants_sort_as_text() {
    let names = ["2026-11-21", "2026-11-20Z", "2026-11-20T23:30:00-01:00"].map(|name| json!({ "name": name }));
    let sorted = ListQuery::parse("$sort=name", MEMBERS).unwrap().select_rows(names.to_vec());
    let sorted = serde_json::to_value(sorted).unwrap();
    assert_eq!(sorted["items"], json!([names[2], names[1], names[0]]));
}

#[test]
fn count_option_returns_counts_only() {
    let chosen = |query| serde_json::to_value(ListQuery::parse(query, MEMBERS).unwrap().select_rows(rows())).unwrap();
    assert_eq!(chosen("$count=true&age=gt:9&$take=1"), json!({ "count": 2, "totalCount": 2 }));
    assert_eq!(chosen("$count=false&$take=0"), json!({ "items": [], "count": 0, "totalCount": 3 }));
    let part = chosen("age=gt:9&$take=1");
    assert_eq!((&part["count"], &part["totalCount"]), (&json!(1), &json!(2)));
}

#[test]
fn invalid_option_is_reported() {
    for query in [
        "$skip=x",
        "$take=-1",
        "$take=",
        "$count=maybe",
        "$sort=nothing",
        "$sort=name,nothing",
        "$sort=name,",
        "$sort=-",
        "$sort=name:up",
        "$sort=-name:desc",
    ] {
        let Err(ApiError::Protocol(ProtocolError::InvalidFields(violations))) = ListQuery::parse(query, MEMBERS) else {
            panic!("{query}")
        };
        assert_eq!(violations[0].field, query.split('=').next().unwrap());
    }
}

#[test]
fn value_of_wrong_type_for_member_is_reported() {
    for (query, names) in [
        ("age=x", &["age"][..]),
        ("age=gt:9,5", &["age"]),
        ("age=", &["age"]),
        ("age=nan", &["age"]),
        ("age=inf", &["age"]),
        ("age=1e999", &["age"]),
        ("age=contains:x", &["age"]),
        ("ROWID=x", &["rowId"]),
        ("age=1;", &["age"]),
        ("since=yesterday", &["since"]),
        ("since=", &["since"]),
        ("since=gte:21.11.2026", &["since"]),
        ("since=gte:20261121T000000Z", &["since"]),
        ("since=2026-02-30", &["since"]),
        ("since=contains:", &["since"]),
        ("active=yes", &["active"]),
        ("active=", &["active"]),
        ("active=gt:false", &["active"]),
        ("active=contains:t", &["active"]),
        ("kind=dusk", &["kind"]),
        ("kind=gt:Day", &["kind"]),
        ("kind=contains:x", &["kind"]),
        ("age=x&name=y&since=z&$take=q", &["age", "since", "$take"]),
    ] {
        let Err(ApiError::Protocol(ProtocolError::InvalidFields(violations))) = ListQuery::parse(query, MEMBERS) else {
            panic!("{query}")
        };
        assert_eq!(violations.iter().map(|violation| &*violation.field).collect::<Vec<_>>(), names, "{query}");
        assert!(violations.iter().all(|violation| violation.in_query), "{query}");
    }
}
