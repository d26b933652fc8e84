//! The program itself, as a person or a shell runs it: arguments in; exit code, words and signals out.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Fails unless it ended with this code; what it said is then shown.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        self
    }
}

/// The program in this folder, with nothing in its environment that would steer it but these.
pub(crate) fn command(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tripline"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for name in ["RUST_LOG", "TRIPLINE_CONFIG", "TRIPLINE_DB"] {
        command.env_remove(name);
    }
    // Many run at once.
    command.env("TRIPLINE_LISTEN", "127.0.0.1:0");
    command.env("USER", "ada").envs(environment.iter().copied());
    command
}

/// Runs a command to its end, which must come within thirty seconds.
pub(crate) fn tripline(folder: &Path, arguments: &[&str]) -> Ended {
    Process::start(folder, command(folder, arguments, &[])).end(Duration::from_secs(30))
}

/// A running program. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    _spoken: tempfile::TempDir,
}

impl Process {
    /// Starts a command whose words go to files, so that no pipe can fill up.
    pub(crate) fn start(folder: &Path, mut command: Command) -> Self {
        let spoken = tempfile::tempdir_in(folder).unwrap();
        let (out, err) = (spoken.path().join("out"), spoken.path().join("err"));
        let child = command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap()).spawn().unwrap();
        Self { child, out, err, _spoken: spoken }
    }

    /// Starts the daemon on the folder's `probes.yaml` and waits until it watches.
    pub(crate) fn daemon(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let arguments = [&["run"], arguments].concat();
        let mut daemon = Self::start(folder, command(folder, &arguments, environment));
        daemon.until("the daemon watches", |daemon| daemon.err().contains("watching "));
        daemon
    }

    pub(crate) fn out(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Waits until it is so while the program runs; fails after fifteen seconds, or when the program has ended.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while !so(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{what}: no; {ended:?}\n{}", self.err());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end; fails, and kills it, when it does not come within this time.
    #[track_caller]
    pub(crate) fn end(mut self, within: Duration) -> Ended {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Ended { code: status.code(), out: self.out(), err: self.err() };
            }
            assert!(Instant::now() < deadline, "not ended within {within:?}\n{}\n{}", self.out(), self.err());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
