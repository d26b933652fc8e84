//! What the tests of this room are made of.

use crate::config::{Outside, load};
use crate::model::Probe;

struct Nothing;

impl Outside for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("there is no {path}"))
    }
}

/// A probe without labels that asks `https://forge.example/` each 20 s for the website, waits 10 s and never tries again.
pub(super) fn probe(id: &str) -> Probe {
    let text = format!(
        "name: Forge\ncomponents: {{website: {{}}}}\ndefaults: {{interval: 20s, timeout: 10s, retry: {{times: 0}}}}\n\
         probes:\n  {id}: {{component: website, http: {{url: \"https://forge.example/\"}}}}\n"
    );
    let config = load("probes.yaml", &text, &Nothing).unwrap_or_else(|problems| panic!("{problems}"));
    config.probes.iter().next().unwrap().clone()
}
