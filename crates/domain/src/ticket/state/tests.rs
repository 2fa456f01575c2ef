use super::*;
use crate::ticket::sample::{admin, blank, cash, closed, hand, item, opened, opening, receipt, sheet};
use crate::ticket::{Draft, Settlement, amend, close, refund, void};

fn voided(ticket: &Ticket) -> Ticket {
    let reason = Note::parse("left without ordering").unwrap();
    void(ticket, reason, &admin(1), Some(1), Instant::from_millis(3_000)).unwrap()
}

/// What each act says to a ticket: nothing where it is done.
fn acts(ticket: &Ticket, seen: i64) -> [Option<TicketRefused>; 4] {
    let (at, seen) = (Instant::from_millis(9_000), Some(seen));
    let wanted = Draft { items: vec![item(1, "9", "1"), item(2, "1", "1")], ..ticket.sheet.draft().clone() };
    let one = std::collections::BTreeMap::from([(1, "1".parse().unwrap())]);
    [
        amend(ticket, wanted.check().unwrap(), &admin(1), seen, at).err(),
        close(ticket, Settlement::new(Some(vec![cash("5")]), receipt()), &admin(1), seen, at).err(),
        void(ticket, Note::default(), &admin(1), seen, at).err(),
        refund(ticket, &[], &one, opening(200), &admin(1)).err(),
    ]
}

#[test]
fn an_open_ticket_can_be_changed_and_the_others_never_again() {
    let open = opened(sheet(vec![item(1, "5", "1")]));
    let not_sold = || Some(TicketRefused::NotSold);
    let (closed, void) = (closed(&open), voided(&open));
    assert_eq!(acts(&open, 1), [None, None, None, not_sold()]);
    let no = || Some(TicketRefused::Closed);
    assert_eq!(acts(&closed, 2), [no(), no(), no(), None]);
    let no = || Some(TicketRefused::Void);
    assert_eq!(acts(&void, 2), [no(), no(), no(), not_sold()]);
}

#[test]
fn who_saw_another_version_is_told_the_one_there_is_whatever_became_of_the_ticket() {
    let open = opened(sheet(vec![item(1, "5", "1")]));
    for ticket in [open.clone(), closed(&open), voided(&open)] {
        for seen in [0, ticket.version - 1, ticket.version + 1, i64::MAX] {
            let moved = Some(TicketRefused::Moved { current: ticket.version });
            let [amended, closing, voiding, _] = acts(&ticket, seen);
            assert_eq!([amended, closing, voiding], [moved.clone(), moved.clone(), moved], "{seen}");
        }
    }
}

#[test]
fn a_right_that_is_missing_comes_before_what_is_known_of_the_ticket() {
    let gone = closed(&opened(sheet(vec![item(1, "5", "1")])));
    let nobody = hand(1, &[]);
    let at = Instant::default();
    let code = |refused: TicketRefused| refused.code();
    assert_eq!(amend(&gone, gone.sheet.clone(), &nobody, Some(9), at).map_err(code).err(), Some("right_missing"));
    assert_eq!(
        close(&gone, Settlement::new(None, receipt()), &nobody, Some(9), at).map_err(code),
        Err("right_missing")
    );
    assert_eq!(void(&gone, Note::default(), &nobody, Some(9), at).map_err(code), Err("right_missing"));
}

#[test]
fn every_state_comes_back_from_the_store_as_it_was() {
    let open = opened(sheet(vec![item(1, "5", "1")]));
    for (ticket, name) in [open.clone(), closed(&open), voided(&open)].into_iter().zip(TicketStatus::ALL) {
        assert_eq!(ticket.state.status(), name);
        assert_eq!(Ticket::restore(ticket.record().clone()), Ok(ticket));
    }
}

#[test]
fn a_record_that_contradicts_itself_is_no_ticket() {
    let open = opened(sheet(vec![item(1, "5", "1")])).record().clone();
    let paid = closed(&opened(sheet(vec![item(1, "5", "1")]))).record().clone();
    let with = |record: &Record, draft: Draft| Record { sheet: draft.check().unwrap(), ..record.clone() };
    for (what, record) in [
        ("no version", Record { version: 0, ..open.clone() }),
        ("a refund of itself", Record { refund_of: Some(open.id), ..open.clone() }),
        ("a refund of nothing", Record { refund_of: Some(opening(9).id), ..with(&open, blank()) }),
        ("closed and empty", with(&paid, blank())),
        ("closed and unpaid", with(&paid, Draft { items: vec![item(1, "5", "1")], ..blank() })),
        ("closed for more", with(&paid, Draft { items: vec![item(1, "6", "1")], ..paid.sheet.draft().clone() })),
    ] {
        assert!(matches!(Ticket::restore(record), Err(TicketRefused::Contradiction(_))), "{what}");
    }
}
