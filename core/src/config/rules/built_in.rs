//! Our own rules, for a config that has none.

use std::collections::BTreeSet;

use super::{Surroundings, change, consecutive};
use crate::model::{Consecutive, ProbeName, Rule, RuleKind, Scope, Severity};

/// The rules of a config that has none.
///
/// `unusual-failures`: more checks fail than usually do, with one false alarm in 90 days; major. `probe-down`: 4 failures
/// of one probe in a row, which among many probes may be too few to be unusual; minor. `heartbeat-missed`, where there are
/// heartbeats: one that failed, because the next may be a day away; minor.
pub(super) fn built_in(around: &Surroundings<'_>) -> Vec<Rule> {
    let rule = |id: &str, kind, severity| Rule {
        id: id.into(),
        over: Scope::default(),
        kind,
        severity,
        tell: around.everyone(),
        built_in: true,
    };
    let down = Consecutive { count: 4, clear_after: consecutive::CLEAR_AFTER };
    let mut rules = vec![
        rule("unusual-failures", RuleKind::Change(change::BUILT_IN), Severity::Major),
        rule("probe-down", RuleKind::Consecutive(down), Severity::Minor),
    ];
    let jobs = around.probes.probes.iter().filter(|probe| probe.kind.comes_by_itself());
    let jobs: BTreeSet<ProbeName> = jobs.map(|probe| probe.name.clone()).collect();
    if !jobs.is_empty() {
        let missed = Consecutive { count: 1, clear_after: consecutive::CLEAR_AFTER };
        let missed = rule("heartbeat-missed", RuleKind::Consecutive(missed), Severity::Minor);
        rules.push(Rule { over: Scope { probes: jobs, ..Scope::default() }, ..missed });
    }
    rules
}
