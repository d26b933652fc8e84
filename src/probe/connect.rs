//! HTTP connections: the clients, and the hook around their connector that marks where the time goes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tower::{Layer, Service};

use super::expiry::Expiries;
use super::overrides;
use super::resolver::Resolver;
use super::stopwatch::{Phase, with_trace};
use super::tls_config::{self, Roots};
use crate::model::TlsOptions;

/// Names itself to servers.
const USER_AGENT: &str = concat!("tripline/", env!("CARGO_PKG_VERSION"));
/// The most that an answer's headers may take over HTTP/2, in bytes. Over HTTP/1 hyper's own bounds hold.
const MOST_HEADER_BYTES: u32 = 64 * 1024;

/// An HTTP/2 connection on which nothing arrives for so long is asked for a sign of life, and closed when none comes
/// for as long again.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// What clients differ in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Way {
    pub(super) tls: TlsOptions,
    /// Bodies are taken as they come, even if the server compressed them unasked.
    pub(super) undecoded: bool,
}

/// The clients of one way.
pub(super) struct Clients {
    /// Speaks HTTP/2 where the server does, else HTTP/1.1.
    pub(super) any: reqwest::Client,
    /// Speaks HTTP/1.1 only: for requests whose Host is not the name connected to, which HTTP/2 forbids
    /// (RFC 9113, section 8.3.1).
    pub(super) http1: reqwest::Client,
    /// When the certificates that servers showed run out.
    pub(super) expiries: Expiries,
}

impl Clients {
    pub(super) fn new(way: &Way, roots: &Roots, resolver: Arc<Resolver>) -> Result<Self, String> {
        let build = |alpn: &[&[u8]]| {
            let mut config = tls_config::client_config(&way.tls, roots)?;
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            let builder = reqwest::Client::builder()
                .tls_backend_preconfigured(config)
                .dns_resolver(Arc::clone(&resolver))
                .connector_layer(Hook)
                // A new connection per check, and all hooks in the check's own task.
                .pool_max_idle_per_host(0)
                .no_proxy()
                // That of the check at hand, if it has one.
                .proxy(reqwest::Proxy::custom(|_| overrides::proxy().map(|proxy| proxy.url.clone())))
                .gzip(!way.undecoded)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .user_agent(USER_AGENT)
                // The check's own timeout is shorter than any of these would be.
                .tcp_keepalive(None)
                .tcp_keepalive_interval(None)
                .tcp_keepalive_retries(None)
                .tcp_user_timeout(None)
                // The connection outlives its check while a server that reads nothing makes us answer its frames.
                .http2_keep_alive_interval(LONGEST_SILENCE)
                .http2_keep_alive_timeout(LONGEST_SILENCE)
                .http2_keep_alive_while_idle(true)
                .http2_max_header_list_size(MOST_HEADER_BYTES);
            let builder = if alpn.len() == 1 { builder.http1_only() } else { builder };
            builder.build().map_err(|error| format!("no client can be built: {error}"))
        };
        Ok(Self { any: build(&[b"h2", b"http/1.1"])?, http1: build(&[b"http/1.1"])?, expiries: Expiries::default() })
    }
}

/// Marks where a connection begins and where it stands, TLS included.
#[derive(Clone)]
struct Hook;

impl<S> Layer<S> for Hook {
    type Service = Hooked<S>;

    fn layer(&self, inner: S) -> Hooked<S> {
        Hooked(inner)
    }
}

#[derive(Clone)]
struct Hooked<S>(S);

impl<S, R> Service<R> for Hooked<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        with_trace(|trace| trace.enter(Phase::Connect));
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await?;
            with_trace(|trace| trace.enter(Phase::FirstByte));
            Ok(connected)
        })
    }
}
