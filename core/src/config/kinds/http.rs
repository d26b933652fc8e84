//! `http`: what is asked by HTTP.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::download::Download;
use super::{Around, Kind, Open, Reach, download, given_or};
use crate::config::problem::{Place, nearest};
use crate::config::raw::keyed::keyed;
use crate::config::raw::tree::Value;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Given, Template, Values, as_it_is, for_url};
use crate::config::tls::Tls;
use crate::config::words::size;
use crate::model::{self, HttpTarget, ProbeKind, TlsOptions, kind};

keyed! {
    /// An HTTP request. `{{label}}` in `url`, `headers` and `body` is filled in for each probe.
    pub struct Http {
        /// Where to: http or https, without user and password.
        pub url: String,
        /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, in capitals. Default: GET.
        pub method: Option<String>,
        /// Sent with the request. Not connection, content-length, transfer-encoding. Default: none.
        pub headers: Option<BTreeMap<String, Word>>,
        /// Sent with the request. Default: none.
        pub body: Option<Word>,
        /// How many redirects are followed, 0 to 20; 0: the redirect is the answer. Default: 10.
        #[schemars(range(max = 20))]
        pub redirects: Option<u8>,
        /// How much of the answer's body is read: bytes, or with KiB or MiB, up to 64MiB. The rest is left unread.
        /// Default: 1MiB.
        pub body_cap: Option<Word>,
        /// The answer is content that is received whole and checked; see Downloads. Default: the body is not judged.
        pub download: Option<Download>,
        /// How certificates are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
    }
}

const METHODS: [(&str, Method); 7] = [
    ("GET", Method::GET),
    ("HEAD", Method::HEAD),
    ("POST", Method::POST),
    ("PUT", Method::PUT),
    ("PATCH", Method::PATCH),
    ("DELETE", Method::DELETE),
    ("OPTIONS", Method::OPTIONS),
];

/// Headers whose values are never shown.
pub(super) const SENSITIVE: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];
/// Headers that follow from the request itself.
const OURS: [&str; 3] = ["connection", "content-length", "transfer-encoding"];

const REDIRECTS: u8 = 10;
const BODY_CAP: usize = 1024 * 1024;
const MOST_BODY_CAP: u64 = 64 * 1024 * 1024;

pub(super) const KIND: Kind = Kind {
    variables: |entry| if downloads(entry) { kind::http::DOWNLOAD_VARIABLES } else { kind::http::VARIABLES },
    reach: Reach::Server,
    read: |reader, entry, around| Some(Box::new(read(reader, entry, around)?)),
};

/// A request whose labels are still open.
pub(super) struct HttpShape {
    method: Method,
    pub(super) url: Template,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) body: Option<Template>,
    redirects: u8,
    body_cap: usize,
    download: Option<Arc<model::Download>>,
    tls: Arc<TlsOptions>,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<HttpShape> {
    let given = around.given;
    let table = reader.table(entry, Http::KEYS, "write `http: {url: \"https://example.com/\"}`")?;
    let url = reader
        .need(&table, "url", "say where to: `url: https://example.com/`")
        .and_then(|entry| reader.template(entry, given));
    if let Some(url) = url.as_ref().filter(|_| given.all) {
        // One combination is tried now, so that the URL is judged even where other things are wrong.
        filled_url(reader, url, &given.labels);
    }
    let method = table.get("method").map(|entry| method(reader, entry));
    let headers = table.get("headers").map(|entry| headers(reader, entry, given));
    let body = table.get("body").map(|entry| reader.template(entry, given));
    let redirects = table.get("redirects").map(|entry| reader.whole(entry, 0, 20));
    let body_cap = table.get("body_cap").map(|entry| size(reader, entry, MOST_BODY_CAP)?.try_into().ok());
    let download =
        table.get("download").map(|entry| download::read(reader, entry).map(|wanted| Some(Arc::new(wanted))));
    let tls = around.tls(reader, &table)?;
    Some(HttpShape {
        method: given_or(method, Method::GET)?,
        url: url?,
        headers: given_or(headers, Vec::new())?,
        body: given_or(body.map(|body| body.map(Some)), None)?,
        redirects: u8::try_from(given_or(redirects, u64::from(REDIRECTS))?).unwrap_or(REDIRECTS),
        body_cap: given_or(body_cap, BODY_CAP)?,
        download: given_or(download, None)?,
        tls,
    })
}

