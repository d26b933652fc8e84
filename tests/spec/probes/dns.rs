//! DNS: Knot and BIND on the other side, and sockets that behave badly.

pub(crate) mod hostile;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tripline::model::kind::dns::VARIABLES;
use tripline::model::{
    CheckResult, Condition, DnsTarget, FailureClass, NameServer, Outcome, Probe, ProbeKind, RecordKind, Resolve,
    Secrets, TcpTarget, Transport,
};

use super::{check_with, class_and_fault, failure, probe, target, trusting};
use crate::network::{Program, free_port, has};
use crate::servers::Authority;

fn asking(dns: DnsTarget, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Dns(dns);
    Probe { kind, expect: expect.into(), ..probe(target("http://127.0.0.1:9/"), timeout, &[]) }
}

async fn ask(dns: &DnsTarget, expect: &[&str]) -> CheckResult {
    check_with(asking(dns.clone(), Duration::from_secs(3), expect), Secrets::default()).await
}

async fn well(dns: &DnsTarget, expect: &[&str]) {
    let result = ask(dns, expect).await;
    assert_eq!(result.outcome, Outcome::Success, "{dns:?} {result:?}");
}

/// A question that may take half a second: it must be over within half a second more.
async fn briefly(dns: &DnsTarget) -> CheckResult {
    let began = Instant::now();
    let result = check_with(asking(dns.clone(), Duration::from_millis(500), &[]), Secrets::default()).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    result
}

fn at(address: SocketAddr) -> NameServer {
    NameServer { host: address.ip().to_string(), port: address.port() }
}

fn to(server: SocketAddr, name: &str, record: RecordKind) -> DnsTarget {
    DnsTarget {
        name: name.into(),
        record,
        servers: vec![at(server)],
        over: Transport::Udp,
        answers: None,
        tls: Arc::default(),
    }
}

fn answering(dns: DnsTarget, answers: &[&str]) -> DnsTarget {
    let mut answers: Vec<String> = answers.iter().map(|answer| dns.record.canonical(answer)).collect();
    answers.sort();
    DnsTarget { answers: Some(answers), ..dns }
}

const ZONE: &str = "\
$ORIGIN forge.example.
$TTL 300
@ SOA ns1 admin SERIAL 3600 600 86400 60
@ NS ns1
@ NS NS2
@ MX 10 Mx1
@ MX 20 mx2.other.example.
@ TXT \"v=spf1 \" \"-all\"
@ CAA 0 issue \"ca.example.net\"
@ A 192.0.2.7
@ A 192.0.2.8
@ AAAA 2001:db8::7
ns1 60 A 127.0.0.1
www CNAME forge.example.
_sip._tcp SRV 10 5 5060 sip
";

/// Knot DNS with the zone forge.example of this serial, and one zone that it cannot load.
fn knot(serial: u32) -> (Program, tempfile::TempDir) {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let path = folder.path().display().to_string();
    let mut zone = ZONE.replace("SERIAL", &serial.to_string());
    for number in 0..200 {
        zone.push_str(&format!("many A 198.51.100.{number}\n"));
    }
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("forge.example.zone", &zone);
    write(
        "2.0.192.in-addr.arpa.zone",
        "$ORIGIN 2.0.192.in-addr.arpa.\n@ 300 SOA a b 1 1 1 1 1\n@ 300 NS a\n7 300 PTR forge.example.\n",
    );
    let zones = ["forge.example", "2.0.192.in-addr.arpa", "broken.example"];
    let zones: String = zones.iter().map(|zone| format!("  - domain: {zone}\n")).collect();
    write(
        "knot.conf",
        &format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: {path}\ndatabase:\n  storage: {path}\n\
             template:\n  - id: default\n    storage: {path}\n    file: \"%s.zone\"\nzone:\n{zones}"
        ),
    );
    let program = Program::start(Command::new("knotd").arg("-c").arg(folder.path().join("knot.conf")), port);
    (program, folder)
}

