//! What is said: the words of a message, as plain text and as HTML.

use askama::Template;

use crate::config::Config;
use crate::incident::{depend, summary};
use crate::model::probe::show_labels;
use crate::model::unit::show_about;
use crate::model::{Breach, Incident, Message, NotificationId, NotificationKind, ReceiverId, Timestamp};

/// What the templates show. Built from the incident as it stands; holds no secret, since no finding does.
struct Words {
    headline: String,
    facts: Vec<(&'static str, String)>,
    evidence: Option<[String; 3]>,
    reason: String,
    short: String,
    link: Option<String>,
    is_over: bool,
    acknowledged: bool,
    accent: &'static str,
    label: String,
}

#[derive(Template)]
#[template(path = "message.txt", escape = "none")]
struct Text<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Html<'a> {
    words: &'a Words,
}

/// Words the message that tells `receiver` this news. A template that cannot be filled in leaves the headline: a
/// bare message is better than none.
#[must_use]
pub fn message(
    incident: &Incident,
    kind: NotificationKind,
    reason: &str,
    receiver: &ReceiverId,
    id: NotificationId,
    now: Timestamp,
    config: &Config,
) -> Message {
    let words = words(incident, kind, reason, now, config);
    // The first message of a receiver about an incident starts the thread that the others answer in.
    let first = thread_start(incident, receiver);
    let opens = kind == NotificationKind::Opened;
    Message {
        subject: subject(incident, kind, now, config),
        text: Text { words: &words }.render().unwrap_or_else(|_| words.headline.clone()),
        html: Html { words: &words }.render().unwrap_or_default(),
        id: if opens { first.clone() } else { id.to_string() },
        thread: (!opens).then_some(first),
    }
}

/// Left side of the Message-ID of the first message that a receiver gets about an incident.
fn thread_start(incident: &Incident, receiver: &ReceiverId) -> String {
    NotificationId::derived(&[&incident.id.to_string(), "thread", receiver.as_str()]).to_string()
}

fn subject(incident: &Incident, kind: NotificationKind, now: Timestamp, config: &Config) -> String {
    let news = match kind {
        NotificationKind::Opened => incident.severity.as_str().to_uppercase(),
        NotificationKind::Worsened => format!("WORSE, {}", incident.severity),
        NotificationKind::Reminder => {
            format!("STILL OPEN after {}, {}", age(incident, now), incident.severity)
        }
        NotificationKind::Reopened => format!("BACK AGAIN, {}", incident.severity),
        NotificationKind::Resolved => format!("RESOLVED after {}", age(incident, now)),
    };
    format!("[{}] {news}: {}", config.name, summary::title(&incident.finding, Some(config)))
}

/// How long the incident has lasted.
fn age(incident: &Incident, now: Timestamp) -> String {
    show_about(incident.resolved.unwrap_or(now).since(incident.since))
}

fn words(incident: &Incident, kind: NotificationKind, reason: &str, now: Timestamp, config: &Config) -> Words {
    let finding = &incident.finding;
    let mut facts = vec![("Severity", incident.severity.to_string())];
    let age = age(incident, now);
    match incident.resolved {
        Some(resolved) => {
            facts.push(("Began", incident.since.show()));
            facts.push(("Resolved", format!("{}, after {age}", resolved.show())));
        }
        None => facts.push(("Since", format!("{}, {age} before this message", incident.since.show()))),
    }
    if let Some(sure) = summary::sureness(finding) {
        facts.push(("How sure", sure));
    }
    for breach in narrowest(incident).into_iter().take(SHOWN_RULES) {
        facts.push(("Rule", format!("{}, for {}: {}", breach.rule, breach.slice, breach.reason)));
    }
    let consequences = depend::consequences(&finding.components, config);
    if !consequences.is_empty() {
        let names: Vec<&str> = consequences.iter().map(|id| config.component_name(id)).collect();
        facts.push(("Consequence", format!("{}: cannot work without others that are hit", names.join(", "))));
    }
    if incident.flaps > 0 {
        facts.push(("Came back", times(incident.flaps)));
    }
    if let Some((by, at)) = &incident.acknowledged {
        facts.push(("Taken on", format!("by {by} at {}", at.show())));
    }
    let evidence = finding.example.as_ref().map(|example| {
        let probe = config.probes.iter().find(|probe| probe.id == example.probe);
        let labels = probe.map(|probe| show_labels(&probe.labels)).filter(|labels| !labels.is_empty());
        let name = probe.map_or(example.probe.as_str(), |probe| probe.name.as_str());
        let of = labels.map_or_else(|| name.to_owned(), |labels| format!("{name}, {labels}"));
        [example.request.clone(), example.fault.clone(), format!("probe {of}, at {}", example.at.show())]
    });
    let headline = summary::headline(finding, Some(config));
    Words {
        headline: if incident.is_open() || incident.is_our_own() {
            headline
        } else {
            format!("It is over. It was: {headline}")
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
        accent: if incident.is_open() { "#b3261e" } else { "#1b6e3c" },
        label: label(incident, kind, config),
    }
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
        NotificationKind::Worsened => "worse",
        NotificationKind::Reminder => "still open",
        NotificationKind::Reopened => "back again",
        NotificationKind::Resolved => "resolved",
    };
    format!("{} · {} incident {news}", config.name, incident.severity)
}

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
