//! `tripline incident`: look at incidents and act on them.
//!
//! Reads the database beside a running daemon. What changes something is left for the daemon in the database: one that
//! is not running does it when it starts.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::builder::NonEmptyStringValueParser;

use crate::clock;
use crate::config::Config;
use crate::incident::{false_alarms, lifecycle, rename, summary};
use crate::model::unit::{show_about, show_duration};
use crate::model::{Action, ActionKind, Incident, IncidentId, ProbeId, Role};
use crate::store::{
    AttemptOutcome, Delivery, DeliveryState, FailedBecause, FailureQuery, IncidentSummary, Reader, StoreError,
    request_action,
};

use super::evidence::details;
use super::{Ending, Flags, Misuse, complain, load};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// The incidents, those opened last first
    List {
        /// Those that are resolved as well
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// One incident: what fails for whom, its timeline, its notifications, the evidence
    Show(Which),
    /// Acknowledge an incident: reminders stop
    Ack(Which),
    /// Write something down on an incident
    Note {
        #[command(flatten)]
        which: Which,
        /// What to write down
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        text: String,
    },
    /// Say what the cause is: the incident is `identified`
    Identify {
        #[command(flatten)]
        which: Which,
        /// The cause, for the timeline and the review
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        cause: String,
    },
    /// Say that it is repaired: the incident is `monitoring`, and is resolved by itself when the checks have recovered
    #[command(name = "monitor", visible_alias = "watch")]
    Watch {
        #[command(flatten)]
        which: Which,
        /// What was done
        #[arg(default_value = "")]
        text: String,
    },
    /// Resolve an incident; checks that still fail notify nobody until they have recovered once
    Resolve {
        #[command(flatten)]
        which: Which,
        /// Why it is resolved
        #[arg(long, default_value = "", value_name = "TEXT")]
        why: String,
    },
    /// Make another incident part of an open one: they are one outage
    Merge {
        #[command(flatten)]
        which: Which,
        /// The id of the other, or how it begins
        other: String,
        /// Why they are one
        #[arg(long, default_value = "", value_name = "TEXT")]
        why: String,
    },
    /// Take the breaches of some components or rules out of an open incident: they are another outage
    Split {
        #[command(flatten)]
        which: Which,
        /// The ids of the components or rules
        #[arg(required = true, value_name = "COMPONENT|RULE")]
        parts: Vec<String>,
        /// Why they are another
        #[arg(long, default_value = "", value_name = "TEXT")]
        why: String,
    },
    /// Say that nothing was wrong: the incident is over, if it was not, and is no outage
    FalseAlarm {
        #[command(flatten)]
        which: Which,
        /// Why it was raised
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
        why: String,
    },
}

#[derive(clap::Args)]
pub(super) struct Which {
    /// The incident's id, or how it begins
    id: String,
    /// Who acts
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    by: String,
}

/// Of incidents whose ids begin alike, at most so many are shown.
const SHOWN_ALIKE: u32 = 10;

