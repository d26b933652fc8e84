//! Dialling: from a host and a port to a connection, for the kinds that speak on sockets of their own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_ok;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::broken::Broken;
use super::classify::{self, unconnected};
use super::dns_fault::DnsFault;
use super::question::Seen;
use super::resolver::Resolver;
use super::stopwatch::{Phase, Trace};
use super::{overrides, tunnel};
use crate::model::{FailureClass, IpChoice, Proxy, Resolve};

/// At most so many of a name's addresses are tried.
const MOST_ADDRESSES_TRIED: usize = 8;
/// The head start of each address before the next one is tried beside it (RFC 8305, section 8).
const HEAD_START: Duration = Duration::from_millis(250);

/// Where to connect to, again and again.
pub(super) struct Dial {
    host: String,
    /// The name that TLS asks for and that the certificate must be valid for.
    name: String,
    port: u16,
    resolve: Resolve,
    resolver: Arc<Resolver>,
}

impl Dial {
    /// To this host (an address of IPv6 without brackets) and port.
    pub(super) fn new(host: &str, port: u16, resolve: Resolve, resolver: Arc<Resolver>) -> Self {
        Self { host: host.into(), name: host.into(), port, resolve, resolver }
    }

    /// The same, but TLS asks for this name, and the certificate must be valid for it.
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Connects, and notes the address and the phases `dns` and `connect`. Nagle's delay is off.
    pub(super) async fn tcp(&self, trace: &Trace, seen: &mut Seen) -> Result<TcpStream, Broken> {
        if let Some(proxy) = overrides::proxy() {
            return self.through(&proxy, trace).await;
        }
        let addresses = self.addresses(trace).await?;
        trace.note_candidates(&addresses);
        trace.enter(Phase::Connect);
        let stream = connect(addresses).await.map_err(|error| unconnected(&error))?;
        seen.address = stream.peer_addr().ok().map(|address| address.ip());
        Ok(stream)
    }

    /// Connects by the proxy, which resolves the name; what it connects to, nobody here knows.
    async fn through(&self, proxy: &Proxy, trace: &Trace) -> Result<TcpStream, Broken> {
        let (host, port) = proxy.host_and_port();
        let addresses = match host.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => {
                trace.enter(Phase::Dns);
                let found = self.resolver.lookup(host, IpChoice::Auto, None).await;
                found.map_err(|fault| tunnel::unresolved(proxy, &fault))?
            }
        };
        trace.enter(Phase::Connect);
        let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        let mut stream = connect(addresses).await.map_err(|error| tunnel::unconnected(proxy, &error))?;
        tunnel::through(proxy, &mut stream, &self.host, self.port).await?;
        Ok(stream)
    }

    /// Connects, with TLS from the first byte where there is a configuration for it.
    pub(super) async fn open(
        &self,
        tls: Option<&Arc<ClientConfig>>,
        trace: &Trace,
        seen: &mut Seen,
    ) -> Result<Either<TcpStream, TlsStream<TcpStream>>, Broken> {
        let stream = self.tcp(trace, seen).await?;
        Ok(match tls {
            Some(config) => Either::Right(self.tls(stream, config.clone(), trace).await?),
            None => Either::Left(stream),
        })
    }

    /// Makes the TLS handshake on a connection, as this host; notes the certificate and the phase `tls`.
    pub(super) async fn tls(
        &self,
        stream: TcpStream,
        config: Arc<ClientConfig>,
        trace: &Trace,
    ) -> Result<TlsStream<TcpStream>, Broken> {
        let name = ServerName::try_from(self.name.clone()).map_err(|_| {
            Broken::failed(FailureClass::Tls, format!("`{}` is no name for a certificate", self.name))
        })?;
        trace.enter(Phase::Tls);
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            let (class, fault) = classify::tls_fault(&error);
            Broken::Failed(class, fault)
        })
    }

    /// The addresses of the host: at least one. Notes the phase `dns` where a name is resolved.
    pub(super) async fn addresses(&self, trace: &Trace) -> Result<Vec<SocketAddr>, Broken> {
        if let Some(address) = self.resolve.address {
            return Ok(vec![address]);
        }
        let at = |ip| SocketAddr::new(ip, self.port);
        match (self.host.parse::<IpAddr>(), overrides::family(self.resolve.ip)) {
            (Ok(ip), IpChoice::V6) if ip.is_ipv4() => {
                Err(Broken::failed(FailureClass::Connect, format!("{ip} is no IPv6 address")))
            }
            (Ok(ip), IpChoice::V4) if ip.is_ipv6() => {
                Err(Broken::failed(FailureClass::Connect, format!("{ip} is no IPv4 address")))
            }
            (Ok(ip), _) => Ok(vec![at(ip)]),
            (Err(_), choice) => {
                trace.enter(Phase::Dns);
                let found = self.resolver.lookup(&self.host, choice, self.resolve.server).await;
                let found = found.map_err(DnsFault::broken)?;
                Ok(found.into_iter().map(at).collect())
            }
        }
    }
}

/// The first connection of several that comes about.
async fn connect(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let attempts = addresses.into_iter().take(MOST_ADDRESSES_TRIED).zip(0_u32..).map(|(address, place)| {
        async move {
            tokio::time::sleep(HEAD_START * place).await;
            TcpStream::connect(address).await
        }
        .boxed()
    });
    let (stream, _) = select_ok(attempts).await?;
    // Without it answers come later; not a reason to fail.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
