//! The use cases of tickets.
//!
//! The rules are in [`ticket`](crate::ticket). Each use case reads the actor, applies the rules,
//! writes the result to the version that was read, and records the audit event.

mod amend_tickets;
mod change;
mod close_ticket;
mod common;
mod idempotency;
mod list_tickets;
mod open_ticket;
mod refund_ticket;
mod view;
mod void_ticket;

pub use amend_tickets::{TicketAmendment, amend_tickets};
pub use change::{ItemInput, OwnerRef, TicketChange};
pub use close_ticket::{DEFAULT_FISCAL_NAME, TicketClosing, close_ticket};
pub use idempotency::{IdempotentRequest, TicketCreation, sweep_idempotency_keys};
pub use list_tickets::{TicketSearch, count_tickets, find_ticket, find_tickets, list_tickets, list_tickets_while};
pub use open_ticket::{NewTicket, open_ticket, put_ticket};
pub use refund_ticket::{NewRefund, refund_ticket};
pub use view::TicketView;
pub use void_ticket::void_ticket;
