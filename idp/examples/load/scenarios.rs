//! What is done over and over.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use tenantry_testing::markup::Markup;
use url::{Url, form_urlencoded};

use crate::connection::{Connection, Reply};

/// The provider to be measured and the accounts to do it with.
#[derive(Deserialize)]
pub struct Target {
    issuer: Url,
    /// A public client with PKCE.
    client_id: String,
    redirect_uri: String,
    scope: String,
    /// Resource indicator (RFC 8707), where the provider wants one.
    resource: Option<String>,
    users: Vec<User>,
    machine: Machine,
}

#[derive(Deserialize)]
struct User {
    username: String,
    password: String,
}

#[derive(Deserialize)]
struct Machine {
    client_id: String,
    client_secret: String,
    scope: String,
}

/// The four kinds of work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// One request: `client_secret_basic` at the token endpoint.
    ClientCredentials,
    /// One request: a refresh token for its successor.
    Refresh,
    /// Two requests: with a session, the authorization endpoint for a code, the token endpoint for tokens.
    CodeFlow,
    /// From an empty browser to a code: authorization endpoint, hosted page, password.
    SignIn,
}

impl Scenario {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "client-credentials" => Self::ClientCredentials,
            "refresh" => Self::Refresh,
            "code-flow" => Self::CodeFlow,
            "sign-in" => Self::SignIn,
            _ => return None,
        })
    }
}

/// A target whose endpoints are known.
pub struct Provider {
    target: Target,
    authorization_path: String,
    token_path: String,
    basic: String,
}

impl Provider {
    pub async fn discover(target: Target) -> Result<Self, String> {
        let path = format!("{}/.well-known/openid-configuration", target.issuer.path().trim_end_matches('/'));
        let metadata = json(&Connection::to(&target.issuer).get(&path).await?)?;
        let endpoint = |name: &str| {
            let text = metadata[name].as_str().ok_or_else(|| format!("discovery lacks {name}"))?;
            Url::parse(text).map(|url| url.path().to_owned()).map_err(|error| error.to_string())
        };
        // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let credentials = format!("{}:{}", encode(&target.machine.client_id), encode(&target.machine.client_secret));
        Ok(Self {
            authorization_path: endpoint("authorization_endpoint")?,
            token_path: endpoint("token_endpoint")?,
            basic: format!("Basic {}", STANDARD.encode(credentials)),
            target,
        })
    }

    fn form(&self, pairs: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        if let Some(resource) = &self.target.resource {
            form.append_pair("resource", resource);
        }
        form.finish()
    }
}

/// One connection's state.
pub struct Worker {
    provider: Rc<Provider>,
    connection: Connection,
    user: usize,
    verifier: String,
    challenge: String,
    refresh_token: String,
}

impl Worker {
    pub fn new(provider: Rc<Provider>, number: usize) -> Self {
        let verifier = format!("{number:0>43}");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        Self {
            connection: Connection::to(&provider.target.issuer),
            user: number % provider.target.users.len(),
            challenge: URL_SAFE_NO_PAD.encode(digest),
            refresh_token: String::new(),
            verifier,
            provider,
        }
    }

    /// Makes what the scenario presupposes.
    pub async fn prepare(&mut self, scenario: Scenario) -> Result<(), String> {
        match scenario {
            Scenario::ClientCredentials | Scenario::SignIn => Ok(()),
            Scenario::CodeFlow => self.sign_in().await.map(drop),
            Scenario::Refresh => {
                let tokens = self.tokens().await?;
                self.keep_refresh_token(&tokens)
            }
        }
    }

    /// Signs in and gives what the token endpoint says.
    pub async fn tokens(&mut self) -> Result<Value, String> {
        let code = self.sign_in().await?;
        self.exchange(&code).await
    }

    /// Does it once.
    pub async fn operate(&mut self, scenario: Scenario) -> Result<(), String> {
        match scenario {
            Scenario::ClientCredentials => {
                let form = self
                    .provider
                    .form(&[("grant_type", "client_credentials"), ("scope", &self.provider.target.machine.scope)]);
                self.token(form, true).await.map(drop)
            }
            Scenario::Refresh => {
                let client_id = &self.provider.target.client_id;
                let form = self.provider.form(&[
                    ("grant_type", "refresh_token"),
                    ("refresh_token", &self.refresh_token),
                    ("client_id", client_id),
                ]);
                let tokens = self.token(form, false).await?;
                self.keep_refresh_token(&tokens)
            }
            Scenario::CodeFlow => {
                let reply = self.authorize().await?;
                let code = self.code_of(&reply)?.ok_or_else(|| format!("no code: {}", reply.describe()))?;
                self.exchange(&code).await.map(drop)
            }
            Scenario::SignIn => self.sign_in().await.map(drop),
        }
    }

