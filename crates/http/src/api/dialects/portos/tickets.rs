//! PORTOS' tickets: the use cases of the till in this contract's format. A deleted ticket becomes
//! void, and void tickets are not visible.

mod query;
mod request;
mod response;
mod stream;

use std::ops::RangeInclusive;
use std::slice;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    self, FieldName, NamedFields, NewTicket, Office, OfficeError, TicketAmendment, TicketChange, TicketView,
    UncheckedAmendment,
};
use tillgate_domain::ticket::{Currency, Note, TicketStatus};
use tillgate_domain::{EventId, KnownRight, TicketId, UserId};

use super::error::published_path;
use super::paths::api_paths;
use super::ticket_id;
use crate::context::large_body_limiter::MAX_TICKET_BODY_BYTES;
use crate::context::office::name_violations;
use crate::error::office::{into_api_result, office_error_violations, ticket_error_violations};
use crate::error::{ApiError, FieldViolation};
use crate::json::exact::ExactJson;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use crate::serving::streaming;
pub(super) use query::TicketQuery;
use stream::TicketListStream;

/// Published members of a customer, an article and a closing that are not interpreted here, but
/// returned as sent.
const CUSTOMER_EXTRA_MEMBERS: [&str; 6] = ["gender", "birthDate", "address", "deliveryAddress", "isCompany", "company"];
const ARTICLE_EXTRA_MEMBERS: [&str; 1] = ["specialRegulation"];
const CLOSE_INFO_EXTRA_MEMBERS: [&str; 2] = ["eKasa", "fiscalMemorySerialNumber"];
const TICKET_EXTRA_MEMBERS: [&str; 1] = ["purchaseType"];

/// The kind of purchase, if none was sent.
const DEFAULT_PURCHASE_TYPE: &str = "WalkIn";

/// Members with the client's own JSON. Names inside of them are case-sensitive, as they are
/// wherever they are returned.
const VERBATIM_MEMBERS: [&str; 10] = [
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

/// The published VAT categories.
const VAT_CATEGORIES: RangeInclusive<u8> = 1..=10;

pub(super) fn routes() -> Vec<Route> {
    let collection = api_paths!("/tickets").into_iter().flat_map(|path| {
        [
            Route::authenticated(Method::GET, path, Requirement::Authenticated, list_ticket_rows),
            Route::authenticated(Method::POST, path, Requirement::Right(KnownRight::TicketCreate), open_ticket)
                .with_body_limit(MAX_TICKET_BODY_BYTES),
            Route::authenticated(
                Method::PATCH,
                path,
                Requirement::AnyOf(&[KnownRight::TicketUpdate, KnownRight::TicketUpdateAny]),
                amend_tickets,
            )
            .with_body_limit(MAX_TICKET_BODY_BYTES),
        ]
    });
    let one = api_paths!("/tickets/{id}").into_iter().flat_map(|path| {
        [
            Route::authenticated(Method::GET, path, Requirement::Authenticated, get_ticket),
            Route::authenticated(
                Method::PUT,
                path,
                Requirement::AnyOf(&[KnownRight::TicketCreate, KnownRight::TicketUpdate, KnownRight::TicketUpdateAny]),
                put_ticket,
            )
            .with_body_limit(MAX_TICKET_BODY_BYTES),
            Route::authenticated(Method::DELETE, path, Requirement::Right(KnownRight::TicketDelete), delete_ticket),
        ]
    });
    let close = api_paths!("/tickets/{id}/close").map(|path| {
        Route::authenticated(Method::POST, path, Requirement::Right(KnownRight::TicketClose), close_ticket)
            .with_body_limit(MAX_TICKET_BODY_BYTES)
    });
    collection.chain(one).chain(close).collect()
}

/// The currency of new tickets. The contract has no currency, and its country has one.
fn default_currency() -> Result<Currency, ApiError> {
    Currency::parse("EUR").map_err(|_| ApiError::Fault("EUR is not a currency".to_owned()))
}

async fn list_ticket_rows(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let query = TicketQuery::parse(call.head().query())?;
    let permit = call.acquire_list_permit(&caller).await?;
    Ok(permit
        .hold_until_sent(streaming::stream_json(&call, TicketListStream::new(caller.profile.tenant.id, query)).await?))
}

async fn get_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, tenant) = (read_ticket_id(&call)?, caller.profile.tenant.id);
    let found = call.with_office(move |context| Ok(context.unguarded(tenant).find_ticket(id)?)).await?;
    let present = found.filter(|view| view.ticket.state.status() != TicketStatus::Void);
    render_ticket(StatusCode::OK, &present.ok_or_else(|| not_found(ticket_id::format_ticket_id(id)))?)
}

async fn open_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent = request::TicketInput::read_one(call.head().headers(), call.body())?;
    let currency = default_currency()?;
    let view = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent =
                sent.check_body(|sent| sheet_violations(&office, None, &sent.change, currency, caller.user()))?;
            let id = sent.id.map_or_else(|| context.auth.new_id(TicketId::new), Ok)?;
            let new = NewTicket { id, currency, sheet: sent.change };
            Ok(into_api_result(office.open_ticket(&new, None))?.ticket)
        })
        .await?;
    render_created_ticket(
        &format!("{}/{}", call.head().path().trim_end_matches('/'), ticket_id::format_ticket_id(view.ticket.id)),
        &view,
    )
}

