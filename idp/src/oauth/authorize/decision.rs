//! What stands between a good authorization request and its code.

use tenantry_types::{ScopeSet, UtcTime};

use super::error::{ErrorCode, RedirectError};
use super::request::{AuthorizationRequest, Prompt};
use crate::consent::store::Consent;
use crate::sessions::Session;

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The user signs in.
    SignIn,
    /// The user is asked to allow these scopes.
    Consent(ScopeSet),
    /// The client gets its code.
    Issue,
}

/// Decides what happens next. `started_at` is when the request came first: what the user did since then answers it, so
/// that `prompt=login` is satisfied once they have signed in, and does not ask for ever.
pub fn decide(
    request: &AuthorizationRequest,
    session: Option<&Session>,
    consent: Option<&Consent>,
    started_at: UtcTime,
    now: UtcTime,
) -> Result<Next, RedirectError> {
    let may_ask = !request.prompts(Prompt::None);
    if !session.is_some_and(|session| is_good_enough(request, session, started_at, now)) {
        return if may_ask {
            Ok(Next::SignIn)
        } else {
            Err(RedirectError::new(ErrorCode::LoginRequired, "the user is not signed in, or not recently enough"))
        };
    }
    let missing = missing_consent(request, consent, started_at);
    match missing {
        None => Ok(Next::Issue),
        Some(scope) if may_ask => Ok(Next::Consent(scope)),
        Some(_) => {
            Err(RedirectError::new(ErrorCode::ConsentRequired, "the user has not allowed this client all of it"))
        }
    }
}

fn is_good_enough(request: &AuthorizationRequest, session: &Session, started_at: UtcTime, now: UtcTime) -> bool {
    let signed_in_for_this = session.authenticated_at >= started_at;
    let asks_again = request.prompts(Prompt::Login) || request.prompts(Prompt::SelectAccount);
    let too_old = request.max_age.is_some_and(|seconds| now.since(session.authenticated_at).as_secs() > seconds);
    let somebody_else = request.hinted_subject.as_deref().is_some_and(|subject| subject != session.user_id.as_str());
    !somebody_else && (signed_in_for_this || !(asks_again || too_old))
}

/// What the user has still to allow; nothing where the client is of the same organisation.
fn missing_consent(request: &AuthorizationRequest, consent: Option<&Consent>, started_at: UtcTime) -> Option<ScopeSet> {
    let asked_for_this = consent.is_some_and(|consent| consent.granted_at >= started_at);
    if request.prompts(Prompt::Consent) && !asked_for_this {
        return Some(request.scope.clone());
    }
    if request.client.is_first_party {
        return None;
    }
    let missing = match consent {
        Some(consent) => request.scope.difference(&consent.scope),
        None => request.scope.clone(),
    };
    // `openid` alone tells who it is: even that is asked for once.
    (consent.is_none() || !missing.is_empty()).then_some(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{AuthMethod, Client};
    use std::sync::Arc;
    use std::time::Duration;
    use tenantry_types::{Clock, Id, SystemClock, SystemRandom};

    fn request(prompt: &[Prompt], first_party: bool) -> AuthorizationRequest {
        let client = Client {
            row_id: Id::new(&SystemClock, &SystemRandom),
            client_id: "app".parse().unwrap(),
            name: "App".parse().unwrap(),
            client_uri: None,
            auth_method: AuthMethod::None,
            secret: None,
            keys: None,
            redirect_uris: vec![],
            post_logout_redirect_uris: vec![],
            grant_types: [].into(),
            scope: "openid email".parse().unwrap(),
            is_first_party: first_party,
        };
        AuthorizationRequest {
            client: Arc::new(client),
            redirect_uri: "https://app.example.com/cb".into(),
            scope: "openid email".parse().unwrap(),
            state: None,
            nonce: None,
            prompt: prompt.to_vec(),
            max_age: None,
            login_hint: None,
            hinted_subject: None,
            extensions: oxide_auth::primitives::grant::Extensions::default(),
        }
    }

    fn session(authenticated_at: UtcTime) -> Session {
        Session {
            id: Id::new(&SystemClock, &SystemRandom),
            user_id: Id::new(&SystemClock, &SystemRandom),
            authenticated_at,
            acr: String::new(),
            amr: vec![],
        }
    }

    fn consent(scope: &str, granted_at: UtcTime) -> Consent {
        Consent { scope: scope.parse().unwrap(), granted_at }
    }

    #[test]
    fn a_stranger_signs_in_then_consents_then_gets_the_code() {
        let now = SystemClock.now();
        let request = request(&[], false);
        assert_eq!(decide(&request, None, None, now, now), Ok(Next::SignIn));
        let session = session(now);
        assert_eq!(decide(&request, Some(&session), None, now, now), Ok(Next::Consent(request.scope.clone())));
        let some = consent("openid", now);
        assert_eq!(
            decide(&request, Some(&session), Some(&some), now, now),
            Ok(Next::Consent("email".parse().unwrap()))
        );
        let all = consent("email openid phone", now);
        assert_eq!(decide(&request, Some(&session), Some(&all), now, now), Ok(Next::Issue));
    }

    #[test]
    fn nobody_is_asked_with_prompt_none() {
        let now = SystemClock.now();
        let request = request(&[Prompt::None], false);
        let code = |result: Result<Next, RedirectError>| result.unwrap_err().code;
        assert_eq!(code(decide(&request, None, None, now, now)), ErrorCode::LoginRequired);
        assert_eq!(code(decide(&request, Some(&session(now)), None, now, now)), ErrorCode::ConsentRequired);
    }

    #[test]
    fn what_the_user_did_since_the_request_came_answers_its_prompts() {
        let before = SystemClock.now();
        let started = before + Duration::from_secs(1);
        let after = before + Duration::from_secs(2);
        let login = request(&[Prompt::Login], true);
        assert_eq!(decide(&login, Some(&session(before)), None, started, after), Ok(Next::SignIn));
        assert_eq!(decide(&login, Some(&session(after)), None, started, after), Ok(Next::Issue));
        let again = request(&[Prompt::Consent], true);
        let old = consent("openid email", before);
        assert_eq!(
            decide(&again, Some(&session(before)), Some(&old), started, after),
            Ok(Next::Consent(again.scope.clone()))
        );
        let new = consent("openid email", after);
        assert_eq!(decide(&again, Some(&session(before)), Some(&new), started, after), Ok(Next::Issue));
    }

    #[test]
    fn an_old_sign_in_or_another_user_is_not_good_enough() {
        let now = SystemClock.now();
        let mut request = request(&[], true);
        let session = session(now - Duration::from_secs(100));
        assert_eq!(decide(&request, Some(&session), None, now, now), Ok(Next::Issue));
        request.max_age = Some(99);
        assert_eq!(decide(&request, Some(&session), None, now, now), Ok(Next::SignIn));
        request.max_age = Some(0);
        let fresh = Session { authenticated_at: now, ..session.clone() };
        assert_eq!(decide(&request, Some(&fresh), None, now, now + Duration::from_secs(5)), Ok(Next::Issue));
        request.max_age = None;
        request.hinted_subject = Some("somebody else".into());
        assert_eq!(decide(&request, Some(&session), None, now, now), Ok(Next::SignIn));
    }
}
