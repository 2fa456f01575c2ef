//! Queries of audit events.

pub(super) mod export;
pub(super) mod fault;
mod openapi;
mod response;
mod verifications;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{EventFilter, FieldName, OffsetPageRequest};
use tillgate_domain::{Action, EventId, EventOutcome, KnownRight, SubjectKind, TenantId};

use super::export::{ExportWriter, is_head_request, send_export};
use super::page::PageQuery;
use super::path::{not_found, read_id};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use crate::timestamps::Rfc3339Instant;
use export::{AuditExportStream, AuditExportWriter};
pub use response::{AuditEventBody, TenantAuditEventBody};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::authenticated(
            Method::GET,
            "/audit-events",
            Requirement::Right(KnownRight::AuditRead),
            list_audit_events,
        )
        .documented(openapi::list_audit_events),
        Route::authenticated(
            Method::GET,
            "/audit-events/export",
            Requirement::Right(KnownRight::AuditRead),
            export_audit_events,
        )
        .documented(openapi::export_audit_events),
        Route::authenticated(
            Method::GET,
            "/audit-events/{id}",
            Requirement::Right(KnownRight::AuditRead),
            get_audit_event,
        )
        .documented(openapi::get_audit_event),
    ];
    routes.extend(verifications::routes());
    routes
}

async fn list_audit_events(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (query, filter) = read_filter(&call, caller.profile.tenant.id)?;
    let part =
        OffsetPageRequest { after: query.after_id().map(EventId), ..OffsetPageRequest::first(query.fetch_limit()) };
    let permit = call.acquire_list_permit(&caller).await?;
    let found = call
        .with_office(move |context| into_api_result(context.reader_for_caller(&caller).list_events(&filter, &part)))
        .await?;
    Ok(permit.hold_until_sent(query.render(&found, |view| view.event.id.0, AuditEventBody::from_view)?))
}

fn read_filter(call: &Request, tenant: TenantId) -> Result<(PageQuery, EventFilter), ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let query = PageQuery::read(&mut sent, "audit_events", "", tenant);
    let filter = read_criteria(&mut sent);
    sent.finish((query, filter))
}

/// Reads the filter that the list and the export have in common.
fn read_criteria(sent: &mut QueryParameters) -> EventFilter {
    const ID_MESSAGE: &str = "must be an id";
    let action = sent.parse_word("action", Action::ALL.iter().map(|each| (each.name(), *each)));
    let outcome = sent.parse_word("outcome", EventOutcome::ALL.iter().map(|each| (each.name(), *each)));
    let kind = sent.parse_word("subject_kind", SubjectKind::ALL.iter().map(|each| (each.name(), *each)));
    EventFilter {
        user: sent.parse("user", ID_MESSAGE),
        device: sent.parse("device", ID_MESSAGE),
        branch: sent.parse("store", ID_MESSAGE),
        session: sent.parse("session", ID_MESSAGE),
        actions: action.into_iter().collect(),
        outcome,
        subject_kind: kind,
        subject_id: sent.parse("subject", ID_MESSAGE),
        from: sent.parse("from", Rfc3339Instant::MESSAGE).map(|Rfc3339Instant(at)| at),
        until: sent.parse("until", Rfc3339Instant::MESSAGE).map(|Rfc3339Instant(at)| at),
        text: sent.read_nonempty("search"),
        ..EventFilter::default()
    }
}

/// Sends the events of a filter as a file.
async fn export_audit_events(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let writer = ExportWriter::read(&mut sent);
    let filter = read_criteria(&mut sent);
    sent.finish(())?;
    let headers_only = is_head_request(&call);
    let parts = |caller| AuditExportStream::new(caller, filter, AuditExportWriter::from_writer(writer), headers_only);
    send_export(&call, caller, "audit", writer.format(), parts).await
}

async fn get_audit_event(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: EventId = read_id(&call, FieldName::Event)?;
    let found =
        call.with_office(move |context| into_api_result(context.reader_for_caller(&caller).find_event(id))).await?;
    render_json(StatusCode::OK, &AuditEventBody::from_view(&found.ok_or_else(|| not_found(FieldName::Event, id))?))
}
