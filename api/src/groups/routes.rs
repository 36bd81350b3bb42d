//! `/api/v1/groups`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_types::{Envelope, GroupId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::GroupError;
use super::kind::{KIND, MISSING, attributes};
use super::rules::{self, GroupInput};
use super::store::{self, Group};
use crate::access::{Access, Authority, Permission, Routes};
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{EntityTag, IfMatch, OptionalIfMatch, versioned};
use crate::state::Api;

/// To see groups, their members and roles.
pub const READ: Permission = Permission::new("group.read");
/// To make one.
pub const CREATE: Permission = Permission::new("group.create");
/// To change one, who is in it and what roles it has.
pub const UPDATE: Permission = Permission::new("group.update");
/// To remove one.
pub const DELETE: Permission = Permission::new("group.delete");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/groups";
    const ONE: &str = "/api/v1/groups/{group_id}";
    routes
        .describe(KIND)
        .get(PATH, Access::Some(READ), list)
        .post(PATH, Access::Some(CREATE), create)
        .get(ONE, Access::Some(READ), show)
        .patch(ONE, Access::Some(UPDATE), update)
        .delete(ONE, Access::Some(DELETE), delete);
}

/// A group on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupView<'a> {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: GroupId,
    /// Its name. Policies know it as one of `user.teams`.
    #[schema(example = "Front desk")]
    name: &'a str,
    /// What it is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// The group that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    parent_id: Option<GroupId>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: UtcTime,
    /// When it was changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: UtcTime,
}

pub(super) fn view(group: &Group) -> GroupView<'_> {
    GroupView {
        id: group.id,
        name: &group.name,
        description: group.description.as_deref(),
        parent_id: group.parent_id,
        created_at: group.created_at,
        updated_at: group.updated_at,
    }
}

/// Lists groups
///
/// By name. Those that the caller may not see are left out; a page may be shorter for that.
#[utoipa::path(
    get,
    path = "/api/v1/groups",
    tag = "Groups",
    operation_id = "list_groups",
    params(
        ("name" = Option<String>, Query, description = "The group of this name"),
        ("parent_id" = Option<String>, Query, description = "Only parts of this group"),
        ("member_id" = Option<String>, Query, description = "Only those that this user is in", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses((status = 200, description = "The groups", body = inline(Envelope<Vec<GroupView>>),
        example = json!({"status": "success", "page": {"limit": 50}, "data": [
            {"id": "0190b2c4-0000-7000-8000-000000000004", "name": "Front desk",
             "description": "Those who receive guests", "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}]}))),
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, GroupError> {
    let principal = authority.principal();
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let wanted = store::Wanted {
        name: query.text("name"),
        parent: query.take("parent_id", str::parse),
        member: query.take("member_id", str::parse),
    };
    let page = query.page::<String>().map_err(GroupError::Invalid)?;
    let (scope, after, limit) = (principal.scope(), page.after(), page.rows_to_fetch());
    let visible = authority.filter(READ);
    let is_exact = visible.is_exact();
    let found = api.db.read(move |conn| store::list(conn, scope, &wanted, &visible, after.as_deref(), limit));
    let (shown, next) = page.cut(found.await?, |group| group.name.clone());
    let may_see = |group: &Group| is_exact || authority.check(READ, attributes(group)).is_ok();
    Ok(page.respond::<Value>(shown.into_iter().filter(may_see).map(|group| json!(view(&group))).collect(), next))
}

/// Makes a group
#[utoipa::path(
    post,
    path = "/api/v1/groups",
    tag = "Groups",
    operation_id = "create_group",
    request_body(content = Value, example = json!({"name": "Front desk", "description": "Those who receive guests"})),
    responses(
        (status = 201, description = "The group", body = inline(Envelope<GroupView>),
            headers(("ETag" = String, description = "Names this version"), ("Location" = String, description = "Where it is"))),
        (status = 409, description = "There is a group of this name already"),
    )
)]
pub(crate) async fn create(
    change: Change,
    authority: Authority,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, GroupError> {
    let input = GroupInput::parse(body.0.clone(), true).map_err(GroupError::Invalid)?;
    let work = move |work: &mut Work<'_>| {
        let group = rules::create(work, &authority, &input)?;
        Ok(Answer::created(format!("/api/v1/groups/{}", group.id), view(&group)).with_etag(tag(&group).as_str()))
    };
    change.run(&api, &body.0, work).await
}

/// Shows a group
#[utoipa::path(
    get,
    path = "/api/v1/groups/{group_id}",
    tag = "Groups",
    operation_id = "show_group",
    params(
        ("group_id" = String, Path, description = "Its id", format = Uuid),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 is the answer while it is the current one"),
    ),
    responses(
        (status = 200, description = "The group", body = inline(Envelope<GroupView>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data":
            {"id": "0190b2c4-0000-7000-8000-000000000004", "name": "Front desk",
             "description": "Those who receive guests", "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}})),
        (status = 304, description = "It is still that of `If-None-Match`"),
        (status = 404, description = "The tenant has no such group"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    authority: Authority,
    id: Path<GroupId>,
    api: Data<Api>,
) -> Result<HttpResponse, GroupError> {
    let (scope, id) = (authority.principal().scope(), id.into_inner());
    let found = api.db.read(move |conn| store::find(conn, scope, id)).await?;
    let group = found.ok_or(GroupError::NotFound)?;
    authority.check_shown(READ, READ, attributes(&group), MISSING)?;
    Ok(versioned(&request, &tag(&group), view(&group)))
}

/// Changes a group
///
/// What is left out stays. Whoever moves it holds what the groups that it leaves and enters give.
#[utoipa::path(
    patch,
    path = "/api/v1/groups/{group_id}",
    tag = "Groups",
    operation_id = "update_group",
    params(
        ("group_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed, or `*`"),
    ),
    request_body(content = Value, example = json!({"description": "Those who receive guests", "parent_id": null})),
    responses(
        (status = 200, description = "The group as it is now", body = inline(Envelope<GroupView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 404, description = "The tenant has no such group"),
        (status = 409, description = "There is a group of this name already"),
        (status = 412, description = "Somebody changed it meanwhile: read it again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn update(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    id: Path<GroupId>,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, GroupError> {
    let (id, input) = (id.into_inner(), GroupInput::parse(body.0.clone(), false).map_err(GroupError::Invalid)?);
    let work = move |work: &mut Work<'_>| {
        let group = rules::update(work, &authority, id, &if_match, &input)?;
        Ok(Answer::ok(view(&group)).with_etag(tag(&group).as_str()))
    };
    change.run(&api, &body.0, work).await
}

/// Removes a group
///
/// One of which others are a part is not removed. Its members lose the roles that it gave them.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{group_id}",
    tag = "Groups",
    operation_id = "delete_group",
    params(
        ("group_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is meant; any, where it is left out"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "The tenant has no such group"),
        (status = 409, description = "Others are a part of it, or nobody who may do everything would be left"),
        (status = 412, description = "Somebody changed it meanwhile: read it again"),
    )
)]
pub(crate) async fn delete(
    OptionalIfMatch(if_match): OptionalIfMatch,
    change: Change,
    authority: Authority,
    id: Path<GroupId>,
    api: Data<Api>,
) -> Result<Answer, GroupError> {
    let id = id.into_inner();
    let work = move |work: &mut Work<'_>| {
        rules::delete(work, &authority, id, if_match.as_ref())?;
        Ok(Answer::no_content())
    };
    change.run(&api, &Value::Null, work).await
}

fn tag(group: &Group) -> EntityTag {
    EntityTag::of(group.tenant_id, group.id, group.version)
}
