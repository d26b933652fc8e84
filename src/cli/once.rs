//! `tripline once`: every check once, for a look and for CI.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::ValueEnum;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::config::{Config, nearest};
use crate::daemon::{self, Ports, turn};
use crate::inbox::Inbox;
use crate::model::unit::show_duration;
use crate::model::{CheckResult, Outcome, Probe, Role};
use crate::probe::{MOST_ADDRESSES, Prober};

use super::evidence::details;
use super::junit::{self, Case, Failure};
use super::log::HiddenSecrets;
use super::{Ending, Flags, Misuse, complain, load, ports};

#[derive(clap::Args)]
pub(super) struct Args {
    /// How the results are written
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
    /// Only the probes of this definition, or the one of this id; may be given several times
    #[arg(long, value_name = "NAME")]
    probe: Vec<String>,
    /// Where hooks call us while the checks are made; flows that wait for calls are left out unless given
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where mail is taken, by SMTP without TLS; flows that wait for mail are left out unless given
    #[arg(long, value_name = "ADDRESS")]
    listen_mail: Option<SocketAddr>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line for each try, then the counts
    Table,
    /// A JSON object for each try, one a line; those that were retried have `superseded`
    Json,
    /// JUnit XML, as CI servers read it
    Junit,
}

/// Why what has to be reached is left out.
const WAITS_FOR_CALL: &str = "it waits for a call, and nothing takes one without --listen ADDRESS";
const WAITS_FOR_MAIL: &str = "it waits for a mail, and nothing takes one without --listen-mail ADDRESS";

/// So many checks are made at once.
const AT_ONCE: usize = 64;

pub(super) fn run(flags: &Flags, args: &Args, secrets: &HiddenSecrets) -> anyhow::Result<Ending> {
    let mut config = load::load(&flags.config)?;
    secrets.hide(&config.secrets);
    for warning in &config.warnings {
        complain(&format!("WARNING: {warning}"));
    }
    // It is the service that is asked; canaries say nothing about it.
    config.probes.retain(|probe| probe.role == Role::Service);
    let is = |probe: &Probe, name: &String| probe.name.as_str() == name || probe.id.as_str() == name;
    if let Some(unknown) = args.probe.iter().find(|name| config.probes.iter().all(|probe| !is(probe, name))) {
        let names: BTreeSet<&str> = config.probes.iter().map(|probe| probe.name.as_str()).collect();
        let (remedy, shown) = (nearest(unknown, names, "it has"), flags.config.display());
        return Err(Misuse(format!("there is no probe `{unknown}` in {shown}; {remedy}")).into());
    }
    if !args.probe.is_empty() {
        config.probes.retain(|probe| args.probe.iter().any(|name| is(probe, name)));
    }
    let mut left_out = BTreeSet::new();
    config.probes.retain(|probe| {
        let unmet = match &probe.kind {
            kind if kind.comes_by_itself() => Some("its job calls when it does, and only `tripline run` takes that"),
            kind if kind.hook().is_some() && args.listen.is_none() => Some(WAITS_FOR_CALL),
            kind if kind.waits_for_mail() && args.listen_mail.is_none() => Some(WAITS_FOR_MAIL),
            _ => None,
        };
        left_out.extend(unmet.map(|unmet| (probe.name.clone(), unmet)));
        unmet.is_none()
    });
    let nothing_left = config.probes.is_empty() && !left_out.is_empty();
    for (name, why) in left_out {
        complain(&format!("{name} is left out: {why}"));
    }
    if nothing_left {
        return Err(Misuse("no check is left to be made".into()).into());
    }
    let prober = load::prober(&flags.config, &config)?;
    let runtime = super::runtime()?;
    let results = runtime.block_on(async {
        let ports = ports::open(args.listen, args.listen_mail).await?;
        check_all(&config, prober, ports).await
    });
    // The checks have ended; what they left to other threads (a name that is still being resolved) is of no use.
    runtime.shutdown_background();
    let results = results?;
    let pairs =
        || config.probes.iter().zip(&results).flat_map(|(probe, all)| all.iter().map(move |one| (probe, one)));
    let all = || {
        pairs().flat_map(|(probe, checked)| {
            checked.earlier.iter().chain([&checked.last]).map(move |result| (probe, result))
        })
    };
    let widest = all().map(|(probe, result)| shown(probe, result).chars().count()).max().unwrap_or_default();
    print!(
        "{}",
        match args.format {
            Format::Table =>
                all().map(|(probe, result)| table(probe, result, widest, flags.verbose > 0)).collect::<String>()
                    + &counts(pairs().map(|(_, checked)| checked)),
            Format::Json => all().map(|(probe, result)| json(probe, result)).collect(),
            Format::Junit => junit(&config.name, pairs()),
        }
    );
    let well = pairs().all(|(_, checked)| checked.last.outcome == Outcome::Success);
    Ok(if well { Ending::Well } else { Ending::Unwell })
}

/// A check and its tries.
struct Checked {
    /// Those that were retried.
    earlier: Vec<CheckResult>,
    /// The one that counts.
    last: CheckResult,
}

