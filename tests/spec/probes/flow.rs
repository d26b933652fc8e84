//! Flows: steps as a customer takes them, against a site with accounts and jobs.

mod django;
mod mail;
mod oauth;
mod pages;
mod receive;
mod site;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tripline::config::{Outside, load};
use tripline::model::{CheckResult, FailureClass, Location, Outcome, Timestamp};
use tripline::probe::{Prober, Roots};

use super::{class_and_fault, failure};
use site::{CSRF, SESSION, Site};

use crate::probes::nth;

struct Env;

impl Outside for Env {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "PASSWORD" => Some("hunter2".into()),
            "NEW" => Some("hunter3-and-more".into()),
            "CLIENT" => Some("client-s3cret".into()),
            "TOTP" => Some("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into()),
            _ => None,
        }
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("no such file".into())
    }
}

/// What takes a flow with this timeout; `SITE` stands for the site.
fn prober(address: SocketAddr, timeout: &str, flow: &str) -> Prober {
    let flow = flow.replace("SITE", &format!("http://{address}"));
    let text = format!(
        "name: Forge\ncomponents: {{auth: {{}}}}\nprobes:\n  account:\n    component: auth\n    interval: 1h\n    timeout: {timeout}\n    labels: {{user: ada}}\n    flow:\n{flow}"
    );
    let config = load("probes.yaml", &text, &Env).unwrap_or_else(|problems| panic!("{problems}"));
    Prober::new(&config.probes, Location::local(), config.secrets, &Roots::load()).unwrap()
}

/// One check of it.
async fn check(address: SocketAddr, timeout: &str, flow: &str) -> CheckResult {
    let prober = prober(address, timeout, flow);
    prober.check(nth(&prober, 0), Timestamp::from_millis(1_739_288_460_000)).await
}

const SIGN_IN: &str = r#"
      steps:
        - name: open
          http: {url: "SITE/signin"}
          capture:
            csrf: {css: "input[name=csrf]", attribute: value}
            trace: {regex: "trace = '([a-z]+)'", show: true}
        - name: sign-in
          http:
            method: POST
            url: "SITE/signin"
            headers: {content-type: application/x-www-form-urlencoded, x-trace: "{{trace}}"}
            body: "user={{user}}&csrf={{csrf}}&password=${env:PASSWORD}"
          expect: [status == 200, 'body.contains("Welcome")', 'url.endsWith("/welcome")']
          capture: {session: {cookie: session}}
        - name: sign-out
          http: {method: POST, url: "SITE/signout", headers: {x-session: "{{session}}"}}
        - name: gone
          http: {url: "SITE/welcome"}
          expect: [status == 401]
"#;

#[tokio::test]
async fn one_signs_in_with_the_pages_token_is_known_by_cookie_and_signs_out() {
    let (site, address) = Site::start().await;
    let result = check(address, "5s", SIGN_IN).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    assert_eq!(
        site.log(),
        [
            "GET /signin".to_owned(),
            "POST /signin seen=1".to_owned(),
            format!("GET /welcome seen=1; session={SESSION}"),
            format!("POST /signout seen=1; session={SESSION}"),
            "GET /welcome seen=1".to_owned(),
        ],
        "the redirect carries the cookie that it brought, and one that is taken back is gone"
    );
    assert_eq!(site.bodies(), ["user=ada&csrf=c5rf%2B%2F%26%3Dt0ken&password=hunter2"]);
    assert!(result.phases.connect.is_some() && result.phases.first_byte.is_some(), "{:?}", result.phases);

    let again = check(address, "5s", SIGN_IN).await;
    assert_eq!(again.outcome, Outcome::Success);
    assert_eq!(site.log()[5], "GET /signin", "every check begins without cookies");
}

