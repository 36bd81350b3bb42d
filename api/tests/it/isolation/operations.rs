//! The operations of the OpenAPI document, and requests made of them.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::support::TestApi;

#[derive(Debug)]
pub struct Operation {
    pub method: Method,
    /// With `{names}`.
    pub path: String,
    pub in_path: Vec<String>,
    pub in_query: Vec<String>,
    /// Whether `If-Match` names the version that is changed.
    pub names_version: bool,
    /// The type of its body, and an example of one.
    pub content: Option<(String, Value)>,
}

/// The operations that need a token.
pub async fn operations(api: &TestApi) -> Vec<Operation> {
    let document: Value = api.get("/api/v1/openapi.json").await.json().await.unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, described) in item.as_object().unwrap() {
            if described["security"].as_array().is_some_and(|needed| !needed.is_empty()) {
                operations.push(Operation::read(method, path, described));
            }
        }
    }
    // What removes things comes last, so that they are there for everything else.
    operations.sort_by_key(|operation| operation.method == Method::DELETE);
    assert!(operations.len() > 60);
    operations
}

impl Operation {
    fn read(method: &str, path: &str, described: &Value) -> Self {
        let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
        let named = |place: &str| {
            let found = parameters.iter().filter(|parameter| parameter["in"] == place);
            found.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let content = described.pointer("/requestBody/content").and_then(Value::as_object);
        let content = content.and_then(|types| types.iter().next()).map(|(kind, content)| {
            let example = content.get("example").cloned();
            (kind.clone(), example.unwrap_or_else(|| panic!("{method} {path} has no example of its body")))
        });
        Self {
            method: method.to_uppercase().parse().unwrap(),
            path: path.to_owned(),
            in_path: named("path"),
            in_query: named("query"),
            names_version: named("header").iter().any(|name| name == "If-Match"),
            content,
        }
    }

    /// `GET /api/v1/…/{id}`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// What the things of a tenant are called that a parameter of the path names: `role_id`, or where that says too little
    /// `users/id`, by what stands before it.
    pub fn kind_of(&self, parameter: &str, things: &BTreeMap<String, String>) -> String {
        let (before, _) = self.path.split_once(&format!("/{{{parameter}}}")).unwrap();
        let of_path = format!("{}/{parameter}", before.rsplit('/').next().unwrap());
        let known = [of_path, parameter.to_owned()].into_iter().find(|kind| things.contains_key(kind));
        known.unwrap_or_else(|| panic!("say in `make_everything` what {parameter} of {} is", self.path))
    }

    /// The path to these things.
    pub fn path_to(&self, things: &BTreeMap<String, String>) -> String {
        self.in_path.iter().fold(self.path.clone(), |path, parameter| {
            path.replace(&format!("{{{parameter}}}"), &things[&self.kind_of(parameter, things)])
        })
    }

    /// The request with the example of the document, or another body.
    pub fn request(&self, api: &TestApi, token: &str, path: &str, body: Option<&Value>) -> RequestBuilder {
        let request = api.request(self.method.clone(), path).bearer_auth(token);
        match self.content.as_ref() {
            Some((kind, example)) => {
                let text = match body.unwrap_or(example) {
                    Value::String(text) => text.clone(),
                    json => json.to_string(),
                };
                request.header("Content-Type", kind).body(text)
            }
            None => request,
        }
    }

    /// The same, to change whatever is there.
    pub fn request_for_any(&self, api: &TestApi, token: &str, path: &str, body: Option<&Value>) -> RequestBuilder {
        let request = self.request(api, token, path, body);
        if self.names_version { request.header("If-Match", "*") } else { request }
    }
}

/// Where in a body values stand, by their JSON pointers.
pub fn leaves(body: &Value) -> Vec<(String, &Value)> {
    let below = |name: &str, value| {
        let name = name.replace('~', "~0").replace('/', "~1");
        leaves(value).into_iter().map(move |(pointer, leaf)| (format!("/{name}{pointer}"), leaf)).collect::<Vec<_>>()
    };
    match body {
        Value::Object(members) => members.iter().flat_map(|(name, value)| below(name, value)).collect(),
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().flat_map(|(at, value)| below(&at.to_string(), value)).collect()
        }
        leaf => vec![(String::new(), leaf)],
    }
}
