//! The mail kind: a mail is sent, or another system sends one, and it arrives in a mailbox.

mod arrival;
mod composed;

use std::time::Duration;

use tokio::time::Instant;

use super::frame::{Broken, Question, Seen};
use super::imap::{ImapRoute, ImapSession};
use super::means::Means;
use super::smtp::SmtpRoute;
use super::stopwatch::{Phase, Trace};
use super::wire::letter::authentication;
use crate::model::condition::Fact;
use crate::model::unit::show_duration;
use crate::model::{FailureClass, MailTarget, ProbeId, Resolve};

pub(super) use arrival::{Arrival, Wanted, take, wait};
use composed::Composed;

/// A round trip that can be made again and again.
pub(super) struct MailProbe {
    request: String,
    /// Begins the subject of each mail of this probe.
    mark: String,
    send: Option<Send>,
    inbox: ImapRoute,
    mailbox: String,
    wanted: Wanted,
    within: Duration,
    timeout: Duration,
}

struct Send {
    route: SmtpRoute,
    sender: String,
    recipient: String,
}

impl MailProbe {
    pub(super) fn new(
        target: &MailTarget,
        probe: &ProbeId,
        timeout: Duration,
        resolve: Resolve,
        request: String,
        means: &mut Means,
    ) -> Result<Self, String> {
        let send = match &target.send {
            Some(send) => Some(Send {
                route: SmtpRoute::new(&send.server, send.helo.clone(), resolve, means)?,
                sender: send.sender.clone(),
                recipient: send.recipient.clone(),
            }),
            None => None,
        };
        Ok(Self {
            request,
            mark: composed::mark(probe),
            send,
            inbox: ImapRoute::new(&target.inbox, resolve, means)?,
            mailbox: target.mailbox.clone(),
            wanted: Wanted { subject: target.subject.clone(), from: target.from.clone(), to: None },
            within: target.within.unwrap_or(timeout / 10 * 9),
            timeout,
        })
    }

    /// Sends a mail; what is to be looked for, and what the server said when it took the mail.
    async fn send(&self, send: &Send, trace: &Trace, seen: &mut Seen) -> Result<(Wanted, String), Broken> {
        let composed = Composed::new(&self.mark, &send.sender, &send.recipient)?;
        let mut session = send.route.open(trace, seen).await?;
        session.mail_from(&send.sender, seen).await?;
        session.recipient(&send.recipient, seen).await?;
        let taken = session.data(&composed.text, seen).await?;
        seen.headers.push(("accepted".into(), taken.clone()));
        session.quit().await;
        Ok((Wanted { subject: Some(composed.subject), ..Wanted::default() }, taken))
    }

    async fn sweep(&self, inbox: &mut ImapSession, seen: &mut Seen) -> Result<(), Broken> {
        let old = inbox.search(&composed::stale(&self.mark), seen).await?;
        inbox.delete(&old, seen).await
    }
}

impl Question for MailProbe {
    fn request(&self) -> &str {
        &self.request
    }

    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        // The mailbox first: nothing is sent that nobody would fetch, and logging in does not count as delivery.
        let mut inbox = self.inbox.open(trace, seen).await?;
        inbox.look_into(&self.mailbox, true, seen).await?;
        let (wanted, taken) = match &self.send {
            Some(send) => {
                let (wanted, taken) = self.send(send, trace, seen).await?;
                (wanted, Some(taken))
            }
            None => (self.wanted.clone(), None),
        };
        trace.enter(Phase::FirstByte);
        let accepted = Instant::now();
        // A little is kept back, so that a mail that is missing is called so even when sending it took long.
        let left = (self.timeout / 20 * 19).saturating_sub(trace.elapsed());
        let found = wait(&mut inbox, &wanted, accepted + self.within.min(left), seen).await?;
        let delay = accepted.elapsed();
        trace.enter(Phase::Transfer);
        if found.is_empty() {
            let waited = show_duration(delay);
            let fault = match taken {
                Some(taken) => {
                    format!("the mail was accepted ({taken}) and was not in {} within {waited}", self.mailbox)
                }
                None => format!("no mail that matches was in {} within {waited}", self.mailbox),
            };
            return Err(Broken::failed(FailureClass::Missing, fault));
        }
        let arrival = take(&mut inbox, found, seen).await?;
        if self.send.is_some() {
            self.sweep(&mut inbox, seen).await?;
        }
        inbox.log_out().await;
        tell(&arrival, delay, seen);
        Ok(())
    }
}

/// Notes what expectations can look at.
fn tell(arrival: &Arrival, delay: Duration, seen: &mut Seen) {
    let letter = &arrival.letter;
    let text = |text: &str| Fact::Text(text.into());
    let mut headers = std::collections::BTreeMap::<String, String>::new();
    for (name, value) in &letter.headers {
        let whole = headers.entry(name.clone()).or_default();
        if !whole.is_empty() {
            whole.push_str(", ");
        }
        whole.push_str(value);
    }
    for (name, value) in letter.headers.iter().filter(|(name, _)| name != "received") {
        seen.headers.push((name.clone(), value.clone()));
    }
    let judged = letter.header("authentication-results").map(authentication).unwrap_or_default();
    let map = |pairs: std::collections::BTreeMap<String, String>| {
        Fact::Map(pairs.into_iter().map(|(name, value)| (name, Fact::Text(value.into()))).collect())
    };
    seen.facts.extend([
        ("subject", text(&letter.subject)),
        ("body", text(&letter.text)),
        ("headers", map(headers)),
        ("auth", map(judged)),
        ("size", Fact::Int(i64::try_from(arrival.size).unwrap_or(i64::MAX))),
        ("delay", Fact::Span(delay)),
    ]);
    seen.hear(letter.text.as_bytes());
}
