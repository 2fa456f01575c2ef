//! Tickets, changes and callers for the tests of tickets.

use std::collections::BTreeMap;

use tillgate_domain::office::ports::IdempotencyKey;
use tillgate_domain::office::{
    self, AuditContext, IdempotentRequest, ItemInput, NewRefund, NewTicket, Office, OfficeError, OwnerRef,
    TicketChange, TicketClosing, TicketView,
};
use tillgate_domain::ticket::{
    Article, Currency, ItemDraft, ItemKind, Label, Note, Payment, PaymentMethod, Rate, Ticket,
};
use tillgate_domain::{Actor, DeviceId, TenantId, TicketId, User, UserId, UserStatus};

use crate::inputs::*;
use crate::staffed_fixture::*;

/// A user on a device, with every right.
pub(crate) fn context_at(user: UserId, device: DeviceId) -> AuditContext {
    context_at_with(user, device, &["admin"])
}

pub(crate) fn context_at_with(user: UserId, device: DeviceId, names: &[&str]) -> AuditContext {
    AuditContext {
        actor: Actor { user: Some(user), device: Some(device), ..Actor::default() },
        ..caller_context(names)
    }
}

pub(crate) fn tea_line(price: &str, quantity: &str) -> ItemInput {
    let line = ItemDraft {
        id: 0,
        external_id: Label::default(),
        kind: ItemKind::Positive,
        article: Article { name: Label::parse("Tea").unwrap(), ..Article::default() },
        comment: Note::default(),
        unit_price: price.parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        unit: Label::parse("pcs").unwrap(),
        discount: Rate::ZERO,
    };
    ItemInput { id: None, item: line }
}

pub(crate) fn pay(means: PaymentMethod, amount: &str) -> Payment {
    Payment { method: means, name: Label::default(), amount: amount.parse().unwrap() }
}

pub(crate) fn payable_text(ticket: &Ticket) -> String {
    ticket.sheet.money(ticket.sheet.payable()).to_string()
}

pub(crate) fn new_ticket(sheet: TicketChange) -> NewTicket {
    NewTicket { id: TicketId::new(NOW, random_bytes()), currency: Currency::parse("EUR").unwrap(), sheet }
}

/// A sheet with this quantity of tea at 4.00.
pub(crate) fn tea_change(quantity: &str) -> TicketChange {
    TicketChange { items: Some(vec![tea_line("4", quantity)]), ..TicketChange::default() }
}

pub(crate) fn name_change(name: &str) -> TicketChange {
    TicketChange { name: Some(Label::parse(name).unwrap()), ..TicketChange::default() }
}

pub(crate) fn owner_change(owner: OwnerRef) -> TicketChange {
    TicketChange { owner: Some(owner), ..TicketChange::default() }
}

pub(crate) fn idempotent_request(key: &str, request: u8) -> IdempotentRequest {
    IdempotentRequest {
        key: IdempotencyKey::parse(key).unwrap(),
        digest: [request; 32],
        legacy_digest: [request + 100; 32],
    }
}

impl StaffedFixture {
    /// The manager on P01, who opens the tickets in these tests.
    pub(crate) fn seller_context(&self) -> AuditContext {
        context_at(self.fixture.user("manager").id, self.fixture.device("P01").id)
    }

    pub(crate) fn open_ticket(&self, sheet: TicketChange) -> TicketView {
        let made = self.office_as(self.seller_context()).open_ticket(&new_ticket(sheet), None).unwrap();
        made.unwrap().ticket
    }

    pub(crate) fn amend_ticket(
        &self,
        tenant: TenantId,
        stamp: AuditContext,
        id: TicketId,
        change: &TicketChange,
    ) -> Result<TicketView, OfficeError> {
        Office::new(self.store(), tenant, stamp).amend_ticket(id, None, change).unwrap()
    }

    pub(crate) fn close_ticket(&self, id: TicketId, payments: Vec<Payment>) -> Result<TicketView, OfficeError> {
        let closing = TicketClosing { payments: Some(payments), ..TicketClosing::default() };
        self.office_as(self.seller_context()).close_ticket(id, None, &closing).unwrap()
    }

    pub(crate) fn refund_ticket(
        &self,
        stamp: &AuditContext,
        sold: TicketId,
        items: Option<&[(u32, &str)]>,
        once: Option<&IdempotentRequest>,
    ) -> Result<office::TicketCreation, OfficeError> {
        let items = items.map(|items| {
            items.iter().map(|(id, quantity)| (*id, quantity.parse().unwrap())).collect::<BTreeMap<_, _>>()
        });
        let new = NewRefund { id: TicketId::new(NOW, random_bytes()), items };
        self.office_as(stamp.clone()).refund_ticket(sold, &new, once).unwrap()
    }

    pub(crate) fn add_user(&self, tenant: TenantId, called: &str) -> User {
        Office::new(self.store(), tenant, audit_context()).add_user(&new_user(called, &["cashier"])).unwrap().unwrap()
    }

    pub(crate) fn set_user_status(&self, id: UserId, status: UserStatus) {
        self.office().set_user_status(id, status).unwrap().unwrap();
    }
}
