//! A mail server that is asked: by SMTP or by IMAP.

use std::sync::Arc;

use secrecy::SecretString;

use super::TlsOptions;

/// Where a mail server is, how the connection is protected and who logs in.
#[derive(Clone, Debug)]
pub struct MailHost {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// How the server's certificate is judged and ours is shown.
    pub tls: Arc<TlsOptions>,
    /// Who logs in, if anyone does.
    pub login: Option<Login>,
}

/// How a connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Encryption {
    /// TLS after STARTTLS (RFC 3207, RFC 9051); a server that does not offer it fails the check.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Nothing is protected.
    None,
}

/// A user and their password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user.
    pub user: String,
    /// Their password.
    pub password: SecretString,
}

impl MailHost {
    /// `smtps://mail.example.com:465`.
    pub(super) fn show(&self, scheme: &str) -> String {
        let secure = if self.encryption == Encryption::Implicit { "s" } else { "" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        format!("{scheme}{secure}://{open}{}{close}:{}", self.host, self.port)
    }

    /// The TLS options, where TLS is used.
    pub(super) fn tls(&self) -> Option<&TlsOptions> {
        (self.encryption != Encryption::None).then_some(&self.tls)
    }
}
