//! Floor 3: the daemon, one of the engine's drivers. It starts, takes up new configs, and stops in order.
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
mod watch;
mod start;
mod reload;
mod stop;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::probe::ProbeFault;
use crate::store::StoreError;
use crate::web::Port;

use outbox::OutboxOptions;

#[cfg(test)]
mod tests;

pub use start::listen_for_mail;

/// How long checks that are running may take to end when the daemon stops ...
const LAST_MOMENTS: Duration = Duration::from_secs(10);
/// ... and how much longer their results may take to be stored.
const LAST_COMMITS: Duration = Duration::from_secs(10);

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
/// which the database has 10 seconds if it cannot be written), deliveries under way get a moment. Each config that
/// arrives on `reloads` replaces the one before. Jobs, hooks and mail come in at `ports`.
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
    let mut parts = start::start(config, database, outbox, ports).await?;
    let early = loop {
        tokio::select! {
            () = stop.cancelled() => break None,
            ended = &mut parts.pump => break Some(ended),
            Some(config) = reloads.recv() => reload::take_up(&mut parts, config).await,
        }
    };
    stop::stop(parts, early).await
}
