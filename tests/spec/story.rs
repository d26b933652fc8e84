//! The outage of 2025-02-11 as a database: from 15:41 to 16:26 UTC globex gets 404 everywhere, everybody else is well.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tripline::config::load;
use tripline::engine::{Engine, Input, Output, Restoring};
use tripline::model::*;
use tripline::store::{Attempt, AttemptOutcome, Commit, Reader, Writer};

use crate::given::{Nothing, failure, seconds, success};

/// 2025-02-11T15:31:00Z, ten minutes before the outage.
pub(crate) const BEFORE: Timestamp = Timestamp::from_millis(1_739_287_860_000);

/// A configuration of its own: what is counted here shall not change with the example that everybody copies.
pub(crate) const CONFIG: &str = include_str!("../story.yaml");

/// Writes `probes.yaml` and `tripline.db` into the folder, as the daemon would have left them; `body` is what the 404s say.
pub(crate) async fn store(folder: &Path, body: &str) -> IncidentId {
    std::fs::write(folder.join("probes.yaml"), CONFIG).unwrap();
    let config = Arc::new(load("probes.yaml", CONFIG, &Nothing).unwrap());
    let mut engine = Restoring::new(Arc::clone(&config), vec![]).begin();
    let mut commit = Commit::default();
    let mut touched = BTreeMap::new();
    let take = |engine: &mut Engine, commit: &mut Commit, touched: &mut BTreeMap<IncidentId, Incident>| {
        while let Some(output) = engine.poll_output() {
            match output {
                Output::Event(event) => commit.events.push(event),
                Output::Incident(incident) => _ = touched.insert(incident.id, incident),
                Output::Owed(notification) => commit.notifications.push(notification),
                _ => {}
            }
        }
    };
    // An hour of rounds of 20 s, which is slower than the configuration says; the probes of a round are one second apart.
    for round in 0..180_u64 {
        for (place, probe) in config.probes.iter().enumerate() {
            let at = BEFORE + seconds(round * 20 + place as u64);
            let hit = probe.labels.values().any(|value| value.as_str() == "globex");
            let result = if hit && (600..3_300).contains(&(round * 20)) {
                let mut result = failure(probe.id.as_str(), at);
                result.evidence.as_mut().unwrap().body = body.into();
                result
            } else {
                success(probe.id.as_str(), at)
            };
            let now = result.finished();
            while let Some(due) = engine.poll_timeout().filter(|due| *due <= now) {
                engine.handle(Input::Timeout, due);
                take(&mut engine, &mut commit, &mut touched);
            }
            commit.results.push(Judged::at_once(result.clone()));
            engine.handle(Input::Result(result), now);
            take(&mut engine, &mut commit, &mut touched);
        }
    }
    commit.incidents = touched.into_values().collect();
    let writer = Writer::open(&folder.join("tripline.db")).unwrap();
    let id = commit.incidents[0].id;
    writer.commit(Arc::new(commit)).await.unwrap();
    let reader = Reader::open(&folder.join("tripline.db")).unwrap();
    for due in reader.due_deliveries(BEFORE + seconds(7_200), 10).unwrap() {
        let owed = due.owed;
        let again = owed + seconds(5);
        let outcomes = [AttemptOutcome::Retry("451 busy".into(), again), AttemptOutcome::Delivered("250 ok".into())];
        for (at, outcome) in [owed + seconds(1), again].into_iter().zip(outcomes) {
            writer.record_attempt(due.id, Attempt { at, outcome }).await.unwrap();
        }
    }
    writer.close().await.unwrap();
    id
}

/// Takes results away, as retention would.
pub(crate) fn forget(folder: &Path, before: Timestamp) {
    let database = rusqlite::Connection::open(folder.join("tripline.db")).unwrap();
    database.execute("DELETE FROM result WHERE started < ?1", [before.as_millis()]).unwrap();
}
