//! What the pages of the console work with.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use tenantry_jose::{Keyring, SealedJson};
use tenantry_types::{PublicUrl, Slug};
use tenantry_web::ingress::RequestContext;
use tenantry_web::telemetry::Cause;

use super::ConsoleError;
use super::cookies::Cookies;
use super::model::PendingSignIn;
use super::pages::{ConsolePages, ErrorPage, LandingError, LandingPage, Language, PageError, content_security_policy};
use super::relying_party::RelyingParty;
use super::return_path::ReturnPath;
use super::sessions::Sessions;
use crate::access::AccessControl;
use crate::authn::{Authenticator, Tenant, TenantStatus};
use crate::idp::IdpClient;
use crate::state::Api;

/// What is set for the console.
#[derive(Debug, Clone)]
pub struct ConsoleSettings {
    /// Where this service is reached.
    pub public_url: PublicUrl,
    /// The tenant that is proposed for signing in.
    pub tenant: Slug,
    /// What the console is called as a client.
    pub client_id: String,
    /// How long a session lasts without being used.
    pub idle: Duration,
    /// How long a session lasts in all.
    pub absolute: Duration,
}

/// The console of this process.
pub struct Console {
    pub(super) pages: ConsolePages,
    pub(super) cookies: Cookies,
    pub(super) relying_party: Arc<RelyingParty>,
    pub(super) sessions: Sessions,
    pub(super) pending: SealedJson<PendingSignIn>,
    pub(super) authenticator: Authenticator,
    pub(super) control: AccessControl,
    pub(super) api: Api,
    pub(super) tenant: Slug,
    /// What browsers call the pages of the console in `Origin`.
    pub(super) origin: String,
    /// Of pages whose forms lead to the identity provider.
    pub(super) content_security_policy: String,
    /// Of pages that scripts make: these ask the API here, and make elements out of text in no way at all.
    scripted_policy: String,
}

/// Why the console cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleSetupError {
    /// A template is wrong.
    #[error("the pages of the console cannot be made")]
    Pages(#[from] PageError),
    /// The public URL is not one.
    #[error("the addresses of the console cannot be made")]
    Address(#[from] url::ParseError),
}

impl Console {
    /// A console of this service.
    ///
    /// # Errors
    /// [`ConsoleSetupError`].
    pub fn new(
        api: Api,
        authenticator: Authenticator,
        control: AccessControl,
        idp: &IdpClient,
        keyring: &Keyring,
        settings: ConsoleSettings,
    ) -> Result<Self, ConsoleSetupError> {
        let relying_party = Arc::new(RelyingParty::new(
            idp.clone(),
            &settings.public_url,
            settings.client_id,
            Arc::clone(&api.clock),
            Arc::clone(&api.random),
        )?);
        let content_security_policy = content_security_policy(Some(idp.public_url().as_str()));
        Ok(Self {
            pages: ConsolePages::new()?,
            cookies: Cookies::new(&settings.public_url),
            sessions: Sessions::new(
                api.clone(),
                keyring.clone(),
                Arc::clone(&relying_party),
                settings.idle,
                settings.absolute,
            ),
            relying_party,
            pending: SealedJson::new(keyring.clone(), "console.sign-in"),
            authenticator,
            control,
            api,
            tenant: settings.tenant,
            origin: settings.public_url.url().origin().ascii_serialization(),
            scripted_policy: format!(
                "{content_security_policy}; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
            ),
            content_security_policy,
        })
    }

    /// Whether people of the tenant can be signed in.
    ///
    /// # Errors
    /// [`ConsoleError::TenantNotActive`], [`ConsoleError::Database`].
    pub(super) async fn check_in_use(&self, tenant: &Tenant) -> Result<(), ConsoleError> {
        match self.control.status(tenant).await? {
            TenantStatus::Active => Ok(()),
            status => Err(ConsoleError::TenantNotActive(status)),
        }
    }

    /// A page as an answer.
    pub(super) fn page(&self, status: StatusCode, html: String) -> HttpResponse {
        HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, self.content_security_policy.as_str()))
            .body(html)
    }

    /// A page that scripts make, as an answer.
    pub(super) fn scripted_page(&self, status: StatusCode, html: String) -> HttpResponse {
        HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, self.scripted_policy.as_str()))
            .body(html)
    }

    /// Where to sign in, to go to a page of the console afterwards.
    pub(super) fn landing(
        &self,
        status: StatusCode,
        tenant: Option<&str>,
        return_to: Option<&ReturnPath>,
        error: Option<LandingError>,
    ) -> Result<HttpResponse, ConsoleError> {
        let page = LandingPage {
            language: Language::default(),
            form_action: "/console/sign-in",
            return_to: return_to.map(ReturnPath::as_str),
            tenant,
            error,
        };
        Ok(self.page(status, self.pages.landing(&page)?))
    }

    /// What was made, or the page that says why not.
    pub(super) fn answer(&self, request: &HttpRequest, made: Result<HttpResponse, ConsoleError>) -> HttpResponse {
        made.unwrap_or_else(|error| self.error_page(request, &error))
    }

    /// The page that says what went wrong.
    pub(super) fn error_html(
        &self,
        context: Option<&RequestContext>,
        error: &ConsoleError,
    ) -> Result<String, PageError> {
        let face = error.face();
        self.pages.error(&ErrorPage {
            language: Language::default(),
            title: face.title,
            message: face.message,
            code: face.code,
            request_id: context.map_or("unknown", |context| context.id().as_str()),
            try_again_path: Some("/console"),
        })
    }

    fn error_page(&self, request: &HttpRequest, error: &ConsoleError) -> HttpResponse {
        let status = error.face().status;
        let mut response = match self.error_html(RequestContext::of(request).as_deref(), error) {
            Ok(html) => self.page(status, html),
            Err(fault) => {
                let mut response = HttpResponse::InternalServerError().finish();
                Cause::of(&fault).attach_to(&mut response);
                return response;
            }
        };
        if status.is_server_error() {
            Cause::of(error).attach_to(&mut response);
        }
        response
    }
}

/// Sends the browser on; what it does next is a GET (RFC 9110 §15.4.4).
pub(super) fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}
