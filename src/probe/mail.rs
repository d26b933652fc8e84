//! The mail kind: a mail is sent, or another system sends one, and it arrives in a mailbox, or here.

mod arrival;
mod composed;

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::broken::Broken;
use super::finding::{Finding, Internal};
use super::imap::ImapRoute;
use super::prepared::{PreparedKind, Terms};
use super::question::{self, Question, Seen};
use super::shared::Shared;
use super::smtp::SmtpRoute;
use super::stopwatch::{Phase, Trace};
use super::wire::mail::{self as wire_mail, authentication};
use crate::inbox::Inbox;
use crate::inbox::mail::{Expected, Taken};
use crate::model::condition::Fact;
use crate::model::unit::show_duration;
use crate::model::{self, FailureClass, MailSend, MailTarget, Probe};

pub(super) use arrival::{Arrival, Wanted, take, wait};
use composed::Composed;

/// A round trip that can be made again and again.
pub(super) struct MailProbe {
    /// Begins the subject of each mail of this probe.
    mark: String,
    delivery: Delivery,
    within: Duration,
    timeout: Duration,
}

enum Delivery {
    ToUs(Box<Send>),
    ToMailbox(Box<ToMailbox>),
}

struct ToMailbox {
    send: Option<Send>,
    inbox: ImapRoute,
    mailbox: String,
    wanted: Wanted,
}

struct Send {
    route: SmtpRoute,
    sender: String,
    recipient: String,
}

/// One check: a round trip, and the mail that comes to ourselves.
struct Round<'m> {
    mail: &'m MailProbe,
    inbox: Option<&'m Inbox>,
}

/// What a mail server said when it took a mail, and what tells that mail.
struct Sent {
    taken: String,
    subject: String,
}

impl MailProbe {
    pub(super) fn new(target: &MailTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let mut sending = |send: &MailSend| {
            Ok::<_, String>(Send {
                route: SmtpRoute::new(&send.server, send.helo.clone(), probe.resolve, shared)?,
                sender: send.sender.clone(),
                recipient: send.recipient.clone(),
            })
        };
        let delivery = match &target.delivery {
            model::MailDelivery::ToUs(send) => Delivery::ToUs(Box::new(sending(send)?)),
            model::MailDelivery::ToMailbox { send, inbox, mailbox, subject, from } => {
                let send = send.as_ref().map(sending).transpose()?;
                Delivery::ToMailbox(Box::new(ToMailbox {
                    send,
                    inbox: ImapRoute::new(inbox, probe.resolve, shared)?,
                    mailbox: mailbox.clone(),
                    wanted: Wanted { subject: subject.clone(), from: from.clone(), to: None },
                }))
            }
        };
        let within = target.within.unwrap_or(probe.timeout / 10 * 9);
        Ok(Self { mark: composed::mark(&probe.id), delivery, within, timeout: probe.timeout })
    }

    /// Sends a mail to this address.
    async fn send(&self, send: &Send, recipient: &str, trace: &Trace, seen: &mut Seen) -> Result<Sent, Broken> {
        let composed = Composed::new(&self.mark, &send.sender, recipient)?;
        let mut session = send.route.open(trace, seen).await?;
        session.mail_from(&send.sender, seen).await?;
        session.recipient(recipient, seen).await?;
        let taken = session.data(&composed.text, seen).await?;
        seen.headers.push(("accepted".into(), taken.clone()));
        session.quit().await;
        Ok(Sent { taken, subject: composed.subject })
    }

    /// How long a mail is waited for. A little is kept back, so that a mail that is missing is called so even when sending
    /// it took long.
    fn patience(&self, trace: &Trace) -> Duration {
        self.within.min((self.timeout / 20 * 19).saturating_sub(trace.elapsed()))
    }