async fn put_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, sent) = (read_ticket_id(&call)?, request::TicketInput::read_one(call.head().headers(), call.body())?);
    let currency = default_currency()?;
    let (view, opened) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent =
                sent.check_body(|sent| sheet_violations(&office, Some(id), &sent.change, currency, caller.user()))?;
            let new = NewTicket { id, currency, sheet: sent.change };
            into_api_result(office.put_ticket(&new, sent.version.as_ref().map(slice::from_ref)))
        })
        .await?;
    if opened {
        render_created_ticket(call.head().path().trim_end_matches('/'), &view)
    } else {
        render_ticket(StatusCode::OK, &view)
    }
}

async fn amend_tickets(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent = request::TicketInput::read_many(call.head().headers(), call.body())?;
    let changed = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| batch_violations(&office, sent))?;
            let amendments = sent.into_iter().map(|sent| {
                let id = sent.id.ok_or_else(|| ApiError::Fault("a required member was not validated".to_owned()))?;
                let event_id = context.auth.new_id(EventId::new)?;
                Ok(TicketAmendment { event_id, id, version: sent.version, change: sent.change })
            });
            let amendments = amendments.collect::<Result<Vec<_>, ApiError>>()?;
            into_api_result(office.amend_tickets(&amendments))
        })
        .await?;
    let rows = changed.iter().map(response::build_row).collect();
    crate::serving::response::render_json(StatusCode::OK, &ExactJson::object([("items", ExactJson::Array(rows))]))
}

/// Checks the valid fields of a request against the ticket with this id, or those of a new ticket
/// in this currency if there is none. The owner is checked against the current one or, if the
/// ticket is new, against `creator`, if any.
fn sheet_violations(
    office: &Office<'_>,
    id: Option<TicketId>,
    change: &TicketChange,
    currency: Currency,
    creator: Option<UserId>,
) -> Result<Vec<FieldViolation>, ApiError> {
    let found = id.map(|id| office.unguarded().find_ticket(id)).transpose()?.flatten();
    let (right, current, faults) = match &found {
        Some(TicketView { ticket, .. }) => {
            (KnownRight::TicketUpdate, Some(ticket.sheet.owner), change.find_faults(&ticket.sheet))
        }
        None => (KnownRight::TicketCreate, creator, change.find_faults_of_new(Some(currency))),
    };
    let mut violations = publish_paths(ticket_error_violations(&faults));
    if let Some(owner) = change.owner.as_ref().zip(current) {
        let owner = NamedFields { owner: Some(owner), ..NamedFields::default() };
        violations.extend(name_violations(office, right, &owner)?);
    }
    Ok(violations)
}

/// Replaces the names of members in the native API by those of the contract.
fn publish_paths(mut violations: Vec<FieldViolation>) -> Vec<FieldViolation> {
    for violation in &mut violations {
        violation.field = published_path(&violation.field).into_owned().into();
    }
    violations
}

/// Checks several changes, of which some have invalid fields, against the tickets.
fn batch_violations(office: &Office<'_>, sent: &[request::TicketInput]) -> Result<Vec<FieldViolation>, ApiError> {
    let changes = sent.iter().enumerate().filter_map(|(index, each)| {
        let (version, change, is_valid) = (each.version, &each.change, each.is_valid);
        each.id.map(|id| UncheckedAmendment { index, id, version, change, is_valid })
    });
    let errors = office.find_amendment_errors(&changes.collect::<Vec<_>>())?;
    Ok(publish_paths(office_error_violations(&OfficeError::Batch(errors))))
}

async fn delete_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_ticket_id(&call)?;
    let view = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            into_api_result(office.void_ticket(id, None, &Note::default()))
        })
        .await?;
    render_ticket(StatusCode::OK, &view)
}

async fn close_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_ticket_id(&call)?;
    let fiscal =
        caller.profile.device.as_ref().and_then(|device| device.settings.get(office::DEFAULT_FISCAL_NAME)).cloned();
    let sent = request::read_closing(call.head().headers(), call.body(), fiscal)?;
    let view = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let found = office.unguarded().find_ticket(id)?;
                let faults = found.map(|found| sent.closing.find_faults(&found.ticket.sheet, sent.are_payments_valid));
                Ok(publish_paths(ticket_error_violations(&faults.unwrap_or_default())))
            })?;
            into_api_result(office.close_ticket(id, sent.version.as_ref().map(slice::from_ref), &sent.closing))
        })
        .await?;
    render_ticket(StatusCode::OK, &view)
}

fn render_ticket(status: StatusCode, view: &TicketView) -> Result<HttpResponse, ApiError> {
    crate::serving::response::render_json(status, &response::build_row(view))
}

/// Renders a new ticket with its location.
fn render_created_ticket(path: &str, view: &TicketView) -> Result<HttpResponse, ApiError> {
    let mut response = render_ticket(StatusCode::CREATED, view)?;
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Reads the id in the path. A malformed id is answered like an unknown one.
fn read_ticket_id(call: &Request) -> Result<TicketId, ApiError> {
    let sent = call.head().path_parameter("id");
    ticket_id::parse_ticket_id(sent).ok_or_else(|| not_found(sent.to_owned()))
}

fn not_found(id: String) -> ApiError {
    ApiError::Office(OfficeError::NotFound { field: FieldName::Ticket, value: id })
}