#[tokio::test]
async fn the_step_that_failed_is_named_and_the_steps_before_it_keep_their_times() {
    let (site, address) = Site::start().await;
    let flow = SIGN_IN.replace("password=${env:PASSWORD}", "password=wrong");
    let result = check(address, "5s", &flow).await;
    let (class, evidence) = failure(&result);
    assert_eq!(class, FailureClass::Unauthorized);
    assert_eq!(evidence.fault, "step 2 of 4, `sign-in`: expected status == 200, status was 401");
    assert_eq!(evidence.request, format!("POST http://{address}/signin"));
    assert_eq!((evidence.body.as_str(), result.status), ("wrong password", Some(401)));
    let steps: Vec<(&str, &str)> =
        evidence.headers.iter().take(4).map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(steps[0].0, "step 1 of 4, `open`");
    assert!(steps[0].1.starts_with("200 in ") && steps[0].1.contains("first_byte "), "{steps:?}");
    assert!(steps[1].1.starts_with("failed (unauthorized): 401 in "), "{steps:?}");
    assert_eq!(steps[2..], [("step 3 of 4, `sign-out`", "not taken"), ("step 4 of 4, `gone`", "not taken")]);
    assert!(evidence.headers.iter().any(|(name, _)| name == "content-type"), "the answer's own follow");
    assert_eq!(site.log().len(), 2);
}

#[tokio::test]
async fn what_was_captured_is_secret_unless_it_is_to_be_shown() {
    let (_, address) = Site::start().await;
    let flow = r#"
      steps:
        - {name: open, http: {url: "SITE/signin"}, capture: {csrf: {css: "input", attribute: value}}}
        - name: say
          http: {method: POST, url: "SITE/api/echo?t={{csrf}}", body: "{{csrf}} and ${env:PASSWORD}"}
          expect: ['body == "x"']
"#;
    let result = check(address, "5s", flow).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert_eq!(fault, "step 2 of 2, `say`: expected body == \"x\", body was \"|[secret] and [secret]\"");
    let all = format!("{:?}", result.evidence);
    assert!(!all.contains(CSRF) && !all.contains("c5rf") && !all.contains("hunter2"), "{all}");
    assert_eq!(failure(&result).1.request, format!("POST http://{address}/api/echo?t=[secret]"));

    let shown = check(address, "5s", &flow.replace("attribute: value", "attribute: value, show: true")).await;
    assert!(class_and_fault(&shown).1.contains(CSRF), "{shown:?}");
}

#[tokio::test]
async fn a_session_that_is_over_and_a_captured_url_without_its_host_are_secret_still() {
    let (_, address) = Site::start().await;
    let flow = r#"
        - {name: page, http: {url: "SITE/pages/1"}, capture: {next: {json: "$.next"}}}
        - name: say
          http: {method: POST, url: "SITE/api/echo", body: "SESSION at /pages/2, not /pages/3"}
          expect: ['body == "x"']
"#;
    let open = SIGN_IN
        .split("        - name: gone")
        .next()
        .unwrap()
        .replace("{session: {cookie: session}}", "{}")
        .replace(r#", headers: {x-session: "{{session}}"}"#, "");
    let result =
        check(address, "5s", &format!("{open}{}", flow.trim_start_matches('\n').replace("SESSION", SESSION))).await;
    let fault = "step 5 of 5, `say`: expected body == \"x\", body was \"|[secret] at [secret], not /pages/3\"";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, fault));
    assert_eq!(failure(&result).1.body, "|[secret] at [secret], not /pages/3");
}

