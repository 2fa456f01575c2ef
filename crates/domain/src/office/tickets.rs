//! The use cases of tickets: what people at a till do with them, and what everybody of the tenant may look at.
//!
//! The rules are those of [`ticket`](crate::ticket); here they meet the store. Each use case reads who works where with which rights,
//! has the rules judge, writes what came of it from the version that was read, and tells the audit.

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
