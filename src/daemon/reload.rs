//! Reloading: a new config is taken up as a whole, or not at all.

use std::sync::Arc;

use super::pump::Control;
use super::start::Parts;
use super::watch::{counts, ready};
use crate::config::Config;

/// Takes up a new config. One whose probes cannot be made ready is not used.
pub(super) async fn take_up(parts: &mut Parts, config: Arc<Config>) {
    let prober = match ready(&config, &parts.roots) {
        Ok(prober) => prober,
        Err(fault) => {
            tracing::error!(%fault, "the new config is not used; the old one stays");
            return;
        }
    };
    // The old checks end by themselves while the new ones begin.
    parts.current.cancel();
    if parts.controls.send(Control::Reload(Arc::clone(&config))).await.is_err() {
        // The pump has ended, and so does the daemon.
        return;
    }
    parts.delivered_by.send_replace(Arc::clone(&config));
    parts.current = parts.watch.start(&config, prober);
    let (probes, canaries) = counts(&config);
    tracing::info!(probes, canaries, rules = config.rules.len(), "took up the new config");
}