/// How long a running daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn run(flags: &Flags, command: Command) -> anyhow::Result<Ending> {
    let reader = reader(flags)?;
    // Names of components come from the configuration; without one that is well, their ids must do.
    let config = load::load(&flags.config).ok();
    match command {
        Command::List { all, limit } => list(&reader, !all, limit, config.as_ref()),
        Command::Show(which) => show(&reader, find(&reader, &which.id)?.id, config.as_ref()),
        Command::Ack(which) => act(&reader, &flags.db, &Asked::of(which, ActionKind::Acknowledge, String::new())),
        Command::Note { which, text } => act(&reader, &flags.db, &Asked::of(which, ActionKind::Note, text)),
        Command::Identify { which, cause } => act(&reader, &flags.db, &Asked::of(which, ActionKind::Identify, cause)),
        Command::Watch { which, text } => act(&reader, &flags.db, &Asked::of(which, ActionKind::Watch, text)),
        Command::Resolve { which, why } => act(&reader, &flags.db, &Asked::of(which, ActionKind::Resolve, why)),
        Command::Merge { which, other, why } => {
            act(&reader, &flags.db, &Asked { other: Some(other), ..Asked::of(which, ActionKind::Merge, why) })
        }
        Command::Split { which, parts, why } => {
            let parts = parts.into_iter().collect();
            act(&reader, &flags.db, &Asked { parts, ..Asked::of(which, ActionKind::Split, why) })
        }
        Command::FalseAlarm { which, why } => {
            let asked = Asked::of(which, ActionKind::FalseAlarm, why);
            let ending = act(&reader, &flags.db, &asked)?;
            if let Some(config) = config.as_ref().filter(|_| ending == Ending::Well) {
                advise(&reader, find(&reader, &asked.which.id)?.id, config)?;
            }
            Ok(ending)
        }
    }
}

/// What is asked of an incident.
struct Asked {
    which: Which,
    kind: ActionKind,
    text: String,
    /// Another incident.
    other: Option<String>,
    /// Components and rules.
    parts: BTreeSet<String>,
}

impl Asked {
    fn of(which: Which, kind: ActionKind, text: String) -> Self {
        Self { which, kind, text, other: None, parts: BTreeSet::new() }
    }
}

/// The database. That there is none, or that it is none of ours, is a misuse.
pub(super) fn reader(flags: &Flags) -> anyhow::Result<Reader> {
    Reader::open(&flags.db).map_err(|error| match error {
        StoreError::NotFound(_)
        | StoreError::Empty(_)
        | StoreError::NotADatabase(_)
        | StoreError::OtherApplication(_) => Misuse(error.to_string()).into(),
        error => error.into(),
    })
}

/// The one incident whose id begins like this. That there is none, or that there are several, is a misuse.
pub(super) fn find(reader: &Reader, prefix: &str) -> anyhow::Result<IncidentSummary> {
    let mut named = reader.incidents_named(prefix, SHOWN_ALIKE)?;
    let fault = match (named.pop(), named.as_slice()) {
        (Some(found), []) => return Ok(found),
        (None, _) => format!("no incident's id begins with `{prefix}`; `tripline incident list --all` shows them"),
        (Some(last), others) => {
            let alike: Vec<String> = others.iter().chain([&last]).map(|incident| incident.id.to_string()).collect();
            format!("several incidents' ids begin with `{prefix}`; give more of it:\n  {}", alike.join("\n  "))
        }
    };
    Err(Misuse(fault).into())
}

fn list(reader: &Reader, only_open: bool, limit: u32, config: Option<&Config>) -> anyhow::Result<Ending> {
    let incidents = reader.incidents(only_open, limit)?;
    if incidents.is_empty() {
        println!("{}", if only_open { "No incident is open." } else { "There was no incident yet." });
    }
    if !incidents.is_empty() {
        println!("{:<8}  {:<13} {:<8}  {:<23}  {:>12}  WHAT", "ID", "STATE", "SEVERITY", "SINCE", "LASTED");
    }
    for incident in &incidents {
        println!("{}", line(incident, config));
    }
    Ok(Ending::Well)
}

fn line(incident: &IncidentSummary, config: Option<&Config>) -> String {
    let lasted = incident.resolved.unwrap_or_else(clock::now).since(incident.since);
    format!(
        "{}  {:<13} {:<8}  {}  {:>12}  {}",
        incident.id.short(),
        incident.state,
        incident.severity,
        incident.since.show(),
        show_about(Duration::from_secs(lasted.as_secs())),
        correction(incident)
            + &match incident.unwatched {
                true => format!("no longer watched: {}", summary::title(&incident.finding, config)),
                false => summary::title(&incident.finding, config),
            },
    )
}

