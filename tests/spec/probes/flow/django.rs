//! Accounts of a site that others wrote: Django's sign-in, one-time codes by django-otp, and the mail for a forgotten
//! password.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tripline::inbox::Inbox;
use tripline::inbox::smtp::{PATIENCE, SmtpServer};
use tripline::model::{CheckResult, FailureClass, Outcome, Timestamp};

use super::{check, class_and_fault, failure, prober};
use crate::django_site::DjangoSite;
use crate::probes::nth;

const SIGN_IN: &str = r##"
      steps:
        - name: open
          http: {url: "SITE/admin/"}
          expect: [status == 200, 'url.contains("/admin/login/")']
          capture: {csrf: {css: "input[name=csrfmiddlewaretoken]", attribute: value}}
        - name: sign-in
          http:
            method: POST
            url: "SITE/admin/login/?next=/admin/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "username=ada&password=${env:PASSWORD}&csrfmiddlewaretoken={{csrf}}"
          expect: [status == 200, '!url.contains("/login/")']
          capture:
            out: {css: "#logout-form input[name=csrfmiddlewaretoken]", attribute: value}
            session: {cookie: sessionid}
        - name: use
          http: {url: "SITE/admin/auth/user/"}
          expect: ['body.contains("1 user")']
        - name: sign-out
          http:
            method: POST
            url: "SITE/admin/logout/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "csrfmiddlewaretoken={{out}}"
          expect: ['body.contains("Logged out")']
        - name: over
          http: {url: "SITE/admin/auth/user/", redirects: 0}
          expect: [status == 302, 'headers["location"].startsWith("/admin/login/")']
        - name: over-for-others
          http: {url: "SITE/admin/auth/user/", redirects: 0, headers: {cookie: "sessionid={{session}}"}}
          expect: [status == 302]
"##;

/// The first steps of that, which sign in.
pub(super) fn entered() -> &'static str {
    SIGN_IN.split("        - name: use").next().unwrap()
}

/// The evidence as text, in which none of the site's secrets stands.
pub(super) fn evidence(site: &DjangoSite, result: &CheckResult) -> String {
    let all = format!("{:?}", failure(result).1);
    for secret in site.secrets().iter().map(String::as_str).chain(["hunter2", "client-s3cret"]) {
        assert!(!all.contains(secret), "{secret} stands in {all}");
    }
    all
}

#[tokio::test]
async fn one_signs_in_to_django_with_the_pages_token_uses_the_session_and_signs_out_and_the_session_is_over() {
    let Some(site) = DjangoSite::start(1, "ada@forge.example") else { return };
    let result = check(site.address(), "30s", SIGN_IN).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    let stays = SIGN_IN.replace("name: sign-out", "name: sign-out\n          until: {every: 100ms, for: 1s}");
    let stays = stays.replace("SITE/admin/logout/", "SITE/admin/auth/user/");
    let result = check(site.address(), "30s", &stays).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout, "who does not sign out stays: {fault}");
    assert!(!site.secrets().is_empty());
    evidence(&site, &result);
}

#[tokio::test]
async fn django_refuses_a_wrong_password_and_a_form_without_its_token_and_the_step_is_named() {
    let Some(site) = DjangoSite::start(1, "ada@forge.example") else { return };
    let wrong = SIGN_IN.replace("${env:PASSWORD}", "${env:PASSWORD}x");
    let result = check(site.address(), "30s", &wrong).await;
    let expected = format!(
        "step 2 of 6, `sign-in`: expected !url.contains(\"/login/\"), url was \"http://{}/admin/login/?next=/admin/\"",
        site.address()
    );
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, expected.as_str()));
    let shown = evidence(&site, &result);
    let form = &failure(&result).1.body;
    assert!(form.contains(r#"name="csrfmiddlewaretoken" value="[secret]""#), "the new form's token: {form}");
    assert!(shown.contains("not taken"), "{shown}");

    let bare = SIGN_IN.replace("&csrfmiddlewaretoken={{csrf}}", "");
    let result = check(site.address(), "30s", &bare).await;
    let expected = "step 2 of 6, `sign-in`: expected status == 200, status was 403";
    assert_eq!(class_and_fault(&result), (FailureClass::Forbidden, expected));
    assert!(evidence(&site, &result).contains("CSRF verification failed"));
}

#[tokio::test]
async fn over_https_django_wants_to_know_the_page_that_a_form_came_from() {
    let Some(site) = DjangoSite::start(1, "ada@forge.example") else { return };
    // As behind a proxy that speaks TLS.
    let https = SIGN_IN.replace("headers: {content-type", "headers: {x-forwarded-proto: https, content-type");
    let result = check(site.address(), "30s", &https).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Forbidden);
    assert!(evidence(&site, &result).contains("Referer header"));
    let referer = format!("headers: {{referer: \"https://{}/\", x-forwarded-proto", site.address());
    let result = check(site.address(), "30s", &https.replace("headers: {x-forwarded-proto", &referer)).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
}

