//! `/console`. Its pages are public: the cookie says who is there, not a token.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_types::Problem;
use tenantry_web::problems::ProblemResponse;

use super::pages::ASSET_CACHE_CONTROL;
use super::{Console, callback, overview, shell, sign_in, sign_out};
use crate::access::{Access, Routes};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/console", Access::Public, overview::show)
        .get("/console/sign-in", Access::Public, sign_in::show)
        .get("/console/callback", Access::Public, callback::show)
        .post("/console/sign-out", Access::Public, sign_out::submit)
        .get(sign_out::SIGNED_OUT, Access::Public, sign_out::show_signed_out)
        .get("/console/assets/{file}", Access::Public, show_asset)
        .get("/console/assets/{version}/{file}", Access::Public, show_asset)
        .get("/console/{section}", Access::Public, shell::show)
        .get("/console/{section}/{page:.*}", Access::Public, shell::show);
}

async fn show_asset(request: HttpRequest, console: Data<Console>) -> Result<HttpResponse, ProblemResponse> {
    let asset = console.pages.asset(request.path()).ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((CACHE_CONTROL, ASSET_CACHE_CONTROL))
        .body(asset.body.clone()))
}
