//! `tripline validate`: all problems of the configuration, or what would be done.

use crate::config::Config;
use crate::detect::{reach, self_check};
use crate::model::unit::show_duration;
use crate::model::{Cadence, Role, Rule, RuleKind};

use super::{Ending, Flags, complain, load};

pub(super) fn run(flags: &Flags) -> anyhow::Result<Ending> {
    match load::load(&flags.config) {
        Ok(config) => {
            println!("{} is well.\n", flags.config.display());
            print!("{}", plan(&config));
            Ok(Ending::Well)
        }
        Err(problems) => {
            complain(&problems.to_string());
            Ok(Ending::Usage)
        }
    }
}

/// What would be done, for a person to check.
fn plan(config: &Config) -> String {
    let per_minute: f64 = config
        .probes
        .iter()
        .map(|probe| match &probe.cadence {
            Cadence::Every(interval) => 60.0 / interval.as_secs_f64(),
            Cadence::At(_) => 0.0,
        })
        .sum();
    let canaries: Vec<&str> =
        config.probes.iter().filter(|probe| probe.role == Role::Canary).map(|probe| probe.id.as_str()).collect();
    let mut text = format!(
        "{}: {} on {}, {per_minute:.1} checks a minute, location {}\n",
        config.name,
        counted(config.probes.len() - canaries.len(), "probe"),
        counted(config.components.len(), "component"),
        config.location,
    );
    let widest = config.components.iter().map(|component| component.name.chars().count()).max().unwrap_or_default();
    for component in &config.components {
        let probes = config.probes.iter().filter(|probe| probe.component == component.id);
        let mut names: Vec<(&str, usize)> = Vec::new();
        for probe in probes {
            match names.iter_mut().find(|(name, _)| *name == probe.name.as_str()) {
                Some((_, count)) => *count += 1,
                None => names.push((probe.name.as_str(), 1)),
            }
        }
        let listed: Vec<String> = names
            .iter()
            .map(|(name, count)| if *count == 1 { (*name).to_owned() } else { format!("{name} ×{count}") })
            .collect();
        let listed = if listed.is_empty() { "no probe".to_owned() } else { listed.join(", ") };
        text.push_str(&format!("  {:<widest$}  {listed}\n", component.name));
    }
    if !canaries.is_empty() {
        text.push_str(&format!("and {}: {}\n", counted_canaries(canaries.len()), canaries.join(", ")));
    }
    text.push_str("\nTime to detect, at the worst, when every check of a slice is bad:\n");
    for rule in &config.rules {
        text.push_str(&format!("  {}\n", describe(rule)));
        for reach in reach::reach(rule, &config.probes, &config.cohorts) {
            let mut of = reach.slice.to_string();
            if reach.alike > 1 {
                of.push_str(&format!(" and {} alike", reach.alike - 1));
            }
            let worst = match reach.worst {
                Ok(time) => show_duration(time),
                Err(why) => format!("no bound: {why}"),
            };
            text.push_str(&format!("    {of:<48} {worst}\n"));
        }
    }
    for receiver in config.receivers.keys() {
        let rules: Vec<&str> =
            config.rules.iter().filter(|rule| rule.tell.contains(receiver)).map(|rule| rule.id.as_str()).collect();
        let rules = if rules.is_empty() { "no rule".to_owned() } else { rules.join(", ") };
        text.push_str(&format!("\n{receiver} is told by {rules}\n"));
    }
    for warning in &config.warnings {
        text.push_str(&format!("\nWARNING: {warning}\n"));
    }
    text
}

fn counted_canaries(count: usize) -> String {
    if count == 1 { "1 canary".into() } else { format!("{count} canaries") }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn describe(rule: &Rule) -> String {
    let origin = if rule.built_in { ", built in" } else { "" };
    let how = match &rule.kind {
        RuleKind::ErrorRate(rate) => {
            format!("above {} within {}, at least {}", rate.above, show_duration(rate.within), rate.at_least)
        }
        RuleKind::Change(change) => format!(
            "more than usual, with at most {} in {}",
            counted(change.false_alarms.count as usize, "false alarm"),
            show_duration(change.false_alarms.per)
        ),
        RuleKind::Consecutive(run) => format!("{} in a row", run.count),
        RuleKind::Latency(latency) => format!(
            "{} quantile of {} above {} within {}, at least {} checks",
            latency.quantile,
            latency.of.as_str(),
            show_duration(latency.above),
            show_duration(latency.within),
            latency.at_least,
        ),
        RuleKind::BurnRate(burn) => format!(
            "burns the budget of {} more than {} times too fast in {} and {}, at least {} bad",
            burn.objective,
            f64::from(burn.factor) / 1_000.0,
            show_duration(burn.long),
            show_duration(burn.short),
            burn.at_least,
        ),
        RuleKind::Expiry(expiry) => format!("certificate runs out within {}", show_duration(expiry.within)),
        RuleKind::Missing(missing) => format!("no check for {}", show_duration(missing.after)),
        RuleKind::Offline => format!("nothing can be reached for {}", show_duration(self_check::TELL_AFTER)),
    };
    format!("{} ({}{origin}): {how}", rule.id, rule.severity)
}
