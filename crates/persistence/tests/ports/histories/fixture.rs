//! The tills and users of the histories, and the store that all of them use.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_domain::office::ports::IdempotencyKey;
use tillgate_domain::office::{
    AuditContext, IdempotentRequest, NewRefund, NewTicket, Office, TicketChange, TicketClosing,
};
use tillgate_domain::ticket::{Currency, Label, Note, Payment, PaymentMethod, Ticket};
use tillgate_domain::{Actor, Authority, Device, DeviceId, DeviceName, EventId, TicketId, User, UserId, UserName};
use tillgate_persistence::Database;
use uuid::Uuid;

use super::TILL_COUNT;
use super::actions::{ActionRecord, TillAction, parse_quantity, wanted_items};
use crate::test_database::{StoreFixture, TestDatabase, at, uuid};

/// A till and its user.
#[derive(Clone, Copy)]
pub(super) struct Till {
    user: UserId,
    device: DeviceId,
}

pub(super) struct HistoryFixture {
    pub(super) database: Arc<Database>,
    pub(super) records: StoreFixture,
    pub(super) tills: [Till; TILL_COUNT],
    next_id: AtomicU64,
}

impl HistoryFixture {
    pub(super) fn open(fresh: &TestDatabase) -> Self {
        let records = StoreFixture::default();
        let mut tills = [Till { user: records.anna.id, device: records.till.id }; TILL_COUNT];
        fresh.write_office(|tx| {
            for (number, till) in (1..).zip(&mut tills[1..]) {
                let name = format!("P0{}", number + 1);
                let device = Device {
                    id: DeviceId(uuid(300 + number)),
                    name: DeviceName::parse(&name).unwrap(),
                    ..records.till.clone()
                };
                let name = UserName::parse(&format!("Ben {number}")).unwrap();
                let user = User { id: UserId(uuid(400 + number)), name, email: None, ..records.anna.clone() };
                assert!(tx.devices().insert(&device)? && tx.users().insert(&user)?);
                *till = Till { user: user.id, device: device.id };
            }
            Ok(())
        });
        Self { database: Arc::clone(&fresh.database), records, tills, next_id: AtomicU64::new(1 << 32) }
    }

    fn draw_id(&self) -> Uuid {
        uuid(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    fn audit_context(&self, till: Till) -> AuditContext {
        let actor = Actor { user: Some(till.user), device: Some(till.device), ..Actor::default() };
        AuditContext { at: at(60), event_id: EventId(self.draw_id()), actor, authority: Authority::Host, os_user: None }
    }

    pub(super) fn open_ticket(&self, till: Till, history: u64) -> Ticket {
        let new = NewTicket {
            id: TicketId(self.draw_id()),
            currency: Currency::parse("EUR").unwrap(),
            sheet: TicketChange { items: Some(wanted_items(&[2, 1])), ..TicketChange::default() },
        };
        let key = IdempotencyKey::parse(&format!("history-{history}")).unwrap();
        let request = [u8::try_from(history % 251).unwrap(); 32];
        let once = IdempotentRequest { key, digest: request, legacy_digest: request };
        let made = Office::new(&*self.database, self.records.tenant.id, self.audit_context(till))
            .open_ticket(&new, Some(&once))
            .unwrap();
        made.unwrap().ticket.ticket
    }

    pub(super) fn run_action(&self, till: Till, ticket: TicketId, act: TillAction, seen: Option<i64>) -> ActionRecord {
        let office = Office::new(&*self.database, self.records.tenant.id, self.audit_context(till));
        let (mark, versions) = (self.draw_id().to_string(), seen.as_ref().map(std::slice::from_ref));
        let amend = |change: TicketChange| {
            let external_id = Some(Label::parse(&mark).unwrap());
            let change = TicketChange { external_id, ..change };
            office.amend_ticket(ticket, versions, &change).unwrap().map(|shown| shown.ticket)
        };
        let done = match &act {
            TillAction::Items(quantities) => {
                amend(TicketChange { items: Some(wanted_items(quantities)), ..TicketChange::default() })
            }
            TillAction::Discount(percent) => {
                let discount = Some(percent.to_string().parse().unwrap());
                amend(TicketChange { discount, ..TicketChange::default() })
            }
            TillAction::Close => {
                let amount = "1000".parse().unwrap();
                let payments = vec![Payment { method: PaymentMethod::Cash, name: Label::default(), amount }];
                let closing = TicketClosing { payments: Some(payments), ..TicketClosing::default() };
                let done = office.close_ticket(ticket, versions, &closing).unwrap();
                done.map(|shown| shown.ticket)
            }
            TillAction::Void => {
                let done = office.void_ticket(ticket, versions, &Note::default()).unwrap();
                done.map(|shown| shown.ticket)
            }
            TillAction::Refund(quantity) => {
                let items = quantity.map(|quantity| BTreeMap::from([(1, parse_quantity(quantity))]));
                let new = NewRefund { id: TicketId(self.draw_id()), items };
                let done = office.refund_ticket(ticket, &new, None).unwrap();
                done.map(|made| made.ticket.ticket)
            }
        };
        ActionRecord { action: act, expected_version: seen, mark, result: done }
    }
}
