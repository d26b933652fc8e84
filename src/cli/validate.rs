//! `tripline validate`: all problems of the configuration, or what would be done and how soon an outage is noticed.

mod noise;
mod plan;

use std::time::Duration;

use crate::clock;
use crate::config::Config;
use crate::detect::time_to_detect::{self, TimeToDetect};
use crate::model::Rule;
use crate::model::unit::{parse_duration, show_duration};

use super::{Ending, Flags, load};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The longest time to detect that you allow: exit code 1 if a rule about failing checks may take longer for a slice
    /// that fails as a whole (rules with `latency`, `burn_rate`, `expires_within` and `missing` are not asked)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    budget: Option<Duration>,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|why| format!("{}; {}", why.fault, why.remedy))
}

pub(super) fn run(flags: &Flags, args: &Args) -> anyhow::Result<Ending> {
    let config = load::load(&flags.config)?;
    load::prober(&flags.config, &config)?;
    let noise = noise::of(&flags.db, clock::now());
    let times: Vec<(&Rule, Vec<TimeToDetect>)> = config
        .rules
        .iter()
        .map(|rule| (rule, time_to_detect::time_to_detect(rule, &config.probes, &config.cohorts, noise.share)))
        .collect();
    println!("{} is OK.\n", flags.config.display());
    print!("{}", plan::plan(&config, &times, &noise, clock::now()));
    let Some(budget) = args.budget else { return Ok(Ending::Well) };
    let over = over(&config, &times, budget);
    if over.is_empty() {
        println!(
            "\nEvery rule about failing checks notices the outage of a whole slice within {}.",
            show_duration(budget)
        );
        return Ok(Ending::Well);
    }
    println!("\nOVER THE BUDGET of {}:", show_duration(budget));
    for line in over {
        println!("  {line}");
    }
    Ok(Ending::Unwell)
}

/// Which rules may take longer than the budget, and for which slices.
fn over(config: &Config, times: &[(&Rule, Vec<TimeToDetect>)], budget: Duration) -> Vec<String> {
    let mut over = Vec::new();
    let prompt = times.iter().filter(|(rule, _)| time_to_detect::is_prompt(rule));
    for (rule, time) in prompt.flat_map(|(rule, times)| times.iter().map(move |time| (rule, time))) {
        match &time.worst {
            Ok(worst) if *worst <= budget => {}
            Ok(worst) => over.push(format!("{} for {}: {}", rule.id, plan::named(time), show_duration(*worst))),
            Err(why) => over.push(format!("{} for {}: no bound: {why}", rule.id, plan::named(time))),
        }
    }
    if !config.rules.iter().any(time_to_detect::is_prompt) {
        over.push("there is no rule about failing checks".into());
    }
    over
}
