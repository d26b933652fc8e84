//! The ports where others reach us: opened before anything starts, so that one that cannot be had is told first.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::daemon::Ports;
use crate::web::Port;

/// Opens those that are given: for jobs and hooks, and for mail.
pub(super) async fn open(listen: Option<SocketAddr>, listen_mail: Option<SocketAddr>) -> anyhow::Result<Ports> {
    let failed = |address: SocketAddr, flag: &str| {
        format!(
            "nothing can listen at {address}: if `tripline run` does, stop it, or name another address with {flag}"
        )
    };
    let web = match listen {
        Some(address) => Some(Port::open(address).await.with_context(|| failed(address, "--listen"))?),
        None => None,
    };
    let mail = match listen_mail {
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| failed(address, "--listen-mail"))?),
        None => None,
    };
    Ok(Ports { web, mail })
}
