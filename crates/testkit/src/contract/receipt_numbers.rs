//! Receipt numbers: consecutive and unique in each series, whether they are given or generated.

use tillgate_domain::office::ports::OfficeTx;
use tillgate_domain::ticket::NumberSeries;
use tillgate_domain::{StoreExt, StoreResult};

use super::tickets::{insert_ticket, new_ticket, parse_label, tea_draft};
use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};
use crate::ticket_samples::{self, ticket_id};

fn fiscal_series(fixture: &ContractFixture, fiscal: &str) -> NumberSeries {
    NumberSeries::of(fixture.till.id, &parse_label(fiscal))
}

/// A fixture with open tickets 1 to 9.
fn insert_nine_tickets(harness: &StoreHarness) -> ContractFixture {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for number in 1..=9 {
        assert!(insert_ticket(harness, &new_ticket(&fixture, number, tea_draft(&fixture, "3"))));
    }
    fixture
}

/// Receipt numbers are assigned consecutively in each series, and a rolled-back unit of work leaves
/// no gap.
pub fn numbers_of_a_series_have_no_gap(harness: &StoreHarness) {
    let fixture = insert_nine_tickets(harness);
    let draw = |series: &NumberSeries, ticket| {
        run_office_write(harness, |tx| tx.tickets().allocate_number(fixture.tenant.id, series, ticket_id(ticket)))
    };
    let (till, handheld) = (fiscal_series(&fixture, ""), NumberSeries::of(fixture.handheld.id, &parse_label("")));
    assert_eq!(
        [draw(&till, 1), draw(&till, 2), draw(&handheld, 3), draw(&fiscal_series(&fixture, "eKasa"), 4)],
        [1, 2, 1, 1]
    );
    let failed: StoreResult<u64> = harness.office.write("test", |tx| {
        tx.tickets().allocate_number(fixture.tenant.id, &till, ticket_id(5))?;
        Err(tillgate_domain::StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    assert_eq!(draw(&till, 5), 3);
    // a fiscal memory has one series, whichever device it numbers for
    let shared = NumberSeries::of(fixture.handheld.id, &parse_label("eKasa"));
    assert_eq!(draw(&shared, 6), 2);
    // and in every spelling of its name that folds to the same text
    assert_eq!([draw(&fiscal_series(&fixture, "EKASA"), 7), draw(&fiscal_series(&fixture, " ekasa "), 8)], [3, 4]);
}

/// A receipt number that was supplied is unique in its series and is skipped when numbers are
/// assigned.
pub fn number_of_a_series_is_unique(harness: &StoreHarness) {
    let fixture = insert_nine_tickets(harness);
    let far = ticket_samples::foreign_ticket(&fixture, 1);
    assert!(insert_ticket(harness, &far));
    let give_in = |tenant, fiscal: &str, number, ticket| {
        run_office_write(harness, |tx| {
            tx.tickets().assign_number(tenant, &fiscal_series(&fixture, fiscal), number, ticket_id(ticket))
        })
    };
    let give = |fiscal: &str, number, ticket| give_in(fixture.tenant.id, fiscal, number, ticket);
    let draw = |fiscal: &str, ticket| {
        run_office_write(harness, |tx| {
            tx.tickets().allocate_number(fixture.tenant.id, &fiscal_series(&fixture, fiscal), ticket_id(ticket))
        })
    };
    assert!(give("FM1", 2, 1));
    assert!(!give("FM1", 2, 2) && !give("fm1 ", 2, 2));
    assert!(give("FM2", 2, 2) && give("", 2, 3), "of another series");
    assert!(give_in(fixture.other_tenant.id, "FM1", 2, 1), "of another tenant");
    assert!(give("FM1", 3, 4) && give("FM1", 5, 5));
    // the largest numbers, which assignment never reaches
    assert!(give("FM1", u64::MAX, 6) && give("FM1", i64::MAX.unsigned_abs(), 7));
    assert!(!give("FM1", u64::MAX, 8) && !give("FM1", i64::MAX.unsigned_abs(), 8));
    assert_eq!([draw("FM1", 2), draw("FM1", 3), draw("FM1", 8), draw("FM1", 9)], [1, 4, 6, 7]);
    assert!(!give("FM1", 4, 1), "one that was drawn");
    let rolled_back: StoreResult<bool> = harness.office.write("test", |tx| {
        tx.tickets().assign_number(fixture.tenant.id, &fiscal_series(&fixture, "FM1"), 8, ticket_id(1))?;
        Err(tillgate_domain::StoreError::Fault("on purpose".into()))
    });
    assert!(rolled_back.is_err());
    assert!(give("FM1", 8, 1), "a rolled-back number was not assigned");
}

/// Two numbers assigned concurrently in one series differ.
pub fn concurrent_numbers_differ(harness: &StoreHarness) {
    let fixture = insert_nine_tickets(harness);
    let crossing = Rendezvous::default();
    let draw = |ticket: u8| {
        run_office_write(harness, |tx| {
            crossing.wait();
            tx.tickets().allocate_number(fixture.tenant.id, &fiscal_series(&fixture, "eKasa"), ticket_id(ticket))
        })
    };
    let (one, other) = run_both(|| draw(1), || draw(2));
    assert_eq!(one + other, 3, "{one} {other}");
}

/// Of two concurrent tickets with the same supplied number, exactly one gets it, and a number
/// assigned meanwhile differs.
pub fn concurrent_use_of_one_number_succeeds_once(harness: &StoreHarness) {
    let fixture = insert_nine_tickets(harness);
    let crossing = Rendezvous::default();
    let give = |ticket: u8| {
        run_office_write(harness, |tx| {
            crossing.wait();
            tx.tickets().assign_number(fixture.tenant.id, &fiscal_series(&fixture, "eKasa"), 1, ticket_id(ticket))
        })
    };
    let (one, other) = run_both(|| give(1), || give(2));
    assert!(one ^ other, "{one} {other}");
    let crossing = Rendezvous::default();
    let meet = |act: &dyn Fn(&mut (dyn OfficeTx + '_)) -> StoreResult<u64>| {
        run_office_write(harness, |tx| {
            crossing.wait();
            act(tx)
        })
    };
    let give = |tx: &mut (dyn OfficeTx + '_)| {
        tx.tickets().assign_number(fixture.tenant.id, &fiscal_series(&fixture, "FM1"), 1, ticket_id(3)).map(u64::from)
    };
    let draw = |tx: &mut (dyn OfficeTx + '_)| {
        tx.tickets().allocate_number(fixture.tenant.id, &fiscal_series(&fixture, "FM1"), ticket_id(4))
    };
    let (given, drawn) = run_both(|| meet(&give), || meet(&draw));
    assert_eq!(drawn, if given == 1 { 2 } else { 1 }, "given {given}");
}
