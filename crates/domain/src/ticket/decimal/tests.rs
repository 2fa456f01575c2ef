use proptest::prelude::*;

use super::*;

type Amount = Decimal<2>;

#[test]
fn decimal_is_displayed_with_all_places() {
    for (text, written) in [
        ("0", "0.00"),
        ("-0", "0.00"),
        ("-0.05", "-0.05"),
        ("12.3", "12.30"),
        ("12.340000000000000000000000000000000", "12.34"),
        ("1e3", "1000.00"),
        ("1234e-2", "12.34"),
        ("1.234E+1", "12.34"),
        ("0e9999", "0.00"),
        ("9999999999999.99", "9999999999999.99"),
        ("-9999999999999.99", "-9999999999999.99"),
        ("120", "120.00"),
    ] {
        let amount: Amount = text.parse().unwrap();
        assert_eq!(amount.to_string(), written, "{text}");
        assert_eq!(amount.to_string().parse(), Ok(amount), "{text}");
        assert_eq!(Amount::from_units(amount.units()), Ok(amount), "{text}");
    }
    assert_eq!(Decimal::<0>::from_units(-7).unwrap().to_string(), "-7");
}

#[test]
fn invalid_decimal_is_rejected_with_reason() {
    for text in [
        "", "-", "+1", ".5", "5.", "01", "00", "1e", "1e+", "1e1.5", "1e99999", "1 ", " 1", "1,5", "NaN", "--1",
        "1.-5", "٣",
    ] {
        assert_eq!(text.parse::<Amount>(), Err(InvalidDecimal::Syntax), "{text:?}");
    }
    for text in ["0.001", "12.345", "1e-3", "123e-4"] {
        assert_eq!(text.parse::<Amount>(), Err(InvalidDecimal::Places(2)), "{text}");
    }
    for text in ["10000000000000", "-10000000000000.00", "1e13", "1e9999", &"9".repeat(60)] {
        let refused = text.parse::<Amount>().unwrap_err().to_string();
        assert_eq!(refused, "must lie between -9999999999999.99 and 9999999999999.99", "{text}");
    }
    for units in [i64::MIN, i64::MAX, Amount::MAX_UNITS + 1, -Amount::MAX_UNITS - 1] {
        assert!(Amount::from_units(units).is_err(), "{units}");
    }
}

#[test]
fn half_rounds_away_from_zero() {
    for (number, expected) in
        [(0, 0), (4, 0), (5, 1), (14, 1), (15, 2), (25, 3), (-4, 0), (-5, -1), (-14, -1), (-15, -2), (-25, -3)]
    {
        assert_eq!(div_round_half_away(number, 10), expected, "{number}");
    }
}

fn written_and_read<const PLACES: u32>(units: i64, zeros: usize, exponent: usize) {
    let decimal = Decimal::<PLACES>::from_units(units).unwrap();
    let text = decimal.to_string();
    assert_eq!(text.parse(), Ok(decimal), "{text}");
    let point = if text.contains('.') { "" } else { "." };
    let longer = format!("{text}{point}{}", "0".repeat(zeros + 1));
    assert_eq!(longer.parse(), Ok(decimal), "{longer}");
    if units == 0 {
        return;
    }
    let shifted = format!("{units}{}e-{}", "0".repeat(exponent), exponent + PLACES as usize);
    assert_eq!(shifted.parse(), Ok(decimal), "{shifted}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decimal_survives_round_trip(
        units in prop_oneof![-2_000..2_000_i64, -Amount::MAX_UNITS..=Amount::MAX_UNITS],
        zeros in 0..30_usize,
        exponent in 0..20_usize,
    ) {
        written_and_read::<0>(units, zeros, exponent);
        written_and_read::<2>(units, zeros, exponent);
        written_and_read::<6>(units, zeros, exponent);
    }

    #[test]
    fn arbitrary_text_is_parsed_or_rejected(text in prop_oneof![".*", "-?[0-9]{0,40}\\.?[0-9]{0,40}([eE][+-]?[0-9]{0,6})?"]) {
        if let Ok(amount) = text.parse::<Amount>() {
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
            // What is accepted is a JSON number.
            prop_assert!(serde_json::from_str::<serde_json::Number>(&text).is_ok(), "{}", text);
        }
    }
}
