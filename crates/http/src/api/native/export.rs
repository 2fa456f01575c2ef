//! Exports as files: JSON lines, or CSV for spreadsheets.

use std::collections::HashSet;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use tillgate_auth_core::Caller;
use tillgate_domain::office::{ChangeMark, ExportedList, ListPart, MAX_PAGE_SIZE, Traversal, TraversalPhase};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use uuid::Uuid;

use super::csv;
use crate::context::office::OfficeContext;
use crate::error::office::into_api_result;
use crate::error::{ApiError, FieldErrorCode};
use crate::openapi::{OperationDoc, enum_schema};
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::streaming::{PartSource, StreamPart, stream_parts};
use crate::timestamps::format_instant;

/// The file format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One JSON object per line.
    JsonLines,
    /// Comma-separated values with a header row.
    Csv,
}

impl ExportFormat {
    /// The formats, the default one first.
    pub const ALL: [Self; 2] = [Self::JsonLines, Self::Csv];

    /// The name, which is also the extension of files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Writes the items of an export. What it writes depends on the format and the items alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExportWriter {
    format: ExportFormat,
    has_bom: bool,
}

impl ExportWriter {
    /// A writer of this format. `has_bom` is whether a CSV export begins with a byte order mark, by
    /// which Excel recognizes UTF-8; JSON lines never do.
    pub(super) const fn new(format: ExportFormat, has_bom: bool) -> Self {
        Self { format, has_bom }
    }

    /// Reads the format from the query. The byte order mark is the default for CSV, since the file
    /// has a name that ends in `.csv`.
    pub(super) fn read(sent: &mut QueryParameters) -> Self {
        let formats = ExportFormat::ALL.map(|format| (format.name(), format));
        let format = sent.parse_word("format", formats).unwrap_or(ExportFormat::JsonLines);
        let bom = sent.parse("bom", "must be true or false");
        if bom == Some(true) && format == ExportFormat::JsonLines {
            sent.add_violation("bom", FieldErrorCode::Format, "must not be true for JSON lines");
        }
        Self::new(format, bom.unwrap_or(true))
    }

    /// The file format.
    pub(super) const fn format(self) -> ExportFormat {
        self.format
    }

    /// Writes what precedes the items.
    pub(super) fn write_start<'h>(self, headings: impl IntoIterator<Item = &'h str>, out: &mut Vec<u8>) {
        if self.format == ExportFormat::Csv {
            if self.has_bom {
                out.extend_from_slice(csv::BYTE_ORDER_MARK.as_bytes());
            }
            out.extend_from_slice(csv::format_row(headings).as_bytes());
        }
    }

    /// Writes an item: its body, or the row of its cells.
    ///
    /// # Errors
    /// The body cannot be serialized.
    pub(super) fn write_item<T: Serialize>(
        self,
        body: &T,
        row: impl FnOnce(&T) -> serde_json::Result<String>,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        match self.format {
            ExportFormat::JsonLines => {
                serde_json::to_writer(&mut *out, body)?;
                out.push(b'\n');
            }
            ExportFormat::Csv => out.extend_from_slice(row(body)?.as_bytes()),
        }
        Ok(())
    }
}

/// Sends an export as a file with this name and the date of today.
///
/// # Errors
/// The caller reads too many lists, or the first part could not be produced.
pub(super) async fn send_export<P: PartSource>(
    call: &Request,
    caller: Caller,
    name: &str,
    format: ExportFormat,
    parts: impl FnOnce(Caller) -> P,
) -> Result<HttpResponse, ApiError> {
    let today = format_instant(call.auth().time().at);
    let file = format!("{name}-{}.{}", today.split('T').next().unwrap_or_default(), format.name());
    let permit = call.acquire_list_permit(&caller).await?;
    let mut response = stream_parts(call, format.media_type(), parts(caller)).await?;
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{file}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(permit.hold_until_sent(response))
}

/// Whether the request asks for the headers only, so that nothing is read or recorded.
pub(super) fn is_head_request(call: &Request) -> bool {
    call.head().method() == Method::HEAD
}

