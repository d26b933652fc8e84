//! Floor 3: the daemon, one of the engine's drivers.
//!
//! ```text
//! checks -CheckResult-> pump (engine) -Commit-> store -> outbox -> deliver
//! web -> inbox -> beats -^ ^
//!                 actions, reloads
//! ```

pub mod actions;
pub mod beats;
pub mod checks;
pub mod outbox;
pub mod pump;
pub mod restore;
pub mod retries;
pub mod turn;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::config::Config;
use crate::inbox::Inbox;
use crate::inbox::smtp::{PATIENCE, SmtpServer};
use crate::model::{Cadence, CheckResult, ProbeId, ProbeIndex, Role, Timestamp};
use crate::probe::{ProbeFault, Prober, Roots};
use crate::schedule::{self, Schedule};
use crate::store::{Place, Reader, StoreError, Writer};
use crate::web::Port;

use outbox::OutboxOptions;
use pump::{Control, Pump};

/// Results that may wait for the pump. Past that, checks wait with handing theirs over.
const WAITING_RESULTS: usize = 4096;
/// Actions and reloads that may wait for the pump.
const WAITING_CONTROLS: usize = 64;
/// How long checks that are running may take to end when the daemon stops ...
const LAST_MOMENTS: Duration = Duration::from_secs(10);
/// ... and how much longer their results may take to be stored.
const LAST_COMMITS: Duration = Duration::from_secs(10);

/// How far back it is looked for the last call of a job, at most: one that calls more rarely gets a new turn.
const LAST_CALLS: Duration = Duration::from_secs(8 * 86_400);

/// How often it is looked whether the database is still where it was.
const LOOK_AT_PLACE: Duration = Duration::from_secs(10);

/// Why a daemon could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum DaemonFault {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A probe could not be made ready.
    #[error(transparent)]
    Probe(#[from] ProbeFault),
    /// The port for mail.
    #[error("the port for mail cannot be used: {0}")]
    Mail(std::io::Error),
    /// A part of the daemon ended that should not have.
    #[error("the {0} ended unexpectedly; what is stored is safe, start again")]
    Lost(&'static str),
    /// It was told to stop while the database could not be written.
    #[error("the last results could not be stored within {} seconds of stopping and are lost", LAST_COMMITS.as_secs())]
    Unstored,
}

/// Where others reach us. What is not open cannot be reached.
#[derive(Default)]
pub struct Ports {
    /// For calls of jobs and hooks.
    pub web: Option<Port>,
    /// For mail that checks wait for.
    pub mail: Option<TcpListener>,
}

/// Runs the daemon until `stop`, and ends in order: running checks end or become void, all results are stored (for
/// which the database has 10 seconds if it cannot be written), mail under way gets a moment. Each config that arrives on
/// `reloads` replaces the one before. Jobs, hooks and mail come in at `ports`.
///
/// # Errors
/// When the database cannot be opened or refuses what belongs in it, or a probe cannot be made ready.
pub async fn run(
    config: Arc<Config>,
    database: PathBuf,
    outbox: OutboxOptions,
    mut reloads: mpsc::Receiver<Arc<Config>>,
    ports: Ports,
    stop: CancellationToken,
) -> Result<(), DaemonFault> {
    let roots = Roots::load();
    let prober = ready(&config, &roots)?;
    let writer = open(database.clone()).await?;
    let rebuild = {
        let database = database.clone();
        move |config: Arc<Config>| rebuild(config, database.clone())
    };
    let engine = rebuild(Arc::clone(&config)).await?;
    let (config_out, config_in) = watch::channel(Arc::clone(&config));
    let wake = Arc::new(Notify::new());
    let (results_out, results_in) = mpsc::channel(WAITING_RESULTS);
    let (controls_out, controls_in) = mpsc::channel(WAITING_CONTROLS);

    let halt = CancellationToken::new();
    let pump = Pump::new(engine, writer.clone(), Arc::clone(&wake), rebuild);
    let mut pump = tokio::spawn(pump.run(results_in, controls_in));
    let side = TaskTracker::new();
    side.spawn(outbox::run(writer.clone(), Reader::open(&database)?, config_in, outbox, wake, halt.clone()));
    side.spawn(guard(Place::of(&database), halt.clone()));
    side.spawn(actions::run(Reader::open(&database)?, controls_out.clone(), halt.clone()));

    let running = TaskTracker::new();
    let inbox = Inbox::default();
    let known = beats::Known::of(last_calls(Arc::clone(&config), database).await?);
    let mut watch =
        Watch { inbox: inbox.clone(), known, results: results_out, running: running.clone(), beats: None };
    let mut current = watch.start(&config, prober);
    let (web, shut) = (TaskTracker::new(), CancellationToken::new());
    let _mail = match ports.mail {
        Some(listener) => Some(listen_for_mail(listener, &inbox)?),
        None => None,
    };
    if let Some(port) = ports.web {
        tracing::info!("listening at http://{}", port.address);
        web.spawn(port.serve(inbox, shut.clone()));
    }
    let (probes, canaries) = counts(&config);
    tracing::info!(probes, canaries, rules = config.rules.len(), "watching {}", config.name);
    let mut early = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            ended = &mut pump => {
                early = Some(ended);
                break;
            }
            Some(config) = reloads.recv() => match ready(&config, &roots) {
                Ok(prober) => {
                    // The old checks end by themselves while the new ones begin.
                    current.cancel();
                    if controls_out.send(Control::Reload(Arc::clone(&config))).await.is_err() {
                        continue;
                    }
                    config_out.send_replace(Arc::clone(&config));
                    current = watch.start(&config, prober);
                    let (probes, canaries) = counts(&config);
                    tracing::info!(probes, canaries, rules = config.rules.len(), "took up the new config");
                }
                Err(fault) => tracing::error!(%fault, "the new config is not used; the old one stays"),
            },
        }
    }

    // Whoever was told that their call was taken must find it counted, so the door is closed first.
    shut.cancel();
    web.close();
    web.wait().await;
    current.cancel();
    drop(watch);
    running.close();
    let ended = match early {
        Some(ended) => Some(ended),
        None => {
            let last = async {
                running.wait().await;
                (&mut pump).await
            };
            // A pump whose database cannot be written tries for ever, and holds up the checks; a stop must not wait
            // so long.
            tokio::time::timeout(LAST_MOMENTS + LAST_COMMITS, last).await.ok()
        }
    };
    pump.abort();
    halt.cancel();
    side.close();
    side.wait().await;
    // The pump's verdict comes first: a store that is closed already says nothing new.
    let verdict = ended.ok_or(DaemonFault::Unstored)?.map_err(|_| DaemonFault::Lost("pump"))?;
    let closed = writer.close().await;
    verdict?;
    Ok(closed?)
}

