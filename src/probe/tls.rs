//! The TLS kind: a handshake, and what the certificates say that it shows.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::broken::Broken;
use super::dial::Dial;
use super::expiry;
use super::imap::ImapSession;
use super::lines::Lines;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::smtp::SmtpSession;
use super::stopwatch::{Phase, Shown, Trace};
use super::wire::ocsp::{self, StapleStatus};
use crate::clock;
use crate::model::condition::Fact;
use crate::model::{Probe, StartTls, Timestamp, TlsTarget};

/// The most names of a certificate that expectations can look at.
const MOST_CERTIFICATE_NAMES: usize = 1_000;
const DAY_IN_MILLIS: i64 = 86_400_000;

/// A handshake that can be made again and again.
pub(super) struct TlsProbe {
    dial: Dial,
    starttls: Option<StartTls>,
    config: Arc<ClientConfig>,
    anchors: Arc<RootCertStore>,
}

impl TlsProbe {
    pub(super) fn new(target: &TlsTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let mut config = shared.tls(&target.tls)?;
        if !target.alpn.is_empty() {
            let mut own = (*config).clone();
            own.alpn_protocols = target.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
            config = Arc::new(own);
        }
        let dial = Dial::new(&target.host, target.port, probe.resolve, shared.resolver()?);
        let dial = target.server_name.iter().fold(dial, |dial, name| dial.named(name));
        Ok(Self { dial, starttls: target.starttls, config, anchors: shared.anchors(&target.tls)? })
    }
}

impl Question for TlsProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        trace.keep_chain();
        let mut stream = self.dial.tcp(trace, seen).await?;
        if let Some(protocol) = self.starttls {
            trace.enter(Phase::FirstByte);
            let lines = match protocol {
                StartTls::Smtp => SmtpSession::up_to_tls(Lines::on(stream), seen).await?,
                StartTls::Imap => ImapSession::up_to_tls(Lines::on(stream), seen).await?,
            };
            stream = lines.plain()?;
            // That of the words before; a handshake has none.
            seen.status = None;
        }
        let shaken = self.dial.tls(stream, self.config.clone(), trace).await;
        trace.close();
        // Also what was not accepted says when it runs out.
        if let Some(shown) = trace.shown() {
            note_certificates(&shown, &self.anchors, seen);
        }
        note_session(&shaken?, seen);
        Ok(())
    }
}

fn note_session(stream: &TlsStream<TcpStream>, seen: &mut Seen) {
    let (_, session) = stream.get_ref();
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "1.2",
        _ => "unknown",
    };
    let suite = session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())).unwrap_or_default();
    // As IANA has it; rustls marks those of TLS 1.3.
    let suite = suite.replace("TLS13_", "TLS_");
    let alpn = String::from_utf8_lossy(session.alpn_protocol().unwrap_or_default()).into_owned();
    seen.headers.push(("version".into(), version.into()));
    seen.headers.push(("cipher".into(), suite.clone()));
    if !alpn.is_empty() {
        seen.headers.push(("alpn".into(), alpn.clone()));
    }
    seen.facts.push(("version", Fact::Text(version.into())));
    seen.facts.push(("cipher", Fact::Text(suite.into())));
    seen.facts.push(("alpn", Fact::Text(alpn.into())));
}

/// Notes what the certificates say: facts for expectations, lines for evidence, and which end comes first.
fn note_certificates(shown: &Shown, anchors: &RootCertStore, seen: &mut Seen) {
    let now = clock::now();
    let parsed: Vec<X509Certificate<'_>> = shown
        .chain
        .iter()
        .filter_map(|der| X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate))
        .collect();
    let leaf_ends = shown.chain.first().and_then(|leaf| expiry::read(leaf));
    let chain_ends = path(&parsed, anchors).into_iter().map(ends).min().or(leaf_ends);
    seen.expires = chain_ends;
    let left = |end: Timestamp| Fact::Span(Duration::from_millis(left(end, now).max(0).unsigned_abs()));
    let text = |text: String| Fact::Text(text.into());
    if let (Some(leaf), Some(leaf_ends), Some(chain_ends)) = (parsed.first(), leaf_ends, chain_ends) {
        seen.headers.push(("certificate expires".into(), leaf_ends.show()));
        seen.headers.push(("chain expires".into(), chain_ends.show()));
        seen.facts.push(("days_left", Fact::Int(self::left(leaf_ends, now).div_euclid(DAY_IN_MILLIS))));
        seen.facts.push(("expires_in", left(leaf_ends)));
        seen.facts.push(("chain_expires_in", left(chain_ends)));
        seen.facts.push(("subject", text(leaf.subject().to_string())));
        seen.facts.push(("issuer", text(leaf.issuer().to_string())));
        seen.facts.push(("names", Fact::List(names(leaf).into_iter().map(text).collect())));
    }
    let staple = ocsp::read(&shown.staple);
    let word = match staple.map(|staple| staple.status) {
        None if shown.staple.is_empty() => "none",
        None => "unreadable",
        Some(StapleStatus::Good) => "good",
        Some(StapleStatus::Revoked) => "revoked",
        Some(StapleStatus::Unknown) => "unknown",
    };
    let since = staple.map(|staple| staple.since);
    let line = since.map_or_else(|| word.to_owned(), |since| format!("{word} since {}", since.show()));
    seen.headers.push(("stapled OCSP response".into(), line));
    seen.facts.push(("staple", text(word.into())));
    let age = |since| Fact::Span(Duration::from_millis(self::left(now, since).max(0).unsigned_abs()));
    seen.facts.push(("staple_age", since.map_or(Fact::Null, age)));
}

/// How much lies between the two, in milliseconds; below zero when `end` is over.
fn left(end: Timestamp, now: Timestamp) -> i64 {
    end.as_millis().saturating_sub(now.as_millis())
}

fn ends(certificate: &X509Certificate<'_>) -> Timestamp {
    Timestamp::from_millis(certificate.validity().not_after.timestamp().saturating_mul(1_000))
}

/// The certificates from the first to the one that an authority vouches for which is trusted: those that verification
/// needs, by their names. Others that the server showed can run out without harm.
fn path<'c, 'd>(chain: &'c [X509Certificate<'d>], anchors: &RootCertStore) -> Vec<&'c X509Certificate<'d>> {
    let mut path: Vec<&X509Certificate<'_>> = Vec::new();
    let mut next = chain.first();
    while let Some(certificate) = next {
        path.push(certificate);
        let issuer = certificate.issuer().as_raw();
        let trusted = anchors.roots.iter().any(|anchor| is_name(issuer, anchor.subject.as_ref()));
        if trusted || path.len() == chain.len() {
            break;
        }
        next = chain.iter().find(|other| {
            other.subject().as_raw() == issuer && !path.iter().any(|known| std::ptr::eq(*known, *other))
        });
    }
    path
}

/// Whether this name, a SEQUENCE in DER, has this content.
fn is_name(name: &[u8], content: &[u8]) -> bool {
    let header = match content.len() {
        0..=0x7f => 2,
        0x80..=0xff => 3,
        _ => 4,
    };
    name.len() == header + content.len() && name.ends_with(content)
}

/// What the certificate is for (RFC 5280, section 4.2.1.6).
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(found)) = certificate.subject_alternative_name() else { return Vec::new() };
    let shown = found.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    });
    shown.take(MOST_CERTIFICATE_NAMES).collect()
}
