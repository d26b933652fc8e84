//! Reach: what `validate` prints of the time to detect, held against drills. Slices fail at random moments, and no rule
//! takes longer for its slice than the printed worst case; half of the time it takes about the printed median.

use std::sync::Arc;
use std::time::Duration;

use tripline::config::{Config, load};
use tripline::detect::time_to_detect::{TimeToDetect, time_to_detect};
use tripline::drill::{self, Scenario, Take, scenario};
use tripline::model::Dice;
use tripline::model::{Bad, IncidentChange, LabelName, Rule, RuleKind, Slice};

use crate::given::{Nothing, side_by_side};

/// Where things are asked: at one host, at two, and with a canary. It decides how long a failure without an answer waits.
const PLACES: [(&str, &str); 3] = [
    ("forge.example", ""),
    ("api.forge.example", ""),
    ("api.forge.example", "canaries: [\"https://example.org/\"]\n"),
];

/// Every kind of rule, over probes with three rhythms.
fn config((api, canaries): (&str, &str)) -> Arc<Config> {
    let text = format!(
        "name: Forge
defaults: {{interval: 20s, timeout: 10s}}
cohorts: {{workspace: [acme, globex, initech]}}
components: {{website: {{}}, api: {{}}}}
probes:
  home: {{component: website, for_each: [workspace], http: {{url: \"https://forge.example/{{{{workspace}}}}/\"}}}}
  list: {{component: api, for_each: [workspace], interval: 30s, timeout: 5s, http: {{url: \"https://{api}/{{{{workspace}}}}\"}}}}
  status: {{component: api, interval: 15s, http: {{url: \"https://{api}/status\"}}}}
rules:
  unusual: {{change: {{false_alarms: 1 per 90d}}}}
  spike: {{above: 20%, within: 2m, at_least: 3, per: [workspace]}}
  lost: {{bad: failure == \"not_found\", above: 50%, within: 90s, at_least: 2, per: [workspace]}}
  most: {{above: 90%, within: 2m, at_least: 3}}
  down: {{consecutive: 3}}
  slow: {{latency: {{quantile: 90%, of: first_byte, above: 2s}}, within: 5m, at_least: 10, per: [workspace]}}
  gone: {{missing: 90s}}
  budget: {{burn_rate: {{objective: 99%, over: 30d, windows: [{{long: 1h, short: 5m, factor: 14.4}}]}}, at_least: 5}}
  certificates: {{expires_within: 14d}}
{canaries}"
    );
    Arc::new(load("probes.yaml", &text, &Nothing).unwrap_or_else(|problems| panic!("{problems}")))
}

/// How every check of a slice can fail so that this rule counts it; first in the way that takes no time.
fn ways(rule: &Rule) -> &'static [&'static str] {
    match &rule.kind {
        RuleKind::ErrorRate(rate) if matches!(rate.bad, Bad::Class(_)) => &["failure: not_found"],
        RuleKind::ErrorRate(_) | RuleKind::Change(_) | RuleKind::Consecutive(_) => {
            &["failure: not_found", "failure: timeout", "failure: connect"]
        }
        RuleKind::Latency(_) => &["latency: 2500ms"],
        RuleKind::BurnRate(_) => &["failure: not_found"],
        RuleKind::Expiry(_) => &["certificate: 2d"],
        RuleKind::Missing(_) => &["missing: true"],
        RuleKind::Offline => &[],
    }
}

/// The checks of a slice, as a fault names them.
fn over(slice: &Slice) -> String {
    let of = |name: &str| slice.labels.get(&LabelName::from(name));
    let component = of("component").map(|component| format!("components: [{component}]"));
    let workspace = of("workspace").map(|workspace| format!("labels: {{workspace: {workspace}}}"));
    let probe = slice.probe.as_ref().map(|probe| format!("probes: [{}]", probe.as_str().split('[').next().unwrap()));
    let parts: Vec<String> = [component, workspace, probe].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("over: {{{}}}, ", parts.join(", ")) }
}

/// Long enough for the longest window of a rule but the budget's, which counts what came before as good.
const BEFORE: Duration = Duration::from_secs(360);

fn outage(config: &Arc<Config>, slice: &Slice, way: &str, lasts: Duration) -> Scenario {
    let text = format!(
        "name: One slice\nstart: 2025-02-11T15:41:00Z\nlength: {}s\nfaults:\n  - {{from: {}s, {}{way}}}\nexpect: {{incidents: 1}}\n",
        (BEFORE + lasts).as_secs() + 1,
        BEFORE.as_secs(),
        over(slice),
    );
    let read = scenario::read("outage.yaml", &text, &Nothing, &|_| Ok(Arc::clone(config)));
    read.unwrap_or_else(|problems| panic!("{problems}")).0
}

/// How long the rule takes to notice that the slice fails, when it begins to at a random moment.
fn noticed(config: &Arc<Config>, scenario: &Scenario, rule: &Rule, slice: &Slice, seed: u64) -> Option<Duration> {
    let shift = Duration::from_millis(Dice::of(seed, 7, 0).below(60_000));
    let report = drill::run(config, scenario, Take { seed, shift });
    let began = scenario.start + BEFORE + shift;
    let found = report.events.iter().find(|event| match &event.what.change {
        IncidentChange::Opened { breach, .. }
        | IncidentChange::Joined { breach, .. }
        | IncidentChange::Reopened { breach, .. } => breach.rule == rule.id && breach.slice == *slice,
        _ => false,
    })?;
    assert!(found.at >= began, "{} for {slice} before anything failed, seed {seed}", rule.id);
    Some(found.at.since(began))
}

fn each(check: impl Fn(&Arc<Config>, &Rule, &TimeToDetect)) {
    for place in PLACES {
        let config = config(place);
        for rule in &config.rules {
            for time in time_to_detect(rule, &config.probes, &config.cohorts, 0.001) {
                check(&config, rule, &time);
            }
        }
    }
}

/// Whether a failure without an answer on this whole slice would look as if we were cut off ourselves.
fn looks_like_us(config: &Config, slice: &Slice) -> bool {
    let hosts = config.probes.iter().any(|probe| probe.kind.host() == "api.forge.example");
    hosts && config.probes.iter().all(|probe| slice.covers(probe))
}

#[test]
fn no_drill_takes_longer_than_the_printed_worst_case() {
    let mut late = Vec::new();
    let drills = std::cell::Cell::new(0);
    let told = std::cell::RefCell::new(&mut late);
    each(|config, rule, time| {
        let worst = time.worst.clone().unwrap_or_else(|why| panic!("{} for {}: {why}", rule.id, time.slice));
        for way in ways(rule) {
            if looks_like_us(config, &time.slice) && ["failure: timeout", "failure: connect"].contains(way) {
                continue;
            }
            let scenario = outage(config, &time.slice, way, worst);
            let seeds: Vec<u64> = (0..9).collect();
            let took = side_by_side(&seeds, |seed| noticed(config, &scenario, rule, &time.slice, *seed));
            for (seed, took) in seeds.iter().zip(took) {
                drills.set(drills.get() + 1);
                if took.is_none_or(|took| took > worst) {
                    let what = format!("{} for {} ({way}), seed {seed}", rule.id, time.slice);
                    told.borrow_mut().push(format!("{what}: {took:?}, printed: {worst:?}"));
                }
            }
        }
    });
    println!("{} drills", drills.get());
    assert!(drills.get() > 500, "{}", drills.get());
    assert!(late.is_empty(), "\n{}\n", late.join("\n"));
}

#[test]
fn half_of_the_drills_take_about_as_long_as_the_printed_median() {
    let mut wrong = Vec::new();
    let told = std::cell::RefCell::new(&mut wrong);
    each(|config, rule, time| {
        let (Ok(worst), Ok(full)) = (&time.worst, &time.outlook.full) else {
            panic!("{} for {}: {time:?}", rule.id, time.slice);
        };
        let scenario = outage(config, &time.slice, ways(rule)[0], *worst);
        let seeds: Vec<u64> = (0..31).collect();
        let took = side_by_side(&seeds, |seed| noticed(config, &scenario, rule, &time.slice, *seed));
        let median = median(took).unwrap_or(Duration::MAX);
        println!("{} for {}: {median:?}, printed: {full:?}", rule.id, time.slice);
        // The turns of few probes fall as they fall, not evenly.
        let (low, high) =
            (full.mul_f64(0.65).saturating_sub(Duration::from_secs(4)), full.mul_f64(1.4) + Duration::from_secs(4));
        if !(low..=high).contains(&median) {
            told.borrow_mut().push(format!("{} for {}: {median:?}, printed: {full:?}", rule.id, time.slice));
        }
    });
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn half_of_the_outages_of_one_in_five_checks_take_about_as_long_as_printed_and_nearly_all_no_longer_than_that() {
    let mut wrong = Vec::new();
    let config = config(PLACES[0]);
    let mut compared = 0;
    for rule in config.rules.iter().filter(|rule| ["unusual", "spike", "slow", "down"].contains(&rule.id.as_str())) {
        for time in time_to_detect(rule, &config.probes, &config.cohorts, 0.001) {
            let (Ok(part), Ok(nearly_all)) = (&time.outlook.part, &time.outlook.part_nearly_all) else { continue };
            // A few are enough of what takes long.
            if *nearly_all > Duration::from_secs(1_800) {
                continue;
            }
            compared += 1;
            let way = format!("share: 20%, {}", ways(rule)[0]);
            let scenario = outage(&config, &time.slice, &way, nearly_all.mul_f64(1.2));
            let seeds: Vec<u64> = (0..101).collect();
            let took = side_by_side(&seeds, |seed| noticed(&config, &scenario, rule, &time.slice, *seed));
            let within = took.iter().flatten().filter(|took| *took <= nearly_all).count();
            let median = median(took).unwrap_or(Duration::MAX);
            let line = format!(
                "{} for {}: {median:?}, {within} of 101 within {nearly_all:?}; printed: {part:?}",
                rule.id, time.slice
            );
            println!("{line}");
            let about = part.mul_f64(0.6)..=part.mul_f64(1.6) + Duration::from_secs(4);
            if !about.contains(&median) || within < 94 {
                wrong.push(line);
            }
        }
    }
    assert!(compared >= 6, "{compared}");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Those that were not noticed took longest.
fn median(mut took: Vec<Option<Duration>>) -> Option<Duration> {
    took.sort_by_key(|took| took.unwrap_or(Duration::MAX));
    took[took.len() / 2]
}
