//! Ids and names of another tenant's things in every place of every request: the answer is the one about what nobody has.

use reqwest::header::CONNECTION;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tenantry_types::{SystemClock, SystemRandom, TenantId, UtcTime};

use super::Tenant;
use super::operations::{Operation, leaves, operations};
use crate::support::TestApi;

/// The operations that reach somebody of another tenant because that is what they are for: whoever administers a tenant
/// lets somebody in whose id they were given. This list may only shrink.
pub const ON_PURPOSE: &[&str] = &["PUT /api/v1/users/{id}/membership"];

/// Where in a request something is named.
#[derive(Debug)]
enum Place {
    Path(String),
    Query(String),
    /// By its JSON pointer.
    Body(String),
}

/// Something of another tenant in one place of a request, and the like that nobody has.
#[derive(Debug)]
struct Case {
    place: Place,
    theirs: String,
    nobodys: String,
}

fn new_id() -> String {
    TenantId::new(&SystemClock, &SystemRandom).to_string()
}

/// The same text as if it were of a tenant that nobody knows.
fn of_nobody(text: &str, victim: &Tenant) -> String {
    if text.parse::<TenantId>().is_ok() { new_id() } else { text.replace(victim.slug, "nobody") }
}

fn cases(operation: &Operation, victim: &Tenant) -> Vec<Case> {
    let case = |place, theirs: &str| Case { place, theirs: theirs.to_owned(), nobodys: of_nobody(theirs, victim) };
    let mut cases = Vec::new();
    for parameter in &operation.in_path {
        let theirs = &victim.things[&operation.kind_of(parameter, &victim.things)];
        // Names of modules and numbers of versions are nobody's.
        if theirs.contains('-') {
            cases.push(case(Place::Path(parameter.clone()), theirs));
        }
    }
    let texts = [victim.marker.clone(), victim.email(), victim.domain(), victim.permission()];
    for parameter in operation.in_query.iter().filter(|name| !["cursor", "limit", "format"].contains(&name.as_str())) {
        cases.extend(victim.ids().chain(&texts).map(|theirs| case(Place::Query(parameter.clone()), theirs)));
    }
    let Some((_, example)) = &operation.content else { return cases };
    for (pointer, leaf) in leaves(example) {
        let name = pointer.rsplit('/').next().unwrap_or_default();
        let is_uuid = leaf.as_str().is_some_and(|text| text.parse::<TenantId>().is_ok());
        if is_uuid || name == "id" || name.ends_with("_id") || leaf.is_null() || leaf == &json!([]) {
            cases.extend(victim.ids().map(|theirs| case(Place::Body(pointer.clone()), theirs)));
        }
        match leaf.as_str() {
            Some(text) if text.contains('@') => cases.push(case(Place::Body(pointer), &victim.email())),
            Some(text) if text.contains('.') => {
                cases.push(case(Place::Body(pointer.clone()), &victim.permission()));
                cases.push(case(Place::Body(pointer), &victim.domain()));
            }
            Some(_) => cases.push(case(Place::Body(pointer), &victim.marker)),
            None => {}
        }
    }
    cases
}

impl Case {
    /// Asks for the caller's own things but for the one that is named.
    async fn ask(&self, api: &TestApi, operation: &Operation, caller: &Tenant, named: &str) -> Answered {
        let (mut things, mut query, mut body) = (caller.things.clone(), String::new(), None);
        match &self.place {
            Place::Path(parameter) => {
                things.insert(operation.kind_of(parameter, &caller.things), named.to_owned());
            }
            Place::Query(parameter) => query = format!("?{parameter}={named}"),
            Place::Body(pointer) => {
                let mut changed = operation.content.as_ref().unwrap().1.clone();
                let leaf = changed.pointer_mut(pointer).unwrap();
                *leaf = if leaf.is_array() { json!([named]) } else { json!(named) };
                body = Some(changed);
            }
        }
        let path = format!("{}{query}", operation.path_to(&things));
        let request = operation.request_for_any(api, &caller.token, &path, body.as_ref());
        Answered::read(request.send().await.unwrap(), named).await
    }
}

/// An answer without what differs from one request to the next, and without what was named in it.
#[derive(Debug, PartialEq)]
struct Answered {
    status: StatusCode,
    headers: Vec<String>,
    body: Value,
}

impl Answered {
    async fn read(response: Response, named: &str) -> Self {
        let status = response.status();
        // Whether the connection goes on is between it and the client (RFC 9110 §7.6.1).
        let headers = response.headers().keys().filter(|name| **name != CONNECTION).map(ToString::to_string).collect();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body: lasting(body, named) }
    }
}

fn lasting(value: Value, named: &str) -> Value {
    match value {
        Value::String(text) => {
            // A permission is named by what it is done to as well.
            let resource = named.split('.').next().filter(|resource| resource.ends_with("_only")).unwrap_or(named);
            let text = text.replace(named, "…").replace(resource, "…");
            if text.parse::<TenantId>().is_ok() || text.parse::<UtcTime>().is_ok() { json!("…") } else { json!(text) }
        }
        Value::Array(list) => list.into_iter().map(|value| lasting(value, named)).collect(),
        Value::Object(members) => {
            let lasts = |name: &str| !["instance", "version", "next", "verification"].contains(&name);
            let members = members.into_iter().filter(|(name, _)| lasts(name));
            Value::Object(members.map(|(name, value)| (name, lasting(value, named))).collect())
        }
        other => other,
    }
}

