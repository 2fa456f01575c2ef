//! `ticket`: lists and shows tickets. Only users on tills create and change them.

use clap::{Args, Subcommand, ValueEnum};
use tillgate_domain::office::ports::{OffsetPageRequest, TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::office::{MAX_PAGE_SIZE, TicketSearch, TicketView};
use tillgate_domain::ticket::{Item, Sheet, TicketState, TicketStatus};
use tillgate_domain::{DeviceName, TicketId, UserName};
use tillgate_http::native_bodies::TicketBody;

use super::argument_errors::ArgumentErrors;
use super::json::format_instant;
use super::office::CommandOffice;
use super::store::find_branch;
use super::{CommandError, Context, parse, print};

/// The subcommands of `ticket`.
#[derive(Debug, Subcommand)]
pub(crate) enum TicketCommand {
    /// List tickets, newest first
    #[command(after_help = "Example:\n  tillgate ticket list --state open --device P01")]
    List(ListArgs),
    /// Show a ticket with its items and payments
    #[command(after_help = "Example:\n  tillgate ticket show 018f3b3e-0000-7000-8000-000000000000")]
    Show {
        /// Id of the ticket
        #[arg(value_parser = parse::id::<TicketId>("ticket list"))]
        id: TicketId,
    },
}

/// The filters of `ticket list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only tickets in this state
    #[arg(long)]
    state: Option<TicketStateArg>,
    /// Only tickets of this user
    #[arg(long, value_name = "NAME", value_parser = parse::user)]
    user: Option<UserName>,
    /// Only tickets opened on this device
    #[arg(long, value_name = "NAME", value_parser = parse::device)]
    device: Option<DeviceName>,
    /// Only tickets opened on devices that are in this store now (name or id)
    #[arg(long)]
    store: Option<String>,
    /// Only tickets opened at or after this time: 2026-11-21T08:00:00Z, or a date in the tenant's
    /// time zone
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Only tickets opened before this time, or until the end of this date
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Only the closed tickets with this receipt number
    #[arg(long, value_name = "NUMBER")]
    number: Option<u64>,
    /// Only refunds if true, only sales if false
    #[arg(long, value_name = "YES")]
    refund: Option<bool>,
    /// Only refunds of this ticket
    #[arg(long, value_name = "ID", value_parser = parse::id::<TicketId>("ticket list"))]
    refund_of: Option<TicketId>,
    /// Only tickets with this text in their name, external id or customer name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Maximum number of tickets
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = parse::limit::<u32>())]
    limit: u32,
}

/// The state of a ticket, as an argument.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TicketStateArg {
    Open,
    Closed,
    Void,
}

impl TicketStateArg {
    const fn to_status(self) -> TicketStatus {
        match self {
            Self::Open => TicketStatus::Open,
            Self::Closed => TicketStatus::Closed,
            Self::Void => TicketStatus::Void,
        }
    }
}

impl TicketCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        match self {
            Self::List(which) => {
                let found = which.find_tickets(&office)?;
                let rows: Vec<_> = found.iter().map(|view| (ticket_cells(view), TicketBody::from_view(view))).collect();
                let headings = ["ID", "STATE", "OPENED", "USER", "DEVICE", "NUMBER", "PAYABLE", "NAME"];
                print::print_table(context.json, &headings, &rows);
            }
            Self::Show { id } => {
                let found = office.unguarded().find_ticket(*id).map_err(CommandError::failed)?;
                let view = found.ok_or_else(|| {
                    CommandError::failed(format!("there is no ticket \"{id}\"; `tillgate ticket list` shows the ids"))
                })?;
                if context.json {
                    print::print_result(true, "", &TicketBody::from_view(&view));
                } else {
                    print_ticket(&view);
                }
            }
        }
        Ok(())
    }
}

