//! What holds of every outage, whatever is watched and whatever fails: who is in breach is named to whoever is notified,
//! within the stated time, and nothing is told to be over while it goes on.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tripline::config::{Config, load};
use tripline::drill::{self, Report, Take, scenario};
use tripline::model::{Breach, ComponentId, IncidentChange, IncidentEvent, IncidentId};

use super::cases;
use crate::given::{Nothing, seconds};

/// A service of one to four components, and how it is watched.
#[derive(Clone, Debug)]
struct Service {
    components: Vec<(bool, u8)>,
    workspaces: usize,
    interval: u64,
    rules: usize,
}

/// Something that fails.
#[derive(Clone, Debug)]
struct Failing {
    component: Option<usize>,
    workspace: Option<usize>,
    from: u64,
    length: u64,
    class: &'static str,
    share: u8,
    flaps: bool,
}

const RULES: [&str; 4] = [
    "",
    "rules: {rate: {above: 10%, within: 2m, at_least: 3}, down: {consecutive: 4}}\n",
    "rules: {rate: {above: 20%, within: 2m, at_least: 3, per: [workspace]}}\n",
    "rules: {each: {above: 30%, within: 3m, at_least: 3, per: [workspace]}, change: {change: {}}}\n",
];

fn service() -> impl Strategy<Value = Service> {
    (prop::collection::vec((any::<bool>(), 1..3_u8), 1..5), 2..5_usize, 2..7_u64, 0..RULES.len()).prop_map(
        |(components, workspaces, interval, rules)| Service { components, workspaces, interval: interval * 5, rules },
    )
}

fn failing() -> impl Strategy<Value = Failing> {
    let over = (prop::option::weighted(0.8, 0..4_usize), prop::option::weighted(0.3, 0..4_usize));
    let class = prop::sample::select(vec!["server_error", "not_found", "timeout"]);
    let share = prop::sample::select(vec![100, 100, 60, 30, 10]);
    (over, 2..20_u64, 1..15_u64, class, share, prop::bool::weighted(0.2)).prop_map(
        |((component, workspace), from, length, class, share, flaps)| Failing {
            component,
            workspace,
            from,
            length,
            class,
            share,
            flaps,
        },
    )
}

impl Service {
    fn config(&self) -> Arc<Config> {
        let mut text = format!("name: Shop\ndefaults: {{interval: {}s, timeout: 5s}}\n", self.interval);
        let workspaces: Vec<String> = (0..self.workspaces).map(|n| format!("w{n}")).collect();
        writeln!(text, "cohorts: {{workspace: [{}]}}\ncomponents:", workspaces.join(", ")).unwrap();
        (0..self.components.len()).for_each(|n| writeln!(text, "  c{n}: {{name: C{n}}}").unwrap());
        text.push_str("probes:\n");
        for (n, (each, probes)) in self.components.iter().enumerate() {
            for p in 0..*probes {
                let (each, path) = if *each { (", for_each: [workspace]", "/{{workspace}}/") } else { ("", "/") };
                let url = format!("https://c{n}.example/{p}{path}");
                writeln!(text, "  p{n}-{p}: {{component: c{n}{each}, http: {{url: \"{url}\"}}}}").unwrap();
            }
        }
        text.push_str(
            "receivers: {oncall: {email: {from: t@example.com, to: [a@example.com], smtp: \"smtp://localhost\"}}}\n",
        );
        text.push_str("canaries: [\"tcp://192.0.2.1:443\"]\n");
        let per = if self.has_workspaces() { ", per: [workspace]" } else { "" };
        let rules = RULES[self.rules].replace(", per: [workspace]", per);
        text.push_str(&rules);
        Arc::new(load("probes.yaml", &text, &Nothing).unwrap_or_else(|problems| panic!("{problems}\n{text}")))
    }

    fn has_workspaces(&self) -> bool {
        self.components.iter().any(|(each, _)| *each)
    }

