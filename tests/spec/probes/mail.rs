//! `smtp`, `imap` and `mail` against Postfix and Dovecot.

use std::time::Duration;

use tokio::net::TcpListener;
use tripline::inbox::Inbox;
use tripline::inbox::smtp::{PATIENCE, SmtpServer};
use tripline::model::{FailureClass, Outcome, Timestamp, VoidReason};

use super::class_and_fault;
use super::written::{ask, prober};
use crate::mail_system::{MailSystem, PASSWORD, USER};
use crate::probes::nth;
use crate::servers::Authority;

fn login(password: &str) -> String {
    format!("auth: {{user: {USER}, password: {password}}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_is_greeted_encrypted_logged_in_to_and_asked_for_a_mailbox() {
    let authority = Authority::new("mail");
    let Some(system) = MailSystem::start("smtp", &authority, true) else { return };
    let (smtp, smtps, ca) = (system.smtp, system.smtps, authority.pem.as_str());
    let tls = "tls: {ca_file: ca.pem}";

    let result = ask(
        &format!("smtp: {{to: \"localhost:{smtp}\", {tls}, {}}}", login(PASSWORD)),
        ca,
        &[
            "code == 235",
            "banner.startsWith(\"mx.example.com ESMTP\")",
            "\"8BITMIME\" in extensions",
            "extensions.exists(e, e.startsWith(\"SIZE \"))",
            "address == \"127.0.0.1\" && timing.tls < duration(\"5s\")",
        ],
    )
    .await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert_eq!(result.status, Some(235));
    assert!(result.expires.is_some(), "the certificate after STARTTLS was seen");
    let phases = result.phases;
    assert!(phases.dns.is_some() && phases.connect.is_some() && phases.tls.is_some(), "{phases:?}");
    assert!(phases.first_byte.is_some() && phases.transfer.is_some(), "{phases:?}");

    let implicit = format!("smtp: {{to: \"127.0.0.1:{smtps}\", encryption: implicit, {tls}}}");
    assert_eq!(ask(&implicit, ca, &[]).await.outcome, Outcome::Success);

    let result = ask(&format!("smtp: {{to: \"localhost:{smtp}\", {tls}, {}}}", login("wrong")), ca, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Unauthorized);
    assert!(fault.contains("AUTH PLAIN was answered with 535 5.7.8"), "{fault}");
    assert!(result.evidence.as_ref().unwrap().headers.iter().any(|(name, _)| name == "banner"));

    // Nobody vouches for the certificate.
    let result = ask(&format!("smtp: {{to: \"localhost:{smtp}\"}}"), ca, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!((class, fault), (FailureClass::Tls, "certificate is signed by an authority that is not trusted"));
    let evidence = result.evidence.as_ref().unwrap();
    assert!(evidence.certificate.is_some() && evidence.body.contains("220 2.0.0 Ready to start TLS"), "{evidence:?}");

    let recipient = |name: &str| format!("smtp: {{to: \"localhost:{smtp}\", {tls}, recipient: {name}}}");
    assert_eq!(ask(&recipient(USER), ca, &["code == 250"]).await.outcome, Outcome::Success);
    let result = ask(&recipient("nobody@example.com"), ca, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::NotFound);
    assert!(fault.starts_with("RCPT TO was answered with 550 5.1.1 <nobody@example.com>"), "{fault}");
    // A relay that refuses to relay is as it should be, where that is what is asked.
    let relayed = recipient("someone@elsewhere.example");
    assert_eq!(class_and_fault(&ask(&relayed, ca, &[]).await).0, FailureClass::Forbidden);
    assert_eq!(ask(&relayed, ca, &["code == 454 || code == 554"]).await.outcome, Outcome::Success);
    let result = ask(&relayed, ca, &["code == 250"]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, "expected code == 250, code was 554"));
    assert_eq!(system.count(), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_of_dovecot_is_looked_into() {
    let authority = Authority::new("mail");
    let Some(system) = MailSystem::start("imap", &authority, false) else { return };
    let (imap, imaps, ca) = (system.imap, system.imaps, authority.pem.as_str());
    let tls = "tls: {ca_file: ca.pem}";
    system.deliver(b"Subject: one\r\n\r\nhello\r\n");
    system.deliver(b"Subject: two\r\n\r\nhello\r\n");

    for to in [format!("\"localhost:{imap}\""), format!("\"127.0.0.1:{imaps}\", encryption: implicit")] {
        let expect = ["messages == 2", "\"IDLE\" in capabilities", "banner.contains(\"Dovecot\")"];
        let result = ask(&format!("imap: {{to: {to}, {tls}, {}}}", login(PASSWORD)), ca, &expect).await;
        assert_eq!(result.outcome, Outcome::Success, "{result:?}");
        assert!(result.phases.tls.is_some() && result.expires.is_some());
    }
    let greeted = format!("imap: {{to: \"localhost:{imap}\", {tls}}}");
    assert_eq!(ask(&greeted, ca, &["messages == null"]).await.outcome, Outcome::Success);

    let result = ask(&format!("imap: {{to: \"localhost:{imap}\", {tls}, {}}}", login("wrong")), ca, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Unauthorized);
    assert!(fault.contains("[AUTHENTICATIONFAILED] Authentication failed."), "{fault}");

    let absent = format!("imap: {{to: \"localhost:{imap}\", {tls}, {}, mailbox: Absent}}", login(PASSWORD));
    let result = ask(&absent, ca, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::NotFound);
    assert!(fault.starts_with("EXAMINE Absent was answered with NO"), "{fault}");
    assert_eq!(system.count(), 2, "to look changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_sent_arrives_and_one_that_is_lost_is_missing() {
    let authority = Authority::new("mail");
    let Some(system) = MailSystem::start("mail", &authority, true) else { return };
    let ca = authority.pem.as_str();
    let trip = |recipient: &str, within: &str| {
        format!(
            "mail: {{send: {{to: \"localhost:{}\", tls: {{ca_file: ca.pem}}, sender: probe@example.com, recipient: \
             {recipient}}}, receive: {{to: \"localhost:{}\", tls: {{ca_file: ca.pem}}, {}}}, within: {within}}}",
            system.smtp,
            system.imap,
            login(PASSWORD),
        )
    };
    let probers = prober(
        &[&trip(USER, "4s")],
        ca,
        "5s",
        &[
            "subject.startsWith(\"Tripline \")",
            "headers[\"auto-submitted\"] == \"auto-generated\"",
            "headers[\"received\"].contains(\"Postfix\")",
            "delay < duration(\"4s\") && size > 300 && body.contains(\"Tripline sent this mail\")",
        ],
    );
    for _ in 0..3 {
        let result = probers.check(nth(&probers, 0), Timestamp::from_millis(1_739_288_460_000)).await;
        assert_eq!(result.outcome, Outcome::Success, "{result:?}");
        let waited = result.phases.first_byte.unwrap();
        assert!(waited > Duration::ZERO && waited < Duration::from_secs(4), "{waited:?}");
        assert_eq!(system.count(), 0, "it was deleted");
    }

    let result = ask(&trip("lost@example.com", "1s"), ca, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Missing);
    assert!(fault.contains("the mail was accepted (2.0.0 Ok: queued as"), "{fault}");
    assert!(fault.contains("was not in INBOX within 1s"), "{fault}");
    assert!(result.phases.total < Duration::from_secs(5), "{:?}", result.phases);

    let result = ask(&trip("nobody@example.com", "1s"), ca, &[]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_another_system_is_waited_for_judged_and_taken_only_once() {
    let authority = Authority::new("mail");
    let Some(system) = MailSystem::start("mail that others send", &authority, false) else { return };
    let ca = authority.pem.as_str();
    let receive =
        format!("receive: {{to: \"localhost:{}\", tls: {{ca_file: ca.pem}}, {}}}", system.imap, login(PASSWORD));
    let report = format!("mail: {{{receive}, subject: \"nightly 'report'\", within: 2s}}");
    let result = ask(&report, ca, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Missing);
    assert!(fault.starts_with("no mail that matches was in INBOX within 2s"), "{fault}");

    system.deliver(b"Subject: something else\r\n\r\nx\r\n");
    let probers = prober(
        &[&report],
        ca,
        "5s",
        &[
            "auth.spf == \"pass\" && auth.dkim == \"pass\"",
            "auth.dmarc == \"pass\"",
            "body.contains(\"all is well\")",
        ],
    );
    let now = Timestamp::from_millis(1_739_288_460_000);
    let mail = |dmarc: &str| {
        format!(
            "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=a@b.c;\r\n dkim=pass (1024-bit key) \
             header.d=b.c; dmarc={dmarc}\r\nFrom: Reports <reports@b.c>\r\nSubject: The nightly 'report' of today\r\n\
             \r\nall is well\r\n"
        )
    };
    let (checked, ()) = tokio::join!(probers.check(nth(&probers, 0), now), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        system.deliver(mail("pass").as_bytes());
    });
    assert_eq!(checked.outcome, Outcome::Success, "{checked:?}");
    let waited = checked.phases.first_byte.unwrap();
    assert!(waited > Duration::from_millis(300) && waited < Duration::from_millis(2_000), "{waited:?}");
    assert_eq!(system.count(), 1, "only what matched was deleted");

    system.deliver(mail("fail").as_bytes());
    let checked = probers.check(nth(&probers, 0), now).await;
    let (class, fault) = class_and_fault(&checked);
    assert_eq!(class, FailureClass::Expectation);
    assert!(fault.starts_with("expected auth.dmarc == \"pass\", auth.dmarc was \"fail\""), "{fault}");
    let evidence = checked.evidence.as_ref().unwrap();
    assert!(
        evidence.headers.iter().any(|(name, value)| name == "from" && value.contains("reports@b.c")),
        "{evidence:?}"
    );

    // A mail of 40 MB is told from its size, and only its beginning is read.
    let mut huge = b"Subject: the nightly 'report'\r\n\r\n".to_vec();
    huge.extend(b"0123456789012345678901234567890123456789\r\n".repeat(1_000_000));
    system.deliver(&huge);
    let large = prober(&[&report], ca, "5s", &["size > 40000000", "body.size() < 300000"]);
    let checked = large.check(nth(&large, 0), now).await;
    assert_eq!(checked.outcome, Outcome::Success, "{checked:?}");
    assert_eq!(system.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_postfix_hands_on_comes_back_to_us() {
    let authority = Authority::new("mail");
    let Some(system) = MailSystem::start("mail to ourselves", &authority, true) else { return };
    let send = format!("to: \"localhost:{}\", tls: {{ca_file: ca.pem}}, sender: probe@example.com", system.smtp);
    let to = |domain: &str| format!("mail: {{send: {{{send}}}, mailbox: canary@{domain}.example.com, within: 3s}}");
    let holds = [
        "subject.startsWith(\"Tripline \") && body.contains(\"see that mail arrives\")",
        "headers[\"to\"].matches(\"^canary[+][0-9a-f]{32}@probes[.]example[.]com$\")",
        "headers[\"received\"].contains(\"mx.example.com\") && auth == {}",
        "size > 400 && delay < duration(\"3s\") && timing.first_byte > duration(\"0s\")",
    ];
    let kinds = [to("probes"), to("gone")];
    let asking = |expect: &[&str]| prober(&kinds.each_ref().map(String::as_str), &authority.pem, "8s", expect);
    let now = Timestamp::from_millis(1_739_288_460_000);
    // Nobody takes mail here: neither without an inbox, nor with one that has no port.
    for prober in [asking(&[]), asking(&[]).with_inbox(Inbox::default())] {
        let result = prober.check(nth(&prober, 0), now).await;
        let fault = &result.evidence.as_ref().unwrap().fault;
        assert_eq!(result.outcome, Outcome::Void(VoidReason::Internal));
        assert_eq!(fault, "nothing takes mail here: that needs `--listen-mail`");
    }
    let inbox = Inbox::default();
    let listener = TcpListener::bind(("127.0.0.1", system.sink)).await.unwrap();
    let _server = SmtpServer::start(listener, inbox.mailboxes().clone(), PATIENCE).unwrap();
    let prober = asking(&holds).with_inbox(inbox);
    for _ in 0..2 {
        let result = prober.check(nth(&prober, 0), now).await;
        assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    }
    let result = prober.check(nth(&prober, 1), now).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Missing, "{fault}");
    assert!(fault.starts_with("the mail was accepted (2.0.0 Ok: queued as "), "{fault}");
    assert!(fault.contains(") and did not come to canary+") && fault.contains(" within 3"), "{fault}");
}
