//! Mail: a subject line, the facts as plain text and as HTML, and where it stands in the incident's thread.

use askama::Template;

use crate::incident::summary;
use crate::model::{IncidentId, MailMessage, NotificationId, NotificationKind};

use super::facts::{self, Facts, News};

#[derive(Template)]
#[template(path = "email.txt", escape = "none")]
struct Text<'a> {
    words: &'a Facts,
}

#[derive(Template)]
#[template(path = "email.html")]
struct Html<'a> {
    words: &'a Facts,
    /// Red, or green once it is over; grey when nobody knows.
    accent: &'a str,
}

/// Words the news as a mail. A template that cannot be filled in leaves the headline: a bare message is better than none.
#[must_use]
pub fn word(news: &News<'_>) -> MailMessage {
    let words = facts::facts(news);
    let accent = match &news.incident.unwatched {
        Some(_) => "#62625c",
        None if news.incident.is_open() => "#b3261e",
        None => "#1b6e3c",
    };
    // The first message of a receiver about an incident starts the thread that the others answer in.
    let first = thread_start(news.incident.id, news);
    // One that tells of an incident of which they know as another answers to that.
    let merged = news.incident.told.get(news.receiver).and_then(|told| told.merged);
    let opens = news.kind == NotificationKind::Opened || merged.is_some();
    MailMessage {
        subject: subject(news),
        text: Text { words: &words }.render().unwrap_or_else(|_| words.headline.clone()),
        html: Html { words: &words, accent }.render().unwrap_or_default(),
        id: if opens { first.clone() } else { news.id.to_string() },
        thread: match merged {
            Some(other) => Some(thread_start(other, news)),
            None => (!opens).then_some(first),
        },
    }
}

/// Left side of the Message-ID of the first message that a receiver gets about an incident, under the id that it had then.
fn thread_start(of: IncidentId, news: &News<'_>) -> String {
    let told = news.incident.told.get(news.receiver);
    let receiver = told.and_then(|told| told.first_as.as_ref()).unwrap_or(news.receiver);
    NotificationId::derived(&[&of.to_string(), "thread", receiver.as_str()]).to_string()
}

fn subject(news: &News<'_>) -> String {
    let News { incident, now, config, .. } = *news;
    let what = match news.kind {
        NotificationKind::Opened => incident.severity.as_str().to_uppercase(),
        NotificationKind::Worsened => format!("ESCALATED, {}", incident.severity),
        NotificationKind::Reminder => {
            format!("STILL OPEN after {}, {}", facts::age(incident, now), incident.severity)
        }
        NotificationKind::Reopened => format!("BACK AGAIN, {}", incident.severity),
        NotificationKind::Updated => format!("UPDATED, {}", incident.severity),
        NotificationKind::Resolved if incident.corrected.false_alarm.is_some() => "FALSE ALARM".to_owned(),
        NotificationKind::Resolved if incident.unwatched.is_some() => {
            format!("NO LONGER WATCHED, {}", incident.severity)
        }
        NotificationKind::Resolved if incident.still_fails() => {
            format!("RESOLVED BY A PERSON, recovery not confirmed, after {}", facts::age(incident, now))
        }
        NotificationKind::Resolved => format!("RESOLVED after {}", facts::age(incident, now)),
    };
    format!("[{}] {what}: {}", config.name, summary::title(&incident.finding, Some(config)))
}
