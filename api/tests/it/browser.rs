//! What a browser does, as far as the console needs it: cookies, and one step at a time.

use std::cell::RefCell;
use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tenantry_testing::markup::Markup;

use crate::support::{TestApi, client};

pub struct Browser {
    http: reqwest::Client,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    pub fn new() -> Self {
        Self { http: client(), cookies: RefCell::default() }
    }

    pub async fn get(&self, url: &str) -> Response {
        self.send(self.http.request(Method::GET, url)).await
    }

    pub async fn post(&self, url: &str, form: &[(&str, &str)]) -> Response {
        self.send(self.http.request(Method::POST, url).form(form)).await
    }

    /// What a script of a page sends, or what pretends to be one.
    pub async fn ask(&self, method: Method, url: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Response {
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(if let Some(body) = body { request.json(body) } else { request }).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        let cookies: Vec<String> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        for header in response.headers().get_all(SET_COOKIE) {
            let header = header.to_str().unwrap();
            let (pair, attributes) = header.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// The values of all of them.
    pub fn cookies(&self) -> Vec<String> {
        self.cookies.borrow().values().cloned().collect()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    /// From the console to the provider and to the address that it sends the browser back to, which is not opened.
    pub async fn sign_in_up_to_callback(&self, api: &TestApi) -> String {
        let to_provider = self.get(&format!("{}/console/sign-in?tenant=demo", api.url)).await;
        let back = self.http.get(location(&to_provider)).send().await.unwrap();
        location(&back)
    }

    /// The whole way, up to the overview.
    pub async fn sign_in(&self, api: &TestApi) {
        let callback = self.sign_in_up_to_callback(api).await;
        let done = self.get(&callback).await;
        assert_eq!(location(&done), "/console");
    }
}

/// Where an answer sends the browser.
pub fn location(response: &Response) -> String {
    assert!(matches!(response.status(), StatusCode::SEE_OTHER | StatusCode::FOUND), "{}", response.status());
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// The page of an answer, which has to be one and to hold to its policy.
pub async fn page(response: Response, status: StatusCode) -> Markup {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = response.text().await.unwrap();
    let page = Markup::parse(&html).unwrap_or_else(|why| panic!("{why}\n{html}"));
    assert_eq!(page.faults(), Vec::<String>::new(), "{html}");
    page
}
