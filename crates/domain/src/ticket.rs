//! Tickets: what is sold, to whom, by whom, and what it comes to. Pure: types that are valid once made, and rules over them.
//!
//! A [`Ticket`] is open until it is closed or void. What people write on it is a [`Sheet`]; a change is another sheet, and
//! [`amend()`] judges what lies between the two. Each rule takes the [`Hand`] that works on the ticket and the version that it saw,
//! and gives back the ticket to store in the place of the one that was read, or a [`TicketRefused`].
//!
//! Money is exact: whole numbers of a last place, products in 128 bits, no floating point. Nothing here knows a store, a wire
//! format or a clock.

mod amend;
mod arithmetic;
mod close;
mod customer;
mod decimal;
mod edit;
mod item;
mod open;
mod payment;
#[cfg(test)]
mod properties;
mod rate;
mod refund;
mod refused;
mod right;
#[cfg(test)]
mod sample;
mod sheet;
mod state;
mod text;
mod void;

pub use amend::{Amended, amend};
pub use arithmetic::{Totals, UnitPrices};
pub use close::close;
pub use customer::{Customer, Location, Meta};
pub use decimal::{Amount, Decimal, InvalidDecimal, Price};
pub(crate) use edit::paid;
pub use edit::{Edit, details};
pub use item::{Article, Item, ItemKind, Line, Quantity};
pub use open::{Opening, open};
pub use payment::{Means, Payment, Rounding, change_due, split};
pub use rate::Rate;
pub use refund::{left_of, refund};
pub use refused::TicketRefused;
pub use right::{Hand, Operation, Whose};
pub use sheet::{Draft, Sheet};
pub use state::{Closing, Receipt, Record, Ticket, TicketState, TicketStatus, Voiding};
pub use text::{Currency, InvalidCurrency, Label, Note, Text};
pub use void::void;
