//! The content security policy of a page.

use url::Url;

/// Schemes that run or show something inside the browser: never a place to send a form's answer to.
const REFUSED_SCHEMES: [&str; 8] =
    ["javascript", "vbscript", "data", "blob", "filesystem", "file", "about", "view-source"];

/// The `Content-Security-Policy` (CSP level 3) of a page: own stylesheets, scripts and images, nothing inline,
/// never framed.
///
/// `redirect` is the address that the answer to the page's form may redirect to: a client's redirect URI, a
/// post-logout redirect URI, the other service. Chromium applies `form-action` to *every* hop that follows the
/// submission, also to those that the client itself adds and that no server can know beforehand. A broker, for
/// one, sends the person on to another host: with only the broker's origin allowed they would be stranded on
/// this page; and an IPv6 literal such as `[::1]` is no valid source at all. What is added is therefore the
/// address's scheme. `https:` still keeps the form off plain HTTP and foreign schemes; where the form itself
/// goes is fixed by the template.
///
/// An address that does not parse, or whose scheme acts inside the browser, adds nothing.
pub fn content_security_policy(redirect: Option<&str>) -> String {
    let scheme = redirect
        .and_then(|address| Url::parse(address).ok())
        .map(|url| url.scheme().to_owned())
        .filter(|scheme| !REFUSED_SCHEMES.contains(&scheme.as_str()))
        .map(|scheme| format!(" {scheme}:"))
        .unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'{scheme}; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_action(redirect: &str) -> String {
        let policy = content_security_policy(Some(redirect));
        let directive = policy.split("; ").find_map(|part| part.strip_prefix("form-action "));
        directive.unwrap().to_owned()
    }

    #[test]
    fn nothing_inline_and_no_foreign_source() {
        assert_eq!(
            content_security_policy(None),
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        assert!(!content_security_policy(Some("https://a")).contains("unsafe"));
    }

    #[test]
    fn the_redirect_adds_its_scheme() {
        for (redirect, expected) in [
            ("https://app.example.com/callback", "'self' https:"),
            ("http://127.0.0.1:49152/callback", "'self' http:"),
            ("http://[::1]:49152/callback", "'self' http:"),
            ("com.example.app:/callback", "'self' com.example.app:"),
            ("javascript:alert(1)", "'self'"),
            ("data:text/html,x", "'self'"),
            ("callback", "'self'"),
            ("https://a; script-src *", "'self'"),
            ("x;script-src *://a", "'self'"),
        ] {
            assert_eq!(form_action(redirect), expected, "{redirect}");
        }
    }
}
