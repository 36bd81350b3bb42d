//! The management API of the identity provider: tenants, their login domains, their people.
//!
//! This service is a client of the platform tenant there and proves it with a key of its own (RFC 7523). What it makes
//! has the id that it chooses, so that every call can be repeated until its answer arrives.

mod calls;
mod error;
mod key;
mod model;
mod token;

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tenantry_types::{Clock, Envelope, Problem, Random, Slug};

use super::{IdpClient, IdpError};
use token::Tokens;

pub use error::ManagementError;
pub use key::{ClientKeyError, ClientKeyFile};
pub use model::{
    DomainState, Member, NewAdministrator, NewTenant, RolesOf, SessionRecord, SessionsPage, TenantChange, TenantRecord,
};

/// Calls the management API. Clones share connections and the access token.
#[derive(Debug, Clone)]
pub struct ManagementClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    idp: IdpClient,
    /// `None` where the operator has not made a key: then every call says so.
    tokens: Option<Tokens>,
}

impl ManagementClient {
    /// The client `client_id` of the tenant `platform`, which proves itself with the key; without one, nothing can be
    /// managed until the service is started with one.
    pub fn new(
        idp: IdpClient,
        platform: &Slug,
        client_id: &str,
        key: Option<ClientKeyFile>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let tokens = key.map(|key| Tokens::new(idp.clone(), platform, client_id, key, clock, random));
        Self(Arc::new(Inner { idp, tokens }))
    }

    /// Whether the management API lets this client in: for `doctor`.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn check(&self) -> Result<(), ManagementError> {
        self.call(Method::GET, &["tenants"], &[("limit", "1")], None).await.map(drop)
    }

    /// Sends a request and gives the body of its answer. A token that is refused is replaced once.
    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Option<Value>, ManagementError> {
        let tokens = self.0.tokens.as_ref().ok_or(ManagementError::NotSetUp)?;
        let mut url = self.0.idp.public_url().url().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["admin", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let token = tokens.current().await?;
        let mut answer = self.0.idp.manage(&method, url.as_str(), &token, body).await?;
        if answer.0 == StatusCode::UNAUTHORIZED {
            let token = tokens.other_than(&token).await?;
            answer = self.0.idp.manage(&method, url.as_str(), &token, body).await?;
        }
        judge(answer.0, &answer.1)
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, ManagementError> {
        match self.call(Method::GET, path, &[], None).await {
            Ok(body) => data(body).map(Some),
            Err(ManagementError::Refused(problem)) if problem.status == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl serde::Serialize,
    ) -> Result<T, ManagementError> {
        let body = serde_json::to_value(body).map_err(|_| IdpError::Answer("what is sent has no form in JSON"))?;
        data(self.call(method, path, &[], Some(&body)).await?)
    }

    /// Takes something away; that it is not there is no fault.
    async fn remove(&self, path: &[&str]) -> Result<(), ManagementError> {
        match self.call(Method::DELETE, path, &[], None).await {
            Ok(_) => Ok(()),
            Err(ManagementError::Refused(problem)) if problem.status == 404 => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What an answer means.
fn judge(status: StatusCode, body: &[u8]) -> Result<Option<Value>, ManagementError> {
    match status {
        StatusCode::NO_CONTENT => Ok(None),
        status if status.is_success() => {
            let value = serde_json::from_slice(body).map_err(|_| IdpError::Answer("it is not JSON"))?;
            Ok(Some(value))
        }
        // Its key, its scopes or its registration: nothing that whoever called this service can mend.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ManagementError::NotLetIn(status.as_u16())),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Err(IdpError::Unreachable(format!("status {}", status.as_u16()).into()).into())
        }
        status if status.is_client_error() => {
            let problem: Problem =
                serde_json::from_slice(body).map_err(|_| IdpError::Answer("an error is not a problem document"))?;
            Err(ManagementError::Refused(Box::new(Problem { status: status.as_u16(), ..problem })))
        }
        _ => Err(IdpError::Answer("the status is not the expected one").into()),
    }
}

fn data<T: DeserializeOwned>(body: Option<Value>) -> Result<T, ManagementError> {
    Ok(envelope(body)?.data)
}

fn envelope<T: DeserializeOwned>(body: Option<Value>) -> Result<Envelope<T>, ManagementError> {
    let envelope = serde_json::from_value(body.unwrap_or_default())
        .map_err(|_| IdpError::Answer("the management API answered in another form"))?;
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_one_of_three_things() {
        let problem = br#"{"type":"/problems/conflict","title":"t","status":409,"errors":[]}"#;
        let judged = |status: u16, body: &[u8]| judge(StatusCode::from_u16(status).unwrap(), body);
        assert!(matches!(judged(204, b""), Ok(None)));
        assert!(matches!(judged(200, b"{}"), Ok(Some(_))));
        assert!(matches!(judged(409, problem), Err(ManagementError::Refused(problem)) if problem.status == 409));
        assert!(matches!(judged(401, b""), Err(ManagementError::NotLetIn(401))));
        assert!(matches!(judged(403, problem), Err(ManagementError::NotLetIn(403))));
        for (status, body) in [(429, &b""[..]), (408, b""), (200, b"<html>"), (400, b"<html>"), (302, b"")] {
            assert!(matches!(judged(status, body), Err(ManagementError::Unavailable(_))), "{status}");
        }
    }
}
