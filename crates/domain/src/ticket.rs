//! Tickets: what is sold, to whom, by whom, and what it comes to. Pure: types that are valid once made, and rules over them.
//!
//! A [`Ticket`] is open until it is closed or void. What people write on it is a [`Sheet`]; a change is another sheet, and
//! [`amend()`] judges what lies between the two. Each rule takes the [`TicketActor`] that works on the ticket and the version that it saw,
//! and gives back the ticket to store in the place of the one that was read, or a [`TicketError`].
//!
//! Money is exact: whole numbers of a last place, products in 128 bits, no floating point. Nothing here knows a store, a wire
//! format or a clock.

mod actor;
mod amend;
mod amount;
mod arithmetic;
mod cash;
mod close;
mod currency;
mod customer;
mod decimal;
mod edit;
mod error;
#[cfg(test)]
mod fixtures;
mod item;
mod number;
mod open;
mod payment;
#[cfg(test)]
mod properties;
mod rate;
mod refund;
mod sheet;
mod size;
mod state;
mod text;
mod void;

pub use actor::{Ownership, TicketActor, TicketOperation};
pub use amend::{AmendResult, amend};
pub use amount::{Amount, Money};
pub use arithmetic::{Totals, UnitPrices};
pub use close::{Settlement, close};
pub use currency::{Currency, InvalidCurrency};
pub use customer::{Customer, Location, Meta};
pub use decimal::{Decimal, InvalidDecimal, Price};
pub(crate) use edit::audit_payments;
pub use edit::{Edit, audit_details};
pub use error::TicketError;
pub use item::{Article, Item, ItemDraft, ItemKind, Quantity};
pub use number::NumberSeries;
pub use open::{Opening, open};
pub use payment::{Payment, PaymentMethod, Rounding, change_due, split_amount};
pub use rate::Rate;
pub use refund::{compute_refundable, refund};
pub(crate) use sheet::find_free_id;
pub use sheet::{Draft, Sheet};
pub use state::{Closing, Receipt, Ticket, TicketRecord, TicketState, TicketStatus, Voiding};
pub use text::{BoundedText, Label, Note};
pub use void::void;
