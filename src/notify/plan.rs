//! Who is told what, when and why: decided from the incident as it stands, so that a restart decides the same.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Config;
use crate::model::unit::show_about;
use crate::model::{Incident, NotificationKind, Receiver, ReceiverId, Timestamp};

/// How long a receiver is left alone after a message before being told that the incident has spread. A graver severity
/// is told at once.
pub const SPREAD_HOLD: Duration = Duration::from_secs(300);

/// What a receiver is told now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Something.
    Tell {
        /// What kind of news.
        kind: NotificationKind,
        /// Why now, why this receiver.
        reason: String,
    },
    /// Nothing before that moment.
    Wait {
        /// When to decide again.
        until: Timestamp,
        /// What is waited for.
        reason: String,
    },
    /// Nothing until something happens.
    Silent {
        /// Why.
        reason: String,
    },
}

/// Who is told of an incident: those whom the rules of its breaches tell, and who was told before.
#[must_use]
pub fn receivers(incident: &Incident, config: &Config) -> BTreeSet<ReceiverId> {
    let rules = config.rules.iter().filter(|rule| incident.breaches.iter().any(|breach| breach.rule == rule.id));
    rules.flat_map(|rule| rule.tell.iter()).chain(incident.told.keys()).cloned().collect()
}

/// What the receiver is told of the incident now.
#[must_use]
pub fn decide(incident: &Incident, receiver: &Receiver, now: Timestamp) -> Decision {
    let tell = |kind, reason| Decision::Tell { kind, reason };
    let silent = |reason: &str| Decision::Silent { reason: reason.into() };
    let Some(told) = incident.told.get(&receiver.id) else {
        if !incident.is_open() {
            return silent("it was over before there was anything to tell");
        }
        let rule = incident.breaches.last().map_or("a rule", |breach| breach.rule.as_str());
        return tell(NotificationKind::Opened, format!("rule {rule} was breached and tells {}", receiver.id));
    };
    if !incident.is_open() {
        if told.kind == NotificationKind::Resolved {
            return silent("the end was told");
        }
        return tell(NotificationKind::Resolved, format!("it is over, and {} was told of it", receiver.id));
    }
    if told.kind == NotificationKind::Resolved {
        let after = incident.breaches.last().map(|breach| show_about(breach.found.since(told.at)));
        return tell(
            NotificationKind::Reopened,
            format!("it came back {} after its end was told", after.unwrap_or_else(|| "soon".into())),
        );
    }
    if incident.severity > told.severity {
        return tell(
            NotificationKind::Worsened,
            format!("its severity rose from {} to {}", told.severity, incident.severity),
        );
    }
    let mut wait: Option<(Timestamp, &str)> = None;
    if let Some((at, how)) = &incident.worsened
        && *at > told.at
    {
        let due = told.at + SPREAD_HOLD;
        if now >= due {
            return tell(NotificationKind::Worsened, how.clone());
        }
        wait = Some((due, "it has spread, and the last message is young"));
    }
    // While it is watched whether it stays well, nobody needs to be reminded of it.
    if let (Some(every), None, None) = (receiver.remind, &incident.acknowledged, incident.watched_until) {
        let due = told.at + every;
        if now >= due {
            return tell(NotificationKind::Reminder, "it is still open and nobody has acknowledged it".into());
        }
        if wait.is_none_or(|(until, _)| due < until) {
            wait = Some((due, "a reminder comes next"));
        }
    }
    match wait {
        Some((until, reason)) => Decision::Wait { until, reason: reason.into() },
        None => silent("there is nothing new"),
    }
}
