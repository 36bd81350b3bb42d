//! `/api/v1/openapi.json`, `/docs` and `/problems`.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::{Data, Path};
use tenantry_types::Problem;
use tenantry_web::problems::ProblemResponse;

use super::{Document, kinds, reference};
use crate::access::{Access, Routes};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/api/v1/openapi.json", Access::Public, show_document)
        .get("/docs", Access::Public, show_reference)
        .get("/docs/{file}", Access::Public, show_file)
        .get("/problems/{name}", Access::Public, show_problem);
}

/// Shows this document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "Description",
    responses((status = 200, description = "The description of this API (OpenAPI 3.1)", body = serde_json::Value)),
)]
pub(crate) async fn show_document(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(document.0.to_string())
}

async fn show_reference() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, reference::CONTENT_SECURITY_POLICY))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(reference::PAGE)
}

async fn show_file(name: Path<String>) -> Result<HttpResponse, ProblemResponse> {
    let file = reference::file(&name).ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type(file.content_type)
        .insert_header((CACHE_CONTROL, "public, max-age=86400"))
        .body(file.body))
}

async fn show_problem(name: Path<String>) -> Result<HttpResponse, ProblemResponse> {
    let text = kinds::describe(&name).ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(text))
}
