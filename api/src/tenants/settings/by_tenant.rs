//! `/api/v1/tenants/{id}/config`: the settings of a tenant, by its id.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tenantry_types::Envelope;
use tenantry_web::problems::Json;

use super::model::Settings;
use super::replace;
use super::routes::{READ, UPDATE};
use super::store;
use crate::access::{Access, Authority, Routes};
use crate::audit::Origin;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{EntityTag, IfMatch, versioned};
use crate::state::Api;
use crate::tenants::{TenantError, target};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/tenants/{id}/config";
    routes.get(PATH, Access::Permission(READ), show).put(PATH, Access::Permission(UPDATE), put).patch(
        PATH,
        Access::Permission(UPDATE),
        patch,
    );
}

/// Shows the settings of a tenant
///
/// One's own; with `platform.tenants`, administrators of the platform see those of all.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{id}/config",
    tag = "Tenants",
    operation_id = "show_tenant_config",
    params(("id" = String, Path, description = "The tenant", format = "uuid")),
    responses(
        (status = 200, description = "The settings", body = inline(Envelope<Settings>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data": {"branding": {"display_name": "Acme Health"},
                "security": {"session_idle_minutes": 60, "session_absolute_hours": 12, "mfa": "optional", "password_min_length": 12},
                "feature_flags": {}}})),
        (status = 304, description = "They are still those of `If-None-Match`"),
        (status = 404, description = "There is no such tenant, or not for you"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    id: Path<String>,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, TenantError> {
    let (scope, _) = target::look(&api, &authority, origin, &id, (READ, "tenant_settings")).await?;
    let found = api.db.read(move |conn| store::find(conn, scope)).await?;
    let tag = EntityTag::new(scope.tenant_id(), found.version);
    Ok(versioned(&request, &tag, found.settings))
}

/// Replaces the settings of a tenant
///
/// What is left out is not set, or has its default.
#[utoipa::path(
    put,
    path = "/api/v1/tenants/{id}/config",
    tag = "Tenants",
    operation_id = "replace_tenant_config",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("If-Match" = String, Header, description = "The ETag of the version that is replaced, or `*` for whatever is there"),
    ),
    request_body(content = Settings, example = json!({"branding": {"display_name": "Acme Health"}})),
    responses(
        (status = 200, description = "The settings as they are now", body = inline(Envelope<Settings>),
            example = json!({"status": "success", "data": {"branding": {"display_name": "Acme Health"},
                "security": {"session_idle_minutes": 60, "session_absolute_hours": 12, "mfa": "optional", "password_min_length": 12},
                "feature_flags": {}}})),
        (status = 404, description = "There is no such tenant, or not for you"),
        (status = 412, description = "Somebody changed them meanwhile: read them again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn put(
    id: Path<String>,
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, TenantError> {
    save(&api, change, &authority, &id, if_match, &body.0, |_, sent| sent.clone()).await
}

/// Changes the settings of a tenant
///
/// As a merge patch (RFC 7396): what is left out stays, `null` takes a value away.
#[utoipa::path(
    patch,
    path = "/api/v1/tenants/{id}/config",
    tag = "Tenants",
    operation_id = "update_tenant_config",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed, or `*` for whatever is there"),
    ),
    request_body(content = Value, example = json!({"branding": {"primary_color": "#1a6b54", "logo_url": null}})),
    responses(
        (status = 200, description = "The settings as they are now", body = inline(Envelope<Settings>),
            example = json!({"status": "success", "data": {"branding": {"display_name": "Acme Health"},
                "security": {"session_idle_minutes": 60, "session_absolute_hours": 12, "mfa": "optional", "password_min_length": 12},
                "feature_flags": {}}})),
        (status = 404, description = "There is no such tenant, or not for you"),
        (status = 412, description = "Somebody changed them meanwhile: read them again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn patch(
    id: Path<String>,
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, TenantError> {
    save(&api, change, &authority, &id, if_match, &body.0, |settings, sent| {
        let mut merged = json!(settings);
        merge(&mut merged, sent);
        merged
    })
    .await
}

async fn save(
    api: &Api,
    change: Change,
    authority: &Authority,
    id: &str,
    if_match: IfMatch,
    body: &Value,
    wanted: fn(&Settings, &Value) -> Value,
) -> Result<Answer, TenantError> {
    let (scope, _) = target::find(api, authority, id).await?;
    let sent = body.clone();
    let work = move |work: &mut Work<'_>| {
        let old = store::find(work.conn, work.scope)?;
        let settings = Settings::parse(wanted(&old.settings, &sent)).map_err(TenantError::Invalid)?;
        let replaced = replace::replace(work, &if_match, &settings)?;
        let tag = EntityTag::new(work.scope.tenant_id(), replaced.version);
        Ok::<_, TenantError>(Answer::ok(replaced.settings).with_etag(tag.as_str()))
    };
    change.of_tenant(scope.tenant_id()).run(api, body, work).await
}

/// RFC 7396 §2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Some(target) = target.as_object_mut() {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                merge(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_sets_and_takes_away() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": 3});
        merge(&mut target, &json!({"a": {"b": null, "e": {"f": 4}}, "d": {"g": 5}}));
        assert_eq!(target, json!({"a": {"c": 2, "e": {"f": 4}}, "d": {"g": 5}}));
        merge(&mut target, &json!(["x"]));
        assert_eq!(target, json!(["x"]));
    }
}
