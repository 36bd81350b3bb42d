//! One page of a list.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LINK, VARY};
use serde::Serialize;
use tenantry_types::{Envelope, Page};
use url::form_urlencoded;

use super::Cursors;

/// Which page is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest<K> {
    pub(super) limit: u32,
    pub(super) after: Option<K>,
    pub(super) cursors: Cursors,
    /// Owner, path and filters.
    pub(super) context: Vec<String>,
}

impl<K: Serialize> PageRequest<K> {
    /// How many rows to look for: one more than are shown, which tells whether the list goes on.
    pub fn rows_to_fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// How many rows are shown at most.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// The row after which the page begins; `None` for the first.
    pub fn after(&self) -> Option<K>
    where
        K: Clone,
    {
        self.after.clone()
    }

    /// The rows that are shown, and the cursor of the next page if there is one.
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl FnOnce(&T) -> K) -> (Vec<T>, Option<String>) {
        let limit = self.limit as usize;
        if rows.len() <= limit {
            return (rows, None);
        }
        rows.truncate(limit);
        let next = rows.last().and_then(|last| self.cursor(&key(last)));
        (rows, next)
    }

    /// The cursor of the page after this row, for rows that come from somewhere that says itself whether the list goes on.
    pub fn cursor(&self, row: &K) -> Option<String> {
        let context: Vec<&[u8]> = self.context.iter().map(String::as_bytes).collect();
        self.cursors.seal(&context, row)
    }

    /// The answer: the rows as `view` shows them, the cursor of the next page, and a link to it (RFC 8288). What is shown
    /// is the caller's own.
    pub fn answer<T, V: Serialize>(
        &self,
        rows: Vec<T>,
        key: impl FnOnce(&T) -> K,
        view: impl FnMut(T) -> V,
    ) -> HttpResponse {
        let (rows, next) = self.cut(rows, key);
        self.respond(rows.into_iter().map(view).collect(), next)
    }

    /// The answer with what is shown of the rows of a page, of which some may be left out: `next` is what
    /// [`cut`](Self::cut) gave.
    pub fn respond<V: Serialize>(&self, data: Vec<V>, next: Option<String>) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((CACHE_CONTROL, "private, no-cache")).insert_header((VARY, "Authorization"));
        if let Some(next) = &next {
            response.insert_header((LINK, self.link(next)));
        }
        let page = Page { next, limit: self.limit };
        response.json(Envelope { page: Some(page), ..Envelope::new(data) })
    }

    fn link(&self, next: &str) -> String {
        let [_, path, filters] = self.context.as_slice() else { return String::new() };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(form_urlencoded::parse(filters.as_bytes()));
        query.append_pair("limit", &self.limit.to_string()).append_pair("cursor", next);
        // Path and query are in the form that they were sent in, which has no `>` and no control character.
        format!("<{path}?{}>; rel=\"next\"", query.finish())
    }
}
