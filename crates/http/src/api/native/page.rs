//! Pages of lists: the requested page, and the cursor of the next one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_domain::TenantId;
use tillgate_domain::office::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use uuid::Uuid;

use crate::error::{ApiError, FieldErrorCode};
use crate::request::cursor::{Cursor, CursorScope, SortKey};
use crate::request::query::QueryParameters;
use crate::serving::response::render_json;

/// The violation of a `limit` that is not within [`MAX_PAGE_SIZE`].
const LIMIT_MESSAGE: &str = "must be a number from 1 to 200";

/// The requested page of a list. `K` is the sort key before the id.
#[derive(Clone, Debug)]
pub(super) struct PageQuery<K = ()> {
    /// Cursor of the last item of the previous page.
    pub(super) after: Option<Cursor<K>>,
    limit: u32,
    scope: CursorScope,
}

/// A page in a response. `next` is the `after` of the next page, and null on the last page.
#[derive(Serialize)]
struct PageBody<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<K: SortKey> PageQuery<K> {
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

    /// The number of items to read: one more than the page has, which tells whether there is a next
    /// page.
    pub(super) fn fetch_limit(&self) -> u32 {
        self.limit + 1
    }

    /// Limits the page to `items` items, but at least one; the rest is left to the next pages.
    pub(super) fn with_max_items(self, items: usize) -> Self {
        Self { limit: u32::try_from(items).unwrap_or(u32::MAX).clamp(1, self.limit), ..self }
    }

    /// Renders the items that were read, each by `shown`. `cursor` returns an item's position in
    /// the order of the list.
    pub(super) fn render_by<'f, F, T: Serialize>(
        &self,
        items: &'f [F],
        cursor: impl Fn(&F) -> Cursor<K>,
        to_body: impl Fn(&'f F) -> T,
    ) -> Result<HttpResponse, ApiError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let page = items.get(..limit).unwrap_or(items);
        let next = page.last().filter(|_| items.len() > limit).map(|last| cursor(last).encode(self.scope));
        render_json(StatusCode::OK, &PageBody { items: page.iter().map(to_body).collect(), next })
    }
}

impl PageQuery {
    /// The id of the last item of the previous page, in a list that is sorted by id.
    pub(super) fn after_id(&self) -> Option<Uuid> {
        self.after.as_ref().map(|cursor| cursor.id)
    }

    /// Renders a list that is sorted by id.
    pub(super) fn render<'f, F, T: Serialize>(
        &self,
        items: &'f [F],
        id: impl Fn(&F) -> Uuid,
        to_body: impl Fn(&'f F) -> T,
    ) -> Result<HttpResponse, ApiError> {
        self.render_by(items, |item| Cursor { key: (), id: id(item) }, to_body)
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
