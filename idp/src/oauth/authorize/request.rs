//! An authorization request that has passed all checks.

use std::sync::Arc;

use oxide_auth::primitives::grant::Extensions;
use tenantry_types::{ScopeSet, text_enum};

use crate::clients::Client;

text_enum! {
    /// The values of `prompt` (OpenID Connect Core §3.1.2.1).
    pub enum Prompt {
        /// Ask nothing; fail instead.
        None = "none",
        /// Ask for the password again.
        Login = "login",
        /// Ask for consent again.
        Consent = "consent",
        /// Ask which account.
        SelectAccount = "select_account",
    }
}

/// An authorization request that has passed all checks.
#[derive(Debug, Clone)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes, as the client wrote it.
    pub redirect_uri: String,
    /// What it asks for.
    pub scope: ScopeSet,
    /// Given back unchanged.
    pub state: Option<String>,
    /// Put into the ID token.
    pub nonce: Option<String>,
    /// What the user is to be asked.
    pub prompt: Vec<Prompt>,
    /// How old the sign-in may be, in seconds.
    pub max_age: Option<u64>,
    /// Who is expected to sign in.
    pub login_hint: Option<String>,
    /// The subject of the `id_token_hint`.
    pub hinted_subject: Option<String>,
    /// What oxide-auth keeps for the token request (PKCE).
    pub extensions: Extensions,
}

impl AuthorizationRequest {
    /// Whether the user is to be asked this.
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
}
