//! Siege: what a daemon stands when everything around it behaves badly.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_util::sync::CancellationToken;
use tripline::daemon::DaemonFault;
use tripline::daemon::outbox::OutboxOptions;

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
            .env("TRIPLINE_LISTEN", "127.0.0.1:0")
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

#[tokio::test(start_paused = true)]
async fn a_store_that_is_stalled_does_not_keep_a_daemon_from_ending_for_ever() {
    struct Nothing;
    impl tripline::config::Outside for Nothing {
        fn env(&self, _: &str) -> Option<String> {
            None
        }
        fn file(&self, _: &str) -> Result<Vec<u8>, String> {
            Err("there is none".into())
        }
    }
    let config = format!("{CONFIG}\ndefaults: {{interval: 1s, timeout: 1s}}");
    let config = Arc::new(tripline::config::load("probes.yaml", &config, &Nothing).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("tripline.db");
    let (_reload, reloads) = tokio::sync::mpsc::channel(1);
    let stop = CancellationToken::new();
    let daemon = tripline::daemon::run(
        config,
        database.clone(),
        OutboxOptions::default(),
        reloads,
        Default::default(),
        stop.clone(),
    );
    let daemon = tokio::spawn(daemon);

    let stored = |other: &rusqlite::Connection| -> rusqlite::Result<i64> {
        other.query_row("SELECT count(*) FROM result", [], |row| row.get(0))
    };
    let open =
        || rusqlite::Connection::open(&database).ok().filter(|other| stored(other).is_ok_and(|count| count > 0));
    let other = loop {
        match open() {
            Some(other) => break other,
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    // Another process writes and does not end.
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let before = stored(&other).unwrap();
    // The probe's turns go by the wall clock; the runtime's own time is not real here.
    for _ in 0..25 {
        std::thread::sleep(Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.cancel();
    let ended = daemon.await.unwrap();
    assert!(matches!(ended, Err(DaemonFault::Unstored)), "{ended:?}");
    assert_eq!(stored(&other).unwrap(), before);
}
