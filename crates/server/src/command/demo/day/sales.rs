//! Sales: tickets that are opened, changed, closed, voided and refunded.

use std::str::FromStr;
use std::time::Duration;

use tillgate_auth_core::Caller;
use tillgate_domain::office::{ItemInput, NewRefund, NewTicket, Office, TicketChange, TicketClosing, TicketView};
use tillgate_domain::ticket::{
    Article, Currency, ItemDraft, ItemKind, Label, Note, Payment, PaymentMethod, Quantity, Rate,
};
use tillgate_domain::{KnownRight, TicketId};

use super::Day;
use crate::command::CommandError;
use crate::command::demo::assortment::Assortment;
use crate::command::demo::staff::DemoStore;
use crate::command::office::check_decided;

/// How long after its opening a ticket is closed.
const SALE_TIME: Duration = Duration::from_secs(70);

/// What becomes of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sale {
    Cash,
    Card,
    /// Closed with a discount.
    Discounted,
    /// Closed after an item was canceled.
    Corrected,
    Voided,
    LeftOpen,
    /// The ticket before it is refunded.
    Refund,
}

impl Day<'_> {
    /// A sale at a till by this caller, which began `ago`.
    pub(super) fn sell(&mut self, till: &'static str, caller: &Caller, ago: Duration) -> Result<(), CommandError> {
        let rights = &caller.profile.rights;
        let special = rights.allows(KnownRight::Storno) && self.random.chance(55);
        let sale = if special {
            let choices = [Sale::Discounted, Sale::Corrected, Sale::Voided, Sale::Refund];
            self.random.choose(&choices).copied().unwrap_or(Sale::Cash)
        } else {
            let choices = [Sale::Cash, Sale::Cash, Sale::Cash, Sale::Card, Sale::Card, Sale::LeftOpen];
            self.random.choose(&choices).copied().unwrap_or(Sale::Cash)
        };
        match (sale, self.last_closed.remove(till)) {
            (Sale::Refund, Some(sold)) => self.refund(caller, sold, ago),
            _ => self.sell_as(till, caller, sale, ago),
        }
    }

    fn sell_as(&mut self, till: &'static str, caller: &Caller, sale: Sale, ago: Duration) -> Result<(), CommandError> {
        let store = if caller.profile.device.as_ref().is_some_and(|device| device.branch == self.first_store()) {
            DemoStore::Bratislava
        } else {
            DemoStore::Jakarta
        };
        let assortment = store.assortment();
        let count = if sale == Sale::Corrected { 2 } else { self.random.number_between(1, 3) };
        let items = (0..count).map(|_| self.draw_item(&assortment)).collect::<Result<Vec<_>, _>>()?;
        let id = self.engine.auth.new_id(TicketId::new).map_err(CommandError::failed)?;
        let new = NewTicket {
            id,
            currency: Currency::parse(assortment.currency).map_err(CommandError::failed)?,
            sheet: TicketChange { items: Some(items), ..TicketChange::default() },
        };
        let mut ticket = check_decided(self.office(caller)?.open_ticket(&new, None))?.ticket;
        self.engine.set_time_ago(ago.saturating_sub(SALE_TIME));
        let change = match sale {
            Sale::LeftOpen => return Ok(()),
            Sale::Voided => {
                let reason = Note::parse("The customer left").map_err(CommandError::failed)?;
                return check_decided(self.office(caller)?.void_ticket(id, None, &reason)).map(drop);
            }
            Sale::Discounted => Some(TicketChange { discount: Some(parse::<Rate>("10")?), ..TicketChange::default() }),
            Sale::Corrected => Some(TicketChange { items: Some(first_item(&ticket)), ..TicketChange::default() }),
            Sale::Cash | Sale::Card | Sale::Refund => None,
        };
        if let Some(change) = change {
            ticket = check_decided(self.office(caller)?.amend_ticket(id, None, &change))?;
        }
        self.close(caller, &ticket, sale == Sale::Card)?;
        self.last_closed.insert(till, id);
        Ok(())
    }

    fn refund(&self, caller: &Caller, sold: TicketId, ago: Duration) -> Result<(), CommandError> {
        let id = self.engine.auth.new_id(TicketId::new).map_err(CommandError::failed)?;
        let new = NewRefund { id, items: None };
        let refund = check_decided(self.office(caller)?.refund_ticket(sold, &new, None))?.ticket;
        self.engine.set_time_ago(ago.saturating_sub(SALE_TIME));
        self.close(caller, &refund, false)
    }

    fn close(&self, caller: &Caller, ticket: &TicketView, by_card: bool) -> Result<(), CommandError> {
        let card = Payment {
            method: PaymentMethod::Card,
            name: Label::parse("Card").map_err(CommandError::failed)?,
            amount: ticket.ticket.sheet.payable(),
        };
        let closing =
            TicketClosing { payments: by_card.then(|| vec![card]), assume_cash: !by_card, ..TicketClosing::default() };
        check_decided(self.office(caller)?.close_ticket(ticket.ticket.id, None, &closing)).map(drop)
    }

    fn draw_item(&mut self, assortment: &Assortment) -> Result<ItemInput, CommandError> {
        let Some(chosen) = self.random.choose(assortment.articles) else {
            return Err(CommandError::failed("the store sells nothing"));
        };
        let article = Article {
            name: Label::parse(chosen.name).map_err(CommandError::failed)?,
            vat: Some(parse(chosen.vat)?),
            discount_allowed: true,
            ..Article::default()
        };
        let item = ItemDraft {
            id: 0,
            external_id: Label::default(),
            kind: ItemKind::Positive,
            article,
            comment: Note::default(),
            unit_price: parse(chosen.price)?,
            quantity: parse::<Quantity>(&self.random.number_between(1, 3).to_string())?,
            unit: Label::default(),
            discount: Rate::ZERO,
        };
        Ok(ItemInput { id: None, item })
    }

    /// The back office for one use case of this caller, as a request would get it.
    pub(super) fn office(&self, caller: &Caller) -> Result<Office<'_>, CommandError> {
        let context = self.engine.auth.caller_context(caller).map_err(CommandError::failed)?;
        let stale_proof = caller.stale_proof(context.at);
        Ok(Office::new(self.engine.database, self.tenant.id, context).with_stale_proof(stale_proof))
    }
}

/// The first item of the ticket, without the others.
fn first_item(ticket: &TicketView) -> Vec<ItemInput> {
    let first = ticket.ticket.sheet.items.first();
    first.map(|item| ItemInput { id: Some(item.id), item: item.draft().clone() }).into_iter().collect()
}

fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, CommandError> {
    text.parse().map_err(CommandError::failed)
}
