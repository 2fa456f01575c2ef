use super::*;

#[test]
fn numbers_keep_their_digits_in_round_trip() {
    let text = r#"{"b":5.363636,"a":[1e40,0.1000,-0,123456789012345678901234567890,1E+2],"c":{"d":null,"a":true,"x":"ž\n","q":"\\\""}}"#;
    let exact = ExactJson::parse(text).unwrap();
    assert_eq!(serde_json::to_string(&exact).unwrap(), text);
    assert_eq!(exact.find_member("B"), Some(&ExactJson::Number("5.363636".into())));
    assert_eq!(exact.find_member("a").unwrap().find_member("a"), None);
    let object: JsonObject = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&object).unwrap(), text);
    assert_eq!(ExactJson::Object(object.into_members()), exact);
}

#[test]
fn parser_agrees_with_serde_json() {
    for text in [
        "null",
        " true ",
        "false",
        "0",
        "-1.5e-7",
        "\"\"",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        " [ 1 , [ ] , { \"a\" : { } } ] ",
        "\"\\u017e\\ud83d\\ude00 \\\\\"",
        "{\"\":\"\",\"a\\\"\":[null,true,false,\"x\"]}",
        "\"{[,:]}\"",
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(ExactJson::parse(text).unwrap().to_value_lossy(), value, "{text}");
    }
    for no in [
        "",
        " ",
        "{",
        "{\"a\":}",
        "[1,]",
        "{\"a\":01}",
        "nul",
        "{\"a\":1 2}",
        "\u{1}",
        "{'a':1}",
        "{\"a\":+1}",
        "{,}",
        "[,]",
        "{\"a\" 1}",
        "1 2",
        "\"\\ud800\"",
        "\"\n\"",
        "{} {}",
        "[1 2]",
        "truex",
        "NaN",
    ] {
        assert!(ExactJson::parse(no).is_err(), "{no}");
    }
}

#[test]
fn nesting_deeper_than_limit_is_rejected() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(ExactJson::parse(&deep(128)).is_ok());
    assert!(ExactJson::parse(&deep(140)).is_err());
    assert!(ExactJson::parse(&deep(100_000)).is_err());
}

#[test]
fn value_with_sorted_members_is_equal() {
    let of = |text| ExactJson::parse(text).unwrap().with_sorted_members();
    assert_eq!(of(r#"{"b":[{"d":1,"c":2}],"a":null}"#), of("{ \"a\": null, \"b\": [ { \"c\": 2, \"d\": 1 } ] }"));
    assert_ne!(of("[1,2]"), of("[2,1]"));
    assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":1.0}"#));
}

#[test]
fn number_has_no_trailing_zeros() {
    for (shown, short) in [("5.900000", "5.9"), ("20.000000", "20"), ("0.00", "0"), ("-0.05", "-0.05"), ("100", "100")]
    {
        assert_eq!(ExactJson::number(shown), ExactJson::Number(short.into()));
    }
}

#[test]
fn last_duplicate_member_wins() {
    let exact = ExactJson::parse(r#"{"Name":"a","name":"b"}"#).unwrap();
    assert_eq!(exact.find_member("NAME"), Some(&ExactJson::string("b")));
}
