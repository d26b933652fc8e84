//! Floor 1: probes.yaml, from text to meaning.
//!
//! [`load`] reads the text into a tree in which every value knows its place (`raw`), reads what is meant out of
//! the tree (`load` and the files named after its parts) and notes each problem on the way (`problem`), so that
//! all of them are told in one go. What comes from outside is asked of [`Outside`].

mod canaries;
pub(crate) mod encoded;
mod expect;
mod kinds;
mod load;
mod maintenance;
mod probes;
pub(crate) mod problem;
pub(crate) mod raw;
pub(crate) mod reader;
mod receivers;
mod retry;
pub(crate) mod rules;
mod smtp;
pub(crate) mod text;
mod tls;
pub(crate) mod words;

pub use load::load;
pub(crate) use problem::nearest;
pub use problem::{Problem, Problems};
pub use raw::shape::{self, schema};
pub use text::Outside;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{
    Component, ComponentId, LabelName, LabelValue, Location, Maintenance, Probes, Receiver, ReceiverId, Rule, Secrets,
};

/// A whole configuration, as meant: every reference points somewhere, every expression is compiled.
#[derive(Clone, Debug)]
pub struct Config {
    /// The service's name, for subjects and the status page.
    pub name: String,
    /// Where the status page is, for links in mails.
    pub url: Option<url::Url>,
    /// Where checks are made from.
    pub location: Location,
    /// The cohort labels and their values, as written.
    pub cohorts: BTreeMap<LabelName, Vec<LabelValue>>,
    /// The components, in the order in which they were written.
    pub components: Vec<Component>,
    /// The probes, expanded, in the order in which they were written; then the canaries.
    pub probes: Probes,
    /// The rules; ours when none were written. Last, where it can be told, the one that we cannot see.
    pub rules: Vec<Rule>,
    /// The receivers.
    pub receivers: BTreeMap<ReceiverId, Receiver>,
    /// An incident that comes back within this time of its end is the same one.
    pub reopen_within: Duration,
    /// When not to speak, in the order in which it was written.
    pub maintenance: Vec<Maintenance>,
    /// What must not be shown.
    pub secrets: Secrets,
    /// What is allowed but dangerous, to be said loudly: `dashboard does not verify certificates`.
    pub warnings: Vec<String>,
}

impl Config {
    /// The component's name for people.
    #[must_use]
    pub fn component_name<'a>(&'a self, id: &'a ComponentId) -> &'a str {
        self.components.iter().find(|component| component.id == *id).map_or(id.as_str(), |component| &component.name)
    }
}

/// The keys of the kinds of question.
#[must_use]
pub fn kinds() -> &'static [&'static str] {
    kinds::KINDS
}

/// The keys that the loader knows, by the name of the shape in the [`schema`] that has them.
#[must_use]
pub fn keys() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("Auth", kinds::remote::AUTH_KEYS),
        ("BurnRate", rules::BURN_RATE_KEYS),
        ("BurnWindow", rules::BURN_WINDOW_KEYS),
        ("Capture", kinds::flow::CAPTURE_KEYS),
        ("Change", rules::CHANGE_KEYS),
        ("Clear", rules::CLEAR_KEYS),
        ("Component", load::COMPONENT_KEYS),
        ("Config", load::KEYS),
        ("Defaults", load::DEFAULTS_KEYS),
        ("Download", kinds::download::KEYS),
        ("Dns", kinds::dns::KEYS),
        ("Email", receivers::EMAIL_KEYS),
        ("EmailTls", receivers::EMAIL_TLS_KEYS),
        ("Exec", kinds::exec::KEYS),
        ("Flow", kinds::flow::KEYS),
        ("FlowStep", kinds::flow::STEP_KEYS),
        ("Heartbeat", kinds::heartbeat::KEYS),
        ("Grpc", kinds::grpc::KEYS),
        ("Hmac", kinds::flow::HMAC_KEYS),
        ("Hook", kinds::flow::HOOK_KEYS),
        ("Git", kinds::git::KEYS),
        ("Http", kinds::http::KEYS),
        ("Latency", rules::LATENCY_KEYS),
        ("Lfs", kinds::lfs::KEYS),
        ("MissingFor", rules::MISSING_KEYS),
        ("Maintenance", maintenance::KEYS),
        ("Over", rules::OVER_KEYS),
        ("Probe", probes::KEYS),
        ("Receive", kinds::flow::RECEIVE_KEYS),
        ("Receiver", receivers::KEYS),
        ("Resolve", kinds::resolve::KEYS),
        ("Icmp", kinds::icmp::KEYS),
        ("Imap", kinds::imap::KEYS),
        ("Mail", kinds::mail::KEYS),
        ("MailAuth", kinds::mail_host::AUTH_KEYS),
        ("MailReceive", kinds::mail::RECEIVE_KEYS),
        ("MailSend", kinds::mail::SEND_KEYS),
        ("Retry", retry::KEYS),
        ("Rule", rules::KEYS),
        ("Smtp", kinds::smtp::KEYS),
        ("Ssh", kinds::ssh::KEYS),
        ("SshTrust", kinds::ssh::TRUST_KEYS),
        ("Tcp", kinds::tcp::KEYS),
        ("Tls", tls::KEYS),
        ("Websocket", kinds::websocket::KEYS),
        ("Totp", kinds::flow::TOTP_KEYS),
        ("Until", kinds::flow::UNTIL_KEYS),
        ("TlsProbe", kinds::tls::KEYS),
    ])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A config with nothing in it.
    pub(crate) fn empty() -> Config {
        Config {
            name: "Forge".into(),
            url: None,
            location: Location::local(),
            cohorts: BTreeMap::new(),
            components: vec![],
            probes: Probes::default(),
            rules: vec![],
            receivers: BTreeMap::new(),
            maintenance: vec![],
            reopen_within: Duration::from_secs(900),
            secrets: Secrets::default(),
            warnings: vec![],
        }
    }
}
