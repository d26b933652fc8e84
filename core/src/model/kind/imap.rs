//! The IMAP kind.

use super::{MailHost, Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["messages", "capabilities", "banner", "timing", "address"];

/// A mail server whose mailbox is looked into.
#[derive(Clone, Debug)]
pub struct ImapTarget {
    /// The server.
    pub server: MailHost,
    /// The mailbox, where someone logs in.
    pub mailbox: Option<String>,
}

impl Target for ImapTarget {
    fn name(&self) -> &'static str {
        "imap"
    }

    fn host(&self) -> &str {
        &self.server.host
    }

    fn request(&self) -> String {
        self.server.show("imap")
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.server.tls()
    }
}
