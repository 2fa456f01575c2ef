use super::*;
use crate::ticket::sample::amount;

fn payments(text: &str) -> Vec<Payment> {
    let each = |word: &str| {
        let (means, sum) = word.split_once(' ').unwrap();
        let means = Means::ALL.into_iter().find(|each| each.name() == means).unwrap();
        Payment { means, name: Label::default(), amount: amount(sum) }
    };
    text.split(", ").filter(|word| !word.is_empty()).map(each).collect()
}

#[test]
fn change_is_given_on_cash_alone() {
    let unpaid = |left: &str| Err(TicketRefused::Unpaid { left: amount(left) });
    let overpaid = |over: &str| Err(TicketRefused::Overpaid { over: amount(over) });
    let wrong = |out| Err(TicketRefused::Payment { out });
    for (payable, given, expected) in [
        ("5.82", "cash 5.82", Ok("0")),
        ("5.82", "cash 10", Ok("4.18")),
        ("5.82", "card 5.82", Ok("0")),
        ("5.82", "card 5, cash 1", Ok("0.18")),
        ("5.82", "card 5.82, cash 1", Ok("1.00")),
        ("5.82", "cash 5.81", unpaid("0.01")),
        ("5.82", "", unpaid("5.82")),
        ("5.82", "card 5.83", overpaid("0.01")),
        ("5.82", "voucher 10", overpaid("4.18")),
        ("5.82", "other 10", overpaid("4.18")),
        // more than the cash makes good
        ("5.82", "card 6, cash 0.10", overpaid("0.18")),
        ("5.82", "card 6.82, cash 1", overpaid("1.00")),
        // nothing is due
        ("0", "", Ok("0")),
        ("0", "cash 5", Ok("5.00")),
        ("0", "card 5", overpaid("5.00")),
        // a payment of nothing, and the wrong way
        ("5.82", "cash 5.82, card 0", wrong(false)),
        ("5.82", "cash 6.82, card -1", wrong(false)),
        ("0", "cash -1", wrong(false)),
        // paid out
        ("-5.82", "cash -5.82", Ok("0")),
        ("-5.82", "card -5, cash -0.82", Ok("0")),
        ("-5.82", "cash -5.81", unpaid("-0.01")),
        ("-5.82", "", unpaid("-5.82")),
        ("-5.82", "cash -5.83", overpaid("0.01")),
        ("-5.82", "cash -6.82, cash 1", wrong(true)),
        ("-5.82", "cash 0, cash -5.82", wrong(true)),
    ] {
        let found = change_due(amount(payable), &payments(given));
        assert_eq!(found, expected.map(amount), "{payable}: {given}");
    }
}

#[test]
fn a_sum_is_split_to_the_cent() {
    for (sum, ways, parts) in [
        ("10.00", 3, &["3.34", "3.33", "3.33"][..]),
        ("10.00", 1, &["10.00"]),
        ("0.02", 3, &["0.01", "0.01", "0.00"]),
        ("0.00", 2, &["0.00", "0.00"]),
        ("-0.05", 2, &["-0.03", "-0.02"]),
    ] {
        let found: Vec<String> =
            split(amount(sum), NonZeroU16::new(ways).unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(found, parts, "{sum} in {ways}");
    }
}

#[test]
fn cash_is_rounded_to_the_nearest_step() {
    for (sum, step, rounding) in [
        ("5.82", "0.05", "-0.02"),
        ("5.83", "0.05", "0.02"),
        ("5.80", "0.05", "0"),
        ("-5.83", "0.05", "-0.02"),
        ("5.25", "0.50", "0.25"),
        ("-5.25", "0.50", "-0.25"),
        ("149", "100", "-49"),
        ("150", "100", "50"),
        ("5.82", "0.01", "0"),
        ("5.82", "0", "0"),
        ("5.82", "-1", "0"),
        ("0.05", "0.03", "0.01"),
        ("0.04", "0.03", "-0.01"),
    ] {
        let found = Rounding::nearest(amount(sum), amount(step));
        assert_eq!(found.amount(), amount(rounding), "{sum} to {step}");
        if amount(step).units() > 0 {
            assert_eq!(Rounding::within(found.amount(), amount(step)), Ok(found), "{sum} to {step}");
        }
    }
}

#[test]
fn a_rounding_is_smaller_than_the_step() {
    let step = amount("0.05");
    for good in ["0", "0.04", "-0.04"] {
        assert!(Rounding::within(amount(good), step).is_ok(), "{good}");
    }
    for bad in ["0.05", "-0.05", "100", "-9999999999999.99"] {
        assert_eq!(Rounding::within(amount(bad), step), Err(TicketRefused::Rounding { step }), "{bad}");
    }
    assert_eq!(Rounding::within(amount("0"), amount("0")), Ok(Rounding::NONE));
}
