//! What holds of every ticket, tried on tickets that nobody would think of. The expected numbers are made here from fractions of
//! whole numbers, without a line of the arithmetic that they check.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use proptest::prelude::*;

use super::sample::{admin, closed, opened, opening, receipt, user};
use super::*;
use crate::Instant;

/// An exact fraction in its lowest terms, its denominator above zero.
#[derive(Clone, Copy, Debug)]
struct Fraction(i128, i128);

impl Fraction {
    fn new(over: i128, under: i128) -> Self {
        let (mut a, mut b) = (over.unsigned_abs(), under.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let common = i128::try_from(a.max(1)).unwrap();
        Self(over / common, under / common)
    }

    fn times(self, other: Self) -> Self {
        let (left, right) = (Self::new(self.0, other.1), Self::new(other.0, self.1));
        Self::new(left.0.checked_mul(right.0).unwrap(), left.1.checked_mul(right.1).unwrap())
    }

    fn plus(self, other: Self) -> Self {
        Self::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    /// To so many places: of the two whole numbers around it the nearer, and between them the one further from zero.
    fn to(self, places: u32) -> Self {
        let one = 10_i128.pow(places);
        let scaled = Self::new(self.0 * one, self.1);
        let below = scaled.0.div_euclid(scaled.1);
        let twice = 2 * (scaled.0 - below * scaled.1);
        let up = twice > scaled.1 || (twice == scaled.1 && scaled.0 > 0);
        Self::new(below + i128::from(up), one)
    }

    fn units(self, places: u32) -> i64 {
        let scaled = self.0 * 10_i128.pow(places);
        assert_eq!(scaled % self.1, 0, "{self:?} has more than {places} places");
        i64::try_from(scaled / self.1).unwrap()
    }
}

/// What the published steps make of an item, in hundredths: total, with VAT, after discount, after discount with VAT.
fn expected(line: &Line, ticket: Rate) -> [i64; 4] {
    let of = |units: i64| Fraction::new(i128::from(units), 1_000_000);
    let part = |rate: Rate| of(rate.percent().units()).times(Fraction::new(1, 100));
    let (one, minus) = (Fraction(1, 1), Fraction(-1, 1));
    let unit = of(line.unit_price.units());
    let vat = line.article.vat.map_or(Fraction(0, 1), |rate| unit.times(part(rate)).to(6));
    let with_vat = unit.plus(vat).to(6);
    let rest = |rate: Rate| one.plus(part(rate).to(4).times(minus));
    let effective = one.plus(rest(ticket).times(rest(line.discount)).times(minus)).to(4);
    let left = if line.article.discount_allowed { one.plus(effective.times(minus)) } else { one };
    let quantity = of(line.quantity.amount().units());
    [unit, with_vat, unit.times(left).to(6), with_vat.times(left).to(6)]
        .map(|price| price.times(quantity).to(2).units(2))
}

fn found(totals: &Totals) -> [i64; 4] {
    [totals.total, totals.including_vat, totals.after_discount, totals.after_discount_including_vat].map(Amount::units)
}

/// A number of millionths: small ones, round ones and any, since halves are rare among any.
fn millionths(most: i64) -> BoxedStrategy<i64> {
    let step = move |step: i64| (0..=most / step).prop_map(move |number| number * step);
    prop_oneof![0..=most.min(200), step(5_000), step(10_000), step(500_000), 0..=most].boxed()
}

fn rate() -> BoxedStrategy<Rate> {
    let made = |units| Rate::new(Decimal::from_units(units).unwrap()).unwrap();
    prop_oneof![Just(Rate::ZERO), millionths(100_000_000).prop_map(made)].boxed()
}

prop_compose! {
    fn any_line(id: u32)(
        kind in prop::sample::select(vec![ItemKind::Positive, ItemKind::Positive, ItemKind::Negative, ItemKind::Returned]),
        price in millionths(2_000_000_000),
        quantity in millionths(50_000_000),
        back in prop::sample::select(vec![false, false, false, true]),
        vat in prop::option::of(rate()),
        discount in rate(),
        discount_allowed in any::<bool>(),
    ) -> Line {
        let price = if kind == ItemKind::Positive { price } else { -price };
        Line {
            id,
            external_id: Label::default(),
            kind,
            article: Article { vat, discount_allowed, ..Article::default() },
            comment: Note::default(),
            unit_price: Decimal::from_units(price).unwrap(),
            quantity: Quantity::new(Decimal::from_units(if back { -quantity } else { quantity }).unwrap()).unwrap(),
            unit: Label::default(),
            discount,
        }
    }
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    (1..8_u32).prop_flat_map(|count| (1..=count).map(any_line).collect::<Vec<_>>())
}

fn draft(lines: Vec<Line>, discount: Rate, rounding: i64) -> Draft {
    let items = lines.into_iter().map(|line| Item::new(line).unwrap()).collect();
    let step = Amount::from_units(100).unwrap();
    let rounding = Rounding::within(Amount::from_units(rounding).unwrap(), step).unwrap();
    Draft { discount, items, rounding, ..Draft::of(user(1)) }
}

fn cents(amounts: &[Amount]) -> i64 {
    amounts.iter().map(|amount| amount.units()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn totals_are_the_exact_results_rounded_as_published(
        lines in lines(),
        discount in rate(),
        rounding in -99..100_i64,
    ) {
        let sheet = draft(lines.clone(), discount, rounding).check().unwrap();
        let mut sums = [0; 4];
        for (item, line) in sheet.items.iter().zip(&lines) {
            let each = expected(line, discount);
            prop_assert_eq!(found(&item.totals(discount)), each);
            for (sum, each) in sums.iter_mut().zip(each) {
                *sum += each;
            }
        }
        let totals = sheet.totals();
        prop_assert_eq!(found(&totals), sums);
        prop_assert_eq!(totals.discount.units(), sums[0] - sums[2]);
        prop_assert_eq!(totals.discount_including_vat.units(), sums[1] - sums[3]);
        prop_assert_eq!(sheet.payable().units(), sums[3] + rounding);
    }

    #[test]
    fn whatever_the_order_of_changes_the_totals_are_those_of_what_stands_there(
        lines in lines(),
        discounts in prop::collection::vec(rate(), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let whole = draft(lines.clone(), *discounts.last().unwrap(), 0).check().unwrap();
        let mut ticket = opened(Draft::of(user(1)).check().unwrap());
        let change = |ticket: &Ticket, draft: Draft| {
            amend(ticket, draft.check().unwrap(), &admin(1), Some(ticket.version), Instant::default()).unwrap().ticket
        };
        // There and back again: items come and go, the discount changes in between.
        for (step, index) in order.iter().enumerate() {
            let mut draft = ticket.sheet.draft().clone();
            let item = &whole.items[index.index(whole.items.len())];
            let before = draft.items.len();
            draft.items.retain(|each| each.id != item.id);
            if draft.items.len() == before {
                draft.items.push(item.clone());
            }
            draft.discount = discounts[step % discounts.len()];
            ticket = change(&ticket, draft);
        }
        let mut draft = ticket.sheet.draft().clone();
        for item in &whole.items {
            if !draft.items.contains(item) {
                draft.items.push(item.clone());
            }
        }
        draft.discount = whole.discount;
        ticket = change(&ticket, draft);
        prop_assert_eq!(ticket.sheet.totals(), whole.totals());
        prop_assert_eq!(ticket.sheet.payable(), whole.payable());
    }

    #[test]
    fn splitting_a_payment_makes_and_loses_no_cent(
        due in prop_oneof![-500..500_i64, -99_999_999..99_999_999_i64],
        more in 0..10_000_i64,
        ways in 1..60_u16,
    ) {
        let due_amount = Amount::from_units(due).unwrap();
        let given = Amount::from_units(if due > 0 { due + more } else { due }).unwrap();
        let parts = split(given, NonZeroU16::new(ways).unwrap());
        prop_assert_eq!(parts.len(), usize::from(ways));
        prop_assert_eq!(cents(&parts), given.units());
        let (least, most) = (parts.iter().min().unwrap(), parts.iter().max().unwrap());
        prop_assert!(most.units() - least.units() <= 1);
        let cash = |amounts: &[Amount]| -> Vec<Payment> {
            let some = amounts.iter().filter(|amount| !amount.is_zero());
            some.map(|amount| Payment { means: Means::Cash, name: Label::default(), amount: *amount }).collect()
        };
        // However it is split, the same change comes back, and what was given less the change is what was due.
        let back = change_due(due_amount, &cash(&[given])).unwrap();
        prop_assert_eq!(change_due(due_amount, &cash(&parts)).unwrap(), back);
        prop_assert_eq!(given.units() - back.units(), due);
    }

    #[test]
    fn refunds_never_exceed_their_ticket_and_all_of_them_give_back_what_was_paid(
        lines in lines(),
        discount in rate(),
        rounding in -99..100_i64,
        parts in prop::collection::vec((any::<prop::sample::Index>(), 1..=4_i64, any::<bool>()), 0..12),
    ) {
        let sold = closed(&opened(draft(lines.clone(), discount, rounding).check().unwrap()));
        let paid = sold.sheet.payable().units();
        let mut left: BTreeMap<u32, i64> = lines.iter().map(|line| (line.id, line.quantity.amount().units().abs())).collect();
        let mut refunds: Vec<Ticket> = Vec::new();
        let mut given = 0;
        let quantity = |units: i64| Quantity::new(Decimal::from_units(units).unwrap()).unwrap();
        let take = |refunds: &[Ticket], wanted: &BTreeMap<u32, Quantity>| {
            let opening = opening(200 + refunds.len() as u128);
            refund(&sold, refunds, wanted, opening, &admin(2))
        };
        for (index, part, void_it) in parts {
            let (id, rest) = left.iter().nth(index.index(left.len())).map(|(id, rest)| (*id, *rest)).unwrap();
            // One more than is left is never given.
            let over = quantity(rest + 1);
            let refused = take(&refunds, &BTreeMap::from([(id, over)])).unwrap_err();
            prop_assert_eq!(refused.code(), "refund_too_large");
            if rest == 0 {
                continue;
            }
            let units = (rest / part).max(1);
            let made = take(&refunds, &BTreeMap::from([(id, quantity(units))])).unwrap();
            if void_it {
                let gone = void(&made, Note::default(), &admin(2), Some(1), Instant::default()).unwrap();
                refunds.push(gone);
                continue;
            }
            given -= made.sheet.payable().units();
            prop_assert!(given <= paid.max(0), "{} of {}", given, paid);
            refunds.push(if part % 2 == 0 { closed(&made) } else { made });
            left.insert(id, rest - units);
        }
        let rest: BTreeMap<u32, Quantity> =
            left.iter().filter(|(_, units)| **units > 0).map(|(id, units)| (*id, quantity(*units))).collect();
        if !rest.is_empty() {
            let made = take(&refunds, &rest).unwrap();
            given -= made.sheet.payable().units();
        }
        // where nothing was sold there is nothing to take back, and its rounding stays
        let sold_something = lines.iter().any(|line| !line.quantity.amount().is_zero());
        prop_assert_eq!(given, if sold_something { paid } else { 0 });
    }

    #[test]
    fn what_is_closed_is_paid_and_comes_back_from_the_store(
        lines in lines(),
        discount in rate(),
        card in 0..200_000_i64,
        cash in 0..200_000_i64,
    ) {
        let ticket = opened(draft(lines, discount, 0).check().unwrap());
        let due = ticket.sheet.payable().units();
        let of = |means, units: i64| {
            let amount = Amount::from_units(units).unwrap();
            (units != 0).then(|| Payment { means, name: Label::default(), amount })
        };
        let payments: Vec<Payment> = of(Means::Card, card).into_iter().chain(of(Means::Cash, cash)).collect();
        let made = close(&ticket, Some(payments), receipt(), &admin(1), Some(1), Instant::default());
        let over = card + cash - due;
        let fits = if due < 0 { false } else { over >= 0 && over <= cash };
        prop_assert_eq!(made.is_ok(), fits, "due {} card {} cash {}: {:?}", due, card, cash, made.err());
        if let Ok(made) = made {
            prop_assert_eq!(made.change().unwrap().units(), over);
            prop_assert_eq!(Ticket::restore(made.record().clone()), Ok(made));
        }
    }
}
