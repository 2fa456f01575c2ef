//! Operations on tickets. Reading requires a login in the tenant; changes require the matching
//! rights and a session on a sale device.

mod export;
mod from_json;
mod idempotency;
mod item;
mod openapi;
mod request;
mod response;

use crate::context::office::name_violations;
use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::ports::{OffsetPageRequest, TicketCursor, TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::office::{
    FieldName, ListPart, NamedFields, Office, OfficeError, TicketSearch, TicketView, UnguardedOffice,
};
use tillgate_domain::ticket::{Note, TicketStatus};
use tillgate_domain::{JsonObject, KnownRight, TenantId, TicketId};

use super::export::{ExportWriter, export_list};
use super::page::PageQuery;
use super::path::{not_found, read_id, render_created};
use super::version::{read_if_match, render_versioned};
use super::{body, no_content};
use crate::context::large_body_limiter::MAX_TICKET_BODY_BYTES;
use crate::error::office::into_api_result;
use crate::error::{ApiError, FieldErrorCode};
use crate::request::Request;
use crate::request::body::read_object;
use crate::request::partial_body::PartialBody;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use crate::timestamps::Rfc3339Instant;
use export::TicketExport;
use request::{CloseTicket, CreateTicket, RefundTicket};
pub use response::TicketBody;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/tickets", Requirement::Authenticated, list_tickets)
            .documented(openapi::list_tickets),
        Route::authenticated(Method::POST, "/tickets", Requirement::Right(KnownRight::TicketCreate), create_ticket)
            .with_body_limit(MAX_TICKET_BODY_BYTES)
            .documented(openapi::create_ticket),
        Route::authenticated(Method::GET, "/tickets/export", Requirement::Authenticated, export_tickets)
            .documented(openapi::export_tickets),
        Route::authenticated(Method::GET, "/tickets/{id}", Requirement::Authenticated, get_ticket)
            .documented(openapi::get_ticket),
        Route::authenticated(
            Method::PATCH,
            "/tickets/{id}",
            Requirement::AnyOf(&[KnownRight::TicketUpdate, KnownRight::TicketUpdateAny]),
            update_ticket,
        )
        .with_body_limit(MAX_TICKET_BODY_BYTES)
        .documented(openapi::update_ticket),
        Route::authenticated(
            Method::DELETE,
            "/tickets/{id}",
            Requirement::Right(KnownRight::TicketDelete),
            void_ticket,
        )
        .documented(openapi::void_ticket),
        Route::authenticated(
            Method::POST,
            "/tickets/{id}/close",
            Requirement::Right(KnownRight::TicketClose),
            close_ticket,
        )
        .with_body_limit(MAX_TICKET_BODY_BYTES)
        .documented(openapi::close_ticket),
        Route::authenticated(
            Method::POST,
            "/tickets/{id}/refund",
            Requirement::Both(KnownRight::TicketCreate, KnownRight::Storno),
            refund_ticket,
        )
        .with_body_limit(MAX_TICKET_BODY_BYTES)
        .documented(openapi::refund_ticket),
    ]
}

async fn list_tickets(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let tenant = caller.profile.tenant.id;
    let (query, filter, order) = read_search(&call, tenant)?;
    let permit = call.acquire_list_permit(&caller).await?;
    let asked = query.clone();
    let page = call
        .with_office(move |context| {
            let office = context.unguarded(tenant);
            let mark = || Ok(office.find_change_mark()?);
            asked.read_page(order.sort_key.is_changing(), mark, response::count_fitting, |part| {
                let after = part.after.map(|(key, id)| TicketCursor { key, id: TicketId(id) });
                let part = ListPart { after, changed_since: part.changed_since, limit: part.limit };
                read_tickets(office, &filter, order, &part)
            })
        })
        .await?;
    let position = |view: &TicketView, is_changed: bool| {
        let TicketCursor { key, id } = ticket_position(order, view, is_changed);
        (key, id.0)
    };
    Ok(permit.hold_until_sent(query.render_page(&page, position, TicketBody::from_view)?))
}

