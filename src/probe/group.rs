//! A command in a process group of its own, none of which outlives its check.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::OwnedSemaphorePermit;

/// How long a group may take to end after SIGTERM, before SIGKILL ends it.
const SIGTERM_GRACE: Duration = Duration::from_secs(1);

/// A command under way. Dropped, its whole group is told to end and, where it does not, ended.
///
/// The leader is not reaped before the group has been killed: until then its number cannot become that of another
/// group, so that no stranger is hit. What makes a session of its own (setsid(2)) leaves the group, and is not followed.
pub(super) struct Group {
    child: Option<Child>,
    leader: Pid,
    /// Its place among those that may run at once, held until the last of the group is gone.
    room: Option<OwnedSemaphorePermit>,
}

/// The ends of a command's pipes that are ours.
pub(super) struct Pipes {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
}

impl Group {
    /// Starts the command. Its pipes are ours where the command says so.
    pub(super) fn start(command: &mut Command, room: OwnedSemaphorePermit) -> io::Result<(Self, Pipes)> {
        let mut child = command.process_group(0).spawn()?;
        let pipes = Pipes { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() };
        let number = child.id().and_then(|number| i32::try_from(number).ok());
        let leader = Pid::from_raw(number.ok_or_else(|| io::Error::other("the command has no process number"))?);
        Ok((Self { child: Some(child), leader, room: Some(room) }, pipes))
    }

    /// Waits until the command has ended. Others of its group may still be there.
    pub(super) async fn ended(&self) -> io::Result<()> {
        ended(self.leader).await
    }

    /// Ends what is left of the group, and tells how the command ended.
    pub(super) async fn finish(mut self) -> io::Result<ExitStatus> {
        kill(self.leader, Signal::SIGKILL);
        match self.child.take() {
            Some(mut child) => child.wait().await,
            None => Err(io::Error::other("the command has been waited for before")),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(child) = self.child.take() else { return };
        let rest = Rest { child, leader: self.leader, _room: self.room.take() };
        // Without a runtime, as when the daemon ends, there is no time to ask: the rest is killed as it is dropped.
        if let Ok(runtime) = Handle::try_current() {
            kill(self.leader, Signal::SIGTERM);
            runtime.spawn(rest.end());
        }
    }
}

/// A group that nobody waits for any more.
struct Rest {
    child: Child,
    leader: Pid,
    _room: Option<OwnedSemaphorePermit>,
}

impl Rest {
    async fn end(mut self) {
        let _ = tokio::time::timeout(SIGTERM_GRACE, ended(self.leader)).await;
        kill(self.leader, Signal::SIGKILL);
        // One that is stuck in the kernel ends when that lets go of it; tokio reaps it then.
        let _ = tokio::time::timeout(SIGTERM_GRACE, self.child.wait()).await;
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        // Once it has been reaped, its number is no longer ours.
        if self.child.id().is_some() {
            kill(self.leader, Signal::SIGKILL);
        }
    }
}

/// A group that is gone already cannot be killed, and need not be.
fn kill(leader: Pid, with: Signal) {
    let _ = killpg(leader, with);
}

async fn ended(leader: Pid) -> io::Result<()> {
    // Listening begins before looking, so that no end is missed.
    let mut ends = signal(SignalKind::child())?;
    loop {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        match waitid(Id::Pid(leader), flags) {
            Ok(WaitStatus::StillAlive) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        ends.recv().await;
    }
}
