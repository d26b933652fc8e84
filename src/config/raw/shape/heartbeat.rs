//! The shape of a heartbeat.

use schemars::JsonSchema;

use super::Word;

/// A job that calls us: `/ping/TOKEN` when it has ended well, by the probe's `interval` or `cron`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Heartbeat {
    /// What the job is known by, of its own: 16 to 128 letters, digits, `-` and `_`. It is secret.
    pub token: Word,
    /// How much later than expected a call may come, and how long a run may take that said that it starts, 1s to 7d.
    /// Default: 5m.
    pub grace: Option<String>,
}
