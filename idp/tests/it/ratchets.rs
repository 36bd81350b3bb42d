//! What holds for every route and every error. The lists of exceptions here may only shrink.

use std::collections::BTreeSet;

use tenantry_testing::ratchet::error_variants;

use crate::support::{Browser, TestIdp, http};

/// What a request needs before anything is done for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing: anybody may read it.
    Public,
    /// A known client with a registered redirect URI; a session of the browser decides what is shown.
    RedirectUri,
    /// The client proves who it is.
    Client,
    /// An access token of a user.
    Token,
    /// A request that began at the authorization endpoint.
    Interaction,
    /// That, and a form that only our own page in this browser could send.
    Form,
    /// What it ends is the browser's own session, after a question or by its ID token.
    Session,
}

/// Every route.
const ROUTES: &[(&str, Guard)] = &[
    ("GET /.well-known/oauth-authorization-server", Guard::Public),
    ("GET /.well-known/oauth-authorization-server/t/{slug}", Guard::Public),
    ("GET /.well-known/openid-configuration", Guard::Public),
    ("GET /.well-known/tenantry/issuer", Guard::Public),
    ("GET /assets/{name}", Guard::Public),
    ("GET /consent", Guard::Interaction),
    ("GET /oauth2/authorize", Guard::RedirectUri),
    ("GET /oauth2/end_session", Guard::Session),
    ("GET /oauth2/jwks", Guard::Public),
    ("GET /oauth2/userinfo", Guard::Token),
    ("GET /sign-in", Guard::Interaction),
    ("POST /consent", Guard::Form),
    ("POST /oauth2/authorize", Guard::RedirectUri),
    ("POST /oauth2/end_session", Guard::Session),
    ("POST /oauth2/token", Guard::Client),
    ("POST /oauth2/userinfo", Guard::Token),
    ("POST /sign-in", Guard::Form),
];

