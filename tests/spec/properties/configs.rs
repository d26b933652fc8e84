//! Any config: the text of a probes.yaml, which goes through the loader as a user's would.

use std::fmt;
use std::fmt::Write;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tripline::config::{self, Config};

use crate::given::Nothing;

/// The text of a config. It is shown as it is written, so that a failure can be copied into a file.
#[derive(Clone)]
pub(super) struct Written(String);

impl Written {
    pub(super) fn load(&self) -> Arc<Config> {
        Arc::new(config::load("probes.yaml", &self.0, &Nothing).unwrap_or_else(|faults| panic!("{faults}\n{self:?}")))
    }
}

impl Written {
    /// The same without `missing`: what did not come leaves nothing behind, so it is counted from each start anew.
    pub(super) fn without_missing(&self) -> Self {
        Self(MISSING.iter().fold(self.0.clone(), |text, missing| text.replace(missing, "consecutive: 2")))
    }
}

impl Written {
    /// The same with one host and no canaries: whether it is us is never asked. What waits to be known as ours or the
    /// service's is lost when the daemon is killed, and it looks anew when it starts.
    pub(super) fn without_doubt(&self) -> Self {
        let lines = self.0.lines().filter(|line| !line.starts_with("canaries:"));
        Self(lines.map(|line| line.replace("h1.", "h0.").replace("h2.", "h0.") + "\n").collect())
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "probes.yaml:\n{}", self.0)
    }
}

/// This one.
pub(super) fn fixed(text: &str) -> Written {
    Written(text.into())
}

/// One definition of probes. Numbers point at what there is, by their remainder.
#[derive(Clone, Debug)]
struct Probe {
    component: usize,
    for_each: Option<usize>,
    both: bool,
    cadence: &'static str,
    retry: Option<&'static str>,
    tcp: bool,
    host: usize,
}

#[derive(Clone, Debug)]
struct Rule {
    form: String,
    /// Over the component, or the definition, of one of the probes.
    over: Option<(bool, usize)>,
    per: bool,
    severity: &'static str,
    tell: Option<usize>,
}

/// Any config with at most 61 probes.
pub(super) fn any_config() -> impl Strategy<Value = Written> {
    let sizes = prop_oneof![4 => 1..5_usize, 1 => 5..31_usize];
    let base = (
        vec(sizes, 0..3),
        vec(option::of(any::<usize>()), 1..5),
        vec(probe(), 1..4),
        vec(rule(), 0..5),
        vec(option::of(select(&["1m", "10m", "1h"])), 0..3),
    );
    let rest = (
        option::of(select(&["0s", "1m", "1h", "1d"])),
        vec(select(&MAINTENANCE), 0..3),
        0..3_usize,
        select(&["{interval: 5s, timeout: 5s}", "{interval: 20s, timeout: 10s}", "{timeout: 1s, retry: {times: 0}}"]),
    );
    (base, rest).prop_map(
        |((cohorts, components, probes, rules, receivers), (reopen, maintenance, canaries, defaults))| {
            let mut text = format!("name: Forge\ndefaults: {defaults}\n");
            if let Some(reopen) = reopen {
                writeln!(text, "reopen_within: {reopen}").unwrap();
            }
            write_cohorts(&mut text, &cohorts);
            text.push_str("components:\n");
            for (place, depends) in components.iter().enumerate() {
                let on = depends.filter(|_| place > 0).map(|on| format!("depends_on: [c{}]", on % place.max(1)));
                writeln!(text, "  c{place}: {{{}}}", on.unwrap_or_default()).unwrap();
            }
            text.push_str("probes:\n");
            for (place, probe) in probes.iter().enumerate() {
                write_probe(&mut text, place, probe, &cohorts, components.len());
            }
            if !rules.is_empty() {
                text.push_str("rules:\n");
            }
            for (place, rule) in rules.iter().enumerate() {
                write_rule(&mut text, place, rule, &probes, components.len(), receivers.len(), !cohorts.is_empty());
            }
            if !receivers.is_empty() {
                text.push_str("receivers:\n");
            }
            for (place, remind) in receivers.iter().enumerate() {
                let remind = remind.map(|remind| format!(", remind: {remind}")).unwrap_or_default();
                let mail = format!(
                    "from: t@example.com, to: [r{place}@example.com], smtp: \"smtp://127.0.0.1:25?tls=none\""
                );
                writeln!(text, "  r{place}: {{email: {{{mail}}}{remind}}}").unwrap();
            }
            if !maintenance.is_empty() {
                text.push_str("maintenance:\n");
            }
            for (place, when) in maintenance.iter().enumerate() {
                let over = if place == 0 { "" } else { "probes: [p0], " };
                writeln!(text, "  m{place}: {{{over}{when}}}").unwrap();
            }
            if canaries > 0 {
                let all = ["https://example.org/", "tcp://192.0.2.1:443"];
                writeln!(text, "canaries: {:?}", &all[..canaries]).unwrap();
            }
            Written(text)
        },
    )
}

