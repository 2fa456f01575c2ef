//! Exports of audit events, over HTTP and from the command line.

use serde_json::Value;
use tillgate_auth_core::Caller;
use tillgate_domain::Instant;
use tillgate_domain::office::{EventFilter, EventView, export_page};

use super::response::TenantAuditEventBody;
use crate::api::native::csv;
use crate::api::native::export::{ExportFormat, ExportWriter};
use crate::context::office::OfficeContext;
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::serving::streaming::{PartSource, StreamPart};
use crate::timestamps::format_instant;

/// The header row of a CSV export.
const CSV_HEADINGS: [&str; 15] = [
    "id",
    "at",
    "tenant_id",
    "user_id",
    "user_name",
    "device_id",
    "device_name",
    "session_id",
    "address",
    "action",
    "subject",
    "subject_id",
    "outcome",
    "details",
    "approver_id",
];

/// Writes an export. What it writes depends on the format and the events alone.
#[derive(Clone, Copy, Debug)]
pub struct AuditExportWriter(ExportWriter);

impl AuditExportWriter {
    /// A writer of this format. `has_bom` is whether a CSV export begins with a byte order mark, by
    /// which Excel recognizes UTF-8; JSON lines never do.
    pub const fn new(format: ExportFormat, has_bom: bool) -> Self {
        Self(ExportWriter::new(format, has_bom))
    }

    pub(super) const fn from_writer(writer: ExportWriter) -> Self {
        Self(writer)
    }

    /// Writes what precedes the events.
    pub fn write_start(self, out: &mut Vec<u8>) {
        self.0.write_start(CSV_HEADINGS, out);
    }

    /// Writes an event.
    ///
    /// # Errors
    /// The event cannot be serialized.
    pub fn write_event(self, view: &EventView, out: &mut Vec<u8>) -> serde_json::Result<()> {
        self.0.write_item(&TenantAuditEventBody::from_view(view), |_| Ok(format_event_row(view)), out)
    }
}

fn format_event_row(view: &EventView) -> String {
    let event = &view.event;
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let cells = [
        event.id.to_string(),
        format_time_cell(event.at),
        id(event.tenant.map(|id| id.0)),
        id(event.actor.user.map(|id| id.0)),
        view.user_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        id(event.actor.device.map(|id| id.0)),
        view.device_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        id(event.actor.session.map(|id| id.0)),
        event.actor.address.map(|address| address.to_string()).unwrap_or_default(),
        event.action.name().to_owned(),
        event.subject.kind().name().to_owned(),
        id(event.subject.uuid()),
        event.outcome.name().to_owned(),
        Value::Object(event.details.clone()).to_string(),
        id(event.approver.map(|id| id.0)),
    ];
    csv::format_row(cells.iter().map(String::as_str))
}

/// An instant in RFC 3339, or in milliseconds since 1970 if RFC 3339 cannot express it.
pub(in crate::api::native) fn format_time_cell(at: Instant) -> String {
    let text = format_instant(at);
    if text.is_empty() { at.millis().to_string() } else { text }
}

/// An export that is being sent: each part is a page of events. It ends early if the caller's
/// session or access token ends, or if the caller loses the right.
pub(super) struct AuditExportStream {
    caller: Caller,
    filter: EventFilter,
    writer: AuditExportWriter,
    position: ExportPosition,
}

/// How far an export has been sent.
enum ExportPosition {
    /// Only the headers are sent, so nothing is read or recorded.
    Headers,
    /// Nothing has been read yet.
    Start,
    /// The page after this event follows.
    After(tillgate_domain::EventId),
}

impl AuditExportStream {
    /// An export of the events that the filter matches, for this caller. With `headers_only`, it
    /// has no events.
    pub(super) const fn new(
        caller: Caller,
        filter: EventFilter,
        writer: AuditExportWriter,
        headers_only: bool,
    ) -> Self {
        let position = if headers_only { ExportPosition::Headers } else { ExportPosition::Start };
        Self { caller, filter, writer, position }
    }
}

impl PartSource for AuditExportStream {
    fn next_part(self, context: &OfficeContext<'_>) -> Result<StreamPart<Self>, ApiError> {
        let mut out = Vec::new();
        let page = match self.position {
            ExportPosition::Headers => {
                context.for_caller(&self.caller)?.authorize_export()?;
                return Ok((out, Some(self)));
            }
            ExportPosition::Start => {
                self.writer.write_start(&mut out);
                let office = context.for_caller(&self.caller)?;
                into_api_result(office.start_export(&self.filter, self.writer.0.format().name()))?
            }
            ExportPosition::After(last) => {
                let reader = context.reader_for_caller(&context.auth.recheck_caller(&self.caller)?);
                into_api_result(reader.list_events(&self.filter, &export_page(Some(last))))?
            }
        };
        for view in &page {
            self.writer
                .write_event(view, &mut out)
                .map_err(|error| ApiError::Fault(format!("an event cannot be written: {error}")))?;
        }
        let is_full = page.len() >= export_page(None).limit as usize;
        let last = page.last().filter(|_| is_full).map(|view| view.event.id);
        Ok((out, last.map(|last| Self { position: ExportPosition::After(last), ..self })))
    }
}
