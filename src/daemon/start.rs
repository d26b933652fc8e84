//! Starting: the database is opened, the engine rebuilt from it, and all parts of the daemon begin.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outbox::{self, OutboxOptions};
use super::pump::{Control, Pump};
use super::watch::{Watch, counts, ready};
use super::{DaemonFault, Ports, actions, beats, restore};
use crate::clock;
use crate::config::Config;
use crate::engine::Engine;
use crate::inbox::Inbox;
use crate::inbox::smtp::{PATIENCE, SmtpServer};
use crate::model::{ProbeId, Timestamp};
use crate::probe::Roots;
use crate::schedule::beat;
use crate::store::{Place, Reader, StoreError, Writer};

/// Results that may wait for the pump. Past that, checks wait with handing theirs over.
const WAITING_RESULTS: usize = 4096;
/// Actions and reloads that may wait for the pump.
const WAITING_CONTROLS: usize = 64;

/// How often it is looked whether the database is still where it was.
const LOOK_AT_PLACE: Duration = Duration::from_secs(10);

/// A daemon that runs.
pub(super) struct Parts {
    /// Certificates to trust, read once.
    pub(super) roots: Roots,
    pub(super) writer: Writer,
    /// Ends when nobody can send results any more, or when the store refuses a commit for good.
    pub(super) pump: JoinHandle<Result<(), StoreError>>,
    pub(super) controls: mpsc::Sender<Control>,
    /// The config by which messages are delivered.
    pub(super) delivered_by: watch::Sender<Arc<Config>>,
    pub(super) watch: Watch,
    /// Ends the checks of the present config.
    pub(super) current: CancellationToken,
    /// The checks that run, of all configs.
    pub(super) running: TaskTracker,
    /// The port for calls, and what closes it.
    pub(super) web: (TaskTracker, CancellationToken),
    /// The port for mail; open as long as this is there.
    pub(super) mail: Option<SmtpServer>,
    /// The outbox and other parts that need no results, and what ends them.
    pub(super) side: (TaskTracker, CancellationToken),
}

/// Starts a daemon.
pub(super) async fn start(
    config: Arc<Config>,
    database: PathBuf,
    outbox: OutboxOptions,
    ports: Ports,
) -> Result<Parts, DaemonFault> {
    let roots = Roots::load();
    let prober = ready(&config, &roots)?;
    let writer = open(database.clone()).await?;
    let rebuild = {
        let database = database.clone();
        move |config: Arc<Config>| rebuild(config, database.clone())
    };
    let engine = rebuild(Arc::clone(&config)).await?;
    let (delivered_by, config_in) = watch::channel(Arc::clone(&config));
    let wake = Arc::new(Notify::new());
    let (results, results_in) = mpsc::channel(WAITING_RESULTS);
    let (controls, controls_in) = mpsc::channel(WAITING_CONTROLS);

    let halt = CancellationToken::new();
    let pump = Pump::new(engine, writer.clone(), Arc::clone(&wake), rebuild);
    let pump = tokio::spawn(pump.run(results_in, controls_in));
    let side = TaskTracker::new();
    side.spawn(outbox::run(
        writer.clone(),
        Reader::open(&database)?,
        config_in,
        outbox,
        controls.clone(),
        wake,
        halt.clone(),
    ));
    side.spawn(guard(Place::of(&database), halt.clone()));
    side.spawn(actions::run(Reader::open(&database)?, controls.clone(), halt.clone()));

    let (running, inbox) = (TaskTracker::new(), Inbox::default());
    let known = beats::Known::of(last_calls(Arc::clone(&config), database).await?);
    let mut watch = Watch::new(inbox.clone(), known, results, running.clone());
    let current = watch.start(&config, prober);
    let (web, shut) = (TaskTracker::new(), CancellationToken::new());
    let mail = match ports.mail {
        Some(listener) => Some(listen_for_mail(listener, &inbox)?),
        None => None,
    };
    if let Some(port) = ports.web {
        tracing::info!("listening at http://{}", port.address);
        web.spawn(port.serve(inbox, shut.clone()));
    }
    let (probes, canaries) = counts(&config);
    tracing::info!(probes, canaries, rules = config.rules.len(), "watching {}", config.name);
    let (web, side) = ((web, shut), (side, halt));
    Ok(Parts { roots, writer, pump, controls, delivered_by, watch, current, running, web, mail, side })
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

async fn rebuild(config: Arc<Config>, database: PathBuf) -> Result<Engine, StoreError> {
    let rebuilt = tokio::task::spawn_blocking(move || {
        let reader = Reader::open(&database)?;
        restore::restore(config, &reader, clock::now())
    });
    rebuilt.await.map_err(|_| StoreError::Closed)?
}

/// When each job of the config called last.
async fn last_calls(config: Arc<Config>, database: PathBuf) -> Result<Vec<(ProbeId, Timestamp)>, StoreError> {
    let found = tokio::task::spawn_blocking(move || {
        let jobs: Vec<_> = beats::jobs(&config).map(|(probe, _)| probe).collect();
        let since = clock::now() - beat::lookback(jobs.iter().copied());
        let jobs: Vec<ProbeId> = jobs.into_iter().flat_map(|probe| config.formerly.ids_of(probe)).collect();
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