fn method(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Method> {
    let text = reader.text(entry)?;
    let found = METHODS.into_iter().find(|(name, _)| *name == text.value).map(|(_, method)| method);
    if found.is_none() {
        let remedy = nearest(&text.value, METHODS.iter().map(|(name, _)| *name), "it is one of");
        reader.fault(text.place, format!("`{}` is no method", text.show()), remedy);
    }
    found
}

pub(super) fn headers(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    given: &Given<'_>,
) -> Option<Vec<(HeaderName, Template)>> {
    let mut headers = Vec::new();
    let mut seen = BTreeSet::new();
    let entries = reader.named(entry, "write `headers: {accept: text/html}`")?;
    let count = entries.len();
    for entry in entries {
        let Ok(name) = HeaderName::from_bytes(entry.name.as_bytes()) else {
            let remedy = "it has letters, digits and `-`";
            reader.fault(entry.at, format!("`{}` is no header name", entry.name), remedy);
            continue;
        };
        if OURS.contains(&name.as_str()) {
            reader.fault(entry.at, format!("the header `{name}` follows from the request itself"), "remove it");
            continue;
        }
        if !seen.insert(name.as_str().to_owned()) {
            reader.fault(
                entry.at,
                format!("the header `{name}` is given twice"),
                "capital letters do not count: keep one",
            );
            continue;
        }
        headers.extend(reader.template(entry, given).map(|value| (name, value)));
    }
    (headers.len() == count).then_some(headers)
}

/// Whether a download is asked for: expectations can then look at more.
fn downloads(entry: Entry<'_>) -> bool {
    let Value::Map(pairs) = &entry.node.value else { return false };
    pairs.iter().any(|(key, _)| matches!(&key.value, Value::Text(name) if name == "download"))
}

/// An absolute http or https URL that shows no password; else what is wrong, and the remedy.
pub(in crate::config) fn parse_url(text: &str) -> Result<Url, (String, String)> {
    let example = "write it like `https://example.com/path`";
    if !text.contains("://") {
        let fault = format!("`{text}` is no URL: it starts with neither `https://` nor `http://`");
        return Err((fault, example.into()));
    }
    let url = Url::parse(text).map_err(|why| (format!("`{text}` is no URL: {why}"), example.to_owned()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err((format!("`{text}` is no http or https URL"), example.into()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let remedy = "put them into a header: `authorization: \"Basic ${env:CREDENTIALS}\"`";
        return Err(("a URL with a user or password would show them".into(), remedy.into()));
    }
    Ok(url)
}

fn filled_url(reader: &mut Reader<'_>, url: &Template, labels: &Values<'_>) -> Option<Url> {
    let text = url.fill(labels, for_url);
    // Where a URL begins with what a step captures, nothing can be said of it yet.
    let filled = parse_url(if url.begins_captured(labels) { "https://captured.invalid/" } else { &text });
    filled.map_err(|(fault, remedy)| reader.fault(url.place, fault, remedy)).ok()
}

impl Open for HttpShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        self.request(reader, values).map(ProbeKind::Http)
    }

    fn skips_verification(&self) -> bool {
        self.tls.skip_verify
    }
}

impl HttpShape {
    /// The request for these labels.
    pub(super) fn request(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<HttpTarget> {
        let url = filled_url(reader, &self.url, values)?;
        let headers = fill_headers(reader, &self.headers, values)?;
        let body = self.body.as_ref().map(|body| body.fill(values, as_it_is)).unwrap_or_default();
        Some(HttpTarget {
            method: self.method.clone(),
            url,
            headers,
            body: Bytes::from(body),
            redirects: self.redirects,
            body_cap: self.body_cap,
            download: self.download.clone(),
            tls: self.tls.clone(),
        })
    }
}

/// Headers for these labels; those that hold secrets are marked sensitive.
pub(super) fn fill_headers(
    reader: &mut Reader<'_>,
    open: &[(HeaderName, Template)],
    values: &Values<'_>,
) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, template) in open {
        let value = template.fill(values, as_it_is);
        let mut value = header_value(reader, name, &value, template.place)?;
        value.set_sensitive(template.secret || SENSITIVE.contains(&name.as_str()));
        headers.insert(name.clone(), value);
    }
    Some(headers)
}

fn header_value(reader: &mut Reader<'_>, name: &HeaderName, value: &str, place: Place) -> Option<HeaderValue> {
    let found = HeaderValue::from_bytes(value.as_bytes()).ok();
    if found.is_none() {
        let fault = format!("the header `{name}` would have a line break or control character");
        reader.fault(place, fault, "a header's value is one line");
    }
    found
}
