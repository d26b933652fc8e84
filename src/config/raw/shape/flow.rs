//! The shape of a flow.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{Http, Word};

/// Steps in order, as a customer takes them: signing in and out, a job from its start to its end.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Flow {
    /// At least one, at most 32; see steps.
    #[schemars(length(min = 1, max = 32))]
    pub steps: Vec<FlowStep>,
    /// Where one-time codes come from, by name; see one-time codes. Default: none.
    pub totp: Option<BTreeMap<String, Totp>>,
    /// Where the service calls us, for steps that wait for that; see hooks. Default: nowhere.
    pub hook: Option<Hook>,
    /// The address to which the service sends mail, for steps that wait for that; see mail steps. Default: nowhere.
    pub mailbox: Option<String>,
}

/// A step of a flow. `{{name}}` in its `url`, `headers` and `body` is a label, what a step before captured, or, as
/// `{{totp:NAME}}`, a one-time code.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FlowStep {
    /// Its name in results, unique in the flow.
    pub name: Word,
    /// What is asked; see http. The cookies of the flow are sent along. A step has either this, `receive` or `mail`.
    pub http: Option<Http>,
    /// Waits for a call of the flow's hook; see hooks.
    pub receive: Option<Receive>,
    /// Waits for a mail to the flow's mailbox; see mail steps.
    pub mail: Option<Receive>,
    /// What is taken from the answer, by name; see capture. Default: nothing.
    pub capture: Option<BTreeMap<String, Capture>>,
    /// Conditions in CEL, all of which must hold, as those of http; with `receive` over `method`, `headers`, `body` and
    /// `json` of the call, with `mail` over `subject`, `headers`, `body` and `html`. Default: a 2xx status.
    #[schemars(length(min = 1))]
    pub expect: Option<Vec<String>>,
    /// Asks again and again until what is expected holds; see until. Default: asks once.
    pub until: Option<Until>,
    /// Whether it is taken even after another step has failed, to clean up. Default: false.
    pub always: Option<bool>,
}

/// Where a value stands in an answer: exactly one of `css`, `json`, `header`, `regex` and `cookie`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Capture {
    /// In the first element that this CSS selector finds.
    pub css: Option<String>,
    /// The attribute of that element. Default: its text.
    pub attribute: Option<String>,
    /// The first value that this JSONPath (RFC 9535) finds in the body: a text, a number, true or false.
    pub json: Option<String>,
    /// In this header of the answer.
    pub header: Option<String>,
    /// In the body: what the first group of this regular expression matches, or the whole where it has none.
    pub regex: Option<String>,
    /// In the cookie of this name that the answer's URL would get.
    pub cookie: Option<String>,
    /// Whether results may show the value. Default: false, it is secret.
    pub show: Option<bool>,
}

/// How a step waits for what it expects.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Until {
    /// The time between the starts of two tries, 100ms to 1h. Default: 2s.
    pub every: Option<String>,
    /// How long it waits altogether, 1s to 1d; less than the probe's `timeout`.
    #[schemars(rename = "for")]
    pub limit: String,
    /// A condition in CEL that ends the waiting at once, as a failure: `json.state == "failed"`. Default: none.
    pub fail: Option<String>,
}

/// Where one-time codes come from (TOTP, RFC 6238).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Totp {
    /// The secret in Base32, as the site shows it beside the QR code.
    pub secret: String,
    /// `sha1`, `sha256` or `sha512`. Default: sha1.
    pub algorithm: Option<String>,
    /// How many digits a code has, 6 to 8. Default: 6.
    #[schemars(range(min = 6, max = 8))]
    pub digits: Option<u8>,
    /// How long a code is good for, 1s to 1h. Default: 30s.
    pub period: Option<String>,
}

/// Where the service calls us: `/hook/TOKEN` of the daemon's own port. `{{hook_url}}` is its URL for this check alone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Hook {
    /// What the hook is known by: 16 to 128 letters, digits, `-` and `_`. It is secret.
    pub token: Word,
    /// How a call shows that it is the service's. Default: any call will do.
    pub hmac: Option<Hmac>,
}

/// The HMAC-SHA256 of a call's body.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Hmac {
    /// The key.
    pub secret: Word,
    /// The header that has it in hexadecimal digits, behind `sha256=` or bare. Default: x-hub-signature-256.
    pub header: Option<String>,
}

/// Waits for a call of the flow's hook.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Receive {
    /// How long it waits, 1s to 1d; less than the probe's `timeout`. Default: 30s.
    pub within: Option<String>,
}