fn select<T: Clone + fmt::Debug + 'static>(from: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(from)
}

/// Histories begin at 2025-02-11T15:41:07Z.
const MAINTENANCE: [&str; 4] = [
    "cron: \"*/30 * * * *\", for: 5m",
    "cron: \"0 17 * * *\", timezone: Europe/Berlin, for: 2h",
    "from: 2025-02-11T15:45:00Z, until: 2025-02-11T15:55:00Z",
    "from: 2025-02-11T16:00:00Z, for: 1d",
];

const MISSING: [&str; 2] = ["missing: 2m", "missing: 10m"];

fn probe() -> impl Strategy<Value = Probe> {
    let cadence = prop_oneof![
        4 => Just(""),
        2 => Just("interval: 10s, "),
        1 => Just("interval: 5m, "),
        1 => Just("cron: \"* * * * *\", "),
    ];
    let retry = select(&["{times: 0}", "{times: 3, after: 1s}", "{on: [timeout]}"]);
    (
        any::<usize>(),
        option::weighted(0.7, any::<usize>()),
        any::<bool>(),
        cadence,
        option::of(retry),
        any::<bool>(),
        0..3_usize,
    )
        .prop_map(|(component, for_each, both, cadence, retry, tcp, host)| Probe {
            component,
            for_each,
            both,
            cadence,
            retry,
            tcp,
            host,
        })
}

fn rule() -> impl Strategy<Value = Rule> {
    let bad = prop_oneof![
        2 => Just(""),
        1 => Just("bad: failure == \"not_found\", "),
        1 => Just("bad: 'failure == \"server_error\" || status == 404', "),
    ];
    let rate = (
        bad.clone(),
        select(&["0%", "5%", "30%", "99%"]),
        select(&["30s", "2m", "1h"]),
        select(&["", ", at_least: 1", ", at_least: 5"]),
        select(&["", ", clear: {for: 0s}", ", clear: {below: 1%, for: 1m}"]),
    )
        .prop_map(|(bad, above, within, at_least, clear)| {
            // A rule that is breached by any bad check at all is over when there is none.
            let clear = if above == "0%" { "" } else { clear };
            format!("{bad}above: {above}, within: {within}{at_least}{clear}")
        });
    let change = (bad.clone(), select(&["{}", "{false_alarms: 1 per 1h}", "{false_alarms: 1 per 3650d}"]))
        .prop_map(|(bad, change)| format!("{bad}change: {change}"));
    let consecutive = (1..6_u32, select(&["", ", clear: {for: 0s}", ", clear: {for: 5m}"]))
        .prop_map(|(count, clear)| format!("consecutive: {count}{clear}"));
    let latency = (
        select(&["50%", "95%", "100%"]),
        select(&["first_byte", "total"]),
        select(&["", ", within: 1m", ", within: 10m, clear: {below: 500ms, for: 1m}"]),
        select(&["", ", at_least: 1"]),
    )
        .prop_map(|(quantile, of, within, at_least)| {
            format!("latency: {{quantile: {quantile}, of: {of}, above: 1s}}{within}{at_least}")
        });
    let burn = (
        bad,
        select(&[
            "",
            ", windows: [{long: 10m, short: 1m, factor: 2}, {long: 1h, short: 5m, factor: 1.5, severity: minor}]",
        ]),
        select(&["", ", clear: {for: 1m}"]),
    )
        .prop_map(|(bad, windows, clear)| format!("{bad}burn_rate: {{objective: 95%{windows}}}{clear}"));
    let expiry = select(&["7d", "30d"]).prop_map(|within| format!("expires_within: {within}"));
    let missing = select(&MISSING).prop_map(str::to_owned);
    let form =
        prop_oneof![3 => rate, 2 => change, 2 => consecutive, 1 => latency, 1 => burn, 1 => expiry, 1 => missing];
    (
        form,
        option::of((any::<bool>(), any::<usize>())),
        any::<bool>(),
        select(&["minor", "major", "critical"]),
        option::of(any::<usize>()),
    )
        .prop_map(|(form, over, per, severity, tell)| Rule { form, over, per, severity, tell })
}

