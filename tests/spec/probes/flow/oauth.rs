//! OAuth 2 (RFC 6749) against a server that others wrote: django-oauth-toolkit.

use tripline::model::{FailureClass, Outcome};

use super::django::{entered, evidence};
use super::{check, class_and_fault};
use crate::django_site::DjangoSite;

/// What follows a sign-in: the code of the user's consent is exchanged for tokens, one is used, and they are refreshed. The verifier is the example of
/// RFC 7636, appendix B.
const TOKENS: &str = r#"        - name: ask
          http: {url: "SITE/o/authorize/?QUERY"}
          expect: ['body.contains("Authorize Tripline?")']
          capture: {consent: {css: "input[name=csrfmiddlewaretoken]", attribute: value}}
        - name: consent
          http:
            method: POST
            url: "SITE/o/authorize/?QUERY"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "QUERY&allow=Authorize&csrfmiddlewaretoken={{consent}}"
          expect: [status == 200, 'url.startsWith("SITE/callback/?")']
          capture: {code: {regex: ".+"}}
        - name: token
          http:
            method: POST
            url: "SITE/o/token/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "grant_type=authorization_code&code={{code}}&redirect_uri=SITE/callback/&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&CLIENT"
          expect: [status == 200, 'json.token_type == "Bearer"']
          capture: {access: {json: $.access_token}, refresh: {json: $.refresh_token}}
        - name: use
          http: {url: "SITE/me/", headers: {authorization: "Bearer {{access}}"}}
          expect: ['json.user == "ada"']
        - name: refresh
          http:
            method: POST
            url: "SITE/o/token/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "grant_type=refresh_token&refresh_token={{refresh}}&CLIENT"
          capture: {access2: {json: $.access_token}, refresh2: {json: $.refresh_token}}
        - name: use-the-new
          http: {url: "SITE/me/", headers: {authorization: "Bearer {{access2}}"}}
          expect: ['json.user == "ada"']
        - name: the-old-is-over
          http: {url: "SITE/me/", headers: {authorization: "Bearer {{access}}"}}
          expect: [status == 401]
        - name: refresh-again
          http:
            method: POST
            url: "SITE/o/token/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "grant_type=refresh_token&refresh_token={{refresh2}}&CLIENT"
          capture: {access3: {json: $.access_token}}
        - name: the-first-refresh-is-over
          http:
            method: POST
            url: "SITE/o/token/"
            headers: {content-type: application/x-www-form-urlencoded}
            body: "grant_type=refresh_token&refresh_token={{refresh}}&CLIENT"
          expect: [status == 400, 'json.error == "invalid_grant"']
"#;

fn tokens(site: &DjangoSite) -> String {
    let query = "response_type=code&client_id=tripline&redirect_uri=SITE/callback/&scope=read&state=s1\
                 &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let flow = (entered().to_owned() + TOKENS)
        .replace("QUERY", query)
        .replace("CLIENT", "client_id=tripline&client_secret=${env:CLIENT}");
    flow.replace("SITE", &format!("http://{}", site.address()))
}

#[tokio::test]
async fn an_access_token_is_used_and_refreshed_and_what_was_rotated_is_good_no_more() {
    let Some(site) = DjangoSite::start(1, "ada@forge.example") else { return };
    let result = check(site.address(), "40s", &tokens(&site)).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence);
}

#[tokio::test]
async fn tokens_stay_secret_also_where_the_answer_that_brings_them_is_not_as_expected() {
    let Some(site) = DjangoSite::start(1, "ada@forge.example") else { return };
    let steps = [
        (
            "json.token_type == \"Bearer\"",
            "json.token_type == \"mac\" || json.access_token == \"\"",
            "step 5 of 11, `token`",
        ),
        ("{access: {json", "{no: {json: $.nothing}, access: {json", "step 5 of 11, `token`: nothing can be captured"),
        ("expect: [status == 401]", "expect: [status == 200]", "step 9 of 11, `the-old-is-over`"),
    ];
    for (right, wrong, fault) in steps {
        let result = check(site.address(), "40s", &tokens(&site).replace(right, wrong)).await;
        let shown = evidence(&site, &result);
        assert!(class_and_fault(&result).1.starts_with(fault), "{shown}");
        assert!(site.secrets().len() > 1, "a session and a token were given out");
        if fault.contains("`token`") {
            assert!(shown.contains(r#"\"access_token\": \"[secret]\""#), "{shown}");
        }
    }
    let result = check(site.address(), "40s", &tokens(&site).replace("{env:CLIENT}", "{env:PASSWORD}")).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(
        (class, fault),
        (FailureClass::Unauthorized, "step 5 of 11, `token`: expected status == 200, status was 401")
    );
}
