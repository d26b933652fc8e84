//! The daemon's whole path from the start of a check to its durable row (probe, pump, engine, store) without its
//! schedule, so that it runs as the bare client does: so many checks under way, the next as soon as one has ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tripline::daemon::pump::Pump;
use tripline::model::{Outcome, Timestamp};
use tripline::store::Reader;

use crate::daemon;
use crate::measure::{LOOPS, cpu};

struct Files;

impl tripline::config::Outside for Files {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }
}

/// `ADDRESS CA PACE SECONDS OUT`, as the bare client; it knows no pace.
pub(crate) fn run(args: &[String]) {
    let [address, ca, _, seconds, out] = args else { panic!("usage: --path ADDRESS CA PACE SECONDS OUT") };
    let text = daemon::pages(LOOPS as u64, 20_000, address, ca);
    let config = Arc::new(tripline::config::load("load", &text, &Files).unwrap());
    let roots = tripline::probe::Roots::load();
    let prober =
        tripline::probe::Prober::new(&config.probes, config.location.clone(), config.secrets.clone(), &roots);
    let prober = Arc::new(prober.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("path.db");
    let seconds: u64 = seconds.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (used, took) = runtime.block_on(async {
        let writer = tripline::store::Writer::open(&database).unwrap();
        let engine = tripline::engine::Restoring::new(Arc::clone(&config), Vec::new()).begin();
        let rebuild = |_| async { panic!("nobody reloads") };
        let pump = Pump::new(engine, writer.clone(), Arc::default(), rebuild);
        let (results, results_in) = tokio::sync::mpsc::channel(4096);
        let (_controls, controls_in) = tokio::sync::mpsc::channel(1);
        let pump = tokio::spawn(pump.run(results_in, controls_in));
        for index in prober.probes().take(1) {
            assert_eq!(prober.check(index, tripline::clock::now()).await.outcome, Outcome::Success);
        }
        let (began, used) = (Instant::now(), cpu(std::process::id()));
        let until = began + Duration::from_secs(seconds);
        for index in prober.probes() {
            let (prober, results) = (Arc::clone(&prober), results.clone());
            tokio::spawn(async move {
                while Instant::now() < until {
                    let result = prober.check(index, tripline::clock::now()).await;
                    results.send(result).await.unwrap();
                }
            });
        }
        drop(results);
        pump.await.unwrap().unwrap();
        writer.close().await.unwrap();
        (cpu(std::process::id()) - used, began.elapsed())
    });
    let mut stored = 0_u64;
    let reader = Reader::open(&database).unwrap();
    reader
        .results_since(Timestamp::from_millis(0), |judged| {
            stored += u64::from(judged.result.outcome == Outcome::Success)
        })
        .unwrap();
    std::fs::write(out, format!("{} {}", stored as f64 / took.as_secs_f64(), used / stored as f64)).unwrap();
}