/// The results, in the order of the probes; several of a probe that asks each address.
async fn check_all(config: &Config, prober: Prober, ports: Ports) -> anyhow::Result<Vec<Vec<Checked>>> {
    let inbox = Inbox::default();
    inbox.open(config.probes.iter().filter_map(|probe| probe.kind.hook()).map(|hook| &hook.token));
    let _mail = match ports.mail {
        Some(listener) => Some(daemon::listen_for_mail(listener, &inbox)?),
        None => None,
    };
    let shut = CancellationToken::new();
    let _shut = shut.clone().drop_guard();
    if let Some(port) = ports.web {
        tokio::spawn(port.serve(inbox.clone(), shut));
    }
    let prober = Arc::new(prober.with_inbox(inbox));
    let checks = config.probes.indexed().map(|(index, probe)| {
        let prober = Arc::clone(&prober);
        async move {
            // There is room for all tries that a probe may have.
            let (superseded, mut earlier) = mpsc::channel(probe.retry.times.max(1) as usize * MOST_ADDRESSES);
            let never = CancellationToken::new();
            let now = clock::now();
            let last = turn::check(&prober, (index, probe), now, || None, clock::now, &superseded, &never).await;
            let mut earlier: Vec<CheckResult> = std::iter::from_fn(|| earlier.try_recv().ok()).collect();
            let each = probe.resolve.each_address;
            let checked = last.into_iter().map(|last| {
                let (own, others) =
                    std::mem::take(&mut earlier).into_iter().partition(|try_| !each || try_.address == last.address);
                earlier = others;
                Checked { earlier: own, last }
            });
            checked.collect()
        }
    });
    Ok(futures_util::stream::iter(checks).buffered(AT_ONCE).collect().await)
}

/// The probe's id, with the address where there are several.
fn shown(probe: &Probe, result: &CheckResult) -> String {
    match result.address {
        Some(address) if probe.resolve.each_address => format!("{} at {address}", probe.id),
        _ => probe.id.to_string(),
    }
}

fn table(probe: &Probe, result: &CheckResult, widest: usize, verbose: bool) -> String {
    let status = result.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let mut text = format!(
        "{:<5} {:<widest$}  {:<14} {status:>4} {:>8}\n",
        match result.outcome {
            _ if result.superseded => "AGAIN",
            Outcome::Success => "ok",
            _ => "FAIL",
        },
        shown(probe, result),
        result.outcome.as_str(),
        show_duration(result.phases.total),
    );
    if let Some(evidence) = &result.evidence {
        text.push_str(&format!("      {}\n      {}\n", evidence.request, evidence.fault));
        if verbose {
            text.push_str(&details(evidence, "      "));
        }
    }
    text
}

fn counts<'a>(results: impl Iterator<Item = &'a Checked> + Clone) -> String {
    let good = results.clone().filter(|checked| checked.last.outcome == Outcome::Success).count();
    let again: usize = results.clone().map(|checked| checked.earlier.len()).sum();
    let again = if again > 0 { format!(" Retried: {again}.") } else { String::new() };
    format!("\n{good} of {} checks succeeded.{again}\n", results.count())
}

fn json(probe: &Probe, result: &CheckResult) -> String {
    let milliseconds: serde_json::Map<String, serde_json::Value> = result
        .phases
        .iter()
        .map(|(phase, time)| (phase.as_str().to_owned(), time.map(|time| time.as_secs_f64() * 1000.0).into()))
        .collect();
    let labels: serde_json::Map<String, serde_json::Value> =
        probe.labels.iter().map(|(name, value)| (name.to_string(), value.as_str().into())).collect();
    let line = serde_json::json!({
        "probe": probe.id.as_str(),
        "component": probe.component.as_str(),
        "labels": labels,
        "started": result.started.to_string(),
        "outcome": result.outcome.as_str(),
        "status": result.status,
        "address": result.address.map(|address| address.to_string()),
        "superseded": result.superseded,
        "milliseconds": milliseconds,
        "request": result.evidence.as_ref().map(|evidence| &evidence.request),
        "fault": result.evidence.as_ref().map(|evidence| &evidence.fault),
        "body": result.evidence.as_ref().map(|evidence| &evidence.body),
    });
    format!("{line}\n")
}

fn junit<'a>(name: &str, pairs: impl Iterator<Item = (&'a Probe, &'a Checked)>) -> String {
    let fault = |result: &CheckResult| result.evidence.as_ref().map(|evidence| evidence.fault.clone());
    let cases = pairs.map(|(probe, Checked { earlier, last: result })| Case {
        class: probe.component.to_string(),
        name: shown(probe, result),
        time: result.phases.total,
        failure: (result.outcome != Outcome::Success).then(|| Failure {
            kind: result.outcome.as_str().to_owned(),
            message: fault(result).unwrap_or_else(|| "nobody looked".into()),
            text: result.evidence.as_ref().map(|evidence| evidence.request.clone()).unwrap_or_default(),
        }),
        said: earlier.iter().map(|result| format!("retried: {}", fault(result).unwrap_or_default())).collect(),
    });
    junit::suite(name, cases)
}
