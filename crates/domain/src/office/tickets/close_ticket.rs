//! Closes a ticket that is paid.

use serde_json::{Map, json};

use super::common::{load_actor, load_ticket, map_ticket_error, save_ticket};
use super::view::{TicketView, view_ticket};
use crate::office::Office;
use crate::office::error::{OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::ticket::{
    self, Label, Meta, NumberSeries, Payment, Receipt, Settlement, Sheet, Ticket, TicketActor, TicketError,
    TicketState, audit_payments, check_signs, find_payment_faults,
};
use crate::{Action, StoreExt, Subject, TenantId, TicketId};

/// The setting of a device with the name of its own fiscal memory.
pub const DEFAULT_FISCAL_NAME: &str = "DefaultFiscalName";

/// How a ticket is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketClosing {
    /// Payments that replace those of the ticket.
    pub payments: Option<Vec<Payment>>,
    /// The receipt number that a fiscal device has assigned, unique in its [series](NumberSeries).
    /// Without it, the ticket gets the next number of the series.
    pub number: Option<u64>,
    /// The fiscal memory that has assigned the number.
    pub fiscal: Label,
    /// The daily sales report that includes the ticket.
    pub daily_sales_report: Option<u64>,
    /// Further properties of the closing that a dialect defines.
    pub extra: Meta,
    /// Whether the due amount counts as paid in cash if the ticket has no payments and none are
    /// given.
    pub assume_cash: bool,
}

impl TicketClosing {
    /// What is wrong with the payments on this sheet, although other fields of the request are
    /// invalid. An invalid amount is zero here: if not `all_valid`, zero is not reported.
    pub fn find_faults(&self, sheet: &Sheet, all_valid: bool) -> Vec<TicketError> {
        let Some(payments) = &self.payments else { return Vec::new() };
        let mut faults = find_payment_faults(sheet, payments);
        let nonzero: Vec<_> = payments.iter().filter(|payment| !payment.amount.is_zero()).cloned().collect();
        if !all_valid && check_signs(sheet.payable(), &nonzero).is_ok() {
            faults.retain(|fault| !matches!(fault, TicketError::InvalidPayment { .. }));
        }
        faults
    }
}

impl Office<'_> {
    /// Closes the ticket for good. Requires the right `ticketClose` and a sale device; the due
    /// amount must be paid. Other payments, a given number, and a number of another fiscal memory
    /// also require the rights of a change of the ticket.
    pub fn close_ticket(
        &self,
        id: TicketId,
        versions: Option<&[i64]>,
        closing: &TicketClosing,
    ) -> UseCaseResult<TicketView> {
        self.store.write("close_ticket", |tx| commit_refusal(close(tx, self, id, versions, closing)))
    }
}

fn close(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: TicketId,
    versions: Option<&[i64]>,
    closing: &TicketClosing,
) -> Result<TicketView, UseCaseError> {
    let (before, actor) = (load_ticket(tx, office.tenant, id)?, load_actor(tx, office)?);
    let foreign = names_foreign_memory(tx, office.tenant, &before, &actor, &closing.fiscal)?;
    let closed = |number| {
        let receipt = Receipt {
            number,
            fiscal: closing.fiscal.clone(),
            daily_sales_report: closing.daily_sales_report,
            extra: closing.extra.clone(),
        };
        let numbered = foreign
            || closing.number.is_some()
            || closing.daily_sales_report.is_some()
            || !closing.extra.object().is_empty();
        let settlement = Settlement {
            payments: closing.payments.clone(),
            receipt,
            caller_numbered: numbered,
            assume_cash: closing.assume_cash,
        };
        ticket::close(&before, settlement, &actor, versions, office.context.at)
    };
    // Checked before a number is assigned, so that a denied closing uses none.
    map_ticket_error(id, closed(closing.number.unwrap_or_default()))?;
    let series = NumberSeries::of(map_ticket_error(id, actor.require_sale_device())?, &closing.fiscal);
    let number = match closing.number {
        Some(number) if !tx.tickets().assign_number(office.tenant, &series, number, id)? => {
            return Err(OfficeError::Ticket(TicketError::ReceiptNumberTaken(number)).into());
        }
        Some(number) => number,
        None => tx.tickets().allocate_number(office.tenant, &series, id)?,
    };
    let after = map_ticket_error(id, closed(number))?;
    save_ticket(tx, &after)?;
    let payments = |ticket: &Ticket| audit_payments(ticket.sheet.currency, &ticket.sheet.payments);
    let details = Map::from_iter([
        ("number".to_owned(), json!(number)),
        ("payable".to_owned(), json!(after.sheet.money(after.sheet.payable()).to_string())),
        ("change".to_owned(), json!(after.change_due().map(|change| after.sheet.money(change).to_string()).ok())),
        ("payments".to_owned(), json!({ "from": payments(&before), "to": payments(&after) })),
        ("version".to_owned(), json!(after.version)),
    ]);
    tx.audit().record(&office.build_event(Action::TicketClose, Subject::Ticket(id), details))?;
    Ok(view_ticket(tx, after)?)
}

/// Whether a closing names another fiscal memory than the till's own, which the setting
/// [`DEFAULT_FISCAL_NAME`] contains. A till without the setting may name any. A refund may use the
/// memory of the sale.
fn names_foreign_memory(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    before: &Ticket,
    actor: &TicketActor,
    named: &Label,
) -> Result<bool, UseCaseError> {
    let (Some(named), Ok(till)) = (NumberSeries::of_fiscal_memory(named.as_str()), actor.require_sale_device()) else {
        return Ok(false);
    };
    let of_device = tx.devices().find(till)?.and_then(|device| {
        let name = device.settings.get(DEFAULT_FISCAL_NAME)?;
        NumberSeries::of_fiscal_memory(name)
    });
    if of_device.is_none_or(|of_device| of_device == named) {
        return Ok(false);
    }
    let sold = match before.refund_of {
        Some(sold) => tx.tickets().find(tenant, sold)?,
        None => None,
    };
    let of_sale = sold.and_then(|sold| match &sold.state {
        TicketState::Closed(closing) => NumberSeries::of_fiscal_memory(closing.receipt.fiscal.as_str()),
        TicketState::Open | TicketState::Void(_) => None,
    });
    Ok(of_sale != Some(named))
}
