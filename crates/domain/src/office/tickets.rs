//! The use cases of tickets: what people at a till do with them, and what everybody of the tenant may look at.
//!
//! The rules are those of [`ticket`](crate::ticket); here they meet the store. Each use case reads who works where with which rights,
//! has the rules judge, writes what came of it from the version that was read, and tells the audit.

mod amend_tickets;
mod change;
mod close_ticket;
mod list_tickets;
mod once;
mod open_ticket;
mod refund_ticket;
mod shown;
mod void_ticket;
mod work;

pub use amend_tickets::{TicketAmendment, amend_tickets};
pub use change::{Owner, TicketChange, WantedLine};
pub use close_ticket::{DEFAULT_FISCAL_NAME, TicketClosing, close_ticket};
pub use list_tickets::{TicketSearch, count_tickets, find_ticket, find_tickets, list_tickets, list_tickets_while};
pub use once::{Made, Once, sweep_idempotency_keys};
pub use open_ticket::{NewTicket, open_ticket, put_ticket};
pub use refund_ticket::{NewRefund, refund_ticket};
pub use shown::Shown;
pub use void_ticket::void_ticket;
