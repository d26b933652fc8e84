use proptest::prelude::*;

use super::*;

const OID: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// The example of the batch API's page.
fn example(rest: &str) -> String {
    format!(r#"{{"transfer": "basic", "objects": [{{"oid": "{OID}", "size": 123, {rest}}}], "hash_algo": "sha256"}}"#)
}

#[test]
fn the_examples_of_the_batch_api_are_read() {
    let answer = example(
        r#""authenticated": true, "actions": {"download": {"href": "https://some-download.com",
            "header": {"Key": "value"}, "expires_at": "2016-11-10T15:29:07Z"}}"#,
    );
    let action = Action { href: "https://some-download.com".into(), headers: vec![("Key".into(), "value".into())] };
    let open = Offer::Open { size: 123, authenticated: true, transfer: Some(action), verify: None };
    assert_eq!(batch(answer.as_bytes(), "download", OID), Ok(open));
    let gone = example(r#""error": {"code": 404, "message": "Object does not exist"}"#);
    let refused = Offer::Refused { code: 404, message: "Object does not exist".into() };
    assert_eq!(batch(gone.as_bytes(), "download", OID), Ok(refused));
    let had = r#"{"objects": [{"oid": "O", "size": 1}]}"#.replace('O', OID).replace("1bjects", "objects");
    let open = Offer::Open { size: 1, authenticated: false, transfer: None, verify: None };
    assert_eq!(batch(had.as_bytes(), "upload", OID), Ok(open), "what the server has need not be put there");
}

#[test]
fn what_a_server_prints_over_ssh_is_read() {
    let printed = br#"{"href": "https://lfs-server.com/foo/bar", "header": {"Authorization": "RemoteAuth x"}}"#;
    let headers = vec![("Authorization".into(), "RemoteAuth x".into())];
    assert_eq!(authenticated(printed), Ok(Action { href: "https://lfs-server.com/foo/bar".into(), headers }));
    assert_eq!(authenticated(b"{}"), Ok(Action { href: String::new(), headers: vec![] }));
    assert!(authenticated(b"[1]").is_err());
}

#[test]
fn what_is_none_of_that_is_told_and_not_shown() {
    let fault = |json: &str| batch(json.as_bytes(), "download", OID).unwrap_err().to_string();
    assert_eq!(fault("<html>"), "what came is no JSON");
    assert_eq!(fault("{}"), "there are no `objects`");
    assert_eq!(fault(r#"{"objects": []}"#), "there is not one of `objects`, as was asked for");
    assert_eq!(fault(&example("\"actions\": {}").replace(OID, "2")), "the answer is about another object");
    assert_eq!(fault(&example(r#""actions": {"download": {}}"#)), "an action without `href`");
    assert_eq!(fault(&example(r#""error": {"message": "x"}"#)), "an `error` without `code`");
    let many: Vec<String> = (0..65).map(|n| format!("\"h{n}\": \"v\"")).collect();
    let many = example(&format!(r#""actions": {{"download": {{"href": "x", "header": {{{}}}}}}}"#, many.join(",")));
    assert_eq!(fault(&many), "an action with more than 64 headers");
    assert_eq!(message(br#"{"message": "Credentials needed"}"#).as_deref(), Some("Credentials needed"));
    assert_eq!(message(b"no"), None);
}

proptest! {
    #[test]
    fn anything_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..500), cut_at in 0usize..300) {
        let _ = (batch(&bytes, "download", OID), authenticated(&bytes), message(&bytes));
        let whole = example(r#""actions": {"download": {"href": "x", "header": {"a": "b"}}}"#);
        let damaged = [&whole.as_bytes()[..cut_at.min(whole.len())], &bytes].concat();
        let _ = batch(&damaged, "download", OID);
    }
}
