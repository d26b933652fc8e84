//! The IMAP kind: a mail server is greeted, and a mailbox is looked into.

mod mailbox;
mod opening;
mod session;

use super::broken::Broken;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::Trace;
use crate::model::condition::Fact;
use crate::model::{ImapTarget, Probe};

pub(super) use opening::ImapRoute;
pub(super) use session::{ImapSession, quote};

/// A look that can be taken again and again.
pub(super) struct ImapProbe {
    route: ImapRoute,
    mailbox: Option<String>,
}

impl ImapProbe {
    pub(super) fn new(target: &ImapTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let route = ImapRoute::new(&target.server, probe.resolve, shared)?;
        Ok(Self { route, mailbox: target.mailbox.clone() })
    }
}

impl Question for ImapProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let mut session = self.route.open(trace, seen).await?;
        let messages = match &self.mailbox {
            Some(mailbox) => session.look_into(mailbox, false, seen).await?.map(i64::try_from),
            None => None,
        };
        seen.facts.push(("messages", messages.and_then(Result::ok).map_or(Fact::Null, Fact::Int)));
        seen.facts.push(("banner", Fact::Text(session.banner.as_str().into())));
        let capabilities = session.capabilities.iter().map(|word| Fact::Text(word.as_str().into()));
        seen.facts.push(("capabilities", Fact::List(capabilities.collect())));
        session.log_out().await;
        Ok(())
    }
}
