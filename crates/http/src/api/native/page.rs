//! Pages of lists: the requested page, and the cursor of the next one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_domain::TenantId;
use tillgate_domain::office::{
    ChangeMark, DEFAULT_PAGE_SIZE, ListPage, ListPart, MAX_PAGE_SIZE, Traversal, TraversalPhase,
};
use uuid::Uuid;

use crate::error::{ApiError, FieldErrorCode};
use crate::request::cursor::{Cursor, CursorScope, SortKey};
use crate::request::query::QueryParameters;
use crate::serving::response::{build_json_response, write_json};

/// The violation of a `limit` that is not within [`MAX_PAGE_SIZE`].
const LIMIT_MESSAGE: &str = "must be a number from 1 to 200";

/// Maximum size of the items of a page. A page has at least one item, whatever its size.
pub(super) const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A position in a list: the sort key and the id of an item.
pub(super) type Position<K> = (K, Uuid);

/// The requested page of a list. `K` is the sort key before the id.
#[derive(Clone, Debug)]
pub(super) struct PageQuery<K = ()> {
    /// Cursor of the last item of the previous page.
    after: Option<Cursor<K>>,
    limit: u32,
    scope: CursorScope,
}

/// The items of a page in a response.
struct PageItems {
    json: Vec<u8>,
    /// The number of items that fit on the page.
    count: usize,
}

impl PageItems {
    /// Writes as many of these items as fit on a page, each by `to_body`; at least one if there is
    /// any.
    fn write<'f, F, T: Serialize>(items: &'f [F], to_body: impl Fn(&'f F) -> T) -> Result<Self, ApiError> {
        let mut json = br#"{"items":["#.to_vec();
        let (start, mut count) = (json.len(), 0);
        for item in items {
            let before = json.len();
            if count > 0 {
                json.push(b',');
            }
            write_json(&mut json, &to_body(item))?;
            if count > 0 && json.len() - start > MAX_PAGE_BYTES {
                json.truncate(before);
                break;
            }
            count += 1;
        }
        Ok(Self { json, count })
    }

    /// Renders the page. `next` is the `after` of the next page, and null on the last page.
    fn render(mut self, next: Option<&str>) -> Result<HttpResponse, ApiError> {
        self.json.extend_from_slice(br#"],"next":"#);
        write_json(&mut self.json, &next)?;
        self.json.push(b'}');
        Ok(build_json_response(StatusCode::OK, self.json))
    }
}

impl<K: SortKey + Clone> PageQuery<K> {
    /// Reads `after` and `limit` of a request for the list `list` of this tenant in this order.
    pub(super) fn read(sent: &mut QueryParameters, list: &str, order: &str, tenant: TenantId) -> Self {
        let scope = CursorScope::new(list, order, tenant);
        let after = match sent.parse_with("after", FieldErrorCode::Type, |text| Some(Cursor::decode(text, scope)), "") {
            Some(Ok(cursor)) => Some(cursor),
            Some(Err(why)) => {
                sent.add_violation("after", why.code(), why.message());
                None
            }
            None => None,
        };
        let limit = sent.parse("limit", LIMIT_MESSAGE).unwrap_or(DEFAULT_PAGE_SIZE);
        if !(1..=MAX_PAGE_SIZE).contains(&limit) {
            sent.add_violation("limit", FieldErrorCode::Range, LIMIT_MESSAGE);
        }
        Self { after, limit, scope }
    }

    /// Reads the items of the page; see [`Traversal::read_page`]. `is_changing` is whether the sort
    /// key of the order can change. Then `mark` returns the mark at which a traversal begins.
    ///
    /// # Errors
    /// The first error of `mark` or `read`.
    pub(super) fn read_page<T, E>(
        &self,
        is_changing: bool,
        mark: impl FnOnce() -> Result<ChangeMark, E>,
        count_fitting: impl Fn(&[T]) -> usize,
        read: impl FnMut(&ListPart<Position<K>>) -> Result<Vec<T>, E>,
    ) -> Result<ListPage<T>, E> {
        let phase = match self.after.as_ref().map(|after| after.phase) {
            _ if !is_changing => TraversalPhase::Fixed,
            None => TraversalPhase::Listed { since: mark()? },
            // a cursor of a version without marks
            Some(TraversalPhase::Fixed) => TraversalPhase::Listed { since: ChangeMark::UNKNOWN },
            Some(phase) => phase,
        };
        let after = self.after.as_ref().map(|Cursor { key, id, .. }| (key.clone(), *id));
        Traversal { phase, after }.read_page(self.limit, count_fitting, read)
    }

    /// Renders the items of a page, each by `to_body`, as far as they fit within
    /// [`MAX_PAGE_BYTES`]. `position` returns an item's position in the
    /// order of the list or, if the second argument is true, among the items that have changed.
    pub(super) fn render_page<'f, F, T: Serialize>(
        &self,
        page: &'f ListPage<F>,
        position: impl Fn(&F, bool) -> Position<K>,
        to_body: impl Fn(&'f F) -> T,
    ) -> Result<HttpResponse, ApiError> {
        let items = PageItems::write(page.items(), to_body)?;
        let next = page
            .next_after(items.count, position)
            .and_then(|Traversal { phase, after }| after.map(|(key, id)| Cursor { key, id, phase }.encode(self.scope)));
        items.render(next.as_deref())
    }
}

impl PageQuery {
    /// The id of the last item of the previous page, in a list that is sorted by id.
    pub(super) fn after_id(&self) -> Option<Uuid> {
        self.after.as_ref().map(|cursor| cursor.id)
    }

    /// The number of items to read: one more than the page has, which tells whether there is a next
    /// page.
    pub(super) fn fetch_limit(&self) -> u32 {
        self.limit + 1
    }

    /// Renders a list that is sorted by id, as far as its items fit within [`MAX_PAGE_BYTES`].
    pub(super) fn render<'f, F, T: Serialize>(
        &self,
        items: &'f [F],
        id: impl Fn(&F) -> Uuid,
        to_body: impl Fn(&'f F) -> T,
    ) -> Result<HttpResponse, ApiError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let written = PageItems::write(items.get(..limit).unwrap_or(items), to_body)?;
        let last = written.count.checked_sub(1).and_then(|last| items.get(last));
        let cursor = |last| Cursor { key: (), id: id(last), phase: TraversalPhase::Fixed };
        let next = last.filter(|_| items.len() > written.count).map(|last| cursor(last).encode(self.scope));
        written.render(next.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_the_maximum() {
        assert_eq!(LIMIT_MESSAGE, format!("must be a number from 1 to {MAX_PAGE_SIZE}"));
    }
}