/// Waits until the zone is loaded: a name server accepts connections before.
async fn loaded(server: SocketAddr) {
    let began = Instant::now();
    while ask(&to(server, "forge.example", RecordKind::Soa), &[]).await.outcome != Outcome::Success {
        assert!(began.elapsed() < Duration::from_secs(20), "the zone is not loaded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn every_type_of_record_is_asked_for_and_its_answer_is_what_it_should_be() {
    if !has("knotd") {
        return;
    }
    let (server, _folder) = knot(2_025_021_101);
    let server = server.address;
    loaded(server).await;
    let cases: [(&str, RecordKind, &[&str]); 10] = [
        ("forge.example", RecordKind::A, &["192.0.2.8", "192.0.2.7"]),
        ("forge.example", RecordKind::Aaaa, &["2001:DB8:0::7"]),
        ("www.forge.example", RecordKind::Cname, &["forge.example."]),
        ("forge.example", RecordKind::Mx, &["20 mx2.other.example", "10 mx1.forge.example"]),
        ("forge.example", RecordKind::Ns, &["ns1.forge.example", "ns2.forge.example"]),
        ("forge.example", RecordKind::Txt, &["v=spf1 -all"]),
        ("forge.example", RecordKind::Soa, &["ns1.forge.example admin.forge.example 2025021101 3600 600 86400 60"]),
        ("forge.example", RecordKind::Caa, &["0 issue \"ca.example.net\""]),
        ("_sip._tcp.forge.example", RecordKind::Srv, &["10 5 5060 sip.forge.example"]),
        ("7.2.0.192.in-addr.arpa", RecordKind::Ptr, &["forge.example"]),
    ];
    for (name, record, answers) in cases {
        for over in [Transport::Udp, Transport::Tcp] {
            let asked = DnsTarget { over, ..answering(to(server, name, record), answers) };
            well(&asked, &["rcode == 'NOERROR' && authoritative && !authenticated && ttl == 300"]).await;
        }
    }
    well(&to(server, "www.forge.example", RecordKind::A), &["size(answers) == 2", "address == '127.0.0.1'"]).await;
    well(
        &to(server, "FORGE.example", RecordKind::Soa),
        &["serial == 2025021101", "timing.first_byte < duration('3s')"],
    )
    .await;
    // 200 addresses are too long for a datagram of 1,232 bytes, so TCP is asked.
    let many = to(server, "many.forge.example", RecordKind::A);
    let result = ask(&many, &["size(answers) == 200"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert!(result.phases.connect.is_some() && result.phases.transfer.is_some(), "{:?}", result.phases);
}

#[tokio::test]
async fn what_the_name_server_says_has_its_class() {
    if !has("knotd") {
        return;
    }
    let (program, _folder) = knot(1);
    let server = program.address;
    loaded(server).await;
    let cases = [
        ("nothing.forge.example", FailureClass::NotFound, "nothing.forge.example does not exist: NXDOMAIN", 3),
        ("_sip._tcp.forge.example", FailureClass::NotFound, "_sip._tcp.forge.example has no A record", 0),
        ("broken.example", FailureClass::ServerError, "the name server answered SERVFAIL", 2),
        ("other.example", FailureClass::Forbidden, "the name server answered REFUSED", 5),
    ];
    for (name, class, said, status) in cases {
        let result = ask(&to(server, name, RecordKind::A), &[]).await;
        assert_eq!(class_and_fault(&result), (class, said));
        assert_eq!((result.status, result.address), (Some(status), Some(server.ip())));
        assert_eq!(failure(&result).1.request, format!("A {name} @127.0.0.1"));
    }
    well(&to(server, "nothing.forge.example", RecordKind::A), &["rcode == 'NXDOMAIN'", "serial == 1"]).await;
    well(&to(server, "_sip._tcp.forge.example", RecordKind::A), &["size(answers) == 0"]).await;
    let other = answering(to(server, "forge.example", RecordKind::A), &["192.0.2.9"]);
    let result = ask(&other, &[]).await;
    let said = "expected the answers 192.0.2.9; they were 192.0.2.7, 192.0.2.8";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, said));
    let evidence = failure(&result).1;
    assert_eq!(evidence.body, "192.0.2.7\n192.0.2.8");
    assert!(evidence.headers.contains(&("flags".into(), "authoritative".into())), "{evidence:?}");

    let (newer, _other_folder) = knot(2);
    loaded(newer.address).await;
    let both = |name, record| {
        let asked = to(server, name, record);
        DnsTarget { servers: vec![at(server), at(newer.address)], ..asked }
    };
    well(&both("forge.example", RecordKind::Mx), &[]).await;
    let result = ask(&both("forge.example", RecordKind::Soa), &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert!(fault.starts_with("the name servers do not agree: 127.0.0.1 answers ns1.forge.example"), "{fault}");

    // The same server for the names that other kinds dial.
    let mut tcp = asking(both("forge.example", RecordKind::A), Duration::from_secs(2), &[]);
    tcp.kind = ProbeKind::Tcp(TcpTarget::bare("ns1.forge.example", server.port()));
    tcp.resolve = Resolve { server: Some(server), ..Resolve::default() };
    let result = check_with(tcp.clone(), Secrets::default()).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    tcp.kind = ProbeKind::Tcp(TcpTarget::bare("nothing.forge.example", server.port()));
    let result = check_with(tcp, Secrets::default()).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Dns, "nothing.forge.example does not exist"));
    let mut http = target(&format!("http://ns1.forge.example:{}/", server.port()));
    http.resolve.server = Some(server);
    let result = check_with(probe(http, Duration::from_millis(500), &[]), Secrets::default()).await;
    assert_eq!(result.address, Some(server.ip()), "HTTP found the name too: {result:?}");

    let refusing = SocketAddr::from(([127, 0, 0, 1], free_port()));
    for over in [Transport::Udp, Transport::Tcp] {
        let asked = DnsTarget { over, ..to(refusing, "forge.example", RecordKind::A) };
        assert_eq!(class_and_fault(&ask(&asked, &[]).await), (FailureClass::Connect, "the connection was refused"));
    }
    let mut nowhere = to(server, "forge.example", RecordKind::A);
    nowhere.servers[0].host = "does-not-exist.invalid".into();
    assert_eq!(class_and_fault(&ask(&nowhere, &[]).await).0, FailureClass::Dns);
}

#[tokio::test]
async fn a_name_server_is_asked_by_tls() {
    if !has("named") {
        return;
    }
    let (authority, folder) = (Authority::new("Test authority"), tempfile::tempdir().unwrap());
    let (port, plain, path) = (free_port(), free_port(), folder.path().display().to_string());
    let (certificate, key) = authority.sign(&["127.0.0.1"], false);
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("cert.pem", &certificate);
    write("key.pem", &key);
    // BIND takes no zone whose own name servers have no addresses.
    write("forge.example.zone", &ZONE.replace("SERIAL", "7").replace("@ NS NS2\n", ""));
    write(
        "named.conf",
        &format!(
            "tls own {{ cert-file \"{path}/cert.pem\"; key-file \"{path}/key.pem\"; }};\n\
             options {{ directory \"{path}\"; pid-file none; session-keyfile none; recursion no; dnssec-validation no;\n\
             listen-on port {port} tls own {{ 127.0.0.1; }}; listen-on port {plain} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
             managed-keys-directory \"{path}\"; }};\ncontrols {{ }};\n\
             zone \"forge.example\" {{ type primary; file \"forge.example.zone\"; check-names ignore; check-mx ignore; check-integrity no; }};\n"
        ),
    );
    let server =
        Program::start(Command::new("named").arg("-g").arg("-c").arg(folder.path().join("named.conf")), port);
    loaded(SocketAddr::from(([127, 0, 0, 1], plain))).await;
    let asked = to(server.address, "forge.example", RecordKind::Mx);
    let asked = DnsTarget { over: Transport::Tls, tls: trusting(&authority), ..asked };
    let result = ask(&asked, &["size(answers) == 2 && authoritative"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert!(result.phases.tls.is_some() && result.expires.is_some(), "{result:?}");
    let result = ask(&DnsTarget { tls: Arc::default(), ..asked }, &[]).await;
    let said = "certificate is signed by an authority that is not trusted";
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, said));
}
