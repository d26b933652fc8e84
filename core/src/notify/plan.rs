//! Who is told what, when and why: decided from the incident as it stands, so that a restart decides the same.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Config;
use crate::incident::spread;
use crate::model::incident::Told;
use crate::model::unit::show_about;
use crate::model::{Incident, Named, NotificationKind, Receiver, ReceiverId, Timestamp, WithheldFor};

/// So long what is new is gathered before it is told: one message says more than three. A graver severity is told at
/// once.
pub const GATHER: Duration = Duration::from_secs(40);

/// So long after a message that it has spread, or reached farther, comes the next such message at the earliest.
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
pub fn has_news_for(incident: &Incident, gone: &ReceiverId, config: &Config, now: Timestamp) -> bool {
    !matches!(decide_for(incident, gone, None, config, now), Decision::Nothing { .. })
}

/// What the receiver is told of the incident now.
#[must_use]
pub fn decide(incident: &Incident, receiver: &Receiver, config: &Config, now: Timestamp) -> Decision {
    decide_for(incident, &receiver.id, receiver.remind, config, now)
}

fn decide_for(
    incident: &Incident,
    receiver: &ReceiverId,
    remind: Option<Duration>,
    config: &Config,
    now: Timestamp,
) -> Decision {
    let tell = |kind, reason| Decision::Tell { kind, reason };
    let corrected = &incident.corrected;
    if let Some(into) = corrected.merged_into {
        let reason = format!("it goes on as part of incident {}", into.short());
        return Decision::Withhold { until: None, cause: WithheldFor::Merged, reason };
    }
    let Some(told) = incident.told.get(receiver) else {
        if !incident.is_open() {
            let reason = "it ended before a message was due".to_owned();
            return Decision::Withhold { until: None, cause: WithheldFor::End, reason };
        }
        let rule = incident.breaches.last().map_or("a rule", |breach| breach.rule.as_str());
        let split = corrected.split_from.as_ref();
        let split = split.map(|(other, by)| format!("it was split from incident {} by {by}, and ", other.short()));
        let reason = format!("{}rule {rule} was breached, and notifies {receiver}", split.unwrap_or_default());
        return tell(NotificationKind::Opened, reason);
    };
    if !incident.is_open() {
        if let Some(alarm) = corrected.false_alarm.as_ref().filter(|alarm| alarm.untold.contains(receiver)) {
            let reason = format!("{receiver} was notified of it, and {} says that it was a false alarm", alarm.by);
            return tell(NotificationKind::Resolved, reason);
        }
        if told.kind == NotificationKind::Resolved {
            return Decision::Nothing { again: None };
        }
        let how = if incident.unwatched.is_some() { "no longer watched" } else { "resolved" };
        return tell(NotificationKind::Resolved, format!("it is {how}, and {receiver} was notified of it"));
    }
    if let Some(other) = told.merged {
        let other = other.short();
        return tell(
            NotificationKind::Updated,
            format!("incident {other}, of which {receiver} was told, is part of it"),
        );
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
    let reminds_now = reminder.is_some_and(|due| now >= due);
    match news(incident, told, config) {
        Some(News { due, kind, what }) if now >= due => tell(kind, what),
        Some(_) if reminds_now => tell(NotificationKind::Reminder, UNACKNOWLEDGED.into()),
        Some(News { due, what, .. }) => {
            let until = reminder.map_or(due, |reminder| reminder.min(due));
            let reason = format!("{what}; what is new is gathered until {}", due.show_clock());
            Decision::Withhold { until: Some(until), cause: WithheldFor::Pause, reason }
        }
        None if reminds_now => tell(NotificationKind::Reminder, UNACKNOWLEDGED.into()),
        None => Decision::Nothing { again: reminder },
    }
}

/// Why a reminder is sent.
const UNACKNOWLEDGED: &str = "it is still open and nobody has acknowledged it";

/// What a receiver has not heard of an incident that goes on.
struct News {
    /// When to tell it.
    due: Timestamp,
    kind: NotificationKind,
    what: String,
}

fn news(incident: &Incident, told: &Told, config: &Config) -> Option<News> {
    let unheard = told.unheard?;
    let what = spread::unheard(&told.heard, &Named::of(&incident.finding), config)?;
    let gathered = unheard.since + GATHER;
    let due = told.spread.map_or(gathered, |last| gathered.max(last + SPREAD_HOLD));
    let (kind, what) = if unheard.worse {
        (NotificationKind::Worsened, format!("it now also hits {what}"))
    } else {
        // It reached so far from its start.
        (NotificationKind::Updated, format!("it is now known that it also hits {what}"))
    };
    Some(News { due, kind, what })
}
