//! The flow kind: steps in order, as a customer takes them, each with what the ones before have found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use secrecy::{SecretSlice, SecretString};

use super::{HttpTarget, Target, TlsOptions};
use crate::model::{Condition, Phrase, Token};

/// What the expectations of the flow as a whole can look at; each step has those of its own kind.
pub const VARIABLES: &[&str] = &["timing"];

/// Which part of a check's time is kept back for steps that are always taken, where there are any: one in so many.
pub const KEPT_BACK: u32 = 5;

/// What the expectations of a step that waits for a call can look at.
pub const CALL_VARIABLES: &[&str] = &["method", "headers", "body", "json"];

/// What the expectations of a step that waits for a mail can look at.
pub const MAIL_VARIABLES: &[&str] = &["subject", "headers", "body", "html"];

/// Steps, taken in order until one fails.
#[derive(Clone, Debug)]
pub struct FlowTarget {
    /// At least one.
    pub steps: Vec<Step>,
    /// Where one-time codes come from, by name; a phrase names them `totp:NAME`.
    pub totp: BTreeMap<String, Totp>,
    /// Where the service calls us, for steps that wait for that.
    pub hook: Option<Hook>,
    /// Where the service sends mail, for steps that wait for that: each check makes an address of its own of it.
    pub mailbox: Option<String>,
}

impl Target for FlowTarget {
    fn name(&self) -> &'static str {
        "flow"
    }

    fn host(&self) -> &str {
        self.first().and_then(|first| first.base.url.host_str()).unwrap_or_default()
    }

    fn request(&self) -> String {
        FlowTarget::request(self)
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.first().filter(|first| first.base.url.scheme() == "https").map(|first| &*first.base.tls)
    }

    fn hook(&self) -> Option<&Hook> {
        self.hook.as_ref()
    }

    fn waits_for_mail(&self) -> bool {
        self.mailbox.is_some()
    }
}

/// Where a service calls us.
#[derive(Clone, Debug)]
pub struct Hook {
    /// What it is known by.
    pub token: Token,
    /// Its URL as it is seen from outside; each check adds a path of its own.
    pub url: url::Url,
    /// How a call shows that it is the service's.
    pub signature: Option<Signature>,
}

/// How a call shows who makes it: HMAC-SHA256 (RFC 2104) over its body.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The key.
    pub secret: SecretString,
    /// The header that has it in hexadecimal digits, behind `sha256=` or bare.
    pub header: HeaderName,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name, unique in the flow.
    pub name: String,
    /// What is done.
    pub act: Act,
    /// What must hold of its answer. Empty: its kind's own default.
    pub expect: Arc<[Condition]>,
    /// What is taken from its answer, once the expectations hold.
    pub captures: Vec<Capture>,
    /// The step is taken again and again until its expectations hold.
    pub until: Option<Until>,
    /// Whether it is taken even after another step has failed.
    pub always: bool,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Act {
    /// An HTTP request.
    Http(Box<HttpStep>),
    /// Waits for a call of the flow's hook, at most so long.
    Receive(Duration),
    /// Waits for a mail to the flow's mailbox, at most so long.
    Mail(Duration),
}

/// An HTTP request with holes.
#[derive(Clone, Debug)]
pub struct HttpStep {
    /// All that has no holes. Its URL, headers and body stand for those below and are never asked.
    pub base: HttpTarget,
    /// Where to.
    pub url: Phrase,
    /// Sent with the request; the flag: the value is never shown.
    pub headers: Vec<(HeaderName, Phrase, bool)>,
    /// Sent with the request.
    pub body: Phrase,
}

impl HttpStep {
    /// Whether a secret of the configuration is sent with it.
    #[must_use]
    pub fn holds_secrets(&self) -> bool {
        self.url.secret || self.body.secret || self.headers.iter().any(|(_, value, _)| value.secret)
    }
}

/// A value taken from an answer.
#[derive(Clone, Debug)]
pub struct Capture {
    /// What later steps call it.
    pub name: String,
    /// Where it stands.
    pub from: Source,
    /// Whether evidence may show it.
    pub show: bool,
}

/// Where a value stands in an answer.
#[derive(Clone)]
pub enum Source {
    /// In the first element that this CSS selector finds: its attribute, or its text.
    Css {
        /// As it was written; it was parsed once, so it is a selector.
        selector: String,
        /// The attribute; `None`: the element's text.
        attribute: Option<String>,
    },
    /// In the body as JSON: the first value that this path (RFC 9535) finds.
    Json(Arc<serde_json_path::JsonPath>),
    /// In a header of the answer.
    Header(HeaderName),
    /// In the body: what the first group matches, or the whole where there is none.
    Regex(regex::Regex),
    /// In a cookie that has been set by now.
    Cookie(String),
}

impl Source {
    /// Whether it looks at the body.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        matches!(self, Self::Css { .. } | Self::Json(_) | Self::Regex(_))
    }

    /// Whether it says where in a body the value stands, so that what is found there in another body is its like.
    #[must_use]
    pub fn names_a_place(&self) -> bool {
        matches!(self, Self::Css { .. } | Self::Json(_))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Css { selector, attribute: Some(attribute) } => {
                write!(f, "the attribute {attribute} of {selector}")
            }
            Self::Css { selector, attribute: None } => write!(f, "the text of {selector}"),
            Self::Json(path) => write!(f, "{path}"),
            Self::Header(name) => write!(f, "the header {name}"),
            Self::Regex(regex) => write!(f, "/{regex}/"),
            Self::Cookie(name) => write!(f, "the cookie {name}"),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// How a step waits for its expectations.
#[derive(Clone, Debug)]
pub struct Until {
    /// The time between the starts of two tries.
    pub every: Duration,
    /// How long it waits altogether.
    pub limit: Duration,
    /// What ends it at once: the condition, and its opposite, which shows the values when it does not hold.
    pub fail: Option<(Condition, Condition)>,
}

/// Where one-time codes come from (RFC 6238).
#[derive(Clone, Debug)]
pub struct Totp {
    /// The secret, as bytes.
    pub secret: SecretSlice<u8>,
    /// The hash that it is made with.
    pub hash: TotpHash,
    /// How many digits a code has: 6 to 8.
    pub digits: u32,
    /// How long a code is good for.
    pub period: Duration,
}

/// The hash of a one-time code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TotpHash {
    /// What nearly all use.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl FlowTarget {
    /// The first request of the flow: what stands for the whole where one host or one URL is shown.
    #[must_use]
    pub fn first(&self) -> Option<&HttpStep> {
        self.steps.iter().find_map(|step| match &step.act {
            Act::Http(http) => Some(&**http),
            Act::Receive(_) | Act::Mail(_) => None,
        })
    }

    /// The question in one line: its first request, and how many steps there are.
    #[must_use]
    pub fn request(&self) -> String {
        let first = self.first().map(|http| format!("{} {}", http.base.method, http.url)).unwrap_or_default();
        format!("{first} (flow of {} steps)", self.steps.len())
    }
}