    async fn authorize(&mut self) -> Result<Reply, String> {
        let target = &self.provider.target;
        let query = self.provider.form(&[
            ("response_type", "code"),
            ("client_id", &target.client_id),
            ("redirect_uri", &target.redirect_uri),
            ("scope", &target.scope),
            ("state", "s-0123456789abcdef"),
            ("nonce", "n-0123456789abcdef"),
            ("code_challenge", &self.challenge),
            ("code_challenge_method", "S256"),
        ]);
        self.connection.get(&format!("{}?{query}", self.provider.authorization_path)).await
    }

    /// A person with an empty browser: follows redirects, fills the sign-in page, allows what is asked. Gives the code.
    async fn sign_in(&mut self) -> Result<String, String> {
        self.connection.forget_cookies();
        let mut at = self.provider.target.issuer.clone();
        let mut reply = self.authorize().await?;
        for _ in 0..10 {
            if let Some(code) = self.code_of(&reply)? {
                return Ok(code);
            }
            if let Some(location) = &reply.location {
                at = at.join(location).map_err(|error| error.to_string())?;
                reply = self.connection.get(path_and_query(&at)).await?;
                continue;
            }
            if reply.status != 200 {
                return Err(reply.describe());
            }
            let (action, form) = self.fill(&String::from_utf8_lossy(&reply.body))?;
            at = at.join(&action).map_err(|error| error.to_string())?;
            reply = self.connection.submit(path_and_query(&at), form).await?;
        }
        Err("the sign-in does not end".to_owned())
    }

    fn fill(&self, html: &str) -> Result<(String, String), String> {
        let page = Markup::parse(html)?;
        let form =
            page.all("form").find(|form| form.attribute("method") == Some("post")).ok_or("a page without a form")?;
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.extend_pairs(page.hidden_values());
        let button = match (page.by_id("sign-in"), page.by_id("allow")) {
            (Some(button), _) => {
                let user = &self.provider.target.users[self.user];
                fields.append_pair("username", &user.username).append_pair("password", &user.password);
                button
            }
            (None, Some(button)) => button,
            (None, None) => return Err("a page that neither signs in nor asks for consent".to_owned()),
        };
        if let Some(name) = button.attribute("name") {
            fields.append_pair(name, button.attribute("value").unwrap_or_default());
        }
        Ok((form.attribute("action").unwrap_or_default().to_owned(), fields.finish()))
    }

    /// The code, when the reply sends the browser back to the client.
    fn code_of(&self, reply: &Reply) -> Result<Option<String>, String> {
        let Some(location) = reply.location.as_deref() else { return Ok(None) };
        if !location.starts_with(&self.provider.target.redirect_uri) {
            return Ok(None);
        }
        let url = Url::parse(location).map_err(|error| error.to_string())?;
        url.query_pairs()
            .find(|(name, _)| name == "code")
            .map(|(_, code)| Some(code.into_owned()))
            .ok_or_else(|| format!("sent back without a code: {location}"))
    }

    async fn exchange(&mut self, code: &str) -> Result<Value, String> {
        let target = &self.provider.target;
        let form = self.provider.form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &target.redirect_uri),
            ("client_id", &target.client_id),
            ("code_verifier", &self.verifier),
        ]);
        self.token(form, false).await
    }

    async fn token(&mut self, form: String, machine: bool) -> Result<Value, String> {
        let authorization = machine.then_some(self.provider.basic.as_str());
        let reply = self.connection.post(&self.provider.token_path, form, authorization).await?;
        let tokens = json(&reply)?;
        if reply.status == 200 && tokens["access_token"].is_string() { Ok(tokens) } else { Err(reply.describe()) }
    }

    fn keep_refresh_token(&mut self, tokens: &Value) -> Result<(), String> {
        let next = tokens["refresh_token"].as_str().ok_or("no refresh token was issued")?;
        if next == self.refresh_token {
            return Err("the refresh token was not rotated".to_owned());
        }
        next.clone_into(&mut self.refresh_token);
        Ok(())
    }
}

fn json(reply: &Reply) -> Result<Value, String> {
    serde_json::from_slice(&reply.body).map_err(|_| reply.describe())
}

fn path_and_query(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}
