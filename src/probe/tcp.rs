//! The TCP kind: a connection, made and closed again. Canaries ask by it whether the network works.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_ok;
use tokio::net::TcpStream;

use super::connect::Resolver;
use super::evidence::hide;
use super::stopwatch::{Phase, Trace};
use super::{Finding, classify};
use crate::model::{Evidence, FailureClass, IpChoice, Outcome, Secrets, TcpTarget};

/// At most so many of a name's addresses are tried, all at once.
const MOST_ADDRESSES: usize = 8;

/// A connection that can be made again and again.
pub(super) struct TcpProbe {
    target: TcpTarget,
    resolver: Arc<Resolver>,
}

impl TcpProbe {
    pub(super) fn new(target: &TcpTarget, resolver: Arc<Resolver>) -> Self {
        Self { target: target.clone(), resolver }
    }

    /// Makes one check, within this time.
    pub(super) async fn check(&self, timeout: Duration, trace: &Trace, secrets: &Secrets) -> Finding {
        let failure = match tokio::time::timeout(timeout, self.connect(trace)).await {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure),
            Err(_) => Some((FailureClass::Timeout, classify::timeout_fault(timeout, trace.open(), 0))),
        };
        trace.close();
        let address = self.target.host.parse().ok();
        let Some((class, fault)) = failure else {
            return Finding { outcome: Outcome::Success, status: None, address, expires: None, evidence: None };
        };
        let evidence = Evidence {
            fault: hide(secrets, &fault),
            request: hide(secrets, &format!("tcp://{}:{}", self.target.host, self.target.port)),
            address,
            ..Evidence::default()
        };
        Finding {
            outcome: Outcome::Failure(class),
            status: None,
            address,
            expires: None,
            evidence: Some(Box::new(evidence)),
        }
    }

    async fn connect(&self, trace: &Trace) -> Result<(), (FailureClass, String)> {
        let addresses = match self.target.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => {
                trace.enter(Phase::Dns);
                let found = self.resolver.lookup(&self.target.host, IpChoice::Auto).await;
                found.map_err(|fault| (FailureClass::Dns, fault.to_string()))?
            }
        };
        trace.enter(Phase::Connect);
        // The one that answers first will do: it is asked whether any way leads there.
        let attempts = addresses.into_iter().take(MOST_ADDRESSES);
        let attempts = attempts.map(|ip| TcpStream::connect(SocketAddr::new(ip, self.target.port)).boxed());
        let made = select_ok(attempts).await;
        made.map(drop)
            .map_err(|error| (FailureClass::Connect, classify::connect_fault(Some(error.kind()), &error.to_string())))
    }
}
