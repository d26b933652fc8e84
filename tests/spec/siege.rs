//! Siege: what a daemon stands when everything around it behaves badly.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const CONFIG: &str = "
name: Forge
components: {website: {name: Website}}
probes:
  dashboard: {component: website, http: {url: 'http://127.0.0.1:9/'}}
";

/// A daemon on a folder's probes.yaml, killed when it is dropped.
struct Daemon(Child);

impl Daemon {
    /// Starts one and waits until it watches.
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tripline"))
            .args(["--config", "probes.yaml", "--db", "tripline.db", "run"])
            .current_dir(folder)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(log.any(|line| line.unwrap().contains("watching Forge")), "it starts");
        // The pipe must not fill up.
        std::thread::spawn(move || log.for_each(drop));
        Self(child)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }

    /// Whether it ends well within this time.
    fn ends_within(&mut self, limit: Duration) -> bool {
        let asked = Instant::now();
        while asked.elapsed() < limit {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
    folder
}

#[test]
fn a_storm_of_reloads_does_not_keep_a_daemon_from_ending() {
    let folder = folder(CONFIG);
    let mut daemon = Daemon::start(folder.path());
    for round in 0..200 {
        let config = if round % 2 == 0 { "name: [" } else { CONFIG };
        std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
        daemon.signal(Signal::SIGHUP);
        std::thread::sleep(Duration::from_millis(3));
    }
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.ends_within(Duration::from_secs(20)));
}

#[test]
fn a_configuration_that_can_never_be_read_does_not_keep_a_daemon_from_ending() {
    let folder = folder(CONFIG);
    let mut daemon = Daemon::start(folder.path());
    let path = folder.path().join("probes.yaml");
    std::fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    daemon.signal(Signal::SIGHUP);
    std::thread::sleep(Duration::from_millis(200));
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.ends_within(Duration::from_secs(20)));
}

#[test]
fn a_secret_in_a_pipe_is_refused_and_not_waited_for() {
    let folder = folder(&CONFIG.replace("Forge", "\"${file:pipe}\""));
    nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut validate = Command::new(env!("CARGO_BIN_EXE_tripline"));
    validate.arg("validate").current_dir(folder.path()).env_remove("TRIPLINE_CONFIG");
    let said = validate.output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("it is no regular file"), "{said:?}");
}