#[tokio::test]
async fn django_otp_takes_our_one_time_code_once_and_none_of_another_secret() {
    let Some(site) = DjangoSite::start(1, "ada@forge.example") else { return };
    let flow = |secret: &str| {
        let body = "username=ada&otp_device=otp_totp.totpdevice/1&otp_token={{totp:phone}}&password=";
        let flow = entered().replace("/admin/", "/otp/");
        let flow = flow.replace("username=ada&password=", body);
        format!("      totp: {{phone: {{secret: \"{secret}\"}}}}{flow}")
    };
    // The right code comes first: a wrong one makes django-otp refuse all for a while.
    let ours = flow("${env:TOTP}");
    let result = check(site.address(), "30s", &ours).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    let mut again = check(site.address(), "30s", &ours).await;
    if again.outcome == Outcome::Success {
        // Half a minute had passed, and it was another code.
        again = check(site.address(), "30s", &ours).await;
    }
    assert_eq!(class_and_fault(&again).0, FailureClass::Expectation, "a code is good once");
    evidence(&site, &again);

    let Some(site) = DjangoSite::start(1, "ada@forge.example") else { return };
    let result = check(site.address(), "30s", &flow("MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U")).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert!(fault.starts_with("step 2 of 2, `sign-in`: expected !url.contains(\"/login/\"), "), "{fault}");
    assert!(evidence(&site, &result).contains("Invalid token"));
}

const FORGOTTEN: &str = r#"
      mailbox: canary@probes.example
      steps:
        - name: forgotten
          http: {url: "SITE/accounts/password_reset/"}
          capture: {csrf: {css: "input[name=csrfmiddlewaretoken]", attribute: value}}
        - name: ask
          http:
            method: POST
            url: "SITE/accounts/password_reset/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "email=canary%40probes.example&csrfmiddlewaretoken={{csrf}}"
          expect: [status == 200, 'url.endsWith("/accounts/password_reset/done/")']
        - name: mailed
          mail: {within: 10s}
          expect: ['subject.startsWith("Password reset on ")', 'headers["from"] == "accounts@forge.example"']
          capture:
            link: {regex: "http://[^/]+/accounts/reset/[^/]+/[^/]+/"}
            who: {regex: "/accounts/reset/([^/]+)/", show: true}
        - name: follow
          http: {url: "{{link}}"}
          expect: ['body.contains("Enter new password")']
          capture: {choose: {css: "input[name=csrfmiddlewaretoken]", attribute: value}}
        - name: choose
          http:
            method: POST
            url: "SITE/accounts/reset/{{who}}/set-password/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "new_password1=${env:NEW}&new_password2=${env:NEW}&csrfmiddlewaretoken={{choose}}"
          expect: ['body.contains("Password reset complete")']
        - name: used
          http: {url: "{{link}}"}
          expect: ['body.contains("The password reset link was invalid")']
"#;

/// One check of a forgotten password, at the site's own mail address for its user.
async fn forgotten(site: SocketAddr, inbox: &Inbox, flow: &str) -> CheckResult {
    let prober = prober(site, "40s", flow).with_inbox(inbox.clone());
    prober.check(nth(&prober, 0), Timestamp::from_millis(1_739_288_460_000)).await
}

#[tokio::test]
async fn who_forgot_the_password_gets_djangos_mail_follows_its_link_once_and_signs_in_with_a_new_one() {
    let inbox = Inbox::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = SmtpServer::start(listener, inbox.mailboxes().clone(), PATIENCE).unwrap();
    let Some(site) = DjangoSite::start(server.address().port(), "canary@probes.example") else { return };

    let other = FORGOTTEN.replace("Password reset on ", "Welcome to ");
    let other = other.replace("within: 10s", "within: 2s");
    let result = forgotten(site.address(), &inbox, &other).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    let expected =
        "step 3 of 6, `mailed`: expected subject.startsWith(\"Welcome to \"), subject was \"Password reset on ";
    assert!(fault.starts_with(expected), "{fault}");
    let shown = evidence(&site, &result);
    // Django's answer to the form came by a redirect, which is not the mail's.
    let mailed = failure(&result).1;
    assert_eq!((mailed.request.as_str(), mailed.redirects.len()), ("a mail to {{mail_address}}", 0));
    assert!(shown.contains("[secret]") && !shown.contains("/accounts/reset/"), "the link is a secret: {shown}");

    let result = forgotten(site.address(), &inbox, FORGOTTEN).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
    let result = check(site.address(), "30s", SIGN_IN).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Expectation, "the old password is no more");
    let result = check(site.address(), "30s", &SIGN_IN.replace("env:PASSWORD", "env:NEW")).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);

    let late = FORGOTTEN
        .replace("Enter new password", "Welcome")
        .replace("{url: \"{{link}}\"}", "{url: \"{{link}}\", redirects: 0}");
    let result = forgotten(
        site.address(),
        &inbox,
        &late.replace("expect: ['body.contains(\"Welcome\")']", "expect: [status == 200]"),
    )
    .await;
    assert_eq!(class_and_fault(&result).1, "step 4 of 6, `follow`: expected status == 200, status was 302");
    assert_eq!(failure(&result).1.request, "GET [secret]");
}