impl ListArgs {
    fn find_tickets(&self, office: &CommandOffice) -> Result<Vec<TicketView>, CommandError> {
        let when = |text: &Option<String>, end| {
            text.as_deref().map(|text| parse::instant(&office.tenant.zone, text, end)).transpose()
        };
        let user = self.user.as_ref().map(|name| office.find_user(name)).transpose();
        let device = self.device.as_ref().map(|name| office.find_device(name)).transpose();
        let branch = find_branch(office, self.store.as_deref());
        let (from, until) = (when(&self.from, false), when(&self.until, true));
        let errors = ArgumentErrors::default().with(&user).with(&device).with(&branch);
        errors.with(&from).with(&until).report()?;
        let filter = TicketFilter {
            statuses: self.state.map(TicketStateArg::to_status).into_iter().collect(),
            owner: user?.map(|user| user.id),
            device: device?.map(|device| device.id),
            branch: branch?,
            from: from?,
            until: until?,
            number: self.number,
            is_refund: self.refund,
            refund_of: self.refund_of,
            text: self.search.clone(),
            ..TicketFilter::default()
        };
        let order = TicketOrder { sort_key: TicketSortKey::Opened, descending: true };
        let mut search = TicketSearch { filter, order, page: OffsetPageRequest::first(MAX_PAGE_SIZE) };
        let (most, mut found) = (usize::try_from(self.limit).unwrap_or(usize::MAX), Vec::new());
        while found.len() < most {
            let page = office.unguarded().list_tickets(&search).map_err(CommandError::failed)?;
            let Some(last) = page.last() else { break };
            search.page.after = Some(order.sort_key.cursor(&last.ticket));
            found.extend(page);
        }
        found.truncate(most);
        Ok(found)
    }
}

fn user_cell(view: &TicketView) -> String {
    view.owner.as_ref().map_or_else(|| view.ticket.sheet.owner.to_string(), |user| user.name.to_string())
}

fn device_cell(view: &TicketView) -> String {
    view.opened_on.as_ref().map_or_else(|| view.ticket.opened_on.to_string(), ToString::to_string)
}

fn receipt_number(view: &TicketView) -> Option<u64> {
    match &view.ticket.state {
        TicketState::Closed(closing) => Some(closing.receipt.number),
        TicketState::Open | TicketState::Void(_) => None,
    }
}

fn ticket_cells(view: &TicketView) -> Vec<String> {
    let ticket = &view.ticket;
    vec![
        ticket.id.to_string(),
        ticket.state.status().name().to_owned(),
        format_instant(ticket.opened_at),
        user_cell(view),
        device_cell(view),
        receipt_number(view).map_or_else(|| "-".to_owned(), |number| number.to_string()),
        format!("{} {}", ticket.sheet.money(ticket.sheet.payable()), ticket.sheet.currency),
        ticket.sheet.name.to_string(),
    ]
}

/// Prints a ticket as fields and tables.
fn print_ticket(view: &TicketView) {
    let (ticket, sheet) = (&view.ticket, &view.ticket.sheet);
    let mut lines = vec![
        ("id", ticket.id.to_string()),
        ("state", ticket.state.status().name().to_owned()),
        ("opened", format!("{} on {}", format_instant(ticket.opened_at), device_cell(view))),
        ("owner", user_cell(view)),
        ("name", sheet.name.to_string()),
        ("customer", sheet.customer.as_ref().map(|customer| customer.full_name.to_string()).unwrap_or_default()),
        ("refund of", ticket.refund_of.map(|sold| sold.to_string()).unwrap_or_default()),
        ("discount", format!("{} %", sheet.discount)),
        ("payable", format!("{} {}", sheet.money(sheet.payable()), sheet.currency)),
    ];
    if let (Some(at), Some(by)) = (ticket.state.ended_at(), &view.ended_by) {
        let number = receipt_number(view).map(|number| format!(" as {number}")).unwrap_or_default();
        lines.insert(3, ("ended", format!("{} by {}{number}", format_instant(at), by.name)));
    }
    for (name, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        print::print_line(&print::escape_line(&format!("{name}: {text}")));
    }
    let items: Vec<_> = sheet.items.iter().map(|item| (item_cells(item, sheet), ())).collect();
    print::print_table(false, &["ITEM", "NAME", "QUANTITY", "UNIT PRICE", "TOTAL"], &items);
    if !sheet.payments.is_empty() {
        let paid = |each: &tillgate_domain::ticket::Payment| {
            (vec![each.method.name().to_owned(), sheet.money(each.amount).to_string(), each.name.to_string()], ())
        };
        print::print_table(false, &["PAID BY", "AMOUNT", "NAME"], &sheet.payments.iter().map(paid).collect::<Vec<_>>());
    }
}

fn item_cells(item: &Item, sheet: &Sheet) -> Vec<String> {
    vec![
        item.id.to_string(),
        item.article.name.to_string(),
        format!("{} {}", item.quantity, item.unit).trim_end().to_owned(),
        item.unit_prices(sheet.discount).including_vat.to_string(),
        sheet.money(sheet.item_totals(item).after_discount_including_vat).to_string(),
    ]
}
