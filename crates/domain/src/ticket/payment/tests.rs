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
