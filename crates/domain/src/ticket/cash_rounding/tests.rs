use super::*;
use crate::ticket::fixtures::{amount, euro};

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