    async fn to_mailbox(&self, to: &ToMailbox, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        // The mailbox first: nothing is sent that nobody would fetch, and logging in does not count as delivery.
        let mut inbox = to.inbox.open(trace, seen).await?;
        inbox.look_into(&to.mailbox, true, seen).await?;
        let (wanted, taken) = match &to.send {
            Some(send) => {
                let sent = self.send(send, &send.recipient, trace, seen).await?;
                (Wanted { subject: Some(sent.subject), ..Wanted::default() }, Some(sent.taken))
            }
            None => (to.wanted.clone(), None),
        };
        trace.enter(Phase::FirstByte);
        let accepted = Instant::now();
        let found = wait(&mut inbox, &wanted, accepted + self.patience(trace), seen).await?;
        let delay = accepted.elapsed();
        trace.enter(Phase::Transfer);
        if found.is_empty() {
            let (mailbox, waited) = (&to.mailbox, show_duration(delay));
            let fault = match taken {
                Some(taken) => format!("the mail was accepted ({taken}) and was not in {mailbox} within {waited}"),
                None => format!("no mail that matches was in {mailbox} within {waited}"),
            };
            return Err(Broken::failed(FailureClass::Missing, fault));
        }
        let arrival = take(&mut inbox, found, seen).await?;
        if to.send.is_some() {
            let old = inbox.search(&composed::stale(&self.mark), seen).await?;
            inbox.delete(&old, seen).await?;
        }
        inbox.log_out().await;
        tell(&arrival, delay, seen);
        Ok(())
    }

    async fn to_us(&self, send: &Send, inbox: Option<&Inbox>, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let mut mails = expected(inbox, &send.recipient, Taken::Own).map_err(Broken::Internal)?;
        let address = mails.address.clone();
        let sent = self.send(send, &address, trace, seen).await?;
        trace.enter(Phase::FirstByte);
        let accepted = Instant::now();
        let mail = match timeout_at(accepted + self.patience(trace), mails.next()).await {
            Ok(Some(mail)) => mail,
            Ok(None) => return Err(Broken::internal("mail is taken no more")),
            Err(_) => {
                let (taken, waited) = (sent.taken, show_duration(accepted.elapsed()));
                let fault = format!("the mail was accepted ({taken}) and did not come to {address} within {waited}");
                return Err(Broken::failed(FailureClass::Missing, fault));
            }
        };
        let delay = accepted.elapsed();
        trace.enter(Phase::Transfer);
        let Some(read) = wire_mail::read(&mail) else {
            return Err(Broken::failed(FailureClass::Corrupt, "the mail that arrived has no headers"));
        };
        tell(&Arrival { size: u64::try_from(mail.len()).unwrap_or(u64::MAX), mail: read }, delay, seen);
        Ok(())
    }
}

impl PreparedKind for MailProbe {
    fn check<'a>(&'a self, terms: Terms<'a>) -> BoxFuture<'a, Result<Finding, Internal>> {
        Box::pin(async move { question::check(&Round { mail: self, inbox: terms.inbox }, terms).await })
    }
}

impl Question for Round<'_> {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        match &self.mail.delivery {
            Delivery::ToUs(send) => self.mail.to_us(send, self.inbox, trace, seen).await,
            Delivery::ToMailbox(to) => self.mail.to_mailbox(to, trace, seen).await,
        }
    }
}

/// Waits for mail to an address of a check's own, made of this one; where no mail is taken here, that is our own fault.
pub(super) fn expected(inbox: Option<&Inbox>, base: &str, taken: Taken) -> Result<Expected, Internal> {
    let nobody = || Internal("nothing takes mail here: that needs `--listen-mail`".into());
    inbox.and_then(|inbox| inbox.mailboxes().wait(base, taken)).ok_or_else(nobody)
}

/// Notes what expectations can look at.
fn tell(arrival: &Arrival, delay: Duration, seen: &mut Seen) {
    let mail = &arrival.mail;
    let text = |text: &str| Fact::Text(text.into());
    let mut headers = std::collections::BTreeMap::<String, String>::new();
    for (name, value) in &mail.headers {
        let whole = headers.entry(name.clone()).or_default();
        if !whole.is_empty() {
            whole.push_str(", ");
        }
        whole.push_str(value);
    }
    for (name, value) in mail.headers.iter().filter(|(name, _)| name != "received") {
        seen.headers.push((name.clone(), value.clone()));
    }
    let judged = mail.header("authentication-results").map(authentication).unwrap_or_default();
    let map = |pairs: std::collections::BTreeMap<String, String>| {
        Fact::Map(pairs.into_iter().map(|(name, value)| (name, Fact::Text(value.into()))).collect())
    };
    seen.facts.extend([
        ("subject", text(&mail.subject)),
        ("body", text(&mail.text)),
        ("headers", map(headers)),
        ("auth", map(judged)),
        ("size", Fact::Int(i64::try_from(arrival.size).unwrap_or(i64::MAX))),
        ("delay", Fact::Span(delay)),
    ]);
    seen.hear(mail.text.as_bytes());
}