/// Tries everything that there is of the victim in every place. Gives how many cases there were.
pub async fn attack(
    api: &TestApi,
    caller: &Tenant,
    victim: &Tenant,
    operations: impl Iterator<Item = &Operation>,
) -> usize {
    let operations = operations.filter(|operation| !ON_PURPOSE.contains(&operation.name().as_str()));
    let all = operations.flat_map(|operation| cases(operation, victim).into_iter().map(move |case| (operation, case)));
    // What a body names may be made, and then be the caller's own under that name.
    let (bodies, others): (Vec<_>, Vec<_>) = all.partition(|(_, case)| matches!(case.place, Place::Body(_)));
    let done = bodies.len() + others.len();
    for (operation, case) in others.into_iter().chain(bodies) {
        // Once for what the request does whoever is named in it; then of theirs, and of nobody's.
        case.ask(api, operation, caller, &case.nobodys).await;
        let theirs = case.ask(api, operation, caller, &case.theirs).await;
        let another = of_nobody(&case.theirs, victim).replace("nobody", "nobodi");
        let nobodys = case.ask(api, operation, caller, &another).await;
        let what = format!("{} {case:?}", operation.name());
        assert_eq!(theirs, nobodys, "{what}");
        assert!(!theirs.status.is_server_error(), "{what}: {theirs:?}");
        let text = theirs.body.to_string();
        assert!(!text.contains(&victim.marker), "{what}: {text}");
        if let Place::Path(_) = case.place {
            let mut refusals = vec![StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::UNPROCESSABLE_ENTITY];
            // That something is not there any more is all that was wanted, where it never was.
            refusals.extend((operation.method == Method::DELETE).then_some(StatusCode::NO_CONTENT));
            assert!(refusals.contains(&theirs.status), "{what}: {theirs:?}");
            assert!(!theirs.headers.iter().any(|name| name == "etag"), "{what}: {theirs:?}");
        }
    }
    done
}

#[actix_web::test]
async fn what_is_another_tenants_is_as_if_it_were_not_there() {
    let api = TestApi::start().await;
    let (caller, victim) = (Tenant::furnish(&api, "birch").await, Tenant::furnish(&api, "amber").await);
    let operations = operations(&api).await;
    let before = victim.picture(&api, &operations).await;
    let done = attack(&api, &caller, &victim, operations.iter()).await;
    assert!(done > 400, "{done}");
    assert_eq!(victim.picture(&api, &operations).await, before);
}

#[actix_web::test]
async fn a_stranger_gets_nowhere() {
    let api = TestApi::start().await;
    let victim = Tenant::furnish(&api, "amber").await;
    let operations = operations(&api).await;
    let before = victim.picture(&api, &operations).await;
    // Somebody who has nothing, and a client with every scope.
    api.idp.add_tenant("empty");
    let person = api.idp.sign("empty", &api.idp.user_claims("empty", &api.url));
    api.id_of(&person).await;
    let scopes: Vec<String> = tenantry_api::routes::table().permissions().iter().map(ToString::to_string).collect();
    let client = api.idp.sign("empty", &api.idp.client_claims("empty", &api.url, &scopes.join(" ")));
    for token in [&person, &client] {
        for operation in operations.iter().filter(|operation| !ON_PURPOSE.contains(&operation.name().as_str())) {
            let path = operation.path_to(&victim.things);
            let response = operation.request_for_any(&api, token, &path, None).send().await.unwrap();
            let (status, etag) = (response.status(), response.headers().get("etag").cloned());
            let text = response.text().await.unwrap();
            let what = format!("{} {path}: {status} {text}", operation.method);
            assert!(!text.contains(&victim.marker), "{what}");
            // The stranger's own log of decisions says what the stranger has asked for.
            let repeats = operation.path == "/api/v1/access/logs";
            assert!(repeats || !victim.ids().any(|id| text.contains(id)), "{what}");
            assert!(!status.is_server_error(), "{what}");
            if !operation.in_path.is_empty() {
                let refusals = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::UNPROCESSABLE_ENTITY];
                assert!(refusals.contains(&status), "{what}");
                assert_eq!(etag, None, "{what}");
            }
        }
    }
    assert_eq!(victim.picture(&api, &operations).await, before);
}

/// What a tenant is shown is its own, in lists and in what it takes away as a whole.
#[actix_web::test]
async fn lists_and_exports_are_of_one_tenant() {
    let api = TestApi::start().await;
    let tenants = [Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await];
    let mut exports = 0;
    for (own, other) in [(0, 1), (1, 0)].map(|(own, other)| (&tenants[own], &tenants[other])) {
        for operation in operations(&api).await.iter().filter(|operation| operation.method == Method::GET) {
            let path = operation.path_to(&own.things);
            let response = api.get_as(&path, &own.token).await;
            let text = response.text().await.unwrap();
            assert!(!text.contains(&other.marker), "{path}: {text}");
            assert!(!other.ids().any(|id| text.contains(id)), "{path}: {text}");
            if operation.path.ends_with("/export") {
                exports += 1;
                assert!(text.contains(&own.marker), "{path}: {text}");
                for format in ["csv", "ndjson"] {
                    let text = api.get_as(&format!("{path}?format={format}"), &own.token).await.text().await.unwrap();
                    assert!(text.contains(&own.marker) && !text.contains(&other.marker), "{path}: {text}");
                }
            }
        }
    }
    assert!(exports >= 4, "{exports}");
}
