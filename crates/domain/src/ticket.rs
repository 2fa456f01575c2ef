//! Tickets: what is sold, to whom, by whom, and for how much. Pure functions and types that are
//! valid by construction.
//!
//! A [`Ticket`] is open until it is closed or void. Its content is a [`Sheet`]. A change is another
//! sheet, and [`amend()`] checks the differences. Each rule takes the [`TicketActor`] and the
//! version that it has read, and returns the changed ticket or a [`TicketError`].
//!
//! Amounts are exact: integers in units of the last decimal place, products in 128 bits, no
//! floating point. This module knows neither stores nor wire formats nor clocks.

mod actor;
mod amend;
mod amount;
mod arithmetic;
mod cash_rounding;
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
mod quantity;
mod rate;
mod refund;
mod sheet;
mod size;
mod smallest_coins;
mod state;
mod text;
mod void;

pub use actor::{Ownership, TicketActor, TicketOperation};
pub use amend::{AmendResult, amend, require_changeable};
pub use amount::{Amount, Money};
pub use arithmetic::{Totals, UnitPrices};
pub use cash_rounding::Rounding;
pub(crate) use close::find_payment_faults;
pub use close::{Settlement, close};
pub use currency::{Currency, InvalidCurrency};
pub use customer::{Customer, Location, Meta};
pub use decimal::{Decimal, InvalidDecimal, Price};
pub(crate) use edit::audit_payments;
pub use edit::{Edit, audit_details};
pub use error::TicketError;
pub use item::{Article, Item, ItemDraft, ItemKind};
pub use number::NumberSeries;
pub use open::{Opening, open};
pub(crate) use payment::check_signs;
pub use payment::{Payment, PaymentMethod, change_due};
pub use quantity::Quantity;
pub use rate::Rate;
pub use refund::{compute_refundable, find_refund_faults, refund};
pub use sheet::{Draft, Sheet};
pub(crate) use sheet::{add_new, find_free_id, find_list_faults, find_repeated};
pub use state::{Closing, Receipt, Ticket, TicketRecord, TicketState, TicketStatus, Voiding};
pub use text::{BoundedText, Label, Note};
pub use void::void;
