//! What a failed check saw, for a person.

use crate::model::Evidence;

/// How much of a body is shown, in characters.
const SHOWN: usize = 160;

/// The certificate and the beginning of the body, a line each; nothing where there are none.
pub(super) fn details(evidence: &Evidence, indent: &str) -> String {
    let mut text = String::new();
    if let Some(certificate) = &evidence.certificate {
        let fault = certificate.fault.as_ref().map(|fault| format!(": {fault}")).unwrap_or_default();
        let (subject, expires) = (&certificate.subject, certificate.expires.show());
        text.push_str(&format!("{indent}certificate {subject}, until {expires}{fault}\n"));
    }
    let body: String = evidence.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
    if !body.is_empty() {
        text.push_str(&format!("{indent}body: {body}\n"));
    }
    text
}
