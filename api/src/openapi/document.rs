//! The document: what the operations say of themselves, and what the table of routes knows of them.

use std::sync::Arc;

use actix_web::http::Method;
use serde_json::json;
use tenantry_types::{InputError, Problem, PublicUrl};
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Response, Server};

use crate::access::{Access, Route, Routes};

/// The finished document as JSON text.
#[derive(Debug, Clone)]
pub struct Document(pub Arc<str>);

const BEARER: &str = "access_token";
const DPOP: &str = "dpop_access_token";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tenantry resource API",
        version = "1",
        description = "The API of Tenantry's tenants.\n\n\
            Every answer but an error is `{\"status\": \"success\", \"data\": …}`; an error is a problem document (RFC 9457).\n\
            Access tokens come from the tenant's issuer at the identity provider: authorization code with PKCE for \
            people, client credentials for programs. A scope is a pattern of permissions: `tenant_settings.read`, \
            `tenant_settings.*`, or `api` for everything that the person may do.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        crate::me::routes::show,
        crate::tenants::settings::routes::show,
        crate::tenants::settings::routes::replace,
        crate::directory::routes::list,
        crate::directory::routes::create,
        crate::directory::routes::show,
        crate::directory::routes::update,
        crate::directory::routes::delete,
        crate::directory::routes::invite,
        crate::directory::routes::dismiss,
        crate::directory::bulk::export::export,
        crate::directory::bulk::import::import,
        crate::directory::own::show,
        crate::directory::own::update,
        crate::sessions::routes::list,
        crate::sessions::routes::end,
        crate::sessions::routes::end_all_of,
        crate::sessions::own::list,
        crate::sessions::own::end,
        crate::permissions::routes::list,
        crate::permissions::routes::create,
        crate::permissions::routes::show,
        crate::permissions::routes::delete,
        crate::roles::routes::list,
        crate::roles::routes::create,
        crate::roles::routes::show,
        crate::roles::routes::update,
        crate::roles::routes::delete,
        crate::roles::assignments::routes::list,
        crate::roles::assignments::routes::assign,
        crate::roles::assignments::routes::revoke,
        crate::groups::routes::list,
        crate::groups::routes::create,
        crate::groups::routes::show,
        crate::groups::routes::update,
        crate::groups::routes::delete,
        crate::groups::parts::list_members,
        crate::groups::parts::add_member,
        crate::groups::parts::remove_member,
        crate::groups::parts::list_roles,
        crate::groups::parts::add_role,
        crate::groups::parts::remove_role,
        crate::policies::routes::policies::list,
        crate::policies::routes::policies::create,
        crate::policies::routes::policies::show,
        crate::policies::routes::policies::replace,
        crate::policies::routes::policies::update,
        crate::policies::routes::policies::delete,
        crate::policies::routes::policies::enable,
        crate::policies::routes::policies::disable,
        crate::policies::routes::analysis::attributes,
        crate::policies::routes::analysis::check,
        crate::policies::routes::analysis::simulate,
        crate::policies::routes::analysis::analysis,
        crate::policies::routes::versions::list,
        crate::policies::routes::versions::show,
        crate::policies::routes::versions::roll_back,
        crate::policies::routes::assignments::list,
        crate::policies::routes::assignments::assign,
        crate::policies::routes::assignments::unassign,
        crate::decisions::explain::show,
        crate::decisions::explain::explain,
        crate::decisions::authzen::routes::show_metadata,
        crate::decisions::authzen::routes::evaluate,
        crate::decisions::authzen::routes::evaluate_several,
        crate::decisions::authzen::search::subjects,
        crate::decisions::authzen::search::actions,
        crate::decisions::authzen::search::resources,
        crate::security_events::routes::take,
        crate::access::log::routes::list,
        crate::audit::entries::routes::list,
        crate::audit::entries::routes::show,
        crate::audit::entries::routes::export,
        crate::audit::entries::routes::batches,
        crate::audit::entries::routes::show_keys,
        crate::tenants::routes::create,
        crate::tenants::routes::list,
        crate::tenants::routes::show,
        crate::tenants::routes::change,
        crate::tenants::routes::activate,
        crate::tenants::routes::deactivate,
        crate::tenants::routes::suspend,
        crate::tenants::domains::routes::list,
        crate::tenants::domains::routes::show,
        crate::tenants::domains::routes::create,
        crate::tenants::domains::routes::put,
        crate::tenants::domains::routes::remove,
        crate::tenants::domains::routes::make_primary,
        crate::tenants::domains::routes::verify,
        crate::tenants::settings::by_tenant::show,
        crate::tenants::settings::by_tenant::put,
        crate::tenants::settings::by_tenant::patch,
        crate::tenants::modules::routes::list,
        crate::tenants::modules::routes::show,
        crate::tenants::modules::routes::put,
        super::routes::show_document,
    ),
    components(schemas(Problem, InputError)),
    tags(
        (name = "Caller", description = "Who is calling"),
        (name = "Tenant", description = "The caller's tenant"),
        (name = "Users", description = "The people of the tenant"),
        (name = "Sessions", description = "What people are signed in to"),
        (name = "Groups", description = "Users who have something in common"),
        (name = "Roles and permissions", description = "Who may do what"),
        (name = "Policies", description = "Rules over what is known of callers, surroundings and resources"),
        (name = "Decisions", description = "What other services ask: AuthZEN Authorization API 1.0"),
        (name = "Security events", description = "What the identity provider tells of people, sessions and tenants"),
        (name = "Audit", description = "Who did what, who was allowed what, and the proof of it"),
        (name = "Tenants", description = "Tenants by their ids: one's own, or any for administrators of the platform"),
        (name = "Description", description = "This document"),
    ),
)]
struct Operations;

