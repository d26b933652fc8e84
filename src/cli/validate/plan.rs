//! The plan: what would be done by a configuration, for a person to check.

use std::collections::BTreeSet;
use std::time::Duration;

use super::noise::Noise;
use crate::config::Config;
use crate::detect::time_to_detect::{self, Outlook, TimeToDetect};
use crate::model::unit::{show_about, show_duration, show_share};
use crate::model::{Cadence, Calendar, LabelValue, Maintenance, Role, Rule, Scope, Timestamp, Window};

/// What would be done, for a person to check.
pub(super) fn plan(config: &Config, times: &[(&Rule, Vec<TimeToDetect>)], noise: &Noise, now: Timestamp) -> String {
    let per_minute: f64 = config
        .probes
        .iter()
        .filter(|probe| !probe.kind.comes_by_itself())
        .map(|probe| match &probe.cadence {
            Cadence::Every(interval) => 60.0 / interval.as_secs_f64(),
            Cadence::At(calendar) => mean_rate(calendar, now),
        })
        .fold(0.0, |sum, rate| sum + rate);
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
    text.push_str(&table(times, noise));
    text.push_str(&coverage(config));
    for receiver in config.receivers.keys() {
        let rules: Vec<&str> =
            config.rules.iter().filter(|rule| rule.tell.contains(receiver)).map(|rule| rule.id.as_str()).collect();
        let rules = if rules.is_empty() { "no rule".to_owned() } else { rules.join(", ") };
        text.push_str(&format!("\n{receiver} is notified by {rules}\n"));
    }
    if !config.maintenance.is_empty() {
        text.push_str("\nMaintenance, in which messages wait:\n");
    }
    for maintenance in &config.maintenance {
        text.push_str(&format!("  {}\n", window(maintenance, now)));
    }
    let idle = times.iter().filter(|(_, all)| !all.is_empty() && all.iter().all(|time| time.worst.is_err()));
    for (rule, times) in idle {
        let why = times.iter().find_map(|time| time.worst.as_ref().err());
        text.push_str(&format!("\nWARNING: rule {} may never notice anything: {}\n", rule.id, why.map_or("", |w| w)));
    }
    for warning in &config.warnings {
        text.push_str(&format!("\nWARNING: {warning}\n"));
    }
    text
}

/// How soon each rule notices, and how often it is wrong.
fn table(times: &[(&Rule, Vec<TimeToDetect>)], noise: &Noise) -> String {
    let mut text = format!(
        "\nHow soon an outage is noticed: when all checks of a slice fail, at the worst and in the median; when one in five\n\
         does, in the median and in 99 of 100 outages. False alarms in 30 days, at most, where {} of the checks\n\
         fail {}.\n\n",
        show_share(noise.share),
        noise.origin
    );
    let names = times.iter().flat_map(|(_, times)| times).map(|time| named(time).chars().count());
    let widest = names.max().unwrap_or_default().clamp(20, 48);
    text.push_str(&format!(
        "  {:<widest$}  {:>19} {:>19}  {:>7}\n",
        "", "all fail ---------", "1 in 5 -----------", "false"
    ));
    text.push_str(&format!(
        "  {:<widest$}  {:>9} {:>9} {:>9} {:>9}  {:>7}\n",
        "", "worst", "median", "median", "99%", "alarms"
    ));
    for (rule, times) in times {
        text.push_str(&format!("  {}\n", describe(rule)));
        for slice in times {
            let time =
                |time: &Result<Duration, String>| time.as_ref().map_or("-".to_owned(), |time| show_about(*time));
            let worst = slice.worst.as_ref().map_or("-".to_owned(), |worst| show_duration(*worst));
            let Outlook { full, part, part_nearly_all, false_alarms } = &slice.outlook;
            let alarms = false_alarms.as_ref().map_or("-".to_owned(), |alarms| show_alarms(*alarms));
            let line = format!(
                "    {:<widest$}{worst:>9} {:>9} {:>9} {:>9}  {alarms:>7}",
                named(slice),
                time(full),
                time(part),
                time(part_nearly_all)
            );
            text.push_str(line.trim_end());
            text.push('\n');
            let whys = [("all", &slice.worst), ("1 in 5", part)];
            let whys = whys
                .into_iter()
                .filter(|(of, _)| *of == "all" || time_to_detect::is_prompt(rule))
                .filter_map(|(of, why)| Some((of, why.as_ref().err()?)));
            text.extend(whys.map(|(of, why)| format!("      {of}: {why}\n")));
        }
    }
    text
}

/// A slice and how many are like it.
pub(super) fn named(time: &TimeToDetect) -> String {
    let mut of = time.slice.to_string();
    if time.alike > 1 {
        of.push_str(&format!(" and {} alike", time.alike - 1));
    }
    of
}

fn show_alarms(alarms: f64) -> String {
    if alarms < 0.001 {
        "< 0.001".into()
    } else if alarms < 10.0 {
        format!("{alarms:.3}")
    } else {
        format!("{alarms:.0}")
    }
}

/// The chance that an outage of some customers is seen at all.
fn coverage(config: &Config) -> String {
    if config.cohorts.is_empty() {
        return String::new();
    }
    let mut text =
        "\nThe chance that an outage that hits 10% of all customers, at random, hits one that is watched:\n"
            .to_owned();
    for (label, values) in &config.cohorts {
        let borne: BTreeSet<&LabelValue> = config.probes.iter().filter_map(|probe| probe.labels.get(label)).collect();
        let watched = values.iter().filter(|value| borne.contains(value)).count();
        text.push_str(&format!(
            "  {label}: {:.0}%, with {watched} of {} values watched\n",
            100.0 * time_to_detect::coverage(watched, 0.1),
            values.len()
        ));
    }
    text
}

fn counted_canaries(count: usize) -> String {
    if count == 1 { "1 canary".into() } else { format!("{count} canaries") }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How many times a minute a calendar comes about on average, by its next times: a thousand of them, or those of a week.
fn mean_rate(calendar: &Calendar, now: Timestamp) -> f64 {
    let (mut last, mut count) = (now, 0_u32);
    while let Some(next) = calendar.next_after(last).filter(|_| count < 1_000) {
        (last, count) = (next, count + 1);
        if last.since(now) >= Duration::from_secs(7 * 86_400) {
            break;
        }
    }
    let minutes = last.since(now).as_secs_f64() / 60.0;
    if count == 0 { 0.0 } else { f64::from(count) / minutes.max(1.0) }
}

/// A maintenance, and its window that is open or comes next.
fn window(maintenance: &Maintenance, now: Timestamp) -> String {
    let show = |window: Window| format!("from {} until {}", window.from.show(), window.until.show());
    let when = match (maintenance.when.open_at(now), maintenance.when.next_after(now)) {
        (Some(open), _) => format!("OPEN NOW, {}", show(open)),
        (None, Some(next)) => format!("next {}", show(next)),
        (None, None) => "over; it can be removed".to_owned(),
    };
    format!("{} ({}): {when}", maintenance.id, covers(&maintenance.over))
}

fn covers(scope: &Scope) -> String {
    let mut parts = Vec::new();
    parts.extend(scope.components.iter().map(ToString::to_string));
    parts.extend(scope.probes.iter().map(|probe| format!("probe {probe}")));
    parts.extend(scope.labels.iter().map(|(name, value)| format!("{name}={value}")));
    if parts.is_empty() { "everything".to_owned() } else { parts.join(", ") }
}

fn describe(rule: &Rule) -> String {
    let origin = if rule.built_in { ", built in" } else { "" };
    format!("{} ({}{origin}): {}", rule.id, rule.severity, rule.kind.describe())
}
