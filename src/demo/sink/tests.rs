use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::inbox::smtp::CONNECTIONS;

const MAIL: &str = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n";

struct Fixture {
    folder: tempfile::TempDir,
    sink: Sink,
    mails: mpsc::Receiver<SunkMail>,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let (sink, mails) = Sink::start(&folder.path().join("mail")).await.unwrap();
    Fixture { folder, sink, mails }
}

impl Fixture {
    /// Sends all at once, as a pipelining client does, closes its side and reads what is answered.
    async fn talk(&self, text: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.sink.address()).await.unwrap();
        // The sink may close first, when it has had enough.
        let _ = stream.write_all(text.as_ref()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("mail")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn codes(answer: &str) -> Vec<&str> {
    answer.lines().filter(|line| line.as_bytes().get(3) == Some(&b' ')).map(|line| &line[..3]).collect()
}

#[tokio::test]
async fn a_mail_by_lettre_arrives_whole() {
    let mut fixture = fixture().await;
    let transport: AsyncSmtpTransport<Tokio1Executor> =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
            .port(fixture.sink.address().port())
            .build();
    for (number, subject) in ["Major: Nicht gefunden für workspace=globex (404)", "Resolved ✔"].iter().enumerate()
    {
        let mut mail = Message::builder()
            .from("Tripline <tripline@example.com>".parse().unwrap())
            .to("On call <oncall@example.com>".parse().unwrap())
            .message_id(Some(format!("<{number}@tripline>")))
            .subject(*subject)
            .header(ContentType::TEXT_PLAIN);
        if number > 0 {
            mail = mail.in_reply_to("<0@tripline>".into());
        }
        transport.send(mail.body("one\r\n.two\r\n..three".to_owned()).unwrap()).await.unwrap();
    }
    let first = fixture.mails.recv().await.unwrap();
    assert_eq!(first.subject, "Major: Nicht gefunden für workspace=globex (404)");
    assert_eq!(first.message_id.as_deref(), Some("<0@tripline>"));
    assert_eq!(first.in_reply_to, None);
    assert_eq!(first.to, ["oncall@example.com"]);
    let second = fixture.mails.recv().await.unwrap();
    assert_eq!(second.in_reply_to.as_deref(), Some("<0@tripline>"));
    assert_eq!(second.subject, "Resolved ✔");
    assert_eq!(fixture.files(), ["001-major-nicht-gefunden-f-r-workspace-globex-404.eml", "002-resolved.eml"]);
    let kept = std::fs::read(&first.path).unwrap();
    let parsed = mail_parser::MessageParser::default().parse(&kept).unwrap();
    assert_eq!(parsed.subject(), Some(first.subject.as_str()));
    assert_eq!(parsed.body_text(0).unwrap(), "one\r\n.two\r\n..three\r\n");
}

#[tokio::test]
async fn commands_sent_all_at_once_are_answered_in_order() {
    let mut fixture = fixture().await;
    let mail = "Subject: hi\r\n\r\n..dot\r\n.\r\n";
    let answer = fixture.talk(format!("EHLO me\r\n{MAIL}{mail}NOOP\r\n{MAIL}{mail}QUIT\r\n")).await;
    let expected = ["220", "250", "250", "250", "354", "250", "250", "250", "250", "354", "250", "221"];
    assert_eq!(codes(&answer), expected, "{answer}");
    let kept = std::fs::read_to_string(fixture.mails.recv().await.unwrap().path).unwrap();
    assert_eq!(kept, "Subject: hi\r\n\r\n.dot\r\n");
    assert_eq!(fixture.files(), ["001-hi.eml", "002-hi.eml"]);
}

#[tokio::test]
async fn junk_and_wrong_order_are_refused_and_end_the_talk_in_time() {
    let fixture = fixture().await;
    let answer = fixture.talk("DATA\r\nMAIL FROM:<a@b>\r\nHELO me\nRCPT TO:<c@d>\r\nMAIL a@b\r\nSTARTTLS\r\n").await;
    assert_eq!(codes(&answer), ["220", "503", "503", "250", "503", "501", "502"]);
    let answer = fixture.talk("\u{0}\u{1}GET / HTTP/1.1\r\n".repeat(100)).await;
    assert!(answer.ends_with("421 too many mistakes\r\n"), "{answer}");
    let answer = fixture.talk("EHLO me\r\nMAIL FROM:<a@b> SIZE=9999999999\r\n").await;
    assert_eq!(codes(&answer), ["220", "250", "552"]);
    assert_eq!(fixture.files(), [""; 0]);
}

#[tokio::test]
async fn an_endless_command_ends_the_talk() {
    let fixture = fixture().await;
    let answer = fixture.talk("A".repeat(100_000)).await;
    // The answer may be lost when the sink closes while more is on its way.
    assert!(["220", "500"].starts_with(&codes(&answer)), "{answer}");
}

#[tokio::test]
async fn a_mail_too_large_or_with_an_endless_line_is_refused_and_the_next_one_kept() {
    let fixture = fixture().await;
    let long = format!("Subject: long\r\n\r\n{}\r\n.\r\n", "x".repeat(5_000));
    let large = format!("Subject: large\r\n\r\n{}.\r\n", format!("{}\r\n", "x".repeat(900)).repeat(1_300));
    let good = "Subject: good\r\n\r\n.\r\n";
    let answer = fixture.talk(format!("EHLO me\r\n{MAIL}{long}{MAIL}{large}{MAIL}{good}QUIT\r\n")).await;
    let ends: Vec<&str> = codes(&answer).into_iter().filter(|code| ["500", "552", "221"].contains(code)).collect();
    assert_eq!(ends, ["500", "552", "221"], "{answer}");
    assert_eq!(fixture.files(), ["001-good.eml"]);
}

#[tokio::test]
async fn a_dot_between_bare_line_feeds_does_not_smuggle_in_a_second_mail() {
    let fixture = fixture().await;
    let mail = "Subject: one\r\n\r\nhello\n.\nMAIL FROM:<evil@example.com>\r\n.\r\n";
    let answer = fixture.talk(format!("EHLO me\r\n{MAIL}{mail}QUIT\r\n")).await;
    assert_eq!(codes(&answer), ["220", "250", "250", "250", "354", "250", "221"]);
    let kept = std::fs::read_to_string(fixture.folder.path().join("mail/001-one.eml")).unwrap();
    assert!(kept.ends_with("hello\n.\nMAIL FROM:<evil@example.com>\r\n"), "{kept}");
}

#[tokio::test]
async fn a_mail_cut_short_is_not_kept_and_no_quit_is_no_harm() {
    let fixture = fixture().await;
    fixture.talk(format!("EHLO me\r\n{MAIL}Subject: half\r\n\r\nhal")).await;
    fixture.talk(format!("EHLO me\r\n{MAIL}Subject: whole\r\n\r\n.\r\n")).await;
    assert_eq!(fixture.files(), ["001-whole.eml"]);
}

#[tokio::test]
async fn no_subject_can_name_another_folder() {
    let fixture = fixture().await;
    let subjects = ["../../etc/passwd", "=?utf-8?B?Li4vLi4vZXZpbA==?=", "/", "=?x?y", "=?utf-8?Q?=ZZ?="];
    for subject in subjects {
        fixture.talk(format!("EHLO me\r\n{MAIL}Subject: {subject}\r\n\r\n.\r\n")).await;
    }
    assert_eq!(
        fixture.files(),
        ["001-etc-passwd.eml", "002-evil.eml", "003-no-subject.eml", "004-x-y.eml", "005-utf-8-q-zz.eml"]
    );
}

#[tokio::test]
async fn mails_of_an_earlier_run_are_not_overwritten() {
    let fixture = fixture().await;
    fixture.talk(format!("EHLO me\r\n{MAIL}Subject: a\r\n\r\n.\r\n")).await;
    let Fixture { folder, sink, .. } = fixture;
    sink.stop().await;
    let (sink, mails) = Sink::start(&folder.path().join("mail")).await.unwrap();
    let fixture = Fixture { folder, sink, mails };
    fixture.talk(format!("EHLO me\r\n{MAIL}Subject: b\r\n\r\n.\r\n")).await;
    assert_eq!(fixture.files(), ["001-a.eml", "002-b.eml"]);
}

#[tokio::test]
async fn a_silent_client_is_left_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, _mails) = Sink::start_with(folder.path(), Duration::from_millis(50)).await.unwrap();
    let mut stream = TcpStream::connect(sink.address()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(codes(&answer), ["220", "421"]);
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_are_told_so() {
    let fixture = fixture().await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(fixture.sink.address()).await.unwrap();
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        held.push(stream);
    }
    assert!(fixture.talk("").await.starts_with("421"));
    held.clear();
    // Stopping cuts off whoever is left, and returns.
    fixture.sink.stop().await;
}

#[tokio::test]
async fn a_mail_that_nobody_would_hear_of_is_put_off() {
    let mut fixture = fixture().await;
    fixture.mails.close();
    let answer = fixture.talk(format!("EHLO me\r\n{MAIL}Subject: a\r\n\r\n.\r\nQUIT\r\n")).await;
    assert_eq!(codes(&answer)[5], "451", "{answer}");
    assert_eq!(fixture.files(), [""; 0]);
}

#[test]
fn an_encoded_word_that_is_not_ascii_stays_as_it_is() {
    assert_eq!(
        headers::subject("Subject: =?iso-8859-1?Q?caf=E9?= =?iso-8859-1?Q?café?=\r\n\r\n".as_bytes()),
        "café =?iso-8859-1?Q?café?="
    );
}
