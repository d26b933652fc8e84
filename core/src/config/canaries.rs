//! `canaries`: what has nothing to do with the service, asked so that we know whether we can see; and the rule that
//! says that we cannot.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::kinds::http::parse_url;
use super::kinds::tcp::split;
use super::problem::Place;
use super::reader::{Entry, Reader, Table};
use super::words::{seconds, shown};
use crate::model::rule::OFFLINE;
use crate::model::{
    Cadence, Condition, HttpTarget, Labels, Probe, ProbeKind, ReceiverId, Resolve, Retry, Role, Rule, RuleKind,
    Scope, Severity, TcpTarget, TlsOptions,
};

/// The time between two checks of a canary.
const EVERY: Duration = seconds(10);
/// How long one may take.
const TIMEOUT: Duration = seconds(5);
/// More say nothing more, and each is asked for ever.
const MOST_CANARIES: usize = 16;
/// The name of their definition. Their ids cannot be those of other probes: no label's name has a colon.
const NAME: &str = "canary";
/// How much of a page is read: that there is one is enough.
const BODY_CAP: usize = 1024;

/// Reads the canaries, as probes.
pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<Probe> {
    let Some(entry) = table.get("canaries") else { return Vec::new() };
    let remedy = "list addresses like `https://example.org/` or `tcp://192.0.2.1:443`, or remove the key";
    let items = reader.list(entry, remedy).unwrap_or_default();
    if items.len() > MOST_CANARIES {
        let fault = format!("there are {} canaries", items.len());
        reader.fault(entry.at, fault, format!("two or three are enough; at most {MOST_CANARIES} are asked"));
    }
    let mut seen = BTreeSet::new();
    let mut canaries = Vec::new();
    for item in items.into_iter().take(MOST_CANARIES) {
        let Some((text, place, kind)) = canary(reader, item) else { continue };
        if !seen.insert(text.clone()) {
            reader.fault(place, format!("`{text}` is listed twice"), "list it once");
            continue;
        }
        canaries.push(Probe {
            id: format!("{NAME}[{text}]").into(),
            name: NAME.into(),
            component: NAME.into(),
            labels: Labels::new(),
            cadence: Cadence::Every(EVERY),
            timeout: TIMEOUT,
            retry: Retry::never(),
            role: Role::Canary,
            expect: answered(&kind),
            kind,
            resolve: Resolve::default(),
            proxy: None,
        });
    }
    canaries
}

fn canary(reader: &mut Reader<'_>, item: Entry<'_>) -> Option<(String, Place, ProbeKind)> {
    let text = reader.text(item)?;
    let text = shown(reader, text)?;
    let kind = match text.value.strip_prefix("tcp://") {
        Some(rest) => tcp(rest).map(ProbeKind::Tcp),
        None => parse_url(&text.value).map(|url| ProbeKind::Http(page(url))).map_err(|(fault, remedy)| {
            let remedy = if text.value.contains("://") {
                remedy
            } else {
                "write `https://example.org/` or `tcp://192.0.2.1:443`".into()
            };
            (fault, remedy)
        }),
    };
    match kind {
        Ok(kind) => Some((text.value.clone(), text.place, kind)),
        Err((fault, remedy)) => {
            reader.fault(text.place, fault, remedy);
            None
        }
    }
}

fn tcp(text: &str) -> Result<TcpTarget, (String, String)> {
    split(text).map(|(host, port)| TcpTarget::bare(host, port)).ok_or_else(|| {
        let fault = format!("`tcp://{text}` is no host with a port");
        (fault, "write `tcp://192.0.2.1:443` or `tcp://example.org:443`".into())
    })
}

fn page(url: url::Url) -> HttpTarget {
    HttpTarget {
        method: http::Method::GET,
        url,
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
        // The redirect itself is an answer.
        redirects: 0,
        body_cap: BODY_CAP,
        download: None,
        tls: Arc::new(TlsOptions::default()),
    }
}

/// Any answer at all will do: it shows that the network works.
fn answered(kind: &ProbeKind) -> Arc<[Condition]> {
    match kind {
        ProbeKind::Http(_) => Condition::parse("status > 0", &["status"]).into_iter().collect(),
        _ => Arc::default(),
    }
}

/// The rule that says that Tripline cannot see. There is one where that can be told: with canaries, or when the probes
/// ask at least two hosts.
pub(super) fn offline_rule(probes: &[Probe], everyone: Vec<ReceiverId>) -> Option<Rule> {
    let hosts: BTreeSet<&str> =
        probes.iter().filter(|probe| !probe.kind.comes_by_itself()).map(|probe| probe.kind.host()).collect();
    let canaries = probes.iter().any(|probe| probe.role == Role::Canary);
    (canaries || hosts.len() > 1).then(|| Rule {
        id: OFFLINE.into(),
        over: Scope::default(),
        kind: RuleKind::Offline,
        severity: Severity::Minor,
        tell: everyone,
        built_in: true,
    })
}
