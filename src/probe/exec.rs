//! The kind of commands: any plugin of Nagios, Icinga or the Monitoring Plugins project, and whatever else keeps to
//! their exit codes (Monitoring Plugins Development Guidelines, section "Plugin return codes").

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::sync::Semaphore;

use super::broken::Broken;
use super::group::Group;
use super::question::{Question, Seen};
use super::shared::{COMMANDS_AT_ONCE, Shared};
use super::stopwatch::Trace;
use super::wire::perfdata;
use crate::model::condition::Fact;
use crate::model::{ExecTarget, FailureClass, Probe};

/// How much of each output is kept, in bytes.
const MOST_OUTPUT_KEPT: usize = 64 * 1024;
/// How much is read and left unkept before a command is ended, in bytes: it would print without end.
const MOST_PRINTED: usize = 16 * 1024 * 1024;
/// How long output is waited for once the command has ended and its group is killed.
const LAST_OUTPUT_WAIT: Duration = Duration::from_millis(250);
/// Where programs are looked for when the environment does not say.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command that can be run again and again.
pub(super) struct ExecProbe {
    target: ExecTarget,
    path: String,
    /// Shared by all commands.
    room: Arc<Semaphore>,
    /// How long it may wait for its turn.
    patience: Duration,
}

impl ExecProbe {
    pub(super) fn new(target: &ExecTarget, probe: &Probe, shared: &mut Shared) -> Self {
        let path = std::env::var("PATH").unwrap_or_else(|_| USUAL_PATH.into());
        Self { target: target.clone(), path, room: shared.commands(), patience: probe.timeout / 4 }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.target.program);
        command.args(&self.target.args).env_clear().env("PATH", &self.path).env("LC_ALL", "C");
        command.envs(self.target.env.iter().map(|(name, value)| (name, value)));
        let stdin = if self.target.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command to its end.
    async fn run(&self, seen: &mut Seen) -> Result<(ExitStatus, Vec<u8>), Broken> {
        let room = tokio::time::timeout(self.patience, self.room.clone().acquire_owned()).await;
        let Ok(Ok(room)) = room else {
            return Err(Broken::internal(format!("{COMMANDS_AT_ONCE} commands are running already, and none ended")));
        };
        let started = Group::start(&mut self.command(), room);
        let (group, pipes) = started.map_err(|error| {
            Broken::internal(match error.kind() {
                std::io::ErrorKind::NotFound => format!("the command `{}` was not found", self.target.program),
                std::io::ErrorKind::PermissionDenied => {
                    format!("the command `{}` may not be run: permission denied", self.target.program)
                }
                _ => format!("the command `{}` could not be started: {error}", self.target.program),
            })
        })?;
        let lost = |error: std::io::Error| Broken::internal(format!("the command was lost sight of: {error}"));
        let mut errors = Vec::new();
        let mut printed = Vec::new();
        let status = {
            let feeding = feed(pipes.stdin, &self.target.stdin);
            let reading = async {
                tokio::try_join!(
                    read(pipes.stdout, |bytes| {
                        keep(&mut printed, bytes);
                        seen.hear(bytes);
                    }),
                    read(pipes.stderr, |bytes| keep(&mut errors, bytes)),
                )
            };
            tokio::pin!(feeding, reading);
            let (mut fed, mut silent) = (false, false);
            loop {
                tokio::select! {
                    ended = group.ended() => break ended.map_err(lost)?,
                    () = &mut feeding, if !fed => fed = true,
                    flood = &mut reading, if !silent => {
                        flood?;
                        silent = true;
                    }
                }
            }
            let status = group.finish().await.map_err(lost)?;
            if !silent && let Ok(flood) = tokio::time::timeout(LAST_OUTPUT_WAIT, &mut reading).await {
                flood?;
            }
            status
        };
        if !errors.is_empty() {
            let errors = String::from_utf8_lossy(&errors).trim_end().to_owned();
            seen.headers.push(("stderr".into(), errors));
        }
        Ok((status, printed))
    }

    /// What the exit code is worth.
    fn verdict(&self, status: ExitStatus, text: &str) -> Result<(), Broken> {
        let line = text.lines().next().unwrap_or_default().trim();
        let said = if line.is_empty() { "it printed nothing" } else { line };
        match status.code() {
            Some(0) => Ok(()),
            Some(1) if !self.target.warning_fails => Ok(()),
            Some(1) => Err(Broken::failed(FailureClass::Expectation, format!("exit code 1 (WARNING): {said}"))),
            Some(2) => Err(Broken::failed(FailureClass::ServerError, format!("exit code 2 (CRITICAL): {said}"))),
            Some(3) if !self.target.unknown_fails => Err(Broken::internal(format!("exit code 3 (UNKNOWN): {said}"))),
            Some(3) => Err(Broken::failed(FailureClass::ClientError, format!("exit code 3 (UNKNOWN): {said}"))),
            Some(other) => {
                let fault = format!("exit code {other}, which is none of a plugin's (0 to 3): {said}");
                Err(Broken::failed(FailureClass::Protocol, fault))
            }
            None => {
                let signal = status.signal().unwrap_or_default();
                let name = nix::sys::signal::Signal::try_from(signal).map_or("unknown", |signal| signal.as_str());
                Err(Broken::failed(FailureClass::Protocol, format!("ended by signal {signal} ({name}): {said}")))
            }
        }
    }
}

impl Question for ExecProbe {
    async fn ask(&self, _: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let (status, printed) = self.run(seen).await?;
        let printed = perfdata::parse(&printed);
        seen.status = status.code().and_then(|code| u16::try_from(code).ok());
        self.verdict(status, &printed.text)?;
        let perf = printed.perf.into_iter().map(|(label, value)| (label, Fact::Float(value)));
        seen.facts.push(("exit", Fact::Int(status.code().unwrap_or_default().into())));
        seen.facts.push(("output", Fact::Text(printed.text.into())));
        seen.facts.push(("perf", Fact::Map(perf.collect())));
        Ok(())
    }
}

/// Gives the command its input. One that does not read it to its end is not to blame.
async fn feed(pipe: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut pipe) = pipe {
        let _ = pipe.write_all(input).await;
        let _ = pipe.shutdown().await;
    }
}

/// Reads a pipe to its end.
async fn read(pipe: Option<impl AsyncRead + Unpin>, mut hear: impl FnMut(&[u8])) -> Result<(), Broken> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = vec![0; 8 * 1024];
    let mut total = 0_usize;
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(count) => {
                hear(buffer.get(..count).unwrap_or_default());
                total += count;
            }
        }
        if total > MOST_PRINTED {
            let fault = format!("it printed more than {} MiB", MOST_PRINTED / 1024 / 1024);
            return Err(Broken::failed(FailureClass::Protocol, fault));
        }
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = MOST_OUTPUT_KEPT.saturating_sub(kept.len()).min(bytes.len());
    kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
}
