//! What the tests of other modules are made of.

use std::sync::Arc;
use std::time::Duration;

use super::{Cadence, HttpTarget, Labels, Probe, ProbeKind, Resolve, Retry, Role};

/// A probe without labels that asks `https://forge.example/` each 20 s for the website, and waits 10 s.
pub(crate) fn probe(id: &str) -> Probe {
    Probe {
        id: id.into(),
        name: id.into(),
        component: "website".into(),
        labels: Labels::new(),
        cadence: Cadence::Every(Duration::from_secs(20)),
        timeout: Duration::from_secs(10),
        retry: Retry::never(),
        role: Role::Service,
        kind: ProbeKind::Http(HttpTarget {
            method: http::Method::GET,
            url: "https://forge.example/".parse().unwrap(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            redirects: 0,
            body_cap: 1,
            download: None,
            tls: Arc::default(),
        }),
        resolve: Resolve::default(),
        proxy: None,
        expect: [].into(),
    }
}