/// Describes the operations, as they are registered in `routes`, of the service at `public_url`. `issuer` is where the
/// tokens of one tenant come from, as an example.
///
/// # Errors
/// When the document has no form in JSON, which would be a fault of the build.
pub fn document(routes: &Routes, public_url: &PublicUrl, issuer: &str) -> Result<Document, serde_json::Error> {
    let mut api = Operations::openapi();
    api.servers = Some(vec![Server::new(public_url.as_str())]);
    describe_security(&mut api, issuer);
    for route in routes.iter() {
        if let Some(operation) = api.paths.paths.get_mut(route.path).and_then(|item| operation(item, &route.method)) {
            describe_access(operation, route);
            describe_problems(operation, route);
        }
    }
    let mut document = serde_json::to_value(&api)?;
    // The types of the library have only some of the schemes.
    document["components"]["securitySchemes"][DPOP] = json!({
        "type": "http",
        "scheme": "DPoP",
        "description": "An access token that is bound to a key (RFC 9449 §7.1): `Authorization: DPoP …`, with a proof of possession \
            for this one request in the header `DPoP`, signed with ES256, EdDSA, PS256 or RS256.",
    });
    Ok(Document(document.to_string().into()))
}

fn describe_security(api: &mut OpenApi, issuer: &str) {
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(format!(
            "An access token (RFC 9068) from the issuer of the caller's tenant, as `{issuer}`: see \
             `{issuer}/.well-known/openid-configuration`. Its `aud` is this service."
        )))
        .build();
    let components = api.components.get_or_insert_with(Components::default);
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
}

fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    match method.as_str() {
        "GET" => item.get.as_mut(),
        "PUT" => item.put.as_mut(),
        "POST" => item.post.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// What the token has to be for.
fn describe_access(operation: &mut Operation, route: &Route) {
    let scopes: &[&str] = match &route.access {
        Access::Public => {
            operation.security = Some(Vec::new());
            return;
        }
        Access::Authenticated => &[],
        Access::Permission(permission) | Access::Some(permission) => &[permission.as_str()],
    };
    // Either of the two.
    let sent_as = |scheme: &str| SecurityRequirement::new(scheme, scopes.iter().copied());
    operation.security = Some(vec![sent_as(BEARER), sent_as(DPOP)]);
    if let [scope] = scopes {
        let needs = format!("Needs a scope that allows `{scope}` and, of a person, a role that does.");
        let described = operation.description.take().filter(|text| !text.is_empty());
        operation.description = Some(described.map_or(needs.clone(), |text| format!("{text}\n\n{needs}")));
    }
}

/// The errors that come from what stands before the handler, and the content of all errors.
fn describe_problems(operation: &mut Operation, route: &Route) {
    let mut problems =
        vec![("429", "Too many requests: `Retry-After` says when to come again, `RateLimit` which limit it was")];
    if route.access != Access::Public {
        problems.extend([
            ("400", "The request could not be read"),
            ("401", "There is no access token, or it is not good: `WWW-Authenticate` says why"),
            ("503", "Something that this request needs is not available now"),
        ]);
    }
    if matches!(route.access, Access::Permission(_) | Access::Some(_)) {
        problems.push(("403", "The token or the person may not: `WWW-Authenticate` says what is needed"));
    }
    if operation.request_body.is_some() && route.access != Access::Public {
        problems.extend([
            ("413", "The body is too large"),
            ("415", "The body is not JSON"),
            ("422", "The body is not what it should be: `errors` says where"),
        ]);
    }
    let parameters = operation.parameters.iter().flatten();
    let stands_in = |parameter: &RefOr<Parameter>, place: &ParameterIn| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == *place,
        RefOr::Ref(_) => false,
    };
    let has_parameter = |place: ParameterIn| parameters.clone().any(|parameter| stands_in(parameter, &place));
    if has_parameter(ParameterIn::Query) {
        problems.push(("422", "The query is not what it should be: `errors` says where"));
    }
    if has_parameter(ParameterIn::Path) {
        problems.push(("404", "There is no such thing, or not for the caller"));
    }
    if route.access != Access::Public {
        problems.push(("421", "The host belongs to another tenant than the token"));
        if route.method != Method::GET {
            problems.extend([
                ("409", "It contradicts what is there, or a request with this `Idempotency-Key` is under way"),
                ("422", "The `Idempotency-Key` was used for another request"),
            ]);
        }
    }
    let responses = &mut operation.responses.responses;
    for (status, description) in problems {
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(description)));
    }
    for (status, response) in responses {
        if let (Ok(status @ 400..), RefOr::T(response)) = (status.parse::<u16>(), response)
            && response.content.is_empty()
        {
            let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
            content.example = Some(example(status));
            response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
        }
    }
}

/// A problem document of this status.
fn example(status: u16) -> serde_json::Value {
    let (path, _, title) = Problem::KINDS.iter().find(|(_, known, _)| *known == status).copied().unwrap_or((
        "about:blank",
        status,
        "Error",
    ));
    let mut example =
        json!({ "type": path, "title": title, "status": status, "instance": "4bf92f3577b34da6a3ce929d0e0e4736" });
    if status == 422 {
        example["errors"] = json!([{
            "pointer": "/branding/primary_color", "code": "invalid", "detail": "must be a colour like #1a6b54",
        }]);
    }
    example
}
