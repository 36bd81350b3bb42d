//! The management API of the fake identity provider: what it was told, and faults on order.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;

use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tenantry_types::{Clock as _, SystemClock};

use crate::fake_idp::State;

/// What it does with the next request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing is done, and the answer is a server error.
    Before,
    /// It is done, and the answer is a server error: as if the answer were lost.
    After,
    /// The access token counts no more.
    Unauthorized,
    /// It refuses with this status and problem.
    Refuse(u16, Value),
}

#[derive(Debug, Default)]
pub struct ManagementState {
    /// By id.
    pub tenants: Mutex<BTreeMap<String, Value>>,
    /// `(tenant, domain)` with whether it is primary.
    pub domains: Mutex<BTreeMap<(String, String), bool>>,
    /// The tenants of sessions with these, the newest first.
    pub sessions: Mutex<Vec<(String, Value)>>,
    /// One for each request to come.
    pub faults: Mutex<VecDeque<Fault>>,
    /// Every request, as `PUT /tenants/…`, with its body.
    pub requests: Mutex<Vec<(String, Value)>>,
    /// The claims of every client assertion.
    pub assertions: Mutex<Vec<Value>>,
}

impl ManagementState {
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// What was done, without reads.
    pub fn writes(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(line, _)| line.clone()).filter(|line| !line.starts_with("GET")).collect()
    }

    pub fn status_of(&self, tenant: &str) -> Value {
        self.tenants.lock().unwrap().get(tenant).map_or(Value::Null, |tenant| tenant["status"].clone())
    }

    fn perform(&self, method: &str, parts: &[&str], query: &str, body: &Value) -> HttpResponse {
        match (method, parts) {
            (_, ["tenants", id, rest @ ..]) if rest.contains(&"sessions") => self.sessions(method, id, rest, query),
            ("GET", ["tenants"]) => success(200, &json!([])),
            ("GET", ["tenants", id]) => match self.tenants.lock().unwrap().get(*id) {
                Some(tenant) => success(200, tenant),
                None => refusal(404, &json!({"type": "/problems/not-found", "title": "Not found", "status": 404})),
            },
            ("PUT", ["tenants", id]) => self.put_tenant(id, body),
            ("PATCH", ["tenants", id]) => {
                let mut tenants = self.tenants.lock().unwrap();
                // Tenants that the test made by hand are known as well.
                let tenant = tenants
                    .entry((*id).to_owned())
                    .or_insert_with(|| tenant(id, &json!({"slug": "some", "name": "Some"})));
                for (name, value) in body.as_object().unwrap() {
                    tenant[name] = value.clone();
                }
                tenant["updated_at"] = json!(SystemClock.now());
                success(200, tenant)
            }
            ("PUT", ["tenants", id, "domains", domain]) => {
                let mut domains = self.domains.lock().unwrap();
                if domains.keys().any(|(owner, name)| name == domain && owner != id) {
                    return refusal(
                        409,
                        &json!({"type": "/problems/conflict", "title": "Conflict", "status": 409,
                        "errors": [{"pointer": "/domain", "code": "taken", "detail": "taken"}]}),
                    );
                }
                let is_primary = body["is_primary"] == true;
                domains.insert(((*id).to_owned(), (*domain).to_owned()), is_primary);
                success(200, &json!({"domain": domain, "is_primary": is_primary}))
            }
            ("DELETE", ["tenants", id, "domains", domain]) => {
                self.domains.lock().unwrap().remove(&((*id).to_owned(), (*domain).to_owned()));
                HttpResponse::NoContent().finish()
            }
            _ => refusal(404, &json!({"type": "/problems/not-found", "title": "Not found", "status": 404})),
        }
    }

    fn sessions(&self, method: &str, tenant: &str, path: &[&str], query: &str) -> HttpResponse {
        let mut sessions = self.sessions.lock().unwrap();
        let of_tenant = |(owner, _): &&(String, Value)| owner == tenant;
        match (method, path) {
            ("GET", ["sessions"]) => {
                let query: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                let of_user = |session: &&Value| query.get("user_id").is_none_or(|user| session["user_id"] == **user);
                let all = sessions.iter().filter(of_tenant).map(|(_, session)| session).filter(of_user);
                let from = query.get("cursor").map_or(0, |cursor| cursor.parse::<usize>().unwrap());
                let limit = query["limit"].parse::<usize>().unwrap();
                let all: Vec<_> = all.skip(from).collect();
                let next = (all.len() > limit).then(|| (from + limit).to_string());
                let page = json!({"limit": limit, "next": next});
                let data = &all[..limit.min(all.len())];
                HttpResponse::Ok().json(json!({"status": "success", "data": data, "page": page}))
            }
            ("GET", ["sessions", id]) => {
                match sessions.iter().filter(of_tenant).find(|(_, session)| session["id"] == **id) {
                    Some((_, session)) => success(200, session),
                    None => refusal(404, &json!({"type": "/problems/session-not-found", "title": "?", "status": 404})),
                }
            }
            ("DELETE", ["sessions", id]) => {
                sessions.retain(|(owner, session)| owner != tenant || session["id"] != **id);
                HttpResponse::NoContent().finish()
            }
            ("DELETE", ["users", user, "sessions"]) => {
                sessions.retain(|(owner, session)| owner != tenant || session["user_id"] != **user);
                HttpResponse::NoContent().finish()
            }
            _ => HttpResponse::MethodNotAllowed().finish(),
        }
    }

    fn put_tenant(&self, id: &str, body: &Value) -> HttpResponse {
        let mut tenants = self.tenants.lock().unwrap();
        if let Some(found) = tenants.get(id) {
            return success(200, found);
        }
        if tenants.values().any(|tenant| tenant["slug"] == body["slug"]) {
            return refusal(
                409,
                &json!({"type": "/problems/conflict", "title": "Conflict", "status": 409,
                "errors": [{"pointer": "/slug", "code": "taken", "detail": "something else has this already"}]}),
            );
        }
        let made = tenant(id, body);
        tenants.insert(id.to_owned(), made.clone());
        success(201, &made)
    }
}

