//! Hooks: the service calls us while a flow waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tripline::config::load;
use tripline::inbox::Inbox;
use tripline::model::{CheckResult, FailureClass, Location, Outcome, Timestamp, Token};
use tripline::probe::{Prober, Roots};
use tripline::web::Port;

use super::site::{HOOK_SECRET, Site};
use super::{Env, class_and_fault, failure};
use crate::probes::nth;

const TOKEN: &str = "hook-0123456789abcdef";

/// Our own port, with one hook.
struct Ours {
    inbox: Inbox,
    address: SocketAddr,
    stop: CancellationToken,
}

impl Ours {
    async fn start() -> Self {
        let inbox = Inbox::default();
        inbox.open([&Token::parse(TOKEN).unwrap()]);
        let (port, stop) = (Port::open("127.0.0.1:0".parse().unwrap()).await.unwrap(), CancellationToken::new());
        let address = port.address;
        tokio::spawn(port.serve(inbox.clone(), stop.clone()));
        Self { inbox, address, stop }
    }

    /// A prober of one flow that triggers a call, made by this site after so many milliseconds, and waits for it.
    fn prober(&self, site: SocketAddr, user: &str, url: &str, delay: u64, how: &str, expect: &str) -> Prober {
        let text = format!(
            r#"
name: Forge
public_url: http://{}/
components: {{webhooks: {{}}}}
probes:
  push:
    component: webhooks
    interval: 1h
    timeout: 5s
    labels: {{user: {user}}}
    flow:
      hook: {{token: {TOKEN}, hmac: {{secret: {HOOK_SECRET}}}}}
      steps:
        - {{name: push, http: {{method: POST, url: "http://{site}/trigger", body: "{url} {delay} {how} {{{{user}}}}"}}}}
        - name: called
          receive: {{within: 1s}}
          expect: [{expect}]
          capture: {{user: {{json: "$.user", show: true}}, event: {{header: x-event}}}}
        - name: tell
          http: {{method: POST, url: "http://{site}/api/echo", body: "{{{{called-user}}}} {{{{event}}}}"}}
          expect: ['body == "|{user} push"']
"#,
            self.address
        );
        // A capture cannot have the name of a label.
        let text = text.replace("capture: {user:", "capture: {called-user:");
        // Only those that wait in vain need an end that is near.
        let text = if delay < 1_000 && how == "signed" { text.replace("within: 1s", "within: 4s") } else { text };
        let config = load("probes.yaml", &text, &Env).unwrap_or_else(|problems| panic!("{problems}"));
        let prober = Prober::new(&config.probes, Location::local(), config.secrets, &Roots::load()).unwrap();
        prober.with_inbox(self.inbox.clone())
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn check(prober: &Prober) -> CheckResult {
    prober.check(nth(prober, 0), Timestamp::from_millis(1_739_288_460_000)).await
}

const ANY: &str = "'true'";

#[tokio::test]
async fn the_service_calls_the_url_of_the_check_and_what_it_says_is_captured() {
    let (ours, (_, site)) = (Ours::start().await, Site::start().await);
    let result = check(&ours.prober(site, "ada", "{{hook_url}}", 300, "signed", "'json.event == \"push\"'")).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    assert!(
        result.phases.first_byte.unwrap() >= Duration::from_millis(300),
        "the wait is recorded: {:?}",
        result.phases
    );
}

#[tokio::test]
async fn a_call_that_does_not_come_is_missing_and_one_that_is_not_signed_as_it_should_be_is_unauthorized() {
    let (ours, (_, site)) = (Ours::start().await, Site::start().await);
    let began = Instant::now();
    let result = check(&ours.prober(site, "ada", "{{hook_url}}", 60_000, "signed", ANY)).await;
    let missing = (FailureClass::Missing, "step 2 of 3, `called`: no call came within 1s");
    assert_eq!(class_and_fault(&result), missing);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(failure(&result).1.request, "a call of {{hook_url}}");

    let result = check(&ours.prober(site, "ada", "{{hook_url}}", 10, "badly", ANY)).await;
    let fault = "step 2 of 3, `called`: the signature in x-hub-signature-256 is not that of the body";
    assert_eq!(class_and_fault(&result), (FailureClass::Unauthorized, fault));
    let evidence = failure(&result).1;
    assert!(evidence.body.contains("\"user\": \"ada\"") && !format!("{evidence:?}").contains(TOKEN), "{evidence:?}");

    let result = check(&ours.prober(site, "ada", "{{hook_url}}", 10, "unsigned", ANY)).await;
    let fault = "step 2 of 3, `called`: the call has no header x-hub-signature-256";
    assert_eq!(class_and_fault(&result), (FailureClass::Unauthorized, fault));

    let result = check(&ours.prober(site, "ada", "{{hook_url}}", 10, "signed", "'json.event == \"pull\"'")).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert_eq!(fault, "step 2 of 3, `called`: expected json.event == \"pull\", json.event was \"push\"");
}

#[tokio::test]
async fn checks_that_wait_at_once_get_each_its_own_call() {
    let (ours, (_, site)) = (Ours::start().await, Site::start().await);
    let users: Vec<String> = (0..20).map(|number| format!("user{number}")).collect();
    let checks = users.iter().enumerate().map(|(number, user)| {
        // The first to trigger is the last to be called.
        let prober = Arc::new(ours.prober(site, user, "{{hook_url}}", 400 - 20 * number as u64, "signed", ANY));
        async move { check(&prober).await }
    });
    for result in futures_util::future::join_all(checks).await {
        assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    }
}

#[tokio::test]
async fn a_call_by_the_hooks_own_url_counts_and_one_that_came_before_the_flow_began_does_not() {
    let (ours, (_, site)) = (Ours::start().await, Site::start().await);
    let own = format!("http://{}/hook/{TOKEN}", ours.address);
    let early = reqwest::Client::new().post(&own).body("early").send().await.unwrap();
    assert_eq!(early.status(), 200);
    let unknown = reqwest::Client::new().post(format!("{own}x")).body("early").send().await.unwrap();
    assert_eq!((unknown.status().as_u16(), unknown.text().await.unwrap().as_str()), (404, "not found\n"));
    let large = reqwest::Client::new().post(&own).body(vec![b'x'; 2 << 20]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    let result = check(&ours.prober(site, "ada", &own, 60_000, "signed", ANY)).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Missing);
    let result = check(&ours.prober(site, "ada", &own, 50, "signed", ANY)).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
}
