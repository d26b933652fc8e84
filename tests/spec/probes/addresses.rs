//! One name, many addresses: both families, and each address by itself.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tripline::daemon::turn;
use tripline::model::{CheckResult, FailureClass, IpChoice, Location, Outcome, Probe, Secrets, Timestamp};
use tripline::probe::{Prober, Roots};

use super::{check, class_and_fault, failure, nth, probe, target};
use crate::network::{Program, free_port, has};
use crate::servers::answer;

/// dnsmasq, which answers for these names, each line `ADDRESS NAME`, and for no other.
fn name_server(hosts: &str) -> Option<(Program, tempfile::NamedTempFile, SocketAddr)> {
    if !has("dnsmasq") {
        return None;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), hosts).unwrap();
    let port = free_port();
    let mut command = Command::new("dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"]);
    command.args(["--listen-address=127.0.0.1", "--user=root", "--pid-file", "--local=/test/", "--local-ttl=0"]);
    command.arg(format!("--port={port}")).arg(format!("--addn-hosts={}", file.path().display()));
    let program = Program::start(&mut command, port);
    let address = program.address;
    Some((program, file, address))
}

/// Answers requests there with this status, telling which Host was asked for.
async fn answering(address: SocketAddr, status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = vec![0; 4096];
                let count = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..count]).to_lowercase();
                let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
                let _ = stream.write_all(answer(status, "connection: close\r\n", host).as_bytes()).await;
            });
        }
    });
    address
}

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

/// One turn of a probe.
async fn turn(probe: &Probe) -> Vec<CheckResult> {
    let prober =
        Prober::new(std::slice::from_ref(probe), Location::local(), Secrets::default(), &Roots::load()).unwrap();
    let (superseded, _kept) = tokio::sync::mpsc::channel(100);
    let start = Timestamp::from_millis(1_739_288_460_000);
    let asked = (nth(&prober, 0), probe);
    turn::check(&prober, asked, start, || None, || start, &superseded, &CancellationToken::new()).await
}

#[tokio::test]
async fn each_address_is_asked_by_itself_with_the_hosts_own_name() {
    let hosts = "127.0.0.1 many.test\n127.0.0.2 many.test\n127.0.0.3 many.test\n::1 many.test\n";
    let Some((_dns, _file, server)) = name_server(hosts) else { return };
    let port = answering(at("127.0.0.1", 0), "200 OK").await.port();
    answering(at("127.0.0.2", port), "404 Not Found").await;
    answering(at("::1", port), "200 OK").await;
    // Nobody listens at 127.0.0.3.
    let mut asked = target(&format!("http://many.test:{port}/"));
    asked.resolve.server = Some(server);
    asked.resolve.each_address = true;
    let expect = format!("body == 'many.test:{port}'");
    let results = turn(&probe(asked, Duration::from_secs(3), &["status == 200", &expect])).await;
    let found: Vec<(String, Outcome)> =
        results.iter().map(|result| (result.address.unwrap().to_string(), result.outcome)).collect();
    let wanted = [
        ("127.0.0.1", Outcome::Success),
        ("127.0.0.2", Outcome::Failure(FailureClass::NotFound)),
        ("127.0.0.3", Outcome::Failure(FailureClass::Connect)),
        ("::1", Outcome::Success),
    ];
    let wanted: Vec<(String, Outcome)> =
        wanted.into_iter().map(|(address, outcome)| (address.to_owned(), outcome)).collect();
    assert_eq!(found, wanted, "{results:#?}");
    assert!(results.iter().all(|result| result.started == results[0].started && result.phases.dns.is_some()));
    let page = failure(&results[1]).1;
    assert_eq!(
        (page.body.as_str(), page.address),
        (&*format!("many.test:{port}"), Some("127.0.0.2".parse().unwrap()))
    );
}

#[tokio::test]
async fn where_no_address_is_found_one_result_says_so() {
    let Some((_dns, _file, server)) = name_server("127.0.0.1 other.test\n") else { return };
    let mut asked = target("http://none.test:81/");
    asked.resolve.server = Some(server);
    asked.resolve.each_address = true;
    let results = turn(&probe(asked, Duration::from_secs(2), &[])).await;
    assert_eq!(results.len(), 1);
    assert_eq!(class_and_fault(&results[0]), (FailureClass::Dns, "none.test does not exist"));
    // A name server that does not answer takes no longer than the check may.
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut asked = target("http://none.test:81/");
    asked.resolve.server = Some(silent.local_addr().unwrap());
    asked.resolve.each_address = true;
    let begun = std::time::Instant::now();
    let results = turn(&probe(asked, Duration::from_secs(1), &[])).await;
    assert!(matches!(results[0].outcome, Outcome::Failure(FailureClass::Timeout | FailureClass::Dns)), "{results:?}");
    assert!(begun.elapsed() < Duration::from_millis(4_000), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn with_both_families_each_must_answer_and_the_one_that_failed_is_named() {
    let hosts = "127.0.0.1 both.test\n::1 both.test\n127.0.0.1 old.test\n";
    let Some((_dns, _file, server)) = name_server(hosts) else { return };
    let port = answering(at("127.0.0.1", 0), "200 OK").await.port();
    let asked = |host: &str, port: u16| {
        let mut asked = target(&format!("http://{host}:{port}/"));
        asked.resolve.server = Some(server);
        asked.resolve.ip = IpChoice::Both;
        asked
    };
    let result = check(asked("both.test", port), &[]).await;
    let said = "by IPv6 (by IPv4 it answered): the connection was refused";
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, said));
    assert_eq!(result.address, Some("::1".parse::<IpAddr>().unwrap()));
    answering(at("::1", port), "200 OK").await;
    let result = check(asked("both.test", port), &["status == 200"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let result = check(asked("old.test", port), &[]).await;
    let said = "by IPv6 (by IPv4 it answered): old.test has no IPv6 address";
    assert_eq!(class_and_fault(&result), (FailureClass::Dns, said));
    let result = check(asked("both.test", 1), &[]).await;
    let said = "by IPv4: the connection was refused; by IPv6: the connection was refused";
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, said));
}
