//! One keep-alive HTTP/1.1 connection with its cookies.

use std::collections::BTreeMap;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use hyper::http::request::Builder;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// An answer, read to its end.
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub body: Bytes,
}

impl Reply {
    /// Its status and the beginning of its body, for a message.
    pub fn describe(&self) -> String {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(200).collect();
        format!("{} {body}", self.status)
    }
}

/// A connection to one origin; opened again when the server has closed it.
pub struct Connection {
    origin: Url,
    authority: String,
    sender: Option<SendRequest<Full<Bytes>>>,
    cookies: BTreeMap<String, String>,
}

impl Connection {
    pub fn to(origin: &Url) -> Self {
        let host = origin.host_str().unwrap_or_default();
        let authority = format!("{host}:{}", origin.port_or_known_default().unwrap_or(80));
        Self { origin: origin.clone(), authority, sender: None, cookies: BTreeMap::new() }
    }

    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    /// A browser's GET, with its cookies.
    pub async fn get(&mut self, path: &str) -> Result<Reply, String> {
        let request = self.request(Method::GET, path);
        self.send(self.with_cookies(request), Bytes::new()).await
    }

    /// A browser's submission of a form of this origin.
    pub async fn submit(&mut self, path: &str, form: String) -> Result<Reply, String> {
        let request = self.request(Method::POST, path).header(ORIGIN, self.origin.origin().ascii_serialization());
        self.send(self.with_cookies(request), form.into()).await
    }

    /// A client's POST, from its own server: no cookies.
    pub async fn post(&mut self, path: &str, form: String, authorization: Option<&str>) -> Result<Reply, String> {
        let mut request = self.request(Method::POST, path);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        self.send(request, form.into()).await
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        let posts = method == Method::POST;
        let request = Request::builder().method(method).uri(path).header(HOST, &self.authority);
        if posts { request.header(CONTENT_TYPE, "application/x-www-form-urlencoded") } else { request }
    }

    fn with_cookies(&self, request: Builder) -> Builder {
        if self.cookies.is_empty() {
            return request;
        }
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.header(COOKIE, pairs.join("; "))
    }

    async fn send(&mut self, request: Builder, body: Bytes) -> Result<Reply, String> {
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let response = self.exchange(request).await?;
        self.receive_cookies(response.headers());
        let status = response.status().as_u16();
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Reply { status, location, body })
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String> {
        let mut kept = self.sender.take();
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.open().await?,
        };
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        self.sender = Some(sender);
        Ok(response)
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // Ends with the connection; what went wrong comes back from the request that was under way.
        tokio::task::spawn_local(driver);
        Ok(sender)
    }

    /// Paths and expiry matter to browsers; here a later cookie of the same name simply wins.
    fn receive_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) else { continue };
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