/// What people corrected of it, before what it is.
fn correction(incident: &IncidentSummary) -> String {
    match (&incident.false_alarm, incident.merged_into) {
        (Some((by, _)), _) => format!("FALSE ALARM, says {by}: "),
        (None, Some(into)) => format!("MERGED into {}: ", into.short()),
        (None, None) => String::new(),
    }
}

fn show(reader: &Reader, id: IncidentId, config: Option<&Config>) -> anyhow::Result<Ending> {
    let events = reader.events_of(id)?;
    let incident = lifecycle::fold(&events)?;
    let headline = if incident.unwatched.is_some() { summary::unwatched } else { summary::headline };
    println!("{}.\n", headline(&incident.finding, config));
    println!("Incident  {}", incident.id);
    println!("State     {}, {}", incident.state, incident.severity);
    println!("Since     {}", incident.since.show());
    if let Some(alarm) = &incident.corrected.false_alarm {
        println!("No outage a false alarm, says {}: {}", alarm.by, alarm.why);
    }
    if let Some(into) = incident.corrected.merged_into {
        println!("Merged    into incident {}", into.short());
    }
    if let Some(resolved) = incident.resolved {
        let lasted = Duration::from_secs(resolved.since(incident.since).as_secs());
        match &incident.unwatched {
            None => println!("Resolved  {}, after {}", resolved.show(), show_duration(lasted)),
            Some(why) => {
                let until = resolved.show();
                println!("Watched   until {until}, for {}; no longer watched: {why}", show_duration(lasted));
            }
        }
    }
    if let Some(sure) = summary::sureness(&incident.finding) {
        println!("How sure  {sure}");
    }
    if let Some((by, at)) = &incident.acknowledged {
        println!("Acknowledged by {by} at {}", at.show());
    }
    println!("\nTimeline (UTC)");
    for event in &events {
        println!("  {}  {}", event.at.show_clock(), event.change);
    }
    println!("\nNotifications");
    let deliveries = reader.deliveries_of(id)?;
    if deliveries.is_empty() {
        println!("  none: nobody was notified");
    }
    for delivery in &deliveries {
        print!("{}", fate(delivery));
    }
    if !incident.is_our_own() {
        println!("\nEvidence");
        print!("{}", evidence(reader, &incident, config)?);
        print!("{}", tried_again(reader, &incident)?);
    }
    Ok(Ending::Well)
}

/// Where a delivery stands, and what became of each attempt.
fn fate(delivery: &Delivery) -> String {
    let state = match delivery.state {
        DeliveryState::Pending(at) => format!("pending; the next attempt is due at {}", at.show()),
        DeliveryState::Delivered => "delivered".to_owned(),
        DeliveryState::Failed(FailedBecause::Refused) => "FAILED".to_owned(),
        DeliveryState::Failed(FailedBecause::GivenUp) => "FAILED, given up".to_owned(),
    };
    let mut text = format!("  {:<9} to {}: {state}\n", delivery.kind.as_str(), delivery.to);
    for attempt in &delivery.attempts {
        let what = match &attempt.outcome {
            AttemptOutcome::Delivered(answer) => format!("delivered: {answer}"),
            AttemptOutcome::Retry(fault, _) => format!("failed, is retried: {fault}"),
            AttemptOutcome::Failed(FailedBecause::Refused, fault) => format!("failed for good: {fault}"),
            AttemptOutcome::Failed(FailedBecause::GivenUp, fault) => format!("failed, given up: {fault}"),
        };
        text.push_str(&format!("    {}  {what}\n", attempt.at.show_clock()));
    }
    text
}

