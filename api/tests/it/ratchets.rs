//! What holds for every route. The lists of exceptions here may only shrink.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tenantry_api::access::Access;
use tenantry_api::routes;
use tenantry_testing::ratchet::error_variants;

use crate::support::TestApi;

/// The routes that anybody may call.
const PUBLIC: &[&str] = &[
    "GET /.well-known/authzen-configuration",
    "GET /api/v1/openapi.json",
    "GET /console",
    "GET /console/assets/{file}",
    "GET /console/assets/{version}/{file}",
    "GET /console/callback",
    "GET /console/sign-in",
    "GET /console/signed-out",
    "GET /console/{section}",
    "GET /console/{section}/{page:.*}",
    "GET /docs",
    "GET /docs/{file}",
    "GET /problems/{name}",
    "POST /api/v1/security-events",
    "POST /console/sign-out",
];

/// The routes that any good token may call, of whatever scope.
const ANY_TOKEN: &[&str] = &["GET /api/v1/me", "GET /api/v1/users/me"];

/// The routes that any good token may call, of whatever scope, and that say what is wrong with a question that is none.
const ANY_TOKEN_WITH_QUESTION: &[&str] = &["GET /api/v1/access/explain", "POST /api/v1/access/explain"];

/// The routes to what is the caller's own, which need a scope and no role.
const OWN: &[&str] =
    &["DELETE /api/v1/users/me/sessions/{id}", "GET /api/v1/users/me/sessions", "PATCH /api/v1/users/me"];

fn with_access(wanted: impl Fn(Access) -> bool) -> BTreeSet<String> {
    let table = routes::table();
    table.iter().filter(|route| wanted(route.access)).map(|route| format!("{} {}", route.method, route.path)).collect()
}

fn listed(routes: &[&str]) -> BTreeSet<String> {
    routes.iter().map(|route| (*route).to_owned()).collect()
}

/// What stands for the parameters of paths.
const SOME_ID: &str = "0190b2c4-0000-7000-8000-000000000001";

/// The routes that need a token, with something in the place of what varies.
fn protected() -> Vec<(Method, String)> {
    let table = routes::table();
    let protected = table.iter().filter(|route| route.access != Access::Public);
    protected
        .map(|route| {
            let path: String = route
                .path
                .split('/')
                .map(|part| if part.starts_with('{') { SOME_ID } else { part })
                .collect::<Vec<_>>()
                .join("/");
            (route.method.as_str().parse().unwrap(), path)
        })
        .collect()
}

#[test]
fn what_is_public_is_listed() {
    assert_eq!(with_access(|access| access == Access::Public), listed(PUBLIC));
    assert_eq!(
        with_access(|access| access == Access::Authenticated),
        listed(&[ANY_TOKEN, ANY_TOKEN_WITH_QUESTION, OWN].concat())
    );
}

#[actix_web::test]
async fn every_route_is_in_the_document_and_the_other_way_round() {
    let api = TestApi::start().await;
    let document: Value = api.get("/api/v1/openapi.json").await.json().await.unwrap();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let is_for_programs =
        |route: &String| [" /api/", " /access/", " /.well-known/"].iter().any(|at| route.contains(at));
    let registered: BTreeSet<String> = with_access(|_| true).into_iter().filter(is_for_programs).collect();
    assert_eq!(described, registered);
}

#[actix_web::test]
async fn every_protected_route_refuses_an_anonymous_caller() {
    let api = TestApi::start().await;
    for (method, path) in protected() {
        let response = api.request(method.clone(), &path).header("If-Match", "*").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
        assert!(response.headers().contains_key("www-authenticate"), "{method} {path}");
    }
}

