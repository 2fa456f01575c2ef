//! Pages of lists: which part is asked for, and where the next begins.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_domain::TenantId;
use uuid::Uuid;

use crate::cursor::{Cursor, CursorScope, SortKey};
use crate::error::ApiError;
use crate::query::QueryParameters;
use crate::response::render_json;

/// How many items a page has where nobody says, and at most.
const DEFAULT_PAGE_SIZE: u32 = 50;
const MAX_PAGE_SIZE: u32 = 200;

/// Which part of a list is asked for. `K` is what the list is sorted by before its ids.
#[derive(Clone, Debug)]
pub(super) struct PageQuery<K = ()> {
    /// Where the page before ended.
    pub(super) after: Option<Cursor<K>>,
    limit: u32,
    scope: CursorScope,
}

/// A page; `next` is the `after` of the next one, null on the last.
#[derive(Serialize)]
struct PageBody<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<K: SortKey> PageQuery<K> {
    /// Reads `after` and `limit` of a request for the list with this name in this order, of this tenant.
    pub(super) fn read(sent: &mut QueryParameters, list: &str, order: &str, tenant: TenantId) -> Self {
        let scope = CursorScope::new(list, order, tenant);
        let after = match sent.parse_with("after", "type", |text| Some(Cursor::decode(text, scope)), "") {
            Some(Ok(cursor)) => Some(cursor),
            Some(Err(why)) => {
                sent.add_violation("after", why.code(), why.message());
                None
            }
            None => None,
        };
        let limit = sent.parse("limit", "must be a number from 1 to 200").unwrap_or(DEFAULT_PAGE_SIZE);
        if !(1..=MAX_PAGE_SIZE).contains(&limit) {
            sent.add_violation("limit", "range", "must be a number from 1 to 200");
        }
        Self { after, limit, scope }
    }

    /// How many to look for: one more than are shown, by which it is seen that there are more.
    pub(super) fn fetch_limit(&self) -> u32 {
        self.limit + 1
    }

    /// The same page of at most so many items, one at least: the rest is for the pages after it.
    pub(super) fn with_max_items(self, items: usize) -> Self {
        Self { limit: u32::try_from(items).unwrap_or(u32::MAX).clamp(1, self.limit), ..self }
    }

    /// The answer with what was found, each item as `shown`; `cursor` is the place of an item in the order of the list.
    pub(super) fn render_by<'f, F, T: Serialize>(
        &self,
        found: &'f [F],
        cursor: impl Fn(&F) -> Cursor<K>,
        shown: impl Fn(&'f F) -> T,
    ) -> Result<HttpResponse, ApiError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let page = found.get(..limit).unwrap_or(found);
        let next = page.last().filter(|_| found.len() > limit).map(|last| cursor(last).encode(self.scope));
        render_json(StatusCode::OK, &PageBody { items: page.iter().map(shown).collect(), next })
    }
}

impl PageQuery {
    /// The id of the last item of the page before, in a list that is sorted by its ids.
    pub(super) fn after_id(&self) -> Option<Uuid> {
        self.after.as_ref().map(|cursor| cursor.id)
    }

    /// The answer of a list that is sorted by its ids.
    pub(super) fn render<'f, F, T: Serialize>(
        &self,
        found: &'f [F],
        id: impl Fn(&F) -> Uuid,
        shown: impl Fn(&'f F) -> T,
    ) -> Result<HttpResponse, ApiError> {
        self.render_by(found, |item| Cursor { key: (), id: id(item) }, shown)
    }
}
