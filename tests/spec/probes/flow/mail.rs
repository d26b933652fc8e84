//! Mail steps: the demo's forge sends a mail to whoever signs up, and a mail server of our own takes it.

use std::time::Duration;

use tokio::net::TcpListener;
use tripline::config::{Outside, load};
use tripline::demo::forge::Forge;
use tripline::inbox::Inbox;
use tripline::inbox::smtp::{PATIENCE, SmtpServer};
use tripline::model::{CheckResult, FailureClass, Location, Outcome, Timestamp, VoidReason};
use tripline::probe::{Prober, Roots};

use super::{class_and_fault, failure};
use crate::probes::nth;

const SIGN_UP: &str = r#"
name: Forge
defaults: {tls: {ca_file: ca.pem}}
components: {signup: {}}
probes:
  sign-up:
    component: signup
    interval: 1h
    timeout: 8s
    flow:
      mailbox: canary@probes.example
      steps:
        - name: form
          http: {url: https://forge.example/account/signup}
          capture: {csrf: {css: "input[name=csrf]", attribute: value}}
        - name: sign-up
          http:
            method: POST
            url: https://forge.example/account/signup
            headers: {content-type: application/x-www-form-urlencoded}
            body: "email={{mail_address}}&password=hunter2&csrf={{csrf}}"
          expect: ['body.contains("Check your mail")']
        - name: mailed
          mail: {within: 2s}
          expect: [EXPECT]
          capture: {link: {regex: "https://forge.example/account/confirm/[a-f0-9]+"}}
        - name: confirm
          http: {url: "{{link}}"}
          expect: ['body.contains("Your account is ready")']
"#;

/// The certificate authority is the one file.
struct Beside(bytes::Bytes);

impl Outside for Beside {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.to_vec())
    }
}

fn asking(forge: &Forge, expect: &str) -> Prober {
    let text = SIGN_UP.replace("EXPECT", expect).replace("forge.example", &forge.address().to_string());
    let config = load("probes.yaml", &text, &Beside(forge.ca_pem())).unwrap();
    Prober::new(&config.probes, Location::local(), config.secrets, &Roots::load()).unwrap()
}

/// One check of the sign-up; `mails` says whether the forge's mail reaches us.
async fn sign_up(expect: &str, mails: bool) -> CheckResult {
    let folder = tempfile::tempdir().unwrap();
    let forge = Forge::start(folder.path()).await.unwrap();
    let inbox = Inbox::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = SmtpServer::start(listener, inbox.mailboxes().clone(), PATIENCE).unwrap();
    if mails {
        forge.mail_to(server.address());
    }
    let prober = asking(&forge, expect).with_inbox(inbox);
    prober.check(nth(&prober, 0), Timestamp::from_millis(1_739_288_460_000)).await
}

#[tokio::test]
async fn a_sign_up_is_confirmed_by_the_link_in_the_mail() {
    let result = sign_up("'subject == \"Confirm your address\"'", true).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
}

#[tokio::test]
async fn a_mail_that_does_not_come_is_missing_and_another_one_is_told() {
    let result = sign_up("'true'", false).await;
    let missing = (FailureClass::Missing, "step 3 of 4, `mailed`: no mail came within 2s");
    assert_eq!(class_and_fault(&result), missing);
    assert!(result.phases.total >= Duration::from_secs(2) && result.phases.total < Duration::from_secs(4));
    assert_eq!(failure(&result).1.request, "a mail to {{mail_address}}");

    let result = sign_up("'subject == \"Welcome\"'", true).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert!(fault.contains("subject was \"Confirm your address\""), "{fault}");
    let evidence = failure(&result).1;
    assert_eq!((evidence.request.as_str(), evidence.address), ("a mail to {{mail_address}}", None));
}

#[tokio::test]
async fn a_daemon_that_takes_no_mail_asks_nothing_of_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let forge = Forge::start(folder.path()).await.unwrap();
    let prober = asking(&forge, "'true'").with_inbox(Inbox::default());
    let result = prober.check(nth(&prober, 0), Timestamp::default()).await;
    assert_eq!(result.outcome, Outcome::Void(VoidReason::Internal));
    let said = "nothing takes mail here: that needs `--listen-mail`";
    assert_eq!(result.evidence.unwrap().fault, said);
}
