//! What the engine costs: results a second that it judges by itself, on one core, without checks, store or clock.
//!
//! ```text
//! cargo bench --bench engine
//! ```
//!
//! 10,000 probes on 100 components, each with three cohort labels; one check in 1,024 fails. The goal is 1,000,000
//! results a second where 100 rules share the probes among them. Figures are printed, not asserted.

// A benchmark that cannot go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tripline_core::config::{Config, Outside, load};
use tripline_core::engine::{Input, Output, Restoring};
use tripline_core::model::{
    Asked, CheckResult, FailureClass, IncidentChange, IncidentId, Location, Outcome, Phases, Probe, Timestamp,
};

struct Nothing;

impl Outside for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("there is no {path}"))
    }
}

const COMPONENTS: usize = 100;
/// Results in one round of all probes.
const ROUND: usize = 10_000;

fn config(rules: &str) -> Arc<Config> {
    let mut text = String::from("name: Load\ndefaults: {interval: 20s}\ncohorts:\n  workspace: [");
    text.push_str(&(0..10).map(|n| format!("w{n}")).collect::<Vec<_>>().join(", "));
    text.push_str("]\n  plan: [free, paid]\n  region: [a, b, c, d, e]\ncomponents:\n");
    (0..COMPONENTS).for_each(|n| text.push_str(&format!("  c{n}: {{}}\n")));
    text.push_str("probes:\n");
    for n in 0..COMPONENTS {
        text.push_str(&format!(
            "  p{n}: {{component: c{n}, for_each: [workspace, plan, region], http: {{url: \"https://forge.example/{n}/{{{{workspace}}}}\"}}}}\n"
        ));
    }
    text.push_str(rules);
    let config = load("load", &text, &Nothing).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.probes.len(), ROUND);
    Arc::new(config)
}

/// One rule for each component.
fn one_each() -> String {
    let rule =
        |n: usize| format!("  r{n}: {{over: {{components: [c{n}]}}, above: 20%, at_least: 5, per: [workspace]}}\n");
    format!("rules:\n{}", (0..COMPONENTS).map(rule).collect::<String>())
}

/// Every rule watches every probe.
fn all_over_all() -> String {
    let rule = |n: usize| format!("  r{n}: {{above: 20%, at_least: 5, within: {}s}}\n", 60 + n);
    format!("rules:\n{}", (0..COMPONENTS).map(rule).collect::<String>())
}

fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// One customer's probes fail all the time, on so many components.
struct Down(usize);

impl Down {
    fn hits(&self, probe: &Probe) -> bool {
        let component = probe.component.as_str().trim_start_matches('c').parse::<usize>();
        component.is_ok_and(|component| component < self.0)
            && probe.labels.get(&"workspace".into()).is_some_and(|value| value.as_str() == "w3")
    }
}

fn judged(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(ROUND as u64)).sample_size(20).measurement_time(Duration::from_secs(8));
    for (name, rules, down) in [
        ("100 rules, each over one of 100 components", one_each(), Down(0)),
        ("the built-in rules over everything", String::new(), Down(0)),
        ("100 rules, each over everything", all_over_all(), Down(0)),
        ("100 rules, each over one of 100 components, an incident open: 10 probes fail", one_each(), Down(1)),
        ("the built-in rules over everything, an incident open: 10 probes fail", String::new(), Down(1)),
        ("the built-in rules over everything, an incident open: 1,000 probes fail", String::new(), Down(100)),
    ] {
        let config = config(&rules);
        let before = memory();
        let mut engine = Restoring::new(Arc::clone(&config), Vec::new()).begin();
        let mut now = Timestamp::from_millis(1_739_288_460_000);
        let (mut made, mut open): (u64, BTreeSet<IncidentId>) = (0, BTreeSet::new());
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    let made_before = made;
                    made += ROUND as u64;
                    let first = now;
                    now = now + Duration::from_secs(20);
                    let result = |(index, probe): (usize, &Probe)| CheckResult {
                        probe: probe.id.clone(),
                        location: Location::local(),
                        started: first + Duration::from_millis(2 * index as u64),
                        // Fibonacci hashing: one in 1,024, and never the same probe again and again.
                        outcome: match (made_before + index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54 {
                            0 => Outcome::Failure(FailureClass::ServerError),
                            _ if down.hits(probe) => Outcome::Failure(FailureClass::NotFound),
                            _ => Outcome::Success,
                        },
                        status: Some(200),
                        phases: Phases { total: Duration::from_millis(40), ..Phases::default() },
                        address: None,
                        expires: None,
                        superseded: false,
                        asked: Asked::Turn,
                        evidence: None,
                    };
                    config.probes.iter().enumerate().map(result).collect::<Vec<_>>()
                },
                |results| {
                    for result in results {
                        let at = result.finished();
                        engine.handle(Input::Result(result), at);
                        while let Some(output) = engine.poll_output() {
                            if let Output::Event(event) = &output {
                                match event.change {
                                    IncidentChange::Opened { .. } => _ = open.insert(event.incident),
                                    IncidentChange::Resolved { .. } => _ = open.remove(&event.incident),
                                    _ => {}
                                }
                            }
                            black_box(output);
                        }
                    }
                },
                criterion::BatchSize::PerIteration,
            );
        });
        let open = open.len();
        println!("  after {made} results: {:.1} MiB, {open} incidents open\n", memory() - before);
    }
}

criterion_group!(benches, judged);
criterion_main!(benches);
