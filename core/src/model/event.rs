//! Events: what happened to an incident, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::breach::Breach;
use super::corrected::Apart;
use super::finding::Finding;
use super::formerly::IdOf;
use super::id::{BreachId, IncidentId, NotificationId, ReceiverId};
use super::named::Named;
use super::notification::NotificationKind;
use super::severity::Severity;
use super::unit::{Timestamp, show_about};

/// Something that happened to an incident.
#[derive(Clone, PartialEq, Debug)]
pub struct IncidentEvent {
    /// Which incident.
    pub incident: IncidentId,
    /// Its number within the incident, from 0.
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: IncidentChange,
}

/// What can happen to an incident.
#[derive(Clone, PartialEq, Debug)]
pub enum IncidentChange {
    /// A breach that belongs to no open incident opened it.
    Opened {
        /// The breach.
        breach: Breach,
        /// What its checks show.
        finding: Finding,
    },
    /// Another breach belongs to it.
    Joined {
        /// The breach.
        breach: Breach,
        /// Why it belongs here: `shares component api`.
        reason: String,
    },
    /// One of its breaches is over.
    Cleared {
        /// Which.
        breach: BreachId,
        /// Why, with the numbers.
        reason: String,
    },
    /// Its checks show something else than before: it has spread, or another cause stands out.
    Assessed {
        /// What they show now.
        finding: Finding,
        /// What is new: `also on API`.
        reason: String,
        /// Whether that makes it worse for customers.
        worse: bool,
    },
    /// So much of the service is hit that it is graver than its rules say.
    Raised {
        /// How grave it is now.
        severity: Severity,
        /// What is hit.
        reason: String,
    },
    /// All its breaches are over, but it came back before: it is watched whether it stays well.
    Watched {
        /// Until when.
        until: Timestamp,
        /// What ended.
        reason: String,
    },
    /// It was resolved, and has come back.
    Reopened {
        /// The breach that says so.
        breach: Breach,
        /// Why it is the same.
        reason: String,
    },
    /// Another outage began while it went on, or soon after its end; or it began beside another.
    SeeAlso {
        /// The other.
        other: IncidentId,
        /// What that is.
        what: String,
    },
    /// The wall clock was set back while it was open: the times before are those of the clock as it went then.
    ClockSetBack {
        /// By how much.
        by: Duration,
    },
    /// The config calls something by another id: what is known of it goes on under the new one.
    Renamed {
        /// What.
        what: IdOf,
        /// What it was called.
        from: String,
        /// What it is called now.
        to: String,
    },
    /// Somebody took it on.
    Acknowledged {
        /// Who.
        by: String,
    },
    /// Somebody wrote something down.
    Noted {
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// Somebody knows the cause.
    Identified {
        /// Who.
        by: String,
        /// What it is.
        cause: String,
    },
    /// Somebody says that it is mended, and watches whether it stays well.
    Mended {
        /// Who.
        by: String,
        /// What was done; empty when nothing was said.
        text: String,
    },
    /// It is over.
    Resolved {
        /// Who said so; nobody when its breaches cleared.
        by: Option<String>,
        /// Why, with the numbers.
        reason: String,
        /// What its checks showed in the end.
        finding: Finding,
        /// Whether it did not recover, as far as is known: the config changed, and nothing watches it any more.
        unwatched: bool,
    },
    /// Another incident became part of it.
    Merged {
        /// The other.
        other: IncidentId,
        /// What that was.
        what: String,
        /// The gravest that it ever was.
        severity: Severity,
        /// Its breaches ...
        breaches: Vec<Arc<Breach>>,
        /// ... and the place among them of the one with which it last came back.
        stretch: usize,
        /// What the checks of both show.
        finding: Finding,
        /// Who was told of the other, and what.
        told: BTreeMap<ReceiverId, Heard>,
        /// Who has heard all that there is to say of both.
        know: BTreeSet<ReceiverId>,
        /// Who says that it is one incident.
        by: String,
        /// Why; empty when nothing was said.
        why: String,
    },
    /// It became part of another incident, and goes on there.
    MergedInto {
        /// The other.
        into: IncidentId,
        /// Who says that it is one incident.
        by: String,
        /// Why; empty when nothing was said.
        why: String,
    },
    /// Some of its breaches are another incident.
    Split {
        /// The other.
        other: IncidentId,
        /// The breaches that went there.
        breaches: Vec<BreachId>,
        /// What is of the other from now on.
        theirs: Apart,
        /// What its own checks show.
        finding: Finding,
        /// Who says that they are two.
        by: String,
        /// Why; empty when nothing was said.
        why: String,
    },
    /// It is what was split from another incident.
    SplitFrom {
        /// The other.
        other: IncidentId,
        /// What is of the other from now on.
        theirs: Apart,
        /// Who says that they are two.
        by: String,
        /// Why; empty when nothing was said.
        why: String,
    },
    /// Somebody says that nothing was wrong.
    FalseAlarm {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// A message became owed.
    Told {
        /// Which.
        notification: NotificationId,
        /// To whom.
        receiver: ReceiverId,
        /// What kind of news.
        kind: NotificationKind,
        /// Why.
        reason: String,
        /// What the message named; nothing where that was not recorded yet: then what was known at the time.
        named: Option<Named>,
    },
    /// A message was refused for good, or given up.
    Undelivered {
        /// Which.
        notification: NotificationId,
        /// Who was to be notified.
        receiver: ReceiverId,
        /// Where it went.
        address: String,
        /// What the other side said.
        why: String,
    },
    /// There is news, and somebody is not told of it.
    Withheld {
        /// Who; nobody at all is told without.
        receiver: Option<ReceiverId>,
        /// What it is that keeps the news back.
        cause: WithheldFor,
        /// Why not.
        reason: String,
    },
}

/// What a receiver was told of an incident that was merged into another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// When they were told last ...
    pub at: Timestamp,
    /// ... what kind of news ...
    pub kind: NotificationKind,
    /// ... and how grave it was then.
    pub severity: Severity,
    /// What all the messages named.
    pub named: Vec<Named>,
}

/// What keeps news back from a receiver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WithheldFor {
    /// Everything that the incident hits is under maintenance.
    Maintenance,
    /// It has spread, and the last message is young.
    Pause,
    /// It ended before a message was due.
    End,
    /// The configuration has no such receiver, or nobody to notify.
    Configuration,
    /// It goes on as part of another incident.
    Merged,
    /// A rule crossed its threshold after the end, by nothing that is new.
    Said,
}

