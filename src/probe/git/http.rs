//! Git's smart HTTP: each message is a request of its own.
//!
//! After [gitprotocol-http(5)](https://git-scm.com/docs/gitprotocol-http).

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::super::broken::Broken;
use super::super::classify::status_class;
use super::super::connect::{Clients, Way};
use super::super::evidence::{BODY_SEEN, headers};
use super::super::question::Seen;
use super::super::route::{self, broken};
use super::super::shared::Shared;
use super::super::stopwatch::Trace;
use super::super::wire::redirect::{self, Ask};
use super::answer::protocol;
use super::{Program, Transport};
use crate::model::{FailureClass, HttpRemote, Resolve};

/// How many redirects of the first request are followed; git's own client follows no others either.
const MOST_REDIRECTS: usize = 5;

/// A repository behind a web server.
pub(super) struct HttpForge {
    url: Url,
    authorization: Option<HeaderValue>,
    resolve: Resolve,
    clients: Arc<Clients>,
}

/// A repository that a check speaks to.
pub(super) struct HttpTransport<'f> {
    forge: &'f HttpForge,
    trace: &'f Trace,
    program: Program,
    /// As the requests of the service that was opened last are made: where it was found, and with what headers.
    ask: Ask,
    response: Option<reqwest::Response>,
}

impl HttpForge {
    pub(super) fn new(remote: &HttpRemote, resolve: Resolve, shared: &mut Shared) -> Result<Self, String> {
        let clients = shared.clients_of(Way { tls: (*remote.tls).clone(), undecoded: false })?;
        let authorization = remote.authorization.clone();
        Ok(Self { url: remote.url.clone(), authorization, resolve, clients })
    }

    pub(super) fn transport<'f>(&'f self, trace: &'f Trace) -> HttpTransport<'f> {
        let mut headers = HeaderMap::new();
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        let ask = Ask {
            method: Method::GET,
            url: self.url.clone(),
            headers,
            body: Bytes::new(),
            address: self.resolve.address,
        };
        HttpTransport { forge: self, trace, program: Program::UploadPack, ask, response: None }
    }
}

/// The URL below a repository's.
fn below(url: &Url, path: &str) -> Url {
    let mut below = url.clone();
    below.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
    below
}

impl HttpTransport<'_> {
    /// Takes an answer of this media type, and no other.
    async fn take(&mut self, mut response: reqwest::Response, what: &str, seen: &mut Seen) -> Result<(), Broken> {
        let status = response.status();
        let media = format!("application/x-{}-{what}", self.program.name());
        let found = response.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let found = found.map(|value| value.split(';').next().unwrap_or_default().trim().to_owned());
        if status == StatusCode::OK && found.as_deref() == Some(&media) {
            self.response = Some(response);
            return Ok(());
        }
        seen.headers.extend(headers(response.headers()));
        let failure = if status == StatusCode::OK {
            let found = found.unwrap_or_else(|| "none".into());
            protocol(format!("expected the content type {media}, it was {found}: no Git speaks there"))
        } else {
            let class = status_class(status.as_u16(), response.headers());
            Broken::failed(class, format!("expected the status 200 of {}, status was {status}", self.program.name()))
        };
        // What the page says is evidence; that it breaks off changes nothing.
        while seen.said.len() < BODY_SEEN
            && let Ok(Some(chunk)) = response.chunk().await
        {
            seen.hear(&chunk);
        }
        Err(failure)
    }
}

impl Transport for HttpTransport<'_> {
    async fn open(&mut self, program: Program, seen: &mut Seen) -> Result<(), Broken> {
        self.program = program;
        let suffix = "info/refs";
        let query = format!("service={}", program.name());
        let mut ask = Ask { method: Method::GET, body: Bytes::new(), ..self.ask.clone() };
        ask.url = below(&self.ask.url, suffix);
        ask.url.set_query(Some(&query));
        if program == Program::UploadPack {
            ask.headers.insert(HeaderName::from_static("git-protocol"), HeaderValue::from_static("version=2"));
        } else {
            ask.headers.remove("git-protocol");
        }
        let mut followed = 0;
        let response = loop {
            let response = route::ask(&self.forge.clients, self.forge.resolve, &ask, self.trace, seen).await?;
            let Some(location) = redirect::location(response.status(), response.headers()) else { break response };
            let failed = |fault| Broken::Failed(FailureClass::Redirect, fault);
            let next = redirect::next(&ask, response.status(), location).map_err(failed)?;
            followed += 1;
            if followed > MOST_REDIRECTS {
                return Err(failed(format!("more than {MOST_REDIRECTS} redirects; the last leads to {}", next.url)));
            }
            if !next.url.path().ends_with("/info/refs") || next.url.query() != Some(&query) {
                return Err(failed(format!("redirected to {}, where no repository is", next.url)));
            }
            ask = next;
        };
        self.take(response, "advertisement", seen).await?;
        let path = ask.url.path().trim_end_matches(suffix).trim_end_matches('/').to_owned();
        ask.url.set_query(None);
        ask.url.set_path(&path);
        self.ask = ask;
        Ok(())
    }

    async fn send(&mut self, message: Vec<u8>, seen: &mut Seen) -> Result<(), Broken> {
        let name = self.program.name();
        let mut ask = Ask { method: Method::POST, body: message.into(), ..self.ask.clone() };
        ask.url = below(&self.ask.url, name);
        let media = |what| HeaderValue::from_str(&format!("application/x-{name}-{what}"));
        if let (Ok(request), Ok(result)) = (media("request"), media("result")) {
            ask.headers.insert(CONTENT_TYPE, request);
            ask.headers.insert(ACCEPT, result);
        }
        self.response = None;
        let response = route::ask(&self.forge.clients, self.forge.resolve, &ask, self.trace, seen).await?;
        self.take(response, "result", seen).await
    }

    async fn chunk(&mut self, _: &mut Seen) -> Result<Option<Bytes>, Broken> {
        let Some(response) = &mut self.response else { return Ok(None) };
        response.chunk().await.map_err(|error| broken(&error, self.trace))
    }
}
