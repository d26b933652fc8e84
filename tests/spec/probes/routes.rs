use tripline::model::{FailureClass, IpChoice, Outcome};

use super::{check, class_and_fault, target, trusting};
use crate::servers::{Authority, Server, answer};

#[tokio::test]
async fn an_address_replaces_the_names_own_and_keeps_host_and_sni() {
    let authority = Authority::new("Test authority");
    let tls = authority.acceptor(&["forge.example", "192.0.2.7"]);
    let server = Server::fixed(Some(tls), answer("200 OK", "", "")).await;
    let cases = [
        ("https://forge.example/", "host: forge.example\r\n"),
        ("https://forge.example:8443/", "host: forge.example:8443\r\n"),
        ("https://192.0.2.7/", "host: 192.0.2.7\r\n"),
        ("https://192.0.2.7:8443/", "host: 192.0.2.7:8443\r\n"),
    ];
    for (url, host) in cases {
        let mut asked = target(url);
        asked.tls = trusting(&authority);
        asked.resolve.address = Some(server.address);
        let result = check(asked, &["address == '127.0.0.1'"]).await;
        assert_eq!(result.outcome, Outcome::Success, "{url}: {result:?}");
        assert_eq!(result.phases.dns, None, "no name was resolved");
        let request = server.requests().pop().unwrap();
        assert!(request.to_lowercase().contains(host), "{url}: {request}");
    }
    let mut asked = target("https://192.0.2.8/");
    asked.tls = trusting(&authority);
    asked.resolve.address = Some(server.address);
    let result = check(asked, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Tls, "the certificate must still be for the address in the URL");
    assert!(fault.starts_with("certificate is not valid for 192.0.2.8; it is for forge.example"), "{fault}");
}

#[tokio::test]
async fn the_address_family_is_chosen() {
    let text = answer("200 OK", "", "");
    let v4 = Server::fixed(None, text.clone()).await;
    let port = v4.address.port();
    let mut asked = target(&format!("http://localhost:{port}/"));
    asked.resolve.ip = IpChoice::V4;
    assert_eq!(check(asked.clone(), &["address == '127.0.0.1'"]).await.outcome, Outcome::Success);
    asked.resolve.ip = IpChoice::V6;
    let result = check(asked.clone(), &[]).await;
    assert!(
        matches!(class_and_fault(&result).0, FailureClass::Connect | FailureClass::Dns),
        "nobody listens on [::1]:{port}: {result:?}"
    );
    asked.resolve.ip = IpChoice::Auto;
    assert_eq!(check(asked, &[]).await.outcome, Outcome::Success, "the other family is tried");
    let mut asked = target(&v4.url("/"));
    asked.resolve.ip = IpChoice::V6;
    let result = check(asked, &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, "127.0.0.1 is no IPv6 address"));
}
