//! The resolver: addresses of names, with the time that they take.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use reqwest::dns::{Name, Resolve, Resolving};

use super::dns_fault::DnsFault;
use super::overrides;
use super::scarce::scarce;
use super::stopwatch::{Phase, with_trace};
use crate::model::IpChoice;

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