#[tokio::test]
async fn a_value_stands_in_json_as_json_wants_it_and_a_header_is_captured_too() {
    let (site, address) = Site::start().await;
    let flow = r#"
      steps:
        - name: token
          http: {method: POST, url: "SITE/api/token"}
          capture: {token: {json: "$.token.value"}, n: {json: "$['n']"}}
        - name: start
          http: {method: POST, url: "SITE/api/jobs"}
          capture: {place: {header: location}}
        - name: use
          http:
            method: POST
            url: "SITE/api/echo"
            headers: {content-type: application/json, authorization: "Bearer {{n}}"}
            body: '{"token": "{{token}}", "place": "{{place}}"}'
          expect: [status == 200, 'body.startsWith("Bearer 7|")']
"#;
    let result = check(address, "5s", flow).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    assert_eq!(site.bodies(), [r#"{"token": "t0k-\"quoted\"", "place": "/api/jobs/"}"#]);
}

#[tokio::test]
async fn what_cannot_be_captured_is_an_expectation_that_says_why() {
    let (_, address) = Site::start().await;
    let cases = [
        ("/signin", r#"{css: "p.error"}"#, "the page has no p.error"),
        ("/signin", r#"{css: "input", attribute: id}"#, "the first input has no attribute id"),
        ("/signin", r#"{json: "$.id"}"#, "the body is no JSON (line 1, column 1)"),
        ("/signin", r#"{header: x-id}"#, "the answer has no header x-id"),
        ("/signin", r#"{regex: "id=([0-9]+)"}"#, "the body has nothing like /id=([0-9]+)/"),
        ("/signin", r#"{cookie: session}"#, "no cookie session has been set"),
        ("/api/echo", r#"{css: "form"}"#, "the text of form is empty"),
    ];
    for (page, capture, why) in cases {
        let flow = format!(
            "      steps: [{{name: open, http: {{url: \"SITE{page}\", method: {}, body: \"<form></form>\"}}, capture: {{it: {capture}}}}}]",
            if page == "/signin" { "GET" } else { "PUT" }
        );
        let result = check(address, "5s", &flow).await;
        let expected = format!("step 1 of 1, `open`: nothing can be captured as `it`: {why}");
        assert_eq!(class_and_fault(&result), (FailureClass::Expectation, expected.as_str()));
    }
}

fn job(kind: &str, until: &str) -> String {
    format!(
        r#"
      steps:
        - name: wait
          http: {{url: "SITE/api/jobs/{kind}"}}
          expect: ['json.state == "done"']
          until: {until}
        - {{name: remove, always: true, http: {{method: DELETE, url: "SITE/api/jobs/{kind}"}}}}
"#
    )
}

#[tokio::test]
async fn a_step_waits_until_what_it_expects_holds() {
    let (site, address) = Site::start().await;
    let result = check(address, "10s", &job("good", "{every: 100ms, for: 5s}")).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    assert_eq!(site.log().len(), 4, "three looks and the clean-up: {:?}", site.log());
    assert!(result.phases.total >= Duration::from_millis(200), "{:?}", result.phases);
}

#[tokio::test]
async fn a_job_that_failed_and_one_that_is_stuck_are_told_apart_and_both_are_cleaned_up() {
    let fail = r#"{every: 100ms, for: 1s, fail: 'json.state == "failed"'}"#;
    let (site, address) = Site::start().await;
    let began = Instant::now();
    let result = check(address, "10s", &job("bad", fail)).await;
    assert!(began.elapsed() < Duration::from_millis(900), "it ends at once: {:?}", began.elapsed());
    let expected = "step 1 of 2, `wait`: expected !(json.state == \"failed\"), json.state was \"failed\"";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, expected));
    assert_eq!(site.log().last().unwrap(), "DELETE /api/jobs/bad");

    let (site, address) = Site::start().await;
    let result = check(address, "10s", &job("stuck", fail)).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("step 1 of 2, `wait`: not so within 1s, after "), "{fault}");
    assert!(fault.ends_with("tries: expected json.state == \"done\", json.state was \"running\""), "{fault}");
    assert_eq!(site.log().last().unwrap(), "DELETE /api/jobs/stuck");

    let (_, address) = Site::start().await;
    let result = check(address, "10s", &job("hidden", fail)).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::NotFound, "a status says more than that time is up");
}

#[tokio::test]
async fn a_flow_that_runs_out_of_time_names_the_state_last_seen_and_keeps_a_share_for_cleaning_up() {
    let (site, address) = Site::start().await;
    let began = Instant::now();
    let late = "      steps:\n        - {name: open, http: {url: \"SITE/late\"}}";
    let flow = job("mute", "{every: 100ms, for: 1s}").replace("      steps:", late);
    let result = check(address, "1500ms", &flow).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(
        fault.starts_with("step 2 of 3, `wait`: no answer within 1s200ms: waiting for the first byte"),
        "{fault}"
    );
    assert!(fault.ends_with("; last seen: expected json.state == \"done\", json.state was \"running\""), "{fault}");
    assert_eq!(site.log().last().unwrap(), "DELETE /api/jobs/mute");
}

#[tokio::test]
async fn clean_up_that_fails_too_is_told_and_clean_up_of_what_never_was_is_left_out() {
    let (site, address) = Site::start().await;
    let flow = r#"
      steps:
        - {name: start, http: {url: "SITE/broken"}, capture: {id: {json: "$.id"}}}
        - {name: remove, always: true, http: {url: "SITE/api/jobs/{{id}}"}}
        - {name: sign-out, always: true, http: {url: "SITE/slow"}}
"#;
    let began = Instant::now();
    let result = check(address, "1s", flow).await;
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    let (class, evidence) = failure(&result);
    assert_eq!(class, FailureClass::ServerError, "what failed first says what it is");
    let first = "step 1 of 3, `start`: expected a 2xx status, status was 500 Internal Server Error; then step 3 of 3, `sign-out`: no answer within 9";
    assert!(evidence.fault.starts_with(first), "{}", evidence.fault);
    let second = ("step 2 of 3, `remove`".to_owned(), "not taken: nothing was captured as id".to_owned());
    assert!(evidence.headers.contains(&second), "{:?}", evidence.headers);
    assert_eq!(site.log(), ["GET /broken", "GET /slow"]);
}

#[tokio::test]
async fn a_captured_url_is_followed_but_takes_no_secret_to_a_host_that_the_configuration_does_not_name() {
    let flow = |next: &str| {
        format!(
            r#"
      steps:
        - {{name: first, http: {{url: "SITE/pages/1"}}, capture: {{next: {{json: "$.{next}", show: true}}}}}}
        - {{name: second, http: {{url: "{{{{next}}}}", headers: {{x-key: "${{env:PASSWORD}}"}}}}}}
"#
        )
    };
    let (site, address) = Site::start().await;
    let result = check(address, "5s", &flow("next")).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    assert_eq!(site.log(), ["GET /pages/1", "GET /pages/2"]);

    let result = check(address, "5s", &flow("elsewhere")).await;
    let (class, evidence) = failure(&result);
    let expected = "step 2 of 2, `second`: the URL was captured and leads to http://localhost:1, which the configuration does not name; its secrets are not sent there";
    assert_eq!((class, evidence.fault.as_str()), (FailureClass::Redirect, expected));
    assert_eq!(evidence.request, "GET {{next}}");
}

#[tokio::test]
async fn a_one_time_code_is_made_of_its_secret_and_is_not_shown() {
    let (site, address) = Site::start().await;
    let flow = r#"
      totp: {login: {secret: "${env:TOTP}", digits: 8, period: 1h}}
      steps:
        - {name: code, http: {method: POST, url: "SITE/api/echo", body: "{{totp:login}}"}, expect: ['body == "x"']}
"#;
    let result = check(address, "5s", flow).await;
    let said = site.bodies().pop().unwrap();
    assert!(said.len() == 8 && said.bytes().all(|byte| byte.is_ascii_digit()), "{said}");
    let fault = class_and_fault(&result).1;
    assert!(fault.contains("[secret]") && !fault.contains(&said), "{fault}");
}

#[tokio::test]
async fn the_flow_as_a_whole_can_be_too_slow() {
    let (_, address) = Site::start().await;
    let flow =
        "      steps: [{name: open, http: {url: \"SITE/signin\"}}]\n    expect: ['timing.total > duration(\"1h\")']";
    let result = check(address, "5s", flow).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert!(fault.starts_with("expected timing.total > duration(\"1h\"), timing.total was "), "{fault}");
}