fn tenant(id: &str, body: &Value) -> Value {
    json!({"id": id, "slug": body["slug"], "name": body["name"], "status": "active", "issuer": "http://idp/t/x",
        "administrator": body["administrator"]})
}

fn success(status: u16, data: &Value) -> HttpResponse {
    HttpResponse::build(status.try_into().unwrap()).json(json!({"status": "success", "data": data}))
}

fn refusal(status: u16, problem: &Value) -> HttpResponse {
    HttpResponse::build(status.try_into().unwrap()).content_type("application/problem+json").body(problem.to_string())
}

pub fn configure(services: &mut ServiceConfig) {
    services.route("/admin/v1/{rest:.*}", web::route().to(manage));
}

/// Gives an access token for an assertion that looks like one; the real provider checks it.
pub fn token(state: &State, form: &HashMap<String, String>) -> HttpResponse {
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let claims = tenantry_jose::peek(&form["client_assertion"]).unwrap().claims;
    state.management.assertions.lock().unwrap().push(Value::Object(claims.into_iter().collect()));
    let number = state.management.assertions.lock().unwrap().len();
    HttpResponse::Ok()
        .json(json!({"access_token": format!("management-{number}"), "token_type": "Bearer", "expires_in": 600}))
}

async fn manage(state: Data<State>, path: Path<String>, request: HttpRequest, body: Bytes) -> HttpResponse {
    if state.is_down.load(std::sync::atomic::Ordering::SeqCst) {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let management = &state.management;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    management.requests.lock().unwrap().push((format!("{} /{path}", request.method()), body.clone()));
    let token = request.headers().get("Authorization").unwrap().to_str().unwrap().to_owned();
    let newest = format!("Bearer management-{}", management.assertions.lock().unwrap().len());
    let fault = management.faults.lock().unwrap().pop_front();
    let parts: Vec<&str> = path.split('/').collect();
    match fault {
        Some(Fault::Before) => HttpResponse::InternalServerError().finish(),
        Some(Fault::After) => {
            management.perform(request.method().as_str(), &parts, request.query_string(), &body);
            HttpResponse::InternalServerError().finish()
        }
        Some(Fault::Unauthorized) => HttpResponse::Unauthorized().finish(),
        Some(Fault::Refuse(status, problem)) => refusal(status, &problem),
        None if token != newest => HttpResponse::Unauthorized().finish(),
        None => management.perform(request.method().as_str(), &parts, request.query_string(), &body),
    }
}
