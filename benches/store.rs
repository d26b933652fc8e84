//! What a result costs in the store: bytes on disk with the indexes that queries need, and time at full durability.
//!
//! `cargo bench --bench store`, or with another number of results: `cargo bench --bench store -- 100000`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tripline::model::{Asked, CheckResult, FailureClass, Judged, Location, Outcome, Phases, ProbeId, Timestamp};
use tripline::store::{Commit, Reader, Writer};

const PROBES: usize = 1_000;
const BATCH: usize = 1_000;
const START: Timestamp = Timestamp::from_millis(1_739_288_467_000);
const PERIOD: Duration = Duration::from_secs(10);

/// A result as an HTTPS check has it, every phase different; one in a hundred is a failure.
fn result(probes: &[ProbeId], location: &Location, number: usize) -> CheckResult {
    // A multiplicative hash: spread, and the same in every run.
    let spread = |salt: u64, least: u64, most: u64| {
        let hash = (number as u64 ^ salt << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        Duration::from_micros(least + hash % (most - least))
    };
    let (dns, connect, tls) = (spread(1, 300, 30_000), spread(2, 500, 20_000), spread(3, 2_000, 60_000));
    let (first_byte, transfer) = (spread(4, 5_000, 400_000), spread(5, 20, 20_000));
    let failed = number % 100 == 7;
    CheckResult {
        probe: probes[number % probes.len()].clone(),
        location: location.clone(),
        started: START + PERIOD / PROBES as u32 * number as u32,
        outcome: if failed { Outcome::Failure(FailureClass::NotFound) } else { Outcome::Success },
        status: Some(if failed { 404 } else { 200 }),
        phases: Phases {
            dns: Some(dns),
            connect: Some(connect),
            tls: Some(tls),
            first_byte: Some(first_byte),
            transfer: Some(transfer),
            total: dns + connect + tls + first_byte + transfer,
        },
        address: Some(IpAddr::from([192, 0, 2, (number % 8) as u8])),
        expires: Some(START + Duration::from_secs(60 * 86_400)),
        superseded: false,
        asked: Asked::Turn,
        evidence: None,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let count: usize = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    // In the working directory: a temporary directory is often no disk.
    let directory = tempfile::tempdir_in(".")?;
    let path = directory.path().join("tripline.db");
    let probes: Vec<ProbeId> = (0..PROBES).map(|n| format!("dashboard[workspace=customer-{n}]").into()).collect();
    let location = Location::local();

    let writer = Writer::open(&path)?;
    let (mut stored, mut slowest) = (Duration::ZERO, Duration::ZERO);
    for first in (0..count).step_by(BATCH) {
        let results =
            (first..count.min(first + BATCH)).map(|n| Judged::at_once(result(&probes, &location, n))).collect();
        let commit = Arc::new(Commit { results, ..Commit::default() });
        let began = Instant::now();
        writer.commit(commit).await?;
        stored += began.elapsed();
        slowest = slowest.max(began.elapsed());
    }
    let per_second = count as f64 / stored.as_secs_f64();
    println!("stored {count} results of {PROBES} probes in batches of {BATCH}, durable: {per_second:.0} per second");
    println!("slowest batch: {:.1} ms", slowest.as_secs_f64() * 1_000.0);

    let began = Instant::now();
    let mut replayed = 0;
    Reader::open(&path)?.results_since(START, |_| replayed += 1)?;
    assert_eq!(replayed, count);
    println!("replayed all: {:.0} per second", replayed as f64 / began.elapsed().as_secs_f64());
    writer.close().await?;

    let connection = Connection::open(&path)?;
    let mut sizes = connection
        .prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name HAVING sum(pgsize) > 65536 ORDER BY 2 DESC")?;
    let mut rows = sizes.query([])?;
    while let Some(row) = rows.next()? {
        let (name, bytes): (String, i64) = (row.get(0)?, row.get(1)?);
        println!("  {name}: {:.2} bytes per result", bytes as f64 / count as f64);
    }
    let bytes = std::fs::metadata(&path)?.len();
    println!("whole file: {:.2} bytes per result", bytes as f64 / count as f64);
    Ok(())
}
