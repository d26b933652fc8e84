//! `tripline run`: the daemon.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::daemon;
use crate::daemon::outbox::OutboxOptions;

use super::log::HiddenSecrets;
use super::{Ending, Flags, complain, load};

pub(super) fn run(flags: &Flags, secrets: &HiddenSecrets) -> anyhow::Result<Ending> {
    let config = match load::load(&flags.config) {
        Ok(config) => config,
        Err(problems) => {
            complain(&problems.to_string());
            return Ok(Ending::Usage);
        }
    };
    take_up(&config, secrets);
    raise_file_limit();
    super::runtime()?.block_on(watch(flags, config, secrets))?;
    Ok(Ending::Well)
}

async fn watch(flags: &Flags, config: Config, secrets: &HiddenSecrets) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let (reload, reloads) = mpsc::channel(1);
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be listened to")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened to")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened to")?;
    let daemon = daemon::run(Arc::new(config), flags.db.clone(), OutboxOptions::default(), reloads, stop.clone());
    tokio::pin!(daemon);
    // Never waited for outside this select: the daemon takes a config only while it is polled here.
    let mut newest: Option<Arc<Config>> = None;
    loop {
        tokio::select! {
            ended = &mut daemon => return Ok(ended?),
            Ok(place) = reload.reserve(), if newest.is_some() => if let Some(config) = newest.take() {
                place.send(config);
            },
            _ = terminate.recv() => { tracing::info!("stopping, as SIGTERM asks"); stop.cancel() }
            _ = interrupt.recv() => { tracing::info!("stopping, as SIGINT asks"); stop.cancel() }
            _ = hangup.recv() => match load::load(&flags.config) {
                Ok(config) => {
                    take_up(&config, secrets);
                    newest = Some(Arc::new(config));
                }
                Err(problems) => tracing::error!("the old configuration stays: {problems}"),
            },
        }
    }
}

fn take_up(config: &Config, secrets: &HiddenSecrets) {
    secrets.hide(config.secrets.clone());
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
