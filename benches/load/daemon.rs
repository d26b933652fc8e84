//! The real daemon over many probes: started, watched after a first round, ended, and judged by what it stored.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tripline::model::id::stable_hash;
use tripline::model::{Judged, Outcome, Timestamp};
use tripline::store::Reader;

use crate::measure::{HOST, cpu};
use crate::server::stop;

/// What was seen of it.
pub(crate) struct Watched {
    /// Checks that looked and ended while it was watched, by the name of their definition.
    pub(crate) checks: BTreeMap<String, u64>,
    /// Seconds for which it was watched.
    pub(crate) seconds: u64,
    /// Microseconds of user and system time meanwhile.
    pub(crate) cpu: f64,
    /// MiB at the end.
    resident: f64,
    /// MiB at most.
    peak: f64,
    /// Milliseconds between when a check was due and when it began, sorted.
    lags: Vec<i64>,
    stored: u64,
    void: u64,
    failed: u64,
    lost: i64,
    /// How many had each reason to be void or class of failure.
    reasons: BTreeMap<&'static str, u64>,
    /// How busy the whole machine was meanwhile, of all its cores.
    pub(crate) busy: f64,
    /// Bytes of the database for each result.
    bytes: f64,
}

impl Watched {
    /// Checks while it was watched.
    pub(crate) fn made(&self) -> u64 {
        self.checks.values().sum()
    }

    fn lag(&self, share: f64) -> i64 {
        self.lags[((self.lags.len() - 1) as f64 * share) as usize]
    }
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.1} MiB resident ({:.1} at most)  start late p50 {} p99 {} max {} ms  {} stored, {} void, {} failed, {} lost  {:.0} bytes of file per result",
            self.resident,
            self.peak,
            self.lag(0.5),
            self.lag(0.99),
            self.lag(1.0),
            self.stored,
            self.void,
            self.failed,
            self.lost,
            self.bytes
        )?;
        self.reasons.iter().try_for_each(|(reason, many)| write!(f, "  {reason}: {many}"))
    }
}

/// How long the machine was idle, and how long altogether, in ticks of all its cores.
fn machine() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let ticks = stat.lines().next().unwrap().split_whitespace().skip(1).map(|part| part.parse().unwrap());
    // Fields of proc(5); what comes after the eighth is counted among them.
    let ticks: Vec<f64> = ticks.take(8).collect();
    (ticks[3] + ticks[4], ticks.iter().sum())
}

fn memory(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// A list of so many values of a label.
pub(crate) fn values(letter: char, many: u64) -> String {
    (0..many).map(|number| format!("{letter}{number}")).collect::<Vec<_>>().join(", ")
}

/// A configuration of so many probes of the page that nginx serves.
pub(crate) fn pages(probes: u64, interval_ms: u64, address: &str, ca: &str) -> String {
    format!(
        "name: Load\ndefaults: {{interval: {interval_ms}ms, timeout: {}ms}}\ncohorts: {{workspace: [{}]}}\n\
         components: {{website: {{name: Website}}}}\n\
         probes:\n  page:\n    component: website\n    for_each: [workspace]\n    resolve: {{address: \"{address}\"}}\n    \
         http: {{url: \"https://{HOST}/{{{{workspace}}}}/\", tls: {{ca_file: {ca}}}}}\n    \
         expect: ['status == 200', 'body.contains(\"Repositories\")']\n",
        interval_ms.min(5000),
        values('w', probes),
    )
}

/// Runs the daemon on this configuration, whose probes all have this interval.
pub(crate) fn watch(folder: &Path, name: &str, config: &str, interval_ms: u64, seconds: u64) -> Watched {
    let file = folder.join(format!("{name}.yaml"));
    std::fs::write(&file, config).unwrap();
    let database = folder.join(format!("{name}.db"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_tripline"))
        .args(["run", "--config"])
        .arg(&file)
        .arg("--db")
        .arg(&database)
        .env("TRIPLINE_LISTEN", "127.0.0.1:0")
        .stderr(std::fs::File::create(folder.join("daemon.log")).unwrap())
        .spawn()
        .unwrap();
    let pid = child.id();
    std::thread::sleep(Duration::from_millis(interval_ms + 1000));
    let (from, used_before, (idle, all)) = (tripline::clock::now(), cpu(pid), machine());
    std::thread::sleep(Duration::from_secs(seconds));
    let (until, used, (idle_after, all_after)) = (tripline::clock::now(), cpu(pid) - used_before, machine());
    let busy = 1.0 - (idle_after - idle) / (all_after - all);
    let (resident, peak) = (memory(pid, "VmRSS"), memory(pid, "VmHWM"));
    stop(&mut child);

    let mut seen = Watched {
        checks: BTreeMap::new(),
        seconds,
        cpu: used,
        resident,
        peak,
        lags: Vec::new(),
        stored: 0,
        void: 0,
        failed: 0,
        lost: 0,
        reasons: BTreeMap::new(),
        busy,
        bytes: 0.0,
    };
    let mut starts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let interval = i64::try_from(interval_ms).unwrap();
    Reader::open(&database)
        .unwrap()
        .results_since(Timestamp::from_millis(0), |Judged { result, .. }| {
            let id = result.probe.as_str();
            seen.stored += 1;
            let started = result.started.as_millis();
            starts.entry(id.to_owned()).or_default().push(started);
            match result.outcome {
                Outcome::Void(reason) => {
                    seen.void += 1;
                    *seen.reasons.entry(reason.as_str()).or_default() += 1;
                    return;
                }
                Outcome::Failure(class) => {
                    seen.failed += 1;
                    *seen.reasons.entry(class.as_str()).or_default() += 1;
                }
                Outcome::Success => {}
            }
            if result.finished() > from && result.finished() <= until {
                let definition = id.split('[').next().unwrap_or(id);
                *seen.checks.entry(definition.to_owned()).or_default() += 1;
            }
            let phase = i64::try_from(stable_hash(&[id]) % interval_ms).unwrap();
            seen.lags.push((started - phase).rem_euclid(interval));
        })
        .unwrap();
    seen.lags.sort_unstable();
    // A check that was due between two that were stored, and was not, is lost.
    seen.lost = starts
        .values()
        .flat_map(|starts| starts.windows(2))
        .map(|pair| (pair[1] - pair[0] + interval / 2) / interval - 1)
        .sum();
    seen.bytes = std::fs::metadata(&database).unwrap().len() as f64 / seen.stored as f64;
    seen
}
