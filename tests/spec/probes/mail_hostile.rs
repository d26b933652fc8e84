//! Mail servers that misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tripline::model::FailureClass::{self, ClientError, Connect, Protocol, ServerError, Timeout, Tls, Unauthorized};
use tripline::model::{Outcome, Timestamp};

use super::class_and_fault;
use super::written::prober;
use crate::probes::nth;
use crate::servers::Server;

/// What a server does with a connection, step by step.
#[derive(Clone)]
pub(crate) enum Step {
    /// Says this.
    Say(&'static str),
    /// Waits for a line.
    Hear,
    /// Says this over and over, until nobody takes it any more.
    Flood(&'static [u8]),
    /// Says this, a byte a second.
    Drip(&'static str),
    /// Closes with a reset.
    Reset,
    /// Does nothing more, and keeps the connection.
    Hang,
}

use Step::{Drip, Flood, Hang, Hear, Reset, Say};

pub(crate) async fn play(mut stream: TcpStream, steps: Vec<Step>, sent: Arc<AtomicUsize>) {
    for step in steps {
        match step {
            Say(text) => stream.write_all(text.as_bytes()).await.unwrap_or_default(),
            Hear => {
                let mut line = String::new();
                let _ = BufReader::with_capacity(1, &mut stream).read_line(&mut line).await;
            }
            Flood(bytes) => {
                let bytes = bytes.repeat(64 * 1024 / bytes.len());
                while let Ok(count) = stream.write(&bytes).await {
                    sent.fetch_add(count, Ordering::Relaxed);
                }
            }
            Drip(text) => {
                for byte in text.as_bytes() {
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Reset => {
                let _ = stream.set_zero_linger();
                return;
            }
            Hang => std::future::pending().await,
        }
    }
}

/// Asks a server that does this, and then one that is well; the failure's class and fault, and how much was sent.
async fn misled(kind: &str, steps: Vec<Step>, well: Vec<Step>) -> (FailureClass, String, usize) {
    let sent = Arc::new(AtomicUsize::new(0));
    let serve = |steps: Vec<Step>| {
        let sent = sent.clone();
        Server::raw(move |stream| Box::pin(play(stream, steps.clone(), sent.clone())))
    };
    let (bad, good) = (serve(steps).await, serve(well).await);
    let asked = kind.replace("@TO@", &bad.address.to_string());
    let sound = format!("{}: {{to: \"{}\", encryption: none}}", kind.split(':').next().unwrap(), good.address);
    let sound = if kind.starts_with("mail") { sound.replacen("mail", "imap", 1) } else { sound };
    let probers = prober(&[&asked, &sound], "", "1s", &[]);
    let now = Timestamp::from_millis(1_739_288_460_000);
    let began = Instant::now();
    let result = probers.check(nth(&probers, 0), now).await;
    assert!(began.elapsed() < Duration::from_millis(1_500), "{kind}: {:?}", began.elapsed());
    assert_eq!(
        probers.check(nth(&probers, 1), now).await.outcome,
        Outcome::Success,
        "the next check is not disturbed"
    );
    let (class, fault) = class_and_fault(&result);
    (class, fault.to_owned(), sent.load(Ordering::Relaxed))
}

const HELLO: Step = Say("220 mx.example ESMTP\r\n");
const CAN: Step = Say("250-mx.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n");

#[tokio::test(flavor = "multi_thread")]
async fn smtp_servers_that_misbehave_are_told_by_what_they_did() {
    let plain = "smtp: {to: \"@TO@\", encryption: none, recipient: a@example.com}";
    let starttls = "smtp: {to: \"@TO@\", encryption: starttls}";
    let auth = "smtp: {to: \"@TO@\", encryption: none, auth: {user: u, password: hunter2}}";
    let implicit = "smtp: {to: \"@TO@\", encryption: implicit}";
    let cases: Vec<(&str, Vec<Step>, FailureClass, &str)> = vec![
        (plain, vec![Hang], Timeout, "waiting for the first byte"),
        (plain, vec![Drip("220 mx.example ESMTP\r\n")], Timeout, "waiting for the first byte"),
        (plain, vec![Flood(b"220-hello\r\n")], Protocol, "more than 100 lines"),
        (plain, vec![Flood(b"2")], Protocol, "a line is longer than 2000 bytes"),
        (plain, vec![], Connect, "the connection was closed before the greeting came"),
        (plain, vec![Reset], Connect, "the connection was reset"),
        (plain, vec![Say("HTTP/1.1 400 Bad Request\r\n")], Protocol, "`HTTP/1.1 400 Bad Request` is no SMTP reply"),
        (plain, vec![Say("554 no service\r\n")], ServerError, "the greeting was answered with 554 no service"),
        (plain, vec![Say("250 hi\r\n")], Protocol, "expected 220"),
        (plain, vec![HELLO, Hear], Connect, "closed before the answer to EHLO came"),
        (plain, vec![HELLO, Hear, Reset], Connect, "reset before the answer to EHLO came"),
        (plain, vec![HELLO, Hear, Hang], Timeout, "no whole answer"),
        (plain, vec![HELLO, Hear, Say("502 what\r\n")], ClientError, "EHLO was answered with 502 what"),
        (plain, vec![HELLO, Hear, Flood(b"250-SIZE 1\r\n")], Protocol, "more than 100 lines"),
        (
            plain,
            vec![HELLO, Hear, CAN, Hear, Say("421 too busy\r\n")],
            ServerError,
            "MAIL FROM was answered with 421",
        ),
        (starttls, vec![HELLO, Hear, Say("250 mx.example\r\n"), Hang], Tls, "does not offer STARTTLS"),
        (starttls, vec![HELLO, Hear, CAN, Hear, Say("454 not now\r\n"), Hang], Tls, "STARTTLS was answered with 454"),
        (starttls, vec![HELLO, Hear, CAN, Hear, Say("220 go\r\n250 injected\r\n"), Hang], Protocol, "spoke on"),
        (starttls, vec![HELLO, Hear, CAN, Hear], Connect, "closed before the answer to STARTTLS came"),
        (starttls, vec![HELLO, Hear, CAN, Hear, Say("220 go\r\n"), Hang], Timeout, "in the TLS handshake"),
        (starttls, vec![HELLO, Hear, CAN, Hear, Say("220 go\r\n"), Hear], Connect, "reset in the TLS handshake"),
        (implicit, vec![Say("220 mx.example ESMTP\r\n"), Hang], Tls, "does not speak TLS"),
        (auth, vec![HELLO, Hear, Say("250 mx.example\r\n"), Hang], Unauthorized, "neither AUTH PLAIN nor AUTH LOGIN"),
    ];
    for (kind, steps, class, fault) in cases {
        let (found, said, sent) = misled(kind, steps, vec![HELLO, Hear, CAN, Hang]).await;
        assert_eq!(found, class, "{said}");
        assert!(said.contains(fault), "{said:?} does not tell {fault:?}");
        // What is not read fills the buffers of the kernel, and nothing of ours.
        assert!(sent < 16 << 20, "{sent} bytes were taken: {said}");
    }
}

const READY: Step = Say("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n");
const DONE: [&str; 9] = [
    "",
    "a1 OK done\r\n",
    "a2 OK done\r\n",
    "a3 OK done\r\n",
    "a4 OK done\r\n",
    "a5 OK done\r\n",
    "a6 OK done\r\n",
    "a7 OK done\r\n",
    "a8 OK done\r\n",
];

#[tokio::test(flavor = "multi_thread")]
async fn imap_servers_that_misbehave_are_told_by_what_they_did() {
    let plain = "imap: {to: \"@TO@\", encryption: none, auth: {user: u, password: hunter2}}";
    let starttls = "imap: {to: \"@TO@\", encryption: starttls}";
    let mail = "mail: {receive: {to: \"@TO@\", encryption: none, auth: {user: u, password: hunter2}}, subject: x}";
    let caps = "* CAPABILITY IMAP4rev1\r\na2 OK done\r\n";
    let opened = [READY, Hear, Say(DONE[1]), Hear, Say(caps), Hear, Say(DONE[3]), Hear];
    let after = |more: &[Step]| [&opened[..], more].concat();
    let found = Say("* SEARCH 7\r\na4 OK done\r\n");
    let numbers = format!("* SEARCH{}\r\n", " 4294967295".repeat(2_500)).into_bytes();
    let sized = Say("* 1 FETCH (UID 7 RFC822.SIZE 1073741824)\r\na5 OK done\r\n");
    let cases: Vec<(&str, Vec<Step>, FailureClass, &str)> = vec![
        (plain, vec![Hang], Timeout, "waiting for the first byte"),
        (plain, vec![Drip("* OK ready to go\r\n")], Timeout, "waiting for the first byte"),
        (plain, vec![Flood(b"*")], Protocol, "a line is longer than 65536 bytes"),
        (plain, vec![Say("220 mx.example ESMTP\r\n")], Protocol, "is no IMAP response"),
        (plain, vec![Say("a1 OK hello\r\n")], Protocol, "does not begin with a greeting"),
        (plain, vec![Say("* BYE overloaded\r\n")], ServerError, "the server greets with BYE overloaded"),
        (plain, vec![], Connect, "closed before the greeting came"),
        (plain, vec![READY, Hear, Reset], Connect, "reset before the answer to LOGIN came"),
        (plain, vec![READY, Hear, Hang], Timeout, "no whole answer"),
        (plain, vec![READY, Hear, Say("a1 NO [AUTHENTICATIONFAILED] no hunter2\r\n")], Unauthorized, "no [secret]"),
        (plain, vec![READY, Hear, Say("a1 NO [UNAVAILABLE] later\r\n")], ServerError, "[UNAVAILABLE] later"),
        (plain, vec![READY, Hear, Say("* BYE shutting down\r\n")], ServerError, "BYE shutting down"),
        (plain, vec![READY, Hear, Say("a9 OK done\r\n"), Hang], Protocol, "that to another command"),
        (plain, vec![READY, Hear, Flood(b"* 1 EXISTS\r\n")], Protocol, "has no end"),
        (plain, vec![READY, Hear, Say("* LIST {1073741824}\r\n"), Flood(b"x")], Protocol, "1073741824 bytes at once"),
        (plain, vec![READY, Hear, Flood(b"* X {9}\r\n123456789\r\n")], Protocol, "has no end"),
        (starttls, vec![Say("* OK [CAPABILITY IMAP4rev1] ready\r\n"), Hang], Tls, "does not offer STARTTLS"),
        (starttls, vec![Say("* PREAUTH ready\r\n"), Hang], Tls, "before STARTTLS"),
        (starttls, vec![READY, Hear, Say("a1 BAD no\r\n"), Hang], Tls, "STARTTLS was answered with BAD no"),
        (starttls, vec![READY, Hear, Say("a1 OK go\r\n* OK injected\r\n"), Hang], Protocol, "spoke on"),
        (starttls, vec![READY, Hear, Say("a1 OK go\r\n"), Hear], Connect, "reset in the TLS handshake"),
        (
            mail,
            after(&[
                found.clone(),
                Hear,
                sized.clone(),
                Hear,
                Say("* 1 FETCH (BODY[]<0> {1073741824}\r\n"),
                Flood(b"x"),
            ]),
            Protocol,
            "announces 1073741824 bytes at once",
        ),
        (
            mail,
            after(&[found.clone(), Hear, sized.clone(), Hear, Say("* 1 FETCH (BODY[]<0> {200000}\r\nonly this")]),
            Connect,
            "closed before the answer to FETCH came",
        ),
        (mail, after(&[found.clone(), Hear, Say(DONE[5]), Hear, Say(DONE[6]), Hang]), Protocol, "without the mail"),
        (mail, after(&[Say("* SEARCH 7\r\na4 NO [SERVERBUG] oh\r\n")]), ServerError, "SEARCH was answered with NO"),
        (mail, after(&[Flood(b"* SEARCH 1 2 3 4 5 6 7 8 9\r\n")]), Protocol, "has no end"),
        (mail, after(&[Flood(numbers.leak())]), Protocol, "SEARCH has no end: more than 4 MiB so far"),
    ];
    for (kind, steps, class, fault) in cases {
        let well = vec![Say("* OK [CAPABILITY IMAP4rev1] ready\r\n"), Hang];
        let (found, said, sent) = misled(kind, steps, well).await;
        assert_eq!(found, class, "{said}");
        assert!(said.contains(fault), "{said:?} does not tell {fault:?}");
        assert!(sent < 16 << 20, "{sent} bytes were taken: {said}");
    }
}
