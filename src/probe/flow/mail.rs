//! Mail: a step that waits for the service to send one to this check's own address.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};

use super::run::Run;
use super::step::{ReadyStep, Undone};
use super::{FlowProbe, capture};
use crate::model::condition::Fact;
use crate::model::kind::flow::{Capture, Source};
use crate::model::unit::show_duration;
use crate::model::{Condition, FailureClass, Secrets};
use crate::probe::broken::Broken;
use crate::probe::expect::unmet;
use crate::probe::http::Progress;
use crate::probe::stopwatch::{Phase, Trace};
use crate::probe::wire::{self, mail::Mail};

impl FlowProbe {
    /// Waits for a mail that is as expected; one that is not is passed over, and told when no other comes in time.
    pub(super) async fn mail(
        &self,
        step: &ReadyStep,
        within: Duration,
        run: &mut Run,
        whole: &Trace,
        secrets: &Secrets,
    ) -> Result<(), Undone> {
        run.end_try(whole);
        run.trace.enter(Phase::FirstByte);
        let end = Instant::now() + within;
        let mut last = None;
        loop {
            let Some(mailbox) = &mut run.mailbox else {
                return Err(Broken::internal("the flow has no mailbox").into());
            };
            let bytes = match timeout_at(end, mailbox.next()).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Err(Broken::internal("mail is taken no more").into()),
                Err(_) => break,
            };
            let Some(mail) = wire::mail::read(&bytes) else {
                last = Some((FailureClass::Corrupt, "the mail that came has no headers".into()));
                continue;
            };
            // The URL stays, for the cookies that may be captured; all else of the answer before is over.
            let (jar, ask) = (run.answer.jar.take(), Arc::clone(&run.answer.ask));
            run.answer = Progress {
                jar,
                headers: Some(headers(&mail)),
                read: bytes.len(),
                body: mail.text.clone().into_bytes(),
                ..Progress::new(&ask)
            };
            (run.asked, run.came) = (true, Some("a mail"));
            let known = run.known(secrets);
            if let Some(fault) = unexpected(&step.expect, &mail, &|text| crate::probe::evidence::hide(&known, text)) {
                last = Some((FailureClass::Expectation, fault));
                if let Some(html) = &mail.html {
                    let text = std::mem::replace(&mut run.answer.body, html.clone().into_bytes());
                    capture::hide(step.captures.iter(), run).await;
                    run.answer.body = text;
                }
                continue;
            }
            run.trace.close();
            return take(&step.captures, &mail, run).await;
        }
        let (class, fault) =
            last.unwrap_or_else(|| (FailureClass::Missing, format!("no mail came within {}", show_duration(within))));
        Err(Broken::failed(class, fault).into())
    }
}

/// Captures: CSS looks at the HTML part where there is one, all others at the text.
async fn take(captures: &[Capture], mail: &Mail, run: &mut Run) -> Result<(), Undone> {
    let looks_at_page = |capture: &&Capture| matches!(capture.from, Source::Css { .. }) && mail.html.is_some();
    let (page, text): (Vec<&Capture>, Vec<&Capture>) = captures.iter().partition(looks_at_page);
    let owned = |captures: Vec<&Capture>| captures.into_iter().cloned().collect::<Vec<_>>();
    capture::all(&owned(text), run).await?;
    if page.is_empty() {
        return Ok(());
    }
    let text = std::mem::replace(&mut run.answer.body, mail.html.clone().unwrap_or_default().into_bytes());
    let taken = capture::all(&owned(page), run).await;
    run.answer.body = text;
    taken
}

fn headers(mail: &Mail) -> HeaderMap {
    let pairs = mail.headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, value);
    }
    headers
}

/// The first expectation that the mail does not meet.
fn unexpected(conditions: &[Condition], mail: &Mail, hide: &dyn Fn(&str) -> String) -> Option<String> {
    if conditions.is_empty() {
        return None;
    }
    let mut named: BTreeMap<String, Fact> = BTreeMap::new();
    for (name, value) in &mail.headers {
        named.entry(name.clone()).or_insert_with(|| Fact::Text(value.as_str().into()));
    }
    let facts = [
        ("subject", Fact::Text(mail.subject.as_str().into())),
        ("headers", Fact::Map(named)),
        ("body", Fact::Text(mail.text.as_str().into())),
        ("html", Fact::Text(mail.html.as_deref().unwrap_or_default().into())),
    ];
    unmet(conditions, &facts, hide)
}
