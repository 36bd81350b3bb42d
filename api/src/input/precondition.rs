//! Conditional requests (RFC 9110 §13).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use tenantry_types::{Id, Problem, Sha256Hash, TenantId};
use tenantry_web::problems::IntoProblem;

/// A strong entity tag (RFC 9110 §8.8.3): the tenant and the version of a resource of it.
///
/// The tenant is part of it because tenants share URLs: a copy of one tenant's answer must not be taken for another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(String);

impl EntityTag {
    /// The tag of this version of a resource that a tenant has one of.
    pub fn new(tenant_id: TenantId, version: i64) -> Self {
        Self(format!("\"{tenant_id}.{version}\""))
    }

    /// The tag of this version of a resource that a tenant has many of.
    pub fn of<E>(tenant_id: TenantId, id: Id<E>, version: i64) -> Self {
        Self(format!("\"{tenant_id}.{id}.{version}\""))
    }

    /// The tag of this version of a resource that a tenant has by its name.
    pub fn named(tenant_id: TenantId, name: &str, version: i64) -> Self {
        Self(format!("\"{tenant_id}.{name}.{version}\""))
    }

    /// The same where what is shown comes from elsewhere as well, and changes without the version.
    pub fn showing<E>(tenant_id: TenantId, id: Id<E>, version: i64, shown: &impl Serialize) -> Self {
        // What the API shows has a form in JSON.
        let digest = Sha256Hash::of(serde_json::to_vec(shown).unwrap_or_default());
        Self(format!("\"{tenant_id}.{id}.{version}.{}\"", &digest.as_str()[..22]))
    }

    /// The tag as it stands in a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why an update is refused before it is tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreconditionError {
    /// No `If-Match`.
    #[error("send If-Match with the ETag of the version that you change, or * to change whatever is there")]
    Required,
    /// Not a list of entity tags.
    #[error("{0} is not a list of entity tags")]
    Malformed(HeaderName),
    /// Somebody changed it meanwhile.
    #[error("it was changed meanwhile: read it again and repeat your change")]
    Failed,
}

impl IntoProblem for PreconditionError {
    fn problem(&self) -> Problem {
        match self {
            Self::Required => Problem::precondition_required(),
            Self::Malformed(_) => Problem::malformed_request(),
            Self::Failed => Problem::precondition_failed(),
        }
        .with_detail(self.to_string())
    }
}

tenantry_web::problem_response!(PreconditionError);

/// Which version an update changes: the header `If-Match`, without which an update is refused (RFC 6585 §3).
#[derive(Debug, Clone)]
pub struct IfMatch(Vec<Tag>);

impl IfMatch {
    /// Reads the header.
    ///
    /// # Errors
    /// [`PreconditionError::Required`], [`PreconditionError::Malformed`].
    pub fn read(headers: &HeaderMap) -> Result<Self, PreconditionError> {
        tags(headers, &IF_MATCH)?.map(Self).ok_or(PreconditionError::Required)
    }

    /// Whether what is there is what the caller has seen. Weak tags match nothing (RFC 9110 §13.1.1).
    ///
    /// # Errors
    /// [`PreconditionError::Failed`].
    pub fn check(&self, current: &EntityTag) -> Result<(), PreconditionError> {
        let matches = |tag: &Tag| match tag {
            Tag::Any => true,
            Tag::Strong(opaque) => *opaque == current.0,
            Tag::Weak(_) => false,
        };
        if self.0.iter().any(matches) { Ok(()) } else { Err(PreconditionError::Failed) }
    }
}

/// The header `If-Match` of a request that may come without.
#[derive(Debug, Clone)]
pub struct OptionalIfMatch(pub Option<IfMatch>);

impl FromRequest for OptionalIfMatch {
    type Error = PreconditionError;
    type Future = Ready<Result<Self, PreconditionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match IfMatch::read(request.headers()) {
            Ok(if_match) => Ok(Self(Some(if_match))),
            Err(PreconditionError::Required) => Ok(Self(None)),
            Err(error) => Err(error),
        })
    }
}

