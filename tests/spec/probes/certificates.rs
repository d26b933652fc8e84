use std::sync::Arc;

use tripline::model::{FailureClass, Location, Outcome, Secrets, TlsOptions};
use tripline::probe::{Prober, Roots};

use super::{check, failure, probe, target, trusting};
use crate::servers::{Authority, Server, acceptor, answer, self_signed};

fn ok() -> String {
    answer("200 OK", "", "ok")
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_tls_and_is_kept() {
    let authority = Authority::new("Test authority");
    let stranger = Authority::new("Strange authority");
    let cases = [
        (authority.sign(&["localhost"], true), "certificate expired on 2020-01-01 00:00:00 UTC", "CN=Test authority"),
        (
            authority.sign(&["other.example"], false),
            "certificate is not valid for localhost; it is for other.example",
            "CN=Test authority",
        ),
        (
            stranger.sign(&["localhost"], false),
            "certificate is signed by an authority that is not trusted",
            "CN=Strange authority",
        ),
        (self_signed(&["localhost"]), "certificate is signed by an authority that is not trusted", "CN=localhost"),
    ];
    for (pair, said, issuer) in cases {
        let server = Server::fixed(Some(acceptor(&pair, None)), ok()).await;
        let mut asked = target(&format!("https://localhost:{}/", server.address.port()));
        asked.tls = trusting(&authority);
        asked.resolve.address = Some(server.address);
        let result = check(asked.clone(), &[]).await;
        let (class, evidence) = failure(&result);
        assert_eq!((class, &*evidence.fault), (FailureClass::Tls, said));
        let certificate = evidence.certificate.as_ref().unwrap();
        assert!(certificate.subject.starts_with("CN="), "{certificate:?}");
        assert_eq!((&*certificate.issuer, certificate.fault.as_deref()), (issuer, Some(said)));
        assert_eq!((evidence.address, result.address), (Some(server.address.ip()), Some(server.address.ip())));
        assert_eq!(result.expires, Some(certificate.expires), "also of one that was not accepted");
        assert!(result.phases.tls.is_some() && result.phases.first_byte.is_none(), "{:?}", result.phases);

        asked.tls = Arc::new(TlsOptions { skip_verify: true, ..TlsOptions::default() });
        let accepted = check(asked.clone(), &[]).await;
        assert_eq!(accepted.outcome, Outcome::Success, "skip_verify accepts it");
        assert_eq!((accepted.address, accepted.expires), (result.address, result.expires), "a success says it too");
        let result = check(asked, &["status == 201"]).await;
        let certificate = failure(&result).1.certificate.clone().unwrap();
        assert_eq!(certificate.fault.as_deref(), Some("nobody verified it: skip_verify is set"));
    }
}

#[tokio::test]
async fn an_accepted_certificate_is_kept_as_evidence_without_a_fault() {
    let authority = Authority::new("Test authority");
    let server = Server::fixed(Some(authority.acceptor(&["127.0.0.1"])), answer("500 Oops", "", "")).await;
    let mut asked = target(&format!("https://{}/", server.address));
    asked.tls = trusting(&authority);
    let result = check(asked, &[]).await;
    let certificate = failure(&result).1.certificate.clone().unwrap();
    assert_eq!((&*certificate.subject, certificate.fault), ("CN=127.0.0.1", None));
    assert!(certificate.expires.as_millis() > 0);
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_one_is_configured() {
    let authority = Authority::new("Test authority");
    let server = Server::fixed(Some(authority.mutual_acceptor(&["127.0.0.1"])), ok()).await;
    let mut asked = target(&format!("https://{}/", server.address));
    asked.tls = trusting(&authority);
    let result = check(asked.clone(), &[]).await;
    let (class, evidence) = failure(&result);
    assert_eq!(class, FailureClass::Tls);
    assert!(evidence.fault.contains("CertificateRequired"), "{}", evidence.fault);
    let (certificate, key) = authority.sign(&["tripline"], false);
    asked.tls = Arc::new(TlsOptions {
        ca: Some(authority.pem.clone().into()),
        identity: Some(format!("{certificate}{key}").into()),
        skip_verify: false,
    });
    assert_eq!(check(asked, &[]).await.outcome, Outcome::Success);
}

#[test]
fn certificates_that_cannot_be_read_name_the_probe() {
    let cases = [
        (Some("no pem"), None, "probe dashboard: the file of certificate authorities holds no certificate"),
        (None, Some("no pem"), "probe dashboard: the client certificate holds no certificate"),
    ];
    for (ca, identity, said) in cases {
        let mut asked = target("https://forge.example/");
        asked.tls =
            Arc::new(TlsOptions { ca: ca.map(Into::into), identity: identity.map(Into::into), skip_verify: false });
        let probe = probe(asked, std::time::Duration::from_secs(1), &[]);
        let made = Prober::new(&[probe], Location::local(), Secrets::default(), &Roots::load());
        assert_eq!(made.err().unwrap().to_string(), said);
    }
}
