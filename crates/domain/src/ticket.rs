//! Tickets: what is sold, to whom, by whom, and what it comes to. Pure: types that are valid once made, and rules over them.
//!
//! A [`Ticket`] is open until it is closed or void. What people write on it is a [`Sheet`]; a change is another sheet, and
//! [`amend()`] judges what lies between the two. Each rule takes the [`Hand`] that works on the ticket and the version that it saw,
//! and gives back the ticket to store in the place of the one that was read, or a [`TicketRefused`].
//!
//! Money is exact: whole numbers of a last place, products in 128 bits, no floating point. Nothing here knows a store, a wire
//! format or a clock.

mod amend;
mod amount;
mod arithmetic;
mod cash;
mod close;
mod currency;
mod customer;
mod decimal;
mod edit;
mod item;
mod number;
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
mod size;
mod state;
mod text;
mod void;

pub use amend::{Amended, amend};
pub use amount::{Amount, Money};
pub use arithmetic::{Totals, UnitPrices};
pub use close::{Settlement, close};
pub use currency::{Currency, InvalidCurrency};
pub use customer::{Customer, Location, Meta};
pub use decimal::{Decimal, InvalidDecimal, Price};
pub(crate) use edit::paid;
pub use edit::{Edit, details};
pub use item::{Article, Item, ItemKind, Line, Quantity};
pub use number::NumberSeries;
pub use open::{Opening, open};
pub use payment::{Means, Payment, Rounding, change_due, split};
pub use rate::Rate;
pub use refund::{left_of, refund};
pub use refused::TicketRefused;
pub use right::{Hand, Operation, Whose};
pub(crate) use sheet::free_id;
pub use sheet::{Draft, Sheet};
pub use state::{Closing, Receipt, Record, Ticket, TicketState, TicketStatus, Voiding};
pub use text::{Label, Note, Text};
pub use void::void;
