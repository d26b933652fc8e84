//! `kill -9` at any moment loses nothing that was stored, opens nothing twice and owes nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tripline::demo::forge::Forge;
use tripline::demo::sink::{Sink, SunkMail};
use tripline::model::{Dice, IncidentChange, IncidentEvent, Timestamp};
use tripline::store::{DeliveryState, Reader};

/// So many daemons, each with a database of its own, are killed side by side. Each is killed so many times, and more
/// until it has stored so many results and noticed an outage: on a machine that is busy a short life stores little.
const SERIES: u64 = 4;
const KILLS: u32 = 15;
const RESULTS: usize = 130;

fn config(folder: &Path, forge: &Forge, sink: &Sink) -> PathBuf {
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, forge.ca_pem()).unwrap();
    let text = format!(
        r#"
name: Kill
reopen_within: 0s
defaults: {{interval: 200ms, timeout: 200ms}}
cohorts: {{workspace: [acme, globex, initech]}}
components: {{website: {{name: Website}}, api: {{name: API}}}}
probes:
  page:
    component: website
    for_each: [workspace]
    resolve: {{address: "{address}"}}
    http: {{url: "https://forge.example/{{{{workspace}}}}/", tls: {{ca_file: ca.pem}}}}
  api:
    component: api
    for_each: [workspace]
    resolve: {{address: "{address}"}}
    http: {{url: "https://forge.example/api/2.0/repositories/{{{{workspace}}}}", tls: {{ca_file: ca.pem}}}}
rules:
  spike: {{bad: 'failure == "not_found"', above: 5%, within: 2s, at_least: 3, per: [workspace], clear: {{below: 1%, for: 300ms}}}}
receivers:
  oncall:
    email: {{from: t@example.com, to: [a@example.com, b@example.com], smtp: "smtp://{sink}?tls=none"}}
"#,
        address = forge.address(),
        sink = sink.address(),
    );
    let path = folder.join("probes.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

fn start(folder: &Path, config: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log.txt")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_tripline"))
        .args(["run", "--config"])
        .arg(config)
        .arg("--db")
        .arg(folder.join("kill.db"))
        .env("TRIPLINE_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// What another process can see of the database: all of it is committed.
#[derive(Default)]
struct Seen {
    results: Vec<(String, Timestamp)>,
    events: BTreeMap<String, Vec<IncidentEvent>>,
    owed: BTreeSet<String>,
}

fn look(database: &Path) -> Option<Seen> {
    let reader = Reader::open(database).ok()?;
    let mut seen = Seen::default();
    reader
        .results_since(Timestamp::from_millis(0), |judged| {
            seen.results.push((judged.result.probe.to_string(), judged.result.started));
        })
        .unwrap();
    // The daemon may commit between two questions: then it is asked again.
    loop {
        let histories = reader.histories(Timestamp::from_millis(0)).unwrap();
        seen.owed.clear();
        for events in &histories {
            let owed = reader.deliveries_of(events[0].incident).unwrap();
            seen.owed.extend(owed.iter().map(|owed| owed.notification.to_string()));
        }
        if reader.histories(Timestamp::from_millis(0)).unwrap() == histories {
            seen.events = histories.into_iter().map(|events| (events[0].incident.to_string(), events)).collect();
            return Some(seen);
        }
    }
}

/// Nothing that was seen before is missing now, and incidents and messages belong to each other.
fn compare(before: &Seen, now: &Seen, context: &str) {
    assert!(now.results.starts_with(&before.results), "{context}: a committed result is lost");
    for (id, events) in &before.events {
        assert!(now.events.get(id).is_some_and(|now| now.starts_with(events)), "{context}: events of {id} are lost");
    }
    let told: BTreeSet<String> = now
        .events
        .values()
        .flatten()
        .filter_map(|event| match &event.change {
            IncidentChange::Told { notification, .. } => Some(notification.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(told, now.owed, "{context}: what was told and what is owed are not the same");
    for events in now.events.values() {
        let numbers: Vec<u32> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, Vec::from_iter(0..u32::try_from(events.len()).unwrap()), "{context}");
        let tells = events.iter().any(|event| matches!(event.change, IncidentChange::Told { .. }));
        assert!(tells, "{context}: an incident without its notification");
    }
    let mut spans: Vec<(Timestamp, Option<Timestamp>)> = now
        .events
        .values()
        .map(|events| {
            let end = events.iter().find(|event| matches!(event.change, IncidentChange::Resolved { .. }));
            (events[0].at, end.map(|event| event.at))
        })
        .collect();
    spans.sort();
    for pair in spans.windows(2) {
        assert!(pair[0].1.is_some_and(|end| end <= pair[1].0), "{context}: one outage is open twice: {spans:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_kills_at_random_moments_lose_nothing_and_double_nothing() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        u64::from(std::process::id()) << 20 | u64::try_from(tripline::clock::now().as_millis()).unwrap() & 0xf_ffff
    });
    println!("SEED={seed}");
    let series: Vec<_> = (0..SERIES).map(|series| tokio::spawn(killed_again_and_again(seed, series))).collect();
    let mut all = Ended::default();
    for one in series {
        let one = one.await.unwrap();
        all.kills += one.kills;
        all.results += one.results;
        all.incidents += one.incidents;
        all.messages += one.messages;
        all.mails += one.mails;
    }
    println!("{all:?}");
    assert!(all.kills >= 60, "SEED={seed}: {all:?}");
}

/// What there was in the end.
#[derive(Debug, Default)]
struct Ended {
    kills: u32,
    results: usize,
    incidents: usize,
    messages: usize,
    mails: usize,
}

/// One series: a daemon that is killed again and again over one database, and then has one last life in peace.
async fn killed_again_and_again(seed: u64, series: u64) -> Ended {
    let mut dice = Dice::of(seed, series, 0);
    let of = format!("SEED={seed}, series {series}");
    let folder = tempfile::tempdir().unwrap();
    let mails = folder.path().join("mails");
    std::fs::create_dir(&mails).unwrap();
    let forge = Forge::start(folder.path()).await.unwrap();
    let (sink, mut inbox) = Sink::start(&mails).await.unwrap();
    let mut received: Vec<SunkMail> = Vec::new();
    let config = config(folder.path(), &forge, &sink);
    let database = folder.path().join("kill.db");
    let mut before = Seen::default();
    let mut kills = 0;
    let deadline = Instant::now() + Duration::from_secs(300);
    while kills < KILLS || before.results.len() < RESULTS || before.events.is_empty() {
        let (results, outages) = (before.results.len(), before.events.len());
        assert!(Instant::now() < deadline, "{of}: {kills} kills, {results} results, {outages} outages: too few");
        let context = format!("{of}, kill {kills}");
        match dice.below(4) {
            0 => forge.break_flags_for("globex"),
            1 => forge.repair(),
            _ => {}
        }
        let mut daemon = start(folder.path(), &config);
        tokio::time::sleep(Duration::from_millis(20 + dice.below(1500))).await;
        if let Some(now) = look(&database) {
            compare(&before, &now, &context);
            before = now;
        }
        tokio::time::sleep(Duration::from_micros(dice.below(30_000))).await;
        let pid = Pid::from_raw(i32::try_from(daemon.id()).unwrap());
        assert!(
            daemon.try_wait().unwrap().is_none(),
            "{context}: the daemon ended by itself\n{}",
            log(folder.path())
        );
        kill(pid, Signal::SIGKILL).unwrap();
        daemon.wait().unwrap();
        kills += 1;
        if let Some(now) = look(&database) {
            compare(&before, &now, &context);
            before = now;
        }
        while let Ok(mail) = inbox.try_recv() {
            received.push(mail);
        }
    }

    // One last life, in peace: whatever is open ends, and whatever is owed is delivered.
    forge.repair();
    let mut daemon = start(folder.path(), &config);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        while let Ok(mail) = inbox.try_recv() {
            received.push(mail);
        }
        let reader = Reader::open(&database).unwrap();
        let open = reader.incidents(true, 10).unwrap().len();
        let owed = look(&database)
            .unwrap()
            .events
            .values()
            .flat_map(|events| reader.deliveries_of(events[0].incident).unwrap())
            .filter(|owed| owed.state != DeliveryState::Delivered)
            .count();
        if open == 0 && owed == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{of}: {open} open, {owed} owed\n{}", log(folder.path()));
    }
    kill(Pid::from_raw(i32::try_from(daemon.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(daemon.wait().unwrap().success(), "{of}: it ends in order\n{}", log(folder.path()));
    let last = look(&database).unwrap();
    compare(&before, &last, &format!("{of}, in the end"));
    while let Ok(mail) = inbox.try_recv() {
        received.push(mail);
    }

    // Every owed message came; one that came twice is the same message.
    let mut by_id: BTreeMap<String, Vec<&SunkMail>> = BTreeMap::new();
    for mail in &received {
        by_id.entry(mail.message_id.clone().unwrap()).or_default().push(mail);
    }
    assert_eq!(by_id.len(), last.owed.len(), "{of}: each owed message came");
    for copies in by_id.values() {
        let to: BTreeSet<&String> = copies.iter().flat_map(|mail| &mail.to).collect();
        assert_eq!(to.len(), 2, "{of}: both addresses got it");
        assert!(copies.iter().all(|mail| mail.subject == copies[0].subject), "{of}");
    }
    Ended {
        kills,
        results: last.results.len(),
        incidents: last.events.len(),
        messages: last.owed.len(),
        mails: received.len(),
    }
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log.txt"))
        .unwrap_or_default()
        .lines()
        .rev()
        .take(20)
        .collect::<Vec<_>>()
        .join("\n")
}
