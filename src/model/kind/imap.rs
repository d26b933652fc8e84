//! The IMAP kind.

use super::MailHost;

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
