//! TLS: OpenSSL and aiosmtpd on the other side, and sockets that behave badly.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::kind::tls::VARIABLES;
use tripline::model::{
    CheckResult, Condition, FailureClass, Outcome, Probe, ProbeKind, Secrets, StartTls, Timestamp, TlsOptions,
    TlsTarget,
};

use super::{check_with, class_and_fault, failure, probe, target, trusting};
use crate::network::{Program, free_port, has};
use crate::servers::{Authority, Server, acceptor, self_signed};
use crate::smtp::{Certificates, MailServer};

fn asking(tls: TlsTarget, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Tls(tls);
    Probe { kind, expect: expect.into(), ..probe(target("http://127.0.0.1:9/"), timeout, &[]) }
}

async fn ask(tls: &TlsTarget, expect: &[&str]) -> CheckResult {
    check_with(asking(tls.clone(), Duration::from_secs(2), expect), Secrets::default()).await
}

/// A question that may take half a second: it must be over within half a second more.
async fn briefly(tls: &TlsTarget) -> CheckResult {
    let began = Instant::now();
    let result = check_with(asking(tls.clone(), Duration::from_millis(500), &[]), Secrets::default()).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    result
}

fn to(port: u16, tls: Arc<TlsOptions>) -> TlsTarget {
    TlsTarget { host: "127.0.0.1".into(), port, server_name: None, alpn: vec![], starttls: None, tls }
}

/// A root, and below it an authority that ends in 20 days, and below that a certificate that ends in 40.
struct Chain {
    folder: tempfile::TempDir,
    options: Arc<TlsOptions>,
    authority_ends: Timestamp,
}

impl Chain {
    fn new() -> Self {
        let signing = |name: &str, days: i64| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
            end(&mut params, days);
            (params, KeyPair::generate().unwrap())
        };
        let (root_params, root_key) = signing("Root", 60);
        let root = root_params.self_signed(&root_key).unwrap();
        let root = (root, Issuer::new(root_params, root_key));
        let (params, key) = signing("Authority", 20);
        let authority = params.signed_by(&key, &root.1).unwrap();
        let authority_key = key.serialize_pem();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".into(), "www.forge.example".into()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "www.forge.example");
        end(&mut params, 40);
        params.serial_number = Some(SerialNumber::from(0x1234_u64));
        let leaf = params.signed_by(&key, &issuer).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("leaf.pem", leaf.pem());
        write("leaf.key", key.serialize_pem());
        write("authority.pem", authority.pem());
        write("authority.key", authority_key);
        // A server may show what nobody needs, and what has run out long ago.
        write("chain.pem", authority.pem() + &stale().pem());
        write("index.txt", "V\t351231235959Z\t\t1234\tunknown\t/CN=www.forge.example\n".into());
        let options = TlsOptions { ca: Some(root.0.pem().into()), ..TlsOptions::default() };
        Self { folder, options: Arc::new(options), authority_ends: midnight(20) }
    }

    /// OpenSSL's server with this chain and these options.
    fn serve(&self, options: &[&str]) -> Program {
        let port = free_port();
        let accept = format!("127.0.0.1:{port}");
        let chain = ["-cert", "leaf.pem", "-key", "leaf.key", "-cert_chain", "chain.pem", "-accept", &accept];
        let mut command = Command::new("openssl");
        let command = command.args(["s_server", "-www", "-quiet"]).args(chain).args(options);
        Program::start(command.current_dir(self.folder.path()), port)
    }

    /// An OCSP response for the certificate, as OpenSSL signs it.
    fn staple(&self) {
        let words = "ocsp -index index.txt -CA authority.pem -rsigner authority.pem -rkey authority.key \
                     -issuer authority.pem -cert leaf.pem -ndays 7 -noverify -respout staple.der";
        openssl(words, self.folder.path());
    }
}

