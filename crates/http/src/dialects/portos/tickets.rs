//! PORTOS' tickets: the use cases of the till, in this contract's shape. What is deleted is void, and void tickets are not there.

mod list;
mod pages;
mod read;
mod row;

use std::ops::RangeInclusive;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::TicketId;
use tillgate_domain::office::{self, Field, NewTicket, Refused, Shown, TicketAmendment};
use tillgate_domain::ticket::{Currency, Note, TicketStatus};

use super::path::both;
use super::ticket_id;
use crate::answer;
use crate::call::Call;
use crate::exact::Exact;
use crate::failure::Failure;
use crate::large_bodies::MAX_TICKET_BODY;
use crate::office::decided;
use crate::route::Route;
use crate::streamed;
pub(super) use list::TicketQuery;
use pages::TicketList;

/// What the page shows of a customer, an article and a closing besides what is read here. It comes back as it came.
const CUSTOMER_EXTRA: [&str; 6] = ["gender", "birthDate", "address", "deliveryAddress", "isCompany", "company"];
const ARTICLE_EXTRA: [&str; 1] = ["specialRegulation"];
const CLOSE_INFO_EXTRA: [&str; 2] = ["eKasa", "fiscalMemorySerialNumber"];
const TICKET_EXTRA: [&str; 1] = ["purchaseType"];

/// The kind of purchase where nothing was sent.
const PURCHASE_TYPE: &str = "WalkIn";

/// The members that hold JSON of the client's own. The case of names counts within them, as it does wherever they come back.
const AS_SENT: [&str; 10] = [
    "meta",
    "gender",
    "birthDate",
    "address",
    "deliveryAddress",
    "isCompany",
    "company",
    "specialRegulation",
    "eKasa",
    "fiscalMemorySerialNumber",
];

/// The published categories of a VAT.
const VAT_CATEGORIES: RangeInclusive<u8> = 1..=10;

pub(super) fn routes() -> Vec<Route> {
    let whole = both!("/tickets").into_iter().flat_map(|path| {
        [
            Route::known(Method::GET, path, list),
            Route::known(Method::POST, path, open).takes_bodies_of(MAX_TICKET_BODY),
            Route::known(Method::PATCH, path, amend).takes_bodies_of(MAX_TICKET_BODY),
        ]
    });
    let one = both!("/tickets/{id}").into_iter().flat_map(|path| {
        [
            Route::known(Method::GET, path, one),
            Route::known(Method::PUT, path, put).takes_bodies_of(MAX_TICKET_BODY),
            Route::known(Method::DELETE, path, delete),
        ]
    });
    let close = both!("/tickets/{id}/close")
        .map(|path| Route::known(Method::POST, path, close).takes_bodies_of(MAX_TICKET_BODY));
    whole.chain(one).chain(close).collect()
}

/// What new tickets are paid in here: the contract names no currency, and its country has one.
fn currency() -> Result<Currency, Failure> {
    Currency::parse("EUR").map_err(|_| Failure::Fault("no currency".to_owned()))
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let query = TicketQuery::read(call.head().query())?;
    let slot = call.list_slot(&caller).await?;
    Ok(slot.hold(streamed::json(&call, TicketList::new(caller.profile.tenant.id, query)).await?))
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, tenant) = (id(&call)?, caller.profile.tenant.id);
    let found = call.office(move |office| Ok(office::find_ticket(office.store, tenant, id)?)).await?;
    let there = found.filter(|shown| shown.ticket.state.status() != TicketStatus::Void);
    told(StatusCode::OK, &there.ok_or_else(|| absent(ticket_id::text(id)))?)
}

async fn open(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (currency, tenant) = (currency()?, caller.profile.tenant.id);
    let sent = read::Sent::one(call.head().headers(), call.body(), Some(currency))?;
    let shown = call
        .office(move |office| {
            let id = sent.id.map_or_else(|| office.engine.id(TicketId::new), Ok)?;
            let new = NewTicket { id, currency, sheet: sent.change };
            Ok(decided(office::open_ticket(office.store, tenant, &office.stamp(&caller)?, &new, None))?.shown)
        })
        .await?;
    made(&format!("{}/{}", call.head().path().trim_end_matches('/'), ticket_id::text(shown.ticket.id)), &shown)
}

async fn put(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, sent) = (id(&call)?, read::Sent::one(call.head().headers(), call.body(), None)?);
    let (currency, tenant) = (currency()?, caller.profile.tenant.id);
    let (shown, opened) = call
        .office(move |office| {
            let (stamp, new) = (office.stamp(&caller)?, NewTicket { id, currency, sheet: sent.change });
            decided(office::put_ticket(office.store, tenant, &stamp, &new, sent.version))
        })
        .await?;
    if opened { made(call.head().path().trim_end_matches('/'), &shown) } else { told(StatusCode::OK, &shown) }
}

async fn amend(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (sent, tenant) = (read::Sent::many(call.head().headers(), call.body())?, caller.profile.tenant.id);
    let changed = call
        .office(move |office| {
            let amendments = sent.into_iter().map(|sent| {
                let id = sent.id.ok_or_else(|| Failure::Fault("what is required was not asked for".to_owned()))?;
                Ok(TicketAmendment { stamp: office.stamp(&caller)?, id, version: sent.version, change: sent.change })
            });
            let amendments = amendments.collect::<Result<Vec<_>, Failure>>()?;
            decided(office::amend_tickets(office.store, tenant, &amendments))
        })
        .await?;
    let rows = changed.iter().map(row::of).collect();
    answer::json(StatusCode::OK, &Exact::object([("items", Exact::List(rows))]))
}

async fn delete(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, tenant) = (id(&call)?, caller.profile.tenant.id);
    let shown = call
        .office(move |office| {
            let stamp = office.stamp(&caller)?;
            decided(office::void_ticket(office.store, tenant, &stamp, id, None, &Note::default()))
        })
        .await?;
    told(StatusCode::OK, &shown)
}

async fn close(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, tenant) = (id(&call)?, caller.profile.tenant.id);
    let fiscal =
        caller.profile.device.as_ref().and_then(|device| device.settings.get(office::DEFAULT_FISCAL_NAME)).cloned();
    let (closing, version) = read::closing(call.head().headers(), call.body(), fiscal)?;
    let shown = call
        .office(move |office| {
            let stamp = office.stamp(&caller)?;
            decided(office::close_ticket(office.store, tenant, &stamp, id, version, &closing))
        })
        .await?;
    told(StatusCode::OK, &shown)
}

fn told(status: StatusCode, shown: &Shown) -> Result<HttpResponse, Failure> {
    answer::json(status, &row::of(shown))
}

/// A ticket that was made, and where it is.
fn made(path: &str, shown: &Shown) -> Result<HttpResponse, Failure> {
    let mut answer = told(StatusCode::CREATED, shown)?;
    if let Ok(location) = HeaderValue::from_str(path) {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

/// What is no id names no ticket.
fn id(call: &Call) -> Result<TicketId, Failure> {
    let sent = call.head().segment("id");
    ticket_id::parse(sent).ok_or_else(|| absent(sent.to_owned()))
}

fn absent(id: String) -> Failure {
    Failure::Office(Refused::Absent { field: Field::Ticket, value: id })
}
