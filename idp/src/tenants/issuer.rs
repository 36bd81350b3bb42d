//! The issuer that a request came to.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use tenantry_db::{DbError, TenantScope};
use tenantry_types::{PublicUrl, Slug};
use tenantry_web::ingress::RequestContext;
use tenantry_web::telemetry::record_tenant;

use super::{Tenant, TenantStatus};
use crate::state::Idp;

/// The issuer that a request came to: a tenant, by the address that the client used.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Whose issuer it is.
    pub tenant: Arc<Tenant>,
    /// The issuer identifier: what `iss` says.
    pub url: Arc<str>,
    /// Whether it is reached over TLS, so that its cookies are `__Host-` cookies.
    pub is_https: bool,
}

/// An issuer whose tenant may be switched off. What such a tenant signed, and what we sign about it, can still be checked:
/// its key set and its issuer record stay published. Everything else asks for an [`Issuer`].
#[derive(Debug, Clone)]
pub struct PublishedIssuer(pub Issuer);

/// Why a request came to no issuer.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The `Host` is neither the public address nor a verified login domain.
    #[error("no issuer lives at this host")]
    UnknownHost,
    /// There is no such tenant, or it is switched off.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Arc<DbError>),
}

impl Issuer {
    /// The scope for queries on behalf of this request.
    pub fn scope(&self) -> TenantScope {
        TenantScope::authenticated(self.tenant.id)
    }

    /// The address of one of its endpoints; `path` begins with a slash.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The path of one of its pages, without scheme and host.
    pub fn path(&self, path: &str) -> String {
        let after_scheme = self.url.split_once("://").map_or(&*self.url, |(_, rest)| rest);
        let prefix = after_scheme.find('/').map_or("", |slash| &after_scheme[slash..]);
        format!("{prefix}{path}")
    }

    /// `{public_url}/t/{slug}`, which every tenant has.
    pub fn by_path(public_url: &PublicUrl, tenant: Arc<Tenant>) -> Self {
        let url = tenant.issuer_url(public_url).into();
        Self { tenant, url, is_https: public_url.is_https() }
    }

    fn by_domain(domain: &str, tenant: Arc<Tenant>) -> Self {
        Self { tenant, url: format!("https://{domain}").into(), is_https: true }
    }

    /// The issuer of this URL, if it is one of ours: as a token's `iss` names it.
    pub async fn find(idp: &Idp, issuer_url: &str) -> Result<Self, IssuerError> {
        PublishedIssuer::find(idp, issuer_url).await?.in_use().ok_or(IssuerError::UnknownTenant)
    }
}

impl PublishedIssuer {
    /// The issuer itself, if its tenant is in use.
    fn in_use(self) -> Option<Issuer> {
        (self.0.tenant.status == TenantStatus::Active).then_some(self.0)
    }

    /// The issuer of this URL, if it is one of ours, whether its tenant is in use or not.
    pub async fn find(idp: &Idp, issuer_url: &str) -> Result<Self, IssuerError> {
        if let Some(path) = issuer_url.strip_prefix(idp.public_url.as_str()) {
            let slug = path.strip_prefix("/t/").and_then(|slug| slug.parse().ok());
            return Self::of_slug(idp, slug.ok_or(IssuerError::UnknownTenant)?).await;
        }
        let domain = issuer_url.strip_prefix("https://").ok_or(IssuerError::UnknownTenant)?;
        Self::of_domain(idp, domain).await?.ok_or(IssuerError::UnknownTenant)
    }

    async fn of_slug(idp: &Idp, slug: Slug) -> Result<Self, IssuerError> {
        let tenant = idp.tenants.by_slug(slug).await?;
        Ok(Self(Issuer::by_path(&idp.public_url, tenant.ok_or(IssuerError::UnknownTenant)?)))
    }

    async fn of_domain(idp: &Idp, domain: &str) -> Result<Option<Self>, IssuerError> {
        // Only names that could be a domain reach the database.
        let Ok(name) = domain.parse::<tenantry_types::DomainName>() else { return Ok(None) };
        let tenant = idp.tenants.by_domain(name.as_str()).await?;
        Ok(tenant.map(|tenant| Self(Issuer::by_domain(name.as_str(), tenant))))
    }

    async fn resolve(idp: &Idp, host: &str, slug: Option<&str>) -> Result<Self, IssuerError> {
        match slug {
            Some(slug) if host == idp.public_authority => {
                Self::of_slug(idp, slug.parse().map_err(|_| IssuerError::UnknownTenant)?).await
            }
            None if host == idp.public_authority => Err(IssuerError::UnknownTenant),
            None => Self::of_domain(idp, host).await?.ok_or(IssuerError::UnknownHost),
            // A login domain has one tenant: a path that names another is not looked at.
            Some(_) => Err(IssuerError::UnknownHost),
        }
    }
}

impl FromRequest for PublishedIssuer {
    type Error = IssuerError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, IssuerError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let idp = request.app_data::<Data<Idp>>().ok_or(IssuerError::UnknownHost)?;
            let context = RequestContext::of(&request).ok_or(IssuerError::UnknownHost)?;
            let found = Self::resolve(idp, &context.origin().host, request.match_info().get("slug")).await?;
            record_tenant(&request, found.0.tenant.slug.as_str());
            Ok(found)
        })
    }
}

impl FromRequest for Issuer {
    type Error = IssuerError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, IssuerError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let found = PublishedIssuer::from_request(request, payload);
        // A login domain of a tenant that is switched off is nobody's; a path names a tenant that is not there.
        let by_path = request.match_info().get("slug").is_some();
        let missing = move || if by_path { IssuerError::UnknownTenant } else { IssuerError::UnknownHost };
        Box::pin(async move { found.await?.in_use().ok_or_else(missing) })
    }
}