#[actix_web::test]
async fn every_protected_route_refuses_a_token_of_another_tenant() {
    let api = TestApi::start().await;
    let other = api.idp.add_tenant("other");
    // Signed by one tenant, in the name of another.
    let mut claims = api.idp.user_claims("other", &api.url);
    claims["tenant_id"] = serde_json::to_value(api.idp.tenant("demo").id).unwrap();
    let claimed = other.key.sign_jwt("at+jwt", &claims).unwrap();
    let forged = other.key.sign_jwt("at+jwt", &api.idp.user_claims("demo", &api.url)).unwrap();
    for (method, path) in protected() {
        for token in [&claimed, &forged] {
            let request = api.request(method.clone(), &path).bearer_auth(token).header("If-Match", "*");
            assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn every_permission_is_really_asked_for() {
    let api = TestApi::start().await;
    let token = api.user(&["administrator"], "openid profile");
    for (method, path) in protected() {
        let request = api.request(method.clone(), &path).bearer_auth(&token).header("If-Match", "*");
        let status = request.send().await.unwrap().status();
        let route = format!("{method} {path}");
        let expected = if ANY_TOKEN.contains(&route.as_str()) {
            StatusCode::OK
        } else if !ANY_TOKEN_WITH_QUESTION.contains(&route.as_str()) {
            StatusCode::FORBIDDEN
        } else if method == Method::GET {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        };
        assert_eq!(status, expected, "{method} {path}");
    }
}

/// A token for everything else is not for this.
#[actix_web::test]
async fn every_route_asks_for_its_own_permission_and_no_other_will_do() {
    let api = TestApi::start().await;
    let (table, claims) = (routes::table(), api.idp.user_claims("demo", &api.url));
    let all = table.permissions();
    for route in table.iter() {
        let (Access::Permission(permission) | Access::Some(permission)) = route.access else { continue };
        let others: Vec<&str> = all.iter().copied().filter(|other| *other != permission.as_str()).collect();
        let mut claims = claims.clone();
        claims["scope"] = others.join(" ").into();
        let token = api.idp.sign("demo", &claims);
        let path: Vec<&str> =
            route.path.split('/').map(|part| if part.starts_with('{') { SOME_ID } else { part }).collect();
        let (method, path): (Method, _) = (route.method.as_str().parse().unwrap(), path.join("/"));
        let request = api.request(method, &path).bearer_auth(&token).header("If-Match", "*");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{route:?}");
        let scope = format!("scope=\"{}\"", permission.as_str());
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(&scope), "{route:?}: {challenge}");
    }
}

/// Every variant of the errors that answer requests has a test that produces it. The name of a variant stands for what
/// it looks like from outside.
#[test]
fn every_error_variant_is_produced_by_some_test() {
    let sources = [
        include_str!("../../src/access/log/routes.rs"),
        include_str!("../../src/audit/entries/error.rs"),
        include_str!("../../src/authn/error.rs"),
        include_str!("../../src/access/error.rs"),
        include_str!("../../src/idempotency/model.rs"),
        include_str!("../../src/decisions/error.rs"),
        include_str!("../../src/directory/error.rs"),
        include_str!("../../src/groups/error.rs"),
        include_str!("../../src/input/precondition.rs"),
        include_str!("../../src/permissions/error.rs"),
        include_str!("../../src/policies/error.rs"),
        include_str!("../../src/roles/error.rs"),
        include_str!("../../src/security_events/error.rs"),
        include_str!("../../src/sessions/error.rs"),
        include_str!("../../src/tenants/settings/replace.rs"),
        include_str!("../../src/console/error.rs"),
        include_str!("../../src/console/gateway_error.rs"),
        include_str!("../../src/tenants/error.rs"),
        include_str!("../../src/idp/management/error.rs"),
    ];
    let declared: BTreeSet<String> = sources.iter().flat_map(|source| error_variants(source)).collect();
    let listed = PRODUCED.iter().map(|(variant, _)| *variant).chain(NOT_PRODUCED.iter().copied());
    assert_eq!(declared, listed.map(str::to_owned).collect());
    let tests = concat!(
        include_str!("api/v1/audit.rs"),
        include_str!("api/v1/issuers.rs"),
        include_str!("api/v1/me.rs"),
        include_str!("api/v1/security_events.rs"),
        include_str!("api/v1/sessions.rs"),
        include_str!("api/v1/users.rs"),
        include_str!("api/v1/users_at_stake.rs"),
        include_str!("api/v1/users_in_bulk.rs"),
        include_str!("api/v1/tenant/settings.rs"),
        include_str!("console.rs"),
        include_str!("console_gateway.rs"),
        include_str!("console_refusals.rs"),
        include_str!("dpop.rs"),
        include_str!("faults.rs"),
        include_str!("authority.rs"),
        include_str!("api/v1/groups.rs"),
        include_str!("api/v1/permissions.rs"),
        include_str!("api/v1/policies/assignments.rs"),
        include_str!("api/v1/policies/editing.rs"),
        include_str!("api/v1/policies/escalation.rs"),
        include_str!("api/v1/policies/names.rs"),
        include_str!("api/v1/policies/questions.rs"),
        include_str!("api/v1/policies/things.rs"),
        include_str!("access/mod.rs"),
        include_str!("api/v1/roles.rs"),
        include_str!("api/v1/tenants/create.rs"),
        include_str!("api/v1/tenants/domains.rs"),
        include_str!("api/v1/tenants/modules.rs"),
        include_str!("api/v1/tenants/status.rs"),
        include_str!("cli.rs"),
    );
    for (variant, test) in PRODUCED {
        assert!(tests.contains(&format!("async fn {test}()")), "{variant}: there is no test {test}");
    }
}

/// A template that cannot be rendered is a fault of the build, which the tests of the pages would have found.
const NOT_PRODUCED: &[&str] = &["ConsoleError::Page"];

/// Which test produces which variant.
const PRODUCED: &[(&str, &str)] = &[
    ("AccessError::Authn", "without_a_token_there_is_a_challenge_and_no_error"),
    ("AccessError::Database", "without_a_database_the_answer_says_nothing_of_it"),
    ("AccessError::Forbidden", "a_person_needs_scope_and_role"),
    ("AccessError::Hidden", "what_may_not_be_seen_is_not_there"),
    ("AccessError::InsufficientScope", "a_person_needs_scope_and_role"),
    ("AccessLogError::Database", "without_a_database_the_trail_says_nothing_of_it"),
    ("AccessLogError::Invalid", "a_query_that_is_none_is_refused_with_everything_wrong_in_it"),
    ("AuditError::Access", "groups_and_the_trail_are_shown_as_policies_say"),
    ("AuditError::Database", "without_a_database_the_trail_says_nothing_of_it"),
    ("AuditError::Invalid", "a_query_that_is_none_is_refused_with_everything_wrong_in_it"),
    ("AuditError::NotFound", "an_entry_comes_with_the_proof_that_it_is_sealed"),
    ("AccountError::Access", "people_change_their_own_profile_and_nothing_else"),
    ("AccountError::Database", "without_a_database_people_are_not_told_why"),
    ("AccountError::EmailTaken", "an_address_is_one_persons"),
    ("AccountError::Guest", "somebody_of_another_tenant_is_let_in_and_dismissed"),
    ("AccountError::HoldsMore", "nobody_changes_somebody_who_holds_more"),
    ("AccountError::Idempotency", "a_repeat_goes_on_where_the_first_broke_off"),
    ("AccountError::Importing", "one_import_of_a_tenant_comes_after_the_other"),
    ("AccountError::Invalid", "everything_wrong_with_somebody_is_told_at_once"),
    ("AccountError::LastAdministrator", "the_last_administrator_stays"),
    ("AccountError::NotFound", "somebody_is_added_shown_changed_and_removed"),
    ("AccountError::Precondition", "somebody_is_added_shown_changed_and_removed"),
    ("AccountError::Provider", "while_the_provider_is_away_nobody_is_changed"),
    ("AccountError::UnderWay", "of_two_who_change_the_same_version_one_does"),
    ("AccessError::ModuleDisabled", "the_routes_of_a_module_that_is_switched_off_are_not_there"),
    ("AccessError::OtherTenantNamed", "a_query_names_no_other_tenant_than_the_token"),
    ("AccessError::OtherTenantsHost", "a_verified_domain_belongs_to_one_tenant"),
    ("AccessError::StepUp", "whoever_signed_in_too_weakly_is_told_which_sign_in_would_do"),
    ("AccessError::TenantNotActive", "a_tenant_that_is_suspended_is_so_at_once_on_every_replica"),
    ("AuthnError::Bound", "a_token_that_is_bound_to_a_key_is_no_bearer_token"),
    ("AuthnError::Claim", "claims_have_the_form_that_they_should"),
    ("AuthnError::MalformedHeader", "one_token_in_the_one_place_for_it"),
    ("AuthnError::Missing", "without_a_token_there_is_a_challenge_and_no_error"),
    ("AuthnError::NotBound", "whoever_lacks_the_key_cannot_use_the_token"),
    ("AuthnError::OtherTenant", "a_tenant_signs_for_itself_only"),
    ("AuthnError::Proof", "whoever_lacks_the_key_cannot_use_the_token"),
    ("AuthnError::Revoked", "somebody_who_was_switched_off_may_do_nothing"),
    ("AuthnError::SeveralCredentials", "one_token_in_the_one_place_for_it"),
    ("AuthnError::Token", "only_signatures_of_the_issuer_count"),
    ("AuthnError::TokenInQuery", "one_token_in_the_one_place_for_it"),
    ("AuthnError::TooManyIssuers", "strangers_cannot_make_this_service_flood_the_provider"),
    ("AuthnError::Unavailable", "without_any_keys_the_answer_is_later"),
    ("AuthnError::UnknownIssuer", "issuers_of_nobody_are_not_asked_for"),
    ("ConsoleError::Database", "without_a_database_the_answer_says_nothing_of_it"),
    ("ConsoleError::Forged", "signing_out_needs_the_form"),
    ("ConsoleError::Keyring", "without_its_keys_a_session_cannot_be_opened"),
    ("ConsoleError::Malformed", "parameters_come_once_and_code_has_to"),
    ("ConsoleError::NotFound", "pages_of_scripts_run_only_ours"),
    ("ConsoleError::NotUnderWay", "an_answer_counts_only_for_the_browser_that_asked"),
    ("ConsoleError::OtherIssuer", "answers_of_other_issuers_are_noticed"),
    ("ConsoleError::OtherState", "an_answer_counts_only_for_the_browser_that_asked"),
    ("ConsoleError::Provider", "id_tokens_are_checked"),
    ("ConsoleError::Refused", "errors_of_the_provider_are_shown_and_never_repeated"),
    ("ConsoleError::TenantNotActive", "people_of_a_tenant_that_is_not_in_use_are_told_so"),
    ("ConsoleError::TooManyRequests", "a_browser_that_comes_too_often_gets_a_page"),
    ("ConsoleError::Token", "tokens_that_this_service_would_refuse_sign_nobody_in"),
    ("ConsoleError::Unavailable", "while_the_provider_is_away_nobody_is_signed_out"),
    ("GroupError::Access", "groups_and_the_trail_are_shown_as_policies_say"),
    ("GatewayError::Console", "tokens_are_renewed_on_the_way"),
    ("GatewayError::Forged", "only_a_page_of_the_session_may_ask"),
    ("GatewayError::NotFound", "paths_lead_into_the_api_and_nowhere_else"),
    ("GatewayError::SessionEnded", "who_is_not_signed_in_is_told_so"),
    ("GroupError::Database", "without_a_database_the_answer_says_nothing_of_it"),
    ("GroupError::HasParts", "groups_are_parts_of_groups_in_no_circle"),
    ("GroupError::Idempotency", "keys_count_once_everywhere"),
    ("GroupError::Invalid", "groups_are_parts_of_groups_in_no_circle"),
    ("GroupError::NameAlike", "no_two_names_look_the_same"),
    ("GroupError::NameTaken", "members_have_what_the_group_has"),
    ("GroupError::NotFound", "members_have_what_the_group_has"),
    ("GroupError::Precondition", "groups_are_parts_of_groups_in_no_circle"),
    ("GroupError::Role", "nobody_gives_by_a_group_what_they_do_not_hold"),
    ("IdempotencyError::Malformed", "a_repeat_under_the_same_key_counts_once"),
    ("IdempotencyError::OtherRequest", "a_repeat_under_the_same_key_counts_once"),
    ("PermissionError::Database", "without_a_database_the_answer_says_nothing_of_it"),
    ("PermissionError::Idempotency", "keys_count_once_everywhere"),
    ("PermissionError::InUse", "a_tenant_adds_permissions_of_its_own"),
    ("PermissionError::Invalid", "what_is_not_a_permission_is_refused"),
    ("PermissionError::NameTaken", "a_tenant_adds_permissions_of_its_own"),
    ("PermissionError::NotFound", "a_tenant_adds_permissions_of_its_own"),
    ("RoleError::Access", "roles_are_listed_changed_and_given_as_policies_say"),
    ("RoleError::Database", "without_a_database_the_answer_says_nothing_of_it"),
    ("RoleError::Idempotency", "keys_count_once_everywhere"),
    ("RoleError::InUse", "a_role_in_use_stays"),
    ("RoleError::Invalid", "everything_wrong_with_a_role_is_told_at_once"),
    ("RoleError::LastAdministrator", "somebody_who_may_do_everything_is_always_left"),
    ("RoleError::NameAlike", "no_two_names_look_the_same"),
    ("RoleError::NameTaken", "a_role_is_made_shown_changed_and_removed"),
    ("RoleError::NoSuchUser", "a_role_is_given_and_taken"),
    ("RoleError::NotFound", "a_role_is_made_shown_changed_and_removed"),
    ("RoleError::NotHeld", "nobody_gives_what_they_do_not_hold"),
    ("RoleError::Precondition", "a_role_is_made_shown_changed_and_removed"),
    ("RoleError::System", "system_roles_stay_as_they_are"),
    ("IdempotencyError::UnderWay", "a_request_that_is_under_way_is_not_begun_twice"),
    ("ManagementError::NotLetIn", "the_client_proves_itself_and_its_token_is_used_until_it_is_refused"),
    ("ManagementError::NotSetUp", "without_its_key_the_service_manages_nothing"),
    ("ManagementError::Refused", "a_name_that_is_taken_is_pointed_at"),
    ("ManagementError::Unavailable", "a_repeat_gets_the_answer_whatever_broke_off_before"),
    ("DecisionError::Access", "the_example_of_the_plan_is_decided_and_explained"),
    ("DecisionError::Database", "without_a_database_nobody_is_told_what_others_may"),
    ("DecisionError::Invalid", "a_question_that_is_none_is_told_where"),
    ("DecisionError::Malformed", "a_question_that_is_none_is_refused"),
    ("DecisionError::NoSuchUser", "a_question_that_is_none_is_told_where"),
    ("SessionError::Access", "sessions_are_listed_with_who_is_signed_in"),
    ("SessionError::Database", "without_a_database_nobody_is_told_who_is_signed_in"),
    ("SessionError::HoldsMore", "nobody_signs_out_somebody_who_holds_more"),
    ("SessionError::Idempotency", "a_session_that_is_ended_is_refused_at_once_and_nothing_else_is"),
    ("SessionError::Invalid", "sessions_are_listed_with_who_is_signed_in"),
    ("SessionError::NoSuchUser", "somebody_is_signed_out_everywhere"),
    ("SessionError::NotFound", "a_session_that_is_ended_is_refused_at_once_and_nothing_else_is"),
    ("SessionError::Provider", "while_the_provider_is_away_nobody_is_signed_out"),
    ("PolicyError::Access", "policies_about_policies_count_for_each_and_for_lists"),
    ("PolicyError::AlreadyAssigned", "a_policy_is_for_everyone_until_it_is_for_somebody"),
    ("PolicyError::Database", "without_a_database_policies_are_not_told_why"),
    ("PolicyError::Idempotency", "of_changes_at_once_one_wins_and_a_repeat_counts_once"),
    ("PolicyError::Invalid", "everything_wrong_with_a_policy_is_told_at_its_place"),
    ("PolicyError::LocksOut", "nobody_locks_themselves_out"),
    ("PolicyError::NameAlike", "no_two_names_look_the_same"),
    ("PolicyError::NameTaken", "the_policy_of_the_plan_is_made_and_shown"),
    ("PolicyError::NotFound", "a_change_names_the_version_and_each_is_kept"),
    ("PolicyError::LastAssignment", "an_allow_does_not_come_to_be_for_everyone_by_itself"),
    ("PolicyError::NotHeld", "nobody_allows_what_they_do_not_hold"),
    ("PolicyError::Precondition", "a_change_names_the_version_and_each_is_kept"),
    ("PreconditionError::Failed", "an_update_names_the_version_it_changes"),
    ("PreconditionError::Malformed", "an_update_names_the_version_it_changes"),
    ("PreconditionError::Required", "an_update_names_the_version_it_changes"),
    ("SecurityEventError::Sender", "only_who_knows_the_authorization_is_listened_to"),
    ("SecurityEventError::Body", "nothing_but_an_event_of_the_tenant_for_this_service_is_believed"),
    ("SecurityEventError::Database", "what_cannot_be_checked_or_kept_now_is_to_be_sent_again"),
    ("SecurityEventError::Event", "nothing_but_an_event_of_the_tenant_for_this_service_is_believed"),
    ("SecurityEventError::IssuerNotKnown", "what_is_too_new_to_be_known_is_to_be_sent_again"),
    ("SecurityEventError::KeyNotKnown", "what_is_too_new_to_be_known_is_to_be_sent_again"),
    ("SecurityEventError::MediaType", "nothing_but_an_event_of_the_tenant_for_this_service_is_believed"),
    ("SecurityEventError::OtherTenant", "nothing_but_an_event_of_the_tenant_for_this_service_is_believed"),
    ("SecurityEventError::Token", "nothing_but_an_event_of_the_tenant_for_this_service_is_believed"),
    ("SecurityEventError::TooManyIssuers", "strangers_cannot_make_this_service_ask_for_ever"),
    ("SecurityEventError::Unavailable", "what_cannot_be_checked_or_kept_now_is_to_be_sent_again"),
    ("SecurityEventError::UnknownIssuer", "nothing_but_an_event_of_the_tenant_for_this_service_is_believed"),
    ("SettingsError::Database", "without_a_database_the_answer_says_nothing_of_it"),
    ("SettingsError::Idempotency", "a_repeat_under_the_same_key_counts_once"),
    ("SettingsError::Invalid", "everything_wrong_is_told_at_once"),
    ("SettingsError::Precondition", "an_update_names_the_version_it_changes"),
    ("TenantError::Access", "whoever_renames_does_not_switch"),
    ("TenantError::Database", "without_a_database_nothing_is_said_of_tenants"),
    ("TenantError::Idempotency", "a_request_that_is_under_way_is_not_begun_twice"),
    ("TenantError::Invalid", "everything_wrong_with_a_new_tenant_is_told_at_once"),
    ("TenantError::Keyring", "a_password_that_was_sealed_under_lost_keys_makes_no_tenant"),
    ("TenantError::NoSuchDomain", "a_domain_is_added_as_the_plan_says"),
    ("TenantError::NoSuchModule", "a_tenant_has_every_module_until_it_is_switched_off"),
    ("TenantError::NotFound", "other_tenants_are_not_there"),
    ("TenantError::NotPlatform", "only_the_platform_makes_and_lists_tenants"),
    ("TenantError::NotVerified", "a_record_shows_whose_a_domain_is"),
    ("TenantError::Precondition", "a_tenant_renames_itself_and_nothing_more"),
    ("TenantError::Provider", "a_name_that_is_taken_is_pointed_at"),
    ("TenantError::Refused", "the_platform_cannot_switch_itself_off"),
    ("TenantError::Taken", "a_name_that_is_taken_is_pointed_at"),
];
