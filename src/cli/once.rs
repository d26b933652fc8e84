//! `tripline once`: every check once, for a look and for CI.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::ValueEnum;
use futures_util::StreamExt;

use crate::clock;
use crate::config::Config;
use crate::model::unit::show_duration;
use crate::model::{CheckResult, Outcome, Probe};
use crate::probe::{Prober, Roots};

use super::junit::{self, Case, Failure};
use super::log::HiddenSecrets;
use super::{Ending, Flags, complain, load};

#[derive(clap::Args)]
pub(super) struct Args {
    /// How the results are written
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
    /// Only the probes of this definition; may be given several times
    #[arg(long, value_name = "NAME")]
    probe: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line for each check, then the counts
    Table,
    /// A JSON object for each check, one a line
    Json,
    /// JUnit XML, as CI servers read it
    Junit,
}

/// So many checks are made at once.
const AT_ONCE: usize = 64;

pub(super) fn run(flags: &Flags, args: &Args, secrets: &HiddenSecrets) -> anyhow::Result<Ending> {
    let mut config = match load::load(&flags.config) {
        Ok(config) => config,
        Err(problems) => {
            complain(&problems.to_string());
            return Ok(Ending::Usage);
        }
    };
    secrets.hide(&config.secrets);
    for warning in &config.warnings {
        complain(&format!("WARNING: {warning}"));
    }
    if let Some(unknown) =
        args.probe.iter().find(|name| config.probes.iter().all(|probe| probe.name.as_str() != **name))
    {
        let names: BTreeSet<&str> = config.probes.iter().map(|probe| probe.name.as_str()).collect();
        let names = Vec::from_iter(names).join(", ");
        complain(&format!("there is no probe `{unknown}` in {}; it has {names}", flags.config.display()));
        return Ok(Ending::Usage);
    }
    if !args.probe.is_empty() {
        config.probes.retain(|probe| args.probe.iter().any(|name| probe.name.as_str() == name));
    }
    let results = super::runtime()?.block_on(check_all(&config))?;
    let pairs = || config.probes.iter().zip(&results);
    print!(
        "{}",
        match args.format {
            Format::Table =>
                pairs().map(|(probe, result)| table(probe, result)).collect::<String>() + &counts(&results),
            Format::Json => pairs().map(|(probe, result)| json(probe, result)).collect(),
            Format::Junit => junit(&config.name, pairs()),
        }
    );
    let well = results.iter().all(|result| result.outcome == Outcome::Success);
    Ok(if well { Ending::Well } else { Ending::Unwell })
}

/// The results, in the order of the probes.
async fn check_all(config: &Config) -> anyhow::Result<Vec<CheckResult>> {
    let prober =
        Arc::new(Prober::new(&config.probes, config.location.clone(), config.secrets.clone(), &Roots::load())?);
    let checks = (0..config.probes.len()).map(|probe| {
        let prober = Arc::clone(&prober);
        async move { prober.check(probe, clock::now()).await }
    });
    Ok(futures_util::stream::iter(checks).buffered(AT_ONCE).collect().await)
}

fn table(probe: &Probe, result: &CheckResult) -> String {
    let status = result.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let mut text = format!(
        "{:<4}  {:<44} {:<14} {status:>4} {:>8}\n",
        if result.outcome == Outcome::Success { "ok" } else { "FAIL" },
        probe.id,
        result.outcome.as_str(),
        show_duration(result.phases.total),
    );
    if let Some(evidence) = &result.evidence {
        text.push_str(&format!("      {}\n      {}\n", evidence.request, evidence.fault));
    }
    text
}

fn counts(results: &[CheckResult]) -> String {
    let good = results.iter().filter(|result| result.outcome == Outcome::Success).count();
    format!("\n{good} of {} checks succeeded.\n", results.len())
}

fn json(probe: &Probe, result: &CheckResult) -> String {
    let phase = |phase: Option<std::time::Duration>| phase.map(|phase| phase.as_secs_f64() * 1000.0);
    let phases = &result.phases;
    let labels: serde_json::Map<String, serde_json::Value> =
        probe.labels.iter().map(|(name, value)| (name.to_string(), value.as_str().into())).collect();
    let line = serde_json::json!({
        "probe": probe.id.as_str(),
        "component": probe.component.as_str(),
        "labels": labels,
        "started": result.started.to_string(),
        "outcome": result.outcome.as_str(),
        "status": result.status,
        "milliseconds": {
            "dns": phase(phases.dns),
            "connect": phase(phases.connect),
            "tls": phase(phases.tls),
            "first_byte": phase(phases.first_byte),
            "transfer": phase(phases.transfer),
            "total": phase(Some(phases.total)),
        },
        "request": result.evidence.as_ref().map(|evidence| &evidence.request),
        "fault": result.evidence.as_ref().map(|evidence| &evidence.fault),
    });
    format!("{line}\n")
}

fn junit<'a>(name: &str, pairs: impl Iterator<Item = (&'a Probe, &'a CheckResult)>) -> String {
    junit::suite(
        name,
        pairs.map(|(probe, result)| Case {
            class: probe.component.to_string(),
            name: probe.id.to_string(),
            time: result.phases.total,
            failure: (result.outcome != Outcome::Success).then(|| {
                let evidence = result.evidence.as_ref();
                Failure {
                    kind: result.outcome.as_str().to_owned(),
                    message: evidence.map_or("nobody looked", |evidence| &evidence.fault).to_owned(),
                    text: evidence.map_or("", |evidence| &evidence.request).to_owned(),
                }
            }),
        }),
    )
}
