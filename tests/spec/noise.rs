//! Noise: what chance alone may raise.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tripline::config::{Config, load};
use tripline::drill::scenario::{self, Wanted};
use tripline::drill::{self, Take};

use crate::given::{Nothing, side_by_side};

/// 33 million checks. Seeds 1 to 10 were there before the budget in probes.yaml was chosen.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes unless it is compiled with --release")]
fn ten_months_of_one_failure_in_a_thousand_wake_nobody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = |_: Wanted<'_>| -> Result<Arc<Config>, String> {
        let text = std::fs::read_to_string(root.join("probes.yaml")).unwrap();
        load("probes.yaml", &text, &Nothing).map(Arc::new).map_err(|faults| faults.to_string())
    };
    let text = std::fs::read_to_string(root.join("tests/drills/noise-30-days.yaml")).unwrap();
    let (scenario, config) = scenario::read("noise-30-days.yaml", &text, &Nothing, &config).unwrap();
    let seeds: Vec<u64> = (1..=10).collect();
    side_by_side(&seeds, |&seed| {
        let report = drill::run(&config, &scenario, Take { seed, shift: Duration::ZERO });
        assert!(report.counts.failed > 3_000, "seed {seed}: {:?}", report.counts);
        assert!(report.is_met(), "seed {seed}: {:?}", report.verdicts);
    });
}
