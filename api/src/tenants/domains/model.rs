//! A domain of a tenant, and how it is shown to be theirs.

use serde::Serialize;
use serde_json::Value;
use tenantry_types::{DomainId, DomainName, InputError, UtcTime, text_enum};
use utoipa::ToSchema;

use crate::input::{Errors, Object};
use crate::tenants::model::required;

text_enum! {
    /// How a domain was shown to be the tenant's.
    pub enum Method {
        /// By a TXT record.
        Dns = "dns",
        /// By a file.
        Http = "http",
    }
}

/// A domain of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// The name.
    pub name: DomainName,
    /// Whether the tenant prefers it.
    pub is_primary: bool,
    /// What the tenant has to publish.
    pub token: String,
    /// How it was verified; `None` while it is not.
    pub verified: Option<Method>,
    /// When it was verified.
    pub verified_at: Option<UtcTime>,
    /// How often in a row it could not be seen any more.
    pub failures: i64,
    /// Counts the changes.
    pub version: i64,
    /// When it was claimed.
    pub created_at: UtcTime,
}

impl Domain {
    /// The name of the TXT record.
    pub fn dns_name(&self) -> String {
        format!("_tenantry-challenge.{}", self.name.as_str())
    }

    /// The path of the file.
    pub fn http_path(&self) -> String {
        format!("/.well-known/tenantry-challenge/{}", self.token)
    }
}

/// A domain on the wire.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TenantDomain)]
pub struct DomainView {
    /// The name.
    #[schema(value_type = String, example = "auth.acme.example.com")]
    pub domain: DomainName,
    /// Whether the tenant prefers it.
    pub is_primary: bool,
    /// Whether it is known to be the tenant's.
    pub is_verified: bool,
    /// When it was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_at: Option<UtcTime>,
    /// What to publish so that it is verified and stays so.
    pub verification: Verification,
    /// When it was claimed.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: UtcTime,
}

/// What a tenant publishes to show that a domain is theirs: one of the two.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Verification {
    /// The name of a TXT record.
    #[schema(example = "_tenantry-challenge.auth.acme.example.com")]
    pub dns_name: String,
    /// Its text, which is also the whole content of the file.
    pub token: String,
    /// The address of a file.
    #[schema(example = "http://auth.acme.example.com/.well-known/tenantry-challenge/…")]
    pub http_url: String,
}

impl DomainView {
    /// How a domain is shown.
    pub fn of(domain: &Domain) -> Self {
        Self {
            domain: domain.name.clone(),
            is_primary: domain.is_primary,
            is_verified: domain.verified.is_some(),
            verified_at: domain.verified_at,
            verification: Verification {
                dns_name: domain.dns_name(),
                token: domain.token.clone(),
                http_url: format!("http://{}{}", domain.name.as_str(), domain.http_path()),
            },
            created_at: domain.created_at,
        }
    }
}

/// A request to add a domain.
#[derive(Debug, Clone)]
pub struct NewDomain {
    /// The name.
    pub name: DomainName,
    /// Whether the tenant prefers it; `None` leaves that as it is.
    pub is_primary: Option<bool>,
}

impl NewDomain {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(value: Value) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(value, "", &errors);
        let name = required(&mut body, "domain", str::parse);
        let is_primary = match body.value("is_primary") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(value)) => Some(value),
            Some(_) => {
                body.refuse("is_primary", "type", "must be true or false");
                None
            }
        };
        body.finish();
        match name {
            Some(name) => errors.unless_any(Self { name, is_primary }),
            None => Err(errors.unless_any(()).err().unwrap_or_default()),
        }
    }
}