/// Reads a part of a list: in its order or, if it is what has changed, by id.
fn read_tickets(
    office: UnguardedOffice<'_>,
    filter: &TicketFilter,
    order: TicketOrder,
    part: &ListPart<TicketCursor>,
) -> Result<Vec<TicketView>, ApiError> {
    let page = OffsetPageRequest { after: part.after, skip: 0, limit: part.limit };
    let search = TicketSearch { filter: filter.clone(), order, page };
    Ok(match part.changed_since {
        None => office.list_tickets_while(&search, response::fits_page),
        Some(since) => office.list_changed_tickets_while(&search, since, response::fits_page),
    }?)
}

/// The position of a ticket in the list or among those that have changed.
fn ticket_position(order: TicketOrder, view: &TicketView, is_changed: bool) -> TicketCursor {
    if is_changed { TicketSortKey::Id } else { order.sort_key }.cursor(&view.ticket)
}

/// The orders of the list by their names; the first is the default.
const TICKET_ORDERS: [(&str, TicketOrder); 6] = [
    ("opened_at", TicketOrder { sort_key: TicketSortKey::Opened, descending: false }),
    ("-opened_at", TicketOrder { sort_key: TicketSortKey::Opened, descending: true }),
    ("updated_at", TicketOrder { sort_key: TicketSortKey::Updated, descending: false }),
    ("-updated_at", TicketOrder { sort_key: TicketSortKey::Updated, descending: true }),
    ("payable", TicketOrder { sort_key: TicketSortKey::Payable, descending: false }),
    ("-payable", TicketOrder { sort_key: TicketSortKey::Payable, descending: true }),
];

fn read_search(call: &Request, tenant: TenantId) -> Result<(PageQuery<i64>, TicketFilter, TicketOrder), ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let (status, (word, order)) = (read_state(&mut sent), read_order(&mut sent));
    let query = PageQuery::read(&mut sent, "tickets", word, tenant);
    let filter = read_filter(&mut sent, status);
    sent.finish((query, filter, order))
}

fn read_state(sent: &mut QueryParameters) -> Option<TicketStatus> {
    sent.parse_choice("state", TicketStatus::ALL.map(|each| (each.name(), each)), "must be open, closed or void")
}

/// Reads the order, with its name.
fn read_order(sent: &mut QueryParameters) -> (&'static str, TicketOrder) {
    const SORT_MESSAGE: &str = "must be opened_at, updated_at or payable, with a - prefix for descending order";
    let words = TICKET_ORDERS.map(|(word, order)| (word, (word, order)));
    sent.parse_choice("sort", words, SORT_MESSAGE).unwrap_or(words[0].1)
}

/// Reads the filter that the list and the export have in common.
fn read_filter(sent: &mut QueryParameters, status: Option<TicketStatus>) -> TicketFilter {
    const ID_MESSAGE: &str = "must be an id";
    TicketFilter {
        statuses: status.into_iter().collect(),
        owner: sent.parse("owner", ID_MESSAGE),
        device: sent.parse("device", ID_MESSAGE),
        branch: sent.parse("store", ID_MESSAGE),
        refund_of: sent.parse("refund_of", ID_MESSAGE),
        is_refund: sent.parse("refund", "must be true or false"),
        number: sent.parse("number", "must be a receipt number"),
        from: sent.parse("from", Rfc3339Instant::MESSAGE).map(|Rfc3339Instant(at)| at),
        until: sent.parse("until", Rfc3339Instant::MESSAGE).map(|Rfc3339Instant(at)| at),
        text: sent.read_nonempty("search"),
        changed_since: None,
    }
}

/// Sends the tickets of a filter as a file.
async fn export_tickets(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let writer = ExportWriter::read(&mut sent);
    let (status, (_, order)) = (read_state(&mut sent), read_order(&mut sent));
    let filter = read_filter(&mut sent, status);
    let source = sent.finish(TicketExport::new(filter, order))?;
    export_list(&call, caller, writer, source).await
}

async fn get_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, tenant) = (read_id(&call, FieldName::Ticket)?, caller.profile.tenant.id);
    let found = call.with_office(move |context| Ok(context.unguarded(tenant).find_ticket(id)?)).await?;
    render_ticket(StatusCode::OK, &found.ok_or_else(|| not_found(FieldName::Ticket, id))?)
}

