//! Mail by SMTP (RFC 5321): one connection per message, everything with a deadline.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;

use super::Sent;
use crate::model::{
    Destination, EmailReceiver, MailAddress, MailMessage, Secrets, SmtpSecurity, SmtpServer, Timestamp,
};

/// How much of a server's words is kept, in characters.
const MOST_ANSWER: usize = 500;

/// Hands a message for one of the receiver's addresses to the receiver's mail server.
///
/// Both copies of a message that arrives twice have the same Message-ID. Our own words name no part of the server's URL,
/// for all of that may be secret.
///
/// Worth another attempt: every 4xx, a login that is refused (people mend passwords), and every fault of the network or
/// of TLS. Not worth one: any other 5xx, and a message that cannot be written as mail.
pub(super) async fn send(
    receiver: &EmailReceiver,
    to: &Destination,
    message: &MailMessage,
    owed: Timestamp,
    deadline: Duration,
) -> Sent {
    let mail = match compose(receiver, to, message, owed) {
        Ok(mail) => mail,
        Err(fault) => return Sent::Failed(fault),
    };
    let secrets = Secrets::new(receiver.smtp.login.iter().map(|(_, password)| password.expose_secret().to_owned()));
    let shown = |text: &str| one_line(&secrets.redact(text));
    let transport = match transport(&receiver.smtp, deadline) {
        Ok(transport) => transport,
        Err(fault) => return Sent::Retry(shown(&fault)),
    };
    match tokio::time::timeout(deadline, transport.send(mail)).await {
        Ok(Ok(response)) => Sent::Delivered(shown(&answer(&response))),
        Ok(Err(error)) if is_worth_another_attempt(&error) => Sent::Retry(shown(&error.to_string())),
        Ok(Err(error)) => Sent::Failed(shown(&error.to_string())),
        Err(_) => Sent::Retry(format!("the mail server did not answer within {} seconds", deadline.as_secs_f32())),
    }
}

fn answer(response: &Response) -> String {
    let words: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), words.join(" "))
}

/// One line of bounded length, without control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_ANSWER).collect()
}

fn is_worth_another_attempt(error: &lettre::transport::smtp::Error) -> bool {
    if error.is_permanent() {
        // RFC 4954, section 6: the login was refused, or another kind of login is wanted.
        return error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    }
    true
}

fn transport(server: &SmtpServer, deadline: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let tls = match server.security {
        SmtpSecurity::Implicit => Tls::Wrapper(tls_parameters(server)?),
        SmtpSecurity::StartTls => Tls::Required(tls_parameters(server)?),
        SmtpSecurity::Plain => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.as_str())
        .port(server.port)
        .tls(tls)
        .timeout(Some(deadline));
    if let Some((user, password)) = &server.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}

fn tls_parameters(server: &SmtpServer) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(pem) = &server.ca {
        let ca = Certificate::from_pem(pem).map_err(|error| format!("the CA of the mail server: {error}"))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(ca);
    }
    builder.build().map_err(|error| format!("TLS to the mail server: {error}"))
}

/// Writes the message as RFC 5322 and MIME want it: text and HTML as alternatives, everything that is not ASCII
/// encoded.
fn compose(
    receiver: &EmailReceiver,
    to: &Destination,
    message: &MailMessage,
    owed: Timestamp,
) -> Result<lettre::Message, String> {
    let from = mailbox(&receiver.from)?;
    let domain = from.email.domain().to_owned();
    let message_id = |left: &str| -> Result<String, String> {
        if left.is_empty() || left.contains(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c))) {
            return Err(format!("`{}` cannot be the left side of a Message-ID", one_line(left)));
        }
        Ok(format!("<{left}@{domain}>"))
    };
    let envelope = Envelope::new(Some(from.email.clone()), vec![parsed(&to.address)?])
        .map_err(|error| format!("no envelope: {error}"))?;
    // A Date header has four digits for the year.
    let millis = u64::try_from(owed.as_millis()).unwrap_or(0).min(253_402_300_799_000);
    let date = UNIX_EPOCH + Duration::from_millis(millis);
    let mut builder = lettre::Message::builder()
        .envelope(envelope)
        .from(from.clone())
        .subject(one_line(&message.subject))
        .date(date)
        .message_id(Some(message_id(&message.id)?))
        // RFC 3834: no vacation answers, please.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
    for address in &receiver.to {
        builder = builder.to(mailbox(address)?);
    }
    if let Some(thread) = &message.thread {
        let thread = message_id(thread)?;
        builder = builder.in_reply_to(thread.clone()).references(thread);
    }
    builder
        .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
        .map_err(|error| format!("the message cannot be written as mail: {error}"))
}

fn mailbox(address: &MailAddress) -> Result<Mailbox, String> {
    Ok(Mailbox::new(address.name.as_deref().map(one_line), parsed(&address.address)?))
}

fn parsed(address: &str) -> Result<Address, String> {
    address.parse().map_err(|error| format!("`{}` is no mail address: {error}", one_line(address)))
}
