//! `tripline backtest`: the rules of a configuration over the stored results.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backtest::{self, Comparison, Replay};
use crate::clock;
use crate::detect;
use crate::incident::postmortem::UNJUDGED;
use crate::incident::{lifecycle, rename};
use crate::model::unit::{parse_duration, show_about};
use crate::model::{Incident, Timestamp};
use crate::store::Reader;

use super::{Ending, Flags, load};

#[derive(clap::Args)]
pub(super) struct Args {
    /// How far back to begin: 6h, 30d
    #[arg(long, default_value = "30d", value_name = "DURATION", value_parser = some_time)]
    since: Duration,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// A duration that is not zero: of no time there is nothing to replay.
fn some_time(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err("that is no time at all; write it like 6h or 30d".into()),
        Ok(duration) => Ok(duration),
        Err(fault) => Err(fault.to_string()),
    }
}

pub(super) fn run(flags: &Flags, args: &Args) -> anyhow::Result<Ending> {
    let config = Arc::new(load::load(&flags.config)?);
    let reader = super::incident::reader(flags)?;
    let now = clock::now();
    let from = now - args.since;
    let mut stored = Vec::new();
    for events in reader.histories(from)? {
        stored.push(rename::renamed(lifecycle::fold(&events)?, &config));
    }
    let begun = Instant::now();
    let replay = replay(&reader, &config, from)?;
    let took = begun.elapsed();
    let end = replay.span.map_or(now, |(_, last)| last);
    // What ended while the windows filled was before the time that was asked for.
    let would: Vec<Incident> = replay
        .incidents
        .values()
        .filter(|incident| incident.resolved.is_none_or(|over| over >= from))
        .cloned()
        .collect();
    let mut comparison = backtest::compare(&stored, &would, end);
    comparison.set_aside(&config);
    if args.json {
        println!("{}", json(&replay, &comparison));
        return Ok(Ending::Well);
    }
    println!("{}", header(&replay, took));
    println!(
        "Rules of {}: {} of them; {} messages would have been owed.",
        flags.config.display(),
        config.rules.len(),
        replay.messages
    );
    if !replay.unknown.is_empty() {
        let count: u64 = replay.unknown.values().sum();
        let names: Vec<&str> = replay.unknown.keys().take(10).map(|probe| probe.as_str()).collect();
        let more = if replay.unknown.len() > names.len() { ", ..." } else { "" };
        println!("{count} results are of probes that it does not have: {}{more}", names.join(", "));
    }
    println!();
    print!("{}", backtest::show(&comparison, &config));
    let not_judged = match comparison.not_judged.len() {
        0 => String::new(),
        count => format!(", {count} not judged here"),
    };
    println!(
        "\n{} the same, {} vanished, {} new{not_judged}.",
        comparison.both.len(),
        comparison.vanished.len(),
        comparison.new.len()
    );
    if replay.left_out > 0 {
        println!("{} incidents more were only counted.", replay.left_out);
    }
    Ok(Ending::Well)
}

/// Begins so much earlier that every window is full at `from`.
fn replay(reader: &Reader, config: &Arc<crate::config::Config>, from: Timestamp) -> anyhow::Result<Replay> {
    let mut replay = Replay::new(Arc::clone(config)).count_from(from);
    reader.results_since(from - detect::lookback(config), |judged| replay.add(judged))?;
    Ok(replay)
}

#[expect(clippy::cast_precision_loss, reason = "a speed for people")]
fn header(replay: &Replay, took: Duration) -> String {
    let Some((first, last)) = replay.span else { return "No results are stored of that time.".to_owned() };
    format!(
        "Replayed {} results from {} until {} ({}) in {}, {:.0} a second.",
        replay.results,
        first.show(),
        last.show(),
        show_about(last.since(first)),
        show_about(took),
        replay.results as f64 / took.as_secs_f64().max(0.001),
    )
}

fn json(replay: &Replay, comparison: &Comparison<'_>) -> serde_json::Value {
    let one = |incident: &Incident| {
        serde_json::json!({
            "id": incident.id.to_string(),
            "severity": incident.severity.as_str(),
            "since": incident.since.to_string(),
            "opened": incident.opened.to_string(),
            "resolved": incident.resolved.map(|at| at.to_string()),
            "false_alarm": incident.corrected.false_alarm.as_ref().map(|alarm| alarm.why.as_str()),
            "merged_into": incident.corrected.merged_into.map(|into| into.to_string()),
            "title": crate::incident::summary::title(&incident.finding, None),
            "rules": incident.breaches.iter().map(|breach| breach.rule.as_str()).collect::<std::collections::BTreeSet<_>>(),
        })
    };
    let both: Vec<_> = comparison
        .both
        .iter()
        .map(|(was, would)| {
            let (before, after) = backtest::times_to_detect(was, would);
            serde_json::json!({
                "was": one(was),
                "would": one(would),
                "detected_seconds": {"was": before.as_secs_f64(), "would": after.as_secs_f64()},
            })
        })
        .collect();
    let unknown: std::collections::BTreeMap<&str, u64> =
        replay.unknown.iter().map(|(probe, count)| (probe.as_str(), *count)).collect();
    serde_json::json!({
        "results": replay.results,
        "from": replay.span.map(|(first, _)| first.to_string()),
        "until": replay.span.map(|(_, last)| last.to_string()),
        "messages": replay.messages,
        "unknown_probes": unknown,
        "same": both,
        "vanished": comparison.vanished.iter().map(|incident| one(incident)).collect::<Vec<_>>(),
        "not_judged": comparison.not_judged.iter().map(|incident| one(incident)).collect::<Vec<_>>(),
        "not_judged_because": (!comparison.not_judged.is_empty()).then_some(UNJUDGED),
        "new": comparison.new.iter().map(|incident| one(incident)).collect::<Vec<_>>(),
        "left_out": replay.left_out,
    })
}
