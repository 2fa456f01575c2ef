//! Pages of lists: which part is asked for, and where the next begins.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use crate::answer::json;
use crate::failure::Failure;
use crate::query::Parameters;

/// How many items a page has where nobody says, and at most.
const USUAL: u32 = 50;
const MOST: u32 = 200;

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The id of the last item of the page before.
    pub(super) after: Option<Uuid>,
    limit: u32,
}

/// A page; `next` is the `after` of the next one, null on the last.
#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<Uuid>,
}

impl Asked {
    /// Reads `after` and `limit`.
    pub(super) fn take(sent: &mut Parameters) -> Self {
        let after = sent.take("after", "must be the next of a page before");
        let limit = sent.take("limit", "must be a number from 1 to 200").unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            sent.fault("limit", "range", "must be a number from 1 to 200");
        }
        Self { after, limit }
    }

    /// How many to look for: one more than are shown, by which it is seen that there are more.
    pub(super) fn sought(self) -> u32 {
        self.limit + 1
    }

    /// The answer with what was found, each item as `shown`.
    pub(super) fn answer<'f, F, T: Serialize>(
        self,
        found: &'f [F],
        id: impl Fn(&F) -> Uuid,
        shown: impl Fn(&'f F) -> T,
    ) -> Result<HttpResponse, Failure> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let page = found.get(..limit).unwrap_or(found);
        let next = page.last().filter(|_| found.len() > limit).map(id);
        json(StatusCode::OK, &Page { items: page.iter().map(shown).collect(), next })
    }
}
