//! Mail, through a real mail server and read back with a real parser.

use std::time::Duration;

use mail_parser::{HeaderValue, MessageParser};
use serde_json::json;
use tripline::deliver::{self, Sent};
use tripline::model::{Destination, EmailReceiver, MailMessage, Message, Receiver, ReceiverKind, SmtpSecurity};

use crate::given::{START, address, destinations, email, message};
use crate::smtp::{Certificates, MailServer, free_port};

/// Why a mail was not taken, and whether another attempt may succeed.
#[derive(Debug)]
struct Fault {
    retry: bool,
    text: String,
}

/// Sends to the first of the receiver's addresses.
async fn send(receiver: &EmailReceiver, message: &MailMessage) -> Result<String, Fault> {
    let to = destinations(&receiver.to).remove(0);
    send_within(deliver::DEADLINE, receiver, &to, message).await
}

async fn send_within(
    deadline: Duration,
    receiver: &EmailReceiver,
    to: &Destination,
    message: &MailMessage,
) -> Result<String, Fault> {
    let receiver = Receiver { id: "oncall".into(), kind: ReceiverKind::Email(receiver.clone()), remind: None };
    match deliver::send(&receiver, to, &Message::Mail(message.clone()), START, deadline).await {
        Sent::Delivered(answer) => Ok(answer),
        Sent::Retry(text) => Err(Fault { retry: true, text }),
        Sent::Failed(text) => Err(Fault { retry: false, text }),
    }
}

fn to_oncall(server: &MailServer, security: SmtpSecurity) -> EmailReceiver {
    email(&[address(None, "oncall@example.com")], server.address(security))
}

#[tokio::test]
async fn a_mail_arrives_with_both_parts_and_its_headers() {
    let server = MailServer::start(json!({}));
    let url = format!("https://status.example.com/incidents/{:a<163}", "1b2c3d4-");
    assert_eq!(url.len(), 200);
    let message = MailMessage {
        subject: "Nicht gefunden: Website für workspace=globex – dürfen wir vorstellen, ein langer Betreff".into(),
        text: format!("404 für workspace=globex\n\nSiehe {url} für mehr.\n.\nEin Punkt allein.\n"),
        html: format!("<p>404 für <b>workspace=globex</b></p><a href=\"{url}\">mehr</a>"),
        id: "incident-2".into(),
        thread: Some("incident-0".into()),
    };
    let to = [
        address(Some("Jörg Müßiggänger"), "joerg@example.com"),
        address(Some("Dvořák, Antonín \"Tony\""), "tony@example.com"),
        address(Some("当直"), "oncall@example.com"),
    ];
    let mut receiver = email(&to, server.address(SmtpSecurity::Plain));
    receiver.from = address(Some("Tripline für die Schmiede"), "tripline@example.com");

    let answer = send_within(deliver::DEADLINE, &receiver, &destinations(&to)[1], &message).await.unwrap();
    assert!(answer.starts_with("250 ") && answer.contains("taken as 1"), "{answer}");

    let taken = &server.mails()[0];
    assert_eq!(taken.envelope, json!({"from": "tripline@example.com", "to": ["tony@example.com"]}));
    assert!(taken.source.is_ascii(), "everything else is encoded");
    let mail = MessageParser::default().parse(&taken.source).unwrap();
    assert_eq!(mail.subject().unwrap(), message.subject);
    assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), message.text.trim_end());
    assert!(mail.body_text(0).unwrap().contains(&url), "the link is unbroken");
    assert_eq!(mail.body_html(0).unwrap().trim_end(), message.html);
    assert_eq!((mail.text_body_count(), mail.html_body_count()), (1, 1));
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name().unwrap(), from.address().unwrap()),
        ("Tripline für die Schmiede", "tripline@example.com")
    );
    let written: Vec<_> = mail.to().unwrap().iter().map(|to| (to.name(), to.address().unwrap())).collect();
    let meant: Vec<_> = to.iter().map(|to| (to.name.as_deref(), to.address.as_str())).collect();
    assert_eq!(written, meant, "everybody sees who else was told");
    assert_eq!(mail.date().unwrap().to_timestamp() * 1_000, START.as_millis());
    assert_eq!(mail.message_id(), Some("incident-2@example.com"));
    assert_eq!(mail.in_reply_to(), &HeaderValue::Text("incident-0@example.com".into()));
    assert_eq!(mail.references(), &HeaderValue::Text("incident-0@example.com".into()));
    assert_eq!(mail.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
    let content_types = String::from_utf8_lossy(&taken.source);
    let headers = content_types.split("\r\n\r\n").next().unwrap();
    assert_eq!(headers.matches("Content-Type:").count(), 1);
    assert!(mail.content_type_is_alternative(), "{headers}");
}

trait IsAlternative {
    fn content_type_is_alternative(&self) -> bool;
}

impl IsAlternative for mail_parser::Message<'_> {
    fn content_type_is_alternative(&self) -> bool {
        use mail_parser::MimeHeaders;
        self.content_type().is_some_and(|kind| kind.ctype() == "multipart" && kind.subtype() == Some("alternative"))
    }
}

#[tokio::test]
async fn the_first_mail_of_a_thread_refers_to_nothing() {
    let server = MailServer::start(json!({}));
    send(&to_oncall(&server, SmtpSecurity::Plain), &message("a")).await.unwrap();
    let source = String::from_utf8(server.mails()[0].source.clone()).unwrap();
    assert!(!source.contains("In-Reply-To") && !source.contains("References"), "{source}");
}

