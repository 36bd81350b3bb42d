//! The token of a request (RFC 6750 §2.1, RFC 9449 §7.1).

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use super::AuthnError;

/// How a token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Whoever has it may use it.
    Bearer,
    /// Whoever has the key that it is bound to may use it.
    Dpop,
}

/// The token of a request.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// How it was sent.
    pub scheme: Scheme,
    /// The token itself.
    pub token: &'a str,
}

/// The token in the `Authorization` header.
///
/// It is the only method: a token in the query ends up in logs and histories (RFC 6750 §2.3, RFC 9700 §4.3.2).
///
/// # Errors
/// [`AuthnError::Missing`] without one, also when another scheme is used; [`AuthnError::SeveralCredentials`],
/// [`AuthnError::TokenInQuery`], [`AuthnError::MalformedHeader`].
pub fn credentials(request: &HttpRequest) -> Result<Credentials<'_>, AuthnError> {
    if names_a_token(request.query_string()) {
        return Err(AuthnError::TokenInQuery);
    }
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().ok_or(AuthnError::Missing)?;
    if headers.next().is_some() {
        return Err(AuthnError::SeveralCredentials);
    }
    let header = header.to_str().map_err(|_| AuthnError::MalformedHeader)?;
    let (scheme, credentials) = header.split_once(' ').unwrap_or((header, ""));
    // Schemes are the same in any case (RFC 9110 §11.1).
    let scheme = if scheme.eq_ignore_ascii_case("Bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("DPoP") {
        Scheme::Dpop
    } else {
        return Err(AuthnError::Missing);
    };
    let token = credentials.trim_matches(' ');
    if is_b64token(token) { Ok(Credentials { scheme, token }) } else { Err(AuthnError::MalformedHeader) }
}

/// Whether the query has a parameter `access_token`, however its name is escaped.
fn names_a_token(query: &str) -> bool {
    !query.is_empty() && url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}

/// `b64token` of RFC 6750 §2.1, which also keeps commas and with them a second challenge out.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=').as_bytes();
    // Without an early end, so that many bytes are looked at at once: every request comes by here with a thousand.
    !body.is_empty() && body.iter().fold(true, |is_token, byte| is_token & is_of_b64token(*byte))
}

fn is_of_b64token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn token_of(header: &str) -> Result<String, AuthnError> {
        let request = TestRequest::default().insert_header((AUTHORIZATION, header)).to_http_request();
        credentials(&request).map(|found| found.token.to_owned())
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        for header in ["Bearer a.b-c_d", "bearer a.b-c_d", "BEARER  a.b-c_d"] {
            assert_eq!(token_of(header).ok().as_deref(), Some("a.b-c_d"), "{header}");
        }
        for other in ["Basic YTpi", "DPoPtoken", "Bearertoken", ""] {
            assert!(matches!(token_of(other), Err(AuthnError::Missing)), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        for header in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer \"a\"", "Bearer =", "Bearer a\tb"] {
            assert!(matches!(token_of(header), Err(AuthnError::MalformedHeader)), "{header:?}");
        }
    }

    #[test]
    fn one_method_and_one_token() {
        let twice = TestRequest::default()
            .append_header((AUTHORIZATION, "Bearer a"))
            .append_header((AUTHORIZATION, "Bearer a"))
            .to_http_request();
        assert!(matches!(credentials(&twice), Err(AuthnError::SeveralCredentials)));
        for query in ["/?access_token=a", "/?x=1&access_token=", "/?%61ccess_token=a", "/?access%5Ftoken"] {
            let request = TestRequest::with_uri(query).insert_header((AUTHORIZATION, "Bearer a")).to_http_request();
            assert!(matches!(credentials(&request), Err(AuthnError::TokenInQuery)), "{query}");
        }
    }
}
