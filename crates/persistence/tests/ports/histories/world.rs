//! The tills, who works at them, and the store that they all ask.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_domain::office::ports::IdempotencyKey;
use tillgate_domain::office::{
    self, Authority, NewRefund, NewTicket, Once, Stamp, TicketAmendment, TicketChange, TicketClosing,
};
use tillgate_domain::ticket::{Currency, Label, Means, Note, Payment, Ticket};
use tillgate_domain::{Actor, Device, DeviceId, DeviceName, EventId, TicketId, User, UserId, UserName};
use tillgate_persistence::Database;
use uuid::Uuid;

use super::TILLS;
use super::acts::{Act, Deed, items, of};
use crate::stores::{Fresh, Shop, at, uuid};

/// A till with somebody at it.
#[derive(Clone, Copy)]
pub(super) struct Till {
    user: UserId,
    device: DeviceId,
}

pub(super) struct World {
    pub(super) database: Arc<Database>,
    pub(super) shop: Shop,
    pub(super) tills: [Till; TILLS],
    drawn: AtomicU64,
}

impl World {
    pub(super) fn open(fresh: &Fresh) -> Self {
        let shop = Shop::default();
        let mut tills = [Till { user: shop.anna.id, device: shop.till.id }; TILLS];
        fresh.office(|tx| {
            for (number, till) in (1..).zip(&mut tills[1..]) {
                let name = format!("P0{}", number + 1);
                let device = Device {
                    id: DeviceId(uuid(300 + number)),
                    name: DeviceName::parse(&name).unwrap(),
                    ..shop.till.clone()
                };
                let name = UserName::parse(&format!("Ben {number}")).unwrap();
                let user = User { id: UserId(uuid(400 + number)), name, email: None, ..shop.anna.clone() };
                assert!(tx.devices().insert(&device)? && tx.users().insert(&user)?);
                *till = Till { user: user.id, device: device.id };
            }
            Ok(())
        });
        Self { database: Arc::clone(&fresh.database), shop, tills, drawn: AtomicU64::new(1 << 32) }
    }

    fn draw(&self) -> Uuid {
        uuid(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    fn stamp(&self, till: Till) -> Stamp {
        let actor = Actor { user: Some(till.user), device: Some(till.device), ..Actor::default() };
        Stamp { at: at(60), event: EventId(self.draw()), actor, authority: Authority::Host, shell: None }
    }

    pub(super) fn open_ticket(&self, till: Till, history: u64) -> Ticket {
        let new = NewTicket {
            id: TicketId(self.draw()),
            currency: Currency::parse("EUR").unwrap(),
            sheet: TicketChange { items: Some(items(&[2, 1])), ..TicketChange::default() },
        };
        let key = IdempotencyKey::parse(&format!("history-{history}")).unwrap();
        let request = [u8::try_from(history % 251).unwrap(); 32];
        let once = Once { key, request, earlier: request };
        let made =
            office::open_ticket(&*self.database, self.shop.tenant.id, &self.stamp(till), &new, Some(&once)).unwrap();
        made.unwrap().shown.ticket
    }

    pub(super) fn act(&self, till: Till, ticket: TicketId, act: Act, seen: Option<i64>) -> Deed {
        let (store, tenant, stamp) = (&*self.database, self.shop.tenant.id, self.stamp(till));
        let mark = self.draw().to_string();
        let amend = |change: TicketChange| {
            let external_id = Some(Label::parse(&mark).unwrap());
            let change = TicketChange { external_id, ..change };
            let amendment = TicketAmendment { stamp: stamp.clone(), id: ticket, version: seen, change };
            let done = office::amend_tickets(store, tenant, &[amendment]).unwrap();
            done.map(|mut shown| shown.remove(0).ticket)
        };
        let done = match &act {
            Act::Items(quantities) => amend(TicketChange { items: Some(items(quantities)), ..TicketChange::default() }),
            Act::Discount(percent) => {
                let discount = Some(percent.to_string().parse().unwrap());
                amend(TicketChange { discount, ..TicketChange::default() })
            }
            Act::Close => {
                let amount = "1000".parse().unwrap();
                let payments = vec![Payment { means: Means::Cash, name: Label::default(), amount }];
                let closing = TicketClosing { payments: Some(payments), ..TicketClosing::default() };
                let done = office::close_ticket(store, tenant, &stamp, ticket, seen, &closing).unwrap();
                done.map(|shown| shown.ticket)
            }
            Act::Void => {
                let done = office::void_ticket(store, tenant, &stamp, ticket, seen, &Note::default()).unwrap();
                done.map(|shown| shown.ticket)
            }
            Act::Refund(quantity) => {
                let items = quantity.map(|quantity| BTreeMap::from([(1, of(quantity))]));
                let new = NewRefund { id: TicketId(self.draw()), items };
                let done = office::refund_ticket(store, tenant, &stamp, ticket, &new, None).unwrap();
                done.map(|made| made.shown.ticket)
            }
        };
        Deed { act, seen, mark, done }
    }
}
