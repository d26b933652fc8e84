//! `tls`: certificates and keys from files.

use bytes::Bytes;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::reader::{Entry, Reader};
use crate::config::raw::keyed::keyed;
use crate::model::TlsOptions;

keyed! {
    /// How certificates are judged and shown. Paths start at the config's directory.
    pub struct Tls {
        /// A PEM file of certificates to trust instead of the system's.
        pub ca_file: Option<String>,
        /// A PEM file of the certificate chain to show to the server.
        pub client_cert: Option<String>,
        /// A PEM file of its private key.
        pub client_key: Option<String>,
        /// Accepts any certificate, and says so loudly. Default: false.
        pub skip_verify: Option<bool>,
    }
}

pub(super) fn options(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<TlsOptions> {
    let table = reader.table(entry, Tls::KEYS, "write `tls: {ca_file: ca.pem}`")?;
    let ca = table.get("ca_file").map(|entry| certificates(reader, entry));
    let certificate = table.get("client_cert").map(|entry| certificates(reader, entry));
    let key = table.get("client_key").map(|entry| private_key(reader, entry));
    let skip_verify = table.get("skip_verify").map(|entry| reader.flag(entry));
    let identity = match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some(Bytes::from([&certificate?, &b"\n"[..], &key?].concat())),
        _ => {
            let remedy = "give both `client_cert` and `client_key`, or neither";
            reader.fault(table.at, "a client certificate and its key belong together", remedy);
            return None;
        }
    };
    let skip_verify = skip_verify.unwrap_or(Some(false))?;
    if skip_verify && let Some(ca) = table.get("ca_file") {
        reader.fault(ca.at, "`ca_file` means nothing with `skip_verify`", "remove one of the two");
        return None;
    }
    let ca = match ca {
        Some(ca) => Some(ca?),
        None => None,
    };
    Some(TlsOptions { ca, identity, skip_verify })
}

/// A PEM file with at least one certificate.
pub(super) fn certificates(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Bytes> {
    let (bytes, place) = reader.file(entry)?;
    let mut count = 0;
    let sound = CertificateDer::pem_slice_iter(&bytes).all(|item| {
        count += 1;
        item.is_ok()
    });
    if !sound || count == 0 {
        let remedy = "it starts with `-----BEGIN CERTIFICATE-----`";
        reader.fault(place, format!("the file of `{}` holds no PEM certificate", entry.name), remedy);
        return None;
    }
    Some(bytes.into())
}

/// A PEM file with a private key, whose content is secret.
fn private_key(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Bytes> {
    let (bytes, place) = reader.file(entry)?;
    reader.hide(String::from_utf8_lossy(&bytes).trim());
    if PrivateKeyDer::from_pem_slice(&bytes).is_err() {
        let remedy = "it starts with `-----BEGIN PRIVATE KEY-----`, and has no passphrase";
        reader.fault(place, format!("the file of `{}` holds no PEM private key", entry.name), remedy);
        return None;
    }
    Some(bytes.into())
}
