//! Connections: the resolver, the hook around the connector, and the clients that use both.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use reqwest::dns::{Name, Resolve, Resolving};
use tower::{Layer, Service};

use super::dns_fault::DnsFault;
use super::expiry::Expiries;
use super::overrides;
use super::scarce::scarce;
use super::stopwatch::{Phase, with_trace};
use super::tls_config::{self, Roots};
use crate::model::{IpChoice, TlsOptions};

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

/// Resolves names as the system's files say, or as another name server says, without a cache: every check asks anew.
#[derive(Clone)]
pub(super) struct Resolver {
    system: Families,
    /// Those of other name servers, made when the first check asks one. The configuration names no others.
    others: Arc<Mutex<BTreeMap<SocketAddr, Families>>>,
}

/// One name server, or those of the system, for each choice of family.
#[derive(Clone)]
struct Families {
    auto: Arc<TokioResolver>,
    v4: Arc<TokioResolver>,
    v6: Arc<TokioResolver>,
}

impl Families {
    fn new(server: Option<SocketAddr>) -> Result<Self, String> {
        let build = |strategy| {
            let mut builder = match server {
                Some(server) => of_server(server),
                // Without a resolv.conf the name server is that of this machine, as resolv.conf(5) has it.
                None => TokioResolver::builder_tokio()
                    .unwrap_or_else(|_| of_server(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53))),
            };
            let options = builder.options_mut();
            options.cache_size = 0;
            // What a name server says of a name is not what this machine's own file says.
            options.use_hosts_file = if server.is_some() { ResolveHosts::Never } else { ResolveHosts::Always };
            options.ip_strategy = strategy;
            builder.build().map(Arc::new).map_err(|error| format!("the resolver cannot be set up: {error}"))
        };
        Ok(Self {
            auto: build(LookupIpStrategy::Ipv6AndIpv4)?,
            v4: build(LookupIpStrategy::Ipv4Only)?,
            v6: build(LookupIpStrategy::Ipv6Only)?,
        })
    }

    fn of(&self, ip: IpChoice) -> (Arc<TokioResolver>, &'static str) {
        match ip {
            IpChoice::Auto | IpChoice::Both => (self.auto.clone(), "address"),
            IpChoice::V4 => (self.v4.clone(), "IPv4 address"),
            IpChoice::V6 => (self.v6.clone(), "IPv6 address"),
        }
    }
}

/// A resolver that asks this name server, by UDP and where an answer is too long for it by TCP.
fn of_server(server: SocketAddr) -> ResolverBuilder<TokioRuntimeProvider> {
    let mut one = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut one.connections {
        connection.port = server.port();
    }
    let config = ResolverConfig::from_name_servers(vec![one]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

impl Resolver {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { system: Families::new(None)?, others: Arc::default() })
    }

    /// The addresses of a name, of this family: at least one. `server` is asked instead of the system's.
    pub(super) async fn lookup(
        &self,
        name: &str,
        ip: IpChoice,
        server: Option<SocketAddr>,
    ) -> Result<Vec<IpAddr>, DnsFault> {
        if let Some(address) = overrides::address(name) {
            return Ok(vec![address]);
        }
        let (resolver, wanted) = self.families(server)?.of(overrides::family(ip));
        let found = resolver.lookup_ip(name).await.map_err(|error| {
            if let NetError::Io(error) = &error
                && let Some(fault) = scarce(error)
            {
                return DnsFault::Scarce(fault);
            }
            DnsFault::Unresolved(if error.is_nx_domain() {
                format!("{name} does not exist")
            } else if error.is_no_records_found() {
                format!("{name} has no {wanted}")
            } else {
                format!("{name} could not be resolved: {error}")
            })
        })?;
        let addresses: Vec<IpAddr> = found.iter().collect();
        if addresses.is_empty() {
            Err(DnsFault::Unresolved(format!("{name} has no {wanted}")))
        } else {
            Ok(addresses)
        }
    }

    fn families(&self, server: Option<SocketAddr>) -> Result<Families, DnsFault> {
        let Some(server) = server else { return Ok(self.system.clone()) };
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(&server) {
            return Ok(known.clone());
        }
        let made = Families::new(Some(server)).map_err(DnsFault::Unresolved)?;
        Ok(others.entry(server).or_insert(made).clone())
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let hop = with_trace(|trace| trace.hop()).unwrap_or_default();
        if let Some(address) = hop.address {
            with_trace(|trace| trace.note_candidates(&[address]));
            return Box::pin(std::future::ready(Ok(Box::new(std::iter::once(address)) as reqwest::dns::Addrs)));
        }
        with_trace(|trace| trace.enter(Phase::Dns));
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.lookup(name.as_str(), hop.ip, hop.server).await?;
            // Port 0 becomes the port of the URL.
            let addresses: Vec<SocketAddr> = found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            with_trace(|trace| {
                // Those of a proxy are not those of what is asked.
                if overrides::proxy().is_none() {
                    trace.note_candidates(&addresses);
                }
                trace.enter(Phase::Connect);
            });
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
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