impl WithheldFor {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Maintenance, Self::Pause, Self::End, Self::Configuration, Self::Merged, Self::Said];

    /// Its name in the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::Pause => "pause",
            Self::End => "end",
            Self::Configuration => "configuration",
            Self::Merged => "merged",
            Self::Said => "said",
        }
    }
}

impl IncidentChange {
    /// What the checks showed then, if it says that.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Opened { finding, .. } | Self::Assessed { finding, .. } | Self::Resolved { finding, .. } => {
                Some(finding)
            }
            _ => None,
        }
    }
}

/// As a timeline shows it, in one line.
impl fmt::Display for IncidentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { breach, .. } => {
                write!(f, "opened: rule {} for {}: {}", breach.rule, breach.slice, breach.reason)
            }
            Self::Joined { breach, reason } => {
                write!(f, "joined by rule {} for {} ({reason}): {}", breach.rule, breach.slice, breach.reason)
            }
            Self::Cleared { reason, .. } => write!(f, "a breach ended: {reason}"),
            Self::Assessed { reason, worse, .. } => {
                write!(f, "{}: {reason}", if *worse { "escalated" } else { "looked at again" })
            }
            Self::Raised { severity, reason } => write!(f, "raised to {severity}: {reason}"),
            Self::Watched { until, reason } => {
                write!(f, "recovered, monitored until {}: {reason}", until.show_clock())
            }
            Self::Reopened { breach, reason } => {
                write!(f, "reopened: rule {} for {} ({reason}): {}", breach.rule, breach.slice, breach.reason)
            }
            Self::SeeAlso { other, what } => write!(f, "see also incident {}: {what}", other.short()),
            Self::ClockSetBack { by } => {
                write!(
                    f,
                    "the clock was set back by {}; from here on times are by the clock as it goes now",
                    show_about(*by)
                )
            }
            Self::Renamed { what, from, to } => write!(f, "{} {from} is called {to} now", what.as_str()),
            Self::Acknowledged { by } => write!(f, "acknowledged by {by}"),
            Self::Noted { by, text } => write!(f, "{by} notes: {text}"),
            Self::Identified { by, cause } => write!(f, "identified by {by}: {cause}"),
            Self::Mended { by, text } if text.is_empty() => write!(f, "repaired and monitored by {by}"),
            Self::Mended { by, text } => write!(f, "repaired and monitored by {by}: {text}"),
            Self::Resolved { unwatched: true, reason, .. } => {
                write!(f, "no longer watched: the configuration changed ({reason})")
            }
            Self::Resolved { by: Some(by), reason, .. } => write!(f, "resolved by {by}: {reason}"),
            Self::Resolved { by: None, reason, .. } => write!(f, "resolved: {reason}"),
            Self::Merged { other, what, by, why, .. } => {
                write!(f, "incident {} ({what}) was merged into it by {by}{}", other.short(), because(why))
            }
            Self::MergedInto { into, by, why } => {
                write!(f, "merged into incident {} by {by}{}", into.short(), because(why))
            }
            Self::Split { other, theirs, by, why, .. } => {
                write!(f, "{theirs} was split from it by {by}, as incident {}{}", other.short(), because(why))
            }
            Self::SplitFrom { other, by, why, .. } => {
                write!(f, "split from incident {} by {by}{}", other.short(), because(why))
            }
            Self::FalseAlarm { by, why } => write!(f, "a false alarm, says {by}{}", because(why)),
            Self::Told { receiver, kind, reason, .. } => {
                write!(f, "notified {receiver}: {}, because {reason}", kind.as_str())
            }
            Self::Undelivered { receiver, address, why, .. } => {
                write!(f, "a message to {receiver} did not reach {address}: {why}")
            }
            Self::Withheld { receiver: Some(receiver), cause: WithheldFor::Pause, reason } => {
                write!(f, "{receiver} is notified later, unless it is resolved before: {reason}")
            }
            Self::Withheld { receiver: Some(receiver), reason, .. } => {
                write!(f, "{receiver} is not notified: {reason}")
            }
            Self::Withheld { receiver: None, reason, .. } => write!(f, "nobody is notified: {reason}"),
        }
    }
}

fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}
