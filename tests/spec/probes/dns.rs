//! DNS: Knot and BIND on the other side, and sockets that behave badly.

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

/// A name server that answers each datagram with these, made of the question; by TCP on the same port, with the last.
struct Rogue {
    address: SocketAddr,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

type Made = fn(&[u8]) -> Vec<Vec<u8>>;

impl Rogue {
    async fn new(by_udp: Made, by_tcp: Made, pause: Duration) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (udp, tcp) = (UdpSocket::bind(address).await.unwrap(), TcpListener::bind(address).await.unwrap());
        let datagrams = tokio::spawn(async move {
            let mut question = [0; 2048];
            while let Ok((count, from)) = udp.recv_from(&mut question).await {
                for answer in by_udp(&question[..count]) {
                    let _ = udp.send_to(&answer, from).await;
                }
            }
        });
        let streams = tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                tokio::spawn(async move {
                    let mut question = vec![0; usize::from(stream.read_u16().await.unwrap_or_default())];
                    let _ = stream.read_exact(&mut question).await;
                    for part in by_tcp(&question) {
                        let _ = stream.write_all(&part).await;
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        Self { address, tasks: [datagrams, streams] }
    }
}

/// The question as an answer, with these flags and nothing in it but this many answers that follow.
fn reply(question: &[u8], flags: [u8; 2], count: u8, rest: &[u8]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let counts = [0, 1, 0, count, 0, 0, 0, 0];
    [&question[..2], &flags, &counts, &question[12..end], rest].concat()
}

const SOUND: [u8; 2] = [0x84, 0];

/// One address, by a name that points to the question's.
fn sound(question: &[u8]) -> Vec<u8> {
    reply(question, SOUND, 1, &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7])
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

fn nothing(_: &[u8]) -> Vec<Vec<u8>> {
    vec![]
}

#[tokio::test]
async fn a_datagram_that_is_no_answer_to_our_question_is_not_taken_for_one() {
    let strays: Made = |question| {
        let mut other_id = sound(question);
        other_id[0] ^= 0xff;
        let mut other_name = sound(question);
        other_name[13] ^= 1;
        let mut no_reply = sound(question);
        no_reply[2] &= 0x7f;
        vec![other_id, other_name, no_reply]
    };
    let rogue = Rogue::new(strays, nothing, Duration::ZERO).await;
    let result = briefly(&to(rogue.address, "forge.example", RecordKind::A)).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no answer within 500ms: waiting for the first byte for "), "{fault}");

    let among: Made = |question| {
        let mut other = sound(question);
        other[0] ^= 0xff;
        vec![other, sound(question)]
    };
    let rogue = Rogue::new(among, nothing, Duration::ZERO).await;
    let asked = to(rogue.address, "forge.example", RecordKind::A);
    well(&answering(asked.clone(), &["192.0.2.7"]), &[]).await;
    let result = ask(&asked, &["ttl == 0"]).await;
    let counted = ("other datagrams".to_owned(), "1, which answer another question".to_owned());
    assert!(failure(&result).1.headers.contains(&counted), "{result:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_dns_is_protocol_by_udp_and_by_tcp() {
    let cases: [(&str, Made); 4] = [
        ("a name that points to itself", |question| {
            let end = u8::try_from(reply(question, SOUND, 0, &[]).len()).unwrap();
            vec![reply(question, SOUND, 1, &[0xc0, end, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7])]
        }),
        ("two names that point to each other", |question| {
            let end = u8::try_from(reply(question, SOUND, 0, &[]).len()).unwrap();
            vec![reply(question, SOUND, 1, &[0xc0, end + 2, 0xc0, end, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0])]
        }),
        ("cut short", |question| {
            let mut cut = sound(question);
            cut.truncate(cut.len() - 3);
            vec![cut]
        }),
        ("the number and nothing else", |question| vec![question[..2].to_vec()]),
    ];
    for (what, made) in cases {
        let rogue = Rogue::new(made, nothing, Duration::ZERO).await;
        let result = briefly(&to(rogue.address, "forge.example", RecordKind::A)).await;
        assert_eq!(class_and_fault(&result), (FailureClass::Protocol, "the answer is no message of DNS"), "{what}");
    }
    let by_tcp: [(Made, FailureClass, &str); 6] = [
        (
            |question| vec![framed(&[&question[..2], b"junk"].concat())],
            FailureClass::Protocol,
            "the answer is no message of DNS",
        ),
        (
            |question| {
                let mut other = sound(question);
                other[1] ^= 0xff;
                vec![framed(&other)]
            },
            FailureClass::Protocol,
            "the answer is one to another question",
        ),
        (
            |question| vec![framed(&reply(question, [0x86, 0], 0, &[]))],
            FailureClass::Protocol,
            "the answer was cut short, and by TCP it need not be",
        ),
        (
            |question| vec![framed(&sound(question))[..20].to_vec()],
            FailureClass::Corrupt,
            "the connection was closed after 18 of 47 bytes of the answer",
        ),
        (|_| vec![vec![0]], FailureClass::Connect, "the connection was closed before an answer came"),
        (nothing, FailureClass::Connect, "the connection was closed before an answer came"),
    ];
    for (made, class, said) in by_tcp {
        let rogue = Rogue::new(nothing, made, Duration::ZERO).await;
        let asked = to(rogue.address, "forge.example", RecordKind::A);
        let result = briefly(&DnsTarget { over: Transport::Tcp, ..asked }).await;
        assert_eq!(class_and_fault(&result), (class, said));
    }
}

#[tokio::test]
async fn an_answer_that_drips_or_never_ends_costs_no_more_than_the_timeout() {
    // Cut short by UDP; by TCP, 64 KiB are promised and come byte by byte.
    let drips: Made = |_| std::iter::once(vec![0xff, 0xff]).chain(std::iter::repeat_n(vec![0], 1_000)).collect();
    let cut: Made = |question| vec![reply(question, [0x86, 0], 0, &[])];
    let rogue = Rogue::new(cut, drips, Duration::from_millis(50)).await;
    let result = briefly(&to(rogue.address, "forge.example", RecordKind::A)).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no whole answer within 500ms: reading"), "{fault}");
    // What follows the answer is not read.
    let endless: Made =
        |question| std::iter::once(framed(&sound(question))).chain(vec![vec![0; 65_536]; 1_000]).collect();
    let rogue = Rogue::new(cut, endless, Duration::ZERO).await;
    assert_eq!(briefly(&to(rogue.address, "forge.example", RecordKind::A)).await.outcome, Outcome::Success);
    // The next question is not disturbed.
    let rogue = Rogue::new(|question| vec![sound(question)], nothing, Duration::ZERO).await;
    well(&to(rogue.address, "forge.example", RecordKind::A), &["answers == ['192.0.2.7']"]).await;
}
