//! What a client is.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use tenantry_db::DbError;
use tenantry_jose::KeySet;
use tenantry_types::{ClientRowId, ParseError, ScopeSet, Sha256Hash, UtcTime, text_enum};
use tenantry_web::pages::WebLink;

use super::RedirectUri;
use super::management::{self, is_management};

text_enum! {
    /// How a client proves who it is at the token endpoint (RFC 7591 §2, `token_endpoint_auth_method`).
    pub enum AuthMethod {
        /// It cannot keep a secret: a public client, which must use PKCE.
        None = "none",
        /// Its secret in the `Authorization` header.
        ClientSecretBasic = "client_secret_basic",
        /// Its secret in the body.
        ClientSecretPost = "client_secret_post",
        /// A JWT signed with its private key (RFC 7523).
        PrivateKeyJwt = "private_key_jwt",
    }
}

impl AuthMethod {
    /// Whether the client shares a secret with us.
    pub const fn uses_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

text_enum! {
    /// A way to get tokens (RFC 7591 §2, `grant_types`).
    pub enum GrantType {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
    }
}

/// The name under which a client asks for tokens, unique in its tenant: 1 to 64 of `A-Z a-z 0-9 . _ ~ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct PublicClientId(String);

impl PublicClientId {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicClientId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-'));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 1 to 64 letters, digits, '.', '_', '~' and '-'"))
        }
    }
}

tenantry_types::text_serde!(PublicClientId);
tenantry_types::stored_as_text!(PublicClientId);

/// The name of a client for people: 1 to 200 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct ClientName(String);

impl ClientName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let name = text.parse::<crate::tenants::TenantName>()?;
        Ok(Self(name.as_str().to_owned()))
    }
}

tenantry_types::text_serde!(ClientName);
tenantry_types::stored_as_text!(ClientName);

/// The digests of the secrets that a client may use now.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Of the newest.
    pub current: Sha256Hash,
    /// Of the one before, and until when it is still good, so that a rotation needs no downtime.
    pub previous: Option<(Sha256Hash, UtcTime)>,
}

impl Secret {
    /// Whether this is a secret that is good now. Both are always compared.
    pub fn matches(&self, secret: &str, now: UtcTime) -> bool {
        let current = self.current.matches(secret);
        let previous = self.previous.as_ref().is_some_and(|(hash, until)| hash.matches(secret) && now < *until);
        current || previous
    }
}

/// A registered client.
#[derive(Clone)]
pub struct Client {
    /// The id of its row.
    pub row_id: ClientRowId,
    /// Its name in the protocol.
    pub client_id: PublicClientId,
    /// Its name for people.
    pub name: ClientName,
    /// Its page for people.
    pub client_uri: Option<String>,
    /// How it proves who it is: in this way and no other.
    pub auth_method: AuthMethod,
    /// The digests of its secrets, where it has any.
    pub secret: Option<Secret>,
    /// Its public keys, where it signs.
    pub keys: Option<KeySet>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may be sent after sign-out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// How it may get tokens.
    pub grant_types: BTreeSet<GrantType>,
    /// What it may ask for.
    pub scope: ScopeSet,
    /// Whether it belongs to the same organisation, so that nobody is asked for consent.
    pub is_first_party: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Client {
    /// Whether it may use this way to get tokens.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// What it may ask for on behalf of people: all but the scopes of the management API.
    pub fn scope_for_people(&self) -> ScopeSet {
        self.scope.iter().filter(|scope| !is_management(scope)).collect()
    }

    /// Whether it cannot keep a secret.
    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }
}

/// What is needed to register a client.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// The id of its row.
    pub row_id: ClientRowId,
    /// Its name in the protocol.
    pub client_id: PublicClientId,
    /// Its name for people.
    pub name: ClientName,
    /// Its home page.
    pub client_uri: Option<String>,
    /// How it proves who it is.
    pub auth_method: AuthMethod,
    /// The digest of its secret, where it has one.
    pub secret: Option<Sha256Hash>,
    /// Its public keys as a JWK Set, where it signs.
    pub jwks: Option<serde_json::Value>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may be sent after sign-out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// How it may get tokens.
    pub grant_types: BTreeSet<GrantType>,
    /// What it may ask for.
    pub scope: ScopeSet,
    /// Whether nobody is asked for consent.
    pub is_first_party: bool,
}

impl NewClient {
    /// Whether the parts fit together; otherwise what does not, as `(field, reason)`, all at once.
    pub fn check(&self) -> Result<(), Vec<(&'static str, &'static str)>> {
        let mut wrong = Vec::new();
        let uses_code = self.grant_types.contains(&GrantType::AuthorizationCode);
        if self.grant_types.is_empty() {
            wrong.push(("grant_types", "must name at least one"));
        }
        if uses_code && self.redirect_uris.is_empty() {
            wrong.push(("redirect_uris", "must name at least one, since the client uses authorization codes"));
        }
        if !uses_code && !self.redirect_uris.is_empty() {
            wrong.push(("redirect_uris", "must be empty, since the client does not use authorization codes"));
        }
        let mut management = self.scope.iter().filter(|scope| is_management(scope)).peekable();
        // People sign in for the API of their tenant; what manages the provider acts for itself.
        if management.peek().is_some() && !self.grant_types.contains(&GrantType::ClientCredentials) {
            wrong.push(("scope", "admin.… needs client_credentials"));
        }
        if management.any(|scope| !management::SCOPES.contains(&scope)) {
            wrong.push(("scope", "names an admin.… scope that there is not"));
        }
        if self.grant_types.contains(&GrantType::RefreshToken) && !uses_code {
            wrong.push(("grant_types", "refresh_token needs authorization_code"));
        }
        // RFC 6749 §4.4: client credentials are for confidential clients only.
        if self.grant_types.contains(&GrantType::ClientCredentials) && self.auth_method == AuthMethod::None {
            wrong.push(("auth_method", "must not be none, since the client uses client credentials"));
        }
        if self.auth_method.uses_secret() != self.secret.is_some() {
            wrong.push(("secret", "must be there exactly when the client authenticates with one"));
        }
        if self.client_uri.as_deref().is_some_and(|uri| uri.len() > 2_000 || WebLink::parse(uri).is_none()) {
            wrong.push(("client_uri", "must be an http or https address"));
        }
        match (&self.jwks, self.auth_method) {
            (None, AuthMethod::PrivateKeyJwt) => wrong.push(("jwks", "must be there for private_key_jwt")),
            (Some(_), method) if method != AuthMethod::PrivateKeyJwt => {
                wrong.push(("jwks", "is only used with private_key_jwt"));
            }
            (Some(jwks), _) if !KeySet::from_jwks(jwks).is_ok_and(|keys| !keys.is_empty()) => {
                wrong.push(("jwks", "must be a JWK Set with a public key for ES256, EdDSA, RS256 or PS256"));
            }
            _ => {}
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// Why something about a client could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Another client of the tenant has the name.
    #[error("there is a client '{0}' already")]
    Taken(String),
    /// There is no such client.
    #[error("there is no client '{0}'")]
    Unknown(String),
    /// The parts do not fit together.
    #[error("{}", .0.iter().map(|(field, reason)| format!("{field} {reason}")).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<(&'static str, &'static str)>),
    /// The client has no secret that could be changed.
    #[error("the client '{0}' has no secret")]
    NoSecret(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}
