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

pub use amend_tickets::{TicketAmendment, UncheckedAmendment};
pub use change::{ItemInput, OwnerRef, TicketChange};
pub use close_ticket::{DEFAULT_FISCAL_NAME, TicketClosing};
pub use idempotency::{IdempotentRequest, TicketCreation, sweep_idempotency_keys};
pub use list_tickets::TicketSearch;
pub use open_ticket::NewTicket;
pub use refund_ticket::NewRefund;
pub use view::TicketView;
