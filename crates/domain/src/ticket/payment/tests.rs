use super::*;
use crate::ticket::fixtures::{amount, euro, euros};

fn payments(text: &str) -> Vec<Payment> {
    let each = |word: &str| {
        let (means, sum) = word.split_once(' ').unwrap();
        let means = PaymentMethod::ALL.into_iter().find(|each| each.name() == means).unwrap();
        Payment { method: means, name: Label::default(), amount: amount(sum) }
    };
    text.split(", ").filter(|word| !word.is_empty()).map(each).collect()
}

#[test]
fn change_is_given_for_cash_only() {
    let unpaid = |left: &str| Err(TicketError::Unpaid { left: euros(left) });
    let overpaid = |over: &str| Err(TicketError::Overpaid { over: euros(over) });
    let wrong = |out| Err(TicketError::InvalidPayment { out });
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
        let found = change_due(euro(), amount(payable), &payments(given));
        assert_eq!(found, expected.map(amount), "{payable}: {given}");
    }
}

#[test]
fn split_parts_differ_by_one_minor_unit_at_most() {
    for (sum, ways, parts) in [
        ("10.00", 3, &["3.34", "3.33", "3.33"][..]),
        ("10.00", 1, &["10.00"]),
        ("0.02", 3, &["0.01", "0.01", "0.00"]),
        ("0.00", 2, &["0.00", "0.00"]),
        ("-0.05", 2, &["-0.03", "-0.02"]),
    ] {
        let found = split_amount(euro(), amount(sum), NonZeroU16::new(ways).unwrap());
        let found: Vec<String> = found.into_iter().map(|part| euro().money(part).to_string()).collect();
        assert_eq!(found, parts, "{sum} in {ways}");
    }
    let yen = Currency::parse("JPY").unwrap();
    assert_eq!(split_amount(yen, amount("100"), NonZeroU16::new(3).unwrap()), ["34", "33", "33"].map(amount));
}

#[test]
fn rounding_goes_to_nearest_cash_step() {
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
        let found = Rounding::round_to_step(amount(sum), amount(step));
        assert_eq!(found, amount(rounding), "{sum} to {step}");
    }
}

#[test]
fn cash_rounding_is_smaller_than_smallest_coin() {
    for (code, good, bad) in [
        ("EUR", &["0", "0.04", "-0.04"][..], &["0.05", "-0.05", "100", "-9999999999999.99"][..]),
        ("HUF", &["2", "-2", "4.99"], &["5", "-5"]),
        ("CLP", &["4", "-9"], &["10", "-10"]),
        ("IDR", &["-40", "99"], &["100"]),
        ("CZK", &["0.5", "-0.99"], &["1"]),
        ("JPY", &["0"], &["1", "-1"]),
    ] {
        let currency = Currency::parse(code).unwrap();
        for good in good {
            let rounding = Rounding::of_cash(amount(good), currency).unwrap();
            assert_eq!((rounding.amount(), rounding.share()), (amount(good), Amount::ZERO), "{code} {good}");
        }
        for bad in bad {
            let step = currency.money(currency.cash_step());
            assert_eq!(
                Rounding::of_cash(amount(bad), currency),
                Err(TicketError::RoundingTooLarge { step }),
                "{code} {bad}"
            );
        }
    }
}

#[test]
fn cash_rounding_keeps_refund_share() {
    let made = Rounding::from_share(amount("-3"));
    for (all, cash) in [("-3", "0"), ("-3.04", "-0.04"), ("-2.96", "0.04")] {
        let rounding = made.with_amount(amount(all), euro()).unwrap();
        assert_eq!((rounding.amount(), rounding.share()), (amount(all), amount("-3")));
        assert_eq!(rounding, Rounding::from_stored(amount(all), amount("-3")));
        assert_eq!(rounding.cash, amount(cash));
    }
    for bad in ["0", "-3.05", "-2.95"] {
        assert!(made.with_amount(amount(bad), euro()).is_err(), "{bad}");
    }
}
