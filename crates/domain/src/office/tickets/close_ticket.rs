//! Closes a ticket that is paid.

use serde_json::{Map, json};

use super::shown::{Shown, shown};
use super::work::{hand, known, ruled, store as keep};
use crate::office::ports::{OfficeTx, OfficeView};
use crate::office::refused::{Decided, Halt, decide};
use crate::office::stamp::Stamp;
use crate::ticket::{self, Label, Means, Payment, Receipt, paid};
use crate::{Action, Store, StoreExt, Subject, TenantId, TicketId};

/// How a ticket is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketClosing {
    /// Payments in the place of those on it.
    pub payments: Option<Vec<Payment>>,
    /// The number that a fiscal device has given it; else it gets the next of the device that it is closed on.
    pub number: Option<u64>,
    /// What made the number.
    pub fiscal: Label,
    /// The report of daily sales that it counts in.
    pub daily_sales_report: Option<u64>,
    /// Where no payment stands on the ticket and none is given: whether what is due counts as paid in cash.
    pub as_cash: bool,
}

/// Closes the ticket, for ever. Asks `ticketClose` and a sale device; what is due has to be paid.
pub fn close_ticket(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    id: TicketId,
    version: Option<i64>,
    closing: &TicketClosing,
) -> Decided<Shown> {
    store.write(|tx| decide(close(tx, tenant, stamp, id, version, closing)))
}

fn close(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    id: TicketId,
    version: Option<i64>,
    closing: &TicketClosing,
) -> Result<Shown, Halt> {
    let (before, hand) = (known(tx, tenant, id)?, hand(tx, tenant, stamp)?);
    let due = before.sheet.payable();
    let payments = match &closing.payments {
        None if closing.as_cash && before.sheet.payments.is_empty() && !due.is_zero() => {
            Some(vec![Payment { means: Means::Cash, name: Label::default(), amount: due }])
        }
        payments => payments.clone(),
    };
    let closed = |number| {
        let receipt =
            Receipt { number, fiscal: closing.fiscal.clone(), daily_sales_report: closing.daily_sales_report };
        ticket::close(&before, payments.clone(), receipt, &hand, version, stamp.at)
    };
    // judged before a number is drawn: what is refused takes none
    let mut after = ruled(id, closed(closing.number.unwrap_or_default()))?;
    let mut number = closing.number.unwrap_or_default();
    if closing.number.is_none() {
        number = tx.tickets().number(tenant, ruled(id, hand.till())?)?;
        after = ruled(id, closed(number))?;
    }
    keep(tx, &after)?;
    let details = Map::from_iter([
        ("number".to_owned(), json!(number)),
        ("payable".to_owned(), json!(after.sheet.payable().to_string())),
        ("change".to_owned(), json!(after.change().map(|change| change.to_string()).ok())),
        ("payments".to_owned(), json!({ "from": paid(&before.sheet.payments), "to": paid(&after.sheet.payments) })),
        ("version".to_owned(), json!(after.version)),
    ]);
    tx.audit().tell(&stamp.done(tenant, Action::TicketClose, Subject::Ticket(id), details))?;
    Ok(shown(tx, after)?)
}
