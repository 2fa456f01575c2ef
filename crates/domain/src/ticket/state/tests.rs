use super::*;
use crate::ticket::fixtures::{actor, admin, blank, cash, closed_ticket, item, opened_ticket, opening, receipt, sheet};
use crate::ticket::{Draft, Settlement, amend, close, refund, void};

fn voided_ticket(ticket: &Ticket) -> Ticket {
    let reason = Note::parse("left without ordering").unwrap();
    void(ticket, reason, &admin(1), Some(&[1]), Instant::from_millis(3_000)).unwrap()
}

/// The result of each operation on a ticket: `None` if it is done.
fn acts(ticket: &Ticket, seen: &[i64]) -> [Option<TicketError>; 4] {
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
fn only_open_ticket_can_be_changed() {
    let open = opened_ticket(sheet(vec![item(1, "5", "1")]));
    let not_sold = || Some(TicketError::NotClosed);
    let (closed, void) = (closed_ticket(&open), voided_ticket(&open));
    for seen in [&[1][..], &[7, 1], &[1, 2]] {
        assert_eq!(acts(&open, seen), [None, None, None, not_sold()], "{seen:?}");
    }
    let no = || Some(TicketError::Closed);
    assert_eq!(acts(&closed, &[2]), [no(), no(), no(), None]);
    let no = || Some(TicketError::Void);
    assert_eq!(acts(&void, &[2]), [no(), no(), no(), not_sold()]);
}

#[test]
fn version_mismatch_is_reported_before_state() {
    let open = opened_ticket(sheet(vec![item(1, "5", "1")]));
    for ticket in [open.clone(), closed_ticket(&open), voided_ticket(&open)] {
        let (before, after) = (ticket.version - 1, ticket.version + 1);
        for seen in [&[][..], &[0], &[before], &[after], &[i64::MAX], &[after, before]] {
            let moved = Some(TicketError::VersionMismatch { current: ticket.version });
            let [amended, closing, voiding, _] = acts(&ticket, seen);
            assert_eq!([amended, closing, voiding], [moved.clone(), moved.clone(), moved], "{seen:?}");
        }
    }
}

#[test]
fn missing_right_is_reported_before_ticket_state() {
    let gone = closed_ticket(&opened_ticket(sheet(vec![item(1, "5", "1")])));
    let nobody = actor(1, &[]);
    let at = Instant::default();
    let code = |refused: TicketError| refused.code();
    assert_eq!(amend(&gone, gone.sheet.clone(), &nobody, Some(&[9]), at).map_err(code).err(), Some("right_missing"));
    assert_eq!(
        close(&gone, Settlement::new(None, receipt()), &nobody, Some(&[9]), at).map_err(code),
        Err("right_missing")
    );
    assert_eq!(void(&gone, Note::default(), &nobody, Some(&[9]), at).map_err(code), Err("right_missing"));
}

#[test]
fn ticket_states_survive_round_trip() {
    let open = opened_ticket(sheet(vec![item(1, "5", "1")]));
    for (ticket, name) in [open.clone(), closed_ticket(&open), voided_ticket(&open)].into_iter().zip(TicketStatus::ALL)
    {
        assert_eq!(ticket.state.status(), name);
        assert_eq!(Ticket::restore(ticket.record().clone()), Ok(ticket));
    }
}

#[test]
fn inconsistent_record_is_rejected() {
    let open = opened_ticket(sheet(vec![item(1, "5", "1")])).record().clone();
    let paid = closed_ticket(&opened_ticket(sheet(vec![item(1, "5", "1")]))).record().clone();
    let with = |record: &TicketRecord, draft: Draft| TicketRecord { sheet: draft.check().unwrap(), ..record.clone() };
    for (what, record) in [
        ("no version", TicketRecord { version: 0, ..open.clone() }),
        ("a refund of itself", TicketRecord { refund_of: Some(open.id), ..open.clone() }),
        ("a refund of nothing", TicketRecord { refund_of: Some(opening(9).id), ..with(&open, blank()) }),
        ("closed and empty", with(&paid, blank())),
        ("closed and unpaid", with(&paid, Draft { items: vec![item(1, "5", "1")], ..blank() })),
        ("closed for more", with(&paid, Draft { items: vec![item(1, "6", "1")], ..paid.sheet.draft().clone() })),
    ] {
        assert!(matches!(Ticket::restore(record), Err(TicketError::Inconsistent(_))), "{what}");
    }
}
