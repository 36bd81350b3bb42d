//! Whoever asks until it is acknowledged.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::Counts;
use super::services::Services;

/// How long a request is repeated.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long an answer may take before the request is taken for lost.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client that repeats.
pub struct Caller<'a> {
    http: reqwest::Client,
    services: &'a Services,
    counts: &'a Counts,
}

impl<'a> Caller<'a> {
    pub fn new(services: &'a Services, counts: &'a Counts) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().unwrap();
        Self { http, services, counts }
    }

    /// Sends a request under its key until it is acknowledged, and gives the answer.
    pub async fn acknowledged(&self, token: &str, method: Method, path: &str, key: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.services.api.url);
        let repeat = async {
            loop {
                let mut request = self.http.request(method.clone(), &url).bearer_auth(token);
                request = request.header("Idempotency-Key", key).header("If-Match", "*");
                if !body.is_null() {
                    request = request.json(body);
                }
                self.counts.sent.send_modify(|sent| *sent += 1);
                if let Some(answer) = self.judge(request.send().await, &method, path, body).await {
                    return answer;
                }
                self.counts.lost.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        };
        let answer = tokio::time::timeout(PATIENCE, repeat).await;
        answer.unwrap_or_else(|_| panic!("{method} {path} {key} is not acknowledged\n{}", self.services.api.log()))
    }

    /// The answer, or `None` where the request has to be repeated. Everything else is a fault.
    async fn judge(
        &self,
        sent: reqwest::Result<reqwest::Response>,
        method: &Method,
        path: &str,
        body: &Value,
    ) -> Option<Value> {
        let response = sent.ok()?;
        let status = response.status();
        // Cut off in the middle: it is not acknowledged.
        let text = response.text().await.ok()?;
        if status.is_success() {
            return Some(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() });
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let is_under_way = status == StatusCode::CONFLICT && problem["type"] == "/problems/request-under-way";
        assert!(
            status == StatusCode::SERVICE_UNAVAILABLE || is_under_way,
            "{method} {path} {body}: {status} {text}\n{}",
            self.services.api.log()
        );
        None
    }
}