async fn create_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let idempotency = idempotency::read_idempotency_key(&call)?;
    let sent = body::read_partial_request(&call, CreateTicket::find_unpayable_amounts)?;
    let created = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let mut violations = name_violations(&office, KnownRight::TicketCreate, &sent.names(&caller))?;
                violations.extend(sent.find_rule_violations());
                Ok(violations)
            })?;
            let new = sent.into_new_ticket(context.auth.new_id(TicketId::new)?)?;
            into_api_result(office.open_ticket(&new, idempotency.as_ref()))
        })
        .await?;
    render_created_ticket(&call, &created.ticket)
}

/// How often an update is attempted if others change the ticket concurrently, from one version that
/// `If-Match` allows to another.
const MAX_UPDATE_ATTEMPTS: usize = 5;

async fn update_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Ticket)?, read_if_match(call.head())?);
    let patch = read_object::<JsonObject>(call.head().headers(), call.body())?;
    let changed = call
        .with_office(move |context| {
            let (office, versions) = (context.for_caller(&caller)?, versions.as_deref());
            for _ in 1..MAX_UPDATE_ATTEMPTS {
                match patch_ticket(&office, id, versions, &patch) {
                    Err(ApiError::Office(OfficeError::VersionMismatch { current, .. }))
                        if versions.is_none_or(|versions| versions.contains(&current)) => {}
                    response => return response,
                }
            }
            patch_ticket(&office, id, versions, &patch)
        })
        .await?;
    render_ticket(StatusCode::OK, &changed)
}

/// Merges the patch with the ticket that is stored, and changes that version of it if it is one of
/// `versions`; `None` matches every version.
fn patch_ticket(
    office: &Office<'_>,
    id: TicketId,
    versions: Option<&[i64]>,
    patch: &PartialBody<JsonObject>,
) -> Result<TicketView, ApiError> {
    let found = office.unguarded().find_ticket(id)?.ok_or_else(|| not_found(FieldName::Ticket, id))?;
    let names = |names: &NamedFields<'_>| name_violations(office, KnownRight::TicketUpdate, names);
    let change = request::apply_patch(&found, patch, names)?;
    let merged = Some(found.ticket.version).filter(|merged| versions.is_none_or(|versions| versions.contains(merged)));
    into_api_result(office.amend_ticket(id, Some(merged.as_slice()), &change))
}

async fn void_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Ticket)?, read_if_match(call.head())?);
    let mut sent = QueryParameters::strict(call.head());
    let what = "must have at most 2000 characters and no control characters";
    let reason =
        sent.parse_with("reason", FieldErrorCode::Length, |text| Note::parse(text).ok(), what).unwrap_or_default();
    let reason = sent.finish(reason)?;
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.void_ticket(id, versions.as_deref(), &reason))
    })
    .await?;
    Ok(no_content())
}

async fn close_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::Ticket)?, read_if_match(call.head())?);
    let sent: PartialBody<CloseTicket> = body::read_optional_partial_request(&call)?;
    let view = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let found = office.unguarded().find_ticket(id)?;
                Ok(found.map_or_else(Vec::new, |found| sent.find_rule_violations(&found)))
            })?;
            let closing = sent.into_closing();
            into_api_result(office.close_ticket(id, versions.as_deref(), &closing))
        })
        .await?;
    render_ticket(StatusCode::OK, &view)
}

async fn refund_ticket(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (sold, idempotency) = (read_id(&call, FieldName::Ticket)?, idempotency::read_idempotency_key(&call)?);
    let sent: PartialBody<RefundTicket> = body::read_optional_partial_request(&call)?;
    let created = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| sent.find_rule_violations(&office, sold))?;
            let new = sent.into_new_refund(context.auth.new_id(TicketId::new)?, &office, sold)?;
            into_api_result(office.refund_ticket(sold, &new, idempotency.as_ref()))
        })
        .await?;
    render_created_ticket(&call, &created.ticket)
}

fn render_ticket(status: StatusCode, ticket: &TicketView) -> Result<HttpResponse, ApiError> {
    render_versioned(status, ticket.ticket.version, &TicketBody::from_view(ticket))
}

fn render_created_ticket(call: &Request, ticket: &TicketView) -> Result<HttpResponse, ApiError> {
    render_created(call, "tickets", ticket.ticket.id, render_ticket(StatusCode::CREATED, ticket)?)
}