fn write_cohorts(text: &mut String, cohorts: &[usize]) {
    if !cohorts.is_empty() {
        text.push_str("cohorts:\n");
    }
    for (place, size) in cohorts.iter().enumerate() {
        let values: Vec<String> = (0..*size).map(|value| format!("v{value}")).collect();
        writeln!(text, "  l{place}: [{}]", values.join(", ")).unwrap();
    }
}

fn write_probe(text: &mut String, place: usize, probe: &Probe, cohorts: &[usize], components: usize) {
    let mut labels = Vec::new();
    if let Some(first) = probe.for_each.filter(|_| !cohorts.is_empty()) {
        labels.push(first % cohorts.len());
        let other = (first + 1) % cohorts.len();
        if probe.both && other != labels[0] && cohorts[other] * cohorts[labels[0]] <= 20 {
            labels.push(other);
        }
    }
    // No more than one definition has a large cohort, or a history would take a second.
    if place > 0 && labels.iter().any(|label| cohorts[*label] > 10) {
        labels.clear();
    }
    let component = probe.component % components;
    let each: Vec<String> = labels.iter().map(|label| format!("l{label}")).collect();
    let each = if each.is_empty() { String::new() } else { format!("for_each: [{}], ", each.join(", ")) };
    let retry = probe.retry.map(|retry| format!("retry: {retry}, ")).unwrap_or_default();
    let host = format!("h{}.example", probe.host);
    let kind = if probe.tcp {
        format!("tcp: {{to: \"{host}:443\"}}")
    } else {
        format!("http: {{url: \"https://{host}/\"}}")
    };
    // A probe that is asked each five seconds may not take the default's ten.
    let timeout = "timeout: 5s";
    writeln!(text, "  p{place}: {{component: c{component}, {each}{}{timeout}, {retry}{kind}}}", probe.cadence)
        .unwrap();
}

fn write_rule(
    text: &mut String,
    place: usize,
    rule: &Rule,
    probes: &[Probe],
    components: usize,
    receivers: usize,
    labels: bool,
) {
    let over = rule.over.map(|(definition, which)| {
        let which = which % probes.len();
        if definition {
            format!(", over: {{probes: [p{which}]}}")
        } else {
            format!(", over: {{components: [c{}]}}", probes[which].component % components)
        }
    });
    let sliced = ["above:", "latency:", "burn_rate:"].iter().any(|form| rule.form.contains(form));
    let per = if rule.per && labels && sliced && !rule.form.contains("change:") { ", per: [l0]" } else { "" };
    let tell = rule.tell.filter(|_| receivers > 0).map(|which| format!(", tell: [r{}]", which % receivers));
    let (over, tell) = (over.unwrap_or_default(), tell.unwrap_or_default());
    writeln!(text, "  rule{place}: {{{}{over}{per}, severity: {}{tell}}}", rule.form, rule.severity).unwrap();
}