impl FromRequest for IfMatch {
    type Error = PreconditionError;
    type Future = Ready<Result<Self, PreconditionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request.headers()))
    }
}

/// Whether `If-None-Match` names what is there, so that the caller has it already. A header that is malformed asks for
/// nothing.
pub fn is_not_modified(headers: &HeaderMap, current: &EntityTag) -> bool {
    let tags = tags(headers, &IF_NONE_MATCH).ok().flatten().unwrap_or_default();
    tags.iter().any(|tag| match tag {
        Tag::Any => true,
        Tag::Strong(opaque) | Tag::Weak(opaque) => *opaque == current.0,
    })
}

#[derive(Debug, Clone)]
enum Tag {
    Any,
    /// With its quotes.
    Strong(String),
    Weak(String),
}

/// The tags of a header, whose lines are one list; `None` when it is absent.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Vec<Tag>>, PreconditionError> {
    let malformed = || PreconditionError::Malformed(name.clone());
    let mut tags = Vec::new();
    for line in headers.get_all(name) {
        let mut rest = line.to_str().map_err(|_| malformed())?.trim();
        while !rest.is_empty() {
            let (tag, after) = first_tag(rest).ok_or_else(malformed)?;
            tags.push(tag);
            rest = match after.trim_start().strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if after.trim().is_empty() => "",
                None => return Err(malformed()),
            };
        }
    }
    let is_there = headers.contains_key(name);
    if is_there && tags.is_empty() {
        return Err(malformed());
    }
    Ok(is_there.then_some(tags))
}

fn first_tag(text: &str) -> Option<(Tag, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((Tag::Any, rest));
    }
    let (is_weak, text) = text.strip_prefix("W/").map_or((false, text), |text| (true, text));
    let end = text.strip_prefix('"')?.find('"')?;
    let (opaque, rest) = text.split_at(end + 2);
    let opaque = opaque.to_owned();
    Some((if is_weak { Tag::Weak(opaque) } else { Tag::Strong(opaque) }, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use actix_web::http::header::HeaderValue;
    use tenantry_types::{SystemClock, SystemRandom};

    use super::*;

    fn headers(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn an_update_says_which_version_it_changes() {
        let tag = EntityTag::new(TenantId::new(&SystemClock, &SystemRandom), 3);
        let text = tag.as_str();
        let check = |lines: &[&str]| IfMatch::read(&headers(&IF_MATCH, lines)).and_then(|tags| tags.check(&tag));
        for good in [&[text][..], &["*"], &["\"x\"", text], &[&format!("\"a,b\" ,{text}")]] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        assert_eq!(check(&[]), Err(PreconditionError::Required));
        for lost in [&["\"x\""][..], &[&format!("W/{text}")]] {
            assert_eq!(check(lost), Err(PreconditionError::Failed), "{lost:?}");
        }
        for bad in ["", ",", "x", "\"x", "\"x\" \"y\"", "w/\"x\"", text.trim_matches('"')] {
            assert_eq!(check(&[bad]), Err(PreconditionError::Malformed(IF_MATCH)), "{bad:?}");
        }
    }

    #[test]
    fn tags_of_tenants_differ() {
        let (a, b) = (TenantId::new(&SystemClock, &SystemRandom), TenantId::new(&SystemClock, &SystemRandom));
        assert_ne!(EntityTag::new(a, 1), EntityTag::new(b, 1));
    }

    #[test]
    fn a_copy_that_is_still_good_is_not_sent_again() {
        let tag = EntityTag::new(TenantId::new(&SystemClock, &SystemRandom), 0);
        let is_good = |line: &str| is_not_modified(&headers(&IF_NONE_MATCH, &[line]), &tag);
        assert!(is_good(tag.as_str()) && is_good(&format!("W/{}", tag.as_str())) && is_good("*"));
        assert!(!is_good("\"x\"") && !is_good("nonsense"));
        assert!(!is_not_modified(&HeaderMap::new(), &tag));
    }
}