/// Sends a list as a file.
///
/// # Errors
/// Those of [`send_export`].
pub(super) async fn export_list<S: ExportSource>(
    call: &Request,
    caller: Caller,
    writer: ExportWriter,
    source: S,
) -> Result<HttpResponse, ApiError> {
    let headers_only = is_head_request(call);
    let parts = |caller| ListExport { caller, source, writer, headers_only, has_started: false };
    send_export(call, caller, S::LIST.name(), writer.format, parts).await
}

/// A column of a list in CSV.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    heading: &'static str,
    /// The JSON pointer of the member in the body of an item.
    pointer: &'static str,
    is_decimal: bool,
}

impl Column {
    /// A column with the text of a member.
    pub(super) const fn text(heading: &'static str, pointer: &'static str) -> Self {
        Self { heading, pointer, is_decimal: false }
    }

    /// A column with a decimal, by which a spreadsheet can calculate.
    pub(super) const fn decimal(heading: &'static str, pointer: &'static str) -> Self {
        Self { heading, pointer, is_decimal: true }
    }

    fn format_cell(self, body: &Value) -> String {
        let text = body.pointer(self.pointer).map(cell_text).unwrap_or_default();
        if self.is_decimal { csv::format_decimal(&text) } else { csv::format_cell(&text) }
    }
}

/// The text of a value: roles as `cashier,night`, and those on devices as `P01=cashier P02=night`.
fn cell_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Object(members) => members.values().map(cell_text).collect::<Vec<_>>().join("="),
        Value::Array(items) => {
            let separator = if items.iter().all(Value::is_string) { "," } else { " " };
            items.iter().map(cell_text).collect::<Vec<_>>().join(separator)
        }
    }
}

/// The pages of an export that are still to be read. Each item is exported once: if the key of the
/// order can change, the ids of what was exported are kept, because the last pages contain
/// everything that has changed meanwhile.
pub(super) struct ExportPages<C> {
    /// Where the next page begins; `None` before the first page and after the last one.
    next: Option<Traversal<C>>,
    has_started: bool,
    is_changing: bool,
    exported: HashSet<Uuid>,
}

impl<C: Clone> ExportPages<C> {
    /// The pages of a list in an order whose key can change or not.
    pub(super) fn new(is_changing: bool) -> Self {
        Self { next: None, has_started: false, is_changing, exported: HashSet::new() }
    }

    /// Reads the next items; none after the last page. `mark` returns the mark at which the list
    /// begins; for the others, see [`Traversal::read_page`].
    ///
    /// # Errors
    /// The first error of `mark` or `read`.
    pub(super) fn read_next<T>(
        &mut self,
        mark: impl FnOnce() -> Result<ChangeMark, ApiError>,
        count_fitting: impl Fn(&[T]) -> usize,
        mut read: impl FnMut(&ListPart<C>) -> Result<Vec<T>, ApiError>,
        id: impl Fn(&T) -> Uuid,
        position: impl Fn(&T, bool) -> C,
    ) -> Result<Vec<T>, ApiError> {
        if !self.has_started {
            let phase =
                if self.is_changing { TraversalPhase::Listed { since: mark()? } } else { TraversalPhase::Fixed };
            (self.next, self.has_started) = (Some(Traversal { phase, after: None }), true);
        }
        while let Some(traversal) = self.next.take() {
            let page = traversal.read_page(MAX_PAGE_SIZE, &count_fitting, &mut read)?;
            self.next = page.next(&position);
            let mut items = page.into_items();
            if self.is_changing {
                items.retain(|item| self.exported.insert(id(item)));
            }
            if !items.is_empty() {
                return Ok(items);
            }
        }
        Ok(Vec::new())
    }
}

/// A list that is exported page by page.
pub(super) trait ExportSource: Sized + Send + Unpin + 'static {
    /// The list, which determines the required right and the audit event.
    const LIST: ExportedList;
    /// The columns in CSV.
    const COLUMNS: &'static [Column];
    /// An item as it is read.
    type Item;

    /// Reads the next page; it is empty after the last item.
    ///
    /// # Errors
    /// The store failed, or the caller has lost the right.
    fn read_page(&mut self, context: &OfficeContext<'_>, caller: &Caller) -> Result<Vec<Self::Item>, ApiError>;

    /// The body of an item, as the list shows it.
    ///
    /// # Errors
    /// The item cannot be serialized.
    fn render(item: &Self::Item) -> serde_json::Result<Value>;
}