/// The routes as the source registers them.
fn registered() -> BTreeSet<String> {
    let source = include_str!("../../src/startup.rs");
    let mut routes = BTreeSet::new();
    for after in source.split("endpoint(\"").skip(1) {
        let (path, methods) = after.split_once("\")").unwrap();
        // Up to where this route ends.
        let methods = methods.split("endpoint(").next().unwrap();
        for (call, method) in [(".get(", "GET"), (".post(", "POST"), (".put(", "PUT"), (".delete(", "DELETE")] {
            if methods.contains(call) {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    routes
}

#[test]
fn every_route_is_listed_with_what_guards_it() {
    let listed: BTreeSet<String> = ROUTES.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!(registered(), listed);
}

#[actix_web::test]
async fn every_guard_holds() {
    let idp = TestIdp::start().await;
    for (route, guard) in ROUTES {
        let (method, path) = route.split_once(' ').unwrap();
        let url = idp.url(path);
        let mut request = http().request(method.parse().unwrap(), &url);
        if method == "POST" {
            request = request.form(&[("a", "b")]);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let challenged = response.headers().contains_key("www-authenticate");
        match guard {
            Guard::Public => assert!(matches!(status, 200 | 404), "{route}: {status}"),
            Guard::RedirectUri | Guard::Interaction => assert_eq!(status, 400, "{route}"),
            Guard::Client => assert_eq!(status, 401, "{route}"),
            Guard::Token => assert!(status == 401 && challenged, "{route}: {status}"),
            Guard::Form => assert!(matches!(status, 400 | 403), "{route}: {status}"),
            Guard::Session => assert!(matches!(status, 200 | 303), "{route}: {status}"),
        }
    }
    // Nothing of that made a session.
    let page = Browser::new().authorize(&idp, &crate::support::authorization(&[])).await;
    assert!(page.html.contains("id=\"sign-in\""));
}

/// Every variant of the errors that answer requests has a test that produces it.
#[test]
fn every_error_variant_is_produced_by_some_test() {
    let sources = [
        include_str!("../../src/clients/authenticate.rs"),
        include_str!("../../src/login/forms.rs"),
        include_str!("../../src/oauth/authorize/error.rs"),
        include_str!("../../src/oauth/bearer.rs"),
        include_str!("../../src/oauth/token/error.rs"),
        include_str!("../../src/params.rs"),
        include_str!("../../src/tenants/issuer.rs"),
        include_str!("../../src/credentials/hasher.rs"),
        include_str!("../../src/credentials/throttle/mod.rs"),
        include_str!("../../src/keys/model.rs"),
        include_str!("../../src/management/error.rs"),
    ];
    let declared: BTreeSet<String> = sources.iter().flat_map(|source| error_variants(source)).collect();
    let listed = PRODUCED.iter().chain(NOT_PRODUCED).map(|(variant, _)| (*variant).to_owned());
    assert_eq!(declared, listed.collect());
    let tests = concat!(
        include_str!("attacks.rs"),
        include_str!("authorize.rs"),
        include_str!("discovery.rs"),
        include_str!("faults.rs"),
        include_str!("login_domain.rs"),
        include_str!("management/access.rs"),
        include_str!("management/resources.rs"),
        include_str!("management/tenants.rs"),
        include_str!("management/users.rs"),
        include_str!("sign_in.rs"),
        include_str!("token.rs"),
        include_str!("userinfo.rs"),
    );
    for (variant, test) in PRODUCED {
        assert!(tests.contains(&format!("async fn {test}()")), "{variant}: there is no test {test}");
    }
}

/// What no request can bring about, and why it is there.
const NOT_PRODUCED: &[(&str, &str)] = &[
    ("HasherError::Broken", "only a hash that was written by something else"),
    ("KeyError::Jose", "only a key that was written by something else"),
    ("KeyError::NoKey", "the first key of a tenant is made on first use"),
];

/// Which test produces which variant.
const PRODUCED: &[(&str, &str)] = &[
    ("AuthorizeError::Fault", "without_a_database_the_answers_say_nothing_of_it"),
    ("AuthorizeError::Page", "nobody_is_redirected_to_an_address_that_is_not_registered"),
    ("AuthorizeError::Redirect", "errors_go_to_the_client_with_its_state"),
    ("BearerError::Fault", "without_a_database_the_answers_say_nothing_of_it"),
    ("BearerError::InsufficientScope", "every_route_asks_for_its_scope_of_a_client_of_a_platform_tenant"),
    ("BearerError::Invalid", "refuses_with_the_reason_of_rfc_6750"),
    ("BearerError::Malformed", "refuses_with_the_reason_of_rfc_6750"),
    ("BearerError::Missing", "refuses_with_the_reason_of_rfc_6750"),
    ("ClientAuthError::Failed", "a_client_uses_the_method_that_it_registered_and_one_only"),
    ("ClientAuthError::Fault", "without_a_database_the_answers_say_nothing_of_it"),
    ("ClientAuthError::SeveralMethods", "a_client_uses_the_method_that_it_registered_and_one_only"),
    ("FormError::CrossSite", "a_form_of_another_browser_or_site_signs_nobody_in"),
    ("FormError::Malformed", "a_form_of_another_browser_or_site_signs_nobody_in"),
    ("FormError::Stale", "a_form_of_another_browser_or_site_signs_nobody_in"),
    ("HasherError::Busy", "when_too_many_sign_in_at_once_some_are_told_to_come_back"),
    ("IssuerError::Database", "without_a_database_the_answers_say_nothing_of_it"),
    ("IssuerError::UnknownHost", "a_host_that_is_nobodys_is_answered_by_nobody"),
    ("IssuerError::UnknownTenant", "an_unknown_tenant_is_not_found"),
    ("KeyError::Database", "without_a_database_the_answers_say_nothing_of_it"),
    ("KeyError::Keyring", "with_another_key_file_nothing_is_signed"),
    ("KeyError::Shared", "with_another_key_file_nothing_is_signed"),
    ("ManagementError::Fault", "without_a_database_it_says_nothing_of_it"),
    ("ManagementError::IdTaken", "names_are_unique_in_a_tenant_and_ids_everywhere"),
    ("ManagementError::Invalid", "everything_wrong_with_a_person_is_told_at_once"),
    ("ManagementError::NotFound", "a_person_is_removed_with_everything_of_theirs"),
    ("ManagementError::Refused", "a_suspended_tenant_is_switched_off_at_once_but_its_keys_stay_published"),
    ("ManagementError::Taken", "names_are_unique_in_a_tenant_and_ids_everywhere"),
    ("ParamsError::Duplicate", "a_parameter_that_comes_twice_is_refused_before_anything_else"),
    ("ParamsError::TooMany", "what_is_too_large_or_malformed_is_refused"),
    ("ThrottleError::Unavailable", "without_its_redis_nobody_is_let_in"),
    ("TokenError::Fault", "without_a_database_the_answers_say_nothing_of_it"),
    ("TokenError::InvalidClient", "a_client_uses_the_method_that_it_registered_and_one_only"),
    ("TokenError::InvalidGrant", "a_code_is_good_once_and_its_replay_takes_back_what_it_gave"),
    ("TokenError::InvalidRequest", "malformed_requests_are_told_apart"),
    ("TokenError::InvalidScope", "a_refresh_narrows_but_never_widens_the_scope"),
    ("TokenError::UnauthorizedClient", "malformed_requests_are_told_apart"),
    ("TokenError::UnsupportedGrantType", "malformed_requests_are_told_apart"),
];
