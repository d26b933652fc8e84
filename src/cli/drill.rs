//! `tripline drill`: failures, rehearsed in virtual time.

mod json;
mod script;
mod text;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::config::Config;
use crate::drill::scenario::{self, Wanted};
use crate::drill::{self, Report, Scenario, Summary, Take};
use crate::model::unit::parse_duration;

use super::junit::{self, Case, Failure};
use super::{Ending, Flags, Misuse, load};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Scenarios
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Play each so many times, with other seeds and with its faults beginning at other moments between two checks
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// The seed of all chances, instead of the scenario's
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Let all that is scripted happen so much later, to repeat one run of many
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = shift)]
    shift: Duration,
    /// Print a JSON object for each scenario, one a line
    #[arg(long)]
    json: bool,
    /// Write the outcome as JUnit XML, as CI servers read it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

fn shift(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|fault| format!("{}; {}", fault.fault, fault.remedy))
}

/// A scenario that can be played.
struct Drill {
    file: PathBuf,
    scenario: Scenario,
    config: Arc<Config>,
}

/// The first run that missed an expectation.
type Missed = Option<Report>;

pub(super) fn run(flags: &Flags, args: &Args) -> anyhow::Result<Ending> {
    let (mut drills, mut refused) = (Vec::new(), Vec::new());
    for file in &args.files {
        match read(file, flags) {
            Ok(drill) => drills.push(drill),
            Err(told) => refused.push(told),
        }
    }
    if !refused.is_empty() {
        return Err(Misuse(refused.join("\n")).into());
    }
    let mut ending = Ending::Well;
    let mut cases = Vec::new();
    for drill in drills {
        let started = Instant::now();
        let (summary, missed) = play(&drill, flags, args);
        if missed.is_some() {
            ending = Ending::Unwell;
        }
        cases.push(case(&drill, &summary, missed.as_ref(), started.elapsed()));
    }
    if let Some(path) = &args.junit {
        let document = junit::suite("tripline drill", cases.into_iter());
        std::fs::write(path, document).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(ending)
}

fn read(file: &Path, flags: &Flags) -> Result<Drill, String> {
    let shown = file.display();
    let source = load::text(file, |fault| format!("the scenario {shown} cannot be read: {fault}"))?;
    // What is wrong with the configuration itself, in full.
    let details = RefCell::new(String::new());
    let beside = |named: &str| file.parent().map(|folder| folder.join(named)).unwrap_or_else(|| named.into());
    let configs = |wanted: Wanted<'_>| {
        let path = match wanted {
            Wanted::First(_) if flags.config_given => flags.config.clone(),
            Wanted::First(Some(named)) | Wanted::Next(named) => beside(named),
            Wanted::First(None) => return Err("`config` is missing".to_owned()),
        };
        load::load(&path).map(Arc::new).map_err(|told| {
            let told = told.to_string();
            match told.split_once('\n') {
                Some((_, rest)) => {
                    *details.borrow_mut() = format!("\n{rest}");
                    format!("the configuration {} is refused", path.display())
                }
                None => told.split(';').next().unwrap_or_default().to_owned(),
            }
        })
    };
    let read = scenario::read(&shown.to_string(), &source, &load::Here::of(file), &configs);
    match read {
        Ok((scenario, config)) => Ok(Drill { file: file.to_owned(), scenario, config }),
        Err(problems) => Err(format!("the scenario is refused\n{problems}{}", details.borrow())),
    }
}

/// Plays a scenario as often as asked, and says what came of it.
fn play(drill: &Drill, flags: &Flags, args: &Args) -> (Summary, Missed) {
    let Drill { file, scenario, config } = drill;
    let mut summary = Summary::default();
    let mut first_missed = None;
    let mut runs = Vec::new();
    for take in Take::all(config, scenario, args.seed, args.runs) {
        let take = Take { shift: take.shift.saturating_add(args.shift), ..take };
        let report = drill::run(config, scenario, take);
        summary.add(&report);
        if args.json {
            runs.push(json::run(&report, scenario, config));
        } else if args.runs == 1 {
            print!("{}", text::one(file, scenario, config, &report, flags.verbose > 0));
        }
        if !report.is_met() && first_missed.is_none() {
            first_missed = Some(report);
        }
    }
    if args.json {
        println!("{}", json::drill(file, scenario, &summary, runs));
    } else if args.runs > 1 {
        print!("{}", text::many(file, scenario, &summary, first_missed.as_ref()));
    }
    (summary, first_missed)
}

fn case(drill: &Drill, summary: &Summary, missed: Option<&Report>, time: Duration) -> Case {
    let failure = missed.map(|report| {
        let missed = report.verdicts.iter().filter(|verdict| !verdict.met);
        let told: Vec<String> = missed
            .map(|verdict| format!("{}: expected {}, found {}", verdict.about, verdict.expected, verdict.found))
            .collect();
        Failure {
            kind: "expectation".into(),
            message: told.join("; "),
            text: format!(
                "{} of {} runs met every expectation; this one has {}",
                summary.met,
                summary.runs,
                text::again(report)
            ),
        }
    });
    Case {
        class: drill.file.display().to_string(),
        name: drill.scenario.name.clone(),
        time,
        failure,
        said: Vec::new(),
    }
}