#[tokio::test]
async fn a_subject_cannot_smuggle_headers_in() {
    let server = MailServer::start(json!({}));
    let subject = "down\r\nBcc: everybody@example.com\n\nand a body".to_owned();
    let message = MailMessage { subject, ..message("a") };
    send(&to_oncall(&server, SmtpSecurity::Plain), &message).await.unwrap();
    let taken = &server.mails()[0];
    let mail = MessageParser::default().parse(&taken.source).unwrap();
    assert_eq!(mail.subject(), Some("down  Bcc: everybody@example.com  and a body"));
    assert!(mail.bcc().is_none());
    assert_eq!(taken.envelope["to"], json!(["oncall@example.com"]));
}

#[tokio::test]
async fn a_message_that_cannot_be_written_is_refused_without_asking_anybody() {
    let mut receiver = email(&[address(None, "no address")], unreachable());
    let fault = send(&receiver, &message("a")).await.unwrap_err();
    assert!(!fault.retry && fault.text.contains("`no address` is no mail address"), "{fault:?}");
    receiver.to = vec![address(None, "oncall@example.com")];
    let id = "x>\r\nBcc: <everybody".to_owned();
    let fault = send(&receiver, &MailMessage { id, ..message("a") }).await.unwrap_err();
    assert!(!fault.retry && fault.text.contains("Message-ID"), "{fault:?}");
}

fn unreachable() -> tripline::model::SmtpServer {
    let (host, port) = ("127.0.0.1".into(), free_port());
    tripline::model::SmtpServer { host, port, security: SmtpSecurity::Plain, login: None, ca: None }
}

#[tokio::test]
async fn a_server_that_is_busy_or_cannot_be_reached_is_worth_another_attempt() {
    let server = MailServer::start(json!({"busy": 1}));
    let receiver = to_oncall(&server, SmtpSecurity::Plain);
    let fault = send(&receiver, &message("a")).await.unwrap_err();
    assert!(fault.retry && fault.text.contains("451") && fault.text.contains("try again later"), "{fault:?}");
    send(&receiver, &message("a")).await.unwrap();

    let fault = send(&email(&receiver.to, unreachable()), &message("a")).await.unwrap_err();
    assert!(fault.retry && fault.text.contains("refused"), "{fault:?}");

    let nowhere = tripline::model::SmtpServer { host: "mail.invalid".into(), ..unreachable() };
    let fault = send(&email(&receiver.to, nowhere), &message("a")).await.unwrap_err();
    assert!(fault.retry && fault.text.starts_with("Connection error"), "{fault:?}");
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_refused_for_good() {
    let server = MailServer::start(json!({"unknown": "oncall@example.com"}));
    let fault = send(&to_oncall(&server, SmtpSecurity::Plain), &message("a")).await.unwrap_err();
    assert!(!fault.retry && fault.text.contains("550") && fault.text.contains("no such mailbox"), "{fault:?}");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_after_the_deadline() {
    let server = MailServer::start(json!({"hang": true}));
    let receiver = to_oncall(&server, SmtpSecurity::Plain);
    let (deadline, to) = (Duration::from_millis(500), destinations(&receiver.to));
    let began = std::time::Instant::now();
    let fault = send_within(deadline, &receiver, &to[0], &message("a")).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(fault.retry && fault.text.contains("within 0.5 seconds"), "{fault:?}");
}

#[tokio::test]
async fn an_answer_that_was_lost_leads_to_the_same_mail_again() {
    let server = MailServer::start(json!({"drop": 1}));
    let receiver = to_oncall(&server, SmtpSecurity::Plain);
    let fault = send(&receiver, &message("a")).await.unwrap_err();
    assert!(fault.retry, "{fault:?}");
    send(&receiver, &message("a")).await.unwrap();
    let mails = server.mails();
    let ids: Vec<_> = mails
        .iter()
        .map(|taken| MessageParser::default().parse(&taken.source).unwrap().message_id().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["opened-a@example.com", "opened-a@example.com"]);
}

#[tokio::test]
async fn mail_goes_by_starttls_and_by_tls_from_the_first_byte() {
    let certificates = Certificates::new();
    for (security, implicit) in [(SmtpSecurity::StartTls, false), (SmtpSecurity::Implicit, true)] {
        let server = MailServer::start(certificates.in_options(json!({"implicit": implicit})));
        let mut receiver = to_oncall(&server, security);
        receiver.smtp.ca = Some(certificates.ca.clone());
        send(&receiver, &message("a")).await.unwrap();
        assert_eq!(server.mails().len(), 1);

        receiver.smtp.ca = Some(Certificates::new().ca);
        let fault = send(&receiver, &message("a")).await.unwrap_err();
        assert!(fault.retry && fault.text.to_lowercase().contains("certificate"), "{fault:?}");
        assert_eq!(server.mails().len(), 1, "nothing goes to a server that is not the right one");
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing_when_starttls_is_wanted() {
    let server = MailServer::start(json!({}));
    let fault = send(&to_oncall(&server, SmtpSecurity::StartTls), &message("a")).await.unwrap_err();
    assert!(fault.retry && fault.text.contains("STARTTLS is not supported"), "{fault:?}");
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_login_is_made_and_a_wrong_password_is_never_shown() {
    let server = MailServer::start(json!({"user": "tripline", "password": "correct horse"}));
    let mut receiver = to_oncall(&server, SmtpSecurity::Plain);
    receiver.smtp.login = Some(("tripline".into(), "correct horse".into()));
    send(&receiver, &message("a")).await.unwrap();
    assert_eq!(server.mails().len(), 1);

    receiver.smtp.login = Some(("tripline".into(), "battery staple".into()));
    let fault = send(&receiver, &message("a")).await.unwrap_err();
    assert!(fault.text.contains("535") && fault.retry, "people mend passwords: {fault:?}");
    assert!(fault.text.contains("not [secret]") && !fault.text.contains("staple"), "{fault:?}");
}
