//! A step's request: its holes filled with what has been captured, each value written as its place wants it.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use url::{Origin, Url};

use super::run::Run;
use super::step::Undone;
use super::{FlowProbe, totp};
use crate::config::{as_it_is, for_url, percent_encoded};
use crate::model::kind::flow::HttpStep;
use crate::model::phrase::Encoding;
use crate::model::{Condition, FailureClass, HttpTarget, Phrase, Resolve};
use crate::probe::broken::Broken;
use crate::probe::connect::Clients;
use crate::probe::http::HttpProbe;

/// The origin of a URL whose host no capture can change.
pub(super) fn fixed_origin(url: &Phrase) -> Option<Origin> {
    let beginning = url.beginning();
    let past_host = beginning.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']));
    (past_host || !url.has_holes()).then(|| Url::parse(&beginning).ok()).flatten().map(|url| url.origin())
}

impl FlowProbe {
    /// The step's request, with its holes filled.
    pub(super) fn filled(
        &self,
        http: &HttpStep,
        clients: &Arc<Clients>,
        expect: &Arc<[Condition]>,
        run: &mut Run,
    ) -> Result<HttpProbe, Undone> {
        let mut codes = Vec::new();
        let target = filled(http, |name| match name.strip_prefix("totp:") {
            Some(name) => {
                let code = totp::code(self.totp.get(name)?, crate::clock::now());
                codes.push(code.clone());
                Some(code)
            }
            None => run.values.get(name).cloned(),
        });
        codes.iter().for_each(|code| run.hidden.add(code));
        let target = target?;
        if http.holds_secrets() && !self.origins.contains(&target.url.origin()) {
            let fault = format!(
                "the URL was captured and leads to {}, which the configuration does not name; its secrets are not sent there",
                target.url.origin().ascii_serialization()
            );
            return Err(Broken::failed(FailureClass::Redirect, fault).into());
        }
        let address = self.resolve.address.filter(|_| target.url.host_str() == self.host.as_deref());
        let resolve = Resolve { address, ..self.resolve };
        let probe = HttpProbe::of(&target, resolve, expect, clients.clone());
        probe.map_err(|fault| Broken::failed(FailureClass::Protocol, fault).into())
    }
}

/// The request with its holes filled.
fn filled(step: &HttpStep, mut value: impl FnMut(&str) -> Option<String>) -> Result<HttpTarget, Undone> {
    let mut fill = |phrase: &Phrase, encoding: Encoding| {
        phrase.fill(&mut value, encoding).map_err(|name| Undone::Lacks(name.to_owned()))
    };
    let failed = |fault: String| Undone::from(Broken::failed(FailureClass::Protocol, fault));
    let text = fill(&step.url, for_url)?;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    let url = url.ok_or_else(|| failed(format!("what was captured makes no http or https URL: `{text}`")))?;
    let mut headers = HeaderMap::new();
    for (name, phrase, hidden) in &step.headers {
        let text = fill(phrase, as_it_is)?;
        let value = HeaderValue::from_bytes(text.as_bytes());
        let mut value = value.map_err(|_| failed(format!("the header {name} would have a line break")))?;
        value.set_sensitive(*hidden);
        headers.insert(name.clone(), value);
    }
    let body = fill(&step.body, encoding(&headers))?;
    Ok(HttpTarget { url, headers, body: body.into(), ..step.base.clone() })
}

/// How values stand in a body of the type that the headers say.
fn encoding(headers: &HeaderMap) -> Encoding {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "application/x-www-form-urlencoded" {
        |_, value| percent_encoded(value)
    } else if media.ends_with("/json") || media.ends_with("+json") {
        |_, value| {
            let quoted = serde_json::Value::from(value).to_string();
            let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            inner.unwrap_or_default().to_owned()
        }
    } else {
        as_it_is
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phrase::Piece;

    fn url(pieces: &[Piece]) -> Option<String> {
        let phrase = Phrase { pieces: pieces.to_vec(), secret: false };
        fixed_origin(&phrase).map(|origin| origin.ascii_serialization())
    }

    #[test]
    fn the_host_of_a_url_is_fixed_only_where_no_capture_can_add_to_it() {
        let (plain, hole) = (|text: &str| Piece::Plain(text.into()), || Piece::Hole("next".into()));
        assert_eq!(url(&[plain("https://forge.example/"), hole()]).as_deref(), Some("https://forge.example"));
        assert_eq!(url(&[plain("https://forge.example")]).as_deref(), Some("https://forge.example"));
        assert_eq!(url(&[plain("https://forge.example"), hole()]), None, "it could go on with .evil.example");
        assert_eq!(url(&[plain("https://forge.example:80"), hole(), plain("/")]), None);
        assert_eq!(url(&[hole()]), None);
    }

    #[test]
    fn a_value_is_written_as_the_body_wants_it() {
        let written = |media: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, media.parse().unwrap());
            encoding(&headers)("", "a&b=\"c\"")
        };
        assert_eq!(written("application/x-www-form-urlencoded; charset=utf-8"), "a%26b%3D%22c%22");
        assert_eq!(written("application/vnd.api+json"), "a&b=\\\"c\\\"");
        assert_eq!(written("text/plain"), "a&b=\"c\"");
    }
}