    fn play(&self, failing: &[Failing], seed: u64) -> (Report, Arc<Config>, String) {
        let config = self.config();
        let mut text = "name: Anything\nlength: 50m\nfaults:\n".to_owned();
        for fault in failing {
            let Failing { from, length, class, share, .. } = fault;
            let mut over = Vec::new();
            let component = fault.component.map(|component| component % self.components.len());
            over.extend(component.map(|component| format!("components: [c{component}]")));
            let each = component.map_or(self.has_workspaces(), |component| self.components[component].0);
            let workspace = fault.workspace.filter(|_| each).map(|workspace| workspace % self.workspaces);
            over.extend(workspace.map(|workspace| format!("labels: {{workspace: w{workspace}}}")));
            let over = if over.is_empty() { String::new() } else { format!(", over: {{{}}}", over.join(", ")) };
            let flap = if fault.flaps { ", flap: {on: 1m, off: 1m}" } else { "" };
            let until = from + length;
            writeln!(text, "  - {{from: {from}m, until: {until}m{over}, failure: {class}, share: {share}%{flap}}}")
                .unwrap();
        }
        text.push_str("expect: {missed: 0}\n");
        let read = scenario::read("anything.yaml", &text, &Nothing, &|_| Ok(Arc::clone(&config)));
        let (scenario, config) = read.unwrap_or_else(|problems| panic!("{problems}"));
        (drill::run(&config, &scenario, Take { seed, shift: Duration::ZERO }), config, text)
    }
}

/// The component that a breach is about by its slice.
fn component(breach: &Breach, config: &Config) -> Option<ComponentId> {
    let label = breach.slice.labels.iter().find(|(label, _)| label.as_str() == "component");
    let probe = breach.slice.probe.as_ref().and_then(|id| config.probes.index_of(id));
    label
        .map(|(_, value)| ComponentId::from(value.as_str()))
        .or_else(|| probe.map(|index| config.probes[index].component.clone()))
}

fn by_incident(report: &Report) -> BTreeMap<IncidentId, Vec<&IncidentEvent>> {
    let mut events: BTreeMap<IncidentId, Vec<&IncidentEvent>> = BTreeMap::new();
    report.events.iter().for_each(|seen| events.entry(seen.what.incident).or_default().push(&seen.what));
    events
}

/// From a breach until a message names its component: what is new is gathered for 40 s after a round that may show it,
/// and such messages are 5 minutes apart.
const LONGEST: Duration = Duration::from_secs(300 + 60);

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_is_in_breach_is_named_to_whoever_is_notified(
        service in service(), failing in prop::collection::vec(failing(), 1..4), seed in 0..1_000_u64,
    ) {
        let (report, config, text) = service.play(&failing, seed);
        for (id, events) in by_incident(&report) {
            for (place, event) in events.iter().enumerate() {
                let breach = match &event.change {
                    IncidentChange::Opened { breach, .. }
                    | IncidentChange::Joined { breach, .. }
                    | IncidentChange::Reopened { breach, .. } => breach,
                    _ => continue,
                };
                let Some(component) = component(breach, &config) else { continue };
                let names = |event: &&IncidentEvent| match &event.change {
                    IncidentChange::Told { named: Some(named), .. } => {
                        named.components.contains(&component) || named.everywhere
                    }
                    _ => false,
                };
                let named = events.iter().copied().filter(names).map(|event| event.at);
                let before = named.clone().any(|at| at <= event.at);
                let first = named.filter(|at| *at >= event.at).min();
                let end = events[place..].iter().find(|event| matches!(event.change, IncidentChange::Resolved { .. }));
                let most = end.map_or(event.at + LONGEST, |end| end.at.min(event.at + LONGEST));
                let is_told = before || first.is_some_and(|first| first <= most);
                // A drill that ends has no time left to tell.
                let is_cut = report.start + Duration::from_secs(3_000) < event.at + LONGEST;
                prop_assert!(is_told || is_cut, "{} does not name {component} of {breach:?}\n{text}\n{events:#?}", id.short());
            }
        }
    }

    #[test]
    fn nothing_is_told_to_be_over_while_all_of_it_fails(
        service in service(), failing in failing(), seed in 0..1_000_u64,
    ) {
        let failing = Failing { share: 100, flaps: false, length: failing.length.max(6), ..failing };
        let (report, _, text) = service.play(std::slice::from_ref(&failing), seed);
        let (from, until) = (seconds(60 * failing.from), seconds(60 * (failing.from + failing.length)));
        for seen in &report.events {
            if matches!(seen.what.change, IncidentChange::Resolved { .. }) {
                let at = seen.at.since(report.start);
                prop_assert!(at < from || at >= until, "resolved at {at:?}\n{text}");
            }
        }
        prop_assert!(report.incidents.len() <= 1, "one fault is one incident\n{text}");
    }
}