/// An export that is being sent: each part is a page. It ends early if the caller's session or
/// access token ends, or if the caller loses the right.
struct ListExport<S> {
    caller: Caller,
    source: S,
    writer: ExportWriter,
    headers_only: bool,
    has_started: bool,
}

impl<S: ExportSource> PartSource for ListExport<S> {
    fn next_part(mut self, context: &OfficeContext<'_>) -> Result<StreamPart<Self>, ApiError> {
        let mut out = Vec::new();
        if self.has_started {
            self.caller = context.auth.recheck_caller(&self.caller)?;
        } else {
            let office = context.for_caller(&self.caller)?;
            if self.headers_only {
                office.authorize_list_export(S::LIST)?;
                return Ok((out, Some(self)));
            }
            into_api_result(office.start_list_export(S::LIST, self.writer.format.name()))?;
            self.writer.write_start(S::COLUMNS.iter().map(|column| column.heading), &mut out);
            self.has_started = true;
        }
        let page = self.source.read_page(context, &self.caller)?;
        for item in &page {
            let row = |body: &Value| Ok(csv::join_cells(S::COLUMNS.iter().map(|column| column.format_cell(body))));
            S::render(item)
                .and_then(|body| self.writer.write_item(&body, row, &mut out))
                .map_err(|error| ApiError::Fault(format!("an item cannot be written: {error}")))?;
        }
        let next = (!page.is_empty()).then_some(self);
        Ok((out, next))
    }
}

/// Documents the file of an export and the parameters of its format.
pub(super) fn document_export(document: OperationDoc, items: &str) -> OperationDoc {
    document
        .typed_response(200, items, "application/jsonl")
        .typed_response(200, items, "text/csv")
        .query_parameter(
            "format",
            "The format of the file; `jsonl` by default.",
            enum_schema(ExportFormat::ALL.map(ExportFormat::name)),
        )
        .query_parameter(
            "bom",
            "Whether CSV begins with a byte order mark, by which Excel recognizes UTF-8; true by default.",
            ObjectBuilder::new().schema_type(Type::Boolean),
        )
}

/// What is said of the file of a list.
pub(super) const EXPORT_NOTE: &str = "The response is a file with all items that the filter matches: one JSON object \
     per line, or CSV, in which text that a spreadsheet would run as a formula begins with an apostrophe. It is sent in \
     parts; a response that is cut short is incomplete, as when the session or the access token ends. The export is an \
     audit event. Browsers require a recent proof of identity.";

#[cfg(test)]
mod tests {
    use super::*;

    /// Exports 450 items by key and id. After the first page, some of them move to the front.
    fn export_ids(is_changing: bool) -> Vec<u128> {
        let mut rows: Vec<(u32, u128)> = (1..=450).map(|id| (1000, id)).collect();
        let moved = [7, 300, 450];
        let (mut pages, mut found) = (ExportPages::new(is_changing), Vec::new());
        loop {
            let read = |part: &ListPart<(u32, u128)>| {
                let mut listed = rows.clone();
                if part.changed_since.is_some() {
                    listed.retain(|(_, id)| moved.contains(id));
                }
                listed.sort_unstable();
                listed.retain(|row| part.after.is_none_or(|after| *row > after));
                listed.truncate(usize::try_from(part.limit).unwrap());
                Ok(listed)
            };
            let mark = || Ok(ChangeMark(1));
            let page = pages.read_next(mark, <[_]>::len, read, |(_, id)| Uuid::from_u128(*id), |row, _| *row).unwrap();
            if page.is_empty() {
                return found;
            }
            found.extend(page.iter().map(|(_, id)| *id));
            rows.iter_mut().filter(|(_, id)| moved.contains(id)).for_each(|(key, _)| *key = 1);
        }
    }

    #[test]
    fn item_that_moves_during_an_export_is_exported_once() {
        let mut found = export_ids(true);
        assert_eq!(found[448..], [300, 450], "at the end");
        found.sort_unstable();
        assert_eq!(found, (1..=450).collect::<Vec<_>>());
        assert_eq!(export_ids(false).len(), 448, "a fixed order has no more pages");
    }
}
