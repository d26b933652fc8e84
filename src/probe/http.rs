//! The HTTP kind: a request, its redirects, its answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use super::broken::Broken;
use super::connect::Clients;
use super::cookies::Jar;
use super::download::{Receipt, Receiving};
use super::evidence::{BODY_SEEN, Gathered, evidence, headers, hide};
use super::expect::{Answer, Expectations};
use super::finding::{Finding, Internal};
use super::prepared::{PreparedKind, Terms};
use super::route::{self, Route, broken, literal};
use super::shared::Shared;
use super::stopwatch::{TRACE, Trace};
use super::wire::redirect::{self, Ask};
use super::{classify, overrides, tunnel};
use crate::model::{Condition, Download, FailureClass, HttpTarget, Outcome, Probe, Resolve};

/// A request that is ready to be made again and again.
pub(super) struct HttpProbe {
    ask: Arc<Ask>,
    route: Route,
    redirects: u8,
    body_cap: usize,
    download: Option<Download>,
    resolve: Resolve,
    expect: Expectations,
    clients: Arc<Clients>,
    /// Whether more looks at the body than expectations do.
    need_body: bool,
}

/// What a check has gathered so far; outlives the attempt when time runs out.
pub(super) struct Progress {
    pub(super) ask: Arc<Ask>,
    pub(super) status: Option<StatusCode>,
    pub(super) headers: Option<HeaderMap>,
    pub(super) address: Option<IpAddr>,
    pub(super) body: Vec<u8>,
    /// How much of the body has been read, kept or not.
    pub(super) read: usize,
    pub(super) cut: bool,
    /// What came of the download that was asked for.
    pub(super) receipt: Option<Receipt>,
    pub(super) redirects: Vec<String>,
    /// The cookies that servers have set so far; `None`: they are neither kept nor sent.
    pub(super) jar: Option<Jar>,
}

impl HttpProbe {
    pub(super) fn new(target: &HttpTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        Self::of(target, probe.resolve, &probe.expect, shared.clients(target)?)
    }

    /// A request that is no probe by itself: of a flow's step.
    pub(super) fn of(
        target: &HttpTarget,
        resolve: Resolve,
        conditions: &Arc<[Condition]>,
        clients: Arc<Clients>,
    ) -> Result<Self, String> {
        let mut headers = target.headers.clone();
        let mut url = target.url.clone();
        if let Some(value) = take_password(&mut url, &clients)? {
            headers.entry(AUTHORIZATION).or_insert(value);
        }
        if target.download.is_some() {
            // What is hashed and unpacked is the file itself.
            headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        }
        let ask =
            Ask { method: target.method.clone(), url, headers, body: target.body.clone(), address: resolve.address };
        Ok(Self {
            route: Route::of(&ask)?,
            ask: Arc::new(ask),
            redirects: target.redirects,
            body_cap: target.body_cap,
            download: target.download.as_deref().copied(),
            resolve,
            expect: Expectations::new(conditions.clone()),
            clients,
            need_body: false,
        })
    }

    /// The body is kept whether or not expectations look at it.
    pub(super) fn keeping_the_body(self) -> Self {
        Self { need_body: true, ..self }
    }

    /// What is expected of the answer.
    pub(super) fn expectations(&self) -> &Expectations {
        &self.expect
    }

    /// What is asked first.
    pub(super) fn first(&self) -> &Arc<Ask> {
        &self.ask
    }

    async fn one_check(&self, terms: Terms<'_>) -> Result<Finding, Internal> {
        let Terms { limit: timeout, trace, secrets, .. } = terms;
        let mut progress = Progress::new(&self.ask);
        let asking = TRACE.scope(trace.clone(), self.ask(trace, &mut progress));
        let left = timeout.saturating_sub(trace.elapsed());
        let failure = match tokio::time::timeout(left, asking).await {
            Ok(Ok(())) => self.judge(&self.expect, trace, &progress, &|text| hide(secrets, text)),
            Ok(Err(Broken::Failed(class, fault))) => Some((class, fault)),
            Ok(Err(Broken::Internal(fault))) => return Err(fault),
            Err(_) => Some((FailureClass::Timeout, classify::timeout_fault(timeout, trace.open(), progress.read))),
        };
        trace.close();
        let mut finding = Finding {
            outcome: Outcome::Success,
            status: progress.status.map(|status| status.as_u16()),
            address: progress.address.or_else(|| trace.only_candidate()).or_else(|| literal(&progress.ask)),
            expires: trace.with_leaf(|leaf| self.clients.expiries.of(leaf)).flatten(),
            evidence: None,
        };
        let Some((class, fault)) = failure else { return Ok(finding) };
        let gathered = Gathered {
            request: &format!("{} {}", progress.ask.method, progress.ask.url),
            address: finding.address,
            headers: progress.headers.as_ref().map(headers).unwrap_or_default(),
            body: &progress.body,
            peer: trace.peer(),
            redirects: &progress.redirects,
        };
        finding.evidence = Some(evidence(&fault, gathered, secrets));
        finding.outcome = Outcome::Failure(class);
        Ok(finding)
    }

