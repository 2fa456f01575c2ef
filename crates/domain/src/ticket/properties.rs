//! Properties of all tickets, tested with random ones. The expected numbers are computed from exact
//! fractions, independently of the arithmetic under test.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fixtures::{admin, closed_ticket, opened_ticket, opening, receipt, user};
use super::*;
use crate::Instant;

/// An exact fraction in lowest terms, with a positive denominator.
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

    /// Rounds to this many places: to the nearer integer, a half away from zero.
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

/// What the published steps give for an item, in smallest units: total, with VAT, after discount,
/// after discount with VAT.
fn expected(line: &ItemDraft, ticket: Rate, currency: Currency) -> [i64; 4] {
    let of = |units: i64| Fraction::new(i128::from(units), 1_000_000);
    let part = |rate: Rate| of(rate.percent().units()).times(Fraction::new(1, 100));
    let (one, minus) = (Fraction(1, 1), Fraction(-1, 1));
    let unit = of(line.unit_price.units());
    let vat = line.article.vat.map_or(Fraction(0, 1), |rate| unit.times(part(rate)).to(6));
    let with_vat = unit.plus(vat).to(6);
    let rest = |rate: Rate| one.plus(part(rate).to(4).times(minus));
    let effective = one.plus(rest(ticket).times(rest(line.discount)).times(minus)).to(4);
    let left = if line.article.discount_allowed { one.plus(effective.times(minus)) } else { one };
    let quantity = of(line.quantity.value().units());
    [unit, with_vat, unit.times(left).to(6), with_vat.times(left).to(6)]
        .map(|price| price.times(quantity).to(currency.decimal_places()).units(currency.decimal_places()))
}

fn found(totals: &Totals, currency: Currency) -> [i64; 4] {
    [totals.total, totals.including_vat, totals.after_discount, totals.after_discount_including_vat]
        .map(|amount| units(amount, currency))
}

/// Currencies of every number of decimal places, some with large coins, and one as stored when all
/// had two places.
fn currency() -> BoxedStrategy<Currency> {
    let of = |code| Currency::parse(code).unwrap();
    let kept = Currency::from_stored("JPY", 2).unwrap();
    let all = ["EUR", "EUR", "CZK", "HUF", "JPY", "CLP", "KWD", "CLF"].map(of);
    prop::sample::select(all.into_iter().chain([kept]).collect::<Vec<_>>()).boxed()
}

/// An amount in smallest units of its currency, checked by its text.
fn units(amount: Amount, currency: Currency) -> i64 {
    let text = currency.money(amount).to_string();
    let places = text.split_once('.').map_or(0, |(_, part)| part.len());
    assert_eq!(u32::try_from(places).unwrap(), currency.decimal_places(), "{text} of {currency}");
    text.replace('.', "").parse().unwrap()
}

