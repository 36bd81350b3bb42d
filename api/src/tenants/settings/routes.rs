//! `/api/v1/tenant/settings`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tenantry_types::Envelope;
use tenantry_web::problems::Json;

use super::model::Settings;
use super::replace::{self, SettingsError};
use super::store;
use crate::access::{Access, Permission, Routes};
use crate::authn::Principal;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{EntityTag, IfMatch, versioned};
use crate::state::Api;

/// To see the settings of one's tenant.
pub const READ: Permission = Permission::new("tenant_settings.read");
/// To change them.
pub const UPDATE: Permission = Permission::new("tenant_settings.update");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/tenant/settings";
    routes.get(PATH, Access::Permission(READ), show).put(PATH, Access::Permission(UPDATE), replace);
}

/// Shows the settings of the tenant
///
/// A tenant that has not set anything has the defaults, as version 0.
#[utoipa::path(
    get,
    path = "/api/v1/tenant/settings",
    tag = "Tenant",
    operation_id = "show_tenant_settings",
    params(
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 is the answer while it is the current one"),
    ),
    responses(
        (status = 200, description = "The settings", body = inline(Envelope<Settings>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data": {
                "branding": {"display_name": "Acme Health", "primary_color": "#1a6b54"},
                "security": {"session_idle_minutes": 60, "session_absolute_hours": 12, "mfa": "optional", "password_min_length": 12},
                "feature_flags": {"bookings.waiting_list": true}}})),
        (status = 304, description = "They are still those of `If-None-Match`"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    principal: Principal,
    api: Data<Api>,
) -> Result<HttpResponse, SettingsError> {
    let scope = principal.scope();
    let found = api.db.read(move |conn| store::find(conn, scope)).await?;
    let tag = EntityTag::new(principal.tenant.id, found.version);
    Ok(versioned(&request, &tag, found.settings))
}

/// Replaces the settings of the tenant
///
/// What is left out is not set, or has its default. `If-Match` names the version that is replaced.
#[utoipa::path(
    put,
    path = "/api/v1/tenant/settings",
    tag = "Tenant",
    operation_id = "replace_tenant_settings",
    params(
        ("If-Match" = String, Header, description = "The ETag of the version that is replaced, or `*` for whatever is there"),
    ),
    request_body(content = Settings, example = json!({
        "branding": {"display_name": "Acme Health", "logo_url": "https://acme.example/logo.svg", "primary_color": "#1a6b54"},
        "security": {"session_idle_minutes": 30, "session_absolute_hours": 8, "mfa": "required", "password_min_length": 14},
        "feature_flags": {"bookings.waiting_list": true}})),
    responses(
        (status = 200, description = "The settings as they are now", body = inline(Envelope<Settings>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 412, description = "Somebody changed them meanwhile: read them again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn replace(
    if_match: IfMatch,
    change: Change,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, SettingsError> {
    let settings = Settings::parse(body.0.clone()).map_err(SettingsError::Invalid)?;
    let work = move |work: &mut Work<'_>| {
        let replaced = replace::replace(work, &if_match, &settings)?;
        let tag = EntityTag::new(work.scope.tenant_id(), replaced.version);
        Ok(Answer::ok(replaced.settings).with_etag(tag.as_str()))
    };
    change.run(&api, &body.0, work).await
}
