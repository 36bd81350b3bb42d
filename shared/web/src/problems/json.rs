//! JSON bodies, with errors that point at the member that is wrong.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};
use tenantry_types::{InputError, Problem};

use super::{ProblemResponse, read_body};

/// The body of a request as JSON of the shape `T`.
///
/// 415 unless it says that it is JSON, 400 where it is not, 422 with a pointer where its shape is not that of `T`; and
/// what [`read_body`] refuses.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = ProblemResponse;
    type Future = LocalBoxFuture<'static, Result<Self, ProblemResponse>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request.headers());
        let body = read_body(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(Problem::unsupported_media_type().with_detail("expected application/json").into());
            }
            let value = parse_json(&body.await?)?;
            Ok(Self(value))
        })
    }
}

/// `application/json` or a type of the family `+json`, with whatever parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads `text` as JSON of the shape `T`.
///
/// # Errors
/// 400 where it is not JSON, 422 with a JSON pointer (RFC 6901) where its shape is not that of `T`.
pub fn parse_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, ProblemResponse> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        problem(&error.into_inner(), pointer)
    })?;
    deserializer.end().map_err(|error| problem(&error, String::new()))?;
    Ok(value)
}

fn problem(error: &serde_json::Error, mut pointer: String) -> ProblemResponse {
    let text = error.to_string();
    // serde_json ends its messages with the place, which the pointer says better.
    let reason = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    if error.classify() != Category::Data {
        let detail = format!("not JSON at line {}, column {}: {reason}", error.line(), error.column());
        return Problem::malformed_request().with_detail(detail).into();
    }
    let code = if reason.starts_with("unknown field") {
        "unknown_member"
    } else if let Some(rest) = reason.strip_prefix("missing field `") {
        // The path ends at the object; its member is named by the message.
        push(&mut pointer, rest.split('`').next().unwrap_or_default());
        "required"
    } else if let Some(rest) = reason.strip_prefix("duplicate field `") {
        push(&mut pointer, rest.split('`').next().unwrap_or_default());
        "duplicate_member"
    } else if reason.starts_with("invalid type") {
        "invalid_type"
    } else {
        "invalid_value"
    };
    Problem::invalid_input().with_errors(vec![InputError::new(pointer, code, reason)]).into()
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            // A variant has no place of its own in the text; an unknown segment is all that is known.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn push(pointer: &mut String, member: &str) {
    pointer.push('/');
    pointer.push_str(&member.replace('~', "~0").replace('/', "~1"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use actix_web::http::header::HeaderValue;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Booking {
        seats: Vec<Seat>,
        note: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Seat {
        #[serde(rename = "row/number")]
        row: u8,
    }

    fn refusal(text: &str) -> Problem {
        parse_json::<Booking>(text.as_bytes()).unwrap_err().problem().clone()
    }

    #[test]
    fn the_pointer_names_the_member() {
        for (text, pointer, code) in [
            (r#"{"seats":[{"row/number":1},{"row/number":"x"}]}"#, "/seats/1/row~1number", "invalid_type"),
            (r#"{"seats":[{"row/number":1},{"row/number":300}]}"#, "/seats/1/row~1number", "invalid_value"),
            (r#"{"seats":[{}]}"#, "/seats/0/row~1number", "required"),
            ("{}", "/seats", "required"),
            (r#"{"seats":[],"nite":"x"}"#, "/nite", "unknown_member"),
            (r#"{"seats":[],"seats":[]}"#, "/seats", "duplicate_member"),
            ("1", "", "invalid_type"),
        ] {
            let problem = refusal(text);
            assert_eq!(problem.status, 422, "{text}");
            assert_eq!((problem.errors[0].pointer.as_str(), &*problem.errors[0].code), (pointer, code), "{text}");
            assert!(!problem.errors[0].detail.contains("line"), "{problem:?}");
        }
    }

    #[test]
    fn what_is_not_json_says_where() {
        for text in ["", "{", "nonsense", r#"{"seats":[]} x"#, "\u{feff}{}"] {
            let problem = refusal(text);
            assert_eq!(problem.status, 400, "{problem:?}");
            assert!(problem.detail.unwrap().contains("line 1"));
        }
        let deep = parse_json::<serde_json::Value>("[".repeat(100_000).as_bytes()).unwrap_err();
        assert!(deep.to_string().contains("recursion limit"), "{deep}");
    }

    #[test]
    fn only_what_says_so_is_json() {
        let says = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        assert!(says("application/json") && says("Application/JSON; charset=utf-8") && says("application/scim+json"));
        assert!(!says("text/json") && !says("text/plain") && !says("application/jsonp") && !says(""));
        assert!(!is_json(&HeaderMap::new()));
    }
}
