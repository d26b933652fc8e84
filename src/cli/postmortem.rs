//! `tripline postmortem`: a draft of the review of an incident.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::backtest::Replay;
use crate::clock;
use crate::config::Config;
use crate::detect;
use crate::incident::impact::Impact;
use crate::incident::lifecycle;
use crate::incident::postmortem::{LONGEST_LEAD, Noticed, Review, Sent, Verdict, draft};
use crate::incident::rename;
use crate::model::{Incident, IncidentChange, ProbeId, Rule};
use crate::store::{AttemptOutcome, Delivery, DeliveryState, FailedBecause, FailureQuery, Reader};

use super::{Ending, Flags, Misuse, incident, load};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The incident's id, or how it begins
    id: String,
    /// Writes it to this file, which must not exist
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// So many failures are shown, each of another probe.
const SHOWN: usize = 3;

pub(super) fn run(flags: &Flags, args: &Args) -> anyhow::Result<Ending> {
    let reader = incident::reader(flags)?;
    let config = Arc::new(load::load(&flags.config)?);
    let found = incident::find(&reader, &args.id)?;
    let text = write(&reader, &config, found.id)?;
    let Some(path) = &args.output else {
        print!("{text}");
        return Ok(Ending::Well);
    };
    // What a person has worked on is not written over.
    let file = std::fs::File::options().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| {
        Misuse(format!("{}: {error}; name a file that does not exist, in a folder that does", path.display()))
    })?;
    std::io::Write::write_all(&mut file, text.as_bytes()).with_context(|| path.display().to_string())?;
    println!("{}", path.display());
    Ok(Ending::Well)
}

fn write(reader: &Reader, config: &Arc<Config>, id: crate::model::IncidentId) -> anyhow::Result<String> {
    let events = reader.events_of(id)?;
    let incident = rename::renamed(lifecycle::fold(&events)?, config);
    let until = incident.resolved.unwrap_or_else(clock::now);
    let mut impact = Impact::new(&incident, config);
    let mut replay = Replay::new(Arc::clone(config));
    let lead = detect::lookback(config).min(LONGEST_LEAD);
    // Where the clock was set back meanwhile, it showed this time before, and later ones.
    let back: Duration = events
        .iter()
        .filter_map(|event| match event.change {
            IncidentChange::ClockSetBack { by } => Some(by),
            _ => None,
        })
        .sum();
    reader.results_between(incident.since - lead, until + back + Duration::from_millis(1), |judged| {
        impact.add(&judged);
        replay.add(judged);
    })?;
    let verdicts = if impact.missing().is_none() { verdicts(&replay, &incident, config) } else { Vec::new() };
    let sent: Vec<Sent> = reader.deliveries_of(id)?.iter().map(sent).collect();
    // Those of probes that bear the factor; strays elsewhere would mislead.
    let finding = &incident.finding;
    let bearing = config.probes.iter().filter(|probe| {
        finding.factor.as_ref().is_none_or(|factor| factor.bears(probe))
            && finding.components.contains(&probe.component)
    });
    let probes: Vec<ProbeId> = bearing.flat_map(|probe| config.formerly.ids_of(probe)).collect();
    let query =
        FailureQuery { probes: &probes, from: incident.since, until: until + Duration::from_millis(1), each: 1 };
    let mut failures = reader.failures(&query)?;
    failures.truncate(SHOWN);
    Ok(draft(&Review {
        incident: &incident,
        events: &events,
        config,
        impact: &impact,
        sent: &sent,
        verdicts: &verdicts,
        failures: &failures,
    }))
}

/// When each rule found the first of its breaches that went on in this incident's time, in one that shares a component.
fn verdicts(replay: &Replay, incident: &Incident, config: &Config) -> Vec<Verdict> {
    let breaches = || replay.incidents.values().flat_map(|incident| &incident.breaches);
    let noticed = |rule: &Rule| {
        // A replay never counts what did not come.
        if !rule.kind.judges_results() {
            return Noticed::NotJudged;
        }
        breaches()
            .filter(|breach| breach.rule == rule.id && breach.cleared.is_none_or(|at| at >= incident.since))
            .filter(|breach| !breach.marks.components.is_disjoint(&incident.finding.components))
            .min_by_key(|breach| breach.found)
            .map_or(Noticed::Never, |breach| {
                Noticed::At(breach.found, format!("for {}: {}", breach.slice, breach.reason))
            })
    };
    config.rules.iter().map(|rule| Verdict { rule: rule.id.to_string(), noticed: noticed(rule) }).collect()
}

fn sent(delivery: &Delivery) -> Sent {
    let taken = delivery.attempts.iter().find(|attempt| matches!(attempt.outcome, AttemptOutcome::Delivered(_)));
    let fault = delivery.fault().unwrap_or_default();
    Sent {
        kind: delivery.kind,
        to: delivery.to.to_string(),
        owed: delivery.owed,
        delivered: taken.map(|attempt| attempt.at),
        attempts: delivery.attempts.len(),
        state: match delivery.state {
            DeliveryState::Pending(at) => format!("pending, the next attempt is due at {}", at.show()),
            DeliveryState::Delivered => "delivered".to_owned(),
            DeliveryState::Failed(FailedBecause::Refused) => format!("FAILED: {fault}"),
            DeliveryState::Failed(FailedBecause::GivenUp) => format!("FAILED, given up: {fault}"),
        },
    }
}
