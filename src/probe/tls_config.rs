//! TLS: which roots are trusted, what a server's certificate is worth, and what its faults are called.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::client::{WebPkiServerVerifier, danger};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, NamedGroup, RootCertStore, SignatureScheme};

use super::stopwatch::{Peer, Phase, Shown, with_trace};
use crate::model::TlsOptions;

/// The certificate authorities that are trusted unless a probe names its own. Cloning shares them.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Loads the system's roots; where it has none, as in a bare container, Mozilla's are used.
    #[must_use]
    pub fn load() -> Self {
        let mut store = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some of the system's root certificates could not be read");
        }
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            tracing::info!("the system has no root certificates; Mozilla's are used");
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Self(Arc::new(store))
    }
}

/// What a probe with `skip_verify` says of every certificate.
pub(super) const UNVERIFIED: &str = "nobody verified it: skip_verify is set";

/// The configuration of one set of options, without ALPN.
pub(super) fn client_config(options: &TlsOptions, roots: &Roots) -> Result<ClientConfig, String> {
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let chain = if options.skip_verify {
        None
    } else {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(anchors(options, roots)?, provider.clone()).build();
        Some(verifier.map_err(|error| format!("the certificate authorities cannot be used: {error}"))?)
    };
    let verifier = Arc::new(Verifier { chain, provider: provider.clone() });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("no TLS version can be used: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &options.identity {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let certificates = certificates(pem).map_err(|fault| format!("the client certificate {fault}"))?;
            let key = PrivateKeyDer::from_pem_slice(pem)
                .map_err(|error| format!("the client certificate's key cannot be read: {error}"))?;
            builder
                .with_client_auth_cert(certificates, key)
                .map_err(|error| format!("the client certificate cannot be used: {error}"))?
        }
    };
    config.resumption = Resumption::store(Arc::new(NoSessions));
    Ok(config)
}

/// The authorities that are trusted with these options.
pub(super) fn anchors(options: &TlsOptions, roots: &Roots) -> Result<Arc<RootCertStore>, String> {
    match &options.ca {
        Some(pem) => own_roots(pem).map(Arc::new),
        None => Ok(roots.0.clone()),
    }
}

fn own_roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem).map_err(|fault| format!("the file of certificate authorities {fault}"))? {
        store.add(certificate).map_err(|error| format!("a certificate authority cannot be used: {error}"))?;
    }
    Ok(store)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if found.is_empty() => Err("holds no certificate".into()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// Keeps no session, so that each check makes a whole handshake; being asked for the key exchange to begin with
/// tells that TCP is connected and TLS starts.
#[derive(Debug)]
struct NoSessions;

impl ClientSessionStore for NoSessions {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        with_trace(|trace| trace.enter(Phase::Tls));
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// Verifies as usual, and notes the certificate and the verdict whichever it is.
#[derive(Debug)]
struct Verifier {
    /// None: any certificate is accepted.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let own_name = with_trace(|trace| trace.hop().verify_as).flatten();
        let name = own_name.as_ref().unwrap_or(server_name);
        let verdict = match &self.chain {
            Some(chain) => chain.verify_server_cert(end_entity, intermediates, name, ocsp_response, now),
            None => Ok(danger::ServerCertVerified::assertion()),
        };
        with_trace(|trace| {
            let fault = match (&verdict, &self.chain) {
                (Err(error), _) => Some(explain(error)),
                (Ok(_), None) => Some(UNVERIFIED.to_owned()),
                (Ok(_), Some(_)) => None,
            };
            trace.note_peer(Peer { leaf: end_entity.as_ref().into(), fault });
            trace.note_shown(|| Shown {
                chain: std::iter::once(end_entity).chain(intermediates).map(|der| der.as_ref().into()).collect(),
                staple: ocsp_response.into(),
            });
        });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A TLS fault in a plain sentence.
pub(super) fn explain(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(fault) => explain_certificate(fault),
        rustls::Error::AlertReceived(alert) => format!("the server ended TLS with the alert {alert:?}"),
        rustls::Error::PeerIncompatible(_) => "the server and Tripline share no version or cipher of TLS".into(),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS".into(),
        rustls::Error::NoApplicationProtocol => "the server speaks none of the protocols that were offered".into(),
        other => format!("TLS failed: {other}"),
    }
}

fn explain_certificate(fault: &CertificateError) -> String {
    match fault {
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().take(5).map(|name| bare_name(name)).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            format!("certificate is not valid for {}; it is for {names}", expected.to_str())
        }
        CertificateError::NotValidForName => "certificate is not valid for this name".into(),
        CertificateError::ExpiredContext { not_after, .. } => {
            let millis = i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000);
            format!("certificate expired on {}", crate::model::Timestamp::from_millis(millis).show())
        }
        CertificateError::Expired => "certificate has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate is not valid yet".into()
        }
        CertificateError::UnknownIssuer => "certificate is signed by an authority that is not trusted".into(),
        CertificateError::Revoked => "certificate was revoked".into(),
        CertificateError::BadSignature => "certificate has a bad signature".into(),
        CertificateError::BadEncoding => "certificate cannot be read".into(),
        // What webpki says beyond rustls has only words.
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            "certificate is that of a certificate authority, which may not be a server's as well".into()
        }
        other => format!("certificate is not valid: {other}"),
    }
}

/// `DnsName("forge.example")` without its wrapping.
fn bare_name(name: &str) -> &str {
    name.split('"').nth(1).or_else(|| name.split(['(', ')']).nth(1)).unwrap_or(name)
}
