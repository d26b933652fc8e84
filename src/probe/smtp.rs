//! The SMTP kind: a mail server is greeted, and asked whether it would take a mail.

mod session;

use super::broken::Broken;
use super::expect::mentioned;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::Trace;
use crate::model::condition::Fact;
use crate::model::{Probe, SmtpTarget};

pub(super) use session::{SmtpRoute, SmtpSession};

/// A greeting that can be made again and again.
pub(super) struct SmtpProbe {
    route: SmtpRoute,
    sender: String,
    recipient: Option<String>,
    /// Whether an expectation says which code is right, so that a refused recipient need not be a failure.
    judged: bool,
}

impl SmtpProbe {
    pub(super) fn new(target: &SmtpTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        Ok(Self {
            route: SmtpRoute::new(&target.server, target.helo.clone(), probe.resolve, shared)?,
            sender: target.sender.clone(),
            recipient: target.recipient.clone(),
            judged: mentioned(&probe.expect, "code"),
        })
    }
}

impl Question for SmtpProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let mut session = self.route.open(trace, seen).await?;
        if let Some(recipient) = &self.recipient {
            session.mail_from(&self.sender, seen).await?;
            match session.recipient(recipient, seen).await {
                Err(Broken::Failed(..)) if self.judged && seen.status.is_some_and(|code| code >= 400) => {}
                other => other?,
            }
        }
        let extensions = session.extensions.iter().map(|extension| Fact::Text(extension.as_str().into()));
        seen.facts.push(("extensions", Fact::List(extensions.collect())));
        seen.facts.push(("banner", Fact::Text(session.banner.as_str().into())));
        seen.facts.push(("code", seen.status.map_or(Fact::Null, |code| Fact::Int(code.into()))));
        session.quit().await;
        Ok(())
    }
}
