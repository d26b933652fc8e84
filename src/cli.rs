//! The command line: one file per command.

mod backtest;
mod demo;
mod drill;
mod evidence;
mod incident;
mod junit;
mod load;
mod log;
mod once;
mod ports;
mod postmortem;
mod run;
mod schema;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

/// Watches a service the way its customers use it, and tells the people on call which customers are hit.
#[derive(Parser)]
#[command(name = "tripline", version, max_term_width = 100)]
struct Args {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(clap::Args)]
struct Flags {
    /// The configuration
    #[arg(long, short, global = true, default_value = "probes.yaml", env = "TRIPLINE_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// Whether it was named in the arguments, not by the environment or by default.
    #[arg(skip)]
    config_given: bool,
    /// The database; `run` makes it if there is none
    #[arg(long, global = true, default_value = "tripline.db", env = "TRIPLINE_DB", value_name = "FILE")]
    db: PathBuf,
    /// How log lines on standard error look
    #[arg(long, global = true, default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,
    /// Say more; twice: say everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon until SIGTERM or SIGINT; SIGHUP reads the configuration again
    Run(run::Args),
    /// Check the configuration: all its problems, or what would be done
    Validate(validate::Args),
    /// Make every check once and show what came of it; exit code 1 if one failed
    Once(once::Args),
    /// Rehearse failures in virtual time, by the configuration: what would be noticed, when, and who would be told;
    /// exit code 1 if an expectation is missed
    Drill(drill::Args),
    /// Look at incidents and act on them
    #[command(subcommand)]
    Incident(incident::Command),
    /// Write a draft of the review of an incident, in Markdown
    Postmortem(postmortem::Args),
    /// See what the rules of a configuration would have made of the stored results
    Backtest(backtest::Args),
    /// Print the JSON Schema of probes.yaml, for editors
    Schema,
    /// Rehearse the outage of 2025-02-11: a small forge breaks for one customer, and you see the mail
    Demo(demo::Args),
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// All is well.
    Well,
    /// The thing asked about is not well.
    Unwell,
}

/// The arguments are wrong, or the configuration or what else they name: the whole text for a person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misuse(String);

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Well => Self::SUCCESS,
            Ending::Unwell => Self::from(1),
        }
    }
}

/// Runs the command that the arguments name. Exit codes: 0 well, 1 the thing asked about is not well, 2 wrong usage or
/// configuration, 3 our own failure.
#[must_use]
pub fn main() -> ExitCode {
    quit_when_nobody_reads();
    // Clap ends the process with 2 by itself when the arguments are wrong.
    let matches = Args::command().get_matches();
    let Args { mut flags, command } = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    flags.config_given = matches.value_source("config") == Some(ValueSource::CommandLine);
    let secrets = log::start(flags.log_format, flags.verbose, matches!(command, Command::Run(_)));
    // Every TLS connection, of probes, mail and the demo, uses this provider; a second one cannot be installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let ended = match command {
        Command::Validate(args) => validate::run(&flags, &args),
        Command::Run(args) => run::run(&flags, &args, &secrets),
        Command::Once(args) => once::run(&flags, &args, &secrets),
        Command::Drill(args) => drill::run(&flags, &args),
        Command::Incident(command) => incident::run(&flags, command),
        Command::Postmortem(args) => postmortem::run(&flags, &args),
        Command::Backtest(args) => backtest::run(&flags, &args),
        Command::Schema => schema::run(),
        Command::Demo(args) => demo::run(&args),
    };
    match ended {
        Ok(ending) => ending.into(),
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(if error.is::<Misuse>() { 2 } else { 3 })
        }
    }
}

/// Standard output that is closed or full ends the command with 3, instead of the panic that `println!` makes of it.
fn quit_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let said = info.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to stdout") {
            complain("standard output is closed or cannot be written");
            std::process::exit(3);
        }
        usual(info);
    }));
}

/// Says on standard error what is wrong.
#[expect(clippy::print_stderr, reason = "the one place that speaks to people on standard error")]
fn complain(text: &str) {
    eprintln!("tripline: {text}");
}

/// So many threads at least: a server that sends heads of answers without end keeps the one that reads them busy, and the
/// system then shares even a single core between it and the others. More threads than cores would cost each check more.
const FEWEST_THREADS: usize = 2;

/// A runtime for the commands that need one.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    use anyhow::Context;
    let threads =
        std::thread::available_parallelism().map_or(FEWEST_THREADS, |cores| cores.get().max(FEWEST_THREADS));
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(threads).enable_all().build().context("the runtime could not be started")
}