/// How many probes ask the service, and how many are canaries.
fn counts(config: &Config) -> (usize, usize) {
    let canaries = config.probes.iter().filter(|probe| probe.role == Role::Canary).count();
    (config.probes.len() - canaries, canaries)
}

/// Says it loudly when the database is not where it was, as long as that is so.
async fn guard(place: Place, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_AT_PLACE)).await.is_some() {
        if let Some(lost) = place.lost() {
            tracing::error!("{lost}");
        }
    }
}

/// Opening may wait for a migration, so it is done beside the runtime.
async fn open(database: PathBuf) -> Result<Writer, DaemonFault> {
    let opened = tokio::task::spawn_blocking(move || Writer::open(&database)).await;
    Ok(opened.map_err(|_| DaemonFault::Lost("store"))??)
}

async fn rebuild(config: Arc<Config>, database: PathBuf) -> Result<crate::engine::Engine, StoreError> {
    let rebuilt = tokio::task::spawn_blocking(move || {
        let reader = Reader::open(&database)?;
        restore::restore(config, &reader, clock::now())
    });
    rebuilt.await.map_err(|_| StoreError::Closed)?
}

fn ready(config: &Config, roots: &Roots) -> Result<Prober, ProbeFault> {
    Prober::new(&config.probes, config.location.clone(), config.secrets.clone(), roots)
}

/// When each job of the config called last.
async fn last_calls(config: Arc<Config>, database: PathBuf) -> Result<Vec<(ProbeId, Timestamp)>, StoreError> {
    let found = tokio::task::spawn_blocking(move || {
        let jobs: Vec<_> = beats::jobs(&config).map(|(probe, _)| probe).collect();
        let longest = jobs.iter().map(|probe| match probe.cadence {
            Cadence::Every(interval) => interval,
            Cadence::At(_) => LAST_CALLS,
        });
        let since = clock::now() - longest.max().unwrap_or_default().min(LAST_CALLS);
        let jobs: Vec<ProbeId> = jobs.into_iter().map(|probe| probe.id.clone()).collect();
        if jobs.is_empty() { Ok(Vec::new()) } else { Reader::open(&database)?.last_calls(&jobs, since) }
    });
    found.await.map_err(|_| StoreError::Closed)?
}

/// Takes mail for checks that wait for it.
///
/// # Errors
/// When the port cannot be used.
pub fn listen_for_mail(listener: TcpListener, inbox: &Inbox) -> Result<SmtpServer, DaemonFault> {
    let server = SmtpServer::start(listener, inbox.mailboxes().clone(), PATIENCE).map_err(DaemonFault::Mail)?;
    tracing::info!("taking mail at smtp://{}", server.address());
    Ok(server)
}

/// What is watched by each config in turn.
struct Watch {
    inbox: Inbox,
    known: beats::Known,
    results: mpsc::Sender<CheckResult>,
    running: TaskTracker,
    /// Those who listen to jobs by the config before.
    beats: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts the checks of a config and listens to its jobs, until the token that is returned is cancelled.
    fn start(&mut self, config: &Arc<Config>, prober: Prober) -> CancellationToken {
        let stop = CancellationToken::new();
        let hooks = config.probes.iter().filter_map(|probe| probe.kind.hook());
        self.inbox.open(hooks.map(|hook| &hook.token));
        let prober = prober.with_inbox(self.inbox.clone());
        let calls = self.inbox.listen(beats::jobs(config).map(|(_, token)| token));
        let beats = beats::run(Arc::clone(config), calls, self.known.clone(), self.results.clone(), stop.clone());
        let before = self.beats.take();
        self.beats = Some(self.running.spawn(async move {
            // What was said to the one before is to be known.
            if let Some(before) = before {
                let _ = before.await;
            }
            beats.await;
        }));
        let plan = checks::Plan {
            schedule: Schedule::asking(&config.probes, clock::now()),
            probes: config.probes.iter().map(|probe| probe.id.clone()).collect(),
            location: config.location.clone(),
            at_once: checks::AT_ONCE,
            grace: LAST_MOMENTS,
        };
        let (prober, shared) = (Arc::new(prober), (Arc::clone(config), self.results.clone(), stop.clone()));
        let check = move |index: ProbeIndex, started| {
            let (prober, (config, superseded, stop)) = (Arc::clone(&prober), shared.clone());
            async move {
                let probe = &config.probes[index];
                let next_turn = || schedule::next_turn(probe, started);
                turn::check(&prober, (index, probe), started, next_turn, clock::now, &superseded, &stop).await
            }
        };
        self.running.spawn(checks::run(plan, clock::now, check, self.results.clone(), stop.clone()));
        stop
    }
}
