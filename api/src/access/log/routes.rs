//! `/api/v1/access/logs`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_db::DbError;
use tenantry_types::{Envelope, InputError, Problem};
use tenantry_web::listing::Query;
use tenantry_web::problems::IntoProblem;

use super::model::{DecisionFilter, DecisionView};
use super::store::{self, DecisionKey};
use crate::access::{Access, Permission, Routes};
use crate::authn::Principal;
use crate::input::database_problem;
use crate::state::Api;

/// To see who was allowed or refused what.
pub const READ: Permission = Permission::new("access_log.read");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.get("/api/v1/access/logs", Access::Permission(READ), list);
}

/// Why the log is not shown.
#[derive(Debug, thiserror::Error)]
pub enum AccessLogError {
    /// What is asked for is not a search.
    #[error("the query is not valid")]
    Invalid(Vec<InputError>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for AccessLogError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::Database(error) => database_problem(error),
        }
    }
}

tenantry_web::problem_response!(AccessLogError);

/// Searches the log of decisions
///
/// The newest decisions come first. What is given has to be true of a decision, all of it. A decision is here within a
/// second.
#[utoipa::path(
    get,
    path = "/api/v1/access/logs",
    tag = "Audit",
    operation_id = "list_access_logs",
    params(
        ("subject" = Option<String>, Query, description = "Asked by the user with this id, or by this client"),
        ("resource" = Option<String>, Query, description = "About this kind of resource"),
        ("resource_id" = Option<String>, Query, description = "About this one"),
        ("action" = Option<String>, Query, description = "About this action on it"),
        ("decision" = Option<String>, Query, description = "`allow` or `deny`"),
        ("policy" = Option<String>, Query, description = "Decided by the policy with this id"),
        ("from" = Option<String>, Query, description = "At this time or later (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Before this time (RFC 3339)"),
        ("limit" = Option<u32>, Query, description = "How many decisions a page has: 1 to 200, 50 unless given"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of decisions", body = inline(Envelope<Vec<DecisionView>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [{
                "id": "0190b2c4-0000-7000-8000-000000000001", "created_at": "2026-11-24T09:30:00.123456Z",
                "subject": {"kind": "user", "id": "0190b2c4-0000-7000-8000-000000000002"}, "client_id": "tenantry-console",
                "resource": "booking", "resource_id": "0190b2c4-0000-7000-8000-000000000003", "action": "cancel",
                "decision": "deny", "reason": "a policy forbids it",
                "policy": {"id": "0190b2c4-0000-7000-8000-000000000004", "name": "NoCancellationOnTheDay", "version": 3},
                "context": {"booking.scheduled_time": "2026-11-24T18:00:00Z"}, "address": "203.0.113.7",
                "request_id": "4bf92f3577b34da6a3ce929d0e0e4736"}]})),
        (status = 422, description = "The query is not valid: `errors` says where"),
    )
)]
pub(crate) async fn list(
    request: HttpRequest,
    principal: Principal,
    api: Data<Api>,
) -> Result<HttpResponse, AccessLogError> {
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let filter = DecisionFilter {
        subject: query.text("subject"),
        resource: query.text("resource"),
        resource_id: query.text("resource_id"),
        action: query.text("action"),
        decision: query.take("decision", str::parse),
        policy: query.text("policy"),
        from: query.take("from", str::parse),
        to: query.take("to", str::parse),
    };
    if filter.from.zip(filter.to).is_some_and(|(from, to)| from >= to) {
        query.refuse("to", "invalid", "must be after from");
    }
    let page = query.page::<DecisionKey>().map_err(AccessLogError::Invalid)?;
    let (scope, after, most) = (principal.scope(), page.after(), page.rows_to_fetch());
    let rows = api.db.read(move |conn| store::list(conn, scope, &filter, after.as_ref(), most)).await?;
    Ok(page.answer(rows, |row| (row.created_at, row.id.clone()), DecisionView::from))
}
