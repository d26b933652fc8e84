//! What a check costs: HTTPS checks with a new connection each, stored and judged by the real daemon, beside a bare
//! client that only makes the requests, against the same local server, in the same run. And Git checks against Git's
//! own servers.
//!
//! ```text
//! cargo bench --bench load -- --help     # what can be measured
//! ```
//!
//! The server is nginx where it is installed (Debian: nginx-light), so that its work does not count as ours; it runs
//! on the same machine and takes its share of the cores all the same. CPU is user and system time of one process over
//! the checks that it made while it was watched, without its start. Figures are printed, not asserted.

// A benchmark that cannot go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod daemon;
mod git;
mod measure;
mod path;
mod server;

#[allow(dead_code, reason = "the tests use more of them")]
#[path = "../../tests/spec/forge.rs"]
mod forge;
#[allow(dead_code, reason = "the tests use more of them")]
#[path = "../../tests/spec/network.rs"]
mod network;
#[allow(dead_code, reason = "the tests use more of them")]
#[path = "../../tests/spec/ssh_forge.rs"]
mod ssh_forge;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use measure::LOOPS;
use server::Server;

const USAGE: &str = "\
What a check costs, beside a bare client and against servers on this machine.

cargo bench --profile dist --bench load [-- WHAT...]

  --paced   1,000 HTTPS probes every 10 s, and the bare client at the same pace: 2 minutes
  --peak    HTTPS flat out in turns with the bare client, then 1,500 to 2,500 checks a second: 4 minutes
  --git     2,000 Git-over-HTTPS and 500 Git-over-SSH probes every 30 s, against git http-backend and sshd: 6 minutes
  --help    this text

Without any of them, --paced and --peak. `--profile dist` builds what is given away; without it, `release`.";

/// What to measure; `None`: the arguments say something else.
struct Wanted {
    paced: bool,
    peak: bool,
    git: bool,
}

impl Wanted {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut wanted = Self { paced: false, peak: false, git: false };
        for arg in args {
            match arg.as_str() {
                "--paced" => wanted.paced = true,
                "--peak" => wanted.peak = true,
                "--git" => wanted.git = true,
                // cargo adds it to what stands after `--`.
                "--bench" => {}
                other => return Err(format!("`{other}` is not known")),
            }
        }
        if !(wanted.paced || wanted.peak || wanted.git) {
            (wanted.paced, wanted.peak) = (true, true);
        }
        Ok(wanted)
    }
}

fn main() -> ExitCode {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "--path") {
        path::run(&args[1..]);
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let wanted = match Wanted::parse(&args) {
        Ok(wanted) => wanted,
        Err(fault) => {
            println!("{fault}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let folder = tempfile::tempdir().unwrap();
    if wanted.paced || wanted.peak {
        let bench = Bench { bare: bare(), server: Server::start(folder.path()), folder: folder.path() };
        println!("The bare client and Tripline have the platform's allocator.");
        if wanted.paced {
            bench.paced();
        }
        if wanted.peak {
            bench.peak();
        }
    }
    if wanted.git {
        git::run(folder.path());
    }
    ExitCode::SUCCESS
}

/// Builds the bare client by the profile that this program was built by, but for speed throughout, as anyone would, and
/// says where it is.
fn bare() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let built = this.parent().and_then(Path::parent).unwrap();
    let name = built.file_name().unwrap().to_str().unwrap();
    let profile = if name == "debug" { "dev" } else { name };
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--example", "load_bare", "--profile", profile, "--target-dir"]);
        if profile != "dev" {
            build.env(format!("CARGO_PROFILE_{}_OPT_LEVEL", profile.to_uppercase().replace('-', "_")), "3");
        }
        let status = build.arg(built.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(status.success(), "the bare client does not build");
    }
    built.join("examples").join("load_bare")
}

struct Bench<'a> {
    bare: PathBuf,
    server: Server,
    folder: &'a Path,
}

struct Figures {
    /// Checks a second.
    rate: f64,
    /// Microseconds of user and system time for each check.
    cpu: f64,
    more: String,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:7.1} checks/s  {:6.0} us CPU per check{}", self.rate, self.cpu, self.more)
    }
}

/// How often the bare client and Tripline take turns when flat out.
const TURNS: usize = 7;

impl Bench<'_> {
    fn paced(&self) {
        println!("paced: 1,000 probes every 10 s, 100 checks a second, for 60 s");
        let bare = self.bare(100, 30);
        println!("  bare client   {bare}");
        let ours = self.daemon(1000, 10_000, 60);
        println!("  tripline      {ours}");
        println!("  ratio         {:.2} times the bare client's CPU per check", ours.cpu / bare.cpu);
    }

    fn peak(&self) {
        println!(
            "flat out, {LOOPS} at a time, in turns, because the machine's own speed varies from one second to the next:"
        );
        let mut pairs = Vec::new();
        for _ in 0..TURNS {
            let (bare, ours) = (self.bare(0, 4), self.path(4));
            println!("  bare client   {bare}");
            println!("  tripline      {ours}, each stored and judged: {:.2} times that", ours.cpu / bare.cpu);
            pairs.push((bare, ours));
        }
        pairs.sort_by(|(bare, ours), (other_bare, other)| {
            (ours.cpu / bare.cpu).total_cmp(&(other.cpu / other_bare.cpu))
        });
        let (bare, ours) = pairs.swap_remove(TURNS / 2);
        println!(
            "  ratio         {:.2} times the bare client's CPU per check in the median of the turns",
            ours.cpu / bare.cpu
        );
        for rate in [1500, 2000, 2500] {
            let paced = self.bare(rate, 15);
            let ours = self.daemon(rate * 5, 5000, 20);
            println!("  asked for {rate} a second");
            println!("  bare client   {paced}");
            println!("  tripline      {ours}");
            println!(
                "  ratio         {:.2} times the bare client's CPU per check at this pace, {:.2} times that flat out",
                ours.cpu / paced.cpu,
                ours.cpu / bare.cpu
            );
        }
    }

    /// Runs the bare client. A pace of 0 means flat out.
    fn bare(&self, pace: u64, seconds: u64) -> Figures {
        self.run(&mut Command::new(&self.bare), pace, seconds)
    }

    /// Runs Tripline's path, flat out, in a process of its own.
    fn path(&self, seconds: u64) -> Figures {
        self.run(Command::new(std::env::current_exe().unwrap()).arg("--path"), 0, seconds)
    }

    fn run(&self, command: &mut Command, pace: u64, seconds: u64) -> Figures {
        let out = self.folder.join("figures.txt");
        command.arg(self.server.address.to_string()).arg(&self.server.ca);
        let status = command.args([pace.to_string(), seconds.to_string()]).arg(&out).status().unwrap();
        assert!(status.success());
        let text = std::fs::read_to_string(out).unwrap();
        let parts: Vec<f64> = text.split_whitespace().map(|part| part.parse().unwrap()).collect();
        Figures { rate: parts[0], cpu: parts[1], more: String::new() }
    }

    /// Runs the daemon over so many probes.
    fn daemon(&self, probes: u64, interval_ms: u64, seconds: u64) -> Figures {
        let address = self.server.address.to_string();
        let config = daemon::pages(probes, interval_ms, &address, &self.server.ca.display().to_string());
        let seen = daemon::watch(self.folder, &format!("load-{probes}"), &config, interval_ms, seconds);
        let made = seen.made() as f64;
        Figures { rate: made / seen.seconds as f64, cpu: seen.cpu / made, more: format!("  {seen}") }
    }
}
