//! A question, asked within bounds, the same for every kind but HTTP: its time limit, its expectations, its evidence.

use futures_util::future::BoxFuture;
use std::net::IpAddr;

use super::broken::Broken;
use super::evidence::{BODY_SEEN, Gathered, evidence, hide};
use super::expect::unmet;
use super::finding::{Finding, Internal};
use super::prepared::{PreparedKind, Terms};
use super::stopwatch::{TRACE, Trace};
use super::{classify, expiry};
use crate::model::condition::Fact;
use crate::model::unit::show_duration;
use crate::model::{Condition, FailureClass, Outcome, Secrets, Timestamp};

/// What a check has seen so far; it outlives the attempt when time runs out.
#[derive(Default)]
pub(super) struct Seen {
    /// The protocol's own status number.
    pub(super) status: Option<u16>,
    /// The address connected to.
    pub(super) address: Option<IpAddr>,
    /// What the phase `tls` is called where it is no TLS: `the key exchange`.
    pub(super) handshake: Option<&'static str>,
    /// What of our own is being waited for, as what is wrong if time runs out then: no failure of the other side.
    pub(super) ours: Option<&'static str>,
    /// What the other side said of itself, by name, for evidence: `host key`, `banner`.
    pub(super) headers: Vec<(String, String)>,
    /// What the other side answered, for evidence; see [`Seen::hear`].
    pub(super) said: Vec<u8>,
    /// How many bytes it answered, kept or not.
    pub(super) read: usize,
    /// What runs out first of all that was shown, where that is not for the first certificate alone to say.
    pub(super) expires: Option<Timestamp>,
    /// What the other side gave us that must not be shown: tokens.
    pub(super) secrets: Vec<String>,
    /// What expectations can look at, beside `timing` and `address`.
    pub(super) facts: Vec<(&'static str, Fact)>,
}

impl Seen {
    /// Keeps what was said for evidence, as far as evidence goes.
    pub(super) fn hear(&mut self, said: &[u8]) {
        let room = BODY_SEEN.saturating_sub(self.said.len()).min(said.len());
        self.said.extend_from_slice(&said[..room]);
        self.read += said.len();
    }
}

/// A question that can be asked again and again.
pub(super) trait Question: Send + Sync {
    /// Asks once, without a limit of time of its own: `check` has one, and drops this when time is up. So what has
    /// been seen is noted at once, and every phase is entered in the trace as it begins.
    fn ask(&self, trace: &Trace, seen: &mut Seen) -> impl Future<Output = Result<(), Broken>> + Send;
}

impl<Q: Question> PreparedKind for Q {
    fn check<'a>(&'a self, terms: Terms<'a>) -> BoxFuture<'a, Result<Finding, Internal>> {
        Box::pin(check(self, terms))
    }
}

/// Makes one check, within its time, and judges the answer by its expectations.
pub(super) async fn check<Q: Question>(question: &Q, terms: Terms<'_>) -> Result<Finding, Internal> {
    let Terms { request, expect, limit, trace, secrets, .. } = terms;
    let mut seen = Seen::default();
    let asking = TRACE.scope(trace.clone(), question.ask(trace, &mut seen));
    let left = limit.saturating_sub(trace.elapsed());
    let failure = match tokio::time::timeout(left, asking).await {
        Ok(Ok(())) => {
            trace.close();
            judge(expect, trace, &mut seen, secrets)
        }
        Ok(Err(Broken::Failed(class, fault))) => Some((class, fault)),
        Ok(Err(Broken::Internal(fault))) => return Err(fault),
        Err(_) => {
            if let Some(ours) = seen.ours {
                return Err(Internal(format!("{ours} within {}", show_duration(limit))));
            }
            let fault = classify::timeout_fault(limit, trace.open(), seen.read);
            let fault = match seen.handshake {
                Some(name) => fault.replace("the TLS handshake", name),
                None => fault,
            };
            Some((FailureClass::Timeout, fault))
        }
    };
    trace.close();
    let address = seen.address.or_else(|| trace.only_candidate());
    let mut finding = Finding {
        outcome: Outcome::Success,
        status: seen.status,
        address,
        expires: seen.expires.or_else(|| trace.with_leaf(expiry::read).flatten()),
        evidence: None,
    };
    let Some((class, fault)) = failure else { return Ok(finding) };
    let secrets =
        if seen.secrets.is_empty() { secrets.clone() } else { secrets.and(&Secrets::new(seen.secrets.drain(..))) };
    let gathered =
        Gathered { request, address, headers: seen.headers, body: &seen.said, peer: trace.peer(), redirects: &[] };
    finding.evidence = Some(evidence(&fault, gathered, &secrets));
    finding.outcome = Outcome::Failure(class);
    Ok(finding)
}

/// The first expectation that does not hold. A kind's own verdict, such as a status of failure, comes before these.
fn judge(expect: &[Condition], trace: &Trace, seen: &mut Seen, secrets: &Secrets) -> Option<(FailureClass, String)> {
    if expect.is_empty() {
        return None;
    }
    let mut facts = std::mem::take(&mut seen.facts);
    facts.push(("timing", Fact::timing(&trace.phases())));
    facts.push(("address", seen.address.map_or(Fact::Null, |address| Fact::Text(address.to_string().into()))));
    let fault = unmet(expect, &facts, &|text| hide(secrets, text))?;
    Some((FailureClass::Expectation, fault))
}
