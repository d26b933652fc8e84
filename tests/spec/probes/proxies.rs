//! Proxies: tinyproxy for CONNECT and plain HTTP, microsocks for SOCKS 5.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tripline::model::{CheckResult, FailureClass, Outcome, Probe, ProbeKind, Proxy, Secrets, TcpTarget};

use super::{Asked, check_with, class_and_fault, failure, probe, target, trusting};
use crate::network::{Program, free_port, has};
use crate::servers::{Authority, Server, answer};

fn tinyproxy(extra: &str) -> Option<(Program, tempfile::TempDir, u16)> {
    if !has("tinyproxy") {
        return None;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let file = folder.path().join("tinyproxy.conf");
    std::fs::write(&file, format!("Port {port}\nListen 127.0.0.1\nTimeout 30\n{extra}\n")).unwrap();
    let program = Program::start(Command::new("tinyproxy").arg("-d").arg("-c").arg(&file), port);
    Some((program, folder, port))
}

fn microsocks(words: &[&str]) -> Option<(Program, u16)> {
    if !has("microsocks") {
        return None;
    }
    let port = free_port();
    let mut command = Command::new("microsocks");
    command.args(["-i", "127.0.0.1", "-p", &port.to_string()]).args(words);
    Some((Program::start(&mut command, port), port))
}

async fn through(proxy: &str, asked: Asked) -> CheckResult {
    by(proxy, probe(asked, Duration::from_secs(3), &[])).await
}

async fn by(proxy: &str, probe: Probe) -> CheckResult {
    let proxy = Some(Arc::new(Proxy { url: proxy.parse().unwrap() }));
    check_with(Probe { proxy, ..probe }, Secrets::default()).await
}

fn connecting(server: &Server) -> Probe {
    let tcp = TcpTarget::bare("127.0.0.1", server.address.port());
    Probe { kind: ProbeKind::Tcp(tcp), ..probe(target("http://127.0.0.1/"), Duration::from_secs(3), &[]) }
}

#[tokio::test]
async fn http_https_and_tcp_go_through_a_proxy_of_either_kind() {
    let (Some((_http, _folder, http)), Some((_socks, socks))) = (tinyproxy(""), microsocks(&[])) else { return };
    let authority = Authority::new("Test authority");
    let plain = Server::fixed(None, answer("200 OK", "", "well")).await;
    let secure = Server::fixed(Some(authority.acceptor(&["localhost"])), answer("200 OK", "", "well")).await;
    for proxy in [format!("http://127.0.0.1:{http}"), format!("socks5h://127.0.0.1:{socks}")] {
        let result = through(&proxy, target(&plain.url("/"))).await;
        assert_eq!(result.outcome, Outcome::Success, "{proxy}: {result:?}");
        let mut asked = target(&format!("https://localhost:{}/", secure.address.port()));
        asked.tls = trusting(&authority);
        let result = through(&proxy, asked).await;
        assert_eq!(result.outcome, Outcome::Success, "{proxy}: {result:?}");
        assert_eq!(result.address, None, "what the proxy connected to, nobody knows");
        assert!(result.phases.tls.is_some() && result.expires.is_some(), "the certificate is the server's own");
        let result = by(&proxy, connecting(&plain)).await;
        assert_eq!(result.outcome, Outcome::Success, "{proxy}: {result:?}");
        // What the server itself says is not the proxy's fault.
        let wrong = through(&proxy, target(&format!("https://localhost:{}/", secure.address.port()))).await;
        let (class, fault) = class_and_fault(&wrong);
        assert_eq!((class, fault.contains("proxy")), (FailureClass::Tls, false), "{fault}");
    }
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_gets_it_and_otherwise_is_named() {
    let http = tinyproxy("BasicAuth us3r pa-55");
    let socks = microsocks(&["-u", "us3r", "-P", "pa-55"]);
    let (Some((_http, _folder, http)), Some((_socks, socks))) = (http, socks) else { return };
    let authority = Authority::new("Test authority");
    let secure = Server::fixed(Some(authority.acceptor(&["localhost"])), answer("200 OK", "", "well")).await;
    let plain = Server::fixed(None, answer("200 OK", "", "well")).await;
    let mut asked = target(&format!("https://localhost:{}/", secure.address.port()));
    asked.tls = trusting(&authority);
    for (scheme, port) in [("http", http), ("socks5h", socks)] {
        let good = format!("{scheme}://us3r:pa-55@127.0.0.1:{port}");
        for result in [
            through(&good, asked.clone()).await,
            through(&good, target(&plain.url("/"))).await,
            by(&good, connecting(&plain)).await,
        ] {
            assert_eq!(result.outcome, Outcome::Success, "{scheme}: {result:?}");
        }
        for pair in ["", "us3r:wrong@"] {
            let bad = format!("{scheme}://{pair}127.0.0.1:{port}");
            for (name, result) in [
                ("https", through(&bad, asked.clone()).await),
                ("http", through(&bad, target(&plain.url("/"))).await),
                ("tcp", by(&bad, connecting(&plain)).await),
            ] {
                let (class, fault) = class_and_fault(&result);
                if (scheme, name, pair.is_empty()) == ("http", "http", false) {
                    // tinyproxy answers a wrong password by a 401, as the server itself would.
                    assert_eq!(class, FailureClass::Unauthorized);
                    continue;
                }
                assert_eq!(class, FailureClass::Connect, "{bad} {name}: {fault}");
                assert!(fault.starts_with(&format!("the proxy 127.0.0.1:{port}: ")), "{bad} {name}: {fault}");
                assert!(!format!("{:?}", failure(&result).1).contains("wrong"), "no password is shown");
            }
        }
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_does_not_connect_is_named() {
    let (Some((_http, _folder, http)), Some((_socks, socks))) = (tinyproxy(""), microsocks(&[])) else { return };
    let (gone, closed) = (free_port(), free_port());
    let server = Server::fixed(None, answer("200 OK", "", "well")).await;
    let nowhere = || target(&format!("https://127.0.0.1:{closed}/"));
    for scheme in ["http", "socks5h"] {
        let proxy = format!("{scheme}://127.0.0.1:{gone}");
        let refused = format!("the proxy 127.0.0.1:{gone}: the connection was refused");
        let result = by(&proxy, connecting(&server)).await;
        assert_eq!(class_and_fault(&result), (FailureClass::Connect, &*refused), "{scheme}");
        let result = through(&proxy, target(&server.url("/"))).await;
        let unreached = format!("the proxy 127.0.0.1:{gone}: it cannot be reached");
        let said = if scheme == "http" { refused } else { unreached };
        assert_eq!(class_and_fault(&result), (FailureClass::Connect, &*said), "{scheme}");
    }
    for proxy in [format!("http://127.0.0.1:{http}"), format!("socks5h://127.0.0.1:{socks}")] {
        let result = through(&proxy, nowhere()).await;
        let (class, fault) = class_and_fault(&result);
        assert_eq!(class, FailureClass::Connect, "{fault}");
        assert!(fault.starts_with("the proxy 127.0.0.1:"), "{fault}");
    }
    assert_eq!(server.requests().len(), 0);
    // One that accepts and says nothing is a timeout in the phase of connecting.
    let silent = Server::raw(|stream| {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(10)).await;
            drop(stream);
        })
    })
    .await;
    for scheme in ["http", "socks5h"] {
        let mut slow = connecting(&server);
        slow.timeout = Duration::from_millis(300);
        let result = by(&format!("{scheme}://{}", silent.address), slow).await;
        let (class, fault) = class_and_fault(&result);
        assert_eq!(class, FailureClass::Timeout);
        assert!(fault.starts_with("no answer within 300ms: connecting for "), "{fault}");
    }
}
