//! The service with routes that differ only in what stands in front of them: what does a guard cost? Configured and started
//! as `tenantry-api serve` is; `deploy/bench` measures it.
//!
//! - `/api/v1/benchmark/open`, `…/known` and `…/guarded` answer from memory: for anybody, for any good token, and for those
//!   who may read people.
//! - `/api/v1/benchmark/open/row` and `…/guarded/row` read the row of a tenant, whose short name is in `?slug=`.
//! - `/api/v1/benchmark/open/page` and `…/guarded/page` read a page of its policies.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use tenantry_api::access::{Access, Permission};
use tenantry_api::config::PREFIX;
use tenantry_api::startup::Parts;
use tenantry_api::state::Api;
use tenantry_api::{Application, Config, routes};
use tenantry_db::DbError;
use tenantry_types::{Envelope, UtcTime};
use tenantry_web::server::Environment;

use crate::Failure;
use crate::lists::tenants;

/// As many as a page has unless told otherwise.
const PAGE: i64 = 50;

diesel::table! {
    policies (id) {
        id -> Text,
        tenant_id -> Text,
        name -> Text,
        created_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(policies, tenants);

const READ: Permission = Permission::new("account.read");

#[derive(Debug, Deserialize)]
struct Which {
    slug: String,
}

/// Serves until it is told to stop by a signal.
pub async fn serve() -> Result<(), Failure> {
    let config: Config = tenantry_web::config::load(PREFIX, None)?;
    let mut table = routes::table();
    let (open, known, guarded) = (Access::Public, Access::Authenticated, Access::Permission(READ));
    table
        .get("/api/v1/benchmark/open", open, answer)
        .get("/api/v1/benchmark/known", known, answer)
        .get("/api/v1/benchmark/guarded", guarded, answer)
        .get("/api/v1/benchmark/open/row", open, row)
        .get("/api/v1/benchmark/guarded/row", guarded, row)
        .get("/api/v1/benchmark/open/page", open, page)
        .get("/api/v1/benchmark/guarded/page", guarded, page);
    let parts = Parts { routes: Some(table), ..Parts::default() };
    Application::build_with(config, Environment::default(), parts).await?.run().await?;
    Ok(())
}

async fn answer() -> HttpResponse {
    HttpResponse::Ok().json(Envelope::new(json!({ "name": "Demo" })))
}

async fn row(api: Data<Api>, which: Query<Which>) -> HttpResponse {
    let slug = which.into_inner().slug;
    let found = api.db.read(move |conn| {
        let row: Option<(String, String, UtcTime)> = tenants::table
            .filter(tenants::slug.eq(&slug))
            .select((tenants::id, tenants::name, tenants::created_at))
            .first(conn)
            .optional()?;
        Ok::<_, DbError>(row)
    });
    match found.await {
        Ok(Some((id, name, since))) => {
            let shown: Value = json!({ "id": id, "name": name, "created_at": since });
            HttpResponse::Ok().json(Envelope::new(shown))
        }
        Ok(None) => HttpResponse::NotFound().finish(),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

async fn page(api: Data<Api>, which: Query<Which>) -> HttpResponse {
    let slug = which.into_inner().slug;
    let found = api.db.read(move |conn| {
        let of_tenant = tenants::table.filter(tenants::slug.eq(&slug)).select(tenants::id);
        let rows: Vec<(String, String, UtcTime)> = policies::table
            .filter(policies::tenant_id.eq_any(of_tenant))
            .select((policies::id, policies::name, policies::created_at))
            .order(policies::id.desc())
            .limit(PAGE)
            .load(conn)?;
        Ok::<_, DbError>(rows)
    });
    match found.await {
        Ok(rows) => {
            let shown =
                rows.into_iter().map(|(id, name, since)| json!({ "id": id, "name": name, "created_at": since }));
            HttpResponse::Ok().json(Envelope::new(shown.collect::<Vec<Value>>()))
        }
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
