//! A certificate authority for one start of the forge, and the forge's certificate by it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::demo::fault::DemoFault;
use crate::model::Timestamp;

const DAY: Duration = Duration::from_hours(24);

/// What the forge shows, and what its clients trust.
pub(super) struct Certificates {
    pub(super) ca_pem: Bytes,
    pub(super) server: Arc<ServerConfig>,
}

/// Issues a certificate for `host`, `localhost` and 127.0.0.1 that holds from yesterday for 30 days.
pub(super) fn issue(host: &str, now: Timestamp) -> Result<Certificates, DemoFault> {
    let mut authority = valid(CertificateParams::default(), now);
    authority.distinguished_name.push(DnType::CommonName, "Tripline demo authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut leaf = valid(CertificateParams::new([host.to_owned(), "localhost".to_owned()])?, now);
    leaf.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    leaf.distinguished_name.push(DnType::CommonName, host);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &issuer)?;

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Certificates { ca_pem: authority_certificate.pem().into(), server: Arc::new(server) })
}

fn valid(mut params: CertificateParams, now: Timestamp) -> CertificateParams {
    let day = |moment: Timestamp| {
        let date = jiff::tz::TimeZone::UTC.to_datetime(moment.to_jiff()).date();
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    params.distinguished_name = DistinguishedName::new();
    params.not_before = day(now - DAY);
    params.not_after = day(now + DAY * 30);
    params
}
