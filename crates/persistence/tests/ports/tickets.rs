//! A closed ticket never changes, whatever statement is sent: these tests send statements that no
//! port sends.

use tillgate_domain::office::OfficePorts;
use tillgate_domain::ticket::{
    Currency, Draft, Item, ItemDraft, ItemKind, Label, Meta, Note, Opening, Payment, PaymentMethod, Rate, Receipt,
    Settlement, Ticket, TicketActor, close, open, void,
};
use tillgate_domain::{Authority, Environment, KnownRight, Rights, Store, StoreExt, TicketId};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{RawConnection, StoreFixture, TestDatabase, at, uuid};

pub(crate) fn ticket_actor(fixture: &StoreFixture) -> TicketActor {
    TicketActor {
        user: Some(fixture.anna.id),
        device: Some((fixture.till.id, Environment::CashRegister)),
        authority: Authority::Rights(Rights::of(&[KnownRight::Admin])),
    }
}

pub(crate) fn open_ticket(fixture: &StoreFixture, number: u64) -> Ticket {
    let line = ItemDraft {
        id: 1,
        external_id: Label::default(),
        kind: ItemKind::Positive,
        article: tillgate_domain::ticket::Article::default(),
        comment: Note::default(),
        unit_price: "2.5".parse().unwrap(),
        quantity: "2".parse().unwrap(),
        unit: Label::default(),
        discount: Rate::ZERO,
    };
    let currency = Currency::parse("EUR").unwrap();
    let draft = Draft { items: vec![Item::new(line).unwrap()], ..Draft::of(fixture.anna.id, currency) };
    let opening = Opening { id: TicketId(uuid(number)), tenant: fixture.tenant.id, at: at(number) };
    open(opening, draft.check().unwrap(), &ticket_actor(fixture)).unwrap()
}

pub(crate) fn close_ticket(ticket: &Ticket, fixture: &StoreFixture) -> Ticket {
    let payment = Payment { method: PaymentMethod::Card, name: Label::default(), amount: ticket.sheet.payable() };
    let receipt = Receipt { number: 1, fiscal: Label::default(), daily_sales_report: None, extra: Meta::default() };
    close(ticket, Settlement::new(Some(vec![payment]), receipt), &ticket_actor(fixture), None, at(99)).unwrap()
}

/// The SQL literal of an id.
fn id_literal(raw: &RawConnection, id: uuid::Uuid) -> String {
    let hex = id.simple();
    match raw {
        RawConnection::Sqlite(_) => format!("x'{hex}'"),
        RawConnection::Postgres(_) => format!("'\\x{hex}'::bytea"),
    }
}

