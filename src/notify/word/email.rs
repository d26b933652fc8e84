//! Mail: a subject line, the facts as plain text and as HTML, and where it stands in the incident's thread.

use askama::Template;

use crate::incident::summary;
use crate::model::{Incident, MailMessage, NotificationId, NotificationKind, ReceiverId};

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
    /// Red, or green once it is over.
    accent: &'a str,
}

/// Words the news as a mail. A template that cannot be filled in leaves the headline: a bare message is better than none.
#[must_use]
pub fn word(news: &News<'_>) -> MailMessage {
    let words = facts::facts(news);
    let accent = if news.incident.is_open() { "#b3261e" } else { "#1b6e3c" };
    // The first message of a receiver about an incident starts the thread that the others answer in.
    let first = thread_start(news.incident, news.receiver);
    let opens = news.kind == NotificationKind::Opened;
    MailMessage {
        subject: subject(news),
        text: Text { words: &words }.render().unwrap_or_else(|_| words.headline.clone()),
        html: Html { words: &words, accent }.render().unwrap_or_default(),
        id: if opens { first.clone() } else { news.id.to_string() },
        thread: (!opens).then_some(first),
    }
}

/// Left side of the Message-ID of the first message that a receiver gets about an incident.
fn thread_start(incident: &Incident, receiver: &ReceiverId) -> String {
    NotificationId::derived(&[&incident.id.to_string(), "thread", receiver.as_str()]).to_string()
}

fn subject(news: &News<'_>) -> String {
    let News { incident, now, config, .. } = *news;
    let what = match news.kind {
        NotificationKind::Opened => incident.severity.as_str().to_uppercase(),
        NotificationKind::Worsened => format!("WORSE, {}", incident.severity),
        NotificationKind::Reminder => {
            format!("STILL OPEN after {}, {}", facts::age(incident, now), incident.severity)
        }
        NotificationKind::Reopened => format!("BACK AGAIN, {}", incident.severity),
        NotificationKind::Updated => format!("UPDATED, {}", incident.severity),
        NotificationKind::Resolved => format!("RESOLVED after {}", facts::age(incident, now)),
    };
    format!("[{}] {what}: {}", config.name, summary::title(&incident.finding, Some(config)))
}
