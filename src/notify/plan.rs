//! Who is told what, when and why: decided from the incident as it stands, so that a restart decides the same.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Config;
use crate::model::unit::show_about;
use crate::model::{Incident, NotificationKind, Receiver, ReceiverId, Timestamp, WithheldFor};

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
    /// There is news, and the receiver is not told of it.
    Withhold {
        /// When to decide again; never, unless something happens, without.
        until: Option<Timestamp>,
        /// What keeps it back.
        cause: WithheldFor,
        /// Why not.
        reason: String,
    },
    /// There is no news.
    Nothing {
        /// When there will be, if nothing else happens.
        again: Option<Timestamp>,
    },
}

impl Decision {
    /// When to decide again, if nothing else happens before.
    #[must_use]
    pub fn again(&self) -> Option<Timestamp> {
        match self {
            Self::Tell { .. } => None,
            Self::Withhold { until, .. } => *until,
            Self::Nothing { again, .. } => *again,
        }
    }
}

/// Who is told of an incident: those whom the rules of its breaches tell, and who was told before.
#[must_use]
pub fn receivers(incident: &Incident, config: &Config) -> BTreeSet<ReceiverId> {
    let rules = config.rules.iter().filter(|rule| incident.breaches.iter().any(|breach| breach.rule == rule.id));
    rules.flat_map(|rule| rule.tell.iter()).chain(incident.told.keys()).cloned().collect()
}

/// Why nobody is told of an incident that has no [`receivers`].
#[must_use]
pub fn nobody(config: &Config) -> String {
    let reason = if config.receivers.is_empty() {
        "no receivers are configured"
    } else {
        "none of the rules that it breached is in the configuration any more"
    };
    reason.to_owned()
}

/// Whether there is news that a receiver who is not configured any more would be told.
#[must_use]
pub fn has_news_for(incident: &Incident, gone: &ReceiverId, now: Timestamp) -> bool {
    !matches!(decide_for(incident, gone, None, now), Decision::Nothing { .. })
}

/// What the receiver is told of the incident now.
#[must_use]
pub fn decide(incident: &Incident, receiver: &Receiver, now: Timestamp) -> Decision {
    decide_for(incident, &receiver.id, receiver.remind, now)
}

fn decide_for(incident: &Incident, receiver: &ReceiverId, remind: Option<Duration>, now: Timestamp) -> Decision {
    let tell = |kind, reason| Decision::Tell { kind, reason };
    let Some(told) = incident.told.get(receiver) else {
        if !incident.is_open() {
            let reason = "it ended before a message was due".to_owned();
            return Decision::Withhold { until: None, cause: WithheldFor::End, reason };
        }
        let rule = incident.breaches.last().map_or("a rule", |breach| breach.rule.as_str());
        return tell(NotificationKind::Opened, format!("rule {rule} was breached and tells {receiver}"));
    };
    if !incident.is_open() {
        if told.kind == NotificationKind::Resolved {
            return Decision::Nothing { again: None };
        }
        return tell(NotificationKind::Resolved, format!("it is over, and {receiver} was told of it"));
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
    // While it is watched whether it stays well, nobody needs to be reminded of it.
    let reminds = incident.acknowledged.is_none() && incident.watched_until.is_none();
    let reminder = remind.filter(|_| reminds).map(|every| told.at + every);
    let spread = incident.worsened.as_ref().filter(|(at, _)| *at > told.at);
    if let Some((_, how)) = spread.filter(|_| now >= told.at + SPREAD_HOLD) {
        return tell(NotificationKind::Worsened, how.clone());
    }
    if reminder.is_some_and(|due| now >= due) {
        return tell(NotificationKind::Reminder, "it is still open and nobody has acknowledged it".into());
    }
    match spread {
        Some((_, how)) => {
            let until = reminder.map_or(told.at + SPREAD_HOLD, |due| due.min(told.at + SPREAD_HOLD));
            let reason = format!("{how}; the last message is less than {} old", show_about(SPREAD_HOLD));
            Decision::Withhold { until: Some(until), cause: WithheldFor::Pause, reason }
        }
        None => Decision::Nothing { again: reminder },
    }
}
