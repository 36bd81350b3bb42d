//! Lists: filters, pages, and cursors that nobody else can make.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenantry_jose::HmacKey;
use tenantry_types::{Envelope, InputError, Page};

use super::ManagementError;
use crate::params::Params;

/// How many entries a page has when nothing is asked for.
const USUAL_LIMIT: u32 = 50;
/// How many it has at most.
const LARGEST_LIMIT: u32 = 200;
/// How much of the tag a cursor carries: 128 bits.
const TAG_BYTES: usize = 16;

/// The query of a list, read parameter by parameter. A cursor is good for the list and the filters that it was given for.
#[derive(Debug)]
pub struct ListQuery<'a> {
    key: &'a HmacKey,
    list: String,
    params: Params,
    filters: Vec<String>,
    errors: Vec<InputError>,
}

/// What a list query asks for, once its filters were taken out.
#[derive(Debug)]
pub struct Window<'a, K> {
    key: &'a HmacKey,
    bound_to: String,
    limit: u32,
    /// The place of the entry after which the page begins.
    pub after: Option<K>,
}

impl<'a> ListQuery<'a> {
    /// Reads a query. `list` names the list and whose it is.
    pub fn new(key: &'a HmacKey, list: String, query: &str) -> Result<Self, ManagementError> {
        let params = Params::parse(query.as_bytes())
            .map_err(|error| ManagementError::Invalid(vec![InputError::new("query", "invalid", error.to_string())]))?;
        Ok(Self { key, list, params, filters: Vec::new(), errors: Vec::new() })
    }

    /// Takes a filter.
    pub fn filter<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.filters.push(name.to_owned());
        let text = self.params.get(name)?;
        match text.parse() {
            Ok(value) => {
                self.list.extend(["\n", name, "=", text]);
                Some(value)
            }
            Err(error) => {
                self.errors.push(InputError::new(name, "invalid", error.to_string()));
                None
            }
        }
    }

    /// Takes `limit` and `cursor`; what is left is not known here.
    ///
    /// # Errors
    /// Everything that is wrong with the query, at once.
    pub fn finish<K: FromStr>(mut self) -> Result<Window<'a, K>, ManagementError> {
        let limit = match self.params.get("limit").map(str::parse::<u32>) {
            None => USUAL_LIMIT,
            Some(Ok(limit @ 1..=LARGEST_LIMIT)) => limit,
            Some(_) => {
                let detail = format!("must be a whole number from 1 to {LARGEST_LIMIT}");
                self.errors.push(InputError::new("limit", "range", detail));
                USUAL_LIMIT
            }
        };
        let cursor = self.params.get("cursor");
        let after = cursor.and_then(|text| open(self.key, &self.list, text)).and_then(|text| text.parse().ok());
        if cursor.is_some() && after.is_none() {
            let detail = "must be the cursor that a page of this list gave, with the same filters";
            self.errors.push(InputError::new("cursor", "invalid", detail));
        }
        for name in self.params.names() {
            if !["limit", "cursor"].contains(&name) && !self.filters.iter().any(|filter| filter == name) {
                let name: String = name.chars().filter(char::is_ascii_graphic).take(32).collect();
                self.errors.push(InputError::new(name, "unknown", "there is no such parameter"));
            }
        }
        if !self.errors.is_empty() {
            return Err(ManagementError::Invalid(self.errors));
        }
        Ok(Window { key: self.key, bound_to: self.list, limit, after })
    }
}

impl<K> Window<'_, K> {
    /// How many rows to read: one more than are shown, to know whether there are more.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page of these rows. `place` is what a cursor after a row says.
    pub fn page<R, T>(
        &self,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> String,
        show: impl Fn(&R) -> T,
    ) -> Envelope<Vec<T>> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| !is_last).map(|row| seal(self.key, &self.bound_to, &place(row)));
        let mut envelope = Envelope::new(rows.iter().map(show).collect());
        envelope.page = Some(Page { next, limit: self.limit });
        envelope
    }
}

fn seal(key: &HmacKey, bound_to: &str, place: &str) -> String {
    let tag = key.tag(&[bound_to.as_bytes(), place.as_bytes()]);
    URL_SAFE_NO_PAD.encode([&tag[..TAG_BYTES], place.as_bytes()].concat())
}

fn open(key: &HmacKey, bound_to: &str, cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (_, place) = bytes.split_at_checked(TAG_BYTES)?;
    let place = String::from_utf8(place.to_vec()).ok()?;
    // The whole of it is made again: a key that was rotated since ends the page, not the list.
    (seal(key, bound_to, &place) == cursor).then_some(place)
}
