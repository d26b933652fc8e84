//! The mail that a check sends, and how it is found again.

use uuid::Uuid;

use crate::clock;
use crate::inbox::nonce;
use crate::model::ProbeId;
use crate::probe::broken::Broken;
use crate::probe::imap::quote;

/// A mail that no other check sent.
pub(super) struct Composed {
    /// Its subject, which is unique.
    pub(super) subject: String,
    /// The whole of it, as RFC 5322 wants it.
    pub(super) text: String,
}

/// How the subjects of a probe's mails begin. It is derived from the probe's id, so that what came late is known again.
pub(super) fn mark(probe: &ProbeId) -> String {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, probe.as_str().as_bytes()).simple().to_string();
    format!("Tripline {}", id.get(..12).unwrap_or_default())
}

/// Mails with this mark that have been there since the day before yesterday or longer: they came after their check had
/// ended. Newer ones may be what another Tripline is waiting for.
pub(super) fn stale(mark: &str) -> String {
    let day = clock::now().to_jiff() - jiff::SignedDuration::from_hours(24);
    format!("UNDELETED SUBJECT {} BEFORE {}", quote(mark), day.strftime("%d-%b-%Y"))
}

impl Composed {
    pub(super) fn new(mark: &str, sender: &str, recipient: &str) -> Result<Self, Broken> {
        let token = nonce().ok_or_else(|| Broken::internal("this machine has no random numbers"))?;
        let subject = format!("{mark}-{token}");
        let date = clock::now().to_jiff().strftime("%a, %d %b %Y %H:%M:%S +0000");
        let domain = sender.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        // `Auto-Submitted` keeps vacation notices from answering (RFC 3834).
        let text = format!(
            "From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\nDate: {date}\r\n\
             Message-ID: <{token}@{domain}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n\r\n\
             Tripline sent this mail to see that mail arrives, and deletes it when it has.\r\n"
        );
        Ok(Self { subject, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_mails_of_a_probe_are_alike_and_all_bear_its_mark() {
        let mark = mark(&"delivery".into());
        let mails: Vec<Composed> =
            (0..50).map(|_| Composed::new(&mark, "probe@example.com", "inbox@example.com").unwrap()).collect();
        let subjects: std::collections::BTreeSet<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
        assert_eq!(subjects.len(), 50);
        assert!(subjects.iter().all(|subject| subject.starts_with(&mark)));
        let read = crate::probe::wire::mail::read(mails[0].text.as_bytes()).unwrap();
        assert_eq!(read.subject, mails[0].subject);
        assert!(mails[0].text.lines().all(|line| line.len() < 998 && !line.starts_with('.')), "RFC 5321, 4.5.2");
    }
}
