//! The shapes of the kinds that ask mail servers.

use schemars::JsonSchema;

use super::{Tls, Word};

/// A mail server is greeted, and asked whether it would take a mail. `{{label}}` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Smtp {
    /// Host and port: `mail.example.com:587`.
    pub to: String,
    /// `starttls`: TLS after STARTTLS, which must be offered; `implicit`: TLS from the first byte; `none`. Default:
    /// implicit on the ports 465 and 993, else starttls.
    pub encryption: Option<String>,
    /// How certificates are judged and shown; see TLS options. Default: the system's roots.
    pub tls: Option<Tls>,
    /// Who logs in, by AUTH PLAIN or LOGIN. Without encryption only on loopback. Default: nobody.
    pub auth: Option<MailAuth>,
    /// What we call ourselves in EHLO. Default: our address in brackets.
    pub helo: Option<Word>,
    /// With recipient: who the mail would be from. Default: the null sender, <>.
    pub sender: Option<String>,
    /// Asks whether a mail to this address would be taken, by MAIL and RCPT; none is sent. Default: not asked.
    pub recipient: Option<String>,
}

/// Who logs in to a mail server.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MailAuth {
    /// The user.
    pub user: Word,
    /// Their password; it is secret.
    pub password: Word,
}

/// A mail server is greeted, and a mailbox is looked into. `{{label}}` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Imap {
    /// Host and port: `imap.example.com:993`.
    pub to: String,
    /// `starttls`: TLS after STARTTLS, which must be offered; `implicit`: TLS from the first byte; `none`. Default:
    /// implicit on the ports 465 and 993, else starttls.
    pub encryption: Option<String>,
    /// How certificates are judged and shown; see TLS options. Default: the system's roots.
    pub tls: Option<Tls>,
    /// Who logs in. Without encryption only on loopback. Default: nobody.
    pub auth: Option<MailAuth>,
    /// With auth: the mailbox that is opened, to read only. Default: INBOX.
    pub mailbox: Option<Word>,
}

/// A mail is sent, here or elsewhere, and must arrive. `{{label}}` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Mail {
    /// How we send the mail. Default: another system sends it.
    pub send: Option<MailSend>,
    /// Where it arrives. The mailbox should be the probe's own: what matches is deleted. Default: `mailbox` says it.
    pub receive: Option<MailReceive>,
    /// Instead of receive, with send: it comes to Tripline itself, at an address made of this one. Default: none.
    pub mailbox: Option<String>,
    /// Without send: what must be in the subject, in any case of letters. Default: any.
    pub subject: Option<Word>,
    /// Without send: what must be in From, in any case of letters. Default: any.
    pub from: Option<Word>,
    /// How long it may take from when it was accepted, or from the start of the check; shorter than the probe's timeout.
    /// Default: nine tenths of the timeout.
    pub within: Option<Word>,
}

/// How a mail is sent.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MailSend {
    /// Host and port: `mail.example.com:587`.
    pub to: String,
    /// As in `smtp`. Default: implicit on the ports 465 and 993, else starttls.
    pub encryption: Option<String>,
    /// As in `smtp`. Default: the system's roots.
    pub tls: Option<Tls>,
    /// As in `smtp`. Default: nobody.
    pub auth: Option<MailAuth>,
    /// As in `smtp`. Default: our address in brackets.
    pub helo: Option<Word>,
    /// Who it is from.
    pub sender: String,
    /// Who it is for. Default: with `mailbox`, an address of the check's own.
    pub recipient: Option<String>,
}

/// Where a mail arrives.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MailReceive {
    /// Host and port of an IMAP server: `imap.example.com:993`.
    pub to: String,
    /// As in `imap`. Default: implicit on the ports 465 and 993, else starttls.
    pub encryption: Option<String>,
    /// As in `imap`. Default: the system's roots.
    pub tls: Option<Tls>,
    /// Whose mailbox it is.
    pub auth: MailAuth,
    /// The mailbox. Default: INBOX.
    pub mailbox: Option<Word>,
}
