//! `/api/v1/tenants`.

mod create;
mod domains;
mod modules;
mod status;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApi;

pub const TENANTS: &str = "/api/v1/tenants";

pub fn acme() -> Value {
    json!({
        "name": "Acme Corporation", "slug": "acme", "domain": "acme.example.com",
        "admin_email": "admin@acme.example.com", "admin_password": "securePassword123",
    })
}

pub async fn send(api: &TestApi, method: Method, path: &str, token: &str, body: &Value) -> Response {
    let request = api.request(method, path).bearer_auth(token).header("If-Match", "*");
    request.json(body).send().await.unwrap()
}

/// Makes the tenant `acme` and gives its id.
pub async fn make(api: &TestApi) -> String {
    let response = send(api, Method::POST, TENANTS, &api.platform(), &acme()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    data(response).await["id"].as_str().unwrap().to_owned()
}

pub async fn data(response: Response) -> Value {
    response.json::<Value>().await.unwrap()["data"].take()
}

/// Asks again until it is so, as another process may be at work.
pub async fn until<F, T>(mut is_so: F)
where
    F: FnMut() -> T,
    T: Future<Output = bool>,
{
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("it never is so");
}
