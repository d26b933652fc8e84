//! Expectations: the facts of an answer, as far as anyone asks for them, and what the answer is worth.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use url::Url;

use super::classify::status_class;
use super::download::Receipt;
use super::json::tree;
use crate::model::condition::{Fact, Verdict};
use crate::model::{Condition, FailureClass, Phases};

/// Whether any of these conditions looks at this.
pub(super) fn mentioned(conditions: &[Condition], name: &str) -> bool {
    conditions.iter().any(|condition| condition.mentions(name))
}

/// What the first of these conditions that does not hold has to say.
pub(super) fn unmet(
    conditions: &[Condition],
    facts: &[(&str, Fact)],
    hide: &dyn Fn(&str) -> String,
) -> Option<String> {
    conditions.iter().find_map(|condition| match condition.judge_hiding(facts, hide) {
        Verdict::Holds => None,
        Verdict::Fails(fault) => Some(fault),
    })
}

/// What is expected of an answer.
pub(super) struct Expectations {
    conditions: Arc<[Condition]>,
    body: bool,
    json: bool,
}

/// A whole answer.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Whether the body went on beyond the cap.
    pub(super) cut: bool,
    /// Of a download that was asked for and came.
    pub(super) receipt: Option<&'a Receipt>,
    pub(super) url: &'a Url,
    pub(super) address: Option<IpAddr>,
    pub(super) phases: Phases,
}

impl Expectations {
    pub(super) fn new(conditions: Arc<[Condition]>) -> Self {
        let mut expectations = Self { body: false, json: false, conditions };
        (expectations.body, expectations.json) = (expectations.mention("body"), expectations.mention("json"));
        expectations
    }

    /// Whether any of them looks at this.
    pub(super) fn mention(&self, name: &str) -> bool {
        mentioned(&self.conditions, name)
    }

    /// Whether the whole body is needed to judge.
    pub(super) fn need_body(&self) -> bool {
        self.body || self.json
    }

    /// Judges the answer: `None` is a success. Without expectations of its own a probe expects a 2xx status, or
    /// a redirect where it does not follow them.
    pub(super) fn judge(
        &self,
        answer: &Answer<'_>,
        follows: bool,
        hide: &dyn Fn(&str) -> String,
    ) -> Option<(FailureClass, String)> {
        let of_status = status_class(answer.status, answer.headers);
        let class = if answer.status >= 400 { of_status } else { FailureClass::Expectation };
        if self.conditions.is_empty() {
            return match answer.status {
                200..=299 => None,
                300..=399 if !follows => None,
                status => {
                    let status =
                        http::StatusCode::from_u16(status).map_or(status.to_string(), |known| known.to_string());
                    Some((of_status, format!("expected a 2xx status, status was {status}")))
                }
            };
        }
        let mut facts = self.facts(answer);
        let json = self.json.then(|| json(answer).map(|fact| facts.push(("json", fact))));
        for condition in self.conditions.iter() {
            if let Some(Err(fault)) = &json
                && condition.mentions("json")
            {
                return Some((class, format!("expected {}, but {fault}", condition.source())));
            }
            if let Verdict::Fails(fault) = condition.judge_hiding(&facts, hide) {
                return Some((class, fault));
            }
        }
        None
    }

    fn facts(&self, answer: &Answer<'_>) -> Vec<(&'static str, Fact)> {
        let mut facts = Vec::with_capacity(4);
        let mut add = |name, fact: &dyn Fn() -> Fact| {
            if self.mention(name) {
                facts.push((name, fact()));
            }
        };
        add("status", &|| Fact::Int(answer.status.into()));
        add("body", &|| Fact::Text(String::from_utf8_lossy(answer.body).into()));
        add("headers", &|| headers(answer.headers));
        add("timing", &|| Fact::timing(&answer.phases));
        add("url", &|| Fact::Text(answer.url.as_str().into()));
        add("address", &|| answer.address.map_or(Fact::Null, |address| Fact::Text(address.to_string().into())));
        if let Some(receipt) = answer.receipt {
            let int = |number: u64| Fact::Int(i64::try_from(number).unwrap_or(i64::MAX));
            add("bytes", &|| int(receipt.bytes));
            add("sha256", &|| receipt.sha256.as_deref().map_or(Fact::Null, |digits| Fact::Text(digits.into())));
            add("throughput", &|| int(receipt.throughput));
        }
        facts
    }
}

/// Headers by their names in lower case; several of one name are joined as RFC 9110, section 5.3, allows.
pub(super) fn headers(headers: &HeaderMap) -> Fact {
    let mut map: BTreeMap<String, Fact> = BTreeMap::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        map.insert(name.as_str().to_owned(), Fact::Text(values.join(", ").into()));
    }
    Fact::Map(map)
}

fn json(answer: &Answer<'_>) -> Result<Fact, String> {
    if answer.cut {
        return Err(format!("body is longer than the {} bytes that are read", answer.body.len()));
    }
    json_fact(answer.body)
}

/// A text in JSON.
pub(super) fn json_fact(text: &[u8]) -> Result<Fact, String> {
    let (value, _) = tree(text)?;
    Ok(fact(value))
}

fn fact(value: serde_json::Value) -> Fact {
    use serde_json::Value;
    match value {
        Value::Null => Fact::Null,
        Value::Bool(value) => Fact::Bool(value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Fact::Int(whole),
            None => Fact::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Fact::Text(text.into()),
        Value::Array(values) => Fact::List(values.into_iter().map(fact).collect()),
        Value::Object(values) => Fact::Map(values.into_iter().map(|(name, value)| (name, fact(value))).collect()),
    }
}
