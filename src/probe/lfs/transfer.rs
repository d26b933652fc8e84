//! Batches, and the requests that they ask for.

use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::super::broken::Broken;
use super::super::classify::status_class;
use super::super::evidence::{BODY_SEEN, headers as shown};
use super::super::question::Seen;
use super::super::route::{self, broken};
use super::super::stopwatch::Trace;
use super::super::wire::lfs::{self, Action, Offer};
use super::super::wire::redirect::{self, Ask};
use super::batch_api::{self, Access};
use super::{LfsProbe, Object, Operation};
use crate::model::FailureClass;

/// The media type of batches.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.git-lfs+json");
/// The longest answer to a batch, in bytes.
const LONGEST_BATCH_ANSWER: usize = 1024 * 1024;
/// How many redirects of a download are followed.
const MOST_REDIRECTS: usize = 5;

fn protocol(fault: impl Into<String>) -> Broken {
    Broken::failed(FailureClass::Protocol, fault)
}

fn corrupt(fault: String) -> Broken {
    Broken::failed(FailureClass::Corrupt, fault)
}

/// What a batch offered of the file that was asked for.
struct Open {
    size: u64,
    transfer: Option<Ask>,
    verify: Option<Ask>,
}

impl LfsProbe {
    /// Finds a file, receives it, and compares it by size and hash. Nothing of it is kept.
    pub(super) async fn download(
        &self,
        access: &Access,
        object: &Object,
        trace: &Trace,
        seen: &mut Seen,
    ) -> Result<(), Broken> {
        let open = self.batch(access, Operation::Download, object, trace, seen).await?;
        if open.size != object.size {
            return Err(corrupt(format!(
                "expected {} bytes, the server says that it has {}",
                object.size, open.size
            )));
        }
        let mut ask = open.transfer.ok_or_else(|| protocol("the batch does not say where the file is"))?;
        ask.headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        let mut followed = 0;
        let mut response = loop {
            let response = route::ask(&self.clients, self.resolve, &ask, trace, seen).await?;
            let Some(location) = redirect::location(response.status(), response.headers()) else { break response };
            let failed = |fault| Broken::Failed(FailureClass::Redirect, fault);
            ask = redirect::next(&ask, response.status(), location).map_err(failed)?;
            seen.secrets.extend(ask.url.query().map(str::to_owned));
            followed += 1;
            if followed > MOST_REDIRECTS {
                return Err(failed(format!("more than {MOST_REDIRECTS} redirects of the file")));
            }
        };
        if response.status() != StatusCode::OK {
            return Err(refused("the file", response, seen).await);
        }
        let too_long = || corrupt(format!("expected {} bytes, more came", object.size));
        if response.content_length().is_some_and(|length| length > object.size) {
            return Err(too_long());
        }
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut count = 0_u64;
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error, trace))? {
            count += chunk.len() as u64;
            seen.read += chunk.len();
            if count > object.size {
                return Err(too_long());
            }
            hash.update(&chunk);
        }
        trace.close();
        if count < object.size {
            return Err(corrupt(format!("expected {} bytes, {count} came", object.size)));
        }
        let found = HEXLOWER.encode(hash.finish().as_ref());
        if found != object.oid {
            return Err(corrupt(format!("expected SHA-256 {}, it was {found}", object.oid)));
        }
        Ok(())
    }

    /// Puts a file there, unless the server has it, and has the server verify it where it wants that.
    pub(super) async fn upload(
        &self,
        access: &Access,
        object: &Object,
        content: Vec<u8>,
        trace: &Trace,
        seen: &mut Seen,
    ) -> Result<(), Broken> {
        let open = self.batch(access, Operation::Upload, object, trace, seen).await?;
        let Some(mut ask) = open.transfer else { return Ok(()) };
        ask.method = Method::PUT;
        ask.body = content.into();
        ask.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
        let response = route::ask(&self.clients, self.resolve, &ask, trace, seen).await?;
        if !response.status().is_success() {
            return Err(refused("the upload", response, seen).await);
        }
        let Some(mut ask) = open.verify else { return Ok(()) };
        ask.method = Method::POST;
        ask.body = serde_json::json!({"oid": object.oid, "size": object.size}).to_string().into();
        ask.headers.insert(CONTENT_TYPE, MEDIA_TYPE);
        ask.headers.insert(ACCEPT, MEDIA_TYPE);
        let response = route::ask(&self.clients, self.resolve, &ask, trace, seen).await?;
        if !response.status().is_success() {
            return Err(refused("the verification of the upload", response, seen).await);
        }
        Ok(())
    }

    async fn batch(
        &self,
        access: &Access,
        operation: Operation,
        object: &Object,
        trace: &Trace,
        seen: &mut Seen,
    ) -> Result<Open, Broken> {
        let mut url = access.base.clone();
        url.set_path(&format!("{}/objects/batch", access.base.path().trim_end_matches('/')));
        let mut headers = access.headers.clone();
        headers.insert(ACCEPT, MEDIA_TYPE);
        headers.insert(CONTENT_TYPE, MEDIA_TYPE);
        let body = serde_json::json!({
            "operation": operation.name(),
            "transfers": ["basic"],
            "objects": [{"oid": object.oid, "size": object.size}],
            "hash_algo": "sha256",
        });
        let address = if access.direct { self.resolve.address } else { None };
        let ask = Ask { method: Method::POST, url, headers, body: body.to_string().into(), address };
        let mut response = route::ask(&self.clients, self.resolve, &ask, trace, seen).await?;
        if response.status() != StatusCode::OK {
            return Err(refused("the batch", response, seen).await);
        }
        let mut json = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error, trace))? {
            json.extend_from_slice(&chunk);
            if json.len() > LONGEST_BATCH_ANSWER {
                return Err(protocol(format!("the answer to the batch has more than {LONGEST_BATCH_ANSWER} bytes")));
            }
        }
        let offer = lfs::batch(&json, operation.name(), &object.oid).map_err(|fault| {
            if serde_json::from_slice::<serde_json::Value>(&json).is_err() {
                // A page, say; what is JSON may hold tokens.
                seen.hear(&json);
            }
            protocol(format!("the answer to the batch: {fault}"))
        })?;
        match offer {
            Offer::Refused { code, message } => {
                let class = FailureClass::of_status(code);
                Err(Broken::failed(class, format!("the server refused the {}: {code}: {message}", operation.name())))
            }
            Offer::Open { size, authenticated, transfer, verify } => {
                let mut request = |action: Option<Action>| {
                    action.map(|action| self.request(&action, access, authenticated, seen)).transpose()
                };
                Ok(Open { size, transfer: request(transfer)?, verify: request(verify)? })
            }
        }
    }

    /// The request of an action, for now a GET. Our own name and password go where the batch was asked for, and nowhere
    /// else.
    fn request(&self, action: &Action, access: &Access, authenticated: bool, seen: &mut Seen) -> Result<Ask, Broken> {
        let url = batch_api::web(&action.href).ok_or_else(|| protocol("the batch leads to no http or https URL"))?;
        let headers = batch_api::headers(action, seen);
        let mut headers = headers.ok_or_else(|| protocol("the batch wants a header that cannot be sent"))?;
        // These follow from the request itself.
        for name in [HOST, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let same = same_origin(&url, &access.base);
        if same && !authenticated && !headers.contains_key(AUTHORIZATION) {
            headers.extend(authorization(&access.headers));
        }
        let address = self.resolve.address.filter(|_| same && access.direct);
        Ok(Ask { method: Method::GET, url, headers, body: Bytes::new(), address })
    }
}

fn authorization(headers: &HeaderMap) -> Option<(http::HeaderName, HeaderValue)> {
    headers.get(AUTHORIZATION).map(|value| (AUTHORIZATION, value.clone()))
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// The failure of an answer that is not the wanted one, with its beginning as evidence.
async fn refused(what: &str, mut response: reqwest::Response, seen: &mut Seen) -> Broken {
    let status = response.status();
    let class = status_class(status.as_u16(), response.headers());
    seen.headers.extend(shown(response.headers()));
    let mut body = Vec::new();
    // That it breaks off changes nothing.
    while body.len() < BODY_SEEN
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(chunk.get(..BODY_SEEN).unwrap_or(&chunk));
    }
    seen.hear(&body);
    let words = lfs::message(&body).map(|words| format!(": {words}")).unwrap_or_default();
    let class = if status.is_success() { FailureClass::Protocol } else { class };
    Broken::failed(class, format!("{what}: status was {status}{words}"))
}
