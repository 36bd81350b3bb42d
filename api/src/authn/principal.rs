//! Who is calling, once it is known.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde::Serialize;
use tenantry_db::TenantScope;
use tenantry_types::{ScopeSet, SessionId, Slug, TenantId, UserId, UtcTime, text_enum};
use utoipa::ToSchema;

use super::AuthnError;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A person, through a client.
    User(UserId),
    /// A client on its own behalf (RFC 6749 §4.4).
    Client(String),
}

impl Subject {
    /// The id of the user, or the `client_id` of the client.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Client(id) => id,
        }
    }

    /// As it is shown.
    fn view(&self) -> SubjectView<'_> {
        let kind = match self {
            Self::User(_) => "user",
            Self::Client(_) => "client",
        };
        SubjectView { kind, id: self.id() }
    }
}

text_enum! {
    /// Whether a tenant is in use.
    pub enum TenantStatus {
        /// It is being made: nothing works yet.
        Provisioning = "provisioning",
        /// Everything works.
        Active = "active",
        /// Switched off for a while.
        Inactive = "inactive",
        /// Switched off by the operator.
        Suspended = "suspended",
    }
}

/// The tenant of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id at both services.
    pub id: TenantId,
    /// Its short name.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Whether it is in use, as the identity provider said when its keys were fetched. What this service knows of the
    /// tenant itself wins.
    pub status: TenantStatus,
    /// Whether it is the operator's own, whose administrators manage the others.
    pub is_platform: bool,
}

/// Who is calling: what a verified access token says. Cheap to clone.
///
/// As an extractor it is what the guard of the route has found out; a public route has none.
#[derive(Debug, Clone)]
pub struct Principal(Arc<PrincipalClaims>);

/// The content of a [`Principal`].
#[derive(Debug)]
pub struct PrincipalClaims {
    /// Who acts.
    pub subject: Subject,
    /// Where.
    pub tenant: Arc<Tenant>,
    /// Who acts in their name, when that is somebody else (RFC 8693 §4.1). Whoever acted for that one before has no say.
    pub actor: Option<Subject>,
    /// The client that the token was issued to.
    pub client_id: String,
    /// What the token may be used for.
    pub scopes: ScopeSet,
    /// The roles that the token names. They count until roles are given here.
    pub roles: Vec<String>,
    /// How strongly the person was authenticated (OpenID Connect Core §2).
    pub acr: Option<String>,
    /// By which methods (RFC 8176).
    pub amr: Vec<String>,
    /// When.
    pub auth_time: Option<UtcTime>,
    /// The session at the identity provider that the token was issued in; a program that acts for itself has none.
    pub session_id: Option<SessionId>,
    /// The thumbprint of the key without which the token is worth nothing; `None` for a bearer token.
    pub bound_to: Option<String>,
    /// When the token was issued.
    pub issued_at: UtcTime,
    /// When it ends.
    pub expires_at: UtcTime,
}

impl Principal {
    pub(super) fn new(claims: PrincipalClaims) -> Self {
        Self(Arc::new(claims))
    }

    /// The scope for queries on behalf of this caller.
    pub fn scope(&self) -> TenantScope {
        TenantScope::authenticated(self.tenant.id)
    }

    /// What the caller is shown of it, with the roles that they have in this tenant.
    pub fn view<'a>(&'a self, roles: &'a [String]) -> PrincipalView<'a> {
        PrincipalView {
            subject: self.subject.view(),
            actor: self.actor.as_ref().map(Subject::view),
            tenant: TenantView { id: self.tenant.id, slug: self.tenant.slug.as_str(), name: &self.tenant.name },
            client_id: &self.client_id,
            scopes: self.scopes.iter().collect(),
            roles,
            acr: self.acr.as_deref(),
            amr: &self.amr,
            auth_time: self.auth_time,
            expires_at: self.expires_at,
        }
    }
}

impl Deref for Principal {
    type Target = PrincipalClaims;

    fn deref(&self) -> &PrincipalClaims {
        &self.0
    }
}

impl FromRequest for Principal {
    type Error = AuthnError;
    type Future = Ready<Result<Self, AuthnError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(AuthnError::Missing))
    }
}

/// A [`Principal`] on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Principal)]
pub struct PrincipalView<'a> {
    /// Who acts.
    pub subject: SubjectView<'a>,
    /// Who acts in their name, when that is somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<SubjectView<'a>>,
    /// The tenant that the token belongs to.
    pub tenant: TenantView<'a>,
    /// The client that the token was issued to.
    #[schema(example = "tenantry-console")]
    pub client_id: &'a str,
    /// What the token may be used for.
    #[schema(example = json!(["api", "openid"]))]
    pub scopes: Vec<&'a str>,
    /// The roles of the person in this tenant. Empty for a client.
    #[schema(example = json!(["administrator"]))]
    pub roles: &'a [String],
    /// How strongly the person was authenticated (`acr`, OpenID Connect Core §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'a str>,
    /// By which methods the person was authenticated (`amr`, RFC 8176).
    #[schema(example = json!(["pwd"]))]
    pub amr: &'a [String],
    /// When the person was authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub auth_time: Option<UtcTime>,
    /// When the token ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: UtcTime,
}

/// A [`Subject`] on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Subject)]
pub struct SubjectView<'a> {
    /// `user` or `client`.
    #[schema(example = "user")]
    pub kind: &'static str,
    /// The id of the user, or the `client_id` of the client.
    #[schema(example = "0190b2c4-0000-7000-8000-000000000001")]
    pub id: &'a str,
}

/// A [`Tenant`] on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantView<'a> {
    /// Its id.
    pub id: TenantId,
    /// Its short name.
    #[schema(example = "demo")]
    pub slug: &'a str,
    /// Its name for people.
    #[schema(example = "Demo")]
    pub name: &'a str,
}