fn closed_tickets_are_kept(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let (fixture, raw) = (StoreFixture::default(), fresh.raw());
    let (one, two, three) = (open_ticket(&fixture, 1), open_ticket(&fixture, 2), open_ticket(&fixture, 3));
    let (sold, gone) =
        (close_ticket(&one, &fixture), void(&two, Note::default(), &ticket_actor(&fixture), None, at(98)).unwrap());
    fresh.write_office(|tx| {
        for ticket in [&one, &two, &three] {
            assert!(tx.tickets().insert(ticket)?);
        }
        assert!(tx.tickets().update(&sold)? && tx.tickets().update(&gone)?);
        Ok(())
    });
    let row = |id: TicketId| {
        format!("tenant_id = {} AND id = {}", id_literal(raw, fixture.tenant.id.0), id_literal(raw, id.0))
    };
    let all = || {
        raw.query_texts(
            "SELECT state || sheet || version || COALESCE(ending, '') || payable AS text FROM tickets ORDER BY id",
        )
    };
    let before = all();
    for id in [sold.id, gone.id] {
        for set in [
            "sheet = '{}'",
            "state = 'open', ended_at = NULL, ending = NULL",
            "payable = 0",
            "version = version + 1",
            "owner_id = owner_id",
            "ended_at = ended_at + 1",
            "id = '\\x00'",
        ] {
            let done = raw.try_execute(&format!("UPDATE tickets SET {set} WHERE {}", row(id)));
            assert!(done.is_err(), "{set}");
        }
        assert!(raw.try_execute(&format!("DELETE FROM tickets WHERE {}", row(id))).is_err());
    }
    assert!(raw.try_execute("DELETE FROM tickets").is_err());
    assert!(raw.try_execute("UPDATE tickets SET sheet = ''").is_err());
    match raw {
        RawConnection::Sqlite(_) => {
            let columns = "tenant_id, id, state, currency, owner_id, device_id, opened_at, updated_at, ended_at, refund_of, \
                           external_id, name, customer, number, payable, payable_rest, version, sheet, ending";
            let other = columns
                .replace("payable,", "payable + 1,")
                .replace(" id,", &format!(" {},", id_literal(raw, sold.id.0)));
            let copy = |verb: &str, columns: &str, values: &str, rest: &str| {
                let from = row(three.id);
                raw.try_execute(&format!(
                    "{verb} INTO tickets ({columns}) SELECT {values} FROM tickets WHERE {from} {rest}"
                ))
            };
            // no insert replaces a closed ticket: inserts are ignored, updates rejected
            let placed = format!("rowid, {columns}");
            for closed in [sold.id, gone.id] {
                let in_row = format!("(SELECT rowid FROM tickets WHERE {})", row(closed));
                let new = columns.replace(" id,", &format!(" {},", id_literal(raw, uuid(77))));
                for verb in ["INSERT OR REPLACE", "REPLACE"] {
                    copy(verb, columns, &other, "").unwrap();
                    copy(verb, &placed, &format!("{in_row}, {new}"), "").unwrap();
                }
                for row_id in ["rowid", "oid", "_rowid_"] {
                    let moved = format!("UPDATE OR REPLACE tickets SET {row_id} = {in_row} WHERE {}", row(three.id));
                    assert!(raw.try_execute(&moved).is_err(), "{row_id}");
                }
                let moved =
                    format!("UPDATE OR REPLACE tickets SET id = {} WHERE {}", id_literal(raw, closed.0), row(three.id));
                assert!(raw.try_execute(&moved).is_err());
            }
            copy("INSERT", columns, &other, "ON CONFLICT (tenant_id, id) DO UPDATE SET sheet = '{}'").unwrap();
        }
        RawConnection::Postgres(_) => {
            for statement in ["TRUNCATE tickets", "TRUNCATE tickets CASCADE"] {
                assert!(raw.try_execute(statement).is_err(), "{statement}");
            }
            let upsert = format!(
                "INSERT INTO tickets SELECT * FROM tickets WHERE {} \
                 ON CONFLICT (tenant_id, id) DO UPDATE SET sheet = '{{}}'",
                row(sold.id)
            );
            assert!(raw.try_execute(&upsert).is_err());
        }
    }
    assert_eq!(all(), before);
    // the triggers do not affect open tickets
    raw.execute(&format!("UPDATE tickets SET name = 'by hand' WHERE {}", row(three.id)));
    raw.execute(&format!("DELETE FROM tickets WHERE {}", row(three.id)));
    assert_eq!(all().len(), 2);
    let store: &dyn Store<OfficePorts> = &*fresh.database;
    assert_eq!(store.read("test", |tx| tx.tickets().find(fixture.tenant.id, sold.id)).unwrap(), Some(sold));
}

tillgate_testkit::on_both_databases!(closed_tickets_are_kept, incomplete_closing_is_refused);

fn incomplete_closing_is_refused(engine: DatabaseEngine) {
    let fresh = TestDatabase::on(engine).with_fixture();
    fresh.write_office(|tx| tx.tickets().insert(&open_ticket(&StoreFixture::default(), 1)));
    for set in ["state = 'closed'", "state = 'paid'", "ended_at = 1", "ending = '{}'"] {
        assert!(fresh.raw().try_execute(&format!("UPDATE tickets SET {set}")).is_err(), "{set}");
    }
}
