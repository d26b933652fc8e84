//! What the probes of one configuration share: made once, when the first of them needs it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;

use super::connect::{Clients, Way};
use super::resolver::Resolver;
use super::tls_config::{self, Roots};
use crate::model::{HttpTarget, TlsOptions};

/// So many commands run at once, with those that are being ended.
pub(super) const COMMANDS_AT_ONCE: usize = 64;

/// Resolver, HTTP clients and TLS configurations, one for each distinct set of options.
pub(super) struct Shared {
    roots: Roots,
    resolver: Option<Arc<Resolver>>,
    clients: BTreeMap<Way, Arc<Clients>>,
    tls: BTreeMap<TlsOptions, Arc<ClientConfig>>,
    anchors: BTreeMap<TlsOptions, Arc<RootCertStore>>,
    name_servers: Option<Arc<[SocketAddr]>>,
    /// Whether it was looked at if ICMP is allowed.
    icmp: bool,
    commands: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(roots: &Roots) -> Self {
        Self {
            roots: roots.clone(),
            resolver: None,
            clients: BTreeMap::new(),
            tls: BTreeMap::new(),
            anchors: BTreeMap::new(),
            name_servers: None,
            icmp: false,
            commands: Arc::new(Semaphore::new(COMMANDS_AT_ONCE)),
        }
    }

    /// The resolver that asks the system's name servers.
    pub(super) fn resolver(&mut self) -> Result<Arc<Resolver>, String> {
        if let Some(resolver) = &self.resolver {
            return Ok(resolver.clone());
        }
        Ok(self.resolver.insert(Arc::new(Resolver::new()?)).clone())
    }

    /// The resolver, if anything needed it.
    pub(super) fn resolver_made(&self) -> Option<Arc<Resolver>> {
        self.resolver.clone()
    }

    /// The places of commands that run at once.
    pub(super) fn commands(&self) -> Arc<Semaphore> {
        self.commands.clone()
    }

    /// Says once, at the start, if `allowed` says that ICMP is not.
    pub(super) fn warn_once_of_icmp(&mut self, allowed: impl FnOnce() -> Result<(), String>) {
        if let (false, Err(fault)) = (std::mem::replace(&mut self.icmp, true), allowed()) {
            tracing::warn!("{fault}");
        }
    }

    /// The system's name servers; that of this machine where it names none, as resolv.conf(5) has it.
    pub(super) fn name_servers(&mut self) -> Arc<[SocketAddr]> {
        self.name_servers.get_or_insert_with(name_servers).clone()
    }

    /// The HTTP clients for requests like this one.
    pub(super) fn clients(&mut self, target: &HttpTarget) -> Result<Arc<Clients>, String> {
        self.clients_of(Way { tls: (*target.tls).clone(), undecoded: target.download.is_some() })
    }

    /// The HTTP clients that go this way.
    pub(super) fn clients_of(&mut self, way: Way) -> Result<Arc<Clients>, String> {
        if let Some(clients) = self.clients.get(&way) {
            return Ok(clients.clone());
        }
        let resolver = self.resolver()?;
        let clients = Arc::new(Clients::new(&way, &self.roots, resolver)?);
        self.clients.insert(way, clients.clone());
        Ok(clients)
    }

    /// The authorities that these options trust.
    pub(super) fn anchors(&mut self, options: &TlsOptions) -> Result<Arc<RootCertStore>, String> {
        if let Some(anchors) = self.anchors.get(options) {
            return Ok(anchors.clone());
        }
        let anchors = tls_config::anchors(options, &self.roots)?;
        self.anchors.insert(options.clone(), anchors.clone());
        Ok(anchors)
    }

    /// The TLS configuration for these options, for connections that are not HTTP's: it offers no ALPN.
    pub(super) fn tls(&mut self, options: &TlsOptions) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.tls.get(options) {
            return Ok(config.clone());
        }
        let config = Arc::new(tls_config::client_config(options, &self.roots)?);
        self.tls.insert(options.clone(), config.clone());
        Ok(config)
    }
}

fn name_servers() -> Arc<[SocketAddr]> {
    let known = hickory_resolver::system_conf::read_system_conf().map(|(config, _)| config);
    let known = known.iter().flat_map(|config| config.name_servers()).map(|server| {
        SocketAddr::new(server.ip, server.connections.first().map_or(53, |connection| connection.port))
    });
    let known: Vec<SocketAddr> = known.collect();
    if known.is_empty() { Arc::new([SocketAddr::from(([127, 0, 0, 1], 53))]) } else { known.into() }
}
