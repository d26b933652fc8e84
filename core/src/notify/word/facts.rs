//! What there is to say of an incident, before anything is worded for a kind of receiver. It holds no secret, since no
//! finding does.

use crate::config::Config;
use crate::incident::{depend, summary};
use crate::model::probe::show_labels;
use crate::model::unit::show_about;
use crate::model::{Breach, Incident, Merged, NotificationId, NotificationKind, Part, ReceiverId, Timestamp};

/// What is to be told, to whom and why.
#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    /// The incident as it stands.
    pub incident: &'a Incident,
    /// What is new.
    pub kind: NotificationKind,
    /// Why this receiver is told this, now.
    pub reason: &'a str,
    /// Who is notified.
    pub receiver: &'a ReceiverId,
    /// By which notification.
    pub id: NotificationId,
    /// When.
    pub now: Timestamp,
    /// The names of components and probes.
    pub config: &'a Config,
}

/// What a message shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// What fails, or failed, for whom.
    pub headline: String,
    /// Names and values: severity, since when, how sure, rules.
    pub facts: Vec<(&'static str, String)>,
    /// Of one of the failed checks: the request, the fault, and which probe, when.
    pub evidence: Option<[String; 3]>,
    /// Why this receiver is told this, now.
    pub reason: String,
    /// How the incident is called at the command line.
    pub short: String,
    /// Its page, if there is one.
    pub link: Option<String>,
    /// Whether it is over.
    pub is_over: bool,
    /// Whether somebody has acknowledged it.
    pub acknowledged: bool,
    /// What stands above the headline: whose incident it is, how grave, and what is new.
    pub label: String,
}

/// How long it has failed, since it last came back.
pub(super) fn age(incident: &Incident, now: Timestamp) -> String {
    show_about(incident.resolved.unwrap_or(now).since(incident.failing_since()))
}

/// Collects the facts.
#[must_use]
pub fn facts(news: &News<'_>) -> Facts {
    let News { incident, kind, reason, now, config, .. } = *news;
    let finding = &incident.finding;
    let mut facts = vec![("Severity", incident.severity.to_string())];
    let age = age(incident, now);
    let since = incident.failing_since();
    if let Some(alarm) = &incident.corrected.false_alarm {
        facts.push(("No outage", format!("a false alarm, says {}: {}", alarm.by, alarm.why)));
    }
    match incident.resolved {
        Some(resolved) if incident.corrected.false_alarm.is_some() => {
            facts.push(("Opened", incident.opened.show()));
            facts.push(("Ended", resolved.show()));
        }
        Some(resolved) if incident.unwatched.is_some() => {
            facts.push(("Began", since.show()));
            facts.push(("Watched", format!("until {}, {age} after it began", resolved.show())));
        }
        Some(resolved) => {
            facts.push(("Began", since.show()));
            facts.push(("Resolved", format!("{}, after {age}", resolved.show())));
        }
        None => facts.push(("Since", format!("{}, {age} before this message", since.show()))),
    }
    facts.extend(incident.unwatched.as_ref().map(|reason| ("Why", reason.clone())));
    if since > incident.since {
        facts.push(("First", format!("{}: it recovered in between", incident.since.show())));
    }
    if incident.corrected.false_alarm.is_none() {
        facts.extend(account(incident, config));
    }
    if let Some(sure) = summary::sureness(finding) {
        facts.push(("How sure", sure));
    }
    for breach in narrowest(incident).into_iter().take(SHOWN_RULES) {
        facts.push(("Rule", format!("{}, for {}: {}", breach.rule, breach.slice, breach.reason)));
    }
    let consequences = depend::consequences(&finding.components, config);
    // Of a certificate that will expire nothing has failed yet.
    if !consequences.is_empty() && finding.what.is_none() {
        let names: Vec<&str> = consequences.iter().map(|id| config.component_name(id)).collect();
        facts.push(("Consequence", format!("{}: cannot work without others that are hit", names.join(", "))));
    }
    if incident.flaps > 0 {
        facts.push(("Came back", times(incident.flaps)));
    }
    for (other, Merged { what, by, why }) in &incident.corrected.merged {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        facts.push(("Merged", format!("incident {} ({what}) is part of it, says {by}{why}", other.short())));
    }
    for (other, what) in &incident.see_also {
        facts.push(("See also", format!("incident {}: {what}", other.short())));
    }
    if let Some((by, at)) = &incident.acknowledged {
        facts.push(("Acknowledged", format!("by {by} at {}", at.show())));
    }
    facts.extend(undelivered(news));
    let evidence = finding.example.as_ref().map(|example| {
        let probe = config.probes.iter().find(|probe| probe.id == example.probe);
        let labels = probe.map(|probe| show_labels(&probe.labels)).filter(|labels| !labels.is_empty());
        let name = probe.map_or(example.probe.as_str(), |probe| probe.name.as_str());
        let of = labels.map_or_else(|| name.to_owned(), |labels| format!("{name}, {labels}"));
        [example.request.clone(), example.fault.clone(), format!("probe {of}, at {}", example.at.show())]
    });
    let headline = summary::headline(finding, Some(config));
    Facts {
        headline: match &incident.corrected.false_alarm {
            Some(alarm) => {
                format!("It was a false alarm, says {}: {}. It was notified as: {headline}", alarm.by, alarm.why)
            }
            None if incident.unwatched.is_some() => summary::unwatched(finding, Some(config)),
            None if incident.is_open() || incident.is_our_own() => headline,
            None if incident.still_fails() => format!(
                "A person resolved it before it was known to have recovered: {headline}. What still fails notifies nobody until it has recovered once"
            ),
            None => format!("It is resolved. It was: {headline}"),
        },
        facts,
        evidence,
        reason: reason.to_owned(),
        short: incident.id.short(),
        link: config
            .url
            .as_ref()
            .map(|url| format!("{}/incidents/{}", url.as_str().trim_end_matches('/'), incident.id)),
        is_over: !incident.is_open(),
        acknowledged: incident.acknowledged.is_some(),
        label: label(incident, kind, config),
    }
}

