//! Probes as probes.yaml writes them, asked once.

use std::collections::BTreeMap;

use tripline::config::{Outside, load};
use tripline::model::{CheckResult, Timestamp};
use tripline::probe::{Prober, Roots};

use crate::probes::nth;

/// The files that the configuration may name.
struct Files(BTreeMap<String, String>);

impl Outside for Files {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| "no such file".into())
    }
}

/// The probers of these kinds, each written like `smtp: {to: "127.0.0.1:25"}`, with `ca.pem` to name.
pub(crate) fn prober(kinds: &[&str], ca: &str, timeout: &str, expect: &[&str]) -> Prober {
    let mut text = format!("name: Test\ndefaults: {{timeout: {timeout}}}\ncomponents: {{mail: {{}}}}\nprobes:\n");
    for (number, kind) in kinds.iter().enumerate() {
        text.push_str(&format!("  p{number}:\n    component: mail\n    {kind}\n"));
        if !expect.is_empty() {
            text.push_str(&format!("    expect: {}\n", serde_json::to_string(expect).unwrap()));
        }
    }
    let files = Files(BTreeMap::from([("ca.pem".to_owned(), ca.to_owned())]));
    let config = load("probes.yaml", &text, &files).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    Prober::new(&config.probes, config.location, config.secrets, &Roots::load()).unwrap()
}

/// One check of one kind, within five seconds.
pub(crate) async fn ask(kind: &str, ca: &str, expect: &[&str]) -> CheckResult {
    let prober = prober(&[kind], ca, "5s", expect);
    prober.check(nth(&prober, 0), Timestamp::from_millis(1_739_288_460_000)).await
}