/// A number of smallest units that is less than the smallest coin.
fn rounding(part: i64, currency: Currency) -> i64 {
    part % units(currency.cash_step(), currency)
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
    ) -> ItemDraft {
        let price = if kind == ItemKind::Positive { price } else { -price };
        ItemDraft {
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

fn lines() -> impl Strategy<Value = Vec<ItemDraft>> {
    (1..8_u32).prop_flat_map(|count| (1..=count).map(any_line).collect::<Vec<_>>())
}

fn draft(lines: Vec<ItemDraft>, discount: Rate, rounding: i64, currency: Currency) -> Draft {
    let items = lines.into_iter().map(|line| Item::new(line).unwrap()).collect();
    let rounding = Rounding::of_cash(currency.amount_from_minor_units(rounding).unwrap(), currency).unwrap();
    Draft { discount, items, rounding, ..Draft::of(user(1), currency) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn totals_match_exact_results_rounded_as_published(
        lines in lines(),
        discount in rate(),
        part in -99..100_i64,
        currency in currency(),
    ) {
        let rounding = rounding(part, currency);
        let sheet = draft(lines.clone(), discount, rounding, currency).check().unwrap();
        let mut sums = [0; 4];
        for (item, line) in sheet.items.iter().zip(&lines) {
            let each = expected(line, discount, currency);
            prop_assert_eq!(found(&item.totals(discount, currency), currency), each);
            for (sum, each) in sums.iter_mut().zip(each) {
                *sum += each;
            }
        }
        let totals = sheet.totals();
        prop_assert_eq!(found(&totals, currency), sums);
        prop_assert_eq!(units(totals.discount, currency), sums[0] - sums[2]);
        prop_assert_eq!(units(totals.discount_including_vat, currency), sums[1] - sums[3]);
        prop_assert_eq!(units(sheet.payable(), currency), sums[3] + rounding);
    }

    #[test]
    fn totals_do_not_depend_on_order_of_changes(
        lines in lines(),
        discounts in prop::collection::vec(rate(), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        currency in currency(),
    ) {
        let whole = draft(lines.clone(), *discounts.last().unwrap(), 0, currency).check().unwrap();
        let mut ticket = opened_ticket(Draft::of(user(1), currency).check().unwrap());
        let change = |ticket: &Ticket, draft: Draft| {
            amend(ticket, draft.check().unwrap(), &admin(1), Some(&[ticket.version]), Instant::default()).unwrap().ticket
        };
        // Items are added and removed, and the discount changes in between.
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
    fn change_does_not_depend_on_number_of_payments(
        due in prop_oneof![-500..500_i64, -99_999_999..99_999_999_i64],
        more in 0..10_000_i64,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        currency in currency(),
    ) {
        let due_amount = currency.amount_from_minor_units(due).unwrap();
        let given = if due > 0 { due + more } else { due };
        let cash = |units: i64| Payment {
            method: PaymentMethod::Cash,
            name: Label::default(),
            amount: currency.amount_from_minor_units(units).unwrap(),
        };
        // the sum is cut at these places, each in minor units
        let (size, sign) = (usize::try_from(given.abs()).unwrap(), given.signum());
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(size + 1)).chain([0, size]).collect();
        places.sort_unstable();
        places.dedup();
        let parts: Vec<Payment> =
            places.windows(2).map(|pair| cash(sign * i64::try_from(pair[1] - pair[0]).unwrap())).collect();
        let whole: Vec<Payment> = if given == 0 { Vec::new() } else { vec![cash(given)] };
        let change = change_due(currency, due_amount, &whole).unwrap();
        prop_assert_eq!(change_due(currency, due_amount, &parts).unwrap(), change);
        prop_assert_eq!(given - units(change, currency), due);
    }

    #[test]
    fn refunds_return_cost_of_goods_and_together_amount_paid(
        lines in lines(),
        discount in rate(),
        part in -99..100_i64,
        currency in currency(),
        parts in prop::collection::vec((any::<prop::sample::Index>(), 1..=4_i64, any::<bool>()), 0..12),
    ) {
        let rounding = rounding(part, currency);
        let sold = closed_ticket(&opened_ticket(draft(lines.clone(), discount, rounding, currency).check().unwrap()));
        let paid = units(sold.sheet.payable(), currency);
        let sold_something = lines.iter().any(|line| !line.quantity.value().is_zero());
        // The cost of each item, from the fractions.
        let cost: BTreeMap<u32, i64> =
            lines.iter().map(|line| (line.id, expected(line, discount, currency)[3])).collect();
        let whole: BTreeMap<u32, i64> =
            lines.iter().map(|line| (line.id, line.quantity.value().units().abs())).collect();
        let mut left = whole.clone();
        let mut refunds: Vec<Ticket> = Vec::new();
        let (mut given, mut given_for_goods) = (0, 0);
        let goods = cost.values().filter(|cost| **cost > 0).sum::<i64>() + rounding;
        let quantity = |units: i64| Quantity::new(Decimal::from_units(units).unwrap()).unwrap();
        let take = |refunds: &[Ticket], wanted: &BTreeMap<u32, Quantity>| {
            let opening = opening(200 + refunds.len() as u128);
            refund(&sold, refunds, wanted, opening, &admin(2))
        };
        // The cost of the part of an item that is left.
        let share = |id: u32, left: i64| {
            let taken = Fraction::new((whole[&id] - left).into(), whole[&id].into());
            taken.times(Fraction(cost[&id].into(), 1)).to(0).units(0)
        };
        for (index, part, void_it) in parts {
            let (id, rest) = left.iter().nth(index.index(left.len())).map(|(id, rest)| (*id, *rest)).unwrap();
            // More than what is left is never refunded.
            let over = quantity(rest + 1);
            let refused = take(&refunds, &BTreeMap::from([(id, over)])).unwrap_err();
            prop_assert_eq!(refused.code(), "refund_too_large");
            if rest == 0 {
                continue;
            }
            let taken = (rest / part).max(1);
            let made = take(&refunds, &BTreeMap::from([(id, quantity(taken))])).unwrap();
            if void_it {
                let gone = void(&made, Note::default(), &admin(2), Some(&[1]), Instant::default()).unwrap();
                refunds.push(gone);
                continue;
            }
            let back = -units(made.sheet.payable(), currency);
            given += back;
            left.insert(id, rest - taken);
            let last = left.values().all(|left| *left == 0);
            let worth = share(id, rest - taken) - share(id, rest);
            if last {
                prop_assert_eq!(given, paid, "the last gives back what is left");
            } else if cost[&id] > 0 {
                // At most what is left of the payment for goods, which a rounding may have reduced.
                prop_assert_eq!(back, worth.min((goods - given_for_goods).max(0)), "goods");
            } else {
                prop_assert_eq!(back, worth, "deposits and the like");
            }
            given_for_goods += if cost[&id] > 0 { back } else { 0 };
            refunds.push(if part % 2 == 0 { closed_ticket(&made) } else { made });
        }
        let rest: BTreeMap<u32, Quantity> =
            left.iter().filter(|(_, units)| **units > 0).map(|(id, units)| (*id, quantity(*units))).collect();
        if !rest.is_empty() {
            let made = take(&refunds, &rest).unwrap();
            given -= units(made.sheet.payable(), currency);
        }
        // If nothing was sold, nothing can be refunded, and the rounding stays.
        prop_assert_eq!(given, if sold_something { paid } else { 0 });
    }

    #[test]
    fn closed_ticket_is_paid_and_survives_round_trip(
        lines in lines(),
        discount in rate(),
        card in 0..200_000_i64,
        cash in 0..200_000_i64,
        currency in currency(),
    ) {
        let ticket = opened_ticket(draft(lines, discount, 0, currency).check().unwrap());
        let due = units(ticket.sheet.payable(), currency);
        let of = |method, units: i64| {
            let amount = currency.amount_from_minor_units(units).unwrap();
            (units != 0).then(|| Payment { method, name: Label::default(), amount })
        };
        let payments: Vec<Payment> = of(PaymentMethod::Card, card).into_iter().chain(of(PaymentMethod::Cash, cash)).collect();
        let settlement = Settlement::new(Some(payments), receipt());
        let made = close(&ticket, settlement, &admin(1), Some(&[1]), Instant::default());
        let over = card + cash - due;
        let fits = if due < 0 { false } else { over >= 0 && over <= cash };
        prop_assert_eq!(made.is_ok(), fits, "due {} card {} cash {}: {:?}", due, card, cash, made.err());
        if let Ok(made) = made {
            prop_assert_eq!(units(made.change_due().unwrap(), currency), over);
            prop_assert_eq!(Ticket::restore(made.record().clone()), Ok(made));
        }
    }

    #[test]
    fn amount_not_representable_in_currency_is_rejected(
        ten_thousandths in prop_oneof![-20_000..20_000_i64, -99_999_999_999..99_999_999_999_i64],
        currency in currency(),
    ) {
        let sign = if ten_thousandths < 0 { "-" } else { "" };
        let size = ten_thousandths.unsigned_abs();
        let text = format!("{sign}{}.{:04}", size / 10_000, size % 10_000);
        let amount: Amount = text.parse().unwrap();
        let smallest = 10_i64.pow(4 - currency.decimal_places());
        let payments = vec![Payment { method: PaymentMethod::Cash, name: Label::default(), amount }];
        let sheet = Draft { payments, ..Draft::of(user(1), currency) }.check();
        prop_assert_eq!(sheet.is_ok(), ten_thousandths % smallest == 0, "{} {}", text, currency);
        if sheet.is_ok() {
            prop_assert_eq!(currency.amount_from_minor_units(units(amount, currency)), Ok(amount));
            prop_assert_eq!(currency.to_minor_units(amount), units(amount, currency));
        }
    }
}