/// Which addresses the messages before this one did not reach.
fn undelivered(news: &News<'_>) -> Vec<(&'static str, String)> {
    let Some(told) = news.incident.told.get(news.receiver) else { return Vec::new() };
    let each = told.undelivered.iter().map(|(address, (messages, why))| {
        let failed = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let text = match told.messages {
            all if failed < all => {
                format!("{failed} of the {all} messages before this one did not reach {address}: {why}")
            }
            1 => format!("this is the first message that {address} can get; the one before was not delivered: {why}"),
            all => {
                format!(
                    "this is the first message that {address} can get; the {all} before were not delivered: {why}"
                )
            }
        };
        ("Delivery", text)
    });
    each.collect()
}

/// What it did to each component, where that is not all alike: in the end of all, before that of those that recovered.
fn account(incident: &Incident, config: &Config) -> Vec<(&'static str, String)> {
    let (all, recovered) = (incident.finding.account(), incident.finding.recovered());
    let is_over = !incident.is_open();
    let shown: Vec<&Part> = if is_over && all.len() > 1 {
        all.iter().collect()
    } else {
        all.iter().filter(|part| !is_over && recovered.contains(&part.component)).collect()
    };
    let name = if is_over { "Affected" } else { "Recovered" };
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    for part in shown.iter().take(SHOWN_PARTS) {
        let Part { component, bad, looked, first, last, .. } = part;
        let component = config.component_name(component);
        let span = format!("from {} to {}", first.show_clock(), last.show_clock());
        facts.push((name, format!("{component}: {bad} of {looked} checks failed, {span}")));
    }
    if shown.len() > SHOWN_PARTS {
        facts.push((name, format!("and {} more components", shown.len() - SHOWN_PARTS)));
    }
    facts
}

fn times(count: u32) -> String {
    match count {
        1 => "once after it had been well".into(),
        count => format!("{count} times after it had been well"),
    }
}

/// What stands above the headline: whose incident it is, how grave, and what is new.
fn label(incident: &Incident, kind: NotificationKind, config: &Config) -> String {
    let news = match kind {
        NotificationKind::Opened => "opened",
        NotificationKind::Worsened => "escalated",
        NotificationKind::Reminder => "still open",
        NotificationKind::Reopened => "back again",
        NotificationKind::Resolved if incident.corrected.false_alarm.is_some() => "was a false alarm",
        NotificationKind::Resolved if incident.unwatched.is_some() => "no longer watched",
        NotificationKind::Resolved => "resolved",
        NotificationKind::Updated => "updated",
    };
    format!("{} · {} incident {news}", config.name, incident.severity)
}

/// More components than this are counted, not listed.
const SHOWN_PARTS: usize = 8;

/// More rules than this say nothing more at a glance; `incident show` lists them all.
const SHOWN_RULES: usize = 3;

/// Of each rule, the breach of its narrowest slice, which says the most; of an open incident, those that go on.
fn narrowest(incident: &Incident) -> Vec<&Breach> {
    let mut shown: Vec<&Breach> = Vec::new();
    for breach in incident.breaches.iter().filter(|breach| breach.cleared.is_none() || !incident.is_open()) {
        match shown.iter_mut().find(|other| other.rule == breach.rule) {
            Some(other) if breach.slice.labels.len() > other.slice.labels.len() => *other = breach,
            Some(_) => {}
            None => shown.push(breach),
        }
    }
    shown
}
