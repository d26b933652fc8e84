//! Receiving: a step that waits for the service to call us.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout_at};

use super::run::Run;
use super::step::{ReadyStep, Undone};
use super::{FlowProbe, capture};
use crate::inbox::Call;
use crate::model::condition::Fact;
use crate::model::kind::flow::Signature;
use crate::model::unit::show_duration;
use crate::model::{Condition, FailureClass, Secrets};
use crate::probe::broken::Broken;
use crate::probe::expect;
use crate::probe::http::Progress;
use crate::probe::stopwatch::{Phase, Trace};
use crate::probe::wire::redirect::Ask;
use crate::probe::wire::signature::signs;

impl FlowProbe {
    /// Waits for a call that is as expected; one that is not is passed over, and told when no other comes in time.
    pub(super) async fn receive(
        &self,
        step: &ReadyStep,
        within: Duration,
        run: &mut Run,
        whole: &Trace,
        secrets: &Secrets,
    ) -> Result<(), Undone> {
        let Some(hook) = &self.hook else { return Err(Broken::internal("the flow has no hook").into()) };
        run.end_try(whole);
        run.trace.enter(Phase::FirstByte);
        let end = Instant::now() + within;
        let mut last = None;
        loop {
            let Some(calls) = &mut run.calls else {
                return Err(Broken::internal("nothing listens for the hook: only `tripline run` does").into());
            };
            let call = match timeout_at(end, calls.next()).await {
                Ok(Some(call)) => call,
                Ok(None) => return Err(Broken::internal("the hook is known no more").into()),
                Err(_) => break,
            };
            let jar = run.answer.jar.take();
            let ask = Ask {
                method: call.method.clone(),
                url: hook.url.clone(),
                headers: http::HeaderMap::new(),
                body: bytes::Bytes::new(),
                address: None,
            };
            run.answer = Progress {
                jar,
                headers: Some(call.headers.clone()),
                read: call.body.len(),
                body: call.body.to_vec(),
                ..Progress::new(&Arc::new(ask))
            };
            (run.asked, run.came) = (true, Some("a call"));
            let unmet = match unsigned(hook.signature.as_ref(), &call) {
                Some(fault) => Some((FailureClass::Unauthorized, fault)),
                None => {
                    unexpected(&step.expect, &call, &|text| crate::probe::evidence::hide(&run.known(secrets), text))
                }
            };
            if let Some((class, fault)) = unmet {
                last = Some((class, fault));
                continue;
            }
            run.trace.close();
            return capture::all(&step.captures, run).await;
        }
        let (class, fault) =
            last.unwrap_or_else(|| (FailureClass::Missing, format!("no call came within {}", show_duration(within))));
        Err(Broken::failed(class, fault).into())
    }
}

/// Why the call is not signed as it should be, if it is not.
fn unsigned(signature: Option<&Signature>, call: &Call) -> Option<String> {
    let Signature { secret, header } = signature?;
    let Some(value) = call.headers.get(header) else { return Some(format!("the call has no header {header}")) };
    let signed = signs(value.as_bytes(), secret.expose_secret().as_bytes(), &call.body);
    (!signed).then(|| format!("the signature in {header} is not that of the body"))
}

/// The first expectation that the call does not meet.
fn unexpected(
    conditions: &[Condition],
    call: &Call,
    hide: &dyn Fn(&str) -> String,
) -> Option<(FailureClass, String)> {
    if conditions.is_empty() {
        return None;
    }
    let mut facts = vec![
        ("method", Fact::Text(call.method.as_str().into())),
        ("headers", expect::headers(&call.headers)),
        ("body", Fact::Text(String::from_utf8_lossy(&call.body).into())),
    ];
    if expect::mentioned(conditions, "json") {
        match expect::json_fact(&call.body) {
            Ok(json) => facts.push(("json", json)),
            Err(fault) => return Some((FailureClass::Expectation, fault)),
        }
    }
    Some((FailureClass::Expectation, expect::unmet(conditions, &facts, hide)?))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, Method};

    use super::*;

    #[test]
    fn a_signature_is_that_of_the_whole_body_or_the_call_is_not_the_services() {
        // The example of GitHub's own documentation.
        let header = HeaderName::from_static("x-hub-signature-256");
        let signature = Signature { secret: "It's a Secret to Everybody".into(), header: header.clone() };
        let call = |value: Option<&str>| {
            let headers = value.map(|value| (header.clone(), value.parse().unwrap()));
            let headers = HeaderMap::from_iter(headers);
            let body = bytes::Bytes::from_static(b"Hello, World!");
            Call { method: Method::POST, headers, body }
        };
        let digits = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        for good in [format!("sha256={digits}"), digits.to_owned(), digits.to_uppercase()] {
            assert_eq!(unsigned(Some(&signature), &call(Some(&good))), None, "{good}");
        }
        for bad in ["", "sha256=", "sha1=00", &digits[..62], &digits.replace('7', "8")] {
            let fault = unsigned(Some(&signature), &call(Some(bad))).unwrap();
            assert_eq!(fault, "the signature in x-hub-signature-256 is not that of the body");
        }
        assert_eq!(unsigned(Some(&signature), &call(None)).unwrap(), "the call has no header x-hub-signature-256");
        assert_eq!(unsigned(None, &call(None)), None);
    }
}