    /// Judges a whole answer by these expectations, such as its own: `None` is a success.
    pub(super) fn judge(
        &self,
        expect: &Expectations,
        trace: &Trace,
        progress: &Progress,
        hide: &dyn Fn(&str) -> String,
    ) -> Option<(FailureClass, String)> {
        let (Some(status), Some(headers)) = (progress.status, &progress.headers) else { return None };
        if self.download.is_some() && !status.is_success() {
            // An error page is not what was to be downloaded, whatever else is expected.
            let fault = format!("expected a 2xx status to download, status was {status}");
            return Some((classify::status_class(status.as_u16(), headers), fault));
        }
        let answer = Answer {
            status: status.as_u16(),
            headers,
            body: &progress.body,
            cut: progress.cut,
            receipt: progress.receipt.as_ref(),
            url: &progress.ask.url,
            address: progress.address,
            phases: trace.phases(),
        };
        expect.judge(&answer, self.redirects > 0, hide)
    }

    /// Asks, follows redirects, and reads the last answer.
    pub(super) async fn ask(&self, trace: &Trace, progress: &mut Progress) -> Result<(), Broken> {
        let mut route = None;
        let mut seen: Vec<Arc<Ask>> = Vec::new();
        loop {
            // Until this hop is answered, what the one before connected to says nothing.
            progress.address = None;
            let mut response = self.send(trace, route.as_ref().unwrap_or(&self.route), progress).await?;
            let status = response.status();
            if let Some(proxy) = overrides::proxy().filter(|_| status == StatusCode::PROXY_AUTHENTICATION_REQUIRED) {
                return Err(tunnel::fault(&proxy, classify::PROXY_UNAUTHORIZED));
            }
            progress.status = Some(status);
            // Of a connection by a proxy, that would be the proxy's.
            let remote = response.remote_addr().filter(|_| overrides::proxy().is_none());
            progress.address = remote.map(|address: SocketAddr| address.ip());
            let location = redirect::location(status, response.headers()).filter(|_| self.redirects > 0);
            let location = location.map(<[u8]>::to_vec);
            let headers = progress.headers.insert(std::mem::take(response.headers_mut()));
            if let Some(jar) = &mut progress.jar {
                jar.take_from(headers, &progress.ask.url);
            }
            let Some(location) = location else {
                return self.read(trace, response, progress).await;
            };
            progress.redirects.push(progress.ask.url.to_string());
            let failed = |fault| Broken::Failed(FailureClass::Redirect, fault);
            let next = redirect::next(&progress.ask, status, &location).map_err(failed)?;
            if progress.redirects.len() > usize::from(self.redirects) {
                return Err(failed(format!(
                    "more than {} redirects; the last leads to {}",
                    self.redirects, next.url
                )));
            }
            seen.push(std::mem::replace(&mut progress.ask, Arc::new(next)));
            if seen.iter().any(|ask| ask.url == progress.ask.url && ask.method == progress.ask.method) {
                return Err(failed(format!("the redirects lead in a circle, back to {}", progress.ask.url)));
            }
            route = Some(Route::of(&progress.ask).map_err(failed)?);
        }
    }

    async fn send(&self, trace: &Trace, route: &Route, progress: &Progress) -> Result<reqwest::Response, Broken> {
        let mut headers = route.headers.clone();
        if let Some(jar) = &progress.jar {
            jar.add_to(&mut headers, &progress.ask.url);
        }
        route::send(&self.clients, self.resolve, &progress.ask, route, headers, trace).await
    }

    async fn read(
        &self,
        trace: &Trace,
        mut response: reqwest::Response,
        progress: &mut Progress,
    ) -> Result<(), Broken> {
        let keep =
            if self.need_body || self.expect.need_body() { self.body_cap } else { self.body_cap.min(BODY_SEEN) };
        let wanted = self.download.filter(|_| response.status().is_success());
        let hashed = self.expect.mention("sha256");
        let mut receiving =
            wanted.map(|wanted| Receiving::begin(wanted, hashed, response.content_length())).transpose()?;
        let begun = Instant::now();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error, trace))? {
            let room = keep.saturating_sub(progress.body.len()).min(chunk.len());
            progress.body.extend_from_slice(&chunk[..room]);
            progress.read += chunk.len();
            if let Some(receiving) = &mut receiving {
                progress.cut |= progress.read > self.body_cap;
                receiving.take(&chunk).await?;
            } else if progress.read > self.body_cap {
                progress.cut = true;
                break;
            }
        }
        trace.close();
        progress.receipt = receiving.map(|receiving| receiving.end(begun.elapsed())).transpose()?;
        Ok(())
    }
}

impl PreparedKind for HttpProbe {
    fn check<'a>(&'a self, terms: Terms<'a>) -> BoxFuture<'a, Result<Finding, Internal>> {
        Box::pin(self.one_check(terms))
    }
}

/// Takes a name and password out of the URL, as the header that they mean (RFC 7617).
fn take_password(url: &mut Url, clients: &Clients) -> Result<Option<HeaderValue>, String> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let request = clients.any.get(url.clone()).build().map_err(|error| error.without_url().to_string())?;
    *url = request.url().clone();
    Ok(request.headers().get(AUTHORIZATION).cloned().map(|mut value| {
        value.set_sensitive(true);
        value
    }))
}

impl Progress {
    pub(super) fn new(ask: &Arc<Ask>) -> Self {
        Self {
            ask: ask.clone(),
            status: None,
            headers: None,
            address: None,
            body: Vec::new(),
            read: 0,
            cut: false,
            receipt: None,
            redirects: Vec::new(),
            jar: None,
        }
    }
}
