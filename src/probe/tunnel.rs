//! Tunnels: a connection through a proxy, by CONNECT (RFC 9110, section 9.3.6) or SOCKS 5 (RFC 1928, RFC 1929).
//!
//! Answers are read no further than they go: what follows is the other side's.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::broken::Broken;
use super::classify::{PROXY_UNAUTHORIZED, connect_fault};
use super::dns_fault::DnsFault;
use super::scarce::scarce;
use crate::model::{FailureClass, Proxy};

/// The longest answer to CONNECT, in bytes.
const LONGEST_CONNECT_ANSWER: usize = 8 * 1024;

/// The failure of a proxy.
pub(super) fn fault(proxy: &Proxy, what: &str) -> Broken {
    Broken::failed(FailureClass::Connect, format!("the proxy {}: {what}", proxy.place()))
}

/// What it is that no connection to a proxy came about, or that it broke.
pub(super) fn unconnected(proxy: &Proxy, error: &io::Error) -> Broken {
    match scarce(error) {
        Some(fault) => Broken::internal(fault),
        None => fault(proxy, &connect_fault(Some(error.kind()), &error.to_string())),
    }
}

/// What it is that the name of a proxy could not be resolved.
pub(super) fn unresolved(proxy: &Proxy, found: &DnsFault) -> Broken {
    match found {
        DnsFault::Scarce(ours) => Broken::internal(ours.clone()),
        DnsFault::Unresolved(said) => fault(proxy, said),
    }
}

/// Asks the proxy at the other end to connect to this host and port.
pub(super) async fn through(proxy: &Proxy, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Broken> {
    let said = if proxy.is_socks() {
        socks(proxy, stream, host, port).await
    } else {
        connect(proxy, stream, host, port).await
    };
    match said {
        Ok(None) => Ok(()),
        Ok(Some(refusal)) => Err(fault(proxy, &refusal)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(fault(proxy, "it closed the connection")),
        Err(error) => Err(unconnected(proxy, &error)),
    }
}

/// The name and password, decoded.
fn credentials(proxy: &Proxy) -> Option<(Vec<u8>, Vec<u8>)> {
    if proxy.url.username().is_empty() {
        return None;
    }
    let decoded = super::evidence::percent_decoded;
    let password = decoded(proxy.url.password().unwrap_or_default());
    Some((decoded(proxy.url.username()).into_bytes(), password.into_bytes()))
}

/// Why it refuses, or nothing.
async fn connect(proxy: &Proxy, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<Option<String>> {
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut request = format!("CONNECT {bracketed}:{port} HTTP/1.1\r\nHost: {bracketed}:{port}\r\n");
    if let Some((name, password)) = credentials(proxy) {
        let pair = data_encoding::BASE64.encode(&[&name[..], b":", &password].concat());
        request.push_str(&format!("Proxy-Authorization: Basic {pair}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= LONGEST_CONNECT_ANSWER {
            return Ok(Some("its answer is longer than 8 KiB".into()));
        }
        answer.push(stream.read_u8().await?);
    }
    let answer = String::from_utf8_lossy(&answer);
    let line = answer.lines().next().unwrap_or_default();
    let mut words = line.splitn(3, ' ');
    let (version, status) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Ok(match status {
        _ if !version.starts_with("HTTP/1.") => Some("it does not speak HTTP".into()),
        "407" => Some(PROXY_UNAUTHORIZED.into()),
        status if status.len() == 3 && status.starts_with('2') => None,
        status => Some(format!("it did not connect to {host}:{port}: {status} {}", words.next().unwrap_or_default())),
    })
}

/// Why it refuses, or nothing.
async fn socks(proxy: &Proxy, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<Option<String>> {
    let credentials = credentials(proxy);
    stream.write_all(if credentials.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] }).await?;
    if stream.read_u8().await? != 5 {
        return Ok(Some("it does not speak SOCKS 5".into()));
    }
    match (stream.read_u8().await?, credentials) {
        (0, _) => {}
        (2, Some((name, password))) => {
            let (Ok(name_length), Ok(length)) = (u8::try_from(name.len()), u8::try_from(password.len())) else {
                return Ok(Some("its name or password is longer than 255 bytes".into()));
            };
            stream.write_all(&[&[1, name_length], &name[..], &[length], &password].concat()).await?;
            let mut verdict = [0; 2];
            stream.read_exact(&mut verdict).await?;
            if verdict[1] != 0 {
                return Ok(Some("it does not take the name and password".into()));
            }
        }
        _ => return Ok(Some("it wants a name and password, or other ones".into())),
    }
    let Ok(length) = u8::try_from(host.len()) else { return Ok(Some("the host's name is too long".into())) };
    let address = match host.parse() {
        Ok(std::net::IpAddr::V4(ip)) => [&[1][..], &ip.octets()].concat(),
        Ok(std::net::IpAddr::V6(ip)) => [&[4][..], &ip.octets()].concat(),
        Err(_) => [&[3, length], host.as_bytes()].concat(),
    };
    stream.write_all(&[&[5, 1, 0], &address[..], &port.to_be_bytes()].concat()).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let rest = match head[3] {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await?),
    };
    stream.read_exact(&mut vec![0; rest + 2]).await?;
    let why = match head[1] {
        0 => return Ok(None),
        2 => "its rules do not allow it",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the connection was refused",
        6 => "connecting took too long",
        _ => "it failed",
    };
    Ok(Some(format!("it did not connect to {host}:{port}: {why}")))
}
