//! `hook`: where the service calls us, and `receive`: waiting for that.

use std::time::Duration;

use http::HeaderName;
use secrecy::SecretString;
use url::Url;

use crate::config::kinds::{Around, heartbeat};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::words::seconds;
use crate::model::kind::flow::{self, Signature};

keyed! {
    /// Where the service calls us: `/hook/TOKEN` of the daemon's own port. `{{hook_url}}` is its URL for this check alone.
    pub struct Hook {
        /// What the hook is known by: 16 to 128 letters, digits, `-` and `_`. It is secret.
        pub token: Word,
        /// How a call shows that it is the service's. Default: any call will do.
        pub hmac: Option<Hmac>,
    }
}

keyed! {
    /// The HMAC-SHA256 of a call's body.
    pub struct Hmac {
        /// The key.
        pub secret: Word,
        /// The header that has it in hexadecimal digits, behind `sha256=` or bare. Default: x-hub-signature-256.
        pub header: Option<String>,
    }
}

keyed! {
    /// Waits for a call of the flow's hook.
    pub struct Receive {
        /// How long it waits, 1s to 1d; less than the probe's `timeout`. Default: 30s.
        pub within: Option<String>,
    }
}

const EXAMPLE: &str = "write `hook: {token: \"${env:HOOK_TOKEN}\"}`";
const HMAC_EXAMPLE: &str = "write `hmac: {secret: \"${env:HOOK_SECRET}\"}`";
/// Where services put the signature, GitHub the first of them, unless the config says otherwise.
const HEADER: HeaderName = HeaderName::from_static("x-hub-signature-256");
/// How long a call is waited for, unless the config says otherwise.
const WITHIN: Duration = seconds(30);

/// A hook whose labels are still open.
pub(super) struct HookShape {
    token: Template,
    public: Url,
    signature: Option<Signature>,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Around<'_>) -> Option<HookShape> {
    let table = reader.table(entry, Hook::KEYS, EXAMPLE)?;
    let token = reader.need(&table, "token", EXAMPLE).and_then(|entry| reader.template(entry, around.given));
    if let Some(token) = token.as_ref().filter(|_| around.given.all) {
        heartbeat::token(reader, &token.fill(&around.given.labels, as_it_is), token.place);
    }
    let signature = match table.get("hmac") {
        Some(entry) => signature(reader, entry).map(Some),
        None => Some(None),
    };
    if around.public_url.is_none() {
        let remedy = "say at the top of the file where we are called: `public_url: https://tripline.example.com`";
        reader.fault(entry.at, "a hook needs `public_url`", remedy);
    }
    Some(HookShape { token: token?, public: around.public_url?.clone(), signature: signature? })
}

fn signature(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Signature> {
    let table = reader.table(entry, Hmac::KEYS, HMAC_EXAMPLE)?;
    let secret = reader.need(&table, "secret", HMAC_EXAMPLE).and_then(|entry| reader.word(entry))?;
    reader.hide(secret.value.clone());
    let header = match table.get("header") {
        None => Some(HEADER),
        Some(entry) => reader.text(entry).and_then(|text| {
            let name = HeaderName::from_bytes(text.value.as_bytes());
            let remedy = "write one like `x-hub-signature-256`";
            name.map_err(|_| reader.fault(text.place, format!("`{}` is no header name", text.show()), remedy)).ok()
        }),
    };
    Some(Signature { secret: SecretString::from(secret.value), header: header? })
}

/// How long `receive` or `mail` waits.
pub(super) fn within(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Duration> {
    let table = reader.table(entry, Receive::KEYS, "write `{within: 30s}`")?;
    match table.get("within") {
        Some(entry) => reader.duration(entry, seconds(1), seconds(86_400)),
        None => Some(WITHIN),
    }
}

impl HookShape {
    /// The hook for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, labels: &Values<'_>) -> Option<flow::Hook> {
        let token = heartbeat::token(reader, &self.token.fill(labels, as_it_is), self.token.place)?;
        let mut url = self.public.clone();
        let path = format!("{}/hook/{}", url.path().trim_end_matches('/'), token.expose());
        url.set_path(&path);
        Some(flow::Hook { token, url, signature: self.signature.clone() })
    }
}