fn openssl(words: &str, folder: &Path) {
    let done = Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The first moment of the day after so many days, by UTC.
fn midnight(days: i64) -> Timestamp {
    let today = jiff::Timestamp::now().as_second().div_euclid(86_400);
    Timestamp::from_millis((today + days) * 86_400_000)
}

fn end(params: &mut CertificateParams, days: i64) {
    // 2025-02-11T00:00:00.000Z
    let shown = midnight(days).to_string();
    let part = |range: std::ops::Range<usize>| shown[range].parse::<u16>().unwrap();
    let small = |range| u8::try_from(part(range)).unwrap();
    params.not_after = rcgen::date_time_ymd(part(0..4).into(), small(5..7), small(8..10));
}

/// A certificate that expired in 2020.
fn stale() -> Certificate {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Stale");
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn a_handshake_tells_what_was_shown_and_when_it_runs_out() {
    if !has("openssl") {
        return;
    }
    let chain = Chain::new();
    chain.staple();
    let server = chain.serve(&["-status_file", "staple.der", "-alpn", "h2,http/1.1"]);
    let mut asked = to(server.address.port(), chain.options.clone());
    asked.alpn = vec!["h2".into(), "http/1.1".into()];
    let expect = [
        "days_left == 39",
        "expires_in > duration('39d') && expires_in <= duration('40d')",
        "chain_expires_in > duration('19d') && chain_expires_in <= duration('20d')",
        "subject == 'CN=www.forge.example' && issuer == 'CN=Authority'",
        "names == ['127.0.0.1', 'www.forge.example']",
        "version == '1.3' && cipher.startsWith('TLS_')",
        "alpn == 'h2'",
        "staple == 'good' && staple_age < duration('1h')",
        "timing.tls > duration('0s') && address == '127.0.0.1'",
    ];
    let result = ask(&asked, &expect).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert_eq!(
        result.expires,
        Some(chain.authority_ends),
        "what is needed and runs out first, not what nobody needs"
    );

    let plain = chain.serve(&["-tls1_2"]);
    let asked = to(plain.address.port(), chain.options.clone());
    let result = ask(&asked, &["version == '1.2' && alpn == '' && staple == 'none' && staple_age == null"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let result = ask(&asked, &["version == '1.3'"]).await;
    let said = "expected version == '1.3', version was \"1.2\"";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, said));
    let named: Vec<&str> = failure(&result).1.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(named, ["certificate expires", "chain expires", "stapled OCSP response", "version", "cipher"]);

    let renamed = TlsTarget { host: "localhost".into(), server_name: Some("www.forge.example".into()), ..asked };
    assert_eq!(ask(&renamed, &[]).await.outcome, Outcome::Success);
    let old = chain.serve(&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let result = ask(&to(old.address.port(), chain.options.clone()), &[]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Tls, "{result:?}");
}

#[tokio::test]
async fn what_is_not_accepted_is_tls_and_still_tells_when_it_runs_out() {
    if !has("openssl") {
        return;
    }
    let chain = Chain::new();
    let server = chain.serve(&[]);
    let untrusting = to(server.address.port(), trusting(&Authority::new("Another")));
    let result = ask(&untrusting, &[]).await;
    let said = "certificate is signed by an authority that is not trusted";
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, said));
    assert_eq!(result.expires, Some(chain.authority_ends), "of the chain, though nobody vouches for it");
    let wrong = TlsTarget {
        server_name: Some("shop.forge.example".into()),
        ..to(server.address.port(), chain.options.clone())
    };
    let result = ask(&wrong, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Tls);
    assert!(fault.starts_with("certificate is not valid for shop.forge.example; it is for "), "{fault}");
    assert_eq!(result.expires, Some(chain.authority_ends));

    let authority = Authority::new("Test authority");
    let cases = [
        (authority.sign(&["127.0.0.1"], true), "certificate expired on 2020-01-01 00:00:00 UTC"),
        (self_signed(&["127.0.0.1"]), said),
    ];
    for (pair, said) in cases {
        let tls = acceptor(&pair, None);
        let server = Server::fixed(Some(tls), "").await;
        let asked = to(server.address.port(), trusting(&authority));
        let result = ask(&asked, &[]).await;
        assert_eq!(class_and_fault(&result), (FailureClass::Tls, said));
        let (evidence, expires) = (failure(&result).1, result.expires.unwrap());
        let lines: Vec<&(String, String)> =
            evidence.headers.iter().filter(|(name, _)| name.ends_with("expires")).collect();
        assert!(lines.len() == 2 && lines.iter().all(|(_, value)| *value == expires.show()), "{lines:?}");
    }
    let server = Server::fixed(Some(acceptor(&authority.sign(&["127.0.0.1"], true), None)), "").await;
    let any = Arc::new(TlsOptions { skip_verify: true, ..TlsOptions::default() });
    let expect = ["days_left < -365 && expires_in == duration('0s') && chain_expires_in == duration('0s')"];
    let result = ask(&to(server.address.port(), any), &expect).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
}

#[tokio::test]
async fn a_mail_server_turns_to_tls_when_it_is_asked() {
    let certificates = Certificates::new();
    let options = Arc::new(TlsOptions { ca: Some(certificates.ca.clone()), ..TlsOptions::default() });
    let server = MailServer::start(certificates.in_options(json!({})));
    let asked = TlsTarget { starttls: Some(StartTls::Smtp), ..to(server.port, options.clone()) };
    let result = ask(&asked, &["version == '1.3' && names == ['127.0.0.1']"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert!(result.phases.first_byte.is_some() && result.phases.tls.is_some(), "{:?}", result.phases);

    let server = MailServer::start(json!({}));
    let result = ask(&TlsTarget { port: server.port, ..asked }, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Tls);
    assert!(fault.starts_with("the server does not offer STARTTLS"), "{fault}");
    assert!(failure(&result).1.body.starts_with("220 "), "what was said in the plain is kept");
}

const READY: &[u8] = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n";

/// Serves each connection by saying these, each after something was heard.
async fn saying(words: &'static [&'static [u8]]) -> Server {
    Server::raw(move |mut stream| {
        Box::pin(async move {
            for said in words {
                let _ = stream.write_all(said).await;
                let _ = stream.read(&mut [0; 4096]).await;
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
        })
    })
    .await
}

#[tokio::test]
async fn who_does_not_speak_the_protocol_before_tls_is_told_from_who_does_not_speak_tls() {
    let long: &'static [u8] = Box::leak(vec![b'2'; 5_000].into_boxed_slice());
    let many: &'static [u8] = Box::leak(b"220-well\r\n".repeat(101).into_boxed_slice());
    let both = [Some(StartTls::Smtp), Some(StartTls::Imap)];
    let cases: [(usize, &'static [&'static [u8]], FailureClass, &str); 9] = [
        (0, &[b"SSH-2.0-x\r\n"], FailureClass::Protocol, "`SSH-2.0-x` is no SMTP reply"),
        (0, &[b"421 busy\r\n"], FailureClass::ServerError, "the greeting was answered with 421 busy"),
        (0, &[b"220 x\r\n", b"250 x\r\n"], FailureClass::Tls, "the server does not offer STARTTLS"),
        (0, Box::leak(Box::new([long])), FailureClass::Protocol, "a line is longer than 2000 bytes"),
        (0, Box::leak(Box::new([many])), FailureClass::Protocol, "more than 100 lines"),
        (1, &[b"* BYE\r\n"], FailureClass::ServerError, "the server greets with BYE"),
        (1, &[READY, b"a1 BAD no\r\n"], FailureClass::Tls, "STARTTLS was answered with BAD no"),
        // Words behind the answer are no part of what is encrypted (CVE-2011-0411).
        (1, &[READY, b"a1 OK\r\n* injected\r\n"], FailureClass::Protocol, "the server spoke on"),
        (1, &[READY, b"a1 OK\r\n", b"HTTP/1.1 200 OK\r\n"], FailureClass::Tls, "the server does not speak TLS"),
    ];
    for (protocol, words, class, said) in cases {
        let server = saying(words).await;
        let asked = TlsTarget { starttls: both[protocol], ..to(server.address.port(), Arc::default()) };
        let result = ask(&asked, &[]).await;
        let (found, fault) = class_and_fault(&result);
        assert_eq!(found, class, "{fault}");
        assert!(fault.contains(said), "{fault:?} does not tell {said:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_broken_off_drips_or_never_ends_has_its_class_in_time() {
    // An alert, fatal, handshake_failure (RFC 8446, section 6).
    let alert = Server::raw(|mut stream| {
        Box::pin(async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).await;
            let _ = stream.read(&mut [0; 4096]).await;
        })
    })
    .await;
    let result = briefly(&to(alert.address.port(), Arc::default())).await;
    let said = "the server ended TLS with the alert HandshakeFailure";
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, said));

    let reset = Server::raw(|mut stream| {
        Box::pin(async move {
            let _ = stream.read(&mut [0; 4096]).await;
            stream.set_zero_linger().unwrap();
        })
    })
    .await;
    let result = briefly(&to(reset.address.port(), Arc::default())).await;
    let said = "the connection was reset in the TLS handshake";
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, said));

    // A record of 16 KiB that never comes to its end.
    let dripping = Server::raw(|mut stream| {
        Box::pin(async move {
            let _ = stream.write_all(&[22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc]).await;
            while stream.write_all(&[0]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    })
    .await;
    let result = briefly(&to(dripping.address.port(), Arc::default())).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no answer within 500ms: in the TLS handshake for "), "{fault}");

    // A handshake message of 16 MiB, record after record.
    let endless = Server::raw(|mut stream| {
        Box::pin(async move {
            let record = [&[22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff][..], &[0; 16_380]].concat();
            while stream.write_all(&record).await.is_ok() {}
        })
    })
    .await;
    let result = briefly(&to(endless.address.port(), Arc::default())).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Tls, "{result:?}");

    // The next check of another server is not disturbed.
    let authority = Authority::new("Test authority");
    let sound = Server::fixed(Some(authority.acceptor(&["127.0.0.1"])), "").await;
    assert_eq!(briefly(&to(sound.address.port(), trusting(&authority))).await.outcome, Outcome::Success);
}
