//! The description of the management API (OpenAPI 3.1), made from the code: what the operations say of themselves, and what
//! the table of routes knows of them.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use tenantry_types::{InputError, Problem, PublicUrl};
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response, Server};

use super::{Access, Route, Routes, clients, domains, members, sessions, tenants, users};

/// The finished document as JSON text.
#[derive(Debug, Clone)]
pub struct Document(pub Arc<str>);

const BEARER: &str = "access_token";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tenantry management API",
        version = "1",
        description = "Tenants, people and clients of the identity provider, for programs of the operator.\n\n\
            Every answer but an error is `{\"status\": \"success\", \"data\": …}`; an error is a problem document (RFC 9457).\n\
            Access tokens come from a platform tenant: a client of it asks for the scopes `admin.…` with client \
            credentials. Whoever creates something chooses its id (a UUID), so that asking again is harmless.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        tenants::routes::list, tenants::routes::put, tenants::routes::show, tenants::routes::update,
        domains::routes::list, domains::routes::put, domains::routes::show, domains::routes::remove,
        users::routes::list, users::routes::put, users::routes::show, users::routes::update, users::routes::remove,
        users::routes::replace_roles,
        members::routes::list, members::routes::put, members::routes::remove,
        sessions::routes::list, sessions::routes::show, sessions::routes::end, sessions::routes::end_all_of,
        clients::routes::list, clients::routes::put, clients::routes::show, clients::routes::update,
        clients::routes::remove, clients::routes::rotate_secret,
        show_document,
    ),
    components(schemas(Problem, InputError)),
    tags(
        (name = "Tenants", description = "Tenants and their login domains"),
        (name = "People", description = "People, their roles and sessions; members from other tenants"),
        (name = "Clients", description = "Registered clients"),
        (name = "Description", description = "This document"),
    ),
)]
struct Operations;

/// Describes the operations, as they are registered in `routes`, of the provider at `public_url`.
pub fn document(routes: &Routes, public_url: &PublicUrl) -> Document {
    let mut api = Operations::openapi();
    api.servers = Some(vec![Server::new(public_url.as_str())]);
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token (RFC 9068) of a client of a platform tenant. Its `aud` is this API."))
        .build();
    let components = api.components.get_or_insert_with(Components::default);
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    for route in routes.iter() {
        if let Some(operation) = api.paths.paths.get_mut(route.path).and_then(|item| operation(item, &route.method)) {
            describe_access(operation, route);
            describe_problems(operation, route);
        }
    }
    // A document made of our own types always has a form in JSON; a test reads it.
    Document(serde_json::to_string(&api).unwrap_or_default().into())
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

fn describe_access(operation: &mut Operation, route: &Route) {
    let scope = match route.access {
        Access::Public => {
            operation.security = Some(Vec::new());
            return;
        }
        Access::Scope(scope) => scope,
    };
    operation.security = Some(vec![SecurityRequirement::new(BEARER, [scope])]);
    let needs = format!("Needs the scope `{scope}`.");
    let described = operation.description.take().filter(|text| !text.is_empty());
    operation.description = Some(described.map_or(needs.clone(), |text| format!("{text}\n\n{needs}")));
}

/// The errors that come from what stands before the handler, and the content of all errors.
fn describe_problems(operation: &mut Operation, route: &Route) {
    let mut problems: Vec<(&str, &str)> = Vec::new();
    if route.access != Access::Public {
        problems.extend([
            ("400", "The request could not be read"),
            ("401", "There is no access token, or it is not good: `WWW-Authenticate` says why"),
            ("403", "The token lacks the scope that `WWW-Authenticate` names"),
            ("503", "Something that this request needs is not available now"),
        ]);
    }
    let is_limit = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == "limit");
    let is_in_path = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path);
    if operation.parameters.iter().flatten().any(is_in_path) {
        problems.push(("404", "There is no such thing"));
    }
    let takes_parameters = operation.parameters.iter().flatten().any(is_limit);
    if operation.request_body.is_some() {
        problems.extend([("413", "The body is too large"), ("415", "The body is not JSON")]);
    }
    if operation.request_body.is_some() || takes_parameters {
        problems.push(("422", "Something that was sent is not what it should be: `errors` says where"));
    }
    let responses = &mut operation.responses.responses;
    for (status, description) in problems {
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(description)));
    }
    for (status, response) in responses {
        if let (Ok(400..), RefOr::T(response)) = (status.parse::<u16>(), response)
            && response.content.is_empty()
        {
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
        }
    }
}

/// Adds the route.
pub fn configure(routes: &mut Routes) {
    routes.get("/admin/v1/openapi.json", Access::Public, show_document);
}

/// Shows this document
#[utoipa::path(
    get, path = "/admin/v1/openapi.json", tag = "Description",
    responses((status = 200, description = "The description of this API (OpenAPI 3.1)", body = serde_json::Value)),
)]
pub(crate) async fn show_document(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(document.0.to_string())
}
