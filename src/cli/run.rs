//! `tripline run`: the daemon.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::daemon::outbox::OutboxOptions;
use crate::daemon::{self, DaemonFault};

use super::log::HiddenSecrets;
use super::{Ending, Flags, load, ports};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where jobs and hooks call us
    #[arg(long, default_value = "127.0.0.1:8090", env = "TRIPLINE_LISTEN", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where mail is taken for flows that wait for it, by SMTP without TLS; nowhere unless given
    #[arg(long, env = "TRIPLINE_LISTEN_MAIL", value_name = "ADDRESS")]
    listen_mail: Option<SocketAddr>,
}

pub(super) fn run(flags: &Flags, args: &Args, secrets: &HiddenSecrets) -> anyhow::Result<Ending> {
    let config = load::load(&flags.config)?;
    take_up(&config, secrets);
    raise_file_limit();
    let runtime = super::runtime()?;
    let ended = runtime.block_on(watch(flags, args, config, secrets));
    // All that matters is stored; a configuration on a file system that hangs may be read for ever.
    runtime.shutdown_timeout(LAST_READ);
    ended?;
    Ok(Ending::Well)
}

/// How long the end waits for a configuration that is still being read.
const LAST_READ: Duration = Duration::from_millis(100);

async fn watch(flags: &Flags, args: &Args, config: Config, secrets: &HiddenSecrets) -> anyhow::Result<()> {
    let ports = ports::open(Some(args.listen), args.listen_mail).await?;
    if args.listen_mail.is_none() {
        let waiting = config.probes.iter().filter(|probe| probe.kind.waits_for_mail());
        for name in waiting.map(|probe| &probe.name).collect::<BTreeSet<_>>() {
            tracing::warn!("{name} waits for mail, and nothing takes any: its checks are void; give --listen-mail");
        }
    }
    let stop = CancellationToken::new();
    let (reload, reloads) = mpsc::channel(1);
    let hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be listened to")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened to")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened to")?;
    let daemon =
        daemon::run(Arc::new(config), flags.db.clone(), OutboxOptions::default(), reloads, ports, stop.clone());
    // A task of its own: while a configuration is read, or waits to be taken up, the daemon and SIGTERM do not.
    let reloading = tokio::spawn(reload_on(hangup, flags.config.clone(), secrets.clone(), reload));
    tokio::pin!(daemon);
    let ended = loop {
        tokio::select! {
            ended = &mut daemon => break ended,
            _ = terminate.recv() => { tracing::info!("stopping, as SIGTERM asks"); stop.cancel() }
            _ = interrupt.recv() => { tracing::info!("stopping, as SIGINT asks"); stop.cancel() }
        }
    };
    reloading.abort();
    ended.map_err(|fault| match fault {
        DaemonFault::Probe(fault) => load::unready(&flags.config, &fault).into(),
        other => other.into(),
    })
}

/// Reads the configuration anew at each SIGHUP. Those that come while one is being read or waits are one.
async fn reload_on(mut hangup: Signal, path: PathBuf, secrets: HiddenSecrets, reload: mpsc::Sender<Arc<Config>>) {
    while hangup.recv().await.is_some() {
        match read(&path).await {
            Ok(config) => {
                take_up(&config, &secrets);
                if reload.send(Arc::new(config)).await.is_err() {
                    return;
                }
            }
            Err(problems) => tracing::error!("the old configuration stays: {problems}"),
        }
    }
}

/// Reads it where waiting for a disk holds up nothing else.
async fn read(path: &Path) -> anyhow::Result<Config> {
    let path = path.to_owned();
    Ok(tokio::task::spawn_blocking(move || load::load(&path)).await??)
}

fn take_up(config: &Config, secrets: &HiddenSecrets) {
    secrets.hide(&config.secrets);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}

/// A check is a socket, and many systems allow a process 1,024 files by default while they allow it to ask for more.
fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < 4096 => {
            tracing::warn!(limit, "few files may be open at once; raise it (ulimit -n) to run many checks at once");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit on open files could not be raised"),
    }
}
