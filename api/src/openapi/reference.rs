//! The interactive reference: Swagger UI from this binary, started by a script of our own.

use std::sync::Arc;

use actix_web::web::Bytes;
use utoipa_swagger_ui::Config;

/// The page. Nothing in it is inline, and nothing comes from elsewhere.
pub(super) const PAGE: &str = include_str!("reference.html");

/// What starts the reference on the page.
const SCRIPT: &str = include_str!("reference.js");

/// Own scripts and stylesheets only. Swagger UI shows icons from `data:` URLs, and calls this service to try it out.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
#[derive(Debug)]
pub(super) struct File {
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// The file of this name; only those that the page uses are there.
pub(super) fn file(name: &str) -> Option<File> {
    let content_type = match name {
        "reference.js" => {
            return Some(File {
                content_type: "text/javascript; charset=utf-8",
                body: Bytes::from_static(SCRIPT.as_bytes()),
            });
        }
        "swagger-ui-bundle.js" => "text/javascript; charset=utf-8",
        "swagger-ui.css" => "text/css; charset=utf-8",
        _ => return None,
    };
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok()??;
    let body = match file.bytes {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some(File { content_type, body })
}
