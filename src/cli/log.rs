//! Logs: by tracing to standard error, with every known secret hidden.

use std::io::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::model::Secrets;

use super::LogFormat;

/// The secrets of the configuration in use, which no log line may hold. None of our own lines does; this guards
/// against a library that says more than we know, at `-vv` say.
#[derive(Clone, Default)]
pub(super) struct HiddenSecrets(Arc<RwLock<Secrets>>);

impl HiddenSecrets {
    /// From now on, hides these as well. Those of the config before still count: checks of it may be under way.
    pub(super) fn hide(&self, secrets: &Secrets) {
        let mut hidden = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *hidden = hidden.and(secrets);
    }
}

/// Starts logging. `RUST_LOG` overrides how much is said.
pub(super) fn start(format: LogFormat, verbose: u8, daemon: bool) -> HiddenSecrets {
    let level = match (verbose, daemon) {
        (0, false) => "warn",
        (0, true) => "info,lettre=warn",
        (1, _) => "info,tripline=debug",
        _ => "debug,tripline=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let hidden = HiddenSecrets::default();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(hidden.clone()).with_ansi(false);
    // A second start, in a test say, keeps the first.
    let _ = match format {
        LogFormat::Text => lines.with_target(verbose > 0).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    hidden
}

/// One log line on its way out.
pub(super) struct Line {
    text: Vec<u8>,
    hidden: HiddenSecrets,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let secrets = self.hidden.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        // A closed standard error is no reason to end.
        let _ = io::stderr().lock().write_all(secrets.redact(&text).as_bytes());
    }
}

impl<'a> MakeWriter<'a> for HiddenSecrets {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { text: Vec::new(), hidden: self.clone() }
    }
}