/// The first failure of each of a few probes.
fn evidence(reader: &Reader, incident: &Incident, config: Option<&Config>) -> anyhow::Result<String> {
    const SHOWN: usize = 3;
    let until = incident.resolved.unwrap_or_else(clock::now);
    // Those of probes that bear the factor; strays elsewhere would mislead.
    let incident = &config.map_or_else(|| incident.clone(), |config| rename::renamed(incident.clone(), config));
    let factor = incident.finding.factor.as_ref();
    let bearing = config
        .iter()
        .flat_map(|config| &config.probes)
        .filter(|probe| probe.role == Role::Service && factor.is_none_or(|factor| factor.bears(probe)));
    let ids = |probe| config.into_iter().flat_map(move |config: &Config| config.formerly.ids_of(probe));
    let probes: Vec<ProbeId> = bearing.flat_map(ids).collect();
    let query =
        FailureQuery { probes: &probes, from: incident.since, until: until + Duration::from_millis(1), each: 1 };
    let mut text = String::new();
    for failure in reader.failures(&query)?.iter().take(SHOWN) {
        let Some(evidence) = &failure.evidence else { continue };
        text.push_str(&format!("  {}  {}\n", failure.finished().show_clock(), evidence.request));
        text.push_str(&format!("    {}\n", evidence.fault));
        if let Some(address) = evidence.address {
            text.push_str(&format!("    address {address}, probe {}\n", failure.probe));
        }
        text.push_str(&details(evidence, "    "));
    }
    if text.is_empty() {
        text.push_str("  none is stored any more\n");
    }
    Ok(text)
}

/// Failures that were retried at once, the first of each of a few probes. They did not count.
fn tried_again(reader: &Reader, incident: &Incident) -> anyhow::Result<String> {
    const SHOWN: usize = 3;
    let until = incident.resolved.unwrap_or_else(clock::now) + Duration::from_millis(1);
    let found = reader.tried_again(&FailureQuery { probes: &[], from: incident.since, until, each: 1 })?;
    let mut text = String::new();
    for failure in found.iter().take(SHOWN) {
        let fault = failure.evidence.as_ref().map_or("", |evidence| &evidence.fault);
        text.push_str(&format!("  {}  {}: {fault}\n", failure.finished().show_clock(), failure.probe));
    }
    Ok(if text.is_empty() { text } else { format!("\nTried again; only the second try counts\n{text}") })
}

fn act(reader: &Reader, database: &Path, asked: &Asked) -> anyhow::Result<Ending> {
    let Asked { which, kind, text, other, parts } = asked;
    let IncidentSummary { id: incident, resolved, .. } = find(reader, &which.id)?;
    if let Some(resolved) = resolved.filter(|_| !kind.may_come_late()) {
        complain(&format!("incident {} was resolved at {}; nothing is done", incident.short(), resolved.show()));
        return Ok(Ending::Unwell);
    }
    let other = other.as_ref().map(|other| find(reader, other)).transpose()?.map(|other| other.id);
    if other == Some(incident) {
        return Err(Misuse(format!("incident {} cannot be merged into itself", incident.short())).into());
    }
    let (by, text, parts) = (which.by.clone(), text.clone(), parts.clone());
    let id = request_action(database, &Action { at: clock::now(), incident, kind: *kind, by, text, other, parts })?;
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        if let Some(answer) = reader.answer_to(id)? {
            println!("{answer}");
            return Ok(Ending::Well);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    println!(
        "stored for the daemon, which does not answer (it is busy, or not running); `tripline run` does it as soon as it can"
    );
    Ok(Ending::Well)
}

/// What to do about the rules that give many false alarms, after one of this incident.
fn advise(reader: &Reader, id: IncidentId, config: &Config) -> anyhow::Result<()> {
    let incident = lifecycle::fold(&reader.events_of(id)?)?;
    if incident.corrected.false_alarm.is_none() {
        return Ok(());
    }
    let histories = reader.false_alarms(clock::now() - false_alarms::COUNTED)?;
    let recent: Vec<Incident> = histories.iter().filter_map(|events| lifecycle::fold(events).ok()).collect();
    for sentence in false_alarms::advice(&incident, &recent, config) {
        println!("{sentence}");
    }
    Ok(())
}
