//! The parameters of a list, taken out one by one.

use std::collections::BTreeMap;
use std::fmt::Display;

use actix_web::HttpRequest;
use serde::de::DeserializeOwned;
use tenantry_types::InputError;
use url::form_urlencoded;

use super::page::PageRequest;
use super::{Cursors, DEFAULT_LIMIT, MAX_LIMIT};

/// More parameters than any list has.
const MOST_PARAMETERS: usize = 50;

/// The query of a request. What is wrong with it is collected, and told when all of it is read.
#[derive(Debug)]
pub struct Query<'a> {
    cursors: &'a Cursors,
    owner: String,
    path: String,
    given: BTreeMap<String, String>,
    /// As given, without the cursor: what the next page is asked for with.
    filters: Vec<(String, String)>,
    errors: Vec<InputError>,
}

impl<'a> Query<'a> {
    /// The query of a request for a list of `owner`: the id of the tenant whose list it is, or of whoever may see it.
    pub fn of(request: &HttpRequest, cursors: &'a Cursors, owner: &str) -> Self {
        Self::read(request.path(), request.query_string(), cursors, owner)
    }

    pub(super) fn read(path: &str, query: &str, cursors: &'a Cursors, owner: &str) -> Self {
        let (mut given, mut filters, mut errors) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MOST_PARAMETERS) {
            let (name, value) = (name.into_owned(), value.into_owned());
            if cursors.stand_apart(&name) {
                continue;
            }
            if name != "cursor" {
                filters.push((name.clone(), value.clone()));
            }
            if given.insert(name.clone(), value).is_some() {
                errors.push(InputError::new(short(&name), "duplicate", "must be there once"));
            }
        }
        Self { cursors, owner: owner.to_owned(), path: path.to_owned(), given, filters, errors }
    }

    /// Takes a parameter and parses it.
    pub fn take<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match parse(&self.given.remove(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(name, "invalid", error.to_string());
                None
            }
        }
    }

    /// Takes a parameter as text that is searched for: 1 to 200 characters, none of which is a control character.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, |text| {
            let good = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            if good { Ok(text.to_owned()) } else { Err("must be 1 to 200 characters, without control characters") }
        })
    }

    /// Takes a parameter that is `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name, |text| text.parse::<bool>().map_err(|_| "must be true or false"))
    }

    /// Notes that something is wrong with a parameter.
    pub fn refuse(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        self.errors.push(InputError::new(short(name), code, detail));
    }

    /// Ends the reading: `limit` and `cursor` are taken, and what is left is not known here. `K` is what names the row
    /// after which a page begins.
    ///
    /// # Errors
    /// Everything that is wrong with the query.
    pub fn page<K: DeserializeOwned>(mut self) -> Result<PageRequest<K>, Vec<InputError>> {
        let limit = self.take("limit", |text| {
            let limit = text.parse::<u32>().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            limit.ok_or_else(|| format!("must be a whole number from 1 to {MAX_LIMIT}"))
        });
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        let context = self.context();
        let cursors = self.cursors;
        let after = self.take("cursor", |cursor| {
            let parts: Vec<&[u8]> = context.iter().map(String::as_bytes).collect();
            cursors.open::<K>(&parts, cursor).ok_or("is not a cursor of this list: begin with its first page")
        });
        self.finish()?;
        Ok(PageRequest { limit, after, cursors: cursors.clone(), context })
    }

    /// Ends the reading of a query that is not for a page.
    ///
    /// # Errors
    /// Everything that is wrong with the query.
    pub fn finish(mut self) -> Result<(), Vec<InputError>> {
        let unknown: Vec<String> = self.given.keys().cloned().collect();
        for name in unknown {
            self.refuse(&name, "unknown", "there is no such parameter");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    /// What names this list: whose it is, its path, and its filters. The size of a page may change on the way.
    fn context(&mut self) -> Vec<String> {
        self.filters.sort();
        let mut filters = form_urlencoded::Serializer::new(String::new());
        filters.extend_pairs(self.filters.iter().filter(|(name, _)| name != "limit"));
        vec![self.owner.clone(), self.path.clone(), filters.finish()]
    }
}

/// The name of a parameter as it is told back.
fn short(name: &str) -> String {
    name.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tenantry_jose::Keyring;
    use tenantry_types::SystemRandom;

    use super::*;

    fn cursors() -> Cursors {
        let folder = tempfile::tempdir().unwrap();
        Cursors::new(Keyring::load_or_create(&folder.path().join("key"), &SystemRandom).unwrap().derive("cursors"))
    }

    fn codes(errors: &[InputError]) -> Vec<(&str, &str)> {
        errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let cursors = cursors();
        let mut query = Query::read("/x", "limit=0&cursor=zzz&a=1&a=2&colour=red&is=maybe&t=%00", &cursors, "tenant");
        assert_eq!(query.take("a", str::parse::<u8>), Some(2));
        assert_eq!((query.flag("is"), query.text("t")), (None, None));
        let errors = query.page::<u8>().unwrap_err();
        assert_eq!(
            codes(&errors),
            [
                ("a", "duplicate"),
                ("is", "invalid"),
                ("t", "invalid"),
                ("limit", "invalid"),
                ("cursor", "invalid"),
                ("colour", "unknown")
            ]
        );
    }

    #[test]
    fn a_list_goes_on_with_the_same_filters_only() {
        let cursors = cursors();
        let page = |path: &str, query: &str, owner: &str| {
            let mut query = Query::read(path, query, &cursors, owner);
            query.text("name");
            query.page::<u32>()
        };
        let first = page("/roles", "name=a&limit=2", "tenant").unwrap();
        assert_eq!((first.rows_to_fetch(), first.after()), (3, None));
        let (shown, next) = first.cut(vec![10, 20, 30], |row| *row);
        assert_eq!(shown, [10, 20]);
        let next = next.unwrap();
        let second = page("/roles", &format!("limit=5&cursor={next}&name=a"), "tenant").unwrap();
        assert_eq!(second.after(), Some(20));
        assert_eq!(second.cut(vec![30], |row| *row), (vec![30], None));
        for (path, query, owner) in [
            ("/roles", format!("cursor={next}"), "tenant"),
            ("/roles", format!("name=b&cursor={next}"), "tenant"),
            ("/users", format!("name=a&cursor={next}"), "tenant"),
            ("/roles", format!("name=a&cursor={next}"), "other"),
        ] {
            assert_eq!(codes(&page(path, &query, owner).unwrap_err()), [("cursor", "invalid")], "{path}?{query}");
        }
    }
}
