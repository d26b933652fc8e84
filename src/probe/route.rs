//! The way of one HTTP request: what the client is told so that it goes where it should, and what it is when it fails.

use std::net::IpAddr;

use http::header::HOST;
use http::{HeaderMap, HeaderValue, StatusCode};
use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::broken::Broken;
use super::connect::Clients;
use super::finding::Internal;
use super::question::Seen;
use super::stopwatch::{Hop, Phase, Trace};
use super::wire::redirect::Ask;
use super::{classify, overrides, tunnel};
use crate::model::{FailureClass, IpChoice, Resolve};

/// How a request is put to the client so that it goes where it should.
pub(super) struct Route {
    /// What the client is told.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    verify_as: Option<ServerName<'static>>,
    http1: bool,
}

impl Route {
    pub(super) fn of(ask: &Ask) -> Result<Self, String> {
        let mut route = Self {
            url: ask.url.clone(),
            headers: ask.headers.clone(),
            verify_as: None,
            http1: ask.headers.contains_key(HOST),
        };
        let Some(address) = ask.address else { return Ok(route) };
        let no_url = || format!("{address} cannot stand in the URL");
        // A name is resolved to the address by the resolver, whose port stands unless the URL names another. An
        // address in the URL is never resolved, so it must be replaced, and the certificate still be for it.
        let literal = match ask.url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::from(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::from(ip)),
            _ => None,
        };
        if let Some(ip) = literal {
            route.url.set_ip_host(address.ip()).map_err(|()| no_url())?;
            route.verify_as = Some(ServerName::IpAddress(ip.into()));
        }
        if literal.is_some() || ask.url.port().is_some_and(|port| port != address.port()) {
            route.url.set_port(Some(address.port())).map_err(|()| no_url())?;
            let host = ask.url.host_str().unwrap_or_default();
            let host = ask.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            let host = HeaderValue::from_str(&host).map_err(|_| no_url())?;
            route.headers.entry(HOST).or_insert(host);
            route.http1 = true;
        }
        Ok(route)
    }
}

/// Sends a request this way, with these headers, and waits for the head of the answer.
pub(super) async fn send(
    clients: &Clients,
    resolve: Resolve,
    ask: &Ask,
    route: &Route,
    headers: HeaderMap,
    trace: &Trace,
) -> Result<reqwest::Response, Broken> {
    let hop =
        Hop { ip: resolve.ip, server: resolve.server, address: ask.address, verify_as: route.verify_as.clone() };
    check_family(ask, overrides::family(resolve.ip))?;
    trace.begin_hop(hop);
    let mut request = reqwest::Request::new(ask.method.clone(), route.url.clone());
    *request.headers_mut() = headers;
    if !ask.body.is_empty() {
        *request.body_mut() = Some(ask.body.clone().into());
    }
    let client = if route.http1 { &clients.http1 } else { &clients.any };
    let response = client.execute(request).await.map_err(|error| broken(&error, trace))?;
    trace.enter(Phase::Transfer);
    Ok(response)
}

/// Sends a request to where its URL or its address leads, and notes the status and the address in `seen`.
pub(super) async fn ask(
    clients: &Clients,
    resolve: Resolve,
    ask: &Ask,
    trace: &Trace,
    seen: &mut Seen,
) -> Result<reqwest::Response, Broken> {
    seen.address = None;
    let route = Route::of(ask).map_err(|fault| Broken::Failed(FailureClass::Redirect, fault))?;
    let headers = route.headers.clone();
    let response = send(clients, resolve, ask, &route, headers, trace).await?;
    seen.status = Some(response.status().as_u16());
    if let Some(proxy) = overrides::proxy() {
        // What was connected to is the proxy.
        if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(tunnel::fault(&proxy, classify::PROXY_UNAUTHORIZED));
        }
    } else {
        seen.address = response.remote_addr().map(|address| address.ip());
    }
    Ok(response)
}

pub(super) fn broken(error: &reqwest::Error, trace: &Trace) -> Broken {
    if error.is_builder() {
        return Broken::Internal(Internal(format!("the request cannot be built: {error}")));
    }
    if let Some(fault) = super::scarce::behind(error) {
        return Broken::internal(fault);
    }
    let phase = trace.open().map(|(phase, _)| phase);
    let (class, fault) = classify::by_error(error, phase);
    if let Some(proxy) = overrides::proxy().filter(|_| matches!(phase, None | Some(Phase::Dns | Phase::Connect))) {
        return tunnel::fault(&proxy, &classify::proxy_fault(fault));
    }
    Broken::Failed(class, fault)
}

/// An address in the URL itself must be of the chosen family; no resolver is asked that could say so.
pub(super) fn check_family(ask: &Ask, ip: IpChoice) -> Result<(), Broken> {
    let fault = match (ask.url.host(), ip) {
        _ if ask.address.is_some() => return Ok(()),
        (Some(Host::Ipv4(address)), IpChoice::V6) => format!("{address} is no IPv6 address"),
        (Some(Host::Ipv6(address)), IpChoice::V4) => format!("{address} is no IPv4 address"),
        _ => return Ok(()),
    };
    Err(Broken::Failed(FailureClass::Connect, fault))
}

/// The address that stands in the URL, or that the probe names.
pub(super) fn literal(ask: &Ask) -> Option<IpAddr> {
    match (ask.address, ask.url.host()) {
        (Some(address), _) => Some(address.ip()),
        (None, Some(Host::Ipv4(address))) => Some(address.into()),
        (None, Some(Host::Ipv6(address))) => Some(address.into()),
        _ => None,
    }
}
