//! The SMTP kind.

use super::{MailHost, Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["code", "banner", "extensions", "timing", "address"];

/// A mail server that is greeted, and asked whether it would take a mail.
#[derive(Clone, Debug)]
pub struct SmtpTarget {
    /// The server.
    pub server: MailHost,
    /// What we call ourselves; our address in brackets unless given (RFC 5321, section 4.1.4).
    pub helo: Option<String>,
    /// Who the mail would be from; empty: the null sender `<>`.
    pub sender: String,
    /// Who it would be for; without one nothing is asked beyond greeting and login.
    pub recipient: Option<String>,
}

impl Target for SmtpTarget {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn host(&self) -> &str {
        &self.server.host
    }

    fn request(&self) -> String {
        self.server.show("smtp")
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.server.tls()
    }
}
