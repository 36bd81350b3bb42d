//! A tenant on the wire.

use serde::Serialize;
use tenantry_types::{Slug, TenantId, UtcTime};
use utoipa::ToSchema;

use super::domains::DomainView;
use super::store::TenantRow;
use crate::authn::TenantStatus;

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ManagedTenant)]
pub struct TenantView {
    /// Its id at both services.
    pub id: TenantId,
    /// Its short name, which is part of its issuer.
    #[schema(value_type = String, example = "acme")]
    pub slug: Slug,
    /// Its name for people.
    #[schema(example = "Acme Corporation")]
    pub name: String,
    /// Its primary domain, or the first that it has named.
    #[schema(example = "acme.example.com")]
    pub domain: Option<String>,
    /// Whether it is in use: `provisioning`, `active`, `inactive`, `suspended`.
    #[schema(value_type = String, example = "active")]
    pub status: TenantStatus,
    /// The status that it is on the way to, while the identity provider does not know it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "active")]
    pub pending_status: Option<TenantStatus>,
    /// Its domains; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<DomainView>>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: UtcTime,
    /// When it changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: UtcTime,
}

impl TenantView {
    /// A tenant in a list.
    pub(super) fn brief(row: TenantRow, domain: Option<String>) -> Self {
        let TenantRow { id, slug, name, status, wanted_status, created_at, updated_at, .. } = row;
        let pending_status = wanted_status.filter(|_| status != TenantStatus::Provisioning);
        Self { id, slug, name, domain, status, pending_status, domains: None, created_at, updated_at }
    }

    /// A tenant with its domains.
    pub(super) fn whole(row: TenantRow, domains: Vec<DomainView>) -> Self {
        let primary = domains.iter().find(|domain| domain.is_primary).or(domains.first());
        let domain = primary.map(|domain| domain.domain.as_str().to_owned());
        Self { domains: Some(domains), ..Self::brief(row, domain) }
    }
}
